package service_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

// TestLevelGoesBack changes the level in turns, for a time and for good.
func TestLevelGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := service.NewLevel()
		l.Var().Set(slog.LevelWarn)
		want := func(level slog.Level) {
			t.Helper()
			synctest.Wait()
			if got := l.Var().Level(); got != level {
				t.Errorf("%v: %s; want %s", time.Now(), got, level)
			}
		}
		l.Set(slog.LevelDebug, 10*time.Minute)
		want(slog.LevelDebug)
		time.Sleep(9 * time.Minute)
		want(slog.LevelDebug)
		l.Set(slog.LevelInfo, 10*time.Minute) // takes its place; the former level stays
		time.Sleep(2 * time.Minute)
		want(slog.LevelInfo)
		time.Sleep(8 * time.Minute)
		want(slog.LevelWarn)
		l.Set(slog.LevelDebug, time.Minute)
		l.Set(slog.LevelError, 0) // for good
		time.Sleep(time.Hour)
		want(slog.LevelError)
		l.Set(slog.LevelDebug, time.Minute)
		time.Sleep(time.Hour)
		want(slog.LevelError)
	})
}

// TestLogLevel sets the level of services that run, by their own ports.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	dir, keys := build(t), filepath.Join(t.TempDir(), "keys")
	const any, admin, writer = "--addr=127.0.0.1:0", "0123456789abcdef0123456789abcdef-admin", "0123456789abcdef0123456789abcdef-writer"
	lines := fmt.Sprintf("boss admin %x\nloader write %x\n", sha256.Sum256([]byte(admin)), sha256.Sum256([]byte(writer)))
	if err := os.WriteFile(keys, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	key := "--api-keys-file=" + keys
	for name, args := range map[string][]string{
		"api":      {"api", "--store=mem:", any, key},
		"web":      {"web", any, key},
		"gateway":  {"gateway", "--api=http://127.0.0.1:1", "--web=http://127.0.0.1:1", any, key},
		"etl":      {"etl", "--store=mem:", "--queue=mem:", any, key, "--rejects=" + t.TempDir(), t.TempDir()},
		"database": {"consumer", "database", "--store=mem:", "--queue=mem:", any, key},
		"closed":   {"web", any},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, filepath.Join(dir, args[0]), args[1:]...)
			ask := func(method, query, key string) (int, string) {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), method, p.url+"/log-level"+query, nil)
				if err != nil {
					t.Fatal(err)
				}
				if key != "" {
					r.Header.Set("X-API-Key", key)
				}
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				b, _ := io.ReadAll(answer.Body)
				return answer.StatusCode, string(b)
			}
			if name == "closed" { // without keys nobody may
				for _, k := range []string{"", admin} {
					if status, body := ask(http.MethodPut, "?level=debug", k); status != http.StatusForbidden {
						t.Errorf("%d %s", status, body)
					}
				}
				return
			}
			for _, test := range []struct {
				method, query, key string
				status             int
				want               string
			}{
				{"GET", "", admin, 200, `{"level":"info"}`},
				{"PUT", "?level=debug", "", 401, "scope admin"},
				{"PUT", "?level=debug", writer, 403, "scope admin"},
				{"PUT", "?level=debug", "guess", 401, ""},
				{"POST", "?level=debug", admin, 405, ""},
				{"PUT", "", admin, 400, "debug, info, warn or error"},
				{"PUT", "?level=trace", admin, 400, "debug, info, warn or error"},
				{"PUT", "?level=debug&for=soon", admin, 400, "10m"},
				{"PUT", "?level=debug&for=-1s", admin, 400, "10m"},
				{"PUT", "?level=debug&for=1000h", admin, 400, "168h"},
				{"PUT", "?level=debug&during=1h", admin, 400, "during"},
				{"GET", "", admin, 200, `{"level":"info"}`}, // nothing of these did anything
				{"PUT", "?level=debug&for=1h", admin, 200, `"then":"info"`},
				{"PUT", "?level=error", admin, 200, `{"level":"error"}`},
				{"PUT", "?level=debug", admin, 200, `{"level":"debug"}`},
			} {
				status, body := ask(test.method, test.query, test.key)
				if status != test.status || !strings.Contains(body, test.want) {
					t.Errorf("%s %s: %d %s; want %d %s", test.method, test.query, status, body, test.status, test.want)
				}
			}
			for wait := newPatience(t); strings.Count(p.log.String(), `"msg":"log level changed"`) < 2; wait(p.log.String()) {
			}
			if text := p.log.String(); !strings.Contains(text, `"subject":"key:boss"`) || strings.Contains(text, admin) {
				t.Errorf("%s", text)
			}
		})
	}
}

// TestSpansOfAProcess: a service sends what is left when it is told to stop.
func TestSpansOfAProcess(t *testing.T) {
	t.Parallel()
	sent := make(chan []byte, 100)
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent <- b
	}))
	defer to.Close()
	p := start(t, filepath.Join(build(t), "web"), "--addr=127.0.0.1:0", "--otlp="+to.URL)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	id := []byte("0123456789abcdef")
	r.Header.Set("traceparent", fmt.Sprintf("00-%x-b7ad6b7169203331-01", id))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-p.end
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	select {
	case b := <-sent:
		if !bytes.Contains(b, id) || !bytes.Contains(b, []byte("egrid-web")) {
			t.Errorf("%q", b)
		}
	case <-ctx.Done():
		t.Errorf("nothing was sent\n%s", &p.log)
	}
}

// TestLevelOfJSON: the answer says until when a change holds.
func TestLevelOfJSON(t *testing.T) {
	t.Parallel()
	l, mux := service.NewLevel(), http.NewServeMux()
	l.Mount(mux, nil, slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/log-level?level=debug", nil))
	var problem struct{ Status int }
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || problem.Status != http.StatusForbidden || l.Var().Level() != slog.LevelInfo {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
