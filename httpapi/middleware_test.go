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

func TestAccessLogHasTheRoute(t *testing.T) {
	var log bytes.Buffer
	get(t, newAPI(sampleStore(t), &httpapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}), "/columns/NAMEPCAP")
	if !strings.Contains(log.String(), "route=/columns/{name} ") {
		t.Errorf("no route in %s", log.String())
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := get(t, newAPI(sampleStore(t), nil), "/plants/top?limit=0").Header()
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
