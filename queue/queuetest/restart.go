package queuetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// testRestart breaks the connection under publishers, consumers and calls that
// wait. Messages may be handled twice, but none is lost, and nobody but a
// publisher is told.
func testRestart(f *fixture) {
	f.bury("dead")
	idle := f.subscribe(queue.QueueError, 1)
	waited := make(chan error, 1)
	go func() {
		_, err := idle.Next(f.soon())
		waited <- err
	}()

	var mu sync.Mutex
	handled := map[string]int{}
	c := f.consume(queue.ConsumeOptions{Workers: 4, Retry: queue.RetryPolicy{Base: time.Millisecond}},
		handlerOf(func(d queue.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			handled[d.Message.ID]++
			if handled[d.Message.ID] == 1 && len(handled)%5 == 0 {
				return errFailed
			}
			return nil
		}))
	n := f.features.Messages
	ctx := f.soon()
	published := make(chan struct{})
	half := make(chan struct{})
	go func() {
		defer close(published)
		for i := range n {
			if i == n/2 {
				close(half)
			}
			// After an error, publishing the same message again is right.
			for f.broker.Publish(ctx, messageOf(fmt.Sprint(i))) != nil && ctx.Err() == nil {
				<-time.After(moment)
			}
		}
	}()
	receive(f, "the first half", half)
	f.features.Restart(f.T)
	receive(f, "the second half", published)
	f.eventually("all messages are handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(handled) == n
	})
	f.must(f.broker.Publish(f.soon(), queue.Message{Key: "error.load"}))
	f.must(receive(f, "the waiting Next", waited))
	f.wantDepth(main, queue.Depth{Dead: 1})
	c.drain()
}
