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
	codes := c.codes[b.n : b.n+len(from)]
	var present, key uint64 // of the last 64 cells; of the last short text
	var code uint32
	for k, start := range from {
		end := to[k]
		switch n := end - start; {
		case n == 0:
		case n > 8 || int(start)+8 > len(data) || data[end-1] == 0:
			codes[k] = c.dict.code(data[start:end])
			present |= 1 << (k & 63)
		default:
			if next := binary.LittleEndian.Uint64(data[start:]) << (64 - 8*n) >> (64 - 8*n); next != key {
				key, code = next, c.dict.shortCode(data[start:end], next)
			}
			codes[k] = code
			present |= 1 << (k & 63)
		}
		if k&63 == 63 || k == len(from)-1 {
			c.markWord(b.n+k&^63, present)
			present = 0
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
			c.codes[b.n+k] = uint32(code)
		default:
			c.codes[b.n+k] = c.dict.codeOf(of.Entry(int(code)))
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
	for _, i := range b.marks {
		b.columns[i].lossy = true
	}
	b.marks = b.marks[:0]
}

// DropRows forgets the cells of n rows that were set since the last row was
// ended.
func (b *Builder) DropRows(n int) {
	b.marks = b.marks[:0]
	for i := range b.columns {
		for k := b.n; k < min(b.n+n, b.room); k++ {
			b.columns[i].unset(k)
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
	for k := 0; 64*k < n; k++ {
		word := present[k]
		if rest := n - 64*k; rest < 64 {
			word &= 1<<rest - 1
		}
		c.markWord(at+64*k, word)
	}
}

// markWord sets the bits of up to 64 cells from row at.
func (c *columnBuilder) markWord(at int, present uint64) {
	shift := uint(at & 63)
	c.valid[at>>6] |= present << shift
	if high := present >> (63 - shift) >> 1; high != 0 {
		c.valid[at>>6+1] |= high
	}
}
