package queue

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// RetryPolicy says when a failed message is delivered again, and how often. The
// zero value of every field means its default; all defaults together make 8
// attempts in about 11 minutes.
type RetryPolicy struct {
	// MaxAttempts is how many times a message is delivered before it becomes
	// a dead letter; default 8. 1 is no retry.
	MaxAttempts int
	// Base is the delay after the first failure; default 1 second.
	Base time.Duration
	// Factor is how much longer each delay is than the one before; default 3.
	// At least 1.
	Factor float64
	// Cap is the longest delay; default 5 minutes. It limits Base too.
	Cap time.Duration
	// Jitter is the share of the delay that is left to chance, so that what
	// failed together is not retried together: a delay d becomes any between
	// d*(1-Jitter) and d. Default 0.2, at most 1, negative is none.
	Jitter float64
}

// Delay returns how long a message waits after its attempt-th delivery failed,
// the first being 1. It does not look at MaxAttempts. It is safe for concurrent
// use.
func (p RetryPolicy) Delay(attempt int) time.Duration {
	p = p.withDefaults()
	d := float64(p.Base) * math.Pow(p.Factor, float64(max(attempt, 1)-1))
	d = min(d, float64(p.Cap))
	if p.Jitter > 0 {
		d *= 1 - p.Jitter*rand.Float64() //nolint:gosec // it spreads load and keeps no secret
	}
	if d >= float64(p.Cap) {
		return p.Cap // as a float, the longest Duration is one too long
	}
	return time.Duration(d)
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 8
	}
	if p.Base == 0 {
		p.Base = time.Second
	}
	if p.Factor == 0 {
		p.Factor = 3
	}
	if p.Cap == 0 {
		p.Cap = 5 * time.Minute
	}
	if p.Jitter == 0 {
		p.Jitter = 0.2
	}
	return p
}

func (p RetryPolicy) validate() error {
	p = p.withDefaults()
	// Negated, so that NaN is refused.
	if p.MaxAttempts < 1 || p.Base < 0 || !(p.Factor >= 1) || p.Cap < 0 || !(p.Jitter <= 1) {
		return fmt.Errorf("%w retry policy: %+v", ErrInvalid, p)
	}
	return nil
}
