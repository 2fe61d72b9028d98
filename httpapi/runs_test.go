package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

const (
	runID  = "20250701T120000Z-k3x9qa"
	heldID = "20250702T120000Z-m5c2vb"
)

// steadyRunner has two runs, one of which holds something. The story of real
// runners is told by the tests of the hosts.
type steadyRunner struct {
	states func(yield func(driver.Run, error) bool) // of every run that is followed; nil for its only one
	err    error                                    // of everything
}

func steadyRuns() []driver.Run {
	started := time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC)
	ended := started.Add(3 * time.Second)
	runs := []driver.Run{
		{ID: heldID, Started: started.AddDate(0, 0, 1), Loads: []driver.RunLoad{
			{ID: "0f3a5c7e9b1d2f4a6c8e0b2d", Object: "GEN23.csv", Level: egrid.GEN, Year: 2023, Read: 20, Status: driver.RunHeld, Reason: "it has 20 rows where 150 are published"},
		}},
		{ID: runID, Started: started, Loads: []driver.RunLoad{
			{Object: "egrid2023.zip", Sheet: "GEN23.csv", Level: egrid.GEN, Year: 2023, Release: "rev2", Read: 151, Loaded: 150, Rejected: 1, Status: driver.RunPublished,
				Rejects: []driver.RunReject{{Reason: "not a number", Column: "net_generation_mwh", Count: 1, Line: 17, Value: "12 apples", Remedy: "mend the file"}}},
			{Object: "notes.csv", Status: driver.RunFailed, Reason: "no row of column codes was found"},
		}},
	}
	for i := range runs {
		runs[i].Ended = &ended
		runs[i].Conclude()
	}
	return runs
}

func (s steadyRunner) Runs(context.Context) ([]driver.Run, error) { return steadyRuns(), s.err }

func (s steadyRunner) Run(_ context.Context, id string) (driver.Run, error) {
	runs := steadyRuns()
	i := slices.IndexFunc(runs, func(r driver.Run) bool { return r.ID == id })
	if i < 0 {
		return driver.Run{}, fmt.Errorf("%w: no run %q", egrid.ErrNotFound, id)
	}
	return runs[i], s.err
}

func (s steadyRunner) FollowRun(ctx context.Context, id string) iter.Seq2[driver.Run, error] {
	if s.states != nil {
		return s.states
	}
	return func(yield func(driver.Run, error) bool) { yield(s.Run(ctx, id)) }
}

func (s steadyRunner) StartRun(_ context.Context, r driver.RunRequest) (driver.Run, error) {
	run := driver.Run{ID: runID, Status: driver.RunUnderWay, Started: time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC), Loads: []driver.RunLoad{}}
	if r.Publish == driver.PublishHold {
		return run, fmt.Errorf("%w: run %s is under way", egrid.ErrConflict, runID)
	}
	return run, s.err
}

func (s steadyRunner) PublishRun(ctx context.Context, id string, p driver.Policy) (driver.Run, error) {
	return s.decide(ctx, id, driver.RunPublished)
}

func (s steadyRunner) DiscardRun(ctx context.Context, id string) (driver.Run, error) {
	return s.decide(ctx, id, driver.RunDiscarded)
}

func (s steadyRunner) decide(ctx context.Context, id string, status driver.RunStatus) (driver.Run, error) {
	run, err := s.Run(ctx, id)
	if err == nil && run.Status != driver.RunHeld {
		err = fmt.Errorf("%w: run %s holds nothing", egrid.ErrConflict, id)
	}
	if err != nil {
		return driver.Run{}, err
	}
	run.Loads[0].Status, run.Loads[0].Reason = status, ""
	run.Conclude()
	return run, nil
}

// may is an authenticator by which a header tells the scope.
func may(r *http.Request) (middleware.Identity, error) {
	if scope := r.Header.Get("X-Scope"); scope != "" {
		return middleware.Identity{Subject: "test", Scopes: []middleware.Scope{middleware.Scope(scope)}}, nil
	}
	return middleware.Identity{}, nil
}

func runsAPI(t testing.TB, r driver.Runner) http.Handler {
	t.Helper()
	return newAPI(memstore.New().Driver(), &httpapi.Options{Runs: r, Authenticate: may, MaxBodyBytes: 1000})
}

// ask makes a request with scope write and a body of JSON, unless the header
// says otherwise.
func ask(t testing.TB, h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), strings.ToUpper(method), target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Scope", "write")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestRuns compares every answer about runs with its golden file and with the
// document.
func TestRuns(t *testing.T) {
	t.Parallel()
	h := runsAPI(t, steadyRunner{})
	document := documentOf(t, h)
	for name, test := range map[string]struct {
		method, target, body string
		status               int
	}{
		"runs":              {"get", "/runs", "", 200},
		"run":               {"get", "/runs/" + heldID, "", 200},
		"run_unknown":       {"get", "/runs/none", "", 404},
		"run_start":         {"post", "/runs", "", 202},
		"run_start_policy":  {"post", "/runs", `{"publish":"replace"}`, 202},
		"run_start_again":   {"post", "/runs", `{"publish":"hold"}`, 409},
		"run_start_badly":   {"post", "/runs", `{"publish":"maybe","when":1}`, 400},
		"run_publish":       {"post", "/runs/" + heldID + "/publish", `{"policy":"merge"}`, 200},
		"run_publish_auto":  {"post", "/runs/" + heldID + "/publish", `{"policy":"auto"}`, 400},
		"run_publish_other": {"post", "/runs/" + runID + "/publish", "", 409},
		"run_discard":       {"post", "/runs/" + heldID + "/discard", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, test.method, test.target, test.body)
			if w.Code != test.status || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, %v", w.Code, w.Header())
			}
			document.check(t, test.method, document.pathOf(test.target), test.target, w)
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, w.Body.Bytes(), "", "  "); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			golden(t, name, pretty.Bytes())
		})
	}
	if w := ask(t, h, "post", "/runs", ""); w.Header().Get("Location") != "/runs/"+runID {
		t.Errorf("started at %q", w.Header().Get("Location"))
	}
	prefixed := http.StripPrefix("/api/v1", h)
	if w := ask(t, prefixed, "post", "/api/v1/runs/"+heldID+"/discard", ""); w.Header().Get("Location") != "/api/v1/runs/"+heldID {
		t.Errorf("discarded at %q: %s", w.Header().Get("Location"), w.Body)
	}
	list := records(t, get(t, h, "/runs?format=csv").Body.String())
	if len(list) != 3 || list[1][0] != heldID || list[1][1] != "held" || list[2][5] != "150" {
		t.Errorf("as CSV: %q", list)
	}
}

// TestOrdersAreRefused: what is wrong with an order is told before anything is
// done.
func TestOrdersAreRefused(t *testing.T) {
	t.Parallel()
	h := runsAPI(t, steadyRunner{err: errors.New("it was done")})
	for name, test := range map[string]struct {
		target, body string
		header       []string
		status       int
		detail       string
	}{
		"no credentials":   {"/runs", "", []string{"X-Scope", ""}, 401, "scope write"},
		"scope read":       {"/runs", "", []string{"X-Scope", "read"}, 403, "scope write"},
		"publish to read":  {"/runs/x/publish", "", []string{"X-Scope", "read"}, 403, "scope write"},
		"discard to read":  {"/runs/x/discard", "", []string{"X-Scope", "read"}, 403, "scope write"},
		"text":             {"/runs", "hello", []string{"Content-Type", "text/plain"}, 415, "application/json"},
		"form":             {"/runs", "publish=hold", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		"no content type":  {"/runs", "{}", []string{"Content-Type", ""}, 415, "application/json"},
		"no JSON":          {"/runs", "{", nil, 400, "no JSON"},
		"two documents":    {"/runs", "{}{}", nil, 400, "no JSON"},
		"null":             {"/runs", "null", nil, 400, "object"},
		"list":             {"/runs", "[]", nil, 400, "object"},
		"number":           {"/runs", `{"publish":1}`, nil, 400, "string"},
		"unknown field":    {"/runs", `{"source":"s3://other/"}`, nil, 400, "unexpected property"},
		"too long":         {"/runs", `{"publish":"` + strings.Repeat("x", 1000) + `"}`, nil, 413, "at most"},
		"parameter":        {"/runs?publish=auto", "", nil, 400, "publish"},
		"body to discard":  {"/runs/x/discard", "{}", nil, 400, "takes no body"},
		"id that is none":  {"/runs/..%2f..%2fetc/discard", "", nil, 400, "id"},
		"only as CSV":      {"/runs", "", []string{"Accept", "text/csv"}, 406, "json"},
		"put":              {"/runs", "", []string{":method", "PUT"}, 405, "GET, HEAD, POST, OPTIONS"},
		"get of an order":  {"/runs/x/publish", "", []string{":method", "GET"}, 405, "POST, OPTIONS"},
		"unknown order":    {"/runs/x/delete", "", nil, 404, "no such path"},
		"what would be it": {"/runs", "{}", nil, 500, "went wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			method := "post"
			if len(test.header) > 0 && test.header[0] == ":method" {
				method, test.header = test.header[1], nil
			}
			w := ask(t, h, method, test.target, test.body, test.header...)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.detail) {
				t.Errorf("%d %s; want %d and %q", w.Code, w.Body, test.status, test.detail)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
		})
	}
	// Without credentials there is nobody who may.
	open := newAPI(memstore.New().Driver(), &httpapi.Options{Runs: steadyRunner{}})
	if w := ask(t, open, "post", "/runs", ""); w.Code != http.StatusForbidden {
		t.Errorf("an open service: %d %s", w.Code, w.Body)
	}
	if w := get(t, newAPI(memstore.New().Driver(), nil), "/runs"); w.Code != http.StatusNotFound {
		t.Errorf("a service without runs: %d", w.Code)
	}
}

// progressing is a run that goes on for some time.
func progressing(pauses ...time.Duration) func(func(driver.Run, error) bool) {
	return func(yield func(driver.Run, error) bool) {
		run := driver.Run{ID: runID, Status: driver.RunUnderWay, Loads: []driver.RunLoad{}}
		for i, pause := range pauses {
			run.Progress = &driver.RunProgress{Stage: "stream", Object: "a\r\nb", Rows: int64(i)}
			if !yield(run, nil) {
				return
			}
			time.Sleep(pause)
		}
		yield(steadyRuns()[1], nil)
	}
}

func TestRunEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := runsAPI(t, steadyRunner{states: progressing(time.Second, 40*time.Second)})
		w := get(t, h, "/runs/"+runID+"/events", "Accept", "text/event-stream")
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" || w.Header().Get("Cache-Control") != "no-store" || !w.Flushed {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		events := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n")
		var kinds []string
		for _, e := range events {
			if e == ": still there" {
				kinds = append(kinds, "beat")
				continue
			}
			var run driver.Run
			data, ok := strings.CutPrefix(e, "event: run\ndata: ")
			if err := json.Unmarshal([]byte(data), &run); !ok || err != nil || strings.Contains(data, "\n") {
				t.Fatalf("event %q: %v", e, err)
			}
			kinds = append(kinds, string(run.Status))
		}
		if want := "[running running beat beat published]"; fmt.Sprint(kinds) != want {
			t.Errorf("got %v; want %s", kinds, want)
		}
	})
}

// Who takes anything gets the events: that is what most programs send.
func TestRunEventsForAnybody(t *testing.T) {
	t.Parallel()
	h := runsAPI(t, steadyRunner{states: progressing(0, 0)})
	for _, accept := range []string{"", "*/*", "text/html, */*;q=0.8"} {
		if w := get(t, h, "/runs/"+runID+"/events", "Accept", accept); w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("accepting %q: %d %v", accept, w.Code, w.Header())
		}
	}
}

func TestRunEventsThatEndBadly(t *testing.T) {
	t.Parallel()
	h := runsAPI(t, steadyRunner{})
	if w := get(t, h, "/runs/none/events"); w.Code != http.StatusNotFound {
		t.Errorf("an unknown run: %d", w.Code)
	}
	for _, target := range []string{"/runs/none/events", "/runs/" + runID + "/events"} {
		w := ask(t, h, "head", target, "")
		if want := map[bool]int{true: 200, false: 404}[strings.Contains(target, runID)]; w.Code != want || w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d %q", target, w.Code, w.Body)
		}
	}
	if w := get(t, h, "/runs/"+runID+"/events", "Accept", "text/csv"); w.Code != http.StatusOK {
		t.Errorf("who likes CSV: %d", w.Code)
	}
	// A stream that cannot go on breaks off instead of ending.
	server := httptest.NewServer(runsAPI(t, steadyRunner{states: func(yield func(driver.Run, error) bool) {
		_ = yield(driver.Run{ID: runID, Status: driver.RunUnderWay}, nil) && yield(driver.Run{}, errors.New("the store is away"))
	}}))
	defer server.Close()
	response, err := http.Get(server.URL + "/runs/" + runID + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(body, []byte("event: run\n")) || bytes.Contains(body, []byte("away")) {
		t.Errorf("it ended with %v after %q", err, body)
	}
}

// A server that is told to stop does not wait for runs.
func TestRunEventsWhenTheServerStops(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	h := runsAPI(t, steadyRunner{states: func(yield func(driver.Run, error) bool) {
		_ = yield(driver.Run{ID: runID, Status: driver.RunUnderWay}, nil)
		<-ended
	}})
	defer close(ended)
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer("", h, nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/runs/" + runID + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the stream ended as if the run had")
	}
}
