package sheet

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func notCSV(head []byte, o *ReaderOptions) error {
	is := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case len(head) == 0 && o.Grid:
		return fmt.Errorf("%w: the sheet is empty", ErrNotSheet)
	case len(head) == 0:
		return fmt.Errorf("%w: the file is empty", egrid.ErrInvalid)
	case is("PK\x03\x04"):
		return fmt.Errorf("%w: the file is a zip archive or an XLSX workbook; open it with package book, or save its sheets as CSV", egrid.ErrInvalid)
	case is("\xd0\xcf\x11\xe0"):
		return fmt.Errorf("%w: the file is an XLS workbook; open it with package book, or save its sheets as CSV", egrid.ErrInvalid)
	case is("\x1f\x8b") && strings.HasSuffix(o.Name, ".gz"):
		return fmt.Errorf("%w: the file is compressed twice; unpack it once", egrid.ErrInvalid)
	case is("\x1f\x8b"):
		return fmt.Errorf("%w: the file is gzip-compressed; open it with package book, or decompress it", egrid.ErrInvalid)
	case is("{\""), is("[{"):
		return fmt.Errorf("%w: the file is JSON; open it with package book, or save its rows as CSV", egrid.ErrInvalid)
	case is("\xff\xfe"), is("\xfe\xff"):
		return fmt.Errorf("%w: the file is UTF-16 text; open it with package book, or save it as UTF-8 CSV", egrid.ErrInvalid)
	case bytes.ContainsFunc(head, isControl) && misnamed(o) != nil:
		return misnamed(o)
	case !o.Grid && returnsAlone(head):
		return fmt.Errorf("%w: the file ends its lines with carriage returns alone; save it with line feeds", egrid.ErrInvalid)
	case bytes.IndexByte(head, 0) >= 0:
		return fmt.Errorf("%w: the file is not text: it has a NUL byte", egrid.ErrInvalid)
	}
	return nil
}

// isControl reports whether a text has no such character.
func isControl(r rune) bool { return r < ' ' && !unicode.IsSpace(r) }

// misnamed returns an error for what is text, and by its name is none.
func misnamed(o *ReaderOptions) error {
	ext := strings.ToLower(path.Ext(tableName(o)))
	what := map[string]string{".xlsx": "workbook", ".xlsm": "workbook", ".xlsb": "workbook", ".xls": "workbook", ".ods": "workbook", ".zip": "archive", ".gz": "archive", ".parquet": "Parquet file"}[ext]
	if what == "" || o.records() {
		return nil
	}
	return fmt.Errorf("%w: it is called %s and is none: it is no %s, or a damaged one; fetch it again", egrid.ErrInvalid, ext, what)
}

// returnsAlone reports whether lines end with carriage returns alone. Between quotes
// there may be line feeds.
func returnsAlone(head []byte) bool {
	feeds, returns, quoted := 0, 0, false
	for i, b := range head {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '\n':
			feeds++
		case b == '\r' && i+1 < len(head) && head[i+1] != '\n':
			returns++
		}
	}
	return returns > feeds
}

// header is a candidate for the code row.
type header struct {
	cells                []headerCell
	level                egrid.Level
	levelFrom            string
	lacks                func() string // what the row lacks to be of the level; nil: nothing
	known                int           // cells that the level knows
	delim                byte
	line                 int64
	nextLine, nextOffset int64
	above                [][]string // the records above
	titles               []string   // the cells of those that are no row of a table
}

// headerCell is a cell of the code row.
type headerCell struct {
	raw  string // as it stands, without blanks around it
	code string // the code, or whatever names the column, on one line
	text string // what describes the column: beside the code, or in the record above

	known bool // some level may know the code, or a mapping does
}

const byteOrderMark = "\ufeff"

// findHeader looks for the record that is a code row of one level. The records
// are those of the head, in case that there is none.
func findHeader(h *head, o *ReaderOptions) (best header, tied []egrid.Level, records [][]string, err error) {
	delims := []byte{',', '\t', ';', '|'}
	if o.records() {
		delims = delims[:1]
	}
	first := int64(1)
	if o.Objects {
		first = 0 // no line has the header
	}
	skip := 0
	if o.Mapping != nil {
		skip = o.Mapping.SkipRows
		if d := o.Mapping.Delimiter; d != "" {
			if len(d) != 1 || strings.ContainsAny(d, "\"\r\n") {
				return best, nil, nil, fmt.Errorf("%w: delimiter %q is not one character", egrid.ErrInvalid, d)
			}
			delims = []byte{d[0]}
		}
	}
	for _, delim := range delims {
		split := splitterOf(h.data, delim, 0, first)
		split.grid = o.records()
		var above [][]string
		rows := headerRows
		for i := 0; i < rows; i++ {
			rec, err := split.next()
			h.cut = h.cut || split.start == len(split.buf)
			if err != nil {
				break
			}
			cells, err := splitFields(nil, strings.TrimPrefix(string(rec.raw), byteOrderMark), delim)
			if err != nil || i < skip {
				continue
			}
			row := header{cells: headerCells(cells, o.Mapping), delim: delim, line: max(rec.line, 1), nextLine: split.line, nextOffset: split.offset, above: slices.Clip(above)}
			levels := row.score(o)
			if row.better(best) {
				best, tied = row, levels
				if best.fits() {
					rows = min(rows, i+3) // a description row may fit by chance; the code row is next to it
				}
			}
			if o.Mapping != nil && len(o.Mapping.Columns) > 0 && skip > 0 {
				break // skip_rows says where the header is
			}
			above = append(above, cells)
		}
		if records == nil || delim == best.delim {
			records = above
		}
		if best.fits() {
			break
		}
	}
	best.describe()
	return best, tied, records, nil
}

// fits reports whether the row can be the code row of its level.
func (h header) fits() bool { return h.known > 0 && h.lacks == nil }

// better prefers a row that fits, then one of a finer level, then the one with
// more known cells.
func (h header) better(other header) bool {
	if h.fits() != other.fits() {
		return h.fits()
	}
	if a, b := grade(h.level), grade(other.level); h.fits() && a != b {
		return a < b
	}
	return h.known > other.known
}

var (
	codeWord = regexp.MustCompile(`^([A-Z][A-Z0-9_]{2,})\s+(\S.*)$`)
	space    = regexp.MustCompile(`\s+`)
)

// headerCells takes the cells of a record apart. Sheets up to data year 2012
// have the code and a description in one cell, on two lines; where a tool has
// made one line of them, the leading words are codes of the dictionary.
func headerCells(record []string, m *Mapping) []headerCell {
	cells := make([]headerCell, len(record))
	lines, filled := false, 0
	words := map[string]bool{}
	for i, c := range record {
		c = strings.ToValidUTF8(strings.TrimSpace(c), "\ufffd") // as it is written down
		cells[i] = headerCell{raw: c, code: space.ReplaceAllString(c, " ")}
		if c != "" {
			filled++
		}
		if first, _, two := strings.Cut(c, "\n"); two {
			lines = lines || knownAnywhere(first)
		} else if m := codeWord.FindStringSubmatch(c); m != nil && knownAnywhere(m[1]) {
			words[m[1]] = true
		}
	}
	described := lines || len(words) >= 3 && 2*len(words) >= filled
	for i, c := range cells {
		if !described {
			break
		}
		if first, rest, two := strings.Cut(c.raw, "\n"); two {
			cells[i].code, cells[i].text = strings.TrimSpace(first), space.ReplaceAllString(strings.TrimSpace(rest), " ")
		} else if m := codeWord.FindStringSubmatch(c.raw); m != nil {
			cells[i].code, cells[i].text = m[1], m[2]
		}
	}
	for i, c := range cells {
		cells[i].known = knownAnywhere(c.code)
		if m != nil && m.Columns[c.raw] != "" {
			cells[i].known = true
		}
	}
	return cells
}

// headers are all that any level knows, in upper case.
var headers = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for _, level := range egrid.Levels() {
		for _, f := range egrid.Fields(level) {
			known[strings.ToUpper(f.Code)], known[strings.ToUpper(string(f.Column))] = true, true
			for _, a := range f.Aliases {
				known[strings.ToUpper(a.Header)] = true
			}
		}
	}
	return known
})

// knownAnywhere reports whether some level may know a header: most cells of most
// records are no headers, and it tells so in little time.
func knownAnywhere(code string) bool {
	const longest = 80
	if code = strings.TrimSpace(code); code == "" || len(code) > longest || code[0] <= '9' {
		return false
	}
	return startsWith(code, "SEQ") || headers()[strings.ToUpper(code)]
}

// describe takes the descriptions of columns whose cells have none from the
// nearest record above that has about as many cells. What else stands above are
// titles.
func (h *header) describe() {
	described, filled := false, 0
	for _, c := range h.cells {
		if c.raw != "" {
			filled++
		}
	}
	for i := len(h.above) - 1; i >= 0; i-- {
		record := h.above[i]
		if n := filledCells(record); n < 2 || 2*n < filled {
			h.titles = append(titles([][]string{record}), h.titles...)
			continue
		}
		for j := range min(len(record), len(h.cells)) {
			if h.cells[j].text == "" && !described {
				h.cells[j].text = space.ReplaceAllString(strings.TrimSpace(record[j]), " ")
			}
		}
		described = true
	}
}

// titles are the cells of records.
func titles(records [][]string) []string {
	var lines []string
	for _, record := range records {
		for _, c := range record {
			if c = strings.TrimSpace(c); c != "" {
				lines = append(lines, c)
			}
		}
	}
	return lines
}

func filledCells(record []string) int {
	n := 0
	for _, c := range record {
		if strings.TrimSpace(c) != "" {
			n++
		}
	}
	return n
}

// score finds the level that the row is of, or would be: of those it has all
// for, the finest, and the one that knows most cells. It returns the levels that
// do so alike.
func (h *header) score(o *ReaderOptions) []egrid.Level {
	if !slices.ContainsFunc(h.cells, func(c headerCell) bool { return c.known }) {
		return nil
	}
	levels := egrid.Levels()
	if o.Level != "" {
		levels = []egrid.Level{o.Level}
	}
	ofPlants := len(h.fieldsOf(egrid.PLNT, o))
	var tied []egrid.Level
	for _, level := range levels {
		fields := h.fieldsOf(level, o)
		other := header{level: level, known: len(fields), lacks: lacking(level, fields, ofPlants, o)}
		switch {
		case other.known == 0:
		case other.better(*h):
			h.level, h.known, h.lacks, tied = level, other.known, other.lacks, []egrid.Level{level}
		case !h.better(other):
			tied = append(tied, level)
		}
	}
	return tied
}

// grade orders the levels whose rows are parts of those of others: a sheet of
// generators stays one when people join the columns of plants or states to it.
func grade(level egrid.Level) int {
	switch level {
	case egrid.UNT:
		return units
	case egrid.GEN:
		return generators
	case egrid.PLNT, egrid.DEMO:
		return plants
	case egrid.ZIP:
		return zips
	}
	return regions
}

// The grades, the finest first.
const (
	units = iota
	generators
	plants
	zips
	regions
)

// fieldsOf returns the fields of a level that the row names.
func (h *header) fieldsOf(level egrid.Level, o *ReaderOptions) map[egrid.Column]naming {
	fields := map[egrid.Column]naming{}
	for _, c := range h.cells {
		f, ok := lookupHeader(level, c, o.Mapping)
		if !ok {
			continue
		}
		if as := namingOf(f, c, o.Mapping); as > fields[f.Column] {
			fields[f.Column] = as
		}
	}
	return fields
}

// naming is what a field tells of its level by the header that it has.
type naming int

const (
	unnamed    naming = iota
	sharedName        // nothing: sheets of several levels have such a column
	ownName           // a measure of the level, by a name that is every level's
	ownCode           // a measure or sequence of the level, by a code that is no other's
)

// identifiers are the columns of which a sheet of a level has one at least.
var identifiers = map[egrid.Level][]egrid.Column{
	egrid.UNT:  {egrid.UnitID},
	egrid.GEN:  {egrid.GeneratorID, egrid.Sequence},
	egrid.PLNT: {egrid.PlantCode, egrid.Sequence, egrid.PlantName},
	egrid.ST:   {egrid.State},
	egrid.BA:   {egrid.BalancingAuthority, egrid.BalancingAuthorityName},
	egrid.SRL:  {egrid.Subregion, "subregion_name"},
	egrid.NRL:  {egrid.NERCRegion, "nerc_region_name"},
	egrid.GGL:  {egrid.Region},
	egrid.DEMO: {egrid.PlantCode, egrid.Sequence, egrid.PlantName},
	egrid.ZIP:  {egrid.ZIPCode},
}

// lacking says what a row with these fields lacks to be of the level: its
// identifier, or any measure of its own. How many other cells there are makes no
// difference. A person who gives the level, or maps headers to columns, decides.
func lacking(level egrid.Level, fields map[egrid.Column]naming, ofPlants int, o *ReaderOptions) func() string {
	if level == egrid.ZIP {
		return lackingOfZIP(fields)
	}
	known, measures, coded := len(fields), 0, 0
	for c, as := range fields {
		switch {
		case c == egrid.Sequence:
		case as == ownCode:
			coded++
		case as == ownName:
			measures++
		}
	}
	if fields[egrid.Year] != unnamed {
		known--
	}
	decided := o.Level != "" || o.Mapping != nil && len(o.Mapping.Columns) > 0
	has := 0
	for _, c := range identifiers[level] {
		if fields[c] != unnamed && (decided || c != egrid.Sequence || fields[c] == ownCode) {
			has++
		}
	}
	switch {
	case decided && known < 2:
		return func() string { return "more than one of its columns" }
	case decided && (has > 0 || level == egrid.US):
		return nil // the measures are looked for when the columns are known
	case level == egrid.US && (coded == 0 || len(fields) < 2): // it has no identifier
		return func() string { return "two of its columns (" + codesOf(level, isUnit) + ")" }
	case level != egrid.US && has == 0:
		identifies := func(f egrid.Field) bool { return slices.Contains(identifiers[level], f.Column) }
		return func() string { return "its identifier (" + codesOf(level, identifies) + ")" }
	case coded > 0, level == egrid.PLNT && fields[egrid.PlantName] != unnamed && has > 1:
		return nil
	case measures > 0 && len(fields) >= ofPlants:
		return nil // else they are a part of what is known of plants
	}
	return func() string { return "any of its measures (" + codesOf(level, isUnit) + ")" }
}

// lackingOfZIP says what a row with these fields lacks to be of a crosswalk of ZIP
// codes. It has no measures, and answers nothing without both of its sides.
func lackingOfZIP(fields map[egrid.Column]naming) func() string {
	if fields[egrid.ZIPCode] == unnamed {
		return func() string { return "its identifier (zip)" }
	}
	for _, c := range []egrid.Column{egrid.Subregion, "predominant_subregion", "subregion_1"} {
		if fields[c] != unnamed {
			return nil
		}
	}
	return func() string { return "a column of subregions (SUBRGN, eGRID Subregion #1)" }
}

func isUnit(f egrid.Field) bool { return f.Unit != "" && f.Unit != degrees }

const degrees = "degrees"

// codesOf names the first few codes of a level's fields.
func codesOf(level egrid.Level, which func(egrid.Field) bool) string {
	var codes []string
	for _, f := range egrid.Fields(level) {
		if which(f) {
			codes = append(codes, f.Code)
		}
	}
	const few = 4
	if len(codes) > few {
		codes = append(codes[:few], "...")
	}
	return strings.Join(codes, ", ")
}

// namingOf says what a field tells of its level under the name that a cell has.
func namingOf(f egrid.Field, c headerCell, m *Mapping) naming {
	switch {
	case f.Column == egrid.Sequence && !strings.EqualFold(c.code, string(egrid.Sequence)):
		return ownCode
	case f.Type != egrid.Number || f.Unit == degrees:
		return sharedName
	case m != nil && m.Columns[c.raw] != "":
		return ownCode
	}
	switch f.Level {
	case egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US:
		if startsWith(c.code, f.Level.Prefix()) {
			return ownCode
		}
		if strings.EqualFold(c.code, string(f.Column)) {
			return ownName
		}
		return sharedName
	case egrid.DEMO:
		if _, too := egrid.Lookup(egrid.PLNT, string(f.Column)); too {
			return sharedName
		}
	}
	return ownCode
}

func startsWith(s, prefix string) bool {
	return len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func lookupHeader(level egrid.Level, c headerCell, m *Mapping) (egrid.Field, bool) {
	if !c.known {
		return egrid.Field{}, false
	}
	if m != nil {
		if target, ok := m.Columns[c.raw]; ok {
			return egrid.Lookup(level, target)
		}
	}
	return egrid.Lookup(level, c.code)
}

// recognise decides on the level of the best candidate.
func (h *header) recognise(tied []egrid.Level, records [][]string, o *ReaderOptions) error {
	// Columns that are left out may be those by which another level is known.
	switch level, ok := h.levelColumn(records); {
	case ok && o.Level == "":
		h.level, h.levelFrom, h.lacks, tied = level, "column "+string(egrid.LevelColumn), nil, nil
	case ok && o.Level != level:
		return fmt.Errorf("%w: rows say that they are of level %s, and not of %s; leave --level out", egrid.ErrInvalid, level, o.Level)
	}
	if err := refusedKind(h, records, o); err != nil {
		return err
	}
	is := ErrNotSheet
	if _, _, claims := levelAndYearOf(tableName(o)); claims || h.known > 1 {
		is = fmt.Errorf("%w: not an eGRID sheet", egrid.ErrInvalid) // as it is; it may be meant to be one
	}
	switch {
	case h.known == 0:
		return fmt.Errorf("%w: no header row with eGRID's column codes in the first %d rows; %s", is, headerRows, mapHeaders)
	case !h.fits():
		var known []string
		others := 0
		for _, c := range h.cells {
			if _, ok := lookupHeader(h.level, c, o.Mapping); ok {
				known = append(known, c.code)
			} else if c.code != "" {
				others++
			}
		}
		remedy := mapHeaders
		if insisted := (&ReaderOptions{Level: h.level}); o.Level == "" && lacking(h.level, h.fieldsOf(h.level, o), 0, insisted) == nil {
			if remedy = fmt.Sprintf("give --level %s if it is one", h.level); others > 0 {
				remedy = fmt.Sprintf("%s; or, where its other columns are your own, give --level %s", mapHeaders, h.level)
			}
		}
		return fmt.Errorf("%w: line %d has %s, as %s has, but not %s; %s", is, h.line, shorten(strings.Join(known, ", "), 100), h.level, h.lacks(), remedy)
	case o.Level != "":
		h.levelFrom = given
	case len(tied) > 1:
		named, _, _ := levelAndYearOf(tableName(o))
		if !slices.Contains(tied, named) {
			return fmt.Errorf("%w: line %d fits the levels %s alike; give --level", egrid.ErrInvalid, h.line, strings.Trim(fmt.Sprint(tied), "[]"))
		}
		h.level, h.levelFrom = named, nameOf(o)
	case h.levelFrom == "":
		h.levelFrom = "columns"
	}
	return nil
}

// levelColumn reads the level that an export of ours repeats in every row.
func (h *header) levelColumn(records [][]string) (level egrid.Level, ok bool) {
	at := slices.IndexFunc(h.cells, func(c headerCell) bool { return isContext(c.code, egrid.LevelColumn) })
	for i := len(h.above) + 1; at >= 0 && i < len(records); i++ {
		if at >= len(records[i]) {
			continue
		}
		l, err := egrid.ParseLevel(records[i][at])
		if err != nil || ok && l != level {
			return "", false
		}
		level, ok = l, true
	}
	return level, ok
}

// tableName is the name of the table alone: the sheet of a workbook, the member
// of an archive or the file.
func tableName(o *ReaderOptions) string {
	name := o.Name
	if o.Sheet != "" {
		name = o.Sheet
	}
	return path.Base(strings.TrimSpace(strings.ReplaceAll(name, "\\", "/")))
}

// nameOf says where tableName comes from.
func nameOf(o *ReaderOptions) string {
	if o.Sheet != "" && path.Ext(tableName(o)) == "" {
		return "sheet " + tableName(o)
	}
	return "file name " + tableName(o)
}

// from says where a name comes from that is the table's or that of its file.
func (o *ReaderOptions) from(name string) string {
	if name == o.Sheet {
		return nameOf(o)
	}
	return "file name " + path.Base(name)
}

// fewRows is how many records tell what one record tells as well.
const fewRows = 200

// sampleRows reads the records of the head below the header row, at most so many.
func sampleRows(h *head, s *Sheet, most int) [][]string {
	var rows [][]string
	split := splitterOf(h.data[s.DataOffset:], s.Delimiter[0], s.DataOffset, s.DataLine)
	for {
		rec, err := split.next()
		if len(rows) == most {
			return rows
		}
		if err != nil || h.more && split.start == len(split.buf) {
			h.cut = true
			return rows // the last record may be cut, too
		}
		fields := 0 // as many as in the record above
		if len(rows) > 0 {
			fields = len(rows[len(rows)-1])
		}
		if cells, err := splitFields(make([]string, 0, fields), string(rec.raw), s.Delimiter[0]); err == nil {
			rows = append(rows, cells)
		}
	}
}
