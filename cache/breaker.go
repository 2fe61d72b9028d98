package cache

import (
	"math/rand/v2"
	"sync"
	"time"
)

// The pauses after the first failure and after many of them. Each is made up
// to half shorter or longer by chance, so that replicas do not return at once.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// breaker keeps callers away from what fails. After a failure nobody enters
// for a pause, then one alone tries; each further failure doubles the pause.
type breaker struct {
	mu       sync.Mutex
	failures int // one after the other
	until    time.Time
	trying   bool
	turn     int // grows with every failure, and with the end of failures
}

// outcome is how a call through a breaker ended.
type outcome int

const (
	worked outcome = iota
	failed
	unknown // the caller gave up
)

// enter reports whether the caller may go on. If so it calls leave with turn.
func (b *breaker) enter() (turn int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures > 0 {
		if b.trying || time.Now().Before(b.until) {
			return 0, false
		}
		b.trying = true
	}
	return b.turn, true
}

// leave reports whether the state changed between working and failing. Calls
// that began before the latest change say nothing about what came after it.
func (b *breaker) leave(turn int, o outcome) (changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if turn != b.turn {
		return false
	}
	b.trying = false
	switch {
	case o == failed:
		b.failures++
		b.turn++
		b.until = time.Now().Add(pause(b.failures))
		return b.failures == 1
	case o == worked && b.failures > 0:
		b.failures = 0
		b.turn++
		return true
	}
	return false
}

func pause(failures int) time.Duration {
	d := lastPause
	if doublings := failures - 1; doublings < 10 {
		d = min(firstPause<<doublings, lastPause)
	}
	return d/2 + rand.N(d) //nolint:gosec // G404: a pause is no secret
}
