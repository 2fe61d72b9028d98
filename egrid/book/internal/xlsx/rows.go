package xlsx

import (
	"bytes"
	"io"
	"strconv"
)

// Bounds of a sheet, those of every spreadsheet program.
const (
	maxRows    = 1 << 20
	maxColumns = 1 << 14
)

// maxRow bounds the text of a row.
const maxRow = 16 << 20

const (
	outBytes  = 64 << 10 // text is made in pieces of about that size
	widthRows = 64       // so many rows at the top say how many fields a record has
)

// rows turns the XML of a sheet into records. It is an io.Reader.
type rows struct {
	w      *window
	texts  func() (*texts, error) // read with the first cell that needs them
	shared *texts

	out     []byte // records that are ready from at on, and the one at hand
	at      int
	scratch []byte
	err     error // what comes behind the records

	within bool // the rows of the sheet
	inRow  bool
	row    int    // the one at hand, or the last one
	ref    []byte // what ends the references of its cells: its number and a quote
	column int    // the last one of the row
	filled int    // the last one with a value
	width  int    // fields of a record, at least
}

func (r *rows) Read(p []byte) (int, error) {
	for r.at == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		r.out, r.at = r.out[:0], 0
		r.err = r.read()
	}
	n := copy(p, r.out[r.at:])
	r.at += n
	return n, nil
}

// read reads until there is a piece of whole records, or the sheet ends.
func (r *rows) read() error {
	for {
		b := r.w.buf[r.w.pos:]
		at := bytes.IndexByte(b, '<')
		if at < 0 {
			at = len(b)
		}
		r.w.pos += at
		n, err := r.usual(b[at:])
		if n == 0 && err == nil {
			n, err = r.element(b[at:])
		}
		switch {
		case err != nil:
			return err
		case n < 0:
			return r.w.damaged("this is no XML of a sheet")
		case n > 0:
			r.w.pos += n
			if !r.inRow && len(r.out) >= outBytes {
				return nil
			}
			continue
		}
		if err := r.w.more(); err == io.EOF {
			return r.w.damaged("the sheet ends in the middle, at row %d", r.row)
		} else if err != nil {
			return err
		}
	}
}

// element reads what stands at the front of b: a cell, or a tag. It returns its
// bytes, short where it does not end in b, and io.EOF behind the last row.
func (r *rows) element(b []byte) (int, error) {
	t, n := cutTag(b)
	if n <= 0 {
		return n, nil
	}
	switch {
	case !r.within:
		if t.opens("sheetData") {
			r.within = true
			if t.empty {
				return n, r.end()
			}
		}
	case t.opens("c") && r.inRow:
		return r.cell(t, b, n)
	case t.opens("row") && !r.inRow:
		if err := r.beginRow(t); err != nil {
			return n, err
		}
		if t.empty {
			r.endRow()
		}
	case t.closing && t.is("row") && r.inRow:
		r.endRow()
	case t.closing && t.is("sheetData") && !r.inRow:
		return n, r.end()
	case len(t.name) > 0:
		return n, r.w.damaged("%q is out of place at row %d", t.name, r.row)
	}
	return n, nil
}

// end reads what comes behind the rows, where the checksum is.
func (r *rows) end() error {
	if err := r.w.drain(); err != nil {
		return err
	}
	return io.EOF
}

func (r *rows) beginRow(t tag) error {
	row := r.row + 1
	if given := t.get("r"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n <= r.row || n > maxRows {
			return r.w.damaged("row %q comes behind row %d", given, r.row)
		}
		for ; row < n; row++ {
			r.out = append(r.out, '\n') // left out because it is empty
		}
	}
	if row > maxRows {
		return r.w.damaged("it has more than %d rows", maxRows)
	}
	r.row, r.column, r.filled, r.inRow = row, 0, 0, true
	r.ref = append(strconv.AppendInt(r.ref[:0], int64(row), 10), '"')
	return nil
}

func (r *rows) endRow() {
	if r.row <= widthRows {
		r.width = max(r.width, r.filled)
	}
	for ; r.filled < r.width; r.filled++ {
		if r.filled > 0 {
			r.out = append(r.out, ',')
		}
	}
	r.out = append(r.out, '\n')
	r.inRow = false
}

// Kinds of cells, by the attribute t.
const (
	numeric = "n"
	shared  = "s"
	text    = "str"
	inline  = "inlineStr"
	boolean = "b"
	failed  = "e"
	date    = "d"
)

// cell reads the cell at the front of b, whose tag has so many bytes.
func (r *rows) cell(t tag, b []byte, i int) (int, error) {
	column, kind := r.column+1, numeric
	for a := t.attributes; ; {
		name, value, rest, ok := attribute(a)
		if !ok {
			break
		}
		if a = rest; len(name) != 1 {
			continue
		}
		switch name[0] {
		case 'r':
			if column, ok = r.place(value); !ok {
				return i, r.w.damaged("cell %q is out of place behind column %d of row %d", value, r.column, r.row)
			}
		case 't':
			if kind = kindOf(value); kind == "" {
				return i, r.w.damaged("cell of unknown kind %q in row %d", value, r.row)
			}
		}
	}
	var value, formula []byte
	computed, valued := false, false
	r.scratch = r.scratch[:0]
	for !t.empty {
		at := bytes.IndexByte(b[i:], '<')
		if at < 0 {
			return short, nil
		}
		i += at
		child, n := cutTag(b[i:])
		if n <= 0 {
			return n, nil
		}
		i += n
		if child.closing {
			if !child.is("c") {
				continue
			}
			break
		}
		start := len(r.scratch)
		switch {
		case child.is("v"):
			valued = true
			if !child.empty {
				r.scratch, n = content(r.scratch, b[i:])
				value = r.scratch[start:]
			}
		case child.is("f"):
			computed = true
			if !child.empty {
				r.scratch, n = content(r.scratch, b[i:])
				formula = r.scratch[start:]
			}
		case child.is("is") && !child.empty:
			r.scratch, n = runs(r.scratch, b[i:], "is")
			value = r.scratch[start:]
		default:
			continue
		}
		if n <= 0 {
			return n, nil
		}
		if !child.empty {
			i += n
		}
	}
	if column > maxColumns {
		return i, r.w.damaged("row %d has more than %d columns", r.row, maxColumns)
	}
	r.column = column
	if computed && len(value) == 0 && (kind != text || !valued) {
		// Never calculated: its text is no number, so nobody takes it for blank.
		value, kind = append([]byte{'='}, formula...), text
	}
	if len(value) == 0 {
		return i, nil
	}
	return i, r.put(column, kind, value)
}

// usual reads the cells at the front of b that are written as nearly all are:
//
//	<c r="B3" s="5" t="s"><v>12</v></c>
//	<c r="B3" s="5" t="inlineStr"><is><t>Gen</t></is></c>
//
// It returns their bytes; element reads what is written in another way.
func (r *rows) usual(b []byte) (done int, err error) {
	for r.inRow && len(b)-done >= usualBytes {
		c := b[done:]
		if string(c[:6]) != `<c r="` {
			break
		}
		i, column := 6, 0
		for ; i < 9 && c[i] >= 'A' && c[i] <= 'Z'; i++ {
			column = column*26 + int(c[i]-'A') + 1
		}
		if column <= r.column || column > maxColumns || !bytes.HasPrefix(c[i:], r.ref) {
			break
		}
		i += len(r.ref)
		if string(c[i:i+4]) == ` s="` {
			for i += 4; i < usualBytes/2 && c[i] != '"'; i++ {
			}
			i++
		}
		if string(c[i:i+len(beginInline)]) == beginInline {
			i += len(beginInline)
			if string(c[i:i+len(preserve)]) == preserve {
				i += len(preserve)
			}
			if c[i] != '>' {
				break
			}
			i++
			n := bytes.IndexByte(c[i:], '<')
			if n < 0 || len(c) < i+n+len(endInline) || string(c[i+n:i+n+len(endInline)]) != endInline || bytes.IndexByte(c[i:i+n], '&') >= 0 || bytes.IndexByte(c[i:i+n], '\r') >= 0 {
				break
			}
			r.column = column
			done += i + n + len(endInline)
			if n > 0 {
				if err := r.put(column, inline, c[i:i+n]); err != nil {
					return done, err
				}
			}
			continue
		}
		texts := string(c[i:i+6]) == ` t="s"`
		if texts || string(c[i:i+6]) == ` t="n"` {
			i += 6
		}
		if string(c[i:i+2]) == "/>" {
			r.column = column
			done += i + 2
			continue
		}
		if string(c[i:i+4]) != "><v>" {
			break
		}
		i += 4
		value := c[i:]
		n := 0
		for n < len(value) && isNumber[value[n]] {
			n++
		}
		if n == 0 || len(value) < n+8 || string(value[n:n+8]) != "</v></c>" {
			break
		}
		r.column = column
		done += i + n + 8
		switch value = value[:n]; {
		case texts:
			if err := r.put(column, shared, value); err != nil {
				return done, err
			}
		case n <= 15 && value[n-1] != '0':
			r.reach(column)
			r.out = append(r.out, value...)
		default:
			r.reach(column)
			r.out = appendNumber(r.out, value)
		}
	}
	return done, nil
}

const (
	usualBytes  = 128 // the longest cell without its value that usual looks at
	beginInline = ` t="inlineStr"><is><t`
	preserve    = ` xml:space="preserve"`
	endInline   = "</t></is></c>"
)

// isNumber has the bytes of numbers.
var isNumber = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'-': true, '+': true, '.': true, 'e': true, 'E': true,
}

// put appends a field.
func (r *rows) put(column int, kind string, value []byte) error {
	if kind == shared {
		if r.shared == nil {
			var err error
			if r.shared, err = r.texts(); err != nil {
				return err
			}
		}
		field, ok := r.shared.field(index(value))
		if !ok {
			return r.w.damaged("row %d, column %d: there is no text number %s in the workbook", r.row, column, value)
		}
		if len(r.out) > maxRow {
			return r.w.damaged("row %d is longer than %d MiB", r.row, maxRow>>20)
		}
		if len(field) > 0 {
			r.reach(column)
			r.out = append(r.out, field...)
		}
		return nil
	}
	r.reach(column)
	switch kind {
	case numeric:
		r.out = appendNumber(r.out, value)
	case boolean:
		switch string(value) {
		case "1", "true":
			r.out = append(r.out, "TRUE"...)
		case "0", "false":
			r.out = append(r.out, "FALSE"...)
		default:
			return r.w.damaged("row %d, column %d: %q is neither true nor false", r.row, column, value)
		}
	case text, inline:
		r.out = appendField(r.out, characters(value))
	default:
		r.out = appendField(r.out, value)
	}
	return nil
}

// index reads the number of a shared text; -1 when it is none.
func index(digits []byte) int {
	n := 0
	for _, c := range digits {
		if c -= '0'; c > 9 || n > 1<<40 {
			return -1
		}
		n = 10*n + int(c)
	}
	return n
}

// reach appends the commas in front of a column.
func (r *rows) reach(column int) {
	for n := max(r.filled, 1); n < column; n++ {
		r.out = append(r.out, ',')
	}
	r.filled = column
}

// place returns the column of a reference such as AB12, which has to be of the
// row at hand and behind the cells before.
func (r *rows) place(ref []byte) (int, bool) {
	column, row, i := 0, 0, 0
	for ; i < len(ref) && i < 3; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	for ; i < len(ref) && row <= maxRows; i++ {
		c := ref[i] - '0'
		if c > 9 {
			return 0, false
		}
		row = row*10 + int(c)
	}
	return column, row == r.row && column > r.column && column <= maxColumns
}

func kindOf(value []byte) string {
	for _, kind := range [...]string{shared, numeric, text, inline, boolean, failed, date} {
		if string(value) == kind {
			return kind
		}
	}
	return ""
}
