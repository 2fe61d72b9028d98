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
	codes  []uint32 // in place of the values of a text column
	valid  []uint64
	dict   dictionaryBuilder
	shared *textTable // what the codes are of; nil is dict
}

// NewBuilder makes a builder of rows of one schema and data year.
func NewBuilder(schema *Schema, year int) *Builder {
	b := &Builder{}
	b.Reset(schema, year)
	return b
}

// Reset forgets all rows, and makes the builder one of rows of another schema and
// data year. It keeps its memory.
func (b *Builder) Reset(schema *Schema, year int) {
	b.DropRow()
	for i := range b.columns {
		b.columns[i].reset(b.n)
	}
	b.schema, b.year = schema, year
	b.n, b.numbers, b.lines = 0, b.numbers[:0], b.lines[:0]
	whole := b.columns[:cap(b.columns)]
	b.columns = append(whole, make([]columnBuilder, max(schema.Len()-len(whole), 0))...)[:schema.Len()]
	b.room = math.MaxInt
	for i := range b.columns {
		c := &b.columns[i]
		if c.typ = schema.fields[i].Type; c.typ == Text {
			b.room = min(b.room, len(c.codes))
		} else {
			b.room = min(b.room, len(c.values))
		}
	}
}

// Schema returns the schema of the rows.
func (b *Builder) Schema() *Schema { return b.schema }

// Len returns the number of rows that were ended.
func (b *Builder) Len() int { return b.n }

// Grow makes room for n more rows, so that they are added without making more.
func (b *Builder) Grow(n int) {
	if b.n+n > b.room {
		b.room = 0 // as many as asked for, and not twice those that there are
		b.grow(b.n + n)
	}
}

// grow makes room for at least n rows.
func (b *Builder) grow(n int) {
	b.room = max(2*b.room, 64, n)
	b.numbers = slices.Grow(b.numbers, b.room-len(b.numbers))
	b.lines = slices.Grow(b.lines, b.room-len(b.lines))
	for i := range b.columns {
		c := &b.columns[i]
		if c.typ == Text {
			c.codes = append(c.codes, make([]uint32, max(b.room-len(c.codes), 0))...)
		} else {
			c.values = append(c.values, make([]uint64, max(b.room-len(c.values), 0))...)
		}
		c.valid = append(c.valid, make([]uint64, max((b.room+63)/64-len(c.valid), 0))...)
	}
}

// column returns a column with room for the current row.
func (b *Builder) column(i int) *columnBuilder {
	if b.n == b.room {
		b.grow(b.n + 1)
	}
	return &b.columns[i]
}

func (c *columnBuilder) set(n int, x uint64) {
	c.values[n] = x
	c.valid[n>>6] |= 1 << (n & 63)
}

func (c *columnBuilder) setCode(n int, code uint32) {
	c.codes[n] = code
	c.valid[n>>6] |= 1 << (n & 63)
}

// unset makes a cell missing.
func (c *columnBuilder) unset(n int) {
	if c.typ == Text {
		c.codes[n] = 0
	} else {
		c.values[n] = 0
	}
	c.valid[n>>6] &^= 1 << (n & 63)
}

// Text sets a cell of a text column; empty text is missing. The bytes, which are
// UTF-8, are copied.
func (b *Builder) Text(i int, s []byte) {
	c := b.column(i)
	if len(s) > 0 {
		c.share(nil)
		c.setCode(b.n, c.dict.code(s))
	}
}

// share reports whether codes may be those of a dictionary, which is so when all
// texts of the column are from it. Else they are codes of the builder's own, and
// those that are not become so.
func (c *columnBuilder) share(d *textTable) bool {
	switch {
	case c.shared == d:
		return d != nil
	case c.shared == nil && len(c.dict.ends) == 0 && d.distinct:
		c.shared = d
		return true
	}
	if from := c.shared; from != nil {
		c.shared = nil
		for i, word := range c.valid {
			for ; word != 0; word &= word - 1 {
				at := 64*i + bits.TrailingZeros64(word)
				c.codes[at] = c.dict.codeOf(from.entry(int(c.codes[at])))
			}
		}
	}
	return false
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
		b.columns[i].unset(b.n)
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
		c, code := b.column(i), uint32(from.values.get(row))
		if !c.share(from.texts) {
			code = c.dict.codeOf(from.Entry(int(code)))
		}
		c.setCode(b.n, code)
	}
}

// Lossy says of the current row's cell that the file held it rounded for
// display. It marks the column, once the row is ended.
func (b *Builder) Lossy(i int) {
	if !b.columns[i].lossy {
		b.marks = append(b.marks, i)
	}
}

// MarkLossy says of a column that all its cells are rounded.
func (b *Builder) MarkLossy(i int) { b.columns[i].lossy = true }

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
		b.grow(b.n + 1)
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
		b.columns[i].unset(b.n)
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
	if c.typ == Text {
		clear(c.codes[:n])
	} else {
		clear(c.values[:n])
	}
	clear(c.valid[:(n+63)/64])
	c.lossy, c.floats, c.scale, c.shared = false, false, 0, nil
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
	switch {
	case c.typ == Text:
		if c.shared != nil && present < c.shared.entries/8 {
			c.share(nil) // most of it would be for nothing
		}
		if v.encoding, v.texts = encText, c.shared; v.texts == nil {
			v.texts = c.dict.table()
		}
		v.values = pack(c.codes[:n], 0, packedWidth(uint64(v.texts.entries-1)))
	case c.typ == Flag:
		v.encoding, v.values = encFlag, pack(c.values[:n], 0, 1)
	case c.floats:
		v.encoding, v.values = encFloat, pack(c.values[:n], 0, 64)
	default:
		v.encoding = encInteger
		if c.typ == Number {
			v.encoding, v.scale = encDecimal, uint8(c.scale)
		}
		var width uint
		v.base, width = c.span(n, present < n)
		v.values = pack(c.values[:n], uint64(v.base), width)
	}
	return v
}

// span returns the least whole number and the width of the distances from it. It
// sets cells that are missing to the least.
func (c *columnBuilder) span(n int, some bool) (base int64, width uint) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	if !some {
		for _, x := range c.values[:n] {
			least, most = min(least, int64(x)), max(most, int64(x))
		}
		return least, packedWidth(uint64(most) - uint64(least))
	}
	for i, x := range c.values[:n] {
		there := -int64(c.valid[i>>6] >> (i & 63) & 1) // all bits, or none
		least = min(least, int64(x)&there|math.MaxInt64&^there)
		most = max(most, int64(x)&there|math.MinInt64&^there)
	}
	for i, x := range c.values[:n] {
		there := -(c.valid[i>>6] >> (i & 63) & 1)
		c.values[i] = x&there | uint64(least)&^there
	}
	return least, packedWidth(uint64(most) - uint64(least))
}

// dictionaryBuilder numbers distinct texts in the order of their first use. It
// is two hash tables of codes with open addressing, one for texts of up to eight
// bytes, which most codes and identifiers are: a map of strings would take longer
// than the rest of decoding.
type dictionaryBuilder struct {
	text  []byte
	ends  []uint32
	keys  []uint64 // of a short text its bytes as a number, of a long one its hash
	short []uint32 // code + 1; 0 is free. The length is a power of two
	long  []uint32 // likewise
	nlong int

	// What was asked for last: neighbours often repeat.
	last    uint32
	lastKey uint64 // of a short text; 0 for a long one
}

func (d *dictionaryBuilder) entry(code uint32) []byte {
	start := uint32(0)
	if code > 0 {
		start = d.ends[code-1]
	}
	return d.text[start:d.ends[code]]
}

func (d *dictionaryBuilder) table() *textTable {
	text := string(d.text)
	return &textTable{text, pack(d.ends, 0, packedWidth(uint64(len(text)))), len(d.ends), true}
}

func (d *dictionaryBuilder) codeOf(s string) uint32 {
	var small [64]byte
	return d.code(append(small[:0], s...))
}

// code numbers a text that is not empty.
func (d *dictionaryBuilder) code(s []byte) uint32 {
	if len(s) > 8 || s[len(s)-1] == 0 {
		return d.longCode(s)
	}
	var word [8]byte
	copy(word[:], s)
	return d.shortCode(s, binary.LittleEndian.Uint64(word[:]))
}

func (d *dictionaryBuilder) add(s []byte, key uint64) uint32 {
	d.text = append(doubled(d.text, len(s)), s...)
	d.ends = append(doubled(d.ends, 1), uint32(len(d.text)))
	d.keys = append(doubled(d.keys, 1), key)
	return uint32(len(d.ends) - 1)
}

// doubled makes room for n more, and twice that. What append does in its stead comes
// to twice as many bytes in the end.
func doubled[T any](s []T, n int) []T {
	if cap(s)-len(s) < n {
		return slices.Grow(s, max(2*cap(s), 64, n)-len(s))
	}
	return s
}

// shortCode numbers a text whose bytes make the number key. Texts have no NUL at
// their end, so the number tells them apart.
func (d *dictionaryBuilder) shortCode(s []byte, key uint64) uint32 {
	if key == d.lastKey {
		return d.last
	}
	if 2*(len(d.ends)-d.nlong) >= len(d.short) {
		d.short = d.grown(d.short)
	}
	mask := uint64(len(d.short) - 1)
	at := mix(key) & mask
	for d.short[at] == 0 || d.keys[d.short[at]-1] != key {
		if d.short[at] == 0 {
			d.short[at] = d.add(s, key) + 1
			break
		}
		at = (at + 1) & mask
	}
	d.last, d.lastKey = d.short[at]-1, key
	return d.last
}

func (d *dictionaryBuilder) longCode(s []byte) uint32 {
	if d.lastKey == 0 && len(d.ends) > 0 && bytes.Equal(d.entry(d.last), s) {
		return d.last
	}
	if 2*d.nlong >= len(d.long) {
		d.long = d.grown(d.long)
	}
	key := hashText(s)
	mask := uint64(len(d.long) - 1)
	at := mix(key) & mask
	for d.long[at] == 0 || d.keys[d.long[at]-1] != key || !bytes.Equal(d.entry(d.long[at]-1), s) {
		if d.long[at] == 0 {
			d.long[at] = d.add(s, key) + 1
			d.nlong++
			break
		}
		at = (at + 1) & mask
	}
	d.last, d.lastKey = d.long[at]-1, 0
	return d.last
}

// grown moves codes to a larger table.
func (d *dictionaryBuilder) grown(old []uint32) []uint32 {
	table := make([]uint32, max(4*len(old), 64))
	mask := uint64(len(table) - 1)
	for _, code := range old {
		if code == 0 {
			continue
		}
		at := mix(d.keys[code-1]) & mask
		for table[at] != 0 {
			at = (at + 1) & mask
		}
		table[at] = code
	}
	return table
}

func (d *dictionaryBuilder) reset() {
	d.short = cleared(d.short, len(d.ends)-d.nlong)
	d.long = cleared(d.long, d.nlong)
	d.text, d.ends, d.keys, d.nlong, d.last, d.lastKey = d.text[:0], d.ends[:0], d.keys[:0], 0, 0, 0
}

// cleared empties a table of n texts. One that was much too large for them is
// given up: to clear it would take longer than to fill another.
func cleared[T any](table []T, n int) []T {
	if 32*n+64 < len(table) {
		return nil
	}
	clear(table)
	return table
}

const mixer = 0x9e3779b97f4a7c15

func mix(x uint64) uint64 {
	x *= mixer
	return x ^ x>>32
}

// hashText mixes eight bytes at a time, of a text of more than eight bytes. Texts
// that collide cost time, not correctness.
func hashText(s []byte) uint64 {
	h := uint64(len(s)) * mixer
	for ; len(s) > 8; s = s[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64(s))
	}
	var word [8]byte
	copy(word[:], s)
	return mix(h ^ binary.LittleEndian.Uint64(word[:]))
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
