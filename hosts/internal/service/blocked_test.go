package service

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// TestBlockedIsNotReady fills a queue: a service that publishes is not ready, and
// says why, until there is room again.
func TestBlockedIsNotReady(t *testing.T) {
	b := memqueue.New(&memqueue.Options{MaxMessages: 1})
	defer b.Close()
	p := &Process{Context: t.Context(), Log: slog.New(slog.DiscardHandler), Metrics: telemetry.New()}
	probes := p.Probes(PublishCheck(b))
	ready := func() (int, string) {
		w := httptest.NewRecorder()
		probes.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		return w.Code, w.Body.String()
	}
	if code, text := ready(); code != http.StatusOK {
		t.Errorf("with room: %d %s", code, text)
	}
	if err := b.Publish(t.Context(), queue.Message{Key: queue.KeyChunk}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Publish(ctx, queue.Message{Key: queue.KeyChunk}) }()
	for b.Blocked(t.Context()) == nil {
		if t.Context().Err() != nil {
			t.Fatal("never blocked")
		}
	}
	if code, text := ready(); code != http.StatusServiceUnavailable || !strings.Contains(text, "full: "+queue.QueueDatabase) || !strings.Contains(text, "start consumers") {
		t.Errorf("full: %d %s; want 503 with the queue and what to do", code, text)
	}
	stop()
	if err := <-ended; err == nil {
		t.Error("a full queue took a message")
	}
	if code, text := ready(); code != http.StatusOK {
		t.Errorf("with nobody waiting: %d %s", code, text)
	}
}
