package queue_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/queue"
)

// afterDead returns the headers that a message has after its last failure.
func afterDead(t *testing.T, m queue.Message, handle queue.Handler) map[string]string {
	t.Helper()
	f := &fake{messages: []queue.Message{m}, nextError: errBroken}
	o := &queue.ConsumeOptions{Workers: 1, Retry: queue.RetryPolicy{MaxAttempts: 1}}
	if err := queue.Consume(t.Context(), f, "q", handle, o); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if len(f.verdicts) != 1 || f.verdicts[0].Outcome != queue.Dead {
		t.Fatalf("verdicts %+v", f.verdicts)
	}
	return f.verdicts[0].Headers
}

// wild panics when it is asked what it is.
type wild struct{}

func (wild) Error() string { panic("no text") }

func TestReasonIsCut(t *testing.T) {
	t.Parallel()
	const limit = 2 << 10
	for name, test := range map[string]struct{ text, want string }{
		"empty":           {"", ""},
		"short":           {"no such plant", "no such plant"},
		"longest":         {strings.Repeat("x", limit), strings.Repeat("x", limit)},
		"too long":        {strings.Repeat("x", limit+1), strings.Repeat("x", limit-3) + "..."},
		"cut in a rune":   {"xx" + strings.Repeat("é", limit), "xx" + strings.Repeat("é", (limit-6)/2) + "..."},
		"at a rune's end": {"x" + strings.Repeat("é", limit), "x" + strings.Repeat("é", (limit-4)/2) + "..."},
		"bytes":           {"a\xff\xfeb", "a\uFFFDb"},
		"grows":           {strings.Repeat("\xffx", limit), strings.Repeat("\uFFFDx", (limit-3)/4) + "..."},
	} {
		h := afterDead(t, queue.Message{Key: "k"}, func(context.Context, queue.Delivery) error { return errors.New(test.text) })
		got := h[queue.HeaderError]
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes, valid is %t", name, len(got), utf8.ValidString(got))
		}
		if got != test.want {
			t.Errorf("%s: got %d bytes, ...%q; want %d bytes, ...%q", name, len(got), tail(got), len(test.want), tail(test.want))
		}
	}
}

func tail(s string) string { return s[max(0, len(s)-20):] }

func TestStackIsCut(t *testing.T) {
	t.Parallel()
	var deep func(n int)
	deep = func(n int) {
		if n == 0 {
			panic(strings.Repeat("long", 1000))
		}
		deep(n - 1)
	}
	h := afterDead(t, queue.Message{Key: "k"}, func(context.Context, queue.Delivery) error { deep(200); return nil })
	if n := len(h[queue.HeaderStack]); n != 8<<10 || !strings.HasSuffix(h[queue.HeaderStack], "...") {
		t.Errorf("stack of %d bytes, ...%q", n, tail(h[queue.HeaderStack]))
	}
	if n := len(h[queue.HeaderError]); n != 2<<10 {
		t.Errorf("reason of %d bytes", n)
	}
}

// throw panics, even with nil.
func throw(v any) error { panic(v) }

// TestPanicsOfAllKinds also passes on a panic that a handler caught itself.
func TestPanicsOfAllKinds(t *testing.T) {
	t.Parallel()
	m := queue.Message{ID: "a", Key: "k"}
	for name, test := range map[string]struct {
		handle func() error
		reason string
		stack  string
	}{
		"text":       {func() error { panic("boom") }, "panic: boom", "TestPanicsOfAllKinds"},
		"nil":        {func() error { return throw(nil) }, "panic: panic called with nil argument", "TestPanicsOfAllKinds"},
		"wild error": {func() error { return wild{} }, "panic: no text", "wild.Error"},
		"wild panic": {func() error { panic(wild{}) }, "panic: ", "TestPanicsOfAllKinds"},
		"caught":     {func() error { return &queue.PanicError{Value: "x", Stack: []byte("its stack")} }, "panic: x", "its stack"},
		"no stack":   {func() error { return errBusy }, errBusy.Error(), ""},
		"runtime":    {func() error { return []error{}[len(m.ID)] }, "panic: runtime error: index out of range", "TestPanicsOfAllKinds"},
	} {
		h := afterDead(t, m, func(context.Context, queue.Delivery) error { return test.handle() })
		if !strings.HasPrefix(h[queue.HeaderError], test.reason) || !strings.Contains(h[queue.HeaderStack], test.stack) ||
			test.stack == "" && h[queue.HeaderStack] != "" {
			t.Errorf("%s: reason %q, stack %.300s", name, h[queue.HeaderError], h[queue.HeaderStack])
		}
	}
}

// TestStory reads headers that only a stranger can have written: what makes no
// sense is as good as none.
func TestStory(t *testing.T) {
	t.Parallel()
	seen := "2024-02-29T01:02:03.5Z"
	for name, test := range map[string]struct {
		headers  map[string]string
		attempts int
		dated    bool
	}{
		"none":     {nil, 0, false},
		"good":     {map[string]string{queue.HeaderAttempts: "3", queue.HeaderFirstSeen: seen, queue.HeaderDied: seen}, 3, true},
		"negative": {map[string]string{queue.HeaderAttempts: "-3"}, 0, false},
		"no count": {map[string]string{queue.HeaderAttempts: "three", queue.HeaderFirstSeen: "yesterday", queue.HeaderDied: "\xff"}, 0, false},
		"huge":     {map[string]string{queue.HeaderAttempts: strings.Repeat("9", 99)}, 0, false},
	} {
		headers := maps.Clone(test.headers)
		if headers == nil {
			headers = map[string]string{}
		}
		headers["mine"] = "1"
		m := queue.Message{ID: "a", Key: "k", Body: []byte("x"), Headers: headers}
		letter := queue.NewDeadLetter("q", m)
		if letter.Attempts != test.attempts || letter.FirstSeen.IsZero() == test.dated || letter.Died.IsZero() == test.dated || letter.Queue != "q" {
			t.Errorf("%s: dead letter %+v", name, letter)
		}
		want := m
		want.Headers = map[string]string{"mine": "1"}
		if !sameMessage(letter.Message, want) {
			t.Errorf("%s: message %+v; want %+v", name, letter.Message, want)
		}
		if test.dated && !letter.FirstSeen.Equal(time.Date(2024, 2, 29, 1, 2, 3, 5e8, time.UTC)) {
			t.Errorf("%s: first seen %s", name, letter.FirstSeen)
		}

		attempt := 0
		afterDead(t, m, func(_ context.Context, d queue.Delivery) error {
			attempt = d.Attempt
			if d.FirstSeen.IsZero() || !maps.Equal(d.Message.Headers, want.Headers) {
				t.Errorf("%s: delivery %+v", name, d)
			}
			return queue.Permanent(errBusy)
		})
		if test.attempts == 0 && attempt != 1 || test.attempts > 0 && attempt != 0 {
			t.Errorf("%s: attempt %d", name, attempt)
		}
	}
}

// TestStackIsOfTheLastAttempt has a panic first, and an error then.
func TestStackIsOfTheLastAttempt(t *testing.T) {
	t.Parallel()
	m := queue.Message{Key: "k", Headers: map[string]string{queue.HeaderStack: "old", queue.HeaderError: "panic: old", "mine": "1"}}
	h := afterDead(t, m, func(_ context.Context, d queue.Delivery) error {
		if d.LastError != "panic: old" {
			t.Errorf("last error %q", d.LastError)
		}
		d.Message.Headers["mine"] = "2" // harms nobody
		return errBusy
	})
	if _, ok := h[queue.HeaderStack]; ok || h["mine"] != "1" || h[queue.HeaderError] != errBusy.Error() || h[queue.HeaderAttempts] != "1" {
		t.Errorf("headers %q", h)
	}
}
