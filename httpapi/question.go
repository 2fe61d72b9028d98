package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// question declares one POST that changes nothing: what it asks is too long for an
// address. Nobody keeps its answer.
type question struct {
	operation
	takes map[string]*huma.MediaType // bodies, by media type
	reply func(w http.ResponseWriter, in *request) error
}

// registerQuestion puts a question on the router and into the document.
func (a *api) registerQuestion(q *question, answers map[string]*huma.MediaType) {
	documented := huma.Operation{
		OperationID: q.id, Method: http.MethodPost, Path: q.path, Summary: q.summary, Description: q.details, Tags: []string{q.tag},
		Responses: map[string]*huma.Response{strconv.Itoa(http.StatusOK): {Description: "The answer.", Content: answers}},
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
			http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable},
	}
	if q.ofOneRow() {
		documented.Errors = append(documented.Errors, http.StatusConflict)
	}
	for i := range q.params {
		q.documented = append(q.documented, q.params[i].document())
	}
	documented.Parameters = q.documented
	addExamples(&documented)
	a.secure(&q.operation, &documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			middleware.SetRoute(r, q.path)
			in, refused := a.parse(&q.operation, r)
			if refused != nil {
				refused.Write(w)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			if err := q.reply(w, in); err != nil {
				a.fail(w, r, err)
			}
		}}, nil
	})
	documentRefusals(&documented)
	// Told last, because the router would read the body.
	a.huma.OpenAPI().Paths[q.path].Post.RequestBody = &huma.RequestBody{Required: true, Content: q.takes}
}

// batchOf is the schema of a list of up to most queries.
func (a *api) batchOf(query reflect.Type, most int) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeArray, Items: a.component(query), MinItems: new(1), MaxItems: &most}
	s.PrecomputeMessages()
	return s
}

// withoutNulls refuses nulls in a list of queries: what a query does not ask for is
// left out.
func withoutNulls(r *http.Request, body []byte) *wire.Problem {
	var queries []map[string]any
	if err := json.Unmarshal(body, &queries); err != nil {
		return wire.Faulty(r, fault("body", nil, "this is no list of objects: "+err.Error()))
	}
	var faults []wire.Fault
	for i, q := range queries {
		for _, name := range slices.Sorted(maps.Keys(q)) {
			if q[name] == nil {
				faults = append(faults, fault(fmt.Sprintf("body[%d].%s", i, name), nil, "is null; leave it out"))
			}
		}
	}
	if len(faults) > 0 {
		return wire.Faulty(r, faults...)
	}
	return nil
}

// batch reads a list of queries, and answers with a list.
func (a *api) batch(schema *huma.Schema, do func(ctx context.Context, in *request, body []byte) (list any, n int, err error)) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, in *request) error {
		body, refused := a.readBody(schema, in.http, true)
		if refused == nil {
			refused = withoutNulls(in.http, body)
		}
		if refused != nil {
			refused.Write(w)
			return nil
		}
		list, n, err := do(in.http.Context(), in, body)
		if err != nil {
			return err
		}
		m := wire.Meta{Revision: in.data.catalog.Revision, Count: n, Units: map[string]string{}}
		writeJSON(w, http.StatusOK, wire.Answer[any]{Data: list, Meta: m, Links: wire.Links{Self: wire.RequestURI(in.http)}})
		return nil
	}
}
