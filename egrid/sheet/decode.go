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
	fields   []string
	block    block
}

// Decoded is what the records of a span became.
type Decoded struct {
	Batches []*egrid.Batch // one for each data year, in the order of their first rows
	Rejects []*RowError    // records that could not be read, in the order of the file
	Records int64          // all records, blank ones left out
}

type columnDecoder struct {
	column    egrid.Column // empty: left out
	at        int          // position in the schema; -1 for the data year
	typ       egrid.Type
	percent   bool // a share that the sheet holds in percent
	converts  conversion
	transform string
	nullIf    string
	kind      fieldKind
}

// fieldKind is how the short way reads a field.
type fieldKind uint8

const (
	skipped fieldKind = iota
	texts
	integers
	numbers
	flags
	years
	transformed // by a mapping
)

func (c *columnDecoder) kindOf() fieldKind {
	switch {
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
		d.stop[i] = i < ' ' || i >= utf8.RuneSelf || byte(i) == d.delim
	}
	for i, c := range s.Cells {
		col := columnDecoder{column: c.Column, at: s.Schema.Index(c.Column), typ: egrid.Integer, transform: c.Transform}
		if col.at >= 0 {
			f := s.Schema.Field(col.at)
			col.typ = f.Type
			if col.percent = isShare(f) && s.ShareScale != 1 && c.Transform != "divide_by_100"; col.percent {
				col.converts.places = 2
			}
			if c.Unit != "" {
				col.converts = conversions[[2]string{c.Unit, f.Unit}]
			}
		}
		if x, ok := strings.CutPrefix(c.Transform, "null_if:"); ok {
			col.transform, col.nullIf = "null_if", x
		}
		col.kind = col.kindOf()
		d.columns[i] = col
	}
	return d
}

// Decode decodes the records of a span, whose bytes are data. The batches keep
// nothing of data. A record that cannot be read is one of the rejects; the
// error, which wraps [ErrInvalid], is about the span as a whole: a record that
// never ends.
func (d *Decoder) Decode(data []byte, at Span) (Decoded, error) {
	var out Decoded
	d.order, d.current = d.order[:0], nil
	d.block.rest = 0
	if d.sheet.Year != 0 {
		d.builder(d.sheet.Year)
	}
	line, number, pos := at.Line, at.Row, 0
	for pos < len(data) {
		if d.block.rest--; d.block.rest < 0 && d.current != nil {
			if records, size := d.block.find(data[pos:], len(d.columns), d.delim); records >= fewRecords {
				if d.block.decode(d, data[pos:pos+size], records, line, number) {
					pos += size
					line += int64(records)
					number += int64(records)
					d.block.rest = 1 // what ended the block
					continue
				}
				d.block.rest = records
			} else {
				d.block.rest = max(records, 1) * fewRecords
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
		line += rec.lines
		if rec.blank(d.delim) {
			continue
		}
		if reject := d.slow(rec, number); reject != nil {
			out.Rejects = append(out.Rejects, reject)
		}
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
		d.order = append(d.order, year)
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
	rec.raw = bytes.TrimSuffix(rec.raw, []byte{'\n'})
	rec.raw = bytes.TrimSuffix(rec.raw, []byte{'\r'})
	return rec, n, nil
}

// fast decodes the first record of data when it is as nearly all are: one line,
// as many fields as the header, plain text and plain numbers. It returns the
// record's bytes, or 0 when it takes the long way to read it.
func (d *Decoder) fast(data []byte, line, number int64) int {
	if d.current == nil { // the row's own data year comes first
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
		if c.kind == years {
			return -1, false // a row without its data year
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
	return d.text(c, data[:n], n)
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
		return 2, false
	}
	return d.text(c, data[1:n], n+1)
}

// text decodes the text of a field of n bytes.
func (d *Decoder) text(c *columnDecoder, text []byte, n int) (size int, some bool) {
	if text[0] <= ' ' || text[len(text)-1] <= ' ' {
		if text = bytes.Trim(text, " \t"); len(text) == 0 { // a tab may stand between quotes where it delimits
			return n, false
		}
	}
	switch {
	case c.kind == skipped:
		return n, true
	case len(text) <= 3 && c.kind != transformed && cell.Blank(string(text)):
		return n, true
	case c.kind == texts:
		d.current.Text(c.at, text)
		return n, true
	}
	if c.at < 0 {
		return -1, true
	}
	if err := d.set(c, string(text)); err != nil {
		return -1, true
	}
	return n, true
}

// set decodes a field of any form.
func (d *Decoder) set(c *columnDecoder, field string) error {
	switch c.transform {
	case "upper":
		field = strings.ToUpper(field)
	case "null_if":
		if strings.TrimSpace(field) == c.nullIf {
			return nil
		}
	}
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
	field = strings.TrimSpace(field)
	if cell.Blank(field) {
		return nil
	}
	x, err := cell.Parse(field)
	if err != nil {
		return err
	}
	if x.Rounded {
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

// slow decodes a record of any form, or says why it cannot be read.
func (d *Decoder) slow(rec record, number int64) *RowError {
	raw := string(rec.raw)
	fail := func(c egrid.Column, value, reason string) *RowError {
		if d.current != nil {
			d.current.DropRow()
		}
		return &RowError{Line: rec.line, Number: number, Column: c, Value: shorten(value, 100), Reason: reason, Record: raw}
	}
	if !utf8.ValidString(raw) {
		return fail("", "", "the record is not UTF-8 text; save the file as UTF-8")
	}
	if strings.IndexByte(raw, 0) >= 0 {
		return fail("", "", "the record has a NUL byte")
	}
	var err error
	if d.fields, err = splitFields(d.fields[:0], raw, d.delim); err != nil {
		return fail("", "", reasonOf(err))
	}
	if len(d.fields) < len(d.columns) {
		return fail("", "", fmt.Sprintf("it has %d fields where the header has %d", len(d.fields), len(d.columns)))
	}
	for i := len(d.columns); i < len(d.fields); i++ {
		if strings.TrimSpace(d.fields[i]) != "" {
			return fail("", d.fields[i], fmt.Sprintf("it has %d fields where the header has %d", len(d.fields), len(d.columns)))
		}
	}
	if reject := d.chooseYear(fail); reject != nil {
		return reject
	}
	for i := range d.columns {
		c := &d.columns[i]
		if c.at < 0 {
			continue
		}
		if err := d.set(c, d.fields[i]); err != nil {
			return fail(c.column, d.fields[i], reasonOf(err))
		}
	}
	d.current.EndRow(number, rec.line)
	return nil
}

// chooseYear makes the builder of the record's own data year the current one.
func (d *Decoder) chooseYear(fail func(egrid.Column, string, string) *RowError) *RowError {
	for i := range d.columns {
		c := &d.columns[i]
		if c.at >= 0 || c.column == "" {
			continue
		}
		field := d.fields[i]
		if c.transform == "null_if" && strings.TrimSpace(field) == c.nullIf {
			field = ""
		}
		v, _, err := egrid.ParseValue(egrid.Integer, field)
		if err != nil {
			return fail(egrid.Year, d.fields[i], reasonOf(err))
		}
		year, ok := v.Int()
		if !ok {
			return fail(egrid.Year, d.fields[i], "the data year is missing")
		}
		if err := checkYear(int(year)); err != nil {
			return fail(egrid.Year, d.fields[i], reasonOf(err))
		}
		d.builder(int(year))
	}
	return nil
}
