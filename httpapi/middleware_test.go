package httpapi_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi"
)

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	var inside string
	h := httpapi.RequestIDs(httpapi.RequestIDs(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = httpapi.RequestID(r.Context()) })))
	for sent, keep := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, "new\nline": false, strings.Repeat("x", 65): false, "ünicode": false} {
		w := get(t, h, "/", "X-Request-ID", sent)
		got := w.Header().Get("X-Request-ID")
		if got == "" || got != inside || (got == sent) != keep {
			t.Errorf("sent %q: answered %q, inside %q", sent, got, inside)
		}
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	w := get(t, httpapi.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") }), logger), "/")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(log.String(), "secret") {
		t.Errorf("%d %s; log %s", w.Code, w.Body, log.String())
	}
	for name, h := range map[string]http.HandlerFunc{
		"answer has begun": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")); panic("secret") },
		"aborted":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if p, _ := recover().(error); !errors.Is(p, http.ErrAbortHandler) {
					t.Errorf("panicked with %v", p)
				}
			}()
			get(t, httpapi.Recover(h, nil), "/")
		})
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := httpapi.AccessLog(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short"))
	}), slog.New(slog.NewTextHandler(&log, nil)))
	get(t, httpapi.RequestIDs(h), "/pot?size=2")
	for _, want := range []string{"status=418", "bytes=5", "path=/pot", `query="size=2"`, "request_id=test", "method=GET", "aborted=false"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
	log.Reset()
	get(t, httpapi.New(sampleStore(t), &httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}), "/columns/NAMEPCAP")
	if !strings.Contains(log.String(), "route=/columns/{name} ") {
		t.Errorf("no route in %s", log.String())
	}
}

func TestLimitBody(t *testing.T) {
	t.Parallel()
	h := httpapi.LimitBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := get(t, httpapi.New(sampleStore(t), nil), "/plants/top?limit=0").Header()
	if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v", h)
	}
}

func TestNewServer(t *testing.T) {
	t.Parallel()
	s := httpapi.NewServer("127.0.0.1:0", http.NotFoundHandler(), nil)
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.IdleTimeout <= 0 || s.WriteTimeout < 10*time.Minute || s.MaxHeaderBytes != 32<<10 || s.ErrorLog == nil {
		t.Errorf("%+v", s)
	}
	s = httpapi.NewServer("", nil, &httpapi.ServerOptions{WriteTimeout: -1, ReadTimeout: time.Second})
	if s.WriteTimeout != 0 || s.ReadTimeout != time.Second {
		t.Errorf("%+v", s)
	}
}

// A client that sends its header drop by drop is cut off.
func TestSlowHeaderIsCutOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config = httpapi.NewServer("", http.NotFoundHandler(), &httpapi.ServerOptions{ReadHeaderTimeout: 50 * time.Millisecond})
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// A server that had not read the header yet resets the connection.
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open: %v", err)
	}
}
