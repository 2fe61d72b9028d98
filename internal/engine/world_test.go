package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// source makes choices, from a seed or from the bytes of a fuzzer; when these
// are used up, every choice is the first.
type source struct {
	random *rand.Rand
	bytes  []byte
}

func (s *source) intn(n int) int {
	if s.random != nil {
		return s.random.IntN(n)
	}
	x := 0
	for limit := 1; limit < n; limit <<= 8 {
		if len(s.bytes) > 0 {
			x, s.bytes = x<<8|int(s.bytes[0]), s.bytes[1:]
		}
	}
	return x % n
}

func (s *source) oneIn(n int) bool { return s.intn(n) == n-1 }

func pick[T any](s *source, from []T) T { return from[s.intn(len(from))] }

// world is snapshots of one level and their rows.
type world struct {
	*source
	catalog egrid.Catalog
	fields  []egrid.Field
	batches map[egrid.SnapshotID][]*egrid.Batch // by ascending number
	wild    bool                                // numbers whose sums depend on how they are added up
}

const level = egrid.PLNT

func newWorld(s *source, rows int) *world {
	w := &world{source: s, batches: map[egrid.SnapshotID][]*egrid.Batch{}, wild: s.oneIn(3)}
	all := egrid.Fields(level)
	for _, t := range []egrid.Type{egrid.Text, egrid.Integer, egrid.Number, egrid.Number, egrid.Flag, egrid.Text} {
		typed := slices.DeleteFunc(slices.Clone(all), func(f egrid.Field) bool { return f.Type != t || egrid.IsContext(f.Column) })
		w.add(pick(s, typed))
	}
	for _, c := range []egrid.Column{egrid.State, egrid.PlantName} {
		f, _ := egrid.Lookup(level, string(c))
		w.add(f)
	}
	w.add(egrid.Field{Level: level, Column: "NEW", Type: egrid.Text})
	w.add(egrid.Field{Level: level, Column: "count of things", Type: egrid.Integer})
	for i := range 1 + s.intn(3) {
		w.snapshot(2019+i, s.intn(rows))
	}
	return w
}

func (w *world) add(f egrid.Field) {
	if !slices.ContainsFunc(w.fields, func(g egrid.Field) bool { return g.Column == f.Column }) {
		w.fields = append(w.fields, f)
	}
}

func (w *world) snapshot(year, rows int) {
	var fields []egrid.Field
	for i := range w.fields {
		if !w.fields[i].Known() || !w.oneIn(5) { // a column that is nowhere cannot be asked for
			fields = append(fields, w.fields[i])
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err)
	}
	id := egrid.SnapshotID(fmt.Sprint("s", year))
	release := pick(w.source, []string{"", "v1", "rev2"})
	w.catalog.Snapshots = append(w.catalog.Snapshots, egrid.Snapshot{ID: id, Level: level, Year: year, Release: release, Status: egrid.Published, Rows: int64(rows), Schema: schema})
	number := int64(0)
	b := egrid.NewBuilder(schema, year)
	kinds := make([]int, len(fields)) // of values, one for each column
	for i := range kinds {
		kinds[i] = w.intn(4)
	}
	for range rows {
		for j := range fields {
			if err := b.Value(j, w.value(fields[j].Type, kinds[j])); err != nil {
				panic(err)
			}
		}
		number += 1 + int64(w.intn(12)/11)
		b.EndRow(number, 0)
		if w.oneIn(8) {
			w.batches[id] = append(w.batches[id], b.Batch())
		}
	}
	w.batches[id] = append(w.batches[id], b.Batch())
}

var (
	texts = []string{"a", "A", "b", "TX", "ab", "ba", "0005", "5", "é", "É", "日本", "a b", "a/b", "%", "_", "aa", "Aab", strings.Repeat("long ", 30), "\xff", "\x00"}
	large = []int64{1 << 53, 1<<53 + 1, 1<<53 - 1, -(1<<53 + 1), 1e15, 999999999999999, 123456789012345678}
	wild  = []float64{0.1, 1.0 / 3, 5e-324, 1e-300, 1e150, -1e150, 1 << 53, 1<<53 + 2, 4188971343.358, 1e15 + 0.5, math.Copysign(0, -1), 9.007199254740993e15, 1e22}
	huge  = []int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1}
)

func (w *world) value(t egrid.Type, kind int) egrid.Value {
	if w.oneIn(5) || kind == 3 && !w.oneIn(6) {
		return egrid.Value{}
	}
	return w.present(t, kind)
}

func (w *world) present(t egrid.Type, kind int) egrid.Value {
	switch t {
	case egrid.Integer:
		switch {
		case kind == 0:
			return egrid.IntegerOf(int64(w.intn(7)) - 3)
		case w.wild && w.oneIn(4):
			return egrid.IntegerOf(pick(w.source, huge))
		case w.oneIn(4):
			return egrid.IntegerOf(pick(w.source, large))
		}
		return egrid.IntegerOf(int64(w.intn(1<<20)) - 1<<19)
	case egrid.Number:
		switch {
		case kind == 0:
			return egrid.NumberOf(float64(w.intn(40)-20) / 8)
		case w.wild && kind == 1:
			return egrid.NumberOf(pick(w.source, wild))
		}
		return egrid.NumberOf(float64(w.intn(1<<30)-1<<29) / 1000)
	case egrid.Flag:
		return egrid.FlagOf(w.oneIn(2))
	}
	if kind == 1 {
		return egrid.TextOf(fmt.Sprint(pick(w.source, texts), w.intn(300)))
	}
	return egrid.TextOf(pick(w.source, texts))
}

func (w *world) column() egrid.Column {
	if w.oneIn(5) {
		return pick(w.source, []egrid.Column{egrid.LevelColumn, egrid.Year, egrid.ReleaseColumn})
	}
	return pick(w.source, w.fields).Column
}

func (w *world) typeOf(c egrid.Column) egrid.Type {
	for i := range w.fields {
		if w.fields[i].Column == c {
			return w.fields[i].Type
		}
	}
	if c == egrid.Year || c == "rows" {
		return egrid.Integer
	}
	return egrid.Text
}

var operators = []egrid.Op{egrid.Eq, egrid.Ne, egrid.Lt, egrid.Le, egrid.Gt, egrid.Ge, egrid.Missing, egrid.Present}

func (w *world) filter(c egrid.Column, t egrid.Type) egrid.Filter {
	f := egrid.Filter{Column: c, Op: pick(w.source, operators)}
	n := 0
	switch f.Op {
	case egrid.Eq, egrid.Ne:
		n = 1 + w.intn(4)
	case egrid.Lt, egrid.Le, egrid.Gt, egrid.Ge:
		n = 1
	}
	for range n {
		v := w.present(t, w.intn(3))
		switch {
		case c == egrid.Year:
			v = egrid.IntegerOf(int64(2018 + w.intn(5)))
		case c == egrid.ReleaseColumn:
			v = egrid.TextOf("v1")
		case t == egrid.Integer && w.oneIn(3):
			v = egrid.NumberOf(pick(w.source, []float64{0.5, -0.5, 1 << 63, -(1 << 63), 1e30, 2}))
		}
		f.Values = append(f.Values, v)
	}
	return f
}

func (w *world) filters() (filters []egrid.Filter) {
	for range w.intn(3) {
		c := w.column()
		filters = append(filters, w.filter(c, w.typeOf(c)))
	}
	return filters
}

func (w *world) search() string {
	if !w.oneIn(4) {
		return ""
	}
	words := []string{"a", "B", "tx", "É", "日", "ab", "%", "5", "\x00"}
	return pick(w.source, words) + " " + pick(w.source, append(words, "", ""))
}

func (w *world) sort(columns func() egrid.Column) (keys []egrid.Sort) {
	for range w.intn(4) {
		keys = append(keys, egrid.Sort{Column: columns(), Desc: w.oneIn(2)})
	}
	return keys
}

func (w *world) limit() int { return pick(w.source, []int{1, 2, 3, 7, 20, 1000}) }

func (w *world) planRows(t testing.TB) *driver.Plan {
	q := egrid.RowQuery{Level: level, Year: pick(w.source, []int{egrid.AllYears, 0}), Filters: w.filters(), Search: w.search(), Sort: w.sort(w.column), Limit: w.limit()}
	for range w.intn(5) {
		if c := w.column(); !slices.Contains(q.Columns, c) {
			q.Columns = append(q.Columns, c)
		}
	}
	if sorted := slices.ContainsFunc(q.Sort, func(s egrid.Sort) bool { return s.Column == egrid.Year }); sorted && len(q.Columns) > 0 && !slices.Contains(q.Columns, egrid.Year) {
		q.Columns = append(q.Columns, egrid.Year)
	}
	p, err := driver.PlanRows(w.catalog, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) planGroups(t testing.TB) *driver.Plan {
	q := egrid.GroupQuery{Level: level, Year: pick(w.source, []int{egrid.AllYears, 0}), Filters: w.filters(), Search: w.search(), Limit: w.limit()}
	types := map[egrid.Column]egrid.Type{}
	var answer []egrid.Column
	for range w.intn(4) {
		if c := w.column(); !slices.Contains(q.By, c) {
			q.By = append(q.By, c)
			types[c] = w.typeOf(c)
			answer = append(answer, c)
		}
	}
	for i := range 1 + w.intn(4) {
		m := egrid.Measure{Func: pick(w.source, []egrid.Func{egrid.Sum, egrid.Count, egrid.Min, egrid.Max}), As: egrid.Column(fmt.Sprint("m", i))}
		types[m.As] = egrid.Integer
		ordered := true
		if m.Func != egrid.Count {
			m.Column = w.column()
			types[m.As] = w.typeOf(m.Column)
			if m.Func == egrid.Sum {
				for w.typeOf(m.Column) != egrid.Number && w.typeOf(m.Column) != egrid.Integer {
					m.Column = w.fields[slices.IndexFunc(w.fields, func(f egrid.Field) bool { return f.Type == egrid.Number })].Column
				}
				types[m.As] = egrid.Number
				ordered = !w.wild
			}
		}
		q.Measures = append(q.Measures, m)
		if ordered {
			answer = append(answer, m.As)
		}
	}
	if len(answer) > 0 {
		column := func() egrid.Column { return pick(w.source, answer) }
		q.Sort = w.sort(column)
		for range w.intn(3) {
			c := column()
			q.Having = append(q.Having, w.filter(c, types[c]))
		}
	}
	p, err := driver.PlanGroups(w.catalog, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
