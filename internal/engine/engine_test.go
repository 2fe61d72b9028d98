package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
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

// scan executes a plan on tables that have what the plan needs and no more.
func (w *world) scan(t testing.TB, p *driver.Plan) []line {
	t.Helper()
	tables := map[egrid.SnapshotID]*engine.Table{}
	for i := range p.Snapshots {
		id := p.Snapshots[i].ID
		batches := slices.Clone(w.batches[id])
		if n := len(batches); w.oneIn(2) {
			i, j := w.intn(n), w.intn(n)
			batches[i], batches[j] = batches[j], batches[i]
		}
		needed := engine.Needed(p)
		half := w.intn(len(needed) + 1)
		tables[id] = engine.NewTable(batches, needed[:half]).With(engine.NewTable(w.batches[id], needed[half:]))
	}
	table := func(s egrid.Snapshot) *engine.Table { return tables[s.ID] }
	if len(p.Measures) == 0 || w.oneIn(2) {
		return lines(t, p, engine.Scan(t.Context(), p, table))
	}
	all, rest := engine.Split(p)
	g, err := engine.Group(t.Context(), all, table)
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, p, g.Scan(t.Context(), rest))
}

func lines(t testing.TB, p *driver.Plan, answer iter.Seq2[*egrid.Batch, error]) []line {
	t.Helper()
	var lines []line
	for b, err := range answer {
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
	for _, err := range engine.Scan(ctx, p, table) {
		if err != nil {
			t.Error(err)
		}
		cancel()
		break // the scan must not call on
	}
}
