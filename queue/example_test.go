package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	broker := memqueue.New(nil)
	defer broker.Close()

	err := broker.Publish(ctx, queue.Message{
		Key:         queue.KeyChunk,
		Body:        []byte("Palo Verde,31522590"),
		ContentType: "text/csv",
	})
	if err != nil {
		fmt.Println(err)
	}

	err = queue.Consume(ctx, broker, queue.QueueDatabase, func(ctx context.Context, d queue.Delivery) error {
		fmt.Printf("%s, attempt %d: %s\n", d.Message.Key, d.Attempt, d.Message.Body)
		stop() // a service stops when it is told to
		return nil
	}, nil)
	fmt.Println("drained:", err == nil)
	// Output:
	// database.chunk, attempt 1: Palo Verde,31522590
	// drained: true
}

func ExampleConsume_retry() {
	ctx, stop := context.WithCancel(context.Background())
	broker := memqueue.New(nil)
	defer broker.Close()
	_ = broker.Publish(ctx, queue.Message{Key: queue.KeyPublish, Body: []byte("GEN 2023")})

	options := &queue.ConsumeOptions{
		Workers: 1,
		Retry:   queue.RetryPolicy{Base: time.Millisecond},
	}
	err := queue.Consume(ctx, broker, queue.QueueDatabase, func(ctx context.Context, d queue.Delivery) error {
		if d.Attempt < 3 {
			return fmt.Errorf("attempt %d: database is busy", d.Attempt)
		}
		fmt.Printf("attempt %d succeeds; before: %s\n", d.Attempt, d.LastError)
		stop()
		return nil
	}, options)
	if err != nil {
		fmt.Println(err)
	}
	// Output: attempt 3 succeeds; before: attempt 2: database is busy
}

func ExamplePermanent() {
	ctx, stop := context.WithCancel(context.Background())
	broker := memqueue.New(nil)
	defer broker.Close()
	_ = broker.Publish(ctx, queue.Message{ID: "chunk-1", Key: queue.KeyChunk, Body: []byte("\xff")})

	err := queue.Consume(ctx, broker, queue.QueueDatabase, func(ctx context.Context, d queue.Delivery) error {
		defer stop()
		return queue.Permanent(errors.New("body is not a chunk"))
	}, nil)
	if err != nil {
		fmt.Println(err)
	}

	ctx = context.Background()
	for letter, err := range broker.DeadLetters(ctx, queue.QueueDatabase) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s after %d attempt: %s\n", letter.Message.ID, letter.Attempts, letter.Reason)
	}
	n, _ := broker.Replay(ctx, queue.QueueDatabase, "chunk-1")
	depth, _ := broker.Depth(ctx, queue.QueueDatabase)
	fmt.Println("replayed:", n, "ready:", depth.Ready, "dead:", depth.Dead)
	// Output:
	// chunk-1 after 1 attempt: body is not a chunk
	// replayed: 1 ready: 1 dead: 0
}

func ExampleTopology() {
	topology := queue.DefaultTopology()
	topology.Bindings = append(topology.Bindings, queue.Binding{Pattern: "#", Queue: "egrid.audit"})
	for _, key := range []string{"database.chunk", "error.load", "metrics.cpu"} {
		fmt.Println(key, topology.Route(key))
	}
	// Output:
	// database.chunk [egrid.database egrid.audit]
	// error.load [egrid.error egrid.audit]
	// metrics.cpu [egrid.audit]
}
