package rabbitqueue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/queuetest"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

func openFake(t *testing.T, f *rabbitqueue.Fake, o rabbitqueue.Options) *rabbitqueue.Broker {
	t.Helper()
	b, err := f.Open(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// TestBroker runs the suite where there is no server.
func TestBroker(t *testing.T) {
	var f *rabbitqueue.Fake
	queuetest.Run(t, func(t *testing.T, o queuetest.BrokerOptions) queue.Broker {
		f = rabbitqueue.NewFake()
		return openFake(t, f, rabbitqueue.Options{Topology: o.Topology})
	}, &queuetest.Features{
		Unbounded: true, Reorders: true,
		Restart: func(*testing.T) {
			f.Cut(true)
			time.AfterFunc(100*time.Millisecond, f.Up)
		},
	})
}

// TestCutFake cuts the connections again and again.
func TestCutFake(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{})
	l := newLoad(t, b, 8)
	for range 30 {
		l.moves(t, 50)
		f.Cut(false)
	}
	l.wantAll(t, b)
}

// TestBlocked has the server block publishers.
func TestBlocked(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{PublishTimeout: 100 * time.Millisecond})
	patient := openFake(t, f, rabbitqueue.Options{PublishTimeout: -1})
	f.Block(true)
	m := queue.Message{ID: "a", Key: queue.KeyChunk}
	if err := b.Publish(soon(t), m); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("blocked: got error %v; want the timeout's", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- patient.Publish(ctx, m) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
	if err := patient.Close(); err != nil {
		t.Error(err)
	}
	f.Cut(false) // what was sent while blocked has no confirm
	f.Block(false)
	eventually(t, "publishing works again", func() bool { return b.Publish(soon(t), m) == nil })
}
