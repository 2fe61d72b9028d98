package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// runOperations shows loads and takes orders, where there is somebody who makes
// them.
func (a *api) runOperations() {
	if a.o.Runs == nil {
		return
	}
	a.documentRuns()
	id := parameter{name: "id", path: true, doc: "Id of the run or, for a held load whose run nobody remembers, of the load.",
		schema: huma.Schema{MaxLength: new(100), Pattern: `^[0-9A-Za-z-]+$`, PatternDescription: "as in run_id"}}
	a.register(operation{
		id: "runs", path: "/runs", tag: "runs", summary: "The latest loads",
		details: "The newest first, with what became of each sheet: those of every process that loads into the store, by command, schedule, order or notification, and due times of a schedule that were missed. A held load whose run is not kept any more is listed as a run of its own. CSV has the runs without their loads.",
		schema:  a.schemaOf(typeOf[[]driver.Run]()), unkept: true,
		answer: a.runsAnswer,
	})
	a.register(operation{
		id: "run", path: "/runs/{id}", tag: "runs", summary: "A load, and how far it has come",
		params: []parameter{id}, schema: a.component(typeOf[driver.Run]()), unkept: true,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			run, err := a.o.Runs.Run(ctx, in.text("id"))
			return &answer{value: run, meta: meta{Meta: wire.Meta{Count: 1}}}, err
		},
	})
	a.register(operation{
		id: "run-events", path: "/runs/{id}/events", tag: "runs", summary: "Follow a load until it ends",
		details: "Server-sent events: each is named run, and its data is the run as /runs/{id} has it. The stream ends behind the event whose status is not running. A browser's EventSource asks again when the connection breaks, and gets the run as it is then.",
		params:  []parameter{id}, stream: a.followRun, streams: formatEvents, unkept: true,
	})
	a.registerOrder(&order{
		operation: operation{id: "start-run", path: "/runs", tag: "runs", summary: "Start a load of the configured source",
			details: "What is loaded already is left alone. The answer comes at once, and names where the run can be followed; 409 while one is under way."},
		status: http.StatusAccepted, body: typeOf[driver.RunRequest](), result: typeOf[driver.Run](),
		do: func(ctx context.Context, _ *request, body []byte) (done, error) {
			var start driver.RunRequest
			err := json.Unmarshal(body, &start)
			if err != nil {
				return done{}, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
			}
			return doneOf(a.o.Runs.StartRun(ctx, start))
		},
	})
	if decider, ok := a.o.Runs.(driver.Decider); ok {
		a.decideOperations(decider, &id)
	}
}

// decideOperations take decisions on what runs held.
func (a *api) decideOperations(decider driver.Decider, id *parameter) {
	a.registerOrder(&order{
		operation: operation{id: "publish-run", path: "/runs/{id}/publish", tag: "runs", summary: "Publish what a run held", params: []parameter{*id},
			details: "All held loads of the run become what readers see: in place of what is published, or merged into it. 409 when it holds nothing."},
		status: http.StatusOK, body: typeOf[wire.PublishOrder](), result: typeOf[driver.Run](),
		do: func(ctx context.Context, in *request, body []byte) (done, error) {
			var p wire.PublishOrder
			err := json.Unmarshal(body, &p)
			if err != nil {
				return done{}, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
			}
			return doneOf(decider.PublishRun(ctx, in.text("id"), p.Policy))
		},
	})
	a.registerOrder(&order{
		operation: operation{id: "discard-run", path: "/runs/{id}/discard", tag: "runs", summary: "Drop what a run held", params: []parameter{*id},
			details: "All held loads of the run are dropped; what is published stays. 409 when it holds nothing."},
		status: http.StatusOK, result: typeOf[driver.Run](),
		do: func(ctx context.Context, in *request, _ []byte) (done, error) {
			return doneOf(decider.DiscardRun(ctx, in.text("id")))
		},
	})
}

// documentRuns describes what the types of package egrid leave open.
func (a *api) documentRuns() {
	run, load := a.refined(typeOf[driver.Run]()), a.refined(typeOf[driver.RunLoad]())
	start, publish := a.refined(typeOf[driver.RunRequest]()), a.refined(typeOf[wire.PublishOrder]())
	for _, s := range driver.RunStatuses() {
		run("status", "Held where a load is, else published where one is, else unchanged, discarded or failed. Interrupted: its process ended, or was cut off, in the middle of it. Missed: the schedule was due and nobody made it.", string(s))
		if s != driver.RunInterrupted && s != driver.RunMissed {
			load("status", "What became of it.", string(s))
		}
	}
	for _, by := range driver.RunTriggers() {
		run("trigger", "Who started it; left out where that is not known.", string(by))
	}
	run("host", "Where it runs or ran.")
	run("trace_id", "Of what it logged, here and in consumers.")
	run("due_at", "When the schedule had it due; left out for other runs.")
	run("chunks", "That were streamed.")
	run("failures", "Loads that failed.")
	run("ended_at", "Null while it is under way; of an interrupted run its last sign of life.")
	load("revision_before", "Revision that published the content of a held load before; left out when none did.")
	run("rows_loaded", "Rows that readers see.")
	run("loads", "Empty while it is under way.")
	run("error", "Why the run as a whole failed.")
	load("id", "Names a load that is or was held.")
	load("reason", "Why it is held, failed or left out.")
	run("rejects_file", "On its host: the rejected records; left out when none were kept.")
	load("units", "Of the file: us or metric.")
	load("evidence", "What told level, year, release and the rest.")
	load("unknown_columns", "Headers that the dictionary does not know, kept as text.")
	load("lossy_columns", "Codes of columns that were rounded for display.")
	load("audits", "Those that found something.")
	load("choices", "Commands that decide on it while it is held.")
	load("rejected", "Records that could not be read, by fault and column; left out where there are none, and for a held load whose run nobody remembers.")
	for _, p := range []driver.Policy{driver.PublishAuto, driver.PublishReplace, driver.PublishMerge, driver.PublishHold} {
		start("publish", "What to do where other data are published already; the service's own policy when left out.", string(p))
	}
	for _, p := range []driver.Policy{driver.PublishReplace, driver.PublishMerge} {
		publish("policy", "replace, which is the default, or merge: update and add rows by identifier, and remove none.", string(p))
	}
}

// component is a reference to the schema of a type of its own.
func (a *api) component(t reflect.Type) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

// refined describes properties of a type's schema, with the values they may have.
func (a *api) refined(t reflect.Type) func(name, description string, values ...any) {
	schema := a.huma.OpenAPI().Components.Schemas.SchemaFromRef(a.component(t).Ref)
	return func(name, description string, values ...any) {
		p := schema.Properties[name]
		p.Description, p.Enum = description, append(p.Enum, values...)
		schema.PrecomputeMessages()
	}
}

func (a *api) runsAnswer(ctx context.Context, _ *request) (*answer, error) {
	runs, err := a.o.Runs.Runs(ctx)
	if err != nil {
		return nil, err
	}
	t := newTable("run_id", "status", "started_at", "ended_at", "rows_read", "rows_loaded", "rows_rejected", "error", "trigger", "host", "chunks", "failures")
	for i := range runs {
		run := &runs[i]
		ended := ""
		if run.Ended != nil {
			ended = run.Ended.Format(time.RFC3339Nano)
		}
		t.add(run.ID, string(run.Status), run.Started.Format(time.RFC3339Nano), ended, fmt.Sprint(run.Read), fmt.Sprint(run.Loaded), fmt.Sprint(run.Rejected), run.Error,
			string(run.Trigger), run.Host, fmt.Sprint(run.Chunks), fmt.Sprint(run.Failures))
	}
	return t.answer(runs, meta{}), nil
}

// heartbeat is how often a stream without news says that it is still there.
const heartbeat = 15 * time.Second

// followRun streams the states of a run as server-sent events.
func (a *api) followRun(w http.ResponseWriter, in *request) error {
	ctx, stop := context.WithCancel(in.http.Context())
	defer stop()
	type state struct {
		run driver.Run
		err error
	}
	states := make(chan state)
	go func() {
		defer close(states)
		for run, err := range a.o.Runs.FollowRun(ctx, in.text("id")) {
			select {
			case states <- state{run, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	stream := eventStream{w: w, control: http.NewResponseController(w)}
	if middleware.IsHead(in.http) {
		if _, err := a.o.Runs.Run(ctx, in.text("id")); err != nil {
			return err
		}
		stream.begin()
		return nil
	}
	idle := time.NewTicker(heartbeat)
	defer idle.Stop()
	for {
		select {
		case s, more := <-states:
			switch {
			case !more:
				return nil
			case s.err != nil && !stream.begun:
				return s.err
			case s.err != nil:
				panic(http.ErrAbortHandler) // the client asks again
			}
			if err := stream.send("run", s.run); err != nil {
				return nil // the client is gone
			}
		case <-stoppingOf(ctx):
			panic(http.ErrAbortHandler) // the client asks again, maybe another server
		case <-idle.C:
			if err := stream.beat(); err != nil {
				return nil // the client is gone
			}
		}
	}
}

// eventStream writes server-sent events (WHATWG HTML, section 9.2).
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func (s *eventStream) begin() {
	if s.begun {
		return
	}
	s.begun = true
	h := s.w.Header()
	h.Set("Content-Type", wire.TypeEvents)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies pass events on at once
	s.w.WriteHeader(http.StatusOK)
}

func (s *eventStream) send(event string, v any) error {
	data, err := marshal(v) // in one line
	if err != nil {
		return err
	}
	return s.write(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, data))
}

func (s *eventStream) beat() error { return s.write([]byte(": still there\n\n")) }

func (s *eventStream) write(b []byte) error {
	s.begin()
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}
