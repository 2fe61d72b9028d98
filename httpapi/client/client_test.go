package client_test

import (
	"context"
	"encoding/base64"
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
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

const problemType = "application/problem+json"

// catalog is of one snapshot, with a column of every type.
const catalog = `{"data":{"id":"c7","revision":7,"snapshots":[{"id":"a1","stage":"b1","level":"GEN","year":2023,"release":"v2","status":"published","rows":2,
"columns":["GEN/generator_id","GEN/sequence","GEN/net_generation_mwh",{"level":"GEN","name":"own","code":"","type":"flag","description":"","editions":null}]}]}}`

// twoRows are generators with every type of value, and with none.
func twoRows() *egrid.Batch {
	var c struct{ Data egrid.Catalog }
	if err := json.Unmarshal([]byte(catalog), &c); err != nil {
		panic(err)
	}
	b := egrid.NewBuilder(c.Data.Snapshots[0].Schema, 2023)
	b.Text(0, []byte("0005"))
	b.Int(1, 9007199254740993)
	b.Number(2, 0.1)
	b.Flag(3, true)
	b.EndRow(7, 0)
	b.EndRow(8, 0)
	return b.Batch()
}

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

// scanned is the answer to a scan, of batches.
func scanned(batches ...*egrid.Batch) step {
	var body []byte
	for _, b := range batches {
		body = wire.AppendBatch(body, b)
	}
	return step{status: 200, header: map[string]string{"Content-Type": wire.TypeBatches}, body: string(wire.AppendEnd(body))}
}

// cut leaves the first n bytes of a step, behind which the connection breaks.
func (s step) cut(n int) step {
	s.body = s.body[:n]
	return s
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

// generators is a plan of all columns of the rows that twoRows are.
func generators() *driver.Plan {
	var c struct{ Data egrid.Catalog }
	if err := json.Unmarshal([]byte(catalog), &c); err != nil {
		panic(err)
	}
	p, err := driver.PlanRows(c.Data, egrid.RowQuery{Level: egrid.GEN, Limit: 5, Columns: c.Data.Snapshots[0].Schema.Columns()})
	if err != nil {
		panic(err)
	}
	return p
}

// scan reads all rows of a plan.
func scan(ctx context.Context, c *client.Client, p *driver.Plan) (*egrid.Batch, error) {
	var parts []*egrid.Batch
	for b, err := range c.Scan(ctx, p) {
		if err != nil {
			return egrid.Concat(p.Output, parts...), err
		}
		parts = append(parts, b)
	}
	return egrid.Concat(p.Output, parts...), nil
}

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
	n := &network{steps: []step{{status: 200, header: map[string]string{"Content-Type": wire.TypeJSON}, body: catalog}, scanned(twoRows())}}
	got, err := store.New(newClient(t, n, client.Options{})).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Columns: generators().Output.Columns()})
	if err != nil {
		t.Fatal(err)
	}
	row := got.Row(0)
	if i, ok := row.Int(egrid.Sequence); !ok || i != 9007199254740993 {
		t.Errorf("the integer became %v", row.At(1))
	}
	if yes, ok := row.Bool("own"); !ok || !yes || row.Text(egrid.GeneratorID) != "0005" || row.At(2) != egrid.NumberOf(0.1) || row.Year() != 2023 || row.Number() != 7 {
		t.Errorf("row %v", row.Values())
	}
	for i, v := range got.Row(1).Values() {
		if !v.IsMissing() {
			t.Errorf("value %d is %v; want missing", i, v)
		}
	}
	if f := got.Schema().Field(2); f.Unit != "MWh" || f.Type != egrid.Number || f.Code != "GENNTAN" || got.Revision != 7 || got.Next != "" || got.Snapshots[0].Release != "v2" {
		t.Errorf("field %+v of %+v", f, got)
	}
}

func TestRequest(t *testing.T) {
	n := &network{steps: []step{scanned(twoRows())}}
	c := newClient(t, n, client.Options{Token: "secret", APIKey: "key", UserAgent: "report/1"})
	p := generators()
	if _, err := scan(t.Context(), c, p); err != nil {
		t.Fatal(err)
	}
	r := n.asked[0]
	want := url.Values{"plan": {base64.RawURLEncoding.EncodeToString(p.Key())}}
	if r.URL.Path != "/api/scan" || r.URL.RawQuery != want.Encode() {
		t.Errorf("asked %s\nwant ...?%s", r.URL, want.Encode())
	}
	h := r.Header
	if h.Get("Authorization") != "Bearer secret" || h.Get("X-API-Key") != "key" || h.Get("User-Agent") != "report/1 egrid-go" || h.Get("Accept") != wire.TypeBatches {
		t.Errorf("header %v", h)
	}
	n = &network{steps: []step{{status: 200, header: map[string]string{"Content-Type": wire.TypeJSON}, body: `{"data":{}}`}}}
	c = newClient(t, n, client.Options{})
	query := client.ChartQuery{Year: 2023, Release: "v2", State: []string{"TX", "a,b"}, FuelCategory: []string{"COAL"}}
	if _, err := c.Chart(t.Context(), "by-fuel/x", &query); err != nil {
		t.Fatal(err)
	}
	want = url.Values{"year": {"2023"}, "release": {"v2"}, "state": {`TX,"a,b"`}, "fuel_category": {"COAL"}}
	if r := n.asked[0]; r.URL.EscapedPath() != "/api/plants/chart/by-fuel%2Fx" || r.URL.RawQuery != want.Encode() {
		t.Errorf("asked %s", r.URL)
	}
	n, tokens := &network{steps: []step{scanned(twoRows())}}, 0
	c = newClient(t, n, client.Options{TokenSource: func(context.Context) (string, error) { tokens++; return fmt.Sprint("t", tokens), nil }})
	for range 2 {
		if _, err := scan(t.Context(), c, p); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.asked[1].Header.Get("Authorization"); got != "Bearer t2" {
		t.Errorf("the second token was %q", got)
	}
}

// What cannot be asked is refused before anything is sent.
func TestPlansTooLongForAnAddress(t *testing.T) {
	n := &network{steps: []step{scanned()}}
	p := generators()
	p.Words = strings.Fields(strings.Repeat("word ", 8000))
	if _, err := scan(t.Context(), newClient(t, n, client.Options{}), p); !errors.Is(err, egrid.ErrInvalid) || len(n.asked) > 0 {
		t.Errorf("%v after %d requests; want ErrInvalid", err, len(n.asked))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	sentinels := []error{egrid.ErrInvalid, egrid.ErrNotFound, egrid.ErrStale, egrid.ErrClosed, egrid.ErrUnavailable}
	for name, test := range map[string]struct {
		step step
		want error
	}{
		"400":            {problem(400, "a fault"), egrid.ErrInvalid},
		"404":            {problem(404, "no such plant"), egrid.ErrNotFound},
		"410":            {problem(410, "start again"), egrid.ErrStale},
		"503":            {problem(503, "shutting down"), egrid.ErrUnavailable},
		"500":            {problem(500, "broken"), nil},
		"404 of a proxy": {step{status: 404, header: map[string]string{"Content-Type": "text/html"}, body: "<html>"}, nil},
		"503 of a proxy": {step{status: 503}, egrid.ErrUnavailable},
		"502 of a proxy": {step{status: 502}, egrid.ErrUnavailable},
		"504 of a proxy": {step{status: 504}, egrid.ErrUnavailable},
	} {
		n := &network{steps: []step{test.step}}
		_, err := scan(t.Context(), newClient(t, n, client.Options{Retries: -1}), generators())
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
		if e.Detail == "" || !strings.Contains(err.Error(), e.Detail) || e.RequestID != "r1" || e.Instance != "/x" || len(e.Errors) != 1 || e.Errors[0].Location != "query.limit" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A server that cannot be reached is unavailable, and a context that ended is no fault of it.
func TestServersThatAreAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := client.New("http://"+l.Addr().String(), &client.Options{Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, ask := range map[string]func(context.Context) error{
		"catalog": func(ctx context.Context) error { _, err := c.Catalog(ctx); return err },
		"scan":    func(ctx context.Context) error { _, err := scan(ctx, c, generators()); return err },
	} {
		if err := ask(t.Context()); !errors.Is(err, egrid.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if err := ask(ended); !errors.Is(err, context.Canceled) || errors.Is(err, egrid.ErrUnavailable) {
			t.Errorf("%s, given up: %v", name, err)
		}
	}
}

func TestForeignAnswers(t *testing.T) {
	whole := scanned(twoRows())
	other, err := egrid.NewSchema(egrid.Field{Column: "x", Type: egrid.Text})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]step{
		"html":          {status: 200, header: map[string]string{"Content-Type": "text/html"}, body: "<html>"},
		"json":          {status: 200, header: map[string]string{"Content-Type": wire.TypeJSON}, body: `{"data":[]}`},
		"other columns": scanned(egrid.NewBuilder(other, 2023).Batch()),
		"no batch":      {status: 200, header: whole.header, body: "\x05hello\x00"},
		"too large":     {status: 200, header: whole.header, body: "\xff\xff\xff\xff\xff\x7f"},
		"no length":     {status: 200, header: whole.header, body: strings.Repeat("\xff", 11)},
		"no content":    {status: 204},
		"redirect":      {status: 302, header: map[string]string{"Location": "https://elsewhere.example/"}},
	} {
		n := &network{steps: []step{s}}
		got, err := scan(t.Context(), newClient(t, n, client.Options{Token: "secret", Retries: -1}), generators())
		if err == nil || errors.Is(err, egrid.ErrInvalid) || got.Len() > 0 || len(n.asked) != 1 {
			t.Errorf("%s: %v, %d rows after %d requests", name, err, got.Len(), len(n.asked))
		}
	}
}

// A scan that breaks off anywhere is asked for again, and no row comes twice.
func TestScanThatBreaksOff(t *testing.T) {
	two := twoRows()
	whole := scanned(two.Slice(0, 1), two.Slice(1, 2), two)
	for _, again := range []step{whole, scanned(two, two), scanned(two.Slice(0, 1), egrid.Concat(two.Schema(), two.Slice(1, 2), two))} { // cut as the server likes
		for n := range whole.body {
			net := &network{steps: []step{whole.cut(n), again}}
			got, err := scan(t.Context(), newClient(t, net, client.Options{Backoff: 1}), generators())
			if err != nil || got.Len() != 4 || got.Number(0) != 7 || got.Number(1) != 8 || got.Number(2) != 7 || got.Number(3) != 8 || len(net.asked) != 2 {
				t.Fatalf("cut behind %d bytes: %v, %d rows of %d requests", n, err, got.Len(), len(net.asked))
			}
		}
	}
	net := &network{steps: []step{whole.cut(len(whole.body) - 1)}}
	if got, err := scan(t.Context(), newClient(t, net, client.Options{Backoff: 1, Retries: 2}), generators()); err == nil || got.Len() != 4 || len(net.asked) != 3 {
		t.Errorf("never whole: %v, %d rows of %d requests", err, got.Len(), len(net.asked))
	}
	for b, err := range newClient(t, &network{steps: []step{whole}}, client.Options{}).Scan(t.Context(), generators()) {
		if err != nil || b.Len() != 1 {
			t.Errorf("%d rows, %v", b.Len(), err)
		}
		break // who wants no more gets no more
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
		"none needed":      {steps: []step{scanned(twoRows())}, requests: 1, ok: true},
		"network":          {steps: []step{broken, broken, scanned(twoRows())}, requests: 3, ok: true, least: 375 * time.Millisecond, most: 750 * time.Millisecond},
		"unavailable":      {steps: []step{problem(503, ""), scanned(twoRows())}, requests: 2, ok: true, least: 125 * time.Millisecond, most: 250 * time.Millisecond},
		"gateway":          {steps: []step{{status: 502}, {status: 504}, scanned(twoRows())}, requests: 3, ok: true, least: 375 * time.Millisecond, most: 750 * time.Millisecond},
		"seconds":          {steps: []step{problem(429, "", "Retry-After", "3"), scanned(twoRows())}, requests: 2, ok: true, least: 3 * time.Second, most: 3 * time.Second},
		"date":             {steps: []step{problem(429, "", "Retry-After", date), scanned(twoRows())}, requests: 2, ok: true, least: 7 * time.Second, most: 7 * time.Second},
		"too long a wait":  {steps: []step{problem(429, "", "Retry-After", "31")}, requests: 1},
		"given up":         {steps: []step{broken}, requests: 5, least: 1875 * time.Millisecond, most: 3750 * time.Millisecond},
		"never":            {steps: []step{broken}, o: client.Options{Retries: -1}, requests: 1},
		"bounded waits":    {steps: []step{broken}, o: client.Options{Retries: 70, MaxBackoff: time.Second}, requests: 71, least: 35 * time.Second, most: 70 * time.Second},
		"fault of ours":    {steps: []step{problem(400, "")}, requests: 1},
		"server's mistake": {steps: []step{problem(500, "")}, requests: 1},
		"no token":         {steps: []step{scanned(twoRows())}, o: client.Options{TokenSource: func(context.Context) (string, error) { return "", io.EOF }}},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &network{steps: test.steps}
			begin := time.Now()
			_, err := scan(t.Context(), newClient(t, n, test.o), generators())
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
		_, err := scan(ctx, newClient(t, n, client.Options{}), generators())
		var e *client.Error
		if !errors.As(err, &e) || e.RetryAfter != 20*time.Second || time.Since(begin) != 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := scan(ctx, newClient(t, n, client.Options{}), generators()); !errors.Is(err, context.Canceled) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v; want Canceled", err, time.Since(begin))
		}
	})
}

// An answer that breaks off is asked for again, and connections are used again.
func TestConnections(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int64
	whole := scanned(twoRows()).body
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", wire.TypeBatches)
		if requests.Add(1) == 1 {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, whole[:20])
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, whole)
		_ = http.NewResponseController(w).Flush() // so that the end comes by itself
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
		if got, err := scan(t.Context(), c, generators()); err != nil || got.Len() != 2 {
			t.Fatalf("%d rows, %v", got.Len(), err)
		}
	}
	if requests.Load() != 11 || connections.Load() != 2 {
		t.Errorf("%d requests on %d connections; want 11 on 2", requests.Load(), connections.Load())
	}
}

func TestAnswersAreReadToALimit(t *testing.T) {
	header := map[string]string{"Content-Type": wire.TypeJSON}
	for limit, ok := range map[int64]bool{int64(len(catalog)): true, int64(len(catalog)) - 1: false} {
		n := &network{steps: []step{{status: 200, header: header, body: catalog}}}
		if _, err := newClient(t, n, client.Options{MaxResponseBytes: limit}).Catalog(t.Context()); (err == nil) != ok || len(n.asked) != 1 {
			t.Errorf("%d bytes: %v after %d requests", limit, err, len(n.asked))
		}
	}
}

// trickle is a server that sends a byte of a scan every 50 seconds.
type trickle struct{ body string }

func (s *trickle) RoundTrip(r *http.Request) (*http.Response, error) {
	in, out := io.Pipe()
	gone := r.Context().Done()
	context.AfterFunc(r.Context(), func() { _ = in.CloseWithError(r.Context().Err()) })
	go func() {
		for i := range s.body {
			select {
			case <-time.After(50 * time.Second):
			case <-gone:
				return
			}
			if _, err := io.WriteString(out, s.body[i:i+1]); err != nil {
				return
			}
		}
		_ = out.Close()
	}()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {wire.TypeBatches}}, Body: in, Request: r}, nil
}

// A scan may take as long as it needs while batches come; who takes them may
// take time, too.
func TestScansAreBoundedByBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := scanned(twoRows(), twoRows(), twoRows()).body
		each := time.Duration(len(two)) * 50 * time.Second
		for timeout, ok := range map[time.Duration]bool{each / 2: true, each / 4: false, -1: true} {
			c, err := client.New("http://api.example", &client.Options{HTTPClient: &http.Client{Transport: &trickle{body: two}}, Retries: -1, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			rows := 0
			for b, err := range c.Scan(t.Context(), generators()) {
				if (err == nil) != ok {
					t.Errorf("%v for a batch: %v after %d rows", timeout, err, rows)
				}
				if err == nil {
					rows += b.Len()
					time.Sleep(2 * each)
				}
			}
			if ok && rows != 6 || !ok && rows > 0 {
				t.Errorf("%v for a batch: %d rows", timeout, rows)
			}
			synctest.Wait()
		}
	})
}

func TestCatalogIsAskedForOnce(t *testing.T) {
	header := map[string]string{"Content-Type": "application/json", "ETag": `"e7"`}
	n := &network{steps: []step{{status: 200, header: header, body: catalog}, {status: 304, header: header}, {status: 304}}}
	c := newClient(t, n, client.Options{})
	for range 3 {
		got, err := c.Catalog(t.Context())
		if err != nil || got.ID != "c7" || got.Revision != 7 || !got.Snapshots[0].Schema.Has(egrid.GeneratorID) {
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
