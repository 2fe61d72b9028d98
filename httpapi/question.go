package httpapi

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// question declares one POST that changes nothing: what it asks is too long for an
// address.
type question struct {
	operation
	body    *huma.Schema // of JSON
	example any          // of a body
	do      func(ctx context.Context, in *request, body []byte) (value any, count int, err error)
}

// batchOf is the schema of a list of up to most queries.
func (a *api) batchOf(query reflect.Type, most int) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeArray, Items: a.component(query), MinItems: new(1), MaxItems: &most}
	s.PrecomputeMessages()
	return s
}

// registerQuestion puts a question on the router and into the document. Nobody
// keeps its answer.
func (a *api) registerQuestion(q *question) {
	q.formats = formatsOf(&q.operation)
	done := a.documentAnswer(&q.operation)
	delete(done.Headers, "ETag")
	documented := huma.Operation{
		OperationID: q.id, Method: http.MethodPost, Path: q.path, Summary: q.summary, Description: q.details, Tags: []string{q.tag},
		Responses: map[string]*huma.Response{strconv.Itoa(http.StatusOK): done},
		Errors: []int{http.StatusBadRequest, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
			http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable},
	}
	addExamples(&documented)
	a.secure(&q.operation, &documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			middleware.SetRoute(r, q.path)
			a.answerQuestion(q, w, r)
		}}, nil
	})
	documentRefusals(&documented)
	// Told last, because the router would read the body.
	a.huma.OpenAPI().Paths[q.path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: q.body, Example: q.example}}}
}

func (a *api) answerQuestion(q *question, w http.ResponseWriter, r *http.Request) {
	in, refused := a.parse(&q.operation, r)
	var body []byte
	if refused == nil {
		body, refused = a.readBody(q.body, r, true)
	}
	if refused != nil {
		refused.Write(w)
		return
	}
	value, count, err := q.do(r.Context(), in, body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	m := wire.Meta{Revision: in.data.catalog.Revision, Count: count, Units: map[string]string{}}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, wire.Answer[any]{Data: value, Meta: m, Links: wire.Links{Self: wire.RequestURI(r)}})
}
