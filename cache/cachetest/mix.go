package cachetest

import (
	"context"
	"crypto/sha256"
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
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: 200})
	for _, level := range egridtest.SampleLevels() {
		var text strings.Builder
		if err := sample.Write(&text, level); err != nil {
			t.Fatal(err)
		}
		publish(t, store, sample.Name(level), text.String())
	}
	return store
}

// publish loads a sheet in place of what the store has of it.
func publish(t testing.TB, store driver.Store, name, text string) {
	t.Helper()
	reader, err := sheet.NewReader(strings.NewReader(text), &sheet.ReaderOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	sheet := reader.Sheet()
	spec := driver.SnapshotSpec{
		Level: sheet.Level, Year: sheet.Year, Release: sheet.Release, Schema: sheet.Schema,
		Source: egrid.Source{Object: name, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), Bytes: int64(len(text))},
	}
	var chunk driver.Chunk
	for row, err := range reader.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		spec.Year = row.Year // the same in every row of these sheets
		chunk.Rows = append(chunk.Rows, row)
	}
	id, err := store.Stage(t.Context(), spec)
	if err == nil {
		_, err = store.Put(t.Context(), id, chunk)
	}
	if err != nil {
		t.Fatal(err)
	}
	report, err := store.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: 1, Rows: int64(len(chunk.Rows))})
	if err != nil || report.Status != egrid.Published {
		t.Fatalf("%s: %s %s %v", name, report.Status, report.Reason, err)
	}
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
func NewMix(t testing.TB, seed uint64, store egrid.Querier) *Mix {
	t.Helper()
	m := &Mix{r: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // G404: to be repeatable
	for row, err := range egrid.AllRows(t.Context(), store, egrid.RowQuery{Level: egrid.PLNT, Columns: []egrid.Column{egrid.PlantCode}}) {
		if err != nil {
			t.Fatal(err)
		}
		m.plants = append(m.plants, row.Text(egrid.PlantCode))
	}
	return m
}

// Ask makes the next request, which is one query or some.
func (m *Mix) Ask(ctx context.Context, q egrid.Querier) error {
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

func (m *Mix) top(ctx context.Context, q egrid.Querier) error {
	query := store.PlantQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}, {Column: egrid.PlantName}}, Limit: 10}
	if m.r.IntN(2) == 0 {
		query.Filters = []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, m.state())}
	}
	_, err := egrid.Plants(ctx, q, query)
	return err
}

func (m *Mix) plant(ctx context.Context, q egrid.Querier) error {
	id := m.of(m.plants...)
	if _, err := egrid.FindPlant(ctx, q, id, 0, ""); err != nil {
		return err
	}
	_, err := q.Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Filters: store.PlantFilters(id)})
	return err
}

func (m *Mix) factors(ctx context.Context, q egrid.Querier) error {
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

func (m *Mix) chart(ctx context.Context, q egrid.Querier) (err error) {
	switch m.zipf(3) {
	case 0:
		_, err = egrid.SumPlants(ctx, q, egrid.State, store.PlantQuery{})
	case 1:
		_, err = egrid.SumPlants(ctx, q, egrid.FuelGroup, store.PlantQuery{})
	default:
		_, err = egrid.SumPlantsByYear(ctx, q, store.PlantQuery{})
	}
	return err
}

func (m *Mix) search(ctx context.Context, q egrid.Querier) error {
	query := store.PlantQuery{Limit: 20, Count: true, Search: m.of("sample", "wind", "solar", "creek", "river", "north", "energy", "station", "center", "lake",
		"hill", "county", "power", "farm", "hydro", "landfill", "mill", "island", "valley", "south", "east", "west", "city", "canyon")}
	page, err := egrid.Plants(ctx, q, query)
	if err != nil || page.Next == "" || m.r.IntN(4) > 0 {
		return err
	}
	query.Cursor = page.Next
	_, err = egrid.Plants(ctx, q, query)
	return err
}

func (m *Mix) generators(ctx context.Context, q egrid.Querier) error {
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

func (m *Mix) threshold(ctx context.Context, q egrid.Querier) error {
	more := egrid.Where(egrid.NameplateCapacity, egrid.Gt, fmt.Sprint(m.r.Float64()*500))
	_, err := q.Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Filters: []egrid.Filter{more}, Sort: []egrid.Sort{{Column: egrid.NameplateCapacity}}})
	return err
}
