package engine

import (
	"context"
	"iter"
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// grouping is groups as the rows of a table: their columns are the By columns,
// then the measures.
type grouping struct {
	columns []*Column
	live    selection // rows that are groups; others are unused places
	ordered bool      // the rows are in the order of the By columns
}

// op is an aggregate of a column. A count is of no column.
type op struct {
	fn     egrid.Func
	column *Column
}

// Groups are the groups of a plan, to be kept: they answer every plan that
// [Split] makes the same groups of. They are immutable and safe to share.
type Groups struct{ made grouping }

// Split takes a group plan apart. all makes groups; from them rest gives the
// answer of p. Plans that differ only in their order, limit, offset, in what
// they count, and in filters on groups share all: a filter on a By column is one
// on groups too.
func Split(p *driver.Plan) (all, rest *driver.Plan) {
	a, r := *p, *p
	a.Having, a.Sort, a.Limit, a.Offset, a.Count, a.Filters = nil, nil, 0, 0, false, nil
	r.Filters, r.Having = nil, slices.Clone(p.Having)
	for _, f := range p.Filters {
		if slices.Contains(p.By, f.Column) {
			r.Having = append(r.Having, f)
		} else {
			a.Filters = append(a.Filters, f)
		}
	}
	return &a, &r
}

// Group makes the groups of a plan that is the first of [Split]. Errors as
// [Scan].
func Group(ctx context.Context, all *driver.Plan, table func(egrid.Snapshot) *Table) (*Groups, error) {
	q := queries.Get().(*query)
	defer q.release()
	q.ctx, q.plan = ctx, all
	if err := q.open(table); err != nil {
		return nil, err
	}
	g, err := q.aggregated()
	if err != nil {
		return nil, err
	}
	return &Groups{q.kept(g)}, nil
}

// Scan answers a plan that is the second of [Split], as the function of this
// name.
func (g *Groups) Scan(ctx context.Context, rest *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return scan(ctx, rest, func(q *query) error { return q.answerGroups(g.made) })
}

// Bytes returns about what the groups take.
func (g *Groups) Bytes() int64 {
	n := int64(0)
	for _, c := range g.made.columns {
		n += c.Bytes()
	}
	return n
}

// kept copies the groups out of the memory of the query, in their order.
func (q *query) kept(g grouping) grouping {
	keys := make(order, len(q.plan.By))
	for i := range keys {
		keys[i] = sortKey{Column: g.columns[i]}
	}
	rows := q.narrow.take(g.live.n)
	for i, it := range q.top(keys, g.live, g.live.n) {
		rows[i] = it.row
	}
	k := grouping{live: selection{n: g.live.n}, ordered: true}
	for _, c := range g.columns {
		out := *c
		out.narrow, out.wide = nil, nil
		switch {
		case c.narrow != nil:
			out.narrow = gathered(&slab[int32]{}, c.narrow, selection{len(rows), rows})
		case c.wide != nil:
			out.wide = gathered(&slab[int64]{}, c.wide, selection{len(rows), rows})
		}
		k.columns = append(k.columns, &out)
	}
	return k
}

// groups answers a group plan: groups of each snapshot, then groups of those
// where there are several snapshots, then the filters, the order and the limit
// of a row plan on the table that the groups make.
func (q *query) groups() error {
	g, err := q.aggregated()
	if err != nil {
		return err
	}
	return q.answerGroups(g)
}

// answerGroups is the part of groups that reads the groups alone.
func (q *query) answerGroups(g grouping) error {
	s := g.live
	for i := range q.plan.Having {
		c := g.columns[q.answered(q.plan.Having[i].Column)]
		s = q.keep(s, c, c.test(&q.plan.Having[i]))
	}
	if q.plan.Count {
		return q.count(s.n)
	}
	for i, c := range g.columns {
		if err := q.check(c, i); err != nil {
			return err
		}
	}
	wanted := q.plan.Sort
	if g.ordered {
		wanted = q.unordered()
	}
	keys := make(order, len(wanted))
	for i, key := range wanted {
		keys[i] = sortKey{g.columns[q.answered(key.Column)], key.Desc}
	}
	skip := int(min(q.plan.Offset, int64(s.n)))
	rows := q.top(keys, s, skip+min(q.limit(), s.n-skip))
	a := q.answer(0, groupRows)
	for _, it := range rows[skip:] {
		if !a.add(g.columns, nil, int(it.row)) {
			return q.ctx.Err()
		}
	}
	a.end()
	return q.ctx.Err()
}

// unordered returns the sort keys without those at the end that rows in the order
// of the By columns fulfil.
func (q *query) unordered() []egrid.Sort {
	rest := q.plan.Sort
	for i := len(q.plan.By) - 1; i >= 0; i-- {
		n, c := len(rest), q.plan.By[i]
		switch {
		case n > 0 && rest[n-1] == (egrid.Sort{Column: c}):
			rest = rest[:n-1]
		case !slices.ContainsFunc(rest, func(s egrid.Sort) bool { return s.Column == c }):
			return q.plan.Sort
		}
	}
	return rest
}

// answered returns the place of a column among the By columns and measures.
func (q *query) answered(name egrid.Column) int {
	for i, c := range q.plan.By {
		if c == name {
			return i
		}
	}
	for i, m := range q.plan.Measures {
		if m.Name() == name {
			return len(q.plan.By) + i
		}
	}
	panic("engine: the plan has a column that its answer has not: " + string(name)) // planning checked it
}

// aggregated makes the groups of all snapshots, their sums rounded.
func (q *query) aggregated() (grouping, error) {
	parts := make([]grouping, len(q.inputs))
	for i := range q.inputs {
		in := &q.inputs[i]
		s, err := q.matches(in)
		if err != nil {
			return grouping{}, err
		}
		by := make([]*Column, len(q.plan.By))
		for j, name := range q.plan.By {
			if by[j], err = in.column(name); err != nil {
				return grouping{}, err
			}
		}
		ops := make([]op, len(q.plan.Measures))
		for j, m := range q.plan.Measures {
			ops[j].fn = m.Func
			if ops[j].column, err = in.column(m.Column); err != nil {
				return grouping{}, err
			}
		}
		parts[i] = q.aggregate(s, by, ops)
	}
	g := q.joined(parts)
	for i, m := range q.plan.Measures {
		if m.Func == egrid.Sum && g.live.n > 0 {
			at := len(q.plan.By) + i
			g.columns[at] = rounded(g.columns[at])
		}
	}
	return g, q.ctx.Err()
}

// joined makes one grouping of those of several snapshots: it groups the groups.
func (q *query) joined(parts []grouping) grouping {
	n := 0
	for _, p := range parts {
		n += p.live.n
	}
	width := len(q.plan.By) + len(q.plan.Measures)
	switch {
	case len(parts) == 1:
		return parts[0]
	case n == 0:
		return grouping{columns: blanks(width)}
	}
	columns := make([]*Column, width)
	ops := make([]op, len(q.plan.Measures))
	for i := range columns {
		sum := false
		if j := i - len(q.plan.By); j >= 0 {
			ops[j].fn = q.plan.Measures[j].Func
			if ops[j].fn == egrid.Count {
				ops[j].fn = egrid.Sum
			}
			sum = ops[j].fn == egrid.Sum
		}
		columns[i] = join(parts, i, n, sum)
		if j := i - len(q.plan.By); j >= 0 {
			ops[j].column = columns[i]
		}
	}
	return q.aggregate(selection{n: n}, columns[:len(q.plan.By)], ops)
}

func blanks(n int) []*Column {
	columns := make([]*Column, n)
	for i := range columns {
		columns[i] = &Column{most: -1, full: true, dict: &dictionary{}}
	}
	return columns
}

// aggregate groups the selected rows.
func (q *query) aggregate(s selection, by []*Column, ops []op) grouping {
	if s.n == 0 {
		return grouping{columns: blanks(len(by) + len(ops))}
	}
	ids, size := q.identify(s, by)
	counts, mask := q.lanes(s.n, size)
	for i, id := range ids {
		counts[int(id)+i&mask*size]++
	}
	counts = fold(counts, size)
	g := grouping{columns: make([]*Column, 0, len(by)+len(ops))}
	g.live = q.used(counts)
	if len(by) == 1 && by[0].dense(s.n) {
		g.columns = append(g.columns, q.counted(by[0], size))
	} else {
		sample := q.sample(s, ids, size)
		for _, c := range by {
			g.columns = append(g.columns, q.sampled(c, sample, g.live))
		}
	}
	for _, o := range ops {
		g.columns = append(g.columns, q.measured(o, s, ids, counts))
	}
	return g
}

// lanes returns zeros for as many totals as there are groups. Neighbours are
// often of one group, and each addition would wait for the one before; where
// groups are few there are lanes of totals, and row i adds to lane i&mask. fold
// adds up the lanes.
func (q *query) lanes(n, groups int) (totals []int64, mask int) {
	if groups < n/64 {
		mask = 3
	}
	return q.wide.zeros((mask + 1) * groups), mask
}

func fold(totals []int64, groups int) []int64 {
	for i, x := range totals[groups:] {
		totals[i%groups] += x
	}
	return totals[:groups]
}

// counted returns the column of groups that are numbered by its keys.
func (q *query) counted(c *Column, size int) *Column {
	out := *c
	out.from, out.lossy, out.narrow, out.wide = nil, false, nil, q.wide.take(size)
	for id := range out.wide {
		out.wide[id] = c.least + int64(id)
	}
	out.wide[size-1] = absent
	return &out
}

// sample returns a row of each group.
func (q *query) sample(s selection, ids []int32, size int) []int32 {
	sample := q.narrow.take(size)
	for i, id := range ids {
		sample[id] = int32(s.at(i))
	}
	return sample
}

// used selects the places that have rows.
func (q *query) used(counts []int64) selection {
	live := q.narrow.take(len(counts))
	n := 0
	for id, count := range counts {
		live[n] = int32(id)
		if count > 0 {
			n++
		}
	}
	return selection{n, live[:n]}
}

// sampled returns a column of the groups that has the cells of sample rows.
func (q *query) sampled(c *Column, sample []int32, live selection) *Column {
	out := *c
	out.from, out.lossy = nil, false
	if c.narrow != nil {
		out.narrow = q.narrow.take(len(sample))
		for _, id := range live.rows {
			out.narrow[id] = c.narrow[sample[id]]
		}
	} else {
		out.wide = q.wide.take(len(sample))
		for _, id := range live.rows {
			out.wide[id] = c.wide[sample[id]]
		}
	}
	return &out
}

// measured aggregates a column over the groups. Places without rows have any
// content.
func (q *query) measured(o op, s selection, ids []int32, counts []int64) *Column {
	c := o.column
	switch {
	case o.fn == egrid.Count:
		return &Column{form: formInteger, wide: counts, least: 1, most: math.MaxInt32, full: true}
	case c.least > c.most:
		return &Column{narrow: q.missing(len(counts)), most: -1, dict: &dictionary{}}
	case o.fn == egrid.Sum:
		return q.summed(c, s, ids, counts)
	}
	out := *c
	out.from, out.lossy = nil, false
	if c.narrow != nil {
		out.narrow = q.narrow.take(len(counts))
		extreme(out.narrow, ids, gathered(&q.narrow, c.narrow, s), o.fn == egrid.Max, absentNarrow)
	} else {
		out.wide = q.wide.take(len(counts))
		extreme(out.wide, ids, gathered(&q.wide, c.wide, s), o.fn == egrid.Max, absent)
	}
	return &out
}

func (q *query) missing(n int) []int32 {
	keys := q.narrow.take(n)
	for i := range keys {
		keys[i] = absentNarrow
	}
	return keys
}

// gathered returns the keys of the selected rows, one after the other.
func gathered[K key](from *slab[K], keys []K, s selection) []K {
	if s.rows == nil {
		return keys[:s.n]
	}
	out := from.take(s.n)
	for i, row := range s.rows {
		out[i] = keys[row]
	}
	return out
}

// extreme finds the least or the largest key of each group.
func extreme[K key](out []K, ids []int32, keys []K, largest bool, missing K) {
	ids = ids[:len(keys)]
	for i := range out {
		out[i] = missing
	}
	if !largest {
		for i, k := range keys {
			id := ids[i]
			out[id] = min(out[id], k)
		}
		return
	}
	for i, k := range keys {
		if id := ids[i]; k != missing && (k > out[id] || out[id] == missing) {
			out[id] = k
		}
	}
}

// summed adds up a column: exactly when the sum of as many cells of its size
// fits, else by floats. The sums are not rounded yet.
func (q *query) summed(c *Column, s selection, ids []int32, counts []int64) *Column {
	most := max(math.Abs(float64(c.least)), math.Abs(float64(c.most))) * float64(s.n)
	if c.form != formInteger && c.form != formDecimal || most >= 1<<62 {
		return q.summedFloats(c, s, ids, len(counts))
	}
	totals, mask := q.lanes(s.n, len(counts))
	out := &Column{form: c.form, scale: c.scale, full: c.full, least: -int64(most) - 1, most: int64(most) + 1}
	var missing []int32 // cells of each group
	if !c.full {
		missing = q.narrow.zeros(len(counts))
	}
	if c.narrow != nil {
		add(totals, mask, missing, ids, gathered(&q.narrow, c.narrow, s), absentNarrow)
	} else {
		add(totals, mask, missing, ids, gathered(&q.wide, c.wide, s), absent)
	}
	out.wide = fold(totals, len(counts))
	for id, n := range missing {
		if n > 0 && int64(n) == counts[id] {
			out.wide[id] = absent
		}
	}
	return out
}

// add adds keys to the totals of their groups, and counts the missing ones. A
// column without these has none to count them in.
func add[K key](totals []int64, mask int, missing, ids []int32, keys []K, none K) {
	ids = ids[:len(keys)]
	groups := len(totals) / (mask + 1)
	if missing == nil {
		for i, k := range keys {
			totals[int(ids[i])+i&mask*groups] += int64(k)
		}
		return
	}
	for i, k := range keys {
		if k == none {
			missing[ids[i]]++
		} else {
			totals[int(ids[i])+i&mask*groups] += int64(k)
		}
	}
}

// summedFloats adds up floats, with Neumaier's compensation for the digits that
// each addition loses.
func (q *query) summedFloats(c *Column, s selection, ids []int32, size int) *Column {
	sums, lost, seen := q.floats.zeros(size), q.floats.zeros(size), q.narrow.zeros(size)
	for i, id := range ids {
		k := c.key(s.at(i))
		if k == absent {
			continue
		}
		x := c.float(k)
		sum := sums[id] + x
		if math.Abs(sums[id]) >= math.Abs(x) {
			lost[id] += (sums[id] - sum) + x
		} else {
			lost[id] += (x - sum) + sums[id]
		}
		sums[id], seen[id] = sum, 1
	}
	out := &Column{form: formFloat, wide: q.wide.take(size)}
	for id := range sums {
		out.wide[id] = absent
		if seen[id] != 0 {
			out.wide[id] = sumKey(egrid.NumberOf(sums[id] + lost[id]))
		}
	}
	out.measure()
	return out
}
