package egrid

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strings"
	"unicode/utf8"
)

// Reader decodes a CSV sheet row by row in constant memory.
type Reader struct {
	sheet *Sheet
	src   io.Reader
}

// NewReader reads the head of a CSV file and prepares to decode its rows. It
// accepts what EPA and people's exports have: a description row above the code
// row or none, blank rows and titles above, an empty first column, a byte
// order mark, CRLF, no final newline, quoted newlines, display formats.
//
// Errors as [Inspect]. The reader does not close r.
func NewReader(r io.Reader, o *ReaderOptions) (*Reader, error) {
	if o == nil {
		o = &ReaderOptions{}
	}
	head := make([]byte, inspectBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	sheet, err := inspect(head, n == inspectBytes, o)
	if err != nil {
		return nil, err
	}
	return &Reader{sheet: sheet, src: io.MultiReader(bytes.NewReader(head[sheet.DataOffset:]), r)}, nil
}

// Sheet returns what the head told.
func (r *Reader) Sheet() *Sheet { return r.sheet }

// Rows iterates over the rows, once. A [*RowError] stands for a record that
// could not be read, and the loop may go on behind it; any other error ends
// the sequence. Rows may be kept.
func (r *Reader) Rows() iter.Seq2[Row, error] {
	return r.sheet.Decode(r.src, Span{Offset: r.sheet.DataOffset, Length: math.MaxInt64, Line: r.sheet.DataLine, Row: 1})
}

// Decode decodes the records of one span. r is positioned at the span's first
// byte. A [*RowError] goes on; any other error ends the sequence. Decode of
// different spans may run in parallel.
func (s *Sheet) Decode(r io.Reader, span Span) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		d := newDecoder(s)
		split := newSplitter(io.LimitReader(r, span.Length), d.delim, span.Offset, span.Line)
		number := span.Row
		for {
			rec, err := split.next()
			if err == io.EOF {
				if read := split.offset - span.Offset; span.Length != math.MaxInt64 && read < span.Length {
					yield(Row{}, unexpectedEnd(io.EOF))
				}
				return
			}
			if err == nil && rec.open && rec.lines > 1 {
				err = errUnclosed(rec)
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			if rec.blank(d.delim) {
				continue
			}
			row, err := d.decode(rec)
			row.Number = number
			number++
			if !yield(row, err) {
				return
			}
		}
	}
}

// decoder turns records into rows. It reuses its buffers and belongs to one
// goroutine.
type decoder struct {
	sheet   *Sheet
	delim   byte
	columns []columnDecoder
	fields  []string
	slab    []Value // values of rows to come
	year    int     // the last valid data year
}

type columnDecoder struct {
	column    Column // empty: left out
	at        int    // position in the schema; -1 for the data year
	typ       Type
	scale     float64 // of shares
	transform string
	nullIf    string
}

func newDecoder(s *Sheet) *decoder {
	d := &decoder{sheet: s, delim: s.Delimiter[0], columns: make([]columnDecoder, len(s.Cells))}
	for i, c := range s.Cells {
		col := columnDecoder{column: c.Column, at: s.Schema.Index(c.Column), typ: Integer, transform: c.Transform}
		if col.at >= 0 {
			f := s.Schema.fields[col.at]
			col.typ = f.Type
			if isShare(f) && s.ShareScale != 1 {
				col.scale = 1 / s.ShareScale
			}
		}
		if x, ok := strings.CutPrefix(c.Transform, "null_if:"); ok {
			col.transform, col.nullIf = "null_if", x
		}
		d.columns[i] = col
	}
	return d
}

const slabRows = 128

func (d *decoder) decode(rec record) (Row, error) {
	raw := string(rec.raw) // the one allocation that the row's texts share
	fail := func(c Column, value, reason string) (Row, error) {
		return Row{Line: rec.line}, &RowError{Line: rec.line, Column: c, Value: shorten(value, 100), Reason: reason, Record: raw}
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
	row := Row{Schema: d.sheet.Schema, Values: d.values(), Year: d.sheet.Year, Line: rec.line}
	for i := range d.columns {
		c := &d.columns[i]
		if c.column == "" {
			continue
		}
		v, err := c.decode(d.fields[i])
		if err != nil {
			return fail(c.column, d.fields[i], reasonOf(err))
		}
		if c.at >= 0 {
			row.Values[c.at] = v
			continue
		}
		year, ok := v.Int()
		if !ok {
			return fail(Year, d.fields[i], "the data year is missing")
		}
		if int(year) != d.year { // one year in most sheets
			if err := CheckYear(int(year)); err != nil {
				return fail(Year, d.fields[i], reasonOf(err))
			}
			d.year = int(year)
		}
		row.Year = d.year
	}
	return row, nil
}

// values returns the values of a new row, cut from a slab.
func (d *decoder) values() []Value {
	n := d.sheet.Schema.Len()
	if len(d.slab) < n {
		d.slab = make([]Value, n*slabRows)
	}
	values := d.slab[:n:n]
	d.slab = d.slab[n:]
	return values
}

func (c *columnDecoder) decode(field string) (Value, error) {
	switch c.transform {
	case "":
	case "upper":
		field = strings.ToUpper(field)
	case "null_if":
		if strings.TrimSpace(field) == c.nullIf {
			return Value{}, nil
		}
	}
	v, err := ParseValue(c.typ, field)
	if err != nil || c.typ != Number {
		return v, err
	}
	x, ok := v.Float()
	if !ok {
		return v, nil
	}
	w := v
	switch {
	case c.transform == "negate":
		w = NumberOf(-x)
	case c.transform == "divide_by_100":
		w = NumberOf(x / 100)
	case c.scale != 0 && !strings.Contains(field, "%"):
		w = NumberOf(x / c.scale)
	}
	w.lossy = v.lossy
	return w, nil
}

// reasonOf is an error's text without the sentinel in front.
func reasonOf(err error) string {
	return strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": ")
}

// IsRowError reports whether err is a [*RowError], behind which a loop over
// rows may go on.
func IsRowError(err error) bool {
	var rowError *RowError
	return errors.As(err, &rowError)
}
