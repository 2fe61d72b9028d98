package httpapi_test

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// The two benchmarks answer the same bytes over a real connection each, with
// as many clients as there are processors: what the API adds to net/http is
// their difference.

func BenchmarkCachedTop(b *testing.B) {
	benchmarkServer(b, httpapi.New(benchStore(b), nil))
}

func BenchmarkBareHandler(b *testing.B) {
	w := get(b, httpapi.New(benchStore(b), nil), "/plants/top")
	body, length := w.Body.Bytes(), strconv.Itoa(w.Body.Len())
	benchmarkServer(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(body)
	}))
}

func benchStore(b *testing.B) *memstore.Store {
	store := memstore.New()
	b.Cleanup(func() { store.Close() })
	publish(b, store, "GEN23.csv", strings.NewReader(generators23))
	return store
}

func benchmarkServer(b *testing.B, h http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := httpapi.NewServer("", h, nil)
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { _ = server.Close() })
	url := "http://" + listener.Addr().String() + "/plants/top"
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}}
		defer client.CloseIdleConnections()
		for pb.Next() {
			resp, err := client.Get(url)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				b.Error(resp.Status, err)
			}
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkCachedTopInProcess is the handler without a network.
func BenchmarkCachedTopInProcess(b *testing.B) {
	h := httpapi.New(benchStore(b), nil)
	get(b, h, "/plants/top")
	b.ReportAllocs()
	for b.Loop() {
		if w := get(b, h, "/plants/top"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
