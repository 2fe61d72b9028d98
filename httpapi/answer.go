package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

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
	volatile         bool // the answer may change within a revision

	documented []*huma.Param // one for each of params
}

// answer is what an operation makes: rows, or a value.
type answer struct {
	rows     pager // a list, for JSON too unless there is a value
	fallback int   // limit of a JSON list that names none
	value    any   // a JSON value that is not made of rows
	meta     Meta  // of the value
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
}

// links lead on from an answer.
type links struct {
	Self string `json:"self"`
	Next string `json:"next,omitempty"`
}

// exportPage is how many rows an export reads at a time.
const exportPage = 5000

// register puts an operation on the router and into the document.
func (a *api) register(op operation) {
	if op.fields == nil {
		op.fields = noFields
	}
	if op.rowsAnswer() {
		op.params = append(op.params, formatParam())
	}
	documented := huma.Operation{
		OperationID: op.id, Method: http.MethodGet, Path: op.path, Summary: op.summary, Description: op.details, Tags: []string{op.tag},
		Responses: map[string]*huma.Response{"200": a.documentAnswer(&op), "304": {Description: "The client's copy, named by If-None-Match, is still true."}},
		Errors:    []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusServiceUnavailable},
	}
	for i := range op.params {
		op.documented = append(op.documented, op.params[i].document())
	}
	documented.Parameters = slices.Clone(op.documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			noteRoute(r, op.path)
			a.serve(&op, w, r)
		}}, nil
	})
}

func (op *operation) rowsAnswer() bool { return op.data != nil && op.data.Type == huma.TypeArray }

func (a *api) documentAnswer(op *operation) *huma.Response {
	registry := a.huma.OpenAPI().Components.Schemas
	text := &huma.Schema{Type: huma.TypeString}
	envelope := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"data", "meta", "links"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"data": op.data,
			"meta": huma.SchemaFromType(registry, typeOf[Meta]()),
			"links": {Type: huma.TypeObject, Required: []string{"self"}, AdditionalProperties: false, Properties: map[string]*huma.Schema{
				"self": {Type: huma.TypeString, Format: "uri-reference"}, "next": {Type: huma.TypeString, Format: "uri-reference", Description: "The next page; absent on the last."},
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
	return &huma.Response{Description: "The answer.", Content: content, Headers: map[string]*huma.Param{
		"ETag": {Description: "Changes when the answer does.", Schema: text},
	}}
}

// serve answers one call.
func (a *api) serve(op *operation, w http.ResponseWriter, r *http.Request) {
	in, fault := op.parse(r)
	if fault != nil {
		a.writeFault(w, r, fault, nil)
		return
	}
	var err error
	if in.format.name == formatJSON {
		err = a.serveJSON(op, w, in)
	} else {
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
			w.Header()["Etag"] = []string{etag}
			a.commonHeaders(w.Header())
			notModified(w)
			return nil
		}
		body, answered, err := op.encode(in)
		if err != nil {
			return err
		}
		if answered != revision && attempt < 3 {
			continue
		}
		out := &response{revision: revision, route: op.path, etag: etag, header: http.Header{}, body: body}
		a.commonHeaders(out.header)
		out.header["Content-Type"] = []string{"application/json"}
		if in.format.gzip && len(body) >= 1024 {
			out.body = compress(body)
			out.header["Content-Encoding"] = []string{"gzip"}
		}
		out.header["Content-Length"] = []string{strconv.Itoa(len(out.body))}
		if answered == revision {
			out.header["Etag"] = []string{etag}
			if !op.volatile {
				a.responses.put(keyOf(in.http), out)
			}
		}
		out.write(w, in.http)
		return nil
	}
}

// commonHeaders says that a client may keep an answer but must ask whether it
// is still true.
func (a *api) commonHeaders(h http.Header) {
	h["Cache-Control"] = []string{"no-cache"}
	h["Vary"] = []string{"Accept, Accept-Encoding"}
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
	b := []byte(`{"data":`)
	if ans.value != nil {
		value, err := marshal(ans.value)
		if err != nil {
			return nil, 0, err
		}
		b = append(b, value...)
	} else {
		limit := in.number("limit")
		if limit == 0 {
			limit = ans.fallback
		}
		var page egrid.RowPage
		if page, meta, err = ans.rows(ctx, limit, in.text("cursor"), true); err != nil {
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
	tail, err := marshal(meta)
	if err != nil {
		return nil, 0, err
	}
	b = append(append(b, `,"meta":`...), tail...)
	if tail, err = marshal(to); err != nil {
		return nil, 0, err
	}
	b = append(append(b, `,"links":`...), tail...)
	return append(b, "}\n"...), meta.Revision, nil
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

// marshal writes JSON without HTML's escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// export streams a list as CSV or NDJSON. What goes wrong before the first row
// is an error; afterwards it breaks the connection.
func (a *api) export(op *operation, w http.ResponseWriter, in *request) error {
	ctx := in.http.Context()
	etag, _, err := a.etag(op, in)
	if err != nil {
		return err
	}
	h := w.Header()
	a.commonHeaders(h)
	h["Etag"] = []string{etag}
	if matches(in.http, etag) {
		notModified(w)
		return nil
	}
	ans, err := op.answer(ctx, in)
	if err != nil {
		return err
	}
	left := in.number("limit")
	take := func() int {
		if left > 0 {
			return min(left, exportPage)
		}
		return exportPage
	}
	page, _, err := ans.rows(ctx, take(), in.text("cursor"), false)
	if err != nil {
		return err
	}
	h.Set("Content-Type", in.format.contentType)
	h.Set("Trailer", "X-Row-Count")
	if in.http.URL.Query().Has("format") {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": op.id + "." + in.format.name}))
	}
	if in.format.gzip {
		h.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(http.StatusOK)
	if isHead(in.http) {
		return nil
	}
	out := newExporter(w, in.format, page.Schema)
	for {
		for _, row := range page.Rows {
			out.row(row)
		}
		if left > 0 {
			if left -= len(page.Rows); left <= 0 {
				break
			}
		}
		if page.Next == "" {
			break
		}
		if err = out.flush(); err == nil {
			page, _, err = ans.rows(ctx, take(), page.Next, false)
		}
		if err != nil {
			a.abort(in.http, out.rows, err)
		}
	}
	if err := out.close(); err != nil {
		a.abort(in.http, out.rows, err)
	}
	h.Set("X-Row-Count", strconv.Itoa(out.rows))
	return nil
}

// abort breaks the connection, so that nobody takes a part for the whole.
func (a *api) abort(r *http.Request, rows int, err error) {
	a.o.Logger.LogAttrs(r.Context(), slog.LevelError, "export broken off",
		slog.String("request_id", RequestID(r.Context())), slog.String("path", r.URL.Path), slog.Int("rows", rows), slog.Any("error", err))
	panic(http.ErrAbortHandler)
}

// exporter writes rows in a streaming format.
type exporter struct {
	to     io.Writer
	zip    *gzip.Writer
	http   http.ResponseWriter
	csv    *csv.Writer // nil for NDJSON
	cells  []string
	json   *rowEncoder
	buffer []byte
	rows   int
	err    error
}

func newExporter(w http.ResponseWriter, f format, s *egrid.Schema) *exporter {
	e := &exporter{to: w, http: w}
	if f.gzip {
		e.zip = gzip.NewWriter(w)
		e.to = e.zip
	}
	if f.name == formatNDJSON {
		e.json = newRowEncoder(s)
		return e
	}
	e.csv = csv.NewWriter(e.to)
	e.cells = make([]string, s.Len())
	for i, c := range s.Columns() {
		e.cells[i] = string(c)
	}
	e.err = e.csv.Write(e.cells)
	return e
}

func (e *exporter) row(row egrid.Row) {
	if e.err != nil {
		return
	}
	e.rows++
	if e.csv != nil {
		for i, v := range row.Values {
			e.cells[i] = v.String()
		}
		e.err = e.csv.Write(e.cells)
		return
	}
	e.buffer = append(e.json.append(e.buffer, row), '\n')
	if len(e.buffer) > 32<<10 {
		_, e.err = e.to.Write(e.buffer)
		e.buffer = e.buffer[:0]
	}
}

// flush hands over what was written so far.
func (e *exporter) flush() error {
	if e.csv != nil && e.err == nil {
		e.csv.Flush()
		e.err = e.csv.Error()
	}
	if len(e.buffer) > 0 && e.err == nil {
		_, e.err = e.to.Write(e.buffer)
		e.buffer = e.buffer[:0]
	}
	if e.zip != nil && e.err == nil {
		e.err = e.zip.Flush()
	}
	if e.err == nil {
		// A writer that cannot flush only delays the rows.
		_ = http.NewResponseController(e.http).Flush()
	}
	return e.err
}

func (e *exporter) close() error {
	if err := e.flush(); err != nil || e.zip == nil {
		return err
	}
	return e.zip.Close()
}

// rowEncoder writes rows as JSON objects, the names encoded once.
type rowEncoder struct{ names [][]byte }

func newRowEncoder(s *egrid.Schema) *rowEncoder {
	e := &rowEncoder{}
	for i, c := range s.Columns() {
		name := appendText(nil, string(c))
		if i > 0 {
			name = append([]byte(","), name...)
		}
		e.names = append(e.names, append(name, ':'))
	}
	return e
}

func (e *rowEncoder) append(b []byte, row egrid.Row) []byte {
	b = append(b, '{')
	for i, v := range row.Values {
		b = append(b, e.names[i]...)
		switch v.Type() {
		case "":
			b = append(b, "null"...)
		case egrid.Text:
			b = appendText(b, v.String())
		case egrid.Number:
			x, _ := v.Float()
			b = appendNumber(b, x)
		default:
			b = append(b, v.String()...)
		}
	}
	return append(b, '}')
}

// appendNumber writes a finite number the shortest way that reads back equal,
// with an exponent where it is very large or small, as JavaScript does.
func appendNumber(b []byte, x float64) []byte {
	if abs := max(x, -x); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, x, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, x, 'f', -1, 64)
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := marshal(s)
			if err != nil {
				panic(err) // every string can be encoded
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

// The formats of an answer.
const (
	formatJSON   = "json"
	formatCSV    = "csv"
	formatNDJSON = "ndjson"
)

// format is how an answer is represented.
type format struct {
	name        string
	contentType string
	gzip        bool
}

var contentTypes = map[string]string{
	formatJSON:   "application/json",
	formatCSV:    "text/csv; charset=utf-8; header=present",
	formatNDJSON: "application/x-ndjson",
}

// negotiate chooses the representation: by format=, else by Accept.
func (in *request) negotiate(op *operation) []*huma.ErrorDetail {
	in.format = format{name: formatJSON, contentType: contentTypes[formatJSON], gzip: acceptsGzip(in.http)}
	name := in.text("format")
	if name == "" && op.rowsAnswer() {
		name = acceptedFormat(in.http.Header.Get("Accept"))
	}
	if name != "" {
		in.format.name, in.format.contentType = name, contentTypes[name]
	}
	if in.format.name == formatJSON && in.number("limit") > maxJSONLimit {
		return []*huma.ErrorDetail{fault("query.limit", in.number("limit"), fmt.Sprintf("expected 1 to %d for JSON; follow links.next, or ask for CSV or NDJSON, which have no limit", maxJSONLimit))}
	}
	return nil
}

// acceptedFormat picks the representation that the client likes best, the
// first among equals; JSON when it likes none.
func acceptedFormat(accept string) string {
	best, bestQuality := formatJSON, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality = q
		}
		name := ""
		switch mediaType {
		case "application/json", "*/*", "application/*":
			name = formatJSON
		case "text/csv":
			name = formatCSV
		case "application/x-ndjson", "application/ndjson", "application/jsonl":
			name = formatNDJSON
		}
		if name != "" && quality > bestQuality {
			best, bestQuality = name, quality
		}
	}
	return best
}

func acceptsGzip(r *http.Request) bool {
	accept := r.Header.Get("Accept-Encoding")
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding != "gzip" {
			continue
		}
		q := strings.TrimSpace(params)
		return q != "q=0" && !strings.HasPrefix(q, "q=0.000")
	}
	return false
}

// requestURI is what the client asked for, the prefix of a mount included.
func requestURI(r *http.Request) string {
	if r.RequestURI != "" && r.RequestURI[0] == '/' {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

func withCursor(r *http.Request, cursor string) string {
	path, _, _ := strings.Cut(requestURI(r), "?")
	query := r.URL.Query()
	query.Set("cursor", cursor)
	return path + "?" + query.Encode()
}

// etag makes the validator of a request before it is answered: of what is
// published, by whom it is told, what was asked, and in which representation.
func (a *api) etag(op *operation, in *request) (string, int64, error) {
	c, err := a.q.Catalog(in.http.Context())
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%t\n", a.o.Version, c.Revision, requestURI(in.http), in.format.name, in.format.gzip)
	// The revision alone would take another store for this one.
	for _, s := range c.Snapshots {
		if s.Status == egrid.Published || op.volatile {
			fmt.Fprintln(h, s.ID, s.Revision, s.Status)
		}
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`, c.Revision, nil
}

// matches reports whether the client has this very answer.
func matches(r *http.Request, etag string) bool {
	for _, line := range r.Header["If-None-Match"] {
		for candidate := range strings.SplitSeq(line, ",") {
			if candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/"); candidate == etag {
				return true
			}
		}
	}
	return false
}

func notModified(w http.ResponseWriter) {
	h := w.Header()
	h.Del("Content-Type")
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	w.WriteHeader(http.StatusNotModified)
}

// contentTag makes the validator of bytes that do not depend on the data.
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}
