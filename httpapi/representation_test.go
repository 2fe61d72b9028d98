package httpapi_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// Places: on the map, at its edges, beyond them, and unknown.
const placedPlants = `YEAR,PSTATABB,PNAME,ORISPL,LAT,LON,PLFUELCT,PLNGENAN,ODD,CHPFLAG
2023,TX,"Alpha ""A""",1,31.25,-97.5,GAS,300,"a,b",Yes
2023,TX,Edge,2,-90,180,GAS,200,,No
2023,TX,Nowhere,3,,,GAS,100,x,
2023,TX,Half known,4,30,,GAS,50,x,
2023,TX,Beyond,5,91,-97,GAS,40,x,
2023,AK,,6,64.123456789,-147.5,WIND,-5,"two
lines",
`

func placedStore(t testing.TB) driver.Store {
	t.Helper()
	store := memstore.New().Driver()
	t.Cleanup(func() { store.Close() })
	publish(t, store, "PLNT23.csv", strings.NewReader(placedPlants))
	publish(t, store, "GEN21.csv", strings.NewReader(strings.ReplaceAll(generators23, "2023,", "2021,")))
	return store
}

type collection struct {
	Type     string
	Features []struct {
		Type     string
		ID       string
		Geometry struct {
			Type        string
			Coordinates []float64
		}
		Properties map[string]any
	}
	WithoutCoordinates int `json:"without_coordinates"`
}

// GeoJSON has the same values as JSON, except for the plants without a place.
func TestGeoJSON(t *testing.T) {
	server := httptest.NewServer(newAPI(placedStore(t), nil))
	defer server.Close()
	for _, test := range []struct {
		target        string
		placed, total int
	}{
		{"/plants/top", 3, 6}, {"/plants/top?order=asc&limit=2", 1, 2}, {"/plants/search?fuel_category=GAS", 2, 5},
		{"/plants/search?columns=plant_name,ODD", 3, 6}, {"/plants/search?columns=LAT,share", 3, 6}, {"/plants/search?state=ZZ", 0, 0},
		{"/levels/PLNT/rows", 3, 6}, {"/levels/plnt/rows?columns=net_generation_mwh&sort=net_generation_mwh", 3, 6}, {"/levels/PLNT/rows?year=all", 3, 6},
		{"/levels/PLNT/rows?state=ZZ", 0, 0}, {"/plants/search?year=2021", 0, 4},
	} {
		var list struct{ Data []map[string]any }
		if err := json.Unmarshal(get(t, server.Config.Handler, test.target).Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		places := get(t, server.Config.Handler, test.target, "Accept", "application/geo+json")
		got := decodePlaces(t, places.Body)
		if len(list.Data) != test.total || len(got.Features) != test.placed || got.WithoutCoordinates != test.total-test.placed {
			t.Errorf("%s: %d rows, %d placed, %d not; want %d, %d", test.target, len(list.Data), len(got.Features), got.WithoutCoordinates, test.total, test.placed)
		}
		if count := places.Result().Trailer.Get("X-Row-Count"); count != fmt.Sprint(test.placed) || places.Header().Get("Content-Type") != "application/geo+json" {
			t.Errorf("%s: trailer %q, type %q", test.target, count, places.Header().Get("Content-Type"))
		}
		checkProperties(t, test.target, got, list.Data)
	}
}

func decodePlaces(t *testing.T, r io.Reader) collection {
	t.Helper()
	var got collection
	d := json.NewDecoder(r)
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Type != "FeatureCollection" || got.Features == nil {
		t.Errorf("%+v", got)
	}
	return got
}

func checkProperties(t *testing.T, target string, got collection, rows []map[string]any) {
	t.Helper()
	next := 0
	for _, f := range got.Features {
		var row map[string]any
		for ; row == nil && next < len(rows); next++ { // in the same order
			if id := rows[next]["id"]; id == nil || id == f.ID {
				row = rows[next]
			}
			if row["id"] == nil && row["oris_plant_code"] != nil && row["oris_plant_code"] != f.ID {
				row = nil
			}
		}
		if f.Type != "Feature" || f.Geometry.Type != "Point" || len(f.Geometry.Coordinates) != 2 || f.ID == "" {
			t.Fatalf("%s: %+v", target, f)
		}
		if lat, ok := row["latitude"].(float64); ok && lat != f.Geometry.Coordinates[1] {
			t.Errorf("%s: latitude of %s is %v; want %v", target, f.ID, f.Geometry.Coordinates, lat)
		}
		for _, name := range []string{"id", "latitude", "longitude"} {
			delete(row, name)
		}
		if row["oris_plant_code"] != nil || len(row) > 5 { // else the rows cannot be told apart
			if fmt.Sprint(f.Properties) != fmt.Sprint(row) {
				t.Errorf("%s: properties of %s\n%v; want\n%v", target, f.ID, f.Properties, row)
			}
		} else if len(f.Properties) != len(row) {
			t.Errorf("%s: properties %v; want those of %v", target, f.Properties, row)
		}
	}
}

func TestGeoJSONElsewhere(t *testing.T) {
	h := newAPI(placedStore(t), nil)
	for _, test := range []struct {
		target, accept string
		status         int
		says           string
	}{
		{"/levels/GEN/rows?format=geojson", "", 400, "no answers as geojson at level GEN"},
		{"/levels/GEN/rows", "application/geo+json", 406, "but as json, csv, ndjson"},
		{"/levels/GEN/rows", "application/geo+json, application/json;q=0.1", 200, ""},
		{"/levels/PLNT/groups?format=geojson", "", 400, "one of"},
		{"/levels/PLNT/groups", "application/geo+json", 406, "but as json, csv, ndjson"},
		{"/plants/1", "application/geo+json", 406, "but as json"},
		{"/plants/statistics", "text/csv", 406, "but as json"},
		{"/plants/statistics", "text/csv, */*;q=0.1", 200, ""},
		{"/plants/statistics", "text/html", 200, ""},
		{"/levels/PLNT/groups", "application/geo+json, application/json;q=0.5", 200, ""},
		{"/plants/top?format=json", "application/geo+json", 200, ""},
	} {
		w := get(t, h, test.target, "Accept", test.accept)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s as %q: %d %s; want %d, %q", test.target, test.accept, w.Code, w.Body, test.status, test.says)
		}
	}
}

// An export that cannot go on breaks the connection in the midst of a document.
func TestGeoJSONBreaksOff(t *testing.T) {
	store := memstore.New().Driver()
	publish(t, store, "PLNT23.csv", strings.NewReader(manyPlaces(12000)))
	q := &troubled{Scanner: store, fail: errors.New("disk on fire")}
	q.rows.Store(5000)
	server := httptest.NewServer(newAPI(q, nil))
	defer server.Close()
	resp, err := server.Client().Get(server.URL + "/levels/PLNT/rows?format=geojson")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil || json.Valid(body) || resp.Trailer.Get("X-Row-Count") != "" {
		t.Errorf("a part was sent as the whole: %v, trailer %q", err, resp.Trailer)
	}
}

func manyPlaces(n int) string {
	var b strings.Builder
	b.WriteString("YEAR,PSTATABB,PNAME,ORISPL,LAT,LON,PLNGENAN\n")
	for i := range n {
		fmt.Fprintf(&b, "2023,TX,Plant %d,%d,31.5,-%d.5,%d\n", i, i, i%180, i)
	}
	return b.String()
}

// taker is a client that takes everything and keeps nothing.
type taker struct {
	header  http.Header
	bytes   int
	largest int // of what was handed over at once
}

func (t *taker) Header() http.Header { return t.header }
func (t *taker) Write(b []byte) (int, error) {
	t.bytes += len(b)
	t.largest = max(t.largest, len(b))
	return len(b), nil
}
func (*taker) WriteHeader(int) {}

// What is held back at once does not grow with the number of rows.
func TestExportsInConstantMemory(t *testing.T) {
	store := memstore.New().Driver()
	publish(t, store, "PLNT23.csv", strings.NewReader(manyPlaces(60000)))
	h := newAPI(store, nil)
	for _, form := range []string{"csv", "ndjson", "geojson", "xlsx"} {
		w := &taker{header: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/plants/search?columns=plant_name&format="+form, nil))
		if w.header.Get("X-Row-Count") != "60000" || w.bytes < 1<<19 || w.largest > 64<<10 {
			t.Errorf("%s: %s rows, %d bytes, up to %d at once", form, w.header.Get("X-Row-Count"), w.bytes, w.largest)
		}
	}
}

// An export allocates by batch and not by row.
func TestExportsAllocateNothingByRow(t *testing.T) {
	const rows = 20_000
	s := memstore.New().Driver()
	publish(t, s, "PLNT23.csv", strings.NewReader(manyPlaces(rows)))
	h := newAPI(s, nil)
	for _, form := range []string{"csv", "ndjson", "geojson", "xlsx", "csv&sort=-net_generation_mwh"} {
		r := httptest.NewRequest(http.MethodGet, "/levels/PLNT/rows?format="+form, nil)
		if n := testing.AllocsPerRun(1, func() { h.ServeHTTP(&taker{header: http.Header{}}, r) }); n > rows/10 {
			t.Errorf("%s: %.0f allocations for %d rows", form, n, rows)
		}
	}
}

func TestCSV(t *testing.T) {
	h := newAPI(placedStore(t), nil)
	for _, test := range []struct{ target, want string }{
		{"/levels/PLNT/rows?format=csv&columns=plant_name,ODD,net_generation_mwh&limit=2", "plant_name,ODD,net_generation_mwh\r\n\"Alpha \"\"A\"\"\",\"a,b\",300\r\nEdge,,200\r\n"},
		{"/levels/PLNT/rows?format=csv&columns=ODD", "ODD\r\n\"a,b\"\r\n\"\"\r\nx\r\nx\r\nx\r\n\"two\nlines\"\r\n"},
		{"/levels/PLNT/rows?format=csv&codes=epa&columns=plant_name,data_year,ODD,net_generation_mwh&limit=1", "PNAME,YEAR,ODD,PLNGENAN\r\n\"Alpha \"\"A\"\"\",2023,\"a,b\",300\r\n"},
		{"/plants/top?format=csv&codes=epa&limit=1", "id,PNAME,ORISPL,PSTATABB,CNTYNAME,LAT,LON,SUBRGN,BACODE,NERC,OPRNAME,PLPRMFL,PLFUELCT,NUMGEN,NAMEPCAP,CAPFAC,PLNGENAN,share,PLCO2EQA,PLC2ERTA\r\n"},
		{"/plants/search?format=csv&state=ZZ&columns=plant_name", "id,plant_name\r\n"},
	} {
		w := get(t, h, test.target)
		if got := w.Body.String(); !strings.HasPrefix(got, test.want) || test.want[0] != 'i' && got != test.want {
			t.Errorf("%s:\n%q; want\n%q", test.target, got, test.want)
		}
		all, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || fmt.Sprint(len(all)-1) != w.Result().Trailer.Get("X-Row-Count") {
			t.Errorf("%s: %v, %d records, trailer %q", test.target, err, len(all), w.Result().Trailer.Get("X-Row-Count"))
		}
	}
	for _, target := range []string{"/plants/top?codes=epa", "/plants/top?codes=epa&format=ndjson", "/plants/top?codes=eia&format=csv", "/levels/GEN/groups?codes=epa&format=csv"} {
		if w := get(t, h, target); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d; want 400", target, w.Code)
		}
	}
}

// A byte order mark at the beginning of a cell stays, also at that of the file.
func TestCSVWithByteOrderMarks(t *testing.T) {
	store := memstore.New().Driver()
	publish(t, store, "PLNT23.csv", strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,\ufeffMARK\n2023,TX,\ufeffAlpha,1,\ufeffx\n"))
	w := get(t, newAPI(store, nil), "/levels/PLNT/rows?format=csv&columns=%EF%BB%BFMARK,plant_name")
	if want := "\"\ufeffMARK\",plant_name\r\n\"\ufeffx\",\"\ufeffAlpha\"\r\n"; w.Body.String() != want {
		t.Errorf("%q; want %q", w.Body, want)
	}
}

func TestEncodings(t *testing.T) {
	h := newAPI(placedStore(t), nil)
	for accept, want := range map[string]string{"gzip": "gzip", "gzip;q=0.0": "", "gzip; q=0": "", "br": "", "br, gzip;q=0.001": "gzip", "": ""} {
		for _, target := range []string{"/openapi.json", "/openapi.yaml", "/columns", "/plants/search?format=geojson"} {
			w := get(t, h, target, "Accept-Encoding", accept)
			if w.Header().Get("Content-Encoding") != want || !variesBy(w.Header(), "Accept-Encoding") {
				t.Errorf("%s as %q: %v", target, accept, w.Header())
			}
			if want == "" {
				continue
			}
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(z)
			if err != nil || string(plain) != get(t, h, target).Body.String() {
				t.Errorf("%s: other bytes when compressed: %v", target, err)
			}
		}
	}
}

// Every path tells by which methods it can be asked, to OPTIONS and in refusing
// another method: those of the document, HEAD and OPTIONS.
func TestMethodsOfPaths(t *testing.T) {
	t.Parallel()
	h := bundledAPI(t)
	document := documentOf(t, h)
	want := map[string][]string{"/openapi.json": {"GET"}, "/openapi.yaml": {"GET"}}
	for path, methods := range document.Paths {
		asked := strings.NewReplacer("{level}", "SRL", "{type}", "by-fuel").Replace(path)
		for method := range methods {
			want[asked] = append(want[asked], strings.ToUpper(method))
		}
	}
	for path, methods := range want {
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		methods = append(methods, "OPTIONS")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"} {
			if method != "OPTIONS" && slices.Contains(methods, method) {
				continue
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			status := http.StatusMethodNotAllowed
			if method == "OPTIONS" {
				status = http.StatusNoContent
			}
			allow := strings.Split(w.Header().Get("Allow"), ", ")
			if w.Code != status || len(allow) != len(methods) || slices.ContainsFunc(methods, func(m string) bool { return !slices.Contains(allow, m) }) {
				t.Errorf("%s %s: %d, Allow %q; want %d, %q", method, path, w.Code, allow, status, methods)
			}
			if status == http.StatusNoContent && w.Body.Len() != 0 {
				t.Errorf("OPTIONS %s has a body", path)
			}
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodOptions, "/nothing", nil))
	if w.Code != http.StatusNotFound || w.Header().Get("Allow") != "" {
		t.Errorf("OPTIONS of no path: %d %v", w.Code, w.Header())
	}
}

// HEAD is answered like GET, whatever the representation, status and encoding.
func TestHeadIsLikeGet(t *testing.T) {
	server := httptest.NewServer(newAPI(placedStore(t), nil))
	defer server.Close()
	exchange := func(method, target string, header ...string) (status int, h http.Header, body []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Request-ID", "test")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if body, err = io.ReadAll(answer.Body); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Date", "Trailer"} { // the client moves that of a GET
			answer.Header.Del(name)
		}
		return answer.StatusCode, answer.Header, body
	}
	for _, target := range []string{
		"/plants/top", "/plants/top?format=csv", "/plants/top?format=ndjson", "/plants/search?format=geojson&limit=2", "/levels/PLNT/groups?by=state", "/levels/PLNT/rows?format=xlsx", "/levels/PLNT/rows?format=datapackage",
		"/columns", "/healthz", "/openapi.json", "/openapi.yaml", "/plants/top?x=1", "/plants/99", "/nothing", "/levels/GEN/rows?snapshot=" + strings.Repeat("0", 24),
	} {
		for _, header := range [][]string{{"Accept-Encoding", "identity"}, {"Accept-Encoding", "gzip"}, {"Accept-Encoding", "gzip", "If-None-Match", "*"}} {
			status, want, _ := exchange(http.MethodGet, target, header...)
			headStatus, got, body := exchange(http.MethodHead, target, header...)
			if headStatus != status || len(body) != 0 || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s with %q: HEAD %d %v, %d bytes; GET %d %v", target, header, headStatus, got, len(body), status, want)
			}
		}
	}
}

// What the file held rounded is marked in the answer, and nothing else is.
func TestLossy(t *testing.T) {
	t.Parallel()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	publish(t, s, "SRL23.csv", strings.NewReader("YEAR,SUBRGN,SRNAME,NAMEPCAP,SRNGENAN,SRCO2RTA\n2023,ERCT,ERCOT All,600.25,\"1,001\",750.25\n2023,SPSO,SPP South,210.5,(10),900.5\n"))
	publish(t, s, "PLNT23.csv", strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,NAMEPCAP,PLNGENAN\n2023,TX,Alpha,1,550.125,900.25\n"))
	publish(t, s, "ST23.csv", strings.NewReader("YEAR,PSTATABB,NAMEPCAP,STNGENAN\n2023,TX,550.125,\"1,800\"\n"))
	h := newAPI(s, nil)
	for target, want := range map[string][]egrid.Column{
		"/levels/SRL/rows":                                    {egrid.NetGeneration},
		"/levels/SRL/rows?columns=subregion":                  nil,
		"/levels/SRL/rows?columns=net_generation_mwh":         {egrid.NetGeneration},
		"/levels/SRL/groups?measures=max(net_generation_mwh)": {egrid.NetGeneration},
		"/regions/SRL/ERCT":                                   {egrid.NetGeneration},
		"/levels/PLNT/rows":                                   nil,
		"/plants/1":                                           nil, // the sheet of its state, which gives the share, is rounded
		"/plants/top":                                         nil,
	} {
		var a wire.Answer[json.RawMessage]
		if err := json.Unmarshal(get(t, h, target).Body.Bytes(), &a); err != nil || !slices.Equal(a.Meta.Lossy, want) {
			t.Errorf("%s: rounded are %v, %v; want %v", target, a.Meta.Lossy, err, want)
		}
	}
}
