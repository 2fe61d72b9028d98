package queuetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/queue"
)

func testFields(f *fixture) {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	long := strings.Repeat("x", 255)
	messages := []queue.Message{
		{Key: queue.KeyChunk},
		{Key: queue.KeyChunk, Body: []byte{}},
		{Key: queue.KeyPublish, Body: []byte("GEN 2023")},
		{Key: queue.KeyChunk, Body: everyByte, ContentType: "text/csv; charset=utf-8", ContentEncoding: "gzip"},
		{ID: "my own", Key: queue.KeyChunk, Body: []byte("x"), Headers: map[string]string{"level": "GEN", "year": "2023"}},
		{ID: "São Miguel", Key: queue.KeyChunk, Headers: map[string]string{"região": "Açores"}},
		{ID: "bytes", Key: queue.KeyChunk, Headers: map[string]string{"raw": string(everyByte), "empty": ""}},
		{ID: "other version", Key: queue.KeyChunk, Headers: map[string]string{queue.HeaderVersion: "2"}},
		{ID: long, Key: queue.KeyChunk, ContentType: long, ContentEncoding: long, Headers: map[string]string{long: long}},
		{Key: queue.KeyChunk, Body: bytes.Repeat(everyByte, 4096)},
	}
	for _, m := range messages {
		f.must(f.broker.Publish(f.soon(), m))
	}
	f.wantDepth(main, queue.Depth{Ready: len(messages)})
	sub := f.subscribe(main, 1)
	for _, m := range messages {
		r := f.any(sub)
		f.wantMessage(r.Message, f.normal(m))
		if r.Redelivered != 0 {
			f.Errorf("redelivered %d times", r.Redelivered)
		}
		f.settle(r, queue.Verdict{Outcome: queue.Done})
	}
	f.wantNone(sub)
	f.wantDepth(main, queue.Depth{})
}

// headersOf makes headers of exactly this size, the version included.
func headersOf(size int) map[string]string {
	h := map[string]string{queue.HeaderVersion: queue.Version}
	size -= len(queue.HeaderVersion) + len(queue.Version)
	for i := 0; size > 0; i++ {
		name := fmt.Sprintf("header-%02d", i)
		n := min(size-len(name), 8000)
		h[name] = strings.Repeat("v", n)
		size -= len(name) + n
	}
	return h
}

func testLimits(f *fixture) {
	longest := queue.KeyChunk // no longer key is in the default topology
	messages := []queue.Message{
		{Key: longest, Body: bytes.Repeat([]byte("0123456789abcdef"), queue.MaxBody/16)},
		{Key: longest, Headers: headersOf(queue.MaxHeaders)},
		{Key: "error." + strings.Repeat("x", 249)},
	}
	for _, m := range messages {
		f.must(f.broker.Publish(f.soon(), m))
		name := main
		if m.Key != longest {
			name = queue.QueueError
		}
		sub := f.subscribe(name, 1)
		r := f.any(sub)
		f.wantMessage(r.Message, f.normal(m))
		f.settle(r, queue.Verdict{Outcome: queue.Done})
		f.must(sub.Close())
	}
}

func testRefused(f *fixture) {
	long := strings.Repeat("x", 256)
	header := func(name, value string) queue.Message {
		return queue.Message{Key: queue.KeyChunk, Headers: map[string]string{name: value}}
	}
	invalid := map[string]queue.Message{
		"long body":             {Key: queue.KeyChunk, Body: make([]byte, queue.MaxBody+1)},
		"long headers":          {Key: queue.KeyChunk, Headers: headersOf(queue.MaxHeaders + 1)},
		"long id":               {Key: queue.KeyChunk, ID: long},
		"long content type":     {Key: queue.KeyChunk, ContentType: long},
		"long content encoding": {Key: queue.KeyChunk, ContentEncoding: long},
		"long header name":      header(long, ""),
		"empty header name":     header("", "x"),
		"attempts":              header(queue.HeaderAttempts, "1"),
		"first seen":            header(queue.HeaderFirstSeen, ""),
		"error":                 header(queue.HeaderError, ""),
		"stack":                 header(queue.HeaderStack, ""),
		"died":                  header(queue.HeaderDied, ""),
		"long key":              {Key: "error." + long},
	}
	for _, key := range []string{"", ".", "database.", ".chunk", "database..chunk", "*", "#", "notification.*", "error.#", "error.a*b"} {
		invalid[fmt.Sprintf("key %q", key)] = queue.Message{Key: key}
	}
	for name, m := range invalid {
		f.wantError(name, f.broker.Publish(f.soon(), m), queue.ErrInvalid)
	}
	f.wantEmpty(queue.DefaultTopology())
}

// wantEmpty checks that nothing is in any queue.
func (f *fixture) wantEmpty(t queue.Topology) {
	f.Helper()
	for _, name := range t.Queues() {
		f.wantDepth(name, queue.Depth{})
	}
}

var manyPatterns = queue.Topology{Exchange: "queuetest", Bindings: []queue.Binding{
	{Pattern: "plant.new", Queue: "direct"},
	{Pattern: "plant.*", Queue: "one"},
	{Pattern: "*.new", Queue: "one"},
	{Pattern: "plant.#", Queue: "below"},
	{Pattern: "#.failed", Queue: "ends"},
	{Pattern: "grid.#.loss.*", Queue: "middle"},
	{Pattern: "*.*.*", Queue: "three"},
}}

func testRouting(f *fixture) {
	want := map[string][]string{}
	for _, test := range []struct {
		key    string
		queues []string
	}{
		{"plant.new", []string{"direct", "one", "below"}}, // to queue one by two bindings, once
		{"plant.old", []string{"one", "below"}},
		{"plant", []string{"below"}},
		{"plants.new", []string{"one"}},
		{"plant.new.again", []string{"below", "three"}},
		{"failed", []string{"ends"}},
		{"plant.failed", []string{"one", "below", "ends"}},
		{"a.b.c.failed", []string{"ends"}},
		{"grid.loss.us", []string{"middle", "three"}},
		{"grid.east.loss.us", []string{"middle"}},
		{"grid.loss.loss.loss", []string{"middle"}},
		{"grid.loss.x.loss.us", []string{"middle"}},
		{"one.two.three", []string{"three"}},
	} {
		f.must(f.broker.Publish(f.soon(), queue.Message{ID: test.key, Key: test.key}))
		for _, name := range test.queues {
			want[name] = append(want[name], test.key)
		}
	}
	for _, key := range []string{"failed.not", "new", "grid.loss", "one.two.three.four", "PLANT"} {
		f.wantError(key, f.broker.Publish(f.soon(), queue.Message{Key: key}), queue.ErrUnroutable)
	}
	for _, name := range manyPatterns.Queues() {
		sub := f.subscribe(name, 100)
		var got []string
		for range want[name] {
			r := f.any(sub)
			got = append(got, r.Message.ID)
			f.settle(r, queue.Verdict{Outcome: queue.Done})
		}
		f.wantNone(sub)
		if !slices.Equal(got, want[name]) {
			f.Errorf("queue %s: got %q; want %q", name, got, want[name])
		}
	}
	f.wantEmpty(manyPatterns)
}

func testDefaultTopology(f *fixture) {
	for _, test := range []struct{ key, queue string }{
		{queue.KeyChunk, queue.QueueDatabase},
		{queue.KeyPublish, queue.QueueDatabase},
		{"notification.held", queue.QueueNotification},
		{"error.load", queue.QueueError},
	} {
		f.must(f.broker.Publish(f.soon(), queue.Message{ID: test.key, Key: test.key}))
		sub := f.subscribe(test.queue, 1)
		f.settle(f.next(sub, test.key), queue.Verdict{Outcome: queue.Done})
		f.must(sub.Close()) // a broker may send it the next one ahead
	}
	for _, key := range []string{"database", "database.other", "database.chunk.more", "notification", "notification.a.b", "error", "other"} {
		f.wantError(key, f.broker.Publish(f.soon(), queue.Message{Key: key}), queue.ErrUnroutable)
	}
	f.wantEmpty(queue.DefaultTopology())
}

// twoQueues sends every message to both of its queues.
var twoQueues = queue.Topology{Exchange: "queuetest", Bindings: []queue.Binding{
	{Pattern: "#", Queue: main}, {Pattern: "#", Queue: "audit"},
}}

// testSeveralQueues settles the copies of a message differently: each queue
// has its own.
func testSeveralQueues(f *fixture) {
	m := queue.Message{ID: "a", Key: "x", Body: []byte("body"), Headers: map[string]string{"mine": "1"}}
	f.must(f.broker.Publish(f.soon(), m))
	first, second := f.subscribe(main, 1), f.subscribe("audit", 1)
	r := f.next(first, "a")
	headers := maps.Clone(r.Message.Headers)
	headers["added"] = "by the verdict"
	f.settle(r, queue.Verdict{Outcome: queue.Retry, Headers: headers})
	r = f.next(second, "a")
	f.wantMessage(r.Message, f.normal(m))
	f.settle(r, queue.Verdict{Outcome: queue.Done})
	r = f.next(first, "a")
	want := f.normal(m)
	want.Headers = headers
	f.wantMessage(r.Message, want)
	f.wantNone(second)
}

// testMessageIsNotChanged looks whether the publisher's message stays as it
// is, and whether a handler's changes to headers reach anybody else.
func testMessageIsNotChanged(f *fixture) {
	m := queue.Message{Key: queue.KeyChunk, Body: []byte("Wyodak"), Headers: map[string]string{"mine": "1"}}
	f.must(f.broker.Publish(f.soon(), m))
	if m.ID != "" || string(m.Body) != "Wyodak" || !maps.Equal(m.Headers, map[string]string{"mine": "1"}) {
		f.Errorf("Publish changed its message: %+v", m)
	}
	seen := make(chan queue.Message, 2)
	c := f.consume(queue.ConsumeOptions{Workers: 1, Retry: quick}, handlerOf(func(d queue.Delivery) error {
		m := d.Message
		m.Headers = maps.Clone(m.Headers)
		seen <- m
		d.Message.Headers["mine"] = "2"
		d.Message.Headers["other"] = "x"
		if d.Attempt == 1 {
			return errFailed
		}
		return nil
	}))
	for range 2 {
		f.wantMessage(receive(f, "a delivery", seen), f.normal(m))
	}
	c.drain()
	f.wantDepth(main, queue.Depth{})
}

func testUnknownQueue(f *fixture) {
	_, err := f.broker.Subscribe(f.soon(), "nowhere", 1)
	f.wantError("Subscribe", err, queue.ErrUnknownQueue)
	_, err = f.broker.Depth(f.soon(), "nowhere")
	f.wantError("Depth", err, queue.ErrUnknownQueue)
	_, err = f.broker.Replay(f.soon(), "nowhere", "a")
	f.wantError("Replay", err, queue.ErrUnknownQueue)
	_, err = f.broker.Drop(f.soon(), "nowhere", "a")
	f.wantError("Drop", err, queue.ErrUnknownQueue)
	f.wantError("DeadLetters", f.lettersError(f.soon(), "nowhere"), queue.ErrUnknownQueue)
	// The places of retries and dead letters are no queues.
	_, err = f.broker.Subscribe(f.soon(), queue.DeadQueue(main), 1)
	f.wantError("Subscribe", err, queue.ErrUnknownQueue)
	err = queue.Consume(f.soon(), f.broker, "nowhere", handlerOf(func(queue.Delivery) error { return nil }), nil)
	f.wantError("Consume", err, queue.ErrUnknownQueue)

	for _, prefetch := range []int{0, -1} {
		_, err = f.broker.Subscribe(f.soon(), main, prefetch)
		f.wantError(fmt.Sprint("prefetch ", prefetch), err, queue.ErrInvalid)
	}
}
