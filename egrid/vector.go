package egrid

import (
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Vector is one column of a [Batch]: a typed, immutable run of cells, some of
// which may be missing. It is safe to share.
//
//	encoding   a cell
//	missing    all cells are missing
//	integer    base + values[i]
//	decimal    (base + values[i]) / 10^scale, which is exact to the last digit of the file
//	float      the IEEE 754 bits of values[i]
//	flag       values[i] is 0 or 1
//	text       text values[i] of the dictionary
type Vector struct {
	encoding encoding
	lossy    bool
	scale    uint8
	base     int64
	valid    packed // width 1, as Arrow's validity; no data: every cell is present
	values   packed
	texts    *textTable // of a text column; columns may share one
	n        int
}

// textTable is the dictionary of a text column. It is immutable.
type textTable struct {
	text     string
	ends     packed // where each entry ends in text
	entries  int
	distinct bool // entries are known to be
}

func (d *textTable) entry(code int) string {
	start := uint64(0)
	if code > 0 {
		start = d.ends.get(code - 1)
	}
	return d.text[start:d.ends.get(code)]
}

func (d *textTable) same(e *textTable) bool {
	return d == e || d != nil && e != nil && d.entries == e.entries && d.text == e.text && d.ends.same(e.ends)
}

type encoding uint8

const (
	encMissing encoding = iota
	encInteger
	encDecimal
	encFloat
	encFlag
	encText
	encodings
)

// Len returns the number of cells.
func (v *Vector) Len() int { return v.n }

// Type returns the type of the cells; empty when all are missing.
func (v *Vector) Type() Type {
	switch v.encoding {
	case encInteger:
		return Integer
	case encDecimal, encFloat:
		return Number
	case encFlag:
		return Flag
	case encText:
		return Text
	}
	return ""
}

// Same reports whether the cells of two columns are the same and kept in the same
// form, which takes a fraction of the time of comparing cells. False says nothing:
// the same cells may be kept in several forms.
func (v *Vector) Same(w *Vector) bool {
	return v.n == w.n && v.encoding == w.encoding && v.scale == w.scale && v.base == w.base &&
		v.valid.same(w.valid) && v.values.same(w.values) && v.texts.same(w.texts)
}

// Lossy reports that the file held a value of the column rounded for display,
// so that digits may be gone. That is said of a file by itself: of what is published
// [Snapshot].Lossy tells.
func (v *Vector) Lossy() bool { return v.lossy }

// IsMissing reports whether the i-th cell is missing.
func (v *Vector) IsMissing(i int) bool {
	return v.encoding == encMissing || v.valid.data != nil && !v.valid.bit(i)
}

// Missing returns the number of missing cells.
func (v *Vector) Missing() int {
	switch {
	case v.encoding == encMissing:
		return v.n
	case v.valid.data == nil:
		return 0
	}
	present := 0
	for _, b := range v.valid.data[:(v.n+7)/8] {
		present += bits.OnesCount8(b)
	}
	return v.n - present
}

// Float returns the i-th cell of a numeric column, in the column's unit. It is
// false when the cell is missing or no number.
func (v *Vector) Float(i int) (float64, bool) {
	if v.IsMissing(i) {
		return 0, false
	}
	switch v.encoding {
	case encInteger:
		return float64(v.integer(i)), true
	case encDecimal:
		return float64(v.integer(i)) / cell.Powers[v.scale], true
	case encFloat:
		return math.Float64frombits(v.values.get(i)), true
	}
	return 0, false
}

// Floats appends the cells of a numeric column to dst, NaN for missing ones.
func (v *Vector) Floats(dst []float64) []float64 {
	dst = slices.Grow(dst, v.n)
	for i := range v.n {
		if x, ok := v.Float(i); ok {
			dst = append(dst, x)
		} else {
			dst = append(dst, math.NaN())
		}
	}
	return dst
}

func (v *Vector) integer(i int) int64 { return v.base + int64(v.values.get(i)) }

// Int returns the i-th cell of an integer column.
func (v *Vector) Int(i int) (int64, bool) {
	if v.encoding != encInteger || v.IsMissing(i) {
		return 0, false
	}
	return v.integer(i), true
}

// Bool returns the i-th cell of a flag column.
func (v *Vector) Bool(i int) (yes, ok bool) {
	if v.encoding != encFlag || v.IsMissing(i) {
		return false, false
	}
	return v.values.get(i) != 0, true
}

// Text returns the i-th cell as text, empty when it is missing.
func (v *Vector) Text(i int) string {
	if v.encoding == encText && !v.IsMissing(i) {
		return v.Entry(int(v.values.get(i)))
	}
	return v.Value(i).String()
}

// Code returns the place of the i-th cell of a text column in the column's
// dictionary; -1 when it is missing or no text. Equal codes are equal cells; in
// a batch that a [Builder] made, equal cells have equal codes, too.
func (v *Vector) Code(i int) int {
	if v.encoding != encText || v.IsMissing(i) {
		return -1
	}
	return int(v.values.get(i))
}

// Entries returns the size of a text column's dictionary. It may have entries
// that no cell refers to.
func (v *Vector) Entries() int {
	if v.texts == nil {
		return 0
	}
	return v.texts.entries
}

// Entry returns a text of the dictionary.
func (v *Vector) Entry(code int) string { return v.texts.entry(code) }

// Decimals returns the number of decimal places in which the cells are kept
// exactly, as whole numbers of 10^-places; false for other columns than those
// and integers, whose places are 0. [Vector.Mantissa] returns such a number.
func (v *Vector) Decimals() (places int, ok bool) {
	return int(v.scale), v.encoding == encDecimal || v.encoding == encInteger
}

// Mantissa returns the i-th cell in units of 10^-places, see [Vector.Decimals];
// false when it is missing.
func (v *Vector) Mantissa(i int) (int64, bool) {
	if v.encoding != encDecimal && v.encoding != encInteger || v.IsMissing(i) {
		return 0, false
	}
	return v.integer(i), true
}

// Value returns the i-th cell.
func (v *Vector) Value(i int) Value {
	if v.IsMissing(i) {
		return Value{}
	}
	switch v.encoding {
	case encInteger:
		return IntegerOf(v.integer(i))
	case encFlag:
		return FlagOf(v.values.get(i) != 0)
	case encText:
		return Value{typ: text, text: v.Entry(int(v.values.get(i)))}
	}
	f, _ := v.Float(i)
	return NumberOf(f)
}

// appendNumber writes the i-th cell, a number that is present, as the shortest
// decimal that reads back the same.
func (v *Vector) appendNumber(dst []byte, i int) []byte {
	switch v.encoding {
	case encInteger:
		return strconv.AppendInt(dst, v.integer(i), 10)
	case encDecimal:
		return appendDecimal(dst, v.integer(i), int(v.scale))
	}
	return strconv.AppendFloat(dst, math.Float64frombits(v.values.get(i)), 'f', -1, 64)
}

// appendDecimal writes m / 10^scale without trailing zeros. Up to 15 digits
// that is the shortest decimal that reads back the same; beyond, strconv knows.
func appendDecimal(dst []byte, m int64, scale int) []byte {
	if m <= -1e15 || m >= 1e15 {
		return strconv.AppendFloat(dst, float64(m)/cell.Powers[scale], 'f', -1, 64)
	}
	if m < 0 {
		dst = append(dst, '-')
		m = -m
	}
	for scale > 0 && m%10 == 0 {
		m /= 10
		scale--
	}
	if scale == 0 {
		return strconv.AppendInt(dst, m, 10)
	}
	var digits [20]byte
	b := strconv.AppendInt(digits[:0], m, 10)
	if len(b) <= scale {
		dst = append(dst, '0', '.')
		for range scale - len(b) {
			dst = append(dst, '0')
		}
		return append(dst, b...)
	}
	dst = append(dst, b[:len(b)-scale]...)
	dst = append(dst, '.')
	return append(dst, b[len(b)-scale:]...)
}
