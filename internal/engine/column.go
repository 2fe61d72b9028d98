package engine

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Column is a column of one snapshot, prepared for execution. Each cell is a
// whole number, its key. The keys of a column are ordered as its values are
// and are equal where those are, so that filters, sorting, grouping, minima
// and maxima compare whole numbers, whatever the type. It is immutable and
// safe to share.
//
//	form      a key
//	text      place in the sorted dictionary
//	values    place in the sorted values
//	flag      0 or 1
//	integer   the value
//	decimal   the value times 10^scale
//	float     the bits of the value, in the order of the values
//
// A missing cell has the largest key of its width, which sorts it last. No
// value has that key, nor the smallest, so that ^key turns the order around.
type Column struct {
	form        form
	lossy       bool
	full        bool // no cell is missing
	scale       int
	least, most int64   // keys of the values; least is above most when all are missing
	narrow      []int32 // the keys where they fit, else nil
	wide        []int64 // the keys otherwise
	dict        *dictionary
	values      []egrid.Value
	from        *source // what the column was prepared from; nil for columns made by a query
}

type form uint8

const (
	formText form = iota
	formValues
	formFlag
	formInteger
	formDecimal
	formFloat
)

// source is the batches that columns were prepared from together.
type source struct{ batches []*egrid.Batch }

// key is a width of keys.
type key interface{ int32 | int64 }

const (
	absent       = math.MaxInt64 // key of a missing cell
	absentNarrow = math.MaxInt32

	// maxMantissa bounds the keys of a decimal column: below it different
	// decimals are different floats.
	maxMantissa = 1 << 52
)

// dictionary holds the texts of a column, sorted byte by byte.
type dictionary struct {
	texts *egrid.Vector // each once, so that its code is its place
	size  int           // bytes

	once   sync.Once
	folded []byte // all of them, one behind the other, with the letters A-Z in lower case
	ends   []uint32
}

func (d *dictionary) entry(code int64) string { return d.texts.Entry(int(code)) }

func (d *dictionary) fold() {
	d.folded, d.ends = make([]byte, 0, d.size), make([]uint32, d.texts.Len())
	for i := range d.ends {
		d.folded = append(d.folded, lowerASCII(d.texts.Entry(i))...)
		d.ends[i] = uint32(len(d.folded))
	}
}

// mark sets the bits of the entries that have the word in them, which is in
// ASCII lower case and not empty.
func (d *dictionary) mark(set []uint64, word string) {
	d.once.Do(d.fold)
	sought := []byte(word)
	for at := 0; ; {
		found := bytes.Index(d.folded[at:], sought)
		if found < 0 {
			return
		}
		at += found
		code, exact := slices.BinarySearch(d.ends, uint32(at))
		if exact {
			code++ // the entry that starts here
		}
		if at+len(word) <= int(d.ends[code]) {
			set[code>>6] |= 1 << (code & 63)
			at = int(d.ends[code])
		} else {
			at++ // the word crosses the end of an entry
		}
	}
}

// lowerASCII folds the letters A-Z alone.
func lowerASCII(s string) []byte {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return b
}

// Bytes returns the memory that the column takes, with its part of the batches
// that it was prepared from and what is made at its first use.
func (c *Column) Bytes() int64 {
	const itself = 256
	n := c.rows()
	size := int64(itself) + 4*int64(len(c.narrow)) + 8*int64(len(c.wide)) + 40*int64(len(c.values))
	if c.dict != nil {
		size += 3*int64(c.dict.size) + 8*(c.most-c.least+1)
	}
	if c.from != nil && c.least <= c.most { // packed to the bits that the keys need
		size += int64(n) * int64(bits.Len64(uint64(c.most)-uint64(c.least))) / 8
	}
	if !c.full {
		size += int64(n) / 8
	}
	return size
}

func (c *Column) rows() int { return max(len(c.narrow), len(c.wide)) }

// key returns the key of a row's cell, absent when it is missing.
func (c *Column) key(row int) int64 {
	if c.narrow == nil {
		return c.wide[row]
	}
	if k := c.narrow[row]; k != absentNarrow {
		return int64(k)
	}
	return absent
}

// value returns the value that a key stands for.
func (c *Column) value(k int64) egrid.Value {
	if k == absent {
		return egrid.Value{}
	}
	switch c.form {
	case formText:
		return egrid.TextOf(c.dict.entry(k))
	case formValues:
		return c.values[k]
	case formFlag:
		return egrid.FlagOf(k != 0)
	case formInteger:
		return egrid.IntegerOf(k)
	}
	return egrid.NumberOf(c.float(k))
}

// float returns the number that a key stands for; the column is one of numbers.
func (c *Column) float(k int64) float64 {
	switch c.form {
	case formValues:
		x, _ := c.values[k].Float()
		return x
	case formFloat:
		return keyFloat(k)
	}
	return decimalFloat(k, c.scale)
}

// floatKey returns the key of a float: its bits, for negative ones so turned
// around that keys are ordered as floats are. Both zeros have the key 0.
func floatKey(x float64) int64 {
	if k := int64(math.Float64bits(x)); k >= 0 {
		return k
	}
	return -int64(math.Float64bits(-x))
}

// keyFloat returns the float of a key.
func keyFloat(k int64) float64 {
	if k >= 0 {
		return math.Float64frombits(uint64(k))
	}
	return -math.Float64frombits(uint64(-k))
}

// seek returns the first key whose value is not less than v, and whether it is
// equal: most+1 when there is none. No row need have the key.
func (c *Column) seek(v egrid.Value) (k int64, equal bool) {
	low, high := c.least, c.most
	for low <= high {
		middle := low + int64((uint64(high)-uint64(low))/2)
		switch order := c.compare(middle, v); {
		case order == 0:
			return middle, true
		case order < 0:
			low = middle + 1
		default:
			high = middle - 1
		}
	}
	return low, false
}

// compare orders the value of a key and v.
func (c *Column) compare(k int64, v egrid.Value) int {
	if c.form == formText && v.Type() == egrid.Text {
		return cmp.Compare(c.dict.entry(k), v.String())
	}
	return c.value(k).Compare(v)
}

// fits reports whether a batch can hold the column as one of a type.
func (c *Column) fits(t egrid.Type) bool {
	if c.least > c.most {
		return true
	}
	have := c.value(c.least).Type()
	return have == t || have == egrid.Integer && t == egrid.Number
}

// prepare makes a column of the vectors of consecutive batches; nil stands for
// n missing cells.
func prepare(vectors []*egrid.Vector, lengths []int, from *source) *Column {
	c := &Column{from: from}
	var t egrid.Type
	exact, mixed, rows := true, false, 0
	for i, v := range vectors {
		rows += lengths[i]
		if v == nil {
			continue
		}
		c.lossy = c.lossy || v.Lossy()
		if v.Type() == "" {
			continue
		}
		mixed = mixed || t != "" && t != v.Type()
		t = v.Type()
		places, decimal := v.Decimals()
		exact = exact && decimal
		c.scale = max(c.scale, places)
	}
	keys := make([]int64, rows)
	switch {
	case t == "":
		c.dict = &dictionary{}
		fill(keys, vectors, lengths, nil)
	case mixed:
		c.byValue(keys, vectors, lengths)
	case t == egrid.Text:
		c.byText(keys, vectors, lengths)
	case t == egrid.Flag:
		c.form = formFlag
		fill(keys, vectors, lengths, func(v *egrid.Vector, i int) int64 {
			yes, _ := v.Bool(i)
			if yes {
				return 1
			}
			return 0
		})
	case t == egrid.Integer:
		c.form = formInteger
		if !c.byMantissa(keys, vectors, lengths, math.MaxInt64) {
			c.byValue(keys, vectors, lengths)
		}
	default:
		c.form = formDecimal
		if !exact || !c.byMantissa(keys, vectors, lengths, maxMantissa) {
			c.form, c.scale = formFloat, 0
			fill(keys, vectors, lengths, func(v *egrid.Vector, i int) int64 {
				x, _ := v.Float(i)
				return floatKey(x)
			})
		}
	}
	c.hold(keys)
	return c
}

// fill sets the keys of the cells that are present, and absent for the others.
func fill(keys []int64, vectors []*egrid.Vector, lengths []int, of func(v *egrid.Vector, i int) int64) {
	at := 0
	for j, v := range vectors {
		for i := range lengths[j] {
			if v == nil || v.IsMissing(i) {
				keys[at] = absent
			} else {
				keys[at] = of(v, i)
			}
			at++
		}
	}
}

// byMantissa fails when a number does not stay below the limit.
func (c *Column) byMantissa(keys []int64, vectors []*egrid.Vector, lengths []int, limit int64) bool {
	fine := true
	fill(keys, vectors, lengths, func(v *egrid.Vector, i int) int64 {
		places, _ := v.Decimals()
		m, _ := v.Mantissa(i)
		m, ok := rescaled(m, c.scale-places)
		fine = fine && ok && -limit < m && m < limit
		return m
	})
	return fine
}

// rescaled moves the decimal point; false when the number gets too large.
func rescaled(m int64, places int) (int64, bool) {
	for range places {
		if m > math.MaxInt64/10 || m < -math.MaxInt64/10 {
			return 0, false
		}
		m *= 10
	}
	return m, true
}

func (c *Column) byText(keys []int64, vectors []*egrid.Vector, lengths []int) {
	codes := map[string]int64{} // in the order of their first use
	var entries []string
	var of []int64 // entry of the vector -> code; -1 until a cell refers to it
	at := 0
	for j, v := range vectors {
		if v != nil {
			of = slices.Repeat([]int64{-1}, v.Entries())
		}
		for i := range lengths[j] {
			keys[at] = absent
			if v != nil && !v.IsMissing(i) {
				entry := v.Code(i)
				if of[entry] < 0 {
					text := v.Entry(entry)
					code, known := codes[text]
					if !known {
						code = int64(len(entries))
						codes[text] = code
						entries = append(entries, text)
					}
					of[entry] = code
				}
				keys[at] = of[entry]
			}
			at++
		}
	}
	ranks := ranked(entries, strings.Compare)
	sorted := make([]string, len(entries))
	for code, rank := range ranks {
		sorted[rank] = entries[code]
	}
	c.dict = newDictionary(sorted)
	for i, k := range keys {
		if k != absent {
			keys[i] = ranks[k]
		}
	}
}

func newDictionary(sorted []string) *dictionary {
	d := &dictionary{}
	b := egrid.NewBuilder(textSchema(), 0)
	for _, s := range sorted {
		d.size += len(s)
		b.Text(0, []byte(s))
		b.EndRow(0, 0)
	}
	d.texts = b.Batch().Column(0)
	return d
}

// textSchema is that of a dictionary.
var textSchema = sync.OnceValue(func() *egrid.Schema {
	s, err := egrid.NewSchema(egrid.Field{Column: "text", Type: egrid.Text})
	if err != nil {
		panic(err) // it is one field
	}
	return s
})

// byValue keeps a column of any values: integers that leave no key for missing
// cells, or batches of different types.
func (c *Column) byValue(keys []int64, vectors []*egrid.Vector, lengths []int) {
	codes := map[egrid.Value]int64{}
	fill(keys, vectors, lengths, func(v *egrid.Vector, i int) int64 { return code(codes, v.Value(i)) })
	c.sortValues(keys, codes)
}

// code numbers values in the order of their first use.
func code(codes map[egrid.Value]int64, v egrid.Value) int64 {
	k, known := codes[v]
	if !known {
		k = int64(len(codes))
		codes[v] = k
	}
	return k
}

// sortValues turns codes into keys.
func (c *Column) sortValues(keys []int64, codes map[egrid.Value]int64) {
	values := make([]egrid.Value, len(codes))
	for v, k := range codes {
		values[k] = v
	}
	ranks := ranked(values, egrid.Value.Compare)
	c.form, c.scale = formValues, 0
	c.values = make([]egrid.Value, len(values))
	for k, rank := range ranks {
		c.values[rank] = values[k]
	}
	for i, k := range keys {
		if k != absent {
			keys[i] = ranks[k]
		}
	}
}

// ranked returns the place of each value among all of them, sorted. Values that
// compare equal have one place.
func ranked[T any](values []T, compare func(a, b T) int) []int64 {
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(compare(values[a], values[b]), cmp.Compare(a, b)) })
	ranks := make([]int64, len(values))
	for i, k := range order {
		ranks[k] = int64(i)
		if i > 0 && compare(values[k], values[order[i-1]]) == 0 {
			ranks[k] = ranks[order[i-1]]
		}
	}
	return ranks
}

// hold takes over the keys.
func (c *Column) hold(keys []int64) {
	c.wide, c.narrow = keys, nil
	c.measure()
	if c.least <= math.MinInt32 || c.most >= absentNarrow {
		return
	}
	c.narrow, c.wide = make([]int32, len(keys)), nil
	for i, k := range keys {
		c.narrow[i] = int32(min(k, absentNarrow))
	}
}

// measure finds the least and the largest of the wide keys.
func (c *Column) measure() {
	c.least, c.most, c.full = absent, math.MinInt64, true
	for _, k := range c.wide {
		if k == absent {
			c.full = false
			continue
		}
		c.least, c.most = min(c.least, k), max(c.most, k)
	}
	if c.least > c.most {
		c.least, c.most = 0, -1
	}
}
