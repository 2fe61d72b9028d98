package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Decoder turns the records of a sheet into batches. It keeps its buffers from
// one span to the next and belongs to one goroutine; decoders of one sheet may
// run in parallel.
type Decoder struct {
	sheet    *Sheet
	delim    byte
	stop     [256]bool // bytes that end the plain part of a text
	columns  []columnDecoder
	builders map[int]*egrid.Builder // by data year
	order    []int                  // data years of the span, in the order of their first rows
	current  *egrid.Builder         // of the row at hand; its cells may still be dropped
	year     int                    // of current
	rows     int                    // of the span, where that is known
	fields   []string
	quotes   []bool // which of the fields have quotes, where that counts
	block    block

	identified bool // a row is told from a note by its identifier
	enough     int  // the last column that a record must have; the cells behind it may be left out
	repeats    bool // a column stands twice: rows are compared

	rounded string // the columns that a row named last as rounded
	places  []int  // of them in the schema
}

// Decoded is what the records of a span became.
type Decoded struct {
	Batches []*egrid.Batch // one for each data year, in the order of their first rows
	Rejects []*RowError    // records that could not be read, in the order of the file
	LeftOut []*RowError    // records that are no rows: notes and totals around the table
	// Restored tells of texts that a tool had changed and that were changed back: escapes
	// of XML, quotes that were doubled without quotes around them. Count is 0 where there
	// are none.
	Restored egrid.Audit
	Records  int64 // all records, blank ones not counted
}

type columnDecoder struct {
	column    egrid.Column // empty: left out
	at        int          // position in the schema; -1 for the data year
	typ       egrid.Type
	percent   bool // a share that the sheet holds in percent
	converts  conversion
	ratio     bool // a formula of it fails where its denominator is zero
	dialect   Dialect
	required  bool // part of the identifier
	marks     marks
	form      form
	fixed     []int // data years in which it was rounded to as many digits
	transform string
	nullIf    string
	kind      fieldKind
	only      *string // the release or the authority that every row has to have in it
	authority bool    // it is the authority
	rounds    bool    // it names columns that were rounded
}

// fieldKind is how the short way reads a field.
type fieldKind uint8

const (
	skipped  fieldKind = iota
	repeated           // what every row has to say again
	rounds             // the names of columns that were rounded
	texts
	integers
	numbers
	flags
	years
	transformed // by a mapping, or by how the file writes numbers
)

func (c *columnDecoder) kindOf() fieldKind {
	switch {
	case c.only != nil:
		return repeated
	case c.rounds:
		return rounds
	case c.column == "":
		return skipped
	case c.transform != "" && c.transform != "trim":
		return transformed
	case c.at < 0:
		return years
	}
	switch c.typ {
	case egrid.Integer:
		return integers
	case egrid.Number:
		if c.dialect.DecimalComma || c.dialect.NoSign || len(c.fixed) > 0 {
			return transformed
		}
		return numbers
	case egrid.Flag:
		return flags
	}
	return texts
}

// NewDecoder makes a decoder of the sheet's records.
func (s *Sheet) NewDecoder() *Decoder {
	d := &Decoder{sheet: s, delim: s.Delimiter[0], columns: make([]columnDecoder, len(s.Cells)), builders: map[int]*egrid.Builder{}}
	for i := range d.stop {
		d.stop[i] = i < ' ' || i >= utf8.RuneSelf || byte(i) == d.delim || i == '"' || i == '&' && s.Dialect.Escaped
	}
	identifier := egrid.Identifier(s.Level, s.Schema.Has)
	if s.Level == egrid.ZIP {
		identifier = identifier[:1] // tables leave the utility blank where they know none
	}
	d.identified = len(identifier) > 0
	for i, c := range s.Cells {
		d.repeats = d.repeats || c.Repeats != ""
		col := columnDecoder{
			column: c.Column, at: s.Schema.Index(c.Column), typ: egrid.Integer, transform: c.Transform,
			dialect: s.Dialect, fixed: c.Fixed, only: c.Release, rounds: c.Rounds,
		}
		if c.Authority != nil {
			col.only, col.authority = c.Authority, true
		}
		if col.at >= 0 {
			f := s.Schema.Field(col.at)
			col.typ = f.Type
			if col.percent = isShare(f) && s.ShareScale != 1 && c.Transform != "divide_by_100"; col.percent {
				col.converts.places = 2
			}
			if c.Unit != "" {
				col.converts = conversions[[2]string{c.Unit, f.Unit}]
			}
			col.ratio = isRatio(f)
			col.required = slices.Contains(identifier, c.Column)
			col.marks, col.form = textOf(f)
			switch {
			case col.required && grade(s.Level) == regions:
				col.form = area
			case col.required && c.Column == egrid.PlantName:
				col.form = name
			}
		}
		if x, ok := strings.CutPrefix(c.Transform, "null_if:"); ok {
			col.transform, col.nullIf = "null_if", x
		}
		col.kind = col.kindOf()
		d.columns[i] = col
		if col.required || col.kind == years || col.kind == repeated && *col.only != "" || !d.identified {
			d.enough = i
		}
	}
	return d
}

// Decode decodes the records of a span, whose bytes are data. The batches keep
// nothing of data. A record that cannot be read is one of the rejects; the
// error, which wraps [ErrInvalid], is about the span as a whole: a record that
// never ends.
func (d *Decoder) Decode(data []byte, at Span) (Decoded, error) {
	var out Decoded
	d.order, d.current, d.rows = d.order[:0], nil, int(at.Rows)
	d.block.rest, d.block.wait = 0, fewRecords
	if d.sheet.Year != 0 {
		d.builder(d.sheet.Year)
	}
	line, number, pos := at.Line, at.Row, 0
	for pos < len(data) {
		if d.block.rest--; d.block.rest < 0 && d.current != nil && !d.repeats {
			if records, size := d.block.find(data[pos:], len(d.columns), d.delim); records >= fewRecords {
				if d.block.decode(d, data[pos:pos+size], records, line, number) {
					pos += size
					line += int64(records)
					number += int64(records)
					d.block.rest, d.block.wait = 1, fewRecords // what ended the block
					continue
				}
				d.block.rest = records
			} else {
				d.block.rest = max(records, 1) * d.block.wait
				d.block.wait = min(2*d.block.wait, blockRows)
			}
		}
		if n := d.fast(data[pos:], line, number); n > 0 {
			pos += n
			line++
			number++
			continue
		}
		rec, size, err := nextRecord(data[pos:], d.delim, line)
		if err != nil {
			return out, err
		}
		pos += size
		if d.sheet.Grid {
			rec.lines = 1
		}
		line += rec.lines
		if rec.blank(d.delim) {
			continue
		}
		d.slow(rec, number, &out)
		number++
	}
	out.Records = number - at.Row
	for _, year := range d.order {
		if b := d.builders[year]; b.Len() > 0 {
			for i := range d.columns {
				if c := &d.columns[i]; c.converts.rounds() {
					b.MarkLossy(c.at)
				}
			}
			out.Batches = append(out.Batches, b.Batch())
		}
	}
	return out, nil
}

// builder makes the rows of a data year the current ones.
func (d *Decoder) builder(year int) {
	b := d.builders[year]
	if b == nil {
		b = egrid.NewBuilder(d.sheet.Schema, year)
		d.builders[year] = b
	}
	if !slices.Contains(d.order, year) {
		if d.order = append(d.order, year); len(d.order) == 1 {
			b.Grow(d.rows)
		}
	}
	d.current, d.year = b, year
}

// nextRecord takes the first record of data.
func nextRecord(data []byte, delim byte, line int64) (record, int, error) {
	n, lines, found := recordEnd(data, delim, 0)
	if !found {
		n, lines = len(data), linesOf(data)
	}
	rec := record{raw: data[:n], line: line, lines: max(lines, 1), size: int64(n), open: !found && insideQuotes(data, delim)}
	if n > maxRecord {
		return rec, n, errTooLong(line)
	}
	if rec.open && rec.lines > 1 {
		return rec, n, errUnclosed(rec)
	}
	rec.cut = !found
	rec.raw = bytes.TrimSuffix(rec.raw, []byte{'\n'})
	rec.raw = bytes.TrimSuffix(rec.raw, []byte{'\r'})
	return rec, n, nil
}

// plantLevel reports whether a level's sheet has rows of plants or their parts.
func plantLevel(l egrid.Level) bool {
	return l == egrid.UNT || l == egrid.GEN || l == egrid.PLNT || l == egrid.DEMO
}

// fast decodes the first record of data when it is as nearly all are: one line,
// as many fields as the header or the last ones left out, plain text and plain
// numbers. It returns the record's bytes, or 0 when it takes the long way to read it.
func (d *Decoder) fast(data []byte, line, number int64) int {
	if d.current == nil || d.repeats { // the row's own data year comes first
		return 0
	}
	pos, present := 0, false
	last := len(d.columns) - 1
	for i := range d.columns {
		c := &d.columns[i]
		n, some := d.field(c, data[pos:])
		if n < 0 {
			d.current.DropRow()
			return 0
		}
		present = present || some
		pos += n
		if i == last {
			break
		}
		if pos >= len(data) || data[pos] != d.delim {
			if i >= d.enough && pos < len(data) {
				break // what ends the record is looked at below
			}
			d.current.DropRow()
			return 0
		}
		pos++
	}
	end := pos
	if end < len(data) && data[end] == '\r' {
		end++
	}
	if !present || end < len(data) && data[end] != '\n' || end == len(data) && end > pos {
		d.current.DropRow()
		return 0
	}
	d.current.EndRow(number, line)
	return min(end+1, len(data))
}

// field decodes the one at the front of data. It returns the bytes of the
// field, or -1 when it takes the long way, and whether the field holds
// anything at all.
func (d *Decoder) field(c *columnDecoder, data []byte) (n int, some bool) {
	if len(data) == 0 || data[0] == d.delim || data[0] == '\n' || data[0] == '\r' {
		if c.kind == years || c.required || c.kind == repeated && *c.only != "" {
			return -1, false // a row without its data year or release, or none
		}
		return 0, false
	}
	switch c.kind {
	case numbers:
		if m, places, n := cell.Scan(data); n > 0 && d.ends(data, n) {
			ok := true
			if c.converts != (conversion{}) {
				m, places, ok = c.converts.apply(m, places)
			}
			if ok {
				d.current.Decimal(c.at, m, places)
				return n, true
			}
		}
	case integers:
		if m, places, n := cell.Scan(data); n > 0 && places == 0 && data[n-1] != '.' && d.ends(data, n) {
			d.current.Int(c.at, m)
			return n, true
		}
	case years:
		// The long way finds the rows of another year.
		if m, places, n := cell.Scan(data); n > 0 && places == 0 && int(m) == d.year && d.ends(data, n) {
			return n, true
		}
		return -1, true
	}
	if data[0] == '"' {
		return d.quoted(c, data)
	}
	for n < len(data) && !d.stop[data[n]] {
		n++
	}
	if !d.ends(data, n) {
		return -1, true
	}
	return d.text(c, data[:n], n, false)
}

// ends reports whether a field may end before the n-th byte.
func (d *Decoder) ends(data []byte, n int) bool {
	return n == len(data) || data[n] == d.delim || data[n] == '\n' || data[n] == '\r'
}

// quoted decodes a quoted field of one line without quotes inside.
func (d *Decoder) quoted(c *columnDecoder, data []byte) (n int, some bool) {
	n = 1
	for n < len(data) && (data[n] == d.delim || !d.stop[data[n]]) && data[n] != '"' {
		n++
	}
	if n == len(data) || data[n] != '"' || !d.ends(data, n+1) {
		return -1, true
	}
	if n == 1 {
		if c.required || c.kind == repeated {
			return -1, false
		}
		return 2, false
	}
	return d.text(c, data[1:n], n+1, true)
}

// text decodes the text of a field of n bytes.
func (d *Decoder) text(c *columnDecoder, text []byte, n int, quoted bool) (size int, some bool) {
	padded := text
	if text[0] <= ' ' || text[len(text)-1] <= ' ' {
		if text = bytes.Trim(text, " \t"); len(text) == 0 { // a tab may stand between quotes where it delimits
			if c.required {
				return -1, false
			}
			return n, false
		}
	}
	switch {
	case c.kind == skipped:
		return n, true
	case c.kind == repeated:
		if string(text) != *c.only {
			return -1, true
		}
		return n, true
	case c.kind == rounds:
		if d.markRounded(text) != "" {
			return -1, true
		}
		return n, true
	case c.kind == texts:
		first := firstBytes[text[0]]
		if first == mayBeMark && len(text) <= cell.MaxMark && c.marked(string(text), quoted) {
			if c.required {
				return -1, true
			}
			return n, true
		}
		if first == odd || !c.plain(text) {
			return -1, true
		}
		d.current.Text(c.at, text)
		return n, true
	case c.at < 0, c.required: // changed by a mapping
		return -1, true
	}
	if err := d.set(c, string(padded), quoted); err != nil {
		return -1, true
	}
	return n, true
}

// set decodes a field of any form.
func (d *Decoder) set(c *columnDecoder, field string, quoted bool) error {
	switch c.transform {
	case "upper":
		field = strings.ToUpper(field)
	case "null_if":
		if strings.TrimSpace(field) == c.nullIf {
			return nil
		}
	}
	if c.typ == egrid.Text {
		text := c.normal(field, quoted)
		if c.transform == stateName && text != "" {
			code, known := postalOf(text)
			if !known {
				return errNoState
			}
			text = code
		}
		if c.form == zip && text != "" {
			if _, err := egrid.ParseZIP(text); err != nil {
				return err
			}
		}
		d.current.Text(c.at, []byte(text))
		return nil
	}
	field = c.dialect.numeral(field)
	if c.typ != egrid.Number {
		v, rounded, err := egrid.ParseValue(c.typ, field)
		if err != nil {
			return err
		}
		if rounded {
			d.current.Lossy(c.at)
		}
		return d.current.Value(c.at, v)
	}
	if cell.Missing(field) || c.ratio && cell.FailedFormula(strings.TrimSpace(field)) {
		return nil
	}
	x, err := cell.Parse(field)
	if err != nil {
		return err
	}
	if c.dialect.NoSign && strings.ContainsAny(field, ".,") {
		return errNoSign
	}
	if x.Rounded || x.Mantissa != 0 && slices.Contains(c.fixed, d.year) {
		d.current.Lossy(c.at)
	}
	switch {
	case c.transform == "negate":
		x = x.Negate()
	case c.transform == "divide_by_100":
		x = x.Shift(2)
	}
	if !c.percent || !strings.Contains(field, "%") {
		x = c.converts.decimal(x)
	}
	if x.Exact {
		d.current.Decimal(c.at, x.Mantissa, x.Places)
	} else {
		d.current.Number(c.at, x.Float)
	}
	return nil
}

// slow decodes a record of any form, or says why it cannot be read or is no row.
func (d *Decoder) slow(rec record, number int64, out *Decoded) {
	raw := string(rec.raw)
	tell := func(c egrid.Column, value, reason string) *RowError {
		if d.current != nil {
			d.current.DropRow()
		}
		return &RowError{Line: rec.line, Number: number, Column: c, Value: shorten(value, 100), Reason: reason, Record: raw}
	}
	fail := func(c egrid.Column, value, reason string) {
		out.Rejects = append(out.Rejects, tell(c, value, reason))
	}
	if !utf8.ValidString(raw) {
		fail("", "", "the record is not UTF-8 text; save the file as UTF-8")
		return
	}
	if strings.IndexByte(raw, 0) >= 0 {
		fail("", "", "the record has a NUL byte")
		return
	}
	var err error
	if d.fields, err = splitFields(d.fields[:0], raw, d.delim); err != nil {
		d.fields, err = d.withoutQuoting(raw, err)
	}
	if err != nil {
		fail("", "", reasonOf(err))
		return
	}
	n := len(d.columns)
	for i := n; i < len(d.fields); i++ {
		if strings.TrimSpace(d.fields[i]) != "" {
			fail("", d.fields[i], fieldCount(len(d.fields), n))
			return
		}
	}
	there := len(d.fields)
	for len(d.fields) < n {
		d.fields = append(d.fields, "")
	}
	if there < n && rec.cut && (there > 1 || !isNote(d.fields[0])) {
		fail("", "", fieldCount(there, n)+", and the file ends in it without a line end: was the file cut?")
		return
	}
	d.restoreTexts(rec, out)
	if text, reason := d.leftOut(d.fields); reason != "" {
		out.LeftOut = append(out.LeftOut, tell("", text, reason))
		return
	}
	if there < n && !d.named(there) {
		fail("", "", fieldCount(there, n))
		return
	}
	if c, reason := d.chooseYear(); reason != "" {
		fail(egrid.Year, c, reason)
		return
	}
	if c, value, reason := d.otherEdition(); reason != "" {
		fail(c, value, reason)
		return
	}
	if d.repeats {
		if c, value, reason := d.contradiction(d.fields); reason != "" {
			fail(c, value, reason)
			return
		}
	}
	if d.sheet.Dialect.QuotedTexts {
		d.quotes = quotedFields(d.quotes[:0], raw, d.delim)
	}
	for i := range d.columns {
		c := &d.columns[i]
		if c.kind == rounds && !cell.Missing(d.fields[i]) {
			if name := d.markRounded([]byte(d.fields[i])); name != "" {
				fail(egrid.RoundedColumns, d.fields[i], fmt.Sprintf("%q is no column of %s; correct it, or leave the column out where nothing was rounded", name, d.sheet.Level))
				return
			}
		}
		if c.at < 0 {
			continue
		}
		if err := d.set(c, d.fields[i], i < len(d.quotes) && d.quotes[i]); err != nil {
			fail(c.column, d.fields[i], reasonOf(err))
			return
		}
	}
	d.current.EndRow(number, rec.line)
}

func fieldCount(there, want int) string {
	return fmt.Sprintf("it has %d fields where the header has %d", there, want)
}

// named reports whether a record of too few fields has what names its row. Then the
// others are blank: many tools leave out empty cells at the end of a row.
func (d *Decoder) named(fields int) bool {
	if !d.identified {
		return 2*fields >= len(d.columns)
	}
	for i, field := range d.fields[:len(d.columns)] {
		if c := &d.columns[i]; c.required && c.normal(field, true) == "" {
			return false
		}
	}
	return true
}

// otherEdition says what is wrong with the release or the authority that the record
// repeats.
func (d *Decoder) otherEdition() (column egrid.Column, field, reason string) {
	for i := range d.columns {
		c := &d.columns[i]
		switch {
		case c.kind != repeated:
		case c.authority:
			if authorityOf(d.fields[i]) != *c.only {
				return egrid.EditionAuthority, d.fields[i], "the rows at the head of the file are published by " + *c.only + ", and a file is loaded as one authority's; put each into a file of its own"
			}
		default:
			if release, known := releaseOf(d.fields[i]); !known || release != *c.only {
				return egrid.ReleaseColumn, d.fields[i], "the rows at the head of the file are of release " + releaseName(*c.only) + ", and a file is loaded as one; put each into a file of its own"
			}
		}
	}
	return "", "", ""
}

// markRounded marks the columns that the row at hand names as rounded. It returns a
// name that is none.
func (d *Decoder) markRounded(text []byte) (unknown string) {
	if string(text) != d.rounded {
		places, unknown := d.sheet.columnsNamed(string(text))
		if unknown != "" {
			return unknown
		}
		d.rounded, d.places = string(text), places
	}
	for _, at := range d.places {
		d.current.Lossy(at)
	}
	return ""
}

// chooseYear makes the builder of the record's own data year the current one, or
// says what is wrong with its field.
func (d *Decoder) chooseYear() (field, reason string) {
	for i := range d.columns {
		c := &d.columns[i]
		if c.at >= 0 || c.column == "" {
			continue
		}
		field := d.fields[i]
		if c.transform == "null_if" && strings.TrimSpace(field) == c.nullIf {
			field = ""
		}
		v, _, err := egrid.ParseValue(egrid.Integer, c.dialect.numeral(field))
		if err != nil {
			return field, reasonOf(err)
		}
		year, ok := v.Int()
		if !ok {
			return field, "the data year is missing"
		}
		if err := checkYear(int(year)); err != nil {
			return field, reasonOf(err)
		}
		d.builder(int(year))
	}
	return "", ""
}
