package sheet

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Dialect is how the tool that wrote a file writes cells. It is decided once for
// the file. The zero value is how EPA's files are.
type Dialect struct {
	DecimalComma bool `json:"decimal_comma,omitempty"` // 0,368 and 1.234.567
	NoSign       bool `json:"no_sign,omitempty"`       // nothing tells the decimal sign, and numbers without one are all that can be read
	QuotedTexts  bool `json:"quoted_texts,omitempty"`  // all texts are in quotes: NA without them is a missing cell, and not the code
	Escaped      bool `json:"escaped,omitempty"`       // texts have the escapes of XML: L&amp;D
}

// dialectBytes is how much of a sheet of plants or their parts tells the dialect.
const dialectBytes = 32 << 10

// firstRows reads the records that tell the dialect: hundreds of plants, or all
// regions of all data years.
func firstRows(h *head, s *Sheet) [][]string {
	if end := s.DataOffset + dialectBytes; end < int64(len(h.data)) && plantLevel(s.Level) {
		h = &head{data: h.data[:end], more: true}
	}
	return sampleRows(h, s, math.MaxInt)
}

// inferDialect decides the decimal sign and whether texts are quoted, and finds the
// columns that were rounded for display. all gives more rows, where the first do not
// tell.
func (s *Sheet) inferDialect(h *head, first [][]string, all func() [][]string) error {
	if err := s.inferDecimalSign(first, all); err != nil {
		return err
	}
	s.Dialect.NoSign = h.more && s.Delimiter != "," && !slices.ContainsFunc(s.Evidence, func(e Evidence) bool { return e.Of == "decimal_sign" })
	s.Dialect.QuotedTexts = s.quotesTexts(h)
	s.inferTexts(h)
	s.inferRounded(first)
	return s.refuseCutZeros(first)
}

var errNoSign = errors.New("nothing in the first numbers of the file tells whether it has a decimal sign or a thousands separator; " + saveWithPoints)

// numeral is a number's text with a decimal point. Blanks around it stay: they tell
// a zero from a dash.
func (d Dialect) numeral(text string) string {
	text = cell.Unprotect(text)
	if d.DecimalComma {
		return cell.Swap(text)
	}
	return text
}

// number returns the place in the schema of a column of numbers; -1 for others.
func (s *Sheet) number(c SheetColumn) int {
	at := s.Schema.Index(c.Column)
	if at >= 0 && s.Schema.Field(at).Type != egrid.Number {
		return -1
	}
	return at
}

const saveWithPoints = "save it with decimal points and without thousands separators: in a spreadsheet set the language of the cells to English (USA) and their format to General, in R call write.csv in place of write.csv2"

// inferDecimalSign decides whether the file has decimal commas. It is refused where
// nothing decides.
func (s *Sheet) inferDecimalSign(first [][]string, all func() [][]string) error {
	signs := s.decimalSigns(first, s.isNumber)
	if signs.sure() == 0 && s.Delimiter != "," {
		signs = s.decimalSigns(all(), s.isNumber)
	}
	if signs.sure() == 0 && s.Delimiter != "," {
		own := s.decimalSigns(first, s.isOwn)
		signs.comma, signs.point = own.comma, own.point
	}
	const most = 50 // a file of one sign may have damaged cells of the other
	switch comma, point := signs.comma.count, signs.point.count; {
	case comma > most*point:
		s.Dialect.DecimalComma = true
		s.found("decimal_sign", ",", signs.comma.text)
	case comma > 0 && point <= most*comma:
		return fmt.Errorf("%w: numbers have decimal commas (%s) and decimal points (%s); %s", egrid.ErrInvalid, signs.comma.text, signs.point.text, saveWithPoints)
	case point > 0:
		s.found("decimal_sign", ".", signs.point.text)
	case s.Delimiter != "," && signs.open.count > 0:
		return fmt.Errorf("%w: nothing tells whether %s has a decimal sign or a thousands separator; %s", egrid.ErrInvalid, signs.open.text, saveWithPoints)
	}
	return nil
}

// decimalSigns are the numbers that show a decimal comma or a decimal point, and
// those whose comma or point could be either sign.
type decimalSigns struct{ comma, point, open example }

func (d *decimalSigns) sure() int { return d.comma.count + d.point.count }

// isNumber reports whether a column holds numbers of eGRID.
func (s *Sheet) isNumber(c SheetColumn) bool { return s.number(c) >= 0 }

// isOwn reports whether a column is none of eGRID's. It may hold numbers.
func (s *Sheet) isOwn(c SheetColumn) bool {
	at := s.Schema.Index(c.Column)
	return at < 0 && c.Column != egrid.Year || at >= 0 && !s.Schema.Field(at).Known()
}

// example counts cells and keeps the first.
type example struct {
	count int
	text  string
}

func (e *example) add(header, text string) {
	if e.count++; e.count == 1 {
		e.text = fmt.Sprintf("%q in column %s", text, header)
	}
}

func (s *Sheet) decimalSigns(rows [][]string, of func(SheetColumn) bool) (signs decimalSigns) {
	for i, c := range s.Cells {
		if !of(c) {
			continue
		}
		// 20961 beside 450,545 says that the column has no thousands separators.
		ungrouped := s.Delimiter != "," && slices.ContainsFunc(rows, func(row []string) bool {
			return i < len(row) && len(row[i]) > 4 && strings.Trim(row[i], "-0123456789") == ""
		})
		for _, row := range rows {
			if i >= len(row) {
				continue
			}
			sign, certain := cell.DecimalSign(row[i])
			switch {
			case sign == 0:
			case !certain && !ungrouped:
				signs.open.add(c.Header, row[i])
			case sign == ',':
				signs.comma.add(c.Header, row[i])
			default:
				signs.point.add(c.Header, row[i])
			}
		}
	}
	return signs
}

// quotesTexts reports whether the first records have every text in quotes, as R
// and spreadsheets write them when asked for it.
func (s *Sheet) quotesTexts(h *head) bool {
	const records = 200
	split := splitterOf(h.data[s.DataOffset:], s.Delimiter[0], 0, 1)
	found := false
	for range records {
		rec, err := split.next()
		if err != nil || split.start == len(split.buf) && rec.open {
			h.cut = true
			break
		}
		raw := string(rec.raw)
		fields, err := splitFields(nil, raw, s.Delimiter[0])
		if err != nil {
			continue
		}
		quotes := quotedFields(nil, raw, s.Delimiter[0])
		for i, text := range fields {
			_, err := cell.Parse(text)
			switch text = strings.TrimSpace(text); {
			case quotes[i]:
				found = found || text != ""
			case err != nil && !cell.Missing(text) && !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false"):
				return false
			}
		}
	}
	return found
}

// quotedFields appends to dst which fields of a whole record begin with a quote.
func quotedFields(dst []bool, rec string, delim byte) []bool {
	for {
		quoted := rec != "" && rec[0] == '"'
		dst = append(dst, quoted)
		if quoted {
			var err error
			if _, rec, err = cutQuoted(rec); err != nil {
				return dst
			}
		}
		i := strings.IndexByte(rec, delim)
		if i < 0 {
			return dst
		}
		rec = rec[i+1:]
	}
}

// rowNames finds out whether the records begin with a field that the header lacks,
// as R writes row names.
func rowNames(level egrid.Level, header []headerCell, m *Mapping, sample [][]string) bool {
	longer := 0
	for _, row := range sample {
		if strings.TrimSpace(strings.Join(row, "")) == "" {
			continue
		}
		if len(row) != len(header)+1 {
			return false
		}
		longer++
	}
	return longer > 0 && fit(level, header, m, sample, 1) > fit(level, header, m, sample, 0)
}

// withoutFirst takes the first field off each record.
func withoutFirst(rows [][]string) [][]string {
	for i := range rows {
		rows[i] = rows[i][min(1, len(rows[i])):]
	}
	return rows
}

// fit counts the cells that can be what the header above them says, less those
// that cannot, when the records' first fields are left out.
func fit(level egrid.Level, header []headerCell, m *Mapping, sample [][]string, leftOut int) int {
	n := 0
	for i, h := range header {
		f, ok := lookupHeader(level, h, m)
		if !ok || f.Type == egrid.Text && f.Column != egrid.State {
			continue
		}
		for _, row := range sample {
			if i+leftOut >= len(row) || cell.Missing(row[i+leftOut]) {
				continue
			}
			text := row[i+leftOut]
			v, _, err := egrid.ParseValue(f.Type, text)
			year, _ := v.Int()
			switch {
			case err != nil, f.Column == egrid.State && len(text) != 2, f.Column == egrid.Year && egrid.CheckYear(int(year)) != nil:
				n--
			default:
				n++
			}
		}
	}
	return n
}

// isIndex reports whether the first column holds the running numbers that R and
// pandas write in front of a table.
func isIndex(header string, sample func() [][]string) bool {
	name, _, _ := strings.Cut(header, ":")
	if _, err := strconv.ParseUint(name, 10, 64); err == nil { // the codes are a row of data below a description
		name = ""
	}
	if !slices.Contains([]string{"", "Unnamed", "index", "level_0", "X", "V1", "...1", "rownames", "row_names", "rowname"}, name) {
		return false
	}
	met := map[string]bool{}
	for _, row := range sample() {
		if len(row) == 0 || strings.TrimSpace(row[0]) == "" {
			continue
		}
		if _, err := strconv.ParseUint(row[0], 10, 64); err != nil || met[row[0]] {
			return false
		}
		met[row[0]] = true
	}
	return len(met) > 0
}

// sameTexts reports whether two columns have the same texts in every row, in the
// normal form of the column that they both are.
func sameTexts(rows [][]string, a, b int, c *columnDecoder) bool {
	return !slices.ContainsFunc(rows, func(row []string) bool { return max(a, b) < len(row) && !c.same(row[a], row[b]) })
}

// columnOf decodes texts of a field.
func columnOf(f egrid.Field) *columnDecoder {
	c := &columnDecoder{column: f.Column, typ: f.Type}
	c.marks, c.form = textOf(f)
	return c
}

// same compares two texts of a column: 501 and 00501 are one ZIP code.
func (c *columnDecoder) same(a, b string) bool {
	if c.typ == egrid.Text && c.form >= whole {
		return c.normal(a, false) == c.normal(b, false)
	}
	return strings.TrimSpace(a) == strings.TrimSpace(b)
}

// contradiction finds a cell that differs from the one of its row that it should
// repeat.
func (d *Decoder) contradiction(fields []string) (c egrid.Column, value, reason string) {
	for i, cell := range d.sheet.Cells {
		if cell.Repeats == "" {
			continue
		}
		first := slices.IndexFunc(d.columns, func(c columnDecoder) bool { return c.column == cell.Repeats })
		if !d.columns[first].same(fields[first], fields[i]) {
			return cell.Repeats, strings.TrimSpace(fields[i]), fmt.Sprintf("the sheet has the column twice, here with another value than in the column %s; leave one of them out", d.sheet.Cells[first].Header)
		}
	}
	return "", "", ""
}

// marks says which texts of a column mark a missing cell.
type marks uint8

const (
	inOwn    marks = iota // a column of somebody's own: nothing but blanks
	inCodes               // identifiers that may be any text: what no person types
	inAreas               // NA is a code
	inOthers              // all that tools write
)

// form is how a text is brought to its normal form.
type form uint8

const (
	asIs    form = iota
	anyText      // an identifier that may be any text, or the label of a total
	name         // of a plant that nothing else identifies: as well
	area         // of a sheet of regions: as well
	whole        // a whole number
	fips2        // of two digits
	fips3        // of three
	zip          // of five
	forms
)

// textOf says how the texts of a field are read.
func textOf(f egrid.Field) (marks, form) {
	switch f.Column {
	case egrid.GeneratorID, egrid.UnitID:
		return inCodes, anyText
	case egrid.BalancingAuthority, egrid.NERCRegion:
		return inAreas, asIs
	case egrid.PlantCode, "operator_id", "utility_id":
		return inOthers, whole
	case "fips_state":
		return inOthers, fips2
	case "fips_county":
		return inOthers, fips3
	case egrid.ZIPCode:
		return inOthers, zip
	}
	if !f.Known() {
		return inOwn, asIs
	}
	return inOthers, asIs
}

// marked reports whether a trimmed text marks a missing cell.
func (c *columnDecoder) marked(text string, quoted bool) bool {
	switch {
	case cell.Blank(text):
		return true
	case c.marks == inOwn:
		return false
	case text == "NA":
		return c.marks == inOthers || c.dialect.QuotedTexts && !quoted
	case c.marks == inCodes:
		return text != "None" && text != "." && cell.Null(text)
	}
	return cell.Null(text)
}

// Bytes that a text which needs a closer look begins with.
const (
	mayBeMark = 1 + iota
	odd
)

// firstBytes sorts texts by their first byte.
var firstBytes = func() (t [256]uint8) {
	for i := range ' ' + 1 {
		t[i] = odd
	}
	t['='], t['\''] = odd, odd
	for _, c := range []byte(`-.Nn#<\`) {
		t[c] = mayBeMark
	}
	return t
}()

// closer has the first bytes of texts that need a closer look, by their form.
var closer = func() (t [forms][256]bool) {
	for f := range t {
		for b := range t[f] {
			letter := strings.IndexByte(labelLetters, byte(b)|0x20) >= 0
			t[f][b] = firstBytes[b] != 0 || b == '"' || form(f) != asIs && (letter || form(f) != anyText && form(f) != name)
		}
	}
	return t
}()

// plain reports whether a text, which is not empty, is in its normal form and no
// label of a total.
func (c *columnDecoder) plain(text []byte) bool {
	switch c.form {
	case area:
		return len(text) <= 4 && !c.isLabel(string(text))
	case anyText, name:
		// Most are told by their first letter, or by a digit at their end.
		return len(text) < 3 || text[len(text)-1]-'0' <= 9 || strings.IndexByte(labelLetters, text[0]|0x20) < 0 || !isTotal(string(text))
	case whole:
	case fips2, fips3, zip:
		if len(text) != c.form.width() {
			return false
		}
	default:
		return true
	}
	for _, b := range text {
		if b-'0' > 9 {
			return false
		}
	}
	return true
}

func (f form) width() int {
	switch f {
	case fips2:
		return 2
	case fips3:
		return 3
	case zip:
		return 5
	}
	return 0
}

// normal returns the text of a cell in its normal form; empty when it is missing.
func (c *columnDecoder) normal(text string, quoted bool) string {
	text = cell.Unprotect(strings.TrimSpace(text))
	if c.form != asIs && c.form != name {
		text = strings.TrimSpace(strings.TrimPrefix(text, "'")) // of a spreadsheet's text cell
	}
	if c.marked(text, quoted) {
		return ""
	}
	switch c.form {
	case whole, fips2, fips3:
		n, ok := cell.Whole(c.dialect.numeral(text))
		if !ok {
			return text
		}
		if pad := c.form.width() - len(n); pad > 0 {
			n = strings.Repeat("0", pad) + n
		}
		return n
	case zip:
		if code, err := egrid.ParseZIP(c.dialect.numeral(text)); err == nil {
			return code
		}
	}
	return text
}

// isLabel reports whether a text names a total, and no region.
func (c *columnDecoder) isLabel(text string) bool {
	switch strings.ToUpper(text) {
	case "US", "U.S.", "USA", "UNITED STATES":
		return c.form == area && c.column != egrid.Region // the regions of grid gross loss have one
	}
	return isTotal(text)
}

// labelLetters are what the words of isTotal begin with, and what may stand in front
// of them.
const labelLetters = "tsamgonurp :*"

func isTotal(text string) bool {
	total := false
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == ':' || r == '*' }) {
		switch word {
		case "total", "totals", "subtotal", "sub-total", "sum", "average", "mean":
			total = true
		case "grand", "overall", "national", "u.s.", "us", "usa", "all", "of", "the", "states", "regions", "subregions", "plants", "units", "generators":
		default:
			return false
		}
	}
	return total
}

// isNote reports whether a text is longer than codes of regions are.
func isNote(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) > 12 && strings.Contains(text, " ")
}

// leftOut says why a record is no row of the sheet but a note or a total around
// its table, and by which text; nothing when it is a row. In a sheet without an
// identifier that is told by text where a number belongs.
func (d *Decoder) leftOut(fields []string) (text, reason string) {
	filled, only, total := 0, "", ""
	row := d.identified
	for i := range d.columns {
		c, text := &d.columns[i], strings.TrimSpace(fields[i])
		if c.kind == skipped || c.kind == repeated || c.kind == rounds {
			continue
		}
		if !cell.Missing(fields[i]) {
			filled++
			only = fields[i]
			row = row || !d.identified && c.typ == egrid.Text
		}
		label := c.isLabel(text)
		if label && total == "" {
			total = text
		}
		if c.required && (label && c.form != asIs || c.normal(text, false) == "") {
			row = false
		}
	}
	_, err := cell.Parse(only)
	switch {
	case filled == 1 && err != nil && len(d.columns) > 2 && (!row || d.identified && isNote(only)):
		return strings.TrimSpace(only), "a note, and no row of the table"
	case total != "" && !row:
		return total, "a total, and no row of the table"
	}
	return "", ""
}
