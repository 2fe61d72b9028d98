package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

const (
	sentTrace  = "0af7651916cd43dd8448eb211c80319c"
	sentSpan   = "b7ad6b7169203331"
	sentParent = "00-" + sentTrace + "-" + sentSpan + "-01"
)

// brokenStore panics whatever it is asked, and failingStore fails.
type (
	brokenStore  struct{ driver.Scanner }
	failingStore struct{ driver.Scanner }
)

func (failingStore) Catalog(context.Context) (egrid.Catalog, error) {
	return egrid.Catalog{}, errors.New("disk full")
}

// TestTraceInLogs asks the API with a logger that knows nothing of traces: the
// access log and the cause of a 500 have the trace, once, and so has what panics.
func TestTraceInLogs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := &httpapi.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil)),
		Checks: []httpapi.ReadinessCheck{{Name: "x", Check: nil}}} // which panics
	for target, h := range map[string]http.Handler{
		"/plants/years": newAPI(sampleStore(t), o),
		"/no/such/path": newAPI(sampleStore(t), o),
		"/plants/top":   newAPI(brokenStore{}, o), // panics
		"/plants/1":     newAPI(failingStore{}, o),
		"/readyz":       newAPI(sampleStore(t), o),
		"/beside":       middleware.Traces(middleware.AccessLog(http.NotFoundHandler(), o.Logger)),
		"/panics":       middleware.Traces(middleware.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("x")) }), o.Logger)),
	} {
		log.Reset()
		get(t, h, target, "traceparent", sentParent)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		spans := map[string]bool{}
		for _, text := range lines {
			var line struct {
				TraceID string `json:"trace_id"`
				SpanID  string `json:"span_id"`
			}
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
			spans[line.SpanID] = true
			if line.TraceID != sentTrace || line.SpanID == sentSpan || strings.Count(text, `"trace_id"`) != 1 {
				t.Errorf("%s: %s", target, text)
			}
		}
		if len(spans) != 1 || (target == "/plants/top" || target == "/plants/1") != (len(lines) == 2) {
			t.Errorf("%s: %d lines of %d spans:\n%s", target, len(lines), len(spans), log.String())
		}
	}
}

// TestClientSendsTrace: the trace of a ctx goes over the wire into the server's
// log.
func TestClientSendsTrace(t *testing.T) {
	t.Parallel()
	var headers []http.Header
	api := newAPI(sampleStore(t), nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers = append(headers, r.Header.Clone())
		api.ServeHTTP(w, r)
	}))
	defer server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := trace.Parse(sentParent, "a=1")
	if _, err := c.Catalog(trace.NewContext(t.Context(), s)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Catalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(headers) != 2 || headers[0].Get("traceparent") != sentParent || headers[0].Get("tracestate") != "a=1" || len(headers[1].Values("traceparent")) > 0 {
		t.Errorf("sent %v", headers)
	}
}
