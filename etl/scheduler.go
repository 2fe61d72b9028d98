package etl

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Schedule says when to run next, given a moment. The zero time is never. The
// schedules of package github.com/robfig/cron/v3 are such.
type Schedule interface {
	Next(after time.Time) time.Time
}

// After a run that failed, the next one comes sooner than the schedule says.
const (
	retryFirst = time.Second
	retryMost  = 5 * time.Minute
)

// Watch runs the pipeline now and at the times of a schedule, until ctx ends or
// the schedule does. It passes over objects that an earlier run could read in
// the same version; a run without anything else is not made. done is called
// behind every run, and behind every attempt at one that failed. What failed is
// tried again after a second at first and five minutes at most, or when the
// schedule says so, whichever comes first.
//
// Each run, like each attempt, is a span of ctx's trace, or of a new one when ctx
// has none. done's ctx is that of the run: what it logs and sends belongs there.
//
// It returns when the run at hand has stopped.
func (p *Pipeline) Watch(ctx context.Context, s Schedule, done func(context.Context, Report, error)) {
	w := watch{Pipeline: *p, seen: map[string]Object{}}
	retry := retryFirst
	for {
		run := trace.Start(ctx)
		report, made, err := w.run(run)
		if ctx.Err() != nil {
			return
		}
		if made || err != nil {
			done(run, report, err)
		}
		now := time.Now()
		next := s.Next(now)
		if err == nil {
			retry = retryFirst
		} else if soon := now.Add(retry); next.IsZero() || soon.Before(next) {
			next = soon
			retry = min(2*retry, retryMost)
		}
		if next.IsZero() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next.Sub(now)):
		}
	}
}

// watch is a pipeline that remembers what it has read.
type watch struct {
	Pipeline
	seen map[string]Object // by location
}

// run makes a run of the objects that are new or changed, if there are any.
func (w *watch) run(ctx context.Context) (r Report, made bool, err error) {
	scanned, err := w.list(ctx)
	if err != nil {
		return r, false, err
	}
	listed := scanned.Objects
	scanned.Objects = nil
	for _, o := range listed {
		if w.seen[o.Location] != o {
			scanned.Objects = append(scanned.Objects, o)
		}
	}
	if !slices.ContainsFunc(scanned.Objects, Object.toLoad) {
		return r, false, nil
	}
	source := &heedful{Source: w.source, failed: map[string]bool{}}
	p := w.Pipeline
	p.source = source
	if r, err = p.load(ctx, scanned); err != nil {
		return r, true, err
	}
	clear(w.seen) // of what is not there any more, too
	for _, o := range listed {
		if !source.failed[o.Location] {
			w.seen[o.Location] = o
		}
	}
	return r, true, nil
}

// heedful is a source that knows which objects could not be read. A run goes on
// without them and says so; the next one should try them again.
type heedful struct {
	Source

	mu     sync.Mutex
	failed map[string]bool // by location
}

func (h *heedful) Open(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	r, err := h.Source.Open(ctx, o, offset, length)
	h.heed(o, err)
	if err != nil {
		return nil, err
	}
	return heedfulReader{r, func(err error) { h.heed(o, err) }}, nil
}

func (h *heedful) heed(o Object, err error) {
	if err == nil || errors.Is(err, io.EOF) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[o.Location] = true
}

type heedfulReader struct {
	io.ReadCloser
	heed func(error)
}

func (r heedfulReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.heed(err)
	return n, err
}
