package egrid

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Builder makes a [Batch] row by row: set the cells of a row, then call
// EndRow, which keeps it, or DropRow, which forgets it. Cells that are not set
// are missing. Columns are named by their place in the schema.
//
// A Builder may be used again after Batch, and then allocates little. It is not
// safe for concurrent use.
type Builder struct {
	schema  *Schema
	year    int
	n       int // whole rows
	room    int // rows that the columns have room for
	columns []columnBuilder
	numbers []int64
	lines   []int64
	marks   []int // columns that the current row marks as lossy
}

// columnBuilder is a column on the way to a Vector. Its slices have room for
// the rows of the Builder; a cell without its bit in valid is missing.
type columnBuilder struct {
	typ    Type
	lossy  bool
	floats bool // a number was met that is no decimal within cell.MaxMantissa
	scale  int  // of decimals
	values []uint64
	valid  []uint64
	dict   dictionaryBuilder
}

// NewBuilder makes a builder of rows of one schema and data year.
func NewBuilder(schema *Schema, year int) *Builder {
	b := &Builder{schema: schema, year: year, columns: make([]columnBuilder, schema.Len())}
	for i := range b.columns {
		b.columns[i].typ = schema.fields[i].Type
	}
	return b
}

// Schema returns the schema of the rows.
func (b *Builder) Schema() *Schema { return b.schema }

// Len returns the number of rows that were ended.
func (b *Builder) Len() int { return b.n }

func (b *Builder) grow() {
	b.room = max(2*b.room, 256)
	for i := range b.columns {
		c := &b.columns[i]
		c.values = append(c.values, make([]uint64, b.room-len(c.values))...)
		c.valid = append(c.valid, make([]uint64, (b.room+63)/64-len(c.valid))...)
	}
}

// column returns a column with room for the current row.
func (b *Builder) column(i int) *columnBuilder {
	if b.n == b.room {
		b.grow()
	}
	return &b.columns[i]
}

func (c *columnBuilder) set(n int, x uint64) {
	c.values[n] = x
	c.valid[n>>6] |= 1 << (n & 63)
}

// Text sets a cell of a text column; empty text is missing. The bytes are
// copied.
func (b *Builder) Text(i int, s []byte) {
	c := b.column(i)
	if len(s) > 0 {
		c.set(b.n, uint64(c.dict.code(s)))
	}
}

// Int sets a cell of an integer column.
func (b *Builder) Int(i int, x int64) { b.column(i).set(b.n, uint64(x)) }

// Flag sets a cell of a flag column.
func (b *Builder) Flag(i int, yes bool) {
	var x uint64
	if yes {
		x = 1
	}
	b.column(i).set(b.n, x)
}

// Decimal sets a cell of a number column to mantissa / 10^places, at most 15
// places. It keeps every digit; numbers of a column that together do not fit
// 53 bits become floats.
func (b *Builder) Decimal(i int, mantissa int64, places int) {
	c := b.column(i)
	if places > cell.MaxPlaces || mantissa > cell.MaxMantissa || mantissa < -cell.MaxMantissa {
		c.float(b.n, float64(mantissa)/math.Pow10(places))
		return
	}
	if places > c.scale && !c.floats {
		c.rescale(b.n, places)
	}
	if m, ok := scaled(mantissa, c.scale-places); ok && !c.floats {
		c.set(b.n, uint64(m))
		return
	}
	c.float(b.n, float64(mantissa)/cell.Powers[places])
}

// Number sets a cell of a number column. NaN and the infinities are missing: no
// store and no JSON can hold them.
func (b *Builder) Number(i int, x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return
	}
	c := b.column(i)
	if !c.floats {
		if m, places, ok := decimalOf(x); ok {
			b.Decimal(i, m, places)
			return
		}
	}
	c.float(b.n, x)
}

// decimalPlaces is up to how many places Number looks for: EPA's figures have
// three, its factors five.
const decimalPlaces = 6

// decimalOf finds the decimal of few places that x is the nearest float to.
func decimalOf(x float64) (mantissa int64, places int, ok bool) {
	for _, places := range [...]int{0, 1, 3, decimalPlaces} {
		m := math.RoundToEven(x * cell.Powers[places])
		if math.Abs(m) >= 1e15 {
			return 0, 0, false
		}
		if m/cell.Powers[places] == x {
			return int64(m), places, true
		}
	}
	return 0, 0, false
}

func scaled(m int64, places int) (int64, bool) {
	for range places {
		if m *= 10; m > cell.MaxMantissa || m < -cell.MaxMantissa {
			return 0, false
		}
	}
	return m, true
}

// rescale moves the decimal point of the cells before row n, and of it.
func (c *columnBuilder) rescale(n, places int) {
	for i := range n {
		if _, ok := scaled(int64(c.values[i]), places-c.scale); !ok {
			c.toFloats(n)
			return
		}
	}
	for i := range n {
		m, _ := scaled(int64(c.values[i]), places-c.scale)
		c.values[i] = uint64(m)
	}
	c.scale = places
}

func (c *columnBuilder) toFloats(n int) {
	for i := range n {
		c.values[i] = math.Float64bits(float64(int64(c.values[i])) / cell.Powers[c.scale])
	}
	c.floats, c.scale = true, 0
}

func (c *columnBuilder) float(n int, x float64) {
	if !c.floats {
		c.toFloats(n)
	}
	c.set(n, math.Float64bits(x+0)) // negative zero becomes zero
}

// Value sets a cell to a value of the column's type, or an integer in a number
// column. Missing leaves the cell missing. It returns [ErrInvalid] for a value
// of another type.
func (b *Builder) Value(i int, v Value) error {
	t := b.columns[i].typ
	switch {
	case v.IsMissing():
	case v.typ == text && t == Text:
		b.Text(i, []byte(v.text))
	case v.typ == integer && t == Integer:
		b.Int(i, int64(v.bits))
	case v.typ == flag && t == Flag:
		b.Flag(i, v.bits != 0)
	case v.typ == number && t == Number:
		b.Number(i, math.Float64frombits(v.bits))
	case v.typ == integer && t == Number:
		b.Number(i, float64(int64(v.bits)))
	default:
		return fmt.Errorf("%w: %q, which is %s, in column %s of type %s", ErrInvalid, v.String(), v.Type(), b.schema.fields[i].Column, t)
	}
	return nil
}

// Clear makes a cell of the current row missing again.
func (b *Builder) Clear(i int) {
	if b.n < b.room {
		c := &b.columns[i]
		c.values[b.n] = 0
		c.valid[b.n>>6] &^= 1 << (b.n & 63)
	}
}

// Copy sets a cell to the one of a vector of the same type.
func (b *Builder) Copy(i int, from *Vector, row int) {
	if from.IsMissing(row) {
		return
	}
	switch from.encoding {
	case encInteger:
		b.Int(i, from.integer(row))
	case encDecimal:
		b.Decimal(i, from.integer(row), int(from.scale))
	case encFloat:
		b.column(i).float(b.n, math.Float64frombits(from.values.get(row)))
	case encFlag:
		b.Flag(i, from.values.get(row) != 0)
	case encText:
		c := b.column(i)
		c.set(b.n, uint64(c.dict.codeOf(from.Entry(int(from.values.get(row))))))
	}
}

// Lossy says of the current row's cell that the file held it rounded for
// display. It marks the column, once the row is ended.
func (b *Builder) Lossy(i int) {
	if !b.columns[i].lossy {
		b.marks = append(b.marks, i)
	}
}

// markLossy marks the columns that are marked in a batch of the same schema.
func (b *Builder) markLossy(from *Batch) {
	for i := range from.columns {
		if from.columns[i].lossy {
			b.columns[i].lossy = true
		}
	}
}

// EndRow keeps the row. number is its position among the sheet's records, from
// 1, and line where it starts in the file, 0 when that is not known.
func (b *Builder) EndRow(number, line int64) {
	if b.n == b.room {
		b.grow()
	}
	b.numbers = append(b.numbers, number)
	b.lines = append(b.lines, line)
	for _, i := range b.marks {
		b.columns[i].lossy = true
	}
	b.marks = b.marks[:0]
	b.n++
}

// DropRow forgets the cells that were set since the last row was ended.
func (b *Builder) DropRow() {
	b.marks = b.marks[:0]
	if b.n == b.room {
		return
	}
	for i := range b.columns {
		c := &b.columns[i]
		c.values[b.n] = 0
		c.valid[b.n>>6] &^= 1 << (b.n & 63)
	}
}

// Batch returns the rows that were ended, and makes the builder empty.
func (b *Builder) Batch() *Batch {
	b.DropRow()
	out := &Batch{
		schema: b.schema, year: b.year, n: b.n, columns: make([]Vector, len(b.columns)),
		numbers: offsetsOf(b.numbers, nil), lines: offsetsOf(b.lines, b.numbers),
	}
	for i := range b.columns {
		out.columns[i] = b.columns[i].vector(b.n)
		b.columns[i].reset(b.n)
	}
	b.n, b.numbers, b.lines = 0, b.numbers[:0], b.lines[:0]
	return out
}

func (c *columnBuilder) reset(n int) {
	clear(c.values[:n])
	clear(c.valid[:(n+63)/64])
	c.lossy, c.floats, c.scale = false, false, 0
	c.dict.reset()
}

// present reports how many of n cells are.
func (c *columnBuilder) present(n int) int {
	count := 0
	for _, word := range c.valid[:(n+63)/64] {
		count += bits.OnesCount64(word)
	}
	return count
}

func (c *columnBuilder) vector(n int) Vector {
	v := Vector{lossy: c.lossy, n: n}
	present := c.present(n)
	if present == 0 {
		return v
	}
	if present < n {
		v.valid = packed{width: 1, data: make([]byte, packedBytes(n, 1), (n+63)/64*8+packedPad)}
		whole := v.valid.data[:cap(v.valid.data)]
		for i, word := range c.valid[:(n+63)/64] {
			binary.LittleEndian.PutUint64(whole[8*i:], word)
		}
	}
	plain := func(i int) uint64 { return c.values[i] }
	switch {
	case c.typ == Text:
		v.encoding, v.entries = encText, len(c.dict.ends)
		v.text = string(c.dict.text)
		v.ends = pack(v.entries, packedWidth(uint64(len(v.text))), func(i int) uint64 { return uint64(c.dict.ends[i]) })
		v.values = pack(n, packedWidth(uint64(v.entries-1)), plain)
	case c.typ == Flag:
		v.encoding, v.values = encFlag, pack(n, 1, plain)
	case c.floats:
		v.encoding, v.values = encFloat, pack(n, 64, plain)
	default:
		v.encoding = encInteger
		if c.typ == Number {
			v.encoding, v.scale = encDecimal, uint8(c.scale)
		}
		var width uint
		v.base, width = c.span(n, present < n)
		base := uint64(v.base)
		if v.valid.data == nil {
			v.values = pack(n, width, func(i int) uint64 { return c.values[i] - base })
			break
		}
		v.values = pack(n, width, func(i int) uint64 {
			if c.valid[i>>6]>>(i&63)&1 == 0 {
				return 0
			}
			return c.values[i] - base
		})
	}
	return v
}

// span returns the least whole number and the width of the distances from it.
func (c *columnBuilder) span(n int, some bool) (base int64, width uint) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for i, x := range c.values[:n] {
		if some && c.valid[i>>6]>>(i&63)&1 == 0 {
			continue
		}
		least, most = min(least, int64(x)), max(most, int64(x))
	}
	return least, packedWidth(uint64(most) - uint64(least))
}

// dictionaryBuilder numbers distinct texts in the order of their first use. It
// is a hash table with open addressing: a map of strings would take longer than
// the rest of decoding.
type dictionaryBuilder struct {
	text  []byte
	ends  []uint32
	table []uint32 // code + 1; 0 is free. The length is a power of two
	last  uint32   // the code that was asked for last: neighbours often repeat
}

func (d *dictionaryBuilder) entry(code uint32) []byte {
	start := uint32(0)
	if code > 0 {
		start = d.ends[code-1]
	}
	return d.text[start:d.ends[code]]
}

func (d *dictionaryBuilder) codeOf(s string) uint32 {
	var small [64]byte
	return d.code(append(small[:0], s...))
}

func (d *dictionaryBuilder) code(s []byte) uint32 {
	if len(d.ends) > 0 && bytes.Equal(d.entry(d.last), s) {
		return d.last
	}
	if 2*len(d.ends) >= len(d.table) {
		d.rehash()
	}
	mask := uint64(len(d.table) - 1)
	for at := hashText(s) & mask; ; at = (at + 1) & mask {
		slot := d.table[at]
		if slot == 0 {
			d.text = append(d.text, s...)
			d.ends = append(d.ends, uint32(len(d.text)))
			d.last = uint32(len(d.ends) - 1)
			d.table[at] = d.last + 1
			return d.last
		}
		if bytes.Equal(d.entry(slot-1), s) {
			d.last = slot - 1
			return d.last
		}
	}
}

func (d *dictionaryBuilder) rehash() {
	size := max(2*len(d.table), 64)
	d.table = slices.Grow(d.table[:0], size)[:size]
	clear(d.table)
	mask := uint64(size - 1)
	for code := range uint32(len(d.ends)) {
		at := hashText(d.entry(code)) & mask
		for d.table[at] != 0 {
			at = (at + 1) & mask
		}
		d.table[at] = code + 1
	}
}

func (d *dictionaryBuilder) reset() {
	d.text, d.ends, d.last = d.text[:0], d.ends[:0], 0
	clear(d.table)
}

// hashText mixes eight bytes at a time. Texts that collide cost time, not
// correctness.
func hashText(s []byte) uint64 {
	const prime = 0x9e3779b97f4a7c15
	h := uint64(len(s)) * prime
	for len(s) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(s)) * prime
		h ^= h >> 32
		s = s[8:]
	}
	var tail uint64
	for i, c := range s {
		tail |= uint64(c) << (8 * i)
	}
	h = (h ^ tail) * prime
	return h ^ h>>29
}

// Row sets the cells of a row, one value for each column. It returns
// [ErrInvalid], and sets nothing, when they do not fit the schema.
func (b *Builder) Row(values []Value) error {
	if len(values) != len(b.columns) {
		return fmt.Errorf("%w: a row has %d values where the schema has %d columns", ErrInvalid, len(values), len(b.columns))
	}
	for i, v := range values {
		if err := b.Value(i, v); err != nil {
			b.DropRow()
			return err
		}
	}
	return nil
}

// Append adds a row of a batch whose columns have the same types.
func (b *Builder) Append(from *Batch, row int) {
	for i := range from.columns {
		b.Copy(i, &from.columns[i], row)
	}
	b.EndRow(from.Number(row), from.Line(row))
}
