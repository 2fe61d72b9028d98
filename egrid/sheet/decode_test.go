package sheet_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// oracle decodes a sheet in the plainest way: byte by byte, then cell by cell.
type oracle struct {
	of     *sheet.Sheet
	id     []string        // columns that identify a row
	rows   []string        // of all rows, as text
	lossy  map[string]bool // data year and column
	bad    []string        // line and number of refused records
	aside  int             // records that are no rows
	fields [][]string      // of all records that are not blank, as far as quotes go
	broken bool            // the last record never ends
}

// plainRecord is a record as its quotes have it.
type plainRecord struct {
	raw    string
	fields []string
	quotes []bool // of the fields
	line   int64
	lines  int64
	fault  bool // text behind a closing quote, or none that closes
	open   bool // the data end inside quotes
	cut    bool // the data end without a line end
}

// records cuts data. A quote means something only where a field begins.
func records(data string, delim byte, line int64) []plainRecord {
	var out []plainRecord
	for len(data) > 0 {
		rec := plainRecord{line: line, lines: 1}
		var field []byte
		const (
			begins = iota
			bare
			quoted
			closed
		)
		state, i := begins, 0
	scan:
		for ; ; i++ {
			if i == len(data) {
				rec.open, rec.cut = state == quoted, true
				rec.fault = rec.fault || rec.open
				break
			}
			c := data[i]
			switch {
			case state == quoted && c == '"':
				state = closed
			case state == quoted:
				field = append(field, c)
				if c == '\n' {
					rec.lines++
				}
			case c == '\n':
				break scan
			case c == delim:
				rec.fields = append(rec.fields, string(field))
				field, state = nil, begins
			case state == begins && c == '"':
				state = quoted
				for len(rec.quotes) < len(rec.fields) {
					rec.quotes = append(rec.quotes, false)
				}
				rec.quotes = append(rec.quotes, true)
			case state == closed && c == '"':
				field, state = append(field, '"'), quoted
			case state == closed && c == '\r' && (i+1 == len(data) || data[i+1] == '\n'):
			case state == closed:
				rec.fault, state = true, bare
			default:
				field, state = append(field, c), bare
			}
		}
		rec.raw = strings.TrimSuffix(data[:i], "\r")
		if state == bare && !rec.fault {
			field = bytes.TrimSuffix(field, []byte("\r"))
		}
		rec.fields = append(rec.fields, string(field))
		rec.quotes = append(rec.quotes, make([]bool, len(rec.fields))...)
		if i == len(data) && i > 0 && data[i-1] == '\n' && rec.open {
			rec.lines-- // a line that has not begun
		}
		data = data[min(i+1, len(data)):]
		line += rec.lines
		out = append(out, rec)
	}
	return out
}

func decodeByHand(of *sheet.Sheet, data []byte, line int64) *oracle {
	o := &oracle{of: of, id: identifierOf(of), lossy: map[string]bool{}}
	number := int64(1)
	for _, rec := range records(string(data), of.Delimiter[0], line) {
		if strings.Trim(rec.raw, of.Delimiter+" \t") == "" {
			continue
		}
		if rec.open && rec.lines > 1 {
			o.broken = true
			return o
		}
		o.fields = append(o.fields, rec.fields)
		if row, ok := o.row(rec); ok && row == "" {
			o.aside++
		} else if ok {
			o.rows = append(o.rows, fmt.Sprintf("%d %d %s", number, rec.line, row))
		} else {
			o.bad = append(o.bad, fmt.Sprintf("%d %d", number, rec.line))
		}
		number++
	}
	return o
}

func (o *oracle) row(rec plainRecord) (string, bool) {
	n := len(o.of.Cells)
	if rec.fault {
		rec = o.withoutQuoting(rec)
	}
	if rec.fault || !utf8.ValidString(rec.raw) || strings.Contains(rec.raw, "\x00") {
		return "", false
	}
	there := len(rec.fields)
	rec.fields, rec.quotes = append(rec.fields, make([]string, n)...), append(rec.quotes, make([]bool, n)...)
	for _, more := range rec.fields[n:] {
		if strings.TrimSpace(more) != "" {
			return "", false
		}
	}
	if there < n && rec.cut && (there > 1 || !isNote(rec.fields[0])) {
		return "", false
	}
	rec.fields = slices.Clone(rec.fields)
	for i, c := range o.of.Cells {
		if o.isText(c) {
			rec.fields[i] = o.restored(rec.fields[i], rec.quotes[i])
		}
	}
	identified, aside := o.identify(rec.fields[:n], there)
	if aside {
		return "", true
	}
	if there < n && !identified {
		return "", false
	}
	year := int64(o.of.Year)
	values := make([]egrid.Value, o.of.Schema.Len())
	var rounded []egrid.Column
	fixed := map[egrid.Column][]int{}
	for i, c := range o.of.Cells {
		if c.Release != nil && releaseByHand(rec.fields[i]) != *c.Release {
			return "", false
		}
		if c.Authority != nil && authorityByHand(rec.fields[i]) != *c.Authority {
			return "", false
		}
		if v, _, err := egrid.ParseValue(egrid.Number, rec.fields[i]); c.Rounds && (err != nil || !v.IsMissing()) {
			for _, name := range strings.Fields(rec.fields[i]) {
				f, ok := egrid.Lookup(o.of.Level, name)
				if !ok {
					return "", false
				}
				if o.of.Schema.Has(f.Column) && f.Type != egrid.Text {
					rounded = append(rounded, f.Column)
				}
			}
		}
		if c.Column == "" {
			continue
		}
		at := o.of.Schema.Index(c.Column)
		typ := egrid.Integer
		share := false
		if at >= 0 {
			typ = o.of.Schema.Field(at).Type
			share = o.of.Schema.Field(at).Unit == "fraction" && o.of.ShareScale != 1
		}
		var v egrid.Value
		var isRounded, ok bool
		if typ == egrid.Text {
			if v, ok = o.textByHand(rec.fields[i], rec.quotes[i], c), true; c.Column == egrid.ZIPCode {
				v, ok = zipByHand(v)
			}
		} else {
			v, isRounded, ok = cellByHand(o.swapped(rec.fields[i]), typ, c.Transform, share)
			if !ok && typ == egrid.Number && failed.MatchString(rec.fields[i]) {
				f := o.of.Schema.Field(at)
				ok = f.Known() && (f.Unit == "" || f.Unit == "fraction" || strings.Contains(f.Unit, "/")) // nothing is divided by zero
			}
		}
		if x, _ := v.Float(); typ == egrid.Number && x != 0 && len(c.Fixed) > 0 {
			fixed[c.Column] = c.Fixed
		}
		if !ok {
			return "", false
		}
		if c.Unit != "" {
			v = convertByHand(v, rec.fields[i], c.Unit)
			isRounded = isRounded || c.Unit != "lb/BBtu"
		}
		if at < 0 {
			var there bool
			if year, there = v.Int(); !there || egrid.CheckYear(int(year)) != nil || slices.Contains([]int64{2001, 2002, 2003, 2006, 2008}, year) {
				return "", false
			}
			continue
		}
		values[at] = v
		if isRounded {
			rounded = append(rounded, c.Column)
		}
	}
	for c, years := range fixed {
		if slices.Contains(years, int(year)) {
			rounded = append(rounded, c)
		}
	}
	for _, c := range rounded {
		o.lossy[fmt.Sprint(year, " ", c)] = true
	}
	return rowText(int(year), values), true
}

// withoutQuoting reads a record whose quotes are all doubled and quote nothing.
func (o *oracle) withoutQuoting(rec plainRecord) plainRecord {
	fields := strings.Split(rec.raw, o.of.Delimiter)
	if len(fields) != len(o.of.Cells) || strings.Contains(rec.raw, "\n") {
		return rec
	}
	for _, field := range fields {
		if oddQuotes.MatchString(field) {
			return rec
		}
	}
	rec.fields, rec.quotes, rec.fault = fields, make([]bool, len(fields)), false
	return rec
}

var (
	oddQuotes = regexp.MustCompile(`(?s)(^|[^"])"("")*([^"]|$)`)
	entity    = regexp.MustCompile(`&(amp|lt|gt|quot|apos);`)
)

// restored is a text as it was before a tool escaped it, or doubled its quotes.
func (o *oracle) restored(text string, quoted bool) string {
	if !quoted && !oddQuotes.MatchString(text) {
		text = strings.ReplaceAll(text, `""`, `"`)
	}
	text = strings.TrimPrefix(text, `xml:space="preserve">`)
	if !o.of.Dialect.Escaped {
		return text
	}
	return entity.ReplaceAllStringFunc(text, func(s string) string {
		return map[string]string{"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": `"`, "&apos;": "'"}[s]
	})
}

// authorityByHand reads an authority.
func authorityByHand(field string) string {
	if v, _, err := egrid.ParseValue(egrid.Number, field); err == nil && v.IsMissing() {
		return "EPA"
	}
	return strings.TrimSpace(field)
}

// releaseByHand reads a release, which is "?" for a text that is none.
func releaseByHand(field string) string {
	text := strings.ToLower(strings.TrimSpace(field))
	if v, _, err := egrid.ParseValue(egrid.Number, field); err == nil && v.IsMissing() || text == "none" {
		return ""
	}
	if m := regexp.MustCompile(`^(v|rev)0*([0-9]+)$`).FindStringSubmatch(text); m != nil && len(text)-len(m[1]) <= 3 {
		return m[1] + m[2]
	}
	return "?"
}

func (o *oracle) isText(c sheet.SheetColumn) bool {
	at := o.of.Schema.Index(c.Column)
	return at >= 0 && o.of.Schema.Field(at).Type == egrid.Text
}

// identifierOf is what identifies the rows of a sheet; nil when nothing does.
func identifierOf(of *sheet.Sheet) (names []string) {
	var id []string
	switch of.Level {
	case egrid.GEN:
		id = []string{"state plant_name generator_id", "oris_plant_code generator_id"}
	case egrid.PLNT:
		id = []string{"state plant_name", "oris_plant_code"}
	case egrid.UNT:
		id = []string{"state plant_name unit_id prime_mover", "oris_plant_code unit_id prime_mover"}
	case egrid.ST:
		id = []string{"state"}
	case egrid.BA:
		id = []string{"balancing_authority"}
	case egrid.SRL:
		id = []string{"subregion"}
	case egrid.NRL:
		id = []string{"nerc_region"}
	case egrid.GGL:
		id = []string{"region"}
	case egrid.ZIP:
		id = []string{"zip"}
	}
	for _, columns := range id {
		all := strings.Fields(columns)
		if !slices.ContainsFunc(all, func(c string) bool { return !of.Schema.Has(egrid.Column(c)) }) {
			names = all
		}
	}
	return names
}

// swapped is a number's text with a decimal point.
func (o *oracle) swapped(text string) string {
	if !o.of.Dialect.DecimalComma {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case ',':
			return '.'
		case '.':
			return ','
		}
		return r
	}, text)
}

// identify tells whether a record has its identifier, and whether it stands beside
// the table.
func (o *oracle) identify(fields []string, there int) (identified, aside bool) {
	region := o.of.Level != egrid.GEN && o.of.Level != egrid.UNT && o.of.Level != egrid.PLNT && o.of.Level != egrid.GGL && o.of.Level != egrid.ZIP
	var total bool
	var filled []string
	id := o.id
	identified = len(id) > 0
	known, hasText := identified, false
	for i, c := range o.of.Cells {
		value := strings.TrimSpace(fields[i])
		if c.Column == "" {
			continue
		}
		if v, _, err := egrid.ParseValue(egrid.Number, fields[i]); err != nil || !v.IsMissing() {
			filled = append(filled, fields[i])
			hasText = hasText || o.isText(c)
		}
		label := isTotal(value) || region && slices.Contains(id, string(c.Column)) && unitedStates.MatchString(value)
		total = total || label
		if slices.Contains(id, string(c.Column)) && (label && c.Column != "prime_mover" && (region || c.Column != "state") || o.textByHand(value, false, sheet.SheetColumn{Column: c.Column}).IsMissing()) {
			identified = false
		}
	}
	if len(filled) == 1 && len(o.of.Cells) > 2 {
		if _, _, err := egrid.ParseValue(egrid.Number, filled[0]); err != nil && (known && !identified || known && isNote(filled[0]) || !known && !hasText) {
			return identified, true
		}
	}
	return identified || !known && 2*there >= len(o.of.Cells), known && total && !identified
}

func isNote(text string) bool {
	return len(strings.TrimSpace(text)) > 12 && strings.Contains(strings.TrimSpace(text), " ")
}

// isTotal reports whether a text is about a total and nothing else.
func isTotal(text string) bool {
	lower := strings.ToLower(text)
	return (strings.Contains(lower, "total") || strings.Contains(lower, "sum") || strings.Contains(lower, "average") || strings.Contains(lower, "mean")) &&
		totals.MatchString(text)
}

var (
	totals       = regexp.MustCompile(`(?i)^([ :*]|\b(grand|overall|national|u\.s\.|us|usa|all|of|the|states|regions|subregions|plants|units|generators)[ :*]+)*\b(total|totals|subtotal|sub-total|sum|average|mean)([ :*]+(total|totals|subtotal|sub-total|sum|average|mean|grand|overall|national|u\.s\.|us|usa|all|of|the|states|regions|subregions|plants|units|generators))*[ :*]*$`)
	unitedStates = regexp.MustCompile(`(?i)^(US|U\.S\.|USA|United States)$`)
	protected    = regexp.MustCompile(`(?s)^="(.*)"$`)
	failed       = regexp.MustCompile(`(?s)^\s*#.+[!?]\s*$`)
	digitsOnly   = regexp.MustCompile(`^\d+$`)
	notForCodes  = regexp.MustCompile(`^(#N/A|#NV|<NA>|\\N|NaN|nan|NULL|null)$`)
	notForTexts  = regexp.MustCompile(`^(\.|\\N|<NA>|#N/A|#NV|NULL|null|NaN|nan|None)$`)
)

// numbered are the identifiers that are whole numbers, with their digits.
var numbered = map[egrid.Column]int{"oris_plant_code": 0, "operator_id": 0, "utility_id": 0, "fips_state": 2, "fips_county": 3, "zip": 5}

var (
	zipCode = regexp.MustCompile(`^\d{5}$`)
	zipPlus = regexp.MustCompile(`^(\d{1,5})-\d{4}$|^(\d{4,5})\d{4}$`)
)

// zipByHand completes a ZIP code; false for a text that is none.
func zipByHand(v egrid.Value) (egrid.Value, bool) {
	text := v.String()
	if m := zipPlus.FindStringSubmatch(text); m != nil {
		text = m[1] + m[2]
		return egrid.TextOf("00000"[len(text):] + text), true
	}
	return v, v.IsMissing() || zipCode.MatchString(text)
}

// textByHand reads a text as its column has it.
func (o *oracle) textByHand(field string, quoted bool, c sheet.SheetColumn) egrid.Value {
	text := strings.TrimSpace(field)
	if is := strings.TrimPrefix(c.Transform, "null_if:"); is != c.Transform && text == is {
		return egrid.Value{}
	}
	if c.Transform == "upper" {
		text = strings.ToUpper(text)
	}
	if strings.HasPrefix(text, "=") {
		if m := protected.FindStringSubmatch(text); m != nil {
			text = strings.TrimSpace(m[1])
		}
	}
	if !o.of.Schema.Field(o.of.Schema.Index(c.Column)).Known() {
		v, _, _ := egrid.ParseValue(egrid.Text, text)
		return v
	}
	digits, isNumber := numbered[c.Column]
	region := slices.Contains([]egrid.Level{egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.GGL}, o.of.Level) &&
		slices.Contains([]egrid.Column{"state", "balancing_authority", "subregion", "nerc_region", "region"}, c.Column)
	code := c.Column == "generator_id" || c.Column == "unit_id"
	if isNumber || code || region {
		text = strings.TrimSpace(strings.TrimPrefix(text, "'"))
	}
	v, _, _ := egrid.ParseValue(egrid.Text, text)
	switch {
	case v.IsMissing():
	case text == "NA":
		if !code && c.Column != "balancing_authority" && c.Column != "nerc_region" || o.of.Dialect.QuotedTexts && !quoted {
			return egrid.Value{}
		}
	case len(text) < 5 && (code && notForCodes.MatchString(text) || !code && notForTexts.MatchString(text)):
		return egrid.Value{}
	case isNumber && !digitsOnly.MatchString(text):
		n, _, err := egrid.ParseValue(egrid.Number, o.swapped(text))
		x, _ := n.Float()
		if err != nil || n.IsMissing() || x < 0 || x != math.Trunc(x) || x > 1<<53 {
			return v
		}
		text = fmt.Sprintf("%.0f", x)
		fallthrough
	case isNumber:
		return egrid.TextOf(strings.Repeat("0", max(0, digits-len(text))) + text)
	}
	return v
}

func cellByHand(field string, typ egrid.Type, transform string, share bool) (v egrid.Value, rounded, ok bool) {
	shift, negate := 0, false
	if x, is := strings.CutPrefix(transform, "null_if:"); is && strings.TrimSpace(field) == x {
		return egrid.Value{}, false, true
	}
	if strings.HasPrefix(field, "=") {
		if m := protected.FindStringSubmatch(field); m != nil {
			field = strings.TrimSpace(m[1])
		}
	}
	switch transform {
	case "upper":
		field = strings.ToUpper(field)
	case "negate":
		negate = true
	case "divide_by_100":
		shift = 2
	}
	if share && !strings.Contains(field, "%") && transform != "divide_by_100" {
		shift = 2
	}
	v, rounded, err := egrid.ParseValue(typ, field)
	if err != nil || typ != egrid.Number || v.IsMissing() {
		return v, rounded, err == nil
	}
	if !negate && shift == 0 {
		return v, rounded, true
	}
	// The digits alone, the point moved in the text.
	digits := strings.ReplaceAll(strings.TrimSpace(field), "\u2212", "-")
	if strings.Contains(digits, "%") {
		shift += 2
	}
	if digits == "-" { // between blanks
		digits = "0"
	}
	digits = strings.TrimFunc(digits, func(r rune) bool { return r == '%' || unicode.IsSpace(r) })
	below := strings.Trim(digits, "(-%) \t\u00a0\u202f")
	if below != digits && !strings.HasPrefix(digits, "+") {
		below = "-" + below
	}
	digits = strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789.eE+-", r) {
			return r
		}
		return -1
	}, below)
	mantissa, exponent, _ := strings.Cut(strings.ToLower(digits), "e")
	e, _ := strconv.Atoi(exponent)
	x, err := strconv.ParseFloat(fmt.Sprintf("%se%d", mantissa, e-shift), 64)
	if negate {
		x = -x
	}
	return egrid.NumberOf(x), rounded, err == nil
}

// convertByHand converts by exact fractions, where a figure has no more digits
// than a float keeps.
func convertByHand(v egrid.Value, field, unit string) egrid.Value {
	x, ok := v.Float()
	by := map[string]struct {
		shift int
		ratio int64
	}{"metric tons": {0, 9072}, "kg/GWh": {3, 4536}, "lb/BBtu": {3, 0}}[unit]
	if !ok {
		return v
	}
	text := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789.eE+-", r) {
			return r
		}
		return -1
	}, field)
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	e, _ := strconv.Atoi(exponent)
	if strings.Contains(field, "%") {
		e -= 2
	}
	if by.ratio == 0 {
		x, _ = strconv.ParseFloat(fmt.Sprintf("%se%d", mantissa, e-by.shift), 64)
		if strings.Contains(field, "(") {
			x = -x
		}
		return egrid.NumberOf(x)
	}
	if exponent != "" || len(mantissa) > 15 {
		mantissa, e = strconv.FormatFloat(x, 'f', -1, 64), 0
	}
	whole, fraction, _ := strings.Cut(strings.Trim(mantissa, "+-"), ".")
	digits := whole + fraction
	places := len(fraction) - e
	if len(digits) <= 15 && places >= 0 && places+by.shift <= 15 {
		m, _ := new(big.Int).SetString("0"+digits, 10)
		places = max(places, 3) - places
		m.Mul(m, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
		m.Mul(m, big.NewInt(20000)).Add(m, big.NewInt(by.ratio)).Div(m, big.NewInt(2*by.ratio)) // half away from zero
		if m.IsInt64() && m.Int64() <= 1<<53 {
			y, _ := new(big.Rat).SetFrac(m, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction)-e+places+by.shift)), nil)).Float64()
			return egrid.NumberOf(math.Copysign(y, x))
		}
	}
	return egrid.NumberOf(x / math.Pow10(by.shift) * 10000 / float64(by.ratio))
}

func rowText(year int, values []egrid.Value) string {
	texts := []string{strconv.Itoa(year)}
	for _, v := range values {
		texts = append(texts, string(v.Type()), strconv.Quote(v.String()))
	}
	return strings.Join(texts, " ")
}

// outcome gathers what a decoder made of one span or several.
type outcome struct {
	rows  map[int64]string // by number
	bad   []string
	lossy map[string]bool
}

func (o *outcome) add(t *testing.T, d sheet.Decoded) {
	t.Helper()
	for _, b := range d.Batches {
		if b.Len() == 0 {
			t.Error("an empty batch")
		}
		for row := range b.Rows() {
			if was, twice := o.rows[row.Number()]; twice {
				t.Errorf("two rows with the number %d: %s", row.Number(), was)
			}
			o.rows[row.Number()] = fmt.Sprintf("%d %d %s", row.Number(), row.Line(), rowText(b.Year(), row.Values()))
		}
		for _, c := range b.Lossy() {
			o.lossy[fmt.Sprint(b.Year(), " ", c)] = true
		}
	}
	for _, r := range d.Rejects {
		o.bad = append(o.bad, fmt.Sprintf("%d %d", r.Number, r.Line))
		if r.Reason == "" {
			t.Errorf("line %d is refused without a reason", r.Line)
		}
	}
}

func newOutcome() *outcome { return &outcome{rows: map[int64]string{}, lossy: map[string]bool{}} }

func (o *outcome) check(t *testing.T, how string, want *oracle, data []byte) {
	t.Helper()
	var rows []string
	for _, number := range slices.Sorted(maps.Keys(o.rows)) {
		rows = append(rows, o.rows[number])
	}
	for i := range max(len(rows), len(want.rows)) {
		got, wanted := "none", "none"
		if i < len(rows) {
			got = rows[i]
		}
		if i < len(want.rows) {
			wanted = want.rows[i]
		}
		if got != wanted {
			t.Fatalf("%s: row %d\n got %s\nwant %s\ndata %q", how, i, got, wanted, data)
		}
	}
	if !slices.Equal(o.bad, want.bad) {
		t.Fatalf("%s: refused %q; want %q\ndata %q", how, o.bad, want.bad, data)
	}
	if !maps.Equal(o.lossy, want.lossy) {
		t.Fatalf("%s: rounded %v; want %v\ndata %q", how, o.lossy, want.lossy, data)
	}
}

// layouts are sheets whose records are decoded. Among their columns are flags,
// shares in percent, texts that are left out, and those that a mapping changes.
func layouts(t testing.TB) []*sheet.Sheet {
	t.Helper()
	inspect := func(text string, o *sheet.ReaderOptions) *sheet.Sheet {
		of, err := sheet.Inspect(strings.NewReader(text), o)
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	escaped := inspect("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,AK,A,1,A,5\n", nil)
	escaped.Dialect.Escaped = true
	percent := inspect("YEAR,PSTATABB,PNAME,ORISPL,CHPFLAG,CAPFAC,PLCLPR,PLNGENAN,NUMGEN\n2021,TX,A,1,Yes,0.5,25,10,2\n", nil)
	percent.ShareScale = 0.01
	mapped := &sheet.Mapping{
		Delimiter: ";",
		Columns:   map[string]string{"plant": "PNAME", "id": "GENID", "net": "GENNTAN", "cf": "CFACT", "mw": "NAMEPCAP", "year": "YEAR", "": "", "note": ""},
		Transform: map[string]string{"PNAME": "upper", "GENNTAN": "negate", "CFACT": "divide_by_100", "NAMEPCAP": "null_if:-99", "GENID": "trim"},
	}
	scaled := inspect("PNAME,ORISPL,PLCLPR,PLOLPR,PLGSPR\nA,1,25,25,50\n", &sheet.ReaderOptions{Year: 2016, Mapping: &sheet.Mapping{
		Transform: map[string]string{"PLCLPR": "divide_by_100", "PLOLPR": "negate"},
	}})
	scaled.ShareScale = 0.01
	return []*sheet.Sheet{
		inspect("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,AK,A,1,A,5\n", nil),
		inspect("PSTATABB,PNAME,ORISPL,GENID,NUMBLR,GENNTAN\nAK,A,1,A,1,5\n", &sheet.ReaderOptions{Year: 2020}),
		percent,
		inspect("plant;id;net;cf;mw;year;;note\nA;1;5;20;7;2021;;x\n", &sheet.ReaderOptions{Level: egrid.GEN, Mapping: mapped}),
		inspect("note,plant,id,net,cf\nx,A,1,5,0.5\n", &sheet.ReaderOptions{Level: egrid.GEN, Year: 2019, Mapping: &sheet.Mapping{
			Columns: map[string]string{"plant": "PNAME", "id": "GENID", "net": "GENNTAN", "cf": "CFACT", "note": ""},
		}}),
		german(inspect("SEQGEN23;YEAR;PSTATABB;ORISPL;GENID;NUMBLR;CFACT;GENNTAN\n1;2023;AK;57053;0290;1;0,368;20.961\n", nil)),
		inspect("\"SEQPLT23\",\"YEAR\",\"PSTATABB\",\"PNAME\",\"ORISPL\",\"BACODE\",\"FIPSST\",\"FIPSCNTY\",\"NAMEPCAP\"\n\"1\",1,2023,\"AK\",\"A\",57053,\"NA\",\"02\",NA,5\n", nil),
		inspect("YEAR,PSTATABB,FIPSST,STNGENAN,STCCH4RT\n2023,AK,02,\"6,685,642\",0.250\n2023,AL,01,\"138,596,349\",0.251\n", nil),
		inspect("\"PNAME\"\t\"GENID\"\t\"GENNTAN\"\tOWN\nA\t1\t5\tx\n", &sheet.ReaderOptions{Level: egrid.GEN, Year: 2019, Mapping: &sheet.Mapping{Delimiter: "\t"}}),
		inspect("a,b,c (metric tons),d (kg/GWh)\nYEAR,SUBRGN,SRCO2AN,SRHGRTA\n", nil),
		inspect("a,b,c (lbs/BBtu),d\nYEAR,SUBRGN,SRHGRA,SRNGENAN\n", nil),
		scaled,
		inspect("zip,state,eiaid,UtilName,SUBRGN,Predominant Utility\n00601,PR,,A,PRMS,0\n", &sheet.ReaderOptions{Year: 2023}),
		inspect("level,data_year,release,state,oris_plant_code,generator_id,net_generation_mwh\nGEN,2018,v2,AK,57,3A,5\n", nil),
		inspect("level,data_year,release,state,oris_plant_code,generator_id,net_generation_mwh\nGEN,2018,,AK,57,3A,5\n", nil),
		inspect("data_year,oris_plant_code,generator_id,nameplate_capacity_mw,net_generation_mwh,edition_authority,rounded_columns\n2023,3,A,5.5,20961,Cornerstone Data,net_generation_mwh\n", nil),
		escaped,
	}
}

// german makes sure that a layout is what its name says.
func german(of *sheet.Sheet) *sheet.Sheet {
	if !of.Dialect.DecimalComma {
		panic("no decimal comma")
	}
	return of
}

func decodeAndCompare(t *testing.T, of *sheet.Sheet, data []byte, cut int64) {
	t.Helper()
	want := decodeByHand(of, data, 2)
	agreeWithCSV(t, of, data, want)

	decoder := of.NewDecoder()
	d, err := decoder.Decode(data, sheet.Span{Line: 2, Row: 1})
	if (err != nil) != want.broken {
		t.Fatalf("got %v; never ends: %v\ndata %q", err, want.broken, data)
	}
	if err != nil {
		return
	}
	got := newOutcome()
	got.add(t, d)
	got.check(t, "in one go", want, data)
	if d.Records != int64(len(want.rows)+len(want.bad)+want.aside) || len(d.LeftOut) != want.aside {
		t.Fatalf("%d records, %d left out; want %d, %d and %d", d.Records, len(d.LeftOut), len(want.rows), len(want.bad), want.aside)
	}

	// The same bytes cut into spans, by the decoder that was used before.
	whole := *of
	whole.DataOffset, whole.DataLine = 0, 2
	parts := newOutcome()
	for span, err := range whole.Divide(bytes.NewReader(data), cut) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := decoder.Decode(data[span.Offset:span.Offset+span.Length], span)
		if err != nil || d.Records != span.Rows {
			t.Fatalf("span %+v: %d records, %v", span, d.Records, err)
		}
		parts.add(t, d)
	}
	parts.check(t, fmt.Sprintf("cut by %d", cut), want, data)
}

// agreeWithCSV holds the oracle against encoding/csv, where that reads the data.
func agreeWithCSV(t *testing.T, of *sheet.Sheet, data []byte, want *oracle) {
	t.Helper()
	if bytes.ContainsRune(data, '\r') || want.broken {
		return
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = rune(of.Delimiter[0]), -1
	all, err := r.ReadAll()
	if err != nil {
		return
	}
	all = slices.DeleteFunc(all, func(record []string) bool {
		return strings.Trim(strings.Join(record, of.Delimiter), of.Delimiter+" \t") == ""
	})
	fields := slices.DeleteFunc(slices.Clone(want.fields), func(record []string) bool {
		return strings.Trim(strings.Join(record, of.Delimiter), of.Delimiter+" \t") == ""
	})
	if !slices.EqualFunc(fields, all, slices.Equal[[]string]) {
		t.Fatalf("the test reads %q\nencoding/csv %q\ndata %q", fields, all, data)
	}
}

var decoded = []string{
	"2023,3,A,5.5,7,Cornerstone Data\n2023,3,B\n2023,3,C,5.5,7\n2023,3,D,5.5,7,Cornerstone Data,\n",
	"2023,3,A,5.5,7,Cornerstone Data,\"net_generation_mwh\"\n2023,3,B,5.5,7,EPA,\n2023,3,C,5.5,7,,\n2023,3,D,5.5,7,Cornerstone Data,x\n2023,3,E,5.5,7, Cornerstone Data ,NA\n",
	"2023,AK,\"xml:space=\"\"preserve\"\"> L&amp;D \",57,A,1\n2023,AK,\"\"Power\"\" plant,57,B,2\n2023,AK,\"\"Power\" plant,57,B,2\n2023,AK,12\"\" &amp pipe &#38;,57,C,3\n",
	"2023,A,\"42,949,104\",1e-3\n2023,B,(1.5),0.000000000000001\n2023,C,999999999999999,123456789012345678\n2023,D,5%,-7.25E+2\n",
	"2023,AK,Alakanuk,57,7E600,1234\n",
	"2023,AK,Alakanuk,57,7E600,\"1,234\"\n2022, WY ,\"Naughton, or\nso\",4162,0290, (12)\n2023,--,N/A,,,\n,,,,,\n , ,,,,\n",
	"AK,\"A \"\"B\"\"\",1,A,2,5%\r\nAK,B,2,B,2.0,1e3\r\nAK,C,3,C,1.5,x\r\nAK,D,4,D,1,2,,\n",
	"2021,TX,A,1,Yes,0.123456789012345,25,10,2\n2021,TX,B,2,0,--,(12.5%),-0,9007199254740993\n2021,TX,C,3,maybe,1,1,1,1\n2021,TX,D,4,N,.5,5.,+7,007\n",
	"a;1;5.5;20;7;2021;;x\nb;2;(3);7%;-99;2021;;\n ; ; ; ; ; ; ; \n;;;;;;;x\nc;3;-0;0.1;--;2022;;y\n",
	"A\t1\t5\tx\n\"\tB\"\t\"A\t\"\t \t\n\t\t\t \n\xff\t1\t2\t3\nA\x00\t1\t2\t3\n",
	"1;2023;AK;57053;'0290;1,0;0,368;20.961\n2;2.023;AK;\"57.053\";=\"7E600\";NA;5,25%; -   \n3;2023;AL;3,0;NaN;-;-2443,4;450-\n4;2023;AL;3;NA;;#DIV/0!;1.234.567,5\n5;2023;AL;3;B\n;;;Total;;;;5\n6;2023;AL;4",
	"\"1\",1,2023,\"AK\",\"A\",57053,\"NA\",\"2\",NA,5\n\"2\",2,2023,NA,NA,57054,NA,1.0,\"13\",########\n\"3\",3,2023,\"AK\"\n\"4\",4,2023,\"AK\",\"Total\",,,,,7\n\"5\",\"Source: EPA, eGRID\"\n\"6\",6,2023,\"WY\",\"B\",\"5.7053E+04\",\"NULL\",,3,True\n",
	"2023,AK,02,\"6,685,642\",0.250\n2022,AL,1,5,0.1\n2023,US,,\"4,188,971,343\",0.2\n2023,Total,,5,1\n2023,WY\n2023,,,,\nSource: EPA eGRID,,,,\n2023,VA,51,0,0\n2023,MD,24,17,#N/A\n",
	",,00,00,0,000\n00,,00,' ,0\n",
	"GEN,2018, V2 ,AK,57,3A,5\nGEN,2018,none,AK,57,3A,5\nGEN,2018,NA,AK,57,3A,5\nGEN,2018,rev1,AK,57,3A,5\nGEN,2019,\"\",AK,57,3A,5\nGEN,2018,x,AK,57,3A,\nGEN,2018,v2,,,,\n,,v2,,,,\n",
	"2023,TX,\"never\nclosed,1,2,3\n",
}

// plain are records as most are, for each of the layouts: they are decoded in
// blocks.
var plain = []string{
	"2023,AK,Elim,57,3A,588.182\n2023,AK,N/A,57,--,\n2023,AK,\"Elim, or so\",77,0290,-12\n",
	"AK,Elim,57,3A,2,588.182\nAK,,57,,,--\n",
	"2021,TX,A,1,Yes,0.5,25,10,2\n2021,TX,B,2,No,12.345,100,-10.5,\n2021,TX,C,3,,,N/A,0.001,--\n",
	"a;1;5.5;20;7;2021;;x\nb;2;5.5;20;-99;2021;;\n",
	"x,A,1,5,0.5\n,A,2,--,\n ,,,,\nnote,,,,\n",
	"1;2023;AK;57053;0290;1;0;20961\n2;2023;AL;3;NA;;;5\n",
	"\"1\",1,2023,\"AK\",\"A\",57053,\"NA\",\"02\",\"013\",5\n\"2\",2,2023,\"AK\",\"A\",57054,NA,\"02\",NA,NA\n",
	"2023,AK,02,6685642,0.250\n2023,AL,01,138596349,0.251\n",
	"A\t1\t5\tx\n\t0005\t-7.25\t--\n",
	"2023,CAMX,42949103.795,41.5\n2023,AKGD,-0.0005,0.000000000001\n2023,,,--\n2023,US,99999999999.999,0\n",
	"2023,CAMX,41.5,216841822.331\n2023,AKGD,-0.0005,--\n",
	"A,1,25,12.5,50\nB,2,,0,7%\n",
	"00601,PR,,A,PRMS,0\n97201,OR,15248,Gas, or so,NWPP,1\n03850,NH,,,NEWE,\n00501,NY,11171,\"Light, Long\",NYLI,1\n",
	"00601,PR,,A,PRMS,0\n3850,NH,1.0,B,NEWE,1\n03850-1234,NH,2,B,NEWE,1\n38501234,NH,2,B,NEWE\n385012,NH,2,B,NEWE,1\n\"3,850\",NH\nH3Z,QC,,,,\n'501,NY,,,NYLI,2\n",
	"GEN,2018,v2,AK,57,3A,5\nGEN,2018,\"v2\",AK,57,\"NA\",\n",
	"GEN,2018,,AK,57,3A,5\nGEN,2018,,AK,57,0290,-12.5\n",
	"2023,3,A,5.5,20961,Cornerstone Data,net_generation_mwh\n2023,3,B,5.5,7,\"Cornerstone Data\",\n2022,3,C,5.5,7,Cornerstone Data,GENNTAN NAMEPCAP\n",
	"2023,AK,L&amp;D,57,A&amp;B,588.182\n2023,AK,\"A &lt;B&gt; &quot;x&quot;\",57,3A,\n2023,AK,O'Brien \"\"Power\"\",57,3A,7\n2023,AK,B & C &amp;amp;,57,--,7\n",
	"2021,TX,A,1,N,0.1234567890123,7,10,2\r\n2021,TX,B,2,0,1,,99999999999999,1\r\n",
	"2023, AK,Elim ,57,3A,588.182\n2023,AK,\" Elim \",\"\tb\",  ,5\n",
	"AK,Elim,57,3A,2,1\nAK, Elim,57,3A,2,1\n",
	"2023,AK,Elim ,57,3A,588.182\n2023,AK,Elim,57,3A,1\n",
	// Refused records and blanks, so that no cell may be left of a block that is given up.
	"2023,AK,Elim,57,3A,x\n2023,AK,,57,,7\n2023,AK,Elim,57,3A,8\n2023,AK,,57,,9\n",
	"2023,AK,Elim,57,3A,588.182\n2023,AK,Elim,57,3A,1\n2023,AK,Elim,57,3A,2\n2022,AK,Elim,57,3A,588.182\n",
}

func TestDecode(t *testing.T) {
	for i, of := range layouts(t) {
		for k, text := range slices.Concat(plain, decoded) {
			runs := []int{1, 9, 70}
			if k < len(plain) {
				runs = append(runs, 1+600/strings.Count(text, "\n")) // more than a block
			}
			for _, times := range runs {
				decodeAndCompare(t, of, []byte(strings.Repeat(text, times)), int64(37*times+i))
				decodeAndCompare(t, of, []byte(strings.TrimSuffix(strings.Repeat(text, times), "\n")), 1000)
			}
		}
	}
}

// EPA's files, and samples in their layout, are decoded as byte by byte.
func TestDecodeFiles(t *testing.T) {
	for _, level := range egridtest.SampleLevels() {
		var b bytes.Buffer
		sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 11, Plants: 1500})
		if err := sample.Write(&b, level); err != nil {
			t.Fatal(err)
		}
		decodeFile(t, sample.Name(level), b.Bytes())
	}
	for _, name := range []string{
		"2023/GEN23.csv", "2023/egridData.csv", "2023/ST23-rev0.csv", "2018/v1_state.csv", "2019/2018+2019_GGL.csv", "2000/PLNT00-subset.csv",
	} {
		t.Run(name, func(t *testing.T) {
			file, err := io.ReadAll(testenv.Open(t, name))
			if err != nil {
				t.Fatal(err)
			}
			decodeFile(t, name, file)
		})
	}
}

func decodeFile(t *testing.T, name string, file []byte) {
	t.Helper()
	of, err := sheet.Inspect(bytes.NewReader(file), &sheet.ReaderOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	decodeAndCompare(t, of, file[of.DataOffset:], 300_000)
}

// Any bytes are decoded as the plainest decoder does, in one go and cut into
// spans: records come many times, so that they are decoded in blocks, too.
func FuzzDecode(f *testing.F) {
	for i, text := range slices.Concat(plain, decoded) {
		f.Add([]byte(text), uint8(i), uint8(3*i), uint16(100))
	}
	sheets := layouts(f)
	f.Fuzz(func(t *testing.T, data []byte, layout, times uint8, cut uint16) {
		if len(data) > 2000 {
			return
		}
		of := sheets[int(layout)%len(sheets)]
		more := strings.Repeat(plain[int(layout)%len(sheets)], 10)
		for _, text := range [][]byte{data, bytes.Repeat(data, 1+int(times)%40), append([]byte(more), data...), append(bytes.Clone(data), more...)} {
			decodeAndCompare(t, of, text, 1+int64(cut))
		}
	})
}
