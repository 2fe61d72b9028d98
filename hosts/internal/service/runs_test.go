package service_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// loader is all that the API does with runs.
type loader interface {
	driver.Runner
	driver.Decider
}

// works is a runner with a store and a source that the tests change. A load
// waits at the gate, while that is closed.
type works struct {
	*testing.T
	loader
	store driver.Store

	mu    sync.Mutex
	files fstest.MapFS
	gate  chan struct{} // nil for none
}

func (w *works) runs() *etl.Runs {
	o := etl.Options{ChunkBytes: 64, Progress: func(etl.Progress) {
		w.mu.Lock()
		gate := w.gate
		w.mu.Unlock()
		if gate != nil {
			<-gate
		}
	}}
	return etl.NewRuns(w.store, &etl.RunsOptions{Options: o, Load: func(ctx context.Context, o etl.Options) (etl.Report, error) {
		w.mu.Lock()
		files := w.files
		w.mu.Unlock()
		return etl.New(etl.FS(files), etl.ToLoader(w.store), &o).Run(ctx)
	}})
}

// provide puts generators of a state in place of what the source has.
func (w *works) provide(state string, rows int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	b.WriteString("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n")
	for i := range rows {
		fmt.Fprintf(&b, "2023,%s,Plant %d,%d,1,%d\n", state, i, i, i)
	}
	w.files = fstest.MapFS{"GEN23.csv": {Data: []byte(b.String())}}
}

// finished follows a run to its end.
func (w *works) finished(id string) driver.Run {
	w.Helper()
	var last driver.Run
	for run, err := range w.FollowRun(w.Context(), id) {
		if err != nil {
			w.Fatal(err)
		}
		last = run
	}
	return last
}

func (w *works) load() driver.Run {
	w.Helper()
	run, err := w.StartRun(w.Context(), driver.RunRequest{})
	if err != nil {
		w.Fatal(err)
	}
	return w.finished(run.ID)
}

// runners are the implementations of driver.Runner.
var runners = map[string]func(*works) loader{
	"pipeline": func(w *works) loader { return closing(w.T, w.runs()) },
	"client":   func(w *works) loader { return overHTTP(w.T, closing(w.T, w.runs()), w.store) },
	"client, client": func(w *works) loader {
		return overHTTP(w.T, overHTTP(w.T, closing(w.T, w.runs()), w.store), w.store)
	},
}

func closing(t *testing.T, r *etl.Runs) *etl.Runs {
	t.Helper()
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// overHTTP is a client with scope write of an API over a runner.
func overHTTP(t *testing.T, r driver.Runner, backend driver.Store) *client.Client {
	t.Helper()
	const key = "correct horse battery staple"
	keys, err := auth.New(&auth.Options{APIKeys: []auth.APIKey{{Name: "loader", Scopes: []middleware.Scope{middleware.ScopeWrite}, SHA256: sha256.Sum256([]byte(key))}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service.API(t.Context(), backend, telemetry.New(), httpapi.Options{Runs: r, Authenticate: keys.Authenticate, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, &client.Options{HTTPClient: server.Client(), APIKey: key, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRunners runs one story on every runner and store.
func TestRunners(t *testing.T) {
	for storeName, open := range behindAPI {
		for name, make := range runners {
			t.Run(name+" on "+storeName, func(t *testing.T) {
				w := &works{T: t, store: open(t)}
				w.loader = make(w)
				w.testStart()
				w.testHeld()
				w.testForgotten(make)
				w.testHeldAgain()
				w.testFailures()
			})
		}
	}
}

func (w *works) testStart() {
	if runs, err := w.Runs(w.Context()); err != nil || len(runs) != 0 {
		w.Errorf("at first: %v, %v", runs, err)
	}
	w.provide("TX", 10)
	w.gate = make(chan struct{})
	run, err := w.StartRun(w.Context(), driver.RunRequest{})
	if err != nil || run.Status != driver.RunUnderWay || run.Ended != nil || time.Since(run.Started) > time.Minute {
		w.Fatalf("started: %+v, %v", run, err)
	}
	if _, err := w.StartRun(w.Context(), driver.RunRequest{}); !errors.Is(err, egrid.ErrConflict) || !strings.Contains(err.Error(), run.ID) {
		w.Errorf("a second one: %v", err)
	}
	if _, err := w.PublishRun(w.Context(), run.ID, ""); !errors.Is(err, egrid.ErrConflict) {
		w.Errorf("publishing what is under way: %v", err)
	}
	opened, states := false, []driver.RunStatus{}
	for seen, err := range w.FollowRun(w.Context(), run.ID) {
		if err != nil {
			w.Fatal(err)
		}
		states = append(states, seen.Status)
		if seen.Progress != nil && !opened {
			if p := seen.Progress; p.Stage != "stream" || p.Object != "GEN23.csv" || p.Rows <= 0 || p.Rows >= 10 || p.Total != 10 {
				w.Errorf("progress %+v", p)
			}
			close(w.gate)
			opened = true
		}
		run = seen
	}
	w.mu.Lock()
	w.gate = nil
	w.mu.Unlock()
	if states[0] != driver.RunUnderWay || states[len(states)-1] != driver.RunPublished || run.Read != 10 || run.Loaded != 10 || run.Ended == nil || run.Progress != nil {
		w.Errorf("went through %v to %+v", states, run)
	}
	if l := run.Loads; len(l) != 1 || l[0].Object != "GEN23.csv" || l[0].Level != egrid.GEN || l[0].Year != 2023 || l[0].Status != driver.RunPublished {
		w.Errorf("loads %+v", l)
	}
	if again := w.load(); again.Status != driver.RunUnchanged || again.Loaded != 0 || again.ID == run.ID {
		w.Errorf("again: %+v", again)
	}
	if runs, err := w.Runs(w.Context()); err != nil || len(runs) != 2 || runs[1].ID != run.ID || runs[0].Status != driver.RunUnchanged {
		w.Errorf("listed: %+v, %v", runs, err)
	}
	gone, cancel := context.WithCancel(w.Context())
	cancel()
	for _, err := range w.FollowRun(gone, run.ID) {
		if err != nil && !errors.Is(err, context.Canceled) {
			w.Errorf("followed by nobody: %v", err)
		}
	}
}

// rows counts what readers see.
func (w *works) rows() int64 {
	w.Helper()
	page, err := store.New(w.store).Rows(w.Context(), egrid.RowQuery{Level: egrid.GEN, Count: true})
	if err != nil {
		w.Fatal(err)
	}
	return page.Total
}

func (w *works) testHeld() {
	w.provide("OK", 5)
	held := w.load()
	if held.Status != driver.RunHeld || held.Loaded != 0 || held.Loads[0].ID == "" || !strings.Contains(held.Loads[0].Reason, "5 rows") {
		w.Fatalf("fewer rows: %+v", held)
	}
	if _, err := w.PublishRun(w.Context(), held.ID, driver.PublishAuto); !errors.Is(err, egrid.ErrInvalid) {
		w.Errorf("by auto: %v", err)
	}
	if got := w.rows(); got != 10 {
		w.Errorf("%d rows before the decision", got)
	}
	run, err := w.PublishRun(w.Context(), held.ID, "")
	if err != nil || run.Status != driver.RunPublished || run.Loaded != 5 || run.Loads[0].Reason != "" || w.rows() != 5 {
		w.Errorf("published: %+v, %v, %d rows", run, err, w.rows())
	}
	if got, err := w.loader.Run(w.Context(), held.ID); err != nil || got.Status != driver.RunPublished {
		w.Errorf("then it is %+v, %v", got, err)
	}
	for name, decide := range map[string]func() (driver.Run, error){
		"published": func() (driver.Run, error) { return w.PublishRun(w.Context(), held.ID, driver.PublishReplace) },
		"discarded": func() (driver.Run, error) { return w.DiscardRun(w.Context(), held.ID) },
	} {
		if _, err := decide(); !errors.Is(err, egrid.ErrConflict) {
			w.Errorf("%s again: %v", name, err)
		}
	}
	w.provide("NV", 2)
	held = w.load()
	if run, err := w.DiscardRun(w.Context(), held.ID); err != nil || run.Status != driver.RunDiscarded || w.rows() != 5 {
		w.Errorf("discarded: %+v, %v, %d rows", run, err, w.rows())
	}
	// Merging adds what is not there.
	if held = w.load(); held.Status != driver.RunHeld {
		w.Fatalf("after discarding: %+v", held)
	}
	if run, err := w.PublishRun(w.Context(), held.ID, driver.PublishMerge); err != nil || run.Status != driver.RunPublished {
		w.Errorf("merged: %+v, %v", run, err)
	}
}

// testForgotten: others list the run, and may decide on what it held, by the id of
// the load too.
func (w *works) testForgotten(make func(*works) loader) {
	w.provide("UT", 1)
	held := w.load()
	load := held.Loads[0].ID
	other := make(w)
	runs, err := other.Runs(w.Context())
	if err != nil || len(runs) < 2 || runs[0].ID != held.ID || runs[0].Trigger != driver.ByOrder || runs[0].Status != driver.RunHeld || runs[0].Loads[0].Object != "GEN23.csv" || runs[0].Read != 1 {
		w.Fatalf("another one lists %+v, %v", runs, err)
	}
	if run, err := other.Run(w.Context(), string(load)); err != nil || run.Status != driver.RunHeld {
		w.Errorf("another one has %+v, %v", run, err)
	}
	for run, err := range other.FollowRun(w.Context(), string(load)) {
		if err != nil || run.Status != driver.RunHeld {
			w.Errorf("another one follows %+v, %v", run, err)
		}
	}
	if run, err := other.PublishRun(w.Context(), string(load), driver.PublishReplace); err != nil || run.Status != driver.RunPublished || w.rows() != 1 {
		w.Errorf("another one published %+v, %v, %d rows", run, err, w.rows())
	}
	if run, err := other.Run(w.Context(), string(load)); err != nil || run.Status != driver.RunPublished {
		w.Errorf("another one remembers %+v, %v", run, err)
	}
	if run, err := w.loader.Run(w.Context(), held.ID); err != nil || run.Status != driver.RunPublished || run.Loaded != 1 {
		w.Errorf("the first one says %+v, %v", run, err)
	}
	if _, err := w.DiscardRun(w.Context(), held.ID); !errors.Is(err, egrid.ErrConflict) {
		w.Errorf("the first one discards: %v", err)
	}
}

// testHeldAgain decides on runs that held what was published before.
func (w *works) testHeldAgain() {
	replaceBy := func(state string, rows int) driver.Run {
		w.Helper()
		w.provide(state, rows)
		run, err := w.StartRun(w.Context(), driver.RunRequest{Publish: driver.PublishReplace})
		if err != nil {
			w.Fatal(err)
		}
		return w.finished(run.ID)
	}
	holdBefore := func() driver.Run {
		w.Helper()
		replaceBy("ME", 2)
		replaceBy("VT", 8)
		w.provide("ME", 2)
		held := w.load()
		if held.Status != driver.RunHeld || held.Loads[0].Reason == "" || w.rows() != 8 {
			w.Fatalf("fewer rows, which were published before: %+v; %d rows", held, w.rows())
		}
		return held
	}
	held := holdBefore()
	if run, err := w.DiscardRun(w.Context(), held.ID); err != nil || run.Status != driver.RunDiscarded || w.rows() != 8 {
		w.Errorf("discarded: %+v, %v, %d rows", run, err, w.rows())
	}
	held = holdBefore()
	if run, err := w.PublishRun(w.Context(), held.ID, ""); err != nil || run.Status != driver.RunPublished || run.Loaded != 2 || w.rows() != 2 {
		w.Errorf("published: %+v, %v, %d rows", run, err, w.rows())
	}
	// What somebody else decided, and what came after it.
	held = holdBefore()
	replaceBy("ME", 2)
	for i := range 2 {
		if run, err := w.loader.Run(w.Context(), held.ID); err != nil || run.Status != driver.RunPublished {
			w.Errorf("published by another run, with %d behind it: %+v, %v", i, run, err)
		}
		replaceBy("VT", 8)
	}
}

func (w *works) testFailures() {
	w.mu.Lock()
	w.files = fstest.MapFS{}
	w.mu.Unlock()
	if run := w.load(); run.Status != driver.RunFailed || !strings.Contains(run.Error, "nothing to load") || run.Ended == nil {
		w.Errorf("nothing there: %+v", run)
	}
	w.mu.Lock()
	w.files = fstest.MapFS{"GEN23.csv": {Data: []byte("no,sheet\n1,2\n")}}
	w.mu.Unlock()
	if run := w.load(); run.Status != driver.RunFailed || len(run.Loads) != 1 || run.Loads[0].Status != driver.RunFailed || run.Loads[0].Reason == "" {
		w.Errorf("no sheet: %+v", run)
	}
	if _, err := w.StartRun(w.Context(), driver.RunRequest{Publish: "maybe"}); !errors.Is(err, egrid.ErrInvalid) {
		w.Errorf("unknown policy: %v", err)
	}
	const none = "20250101T000000Z-aaaaaa"
	_, runErr := w.loader.Run(w.Context(), none)
	_, publishErr := w.PublishRun(w.Context(), none, "")
	_, discardErr := w.DiscardRun(w.Context(), none)
	for _, err := range []error{runErr, publishErr, discardErr} {
		if !errors.Is(err, egrid.ErrNotFound) {
			w.Errorf("an unknown run: %v", err)
		}
	}
	for _, err := range w.FollowRun(w.Context(), none) {
		if !errors.Is(err, egrid.ErrNotFound) {
			w.Errorf("an unknown run: %v", err)
		}
	}
}

// TestClosedRuns: closing ends what was started, and says so.
func TestClosedRuns(t *testing.T) {
	runs := etl.NewRuns(openSQLite(t), &etl.RunsOptions{Load: func(ctx context.Context, _ etl.Options) (etl.Report, error) {
		<-ctx.Done()
		return etl.Report{}, ctx.Err()
	}})
	run, err := runs.StartRun(t.Context(), driver.RunRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := runs.Close(); err != nil {
		t.Error(err)
	}
	if got, err := runs.Run(t.Context(), run.ID); err != nil || got.Status != driver.RunInterrupted || !strings.Contains(got.Error, "stopped") {
		t.Errorf("it ended as %+v, %v", got, err)
	}
	if _, err := runs.StartRun(t.Context(), driver.RunRequest{}); !errors.Is(err, egrid.ErrClosed) {
		t.Errorf("one more: %v", err)
	}
}

// TestRunsAreSeenAtOnce: who is told that a run has ended sees its data, though
// the API believes its catalogue for a second.
func TestRunsAreSeenAtOnce(t *testing.T) {
	w := &works{T: t, store: openSQLite(t)}
	c := overHTTP(t, closing(t, w.runs()), w.store)
	w.loader = c
	for i := range 5 {
		w.provide("TX", 10+i)
		run := w.load()
		page, err := store.New(c).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Count: true})
		if err != nil || page.Total != int64(10+i) {
			t.Errorf("run %d, which is %s: %d rows, %v", i, run.Status, page.Total, err)
		}
	}
}
