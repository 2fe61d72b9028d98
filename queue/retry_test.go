package queue_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

func TestRetryPolicyDelay(t *testing.T) {
	t.Parallel()
	const second = time.Second
	plain := queue.RetryPolicy{Jitter: -1}
	for name, test := range map[string]struct {
		policy queue.RetryPolicy
		want   []time.Duration // after attempts 1, 2, ...
	}{
		"defaults":      {plain, []time.Duration{second, 3 * second, 9 * second, 27 * second, 81 * second, 243 * second, 300 * second, 300 * second}},
		"base":          {queue.RetryPolicy{Base: 10 * time.Millisecond, Jitter: -1}, []time.Duration{10 * time.Millisecond, 30 * time.Millisecond}},
		"factor 1":      {queue.RetryPolicy{Factor: 1, Jitter: -1}, []time.Duration{second, second, second}},
		"factor 1.5":    {queue.RetryPolicy{Factor: 1.5, Jitter: -1}, []time.Duration{second, 1500 * time.Millisecond, 2250 * time.Millisecond}},
		"cap":           {queue.RetryPolicy{Cap: 5 * second, Jitter: -1}, []time.Duration{second, 3 * second, 5 * second, 5 * second}},
		"cap of base":   {queue.RetryPolicy{Base: time.Minute, Cap: second, Jitter: -1}, []time.Duration{second, second}},
		"no cap":        {queue.RetryPolicy{Base: time.Hour, Factor: 1e9, Cap: math.MaxInt64, Jitter: -1}, []time.Duration{time.Hour, math.MaxInt64, math.MaxInt64}},
		"endless":       {queue.RetryPolicy{Factor: math.Inf(1), Jitter: -1}, []time.Duration{second, 300 * second}},
		"max attempts":  {queue.RetryPolicy{MaxAttempts: 1, Jitter: -1}, []time.Duration{second, 3 * second}},
		"shortest base": {queue.RetryPolicy{Base: 1, Factor: 10, Jitter: -1}, []time.Duration{1, 10, 100}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, want := range test.want {
				if got := test.policy.Delay(i + 1); got != want {
					t.Errorf("delay after attempt %d: got %s; want %s", i+1, got, want)
				}
			}
		})
	}
	for _, attempt := range []int{0, -1, math.MinInt} {
		if got := plain.Delay(attempt); got != second {
			t.Errorf("delay after attempt %d: got %s; want that after the first", attempt, got)
		}
	}
	if got := plain.Delay(math.MaxInt); got != 300*second {
		t.Errorf("delay after very many attempts: got %s; want the cap", got)
	}
}

func TestRetryPolicyJitter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		jitter          float64
		attempt         int
		shortest, least time.Duration // least is what some delays are below of
		longest         time.Duration
	}{
		{0, 1, 800 * time.Millisecond, 900 * time.Millisecond, time.Second},
		{0.2, 2, 2400 * time.Millisecond, 2700 * time.Millisecond, 3 * time.Second},
		{0.5, 20, 150 * time.Second, 225 * time.Second, 300 * time.Second}, // of the cap, not beyond it
		{1, 1, 0, 500 * time.Millisecond, time.Second},
	} {
		policy := queue.RetryPolicy{Jitter: test.jitter}
		below, above := 0, 0
		for range 1000 {
			d := policy.Delay(test.attempt)
			if d < test.shortest || d > test.longest {
				t.Fatalf("jitter %v: delay %s; want %s to %s", test.jitter, d, test.shortest, test.longest)
			}
			if d < test.least {
				below++
			} else {
				above++
			}
		}
		if below < 300 || above < 300 {
			t.Errorf("jitter %v: %d delays below the middle, %d above; want about as many", test.jitter, below, above)
		}
	}
	forever := queue.RetryPolicy{Base: math.MaxInt64, Cap: math.MaxInt64, Jitter: 1e-18}
	for range 100 {
		if d := forever.Delay(1); d < 1<<62 {
			t.Fatalf("delay %d; want nearly the longest", d)
		}
	}
}

func TestRetryPolicyInvalid(t *testing.T) {
	t.Parallel()
	broker := memqueue.New(nil)
	t.Cleanup(func() { _ = broker.Close() })
	for name, policy := range map[string]queue.RetryPolicy{
		"attempts":       {MaxAttempts: -1},
		"base":           {Base: -1},
		"factor":         {Factor: 0.9},
		"factor below 0": {Factor: -1},
		"factor NaN":     {Factor: math.NaN()},
		"cap":            {Cap: -time.Second},
		"jitter":         {Jitter: 1.1},
		"jitter NaN":     {Jitter: math.NaN()},
	} {
		err := queue.Consume(t.Context(), broker, queue.QueueDatabase, done, &queue.ConsumeOptions{Retry: policy})
		if !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got error %v; want ErrInvalid", name, err)
		}
	}
}
