package httpapi

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// answer is what an operation makes: rows, or a value.
type answer struct {
	list
	fallback int            // limit of a JSON list that names none
	value    any            // a JSON value that is not made of rows
	next     string         // cursor of the page behind the value; empty for none
	meta     meta           // of the value
	facet    facet          // counts the values of a column; nil where there are no facets
	unasked  []egrid.Column // columns that are read and not shown
}

// list is rows: page by page, and all of them in a stream.
type list struct {
	page   func(context.Context, window) (egrid.RowPage, meta, error)
	stream func(context.Context, window) (store.Answer, error)
}

// window chooses a part of a list. Lists that are not paged ignore it.
type window struct {
	limit  int // rows at most; 0 is all in a stream
	cursor string
	count  bool // pages tell how many rows there are in all
}

// meta is the meta data of an answer, and the snapshots that it is made of.
type meta struct {
	wire.Meta
	snapshots []egrid.Snapshot
}

// whole makes a list of one page.
func whole(page egrid.RowPage, m meta) list {
	return list{
		page: func(context.Context, window) (egrid.RowPage, meta, error) { return page, m, nil },
		stream: func(context.Context, window) (store.Answer, error) {
			return store.Answer{Schema: page.Schema(), Revision: page.Revision, Snapshots: m.snapshots, Batches: only(page.Batch)}, nil
		},
	}
}

func only(b *egrid.Batch) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) { yield(b, nil) }
}

// metaOf tells where a page is from.
func metaOf(page *egrid.RowPage) meta {
	m := meta{Meta: wire.Meta{Revision: page.Revision}, snapshots: page.Snapshots}
	if len(page.Snapshots) == 1 {
		m.Year, m.Release = &page.Snapshots[0].Year, &page.Snapshots[0].Release
	}
	return m
}

// of completes the meta data of a value with its number of rows and their units.
func (m meta) of(rows int, units map[string]string) meta {
	m.Count, m.Total, m.Units = rows, new(int64(rows)), units
	return m
}

// serveJSON answers with one JSON document.
func (a *api) serveJSON(op *operation, w http.ResponseWriter, in *request) error {
	etag := a.etag(op, in)
	if matches(in.http, etag) {
		op.commonHeaders(w.Header(), etag, in)
		notModified(w)
		return nil
	}
	encode, header := op.encode, http.Header{}
	if in.format.name == formatHTML {
		encode = op.encodePage
		header["Content-Security-Policy"] = []string{op.page.policy}
	}
	body, err := encode(in)
	if err != nil {
		return err
	}
	out := &response{data: in.data.identity(), route: op.path, etag: etag, header: header, body: body}
	op.commonHeaders(out.header, etag, in)
	out.header["Content-Type"] = []string{in.format.contentType()}
	if in.gzip && len(body) >= 1024 {
		out.body = compress(body)
		out.header["Content-Encoding"] = []string{"gzip"}
	}
	out.header["Content-Length"] = []string{strconv.Itoa(len(out.body))}
	if etag != "" && op.scope == "" {
		a.responses.put(keyOf(in.http), out)
	}
	out.write(w, in.http)
	return nil
}

// commonHeaders says that a client may keep an answer but must ask whether it
// is still true, or that it may not.
func (op *operation) commonHeaders(h http.Header, etag string, in *request) {
	h["Vary"] = append(slices.Clip(h["Vary"]), "Accept, Accept-Encoding") // behind what middleware set
	if op.unkept {
		h["Cache-Control"] = []string{"no-store"}
		return
	}
	h["Cache-Control"] = []string{op.keepFor(in.pinned != "")}
	if etag != "" {
		h["Etag"] = []string{etag}
	}
}

// encode makes the JSON document.
func (op *operation) encode(in *request) ([]byte, error) {
	ctx := in.http.Context()
	ans, err := op.answer(ctx, in)
	if err != nil {
		return nil, err
	}
	to := wire.Links{Self: wire.RequestURI(in.http)}
	m := ans.meta
	b := []byte(`{"data":`)
	if ans.value != nil {
		value, err := marshal(ans.value)
		if err != nil {
			return nil, err
		}
		b = append(b, value...)
	} else {
		var page egrid.RowPage
		if page, m, err = in.page(ctx, ans); err != nil {
			return nil, err
		}
		b = appendRows(b, page.Batch)
		ans.next = page.Next
	}
	if ans.next != "" {
		to.Next = withQuery(in.http, "cursor", ans.next)
	}
	if m.Units == nil {
		m.Units = map[string]string{}
	}
	if in.pinned != "" {
		m.Revision = 0
	}
	to.Permanent = op.permanent(in, m.snapshots)
	for _, part := range []struct {
		name string
		of   any
	}{{`,"meta":`, m.Meta}, {`,"links":`, to}} {
		text, err := marshal(part.of)
		if err != nil {
			return nil, err
		}
		b = append(append(b, part.name...), text...)
	}
	return append(b, "}\n"...), nil
}

func appendRows(dst []byte, rows *egrid.Batch) []byte {
	dst = append(dst, '[')
	for i := range rows.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		from := len(dst)
		if dst = rows.AppendJSON(dst, i); i == 0 { // rows are of much the same length
			dst = slices.Grow(dst, (len(dst)-from)*rows.Len()+1024)
		}
	}
	return append(dst, ']')
}

// page reads the page of a list that a JSON answer shows, its total and its
// facets.
func (in *request) page(ctx context.Context, ans *answer) (egrid.RowPage, meta, error) {
	limit := in.number("limit")
	if limit == 0 {
		limit = ans.fallback
	}
	page, m, err := ans.page(ctx, window{limit, in.text("cursor"), in.wantsCount()})
	if err != nil {
		return page, m, err
	}
	m.Count, m.Units, m.Lossy = page.Len(), unitsOf(page.Schema()), m.lossy(page.Schema())
	if page.Total >= 0 {
		m.Total = &page.Total
	}
	err = in.addFacets(ctx, ans, &m)
	return page, m, err
}

func unitsOf(s *egrid.Schema) map[string]string {
	units := map[string]string{}
	for i := range s.Len() {
		if f := s.Field(i); f.Unit != "" {
			units[string(f.Column)] = f.Unit
		}
	}
	return units
}

// lossy are the columns of a schema that are rounded in one of the snapshots that the
// figures are from: of plants those of the basis, not of what gives their shares.
func (m *meta) lossy(s *egrid.Schema) []egrid.Column {
	var lossy []egrid.Column
	for i := range s.Len() {
		c := s.Field(i).Column
		if slices.ContainsFunc(m.snapshots, func(x egrid.Snapshot) bool {
			return (m.Basis == "" || m.Basis == string(x.Level)) && slices.Contains(x.Lossy, c)
		}) {
			lossy = append(lossy, c)
		}
	}
	return lossy
}
