package engine

import (
	"maps"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Table holds columns of one snapshot, prepared for execution, and the numbers
// of its rows. It is immutable and safe to share.
type Table struct {
	rows    int
	first   int64   // number of the first row
	numbers []int64 // ascending; nil when they follow each other from first
	columns map[egrid.Column]*Column
	same    *constants
}

// NewTable prepares columns of a snapshot. batches hold all of its rows, in any
// order; a column that they do not have is missing in every row. The table
// keeps them, without their other columns, because whole batches are the
// fastest answer.
func NewTable(batches []*egrid.Batch, columns []egrid.Column) *Table {
	from := &source{inOrder(batches, columns)}
	t := &Table{columns: make(map[egrid.Column]*Column, len(columns)), same: &constants{}}
	lengths := make([]int, len(from.batches))
	for i, b := range from.batches {
		lengths[i] = b.Len()
		t.rows += b.Len()
	}
	t.number(from.batches)
	t.same.rows = t.rows
	for _, name := range columns {
		vectors := make([]*egrid.Vector, len(from.batches))
		for i, b := range from.batches {
			if at := b.Schema().Index(name); at >= 0 {
				vectors[i] = b.Column(at)
			}
		}
		t.columns[name] = prepare(vectors, lengths, from)
	}
	return t
}

// inOrder returns the rows by ascending number, with the given columns alone.
func inOrder(batches []*egrid.Batch, columns []egrid.Column) []*egrid.Batch {
	var kept []*egrid.Batch
	for _, b := range batches {
		if b.Len() > 0 {
			kept = append(kept, narrowed(b, columns))
		}
	}
	slices.SortStableFunc(kept, func(a, b *egrid.Batch) int {
		if a.Number(0) < b.Number(0) {
			return -1
		}
		return 1
	})
	if ascending(kept) {
		return kept
	}
	all := egrid.Concat(kept[0].Schema(), kept...)
	places := make([]int, all.Len())
	for i := range places {
		places[i] = i
	}
	sort.SliceStable(places, func(i, j int) bool { return all.Number(places[i]) < all.Number(places[j]) })
	return []*egrid.Batch{all.Select(places)}
}

// narrowed drops the columns that are not wanted, so that nothing keeps them in
// memory.
func narrowed(b *egrid.Batch, columns []egrid.Column) *egrid.Batch {
	var fields []egrid.Field
	var from []int
	for i, f := range b.Schema().Fields() {
		if slices.Contains(columns, f.Column) {
			fields = append(fields, f)
			from = append(from, i)
		}
	}
	if len(fields) == b.Schema().Len() {
		return b
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the fields are distinct in b
	}
	return b.Project(schema, from)
}

func ascending(batches []*egrid.Batch) bool {
	last := int64(math.MinInt64)
	for _, b := range batches {
		for i := range b.Len() {
			n := b.Number(i)
			if n < last {
				return false
			}
			last = n
		}
	}
	return true
}

func (t *Table) number(batches []*egrid.Batch) {
	numbers := make([]int64, 0, t.rows)
	follow := true
	for _, b := range batches {
		for i := range b.Len() {
			n := b.Number(i)
			follow = follow && (len(numbers) == 0 || n == numbers[0]+int64(len(numbers)))
			numbers = append(numbers, n)
		}
	}
	if len(numbers) > 0 {
		t.first = numbers[0]
	}
	if !follow {
		t.numbers = numbers
	}
}

// Len returns the number of rows.
func (t *Table) Len() int { return t.rows }

// Column returns a prepared column; nil when the table does not hold it.
func (t *Table) Column(c egrid.Column) *Column { return t.columns[c] }

// Columns returns the number of columns that the table holds.
func (t *Table) Columns() int { return len(t.columns) }

// With returns a table that holds the columns of both. Both are of one
// snapshot.
func (t *Table) With(more *Table) *Table {
	joined := *t
	joined.columns = maps.Clone(t.columns)
	maps.Copy(joined.columns, more.columns)
	return &joined
}

// Without returns a table that does not hold a column.
func (t *Table) Without(c egrid.Column) *Table {
	rest := *t
	rest.columns = maps.Clone(t.columns)
	delete(rest.columns, c)
	return &rest
}

// at returns the number of a row.
func (t *Table) at(row int) int64 {
	if t.numbers == nil {
		return t.first + int64(row)
	}
	return t.numbers[row]
}

// after returns the first row whose number is above n.
func (t *Table) after(n int64) int {
	return sort.Search(t.rows, func(row int) bool { return t.at(row) > n })
}

// constants are the keys of columns that have one value in all rows, made at
// their first use.
type constants struct {
	rows   int
	once   sync.Once
	zeros  []int32
	blanks []int32
}

// constant returns a column that has one value in every row.
func (t *Table) constant(v egrid.Value) *Column {
	s := t.same
	s.once.Do(func() {
		s.zeros = make([]int32, s.rows)
		s.blanks = slices.Repeat([]int32{absentNarrow}, s.rows)
	})
	if v.IsMissing() {
		return &Column{narrow: s.blanks, most: -1, full: s.rows == 0, dict: &dictionary{}}
	}
	if v.Type() == egrid.Text {
		return &Column{narrow: s.zeros, dict: newDictionary([]string{v.String()}), full: true}
	}
	return &Column{form: formValues, narrow: s.zeros, values: []egrid.Value{v}, full: true}
}
