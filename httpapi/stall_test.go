package httpapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi"
)

// connect serves h and returns a connection on which little fits.
func connect(t *testing.T, h http.Handler, o httpapi.ServerOptions) net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer("", h, &o)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-ended })
	c, err := net.Dial("tcp", listener.Addr().String())
	if err == nil {
		err = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
	if err == nil {
		err = c.SetDeadline(time.Now().Add(30 * time.Second))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// One who takes nothing is cut off long before the whole answer had to end.
func TestStalledClientIsCutOff(t *testing.T) {
	failed := make(chan error, 1)
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte("x"), 64<<10)
		for {
			if _, err := w.Write(block); err != nil {
				failed <- err
				return
			}
		}
	}), httpapi.ServerOptions{StallTimeout: 100 * time.Millisecond})
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		t.Log(err)
	case <-time.After(20 * time.Second):
		t.Fatal("the answer is still written")
	}
}

// One who is slow gets everything, and a handler may think for as long as it
// likes between two writes; the connection serves on.
func TestSlowClientIsNotCutOff(t *testing.T) {
	const stall, pause, parts = 100 * time.Millisecond, 60 * time.Millisecond, 8
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range parts {
			fmt.Fprintf(w, "part %d\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			if r.URL.Path == "/thinks" {
				<-time.After(2 * stall)
			}
		}
	}), httpapi.ServerOptions{StallTimeout: stall, WriteTimeout: 20 * time.Second})
	in := bufio.NewReader(c)
	for _, path := range []string{"/thinks", "/", "/thinks"} {
		if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(answer.Body)
		n := 0
		for ; lines.Scan(); n++ {
			<-time.After(pause) // what makes it slow
		}
		answer.Body.Close()
		if n != parts || lines.Err() != nil {
			t.Errorf("%s: %d parts, %v", path, n, lines.Err())
		}
	}
}
