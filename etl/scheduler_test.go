package etl_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
)

type every time.Duration

func (d every) Next(t time.Time) time.Time { return t.Add(time.Duration(d)) }

// shelf is a source whose objects and faults come and go.
type shelf struct {
	mu      sync.Mutex
	texts   map[string]string
	listing error
	reading error
}

func (s *shelf) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *shelf) List(context.Context) iter.Seq2[etl.Object, error] {
	return func(yield func(etl.Object, error) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.listing != nil {
			yield(etl.Object{}, s.listing)
			return
		}
		for name, text := range s.texts {
			if !yield(etl.Listed(etl.Object{Name: name, Location: name, Size: int64(len(text)), Version: text}), nil) {
				return
			}
		}
	}
}

func (s *shelf) Open(_ context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading != nil {
		return nil, s.reading
	}
	text := s.texts[o.Location][offset:]
	if length >= 0 {
		text = text[:length]
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// outcome is a run that a scheduler told of.
type outcome struct {
	report etl.Report
	err    error
}

func (o outcome) objects() (names []string) {
	for _, f := range o.report.Files {
		names = append(names, f.Object)
	}
	slices.Sort(names)
	return names
}

func TestScheduler(t *testing.T) {
	t.Parallel()
	source := &shelf{texts: map[string]string{"GEN.csv": generators, "notes.csv": "not,egrid\n1,2\n"}}
	ctx, stop := context.WithCancel(t.Context())
	runs, ended := make(chan outcome), make(chan struct{})
	go func() {
		defer close(ended)
		etl.NewScheduler(etl.New(source, etl.ToLoader(memstore.New()), nil), every(2*time.Millisecond), &etl.SchedulerOptions{Done: func(_ context.Context, r etl.Report, err error) {
			select {
			case runs <- outcome{r, err}:
			case <-ctx.Done():
			}
		}}).Run(ctx)
	}()
	next := func() outcome {
		t.Helper()
		select {
		case o := <-runs:
			return o
		case <-time.After(10 * time.Second):
			t.Fatal("no run")
			panic("unreachable")
		}
	}

	if got := next(); got.err != nil || !slices.Equal(got.objects(), []string{"GEN.csv", "notes.csv"}) || got.report.RowsLoaded != 4 {
		t.Errorf("first run: %+v", got)
	}
	source.change(func() { source.texts["SRL23.csv"] = "SUBRGN,SRNGENAN\nNYCW,5\n" })
	if got := next(); got.err != nil || !slices.Equal(got.objects(), []string{"SRL23.csv"}) {
		t.Errorf("a new object: %+v", got)
	}
	source.change(func() { source.texts["notes.csv"] = "not,egrid\n1,3\n" })
	if got := next(); got.err != nil || !slices.Equal(got.objects(), []string{"notes.csv"}) {
		t.Errorf("a changed object: %+v", got)
	}

	broken := errors.New("bucket is away")
	source.change(func() { source.listing = broken })
	if got := next(); !errors.Is(got.err, broken) {
		t.Errorf("listing failed: %+v", got)
	}
	source.change(func() {
		source.listing, source.reading = nil, &fs.PathError{Op: "read", Path: "US23.csv", Err: broken}
		source.texts["US23.csv"] = "YEAR,USNGENAN\n2023,5\n"
	})
	var got outcome
	for got = next(); errors.Is(got.err, broken); got = next() { // it may have tried again in between
	}
	if got.err == nil && got.report.Status != etl.Failed {
		t.Errorf("reading failed: %+v", got)
	}
	source.change(func() { source.reading = nil })
	for got = next(); got.err != nil || got.report.Status == etl.Failed; got = next() {
	}
	if !slices.Equal(got.objects(), []string{"US23.csv"}) || got.report.Status != etl.Published {
		t.Errorf("what could not be read was not tried again: %+v", got)
	}
	source.change(func() { source.texts["README.md"] = "about" })
	select {
	case got := <-runs:
		t.Errorf("nothing to load changed, and there was a run: %+v", got)
	case <-time.After(50 * time.Millisecond):
	}
	stop()
	<-ended
}

// once is a schedule of a single run.
type once struct{}

func (once) Next(time.Time) time.Time { return time.Time{} }

func TestSchedulerEnds(t *testing.T) {
	t.Parallel()
	source := &shelf{texts: map[string]string{"GEN.csv": generators}}
	var stages []string
	o := &etl.Options{Observe: func(e etl.Event) { stages = append(stages, e.Stage) }}
	runs := 0
	etl.NewScheduler(etl.New(source, etl.ToLoader(memstore.New()), o), once{}, &etl.SchedulerOptions{Done: func(_ context.Context, _ etl.Report, err error) {
		if runs++; err != nil {
			t.Error(err)
		}
	}}).Run(t.Context())
	if runs != 1 || !slices.Equal(stages, []string{"scan", "validate", "divide", "stream", "report"}) {
		t.Errorf("%d runs, stages %q", runs, stages)
	}
}
