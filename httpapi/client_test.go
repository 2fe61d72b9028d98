package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

// served is a store that is loaded directly and asked over HTTP.
type served struct {
	egrid.Loader
	egrid.Querier
	close func() error
}

func (s served) Close() error { return s.close() }

// dial serves a querier and returns a client of it, which does not repeat
// requests.
func dial(t testing.TB, q egrid.Querier) *client.Client {
	t.Helper()
	server := httptest.NewServer(httpapi.New(q, nil))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, &client.Options{HTTPClient: server.Client(), Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t testing.TB) egrid.Store {
	store := memstore.New()
	return served{store, dial(t, store), store.Close}
}

func TestClientIsAQuerier(t *testing.T) {
	t.Parallel()
	egridtest.RunStore(t, func(t *testing.T) egrid.Store { return serve(t) })
}

func TestClientAnswersAsTheStore(t *testing.T) {
	t.Parallel()
	egridtest.RunDifferential(t, func(t *testing.T) egrid.Store { return serve(t) })
}

// The plant endpoints answer what the functions of package egrid answer over
// the store, down to every value and type.
func TestClientPlants(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	c := dial(t, store)
	ctx := t.Context()
	for _, year := range []int{0, 2021, 2016} {
		for name, query := range map[string]egrid.PlantQuery{
			"all":     {Count: true},
			"columns": {Columns: []egrid.Column{egrid.PlantName, egrid.StateShare, egrid.NetGeneration}, Sort: []egrid.Sort{{Column: egrid.PlantName, Desc: true}}},
			"filters": {Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX", "OK"), egrid.Where(egrid.NetGeneration, egrid.Gt, "7.5")}, Search: "alpha", Limit: 1},
			"invalid": {Columns: []egrid.Column{"nonsense"}},
		} {
			query.Year = year
			want, wantErr := egrid.Plants(ctx, store, query)
			got, err := c.Search(ctx, query)
			samePlants(t, fmt.Sprint("search ", name, year), want, got, wantErr, err)
			want, wantErr = egrid.Plants(ctx, c, query)
			samePlants(t, fmt.Sprint("plants over the client ", name, year), want, got, wantErr, err)
		}
		byGeneration := egrid.PlantQuery{Year: year, Limit: 2, Sort: []egrid.Sort{{Column: egrid.NetGeneration}, {Column: egrid.PlantName}}, Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}}
		want, wantErr := egrid.Plants(ctx, store, byGeneration)
		got, err := c.Top(ctx, client.TopQuery{Place: client.Place{State: []string{"TX"}}, Year: year, Limit: 2, Ascending: true})
		samePlants(t, fmt.Sprint("top ", year), want, got, wantErr, err)
		for _, id := range []string{"1", "02", "OK~Beta ~ 1/2, East", "99999"} {
			want, wantErr := egrid.FindPlant(ctx, store, id, year, "")
			want.Total = 1
			got, err := c.Plant(ctx, id, year, "")
			samePlants(t, fmt.Sprint("plant ", id, year), want, got, wantErr, err)
		}
		want, wantErr = egrid.SumPlants(ctx, store, egrid.State, egrid.PlantQuery{Year: year})
		got, err = c.States(ctx, client.Place{}, year, "")
		samePlants(t, fmt.Sprint("states ", year), want, got, wantErr, err)
	}
	for _, id := range []string{"1", "99999"} {
		want, wantErr := egrid.PlantHistory(ctx, store, id)
		got, err := c.PlantHistory(ctx, id)
		samePlants(t, "history "+id, egrid.PlantPage{RowPage: want}, egrid.PlantPage{RowPage: got}, wantErr, err)
	}
	years, err := c.Years(ctx, client.Place{State: []string{"OK"}})
	if err != nil || len(years.Rows) != 3 || years.Rows[2].Text("year") != "2023" {
		t.Errorf("years: %+v, %v", years.Rows, err)
	}
	if _, err := c.Search(ctx, egrid.PlantQuery{Year: 2019}); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("a year without plants: %v; want ErrNotFound", err)
	}
	chart, err := c.Chart(ctx, "by-state", client.Place{}, 0, "")
	if err != nil || chart.Unit != "MWh" || len(chart.Series) != 1 || chart.Series[0].Points[1].X != egrid.TextOf("TX") || *chart.Series[0].Points[1].Y != 1001 {
		t.Errorf("chart: %+v, %v", chart, err)
	}
	if _, err := c.Chart(ctx, "by-colour", client.Place{}, 0, ""); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("a chart that there is not: %v; want ErrInvalid", err)
	}
	statistics, err := c.Statistics(ctx, 0)
	if err != nil || statistics.Plants != 4 || *statistics.Generators != 6 || *statistics.FirstYear != 2016 || len(statistics.Levels) != 3 || statistics.LastLoad.IsZero() {
		t.Errorf("statistics: %+v, %v", statistics, err)
	}
	facets, err := c.Facets(ctx, egrid.PlantQuery{Year: 2021}, egrid.State, "OWNCOL")
	want := []client.FacetValue{{Value: egrid.TextOf("TX"), Count: 2}, {Value: egrid.TextOf("OK"), Count: 1}}
	if err != nil || !slices.Equal(facets[egrid.State], want) || len(facets["OWNCOL"]) != 3 || !facets["OWNCOL"][2].Value.IsMissing() {
		t.Errorf("facets: %v, %v", facets, err)
	}
}

func samePlants(t *testing.T, what string, want, got egrid.PlantPage, wantErr, err error) {
	t.Helper()
	for _, sentinel := range []error{egrid.ErrNotFound, egrid.ErrInvalid} {
		if errors.Is(wantErr, sentinel) != errors.Is(err, sentinel) {
			t.Fatalf("%s: got error %v; want %v", what, err, wantErr)
		}
	}
	if wantErr != nil || err != nil {
		if (wantErr == nil) != (err == nil) {
			t.Errorf("%s: got error %v; want %v", what, err, wantErr)
		}
		return
	}
	if got.Basis != want.Basis || got.Year != want.Year || got.Release != want.Release || got.Total != want.Total || (got.Next == "") != (want.Next == "") || got.Revision != want.Revision {
		t.Errorf("%s: got %s %d of %d, next %q; want %s %d of %d, next %q", what, got.Basis, got.Year, got.Total, got.Next, want.Basis, want.Year, want.Total, want.Next)
	}
	if !reflect.DeepEqual(got.Schema.Fields(), want.Schema.Fields()) || len(got.Rows) != len(want.Rows) {
		t.Fatalf("%s: %d rows of %v\nwant %d rows of %v", what, len(got.Rows), got.Schema.Columns(), len(want.Rows), want.Schema.Columns())
	}
	for i := range want.Rows {
		if !slices.Equal(got.Rows[i].Values, want.Rows[i].Values) || got.Rows[i].Year != want.Rows[i].Year || got.Rows[i].Number != want.Rows[i].Number {
			t.Errorf("%s, row %d: got %+v; want %+v", what, i, got.Rows[i].Values, want.Rows[i].Values)
		}
	}
}

// Pages are as the document says, and have the rows of the JSON answers.
func TestPagesAreAsDocumented(t *testing.T) {
	t.Parallel()
	h := httpapi.New(sampleStore(t), nil)
	check := newSchemaCheck(t, h)
	const pageType = "application/vnd.egrid.page+json"
	for _, target := range []string{
		"/plants/top?limit=2", "/plants/search?year=2021&facet=fuel", "/plants/states", "/plants/years", "/plants/1", "/plants/1/history",
		"/plants/1/generators", "/levels/GEN/rows?limit=1&count=false", "/levels/GEN/groups?by=state", "/levels/UNT/rows", "/snapshots", "/columns?level=GGL",
	} {
		w := get(t, h, target, "Accept", pageType)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != pageType || w.Header().Get("ETag") == "" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
		check(t, target, w)
		var page struct {
			Data []struct{ Values []any }
			Meta struct {
				Columns []struct{ Name string }
				Count   int
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Meta.Count != len(page.Data) {
			t.Errorf("%s: %v, %d rows", target, err, len(page.Data))
		}
		if strings.HasPrefix(target, "/snapshots") || strings.HasPrefix(target, "/columns") || target == "/plants/1" {
			continue // of which the JSON is no list of rows
		}
		var list struct{ Data []map[string]any }
		if err := json.Unmarshal(get(t, h, target).Body.Bytes(), &list); err != nil || len(list.Data) != len(page.Data) {
			t.Fatalf("%s: %v, %d rows and %d", target, err, len(list.Data), len(page.Data))
		}
		for i, row := range list.Data {
			for j, c := range page.Meta.Columns {
				if page.Data[i].Values[j] != row[c.Name] {
					t.Errorf("%s, row %d, %s: %v; want %v", target, i, c.Name, page.Data[i].Values[j], row[c.Name])
				}
			}
		}
	}
	if w := get(t, h, "/levels/GEN/rows?year=2020", "Accept", pageType); w.Code != http.StatusNotFound {
		t.Errorf("a year of nothing: %d; want 404", w.Code)
	}
	if w := get(t, h, "/plants/chart/by-state", "Accept", pageType); w.Code != http.StatusNotAcceptable {
		t.Errorf("a chart as a page: %d; want 406", w.Code)
	}
	if w := get(t, h, "/levels/GEN/rows?limit=1001", "Accept", pageType); w.Code != http.StatusBadRequest {
		t.Errorf("a page of 1,001 rows: %d; want 400", w.Code)
	}
}

// countingCounts counts the queries that ask for totals.
type countingCounts struct {
	egrid.Querier
	counts int
}

func (q *countingCounts) Rows(ctx context.Context, query egrid.RowQuery) (egrid.RowPage, error) {
	if query.Count {
		q.counts++
	}
	return q.Querier.Rows(ctx, query)
}

// Walking a list counts it once, and anew when the data change.
func TestTotalsAreCountedOnce(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	q := &countingCounts{Querier: store}
	h := httpapi.New(q, nil)
	walk := func(first string, total int) (pages int) {
		for next := first; next != ""; pages++ {
			var page struct {
				Meta  struct{ Total *int }
				Links struct{ Next string }
			}
			if err := json.Unmarshal(get(t, h, next).Body.Bytes(), &page); err != nil || page.Meta.Total == nil {
				t.Fatalf("%s: %v", next, err)
			}
			if *page.Meta.Total != total {
				t.Errorf("%s: total %d; want %d", next, *page.Meta.Total, total)
			}
			next = page.Links.Next
		}
		return pages
	}
	for i, test := range []struct {
		first                string
		total, pages, counts int
	}{{"/levels/GEN/rows?limit=1", 6, 6, 1}, {"/levels/GEN/rows?limit=2&sort=plant_name", 6, 3, 2}, {"/levels/GEN/rows?limit=1&year=2016", 4, 4, 3}} {
		if pages := walk(test.first, test.total); pages != test.pages || q.counts != test.counts {
			t.Errorf("%d: %d pages and %d counts so far; want %d and %d", i, pages, q.counts, test.pages, test.counts)
		}
	}
	if w := get(t, h, "/levels/GEN/rows?count=false"); !strings.Contains(w.Body.String(), `"total":null`) || q.counts != 3 {
		t.Errorf("counted although refused: %d, %s", q.counts, w.Body)
	}
	publish(t, store, "UNT23.csv", strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,UNITID,PRMVR,HTIAN\n2023,TX,Alpha,1,1,ST,5\n"))
	if walk("/levels/GEN/rows?limit=3", 6); q.counts != 4 {
		t.Errorf("%d counts; want 4", q.counts)
	}
}

func TestFacetsAreBounded(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	publish(t, store, "GEN23.csv", strings.NewReader(manyGenerators(1500)+"2023,TX,Plant 1400,x,1,1\n2023,TX,,y,1,1\n"))
	h := httpapi.New(store, nil)
	for target, first := range map[string]string{"/levels/GEN/rows?facet=plant_name&limit=1": "Plant 1400", "/plants/search?facet=plant_name&limit=1": "Plant 1400"} {
		var page struct {
			Meta struct {
				Facets map[string][]struct {
					Value *string
					Count int
				}
			}
		}
		if err := json.Unmarshal(get(t, h, target).Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		if values := page.Meta.Facets["plant_name"]; len(values) != 1000 || *values[0].Value != first || values[0].Count != 2 || values[1].Count != 1 {
			t.Errorf("%s: %d values", target, len(values))
		}
	}
}

// unsteady is a querier under which something is published between an answer
// and its facets.
type unsteady struct {
	egrid.Querier
	t     *testing.T
	store egrid.Store
	left  int
}

func (q *unsteady) Groups(ctx context.Context, query egrid.GroupQuery) (egrid.RowPage, error) {
	if q.left > 0 {
		q.left--
		publish(q.t, q.store, "GEN23.csv", strings.NewReader(manyGenerators(2+q.left)))
	}
	return q.Querier.Groups(ctx, query)
}

func TestFacetsAreOfTheSameData(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ changes, status int }{{1, 200}, {2, 200}, {3, http.StatusGone}} {
		store := sampleStore(t)
		w := get(t, httpapi.New(&unsteady{store, t, store, test.changes}, nil), "/levels/GEN/rows?facet=state")
		if w.Code != test.status || w.Code == 200 && !strings.Contains(w.Body.String(), `"facets":{"state":[{"value":"TX","count":2}]}`) {
			t.Errorf("%d changes: %d %s", test.changes, w.Code, w.Body)
		}
	}
}

// Every column of plants and generators can be asked for in every way, or is
// refused; none breaks the server.
func TestEveryColumn(t *testing.T) {
	t.Parallel()
	h := httpapi.New(sampleStore(t), nil)
	columns := []egrid.Column{egrid.PlantID, egrid.StateShare, egrid.PlantCount, egrid.BasisColumn, egrid.LevelColumn, egrid.ReleaseColumn, "OWNCOL"}
	for _, level := range []egrid.Level{egrid.PLNT, egrid.GEN} {
		for _, f := range egrid.Fields(level) {
			columns = append(columns, f.Column)
		}
	}
	answered := 0
	for _, path := range []string{"/plants/search?year=2021", "/plants/search?year=2023", "/levels/PLNT/rows?year=all", "/levels/GEN/rows?year=all", "/levels/GEN/groups?year=all"} {
		for _, c := range columns {
			for _, query := range []string{"facet=" + string(c), "sort=-" + string(c), "columns=" + string(c), "by=" + string(c), "filter=" + string(c) + "%20missing", "measures=max(" + string(c) + ")"} {
				w := get(t, h, path+"&limit=1&"+query)
				if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
					t.Errorf("%s&%s: %d %s", path, query, w.Code, w.Body)
				}
				if w.Code == http.StatusOK {
					answered++
				}
			}
		}
	}
	if answered < 1000 {
		t.Errorf("only %d queries were answered", answered)
	}
	t.Logf("%d queries were answered", answered)
}
