package driver

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Runner makes loads of the source that it is set up with, and tells how they
// go. Package etl has one over a pipeline, and the client of the HTTP API is one;
// both are a [Decider], too.
//
// Implementations are safe for concurrent use.
type Runner interface {
	// StartRun begins a run and returns at once. Errors: ErrInvalid,
	// ErrConflict while a run is under way, ErrClosed.
	StartRun(ctx context.Context, r RunRequest) (Run, error)
	// Runs lists the latest runs, the newest first. A held load of which no
	// run is remembered is a run of its own, under the load's id.
	Runs(ctx context.Context) ([]Run, error)
	// Run returns one of them. Errors: ErrNotFound.
	Run(ctx context.Context, id string) (Run, error)
	// FollowRun yields a run as it is, and again when it has changed, until it
	// has ended. Who is slow misses states, but never the last one. Errors:
	// ErrNotFound; an error is the last that it yields.
	FollowRun(ctx context.Context, id string) iter.Seq2[Run, error]
}

// Decider decides on what runs held.
//
// Implementations are safe for concurrent use.
type Decider interface {
	// PublishRun makes what a run held the answer: by PublishReplace, which is
	// the default, or PublishMerge. Errors: ErrNotFound, ErrInvalid, ErrConflict
	// when the run holds nothing or is under way.
	PublishRun(ctx context.Context, id string, p Policy) (Run, error)
	// DiscardRun drops what a run held. Errors as those of PublishRun.
	DiscardRun(ctx context.Context, id string) (Run, error)
}

// RunRequest says how to make a run.
type RunRequest struct {
	// Publish is what to do where other data are published already; empty is
	// the runner's own policy.
	Publish Policy `json:"publish,omitempty"`
}

// RunStatus is the state of a run, or of one load of it.
type RunStatus string

// The states.
const (
	RunUnderWay  RunStatus = "running"
	RunPublished RunStatus = "published" // readers see it
	RunHeld      RunStatus = "held"      // complete, but kept back; the reason says what decides
	RunUnchanged RunStatus = "unchanged" // the same content is published already
	RunDiscarded RunStatus = "discarded" // it was held, and dropped
	RunFailed    RunStatus = "failed"    // it could not be loaded; the reason says why
	RunLeftOut   RunStatus = "left_out"  // it is no eGRID sheet, and nobody named it; the reason says what it is

	// The states of a run alone that a [RunLog] keeps.
	RunInterrupted RunStatus = "interrupted" // its process ended, or was cut off, in the middle of it
	RunMissed      RunStatus = "missed"      // it was due and nobody made it; the error says how often, and when
)

// RunStatuses lists the states.
func RunStatuses() []RunStatus {
	return []RunStatus{RunUnderWay, RunPublished, RunHeld, RunUnchanged, RunDiscarded, RunFailed, RunLeftOut, RunInterrupted, RunMissed}
}

// RunTrigger says who started a run.
type RunTrigger string

// The triggers.
const (
	ByCommand      RunTrigger = "command"      // a person, by egrid load, or a program of one's own
	BySchedule     RunTrigger = "schedule"     // the schedule of the service etl
	ByOrder        RunTrigger = "order"        // POST /runs
	ByNotification RunTrigger = "notification" // a bucket that told of a new object
	ByStages       RunTrigger = "stages"       // an orchestrator that runs the stages one by one
)

// RunTriggers lists the triggers.
func RunTriggers() []RunTrigger {
	return []RunTrigger{ByCommand, BySchedule, ByOrder, ByNotification, ByStages}
}

// Run is a load of a source.
type Run struct {
	ID       string       `json:"run_id"`
	Status   RunStatus    `json:"status"`             // held where a load is, else published where one is, else unchanged, discarded or failed
	Trigger  RunTrigger   `json:"trigger,omitempty"`  // who started it; empty when it is not known
	Host     string       `json:"host,omitempty"`     // where it runs or ran
	TraceID  string       `json:"trace_id,omitempty"` // of what it logged, here and in consumers
	Due      *time.Time   `json:"due_at,omitempty"`   // when the schedule had it due; nil for other runs
	Started  time.Time    `json:"started_at"`
	Ended    *time.Time   `json:"ended_at"`           // nil while it is under way; of an interrupted run its last sign of life
	Progress *RunProgress `json:"progress,omitempty"` // nil before the first chunk and when it has ended
	Chunks   int64        `json:"chunks"`             // that were streamed
	Failures int64        `json:"failures"`           // loads that failed
	Read     int64        `json:"rows_read"`
	Loaded   int64        `json:"rows_loaded"` // rows that readers see
	Rejected int64        `json:"rows_rejected"`
	Loads    []RunLoad    `json:"loads"`                  // empty while it is under way
	Rejects  string       `json:"rejects_file,omitempty"` // on its host: the rejected records; empty when none were kept
	Error    string       `json:"error,omitempty"`        // why the run as a whole failed
}

// RunProgress is how far a run has come with one sheet.
type RunProgress struct {
	Stage  string `json:"stage"` // validate or stream
	Object string `json:"object"`
	Sheet  string `json:"sheet"` // of a workbook or archive
	Rows   int64  `json:"rows"`  // so far
	Total  int64  `json:"total"` // rows of the sheet
}

// RunLoad is what became of one data year of a sheet, or of an object that
// could not be read at all.
type RunLoad struct {
	ID       egrid.StageID `json:"id,omitempty"` // of a load that is or was held
	Object   string        `json:"object"`
	Sheet    string        `json:"sheet"`
	Level    egrid.Level   `json:"level,omitempty"`
	Year     int           `json:"year,omitempty"`
	Release  string        `json:"release"`
	Read     int64         `json:"rows_read"`
	Loaded   int64         `json:"rows_loaded"`
	Rejected int64         `json:"rows_rejected"`
	Status   RunStatus     `json:"status"`
	Reason   string        `json:"reason,omitempty"` // why it is held, failed or left out
	Rejects  []RunReject   `json:"rejected,omitempty"`

	Units    string         `json:"units,omitempty"`           // of the file: us or metric
	Evidence []RunEvidence  `json:"evidence,omitempty"`        // what told all this
	Unknown  []string       `json:"unknown_columns,omitempty"` // headers that the dictionary does not know, kept as text
	Lossy    []string       `json:"lossy_columns,omitempty"`   // codes of columns that were rounded for display
	Audits   []egrid.Audit  `json:"audits,omitempty"`          // those that found something
	Choices  []egrid.Choice `json:"choices,omitempty"`         // commands that decide on it while it is held

	// Before is the revision that published the content of a held load before;
	// 0 when none did.
	Before int64 `json:"revision_before,omitempty"`
}

// RunReject is the rejected records of a load that have the same fault in the same
// column.
type RunReject struct {
	Reason string       `json:"reason"`
	Column egrid.Column `json:"column"` // empty when the record as a whole is at fault
	Count  int64        `json:"count"`
	Line   int64        `json:"line"`   // of the first of them
	Value  string       `json:"value"`  // that stands there, shortened
	Remedy string       `json:"remedy"` // what a person can do
}

// RunEvidence is what told something of a load.
type RunEvidence struct {
	Of    string `json:"of"` // as level, year or release
	Value string `json:"value"`
	From  string `json:"from"`
}

// Conclude makes a run's status and counts of its loads. A run that failed as a
// whole stays so.
func (r *Run) Conclude() {
	r.Read, r.Loaded, r.Rejected, r.Failures = 0, 0, 0, 0
	count := map[RunStatus]int{}
	for i := range r.Loads {
		l := &r.Loads[i]
		count[l.Status]++
		r.Read += l.Read
		r.Loaded += l.Loaded
		r.Rejected += l.Rejected
	}
	r.Failures = int64(count[RunFailed])
	r.Status = RunFailed
	if r.Error != "" {
		return
	}
	for _, s := range []RunStatus{RunHeld, RunPublished, RunUnchanged, RunDiscarded} {
		if count[s] > 0 {
			r.Status = s
			return
		}
	}
}

// DecidingPolicy checks a policy by which a held load is published; empty is
// [PublishReplace]. The error wraps [ErrInvalid].
func DecidingPolicy(p Policy) (Policy, error) {
	switch p {
	case "":
		return PublishReplace, nil
	case PublishReplace, PublishMerge:
		return p, nil
	}
	return "", fmt.Errorf("%w: a held load is published by replace or merge, not by %q", egrid.ErrInvalid, p)
}
