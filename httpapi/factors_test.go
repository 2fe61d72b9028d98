package httpapi_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// One query of a batch that cannot be answered leaves the others alone.
func TestFactors(t *testing.T) {
	t.Parallel()
	h := newAPI(sampleStore(t), nil)
	body := `[{"subregion":"ERCT","gas":"co2"},{"subregion":"CAMX"},{"subregion":"ERCT","us":true},{"plants":["1"],"year":2021.0}]`
	w := ask(t, h, "post", "/factors", body)
	var got wire.Answer[[]wire.FactorResult]
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Data) != 4 {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	if f := got.Data[0].Factor; f == nil || got.Data[0].Error != nil || f.Formula != "2000 * co2_short_tons / net_generation_mwh" {
		t.Errorf("the first is %+v", got.Data[0])
	}
	for i, status := range map[int]int{1: 404, 2: 400} {
		if p := got.Data[i].Error; p == nil || p.Status != status || got.Data[i].Factor != nil {
			t.Errorf("query %d: %+v; want status %d", i, got.Data[i], status)
		}
	}
	if f := got.Data[3].Factor; f == nil || f.Basis != "PLNT" || f.Value != 90 {
		t.Errorf("the last is %+v", got.Data[3])
	}
	for name, body := range map[string]string{
		"none": "", "an empty list": "[]", "an object": "{}", "an unknown property": `[{"county":"x"}]`, "a null": `[{"us":null}]`, "no list of objects": `[null]`, "no JSON": "[",
		"too many": "[" + strings.Repeat(`{"us":true},`, 1000) + `{"us":true}]`,
	} {
		if w := ask(t, h, "post", "/factors", body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "body") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestInventory(t *testing.T) {
	t.Parallel()
	outlines, err := shapes.Read(strings.NewReader(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"ERCT"},
		"geometry":{"type":"Polygon","coordinates":[[[-104,28],[-95,28],[-95,34],[-104,34],[-104,28]]]}}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newAPI(sampleStore(t), &httpapi.Options{MaxTableBytes: 4 << 20, Shapes: outlines}))
	defer server.Close()
	post := func(target, contentType string, body io.Reader) (int, http.Header, http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+target, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, response.Trailer, string(text)
	}

	status, _, trailer, text := post("/inventory?year=2021", "text/csv", strings.NewReader("site,nerc,ba,kwh\nA,x,ERCO,1000\nB,x,CISO,5\n"))
	lines := strings.Split(strings.TrimSpace(text), "\r\n")
	if status != http.StatusOK || len(lines) != 3 || trailer.Get("X-Row-Count") != "2" || trailer.Get("X-Unanswered") != "1" {
		t.Fatalf("%d, trailer %v:\n%s", status, trailer, text)
	}
	if !strings.HasPrefix(lines[1], "A,x,ERCO,1000,1,BA,ERCO,balancing_authority,2021,,EPA,") || !strings.Contains(lines[2], "CISO") {
		t.Errorf("got %s", text)
	}
	_, _, _, text = post("/inventory?year=2023", "text/csv", strings.NewReader("lat,lon,kwh\n31,-100,1000\n41,-74,5\n"))
	if lines := strings.Split(text, "\r\n"); !strings.Contains(lines[1], "the SRL sheet of eGRID 2023 has neither") || !strings.Contains(lines[2], "in no subregion of the outlines") {
		t.Errorf("by coordinates: %s", text)
	}
	if _, header, _, text := post("/inventory?year=2021&format=json", "text/csv", strings.NewReader("ba,mwh\nERCO,1\n")); !strings.HasPrefix(header.Get("Content-Type"), "application/json") || !json.Valid([]byte(text)) {
		t.Errorf("%v %s", header, text)
	}

	_, header, trailer, workbookText := post("/inventory?year=2021&format=xlsx", "text/csv", strings.NewReader("ba,mwh\nERCO,1\nCISO,2\n"))
	if header.Get("Content-Type") != "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" || trailer.Get("X-Row-Count") != "2" || trailer.Get("X-Unanswered") != "1" {
		t.Errorf("the workbook: %v, trailer %v", header, trailer)
	}
	workbook, err := zip.NewReader(strings.NewReader(workbookText), int64(len(workbookText)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workbook.Open("xl/worksheets/sheet2.xml"); err != nil {
		t.Errorf("the totals: %v", err)
	}

	// A long table is answered while it is sent.
	const sites = 100_000
	from, to := io.Pipe()
	go func() {
		_, err := io.WriteString(to, "ba,kwh\n")
		for i := range sites {
			if err == nil {
				_, err = fmt.Fprintf(to, "ERCO,%d\n", i)
			}
		}
		to.CloseWithError(err)
	}()
	if _, _, trailer, text = post("/inventory?year=2021", "text/csv", from); strings.Count(text, "\r\n") != sites+1 || trailer.Get("X-Row-Count") != fmt.Sprint(sites) {
		t.Errorf("%d lines, trailer %v", strings.Count(text, "\r\n"), trailer)
	}

	for name, tt := range map[string]struct {
		target, contentType, body string
		status                    int
		says                      string
	}{
		"JSON":             {"/inventory", "application/json", "[]", http.StatusUnsupportedMediaType, "text/csv"},
		"no header":        {"/inventory", "text/csv", "", http.StatusBadRequest, "no header"},
		"an open quote":    {"/inventory?year=2021", "text/csv", "ba,kwh,note\nERCO,1,\"a\nERCO,2,b\n", http.StatusBadRequest, "a quote is not closed"},
		"semicolons":       {"/inventory", "text/csv", "ba;kwh\nERCO;1.500\n", http.StatusBadRequest, "separated by semicolons"},
		"no place":         {"/inventory", "text/csv", "kwh\n5\n", http.StatusBadRequest, "where the sites are"},
		"an unknown GWP":   {"/inventory?gwp=ar7", "text/csv", "ba,kwh\n", http.StatusBadRequest, "ar6"},
		"too long a table": {"/inventory", "text/csv", "ba,kwh\n" + strings.Repeat("ERCO,1\n", 1<<20), http.StatusRequestEntityTooLarge, "4194304"},
	} {
		if status, _, _, text := post(tt.target, tt.contentType, strings.NewReader(tt.body)); status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d %.300s", name, status, text)
		}
	}
}

// Of a region that has several rows no answer takes one, and each documents the refusal.
func TestSeveralRows(t *testing.T) {
	t.Parallel()
	backend := memstore.New().Driver()
	t.Cleanup(func() { backend.Close() })
	o := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "ST23.csv"}, Publish: driver.PublishReplace}
	loaded, err := store.Load(t.Context(), backend, strings.NewReader("YEAR,PSTATABB,STNGENAN,STCO2AN\n2023,TX,100,50\n2023,TX,300,10\n2023,OK,5,6\n"), o)
	if err != nil || loaded.Reports[0].Status != egrid.Published {
		t.Fatalf("%+v, %v", loaded, err)
	}
	h := newAPI(backend, nil)
	for _, target := range []string{"/factors?state=TX&gas=co2", "/regions/ST/TX", "/explain/ST/TX/STNGENAN"} {
		if w := get(t, h, target); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "several rows for state TX") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for _, target := range []string{"/factors?state=OK&gas=co2", "/regions/ST/OK", "/levels/ST/rows"} {
		if w := get(t, h, target); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	var document struct {
		Paths map[string]map[string]struct{ Responses map[string]any }
	}
	if err := json.Unmarshal(get(t, h, "/openapi.json").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/factors", "/regions/{level}/{code}", "/explain/{level}/{code}/{column}", "/diff/factors"} {
		for method, op := range document.Paths[path] {
			if op.Responses["409"] == nil {
				t.Errorf("%s %s does not document 409", method, path)
			}
		}
	}
}
