package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// lists are the paths that also come as CSV and NDJSON, with their data rows.
var lists = map[string]int{
	"/plants/top": 4, "/plants/search?year=2021": 3, "/plants/states": 2, "/plants/years": 3, "/plants/1/history": 2,
	"/plants/1/generators": 3, "/plants/1/units": 0, "/levels/GEN/rows": 6, "/levels/GEN/rows?state=TX&limit=2": 2,
	"/levels/UNT/rows": 0, "/columns/grid_gross_loss": 1, "/snapshots": 4,
}

func separator(target string) string {
	if strings.Contains(target, "?") {
		return "&"
	}
	return "?"
}

func TestExports(t *testing.T) {
	server := httptest.NewServer(newAPI(sampleStore(t), nil))
	defer server.Close()
	for target, rows := range lists {
		for _, accept := range []string{"text/csv", "application/x-ndjson"} {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+target, nil)
			r.Header.Set("Accept", "text/html;q=0.5, "+accept+", */*;q=0.1")
			resp, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			got := strings.Count(string(body), "\n")
			if accept == "text/csv" {
				got = len(records(t, string(body))) - 1
			}
			if resp.StatusCode != 200 || got != rows || resp.Trailer.Get("X-Row-Count") != strconv.Itoa(rows) || !strings.HasPrefix(resp.Header.Get("Content-Type"), accept) {
				t.Errorf("%s as %s: status %d, %d rows, trailer %q, type %q; want %d rows", target, accept,
					resp.StatusCode, got, resp.Trailer.Get("X-Row-Count"), resp.Header.Get("Content-Type"), rows)
			}
		}
	}
}

// What comes out as CSV is what went in.
func TestCSVEqualsStoredRows(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	want := records(t, generators23)
	got := records(t, get(t, h, "/levels/GEN/rows?format=csv&columns=data_year,state,plant_name,oris_plant_code,generator_id,fuel,nameplate_capacity_mw,net_generation_mwh,net_generation_ozone_season_mwh").Body.String())
	if fmt.Sprint(got[1:]) != fmt.Sprint(want[1:]) {
		t.Errorf("got %q\nwant %q", got[1:], want[1:])
	}
}

func TestETags(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := newAPI(store, nil)
	tags := map[string]string{}
	for _, test := range answers {
		if test.status != 200 || strings.Contains(test.target, "@") || strings.HasSuffix(test.target, "z") {
			continue
		}
		for _, form := range []string{"", "json", "csv", "ndjson", "xlsx", "datapackage"} {
			target := test.target
			if form != "" {
				target += separator(target) + "format=" + form
			}
			first := get(t, h, target)
			if first.Code != 200 {
				continue // not a list
			}
			etag := first.Header().Get("ETag")
			if etag == "" || first.Header().Get("Cache-Control") != "no-cache" {
				t.Errorf("%s: headers %v", target, first.Header())
			}
			if other, twice := tags[etag]; twice && other != target {
				t.Errorf("%s and %s share a tag", target, other)
			}
			tags[etag] = target
			second := get(t, h, target, "If-None-Match", `"other", W/`+etag)
			if second.Code != http.StatusNotModified || second.Body.Len() != 0 || second.Header().Get("ETag") != etag {
				t.Errorf("%s again: status %d, %d bytes", target, second.Code, second.Body.Len())
			}
		}
	}
	publish(t, store, "UNT23.csv", strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,UNITID,PRMVR,HTIAN\n2023,TX,Alpha,1,1,ST,5\n"))
	for etag, target := range tags {
		if w := get(t, h, target, "If-None-Match", etag); w.Code != 200 {
			t.Errorf("%s: status %d after a publish", target, w.Code)
		}
	}
}

// Two stores at the same revision number do not share tags.
func TestETagTellsStoresApart(t *testing.T) {
	a, b := memstore.New().Driver(), memstore.New().Driver()
	publish(t, a, "GEN23.csv", strings.NewReader(generators23))
	publish(t, b, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	etag := get(t, newAPI(a, nil), "/plants/top").Header().Get("ETag")
	if w := get(t, newAPI(b, nil), "/plants/top", "If-None-Match", etag); w.Code != 200 {
		t.Errorf("status %d for the tag of another store", w.Code)
	}
}

func TestPublishIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := newAPI(store, nil)
	before := get(t, h, "/plants/top?limit=1").Body.String()
	if again := get(t, h, "/plants/top?limit=1").Body.String(); again != before {
		t.Errorf("the kept answer differs: %s", again)
	}
	publish(t, store, "GEN24.csv", strings.NewReader(strings.ReplaceAll(generators23, "2023,", "2024,")))
	if after := get(t, h, "/plants/top?limit=1").Body.String(); !strings.Contains(after, `"year":2024`) {
		t.Errorf("after a publish: %s", after)
	}
}

func TestHead(t *testing.T) {
	server := httptest.NewServer(newAPI(sampleStore(t), nil))
	defer server.Close()
	for _, test := range answers {
		if strings.Contains(test.target, "@") || strings.HasSuffix(test.target, "z") && test.status == 200 {
			continue
		}
		head, err := server.Client().Head(server.URL + test.target)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(head.Body)
		head.Body.Close()
		if head.StatusCode != test.status || len(body) != 0 {
			t.Errorf("HEAD %s: status %d, %d bytes; want %d", test.target, head.StatusCode, len(body), test.status)
		}
		if full := get(t, server.Config.Handler, test.target); test.status == 200 && head.Header.Get("ETag") != full.Header().Get("ETag") {
			t.Errorf("HEAD %s has another tag than GET", test.target)
		}
	}
	resp, err := server.Client().Head(server.URL + "/levels/GEN/rows?format=csv")
	if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") {
		t.Fatalf("HEAD of an export: %v %v", resp, err)
	}
	resp.Body.Close()
}

func TestGzip(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for _, target := range []string{"/plants/search", "/plants/search", "/levels/GEN/rows?format=csv", "/columns?format=ndjson"} {
		plain := get(t, h, target)
		zipped := get(t, h, target, "Accept-Encoding", "br, gzip;q=0.8")
		if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("ETag") == plain.Header().Get("ETag") || !strings.Contains(zipped.Header().Get("Vary"), "Accept-Encoding") {
			t.Fatalf("%s: headers %v", target, zipped.Header())
		}
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%s: other bytes when compressed: %v", target, err)
		}
	}
	if w := get(t, h, "/plants/search", "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed although refused")
	}
}

func TestPrefix(t *testing.T) {
	h := http.StripPrefix("/api/v1", newAPI(sampleStore(t), nil))
	var page struct{ Links struct{ Self, Next string } }
	if err := json.Unmarshal(get(t, h, "/api/v1/plants/top?limit=1").Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if page.Links.Self != "/api/v1/plants/top?limit=1" || !strings.HasPrefix(page.Links.Next, "/api/v1/plants/top?") {
		t.Errorf("links %+v", page.Links)
	}
	if w := get(t, h, page.Links.Next); w.Code != 200 {
		t.Errorf("the next page: %d", w.Code)
	}
	if w := get(t, h, "/api/v1/plants/OK~Beta%20~%201%2F2,%20East?year=2016"); w.Code != 200 {
		t.Errorf("an id with a slash: %d %s", w.Code, w.Body)
	}
}

func TestMethods(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/plants/top", strings.NewReader("{}")))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}

// troubled is a scanner that fails behind some rows.
type troubled struct {
	driver.Scanner
	rows  atomic.Int64
	fail  error
	panic bool
}

func (q *troubled) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		fail := func() {
			if q.panic {
				panic("the store is broken")
			}
			yield(nil, q.fail)
		}
		if q.rows.Load() <= 0 {
			fail()
			return
		}
		for b, err := range q.Scanner.Scan(ctx, p) {
			if err != nil {
				yield(nil, err)
				return
			}
			left := q.rows.Add(-int64(b.Len()))
			if left < 0 {
				b = b.Slice(0, max(0, b.Len()+int(left)))
			}
			if !yield(b, nil) {
				return
			}
			if left < 0 {
				fail()
				return
			}
		}
	}
}

// Codes are matched in any letter case, wherever they are asked for.
func TestCodesInAnyCase(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	publish(t, s.Driver(), "PLNT23.csv", strings.NewReader("YEAR,ORISPL,PNAME,PSTATABB,BACODE,SUBRGN,PLPRMFL,PLFUELCT,NAMEPCAP,PLNGENAN\n"+
		"2023,1,One,TX,ERCO,ERCT,NG,GAS,10,100\n2023,2,Two,OK,SWPP,SPSO,WND,WIND,20,300\n2023,3,Three,tx,erco,ERCT,ng,GAS,30,500\n"))
	h := newAPI(s, nil)
	for target, rows := range map[string]int{
		"/levels/PLNT/rows?state=tx": 2, "/levels/PLNT/rows?state=TX": 1, "/levels/PLNT/rows?fuel=ng,wnd": 3, "/levels/PLNT/rows?fuel_category=gas": 2,
		"/levels/PLNT/rows?balancing_authority=swpp": 1, "/levels/PLNT/rows?filter=PSTATABB=ok": 1, "/levels/PLNT/rows?filter=subregion!=erct": 1,
		"/levels/PLNT/groups?by=plant_name&fuel=wnd": 1, "/plants/search?filter=state=tx": 2, "/plants/search?filter=plant_name=one": 0,
	} {
		w := get(t, h, target)
		var answer struct{ Data []any }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || len(answer.Data) != rows {
			t.Errorf("%s: %d with %d rows; want %d: %s", target, w.Code, len(answer.Data), rows, w.Body)
		}
	}
}

// manyGenerators is more than one page of an export.
func manyGenerators(n int) string {
	var b strings.Builder
	b.WriteString("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n")
	for i := range n {
		fmt.Fprintf(&b, "2023,TX,Plant %d,%d,1,%d.5\n", i, i, i)
	}
	return b.String()
}

func TestExportBreaksOff(t *testing.T) {
	store := memstore.New().Driver()
	publish(t, store, "GEN23.csv", strings.NewReader(manyGenerators(12000)))
	for _, header := range []string{"identity", "gzip"} {
		var log bytes.Buffer
		q := &troubled{Scanner: store, fail: errors.New("disk on fire")}
		q.rows.Store(5000)
		server := httptest.NewServer(newAPI(q, &httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/levels/GEN/rows?format=csv", nil)
		r.Header.Set("Accept-Encoding", header)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.Copy(io.Discard, resp.Body); err == nil || resp.Trailer.Get("X-Row-Count") != "" {
			t.Errorf("%s: a part was sent as the whole: %v, trailer %q", header, err, resp.Trailer)
		}
		resp.Body.Close()
		server.Close()
		if !strings.Contains(log.String(), "disk on fire") || !strings.Contains(log.String(), "request_id=") {
			t.Errorf("log: %s", log.String())
		}
	}
}

func TestLargeExportIsComplete(t *testing.T) {
	store := memstore.New().Driver()
	publish(t, store, "GEN23.csv", strings.NewReader(manyGenerators(12000)))
	server := httptest.NewServer(newAPI(store, nil))
	defer server.Close()
	for target, want := range map[string]int{"/levels/GEN/rows?format=csv": 12000, "/plants/search?format=csv": 12000, "/levels/GEN/rows?format=csv&limit=7001": 7001} {
		resp, err := server.Client().Get(server.URL + target)
		if err != nil {
			t.Fatal(err)
		}
		lines := -1
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			lines++
		}
		resp.Body.Close()
		if lines != want || resp.Trailer.Get("X-Row-Count") != strconv.Itoa(want) {
			t.Errorf("%s: %d rows, trailer %q; want %d", target, lines, resp.Trailer.Get("X-Row-Count"), want)
		}
	}
}

func TestUnknownErrors(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]*troubled{"error": {fail: errors.New("secret: password of the database")}, "panic": {panic: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			q.Scanner = sampleStore(t)
			h := newAPI(q, &httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			for _, target := range []string{"/levels/GEN/rows", "/levels/GEN/rows?format=csv", "/plants/1?year=2021"} {
				w := get(t, h, target)
				if w.Code != 500 || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("ETag") != "" {
					t.Errorf("%s: %d %v", target, w.Code, w.Header())
				}
				if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "broken") || !strings.Contains(w.Body.String(), "request id: test") {
					t.Errorf("%s: %s", target, w.Body)
				}
			}
			if !strings.Contains(log.String(), "request_id=test") || !strings.Contains(log.String(), "secret") && !strings.Contains(log.String(), "broken") {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

func TestErrorTable(t *testing.T) {
	t.Parallel()
	for err, status := range map[error]int{
		egrid.ErrInvalid: 400, egrid.ErrNotFound: 404, egrid.ErrStale: 410, egrid.ErrClosed: 503, egrid.ErrSchema: 503, egrid.ErrUnavailable: 503,
		context.DeadlineExceeded: 503, errors.New("?"): 500,
	} {
		q := &troubled{Scanner: sampleStore(t), fail: fmt.Errorf("wrapped: %w", err)}
		if w := get(t, newAPI(q, nil), "/levels/GEN/rows?year=2023&release=none"); w.Code != status {
			t.Errorf("%v: %d; want %d", err, w.Code, status)
		}
	}
	store := memstore.New().Driver()
	store.Close()
	if w := get(t, newAPI(store, nil), "/plants/top"); w.Code != 503 {
		t.Errorf("closed store: %d", w.Code)
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	broken := httpapi.ReadinessCheck{Name: "queue", Check: func(context.Context) error { return errors.New("secret address") }}
	told := httpapi.ReadinessCheck{Name: "publishing", Check: func(context.Context) error { return fmt.Errorf("secret address: %w", httpapi.Reason("low on disk")) }}
	panics := httpapi.ReadinessCheck{Name: "panics", Check: func(context.Context) error { panic("x") }}
	without := httpapi.ReadinessCheck{Name: "cache", Check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, Optional: true}
	works := httpapi.ReadinessCheck{Name: "disk", Check: func(context.Context) error { return nil }}
	for _, test := range []struct {
		checks []httpapi.ReadinessCheck
		status int
		want   string
	}{
		{[]httpapi.ReadinessCheck{works}, 200, `{"name":"disk","status":"ok"`},
		{[]httpapi.ReadinessCheck{works, broken}, 503, `{"name":"queue","status":"unavailable"`},
		{[]httpapi.ReadinessCheck{works, without}, 200, `{"name":"cache","status":"degraded"`},
		{[]httpapi.ReadinessCheck{broken, without}, 503, `{"name":"cache","status":"degraded"`},
		{[]httpapi.ReadinessCheck{told}, 503, `"reason":"low on disk"`},
		{[]httpapi.ReadinessCheck{panics}, 503, `{"name":"panics","status":"unavailable"`},
	} {
		w := get(t, newAPI(sampleStore(t), &httpapi.Options{Checks: test.checks}), "/readyz")
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%d %s; want %d %s", w.Code, w.Body, test.status, test.want)
		}
	}
	h := newAPI(memstoreClosed(), nil)
	if w := get(t, h, "/readyz"); w.Code != 503 {
		t.Errorf("closed store: %d", w.Code)
	}
	if w := get(t, h, "/healthz"); w.Code != 200 {
		t.Errorf("liveness depends on the store: %d", w.Code)
	}
}

func memstoreClosed() driver.Scanner {
	s := memstore.New().Driver()
	s.Close()
	return s
}

func TestObserve(t *testing.T) {
	var seen []middleware.Observation
	h := newAPI(sampleStore(t), &httpapi.Options{Observe: func(o middleware.Observation) { seen = append(seen, o) }})
	for _, target := range []string{"/plants/top", "/plants/top", "/plants/1", "/nothing", "/plants/top?limit=0"} {
		get(t, h, target)
	}
	want := []struct {
		route  string
		status int
		cached bool
	}{{"/plants/top", 200, false}, {"/plants/top", 200, true}, {"/plants/{id}", 200, false}, {"", 404, false}, {"/plants/top", 400, false}}
	if len(seen) != len(want) {
		t.Fatalf("%d observations; want %d", len(seen), len(want))
	}
	for i, w := range want {
		if o := seen[i]; o.Route != w.route || o.Status != w.status || o.Cached != w.cached || o.Bytes == 0 || o.Method != "GET" {
			t.Errorf("%d: %+v; want %+v", i, o, w)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	h := newAPI(sampleStore(t), &httpapi.Options{Version: "1.2.3"})
	w := get(t, h, "/openapi.json")
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Servers    []struct{ URL string }
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Version != "1.2.3" || doc.Info.Title == "" {
		t.Errorf("%s %+v", doc.OpenAPI, doc.Info)
	}
	for _, path := range []string{
		"/plants/top", "/plants/search", "/plants/states", "/plants/years", "/plants/chart/{type}", "/plants/statistics", "/plants/{id}",
		"/plants/{id}/history", "/plants/{id}/generators", "/plants/{id}/units", "/levels/{level}/rows", "/levels/{level}/groups", "/regions/{level}/{code}",
		"/columns", "/columns/{name}", "/snapshots", "/snapshots/{id}", "/catalog", "/scan", "/healthz", "/readyz",
	} {
		if doc.Paths[path]["get"] == nil {
			t.Errorf("%s is not documented", path)
		}
	}
	ids := map[string]string{}
	type declared struct {
		path      string
		operation map[string]any
	}
	var operations []declared
	for path, methods := range doc.Paths {
		for _, operation := range methods {
			operations = append(operations, declared{path, operation})
		}
	}
	for _, o := range operations {
		path, operation := o.path, o.operation
		id, _ := operation["operationId"].(string)
		if id == "" || ids[id] != "" || operation["summary"] == "" || operation["responses"] == nil {
			t.Errorf("%s: operation id %q, also of %q", path, id, ids[id])
		}
		ids[id] = path
		declared := map[string]bool{}
		parameters, _ := operation["parameters"].([]any)
		for _, p := range parameters {
			p := p.(map[string]any)
			name, in := p["name"].(string), p["in"].(string)
			if declared[in+name] || p["schema"] == nil || in == "path" && (p["required"] != true || !strings.Contains(path, "{"+name+"}")) {
				t.Errorf("%s: parameter %v", path, p)
			}
			declared[in+name] = true
		}
		for part := range strings.SplitSeq(path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok && !declared["path"+strings.TrimSuffix(name, "}")] {
				t.Errorf("%s does not declare %s", path, part)
			}
		}
	}
	for _, ref := range references(t, w.Body.Bytes()) {
		if doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
			t.Errorf("the reference %s leads nowhere", ref)
		}
	}
	if y := get(t, h, "/openapi.yaml"); y.Code != 200 || !strings.Contains(y.Body.String(), "openapi: 3.1.") {
		t.Errorf("YAML: %d", y.Code)
	}
}

func references(t *testing.T, doc []byte) []string {
	t.Helper()
	var refs []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for name, item := range v {
				if ref, ok := item.(string); ok && name == "$ref" {
					refs = append(refs, ref)
				}
				walk(item)
			}
		}
	}
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	walk(v)
	return refs
}

// Requests that are given up leave nothing behind.
func TestCancelledRequestsLeaveNoGoroutines(t *testing.T) {
	store := sampleStore(t)
	before := runtime.NumGoroutine()
	blocked := &blocking{Scanner: store, in: make(chan struct{}, 100)}
	server := httptest.NewServer(newAPI(blocked, nil))
	client := server.Client()
	const requests = 20
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for i := range requests {
		wg.Go(func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/levels/GEN/rows?limit=%d", server.URL, i+1), nil)
			if resp, err := client.Do(r); err == nil {
				resp.Body.Close()
				t.Error("an answer came from a blocked store")
			}
		})
	}
	for range requests {
		<-blocked.in
	}
	cancel()
	wg.Wait()
	client.CloseIdleConnections()
	server.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines; %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// blocking is a scanner that answers no rows until the caller gives up.
type blocking struct {
	driver.Scanner
	in chan struct{}
}

func (q *blocking) Scan(ctx context.Context, _ *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		q.in <- struct{}{}
		<-ctx.Done()
		yield(nil, ctx.Err())
	}
}

func FuzzQueries(f *testing.F) {
	store := sampleStore(f)
	h := newAPI(store, nil)
	paths := []string{"/plants/top", "/plants/search", "/levels/GEN/rows", "/levels/PLNT/rows", "/plants/chart/by-subregion", "/plants/years", "/columns", "/plants/1/generators", "/regions/SRL/ERCT", "/plants/", "/levels/GEN/groups"}
	for i, test := range answers {
		_, query, _ := strings.Cut(test.target, "?")
		f.Add(byte(i), query)
	}
	f.Add(byte(1), "min_data_year=1&columns=id,id,id,share&sort=,,&format=csv&limit=3")
	f.Add(byte(1), "state=%00&q=%ff&sort=-&cursor=GEN2023.eyJvIjotMX0")
	f.Add(byte(2), "sequence=1e999&min_sequence=-0&plant_name=%22")
	f.Add(byte(1), "filter=%22a%22b=1&facet=id,share,basis,level&columns=basis&filter=plants>1")
	f.Add(byte(10), "by=state,state&measures=max(level),count+as+state&having=level%3E1&sort=-state&year=all&format=ndjson")
	f.Fuzz(func(t *testing.T, path byte, query string) {
		target, err := url.Parse(paths[int(path)%len(paths)])
		if err != nil {
			t.Fatal(err)
		}
		target.RawQuery = query
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL, r.RequestURI = target, ""
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/") && w.Header().Get("Content-Type") != "application/x-ndjson" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: not JSON: %s", target, w.Body)
		}
	})
}

// The figures are those of EPA's GEN23 sheet.
func TestRealGenerators(t *testing.T) {
	file := testenv.Open(t, "2023/GEN23.csv")
	store := memstore.New().Driver()
	publish(t, store, "GEN23.csv", file)
	h := newAPI(store, nil)
	var page struct {
		Data []struct {
			Name       string  `json:"plant_name"`
			Generation float64 `json:"net_generation_mwh"`
		}
		Meta struct{ Total int }
	}
	if err := json.Unmarshal(get(t, h, "/plants/top?limit=3").Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, p := range page.Data {
		got += fmt.Sprintf("%s %.3f, ", p.Name, p.Generation)
	}
	if got += fmt.Sprint(page.Meta.Total); got != "Palo Verde 31522590.000, Browns Ferry 30820509.999, Vogtle 23036612.000, 12611" {
		t.Error(got)
	}
	if rows := records(t, get(t, h, "/levels/GEN/rows?format=csv").Body.String()); len(rows) != 26601+1 {
		t.Errorf("%d rows exported; want 26601", len(rows)-1)
	}
}

func ExampleNew() {
	s := memstore.New().Driver()
	defer s.Close()
	if err := load(s, "GEN23.csv", strings.NewReader(generators23)); err != nil {
		fmt.Println(err)
		return
	}
	api := httpapi.New(store.New(s), nil)

	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/plants/search?columns=plant_name,net_generation_mwh&format=csv&limit=2&sort=-net_generation_mwh&state=TX", nil))
	fmt.Print(strings.ReplaceAll(w.Body.String(), "\r\n", "\n"))
	// Output:
	// id,plant_name,net_generation_mwh
	// 1,Alpha,900.5
	// 02,"Bravo, East ""2""",100.5
}
