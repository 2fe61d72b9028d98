package egrid

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// packed is an array of unsigned integers of equal width, least significant
// bit first. It is the only storage of a Batch: values, codes of texts, places
// of texts and validity are all packed, so that one reader serves all of them
// and the form in memory is the form on the wire.
//
// Width is 0 to 56 bits, or 64. data ends with packedPad spare bytes, so that a
// value can be read by one 8-byte load wherever it stands.
type packed struct {
	data  []byte
	width uint
}

const packedPad = 7

// packedWidth is the width that holds x.
func packedWidth(x uint64) uint {
	if n := uint(bits.Len64(x)); n <= 56 {
		return n
	}
	return 64
}

// packedBytes is the length of n values of a width, or -1 when it is no width
// or the length passes what a Batch may have.
func packedBytes(n int, width uint) int {
	switch {
	case width == 0:
		return 0
	case width > 56 && width != 64, uint64(n) > maxBatchBytes:
		return -1
	}
	size := (uint64(n)*uint64(width)+7)/8 + packedPad
	if size > maxBatchBytes {
		return -1
	}
	return int(size)
}

// pack stores xs less a base. All differences fit the width.
func pack[T uint64 | uint32 | int64](xs []T, base T, width uint) packed {
	p := packed{width: width}
	if width == 0 {
		return p
	}
	p.data = make([]byte, packedBytes(len(xs), width))
	if width == 64 {
		for i, x := range xs {
			binary.LittleEndian.PutUint64(p.data[8*i:], uint64(x-base))
		}
		return p
	}
	out := p.data
	var word uint64 // bits that are not written yet
	var have uint
	for _, x := range xs {
		v := uint64(x - base)
		word |= v << (have & 63)
		if have += width; have >= 64 {
			binary.LittleEndian.PutUint64(out, word)
			out = out[8:]
			have -= 64
			word = v >> ((width - have) & 63)
		}
	}
	for i := 0; have > 0; i++ {
		out[i] = byte(word)
		word >>= 8
		have -= min(have, 8)
	}
	return p
}

// get returns the i-th value.
func (p packed) get(i int) uint64 {
	if p.width == 0 {
		return 0
	}
	bit := uint(i) * p.width
	word := binary.LittleEndian.Uint64(p.data[bit>>3:]) >> (bit & 7)
	if p.width == 64 {
		return word
	}
	return word & (1<<p.width - 1)
}

// bit reads a value of width 1, which is a bit of Arrow's validity bitmaps.
func (p packed) bit(i int) bool { return p.data[i>>3]>>(i&7)&1 != 0 }

func (p packed) same(q packed) bool { return p.width == q.width && bytes.Equal(p.data, q.data) }
