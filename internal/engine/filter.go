package engine

import (
	"bytes"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// selection is rows of a table in ascending order.
type selection struct {
	n    int
	rows []int32 // nil: the rows from 0 to n
}

func (s selection) at(i int) int {
	if s.rows == nil {
		return i
	}
	return int(s.rows[i])
}

// test is a filter on keys.
type test struct {
	low, high int64    // keys in between pass
	some      bool     // of those, only the ones in set or list
	not       bool     // of those, only the ones not in it
	first     int64    // key of the set's first bit
	set       []uint64 // bitmap
	list      []int64  // ascending; used without a set
}

func nothing() test { return test{low: 0, high: -1} }

// present passes every cell that is not missing.
func (c *Column) present() test { return test{low: c.least, high: c.most} }

// test compiles a filter, see [egrid.Filter.Match].
func (c *Column) test(f *egrid.Filter) test {
	switch f.Op {
	case egrid.Missing:
		if c.full {
			return nothing()
		}
		return test{low: absent, high: absent}
	case egrid.Present:
		return c.present()
	}
	if len(f.Values) == 0 || c.least > c.most {
		return nothing()
	}
	t := c.present()
	if f.Op == egrid.Eq || f.Op == egrid.Ne {
		for _, v := range f.Values {
			if k, equal := c.seek(v); equal {
				t.list = append(t.list, k)
			}
		}
		t.some, t.not = f.Op == egrid.Eq, f.Op == egrid.Ne
		return t.settle(c)
	}
	k, equal := c.seek(f.Values[0])
	switch f.Op {
	case egrid.Lt:
		t.high = k - 1
	case egrid.Le:
		t.high = k - 1
		if equal {
			t.high = k
		}
	case egrid.Gt:
		t.low = k
		if equal {
			t.low = k + 1
		}
	case egrid.Ge:
		t.low = k
	default:
		return nothing()
	}
	return t
}

// settle chooses the fastest form of a test of a list.
func (t test) settle(c *Column) test {
	slices.Sort(t.list)
	t.list = slices.Compact(t.list)
	switch {
	case len(t.list) == 0 && t.some:
		return nothing()
	case len(t.list) == 0:
		t.not = false
	case len(t.list) == 1 && t.some:
		t.low, t.high, t.some = t.list[0], t.list[0], false
	case uint64(c.most)-uint64(c.least) < 1<<18:
		t.first = c.least
		t.set = make([]uint64, uint64(c.most-c.least)>>6+1)
		for _, k := range t.list {
			t.set[(k-t.first)>>6] |= 1 << ((k - t.first) & 63)
		}
	}
	return t
}

// listed reports whether a key between low and high is in the set or list.
func (t *test) listed(k int64) bool {
	if t.set != nil {
		k -= t.first
		return t.set[k>>6]>>(k&63)&1 != 0
	}
	_, found := slices.BinarySearch(t.list, k)
	return found
}

// keep narrows a selection down to the rows whose cell passes.
func (q *query) keep(s selection, c *Column, t test) selection {
	switch {
	case t.low > t.high:
		return selection{rows: []int32{}}
	case c.full && t.low <= c.least && t.high >= c.most && !t.some && !t.not:
		return s
	}
	from := s.rows
	if from == nil {
		s.rows = q.narrow.take(s.n)
	}
	if c.narrow != nil {
		low, high := int32(min(t.low, absentNarrow)), int32(min(t.high, absentNarrow))
		s.n = between(s.rows, from, c.narrow, s.n, low, high)
	} else {
		s.n = between(s.rows, from, c.wide, s.n, t.low, t.high)
	}
	s.rows = s.rows[:s.n]
	if t.some || t.not {
		s.n = 0
		for _, row := range s.rows {
			s.rows[s.n] = row
			if t.listed(c.key(int(row))) == t.some {
				s.n++
			}
		}
		s.rows = s.rows[:s.n]
	}
	return s
}

// between writes those of the rows to dst whose key is from low to high, and
// returns how many there are. from may be dst, or nil for the first n rows.
func between[K key](dst, from []int32, keys []K, n int, low, high K) int {
	kept := 0
	span := uint64(high) - uint64(low)
	if from == nil {
		for i, k := range keys[:n] {
			dst[kept] = int32(i)
			if uint64(k)-uint64(low) <= span {
				kept++
			}
		}
		return kept
	}
	for _, row := range from[:n] {
		dst[kept] = row
		if uint64(keys[row])-uint64(low) <= span {
			kept++
		}
	}
	return kept
}

// matches selects the rows that satisfy the plan's filters and search words.
func (q *query) matches(in *input) (selection, error) {
	s := selection{n: in.rows}
	for i := range q.plan.Filters {
		c, err := in.column(q.plan.Filters[i].Column)
		if err != nil {
			return s, err
		}
		s = q.keep(s, c, c.test(&q.plan.Filters[i]))
	}
	if len(q.plan.Words) == 0 {
		return s, q.ctx.Err()
	}
	columns := make([]*Column, len(q.plan.Search))
	for i, name := range q.plan.Search {
		var err error
		if columns[i], err = in.column(name); err != nil {
			return s, err
		}
	}
	for _, term := range q.plan.Terms() {
		var resident func(row int) bool
		if term.State != "" {
			c, err := in.column(egrid.State)
			if err != nil {
				return s, err
			}
			resident = inState(c, term.State)
		}
		s = q.search(s, columns, term.Words, resident)
	}
	return s, q.ctx.Err()
}

// inState tells whether a row lies in a state.
func inState(c *Column, state string) func(row int) bool {
	return func(row int) bool {
		k := c.key(row)
		return k != absent && c.value(k).String() == state
	}
}

// search keeps the rows that have each of the words in one of the columns, and those that
// also admits, which may be nil. Each text is looked at once, whatever the number of rows
// that have it.
func (q *query) search(s selection, columns []*Column, words []string, also func(row int) bool) selection {
	has := make([]func(row int) bool, len(words))
	for i, word := range words {
		has[i] = hasWord(columns, word)
	}
	from := s
	if s.rows == nil {
		s.rows = q.narrow.take(s.n)
	}
	s.n = 0
	for i := range from.n {
		row := from.at(i)
		lacks := func(has func(int) bool) bool { return !has(row) }
		if also != nil && also(row) || !slices.ContainsFunc(has, lacks) {
			s.rows[s.n] = int32(row)
			s.n++
		}
	}
	s.rows = s.rows[:s.n]
	return s
}

// hasWord tells whether a row has a word in one of the columns.
func hasWord(columns []*Column, word string) func(row int) bool {
	sets := make([][]uint64, len(columns))
	for i, c := range columns {
		if c.form == formText && c.dict.texts != nil {
			sets[i] = make([]uint64, max(c.most, 0)/64+1)
			c.dict.mark(sets[i], word)
		}
	}
	return func(row int) bool {
		for j, c := range columns {
			k := c.key(row)
			if k == absent {
				continue
			}
			if sets[j] != nil && sets[j][k>>6]>>(k&63)&1 != 0 ||
				sets[j] == nil && bytes.Contains(lowerASCII(c.value(k).String()), []byte(word)) {
				return true
			}
		}
		return false
	}
}
