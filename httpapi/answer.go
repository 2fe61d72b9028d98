package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// operation declares one GET: its parameters, its answer and who makes it.
type operation struct {
	id, path, tag    string
	summary, details string
	params           []parameter
	fields           func(context.Context, *request) (fieldSet, error) // columns that parameters may name
	data             *huma.Schema                                      // of the envelope's data
	answer           func(context.Context, *request) (*answer, error)
	stream           func(http.ResponseWriter, *request) error // in place of an answer: server-sent events
	volatile         bool                                      // the answer may change within a revision
	unkept           bool                                      // the answer has nothing to do with revisions: nobody keeps it
	groups           bool                                      // sort and having are on the answer's columns
	row              bool                                      // the answer is one row, which also comes as a page
	places           bool                                      // rows may be plants, which also come as GeoJSON
	pins             func(*request) []egrid.Level              // levels whose snapshots make the answer, where it is of one snapshot
	scope            Scope                                     // that the caller needs; empty for what reading needs
	private          bool                                      // the answer is for one caller: set by register

	documented []*huma.Param // one for each of params
}

// answer is what an operation makes: rows, or a value.
type answer struct {
	rows     pager          // a list, for JSON too unless there is a value
	fallback int            // limit of a JSON list that names none
	value    any            // a JSON value that is not made of rows
	meta     Meta           // of the value
	facet    facet          // counts the values of a column; nil where there are no facets
	unasked  []egrid.Column // columns that are read and not shown
}

// pager reads one page of a list, and tells where the page is from. Lists that
// are not paged are one page whatever the limit.
type pager func(ctx context.Context, limit int, cursor string, count bool) (egrid.RowPage, Meta, error)

// Meta describes the data of an answer.
type Meta struct {
	Count    int               `json:"count" doc:"Rows of this answer."`
	Total    *int64            `json:"total" doc:"Rows of all pages together."`
	Year     *int              `json:"year" doc:"Data year; null when the answer is of several."`
	Release  *string           `json:"release" doc:"Release of the edition, empty for the unmarked one; null when the answer is of several."`
	Revision int64             `json:"revision" doc:"Grows with every publish; equal revisions give equal answers."`
	Units    map[string]string `json:"units" doc:"Unit of each column that has one."`
	Basis    string            `json:"basis,omitempty" enum:"PLNT,GEN,SRL" doc:"Level that plants are read from: PLNT, or GEN where they are summed from generators."`
	Facets   Facets            `json:"facets,omitempty" doc:"By column: its most frequent values, and how many rows of all pages together have them."`

	snapshots []egrid.Snapshot // that the answer is made of, where they are told
}

// links lead on from an answer.
type links struct {
	Self      string `json:"self"`
	Next      string `json:"next,omitempty"`
	Permanent string `json:"permanent,omitempty"`
}

// register puts an operation on the router and into the document.
func (a *api) register(op operation) {
	if op.fields == nil {
		op.fields = noFields
	}
	if op.rowsAnswer() {
		op.params = append(op.params, formatParam(op.places))
	}
	if op.pins != nil {
		op.params = append(op.params, snapshotParam())
	}
	documented := huma.Operation{
		OperationID: op.id, Method: http.MethodGet, Path: op.path, Summary: op.summary, Description: op.details, Tags: []string{op.tag},
		Responses: map[string]*huma.Response{"200": a.documentAnswer(&op)},
		Errors:    []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusGone, http.StatusRequestURITooLong, http.StatusServiceUnavailable},
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
			noteRoute(r, op.path)
			if op.scope == "" || a.allow(op.scope, w, r) {
				a.serve(&op, w, r)
			}
		}}, nil
	})
	documentRefusals(&documented)
}

// goneDescription says how to go on where a cursor leads nowhere.
const goneDescription = "The data behind the cursor or the snapshot were replaced by a publish. What was read is of the data before: drop it, and begin again with the same request without a cursor and a snapshot."

func (op *operation) rowsAnswer() bool { return op.data != nil && op.data.Type == huma.TypeArray }

func (a *api) documentAnswer(op *operation) *huma.Response {
	if op.stream != nil {
		return &huma.Response{Description: "The events.", Content: map[string]*huma.MediaType{contentTypes[formatEvents]: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	registry := a.huma.OpenAPI().Components.Schemas
	text := &huma.Schema{Type: huma.TypeString}
	envelope := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"data", "meta", "links"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"data": op.data,
			"meta": huma.SchemaFromType(registry, typeOf[Meta]()),
			"links": {Type: huma.TypeObject, Required: []string{"self"}, AdditionalProperties: false, Properties: map[string]*huma.Schema{
				"self": {Type: huma.TypeString, Format: "uri-reference"}, "next": {Type: huma.TypeString, Format: "uri-reference", Description: "The next page; absent on the last."},
				"permanent": {Type: huma.TypeString, Format: "uri-reference", Description: "The same answer at an address where it never changes; absent where there is none."},
			}},
		},
	}
	envelope.PrecomputeMessages()
	envelope.Properties["links"].PrecomputeMessages()
	content := map[string]*huma.MediaType{"application/json": {Schema: envelope}}
	if op.rowsAnswer() {
		content["text/csv"] = &huma.MediaType{Schema: text}
		content["application/x-ndjson"] = &huma.MediaType{Schema: text}
	}
	if op.places {
		content[contentTypes[formatGeoJSON]] = &huma.MediaType{Schema: a.schemaOf(typeOf[featureCollection]())}
	}
	if op.rowsAnswer() || op.row {
		content[contentTypes[formatPage]] = &huma.MediaType{Schema: a.pageSchema()}
	}
	documented := &huma.Response{Description: "The answer.", Content: content}
	if !op.unkept {
		documented.Headers = map[string]*huma.Param{"ETag": {Description: "Changes when the answer does.", Schema: text}}
	}
	return documented
}

// serve answers one call.
func (a *api) serve(op *operation, w http.ResponseWriter, r *http.Request) {
	in, fault := op.parse(r)
	if fault != nil {
		a.writeFault(w, r, fault, nil)
		return
	}
	err := a.pin(op, in)
	switch {
	case err != nil:
	case op.stream != nil:
		err = op.stream(w, in)
	case in.format.name == formatJSON || in.exact():
		err = a.serveJSON(op, w, in)
	default:
		err = a.export(op, w, in)
	}
	if err != nil {
		a.writeFault(w, r, problemOf(r, err), err)
	}
}

func (a *api) writeFault(w http.ResponseWriter, r *http.Request, p *huma.ErrorModel, cause error) {
	if p.Status == http.StatusInternalServerError {
		a.o.Logger.ErrorContext(r.Context(), "request failed", "request_id", RequestID(r.Context()), "path", r.URL.Path, "error", cause)
	}
	writeProblem(w, p)
}

// serveJSON answers with one JSON document. A publish in the midst of it makes
// it start again, so that the ETag stands for the data that it came with.
func (a *api) serveJSON(op *operation, w http.ResponseWriter, in *request) error {
	for attempt := 1; ; attempt++ {
		etag, revision, err := a.etag(op, in)
		if err != nil {
			return err
		}
		if matches(in.http, etag) {
			op.commonHeaders(w.Header(), etag, in)
			notModified(w)
			return nil
		}
		in.revision, in.totals = revision, a.totals
		body, answered, err := op.encode(in)
		if err != nil {
			return err
		}
		if answered != revision {
			if attempt < 3 {
				continue
			}
			if answered == mixedRevisions {
				return errMixed
			}
			etag = "" // it would stand for other data
		}
		out := &response{revision: revision, route: op.path, etag: etag, header: http.Header{}, body: body}
		op.commonHeaders(out.header, etag, in)
		out.header["Content-Type"] = []string{in.format.contentType}
		if in.format.gzip && len(body) >= 1024 {
			out.body = compress(body)
			out.header["Content-Encoding"] = []string{"gzip"}
		}
		out.header["Content-Length"] = []string{strconv.Itoa(len(out.body))}
		if etag != "" && !op.volatile && op.scope == "" {
			a.responses.put(keyOf(in.http), out)
		}
		out.write(w, in.http)
		return nil
	}
}

// commonHeaders says that a client may keep an answer but must ask whether it
// is still true, or that it may not.
func (op *operation) commonHeaders(h http.Header, etag string, in *request) {
	h["Vary"] = append(slices.Clip(h["Vary"]), "Accept, Accept-Encoding") // behind what middleware set
	if op.unkept {
		h["Cache-Control"] = []string{"no-store"}
		return
	}
	h["Cache-Control"] = []string{op.keepFor(in)}
	if etag != "" {
		h["Etag"] = []string{etag}
	}
}

// encode makes the JSON document, and tells the revision that it is of.
func (op *operation) encode(in *request) ([]byte, int64, error) {
	ctx := in.http.Context()
	ans, err := op.answer(ctx, in)
	if err != nil {
		return nil, 0, err
	}
	to := links{Self: requestURI(in.http)}
	meta := ans.meta
	if in.exact() {
		return op.encodePage(in, ans)
	}
	b := []byte(`{"data":`)
	if ans.value != nil {
		value, err := marshal(ans.value)
		if err != nil {
			return nil, 0, err
		}
		b = append(b, value...)
	} else {
		var page egrid.RowPage
		if page, meta, err = in.page(ctx, ans); err != nil {
			return nil, 0, err
		}
		enc := newRowEncoder(page.Schema)
		b = append(b, '[')
		for i, row := range page.Rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = enc.append(b, row)
		}
		b = append(b, ']')
		meta.Count = len(page.Rows)
		if page.Total >= 0 {
			meta.Total = &page.Total
		}
		if page.Next != "" {
			to.Next = withCursor(in.http, page.Next)
		}
		meta.Units = unitsOf(page.Schema)
	}
	if meta.Units == nil {
		meta.Units = map[string]string{}
	}
	answered := meta.Revision
	if err := in.checkPinned(&meta); err != nil {
		return nil, 0, err
	}
	to.Permanent = op.permanent(in, &meta)
	tail, err := marshal(meta)
	if err != nil {
		return nil, 0, err
	}
	b = append(append(b, `,"meta":`...), tail...)
	if tail, err = marshal(to); err != nil {
		return nil, 0, err
	}
	b = append(append(b, `,"links":`...), tail...)
	return append(b, "}\n"...), answered, nil
}

func unitsOf(s *egrid.Schema) map[string]string {
	units := map[string]string{}
	for _, f := range s.Fields() {
		if f.Unit != "" {
			units[string(f.Column)] = f.Unit
		}
	}
	return units
}
