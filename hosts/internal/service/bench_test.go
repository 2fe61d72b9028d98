package service_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

const top = "/plants/top"

// BenchmarkTop answers the same bytes, headers among them, over real connections, by the service and
// by a bare handler on a server of net/http with the same timeouts and nothing of
// ours, with as many clients as there are processors. The two take turns of 2,000
// requests. The ratio of their requests per second is what the API costs.
func BenchmarkTop(b *testing.B) {
	store := memstore.New()
	defer store.Close()
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(store), nil).Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	h := service.API(b.Context(), store.Driver(), telemetry.New(), httpapi.Options{})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, top, nil))
	header, body := w.Header(), w.Body.Bytes()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		_, _ = w.Write(body)
	})
	ours := serveTop(b, httpapi.NewServer("", h, nil))
	server := httpapi.NewServer("", nil, nil)
	server.Handler = bare // without our guard against stalls
	theirs := serveTop(b, server)
	var cached, plain time.Duration
	rounds := 0
	for b.Loop() {
		cached += askTop(b, ours)
		plain += askTop(b, theirs)
		rounds++
	}
	requests := float64(rounds * topRound)
	b.ReportMetric(requests/cached.Seconds(), "cached-req/s")
	b.ReportMetric(requests/plain.Seconds(), "bare-req/s")
	b.ReportMetric(plain.Seconds()/cached.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op") // of both together means nothing
}

const topRound = 2000

func serveTop(b *testing.B, server *http.Server) (url string) {
	b.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	return "http://" + listener.Addr().String() + top
}

// askTop makes the requests of a round.
func askTop(b *testing.B, url string) time.Duration {
	b.Helper()
	clients := runtime.GOMAXPROCS(0)
	began := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}}
			defer client.CloseIdleConnections()
			for range topRound / clients {
				if err := fetch(b.Context(), client, url); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

func fetch(ctx context.Context, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
