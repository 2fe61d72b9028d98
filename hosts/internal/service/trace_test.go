package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// logLine is what a log says of a trace.
type logLine struct {
	Msg, Key, Kind string
	TraceID        string `json:"trace_id"`
	SpanID         string `json:"span_id"`
}

func linesOf(t *testing.T, log string) (lines []logLine) {
	t.Helper()
	for text := range strings.Lines(log) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

// hooked is what a webhook received: the trace of each request, by its kind of
// notice.
type hooked struct{ kind, parent string }

func newHook(t *testing.T) (string, <-chan hooked) {
	t.Helper()
	got := make(chan hooked, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n etl.Notice
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		got <- hooked{string(n.Kind), r.Header.Get("traceparent")}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// loadFolder makes a folder with a sheet and a file that is none.
func loadFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"GEN23.csv": "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,1,1,500.5\n2023,TX,Alpha,1,2,7\n",
		"GEN22.csv": "not,egrid\n1,2\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wantOneTrace waits until a run's trace is in the logs of all services and at the
// webhook.
func wantOneTrace(t *testing.T, hooks <-chan hooked, logs func(name string) string) {
	t.Helper()
	find := func(name, id string, ok func(logLine) bool) (logLine, bool) {
		for _, l := range linesOf(t, logs(name)) {
			if ok(l) && (id == "" || l.TraceID == id) {
				return l, true
			}
		}
		return logLine{}, false
	}
	await := func(name, what, id string, ok func(logLine) bool) logLine {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if l, found := find(name, id, ok); found {
				return l
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: no %q of the trace %q in the log:\n%s", name, what, id, logs(name))
			}
		}
	}
	msg := func(text string) func(logLine) bool { return func(l logLine) bool { return l.Msg == text } }
	done := func(key string) func(logLine) bool {
		return func(l logLine) bool { return l.Msg == "message done" && l.Key == key }
	}
	run := await("etl", "run finished", "", msg("run finished"))
	if len(run.TraceID) != 32 || len(run.SpanID) != 16 {
		t.Fatalf("the run is of the trace %q and the span %q", run.TraceID, run.SpanID)
	}
	spans := []string{run.SpanID}
	for _, key := range []string{queue.KeyChunk, queue.KeyPublish} {
		spans = append(spans, await("database", key, run.TraceID, done(key)).SpanID)
	}
	spans = append(spans, await("error", "object refused", run.TraceID, done("error."+etl.FailureObject)).SpanID)
	var posted []hooked
	for _, kind := range []string{string(etl.NoticeRunFinished), string(etl.NoticeFailure)} {
		told := await("notification", kind, run.TraceID, func(l logLine) bool { return l.Kind == kind })
		spans = append(spans, told.SpanID)
		await("notification", kind, run.TraceID, done("notification."+kind))
		for want := (hooked{kind, "00-" + run.TraceID + "-" + told.SpanID + "-01"}); !slices.Contains(posted, want); {
			select {
			case h := <-hooks:
				posted = append(posted, h)
			case <-time.After(30 * time.Second):
				t.Fatalf("no webhook %v, but %v", want, posted)
			}
		}
	}
	slices.Sort(spans)
	if n := len(slices.Compact(spans)); n != 6 {
		t.Errorf("%d spans; want one for the run and one for each message", n)
	}
}

// TestOneLoadInAllLogs makes a load by a queue in the process, with services that
// have nothing in common but the queue and the store.
func TestOneLoadInAllLogs(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	store, broker := memstore.New(), memqueue.New(nil)
	names := []string{"etl", "database", "error", "notification"}
	logs, services := map[string]*lockedBuffer{}, map[string]*service.Process{}
	for _, name := range names {
		logs[name] = &lockedBuffer{}
		log := service.Logging{LogLevel: "debug", LogFormat: "json"}.Logger(logs[name]).With("service", name)
		services[name] = &service.Process{Context: ctx, Log: log, Metrics: telemetry.New()}
	}
	address, hooks := newHook(t)
	hook, err := notify.Webhook(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 3)
	for name, consume := range map[string]func(context.Context) error{
		"database":     services["database"].Consume(broker, queue.QueueDatabase, etl.DatabaseHandler(store), queue.ConsumeOptions{}),
		"error":        services["error"].Consume(broker, queue.QueueError, etl.ErrorHandler(store, broker, &etl.ErrorOptions{Logger: services["error"].Log}), queue.ConsumeOptions{}),
		"notification": services["notification"].Consume(broker, queue.QueueNotification, notify.Handler(notify.Log(services["notification"].Log), hook), queue.ConsumeOptions{}),
	} {
		go func() {
			err := consume(ctx)
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
			ended <- err
		}()
	}
	t.Cleanup(func() {
		stop()
		for range 3 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		broker.Close()
	})
	p := services["etl"]
	etl.NewScheduler(etl.New(etl.Local(loadFolder(t)), etl.ToQueue(broker, store), nil), never{}, &etl.SchedulerOptions{Done: func(run context.Context, r etl.Report, err error) {
		if err != nil {
			t.Fatal(err)
		}
		p.Log.InfoContext(run, "run finished")
		p.Tell(run, broker, etl.ObjectIncidents(r)...)
		p.Notify(run, broker, etl.Notices(r, time.Now())...)
	}}).Run(ctx)
	wantOneTrace(t, hooks, func(name string) string { return logs[name].String() })
}

// never is a schedule without a second run.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }

// TestTracesInProcesses runs the programs.
func TestTracesInProcesses(t *testing.T) {
	dir := build(t)
	t.Run("load", func(t *testing.T) { oneLoadInAllProcesses(t, dir) })
	t.Run("request", func(t *testing.T) { oneRequestInBothLogs(t, dir) })
}

// oneLoadInAllProcesses makes a load through RabbitMQ.
func oneLoadInAllProcesses(t *testing.T, dir string) {
	address := testenv.Server(t, "EGRID_TEST_AMQP")
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/service" // the tests of other packages have others
	hook, hooks := newHook(t)
	store, broker := "--store=sqlite:"+filepath.Join(t.TempDir(), "egrid.db"), "--queue="+u.String()
	const any, debug = "--addr=127.0.0.1:0", "--log-level=debug"
	consumer := filepath.Join(dir, "consumer")
	services := map[string]*program{
		"database":     start(t, consumer, "database", broker, store, any, debug),
		"error":        start(t, consumer, "error", broker, store, any, debug),
		"notification": start(t, consumer, "notification", broker, any, debug, "--webhook="+hook),
	}
	load := start(t, filepath.Join(dir, "etl"), broker, store, any, debug, "--schedule=once", "--rejects="+t.TempDir(), loadFolder(t))
	<-load.end
	if err := load.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &load.log)
	}
	services["etl"] = load
	wantOneTrace(t, hooks, func(name string) string { return services[name].log.String() })
}

// oneRequestInBothLogs asks the API through the gateway: both access logs have the
// trace that the client sent.
func oneRequestInBothLogs(t *testing.T, dir string) {
	const any, id = "--addr=127.0.0.1:0", "0af7651916cd43dd8448eb211c80319c"
	api := start(t, filepath.Join(dir, "api"), "--store=mem:", any)
	gateway := start(t, filepath.Join(dir, "gateway"), "--api="+api.url, "--probe=20ms", any)
	fetchUntil(t, gateway.url+"/plants/years", http.StatusOK)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gateway.url+"/plants/years", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("traceparent", "00-"+id+"-b7ad6b7169203331-01")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	spans := map[string]bool{"b7ad6b7169203331": true}
	for name, p := range map[string]*program{"api": api, "gateway": gateway} {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-p.end
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
		n := 0
		for _, l := range linesOf(t, p.log.String()) {
			if l.Msg == "request" && l.TraceID == id && !spans[l.SpanID] {
				spans[l.SpanID] = true
				n++
			} else if l.Msg == "request" && len(l.TraceID) != 32 {
				t.Errorf("%s: a request without a trace", name)
			}
		}
		if answer.StatusCode != http.StatusOK || n != 1 {
			t.Errorf("%s: %d, %d lines of the trace:\n%s", name, answer.StatusCode, n, &p.log)
		}
	}
}

// TestAPIKeepsTheTraceOfOthers: where another library has a span for the request
// already, ours is the same.
func TestAPIKeepsTheTraceOfOthers(t *testing.T) {
	log := &lockedBuffer{}
	o := httpapi.Options{Logger: service.Logging{LogLevel: "info", LogFormat: "json"}.Logger(log)}
	api := service.API(t.Context(), memstore.New().Driver(), telemetry.New(), o)
	other, _ := trace.Parse("00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01", "")
	r := httptest.NewRequestWithContext(trace.NewContext(t.Context(), other), http.MethodGet, "/plants/years", nil)
	r.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	api.ServeHTTP(httptest.NewRecorder(), r)
	lines := linesOf(t, log.String())
	if len(lines) != 1 || lines[0].TraceID != other.TraceID.String() || lines[0].SpanID != other.ID.String() {
		t.Errorf("%s", log)
	}
}
