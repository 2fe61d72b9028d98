package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

const (
	factorsV1 = "SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2RTA\nCAMX,California,200.5,50.25,501.247\nNYLI,Long Island,10.5,5.25,1000\nERCT,Texas,7.5,5.25,1400\n"
	factorsV2 = "SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2RTA\nCAMX,California,300.5,50.25,334.443\nNYLI,Long Island,10.5,5.25,900\nRFCW,West,7.5,5.25,1400\n"
)

// factorStore has two releases, and a third one that is held.
func factorStore(t testing.TB) (backend driver.Store, held string) {
	t.Helper()
	backend = memstore.New().Driver()
	t.Cleanup(func() { backend.Close() })
	publish(t, backend, "SRL18_v1.csv", strings.NewReader(factorsV1))
	publish(t, backend, "SRL18_v2.csv", strings.NewReader(factorsV2))
	o := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "SRL18_v2.csv"}, Publish: driver.PublishHold}
	loaded, err := store.Load(t.Context(), backend, strings.NewReader(strings.ReplaceAll(factorsV2, "50.25", "150.25")), o)
	if err != nil || loaded.Reports[0].Status != egrid.Held {
		t.Fatalf("%+v, %v", loaded, err)
	}
	return backend, string(loaded.Reports[0].Snapshot.Stage)
}

func factorAnswer(t testing.TB, h http.Handler, target string) (wire.Answer[[]wire.FactorChange], *httptest.ResponseRecorder) {
	t.Helper()
	w := get(t, h, target)
	var a wire.Answer[[]wire.FactorChange]
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v, %s", target, w.Code, err, w.Body)
	}
	return a, w
}

func TestDiffFactors(t *testing.T) {
	t.Parallel()
	backend, _ := factorStore(t)
	h := newAPI(backend, nil)
	check := newSchemaCheck(t, h)
	const target = "/diff/factors?year=2018&from=v1&to=v2"
	a, w := factorAnswer(t, h, target)
	check(t, target, w)
	statements := make([]string, len(a.Data))
	for i, c := range a.Data {
		statements[i] = string(c.Change) + ": " + c.Statement
	}
	want := []string{
		"moved: The CO2 output rate of eGRID subregion CAMX moved -33.3 %, from 501.247 lb/MWh to 334.443 lb/MWh, by its generation.",
		"published: The CO2 output rate of eGRID subregion NYLI was published as 1000 lb/MWh and then as 900 lb/MWh (-10.0 %); the sums that it follows from give 1000 lb/MWh in both.",
		"lost: The CO2 output rate of eGRID subregion ERCT is no more; it was 1400 lb/MWh.",
		"added: The CO2 output rate of eGRID subregion RFCW is new: 1400 lb/MWh.",
	}
	if strings.Join(statements, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(statements, "\n"), strings.Join(want, "\n"))
	}
	c := a.Meta.Comparison
	if c == nil || len(c.Factors) != 1 || c.Factors[0].Compared != 2 || c.Factors[0].Moved != 1 || c.Factors[0].Published != 1 || c.Factors[0].Largest.Code != "CAMX" || c.From.Release != "v1" || len(c.To.Snapshots) != 1 {
		t.Fatalf("comparison %+v", c)
	}
	if id := string(c.To.Snapshots[0].ID); !strings.Contains(c.Citation, id) || !strings.Contains(a.Links.Permanent, "to="+id) {
		t.Errorf("citation %s, permanent %s, without the snapshot %s", c.Citation, a.Links.Permanent, id)
	}
	for query, want := range map[string]int{
		"&all=true": 4, "&kind=nonbaseload": 0, "&kind=output,input&gas=co2": 4, "&gas=ch4": 0, "&code=camx,nyli": 2, "&level=ST": 0, "&limit=1": 1, "&level=srl&code=CAMX": 1,
	} {
		if a, w := factorAnswer(t, h, target+query); len(a.Data) != want || a.Data == nil {
			t.Errorf("%s: %d; want %d", query, len(a.Data), want)
		} else {
			check(t, target, w)
		}
	}
	for query, want := range map[string]int{
		"": 400, "from=v3": 404, "from=x": 400, "from=v1&kind=x": 400, "from=v1&level=PLNT": 400, "from=v1&gas=CO2": 400, "from=2017": 404, "from=2018-v9": 404, "from=published&to=published": 400,
		"from=v1&cursor=x": 400, "from=v1&year=2019": 404, "from=0123456789abcdef01234567": 404, "from=2018&to=2018-v1": 200, "from=2018+v1&to=2018": 200, "from=NONE": 404, "from=v1&nonsense=1": 400,
	} {
		if w := get(t, h, "/diff/factors?"+query); w.Code != want {
			t.Errorf("%s: %d %s; want %d", query, w.Code, w.Body, want)
		}
	}
	csv := get(t, h, target+"&format=csv&code=CAMX")
	if lines := strings.Split(csv.Body.String(), "\r\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "level,code,name,kind,gas,unit,change,from,to,") || !strings.HasPrefix(lines[1], "SRL,CAMX,California,output,co2,lb/MWh,moved,501.24") {
		t.Errorf("%s", csv.Body)
	}
}

// Pages go on in the data that they began in; an address that names the snapshots
// never changes.
func TestDiffFactorsPinned(t *testing.T) {
	t.Parallel()
	backend, held := factorStore(t)
	h := newAPI(backend, nil)
	const target = "/diff/factors?from=2018-v1&to=v2"
	first, _ := factorAnswer(t, h, target+"&limit=3")
	publish(t, backend, "SRL18_v3.csv", strings.NewReader(factorsV1))
	publish(t, backend, "SRL18_v2.csv", strings.NewReader(strings.ReplaceAll(factorsV2, "300.5", "400.5")))
	second, _ := factorAnswer(t, h, first.Links.Next)
	if len(first.Data) != 3 || len(second.Data) != 1 || second.Data[0].Code != "RFCW" || second.Links.Next != "" || *second.Meta.Total != 4 {
		t.Errorf("%d and %+v", len(first.Data), second)
	}
	pinned, w := factorAnswer(t, h, first.Links.Permanent)
	if x := pinned.Data[0].To; *x < 334.4 || *x > 334.5 || pinned.Meta.Revision != 0 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || pinned.Links.Permanent != pinned.Links.Self {
		t.Errorf("%v, %v, %+v", *x, w.Header(), pinned.Links)
	}
	etag := w.Header().Get("ETag")
	publish(t, backend, "SRL18_v4.csv", strings.NewReader(factorsV1))
	if w := get(t, h, first.Links.Permanent, "If-None-Match", etag); w.Code != http.StatusNotModified {
		t.Errorf("%d after another publish", w.Code)
	}
	if a, w := factorAnswer(t, h, "/diff/factors?from=2018-v1&to=2018-v2"); *a.Data[0].To > 260 || !strings.Contains(w.Header().Get("Cache-Control"), "no-cache") {
		t.Errorf("the name of a release still gives %v", *a.Data[0].To)
	}
	// A held load has no permanent address.
	a, w := factorAnswer(t, h, "/diff/factors?from=published&to="+held)
	if a.Links.Permanent != "" || strings.Contains(w.Header().Get("Cache-Control"), "immutable") || a.Meta.Comparison.To.Snapshots[0].Status != egrid.Held || a.Data[0].Code != "CAMX" || !strings.Contains(a.Meta.Comparison.Citation, "held and not published") {
		t.Errorf("%+v %v", a.Links, w.Header())
	}
	if a, _ := factorAnswer(t, h, "/diff/factors?to=published&from="+held+"&limit=1"); a.Meta.Comparison.From.Snapshots[0].Status != egrid.Held {
		t.Errorf("%+v", a.Meta.Comparison)
	} else if a.Links.Next != "" {
		if next, _ := factorAnswer(t, h, a.Links.Next); next.Meta.Comparison.From.Snapshots[0].Status != egrid.Held {
			t.Errorf("the next page is of %+v", next.Meta.Comparison)
		}
	}
	// The same through the client, which reads what is held, too.
	server := httptest.NewServer(h)
	defer server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := store.New(c)
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: calc.FactorLevels(), From: "published", To: held})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := calc.ReadFactorDifference(t.Context(), db, &pair); err != nil || len(d.Changes) == 0 {
		t.Errorf("through the client: %+v, %v", d, err)
	}
	if w := get(t, h, "/levels/SRL/rows?snapshot="+held); w.Code != http.StatusNotFound {
		t.Errorf("rows of a held load: %d", w.Code)
	}
}

const (
	plantsV1 = "PSTATABB,PNAME,ORISPL,BACODE,SUBRGN,PLNGENAN,PLCO2AN\nTX,Stays,1,ERCO,ERCT,100,50\nTX,Moves,2,ERCO,ERCT,50,25\nTX,Goes,3,ERCO,ERCT,10,5\n"
	plantsV2 = "PSTATABB,PNAME,ORISPL,BACODE,SUBRGN,PLNGENAN,PLCO2AN\nTX,Stays,1,ERCO,ERCT,100,75\nTX,Moves,2,ERCO,SPSO,60,25\nTX,Comes,4,ERCO,ERCT,10,5\n"
)

// Columns, plants and the whole as a page.
func TestDiffReport(t *testing.T) {
	t.Parallel()
	backend, _ := factorStore(t)
	publish(t, backend, "PLNT18_v1.csv", strings.NewReader(plantsV1))
	publish(t, backend, "PLNT18_v2.csv", strings.NewReader(plantsV2))
	h := newAPI(backend, nil)
	check := newSchemaCheck(t, h)
	for target, want := range map[string][]string{
		"/diff/columns?from=v1&to=v2&level=PLNT": {
			`{"level":"PLNT","column":"subregion","code":"SUBRGN","unit":null,"change":"changed","rows":2,"changed":1,"rounder":0,"finer":0,"filled":0,"blanked":0,"median_relative_change":null,"largest":{"key":"2","from":"ERCT","to":"SPSO","relative_change":null}}`,
			`"column":"co2_short_tons","code":"PLCO2AN","unit":"short tons"`, `"median_relative_change":0.5`, `"levels":[{"level":"PLNT","rows":2,"rows_changed":2,"rows_added":1,"rows_lost":1,"columns_changed":3`, `"permanent":"/diff/columns?from=`,
		},
		"/diff/columns?from=v1&to=v2&limit=1": {`"level":"PLNT"`, `"next":"/diff/columns?cursor=`, `{"level":"SRL","rows":2,`},
		"/diff/plants?from=v1&to=v2": {
			`{"id":"2","name":"Moves","change":"moved","column":"subregion","from":"ERCT","to":"SPSO","net_generation_mwh_from":50.0,"net_generation_mwh_to":60.0,"successor":null,"successor_by":null}`,
			`"id":"3","name":"Goes","change":"lost","column":null`, `"plants":{"basis":"PLNT","both":2,"moved":1,"added":1,"lost":1,"unidentified":0,"repeated":0,"flows":[{"column":"subregion","from":"ERCT","to":"SPSO","plants":1,"net_generation_mwh":60.0}]}`,
		},
		"/diff/plants?from=v1&to=v2&change=added":                          {`"data":[{"id":"4"`},
		"/diff/plants?from=v1&to=v2&column=state":                          {`"data":[]`},
		"/diff/plants?from=v1&to=v2&column=subregion&change=moved&limit=1": {`"data":[{"id":"2"`},
		"/diff/plants?from=v1&to=v2&format=csv":                            {"id,name,change,column,from,to,net_generation_mwh_from,net_generation_mwh_to,successor,successor_by\r\n2,Moves,moved,subregion,ERCT,SPSO,50,60,,\r\n"},
		"/diff/columns?from=v1&to=v2&level=PLNT&format=csv":                {"level,column,code,unit,change,rows,changed,rounder,finer,filled,blanked,median_relative_change,largest_key,largest_from,largest_to,largest_relative_change\r\n"},
		"/diff/plants?from=v1&to=v2&format=ndjson&change=lost":             {`{"id":"3"`},
		"/diff/report?from=v1&to=v2":                                       {`"factor_changes":[{"level":"SRL","code":"CAMX"`, `"column_changes":[{"level":"SRL"`, `"plant_changes":[{"id":"2"`, `"permanent":"/diff/report?from=`},
		"/diff/report?from=v1&to=v2&format=html":                           {"<title>eGRID2018 v1 to eGRID2018 v2</title>", "SRL CAMX", "Moves between regions"},
	} {
		w := get(t, h, target)
		if w.Code != http.StatusOK || w.Header().Get("ETag") == "" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %s is not in %s", target, text, w.Body)
			}
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			check(t, target, w)
		}
	}
	// Without plants in both, that is a note; without anything in common it is not found.
	publish(t, backend, "SRL19.csv", strings.NewReader(factorsV1))
	if w := get(t, h, "/diff/report?from=2018-v1&to=2019"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Plants are not compared: ") || !strings.Contains(w.Body.String(), `"plant_changes":[]`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for target, want := range map[string]int{
		"/diff/plants?from=2018-v1&to=2019": 404, "/diff/columns?from=2018&to=2019&level=PLNT": 404, "/diff/report?from=2017": 404, "/diff/columns?from=v1&level=X": 400, "/diff/plants?from=v1&column=fuel": 400,
		"/diff/report?from=v1&format=csv": 400,
	} {
		if w := get(t, h, target); w.Code != want {
			t.Errorf("%s: %d %s; want %d", target, w.Code, w.Body, want)
		}
	}
}

// A plant's history says when it moved, and a column's where its code occurs.
func TestHistories(t *testing.T) {
	t.Parallel()
	backend := memstore.New().Driver()
	t.Cleanup(func() { backend.Close() })
	publish(t, backend, "PLNT18_v1.csv", strings.NewReader(plantsV1))
	publish(t, backend, "PLNT19.csv", strings.NewReader(plantsV2))
	h := newAPI(backend, nil)
	check := newSchemaCheck(t, h)
	for target, want := range map[string][]string{
		"/plants/2/history": {`"moves":[{"column":"subregion","from":"ERCT","to":"SPSO","from_year":2018,"to_year":2019,"from_release":"v1","to_release":""}]`},
		"/columns/history?code=pstateabb&level=gen": {
			`{"level":"GEN","name":"state","code":"PSTATABB","edition":"2016","event":"first","header":"PSTATABB","evidence":"code row"}`,
			`"edition":"2023-rev0","event":"renamed","header":"PSTATEABB"`,
		},
		"/columns/history?code=PLCO2AN": {`"edition":"2018-v1","event":"present","header":null,"evidence":"store"}`},
		"/columns/history?code=PLNOXAN": {`"edition":"2018-v1","event":"absent","header":null,"evidence":"store"}`},
	} {
		w := get(t, h, target)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
			continue
		}
		check(t, target, w)
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %s is not in %s", target, text, w.Body)
			}
		}
	}
	if w := get(t, h, "/plants/1/history"); strings.Contains(w.Body.String(), "moves") {
		t.Errorf("a plant that stays: %s", w.Body)
	}
	for target, want := range map[string]int{"/columns/history": 400, "/columns/history?code=PLNOXAM": 404, "/columns/history?code=PLNOXAN&level=X": 400} {
		if w := get(t, h, target); w.Code != want || want == 404 && !strings.Contains(w.Body.String(), "did you mean PLNOXAN?") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
