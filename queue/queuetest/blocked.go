package queuetest

import (
	"context"
	"errors"

	"github.com/egrid-analytics/egrid-go/queue"
)

// wantBlocked checks that an error says why the broker takes nothing.
func (f *fixture) wantBlocked(what string, err error) {
	f.Helper()
	var blocked *queue.BlockedError
	if !errors.As(err, &blocked) || len(blocked.Reasons) == 0 || blocked.Detail == "" {
		f.Errorf("%s: got error %v; want one with a *BlockedError that says why", what, err)
		return
	}
	if f.max > 0 && !blocked.Has(queue.BlockedByQueue) {
		f.Errorf("%s: got reasons %q; want %q", what, blocked.Reasons, queue.BlockedByQueue)
	}
}

// testFullBlocked asks a broker whose queue is full, and has room again.
func testFullBlocked(f *fixture) {
	f.must(f.broker.Blocked(f.soon()))
	f.fill()
	published := make(chan error, 1)
	go func() { published <- f.broker.Publish(f.soon(), messageOf("late")) }()
	f.eventually("Blocked says so", func() bool { return f.broker.Blocked(f.soon()) != nil })
	f.wantBlocked("Blocked", f.broker.Blocked(f.soon()))
	sub := f.subscribe(main, 1)
	f.settle(f.any(sub), queue.Verdict{Outcome: queue.Done})
	f.must(receive(f, "the end of Publish", published))
	f.eventually("Blocked says no more", func() bool { return f.broker.Blocked(f.soon()) == nil })
}

// testBlocked has the broker take no messages for a while.
func testBlocked(f *fixture) {
	f.must(f.broker.Blocked(f.soon()))
	f.features.Block(f.T, true)
	f.eventually("Blocked says so", func() bool { return f.broker.Blocked(f.soon()) != nil })
	f.wantBlocked("Blocked", f.broker.Blocked(f.soon()))
	ctx, cancel := context.WithTimeout(f.soon(), 5*moment)
	defer cancel()
	err := f.broker.Publish(ctx, messageOf("a"))
	f.wantError("Publish", err, context.DeadlineExceeded)
	f.wantBlocked("Publish", err)
	// What it holds can be looked at all the same.
	_, err = f.broker.Depth(f.soon(), main)
	f.must(err)
	f.letters(main)

	published := make(chan error, 1)
	go func() { published <- f.broker.Publish(f.soon(), messageOf("b")) }()
	f.letWait()
	f.features.Block(f.T, false)
	f.must(receive(f, "the end of Publish", published))
	f.eventually("Blocked says no more", func() bool { return f.broker.Blocked(f.soon()) == nil })
}
