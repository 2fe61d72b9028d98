package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// operation declares one GET: its parameters, its answer and who makes it.
type operation struct {
	id, path, tag    string
	summary, details string
	params           []parameter
	fields           func(data, *request) fieldSet // columns that parameters may name; nil for none
	schema           *huma.Schema                  // of the envelope's data
	answer           func(context.Context, *request) (*answer, error)
	stream           func(http.ResponseWriter, *request) error // in place of an answer
	streams          string                                    // the format of stream
	list             bool                                      // the answer is a list, which also comes as CSV and the like
	table            bool                                      // the answer is one value, which also comes as rows of CSV
	rows             bool                                      // the answer is rows of the level that the path names
	page             *pageWriter                               // makes a page of HTML of the answer's value; nil where there is none
	places           bool                                      // rows may be plants, which also come as GeoJSON
	groups           bool                                      // sort and having are on the answer's columns
	unkept           bool                                      // the answer has nothing to do with what is published: nobody keeps it
	pins             func(*request) []egrid.Level              // levels whose snapshots make the answer, where it has a permanent address
	pair             bool                                      // the answer compares two editions, which from and to name
	scope            middleware.Scope                          // that the caller needs; empty for what reading needs

	formats    []format      // set by register, as what follows
	documented []*huma.Param // one for each of params
	private    bool          // the answer is for one caller
}

// register puts an operation on the router and into the document.
func (a *api) register(op operation) {
	op.list = op.schema != nil && op.schema.Type == huma.TypeArray
	op.formats = a.formatsOf(&op)
	if len(op.formats) > 1 {
		op.params = append(op.params, formatParam(&op))
	}
	if op.pins != nil {
		op.params = append(op.params, snapshotParam())
	}
	documented := huma.Operation{
		OperationID: op.id, Method: http.MethodGet, Path: op.path, Summary: op.summary, Description: op.details, Tags: []string{op.tag},
		Responses: map[string]*huma.Response{"200": a.documentAnswer(&op)},
		Errors:    []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusGone, http.StatusRequestURITooLong, http.StatusServiceUnavailable},
	}
	if op.ofOneRow() {
		documented.Errors = append(documented.Errors, http.StatusConflict)
	}
	if !op.unkept {
		documented.Responses["304"] = &huma.Response{Description: "The client's copy, named by If-None-Match, is still true."}
	}
	for i := range op.params {
		op.documented = append(op.documented, op.params[i].document())
	}
	documented.Parameters = slices.Clone(op.documented)
	addExamples(&documented)
	a.secure(&op, &documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			middleware.SetRoute(r, op.path)
			if op.scope == "" || middleware.Allow(w, r, op.scope) {
				a.serve(&op, w, r)
			}
		}}, nil
	})
	documentRefusals(&documented)
}

// ofOneRow reports whether the operation answers from the one row of a place, and is
// refused where a sheet has several.
func (op *operation) ofOneRow() bool {
	return op.tag == "factors" || slices.Contains([]string{"region", "diff-factors", "diff-report"}, op.id)
}

// documentAnswer describes the answer in each of its formats.
func (a *api) documentAnswer(op *operation) *huma.Response {
	text := &huma.Schema{Type: huma.TypeString}
	documented := &huma.Response{Description: "The answer.", Content: map[string]*huma.MediaType{}}
	for _, f := range op.formats {
		schema := text
		switch {
		case f.name == formatJSON:
			schema = a.envelope(op.schema)
		case f.describe != nil:
			schema = f.describe(a)
		}
		documented.Content[f.mediaType] = &huma.MediaType{Schema: schema}
	}
	if !op.unkept {
		documented.Headers = map[string]*huma.Param{"ETag": {Description: "Changes when the answer does.", Schema: text}}
	}
	return documented
}

// envelope describes a [wire.Answer].
func (a *api) envelope(data *huma.Schema) *huma.Schema {
	s := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"data", "meta", "links"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{"data": data, "meta": a.schemaOf(typeOf[wire.Meta]()), "links": a.schemaOf(typeOf[wire.Links]())},
	}
	s.PrecomputeMessages()
	return s
}

// serve answers one call.
func (a *api) serve(op *operation, w http.ResponseWriter, r *http.Request) {
	in, refused := a.parse(op, r)
	if refused != nil {
		refused.Write(w)
		return
	}
	var err error
	switch {
	case op.stream != nil:
		err = op.stream(w, in)
	case in.format.exports():
		err = a.export(op, w, in)
	default:
		err = a.serveJSON(op, w, in)
	}
	if err != nil {
		a.fail(w, r, err)
	}
}

// fail answers with an error.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) { a.problemOf(r, err).Write(w) }
