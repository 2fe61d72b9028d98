package driver

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Outline tells so much of the rows of a sheet that two sheets can be compared
// without reading what they have in common.
type Outline struct {
	Blocks Blocks               `json:"blocks"`
	Places map[egrid.Column]int `json:"places"` // most decimal places of a number in each column that has one

	// Sums are those of the columns; nil where they are not known, as of what an earlier
	// version put.
	Sums map[egrid.Column]ColumnSum `json:"sums,omitempty"`

	orders []string // of the chunks, see [Order]; empty for that of the schema
}

// Blocks are the digests of a sheet's rows, a few rows each, by ascending number.
// Sheets with equal blocks have equal rows there, which need not be compared.
type Blocks []Block

// Block is the digest of the rows whose numbers are from 8*Number to 8*Number+7. As
// [Digest], it tells apart what came about by itself.
type Block struct {
	Number int64
	Rows   int64
	Digest uint64
}

const blockRows = 8

// OutlineOf adds up the outlines of the chunks of a sheet; nil where one is not
// known, as of a chunk that an earlier version put.
func OutlineOf(tallies []Tally) *Outline {
	whole := &Outline{Places: map[egrid.Column]int{}, Sums: map[egrid.Column]ColumnSum{}}
	for _, t := range tallies {
		if t.Outline == nil {
			return nil
		}
		whole.Blocks = append(whole.Blocks, t.Outline.Blocks...)
		if !slices.Contains(whole.orders, t.Order) {
			whole.orders = append(whole.orders, t.Order)
		}
		if t.Rows > 0 {
			whole.Sums = addSums(whole.Sums, t.Outline.Sums)
		}
		for c, places := range t.Outline.Places {
			whole.Places[c] = max(whole.Places[c], places)
		}
	}
	slices.SortFunc(whole.Blocks, func(a, b Block) int { return cmp.Compare(a.Number, b.Number) })
	parts := whole.Blocks
	whole.Blocks = parts[:0]
	for _, b := range parts { // chunks are cut anywhere
		whole.Blocks = whole.Blocks.with(b)
	}
	return whole
}

// with adds rows that come last, or belong to the last block.
func (b Blocks) with(more Block) Blocks {
	if last := len(b) - 1; last >= 0 && b[last].Number == more.Number {
		b[last].Rows += more.Rows
		b[last].Digest += more.Digest
		return b
	}
	return append(b, more)
}

// MarshalText writes each block as the distance of its number from the one before,
// how many rows it has, and its digest, all of it in base64.
func (b Blocks) MarshalText() ([]byte, error) {
	const each = 10 // where blocks follow each other
	data, last := make([]byte, 0, each*len(b)), int64(0)
	for _, x := range b {
		data = binary.AppendVarint(data, x.Number-last)
		data = binary.AppendVarint(data, x.Rows)
		data = binary.LittleEndian.AppendUint64(data, x.Digest)
		last = x.Number
	}
	return base64.StdEncoding.AppendEncode(nil, data), nil
}

// UnmarshalText reads what MarshalText writes.
func (b *Blocks) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("blocks of a sheet: %w", err)
	}
	all, last := make(Blocks, 0, len(data)/10), int64(0)
	for len(data) > 0 {
		distance, n := binary.Varint(data)
		rows, m := binary.Varint(data[max(n, 0):])
		if n <= 0 || m <= 0 || len(data) < n+m+8 {
			return fmt.Errorf("blocks of a sheet: cut off behind block %d", last)
		}
		last += distance
		all = append(all, Block{last, rows, binary.LittleEndian.Uint64(data[n+m:])})
		data = data[n+m+8:]
	}
	*b = all
	return nil
}

// placesIn counts the decimal places of the numbers of a batch, see [Outline].
func placesIn(b *egrid.Batch) map[egrid.Column]int {
	places := map[egrid.Column]int{}
	for i, f := range b.Schema().Fields() {
		if most := morePlaces(0, b.Column(i)); most > 0 {
			places[f.Column] = most
		}
	}
	return places
}

// comparable reports whether the rows of two sheets were hashed with their columns
// in one order.
func (o *Outline) comparable(s *egrid.Schema, p *Outline, t *egrid.Schema) bool {
	order := func(o *Outline, s *egrid.Schema) string {
		switch {
		case len(o.orders) != 1:
			return ""
		case o.orders[0] == "": // as earlier versions did
			return orderOf(s, asTheyAre(s))
		}
		return o.orders[0]
	}
	one := order(o, s)
	return one != "" && one == order(p, t)
}

// unlike finds the rows that two outlines do not have in common, as runs of
// numbers, and counts the rows of the others.
func (o *Outline) unlike(p *Outline) (runs []span, same int64) {
	a, b := o.Blocks, p.Blocks
	for len(a) > 0 || len(b) > 0 {
		var n int64
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Number < b[0].Number:
			n, a = a[0].Number, a[1:]
		case len(a) == 0 || b[0].Number < a[0].Number:
			n, b = b[0].Number, b[1:]
		case a[0] == b[0]:
			same += a[0].Rows
			a, b = a[1:], b[1:]
			continue
		default:
			n, a, b = a[0].Number, a[1:], b[1:]
		}
		if last := len(runs) - 1; last >= 0 && runs[last].last == n*blockRows-1 {
			runs[last].last += blockRows
		} else {
			runs = append(runs, span{n*blockRows - 1, (n+1)*blockRows - 1})
		}
	}
	return runs, same
}

// span is a run of row numbers, from behind one to another; all where both are 0.
type span struct{ after, last int64 }

// numbers are those of the run.
func (s span) numbers(yield func(int64) bool) {
	for n := s.after + 1; n <= s.last; n++ {
		if !yield(n) {
			return
		}
	}
}

// manyRows is how many rows are read at once by their numbers. A run of so many is
// read as a run.
const manyRows = 4096

// spans yields the rows of runs, in their order.
func (s Sheet) spans(runs []span) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		var few []int64
		for i, run := range runs {
			long := run.last-run.after >= manyRows || run == span{}
			if !long {
				few = slices.AppendSeq(few, run.numbers)
			}
			if len(few) > 0 && (long || len(few) >= manyRows || i == len(runs)-1) {
				if !pass(s.Some(few), yield) {
					return
				}
				few = few[:0]
			}
			if long && !pass(s.Rows(run.after, run.last), yield) {
				return
			}
		}
	}
}

// pass passes rows on. It reports whether more may follow.
func pass(rows iter.Seq2[*egrid.Batch, error], yield func(*egrid.Batch, error) bool) bool {
	for b, err := range rows {
		if !yield(b, err) || err != nil {
			return false
		}
	}
	return true
}
