package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

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
		details: "The newest first, with what became of each sheet. A held load whose run is not remembered any more is listed as a run of its own. CSV has the runs without their loads.",
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
		status: http.StatusAccepted, body: typeOf[driver.RunRequest](),
		do: func(ctx context.Context, _ *request, body []byte) (driver.Run, error) {
			var start driver.RunRequest
			err := json.Unmarshal(body, &start)
			if err != nil {
				return driver.Run{}, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
			}
			return a.o.Runs.StartRun(ctx, start)
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
		status: http.StatusOK, body: typeOf[wire.PublishOrder](),
		do: func(ctx context.Context, in *request, body []byte) (driver.Run, error) {
			var p wire.PublishOrder
			err := json.Unmarshal(body, &p)
			if err != nil {
				return driver.Run{}, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
			}
			return decider.PublishRun(ctx, in.text("id"), p.Policy)
		},
	})
	a.registerOrder(&order{
		operation: operation{id: "discard-run", path: "/runs/{id}/discard", tag: "runs", summary: "Drop what a run held", params: []parameter{*id},
			details: "All held loads of the run are dropped; what is published stays. 409 when it holds nothing."},
		status: http.StatusOK,
		do: func(ctx context.Context, in *request, _ []byte) (driver.Run, error) {
			return decider.DiscardRun(ctx, in.text("id"))
		},
	})
}

// documentRuns describes what the types of package egrid leave open.
func (a *api) documentRuns() {
	run, load := a.refined(typeOf[driver.Run]()), a.refined(typeOf[driver.RunLoad]())
	start, publish := a.refined(typeOf[driver.RunRequest]()), a.refined(typeOf[wire.PublishOrder]())
	for _, s := range driver.RunStatuses() {
		run("status", "Held where a load is, else published where one is, else unchanged, discarded or failed.", string(s))
		load("status", "What became of it.", string(s))
	}
	run("ended_at", "Null while it is under way.")
	run("rows_loaded", "Rows that readers see.")
	run("loads", "Empty while it is under way.")
	run("error", "Why the run as a whole failed.")
	load("id", "Names a load that is or was held.")
	load("reason", "Why it is held, failed or left out.")
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
	t := newTable("run_id", "status", "started_at", "ended_at", "rows_read", "rows_loaded", "rows_rejected", "error")
	for i := range runs {
		run := &runs[i]
		ended := ""
		if run.Ended != nil {
			ended = run.Ended.Format(time.RFC3339Nano)
		}
		t.add(run.ID, string(run.Status), run.Started.Format(time.RFC3339Nano), ended, fmt.Sprint(run.Read), fmt.Sprint(run.Loaded), fmt.Sprint(run.Rejected), run.Error)
	}
	return t.answer(runs, meta{}), nil
}

// order declares one POST: it changes something, and is answered by a run.
type order struct {
	operation
	status int
	body   reflect.Type // of JSON, which may be left out; nil for none
	do     func(ctx context.Context, in *request, body []byte) (driver.Run, error)
}

// registerOrder puts an order on the router and into the document.
func (a *api) registerOrder(o *order) {
	o.scope, o.unkept = middleware.ScopeWrite, true
	o.schema = a.component(typeOf[driver.Run]())
	o.formats = a.formatsOf(&o.operation)
	done := a.documentAnswer(&o.operation)
	done.Headers = map[string]*huma.Param{"Location": {Description: "Where the run is.", Schema: &huma.Schema{Type: huma.TypeString, Format: "uri-reference"}}}
	if o.status == http.StatusAccepted {
		done.Links = linksToRun()
	}
	documented := huma.Operation{
		OperationID: o.id, Method: http.MethodPost, Path: o.path, Summary: o.summary, Description: o.details, Tags: []string{o.tag},
		DefaultStatus: o.status, Responses: map[string]*huma.Response{strconv.Itoa(o.status): done},
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusConflict, http.StatusRequestEntityTooLarge,
			http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable},
	}
	for i := range o.params {
		o.documented = append(o.documented, o.params[i].document())
	}
	documented.Parameters = o.documented
	var schema *huma.Schema
	if o.body != nil {
		schema = a.component(o.body)
	}
	addExamples(&documented)
	a.secure(&o.operation, &documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			middleware.SetRoute(r, o.path)
			if middleware.Allow(w, r, o.scope) {
				a.obey(o, schema, w, r)
			}
		}}, nil
	})
	documentRefusals(&documented)
	if schema != nil { // told last, because the router would read the body
		a.huma.OpenAPI().Paths[o.path].Post.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	}
}

// linksToRun tells programs that read the document what can be done with a run
// that was started.
func linksToRun() map[string]*huma.Link {
	to := map[string]*huma.Link{}
	for _, id := range []string{"run", "run-events", "publish-run", "discard-run"} {
		to[id] = &huma.Link{OperationID: id, Parameters: map[string]any{"id": "$response.body#/data/run_id"}}
	}
	return to
}

// obey answers one order.
func (a *api) obey(o *order, schema *huma.Schema, w http.ResponseWriter, r *http.Request) {
	in, refused := a.parse(&o.operation, r)
	var body []byte
	if refused == nil {
		body, refused = a.readBody(schema, r)
	}
	if refused != nil {
		refused.Write(w)
		return
	}
	run, err := o.do(r.Context(), in, body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	self := "/runs/" + run.ID
	asked, _, _ := strings.Cut(wire.RequestURI(r), "?")
	if path, ok := strings.CutSuffix(asked, strings.ReplaceAll(o.path, "{id}", in.text("id"))); ok {
		self = path + self // under a prefix
	}
	w.Header().Set("Location", self)
	writeJSON(w, o.status, wire.Answer[driver.Run]{Data: run, Meta: wire.Meta{Count: 1, Units: map[string]string{}}, Links: wire.Links{Self: self}})
}

// readBody checks a body against its schema. None at all is an empty object.
func (a *api) readBody(schema *huma.Schema, r *http.Request) ([]byte, *wire.Problem) {
	body, err := io.ReadAll(r.Body)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, wire.NewProblem(r, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request body has at most %d bytes", tooLong.Limit))
	case err != nil:
		return nil, wire.NewProblem(r, http.StatusBadRequest, "the body broke off")
	case len(body) == 0:
		return []byte("{}"), nil
	case schema == nil:
		return nil, wire.Faulty(r, fault("body", nil, "this takes no body"))
	}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return nil, wire.NewProblem(r, http.StatusUnsupportedMediaType, "the body is JSON: send it with the header Content-Type: application/json")
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, wire.Faulty(r, fault("body", nil, "this is no JSON: "+err.Error()))
	}
	var result huma.ValidateResult
	huma.Validate(a.huma.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer([]byte("body"), len("body")), huma.ModeWriteToServer, v, &result)
	var faults []wire.Fault
	for _, err := range result.Errors {
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			faults = append(faults, fault(detail.Location, detail.Value, detail.Message))
		}
	}
	if len(faults) > 0 {
		return nil, wire.Faulty(r, faults...)
	}
	return body, nil
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
