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

// equal has the highest bit of each byte of w that is the same as in of, where all
// bytes are ASCII. One that is not may set those behind it by mistake.
func equal(w, of uint64) uint64 { return ^(w ^ of + lows) & highs }

// byteSet is which bytes of a word have their highest bit set: how many they are, and
// their places from the lowest on, eight bits each.
type byteSet struct {
	places uint64
	n      int
}

var byteSets = func() (all [256]byteSet) {
	for i := range all {
		s := &all[i]
		for rest := uint(i); rest != 0; rest &= rest - 1 {
			s.places |= uint64(bits.TrailingZeros(rest)) << (8 * s.n)
			s.n++
		}
	}
	return all
}()

// byteSetOf wants no other bits than the highest of each byte.
func byteSetOf(w uint64) *byteSet { return &byteSets[w>>7*0x0102040810204080>>56] }

// find finds the fields of up to blockRows records at the front of data, and
// returns how many records there are and their bytes.
func (b *block) find(data []byte, columns int, delim byte) (records, size int) {
	most := min(blockRows*columns, len(data)) // a small file takes little memory
	if len(b.ends) < most+wordBytes {
		b.ends, b.lines = make([]uint32, most+wordBytes), make([]uint32, most+wordBytes)
	}
	ends, lines, delims := b.ends, b.lines, ones*uint64(delim)
	n, m := 0, 0
	for pos := 0; pos+wordBytes <= len(data) && n < most; pos += wordBytes {
		read, found := plainFields(data[pos:], delims, ends[n:], uint32(pos))
		n += found
		if pos += read; pos+wordBytes > len(data) || n >= most {
			break
		}
		w := binary.LittleEndian.Uint64(data[pos:])
		hits, newline := equal(w, delims), equal(w, ones*'\n')
		odd := highs&^(plain(w)|hits|newline|equal(w, ones*'\r')) | w&highs
		before := odd&-odd - 1 // all when there is none
		newline &= before
		m += byteSetOf(newline).write(lines[m:m+wordBytes], uint32(pos))
		n += byteSetOf((hits|newline)&before).write(ends[n:n+wordBytes], uint32(pos))
		if odd != 0 {
			place := pos + bits.TrailingZeros64(odd)>>3
			start := 0
			if n > 0 {
				start = int(ends[n-1]) + 1
			}
			length := quotedField(data[place:], delim)
			if place != start || length == 0 {
				break
			}
			pos = place + length - wordBytes
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

// plainFields writes where fields end in the words at the front of data that have
// nothing but delimiters and plain text, and returns the words' bytes and the number
// of fields. The place of data is added.
func plainFields(data []byte, delims uint64, ends []uint32, at uint32) (read, n int) {
	whole := len(data)
	for ; len(data) >= wordBytes && n+wordBytes <= len(ends); data = data[wordBytes:] {
		w := binary.LittleEndian.Uint64(data)
		if plain(w) != highs {
			break
		}
		n += byteSetOf(equal(w, delims)).write(ends[n:n+wordBytes], at)
		at += wordBytes
	}
	return whole - len(data), n
}

// plain has the highest bit of each byte that is ASCII, not below a blank, and no
// quote. One that is not ASCII may change those behind it by mistake.
func plain(w uint64) uint64 {
	return (w + (lows + ones - ones*' ')) & (w ^ ones*'"' + lows) &^ w & highs
}

// write writes the places in a word that is at pos, and returns how many they are.
// Writing some that are none, to write over them, takes less time than finding out
// how many there are.
func (s *byteSet) write(to []uint32, pos uint32) int {
	to[0] = pos + uint32(uint8(s.places))
	to[1] = pos + uint32(uint8(s.places>>8))
	to[2] = pos + uint32(uint8(s.places>>16))
	if s.n > 3 {
		s.writeRest(to, pos)
	}
	return s.n
}

func (s *byteSet) writeRest(to []uint32, pos uint32) {
	for i := 3; i < s.n; i++ {
		to[i] = pos + uint32(uint8(s.places>>(8*i)))
	}
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
	if d.sheet.Dialect.Escaped && bytes.IndexByte(data, '&') >= 0 {
		return false
	}
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
	case repeated:
		return b.allAre(data, *c.only)
	case rounds:
		return b.rounded(d, data)
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
	look, digits := &closer[c.form], c.form == whole
	for k, from := range b.from {
		to := b.to[k]
		switch {
		case from < to && !look[data[from]] && data[to-1] > ' ':
		case digits && from < to && to-from <= wordBytes && int(from)+wordBytes <= len(data) &&
			cell.Digits(binary.LittleEndian.Uint64(data[from:]), to-from):
		case !b.text(c, data, k):
			return false
		}
	}
	return true
}

// text is texts of the k-th field.
func (b *block) text(c *columnDecoder, data []byte, k int) bool {
	from, to := b.from[k], b.to[k]
	quoted := false
	if from < to && data[from] == '"' {
		from, to, quoted = from+1, to-1, true
		b.from[k], b.to[k] = from, to
	}
	if from == to {
		return !c.required
	}
	first := firstBytes[data[from]]
	switch {
	case first == odd || data[to-1] <= ' ':
		return false
	case first == mayBeMark && to-from <= cell.MaxMark && c.marked(string(data[from:to]), quoted):
		b.to[k] = from
		return !c.required
	}
	return c.plain(data[from:to])
}

// decimals reads fields of plain digits, of at most so many decimal places. It
// reports false when one is written in another way.
func (b *block) decimals(data []byte, maxPlaces int) bool {
	clear(b.present)
	for k, from := range b.from {
		to := b.to[k]
		b.numbers[k], b.places[k] = 0, 0
		if from == to {
			continue
		}
		if n := to - from; n <= wordBytes && int(from)+wordBytes <= len(data) {
			if m, places, ok := cell.Short(binary.LittleEndian.Uint64(data[from:]), n); ok && places <= maxPlaces {
				b.numbers[k], b.places[k] = m, uint8(places)
				b.present[k>>6] |= 1 << (k & 63)
				continue
			}
		}
		field := data[from:to]
		m, places, n := cell.Scan(field)
		if n == len(field) && places <= maxPlaces && (maxPlaces > 0 || field[n-1] != '.') {
			b.numbers[k], b.places[k] = m, uint8(places)
			b.present[k>>6] |= 1 << (k & 63)
			continue
		}
		if len(field) > cell.MaxMark || field[0] == ' ' || !cell.Missing(string(field)) {
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

// rounded marks the columns that the records name as rounded.
func (b *block) rounded(d *Decoder, data []byte) bool {
	for k, from := range b.from {
		field := data[from:b.to[k]]
		if len(field) > 0 && field[0] == '"' {
			field = field[1 : len(field)-1]
		}
		if len(field) > 0 && (field[0] <= ' ' || cell.Missing(string(field)) || d.markRounded(field) != "") {
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
