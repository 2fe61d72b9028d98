package memqueue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

func ExampleNew() {
	ctx := context.Background()
	topology := queue.DefaultTopology()
	topology.Bindings = append(topology.Bindings, queue.Binding{Pattern: "#", Queue: "audit"})
	broker := memqueue.New(&memqueue.Options{Topology: topology, MaxMessages: 2})
	defer broker.Close()

	for _, text := range []string{"first", "second", "third"} {
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		err := broker.Publish(soon, queue.Message{Key: queue.KeyChunk, Body: []byte(text)})
		cancel()
		fmt.Println(text, "must wait:", errors.Is(err, context.DeadlineExceeded))
	}
	for _, name := range topology.Queues() {
		depth, _ := broker.Depth(ctx, name)
		fmt.Println(name, depth.Ready)
	}
	// Output:
	// first must wait: false
	// second must wait: false
	// third must wait: true
	// egrid.database 2
	// egrid.notification 0
	// egrid.error 0
	// audit 2
}
