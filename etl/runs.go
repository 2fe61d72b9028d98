package etl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// RunsOptions say what [Runs] can do. The zero value of every field means its
// default.
type RunsOptions struct {
	// Load makes a run through all stages, with these options. Default none:
	// then no run can be started.
	Load    func(ctx context.Context, o Options) (Report, error)
	Options Options // of the runs that are started
	// Keep is how many runs are remembered. Default 100.
	Keep int
}

// Runs remembers the latest runs of the pipelines whose Options.Runs it is, and
// makes those that are asked for: it is a [driver.Runner]. It remembers them as
// long as the process runs; what a run held is in the store, and stays a run.
type Runs struct {
	store   driver.Store
	o       RunsOptions
	started sync.WaitGroup
	stop    context.CancelCauseFunc
	stopped context.Context

	mu     sync.Mutex
	latest []*runRecord // the newest last
}

var (
	_ driver.Runner  = (*Runs)(nil)
	_ driver.Decider = (*Runs)(nil)
)

// NewRuns returns runs into a store, which it borrows.
func NewRuns(store driver.Store, o *RunsOptions) *Runs {
	r := &Runs{store: store}
	if o != nil {
		r.o = *o
	}
	if r.o.Keep <= 0 {
		r.o.Keep = 100
	}
	r.o.Options.Runs = r
	r.stopped, r.stop = context.WithCancelCause(context.Background())
	return r
}

// Close stops the runs that were started, and waits for them.
func (r *Runs) Close() error {
	r.mu.Lock() // no run starts from here on
	r.stop(egrid.ErrClosed)
	r.mu.Unlock()
	r.started.Wait()
	return nil
}

// runRecord is a run that is remembered.
type runRecord struct {
	info RunInfo

	mu      sync.Mutex
	run     driver.Run
	before  map[egrid.StageID]int64 // revisions that published held loads before; set when the run ends
	changed chan struct{}           // closed when run has changed
}

func newRecord(info RunInfo) *runRecord {
	return &runRecord{
		info:    info,
		run:     driver.Run{ID: info.ID, Status: driver.RunUnderWay, Started: info.Started, Loads: []driver.RunLoad{}},
		before:  map[egrid.StageID]int64{},
		changed: make(chan struct{}),
	}
}

// state returns the run as it is, and what is closed when it has changed.
func (rec *runRecord) state() (driver.Run, <-chan struct{}) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	run := rec.run
	run.Loads = slices.Clone(run.Loads)
	return run, rec.changed
}

func (rec *runRecord) change(f func(*driver.Run)) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	f(&rec.run)
	close(rec.changed)
	rec.changed = make(chan struct{})
}

func (rec *runRecord) progress(p Progress) {
	rec.change(func(run *driver.Run) { run.Progress = new(driver.RunProgress(p)) })
}

func (rec *runRecord) finish(report Report, err error) {
	rec.change(func(run *driver.Run) {
		run.Ended, run.Progress = new(time.Now().UTC()), nil
		if err != nil {
			run.Error = err.Error()
		}
		for _, f := range report.Files {
			for i := range f.Sheets {
				s := &f.Sheets[i]
				if s.before > 0 {
					rec.before[s.Stage] = s.before
				}
				load := driver.RunLoad{
					ID: s.Stage, Object: f.Object, Sheet: s.Sheet, Level: s.Level, Year: s.Year, Release: s.Release,
					Read: s.Read, Loaded: s.Loaded, Rejected: s.Rejected, Status: driver.RunStatus(s.Status), Reason: s.Reason,
				}
				for _, g := range s.Rejects {
					load.Rejects = append(load.Rejects, driver.RunReject(g))
				}
				run.Loads = append(run.Loads, load)
			}
		}
		run.Conclude()
	})
}

type runKey struct{}

// recordOf returns the record of the run that a context belongs to; nil when it
// was not started by Runs.
func recordOf(ctx context.Context) *runRecord {
	rec, _ := ctx.Value(runKey{}).(*runRecord)
	return rec
}

// recorded is a pipeline that tells the runs of a run, and what to call at its
// end.
func (p *Pipeline) recorded(ctx context.Context, info RunInfo) (*Pipeline, func(Report, error)) {
	runs := p.o.Runs
	if runs == nil {
		return p, func(Report, error) {}
	}
	rec, finish := recordOf(ctx), func(Report, error) {}
	if rec == nil {
		rec = newRecord(info)
		runs.mu.Lock()
		runs.add(rec)
		runs.mu.Unlock()
		finish = rec.finish
	}
	telling := *p
	telling.o.Progress = func(progress Progress) {
		rec.progress(progress)
		if p.o.Progress != nil {
			p.o.Progress(progress)
		}
	}
	return &telling, finish
}

// add remembers a run, and forgets the oldest that has ended.
func (r *Runs) add(rec *runRecord) {
	r.latest = append(r.latest, rec)
	if len(r.latest) > r.o.Keep {
		if i := slices.IndexFunc(r.latest, func(rec *runRecord) bool { return !rec.underWay() }); i >= 0 {
			r.latest = slices.Delete(r.latest, i, i+1)
		}
	}
}

func (rec *runRecord) underWay() bool {
	run, _ := rec.state()
	return run.Status == driver.RunUnderWay
}

// StartRun implements [driver.Runner]. The run goes on when ctx ends, whose
// values it keeps, and until Close.
func (r *Runs) StartRun(ctx context.Context, request driver.RunRequest) (driver.Run, error) {
	o := r.o.Options
	if request.Publish != "" {
		policy, err := driver.ParsePolicy(string(request.Publish))
		if err != nil {
			return driver.Run{}, err
		}
		o.Publish = policy
	}
	if r.o.Load == nil {
		return driver.Run{}, fmt.Errorf("%w: there is no source to load from", egrid.ErrConflict)
	}
	rec := newRecord(newRunInfo())
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped.Err() != nil {
		return driver.Run{}, egrid.ErrClosed
	}
	for _, other := range r.latest {
		if other.underWay() {
			return driver.Run{}, fmt.Errorf("%w: run %s is under way", egrid.ErrConflict, other.info.ID)
		}
	}
	r.add(rec)
	running, cancel := context.WithCancelCause(context.WithValue(context.WithoutCancel(ctx), runKey{}, rec))
	unlink := context.AfterFunc(r.stopped, func() { cancel(egrid.ErrClosed) })
	r.started.Go(func() {
		defer cancel(nil)
		defer unlink()
		report, err := r.o.Load(running, o)
		if cause := context.Cause(running); err != nil && cause != nil {
			err = fmt.Errorf("%w: the run was stopped; the next one goes on: %w", cause, err)
		}
		rec.finish(report, err)
	})
	run, _ := rec.state()
	return run, nil
}

// Runs implements [driver.Runner].
func (r *Runs) Runs(ctx context.Context) ([]driver.Run, error) {
	catalog, err := r.store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	latest := slices.Clone(r.latest)
	r.mu.Unlock()
	all := []driver.Run{}
	known := map[egrid.StageID]bool{}
	for _, rec := range latest {
		run := rec.settled(catalog)
		for i := range run.Loads {
			known[run.Loads[i].ID] = true
		}
		all = append(all, run)
	}
	for i := range catalog.Snapshots {
		if s := &catalog.Snapshots[i]; s.Status == egrid.Held && !known[s.Stage] {
			all = append(all, runOf(s))
		}
	}
	slices.SortStableFunc(all, func(a, b driver.Run) int { return b.Started.Compare(a.Started) })
	return all, nil
}

// Run implements [driver.Runner].
func (r *Runs) Run(ctx context.Context, id string) (driver.Run, error) {
	catalog, err := r.store.Catalog(ctx)
	if err != nil {
		return driver.Run{}, err
	}
	if rec := r.find(id); rec != nil {
		return rec.settled(catalog), nil
	}
	for i := range catalog.Snapshots {
		if s := &catalog.Snapshots[i]; s.Status == egrid.Held && string(s.Stage) == id {
			return runOf(s), nil
		}
	}
	return driver.Run{}, fmt.Errorf("%w: no run %q, or none that is remembered", egrid.ErrNotFound, id)
}

func (r *Runs) find(id string) *runRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latestOf(id)
}

// recall finds a run. A held load whose run nobody remembers is remembered from
// here on.
func (r *Runs) recall(run *driver.Run) *runRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.latestOf(run.ID)
	if rec == nil {
		rec = newRecord(RunInfo{ID: run.ID, Started: run.Started})
		rec.run = *run
		r.add(rec)
	}
	return rec
}

func (r *Runs) latestOf(id string) *runRecord {
	for _, rec := range slices.Backward(r.latest) {
		if rec.info.ID == id {
			return rec
		}
	}
	return nil
}

// runOf makes a run of a held load that is all there is of it.
func runOf(s *egrid.Snapshot) driver.Run {
	load := driver.RunLoad{
		ID: s.Stage, Level: s.Level, Year: s.Year, Release: s.Release, Read: s.Rows + s.Rejected, Rejected: s.Rejected,
		Status: driver.RunHeld, Reason: s.Reason,
	}
	if len(s.Sources) > 0 {
		load.Object, load.Sheet = s.Sources[0].Object, s.Sources[0].Sheet
	}
	run := driver.Run{ID: string(s.Stage), Started: s.LoadedAt, Ended: &s.LoadedAt, Loads: []driver.RunLoad{load}}
	run.Conclude()
	return run
}

// settled is the run as it is, with what became of held loads that others
// decided on.
func (rec *runRecord) settled(catalog egrid.Catalog) driver.Run {
	run, _ := rec.state()
	settled := false
	for i := range run.Loads {
		l := &run.Loads[i]
		if l.Status != driver.RunHeld || slices.ContainsFunc(catalog.Snapshots, func(s egrid.Snapshot) bool {
			return s.Status == egrid.Held && s.Stage == l.ID || s.Status == egrid.Superseded && s.Is(l.ID) && s.Revision == rec.before[l.ID]
		}) {
			continue
		}
		status := driver.RunDiscarded
		if slices.ContainsFunc(catalog.Snapshots, func(s egrid.Snapshot) bool {
			return s.Status == egrid.Published && s.Has(l.ID) || s.Status == egrid.Superseded && s.Is(l.ID) // published, and replaced since
		}) {
			status = driver.RunPublished
		}
		decided(l, status, "")
		settled = true
	}
	if settled {
		run.Conclude()
	}
	return run
}

// decided notes what became of a held load.
func decided(l *driver.RunLoad, status driver.RunStatus, reason string) {
	l.Status, l.Reason = status, reason
	if status == driver.RunPublished {
		l.Loaded = l.Read - l.Rejected
	}
}

// pollPause bounds how often a follower is told of progress.
const pollPause = 100 * time.Millisecond

// FollowRun implements [driver.Runner]. Progress is told ten times a second at
// most.
func (r *Runs) FollowRun(ctx context.Context, id string) iter.Seq2[driver.Run, error] {
	return func(yield func(driver.Run, error) bool) {
		rec := r.find(id)
		if rec == nil {
			yield(r.Run(ctx, id)) // a held load, which stands still
			return
		}
		for {
			run, changed := rec.state()
			if run.Status != driver.RunUnderWay {
				yield(r.Run(ctx, id))
				return
			}
			if !yield(run, nil) {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				yield(driver.Run{}, ctx.Err())
				return
			}
			select {
			case <-time.After(pollPause):
			case <-ctx.Done():
			}
		}
	}
}

// PublishRun implements [driver.Decider].
func (r *Runs) PublishRun(ctx context.Context, id string, p driver.Policy) (driver.Run, error) {
	policy, err := driver.DecidingPolicy(p)
	if err != nil {
		return driver.Run{}, err
	}
	return r.decide(ctx, id, func(load *driver.RunLoad, run *driver.Run) error {
		for i := range run.Loads {
			if x := &run.Loads[i]; x.Status == driver.RunHeld && x.ID != load.ID && x.Level == load.Level && x.Year == load.Year && x.Release == load.Release {
				return fmt.Errorf("%w: the run holds %s and %s, which contradict each other; decide on each with egrid publish or egrid discard", egrid.ErrConflict, load.ID, x.ID)
			}
		}
		report, err := r.store.Publish(ctx, load.ID, driver.PublishRequest{Policy: policy})
		if err == nil {
			decided(load, driver.RunStatus(report.Status), report.Reason)
		}
		return err
	})
}

// DiscardRun implements [driver.Decider].
func (r *Runs) DiscardRun(ctx context.Context, id string) (driver.Run, error) {
	return r.decide(ctx, id, func(load *driver.RunLoad, _ *driver.Run) error {
		// What was published before stays as that; nothing waits for a decision.
		if rec := r.find(id); rec == nil || rec.before[load.ID] == 0 {
			if err := r.store.Discard(ctx, load.ID); err != nil {
				return err
			}
		}
		decided(load, driver.RunDiscarded, "")
		return nil
	})
}

// decide does something with each load that a run held. It stops at the first
// error: what is decided then stays so, and the call may be repeated. Files that
// were combined are one load.
func (r *Runs) decide(ctx context.Context, id string, do func(*driver.RunLoad, *driver.Run) error) (driver.Run, error) {
	run, err := r.Run(ctx, id)
	if err != nil {
		return driver.Run{}, err
	}
	switch run.Status {
	case driver.RunUnderWay:
		return driver.Run{}, fmt.Errorf("%w: run %s is still under way", egrid.ErrConflict, id)
	case driver.RunHeld:
	default:
		return driver.Run{}, fmt.Errorf("%w: run %s holds nothing: it is %s", egrid.ErrConflict, id, run.Status)
	}
	rec := r.recall(&run)
	for i := range run.Loads {
		load := run.Loads[i]
		if load.Status != driver.RunHeld {
			continue
		}
		err := do(&load, &run)
		if errors.Is(err, egrid.ErrNotFound) {
			return driver.Run{}, fmt.Errorf("%w: load %s is not held any more", egrid.ErrConflict, load.ID)
		}
		if err != nil {
			return driver.Run{}, fmt.Errorf("load %s: %w", load.ID, err)
		}
		rec.change(func(r *driver.Run) {
			r.Loads = slices.Clone(r.Loads)
			for j := range r.Loads {
				if r.Loads[j].ID == load.ID && r.Loads[j].Status == driver.RunHeld {
					decided(&r.Loads[j], load.Status, load.Reason)
					run.Loads[j].Status = load.Status
				}
			}
			r.Conclude()
		})
	}
	run, _ = rec.state()
	return run, nil
}
