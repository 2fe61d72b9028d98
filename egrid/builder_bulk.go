package egrid

import (
	"encoding/binary"
	"math"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Ints sets cells of an integer column, or of a flag column as 0 and 1, of the
// rows that follow the last one that was ended. Column by column takes a fraction
// of the time of row by row. EndRows keeps the rows when every column is set. A
// cell whose bit in present is not set stays missing, whatever xs has there; bit k
// is present[k/64]>>(k%64)&1.
func (b *Builder) Ints(i int, xs []int64, present []uint64) {
	c := b.roomFor(i, len(xs))
	for k, x := range xs {
		c.values[b.n+k] = uint64(x) & -(present[k>>6] >> (k & 63) & 1)
	}
	c.mark(b.n, present, len(xs))
}

// Decimals sets cells of a number column to mantissas[k] / 10^places[k], see
// [Builder.Decimal]. present is as in Ints.
func (b *Builder) Decimals(i int, mantissas []int64, places []uint8, present []uint64) {
	c := b.roomFor(i, len(mantissas))
	most := 0
	for _, p := range places {
		most = max(most, int(p))
	}
	if most > c.scale && most <= cell.MaxPlaces && !c.floats {
		c.rescale(b.n, most)
	}
	for k, m := range mantissas {
		if present[k>>6]>>(k&63)&1 == 0 {
			continue
		}
		if more := c.scale - int(places[k]); !c.floats && more >= 0 {
			if m, ok := scaled(m, more); ok {
				c.values[b.n+k] = uint64(m)
				continue
			}
		}
		// The column becomes floats, with what is set of these rows.
		if !c.floats {
			c.toFloats(b.n + k)
		}
		c.values[b.n+k] = math.Float64bits(float64(m) / math.Pow10(int(places[k])))
	}
	c.mark(b.n, present, len(mantissas))
}

// Texts sets cells of a text column to data[from[k]:to[k]]; empty ones are
// missing. The bytes are copied.
func (b *Builder) Texts(i int, data []byte, from, to []uint32) {
	c := b.roomFor(i, len(from))
	c.share(nil)
	for k, start := range from {
		end := to[k]
		n := end - start
		switch {
		case n == 0:
			continue
		case n > 8 || int(start)+8 > len(data):
			c.set(b.n+k, uint64(c.dict.code(data[start:end])))
		default:
			key := binary.LittleEndian.Uint64(data[start:]) << (64 - 8*n) >> (64 - 8*n)
			if key != c.dict.lastKey || data[end-1] == 0 { // a key tells texts apart that do not end with NUL
				c.dict.code(data[start:end])
			}
			c.set(b.n+k, uint64(c.dict.last))
		}
	}
}

// Codes sets cells of a text column to texts of the dictionary of a vector, by
// their code, see [Vector.Code]. present is as in Ints. The batch shares the
// dictionary where that is no waste.
func (b *Builder) Codes(i int, of *Vector, codes []int64, present []uint64) {
	c := b.roomFor(i, len(codes))
	shares := of.texts != nil && c.share(of.texts)
	for k, code := range codes {
		switch {
		case present[k>>6]>>(k&63)&1 == 0:
		case shares:
			c.values[b.n+k] = uint64(code)
		default:
			c.values[b.n+k] = uint64(c.dict.codeOf(of.Entry(int(code))))
		}
	}
	c.mark(b.n, present, len(codes))
}

// EndRows keeps n rows, numbered and at lines that follow each other.
func (b *Builder) EndRows(n int, number, line int64) {
	if b.n+n > b.room {
		b.grow(b.n + n)
	}
	for k := range int64(n) {
		b.numbers = append(b.numbers, number+k)
		b.lines = append(b.lines, line+k)
	}
	b.n += n
}

// DropRows forgets the cells of n rows that were set since the last row was
// ended.
func (b *Builder) DropRows(n int) {
	b.marks = b.marks[:0]
	for i := range b.columns {
		c := &b.columns[i]
		for k := b.n; k < min(b.n+n, b.room); k++ {
			c.values[k] = 0
			c.valid[k>>6] &^= 1 << (k & 63)
		}
	}
}

// roomFor returns a column with room for n more rows.
func (b *Builder) roomFor(i, n int) *columnBuilder {
	if b.n+n > b.room {
		b.grow(b.n + n)
	}
	return &b.columns[i]
}

// mark sets the bits of n cells from row at.
func (c *columnBuilder) mark(at int, present []uint64, n int) {
	shift := uint(at & 63)
	for k := 0; 64*k < n; k++ {
		word := present[k]
		if rest := n - 64*k; rest < 64 {
			word &= 1<<rest - 1
		}
		c.valid[at>>6+k] |= word << shift
		if high := word >> (63 - shift) >> 1; high != 0 {
			c.valid[at>>6+k+1] |= high
		}
	}
}
