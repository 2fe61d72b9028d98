package etl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Schedule says when to run next, given a moment. The zero time is never. Package
// etl/schedule reads cron expressions.
type Schedule interface {
	Next(after time.Time) time.Time
}

// After a run that failed, the next one comes sooner than the schedule says.
const (
	retryFirst = time.Second
	retryMost  = 5 * time.Minute
)

// How often a scheduler looks at the clock, which may be set, and at what others
// asked for.
const (
	askPause   = time.Second
	clockPause = time.Minute
)

// mostMissed bounds how many due times are counted one by one.
const mostMissed = 10_000

// SchedulerOptions tune a [Scheduler]. The zero value of every field means its
// default.
type SchedulerOptions struct {
	// Schedules keeps how far the schedule has been attended to, and lets one
	// process at a time lead it, under Name. Default none: the scheduler leads by
	// itself, and runs once at its start.
	Schedules driver.Schedules
	// Name is that of the schedule; of all processes with the same one a single
	// process makes the runs. Default "default".
	Name string
	// Jitter delays each run of the schedule by a time that is drawn anew, up to
	// this and up to half of the time to the next one, so that programs with one
	// schedule do not all begin at once. Default none.
	Jitter time.Duration
	// Quiet is how long nothing more has to be asked for until the run begins that
	// [Scheduler.Ask] asks for, ten times as long at most: so several notifications
	// in a short time are one run. Default 2 seconds, negative is none.
	Quiet time.Duration
	// Done is called behind every run, and behind every attempt at one that
	// failed, but not of runs that were stopped. Its ctx is that of the run: what
	// it logs and sends belongs there. Default none.
	Done func(context.Context, Report, error)
	// Missed is called for due times that no run was made for. Default none.
	Missed func(context.Context, Missed)
	// Logger is told of leadership and of missed runs. Default none.
	Logger *slog.Logger
}

// Missed is due times of a schedule that no run was made for. At most one run makes
// up for them, that of the latest due time, which is none of them.
type Missed struct {
	Schedule string
	First    time.Time // due time
	Last     time.Time // due time
	Count    int       // at least so many
	// Busy says that the run before was still going on, so that what was missed is
	// nothing but turns at a source that was being read. Else no process was there,
	// or none could lead.
	Busy bool
}

// String says what was missed, in a sentence.
func (m Missed) String() string {
	why := "no process was there to make it"
	if m.Busy {
		why = "the run before was still going on"
	}
	if m.Count == 1 {
		return fmt.Sprintf("the schedule was due at %s and was not run: %s", m.First.UTC().Format(time.RFC3339), why)
	}
	return fmt.Sprintf("the schedule was due %d times between %s and %s and was not run: %s", m.Count, m.First.UTC().Format(time.RFC3339), m.Last.UTC().Format(time.RFC3339), why)
}

// SchedulerState is what a scheduler is at.
type SchedulerState struct {
	Leading bool
	Next    time.Time // due time; zero when it does not lead, or nothing is due any more
}

// Scheduler makes runs of a pipeline at the times of a schedule, and when it is
// asked for one. It passes over objects that an earlier run of its own could read
// in the same version; a run without anything else is not made, and not told.
//
// # One leader
//
// With [SchedulerOptions.Schedules], one of all schedulers of a name leads and the
// others wait. When leadership is lost, the run in hand is stopped between two
// chunks and told as interrupted, and whoever leads next makes the run of that
// due time again. The ledger of chunks makes it harmless if both do the same for a
// moment: what is in the store already is not added again.
//
// # Due times
//
// Each due time has one run, or is told as missed. The first run of all is at
// once. When several due times have passed, because no process was there or a run
// took long, the run of the latest one is made and the others are missed. What
// failed is tried again after a second at first and five minutes at most, until
// the next due time. A due time counts as attended to when its run has ended: a
// process that dies in the middle leaves it to the next leader. Runs do not
// overlap, with each other and with those of Options.Runs.
//
// A Scheduler is safe for concurrent use; Run runs once at a time.
type Scheduler struct {
	schedule Schedule
	o        SchedulerOptions
	log      *slog.Logger
	watch    watch
	asked    chan struct{} // holds an element when somebody asked here

	mu    sync.Mutex
	state SchedulerState
	local driver.ScheduleState // where there are no Schedules
}

// NewScheduler returns a scheduler of a pipeline.
func NewScheduler(p *Pipeline, s Schedule, o *SchedulerOptions) *Scheduler {
	c := &Scheduler{schedule: s, watch: watch{Pipeline: *p, seen: map[string]Object{}}, asked: make(chan struct{}, 1)}
	if o != nil {
		c.o = *o
	}
	if c.o.Name == "" {
		c.o.Name = "default"
	}
	if c.o.Quiet == 0 {
		c.o.Quiet = 2 * time.Second
	}
	c.log = trace.Logger(c.o.Logger)
	return c
}

// State returns what the scheduler is at: for metrics.
func (c *Scheduler) State() SchedulerState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *Scheduler) setState(s SchedulerState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}

// Ask asks for a run soon, as when a bucket tells of a new object. Whichever
// scheduler of that name leads makes it, now or when one leads again. It returns
// when that is written down.
func (c *Scheduler) Ask(ctx context.Context) error {
	if c.o.Schedules == nil {
		c.mu.Lock()
		c.local.Asked++
		c.mu.Unlock()
	} else if err := c.o.Schedules.AskRun(ctx, c.o.Name); err != nil {
		return err
	}
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return nil
}

// Run leads the schedule, or waits until it may, until ctx ends or the schedule
// does. It returns when the run at hand has stopped.
func (c *Scheduler) Run(ctx context.Context) {
	wait := retryFirst
	for ctx.Err() == nil {
		leading, resign, err := c.lead(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.log.WarnContext(ctx, "cannot lead the schedule", "schedule", c.o.Name, "error", err)
			}
			pause(ctx, wait)
			wait = min(2*wait, 30*time.Second)
			continue
		}
		wait = retryFirst
		c.setState(SchedulerState{Leading: true})
		c.log.InfoContext(ctx, "leading the schedule", "schedule", c.o.Name)
		over := c.attend(leading)
		c.setState(SchedulerState{})
		if leading.Err() != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "leadership of the schedule lost", "schedule", c.o.Name, "error", context.Cause(leading))
		}
		resign()
		if over {
			return
		}
	}
}

func (c *Scheduler) lead(ctx context.Context) (context.Context, func(), error) {
	if c.o.Schedules == nil {
		return ctx, func() {}, nil
	}
	return c.o.Schedules.Lead(ctx, c.o.Name)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// kept returns how far the schedule has been attended to.
func (c *Scheduler) kept(ctx context.Context) (driver.ScheduleState, error) {
	if c.o.Schedules != nil {
		return c.o.Schedules.Schedule(ctx, c.o.Name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.local, nil
}

// attended notes how far it is now. A store that is away learns of it by the next
// call; until then a due time may be attended to twice, which is harmless.
func (c *Scheduler) attended(ctx context.Context, to driver.ScheduleState) {
	if c.o.Schedules == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.local.Due, c.local.Answered = to.Due, to.Answered
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer stop()
	if err := c.o.Schedules.Attend(ctx, c.o.Name, to); err != nil {
		c.log.WarnContext(ctx, "it was not written down how far the schedule has been attended to", "schedule", c.o.Name, "error", err)
	}
}

// turn is what a leader knows between two runs.
type turn struct {
	driver.ScheduleState
	ended time.Time // of the run before; zero when there was none
	start time.Time // of the run of the next due time, with its jitter
	of    time.Time // that due time
	retry time.Time // when what failed is tried again; zero for not
	wait  time.Duration

	trigger driver.RunTrigger // of the run before

	askedFirst, askedLast time.Time // when what is not answered was seen first, and seen to grow last
	askedSeen             int64
}

// attend makes the runs until leadership ends, and reports whether the schedule
// is over.
func (c *Scheduler) attend(ctx context.Context) (over bool) {
	t := turn{wait: retryFirst}
	for {
		var err error
		if t.ScheduleState, err = c.kept(ctx); err == nil {
			break
		}
		if ctx.Err() != nil {
			return false
		}
		c.log.WarnContext(ctx, "cannot read how far the schedule has been attended to", "schedule", c.o.Name, "error", err)
		pause(ctx, retryFirst)
	}
	t.askedSeen = t.Answered
	for {
		trigger, due := c.next(ctx, &t)
		if trigger == "" {
			return t.of.IsZero() && ctx.Err() == nil
		}
		c.run(ctx, &t, trigger, due)
	}
}

// run makes a run, and notes what it attended to, unless it was stopped.
func (c *Scheduler) run(ctx context.Context, t *turn, trigger driver.RunTrigger, due time.Time) {
	asked := t.Answered
	if s, err := c.kept(ctx); err == nil {
		asked = s.Asked
	}
	run := beginRun(ctx)
	w := &c.watch
	w.o.Trigger, w.due = trigger, nil
	if trigger == driver.BySchedule {
		w.due = &due
	}
	report, made, err := w.run(run)
	if ctx.Err() != nil {
		return
	}
	if made || err != nil { // what is not made is not told
		if c.o.Done != nil {
			c.o.Done(run, report, err)
		}
		trace.End(run, err)
	}
	t.ended, t.trigger = time.Now(), trigger
	if due.After(t.Due) {
		t.Due = due
	}
	t.Answered = asked
	c.attended(ctx, t.ScheduleState)
	t.retry = time.Time{}
	if err == nil {
		t.wait = retryFirst
		return
	}
	t.retry = t.ended.Add(t.wait)
	t.wait = min(2*t.wait, retryMost)
}

// next waits until a run is to be made, and says why, and for which due time. The
// trigger is empty when leadership or the schedule has ended.
func (c *Scheduler) next(ctx context.Context, t *turn) (driver.RunTrigger, time.Time) {
	for ctx.Err() == nil {
		now := time.Now()
		if t.Due.IsZero() { // the first of all
			return driver.BySchedule, now
		}
		if t.Due.After(now.Add(clockPause)) {
			c.log.WarnContext(ctx, "the schedule was attended to by a clock ahead of this one; it goes on from now", "schedule", c.o.Name, "attended", t.Due)
			t.Due = now
		}
		due := c.pass(ctx, t, now)
		c.setState(SchedulerState{Leading: true, Next: t.of})
		if !due.IsZero() && !now.Before(t.start) {
			return driver.BySchedule, due
		}
		if !t.retry.IsZero() && !now.Before(t.retry) {
			return t.trigger, t.Due
		}
		if c.answer(ctx, t, now) {
			return driver.ByNotification, time.Time{}
		}
		if t.of.IsZero() && t.retry.IsZero() {
			return "", time.Time{} // nothing is due any more
		}
		c.doze(ctx, t, now)
	}
	return "", time.Time{}
}

// pass returns the latest due time that has come; zero when none has. It tells of
// those before it, and draws when the run of the next one begins.
func (c *Scheduler) pass(ctx context.Context, t *turn, now time.Time) (due time.Time) {
	missed, many := Missed{Schedule: c.o.Name}, false
	next := c.schedule.Next(t.Due)
	for ; !next.IsZero() && !next.After(now); next = c.schedule.Next(next) {
		if !due.IsZero() {
			if missed.Count++; missed.Count == 1 {
				missed.First = due
			}
			missed.Last = due
		}
		due = next
		if many = missed.Count == mostMissed; many {
			due = now
			break
		}
	}
	if due.IsZero() {
		due = next
	}
	if !t.of.Equal(due) {
		t.of, t.start = due, due
		if many {
			c.log.WarnContext(ctx, "more due times have passed than are counted", "schedule", c.o.Name)
		} else if after := c.schedule.Next(due); c.o.Jitter > 0 && !after.IsZero() && !due.IsZero() {
			if most := min(c.o.Jitter, after.Sub(due)/2); most > 0 {
				t.start = due.Add(rand.N(most)) //nolint:gosec // G404: it need not be hard to guess
			}
		}
	}
	if missed.Count > 0 {
		// What passed while it ran is of that run.
		missed.Busy = t.ended.After(missed.Last)
		c.tell(ctx, missed)
		t.Due = missed.Last
		c.attended(ctx, t.ScheduleState)
	}
	if due.After(now) {
		return time.Time{}
	}
	return due
}

func (c *Scheduler) tell(ctx context.Context, m Missed) {
	ctx = trace.Start(ctx)
	level := slog.LevelWarn
	if m.Busy {
		level = slog.LevelInfo
	} else {
		c.watch.o.Runs.missed(ctx, m)
	}
	c.log.Log(ctx, level, "runs missed", "schedule", m.Schedule, "count", m.Count, "first", m.First, "last", m.Last, "busy", m.Busy)
	if c.o.Missed != nil {
		c.o.Missed(ctx, m)
	}
}

// answer reports whether a run was asked for and no more has been for a while.
func (c *Scheduler) answer(ctx context.Context, t *turn, now time.Time) bool {
	state, err := c.kept(ctx)
	if err != nil || state.Asked <= t.Answered {
		return false
	}
	if t.askedSeen <= t.Answered { // the first since the run before
		t.askedFirst = now
	}
	if state.Asked > t.askedSeen {
		t.askedSeen, t.askedLast = state.Asked, now
	}
	return now.Sub(t.askedLast) >= c.o.Quiet || now.Sub(t.askedFirst) >= 10*c.o.Quiet
}

// doze waits until there may be something to do.
func (c *Scheduler) doze(ctx context.Context, t *turn, now time.Time) {
	wait := clockPause
	if c.o.Schedules != nil || t.askedSeen > t.Answered {
		wait = askPause
	}
	if t.askedSeen > t.Answered {
		wait = min(wait, max(c.o.Quiet, time.Millisecond))
	}
	for _, at := range []time.Time{t.start, t.retry} {
		if !at.IsZero() {
			wait = min(wait, max(at.Sub(now), 0))
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-c.asked:
	case <-timer.C:
	}
}

// watch is a pipeline that remembers what it has read.
type watch struct {
	Pipeline
	seen    map[string]Object // by location
	failing bool              // the source could not be listed the last time
}

// run makes a run of the objects that are new or changed, if there are any.
func (w *watch) run(ctx context.Context) (r Report, made bool, err error) {
	scanned, err := w.list(ctx)
	if err != nil {
		if !w.failing { // a source that stays away is one failure of the log
			w.recordFailure(ctx, scanned.RunInfo, err)
		}
		w.failing = true
		return r, false, err
	}
	w.failing = false
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
	leave, err := w.o.Runs.enter(ctx)
	if err != nil {
		return r, false, err
	}
	defer leave()
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
