package driver

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Rows are a snapshot and its rows, in their order.
type Rows struct {
	egrid.Snapshot
	Batches iter.Seq2[*egrid.Batch, error]
	// Places are the most decimal places of a number in each column; those of
	// Batches where they are nil.
	Places map[egrid.Column]int
}

// RowsOf returns rows that are in memory.
func RowsOf(s egrid.Snapshot, batches ...*egrid.Batch) Rows {
	return Rows{Snapshot: s, Batches: func(yield func(*egrid.Batch, error) bool) {
		for _, b := range batches {
			if !yield(b, nil) {
				return
			}
		}
	}}
}

// Difference is what one snapshot has otherwise than another one of its level.
// Rows are matched by the identifier that both have, the n-th row with one and the
// n-th in the other. Rows without an identifier are matched with rows that are
// equal in every cell, and with no others. Columns for what the snapshots have in
// common (see [egrid.IsContext]) are left out.
type Difference struct {
	Identifier   []egrid.Column // by which rows were matched; nil where there is none in common
	Rows         int64          // that both have
	Changed      int64          // of them, those with a cell that differs
	Added, Lost  int64          // rows that only the new one has, or only the old one
	Unidentified int64          // of those added, the ones without an identifier
	AddedKeys    []string       // the first of them, by identifier
	LostKeys     []string
	ColumnsAdded []egrid.Column
	ColumnsLost  []egrid.Column
	Columns      []ColumnDifference // of both, those that differ, in their order
	Cells        ColumnDifference   // the sum of Columns
	Largest      *CellChange        // of cells that contradict each other, see CompareChanges; nil for none

	judges map[egrid.Column]judge
}

// judge tells a number that contradicts another one from a rounded one.
type judge struct {
	digits                 int  // decimal places to which rounded numbers agree
	rounded                bool // one of the columns may be the other, rounded
	fromRounded, toRounded bool // for display
}

// Contradicts reports whether a change that [Compare] told of is more than rounding,
// and no cell that one side lacks.
func (d *Difference) Contradicts(c CellChange) bool {
	if c.From.IsMissing() || c.To.IsMissing() {
		return false
	}
	x, number := c.From.Float()
	y, also := c.To.Float()
	j := d.judges[c.Column]
	return !number || !also || !j.rounded || !roundsTo(x, j.fromRounded, y, j.toRounded, j.digits)
}

// ColumnDifference counts the cells of a column that differ.
type ColumnDifference struct {
	Column  egrid.Column
	Changed int64 // they contradict each other
	Rounder int64 // the new one is the old one, rounded to the digits that the new column has
	Finer   int64 // the old one is the new one, rounded to the digits that the old column had
	Filled  int64 // the old one is missing
	Blanked int64 // the new one is missing
}

// CellChange is a cell that differs.
type CellChange struct {
	Key      string // the row's identifier, as 3612/1
	Column   egrid.Column
	From, To egrid.Value
}

// Relative is the change over what was there: infinite where that is 0. It is
// false unless both are numbers.
func (c CellChange) Relative() (float64, bool) {
	from, isFrom := c.From.Float()
	to, isTo := c.To.Float()
	if !isFrom || !isTo {
		return 0, false
	}
	if from == to {
		return 0, true
	}
	return (to - from) / math.Abs(from), true
}

// CompareChanges orders changes by size, the largest first; those of texts come
// last, by key and column.
func CompareChanges(a, b CellChange) int {
	x, xok := a.Relative()
	y, yok := b.Relative()
	switch {
	case xok && yok && x != y:
		return cmp.Or(-cmp.Compare(math.Abs(x), math.Abs(y)), -cmp.Compare(x, y))
	case xok != yok && xok:
		return -1
	case xok != yok:
		return 1
	}
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Column, b.Column))
}

// Compare says how the rows of one snapshot differ from those of another one of
// the same level. each, unless it is nil, is called for every cell that differs,
// in no order that a caller could rely on; it ends the comparison with its error.
//
// Columns that two batches hold alike are passed over. It keeps in memory the rows
// that are not matched yet, so that sheets in about the same order take little.
func Compare(from, to Rows, each func(CellChange) error) (Difference, error) {
	c := newComparison(&from, &to, each)
	err := c.walk(from.Batches, to.Batches)
	return c.difference(), err
}

// A side is one of two sheets on a walk through both.
type side struct {
	schema     *egrid.Schema
	identifier []int // places of the identifier's columns
	content    []int // places of the columns of either sheet, -1 for none; for rows without an identifier
	waiting    map[string][]place
	next       func() (*egrid.Batch, error, bool)
	batch      *egrid.Batch
	fresh      bool // the batch was read now, and its decimal places are not counted
	row        int
	key        []byte
}

// place is a row of a batch.
type place struct {
	batch *egrid.Batch
	row   int
}

// more reports whether there is a row, and reads the next batch where one ended.
func (s *side) more() (bool, error) {
	for s.batch == nil || s.row == s.batch.Len() {
		b, err, ok := s.next()
		if err != nil || !ok {
			s.batch, s.row, s.fresh = nil, 0, false
			return false, err
		}
		s.batch, s.row, s.fresh = b, 0, true
	}
	return true, nil
}

// appendIdentifier writes the identifier of a row; false where a part of it is
// missing.
func appendIdentifier(dst []byte, b *egrid.Batch, row int, identifier []int) ([]byte, bool) {
	for _, at := range identifier {
		v := b.Column(at)
		if v.IsMissing(row) {
			return dst, false
		}
		dst = appendCell(dst, v, row)
	}
	return dst, true
}

// A key begins with what it is made of.
const (
	contentKey    = 0
	identifierKey = 1
)

// keyOf names a row so that equal names are the same row.
func (s *side) keyOf(b *egrid.Batch, row int) []byte {
	if s.identifier != nil {
		if key, ok := appendIdentifier(append(s.key[:0], identifierKey), b, row, s.identifier); ok {
			s.key = key
			return key
		}
	}
	s.key = append(s.key[:0], contentKey)
	for _, at := range s.content {
		if at < 0 {
			s.key = append(s.key, 0) // as a cell that is missing
		} else {
			s.key = appendCell(s.key, b.Column(at), row)
		}
	}
	return s.key
}

// comparison is a walk through two sheets.
type comparison struct {
	level    egrid.Level
	from, to side
	out      Difference
	shared   []sharedColumn
	each     func(CellChange) error
	err      error
	touched  []bool // rows of the current run that differ

	countsFrom, countsTo bool // decimal places, which are not known
}

// sharedColumn is a column of both sheets.
type sharedColumn struct {
	column                 egrid.Column
	from, to               int  // places
	fromPlaces             int  // most decimal places of a cell, so far where they are counted, in the one
	toPlaces               int  // and in the other
	fromRounded, toRounded bool // for display
	found                  ColumnDifference
	agreeing               [agreedPlaces + 2]int64       // differing numbers, by one more than their agreement
	largest                [agreedPlaces + 2]*CellChange // of those
	text                   *CellChange                   // the first one of a text
}

// agreedPlaces is the most decimal places to which numbers are said to agree.
const agreedPlaces = 15

func newComparison(old, new *Rows, each func(CellChange) error) *comparison {
	from, to := old.Schema, new.Schema
	c := &comparison{level: old.Level, each: each, countsFrom: old.Places == nil, countsTo: new.Places == nil}
	c.out.Identifier = egrid.Identifier(c.level, func(c egrid.Column) bool { return from.Has(c) && to.Has(c) })
	columns := slices.DeleteFunc(from.Columns(), egrid.IsContext)
	for _, column := range to.Columns() {
		if !from.Has(column) && !egrid.IsContext(column) {
			c.out.ColumnsAdded = append(c.out.ColumnsAdded, column)
			columns = append(columns, column)
		}
	}
	for _, column := range columns[:len(columns)-len(c.out.ColumnsAdded)] {
		if to.Has(column) {
			c.shared = append(c.shared, sharedColumn{
				column: column, from: from.Index(column), to: to.Index(column), found: ColumnDifference{Column: column},
				fromRounded: slices.Contains(old.Lossy, column), toRounded: slices.Contains(new.Lossy, column),
				fromPlaces: old.Places[column], toPlaces: new.Places[column],
			})
		} else {
			c.out.ColumnsLost = append(c.out.ColumnsLost, column)
		}
	}
	of := func(s *egrid.Schema) side {
		x := side{schema: s, waiting: map[string][]place{}}
		for _, column := range columns {
			x.content = append(x.content, s.Index(column))
		}
		if c.out.Identifier != nil {
			x.identifier = []int{}
		}
		for _, column := range c.out.Identifier {
			x.identifier = append(x.identifier, s.Index(column))
		}
		return x
	}
	c.from, c.to = of(from), of(to)
	return c
}

func (c *comparison) walk(from, to iter.Seq2[*egrid.Batch, error]) error {
	var stopFrom, stopTo func()
	c.from.next, stopFrom = iter.Pull2(from)
	defer stopFrom()
	c.to.next, stopTo = iter.Pull2(to)
	defer stopTo()
	for c.err == nil {
		has, err := c.from.more()
		if err != nil {
			return err
		}
		also, err := c.to.more()
		switch {
		case err != nil:
			return err
		}
		c.countPlaces()
		switch {
		case has && also:
			c.pair()
		case has:
			c.meet(&c.from, &c.to)
		case also:
			c.meet(&c.to, &c.from)
		default:
			return nil
		}
	}
	return c.err
}

// countPlaces counts the decimal places of the batches that were read now, once for all
// of their rows. Columns that two batches hold alike are counted in one of them.
func (c *comparison) countPlaces() {
	a, b := &c.from, &c.to
	for at := range c.shared {
		s := &c.shared[at]
		if a.fresh && c.countsFrom {
			s.fromPlaces = morePlaces(s.fromPlaces, a.batch.Column(s.from))
		}
		if b.fresh && c.countsTo {
			if w := b.batch.Column(s.to); c.countsFrom && a.batch != nil && a.batch.Column(s.from).Same(w) {
				s.toPlaces = max(s.toPlaces, s.fromPlaces)
			} else {
				s.toPlaces = morePlaces(s.toPlaces, w)
			}
		}
	}
	a.fresh, b.fresh = false, false
}

// pair takes rows of both sheets: as many as go together at once where none
// waits, else one of each.
func (c *comparison) pair() {
	a, b := &c.from, &c.to
	if len(a.waiting) == 0 && len(b.waiting) == 0 {
		if n := c.alike(); n > 0 {
			c.cells(a.batch, a.row, b.batch, b.row, n)
			a.row, b.row = a.row+n, b.row+n
			return
		}
	}
	key := string(a.keyOf(a.batch, a.row))
	if key == string(b.keyOf(b.batch, b.row)) && len(a.waiting[key]) == 0 && len(b.waiting[key]) == 0 {
		c.cells(a.batch, a.row, b.batch, b.row, 1)
		a.row, b.row = a.row+1, b.row+1
		return
	}
	c.meet(a, b)
	c.meet(b, a)
}

// alike counts the rows from here on that have the same identifier in both.
func (c *comparison) alike() int {
	a, b := &c.from, &c.to
	if a.identifier == nil {
		return 0
	}
	n := min(a.batch.Len()-a.row, b.batch.Len()-b.row)
	for i := range a.identifier {
		v, w := a.batch.Column(a.identifier[i]), b.batch.Column(b.identifier[i])
		whole := a.row == b.row && v.Same(w)
		for k := range n {
			if v.IsMissing(a.row+k) || !whole && !sameCell(v, a.row+k, w, b.row+k) {
				n = k
				break
			}
		}
	}
	return n
}

// meet takes a row of one sheet, and pairs it with the first of the other that
// waits for it.
func (c *comparison) meet(one, other *side) {
	b, row := one.batch, one.row
	one.row++
	key := one.keyOf(b, row)
	waiting := other.waiting[string(key)]
	if len(waiting) == 0 {
		one.waiting[string(key)] = append(one.waiting[string(key)], place{b, row})
		return
	}
	if len(waiting) == 1 {
		delete(other.waiting, string(key))
	} else {
		other.waiting[string(key)] = waiting[1:]
	}
	if w := waiting[0]; one == &c.from {
		c.cells(b, row, w.batch, w.row, 1)
	} else {
		c.cells(w.batch, w.row, b, row, 1)
	}
}

// cells compares n rows from places on, column by column.
func (c *comparison) cells(a *egrid.Batch, i int, b *egrid.Batch, j, n int) {
	c.out.Rows += int64(n)
	c.touched = slices.Grow(c.touched[:0], n)[:n]
	clear(c.touched)
	for at := range c.shared {
		s := &c.shared[at]
		v, w := a.Column(s.from), b.Column(s.to)
		if i == j && v.Same(w) {
			continue
		}
		for k := range n {
			if !sameCell(v, i+k, w, j+k) {
				c.touched[k] = true
				c.differ(s, CellChange{c.key(a, i+k), s.column, v.Value(i + k), w.Value(j + k)})
			}
		}
	}
	for _, yes := range c.touched {
		if yes {
			c.out.Changed++
		}
	}
}

func (c *comparison) key(b *egrid.Batch, row int) string {
	return keyText(c.level, b, row, c.from.identifier)
}

// keyText names a row for people.
func keyText(level egrid.Level, b *egrid.Batch, row int, identifier []int) string {
	if len(identifier) == 0 {
		if identifier != nil {
			return string(level)
		}
		return fmt.Sprint("row ", b.Number(row))
	}
	values := make([]egrid.Value, len(identifier))
	for i, at := range identifier {
		if values[i] = b.Column(at).Value(row); values[i].IsMissing() {
			return fmt.Sprint("row ", b.Number(row))
		}
	}
	return IdentifierText(values...)
}

func (c *comparison) differ(s *sharedColumn, change CellChange) {
	if c.each != nil && c.err == nil {
		c.err = c.each(change)
	}
	switch {
	case change.From.IsMissing():
		s.found.Filled++
		return
	case change.To.IsMissing():
		s.found.Blanked++
		return
	}
	x, number := change.From.Float()
	y, also := change.To.Float()
	if !number || !also {
		s.found.Changed++
		if s.text == nil {
			s.text = &change
		}
		return
	}
	depth := agreement(x, s.fromRounded, y, s.toRounded) + 1
	s.agreeing[depth]++
	if was := s.largest[depth]; was == nil || CompareChanges(change, *was) < 0 {
		s.largest[depth] = &change
	}
}

// agreement is the most decimal places to which rounding the one number may give
// the other; -1 where they are further apart than half a unit. None is not the
// same as little, unless the column was rounded for display.
func agreement(x float64, xRounded bool, y float64, yRounded bool) int {
	if x == 0 && !xRounded || y == 0 && !yRounded {
		return -1
	}
	apart := math.Abs(x-y) - 4*epsilon*math.Max(math.Abs(x), math.Abs(y))
	places := agreedPlaces
	for places >= 0 && apart > halfUnit(places) {
		places--
	}
	return places
}

// roundsTo reports whether rounding x to so many decimal places may give y.
func roundsTo(x float64, xRounded bool, y float64, yRounded bool, places int) bool {
	return agreement(x, xRounded, y, yRounded) >= places
}

// epsilon is the distance of 1 from the next number.
const epsilon = 1.0 / (1 << 52)

// halfUnit is the most that rounding to so many decimal places changes.
func halfUnit(places int) float64 { return 0.5 * math.Pow10(-places) }

// difference sums up.
func (c *comparison) difference() Difference {
	d := &c.out
	consider := func(change *CellChange) {
		if change != nil && (d.Largest == nil || CompareChanges(*change, *d.Largest) < 0) {
			d.Largest = change
		}
	}
	for i := range c.shared {
		s := &c.shared[i]
		// Two numbers agree when they differ by no more than rounding to the digits
		// of the column that has fewer. Where both have as many, they contradict
		// each other, unless one column alone is known to be rounded: a figure that
		// was converted is off by more than half a unit of its last place.
		digits := min(s.fromPlaces, s.toPlaces)
		toRounder, fromRounder := s.toPlaces < s.fromPlaces, s.fromPlaces < s.toPlaces
		if s.toPlaces == s.fromPlaces && s.toRounded != s.fromRounded {
			digits = max(digits-1, 0)
			toRounder, fromRounder = s.toRounded, s.fromRounded
		}
		if d.judges == nil {
			d.judges = map[egrid.Column]judge{}
		}
		d.judges[s.column] = judge{digits, toRounder || fromRounder, s.fromRounded, s.toRounded}
		for depth, n := range s.agreeing {
			switch {
			case depth-1 >= digits && toRounder:
				s.found.Rounder += n
			case depth-1 >= digits && fromRounder:
				s.found.Finer += n
			default:
				s.found.Changed += n
				consider(s.largest[depth])
			}
		}
		consider(s.text)
		f := s.found
		if f == (ColumnDifference{Column: f.Column}) {
			continue
		}
		d.Columns = append(d.Columns, f)
		d.Cells.Changed += f.Changed
		d.Cells.Rounder += f.Rounder
		d.Cells.Finer += f.Finer
		d.Cells.Filled += f.Filled
		d.Cells.Blanked += f.Blanked
	}
	d.Lost, d.LostKeys = c.left(&c.from)
	d.Added, d.AddedKeys = c.left(&c.to)
	for key, waiting := range c.to.waiting {
		if key[0] == contentKey {
			d.Unidentified += int64(len(waiting))
		}
	}
	return *d
}

// left counts the rows that nothing was matched with, and names the first.
func (c *comparison) left(s *side) (int64, []string) {
	var places []place
	for _, waiting := range s.waiting {
		places = append(places, waiting...)
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.batch.Number(a.row), b.batch.Number(b.row)) })
	var keys []string
	for _, p := range places[:min(len(places), maxExamples)] {
		keys = append(keys, keyText(c.level, p.batch, p.row, s.identifier))
	}
	return int64(len(places)), keys
}

// sameCell compares two cells: numbers by value, whatever their type.
func sameCell(v *egrid.Vector, i int, w *egrid.Vector, j int) bool {
	if missing := v.IsMissing(i); missing || w.IsMissing(j) {
		return missing && w.IsMissing(j)
	}
	t, u := v.Type(), w.Type()
	if t == egrid.Text && u == egrid.Text {
		return v.Text(i) == w.Text(j)
	}
	if x, ok := v.Float(i); ok {
		y, ok := w.Float(j)
		return ok && x == y
	}
	return t == u && v.Value(i) == w.Value(j)
}

// morePlaces returns the most decimal places of a number of a column, or of those
// before.
func morePlaces(most int, v *egrid.Vector) int {
	if v.Type() != egrid.Number {
		return most
	}
	scale, decimal := v.Decimals()
	if decimal && scale <= most {
		return most
	}
	for i := range v.Len() {
		if decimal {
			m, ok := v.Mantissa(i)
			if !ok || m == 0 {
				continue
			}
			places := scale
			for places > most && m%10 == 0 {
				m /= 10
				places--
			}
			if most = max(most, places); most == scale {
				break
			}
			continue
		}
		if x, ok := v.Float(i); ok {
			most = max(most, placesOf(x))
		}
	}
	return most
}

// placesOf counts the decimal places of the shortest decimal that reads back as x.
func placesOf(x float64) int {
	var digits [32]byte
	text := strconv.AppendFloat(digits[:0], x, 'f', -1, 64)
	if dot := slices.Index(text, '.'); dot >= 0 {
		return len(text) - dot - 1
	}
	return 0
}
