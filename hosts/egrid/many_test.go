package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/queue"
)

// fillDead makes n dead letters of another load.
func fillDead(t *testing.T, b queue.Broker, n int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var publishing sync.WaitGroup
	for p := range 16 {
		publishing.Go(func() {
			for i := p; i < n; i += 16 {
				m := queue.Message{ID: fmt.Sprintf("m%06d", i), Key: queue.KeyChunk, Body: make([]byte, 100),
					ContentType: "application/vnd.egrid.chunk", Headers: map[string]string{etl.HeaderStage: "0123456789abcdef01234567"}}
				if err := b.Publish(ctx, m); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	left := atomic.Int64{}
	left.Store(int64(n))
	err := queue.Consume(ctx, b, queue.QueueDatabase, func(context.Context, queue.Delivery) error {
		return queue.Permanent(errors.New("broken"))
	}, &queue.ConsumeOptions{Workers: 32, Observe: func(context.Context, queue.Event) {
		if left.Add(-1) == 0 {
			stop()
		}
	}})
	publishing.Wait()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is what a command says.
type answer struct {
	code      int
	out, logs string
}

func ask(t *testing.T, args ...string) answer {
	t.Helper()
	var out, logs bytes.Buffer
	code := run(t.Context(), args, nil, &out, &logs)
	return answer{code, out.String(), logs.String()}
}

// TestManyDeadLetters loads, lists and drops beside the dead letters of another
// load.
func TestManyDeadLetters(t *testing.T) {
	const many = 3000
	s := newShell(t)
	_, address := services(t)
	s.Setenv("EGRID_QUEUE", address)
	s.run(0, "dead-letters", "drop", "database", "--all") // of a run that was broken off
	load := func(fuel string) time.Duration {
		t.Helper()
		path := s.file("GEN23.csv", strings.ReplaceAll(generators, "NG", fuel))
		began := time.Now()
		s.run(0, "load", "--publish", "replace", path)
		return time.Since(began)
	}
	load("OIL")
	alone := load("COL")
	b, err := service.OpenQueue(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	fillDead(t, b, many)
	if beside := load("WAT"); beside > 3*alone+time.Second {
		t.Errorf("a load took %s beside %d dead letters, and %s without", beside, many, alone)
	} else {
		t.Logf("a load takes %s, beside %d dead letters %s", alone, many, beside)
	}

	// Two at once see all, and in their order.
	answers := make(chan answer, 2)
	began := time.Now()
	for range cap(answers) {
		go func() { answers <- ask(t, "dead-letters", "list", "database", "--json") }()
	}
	var first []deadLetter
	for range cap(answers) {
		a := <-answers
		var letters []deadLetter
		if err := json.Unmarshal([]byte(a.out), &letters); err != nil || a.code != 0 || len(letters) != many {
			t.Fatalf("status %d, %d dead letters, %v", a.code, len(letters), err)
		}
		if first == nil {
			first = letters
		}
		if !slices.EqualFunc(first, letters, func(a, b deadLetter) bool { return a.ID == b.ID }) {
			t.Error("two lists have another order")
		}
	}
	t.Logf("two lists at once took %s", time.Since(began))

	// While somebody looks at them for long, nothing is dropped without a word.
	for _, err := range b.DeadLetters(t.Context(), queue.QueueDatabase) {
		if err != nil {
			t.Fatal(err)
		}
		a := ask(t, "dead-letters", "drop", "database", "--all")
		if a.code != 3 || !strings.HasPrefix(a.out, "0 dropped") || !strings.Contains(a.logs, "others are looking at the rest") {
			t.Errorf("drop: status %d, %q, %q", a.code, a.out, a.logs)
		}
		break
	}
	if text := s.run(0, "dead-letters", "drop", "database", "--all"); !strings.Contains(text, fmt.Sprint(many, " dropped")) {
		t.Errorf("drop: %s", text)
	}
}

// What may be printed of an address has nothing that may be a secret.
func TestShown(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"amqp://u:secret@a:5672,b:5672/v":       "amqp://a:5672,b:5672/v",
		"amqp://u:secret#1@a/":                  "amqp://(an address that cannot be read)",
		"postgres://u:sec@ret@db/x":             "postgres://db/x",
		"amqp://u:sec@ret#1@a/":                 "amqp://(an address that cannot be read)",
		"amqp://u:sec@ret?1@a/":                 "amqp://(an address that cannot be read)",
		"amqp://u:sec@ret/1@a/":                 "amqp://(an address that cannot be read)",
		"postgres://u:secret/1@db/x":            "postgres://(an address that cannot be read)",
		"postgres://db/x?password=secret":       "postgres://db/x",
		"postgresql+psycopg2://u:secret@db/x":   "(an address that cannot be read)",
		"host=db password=secret":               "(an address that cannot be read)",
		"http://127.0.0.1:1/x":                  "http://127.0.0.1:1/x",
		"http://127.0.0.1:1/?token=secret":      "http://127.0.0.1:1",
		"https://u:secret@127.0.0.1:1/readyz?x": "https://127.0.0.1:1/readyz",
		"rabbitmq://u:secret@h/":                "(an address that cannot be read)",
		"sqlite:x.db":                           "x.db",
		"folder/x.db":                           "folder/x.db",
		"mem:":                                  "mem:",
	} {
		if got := shown(address); got != want {
			t.Errorf("%s: got %s; want %s", address, got, want)
		}
	}
}

// TestExitOfAPart makes the exit status of an error.
func TestExitOfAPart(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{stderr: &stderr}
	if err := a.tellPart(fmt.Errorf("x: %w", &queue.PartialError{Queue: "q", Seen: 3, Total: 5})); !errors.Is(err, incomplete) || !strings.Contains(stderr.String(), "3 of 5") {
		t.Errorf("got %v, %q", err, stderr.String())
	}
	other := errors.New("other")
	if err := a.tellPart(other); !errors.Is(err, other) {
		t.Errorf("got %v", err)
	}
}
