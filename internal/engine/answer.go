package engine

import (
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// answer makes the batches of a scan. Rows of one table that follow each other
// are added column by column.
type answer struct {
	q       *query
	builder egrid.Builder
	types   []egrid.Type
	most    int // rows of a batch

	columns []*Column // of the rows that wait
	table   *Table    // of them; nil where rows have no number
	rows    []int

	keys    []int64 // scratch space
	places  []uint8
	present []uint64
	odd     []int // columns that are added row by row
}

// answer starts batches of rows of a data year, 0 for several or none, and of at
// most so many rows.
func (q *query) answer(year, most int) *answer {
	a := &q.out
	a.q, a.most = q, most
	a.builder.Reset(q.plan.Output, year)
	a.types = a.types[:0]
	for i := range q.plan.Output.Len() {
		a.types = append(a.types, q.plan.Output.Field(i).Type)
	}
	return a
}

// add adds a row of a table, which has the columns of the answer; false ends
// the scan.
func (a *answer) add(columns []*Column, t *Table, row int) bool {
	if len(a.rows) > 0 && a.table != t {
		a.flush()
	}
	a.columns, a.table = columns, t
	a.rows = append(a.rows, row)
	return a.builder.Len()+len(a.rows) < a.most || a.end()
}

// end hands out the rows that were added, if any; false ends the scan.
func (a *answer) end() bool {
	a.flush()
	return a.builder.Len() == 0 || a.q.emit(a.builder.Batch())
}

// release forgets what belongs to a plan.
func (a *answer) release() {
	a.q, a.columns, a.table = nil, nil, nil
	a.rows = a.rows[:0]
}

func (a *answer) flush() {
	n := len(a.rows)
	if n == 0 {
		return
	}
	a.keys = slices.Grow(a.keys[:0], n)[:n]
	a.present = slices.Grow(a.present[:0], (n+63)/64)[:(n+63)/64]
	a.odd = a.odd[:0]
	for i, c := range a.columns {
		if c.least > c.most {
			continue
		}
		if !a.column(i, c) {
			a.odd = append(a.odd, i)
		}
		if c.lossy {
			a.builder.Lossy(i)
		}
	}
	for _, row := range a.rows {
		for _, i := range a.odd {
			c := a.columns[i]
			if err := a.builder.Value(i, c.value(c.key(row))); err != nil {
				panic(err) // check told the types apart
			}
		}
		number := int64(0)
		if a.table != nil {
			number = a.table.at(row)
		}
		a.builder.EndRow(number, 0)
	}
	a.rows = a.rows[:0]
}

// column adds the cells of a column; false when they have to be added one by
// one.
func (a *answer) column(i int, c *Column) bool {
	switch t := a.types[i]; {
	case c.form == formText:
		a.cells(c)
		a.builder.Codes(i, c.dict.texts, a.keys, a.present)
	case c.form == formFlag, c.form == formInteger && t == egrid.Integer:
		a.cells(c)
		a.builder.Ints(i, a.keys, a.present)
	case c.form == formValues && len(c.values) == 1 && t == egrid.Integer:
		a.cells(c)
		x, _ := c.values[0].Int()
		for k := range a.keys {
			a.keys[k] = x
		}
		a.builder.Ints(i, a.keys, a.present)
	case c.form == formDecimal && -maxMantissa < c.least && c.most < maxMantissa:
		a.cells(c)
		a.places = a.places[:0]
		for range a.keys {
			a.places = append(a.places, uint8(c.scale))
		}
		a.builder.Decimals(i, a.keys, a.places, a.present)
	default:
		return false
	}
	return true
}

// cells reads the keys of the rows, 0 where they are missing.
func (a *answer) cells(c *Column) {
	clear(a.present)
	for k, row := range a.rows {
		x := c.key(row)
		if x == absent {
			a.keys[k] = 0
			continue
		}
		a.keys[k] = x
		a.present[k>>6] |= 1 << (k & 63)
	}
}
