// Package lead lets one of several goroutines of a process lead at a time: for
// stores that one process has to itself.
//
//	var leaders lead.Leaders
//	leading, resign, err := leaders.Lead(ctx, "name")
//
// # Guarantees
//
// The zero value is ready. It is safe for concurrent use.
//
// # Errors
//
// Those of the context.
package lead

import (
	"context"
	"sync"
)

// Leaders knows who leads, by name.
type Leaders struct {
	mu   sync.Mutex
	seat map[string]chan struct{} // holds an element while somebody leads
}

// Lead waits until nobody else leads under a name.
func (l *Leaders) Lead(ctx context.Context, name string) (leading context.Context, resign func(), err error) {
	l.mu.Lock()
	if l.seat == nil {
		l.seat = map[string]chan struct{}{}
	}
	seat := l.seat[name]
	if seat == nil {
		seat = make(chan struct{}, 1)
		l.seat[name] = seat
	}
	l.mu.Unlock()
	select {
	case seat <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	leading, stop := context.WithCancel(ctx)
	return leading, sync.OnceFunc(func() { stop(); <-seat }), nil
}
