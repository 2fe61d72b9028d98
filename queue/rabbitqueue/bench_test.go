package rabbitqueue_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

// BenchmarkPublish measures confirmed messages, by how many publish at a time.
func BenchmarkPublish(b *testing.B) {
	for _, publishers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			broker := openEmpty(b, serverURL(b), rabbitqueue.Options{})
			publish(b, broker, publishers, make([]byte, 1<<10))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			b.StopTimer()
			wipe(b, serverURL(b), queue.DefaultTopology())
		})
	}
}

// publish publishes b.N messages.
func publish(b *testing.B, broker queue.Publisher, publishers int, body []byte) {
	b.Helper()
	b.SetBytes(int64(len(body)))
	var working sync.WaitGroup
	b.ResetTimer()
	for p := range publishers {
		working.Go(func() {
			for i := p; i < b.N; i += publishers {
				if err := broker.Publish(b.Context(), queue.Message{ID: "chunk", Key: queue.KeyChunk, Body: body}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	working.Wait()
}

// BenchmarkPublishConsume moves messages through queue.Consume, all at once.
func BenchmarkPublishConsume(b *testing.B) {
	for _, test := range []struct{ size, publishers, workers int }{{1 << 10, 64, 64}, {1 << 20, 8, 8}} {
		b.Run(fmt.Sprintf("body=%d", test.size), func(b *testing.B) {
			broker := openEmpty(b, serverURL(b), rabbitqueue.Options{})
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			var done atomic.Int64
			consumed := make(chan error, 1)
			go func() {
				consumed <- queue.Consume(ctx, broker, queue.QueueDatabase, func(context.Context, queue.Delivery) error {
					if done.Add(1) == int64(b.N) {
						stop()
					}
					return nil
				}, &queue.ConsumeOptions{Workers: test.workers})
			}()
			publish(b, broker, test.publishers, make([]byte, test.size))
			if err := <-consumed; err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}
