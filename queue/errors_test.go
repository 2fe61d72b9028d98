package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/egrid-analytics/egrid-go/queue"
)

func TestIsPermanent(t *testing.T) {
	t.Parallel()
	base := errors.New("no such plant")
	permanent := queue.Permanent(base)
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nil":         {nil, false},
		"marked nil":  {queue.Permanent(nil), false},
		"plain":       {base, false},
		"marked":      {permanent, true},
		"twice":       {queue.Permanent(permanent), true},
		"wrapped":     {fmt.Errorf("chunk 3: %w", permanent), true},
		"joined":      {errors.Join(io.EOF, permanent), true},
		"marked wrap": {queue.Permanent(fmt.Errorf("chunk 3: %w", base)), true},
		"only text":   {errors.New(permanent.Error()), false},
		"panic":       {&queue.PanicError{Value: permanent}, false},
	} {
		if got := queue.IsPermanent(test.err); got != test.want {
			t.Errorf("%s: got %t; want %t", name, got, test.want)
		}
	}
	if queue.Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
	if !errors.Is(permanent, base) || permanent.Error() != base.Error() {
		t.Errorf("the mark hides its error: %v", permanent)
	}
	var p *queue.PanicError
	if err := queue.Permanent(&queue.PanicError{Value: "boom"}); !errors.As(err, &p) || p.Value != "boom" {
		t.Errorf("errors.As does not see through the mark: %v", err)
	}
}

func TestPanicError(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*queue.PanicError{
		"panic: boom": {Value: "boom", Stack: []byte("stack")},
		"panic: EOF":  {Value: io.EOF},
		"handler ended its goroutine without returning": {},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}

// done is a handler that succeeds.
func done(context.Context, queue.Delivery) error { return nil }
