package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

var someNotice = etl.Notice{
	Kind:  etl.NoticeLoadHeld,
	Time:  time.Date(2024, 1, 30, 12, 0, 0, 0, time.UTC),
	RunID: "20240130T120000Z-abcdef",
	Title: "Load held: SRL 2023 from SRL23.csv",
	Text:  "CO2e is below CO2 in 1 row\n\n    egrid load --publish replace SRL23.csv",
}

func messageOf(t testing.TB, n etl.Notice) queue.Message {
	t.Helper()
	m, err := etl.EncodeNotice(n)
	if err == nil {
		m, err = m.Normalize(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// channel fails with its errors in turn, and then delivers.
type channel struct {
	name string
	mu   sync.Mutex
	fail []error
	ids  []string // of all attempts
}

func (c *channel) Name() string { return c.name }

func (c *channel) Notify(_ context.Context, id string, _ etl.Notice) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	if len(c.ids) > len(c.fail) {
		return nil
	}
	err := c.fail[len(c.ids)-1]
	if errors.Is(err, errPanic) {
		panic("oh")
	}
	return err
}

func (c *channel) attempts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ids)
}

var (
	errBusy  = errors.New("busy")
	errGone  = queue.Permanent(errors.New("gone"))
	errPanic = errors.New("to panic")
)

func TestHandler(t *testing.T) {
	t.Parallel()
	// An outcome is that of one attempt.
	const done, retry, dead = "done", "retry", "dead"
	for _, test := range []struct {
		name     string
		a, b     []error
		outcomes []string
		attempts [2]int
	}{
		{"all well", nil, nil, []string{done}, [2]int{1, 1}},
		{"a retry goes to the one that failed", nil, []error{errBusy, errBusy}, []string{retry, retry, done}, [2]int{1, 3}},
		{"the first harms not the second", []error{errBusy}, nil, []string{retry, done}, [2]int{2, 1}},
		{"a panic harms not the second", []error{errPanic}, nil, []string{retry, done}, [2]int{2, 1}},
		{"for good", nil, []error{errGone}, []string{dead}, [2]int{1, 1}},
		{"both for good", []error{errGone}, []error{errGone}, []string{dead}, [2]int{1, 1}},
		{"a mixture is retried, and not by the one that gave up", []error{errGone}, []error{errBusy, errBusy}, []string{retry, retry, dead}, [2]int{1, 3}},
		{"both give up in the end", []error{errBusy, errGone}, []error{errGone}, []string{retry, dead}, [2]int{2, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, b := &channel{name: "a", fail: test.a}, &channel{name: "b", fail: test.b}
			handle := notify.Handler(a, b)
			m := messageOf(t, someNotice)
			for i, want := range test.outcomes {
				err := handle(t.Context(), queue.Delivery{Message: m, Attempt: i + 1})
				got := retry
				switch {
				case err == nil:
					got = done
				case queue.IsPermanent(err):
					got = dead
				}
				if got != want {
					t.Errorf("attempt %d: %s (%v); want %s", i+1, got, err, want)
				}
			}
			if got := [2]int{a.attempts(), b.attempts()}; got != test.attempts {
				t.Errorf("asked %v times; want %v", got, test.attempts)
			}
			for _, id := range slices.Concat(a.ids, b.ids) {
				if id != m.ID {
					t.Errorf("id %q; want that of the message, %q", id, m.ID)
				}
			}
		})
	}
}

func TestHandlerErrors(t *testing.T) {
	t.Parallel()
	handle := notify.Handler(&channel{name: "a", fail: []error{errGone}}, &channel{name: "b", fail: []error{errBusy}}, &channel{name: "c", fail: []error{errPanic}})
	err := handle(t.Context(), queue.Delivery{Message: messageOf(t, someNotice), Attempt: 1})
	var p *queue.PanicError
	if !errors.Is(err, errBusy) || !errors.As(err, &p) || err.Error() != "a: gone\nb: busy\nc: panic: oh" {
		t.Errorf("got %v; want the errors of all, with their names", err)
	}
	if err := notify.Handler(&channel{})(t.Context(), queue.Delivery{Message: queue.Message{Body: []byte("{}")}}); !queue.IsPermanent(err) {
		t.Errorf("no notice: %v; want a permanent failure", err)
	}
	if err := notify.Handler()(t.Context(), queue.Delivery{Message: messageOf(t, someNotice)}); !queue.IsPermanent(err) {
		t.Errorf("no channel: %v; want a permanent failure", err)
	}
}

// A dead letter that is replayed goes to whom it never reached.
func TestReplay(t *testing.T) {
	t.Parallel()
	a, b := &channel{name: "a"}, &channel{name: "b", fail: []error{errGone}}
	broker := memqueue.New(nil)
	defer broker.Close()
	m := messageOf(t, someNotice)
	if err := broker.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	handle := notify.Handler(a, b)
	if e := consumeOne(t, broker, handle); e.Outcome != queue.Dead {
		t.Fatalf("%+v; want a dead letter", e)
	}
	if n, err := broker.Replay(t.Context(), queue.QueueNotification, m.ID); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if e := consumeOne(t, broker, handle); e.Outcome != queue.Done {
		t.Errorf("%+v; want it done", e)
	}
	if a.attempts() != 1 || b.attempts() != 2 {
		t.Errorf("asked %d and %d times; want 1 and 2", a.attempts(), b.attempts())
	}
}

// consumeOne consumes until a message is done with, one way or the other.
func consumeOne(t testing.TB, broker queue.Broker, handle queue.Handler) queue.Event {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var last queue.Event
	err := queue.Consume(ctx, broker, queue.QueueNotification, handle, &queue.ConsumeOptions{
		Workers: 1, Retry: queue.RetryPolicy{MaxAttempts: 4, Base: time.Millisecond},
		Observe: func(_ context.Context, e queue.Event) {
			if e.Outcome != queue.Retry {
				last = e
				stop()
			}
		},
	})
	if err != nil || last.Outcome == "" {
		t.Fatalf("%+v, %v", last, err)
	}
	return last
}

// slow delivers when it is told to.
type slow struct {
	calls atomic.Int32
	open  chan struct{}
}

func (*slow) Name() string { return "slow" }
func (s *slow) Notify(ctx context.Context, _ string, _ etl.Notice) error {
	s.calls.Add(1)
	select {
	case <-s.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestCopiesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{open: make(chan struct{})}
		handle := notify.Handler(s)
		d := queue.Delivery{Message: messageOf(t, someNotice), Attempt: 1}
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- handle(t.Context(), d) }()
			synctest.Wait()
		}
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := handle(hurried, d); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a copy that cannot wait: %v", err)
		}
		close(s.open)
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
		if n := s.calls.Load(); n != 1 {
			t.Errorf("delivered %d times; want once", n)
		}
	})
}

// What is remembered is bounded: the oldest message is forgotten, and a newer
// one is not.
func TestMemory(t *testing.T) {
	t.Parallel()
	c := &channel{name: "c"}
	handle := notify.Handler(c)
	m := messageOf(t, someNotice)
	tell := func(i int) {
		m.ID = fmt.Sprint("id", i)
		if err := handle(t.Context(), queue.Delivery{Message: m, Attempt: 2}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1025 {
		tell(i)
	}
	tell(1)
	if c.attempts() != 1025 {
		t.Errorf("%d deliveries; want the second message remembered", c.attempts())
	}
	tell(0)
	if c.attempts() != 1026 {
		t.Errorf("%d deliveries; want the first message forgotten", c.attempts())
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind  etl.NoticeKind
		level string
	}{
		{etl.NoticeRunFinished, "INFO"}, {etl.NoticeLoadHeld, "WARN"}, {etl.NoticeRunFailed, "ERROR"}, {etl.NoticeFailure, "ERROR"}, {"other", "ERROR"},
	} {
		var b strings.Builder
		n := etl.Notice{Kind: test.kind, RunID: "r1", Title: "a title", Text: "line 1\nlevel=INFO"}
		err := notify.Log(slog.New(slog.NewTextHandler(&b, nil)).With("who", "me")).Notify(t.Context(), "id-1", n)
		want := fmt.Sprintf("level=%s msg=\"a title\" who=me kind=%s id=id-1 run_id=r1 text=\"line 1\\nlevel=INFO\"\n", test.level, test.kind)
		if _, got, _ := strings.Cut(b.String(), " "); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	var b strings.Builder
	quiet := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelError}))
	if err := notify.Log(quiet).Notify(t.Context(), "id", someNotice); err != nil || b.String() != "" {
		t.Errorf("below the logger's level: %q, %v", b.String(), err)
	}
	if err := notify.Log(nil).Notify(t.Context(), "id", someNotice); err != nil {
		t.Error(err)
	}
	if err := notify.Log(slog.New(slog.NewTextHandler(fullDisk{}, nil))).Notify(t.Context(), "id", someNotice); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v; want its error", err)
	}
}

var errFull = errors.New("the disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
