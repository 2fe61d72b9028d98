package memqueue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// BenchmarkPublishConsume moves messages through queue.Consume, with as many
// publishers as workers.
func BenchmarkPublishConsume(b *testing.B) {
	for _, workers := range []int{1, 4} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			broker := memqueue.New(nil)
			defer broker.Close()
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			body := make([]byte, 1<<10)
			var done atomic.Int64
			consumed := make(chan error, 1)
			b.ReportAllocs()
			b.ResetTimer()
			go func() {
				consumed <- queue.Consume(ctx, broker, queue.QueueDatabase, func(context.Context, queue.Delivery) error {
					if done.Add(1) == int64(b.N) {
						stop()
					}
					return nil
				}, &queue.ConsumeOptions{Workers: workers})
			}()
			for p := range workers {
				go func() {
					for i := p; i < b.N; i += workers {
						// With an id, so that what is measured is not SHA-256.
						if err := broker.Publish(context.WithoutCancel(ctx), queue.Message{ID: "chunk", Key: queue.KeyChunk, Body: body}); err != nil {
							b.Error(err)
						}
					}
				}()
			}
			if err := <-consumed; err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}
