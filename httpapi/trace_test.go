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
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

const (
	sentTrace  = "0af7651916cd43dd8448eb211c80319c"
	sentSpan   = "b7ad6b7169203331"
	sentParent = "00-" + sentTrace + "-" + sentSpan + "-01"
)

func TestTraces(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parents, states []string
		taken           bool
		state           string
	}{
		"none":            {nil, nil, false, ""},
		"taken over":      {[]string{sentParent}, []string{"a=1"}, true, "a=1"},
		"state in two":    {[]string{sentParent}, []string{"a=1", "b=2"}, true, "a=1,b=2"},
		"state too long":  {[]string{sentParent}, []string{"a=" + strings.Repeat("x", 600)}, true, ""},
		"invalid state":   {[]string{sentParent}, []string{"a"}, true, ""},
		"two parents":     {[]string{sentParent, sentParent}, []string{"a=1"}, false, ""},
		"capitals":        {[]string{strings.ToUpper(sentParent)}, []string{"a=1"}, false, ""},
		"version ff":      {[]string{"ff" + sentParent[2:]}, nil, false, ""},
		"zero":            {[]string{"00-" + strings.Repeat("0", 32) + "-" + sentSpan + "-01"}, nil, false, ""},
		"too long":        {[]string{sentParent + "-00"}, nil, false, ""},
		"state alone":     {nil, []string{"a=1"}, false, ""},
		"lines in parent": {[]string{sentParent[:50] + "\r\nx"}, nil, false, ""},
	} {
		var outer, inner trace.Span
		h := httpapi.Traces(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			outer = trace.FromContext(r.Context())
			httpapi.Traces(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inner = trace.FromContext(r.Context()) })).ServeHTTP(w, r)
		}))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["Traceparent"], r.Header["Tracestate"] = test.parents, test.states
		h.ServeHTTP(httptest.NewRecorder(), r)
		if !outer.IsValid() || inner != outer || (outer.TraceID.String() == sentTrace) != test.taken || outer.ID.String() == sentSpan || outer.State != test.state {
			t.Errorf("%s: %+v, and %+v within", name, outer, inner)
		}
	}
}

// brokenStore panics whatever it is asked, and failingStore fails.
type (
	brokenStore  struct{ egrid.Querier }
	failingStore struct{ egrid.Querier }
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
		"/plants/years": httpapi.New(sampleStore(t), o),
		"/no/such/path": httpapi.New(sampleStore(t), o),
		"/plants/top":   httpapi.New(brokenStore{}, o), // panics
		"/plants/1":     httpapi.New(failingStore{}, o),
		"/readyz":       httpapi.New(sampleStore(t), o),
		"/beside":       httpapi.Traces(httpapi.AccessLog(http.NotFoundHandler(), o.Logger)),
		"/panics":       httpapi.Traces(httpapi.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("x")) }), o.Logger)),
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
	api := httpapi.New(sampleStore(t), nil)
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

func TestTraceID(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	var got string
	h := httpapi.Traces(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = httpapi.TraceID(r.Context()) }))
	get(t, h, "/", "traceparent", "00-"+id+"-b7ad6b7169203331-01")
	if got != id || httpapi.TraceID(t.Context()) != "" {
		t.Errorf("got %q, and %q outside", got, httpapi.TraceID(t.Context()))
	}
	if get(t, h, "/"); got == id || len(got) != len(id) {
		t.Errorf("a new one is %q", got)
	}
}
