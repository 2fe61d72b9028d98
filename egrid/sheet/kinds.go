package sheet

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// NotKeptError says that a table is known, and that no level keeps it. It wraps
// [ErrNotSheet].
type NotKeptError struct {
	Kind   string // what the table is
	From   string // what tells it
	Remedy string // what to load in its place; empty: nothing
	// Authority is who publishes the workbook, as its contents page says; empty:
	// nobody is named.
	Authority string
}

// Error implements error.
func (e *NotKeptError) Error() string {
	text := fmt.Sprintf("%v: this is %s (%s), which is not kept", egrid.ErrInvalid, e.Kind, e.From)
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// Unwrap returns [ErrNotSheet].
func (e *NotKeptError) Unwrap() error { return ErrNotSheet }

// kind is a table that EPA or EIA publish and that no level keeps. Any one of
// its marks tells it.
type kind struct {
	what, remedy string
	alone        string         // remedy where the table is the whole file
	of           egrid.Level    // only a table is meant that has columns of this level, and none of its measures
	always       bool           // it has the columns of a level, so its marks come before them
	regional     bool           // that level is one of regions
	codes        *regexp.Regexp // a header
	title        *regexp.Regexp // a line above the header, or the description of a column
	name         *regexp.Regexp // the table's name
}

var kinds = []kind{
	{
		what: "a sheet of owner-based figures", always: true, regional: true,
		remedy: "eGRID's figures are kept by location: load the workbook or sheet of that basis",
		codes:  regexp.MustCompile(`(?i)^SEQ(SRO|NRO|STO|EGO|PRO|PCO|PCAO|EGCO)\d*$`),
		title:  regexp.MustCompile(`(?i)\bowner[- ]based\b`),
		name:   regexp.MustCompile(`(?i)(?:^|[^a-z]|EGRD)(SRO|NRO|EGCO|PRO|PCAO)_?\d{2}(?:\D|$)|(?:^|[^a-z])owner[-_ ]?based`),
	},
	{
		what: "a file of notes on changes", always: true,
		codes: regexp.MustCompile(`(?i)^(CHTYPE|CHDATE|SEQ(PL|EG|PR|PC)CH)$`),
		title: regexp.MustCompile(`(?i)\b(Plant|Company|Parent|Area) Note File\b`),
		name:  regexp.MustCompile(`(?i)^EGRD(PL|EG|PR|PC)CH\b`),
	},
	{
		what: "a table of a state's imports and exports", always: true,
		codes: regexp.MustCompile(`(?i)^SEQ(IMP|EXP|IE)`),
		title: regexp.MustCompile(`(?i)\b(imports?\b.*\bexports?|exports?\b.*\bimports?)\b.*\b(file|data|table|state)`),
		name:  regexp.MustCompile(`(?i)imports?[-_ &]*(and|/)?[-_ ]*exports?|(?:^|[^a-z])imp[-_]?exp(?:[^a-z]|$)`),
	},
	{
		what:  "a contents page",
		alone: "a workbook's first sheet is all that many tools save as CSV: load the workbook itself, or save the sheets behind it",
		title: regexp.MustCompile(`(?i)^(table of )?contents\b`),
		name:  regexp.MustCompile(`(?i)^(table of )?contents$`),
	},
	{
		what:  "a sheet of electric generating companies",
		codes: regexp.MustCompile(`(?i)^(SEQEG[A-Z]*\d*|EGCID|EGCNAME|EG(NGENAN|CO2AN|HTIAN|CO2RTA))$`),
		title: regexp.MustCompile(`(?i)\bElectric Generating Company\b`),
		name:  regexp.MustCompile(`(?i)(?:^|[^a-z]|EGRD)EGC[LO]?_?\d{2}(?:\D|$)`),
	},
	{
		what:  "a sheet of parent companies",
		codes: regexp.MustCompile(`(?i)^(SEQPR[A-Z]?\d*|SEQHC|PRNUM|PR(NGENAN|CO2AN|HTIAN|CO2RTA))$`),
		title: regexp.MustCompile(`(?i)\bParent Company\b`),
		name:  regexp.MustCompile(`(?i)(?:^|[^a-z]|EGRD)PR[LO]_?\d{2}(?:\D|$)`),
	},
	{
		what:  "a sheet of power control areas",
		codes: regexp.MustCompile(`(?i)^(SEQPC[A-Z]*\d*|PCAID|PCANAME|PC(NGENAN|CO2AN|HTIAN|CO2RTA))$`),
		title: regexp.MustCompile(`(?i)\bPower Control Area\b`),
		name:  regexp.MustCompile(`(?i)(?:^|[^a-z]|EGRD)PCA[LO]?_?\d{2}(?:\D|$)`),
	},
	{
		what:  "a crosswalk of EPA's and EIA's plants",
		codes: regexp.MustCompile(`(?i)^(CAMD|EPA|EIA)_(PLANT|FACILITY|UNIT|GENERATOR|BOILER)_?(ID|NAME)$`),
		title: regexp.MustCompile(`(?i)\bcrosswalk\b`),
		name:  regexp.MustCompile(`(?i)crosswalk|(?:^|[^a-z])xwalk`),
	},
	{
		what:  "a form of EIA",
		codes: regexp.MustCompile(`(?i)^(utility id|plant code|plant id|eia plant code|combined heat and power plant|reported fuel type code)$`),
		title: regexp.MustCompile(`(?i)\bForm EIA-\d+|\bEIA-(860|861|923)\b`),
		name:  regexp.MustCompile(`(?i)EIA[-_ ]?(860|861|923)`),
	},
	{
		what:   "a table of ZIP codes without eGRID's subregions",
		remedy: "a crosswalk has both in a row; where the subregions have a header of your own, " + mapHeaders,
		codes:  regexp.MustCompile(`(?i)^zip([ _]?code)?s?(\b|_|$)`),
		title:  regexp.MustCompile(`(?i)\bZIP codes? (tool|table|to|by)\b`),
	},
	{
		what:  "a table of sequence numbers",
		title: regexp.MustCompile(`(?i)^sequence numbers?\b`),
		name:  regexp.MustCompile(`(?i)sequence[-_ ]?numbers?`),
	},
	{
		what: "a table of emission rates", of: egrid.GGL,
		remedy: "load the sheets that have them: SRL, ST or US",
		codes:  regexp.MustCompile(`(?i)\b(CO2e?|CH4|N2O|NOx|SO2|Hg|carbon dioxide|methane|nitrous oxide)\b.*\brates?\b|\blb/MWh\b`),
	},
	{
		what: "a table of shares of combustion", of: egrid.GGL,
		remedy: "load the sheets that have them: SRL, ST or US",
		codes:  regexp.MustCompile(`(?i)^all (non[- ]?)?combustion$`),
	},
	{
		what:  "a summary table",
		title: regexp.MustCompile(`(?i)\b(subregion|state|grid region)s?\b.*\b(output emission rates|resource mix|emission rates)|\bsummary tables?\b|^table \d+\b`),
		name:  regexp.MustCompile(`(?i)summary[-_ ]?tables?|^table[-_ ]?\d+$|^(?:eGRID )?subregion (?:emission )?(?:rates?|factors?)(?: \(|$)`),
	},
}

// lookalikes have ZIP codes and subregions, and are no crosswalk of the two.
var lookalikes = []kind{
	{
		what: "a list of plants or companies", always: true,
		remedy: "give --level PLNT if it is a part of EPA's sheet",
		codes:  regexp.MustCompile(`(?i)^(ORISPL|oris[_ ]plant[_ ]code|oris[_ ]?code|PNAME|plant[_ ](name|id|code)|facility[_ ](name|id)|GENID|UNITID|SEQ[A-Z]+\d*)$`),
	},
	{
		what: "a table of sites", always: true,
		remedy: "egrid inventory computes the emissions of sites; give --level ZIP if it is a crosswalk",
		codes:  regexp.MustCompile(`(?i)(?:^|[^a-z])(kwh|mwh|usage|consumption|site|facility|building|address|street|customer|account|meter|premise)s?(?:[^a-z]|$)`),
	},
}

// mapHeaders is what to do with headers that are nobody's codes.
const mapHeaders = `map the headers with an etl.json ("columns": {"their header": "EPA code"}; "" leaves a column out); egrid map FILE > etl.json proposes one`

// otherText says what a text may be in which no record has a header of eGRID's;
// nothing when nothing tells.
func otherText(head []byte, o *ReaderOptions) error {
	lines := 0
	for line := range bytes.Lines(head) {
		if lines++; lines > headerRows {
			break
		}
		known, words := 0, strings.Fields(string(line))
		for _, word := range words {
			if knownAnywhere(strings.Trim(word, `"`)) {
				known++
			}
		}
		const few = 3
		if known < few || 2*known < len(words) {
			continue
		}
		remedy := "write it with commas (in R by write.csv in place of write.table)"
		if !bytes.Contains(bytes.TrimSpace(line), []byte("  ")) { // else fields are padded to one width
			remedy += `, or say so in an etl.json ("delimiter": " ")`
		}
		return fmt.Errorf("%w: its columns are separated by blanks; %s", egrid.ErrInvalid, remedy)
	}
	return misnamed(o)
}

// refusedKind returns a [*NotKeptError] where the table is of a known kind. The
// header is the best candidate; where it does not fit, any record may be the
// table's header.
func refusedKind(h *header, records [][]string, o *ReaderOptions) error {
	fits := h.fits()
	rows := [][]string{nil}
	lines := h.titles
	for _, c := range h.cells {
		rows[0] = append(rows[0], c.code)
	}
	if !fits {
		single := slices.DeleteFunc(slices.Clone(records), func(r []string) bool { return filledCells(r) != 1 })
		lines, rows = titles(single), append(rows, records...)
	}
	table := strings.TrimSuffix(strings.TrimSuffix(tableName(o), ".gz"), ".csv")
	all := kinds
	if fits && h.level == egrid.ZIP && h.levelFrom == "" && o.Level == "" && o.Mapping == nil {
		all = slices.Concat(lookalikes, kinds)
	}
	for _, k := range all {
		if fits && (!k.always || k.regional && grade(h.level) != regions) || k.of != "" && (k.of != h.level || o.Level != "") {
			continue
		}
		if from := k.mark(rows, lines, table, o); from != "" {
			remedy := k.remedy
			if o.Sheet == "" && k.alone != "" {
				remedy = k.alone
			}
			return &NotKeptError{Kind: k.what, From: from, Remedy: remedy, Authority: authorityIn(slices.Concat(records...))}
		}
	}
	if !fits && len(h.cells) > 0 && h.onlySequences(o) {
		return &NotKeptError{Kind: "a table of sequence numbers", From: "its columns"}
	}
	if !fits {
		return ratesTable(records, h.delim, o)
	}
	return nil
}

// mark returns what tells the kind, if anything does.
func (k kind) mark(rows [][]string, lines []string, table string, o *ReaderOptions) string {
	for _, line := range lines {
		if k.title != nil && k.title.MatchString(line) {
			return fmt.Sprintf("title %q", shorten(line, 100))
		}
	}
	for _, row := range rows {
		for _, c := range row {
			if filledCells(row) > 1 && k.codes != nil && k.codes.MatchString(strings.TrimSpace(c)) {
				return "column " + shorten(strings.TrimSpace(c), 50)
			}
		}
	}
	if k.name != nil && k.name.MatchString(table) {
		return nameOf(o)
	}
	return ""
}

// onlySequences reports whether all columns are sequence numbers and identifiers.
func (h *header) onlySequences(o *ReaderOptions) bool {
	sequences := 0
	for _, c := range h.cells {
		f, known := lookupHeader(h.level, c, o.Mapping)
		switch {
		case startsWith(c.code, "SEQ"):
			sequences++
		case c.code != "" && (!known || f.Type == egrid.Number || f.Type == egrid.Flag):
			return false
		}
	}
	return sequences > 0
}
