package calc

import (
	"cmp"
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// ColumnChange is what became of a column of a level from one edition to another.
type ColumnChange struct {
	Field                   egrid.Field
	Change                  Change // Moved where a cell differs, else Same; Added, Lost
	Rows                    int64  // that both sheets have
	driver.ColumnDifference        // how many cells differ, and how

	Largest *driver.CellChange // of cells that contradict each other, those from 0 behind others; nil for none
	Median  egrid.Value        // relative change of the numbers among them; missing of none
}

// Cells is the number of cells that differ.
func (c *ColumnChange) Cells() int64 {
	return c.Changed + c.Rounder + c.Finer + c.Filled + c.Blanked
}

// CompareColumns sums up, column by column, how two sheets of a level differ: those with
// the most cells that contradict each other first, then those with others that differ,
// those that only one sheet has, and those that are the same. Rows are matched as
// [driver.Compare] does, which also tells which cells are rounded and which
// contradict each other.
func CompareColumns(from, to Sheet) ([]ColumnChange, driver.Difference, error) {
	var cells []driver.CellChange
	d, err := driver.Compare(driver.RowsOf(from.Snapshot, from.Rows...), driver.RowsOf(to.Snapshot, to.Rows...), func(c driver.CellChange) error {
		cells = append(cells, c)
		return nil
	})
	if err != nil {
		return nil, d, err
	}
	all := map[egrid.Column]*ColumnChange{}
	var order []*ColumnChange
	for _, side := range []*Sheet{&from, &to} {
		for _, f := range side.Schema.Fields() {
			if all[f.Column] == nil && !egrid.IsContext(f.Column) && !slices.Contains(d.Identifier, f.Column) {
				c := &ColumnChange{Field: f, Change: Same, Rows: d.Rows, ColumnDifference: driver.ColumnDifference{Column: f.Column}}
				all[f.Column] = c
				order = append(order, c)
			}
		}
	}
	for _, column := range d.ColumnsAdded {
		mark(all, column, Added)
	}
	for _, column := range d.ColumnsLost {
		mark(all, column, Lost)
	}
	for _, of := range d.Columns {
		if c := all[of.Column]; c != nil {
			c.ColumnDifference, c.Change = of, Moved
		}
	}
	moves := map[egrid.Column][]float64{}
	for i := range cells {
		c := all[cells[i].Column]
		if c == nil || !d.Contradicts(cells[i]) {
			continue
		}
		if c.Largest == nil || larger(cells[i], *c.Largest) {
			cell := cells[i] // and not the place in the list, which would be kept with it
			c.Largest = &cell
		}
		if x, ok := cells[i].Relative(); ok && !math.IsInf(x, 0) {
			moves[c.Column] = append(moves[c.Column], x)
		}
	}
	changes := make([]ColumnChange, len(order))
	slices.SortStableFunc(order, compareColumnChanges)
	for i, c := range order {
		c.Median = median(moves[c.Column])
		changes[i] = *c
	}
	return changes, d, nil
}

// larger reports whether a change is larger than another one, where one from 0, which
// has no relative size, is smaller than all that have.
func larger(a, b driver.CellChange) bool {
	x, known := a.Relative()
	y, also := b.Relative()
	if p, q := known && !math.IsInf(x, 0), also && !math.IsInf(y, 0); p != q {
		return p
	} else if known && also && !p {
		v, _ := a.To.Float()
		w, _ := b.To.Float()
		return math.Abs(v) > math.Abs(w)
	}
	return driver.CompareChanges(a, b) < 0
}

// LevelDifference is what became of the cells of a level from one edition to another.
type LevelDifference struct {
	From, To egrid.Snapshot
	driver.Difference
	Changes []ColumnChange // see [CompareColumns]
}

func mark(all map[egrid.Column]*ColumnChange, column egrid.Column, as Change) {
	if c := all[column]; c != nil {
		c.Change, c.Rows = as, 0
	}
}

func compareColumnChanges(a, b *ColumnChange) int {
	rank := func(c *ColumnChange) int { return slices.Index([]Change{Moved, Added, Lost, Same}, c.Change) }
	return cmp.Or(rank(a)-rank(b), -cmp.Compare(a.Changed, b.Changed), -cmp.Compare(a.Cells(), b.Cells()))
}
