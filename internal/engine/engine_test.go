package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
)

// The oracle evaluates a plan value by value, straight from the definition.

type row struct {
	egrid.Row
	snapshot *egrid.Snapshot
}

func (r row) value(c egrid.Column) egrid.Value {
	if egrid.IsContext(c) {
		return r.snapshot.Context(c)
	}
	return r.Value(c)
}

func (w *world) matches(p *driver.Plan) []row {
	var rows []row
	for i := range p.Snapshots {
		s := &p.Snapshots[i]
		for _, b := range w.batches[s.ID] {
			for r := range b.Rows() {
				if m := (row{r, s}); p.Matches(m.value) {
					rows = append(rows, m)
				}
			}
		}
	}
	return rows
}

// line is a row of an answer.
type line struct {
	values []egrid.Value
	at     driver.Position
}

func (w *world) rows(p *driver.Plan) []line {
	var lines []line
	for _, m := range w.matches(p) {
		l := line{at: driver.Position{Year: m.snapshot.Year, Number: m.Number()}}
		for _, c := range p.Output.Columns() {
			l.values = append(l.values, m.value(c))
		}
		for _, key := range p.Sort {
			l.at.Keys = append(l.at.Keys, m.value(key.Column))
		}
		lines = append(lines, l)
	}
	order := func(a, b line) int { return comparePositions(p, a.at, b.at) }
	slices.SortFunc(lines, order)
	if p.After != nil {
		lines = slices.DeleteFunc(lines, func(l line) bool { return comparePositions(p, l.at, *p.After) <= 0 })
	}
	return lines[:limited(p, len(lines))]
}

func limited(p *driver.Plan, n int) int {
	if p.Limit > 0 {
		return min(p.Limit, n)
	}
	return n
}

func comparePositions(p *driver.Plan, a, b driver.Position) int {
	for i, key := range p.Sort {
		if c := key.Compare(a.Keys[i], b.Keys[i]); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Number, b.Number))
}

// groups returns all groups, in order, that satisfy the plan.
func (w *world) groups(p *driver.Plan) []line {
	groups := map[string][]row{}
	for _, m := range w.matches(p) {
		key := ""
		for _, c := range p.By {
			key += fmt.Sprintf("%s %q ", m.value(c).Type(), m.value(c).String())
		}
		groups[key] = append(groups[key], m)
	}
	var lines []line
	for _, members := range groups {
		var l line
		named := map[egrid.Column]egrid.Value{}
		for _, c := range p.By {
			named[c] = members[0].value(c)
			l.values = append(l.values, named[c])
		}
		for _, m := range p.Measures {
			v := aggregate(m, members)
			named[m.Name()] = v
			l.values = append(l.values, v)
		}
		if slices.ContainsFunc(p.Having, func(f egrid.Filter) bool { return !f.Match(named[f.Column]) }) {
			continue
		}
		for _, key := range p.Sort {
			l.at.Keys = append(l.at.Keys, named[key.Column])
		}
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b line) int { return comparePositions(p, a.at, b.at) })
	return lines
}

func aggregate(m egrid.Measure, members []row) egrid.Value {
	if m.Func == egrid.Count {
		return egrid.IntegerOf(int64(len(members)))
	}
	var result egrid.Value
	sum := new(big.Rat)
	for _, r := range members {
		v := r.value(m.Column)
		if v.IsMissing() {
			continue
		}
		if m.Func == egrid.Sum {
			x, ok := new(big.Rat).SetString(v.String())
			if !ok {
				panic("no number: " + v.String())
			}
			sum.Add(sum, x)
		}
		if result.IsMissing() || m.Func == egrid.Min && v.Compare(result) < 0 || m.Func == egrid.Max && v.Compare(result) > 0 {
			result = v
		}
	}
	if m.Func != egrid.Sum || result.IsMissing() {
		return result
	}
	x, err := strconv.ParseFloat(new(big.Float).SetPrec(2048).SetRat(sum).Text('g', 15), 64)
	if err != nil {
		panic(err)
	}
	return egrid.NumberOf(x)
}

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
	if len(q.Columns) > 0 && !slices.Contains(q.Columns, egrid.Year) {
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

// scan executes a plan on tables that have what the plan needs and no more.
func (w *world) scan(t testing.TB, p *driver.Plan) []line {
	t.Helper()
	tables := map[egrid.SnapshotID]*engine.Table{}
	for _, s := range p.Snapshots {
		batches := slices.Clone(w.batches[s.ID])
		if n := len(batches); w.oneIn(2) {
			i, j := w.intn(n), w.intn(n)
			batches[i], batches[j] = batches[j], batches[i]
		}
		needed := engine.Needed(p)
		half := w.intn(len(needed) + 1)
		tables[s.ID] = engine.NewTable(batches, needed[:half]).With(engine.NewTable(w.batches[s.ID], needed[half:]))
	}
	return execute(t, p, func(s egrid.Snapshot) *engine.Table { return tables[s.ID] })
}

func execute(t testing.TB, p *driver.Plan, table func(egrid.Snapshot) *engine.Table) []line {
	t.Helper()
	var lines []line
	for b, err := range engine.Scan(t.Context(), p, table) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Schema() != p.Output || b.Len() == 0 {
			t.Fatalf("a batch of %d rows with columns %v, want %v", b.Len(), b.Schema().Columns(), p.Output.Columns())
		}
		for r := range b.Rows() {
			l := line{values: r.Values(), at: driver.Position{Year: r.Year(), Number: r.Number()}}
			for _, key := range p.Sort {
				l.at.Keys = append(l.at.Keys, r.Value(key.Column))
			}
			lines = append(lines, l)
		}
	}
	return lines
}

func same(a, b egrid.Value) bool { return a.Type() == b.Type() && a.Compare(b) == 0 }

// compare fails when the answer is not what is wanted. Wild sums may differ by
// a few units of the last digits of what was added up.
func (w *world) compare(t *testing.T, p *driver.Plan, got, want []line) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d\nplan %+v", len(got), len(want), p)
	}
	for i := range want {
		for j, v := range want[i].values {
			if same(got[i].values[j], v) || w.wild && w.close(p, j, got[i].values[j], v) {
				continue
			}
			t.Fatalf("row %d, column %s: %q (%s), want %q (%s)\nplan %+v", i, p.Output.Field(j).Column, got[i].values[j].String(), got[i].values[j].Type(), v.String(), v.Type(), p)
		}
		if len(p.Measures) == 0 && (got[i].at.Number != want[i].at.Number || got[i].at.Year != want[i].at.Year) {
			t.Fatalf("row %d is number %d of %d, want %d of %d", i, got[i].at.Number, got[i].at.Year, want[i].at.Number, want[i].at.Year)
		}
	}
}

func (w *world) close(p *driver.Plan, j int, a, b egrid.Value) bool {
	j -= len(p.By)
	if len(p.Measures) == 0 || j < 0 || p.Measures[j].Func != egrid.Sum {
		return false
	}
	largest := 0.0 // sum of the absolute values
	for _, m := range w.matches(p) {
		x, _ := m.value(p.Measures[j].Column).Float()
		largest += math.Abs(x)
	}
	x, ok := a.Float()
	y, ok2 := b.Float()
	return ok && ok2 && math.Abs(x-y) <= 1e-14*largest
}

func (w *world) testRows(t *testing.T) {
	p := w.planRows(t)
	w.compare(t, p, w.scan(t, p), w.rows(p))
	whole := *p
	whole.Limit = 0
	want := w.rows(&whole)
	w.compare(t, &whole, w.scan(t, &whole), want)
	w.count(t, p, len(want))
	var pages []line
	page := *p
	page.Limit = max(p.Limit, len(want)/5) // so that there are few
	for {
		got := w.scan(t, &page)
		pages = append(pages, got...)
		if len(got) < page.Limit || len(pages) > len(want) {
			break
		}
		at := got[len(got)-1].at
		page.After = &at
	}
	w.compare(t, &whole, pages, want)
	if p.After = w.anywhere(p); p.After != nil {
		w.compare(t, p, w.scan(t, p), w.rows(p))
	}
}

// anywhere is a position that need not be a row's.
func (w *world) anywhere(p *driver.Plan) *driver.Position {
	at := &driver.Position{Year: 2018 + w.intn(5), Number: int64(w.intn(30))}
	for _, key := range p.Sort {
		at.Keys = append(at.Keys, w.value(w.typeOf(key.Column), w.intn(3)))
	}
	return at
}

func (w *world) testGroups(t *testing.T) {
	p := w.planGroups(t)
	want := w.groups(p)
	w.compare(t, p, w.scan(t, p), want[:limited(p, len(want))])
	w.count(t, p, len(want))
	var pages []line
	page := *p
	page.Limit = max(p.Limit, len(want)/5)
	for ; ; page.Offset += int64(page.Limit) {
		got := w.scan(t, &page)
		pages = append(pages, got...)
		if len(got) < page.Limit || len(pages) > len(want) {
			break
		}
	}
	w.compare(t, &page, pages, want)
}

func (w *world) count(t *testing.T, p *driver.Plan, want int) {
	t.Helper()
	got := w.scan(t, p.Counting())
	if len(got) != 1 || !same(got[0].values[0], egrid.IntegerOf(int64(want))) {
		t.Fatalf("counted %v, want %d\nplan %+v", got, want, p)
	}
}

func TestScanAgreesWithDefinition(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rows := 40
			if seed%100 == 0 {
				rows = 3000
			}
			w := newWorld(&source{random: rand.New(rand.NewPCG(seed, 1))}, rows)
			for range 6 {
				if rows < 100 || w.oneIn(2) {
					w.testRows(t)
				}
				w.testGroups(t)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("a plan and its data, made of bytes"))
	f.Add([]byte{0xff, 3, 0x17, 200, 9, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233})
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(&source{bytes: data}, 24)
		w.testRows(t)
		w.testGroups(t)
	})
}

func TestScanEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(&source{random: rand.New(rand.NewPCG(7, 7))}, 50)
	p, err := driver.PlanRows(w.catalog, egrid.RowQuery{Level: level, Year: egrid.AllYears})
	if err != nil {
		t.Fatal(err)
	}
	table := func(s egrid.Snapshot) *engine.Table { return engine.NewTable(w.batches[s.ID], engine.Needed(p)) }
	failing := func(ctx context.Context, table func(egrid.Snapshot) *engine.Table) (last error) {
		for _, err := range engine.Scan(ctx, p, table) {
			if last != nil {
				t.Error("the scan goes on behind an error")
			}
			last = err
		}
		return last
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := failing(ended, table); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
	if err := failing(t.Context(), func(egrid.Snapshot) *engine.Table { return nil }); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("a table that is not there gives %v", err)
	}
	column := w.catalog.Snapshots[0].Schema.Field(0).Column
	err = failing(t.Context(), func(s egrid.Snapshot) *engine.Table { return table(s).Without(column) })
	if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), string(column)) {
		t.Errorf("a column that is not prepared gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range engine.Scan(ctx, p, table) {
		cancel()
		break // the scan must not call on
	}
}
