package cachetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// SampleStore is a store with every sheet of a sample of 200 plants, for a Mix
// to ask. It is closed when the test ends.
func SampleStore(t testing.TB) *memstore.Store {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: 200})
	for _, level := range egridtest.SampleLevels() {
		var text strings.Builder
		if err := sample.Write(&text, level); err != nil {
			t.Fatal(err)
		}
		publish(t, backend, sample.Name(level), text.String())
	}
	return backend
}

// publish loads a sheet in place of what the store has of it.
func publish(t testing.TB, l driver.Loader, name, text string) {
	t.Helper()
	loaded, err := store.Load(t.Context(), l, strings.NewReader(text), &store.LoadOptions{
		ReaderOptions: sheet.ReaderOptions{Name: name}, Publish: driver.PublishReplace,
	})
	if err != nil || len(loaded.Reports) != 1 || loaded.Reports[0].Status != egrid.Published {
		t.Fatalf("%s: %+v, %v", name, loaded.Reports, err)
	}
}

// publishChunk publishes rows that are no file's.
func publishChunk(t testing.TB, l driver.Loader, spec driver.SnapshotSpec, rows *egrid.Batch) {
	t.Helper()
	id, err := l.Stage(t.Context(), spec)
	if err == nil {
		_, err = l.Put(t.Context(), id, driver.Chunk{Rows: rows})
	}
	if err == nil {
		_, err = l.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: 1, Rows: int64(rows.Len())})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Replace publishes rows in place of a snapshot.
func Replace(t testing.TB, l driver.Loader, of *egrid.Snapshot, rows *egrid.Batch) {
	t.Helper()
	spec := driver.SnapshotSpec{
		Level: of.Level, Year: of.Year, Release: of.Release, Schema: rows.Schema(), Source: egrid.Source{Object: "replaced.csv", SHA256: "replaced"},
	}
	publishChunk(t, l, spec, rows)
}

// Mix makes requests in the proportions of an API with a dashboard in front of
// it. Of a hundred:
//
//	30 the largest plants: of the country, or of a state
//	20 one plant, with its generators
//	20 a region's emission factors: a subregion, state, balancing authority, or the country
//	10 a chart: plants by state, by fuel, or by data year
//	10 a search by a word of plants' names, one in four goes on to the second page
//	 8 generators of a fuel and a state, or summed by fuel
//	 2 what nobody asked before: a threshold of an analyst
//
// Which state, plant, region, word or fuel is by Zipf's law with exponent 1.1:
// a few are asked for all the time, most now and then.
//
// A Mix is not safe for concurrent use.
type Mix struct {
	r      *rand.Rand
	plants []string // ids
}

// NewMix returns the mix of a seed, for a [SampleStore].
func NewMix(t testing.TB, seed uint64, s driver.Scanner) *Mix {
	t.Helper()
	m := &Mix{r: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // G404: to be repeatable
	for row, err := range store.New(s).All(t.Context(), egrid.RowQuery{Level: egrid.PLNT, Columns: []egrid.Column{egrid.PlantCode}}) {
		if err != nil {
			t.Fatal(err)
		}
		m.plants = append(m.plants, row.Text(egrid.PlantCode))
	}
	return m
}

// Ask makes the next request, which is one query or some.
func (m *Mix) Ask(ctx context.Context, s driver.Scanner) error {
	q := store.New(s)
	switch n := m.r.IntN(100); {
	case n < 30:
		return m.top(ctx, q)
	case n < 50:
		return m.plant(ctx, q)
	case n < 70:
		return m.factors(ctx, q)
	case n < 80:
		return m.chart(ctx, q)
	case n < 90:
		return m.search(ctx, q)
	case n < 98:
		return m.generators(ctx, q)
	}
	return m.threshold(ctx, q)
}

// zipf chooses one of n by Zipf's law.
func (m *Mix) zipf(n int) int { return int(rand.NewZipf(m.r, 1.1, 1, uint64(n-1)).Uint64()) }

func (m *Mix) of(words ...string) string { return words[m.zipf(len(words))] }

func (m *Mix) state() string {
	return m.of("TX", "CA", "PA", "FL", "OH", "NY", "IL", "AL", "NC", "GA", "WA", "VA", "IN", "AZ", "LA", "MI", "MO", "SC", "OK", "TN",
		"KY", "IA", "NJ", "CO", "WV", "KS", "OR", "MS", "AR", "MN", "WI", "ND", "NE", "UT", "NV", "WY", "MD", "NM", "CT", "MT", "MA", "NH", "SD", "ID", "ME")
}

func (m *Mix) top(ctx context.Context, q *store.DB) error {
	query := store.PlantQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}, {Column: egrid.PlantName}}, Limit: 10}
	if m.r.IntN(2) == 0 {
		query.Filters = []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, m.state())}
	}
	_, err := q.Plants(ctx, query)
	return err
}

func (m *Mix) plant(ctx context.Context, q *store.DB) error {
	id := m.of(m.plants...)
	if _, err := q.Plant(ctx, id, 0, ""); err != nil {
		return err
	}
	_, err := q.Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Filters: store.PlantFilters(id)})
	return err
}

func (m *Mix) factors(ctx context.Context, q *store.DB) error {
	query := egrid.RowQuery{Columns: []egrid.Column{egrid.CO2Rate, egrid.CH4Rate, egrid.N2ORate, egrid.CO2eRate, egrid.NonbaseloadCO2eRate}}
	switch m.zipf(4) {
	case 0:
		query.Level, query.Filters = egrid.SRL, []egrid.Filter{egrid.Where(egrid.Subregion, egrid.Eq, m.of("CAMX", "RFCE", "ERCT", "NWPP", "SRSO", "RFCW", "NEWE", "NYUP", "MROW", "AZNM", "SRVC", "FRCC"))}
	case 1:
		query.Level, query.Filters = egrid.ST, []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, m.state())}
	case 2:
		query.Level = egrid.US
	default:
		query.Level, query.Filters = egrid.BA, []egrid.Filter{egrid.Where(egrid.BalancingAuthority, egrid.Eq, m.of("CISO", "PJM", "MISO", "ERCO", "SWPP", "NYIS", "ISNE", "BPAT", "SOCO", "DUK"))}
	}
	_, err := q.Rows(ctx, query)
	return err
}

func (m *Mix) chart(ctx context.Context, q *store.DB) (err error) {
	switch m.zipf(3) {
	case 0:
		_, err = q.Totals(ctx, egrid.State, store.PlantQuery{})
	case 1:
		_, err = q.Totals(ctx, egrid.FuelCategoryColumn, store.PlantQuery{})
	default:
		_, err = q.Totals(ctx, egrid.Year, store.PlantQuery{})
	}
	return err
}

func (m *Mix) search(ctx context.Context, q *store.DB) error {
	query := store.PlantQuery{Limit: 20, Count: true, Search: m.of("sample", "wind", "solar", "creek", "river", "north", "energy", "station", "center", "lake",
		"hill", "county", "power", "farm", "hydro", "landfill", "mill", "island", "valley", "south", "east", "west", "city", "canyon")}
	page, err := q.Plants(ctx, query)
	if err != nil || page.Next == "" || m.r.IntN(4) > 0 {
		return err
	}
	query.Cursor = page.Next
	_, err = q.Plants(ctx, query)
	return err
}

func (m *Mix) generators(ctx context.Context, q *store.DB) error {
	fuel := egrid.Where(egrid.Fuel, egrid.Eq, m.of("NG", "SUN", "WND", "WAT", "DFO", "BIT", "LFG", "SUB", "NUC", "WDS"))
	if m.r.IntN(2) == 0 {
		_, err := q.Groups(ctx, egrid.GroupQuery{
			Level: egrid.GEN, By: []egrid.Column{egrid.State}, Filters: []egrid.Filter{fuel},
			Measures: []egrid.Measure{{Func: egrid.Count}, {Func: egrid.Sum, Column: egrid.NetGeneration}},
		})
		return err
	}
	_, err := q.Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Filters: []egrid.Filter{fuel, egrid.Where(egrid.State, egrid.Eq, m.state())}})
	return err
}

func (m *Mix) threshold(ctx context.Context, q *store.DB) error {
	more := egrid.Where(egrid.NameplateCapacity, egrid.Gt, fmt.Sprint(m.r.Float64()*500))
	_, err := q.Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Filters: []egrid.Filter{more}, Sort: []egrid.Sort{{Column: egrid.NameplateCapacity}}})
	return err
}
