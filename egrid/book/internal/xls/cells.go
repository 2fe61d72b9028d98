package xls

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// maxColumns is how many columns a sheet of BIFF8 can have.
const maxColumns = 256

// cell is a cell that is not blank.
type cell struct {
	row, column uint16
	number      float64
	text        []byte // nil for a number
}

// cells reads the cells of a sheet, in the order of the file.
type cells struct {
	*records
	stream *stream
	sheet  string
	texts  *texts
	queue  []cell // of the record, and how many of them were taken
	taken  int
	inner  int // how many charts within the sheet are open
}

// next returns io.EOF behind the last cell.
func (c *cells) next() (cell, error) {
	for c.taken == len(c.queue) {
		if err := c.records.next(); err != nil {
			return cell{}, c.wrap(err)
		}
		switch {
		case c.kind == recordBOF:
			c.inner++
		case c.kind == recordEOF && c.inner == 0:
			return cell{}, io.EOF
		case c.kind == recordEOF:
			c.inner--
		case c.inner == 0: // charts have numbers and texts, too
			if err := c.read(); err != nil {
				return cell{}, c.wrap(err)
			}
		}
	}
	c.taken++
	return c.queue[c.taken-1], nil
}

// wrap says of which sheet an error is.
func (c *cells) wrap(err error) error {
	return c.stream.cause(fmt.Errorf("sheet %q: %w", c.sheet, err))
}

func (c *cells) damaged(why string) error { return c.wrap(fmt.Errorf("%w: %s", errDamaged, why)) }

// read appends the cells of a record to the queue.
func (c *cells) read() error {
	c.queue, c.taken = c.queue[:0], 0
	switch c.kind {
	case recordNumber, recordRK, recordMulRK, recordLabelSST, recordLabel, recordRString, recordBoolErr, recordFormula:
	default:
		return nil
	}
	b, err := c.take(4)
	if err != nil {
		return err
	}
	at := cell{row: binary.LittleEndian.Uint16(b), column: binary.LittleEndian.Uint16(b[2:])}
	if c.kind == recordMulRK {
		return c.readMulRK(at)
	}
	if _, err := c.take(2); err != nil { // the cell's format
		return err
	}
	switch c.kind {
	case recordNumber:
		if b, err = c.take(8); err == nil {
			at.number = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case recordRK:
		if b, err = c.take(4); err == nil {
			at.number = rk(b)
		}
	case recordLabelSST:
		if b, err = c.take(4); err == nil {
			var ok bool
			if at.text, ok = c.texts.at(binary.LittleEndian.Uint32(b)); !ok {
				err = fmt.Errorf("%w: the cell in row %d, column %d has a text that the workbook does not have", errDamaged, at.row+1, at.column+1)
			}
		}
	case recordLabel, recordRString:
		at.text, err = c.ownText()
	case recordBoolErr:
		if b, err = c.take(2); err == nil {
			at.text, err = boolOrError(b[0], b[1] != 0)
		}
	case recordFormula:
		err = c.readFormula(&at)
	}
	if err != nil {
		return err
	}
	return c.add(at)
}

func (c *cells) add(one cell) error {
	if one.column >= maxColumns {
		return fmt.Errorf("%w: row %d has a cell in column %d", errDamaged, one.row+1, one.column+1)
	}
	c.queue = append(c.queue, one)
	return nil
}

// readMulRK reads the numbers of a MULRK record: the format and the number of
// each, and the last column at the end.
func (c *cells) readMulRK(at cell) error {
	for len(c.body) >= 6 {
		at.number = rk(c.body[2:])
		if err := c.add(at); err != nil {
			return err
		}
		at.column++
		c.body = c.body[6:]
	}
	if len(c.body) != 2 || binary.LittleEndian.Uint16(c.body)+1 != at.column {
		return fmt.Errorf("%w: the numbers of row %d do not end in their last column", errDamaged, at.row+1)
	}
	return nil
}

// ownText reads a text that stands with its cell.
func (c *cells) ownText() ([]byte, error) {
	units, err := c.records.text()
	return appendUTF8(make([]byte, 0, len(units)), units), err
}

// readFormula reads the last result of a formula. A text follows in a record of
// its own.
func (c *cells) readFormula(at *cell) error {
	b, err := c.take(8)
	if err != nil {
		return err
	}
	if b[6] != 0xFF || b[7] != 0xFF {
		at.number = math.Float64frombits(binary.LittleEndian.Uint64(b))
		return nil
	}
	switch b[0] {
	case 0:
		at.text, err = c.formulaText(at)
	case 1:
		at.text, err = boolOrError(b[2], false)
	case 2:
		at.text, err = boolOrError(b[2], true)
	case 3:
		at.text = []byte{}
	default:
		err = fmt.Errorf("%w: the formula in row %d, column %d has a result of no known kind", errDamaged, at.row+1, at.column+1)
	}
	return err
}

// formulaText reads the STRING record behind a formula, and what may stand
// between the two.
func (c *cells) formulaText(at *cell) ([]byte, error) {
	for {
		if err := c.records.next(); err != nil {
			return nil, err
		}
		switch c.kind {
		case recordString:
			return c.ownText()
		case 0x0221, 0x0236, 0x04BC, recordContinue: // ARRAY, TABLE, SHRFMLA
		default:
			return nil, fmt.Errorf("%w: the formula in row %d, column %d lacks its text", errDamaged, at.row+1, at.column+1)
		}
	}
}

// rk decodes a number in four bytes: a whole one of 30 bits with its sign, or the
// upper half of a float64, either of them times 100.
func rk(b []byte) float64 {
	v := binary.LittleEndian.Uint32(b)
	var f float64
	if v&2 != 0 {
		f = float64(int32(v) >> 2)
	} else {
		f = math.Float64frombits(uint64(v&^3) << 32)
	}
	if v&1 != 0 {
		f /= 100
	}
	return f
}

func boolOrError(code byte, isError bool) ([]byte, error) {
	if !isError {
		if code == 0 {
			return []byte("FALSE"), nil
		}
		return []byte("TRUE"), nil
	}
	text, ok := map[byte]string{
		0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
	}[code]
	if !ok {
		return nil, fmt.Errorf("%w: a cell has an error of no known kind (%d)", errDamaged, code)
	}
	return []byte(text), nil
}

// measure returns how many columns a sheet has, and whether its cells stand in
// the order of rows and columns, as Excel writes them.
func measure(c *cells) (width int, inOrder bool, err error) {
	inOrder = true
	last := -1
	for {
		one, err := c.next()
		if err == io.EOF {
			return width, inOrder, nil
		}
		if err != nil {
			return 0, false, err
		}
		place := int(one.row)*maxColumns + int(one.column)
		inOrder = inOrder && place > last
		last = place
		width = max(width, int(one.column)+1)
	}
}

// sorted brings the cells of a sheet into the order of rows and columns. Of
// several in one place the last one counts.
func sorted(c *cells) (next func() (cell, error), err error) {
	var all []cell
	for {
		one, err := c.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	byPlace := func(a, b cell) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.column, b.column)) }
	slices.SortStableFunc(all, byPlace)
	return func() (cell, error) {
		for len(all) > 1 && byPlace(all[0], all[1]) == 0 {
			all = all[1:]
		}
		if len(all) == 0 {
			return cell{}, io.EOF
		}
		first := all[0]
		all = all[1:]
		return first, nil
	}, nil
}

// csvText is a sheet as CSV text.
type csvText struct {
	next  func() (cell, error)
	width int
	row   int    // of the record that is being written
	begun bool   // it has a cell
	field int    // the last one of it
	buf   []byte // what was not read yet
	read  int    // of buf
	err   error
}

func (t *csvText) Read(b []byte) (int, error) {
	for t.read == len(t.buf) {
		if t.err != nil {
			return 0, t.err
		}
		t.buf, t.read = t.buf[:0], 0
		for t.err == nil && len(t.buf) < 16<<10 {
			t.err = t.write()
		}
	}
	n := copy(b, t.buf[t.read:])
	t.read += n
	return n, nil
}

// Close ends the reading.
func (t *csvText) Close() error {
	t.buf, t.read, t.err = nil, 0, io.ErrClosedPipe
	return nil
}

// write appends the next cell, and what stands between it and the one before.
func (t *csvText) write() error {
	one, err := t.next()
	if err != nil {
		if err == io.EOF && t.begun {
			t.endRecord()
		}
		return err
	}
	for t.row < int(one.row) {
		t.endRecord()
	}
	t.begun = true
	t.separate(int(one.column))
	if one.text != nil {
		t.buf = appendField(t.buf, one.text)
	} else {
		t.buf = appendNumber(t.buf, one.number)
	}
	return nil
}

// separate goes on to a field of the record.
func (t *csvText) separate(field int) {
	for ; t.field < field; t.field++ {
		t.buf = append(t.buf, ',')
	}
}

func (t *csvText) endRecord() {
	if t.begun {
		t.separate(t.width - 1)
	}
	t.buf = append(t.buf, '\n')
	t.row++
	t.begun, t.field = false, 0
}

func appendField(dst, text []byte) []byte {
	if !bytes.ContainsAny(text, ",\"\r\n") {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// appendNumber appends the shortest text that is the same float64, with an
// exponent where it would else be long.
func appendNumber(dst []byte, f float64) []byte {
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-9 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}
