package driver_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// sampleCatalog is of two levels, two data years, two releases, a column of the
// file's own, and snapshots that were published before or are held.
func sampleCatalog(t testing.TB) egrid.Catalog {
	t.Helper()
	own := egrid.Field{Level: egrid.GEN, Column: `"own", <&>`, Type: egrid.Number}
	schema := func(level egrid.Level, more ...egrid.Field) *egrid.Schema {
		s, err := egrid.NewSchema(append(egrid.Fields(level), more...)...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := egrid.Catalog{Revision: 9, Pruned: []egrid.SnapshotID{"pruned"}}
	for i, s := range []egrid.Snapshot{
		{Level: egrid.GEN, Year: 2021, Status: egrid.Published}, {Level: egrid.GEN, Year: 2023, Status: egrid.Published},
		{Level: egrid.GEN, Year: 2023, Release: "v2", Status: egrid.Published}, {Level: egrid.GEN, Year: 2023, Status: egrid.Superseded},
		{Level: egrid.GEN, Year: 2022, Status: egrid.Held}, {Level: egrid.ST, Year: 2023, Status: egrid.Published},
	} {
		s.ID, s.Stage, s.Schema = egrid.SnapshotID(fmt.Sprint("s", i)), egrid.StageID(fmt.Sprint("t", i)), schema(s.Level)
		if s.Level == egrid.GEN && s.Year == 2023 {
			s.Schema = schema(s.Level, own)
		}
		c.Snapshots = append(c.Snapshots, s)
	}
	driver.Seal(&c)
	return c
}

// samePlan compares all that a scanner reads of a plan.
func samePlan(t *testing.T, got, want *driver.Plan) {
	t.Helper()
	for name, schemas := range map[string][2]*egrid.Schema{"input": {got.Input, want.Input}, "output": {got.Output, want.Output}} {
		if !reflect.DeepEqual(schemas[0].Fields(), schemas[1].Fields()) {
			t.Errorf("%s %v; want %v", name, schemas[0].Columns(), schemas[1].Columns())
		}
	}
	a, b := *got, *want
	for _, p := range []*driver.Plan{&a, &b} { // what was compared, and what is the planner's alone
		*p = driver.Plan{
			Level: p.Level, Snapshots: p.Snapshots, Filters: p.Filters, Words: p.Words, Search: p.Search, By: p.By, Measures: p.Measures,
			Having: p.Having, Sort: p.Sort, Limit: p.Limit, Offset: p.Offset, Count: p.Count,
		}
		p.Snapshots = slices.Clone(p.Snapshots)
		for i := range p.Snapshots {
			p.Snapshots[i].Status = egrid.Published // as a pinned one is
		}
	}
	if g, w := fmt.Sprintf("%+v %+v", a, got.After), fmt.Sprintf("%+v %+v", b, want.After); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

// randomPlan plans a query of a seed; nil where the seed makes none.
func randomPlan(c egrid.Catalog, seed uint64) *driver.Plan {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(n int) bool { return r.IntN(n) == 0 }
	level := []egrid.Level{egrid.GEN, egrid.ST, egrid.UNT}[r.IntN(3)]
	fields := append(egrid.Fields(level), egrid.Field{Column: `"own", <&>`, Type: egrid.Number}, egrid.Field{Column: egrid.Year, Type: egrid.Integer})
	field := func() egrid.Field { return fields[r.IntN(len(fields))] }
	year, release := []int{0, egrid.AllYears, 2021, 2023}[r.IntN(4)], []string{"", "", "none", "v2"}[r.IntN(4)]
	value := func(f egrid.Field) egrid.Value {
		switch f.Type {
		case egrid.Text:
			return egrid.TextOf([]string{"TX", "a,\"b\"\n", "ü <x>", "5.0", "\xff"}[r.IntN(5)])
		case egrid.Flag:
			return egrid.FlagOf(pick(2))
		}
		return []egrid.Value{egrid.IntegerOf(1<<62 + 1), egrid.NumberOf(0.1), egrid.NumberOf(21), egrid.TextOf("2,443"), egrid.NumberOf(-1e300)}[r.IntN(5)]
	}
	var filters []egrid.Filter
	for range r.IntN(4) {
		f := field()
		filter := egrid.Filter{Column: f.Column, Op: []egrid.Op{egrid.Eq, egrid.Ne, egrid.Le, egrid.Missing}[r.IntN(4)]}
		if filter.Op != egrid.Missing {
			filter.Values = append(filter.Values, value(f))
		}
		filters = append(filters, filter)
	}
	var sort []egrid.Sort
	var columns []egrid.Column
	for range r.IntN(3) {
		sort = append(sort, egrid.Sort{Column: field().Column, Desc: pick(2)})
		columns = append(columns, field().Column)
	}
	search := []string{"", "Palo  VERDE", "É \u00a0x"}[r.IntN(3)]
	var p *driver.Plan
	var err error
	if pick(2) {
		p, err = driver.PlanRows(c, egrid.RowQuery{Level: level, Year: year, Release: release, Filters: filters, Search: search, Sort: sort, Columns: columns, Limit: r.IntN(9)})
		if err == nil && pick(2) {
			b := egrid.NewBuilder(p.Output, 0)
			for i, f := range p.Output.Fields() {
				if v := value(f); v.Type() == f.Type {
					err = errors.Join(err, b.Value(i, v))
				}
			}
			b.EndRow(5, 0)
			next := p.NextRows(b.Batch(), 0)
			p, err = driver.PlanRows(c, egrid.RowQuery{Level: level, Year: year, Release: release, Filters: filters, Search: search, Sort: sort, Columns: columns, Cursor: next})
		}
	} else {
		q := egrid.GroupQuery{Level: level, Year: year, Release: release, Filters: filters, Search: search, By: columns, Measures: []egrid.Measure{{Func: egrid.Count}, {Func: egrid.Max, Column: egrid.State, As: "m, \"x\""}, {Func: egrid.Count, As: "\xff"}}}
		if pick(2) {
			q.Having, q.Sort = []egrid.Filter{{Column: "rows", Op: egrid.Gt, Values: []egrid.Value{egrid.NumberOf(0.5)}}}, []egrid.Sort{{Column: "m, \"x\"", Desc: true}}
		}
		if p, err = driver.PlanGroups(c, q); err == nil && pick(2) {
			q.Cursor = p.NextGroups(3)
			p, err = driver.PlanGroups(c, q)
		}
	}
	if err != nil {
		return nil
	}
	if pick(4) {
		return p.Counting()
	}
	if pick(4) {
		p.Limit = 0 // as streams have
	}
	return p
}

func TestPlansOfKeys(t *testing.T) {
	c := sampleCatalog(t)
	plans, keys := 0, map[string]bool{}
	for seed := range uint64(4000) {
		p := randomPlan(c, seed)
		if p == nil {
			continue
		}
		plans++
		key := p.Key()
		keys[string(key)] = true
		again, err := driver.ParsePlan(key, c)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, key)
		}
		samePlan(t, again, p)
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, key)
		}
	}
	if plans < 1000 || len(keys) < 500 {
		t.Errorf("only %d plans of %d keys", plans, len(keys))
	}
}

// The key of a count is that of all pages and orders.
func TestCountsHaveOneKey(t *testing.T) {
	c := sampleCatalog(t)
	var keys []string
	for _, q := range []egrid.RowQuery{
		{Level: egrid.GEN}, {Level: egrid.GEN, Year: 2023}, {Level: egrid.GEN, Release: "v2", Limit: 3}, {Level: egrid.GEN, Sort: []egrid.Sort{{Column: egrid.State}}}, {Level: egrid.GEN, Columns: []egrid.Column{egrid.State}},
	} {
		p, err := driver.PlanRows(c, q)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(p.Counting().Key()))
	}
	if len(slices.Compact(keys)) != 1 {
		t.Errorf("keys %q", keys)
	}
}

func TestKeysOfNoPlan(t *testing.T) {
	c := sampleCatalog(t)
	for key, want := range map[string]error{
		`{"level":"GEN","snapshots":["s1"],"columns":["state"]}`:                                                           nil,
		`{"level":"GEN","snapshots":["s3"],"count":true}`:                                                                  nil, // superseded
		`{"level":"GEN","snapshots":[],"count":true}`:                                                                      nil,
		`{"level":"GEN","snapshots":["pruned"],"count":true}`:                                                              egrid.ErrStale,
		`{"level":"GEN","snapshots":["nowhere"],"count":true}`:                                                             egrid.ErrNotFound,
		`{"level":"GEN","snapshots":["s4"],"count":true}`:                                                                  nil,              // held
		`{"level":"GEN","snapshots":["t1"],"count":true}`:                                                                  egrid.ErrInvalid, // the id of a stage
		`{"level":"GEN","snapshots":["s1","s2"],"count":true}`:                                                             egrid.ErrInvalid, // both of 2023
		`{"level":"GEN","snapshots":["s1","s0"],"count":true}`:                                                             egrid.ErrInvalid, // not by data year
		`{"level":"GEN","snapshots":["s5"],"count":true}`:                                                                  egrid.ErrInvalid, // of another level
		`{"level":"gen","snapshots":["s1"],"count":true}`:                                                                  egrid.ErrInvalid,
		`{"level":"XXX","snapshots":[],"count":true}`:                                                                      egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"]}`:                                                                               egrid.ErrInvalid, // no columns
		`{"level":"GEN","snapshots":["s1"],"columns":["nonsense"]}`:                                                        egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["PSTATABB"]}`:                                                        egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state","state"]}`:                                                   egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"limit":-1}`:                                                egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"offset":1}`:                                                egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"count":true}`:                                              egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"words":["A"]}`:                                             egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"words":["a b"]}`:                                           egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["fuel"],"sort":[{"column":"state"}]}`:                                egrid.ErrInvalid, // no column for the cursor
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"after":{"k":["x"],"y":2023,"n":1}}`:                        egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"filters":[{"column":"sequence","op":"="}]}`:                egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"columns":["state"],"filters":[{"column":"sequence","op":"=","values":["x"]}]}`: egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"measures":[{"func":"sum","column":"state"}]}`:                                  egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"measures":[{"func":"count"}],"offset":-1}`:                                     egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"count":true} `:                                                                 egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"count":true}{}`:                                                                egrid.ErrInvalid,
		`{"level":"GEN","snapshots":["s1"],"count":true,"query":1}`:                                                        egrid.ErrInvalid,
		`[]`: egrid.ErrInvalid, ``: egrid.ErrInvalid, `null`: egrid.ErrInvalid,
	} {
		if _, err := driver.ParsePlan([]byte(key), c); !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", key, err, want)
		}
	}
}

// Whatever comes as a key is refused, or is the key of the plan that it makes.
func FuzzParsePlan(f *testing.F) {
	c := sampleCatalog(f)
	for seed := range uint64(200) {
		if p := randomPlan(c, seed); p != nil {
			f.Add(p.Key())
		}
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		p, err := driver.ParsePlan(key, c)
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) && !errors.Is(err, egrid.ErrNotFound) && !errors.Is(err, egrid.ErrStale) {
				t.Errorf("%q: %v", key, err)
			}
			return
		}
		if got := p.Key(); !bytes.Equal(got, key) || strings.Contains(string(got), "\n") {
			t.Errorf("%q makes a plan whose key is %q", key, got)
		}
	})
}
