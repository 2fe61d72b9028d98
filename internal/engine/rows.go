package engine

import (
	"cmp"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// rows answers a row plan.
func (q *query) rows() error {
	if q.plan.Count {
		n := 0
		for i := range q.inputs {
			s, err := q.matches(&q.inputs[i])
			if err != nil {
				return err
			}
			n += s.n
		}
		return q.count(n)
	}
	if len(q.plan.Sort) > 0 {
		return q.sortedRows()
	}
	left := q.limit()
	for i := range q.inputs {
		more, err := q.storedRows(&q.inputs[i], &left)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (q *query) limit() int {
	if q.plan.Limit <= 0 {
		return int(^uint(0) >> 1)
	}
	return q.plan.Limit
}

// storedRows answers the rows of a snapshot in their order, at most left; false
// when nothing more is wanted.
func (q *query) storedRows(in *input, left *int) (more bool, err error) {
	s, err := q.matches(in)
	if err != nil {
		return false, err
	}
	columns, err := q.output(in)
	if err != nil {
		return false, err
	}
	first := 0 // row of the table
	if at := q.plan.After; at != nil {
		switch year := in.snapshot.Year; {
		case year < at.Year:
			return true, nil
		case year == at.Year:
			first = in.after(at.Number)
		}
	}
	if s.rows == nil && q.whole(columns) {
		return q.storedBatches(in, columns, first, left)
	}
	return q.copyRows(in, columns, s, first, left)
}

// copyRows answers the selected rows from first on, at most left.
func (q *query) copyRows(in *input, columns []*Column, s selection, first int, left *int) (more bool, err error) {
	a := q.answer(in.snapshot.Year, batchRows)
	place := first
	if s.rows != nil {
		place, _ = slices.BinarySearch(s.rows, int32(first))
	}
	for ; place < s.n && *left > 0; place++ {
		*left--
		if !a.add(columns, in.Table, s.at(place)) {
			return false, q.ctx.Err()
		}
	}
	if !a.end() {
		return false, q.ctx.Err()
	}
	return *left > 0, nil
}

// output returns the answer's columns of a snapshot.
func (q *query) output(in *input) ([]*Column, error) {
	columns := make([]*Column, q.plan.Output.Len())
	for i := range columns {
		c, err := in.column(q.plan.Output.Field(i).Column)
		if err != nil {
			return nil, err
		}
		if err := q.check(c, i); err != nil {
			return nil, err
		}
		columns[i] = c
	}
	return columns, nil
}

// whole reports whether all of the columns are in the same stored batches, with
// the answer's types, or missing in all rows.
func (q *query) whole(columns []*Column) bool {
	var from *source
	for i, c := range columns {
		switch {
		case c.least > c.most:
		case c.from == nil || from != nil && c.from != from || c.value(c.least).Type() != q.plan.Output.Field(i).Type:
			return false
		default:
			from = c.from
		}
	}
	return from != nil
}

// storedBatches answers rows by the batches that they are stored in. Only those
// that are cut are copied.
func (q *query) storedBatches(in *input, columns []*Column, first int, left *int) (more bool, err error) {
	var from *source
	for _, c := range columns {
		if c.least <= c.most {
			from = c.from
		}
	}
	places := make([]int, len(columns))
	start := 0
	for _, b := range from.batches {
		end := start + b.Len()
		switch {
		case end <= first:
		case start < first || b.Len() > *left:
			if more, err = q.copyRows(in, columns, selection{n: end}, max(first, start), left); err != nil || !more {
				return false, err
			}
		default:
			for i, c := range columns {
				places[i] = -1
				if c.least <= c.most {
					places[i] = b.Schema().Index(q.plan.Output.Field(i).Column)
				}
			}
			*left -= b.Len()
			if !q.emit(b.Project(q.plan.Output, places)) {
				return false, q.ctx.Err()
			}
		}
		start = end
	}
	return *left > 0, nil
}

// sortKey is a column that rows are sorted by.
type sortKey struct {
	*Column
	desc bool
}

// compare orders two rows.
func (k sortKey) compare(a, b int32) int {
	x, y := k.key(int(a)), k.key(int(b))
	if k.desc && x != absent && y != absent {
		return cmp.Compare(y, x)
	}
	return cmp.Compare(x, y)
}

// item is a row on its way to its place: the first sort key, turned around for
// descending order, and the row.
type item struct {
	key int64
	row int32
}

// order compares items by what the first sort key says, then by the others,
// then by row.
type order []sortKey

func (o order) compare(a, b item) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	for _, k := range o[1:] {
		if c := k.compare(a.row, b.row); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.row, b.row)
}

// top returns the first n rows of a selection in the order of the keys.
func (q *query) top(keys order, s selection, n int) []item {
	n = min(n, s.n)
	if len(keys) == 0 {
		items := q.items.take(n)
		for i := range items {
			items[i] = item{row: int32(s.at(i))}
		}
		return items
	}
	size := n
	if n >= s.n/4 {
		size = s.n // a heap takes longer than to sort all
	}
	items := q.items.take(size)
	if c := keys[0]; c.narrow != nil {
		least(keys, items, c.narrow, s, absentNarrow)
	} else {
		least(keys, items, c.wide, s, absent)
	}
	slices.SortFunc(items, keys.compare)
	return items[:n]
}

// least fills in the items of the first rows of a selection in the order o, in
// any order among them: a heap, the largest on top, that the others have to
// beat. keys are those of the first sort key.
func least[K key](o order, items []item, keys []K, s selection, missing K) {
	desc := o[0].desc
	for i := range s.n {
		row := s.at(i)
		k := keys[row]
		if desc && k != missing {
			k = ^k
		}
		it := item{int64(k), int32(row)}
		switch {
		case i < len(items):
			if items[i] = it; i == len(items)-1 && len(items) < s.n {
				o.heapify(items)
			}
		case it.key < items[0].key || it.key == items[0].key && o.compare(it, items[0]) < 0:
			items[0] = it
			o.sink(items, 0)
		}
	}
}

func (o order) heapify(heap []item) {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		o.sink(heap, i)
	}
}

func (o order) sink(heap []item, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && o.compare(heap[child], heap[child+1]) < 0 {
			child++
		}
		if o.compare(heap[i], heap[child]) >= 0 {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// bound is a cursor's value of a sort key, as a key of a column.
type bound struct {
	sortKey
	at      int64
	equal   bool // a cell with the key is equal to the value; else it is above it
	missing bool // the value is
}

func (k sortKey) bound(v egrid.Value) bound {
	if v.IsMissing() {
		return bound{sortKey: k, missing: true}
	}
	at, equal := k.seek(v)
	return bound{sortKey: k, at: at, equal: equal}
}

// compare orders a row's cell and the cursor's value.
func (b *bound) compare(row int) int {
	k := b.key(row)
	switch {
	case k == absent && b.missing:
		return 0
	case k == absent:
		return 1
	case b.missing:
		return -1
	}
	c := cmp.Compare(k, b.at)
	if c == 0 && !b.equal {
		c = 1
	}
	if b.desc {
		return -c
	}
	return c
}

// behind keeps the rows that come after the plan's position.
func (q *query) behind(in *input, keys order, s selection) selection {
	at := q.plan.After
	if at == nil {
		return s
	}
	bounds := make([]bound, len(keys))
	for i, k := range keys {
		bounds[i] = k.bound(at.Keys[i])
	}
	from := s
	if s.rows == nil {
		s.rows = q.narrow.take(s.n)
	}
	s.n = 0
	for i := range from.n {
		row := from.at(i)
		order := 0
		for j := range bounds {
			if order = bounds[j].compare(row); order != 0 {
				break
			}
		}
		if order == 0 {
			order = cmp.Or(cmp.Compare(in.snapshot.Year, at.Year), cmp.Compare(in.at(row), at.Number))
		}
		if order > 0 {
			s.rows[s.n] = int32(row)
			s.n++
		}
	}
	s.rows = s.rows[:s.n]
	return s
}

// run is the sorted rows of one snapshot.
type run struct {
	in      *input
	columns []*Column
	keys    order
	rows    []item        // those that are left
	head    []egrid.Value // the sort keys of the first of them
}

func (r *run) advance() {
	if len(r.rows) == 0 {
		return
	}
	for i, k := range r.keys {
		r.head[i] = k.value(k.key(int(r.rows[0].row)))
	}
}

// sortedRows sorts the rows of each snapshot by keys, and merges the snapshots
// by values: keys of different snapshots do not compare.
func (q *query) sortedRows() error {
	limit := q.limit()
	runs := make([]run, len(q.inputs))
	for i := range q.inputs {
		in := &q.inputs[i]
		r := &runs[i]
		s, err := q.matches(in)
		if err != nil {
			return err
		}
		if r.columns, err = q.output(in); err != nil {
			return err
		}
		r.in, r.keys, r.head = in, make(order, len(q.plan.Sort)), make([]egrid.Value, len(q.plan.Sort))
		for j, key := range q.plan.Sort {
			c, err := in.column(key.Column)
			if err != nil {
				return err
			}
			r.keys[j] = sortKey{c, key.Desc}
		}
		r.rows = q.top(r.keys, q.behind(in, r.keys, s), limit)
		if len(runs) > 1 {
			r.advance()
		}
	}
	return q.merge(runs, limit)
}

func (q *query) merge(runs []run, left int) error {
	year := 0
	if len(runs) == 1 {
		year = runs[0].in.snapshot.Year
	}
	a := q.answer(year, batchRows)
	for ; left > 0; left-- {
		r := q.first(runs)
		if r == nil {
			break
		}
		row := int(r.rows[0].row)
		if r.rows = r.rows[1:]; len(runs) > 1 {
			r.advance()
		}
		if !a.add(r.columns, r.in.Table, row) {
			return q.ctx.Err()
		}
	}
	a.end()
	return q.ctx.Err()
}

// first returns the run whose first row comes first; nil when all are empty.
// Among equals that is the earliest data year's.
func (q *query) first(runs []run) *run {
	var best *run
	for i := range runs {
		if r := &runs[i]; len(r.rows) > 0 && (best == nil || q.less(r, best)) {
			best = r
		}
	}
	return best
}

func (q *query) less(a, b *run) bool {
	for i, key := range q.plan.Sort {
		if c := key.Compare(a.head[i], b.head[i]); c != 0 {
			return c < 0
		}
	}
	return false
}
