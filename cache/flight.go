package cache

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// flight is work that several callers wait for. It runs on a goroutine
// of its own, with a context that ends when the last of them has left.
type flight[T any] struct {
	done   chan struct{}
	cancel context.CancelFunc

	waiting int // callers; guarded by the mutex that wait gets

	// Set before done is closed.
	value    T
	err      error
	panicked any
}

// start does the work on a new goroutine, and calls land before callers are answered.
// The context's values go along; its end does not.
func start[T any](ctx context.Context, ask func(context.Context) (T, error), land func(*flight[T])) *flight[T] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[T]{done: make(chan struct{}), cancel: cancel}
	go func() {
		defer cancel()
		defer close(f.done)
		defer land(f)
		defer func() {
			if p := recover(); p != nil {
				f.panicked = fmt.Sprintf("%v\n\n%s", p, debug.Stack())
			}
		}()
		f.value, f.err = ask(ctx)
	}()
	return f
}

// wait waits for the answer or the end of ctx. The last caller to give up
// cancels the work and calls abandon, which removes the flight, so that new
// callers start their own. A panic of the work goes on in every caller.
func wait[T any](ctx context.Context, mu *sync.Mutex, f *flight[T], abandon func()) (T, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		mu.Lock()
		f.waiting--
		if f.waiting == 0 {
			abandon()
			f.cancel()
		}
		mu.Unlock()
		var none T
		return none, ctx.Err()
	}
	if f.panicked != nil {
		panic(f.panicked)
	}
	return f.value, f.err
}
