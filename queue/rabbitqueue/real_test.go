package rabbitqueue_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/queuetest"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

// serverURL returns the URL of the server to test with.
func serverURL(t testing.TB) string {
	t.Helper()
	return testenv.Server(t, "EGRID_TEST_AMQP")
}

// wipe removes from the server all that belongs to a topology.
func wipe(t testing.TB, url string, topology queue.Topology) {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range topology.Queues() {
		retry := queue.RetryQueue(name)
		for _, n := range []string{name, retry, retry + ".1m", retry + ".long", queue.DeadQueue(name)} {
			if _, err := ch.QueueDelete(n, false, false, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := ch.ExchangeDelete(topology.Exchange, false, false); err != nil {
		t.Fatal(err)
	}
}

// openEmpty opens a broker whose queues are empty.
func openEmpty(t testing.TB, url string, o rabbitqueue.Options) *rabbitqueue.Broker {
	t.Helper()
	if o.Topology.Exchange == "" {
		o.Topology = queue.DefaultTopology()
	}
	wipe(t, url, o.Topology)
	return openAt(t, url, o)
}

func openAt(t testing.TB, url string, o rabbitqueue.Options) *rabbitqueue.Broker {
	t.Helper()
	b, err := rabbitqueue.Open(t.Context(), url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// block returns what has the server take no messages, by commands in the
// environment; nil where they are not set.
func block(t testing.TB) func(t *testing.T, active bool) {
	t.Helper()
	commands := map[bool]string{true: os.Getenv("EGRID_TEST_AMQP_BLOCK"), false: os.Getenv("EGRID_TEST_AMQP_UNBLOCK")}
	if commands[true] == "" || commands[false] == "" {
		return nil
	}
	run := func(t testing.TB, active bool) {
		t.Helper()
		if out, err := exec.Command("sh", "-c", commands[active]).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	return func(t *testing.T, active bool) {
		t.Helper()
		if active {
			t.Cleanup(func() { run(t, false) })
		}
		run(t, active)
	}
}

// TestServer runs the suite on a real server.
func TestServer(t *testing.T) {
	url := serverURL(t)
	p := newProxy(t, url)
	queuetest.Run(t, func(t *testing.T, o queuetest.BrokerOptions) queue.Broker {
		wipe(t, url, o.Topology)
		return openAt(t, p.url, rabbitqueue.Options{Topology: o.Topology})
	}, &queuetest.Features{
		Unbounded: true, Reorders: true, Block: block(t),
		Restart: func(*testing.T) {
			p.cut(true)
			time.AfterFunc(700*time.Millisecond, p.up)
		},
	})
}
