package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

const (
	pageType    = "application/vnd.egrid.page+json"
	problemType = "application/problem+json"
)

// onePage is a page with every kind of value.
const onePage = `{"data":[{"year":2023,"number":7,"values":["0005",9007199254740993,0.1,true]},{"year":2023,"number":8,"values":[null,null,null,null]}],
"meta":{"count":2,"total":2,"year":2023,"release":"v2","revision":3,"units":{},"columns":[
{"level":"GEN","name":"generator_id","code":"GENID","type":"text","description":"Id.","editions":["2023"]},
{"level":"GEN","name":"sequence","code":"SEQGEN","type":"integer","description":"Sequence.","editions":null},
{"level":"GEN","name":"net_generation_mwh","code":"GENNTAN","type":"number","unit":"MWh","description":"Net.","rule":"sum","editions":null},
{"level":"GEN","name":"own","code":"","type":"flag","description":"","editions":null}],
"snapshots":[{"id":"a1","level":"GEN","year":2023,"release":"v2","status":"published","rows":2,"columns":null}]},"links":{"self":"/x"}}`

// network answers requests without a network, one step for each.
type network struct {
	steps []step
	asked []*http.Request
}

type step struct {
	status int
	header map[string]string
	body   string
	err    error
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	s := n.steps[min(len(n.asked), len(n.steps)-1)]
	n.asked = append(n.asked, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if s.err != nil {
		return nil, s.err
	}
	w := httptest.NewRecorder()
	for name, value := range s.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.body)
	response := w.Result()
	response.Request = r
	return response, nil
}

func page(body string) step {
	return step{status: 200, header: map[string]string{"Content-Type": pageType}, body: body}
}

func problem(status int, detail string, header ...string) step {
	s := step{status: status, header: map[string]string{"Content-Type": problemType, "X-Request-Id": "r1"}}
	s.body = fmt.Sprintf(`{"type":"about:blank","title":"%s","status":%d,"detail":%q,"instance":"/x","errors":[{"location":"query.limit","message":"bad","value":"x"}]}`, http.StatusText(status), status, detail)
	for i := 0; i < len(header); i += 2 {
		s.header[header[i]] = header[i+1]
	}
	return s
}

func newClient(t *testing.T, n *network, o client.Options) *client.Client {
	t.Helper()
	o.HTTPClient = &http.Client{Transport: n}
	c, err := client.New("https://grid.example/api/", &o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var generators = egrid.RowQuery{Level: egrid.GEN, Limit: 5}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "grid.example", "ftp://grid.example", "http://", "http://u:p@grid.example", "http://grid.example?x=1", "http://a b", "http://x#y"} {
		if _, err := client.New(address, nil); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: %v; want ErrInvalid", address, err)
		}
	}
	for _, address := range []string{"http://127.0.0.1:4000", "https://grid.example/api/"} {
		if _, err := client.New(address, nil); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestValuesAreExact(t *testing.T) {
	t.Parallel()
	n := &network{steps: []step{page(onePage)}}
	got, err := newClient(t, n, client.Options{}).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 5, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	row := got.Rows[0]
	if i, ok := row.Int(egrid.Sequence); !ok || i != 9007199254740993 {
		t.Errorf("the integer became %v", row.Values[1])
	}
	if yes, ok := row.Bool("own"); !ok || !yes || row.Text(egrid.Generator) != "0005" || row.Values[2] != egrid.NumberOf(0.1) || row.Year != 2023 || row.Number != 7 {
		t.Errorf("row %+v", row)
	}
	for i, v := range got.Rows[1].Values {
		if !v.IsMissing() {
			t.Errorf("value %d is %v; want missing", i, v)
		}
	}
	f := got.Schema.Field(2)
	if f.Unit != "MWh" || f.Type != egrid.Number || f.Rule.String() != "sum" || got.Total != 2 || got.Revision != 3 || got.Next != "" {
		t.Errorf("field %+v of %+v", f, got)
	}
	if s := got.Snapshots[0]; s.ID != "a1" || s.Release != "v2" || s.Schema == nil || s.Schema.Has(egrid.State) {
		t.Errorf("snapshot %+v", s)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	n := &network{steps: []step{page(onePage)}}
	c := newClient(t, n, client.Options{Token: "secret", APIKey: "key", UserAgent: "report/1"})
	q := egrid.RowQuery{
		Level: "gen", Year: egrid.AllYears, Release: "v2", Search: " palo  verde ", Cursor: "c", Limit: 5,
		Filters: []egrid.Filter{egrid.Where("state", egrid.Ne, "TX", "a,b"), egrid.Where("latitude", egrid.Missing)},
		Sort:    []egrid.Sort{{Column: "state", Desc: true}, {Column: "a,b"}}, Columns: []egrid.Column{"x", `y"; --`},
	}
	if _, err := c.Rows(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	r := n.asked[0]
	want := url.Values{
		"year": {"all"}, "release": {"v2"}, "q": {"palo verde"}, "cursor": {"c"}, "limit": {"5"}, "count": {"false"},
		"filter": {`state!=TX,"a,b"`, "latitude missing"}, "sort": {`-state,"a,b"`}, "columns": {`x,y"; --`},
	}
	if r.URL.Path != "/api/levels/GEN/rows" || r.URL.RawQuery != want.Encode() {
		t.Errorf("asked %s\nwant ...?%s", r.URL, want.Encode())
	}
	h := r.Header
	if h.Get("Authorization") != "Bearer secret" || h.Get("X-API-Key") != "key" || h.Get("User-Agent") != "report/1 egrid-go" || h.Get("Accept") != pageType {
		t.Errorf("header %v", h)
	}
	if _, err := c.Plant(t.Context(), "OK~Beta ~ 1/2, East", 2016, ""); err != nil || n.asked[1].URL.EscapedPath() != "/api/plants/OK~Beta%20~%201%2F2%2C%20East" {
		t.Errorf("asked %s: %v", n.asked[1].URL.EscapedPath(), err)
	}
	tokens := 0
	c = newClient(t, n, client.Options{TokenSource: func(context.Context) (string, error) { tokens++; return fmt.Sprint("t", tokens), nil }})
	for range 2 {
		if _, err := c.Rows(t.Context(), generators); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.asked[3].Header.Get("Authorization"); got != "Bearer t2" {
		t.Errorf("the second token was %q", got)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := c.Plant(t.Context(), id, 0, ""); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("plant %q: %v", id, err)
		}
	}
}

// What cannot be asked is refused before anything is sent.
func TestInvalidQueries(t *testing.T) {
	t.Parallel()
	n := &network{steps: []step{page(onePage)}}
	c := newClient(t, n, client.Options{})
	for name, q := range map[string]egrid.RowQuery{
		"level":     {Level: "PLANT"},
		"limit":     {Level: egrid.GEN, Limit: -1},
		"two":       {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("state", egrid.Gt, "a", "b")}},
		"none":      {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("state", egrid.Eq)}},
		"missing":   {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("state", egrid.Missing, "a")}},
		"operator":  {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("state", "~", "a")}},
		"no column": {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("", egrid.Eq, "a")}},
		"too long":  {Level: egrid.GEN, Search: strings.Repeat("word ", 8000)},
	} {
		if _, err := c.Rows(t.Context(), q); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: %v; want ErrInvalid", name, err)
		}
	}
	if _, err := c.Search(t.Context(), egrid.PlantQuery{Year: egrid.AllYears}); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("plants of all years: %v", err)
	}
	if len(n.asked) > 0 {
		t.Errorf("asked %d times", len(n.asked))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	sentinels := []error{egrid.ErrInvalid, egrid.ErrNotFound, egrid.ErrStale, egrid.ErrClosed}
	for name, test := range map[string]struct {
		step step
		want error
	}{
		"400":            {problem(400, "a fault"), egrid.ErrInvalid},
		"404":            {problem(404, "no such plant"), egrid.ErrNotFound},
		"410":            {problem(410, "start again"), egrid.ErrStale},
		"503":            {problem(503, "shutting down"), egrid.ErrClosed},
		"500":            {problem(500, "broken"), nil},
		"404 of a proxy": {step{status: 404, header: map[string]string{"Content-Type": "text/html"}, body: "<html>"}, nil},
		"503 of a proxy": {step{status: 503}, egrid.ErrClosed},
	} {
		n := &network{steps: []step{test.step}}
		_, err := newClient(t, n, client.Options{Retries: -1}).Rows(t.Context(), generators)
		var e *client.Error
		if !errors.As(err, &e) || e.Status != test.step.status || e.Title != http.StatusText(e.Status) {
			t.Fatalf("%s: %v", name, err)
		}
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) != errors.Is(test.want, sentinel) {
				t.Errorf("%s: is %v: %t", name, sentinel, errors.Is(err, sentinel))
			}
		}
		if strings.Contains(name, "proxy") {
			continue
		}
		if e.Detail == "" || !strings.Contains(err.Error(), e.Detail) || e.RequestID != "r1" || e.Instance != "/x" || len(e.Faults) != 1 || e.Faults[0].Location != "query.limit" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]step{
		"html":       {status: 200, header: map[string]string{"Content-Type": "text/html"}, body: "<html>"},
		"json":       {status: 200, header: map[string]string{"Content-Type": "application/json"}, body: `{"data":[]}`},
		"broken":     page(onePage[:100]),
		"no columns": page(`{"data":[]}`),
		"too few":    page(strings.Replace(onePage, `,0.1,true]`, `]`, 1)),
		"a list":     page(strings.Replace(onePage, `0.1`, `[1]`, 1)),
		"no content": {status: 204},
		"redirect":   {status: 302, header: map[string]string{"Location": "https://elsewhere.example/"}},
	} {
		n := &network{steps: []step{s}}
		if got, err := newClient(t, n, client.Options{Token: "secret", Retries: -1}).Rows(t.Context(), generators); err == nil || len(n.asked) != 1 {
			t.Errorf("%s: %+v after %d requests", name, got, len(n.asked))
		}
	}
}

func TestRetries(t *testing.T) {
	broken := step{err: errors.New("connection reset")}
	date := time.Date(2000, 1, 1, 0, 0, 7, 0, time.UTC).Format(http.TimeFormat) // synctest begins at midnight
	for name, test := range map[string]struct {
		steps    []step
		o        client.Options
		requests int
		ok       bool
		least    time.Duration
		most     time.Duration
	}{
		"none needed":       {steps: []step{page(onePage)}, requests: 1, ok: true},
		"network":           {steps: []step{broken, broken, page(onePage)}, requests: 3, ok: true, least: 375 * time.Millisecond, most: 750 * time.Millisecond},
		"unavailable":       {steps: []step{problem(503, ""), page(onePage)}, requests: 2, ok: true, least: 125 * time.Millisecond, most: 250 * time.Millisecond},
		"gateway":           {steps: []step{{status: 502}, {status: 504}, page(onePage)}, requests: 3, ok: true, least: 375 * time.Millisecond, most: 750 * time.Millisecond},
		"seconds":           {steps: []step{problem(429, "", "Retry-After", "3"), page(onePage)}, requests: 2, ok: true, least: 3 * time.Second, most: 3 * time.Second},
		"date":              {steps: []step{problem(429, "", "Retry-After", date), page(onePage)}, requests: 2, ok: true, least: 7 * time.Second, most: 7 * time.Second},
		"too long a wait":   {steps: []step{problem(429, "", "Retry-After", "31")}, requests: 1},
		"given up":          {steps: []step{broken}, requests: 5, least: 1875 * time.Millisecond, most: 3750 * time.Millisecond},
		"never":             {steps: []step{broken}, o: client.Options{Retries: -1}, requests: 1},
		"bounded waits":     {steps: []step{broken}, o: client.Options{Retries: 70, MaxBackoff: time.Second}, requests: 71, least: 35 * time.Second, most: 70 * time.Second},
		"fault of ours":     {steps: []step{problem(400, "")}, requests: 1},
		"server's mistake":  {steps: []step{problem(500, "")}, requests: 1},
		"no token":          {steps: []step{page(onePage)}, o: client.Options{TokenSource: func(context.Context) (string, error) { return "", io.EOF }}},
		"too large":         {steps: []step{page(onePage)}, o: client.Options{MaxResponseBytes: 100}, requests: 1},
		"just small enough": {steps: []step{page(onePage)}, o: client.Options{MaxResponseBytes: int64(len(onePage))}, requests: 1, ok: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &network{steps: test.steps}
			begin := time.Now()
			_, err := newClient(t, n, test.o).Rows(t.Context(), generators)
			if took := time.Since(begin); (err == nil) != test.ok || len(n.asked) != test.requests || took < test.least || took > test.most {
				t.Errorf("%s: %v after %d requests and %v; want success %t, %d requests, %v to %v", name, err, len(n.asked), took, test.ok, test.requests, test.least, test.most)
			}
		})
	}
}

// Waiting ends with the context, and does not begin when it would outlast it.
func TestRetriesAndContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{steps: []step{problem(429, "", "Retry-After", "20")}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := newClient(t, n, client.Options{}).Rows(ctx, generators)
		var e *client.Error
		if !errors.As(err, &e) || e.RetryAfter != 20*time.Second || time.Since(begin) != 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := newClient(t, n, client.Options{}).Rows(ctx, generators); !errors.Is(err, context.Canceled) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v; want Canceled", err, time.Since(begin))
		}
	})
}

// An answer that breaks off is asked for again, and connections are used again.
func TestConnections(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", pageType)
		if requests.Add(1) == 1 {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, onePage[:200])
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, onePage)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.Start()
	defer server.Close()
	c, err := client.New(server.URL, &client.Options{Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if got, err := c.Rows(t.Context(), generators); err != nil || len(got.Rows) != 2 {
			t.Fatalf("%d rows, %v", len(got.Rows), err)
		}
	}
	if requests.Load() != 11 || connections.Load() != 2 {
		t.Errorf("%d requests on %d connections; want 11 on 2", requests.Load(), connections.Load())
	}
}

func TestCatalogIsAskedForOnce(t *testing.T) {
	t.Parallel()
	catalog := `{"data":{"revision":7,"snapshots":[{"id":"a1","level":"GEN","year":2023,"release":"","status":"published","rows":1,"columns":[{"level":"GEN","name":"state","code":"PSTATABB","type":"text","description":"d","editions":null}]}]}}`
	header := map[string]string{"Content-Type": "application/json", "ETag": `"e7"`}
	n := &network{steps: []step{{status: 200, header: header, body: catalog}, {status: 304, header: header}, {status: 304}}}
	c := newClient(t, n, client.Options{})
	for range 3 {
		got, err := c.Catalog(t.Context())
		if err != nil || got.Revision != 7 || !got.Snapshots[0].Schema.Has(egrid.State) {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if n.asked[0].Header.Get("If-None-Match") != "" || n.asked[2].Header.Get("If-None-Match") != `"e7"` {
		t.Error("the copy is not named")
	}
	for _, body := range []string{`{}`, `{"data":{"revision":7,"snapshots":[{"id":"a1","columns":null}]}}`} {
		n := &network{steps: []step{{status: 200, header: header, body: body}}}
		if _, err := newClient(t, n, client.Options{}).Catalog(t.Context()); err == nil {
			t.Errorf("%s is no catalogue", body)
		}
	}
}

// pageOf is n rows, of a list that goes on when there is a cursor.
func pageOf(n int, next string) step {
	var d map[string]any
	if err := json.Unmarshal([]byte(onePage), &d); err != nil {
		panic(err)
	}
	rows := []any{}
	for range n {
		rows = append(rows, d["data"].([]any)[1])
	}
	d["data"] = rows
	if next != "" {
		d["links"] = map[string]any{"next": "/x?cursor=" + url.QueryEscape(next)}
	}
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return page(string(b))
}

// A page of more rows than a server gives at once is read in parts, and begun
// anew when a publish comes between them.
func TestLargePages(t *testing.T) {
	t.Parallel()
	n := &network{steps: []step{
		pageOf(1000, "a"), problem(410, "start again"),
		pageOf(1000, "b"), pageOf(1000, "c"), pageOf(500, "d e"),
	}}
	got, err := newClient(t, n, client.Options{}).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 2500, Cursor: "begin", Count: true})
	if err != nil || len(got.Rows) != 2500 || got.Next != "d e" {
		t.Fatalf("%d rows, next %q, %v", len(got.Rows), got.Next, err)
	}
	var asked []string
	for _, r := range n.asked {
		q := r.URL.Query()
		asked = append(asked, q.Get("cursor")+" "+q.Get("limit")+" "+q.Get("count"))
	}
	if got := strings.Join(asked, ", "); got != "begin 1000 , a 1000 false, begin 1000 , b 1000 false, c 500 false" {
		t.Errorf("asked %s", got)
	}
	for i := range got.Rows {
		if got.Rows[i].Schema != got.Schema {
			t.Fatalf("row %d has a schema of its own", i)
		}
	}
	// The cursor that the caller gave is the caller's to give up.
	n = &network{steps: []step{problem(410, "start again")}}
	if _, err := newClient(t, n, client.Options{}).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Cursor: "old"}); !errors.Is(err, egrid.ErrStale) || len(n.asked) != 1 {
		t.Errorf("%v after %d requests", err, len(n.asked))
	}
	n = &network{steps: []step{pageOf(1000, "a"), problem(410, "start again")}}
	n.steps = append(n.steps, n.steps...)
	n.steps = append(n.steps, n.steps...)
	if _, err := newClient(t, n, client.Options{}).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 1500}); !errors.Is(err, egrid.ErrStale) || len(n.asked) != 6 {
		t.Errorf("%v after %d requests", err, len(n.asked))
	}
}

func TestIterators(t *testing.T) {
	t.Parallel()
	for name, walk := range map[string]func(*client.Client) (rows int, err error){
		"rows": func(c *client.Client) (n int, err error) {
			for _, err := range c.AllRows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 3, Cursor: "mine"}) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"groups": func(c *client.Client) (n int, err error) {
			for _, err := range c.AllGroups(t.Context(), egrid.GroupQuery{Level: egrid.GEN}) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"plants": func(c *client.Client) (n int, err error) {
			for _, err := range c.AllPlants(t.Context(), egrid.PlantQuery{}) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
	} {
		c := newClient(t, &network{steps: []step{pageOf(1000, "a"), pageOf(3, "")}}, client.Options{})
		if n, err := walk(c); n != 1003 || err != nil {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
		c = newClient(t, &network{steps: []step{pageOf(1000, "a"), problem(410, "start again")}}, client.Options{})
		if n, err := walk(c); n != 1000 || !errors.Is(err, egrid.ErrStale) {
			t.Errorf("%s: %d rows, %v; want ErrStale", name, n, err)
		}
	}
	n := &network{steps: []step{pageOf(1000, "a")}}
	for _, err := range newClient(t, n, client.Options{}).AllRows(t.Context(), generators) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if len(n.asked) != 1 {
		t.Errorf("%d requests for one row", len(n.asked))
	}
}
