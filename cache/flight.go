package cache

import (
	"context"
	"fmt"
	"runtime/debug"
)

// flight is one query that several callers wait for. It runs on a goroutine
// of its own, with a context that ends when the last of them has left.
type flight[T any] struct {
	done   chan struct{}
	cancel context.CancelFunc

	waiting int // callers; guarded by Cache.mu

	// Set before done is closed.
	value    T
	err      error
	panicked any
}

// start asks on a new goroutine, and calls land before callers are answered.
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
// cancels the query, and abandon takes it off the board, so that nobody joins
// it any more. A panic of the query goes on in every caller.
func wait[T any](ctx context.Context, c *Cache, f *flight[T], abandon func()) (T, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		c.mu.Lock()
		f.waiting--
		if f.waiting == 0 {
			abandon()
			f.cancel()
		}
		c.mu.Unlock()
		var none T
		return none, ctx.Err()
	}
	if f.panicked != nil {
		panic(f.panicked)
	}
	return f.value, f.err
}
