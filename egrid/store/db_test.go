package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// sampleStore has generators of three data years, and plants of two.
func sampleStore(t testing.TB) (*memstore.Store, *store.DB) {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	for year, levels := range map[int][]egrid.Level{2020: {egrid.GEN}, 2021: {egrid.GEN, egrid.PLNT}, 2023: {egrid.GEN, egrid.PLNT}} {
		sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: uint64(year), Plants: 40, Year: year})
		for _, level := range levels {
			var text strings.Builder
			if err := sample.Write(&text, level); err != nil {
				t.Fatal(err)
			}
			publishCSV(t, s, sample.Name(level), text.String())
		}
	}
	return s, store.New(s)
}

// answer is a whole answer, and what it says of its columns.
type answer struct {
	columns []egrid.Column
	records []string
}

func (a *answer) add(b *egrid.Batch) {
	for i := range b.Len() {
		a.records = append(a.records, string(b.AppendCSV(nil, i)))
	}
}

func (a *answer) same(t *testing.T, what string, want answer) {
	t.Helper()
	if !slices.Equal(a.columns, want.columns) || !slices.Equal(a.records, want.records) {
		t.Errorf("%s: %d records of %v; want %d of %v", what, len(a.records), a.columns, len(want.records), want.columns)
	}
}

// stream reads an answer that streams.
func stream(t *testing.T, s store.Answer, err error) (a answer) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	a.columns = s.Schema.Columns()
	for b, err := range s.Batches {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.Schema().Columns(), a.columns) {
			t.Fatalf("a batch of %v in an answer of %v", b.Schema().Columns(), a.columns)
		}
		a.add(b)
	}
	return a
}

// pages walks through an answer by its cursors.
func pages(t *testing.T, ask func(cursor string) (egrid.RowPage, error)) (a answer, firstNext string) {
	t.Helper()
	cursor := ""
	for n := 0; ; n++ {
		page, err := ask(cursor)
		if err != nil {
			t.Fatal(err)
		}
		a.columns = page.Schema().Columns()
		a.add(page.Batch)
		if n == 0 {
			firstNext = page.Next
		}
		if cursor = page.Next; cursor == "" {
			return a, firstNext
		}
	}
}

// What streams is what the pages have, from the first or from a later one; and
// columns that only cursors need show in neither.
func TestStreams(t *testing.T) {
	_, db := sampleStore(t)
	ctx := t.Context()
	for i, q := range []egrid.RowQuery{
		{Level: egrid.GEN},
		{Level: egrid.GEN, Year: egrid.AllYears, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Columns: []egrid.Column{egrid.PlantName}},
		{Level: egrid.PLNT, Year: 2021, Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Gt, "0")}, Columns: []egrid.Column{egrid.State, egrid.PlantCode}},
		{Level: egrid.GEN, Year: egrid.AllYears, Columns: []egrid.Column{egrid.Year, egrid.GeneratorID}},
		{Level: egrid.ST, Columns: []egrid.Column{egrid.State}}, // not published
	} {
		paged, next := pages(t, func(cursor string) (egrid.RowPage, error) {
			q := q
			q.Limit, q.Cursor = 7, cursor
			return db.Rows(ctx, q)
		})
		if len(paged.records) < 8 && q.Level != egrid.ST {
			t.Fatalf("query %d: only %d rows", i, len(paged.records))
		}
		if len(q.Columns) > 0 && !slices.Equal(paged.columns, q.Columns) {
			t.Errorf("query %d: columns %v; want %v", i, paged.columns, q.Columns)
		}
		s, err := db.Stream(ctx, q)
		whole := stream(t, s, err)
		whole.same(t, fmt.Sprint("query ", i), paged)

		var all answer
		for row, err := range db.All(ctx, q) {
			if err != nil {
				t.Fatal(err)
			}
			b, at := row.Batch()
			all.columns = row.Schema().Columns()
			all.records = append(all.records, string(b.AppendCSV(nil, at)))
		}
		if len(all.records) > 0 {
			all.same(t, fmt.Sprint("all of query ", i), paged)
		}
		if next == "" {
			continue
		}
		limited := q
		limited.Limit = 9
		s, err = db.Stream(ctx, limited)
		first := stream(t, s, err)
		first.same(t, fmt.Sprint("nine rows of query ", i), answer{paged.columns, paged.records[:min(9, len(paged.records))]})
		rest := q
		rest.Cursor = next
		s, err = db.Stream(ctx, rest)
		behind := stream(t, s, err)
		behind.same(t, fmt.Sprint("the rest of query ", i), answer{paged.columns, paged.records[7:]})

		largest := q
		largest.Limit, largest.Count = math.MaxInt, true
		page, err := db.Rows(ctx, largest)
		if err != nil || page.Len() != len(paged.records) || page.Total != int64(len(paged.records)) || page.Next != "" {
			t.Errorf("query %d: the largest limit gives %d rows of %d, %v; want %d", i, page.Len(), page.Total, err, len(paged.records))
		}
	}
}

func TestStreamsOfGroupsAndPlants(t *testing.T) {
	_, db := sampleStore(t)
	ctx := t.Context()
	for _, level := range []egrid.Level{egrid.GEN, egrid.ST} {
		q := egrid.GroupQuery{
			Level: level, Year: egrid.AllYears, By: []egrid.Column{egrid.State},
			Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}}, Sort: []egrid.Sort{{Column: egrid.NetGeneration}},
		}
		paged, _ := pages(t, func(cursor string) (egrid.RowPage, error) {
			q := q
			q.Limit, q.Cursor = 3, cursor
			return db.Groups(ctx, q)
		})
		s, err := db.StreamGroups(ctx, q)
		whole := stream(t, s, err)
		whole.same(t, fmt.Sprint("groups of ", level), paged)
	}
	for _, year := range []int{2020, 2023} { // of generators, of plants
		q := store.PlantQuery{Year: year, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}}
		paged, _ := pages(t, func(cursor string) (egrid.RowPage, error) {
			q := q
			q.Limit, q.Cursor = 11, cursor
			page, err := db.Plants(ctx, q)
			return page.RowPage, err
		})
		s, err := db.StreamPlants(ctx, q)
		whole := stream(t, s.Answer, err)
		if whole.same(t, fmt.Sprint("plants of ", year), paged); len(paged.records) != 40 {
			t.Errorf("%d plants of %d", len(paged.records), year)
		}
	}
}

// A DB of now answers from now, and from the same snapshots when more is
// published and what it reads was superseded.
func TestNow(t *testing.T) {
	s, db := plantStore(t)
	now, err := db.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := egrid.RowQuery{Level: egrid.GEN, Year: egrid.AllYears, Count: true}
	want, err := db.Rows(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	publishCSV(t, s, "GEN23.csv", strings.ReplaceAll(generators23, "2023,TX", "2023,CA"))
	publishCSV(t, s, "GEN24.csv", strings.ReplaceAll(generators23, "2023,", "2024,"))
	got, err := now.Rows(t.Context(), q)
	if err != nil || got.String() != want.String() || got.Total != want.Total || got.Revision != want.Revision {
		t.Errorf("%v of %d, %v; want %v of %d", got.Batch, got.Total, err, want.Batch, want.Total)
	}
	catalog, err := now.Catalog(t.Context())
	if err != nil || catalog.Revision != want.Revision {
		t.Errorf("revision %d, %v; want %d", catalog.Revision, err, want.Revision)
	}
	if later, err := db.Rows(t.Context(), q); err != nil || later.Total == want.Total {
		t.Errorf("the DB itself sees %d rows, %v", later.Total, err)
	}
}

// At pinned snapshots a DB reads those and no others.
func TestAt(t *testing.T) {
	s, db := plantStore(t)
	page, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Year: 2023})
	if err != nil {
		t.Fatal(err)
	}
	id := page.Snapshots[0].ID
	publishCSV(t, s, "GEN23.csv", strings.ReplaceAll(generators23, "2023,TX", "2023,CA"))
	at := db.At(id)
	got, err := at.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN})
	if err != nil || got.String() != page.String() {
		t.Errorf("%v, %v; want %v", got.Batch, err, page.Batch)
	}
	plants, err := at.Plants(t.Context(), store.PlantQuery{})
	if err != nil || plants.Year != 2023 || plants.Basis != egrid.GEN || plants.Row(0).Text(egrid.State) != "TX" {
		t.Errorf("plants of %d from %s: %v, %v", plants.Year, plants.Basis, plants.Batch, err)
	}
	if _, err := at.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Year: 2016}); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("a year that is not pinned: %v; want ErrNotFound", err)
	}
	if none, err := db.At().Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN}); err != nil || none.Len() != 0 {
		t.Errorf("pinned to nothing: %v, %v", none.Batch, err)
	}
	if _, err := db.At(id, "0123456789abcdef01234567").Catalog(t.Context()); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("an id that nobody knows: %v; want ErrNotFound", err)
	}
}

// failing is a scanner whose answers fail behind so many batches.
type failing struct {
	driver.Scanner
	behind int
	asked  int
}

var errFails = errors.New("the disk is gone")

func (f *failing) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	f.asked++
	return func(yield func(*egrid.Batch, error) bool) {
		n := 0
		for b, err := range f.Scanner.Scan(ctx, p) {
			if n == f.behind {
				break
			}
			if n++; !yield(b, err) {
				return
			}
		}
		yield(nil, errFails)
	}
}

func TestErrorsOfScans(t *testing.T) {
	s, _ := sampleStore(t)
	for behind := range 2 {
		f := &failing{Scanner: s, behind: behind}
		db := store.New(f)
		ctx := t.Context()
		calls := map[string]func() error{
			"rows": func() error { _, err := db.Rows(ctx, egrid.RowQuery{Level: egrid.GEN}); return err },
			"count": func() error {
				_, err := db.Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Limit: 1, Count: true})
				return err
			},
			"plants": func() error { _, err := db.Plants(ctx, store.PlantQuery{}); return err },
			"plant":  func() error { _, err := db.Plant(ctx, "1", 2020, ""); return err },
			"sums":   func() error { _, err := db.SumPlants(ctx, egrid.State, store.PlantQuery{}); return err },
			"totals": func() error { _, err := db.Totals(ctx, egrid.State, store.PlantQuery{}); return err },
			"years":  func() error { _, err := db.Totals(ctx, egrid.Year, store.PlantQuery{}); return err },
			"past":   func() error { _, err := db.PlantHistory(ctx, "1"); return err },
			"all": func() (last error) {
				for _, last = range db.All(ctx, egrid.RowQuery{Level: egrid.GEN}) {
				}
				return last
			},
			"plants that stream": func() (last error) {
				a, err := db.StreamPlants(ctx, store.PlantQuery{Year: 2020})
				if err != nil {
					return err
				}
				for _, last = range a.Batches {
				}
				return last
			},
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, errFails) {
				t.Errorf("%s behind %d batches: %v; want what the scan said", name, behind, err)
			}
		}
	}
}

// Where nothing is published nobody is asked for rows.
func TestNothingIsAskedOfNothing(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	f := &failing{Scanner: s}
	db := store.New(f)
	q := egrid.RowQuery{Level: egrid.GEN, Count: true}
	if page, err := db.Rows(t.Context(), q); err != nil || page.Len() != 0 || page.Total != 0 {
		t.Errorf("%v of %d, %v", page.Batch, page.Total, err)
	}
	a, err := db.Stream(t.Context(), q)
	if got := stream(t, a, err); len(got.records) != 0 || len(got.columns) == 0 {
		t.Errorf("%+v", got)
	}
	if f.asked > 0 {
		t.Errorf("%d plans", f.asked)
	}
}

// limited keeps the limits of plans.
type limited struct {
	driver.Scanner
	limits []int
}

func (l *limited) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	l.limits = append(l.limits, p.Limit)
	return l.Scanner.Scan(ctx, p)
}

// A page reads one row more than it has, unless that is beyond an int; a stream
// reads as many as it was asked for.
func TestLimits(t *testing.T) {
	s, _ := plantStore(t)
	l := &limited{Scanner: s}
	db := store.New(l)
	for _, limit := range []int{1, 5, math.MaxInt - 1, math.MaxInt} {
		if _, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: limit}); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{0, 3} {
		a, err := db.Stream(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: limit})
		stream(t, a, err)
	}
	if want := []int{2, 6, math.MaxInt, math.MaxInt, 0, 3}; !slices.Equal(l.limits, want) {
		t.Errorf("limits %d; want %d", l.limits, want)
	}
}
