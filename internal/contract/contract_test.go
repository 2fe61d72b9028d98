package contract_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// sampleStore holds the bundled sample.
func sampleStore(t *testing.T) *memstore.Store {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { backend.Close() })
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(backend), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return backend
}

// pruned publishes a snapshot in place of another, which it prunes and whose id it
// returns.
func pruned(t *testing.T, backend *memstore.Store) egrid.SnapshotID {
	t.Helper()
	const sheet = "YEAR,PSTATABB,PNAME,ORISPL\n%d,TX,Only One,%d\n"
	for _, code := range []int{1, 2} {
		files := fstest.MapFS{"PLNT09.csv": {Data: fmt.Appendf(nil, sheet, 2009, code)}}
		if _, err := etl.New(etl.FS(files), etl.ToLoader(backend), &etl.Options{Publish: driver.PublishReplace}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p, err := backend.Prune(t.Context(), driver.PruneRequest{})
	if err != nil || len(p) != 1 {
		t.Fatalf("pruned %v, %v", p, err)
	}
	return p[0].ID
}

// What the golden files of package httpapi leave out, because it differs from
// run to run.
var left = strings.NewReplacer(
	`"loaded_at": "..."`, `"loaded_at": "2025-07-01T12:00:00Z"`, `"last_load": "..."`, `"last_load": "2025-07-01T12:00:00Z"`,
	`"latency_seconds": "..."`, `"latency_seconds": 0.1`,
)

// The answers in the golden files of package httpapi, which its tests compare
// with those of the API, are as the document says.
func TestGoldenAnswers(t *testing.T) {
	backend := sampleStore(t)
	d := documentOf(t, httpapi.New(store.New(backend), &httpapi.Options{Failures: backend, Runs: etl.NewRuns(backend.Driver(), nil)}))
	files, err := filepath.Glob("../../httpapi/testdata/*.golden")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		body = []byte(left.Replace(string(body)))
		var says struct {
			Status   any
			Instance string
			Links    struct{ Self string }
		}
		if err := json.Unmarshal(body, &says); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		name := strings.TrimSuffix(filepath.Base(file), ".golden")
		if strings.HasPrefix(name, "run_") {
			continue // of orders, most of them, whose answers do not tell by which method
		}
		status, contentType, target := http.StatusOK, "application/json", says.Links.Self
		if number, ok := says.Status.(float64); ok {
			status, contentType, target = int(number), "application/problem+json", says.Instance
		}
		if target == "" {
			target = "/" + name // of probes
		}
		if d.pathOf(target) == "" {
			if name != "no_such_path" && name != "near_path" {
				t.Errorf("%s: %s is not documented", file, target)
			}
			continue
		}
		header := http.Header{"Content-Type": {contentType}, "Etag": {`"x"`}}
		if err := d.check(target, status, header, body); err != nil {
			t.Errorf("%s: %s: %v", file, target, err)
		}
	}
}

// broken is a scanner that fails.
type broken struct {
	driver.Scanner
	err error
}

func (b broken) Catalog(context.Context) (egrid.Catalog, error) { return egrid.Catalog{}, b.err }

// Every operation that reads answers as the document says: its example in every
// representation, and with every status that can be brought about.
func TestEveryAnswer(t *testing.T) {
	backend := sampleStore(t)
	gone := pruned(t, backend)
	runs := etl.NewRuns(backend.Driver(), nil)
	report, err := etl.New(etl.FS(data.Files()), etl.ToLoader(backend), &etl.Options{Runs: runs}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	some := middleware.Identity{Subject: "somebody"}
	open := httpapi.Options{Exports: []export.Format{parquetfile.Export()}, Failures: backend, Runs: runs, MaxCachedBytes: -1}
	limited, closed := open, open
	limited.RateLimit = &middleware.RateLimitOptions{Requests: 1}
	closed.RequireAuth = true
	closed.Authenticate = func(r *http.Request) (middleware.Identity, error) {
		if r.Header.Get("X-API-Key") == "" {
			return middleware.Identity{}, nil
		}
		return some, nil // who may do nothing
	}
	type api struct {
		h http.Handler
		d *document
	}
	made := func(s driver.Scanner, o httpapi.Options) api {
		h := httpapi.New(store.New(s), &o)
		return api{h, documentOf(t, h)}
	}
	works, refuses := made(backend, open), made(backend, closed)
	fails, ends := made(broken{err: errors.New("a cause")}, open), made(broken{err: egrid.ErrClosed}, open)
	long := strings.Repeat("z", 1<<15)
	seen := map[string]int{}
	for path, methods := range works.d.Paths {
		reads, ok := methods["get"]
		if !ok {
			continue
		}
		is := func(a api, target string, status int, header ...string) {
			t.Helper()
			w := ask(a.h, target, header...)
			if w.Code != status {
				t.Errorf("%s with %q: %d %s; want %d", target, header, w.Code, w.Body, status)
			}
			if err := a.d.check(target, w.Code, w.Header(), w.Body.Bytes()); err != nil {
				t.Errorf("%s with %q: %d: %v\n%.2000s", target, header, w.Code, err, w.Body)
			}
			seen[fmt.Sprint(w.Code)]++
			seen[w.Header().Get("Content-Type")]++
		}
		target := works.d.target(path)
		if strings.HasPrefix(path, "/runs/") {
			target = strings.ReplaceAll(path, "{id}", report.RunID) // no run has the id of the example
		}
		for contentType, media := range reads.Responses["200"].Content {
			if media.Example == nil && !strings.Contains(contentType, "vnd.") {
				continue // not here, as places of subregions
			}
			is(works, target, 200, "Accept", contentType)
			is(works, target, 200, "Accept", contentType, "Accept-Encoding", "identity")
		}
		if _, ok := reads.Responses["304"]; ok {
			is(works, target, 304, "If-None-Match", "*")
		}
		if _, ok := reads.Responses["400"]; !ok {
			continue // a probe
		}
		bare, _, _ := strings.Cut(target, "?")
		is(works, bare+"?nonsense=1", 400)
		is(works, bare+"?x=%zz", 400)
		is(works, bare+"?"+long, 414)
		_, places := reads.Responses["200"].Content["application/geo+json"]
		_, batches := reads.Responses["200"].Content[wire.TypeBatches]
		if _, streams := reads.Responses["200"].Content["text/event-stream"]; !places && !streams && !batches {
			is(works, target, 406, "Accept", "application/geo+json")
		}
		for _, p := range reads.Parameters {
			switch p.Name {
			case "snapshot":
				is(works, bare+"?snapshot="+strings.Repeat("0", 24), 404)
				is(works, bare+"?snapshot="+string(gone), 410)
			case "release":
				of := bare + "?"
				if path == "/factors" { // of a place
					of = target + "&"
				}
				is(works, of+"release=v9", 404)
			}
		}
		is(refuses, target, 401)
		is(refuses, target, 403, "X-API-Key", "a key")
		if path != "/errors" && !strings.HasPrefix(path, "/runs") { // which ask another store
			is(fails, target, 500)
			is(ends, target, 503)
		}
		once := made(backend, limited)
		is(once, target, 429) // the document was the one
	}
	for _, want := range []string{
		"200", "304", "400", "401", "403", "404", "406", "410", "414", "429", "500", "503", "application/json", "application/x-ndjson",
		"text/csv; charset=utf-8; header=present", "application/geo+json", wire.TypeBatches, "application/problem+json",
		"text/event-stream", "text/html; charset=utf-8", typeParquet, typeXLSX, typeDataPackage,
	} {
		if seen[want] == 0 {
			t.Errorf("no answer was %s", want)
		}
	}
	t.Log(seen)
}

// Answers made of sheets that disagree, and of plants that are filled in, say so as the
// document says.
func TestAnswersOfSeveralSheets(t *testing.T) {
	backend := sampleStore(t)
	files := fstest.MapFS{
		"GEN23_rev1.csv":  {Data: []byte("YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN\n2023,TX,Alpha,1,1,NG,100,400\n2023,CA,Bravo,2,1,SUN,50,70\n")},
		"PLNT23_rev2.csv": {Data: []byte("YEAR,ORISPL,PLPRMFL,PLFUELCT,PLNGENAN\n2023,1,NG,GAS,390\n")},
	}
	if _, err := etl.New(etl.FS(files), etl.ToLoader(backend), &etl.Options{Publish: driver.PublishReplace}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := httpapi.New(store.New(backend), nil)
	d := documentOf(t, h)
	for target, says := range map[string]string{
		"/plants/top": `"filled"`, "/plants/search?state=TX": `"share_basis":"ST"`, "/plants/1": `"differences"`, "/plants/1/history": `"share_release"`,
		"/plants/states": `"differences"`, "/plants/years": `"differences"`, "/plants/states?format=ndjson": `"plants_release":"rev2"`, "/plants/statistics": `"differences"`,
		"/plants/chart/by-state": `"largest"`, "/plants/chart/by-fuel": `"differences"`, "/plants/chart/by-year": `"basis":"US"`, "/plants/chart/by-subregion": `"basis":"SRL"`,
		"/plants/chart/by-state?release=rev1": `"basis":"GEN"`, "/plants/years?subregion=CAMX": `"basis":"SRL"`,
	} {
		w := ask(h, target)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d, no %s in %.2000s", target, w.Code, says, w.Body)
		}
		if err := d.check(target, w.Code, w.Header(), w.Body.Bytes()); err != nil {
			t.Errorf("%s: %v\n%.2000s", target, err, w.Body)
		}
	}
}

// The schemas of GeoJSON are those of RFC 7946, for points: what it forbids
// they forbid.
func TestSchemaOfPlaces(t *testing.T) {
	d := documentOf(t, httpapi.New(store.New(sampleStore(t)), nil))
	at := []string{"paths", "/plants/top", "get", "responses", "200", "content", "application/geo+json", "schema"}
	const collection = `{"type":"FeatureCollection","features":[%s],"without_coordinates":1}`
	const feature = `{"type":"Feature","id":"1","geometry":{"type":"Point","coordinates":[%s]},"properties":{"plant_name":null}}`
	for body, valid := range map[string]bool{
		fmt.Sprintf(collection, ""):                                                  true,
		fmt.Sprintf(collection, fmt.Sprintf(feature, "-97.5,31")):                    true,
		fmt.Sprintf(collection, fmt.Sprintf(feature, "-97.5")):                       false,
		fmt.Sprintf(collection, fmt.Sprintf(feature, `"-97.5",31`)):                  false,
		fmt.Sprintf(collection, fmt.Sprintf(feature, "1,2,3")):                       false,
		strings.Replace(fmt.Sprintf(collection, ""), "FeatureCollection", "List", 1): false,
		`{"type":"FeatureCollection","without_coordinates":0}`:                       false,
	} {
		if err := d.validate([]byte(body), at); (err == nil) != valid {
			t.Errorf("%s: %v", body, err)
		}
	}
}
