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

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// order declares one POST that changes something. It needs [middleware.ScopeWrite].
type order struct {
	operation
	status int
	body   reflect.Type // of JSON, which may be left out; nil for none
	result reflect.Type // of the answer's data
	do     func(ctx context.Context, in *request, body []byte) (done, error)
}

// done is what an order has changed.
type done struct {
	value any
	path  string // where it is, below the API
}

// doneOf makes an answer of a run.
func doneOf(run driver.Run, err error) (done, error) { return done{run, "/runs/" + run.ID}, err }

// registerOrder puts an order on the router and into the document.
func (a *api) registerOrder(o *order) {
	o.scope, o.unkept = middleware.ScopeWrite, true
	o.schema = a.component(o.result)
	o.formats = a.formatsOf(&o.operation)
	answered := a.documentAnswer(&o.operation)
	answered.Headers = map[string]*huma.Param{"Location": {Description: "Where the answer's data are.", Schema: &huma.Schema{Type: huma.TypeString, Format: "uri-reference"}}}
	if o.status == http.StatusAccepted {
		answered.Links = linksToRun()
	}
	documented := huma.Operation{
		OperationID: o.id, Method: http.MethodPost, Path: o.path, Summary: o.summary, Description: o.details, Tags: []string{o.tag},
		DefaultStatus: o.status, Responses: map[string]*huma.Response{strconv.Itoa(o.status): answered},
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
		body, refused = a.readBody(schema, r, false)
	}
	if refused != nil {
		refused.Write(w)
		return
	}
	changed, err := o.do(r.Context(), in, body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	self := wire.Prefix(r) + changed.path
	w.Header().Set("Location", self)
	writeJSON(w, o.status, wire.Answer[any]{Data: changed.value, Meta: wire.Meta{Count: 1, Units: map[string]string{}}, Links: wire.Links{Self: self}})
}

// readBody checks a body against its schema. None at all is an empty object, unless
// one is required.
func (a *api) readBody(schema *huma.Schema, r *http.Request, required bool) ([]byte, *wire.Problem) {
	body, err := io.ReadAll(r.Body)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, wire.NewProblem(r, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request body has at most %d bytes", tooLong.Limit))
	case err != nil:
		return nil, wire.NewProblem(r, http.StatusBadRequest, "the body broke off")
	case len(body) == 0 && required:
		return nil, wire.Faulty(r, fault("body", nil, "is required"))
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
