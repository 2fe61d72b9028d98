package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

func events(body string) step {
	return step{status: 200, header: map[string]string{"Content-Type": "text/event-stream"}, body: body}
}

// A stream that breaks is opened again, and what was refused for good is not.
func TestFollowRun(t *testing.T) {
	const running, done = "event: run\ndata: {\"run_id\":\"a\",\"status\":\"running\"}\n\n: still there\n\n", "event: run\ndata: {\"run_id\":\"a\",\"status\":\"held\"}\n\n"
	broken := step{err: io.ErrUnexpectedEOF}
	for name, test := range map[string]struct {
		steps []step
		seen  int   // events
		asked int   // requests
		err   error // nil for none
	}{
		"at once":         {[]step{events(running + done)}, 2, 1, nil},
		"broken off":      {[]step{events(running), broken, events(running), events(done)}, 3, 4, nil},
		"overloaded":      {[]step{problem(503, "later", "Retry-After", "2"), events(done)}, 1, 2, nil},
		"unknown":         {[]step{problem(404, "no run")}, 0, 1, egrid.ErrNotFound},
		"gone for good":   {[]step{events(running), broken}, 1, 3, io.ErrUnexpectedEOF},
		"never a word":    {[]step{events("")}, 0, 3, io.ErrUnexpectedEOF},
		"no stream":       {[]step{{status: 200, header: map[string]string{"Content-Type": "text/html"}}}, 0, 1, errAny},
		"no JSON":         {[]step{events("data: {\n\n")}, 0, 1, errAny},
		"more than asked": {[]step{events(done + running + done)}, 1, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{steps: test.steps}
				c := newClient(t, n, client.Options{Retries: 2})
				seen := 0
				var last error
				for _, err := range c.FollowRun(t.Context(), "a") {
					if last = err; err == nil {
						seen++
					}
				}
				if seen != test.seen || len(n.asked) != test.asked {
					t.Errorf("%d events of %d requests; want %d of %d", seen, len(n.asked), test.seen, test.asked)
				}
				if !errors.Is(last, test.err) && (last == nil || !errors.Is(test.err, errAny)) {
					t.Errorf("it ended with %v; want %v", last, test.err)
				}
			})
		})
	}
}

var errAny = errors.New("any")

// mute is a server that begins to answer and says no more.
type mute struct{ asked int }

func (m *mute) RoundTrip(r *http.Request) (*http.Response, error) {
	m.asked++
	pipe, _ := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = pipe.CloseWithError(r.Context().Err()) })
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: pipe, Request: r}, nil
}

func TestSilentEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, began := &mute{}, time.Now()
		c, err := client.New("http://api.example", &client.Options{HTTPClient: &http.Client{Transport: m}, Retries: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range c.FollowRun(t.Context(), "a") {
			if err == nil || !strings.Contains(err.Error(), "said nothing") {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(began); m.asked != 2 || took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("asked %d times in %s", m.asked, took)
		}
	})
}

// An order is given once, unless the server says that it was not taken.
func TestOrdersAreGivenOnce(t *testing.T) {
	const taken = `{"data":{"run_id":"a","status":"running"}}`
	ok := step{status: 202, header: map[string]string{"Content-Type": "application/json"}, body: taken}
	for name, test := range map[string]struct {
		steps []step
		asked int
		err   error
	}{
		"taken":     {[]step{ok}, 1, nil},
		"too often": {[]step{problem(429, "later", "Retry-After", "1"), ok}, 2, nil},
		"away":      {[]step{problem(503, "away"), ok}, 1, egrid.ErrUnavailable},
		"cut off":   {[]step{{err: io.ErrUnexpectedEOF}, ok}, 1, io.ErrUnexpectedEOF},
		"under way": {[]step{problem(409, "run a is under way")}, 1, egrid.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{steps: test.steps}
				began := time.Now()
				run, err := newClient(t, n, client.Options{Retries: 2}).StartRun(t.Context(), driver.RunRequest{Publish: driver.PublishMerge})
				if !errors.Is(err, test.err) || err == nil && run.ID != "a" || len(n.asked) != test.asked {
					t.Errorf("%+v, %v after %d requests and %s", run, err, len(n.asked), time.Since(began))
				}
				r := n.asked[0]
				body, err := io.ReadAll(r.Body)
				if err != nil || r.Method != "POST" || !strings.HasSuffix(r.URL.Path, "/runs") || string(body) != `{"publish":"merge"}` {
					t.Errorf("asked %s %s %s, %v", r.Method, r.URL, body, err)
				}
			})
		})
	}
}
