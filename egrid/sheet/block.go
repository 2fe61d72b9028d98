package sheet

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// fewRecords is up to how many records are not worth a block.
const fewRecords = 8

// blockRows is how many records are decoded at once, column by column.
const blockRows = 512

// block is the way that most records are decoded: first the places of their
// fields, then one column after the other. It takes records of one line, with
// as many fields as the header, of plain ASCII without quotes. It keeps its
// buffers from one block to the next.
type block struct {
	ends    []uint32 // where field j of record k ends: ends[k*columns+j]
	lines   []uint32 // where the records end
	from    []uint32 // where the fields of a column begin, and end
	to      []uint32
	numbers []int64
	places  []uint8
	present []uint64
	rest    int // records that are decoded one by one before the next block is tried
	wait    int // how many when it finds few: more each time
}

const (
	wordBytes = 8

	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	lows  = highs - ones
)

// zeros has the highest bit of each byte that is zero in w.
func zeros(w uint64) uint64 { return ^((w&lows + lows) | w | lows) }

// find finds the fields of up to blockRows records at the front of data, and
// returns how many records there are and their bytes.
func (b *block) find(data []byte, columns int, delim byte) (records, size int) {
	most := blockRows * columns
	if len(b.ends) < most+wordBytes {
		b.ends, b.lines = make([]uint32, most+wordBytes), make([]uint32, most+wordBytes)
	}
	ends, lines, delims := b.ends, b.lines, ones*uint64(delim)
	n, m := 0, 0
	for pos := 0; pos+wordBytes <= len(data) && n < most; {
		w := binary.LittleEndian.Uint64(data[pos:])
		newline := zeros(w ^ ones*'\n')
		// What is below a blank but for line ends, quotes, and what is beyond
		// ASCII. Bytes behind the first may be in it by mistake.
		v, quote := w|newline>>1|zeros(w^ones*'\r')>>1, w^ones*'"'
		odd := (w | (v-ones*' ')&^v | (quote-ones)&^quote) & highs
		hits := newline | zeros(w^delims)
		if odd != 0 {
			before := odd&-odd - 1
			hits &= before
			newline &= before
		}
		// Writing places that are none, to write over them, takes less time than
		// finding out how many there are.
		h := hits
		to := ends[n : n+wordBytes]
		for i := range 4 {
			to[i] = uint32(pos + bits.TrailingZeros64(h)>>3)
			h &= h - 1
		}
		for i := 4; h != 0; i++ {
			to[i] = uint32(pos + bits.TrailingZeros64(h)>>3)
			h &= h - 1
		}
		n += bits.OnesCount64(hits)
		for ; newline != 0; newline &= newline - 1 {
			lines[m] = uint32(pos + bits.TrailingZeros64(newline)>>3)
			m++
		}
		if pos += wordBytes; odd != 0 {
			place := pos - wordBytes + bits.TrailingZeros64(odd)>>3
			start := 0
			if n > 0 {
				start = int(ends[n-1]) + 1
			}
			length := quotedField(data[place:], delim)
			if place != start || length == 0 {
				break
			}
			pos = place + length
		}
	}
	// A record is whole when its line ends with its last field. One without any
	// value is not for here.
	for ; records < m && (records+1)*columns <= n && records < blockRows; records++ {
		end := lines[records]
		last := (records+1)*columns - 1
		if ends[last] != end {
			break
		}
		if int(end) > size && data[end-1] == '\r' {
			ends[last]--
		}
		if int(ends[last])-size == columns-1 {
			break
		}
		size = int(end) + 1
	}
	return records, size
}

// quotedField returns the length of a quoted field at the front of data; 0 when
// it is not plain, without quotes inside.
func quotedField(data []byte, delim byte) int {
	if data[0] != '"' {
		return 0
	}
	n := bytes.IndexByte(data[1:], '"') + 2
	if n < 2 || n >= len(data) || data[n] != delim && data[n] != '\n' {
		return 0
	}
	for _, c := range data[1 : n-1] {
		if c < ' ' || c >= utf8.RuneSelf {
			return 0
		}
	}
	return n
}

// decode decodes the records that find found, whose first has the given line
// and number. It reports false, and sets nothing that counts, when a cell takes
// another way.
func (b *block) decode(d *Decoder, data []byte, records int, line, number int64) bool {
	b.from = grown(b.from, records)
	b.to = grown(b.to, records)
	b.numbers = grown(b.numbers, records)
	b.places = grown(b.places, records)
	b.present = grown(b.present, (records+63)/64)
	for j := range d.columns {
		c := &d.columns[j]
		b.column(j, len(d.columns), records)
		if !b.set(d, c, data) {
			d.current.DropRows(records)
			return false
		}
	}
	d.current.EndRows(records, number, line)
	return true
}

// set decodes one column.
func (b *block) set(d *Decoder, c *columnDecoder, data []byte) bool {
	switch c.kind {
	case skipped:
		return !b.spaced(data)
	case releases:
		return b.allAre(data, *c.only)
	case texts:
		if !b.texts(c, data) {
			return false
		}
		d.current.Texts(c.at, data, b.from, b.to)
		return true
	case years:
		return b.decimals(data, 0) && b.all(int64(d.year))
	case integers:
		if !b.decimals(data, 0) {
			return false
		}
		d.current.Ints(c.at, b.numbers, b.present)
		return true
	case numbers:
		if !b.decimals(data, cell.MaxPlaces-maxShift) {
			return false
		}
		if c.converts != (conversion{}) && !b.convert(c.converts) {
			return false
		}
		d.current.Decimals(c.at, b.numbers, b.places, b.present)
		return true
	case flags:
		if !b.flags(data) {
			return false
		}
		d.current.Ints(c.at, b.numbers, b.present)
		return true
	}
	return false // what a mapping transforms is read row by row
}

// convert converts the numbers. It reports false when one gets too large.
func (b *block) convert(by conversion) bool {
	for k, m := range b.numbers {
		m, places, ok := by.apply(m, int(b.places[k]))
		if !ok {
			return false
		}
		b.numbers[k], b.places[k] = m, uint8(places)
	}
	return true
}

// flags reads the ways in which EPA writes flags.
func (b *block) flags(data []byte) bool {
	clear(b.present)
	for k, from := range b.from {
		switch field := data[from:b.to[k]]; string(field) {
		case "":
			continue
		case "Yes", "Y", "1":
			b.numbers[k] = 1
		case "No", "N", "0":
			b.numbers[k] = 0
		default:
			if !cell.Missing(string(field)) {
				return false
			}
			continue
		}
		b.present[k>>6] |= 1 << (k & 63)
	}
	return true
}

// column takes the places of a column's fields.
func (b *block) column(j, columns, records int) {
	if j > 0 {
		for k := range records {
			b.from[k] = b.ends[k*columns+j-1] + 1
			b.to[k] = b.ends[k*columns+j]
		}
		return
	}
	start := uint32(0)
	for k := range records {
		b.from[k] = start
		b.to[k] = b.ends[k*columns]
		start = b.lines[k] + 1
	}
}

// spaced reports whether a field begins with a blank: a record of nothing else is
// left out, as one of empty fields is.
func (b *block) spaced(data []byte) bool {
	for k, from := range b.from {
		if from < b.to[k] && data[from] <= ' ' {
			return true
		}
	}
	return false
}

// texts makes fields that mark a missing cell empty. It reports false when one
// has blanks around it, is not in its normal form, or is missing where a row has
// its identifier.
func (b *block) texts(c *columnDecoder, data []byte) bool {
	for k, from := range b.from {
		to := b.to[k]
		quoted := false
		if from < to && data[from] == '"' {
			from, to, quoted = from+1, to-1, true
			b.from[k], b.to[k] = from, to
		}
		if from == to {
			if c.required {
				return false
			}
			continue
		}
		first := firstBytes[data[from]]
		if first == odd || data[to-1] <= ' ' {
			return false
		}
		if first == mayBeMark && to-from <= cell.MaxMark && c.marked(string(data[from:to]), quoted) {
			if c.required {
				return false
			}
			b.to[k] = from
			continue
		}
		if c.form != asIs && !c.plain(data[from:to]) {
			return false
		}
	}
	return true
}

// decimals reads fields of plain digits, of at most so many decimal places. It
// reports false when one is written in another way.
func (b *block) decimals(data []byte, maxPlaces int) bool {
	clear(b.present)
	for k, from := range b.from {
		field := data[from:b.to[k]]
		b.numbers[k], b.places[k] = 0, 0
		if len(field) == 0 {
			continue
		}
		m, places, n := cell.Scan(field)
		if n == len(field) && places <= maxPlaces && (maxPlaces > 0 || field[n-1] != '.') {
			b.numbers[k], b.places[k] = m, uint8(places)
			b.present[k>>6] |= 1 << (k & 63)
			continue
		}
		if len(field) > cell.MaxMark || !cell.Missing(string(field)) {
			return false
		}
	}
	return true
}

// all reports whether every number is there and the same.
func (b *block) all(want int64) bool {
	for k, x := range b.numbers {
		if x != want || b.present[k>>6]>>(k&63)&1 == 0 {
			return false
		}
	}
	return true
}

// allAre reports whether every field has the same text.
func (b *block) allAre(data []byte, want string) bool {
	for k, from := range b.from {
		field := data[from:b.to[k]]
		if len(field) > 0 && field[0] == '"' {
			field = field[1 : len(field)-1]
		}
		if string(field) != want {
			return false
		}
	}
	return true
}

func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, blockRows))
	}
	return s[:n]
}
