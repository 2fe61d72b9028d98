package etl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// RunsOptions say what [Runs] can do. The zero value of every field means its
// default.
type RunsOptions struct {
	// Load makes a run through all stages, with these options. Default none:
	// then no run can be started.
	Load    func(ctx context.Context, o Options) (Report, error)
	Options Options // of the runs that are started
	// Keep is how many runs are listed, and remembered in memory. Default 100.
	Keep int
	// Host is what runs are told to be made on. Default os.Hostname.
	Host string
	// Logger is told when the run log cannot be written. Default none.
	Logger *slog.Logger
}

// Runs remembers the latest runs of the pipelines whose Options.Runs it is, and
// makes those that are asked for: it is a [driver.Runner]. Where the store has a
// [driver.RunLog], it writes them there and lists what others wrote, too: the runs
// of every process that loads into the store. Else it remembers them as long as
// the process runs. What a run held is in the store, and stays a run.
//
// A log that cannot be written stops no run.
type Runs struct {
	store   driver.Store
	o       RunsOptions
	log     *slog.Logger
	turn    chan struct{} // holds an element while a run is made that was started or scheduled here
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
	r := &Runs{store: store, turn: make(chan struct{}, 1)}
	if o != nil {
		r.o = *o
	}
	if r.o.Keep <= 0 {
		r.o.Keep = 100
	}
	if r.o.Host == "" {
		r.o.Host, _ = os.Hostname() // none is none
	}
	r.log = trace.Logger(r.o.Logger)
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

// enter waits until no other run is made here, and returns what ends its turn.
func (r *Runs) enter(ctx context.Context) (leave func(), err error) {
	if r == nil {
		return func() {}, nil
	}
	select {
	case r.turn <- struct{}{}:
		return func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// runRecord is a run that is remembered.
type runRecord struct {
	info RunInfo

	mu      sync.Mutex
	run     driver.Run
	changed chan struct{} // closed when run has changed
}

func (r *Runs) newRecord(ctx context.Context, info RunInfo, trigger driver.RunTrigger) *runRecord {
	run := driver.Run{ID: info.ID, Status: driver.RunUnderWay, Trigger: trigger, Host: r.o.Host, Started: info.Started, Loads: []driver.RunLoad{}}
	if span := trace.FromContext(ctx); span.IsValid() {
		run.TraceID = span.TraceID.String()
	}
	return &runRecord{info: info, run: run, changed: make(chan struct{})}
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

// finish notes how a run ended. cause is why it was stopped; nil when it was not.
func (rec *runRecord) finish(report Report, err, cause error) {
	if err != nil && cause != nil {
		err = fmt.Errorf("%w: the run was stopped; the next one goes on: %w", cause, err)
	}
	rec.change(func(run *driver.Run) {
		run.Ended, run.Progress, run.Chunks = new(time.Now().UTC()), nil, report.chunks
		if err != nil {
			run.Error = err.Error()
		}
		if report.RejectsFile != nil && report.RowsRejected > 0 {
			run.Rejects = *report.RejectsFile
		}
		for _, f := range report.Files {
			for i := range f.Sheets {
				s := &f.Sheets[i]
				load := driver.RunLoad{
					ID: s.Stage, Object: f.Object, Sheet: s.Sheet, Level: s.Level, Year: s.Year, Release: s.Release,
					Read: s.Read, Loaded: s.Loaded, Rejected: s.Rejected, Status: driver.RunStatus(s.Status), Reason: s.Reason, Before: s.before,
					Units: s.Units, Unknown: s.Unknown, Lossy: s.Lossy, Audits: found(s.Audits), Choices: s.Choices,
				}
				for _, e := range s.Evidence {
					load.Evidence = append(load.Evidence, driver.RunEvidence(e))
				}
				for _, g := range s.Rejects {
					load.Rejects = append(load.Rejects, driver.RunReject(g))
				}
				run.Loads = append(run.Loads, load)
			}
		}
		run.Conclude()
		if err != nil && cause != nil {
			run.Status = driver.RunInterrupted
		}
	})
}

// found are the audits that found something.
func found(audits []egrid.Audit) []egrid.Audit {
	return slices.DeleteFunc(slices.Clone(audits), func(a egrid.Audit) bool { return a.Count == 0 })
}

type runKey struct{}

// recordOf returns the record of the run that a context belongs to; nil when it
// has none yet.
func recordOf(ctx context.Context) *runRecord {
	rec, _ := ctx.Value(runKey{}).(*runRecord)
	return rec
}

// recorded is a pipeline that tells the runs of a run, the context of that run,
// and what to call at its end.
func (p *Pipeline) recorded(ctx context.Context, info RunInfo, trigger driver.RunTrigger) (*Pipeline, context.Context, func(Report, error)) {
	runs := p.o.Runs
	if runs == nil {
		return p, ctx, func(Report, error) {}
	}
	rec, finish := recordOf(ctx), func(Report, error) {}
	if rec == nil {
		rec = runs.newRecord(ctx, info, trigger)
		rec.run.Due = p.due
		runs.mu.Lock()
		runs.add(rec)
		runs.mu.Unlock()
		ended := runs.keep(ctx, rec)
		finish = func(report Report, err error) {
			rec.finish(report, err, context.Cause(ctx))
			ended()
		}
	} else if span := trace.FromContext(ctx); span.IsValid() { // which an order may begin without
		rec.change(func(run *driver.Run) { run.TraceID = span.TraceID.String() })
	}
	telling := *p
	telling.o.Progress = func(progress Progress) {
		rec.progress(progress)
		if p.o.Progress != nil {
			p.o.Progress(progress)
		}
	}
	return &telling, context.WithValue(ctx, runKey{}, rec), finish
}

// How long writing the run log may hold up a run at its begin and end.
const logTimeout = 10 * time.Second

// save writes a run into the log of the store, if that has one. It does so when
// ctx has ended, too.
func (r *Runs) save(ctx context.Context, rec *runRecord) {
	if r.store.RunLog == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer stop()
	run, _ := rec.state()
	if err := r.store.SaveRun(ctx, run); err != nil {
		r.log.WarnContext(ctx, "the run log was not written", "run_id", run.ID, "error", err)
	}
}

// keep writes a run into the log, and again as a sign of life until the returned
// function is called, which writes how it ended.
func (r *Runs) keep(ctx context.Context, rec *runRecord) (ended func()) {
	if r.store.RunLog == nil {
		return func() {}
	}
	r.save(ctx, rec)
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(driver.RunBeat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				r.save(beating, rec)
			case <-beating.Done():
				return
			}
		}
	}()
	return func() {
		stop()
		<-done
		r.save(ctx, rec)
	}
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

// missed notes due times that nobody made a run for.
func (r *Runs) missed(ctx context.Context, m Missed) {
	if r == nil {
		return
	}
	rec := r.newRecord(ctx, newRunInfo(), driver.BySchedule)
	rec.run.Status, rec.run.Due, rec.run.Ended, rec.run.Error = driver.RunMissed, &m.First, &rec.run.Started, m.String()
	r.mu.Lock()
	r.add(rec)
	r.mu.Unlock()
	r.save(ctx, rec)
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
	rec := r.newRecord(ctx, newRunInfo(), driver.ByOrder)
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
	select {
	case r.turn <- struct{}{}:
	default:
		return driver.Run{}, fmt.Errorf("%w: a run of the schedule is about to begin", egrid.ErrConflict)
	}
	r.add(rec)
	running, cancel := context.WithCancelCause(context.WithValue(context.WithoutCancel(ctx), runKey{}, rec))
	unlink := context.AfterFunc(r.stopped, func() { cancel(egrid.ErrClosed) })
	r.started.Go(func() {
		defer cancel(nil)
		defer unlink()
		ended := r.keep(running, rec)
		report, err := r.o.Load(running, o)
		<-r.turn // before anybody sees that it has ended, and starts another one
		rec.finish(report, err, context.Cause(running))
		ended()
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
	var all []driver.Run
	if r.store.RunLog != nil {
		if all, err = r.store.SavedRuns(ctx, r.o.Keep); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	latest := slices.Clone(r.latest)
	r.mu.Unlock()
	for _, rec := range latest {
		run, _ := rec.state()
		if i := slices.IndexFunc(all, func(saved driver.Run) bool { return saved.ID == run.ID }); i < 0 {
			all = append(all, run)
		} else {
			all[i] = newer(run, all[i])
		}
	}
	newestFirst(all)
	all = all[:min(len(all), r.o.Keep)]
	known := map[egrid.StageID]bool{}
	for i := range all {
		all[i] = decidedByOthers(all[i], catalog)
		for j := range all[i].Loads {
			known[all[i].Loads[j].ID] = true
		}
	}
	for i := range catalog.Snapshots {
		if s := &catalog.Snapshots[i]; s.Status == egrid.Held && !known[s.Stage] {
			all = append(all, runOf(s))
		}
	}
	newestFirst(all)
	return all, nil
}

func newestFirst(runs []driver.Run) {
	slices.SortStableFunc(runs, func(a, b driver.Run) int { return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID)) })
}

// newer is the one of a run as it is remembered here and as the log has it that
// tells more: the log, where others may have decided on it, but not while the run
// goes on here, nor when its end could not be written.
func newer(here, saved driver.Run) driver.Run {
	if here.Status == driver.RunUnderWay || saved.Status == driver.RunUnderWay || saved.Status == driver.RunInterrupted {
		return here
	}
	return saved
}

// lookUp finds a run here and in the log. The error wraps [egrid.ErrNotFound].
func (r *Runs) lookUp(ctx context.Context, id string) (driver.Run, error) {
	rec := r.find(id)
	if r.store.RunLog == nil {
		if rec == nil {
			return driver.Run{}, fmt.Errorf("%w: no run %q, or none that is remembered", egrid.ErrNotFound, id)
		}
		run, _ := rec.state()
		return run, nil
	}
	saved, err := r.store.SavedRun(ctx, id)
	if rec == nil {
		return saved, err
	}
	run, _ := rec.state()
	if err != nil { // it is not written yet, or the log is away
		return run, nil //nolint:nilerr // what is remembered is an answer
	}
	return newer(run, saved), nil
}

// Run implements [driver.Runner].
func (r *Runs) Run(ctx context.Context, id string) (driver.Run, error) {
	catalog, err := r.store.Catalog(ctx)
	if err != nil {
		return driver.Run{}, err
	}
	run, err := r.lookUp(ctx, id)
	if err == nil {
		return decidedByOthers(run, catalog), nil
	}
	for i := range catalog.Snapshots {
		if s := &catalog.Snapshots[i]; s.Status == egrid.Held && string(s.Stage) == id {
			return runOf(s), nil
		}
	}
	return driver.Run{}, err
}

func (r *Runs) find(id string) *runRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latestOf(id)
}

// recall finds a run as it is now. One that is not remembered here, or was held by
// a load of which nobody remembers the run, is remembered from here on.
func (r *Runs) recall(run *driver.Run) *runRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.latestOf(run.ID)
	if rec == nil {
		rec = &runRecord{info: RunInfo{ID: run.ID, Started: run.Started}, changed: make(chan struct{})}
		r.add(rec)
	}
	rec.change(func(r *driver.Run) { *r = *run })
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
		Status: driver.RunHeld, Reason: s.Reason, Units: s.Units, Lossy: codes(s.Schema, s.Lossy), Audits: found(s.Audits), Choices: s.Choices,
	}
	if len(s.Sources) > 0 {
		load.Object, load.Sheet = s.Sources[0].Object, s.Sources[0].Sheet
	}
	run := driver.Run{ID: string(s.Stage), Started: s.LoadedAt, Ended: &s.LoadedAt, Loads: []driver.RunLoad{load}}
	run.Conclude()
	return run
}

// decidedByOthers is the run as it is, with what became of held loads that others
// decided on.
func decidedByOthers(run driver.Run, catalog egrid.Catalog) driver.Run {
	settled := false
	for i := range run.Loads {
		l := &run.Loads[i]
		if at := slices.IndexFunc(catalog.Snapshots, func(s egrid.Snapshot) bool { return s.Status == egrid.Held && s.Stage == l.ID }); at >= 0 && l.Choices == nil {
			l.Choices = catalog.Snapshots[at].Choices // which earlier versions did not write
		}
		if l.Status != driver.RunHeld || slices.ContainsFunc(catalog.Snapshots, func(s egrid.Snapshot) bool {
			return s.Status == egrid.Held && s.Stage == l.ID || s.Status == egrid.Superseded && s.Is(l.ID) && s.Revision == l.Before
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
	l.Status, l.Reason, l.Choices = status, reason, nil
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
			r.followSaved(ctx, id, yield)
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

// savedPause is how often the log is asked for a run of another process.
const savedPause = time.Second

// followSaved follows a run of another process, as far as that writes it down, or
// a held load, which stands still.
func (r *Runs) followSaved(ctx context.Context, id string, yield func(driver.Run, error) bool) {
	before, first := driver.Run{}, true
	for {
		run, err := r.Run(ctx, id)
		changed := first || err != nil || run.Status != before.Status || !reflect.DeepEqual(run.Progress, before.Progress)
		if changed && !yield(run, err) || err != nil || run.Status != driver.RunUnderWay {
			return
		}
		before, first = run, false
		select {
		case <-time.After(savedPause):
		case <-ctx.Done():
			yield(driver.Run{}, ctx.Err())
			return
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
		if load.Before == 0 {
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
	r.save(ctx, rec)
	run, _ = rec.state()
	return run, nil
}
