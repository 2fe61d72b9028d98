package middleware_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// get asks a handler without a network.
func get(t testing.TB, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("X-Request-ID", "test")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func checkProblem(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	var p wire.Problem
	err := json.Unmarshal(w.Body.Bytes(), &p)
	if err != nil || w.Header().Get("Content-Type") != wire.TypeProblem || p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("%s: no problem: %v %s", name, w.Header(), w.Body)
	}
}

func TestRequestIDs(t *testing.T) {
	var inside string
	h := middleware.RequestIDs(middleware.RequestIDs(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = middleware.RequestID(r.Context()) })))
	for sent, keep := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, "new\nline": false, strings.Repeat("x", 65): false, "ünicode": false} {
		w := get(t, h, "/", "X-Request-ID", sent)
		got := w.Header().Get("X-Request-ID")
		if got == "" || got != inside || (got == sent) != keep {
			t.Errorf("sent %q: answered %q, inside %q", sent, got, inside)
		}
	}
}

func TestRecover(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	w := get(t, middleware.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") }), logger), "/")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(log.String(), "secret") {
		t.Errorf("%d %s; log %s", w.Code, w.Body, log.String())
	}
	for name, h := range map[string]http.HandlerFunc{
		"answer has begun": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")); panic("secret") },
		"aborted":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(error); !errors.Is(p, http.ErrAbortHandler) {
					t.Errorf("panicked with %v", p)
				}
			}()
			get(t, middleware.Recover(h, nil), "/")
		})
	}
}

func TestAccessLog(t *testing.T) {
	var log bytes.Buffer
	h := middleware.AccessLog(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short"))
	}), slog.New(slog.NewTextHandler(&log, nil)))
	get(t, middleware.RequestIDs(h), "/pot?size=2")
	for _, want := range []string{"status=418", "bytes=5", "path=/pot", `query="size=2"`, "request_id=test", "method=GET", "aborted=false"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
}

func TestLimitBody(t *testing.T) {
	h := middleware.LimitBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}), 10)
	for _, test := range []struct {
		body   io.Reader
		status int
	}{
		{strings.NewReader("1234567890"), 200},
		{strings.NewReader("12345678901"), 413},
		{io.MultiReader(strings.NewReader("12345678901")), 400}, // length not told
		{nil, 200},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", test.body))
		if w.Code != test.status {
			t.Errorf("%d; want %d", w.Code, test.status)
		}
	}
}

func TestCheckOrigin(t *testing.T) {
	for _, origin := range []string{"*", "http://localhost", "http://localhost:5173", "https://grid.example", "http://127.0.0.1:4000", "http://[::1]:4000", "https://xn--bcher-kva.example"} {
		if err := middleware.CheckOrigin(origin); err != nil {
			t.Error(err)
		}
	}
	for _, origin := range []string{
		"", "null", "grid.example", "//grid.example", "https://", "https://:443", "https://grid.example/", "https://grid.example/app", "https://grid.example?x", "https://grid.example#x",
		"https://u:p@grid.example", "https://*.grid.example", "https://*", "**", "ftp://grid.example", "https://Grid.example", "https://grid.example ", "https://grid.example,https://other.example", "https://a.example,b.example",
		"https://grid.example:port", "https://grid.example:443", "http://grid.example:80",
	} {
		if err := middleware.CheckOrigin(origin); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: got %v; want ErrInvalid", origin, err)
		}
	}
}

const (
	sentTrace  = "0af7651916cd43dd8448eb211c80319c"
	sentSpan   = "b7ad6b7169203331"
	sentParent = "00-" + sentTrace + "-" + sentSpan + "-01"
)

func TestTraces(t *testing.T) {
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
		h := middleware.Traces(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			outer = trace.FromContext(r.Context())
			middleware.Traces(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inner = trace.FromContext(r.Context()) })).ServeHTTP(w, r)
		}))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["Traceparent"], r.Header["Tracestate"] = test.parents, test.states
		h.ServeHTTP(httptest.NewRecorder(), r)
		if !outer.IsValid() || inner != outer || (outer.TraceID.String() == sentTrace) != test.taken || outer.ID.String() == sentSpan || outer.State != test.state {
			t.Errorf("%s: %+v, and %+v within", name, outer, inner)
		}
	}
}

func TestTraceID(t *testing.T) {
	const id = "0af7651916cd43dd8448eb211c80319c"
	var got string
	h := middleware.Traces(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = middleware.TraceID(r.Context()) }))
	get(t, h, "/", "traceparent", "00-"+id+"-b7ad6b7169203331-01")
	if got != id || middleware.TraceID(t.Context()) != "" {
		t.Errorf("got %q, and %q outside", got, middleware.TraceID(t.Context()))
	}
	if get(t, h, "/"); got == id || len(got) != len(id) {
		t.Errorf("a new one is %q", got)
	}
}
