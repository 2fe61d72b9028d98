package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// dial serves a scanner and returns a client of it, which does not repeat
// requests.
func dial(t testing.TB, s driver.Scanner) *client.Client {
	t.Helper()
	server := httptest.NewServer(newAPI(s, nil))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, &client.Options{HTTPClient: server.Client(), Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve makes a store that is loaded directly and asked over HTTP.
func serve(t testing.TB) driver.Store {
	s := memstore.New().Driver()
	s.Scanner = dial(t, s.Scanner)
	return s
}

func TestClientIsAScanner(t *testing.T) {
	egridtest.RunStore(t, func(t *testing.T) driver.Store { return serve(t) })
}

func TestClientAnswersAsTheStore(t *testing.T) {
	egridtest.RunDifferential(t, func(t *testing.T) driver.Store { return serve(t) })
}

// Clients stack: a client of a service that asks another one answers as the
// store behind both, and cursors are those of the store.
func TestClientsStack(t *testing.T) {
	s := sampleStore(t)
	direct, over := store.New(s), store.New(dial(t, dial(t, s)))
	for _, query := range []store.PlantQuery{
		{Count: true}, {Year: 2021, Search: "alpha"}, {Year: 2016, Limit: 1},
		{Limit: 2, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX", "OK")}},
	} {
		want, err := direct.Plants(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := over.Plants(t.Context(), query)
		if err != nil || got.Next != want.Next || got.Total != want.Total || got.Basis != want.Basis || got.Revision != want.Revision {
			t.Fatalf("%+v: %v, next %q of %d; want %q of %d", query, err, got.Next, got.Total, want.Next, want.Total)
		}
		if g, w := appended(got.Batch), appended(want.Batch); g != w {
			t.Errorf("%+v: got\n%s\nwant\n%s", query, g, w)
		}
	}
}

// appended is a batch as text.
func appended(b *egrid.Batch) string {
	var dst []byte
	for i := range b.Len() {
		dst = append(b.AppendJSON(fmt.Appendf(dst, "%d %d ", b.Number(i), b.Year()), i), '\n')
	}
	return string(dst)
}

// What only the API has.
func TestClientAsksTheAPI(t *testing.T) {
	c := dial(t, sampleStore(t))
	ctx := t.Context()
	chart, err := c.Chart(ctx, "by-state", nil)
	if err != nil || chart.Data.Unit != "MWh" || len(chart.Data.Series) != 1 {
		t.Fatalf("chart: %+v, %v", chart, err)
	}
	if p := chart.Data.Series[0].Points[1]; p.X != egrid.TextOf("TX") || *p.Y != 1001 || p.Basis != egrid.GEN || chart.Meta.Basis != "GEN" {
		t.Errorf("a point of the chart: %+v of %+v", p, chart.Meta)
	}
	if chart, err := c.Chart(ctx, "by-fuel", &client.ChartQuery{Year: 2023, Release: egrid.NoRelease, State: []string{"OK"}}); err != nil || len(chart.Data.Series[0].Points) != 2 {
		t.Errorf("chart of a state: %+v, %v", chart, err)
	}
	if _, err := c.Chart(ctx, "by-colour", nil); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("a chart that there is not: %v; want ErrInvalid", err)
	}
	if _, err := c.Chart(ctx, "by-state", &client.ChartQuery{Year: 2019}); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("a chart of a year that there is not: %v; want ErrNotFound", err)
	}
	statistics, err := c.Statistics(ctx, 0)
	if err != nil || statistics.Meta.Basis != "GEN" || *statistics.Data.Plants != 4 || statistics.Data.PlantsBasis != egrid.GEN || *statistics.Data.Generators != 6 || *statistics.Data.FirstYear != 2016 || len(statistics.Data.Levels) != 3 || statistics.Data.LastLoad.IsZero() {
		t.Errorf("statistics: %+v, %v", statistics, err)
	}
}

// planOf is the address of a plan.
func planOf(key string) string {
	return "/scan?plan=" + base64.RawURLEncoding.EncodeToString([]byte(key))
}

func TestScan(t *testing.T) {
	s := sampleStore(t)
	h := newAPI(s, nil)
	catalog, err := s.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := driver.PlanRows(catalog, egrid.RowQuery{Level: egrid.GEN, Year: egrid.AllYears, Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}})
	if err != nil {
		t.Fatal(err)
	}
	target := planOf(string(p.Key()))
	w := get(t, h, target)
	if w.Code != 200 || w.Header().Get("Content-Type") != wire.TypeBatches || w.Header().Get("Cache-Control") != forEver {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	want := ""
	for b, err := range s.Scan(t.Context(), p) {
		if err != nil {
			t.Fatal(err)
		}
		want += appended(b)
	}
	body := bytes.Clone(w.Body.Bytes())
	read := func(body []byte) (rows string, err error) {
		for b, err := range wire.Batches(bytes.NewReader(body), p.Output) {
			if err != nil {
				return rows, err
			}
			rows += appended(b)
		}
		return rows, nil
	}
	if got, err := read(body); err != nil || got != want || strings.Count(got, "\n") != 5 {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	for n := range body { // no part is taken for the whole
		if rows, err := read(body[:n]); err == nil {
			t.Fatalf("%d of %d bytes are %q", n, len(body), rows)
		}
	}
	if w := get(t, h, target, "If-None-Match", w.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("again: %d", w.Code)
	}
	gen := idOf(t, s, egrid.GEN, 2023)
	publish(t, s, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	if w := get(t, h, target); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), body) {
		t.Errorf("after a publish: %d, other bytes", w.Code)
	}
	if _, err := s.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	for target, status := range map[string]int{
		target: 410,
		planOf(`{"level":"GEN","snapshots":["` + gen + `"],"count":true}`): 410,
		planOf(`{"level":"GEN","snapshots":["0123"],"count":true}`):        404,
		planOf(`{"level":"GEN","snapshots":[],"count":true}`):              200,
		planOf(`{"level":"XXX","snapshots":[],"count":true}`):              400,
		planOf(`{"level":"GEN"}`):                                          400,
		planOf(`[]`):                                                       400,
		"/scan?plan=%21":                                                   400,
		"/scan?plan=a":                                                     400,
		"/scan?plan=":                                                      400,
		"/scan":                                                            400,
	} {
		if w := get(t, h, target); w.Code != status || status >= 400 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s; want %d", target, w.Code, w.Body, status)
		}
	}
}

// A scan that breaks off in the midst goes on behind the rows that came.
func TestClientGoesOnBehindABreak(t *testing.T) {
	s := memstore.New().Driver()
	publish(t, s, "GEN23.csv", strings.NewReader(manyGenerators(12000)))
	q := &troubled{Scanner: s, fail: errors.New("disk on fire")}
	server := httptest.NewServer(newAPI(q, nil))
	defer server.Close()
	c, err := client.New(server.URL, &client.Options{Retries: 2, Backoff: 1})
	if err != nil {
		t.Fatal(err)
	}
	db := store.New(c)
	for left, ok := range map[int]bool{3000: true, 5000: true, 10001: true, 0: false} {
		q.rows.Store(int64(left))
		rows := 0
		for row, err := range db.All(t.Context(), egrid.RowQuery{Level: egrid.GEN}) {
			if err != nil {
				if ok {
					t.Errorf("%d: %v after %d rows", left, err, rows)
				}
				break
			}
			if want := fmt.Sprintf("Plant %d", rows); row.Text(egrid.PlantName) != want {
				t.Fatalf("%d: row %d is %s", left, rows, row.Text(egrid.PlantName))
			}
			if rows++; rows == left {
				q.rows.Store(100_000)
			}
		}
		if ok && rows != 12000 || !ok && rows > 0 {
			t.Errorf("%d: %d rows", left, rows)
		}
	}
}

// countingCounts counts the plans that count.
type countingCounts struct {
	driver.Scanner
	counts int
}

func (q *countingCounts) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	if p.Count {
		q.counts++
	}
	return q.Scanner.Scan(ctx, p)
}

// Walking a list counts it once, whatever its order, and anew when its data
// change.
func TestTotalsAreCountedOnce(t *testing.T) {
	s := sampleStore(t)
	q := &countingCounts{Scanner: s}
	h := newAPI(q, nil)
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
	}{{"/levels/GEN/rows?limit=1", 6, 6, 1}, {"/levels/GEN/rows?limit=2&sort=plant_name", 6, 3, 1}, {"/levels/GEN/rows?limit=1&year=2016", 4, 4, 2}} {
		if pages := walk(test.first, test.total); pages != test.pages || q.counts != test.counts {
			t.Errorf("%d: %d pages and %d counts so far; want %d and %d", i, pages, q.counts, test.pages, test.counts)
		}
	}
	if w := get(t, h, "/levels/GEN/rows?count=false"); !strings.Contains(w.Body.String(), `"total":null`) || q.counts != 2 {
		t.Errorf("counted although refused: %d, %s", q.counts, w.Body)
	}
	publish(t, s, "UNT23.csv", strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,UNITID,PRMVR,HTIAN\n2023,TX,Alpha,1,1,ST,5\n"))
	if walk("/levels/GEN/rows?limit=3", 6); q.counts != 2 {
		t.Errorf("%d counts after a publish of others; want 2", q.counts)
	}
	publish(t, s, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	if walk("/levels/GEN/rows?limit=3", 7); q.counts != 3 {
		t.Errorf("%d counts; want 3", q.counts)
	}
}

func TestFacetsAreBounded(t *testing.T) {
	store := memstore.New().Driver()
	publish(t, store, "GEN23.csv", strings.NewReader(manyGenerators(1500)+"2023,TX,Plant 1400,x,1,1\n2023,TX,,y,1,1\n"))
	h := newAPI(store, nil)
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

// unsteady is a scanner under which something is published in front of each of
// its answers.
type unsteady struct {
	driver.Scanner
	publish func()
	left    int
}

func (q *unsteady) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	if q.left > 0 {
		q.left--
		q.publish()
	}
	return q.Scanner.Scan(ctx, p)
}

// All parts of an answer are of the same data.
func TestAnswersAreOfOneState(t *testing.T) {
	for _, target := range []string{
		"/levels/GEN/rows?facet=state&limit=2", "/plants/search?facet=state,fuel&columns=plant_name,share,fuel", "/plants/chart/by-subregion", "/plants/statistics", "/plants/years", "/plants/1/history",
		"/levels/GEN/rows?format=csv", "/plants/top?format=csv",
	} {
		s := sampleStore(t)
		want := get(t, newAPI(s, nil), target)
		n := 0
		q := &unsteady{Scanner: s, left: 5, publish: func() {
			n++
			publish(t, s, "GEN23.csv", strings.NewReader(manyGenerators(2+n)))
			publish(t, s, "PLNT23.csv", strings.NewReader(manyPlaces(2+n)))
		}}
		got := get(t, newAPI(q, nil), target)
		if got.Code != 200 || got.Body.String() != want.Body.String() || got.Header().Get("ETag") != want.Header().Get("ETag") {
			t.Errorf("%s: %d, got\n%s\nwant\n%s", target, got.Code, got.Body, want.Body)
		}
		if again := get(t, newAPI(s, nil), target); again.Body.String() == want.Body.String() || n == 0 {
			t.Errorf("%s: nothing changed after %d publishes", target, n)
		}
	}
}

// catalogs counts how often the catalogue is asked for.
type catalogs struct {
	driver.Scanner
	asked int
}

func (c *catalogs) Catalog(ctx context.Context) (egrid.Catalog, error) {
	c.asked++
	return c.Scanner.Catalog(ctx)
}

func TestOneCatalogARequest(t *testing.T) {
	s := sampleStore(t)
	c := &catalogs{Scanner: s}
	h := newAPI(c, nil)
	_, permanent := linksOf(t, h, "/plants/top?limit=3")
	for _, target := range []string{
		"/plants/top", "/plants/top", "/plants/search?facet=fuel,state", "/plants/1/units", "/plants/chart/by-subregion", "/plants/statistics", "/levels/GEN/rows?format=csv", "/snapshots", permanent, "/nothing",
	} {
		c.asked = 0
		w := get(t, h, target)
		if want := map[bool]int{true: 1, false: 0}[w.Code == 200]; c.asked != want {
			t.Errorf("%s: %d, asked %d times", target, w.Code, c.asked)
		}
	}
	publish(t, s, "GEN24.csv", strings.NewReader(strings.ReplaceAll(generators23, "2023,", "2024,")))
	c.asked = 0
	if w := get(t, h, "/plants/top"); c.asked != 1 || !strings.Contains(w.Body.String(), `"year":2024`) {
		t.Errorf("after a publish: asked %d times, %s", c.asked, w.Body)
	}
}

// restored is a scanner whose store can be exchanged for another, as by a restore
// of its database.
type restored struct{ driver.Scanner }

// After a restore the revisions come again, with other content: no kept answer
// and no tag may be taken for that of the new data.
func TestRestoreUnderARunningAPI(t *testing.T) {
	line := func(mwh string) string {
		return "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,1,1," + mwh + "\n"
	}
	of := func(figures ...string) driver.Store {
		s := memstore.New().Driver()
		t.Cleanup(func() { s.Close() })
		for _, mwh := range figures {
			publish(t, s, "GEN23.csv", strings.NewReader(line(mwh)))
		}
		return s
	}
	r := &restored{of("111111.5", "222222.5")}
	h := newAPI(r, nil)
	for _, target := range []string{"/plants/top", "/levels/GEN/rows", "/plants/statistics", "/snapshots"} {
		r.Scanner = of("111111.5", "222222.5")
		before := get(t, h, target)
		get(t, h, target)
		r.Scanner = of("111111.5", "333333.5") // the same revision
		after := get(t, h, target, "If-None-Match", before.Header().Get("ETag"))
		if after.Code != 200 || strings.Contains(after.Body.String(), "222222.5") || after.Body.String() == before.Body.String() {
			t.Errorf("%s: %d %s", target, after.Code, after.Body)
		}
	}
}

// Cells of type number have a decimal point in every form of JSON, also in what
// is no row, so that readers who guess types do not take them for integers.
func TestNumbersHaveAPoint(t *testing.T) {
	s := sampleStore(t)
	publish(t, s, "PLNT23.csv", strings.NewReader(placedPlants))
	h := newAPI(s, nil)
	for target, want := range map[string]string{
		"/levels/PLNT/rows?format=ndjson":                          `"net_generation_mwh":300.0`,
		"/levels/PLNT/rows?format=geojson":                         `"coordinates":[180.0,-90.0]`,
		"/plants/search?format=geojson&columns=net_generation_mwh": `{"net_generation_mwh":300.0}`,
		"/plants/top":           `"net_generation_mwh":300.0`,
		"/plants/chart/by-year": `{"x":2023,"y":685.0,`,
		"/plants/statistics":    `"net_generation_mwh":685.0`,
		"/regions/SRL/SPSO":     `"gas":0.0`,
		"/plants/states":        `"net_generation_mwh":-5.0`,
		"/levels/GEN/groups?year=2023&by=state&measures=sum(net_generation_mwh)": `"net_generation_mwh":-10.0`,
		"/levels/PLNT/rows?facet=net_generation_mwh":                             `{"value":300.0,"count":1}`,
	} {
		if w := get(t, h, target); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d, no %s in %s", target, w.Code, want, w.Body)
		}
	}
}

// Every column of plants and generators can be asked for in every way, or is
// refused; none breaks the server.
func TestEveryColumn(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	columns := []egrid.Column{store.PlantID, store.ShareOfState, store.PlantCount, store.BasisColumn, egrid.LevelColumn, egrid.ReleaseColumn, "OWNCOL"}
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
