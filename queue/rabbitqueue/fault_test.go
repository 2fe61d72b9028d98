package rabbitqueue_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

const patience = 30 * time.Second

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok reports true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx := soon(t)
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never came true: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// load publishes and consumes without an end, and remembers what was promised
// and what came.
type load struct {
	queue              string
	mu                 sync.Mutex
	promised, handled  map[string]bool
	publishers, others sync.WaitGroup
	stopPublishing     context.CancelFunc
	stop               context.CancelFunc
}

// newLoad publishes with KeyChunk, and consumes from the queue of this name.
func newLoad(t *testing.T, b queue.Broker, name string, publishers int) *load {
	t.Helper()
	l := &load{queue: name, promised: map[string]bool{}, handled: map[string]bool{}}
	var publishing, consuming context.Context
	publishing, l.stopPublishing = context.WithCancel(t.Context())
	consuming, l.stop = context.WithCancel(t.Context())
	for p := range publishers {
		l.publishers.Go(func() {
			for i := 0; publishing.Err() == nil; i++ {
				for p, h := l.counts(); p > h+1000 && publishing.Err() == nil; p, h = l.counts() {
					<-time.After(time.Millisecond) // consuming is slower
				}
				id := fmt.Sprint(p, " ", i)
				err := b.Publish(publishing, queue.Message{ID: id, Key: queue.KeyChunk, Body: make([]byte, 2000)})
				if err == nil {
					l.mu.Lock()
					l.promised[id] = true
					l.mu.Unlock()
				} else if publishing.Err() == nil {
					t.Errorf("publish: %v; want it to wait", err)
				}
			}
		})
	}
	l.others.Go(func() {
		failed := map[string]bool{}
		err := queue.Consume(consuming, b, name, func(_ context.Context, d queue.Delivery) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(failed)*7 < len(l.handled) && !failed[d.Message.ID] {
				failed[d.Message.ID] = true
				return errors.New("once")
			}
			l.handled[d.Message.ID] = true
			return nil
		}, &queue.ConsumeOptions{Workers: 8, Retry: queue.RetryPolicy{Base: time.Millisecond, MaxAttempts: 1000}})
		if err != nil {
			t.Errorf("consume: %v", err)
		}
	})
	t.Cleanup(func() {
		l.stopPublishing()
		l.stop()
		l.publishers.Wait()
		l.others.Wait()
	})
	return l
}

func (l *load) counts() (promised, handled int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.promised), len(l.handled)
}

// moves waits until so many more messages are published and handled.
func (l *load) moves(t *testing.T, n int) {
	t.Helper()
	promised, handled := l.counts()
	eventually(t, "messages move", func() bool {
		p, h := l.counts()
		return p >= promised+n && h >= handled+n
	})
}

// wantAll stops the publishers, and waits for all that they were promised.
func (l *load) wantAll(t *testing.T, b queue.Broker) {
	t.Helper()
	l.stopPublishing()
	l.publishers.Wait()
	p, h := l.counts()
	t.Logf("%d promised, %d handled so far", p, h)
	eventually(t, "all that was promised is handled", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for id := range l.promised {
			if !l.handled[id] {
				return false
			}
		}
		return true
	})
	eventually(t, "the queue is empty", func() bool {
		depth, err := b.Depth(soon(t), l.queue)
		return err == nil && depth == (queue.Depth{})
	})
}

// TestCut cuts the connections again and again, in the middle of whatever they
// carry.
func TestCut(t *testing.T) {
	url := serverURL(t)
	wipe(t, url, queue.DefaultTopology())
	p := newProxy(t, url)
	b := openAt(t, p.url, rabbitqueue.Options{})
	l := newLoad(t, b, queue.QueueDatabase, 16)
	for i := range 12 {
		l.moves(t, 100)
		p.cut(i%4 == 3)
		if i%4 == 3 {
			eventually(t, "publishers stop", func() bool {
				before, _ := l.counts()
				<-time.After(50 * time.Millisecond)
				after, _ := l.counts()
				return before == after
			})
			p.up()
		}
	}
	l.wantAll(t, b)
}

// TestRestart restarts the server in the middle of a load, by commands in the
// environment.
func TestRestart(t *testing.T) {
	url := serverURL(t)
	// own has a queue of a name that the server has never seen.
	own := queue.Topology{
		Exchange: "egrid.restart",
		Bindings: []queue.Binding{{Pattern: queue.KeyChunk, Queue: fmt.Sprint("egrid.restart.", time.Now().UnixNano())}},
	}
	t.Cleanup(func() { wipe(t, url, own) })
	for _, test := range []struct {
		name, variable string
		topology       queue.Topology
		open           func(testing.TB, string, rabbitqueue.Options) *rabbitqueue.Broker
	}{
		{"stopped", "EGRID_TEST_AMQP_RESTART", queue.DefaultTopology(), openEmpty},
		// Right after its queues were made.
		{"killed", "EGRID_TEST_AMQP_KILL", own, openAt},
		// Right after its queues were deleted, and made again by the broker.
		{"forgetful", "EGRID_TEST_AMQP_KILL", own, openForgotten},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := testenv.Server(t, test.variable)
			b := test.open(t, url, rabbitqueue.Options{Topology: test.topology})
			l := newLoad(t, b, test.topology.Queues()[0], 16)
			l.moves(t, 200)
			if out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			l.moves(t, 200)
			l.wantAll(t, b)
		})
	}
}

// openForgotten opens a broker, and deletes its topology under it. It returns
// when the broker has made it again.
func openForgotten(t testing.TB, url string, o rabbitqueue.Options) *rabbitqueue.Broker {
	t.Helper()
	b := openAt(t, url, o)
	wipe(t, url, o.Topology)
	eventually(t, "publishing works again", func() bool {
		return b.Publish(soon(t), queue.Message{Key: queue.KeyChunk}) == nil
	})
	return b
}

// TestAway makes every kind of call while there is no server.
func TestAway(t *testing.T) {
	url := serverURL(t)
	wipe(t, url, queue.DefaultTopology())
	p := newProxy(t, url)
	b := openAt(t, p.url, rabbitqueue.Options{PublishTimeout: 200 * time.Millisecond})
	patient := openAt(t, p.url, rabbitqueue.Options{PublishTimeout: -1})
	for _, id := range []string{"a", "b"} {
		if err := b.Publish(soon(t), queue.Message{ID: id, Key: queue.KeyChunk}); err != nil {
			t.Fatal(err)
		}
	}
	sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 2)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sub.Next(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	p.cut(true)
	eventually(t, "the loss is noticed", func() bool {
		err := b.Publish(soon(t), queue.Message{Key: "error.x"})
		return errors.Is(err, context.DeadlineExceeded)
	})
	for _, outcome := range []queue.Outcome{queue.Done, queue.Retry, queue.Dead} {
		if err := r.Settle(soon(t), queue.Verdict{Outcome: outcome}); !errors.Is(err, queue.ErrSettled) {
			t.Errorf("settle as %s: got error %v; want ErrSettled", outcome, err)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = b.Depth(short, queue.QueueDatabase)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("depth: got error %v; want that of ctx", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- patient.Publish(soon(t), queue.Message{ID: "c", Key: queue.KeyChunk}) }()
	p.up()
	if err := <-waiting; err != nil {
		t.Errorf("publish: %v", err)
	}
	seen := map[string]int{}
	for range 3 {
		r, err := sub.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		seen[r.Message.ID] = r.Redelivered
		if err := r.Settle(soon(t), queue.Verdict{Outcome: queue.Done}); err != nil {
			t.Error(err)
		}
	}
	if seen["a"] != 1 || len(seen) != 3 {
		t.Errorf("received %v; want a redelivered once, b and c", seen)
	}
	// Close returns while the server is away.
	p.cut(true)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestFrozen has a server that does not answer any more.
func TestFrozen(t *testing.T) {
	url := serverURL(t)
	wipe(t, url, queue.DefaultTopology())
	p := newProxy(t, url)
	b := openAt(t, p.url, rabbitqueue.Options{PublishTimeout: 200 * time.Millisecond})
	if _, err := b.Subscribe(soon(t), queue.QueueDatabase, 1); err != nil {
		t.Fatal(err)
	}
	p.frozen.Lock()
	defer p.frozen.Unlock()
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	big := queue.Message{Key: "error.big", Body: make([]byte, queue.MaxBody)}
	for range 10 { // more than the buffers in between hold
		if err := b.Publish(soon(t), big); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("publish: got error %v; want the timeout's", err)
		}
	}
	if _, err := b.Depth(short, queue.QueueDatabase); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("depth: got error %v; want that of ctx", err)
	}
	if _, err := b.Subscribe(short, queue.QueueDatabase, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("subscribe: got error %v; want that of ctx", err)
	}
	closed := make(chan error, 1)
	go func() { closed <- b.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-soon(t).Done():
		t.Error("Close did not return")
	}
}

// TestDeliveryLimit has the server make a dead letter.
func TestDeliveryLimit(t *testing.T) {
	b := openEmpty(t, serverURL(t), rabbitqueue.Options{DeliveryLimit: 2})
	t.Cleanup(func() { wipe(t, serverURL(t), queue.DefaultTopology()) })
	m := queue.Message{ID: "a", Key: queue.KeyPublish, Body: []byte("x"), Headers: map[string]string{"mine": "1"}}
	if err := b.Publish(soon(t), m); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sub.Next(soon(t)); err != nil {
			t.Fatal(err)
		}
		if err := sub.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var letters []queue.DeadLetter
	eventually(t, "there is a dead letter", func() bool {
		letters = nil
		for l, err := range b.DeadLetters(soon(t), queue.QueueDatabase) {
			if err != nil {
				t.Fatal(err)
			}
			letters = append(letters, l)
		}
		return len(letters) == 1
	})
	l := letters[0]
	if l.Message.ID != "a" || l.Message.Key != queue.KeyPublish || len(l.Message.Headers) != 2 || l.Attempts != 3 ||
		!strings.Contains(l.Reason, "without a verdict") || time.Since(l.Died) > time.Minute {
		t.Errorf("dead letter %+v", l)
	}
	if n, err := b.Replay(soon(t), queue.QueueDatabase, "a"); n != 1 || err != nil {
		t.Errorf("replay: %d, %v", n, err)
	}
}

// TestHeaders gives headers names that mean something to the server.
func TestHeaders(t *testing.T) {
	b := openEmpty(t, serverURL(t), rabbitqueue.Options{})
	m := queue.Message{ID: "a", Key: queue.KeyChunk, Headers: map[string]string{
		queue.HeaderVersion: "1", "CC": "egrid.error", "BCC": "x", "x-death": "1", "x-delivery-count": "7", "x-first-death-queue": "q",
	}}
	if err := b.Publish(soon(t), m); err != nil {
		t.Fatal(err)
	}
	sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		r, err := sub.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(r.Message.Headers) != fmt.Sprint(m.Headers) || r.Redelivered != 0 {
			t.Errorf("headers %v, redelivered %d; want %v", r.Message.Headers, r.Redelivered, m.Headers)
		}
		v := queue.Verdict{Outcome: queue.Retry, Headers: r.Message.Headers, Delay: time.Millisecond}
		if i == 1 {
			v = queue.Verdict{Outcome: queue.Done}
		}
		if err := r.Settle(soon(t), v); err != nil {
			t.Fatal(err)
		}
	}
	many := map[string]string{}
	for i := range 16000 {
		many[fmt.Sprintf("%04x", i)] = ""
	}
	for name, headers := range map[string]map[string]string{"many": many, "prefix": {"x-egrid-own-a": ""}} {
		if err := b.Publish(soon(t), queue.Message{Key: queue.KeyChunk, Headers: headers}); name == "prefix" && !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got error %v; want ErrInvalid", name, err)
		} else if name == "many" && err != nil && !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestForeign receives a message of somebody who does not know our form.
func TestForeign(t *testing.T) {
	url := serverURL(t)
	b := openEmpty(t, url, rabbitqueue.Options{})
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	err = ch.PublishWithContext(soon(t), queue.Exchange, queue.KeyChunk, false, false, amqp.Publishing{
		Type: "theirs", Body: []byte("x"), Headers: amqp.Table{"n": int32(7), "list": []any{"a"}, "b": []byte("bytes")},
	})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sub.Next(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	m := r.Message
	if m.Key != queue.KeyChunk || m.ID != queue.MessageID([]byte("x")) || fmt.Sprint(m.Headers) != "map[b:bytes n:7]" {
		t.Errorf("message %+v", m)
	}
}

// TestDeleted deletes the topology under an open broker.
func TestDeleted(t *testing.T) {
	url := serverURL(t)
	b := openEmpty(t, url, rabbitqueue.Options{})
	sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 1<<16) // more than the protocol can say
	if err != nil {
		t.Fatal(err)
	}
	wipe(t, url, queue.DefaultTopology())
	eventually(t, "publishing works again", func() bool {
		return b.Publish(soon(t), queue.Message{ID: "a", Key: queue.KeyChunk}) == nil
	})
	if r, err := sub.Next(soon(t)); err != nil || r.Message.ID != "a" {
		t.Errorf("received %q, error %v", r.Message.ID, err)
	}
}

func TestOpenFails(t *testing.T) {
	if _, err := rabbitqueue.Open(soon(t), "amqp://127.0.0.1:1/", nil); err == nil {
		t.Error("opened a port where nobody listens")
	}
	for _, url := range []string{"no url", "http://127.0.0.1", "amqp://guest:secret@127.0.0.1:x/"} {
		if _, err := rabbitqueue.Open(soon(t), url, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got error %v", url, err)
		}
	}
	bad := queue.Topology{Exchange: "x", Bindings: []queue.Binding{{Pattern: "a", Queue: strings.Repeat("x", 245)}}}
	if _, err := rabbitqueue.Open(soon(t), "amqp://127.0.0.1:1/", &rabbitqueue.Options{Topology: bad}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("long name: got error %v; want ErrInvalid", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rabbitqueue.Open(cancelled, "amqp://127.0.0.1:1/", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}
