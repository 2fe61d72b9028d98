package egrid

import (
	"iter"
	"slices"
)

// Batch is a run of rows of one schema and data year, column by column: the
// one form in which data move from the decoder to the answer. It is immutable
// and safe to share between goroutines. Make one with a [Builder], read it by
// [Row] or by [Vector].
//
// Numbers of few decimals are kept as whole numbers, texts once each, and all
// of it packed to the bits that it needs. [Batch.AppendBinary] writes these
// arrays as they are, and [ParseBatch] uses the bytes that it is given.
type Batch struct {
	schema  *Schema
	year    int
	n       int
	numbers offsets // of rows, from their place in the batch
	lines   offsets // of rows, from their number
	columns []Vector
}

// MaxBatchRows is the most rows that a Batch can have to be encoded.
const MaxBatchRows = 1 << 20

// maxBatchBytes bounds an encoded batch.
const maxBatchBytes = 1 << 30

// offsets are whole numbers close to a line: that of the index, or of another
// array.
type offsets struct {
	base   int64
	values packed
}

// offsetsOf keeps xs as distances from line, nil for the index.
func offsetsOf(xs, line []int64) offsets {
	if len(xs) == 0 {
		return offsets{}
	}
	distance := func(i int) int64 {
		if line == nil {
			return xs[i] - int64(i)
		}
		return xs[i] - line[i]
	}
	least, most := distance(0), distance(0)
	for i := range xs {
		least, most = min(least, distance(i)), max(most, distance(i))
	}
	if least == most {
		return offsets{base: least}
	}
	distances := make([]int64, len(xs))
	for i := range xs {
		distances[i] = distance(i)
	}
	return offsets{least, pack(distances, least, packedWidth(uint64(most)-uint64(least)))}
}

func (o offsets) at(i int) int64 { return o.base + int64(o.values.get(i)) }

// Schema returns the columns.
func (b *Batch) Schema() *Schema { return b.schema }

// Len returns the number of rows.
func (b *Batch) Len() int { return b.n }

// Year returns the data year of the rows; 0 where they are of several, or of
// none.
func (b *Batch) Year() int { return b.year }

// Column returns the i-th column of the schema.
func (b *Batch) Column(i int) *Vector { return &b.columns[i] }

// Number returns the position of a row among its sheet's records, from 1: the
// row's identity within its snapshot. Rows that are no sheet's have 0.
func (b *Batch) Number(i int) int64 { return int64(i) + b.numbers.at(i) }

// Line returns where a row's record starts in its file, from 1; 0 for a row
// that comes from a store.
func (b *Batch) Line(i int) int64 { return b.Number(i) + b.lines.at(i) }

// Row returns the i-th row.
func (b *Batch) Row(i int) Row { return Row{b, i} }

// Rows iterates over the rows.
func (b *Batch) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for i := range b.n {
			if !yield(Row{b, i}) {
				return
			}
		}
	}
}

// Lossy returns the columns in which the file held a value rounded for
// display, in the order of the schema, see [Vector.Lossy].
func (b *Batch) Lossy() []Column {
	var lossy []Column
	for i := range b.columns {
		if b.columns[i].lossy {
			lossy = append(lossy, b.schema.fields[i].Column)
		}
	}
	return lossy
}

// Project returns the same rows under another schema, whose i-th column is the
// column from[i] of b, or missing where that is negative. Places behind the last
// column of b count on through the columns of others, which have as many rows.
// Nothing is copied.
func (b *Batch) Project(schema *Schema, from []int, others ...*Batch) *Batch {
	p := &Batch{schema: schema, year: b.year, n: b.n, numbers: b.numbers, lines: b.lines, columns: make([]Vector, len(from))}
	all := b.columns
	for _, other := range others {
		all = append(slices.Clip(all), other.columns...)
	}
	for i, at := range from {
		if at < 0 {
			p.columns[i] = Vector{n: b.n}
		} else {
			p.columns[i] = all[at]
		}
	}
	return p
}

// Slice returns the rows from one place to before another.
func (b *Batch) Slice(from, to int) *Batch {
	switch {
	case from == 0 && to == b.n:
		return b
	case from == 0 && to > b.n/2:
		return b.first(to)
	}
	places := make([]int, to-from)
	for i := range places {
		places[i] = from + i
	}
	return b.Select(places)
}

// first returns the first n rows. It shares what the others take, too.
func (b *Batch) first(n int) *Batch {
	out := *b
	out.n, out.columns = n, slices.Clone(b.columns)
	for i := range out.columns {
		v := &out.columns[i]
		v.n = n
		if v.valid.data == nil {
			continue
		}
		// No bit is set behind the last row.
		v.valid.data = make([]byte, packedBytes(n, 1))
		copy(v.valid.data, b.columns[i].valid.data[:(n+7)/8])
		if rest := n & 7; rest != 0 {
			v.valid.data[n>>3] &= 1<<rest - 1
		}
	}
	return &out
}

// Select returns the rows at the given places, in their order.
func (b *Batch) Select(places []int) *Batch {
	builder := NewBuilder(b.schema, b.year)
	builder.markLossy(b)
	for _, row := range places {
		builder.Append(b, row)
	}
	return builder.Batch()
}

// BatchOf makes a batch of values, one slice for each row and one value for
// each column of the schema. Rows are numbered from 1. It is for tests and
// small tables. It returns [ErrInvalid] when a row does not fit the schema.
func BatchOf(schema *Schema, year int, rows ...[]Value) (*Batch, error) {
	b := NewBuilder(schema, year)
	for i, row := range rows {
		if err := b.Row(row); err != nil {
			return nil, err
		}
		b.EndRow(int64(i+1), 0)
	}
	return b.Batch(), nil
}

// Concat joins batches of one schema into one. Its data year is that of all of
// them, or 0.
func Concat(schema *Schema, batches ...*Batch) *Batch {
	if len(batches) == 1 && batches[0].schema == schema {
		return batches[0]
	}
	year := 0
	if len(batches) > 0 && !slices.ContainsFunc(batches, func(b *Batch) bool { return b.year != batches[0].year }) {
		year = batches[0].year
	}
	builder := NewBuilder(schema, year)
	for _, b := range batches {
		builder.markLossy(b)
		for row := range b.n {
			builder.Append(b, row)
		}
	}
	return builder.Batch()
}

// Bytes is about how much memory the batch takes. Batches that share columns
// count them each.
func (b *Batch) Bytes() int64 {
	n := 256 + int64(len(b.numbers.values.data)+len(b.lines.values.data))
	for i := range b.columns {
		v := &b.columns[i]
		n += 192 + int64(len(v.valid.data)+len(v.values.data))
		if v.texts != nil {
			n += int64(len(v.texts.ends.data) + len(v.texts.text))
		}
	}
	return n
}
