package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// collector is a stub that reads OTLP.
type collector struct {
	*httptest.Server
	status atomic.Int64 // of its answers

	mu     sync.Mutex
	spans  []*tracepb.Span
	about  map[string]string // attributes of the program
	header http.Header
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{about: map[string]string{}}
	c.status.Store(http.StatusOK)
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := int(c.status.Load())
		w.WriteHeader(status)
		body, err := io.ReadAll(r.Body)
		var sent tracepb.TracesData
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		if status != http.StatusOK {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.header = r.Header
		for _, program := range sent.GetResourceSpans() {
			for _, a := range program.GetResource().GetAttributes() {
				c.about[a.GetKey()] = a.GetValue().GetStringValue()
			}
			for _, scope := range program.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) all() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans
}

func openTraces(t *testing.T, f telemetry.Tracing, log *slog.Logger) *telemetry.Traces {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	traces, err := f.Open(t.Context(), "egrid-test", "v1", log)
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// tree is spans by their ids.
type tree struct {
	t     *testing.T
	spans map[string]*tracepb.Span
}

func newTree(t *testing.T, spans []*tracepb.Span) tree {
	t.Helper()
	tr := tree{t, map[string]*tracepb.Span{}}
	for _, s := range spans {
		if tr.spans[string(s.GetSpanId())] != nil {
			t.Errorf("span %s is there twice", s.GetName())
		}
		if s.GetEndTimeUnixNano() < s.GetStartTimeUnixNano() || s.GetStartTimeUnixNano() == 0 {
			t.Errorf("span %s lasts from %d to %d", s.GetName(), s.GetStartTimeUnixNano(), s.GetEndTimeUnixNano())
		}
		tr.spans[string(s.GetSpanId())] = s
	}
	return tr
}

// path names a span and those above it, from the first.
func (tr tree) path(s *tracepb.Span) string {
	name := s.GetName()
	for parent := tr.spans[string(s.GetParentSpanId())]; parent != nil; parent = tr.spans[string(parent.GetParentSpanId())] {
		if !bytes.Equal(parent.GetTraceId(), s.GetTraceId()) {
			tr.t.Errorf("%s is of another trace than its parent %s", s.GetName(), parent.GetName())
		}
		name = parent.GetName() + " > " + name
	}
	return name
}

func attr(s *tracepb.Span, name string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == name {
			return a.GetValue().String()
		}
	}
	return ""
}

// TestSpansFromObjectToRow makes a load through a queue into SQLite and asks the API for a
// row of it, with a collector.
func TestSpansFromObjectToRow(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=trial")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, tenant=a")
	to := newCollector(t)
	traces := openTraces(t, telemetry.Tracing{OTLP: to.URL + "/", OTLPSample: 1}, nil)
	ctx, stop := context.WithCancel(trace.WithRecorder(t.Context(), traces))
	backend, err := sqlitestore.Open(ctx, filepath.Join(t.TempDir(), "egrid.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	store, broker := backend.Driver(), memqueue.New(nil)
	consumed := make(chan error, 1)
	go func() {
		consumed <- queue.Consume(ctx, broker, queue.QueueDatabase, etl.DatabaseHandler(store), nil)
	}()
	report, err := etl.New(etl.FS(data.Files()), etl.ToQueue(broker, store), nil).Run(ctx)
	if err != nil || report.Failed() {
		t.Fatal(report.Status, err)
	}

	listener, err := service.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- service.Serve(ctx, "", service.CachedAPI(ctx, store, telemetry.New(), httpapi.Options{}, cache.Options{ColumnBytes: -1}), &service.ServeOptions{Listener: listener})
	}()
	const sender = "b7ad6b7169203331"
	for path, status := range map[string]int{"/levels/GEN/rows?limit=1&year=2023&sort=generator_id": 200, "/nothing": 404, "/healthz": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-"+sender+"-01")
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != status {
			t.Fatal(path, answer.Status, err)
		}
		answer.Body.Close()
	}
	stop()
	for _, ended := range []error{<-served, <-consumed} {
		if ended != nil {
			t.Error(ended)
		}
	}
	broker.Close()
	traces.Close() // which sends what is left

	tr := newTree(t, to.all())
	count := map[string]int{}
	load := ""
	for _, s := range tr.spans {
		path, id := tr.path(s), hex.EncodeToString(s.GetTraceId())
		count[path]++
		switch first, _, _ := strings.Cut(path, " > "); first {
		case "load":
			load = id
			if id != report.TraceID {
				t.Errorf("%s is of the trace %s; the report says %s", path, id, report.TraceID)
			}
		case "GET /levels/{level}/rows", "GET":
			if id != "0af7651916cd43dd8448eb211c80319c" || path == first && hex.EncodeToString(s.GetParentSpanId()) != sender {
				t.Errorf("%s is of the trace %s, behind %x", path, id, s.GetParentSpanId())
			}
		}
		if s.GetName() == "load" && (len(s.GetParentSpanId()) != 0 || !strings.Contains(attr(s, "egrid.run_id"), report.RunID)) {
			t.Errorf("the run: %v", s)
		}
		if s.GetName() == "process egrid.database" && (s.GetKind() != tracepb.Span_SPAN_KIND_CONSUMER || !strings.Contains(attr(s, "egrid.outcome"), "done")) {
			t.Errorf("a delivery: %v", s)
		}
		if s.GetName() == "SQL" && (s.GetKind() != tracepb.Span_SPAN_KIND_CLIENT || attr(s, "db.query.text") == "") {
			t.Errorf("a statement: %v", s)
		}
	}
	for _, path := range []string{
		"load", "load > scan", "load > validate", "load > divide", "load > stream", "load > report",
		"load > stream > process egrid.database > SQL",
		"load > report > process egrid.database > SQL",
		"GET /levels/{level}/rows", "GET /levels/{level}/rows > store rows > SQL",
		"GET",
	} {
		if count[path] == 0 {
			t.Errorf("no %s in %v", path, count)
		}
	}
	if load == "" || count["GET /healthz"] > 0 {
		t.Errorf("%v", count)
	}
	if to.about["service.name"] != "egrid-test" || to.about["service.version"] != "v1" || to.about["deployment.environment.name"] != "trial" {
		t.Errorf("the program is told as %v", to.about)
	}
	if to.header.Get("Authorization") != "Bearer x" || to.header.Get("Tenant") != "a" {
		t.Errorf("headers %v", to.header)
	}
}

// TestSampling: a share of the traces begun here is sent, whole; those begun elsewhere are as
// their sender says.
func TestSampling(t *testing.T) {
	to := newCollector(t)
	for _, share := range []float64{0, 0.25, 1} {
		traces := openTraces(t, telemetry.Tracing{OTLP: to.URL, OTLPSample: share}, nil)
		theirs := sdk.TraceIDRatioBased(share)
		for range 1000 {
			id := trace.Span{}.Child().TraceID
			want := theirs.ShouldSample(sdk.SamplingParameters{TraceID: oteltrace.TraceID(id)}).Decision == sdk.RecordAndSample
			if traces.Sample(id) != want {
				t.Errorf("%g of %s: %t; OpenTelemetry says otherwise", share, id, !want)
			}
		}
		traces.Close()
	}
	none := openTraces(t, telemetry.Tracing{OTLP: to.URL}, nil)
	ctx := trace.WithRecorder(t.Context(), none)
	ours := trace.Begin(ctx, trace.Span{}, "ours", trace.Internal)
	step, end := trace.Step(ours, "step", trace.Internal)
	end(nil)
	trace.End(ours, nil)
	if parent, _ := trace.FromContext(ours).Headers(); !strings.HasSuffix(parent, "-00") || step != ours {
		t.Errorf("what is not recorded is sent on as %s", parent)
	}
	for _, flags := range []string{"00", "01"} {
		sender, ok := trace.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"+flags, "")
		if !ok {
			t.Fatal(flags)
		}
		theirs := trace.Begin(ctx, sender, "theirs "+flags, trace.Server)
		_, end := trace.Step(theirs, "step "+flags, trace.Client)
		end(errors.New("no"))
		trace.End(theirs, nil)
		trace.End(theirs, nil) // once is enough
	}
	none.Close()
	tr, count := newTree(t, to.all()), map[string]int{}
	for _, s := range tr.spans {
		count[tr.path(s)]++
		if s.GetName() == "step 01" && (s.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || s.GetStatus().GetMessage() != "no") {
			t.Errorf("%v", s)
		}
	}
	if len(count) != 2 || count["theirs 01"] != 1 || count["theirs 01 > step 01"] != 1 {
		t.Errorf("%v", count)
	}
}

// TestCollectorAway: nobody waits for a collector, and the log says once that it is away, and
// once that it is back.
func TestCollectorAway(t *testing.T) {
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "5") // milliseconds
	to := newCollector(t)
	to.status.Store(http.StatusServiceUnavailable)
	var log lockedLog
	traces := openTraces(t, telemetry.Tracing{OTLP: to.URL, OTLPSample: 1}, slog.New(slog.NewTextHandler(&log, nil)))
	ctx := trace.WithRecorder(t.Context(), traces)
	work := func() { trace.End(trace.Begin(ctx, trace.Span{}, "work", trace.Internal), nil) }
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not %s:\n%s", what, log.String())
			}
			work()
		}
	}
	until("told that it is away", func() bool { return strings.Contains(log.String(), "takes no spans") })
	for range 10000 { // more than is kept
		work()
	}
	to.status.Store(http.StatusOK)
	until("told that it is back", func() bool { return strings.Contains(log.String(), "takes spans again") })
	traces.Close()
	if text := log.String(); strings.Count(text, "takes no spans") != 1 || strings.Count(text, "\n") != 2 || !strings.Contains(text, "503") {
		t.Errorf("%s", text)
	}
	if len(to.all()) == 0 {
		t.Error("nothing came")
	}

	// A port where nobody listens, and one that never answers.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, address := range []string{"http://127.0.0.1:1", "http://" + silent.Addr().String()} {
		var log lockedLog
		traces := openTraces(t, telemetry.Tracing{OTLP: address + "/?token=secret", OTLPSample: 1}, slog.New(slog.NewTextHandler(&log, nil)))
		ctx := trace.WithRecorder(t.Context(), traces)
		for range 5000 {
			trace.End(trace.Begin(ctx, trace.Span{}, "work", trace.Internal), nil)
		}
		traces.Close() // returns all the same
		if text := log.String(); strings.Count(text, "takes no spans") != 1 || strings.Contains(text, "secret") {
			t.Errorf("%s: %s", address, text)
		}
	}
}

func TestTracingFlags(t *testing.T) {
	if traces := openTraces(t, telemetry.Tracing{}, nil); traces != nil {
		t.Error("without a collector there is something")
	}
	(*telemetry.Traces)(nil).Close()
	for _, f := range []telemetry.Tracing{
		{OTLP: "collector:4318"},
		{OTLP: "grpc://collector:4317"},
		{OTLP: "http://user:secret@collector:4318"},
		{OTLP: "http://collector:4318", OTLPSample: 1.5},
		{OTLP: "http://collector:4318", OTLPSample: -1},
	} {
		if _, err := f.Open(t.Context(), "x", "v", slog.Default()); !errors.Is(err, egrid.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", f, err)
		}
	}
	// What is set for all programs stops none of ours.
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")
	var log lockedLog
	if traces := openTraces(t, telemetry.Tracing{OTLP: "collector:4317", OTLPSample: 1}, slog.New(slog.NewTextHandler(&log, nil))); traces != nil || !strings.Contains(log.String(), "EGRID_OTLP") {
		t.Errorf("%v: %s", traces, log.String())
	}
	for _, list := range []string{"secret", "a b=secret", "=secret", "a=%zz"} {
		t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", list)
		if _, err := (telemetry.Tracing{OTLP: "http://collector:4318"}).Open(t.Context(), "x", "v", slog.Default()); !errors.Is(err, egrid.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", list, err)
		}
	}
}

type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
