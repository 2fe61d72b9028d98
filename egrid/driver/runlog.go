package driver

import (
	"context"
	"fmt"
	"time"
)

// RunLog keeps the runs of all processes that load into a store, beside the rows
// themselves: so every process can tell of every run, and of runs whose process
// died. It keeps the latest [KeepRuns], unless the store was told otherwise.
// Every store is one.
//
// Implementations are safe for concurrent use, by several processes too.
type RunLog interface {
	// SaveRun keeps a run in place of what was kept under its ID. Of a run that
	// is under way it is a sign of life, which is due every [RunBeat].
	SaveRun(ctx context.Context, r Run) error
	// SavedRun returns a run. One that is under way and has given no sign of life
	// for [RunSilence] is told as interrupted. Errors: ErrNotFound.
	SavedRun(ctx context.Context, id string) (Run, error)
	// SavedRuns returns the latest runs, so many at most, the newest first.
	SavedRuns(ctx context.Context, limit int) ([]Run, error)
}

// KeepRuns is how many runs a [RunLog] keeps where nothing else is said.
const KeepRuns = 1000

// How a run log knows that a run goes on.
const (
	RunBeat    = 5 * time.Second
	RunSilence = 30 * time.Second
)

// Heard is the run of which the last sign of life was heard at a time, as it is to be
// told after that much silence: for implementations of [RunLog]. Both are by the
// log's own clock.
func (r Run) Heard(last time.Time, silence time.Duration) Run {
	if r.Status != RunUnderWay || silence < RunSilence {
		return r
	}
	last = last.UTC()
	r.Status, r.Ended, r.Progress = RunInterrupted, &last, nil
	where := r.Host
	if where == "" {
		where = "its host"
	}
	r.Error = fmt.Sprintf("the process on %s ended or was cut off in the middle of the run, of which nothing was heard for %s; "+
		"what is published is whole, and the next run goes on where this one stopped", where, silence.Round(time.Second))
	return r
}

// Schedules keeps how far each schedule has been attended to, by name, and lets
// one process at a time lead it. Every store is one.
//
// Implementations are safe for concurrent use, by several processes too.
type Schedules interface {
	// Schedule returns what is known of a schedule: the zero value when nothing
	// is.
	Schedule(ctx context.Context, name string) (ScheduleState, error)
	// AskRun asks whoever leads the schedule for a run soon.
	AskRun(ctx context.Context, name string) error
	// Attend notes what has been attended to, and leaves Asked alone. Neither
	// Due nor Answered ever goes back.
	Attend(ctx context.Context, name string, s ScheduleState) error
	// Lead waits until this process alone leads the schedule. The context that
	// it returns is of ctx, and ends at once when leadership is lost, with the
	// cause; resign gives it up. Errors: those of the way to the store, and
	// ctx's.
	Lead(ctx context.Context, name string) (leading context.Context, resign func(), err error)
}

// ScheduleState is how far a schedule has been attended to.
type ScheduleState struct {
	Due      time.Time // the latest due time whose run has ended, or that was told as missed; zero before the first
	Asked    int64     // how often a run was asked for
	Answered int64     // of these, how many have had their run
}
