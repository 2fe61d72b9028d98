package httpapi

import (
	"compress/gzip"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"reflect"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// exportPage is how many rows an export reads at a time.
const exportPage = 5000

// export streams a list as CSV, NDJSON or GeoJSON. What goes wrong before the first row
// is an error; afterwards it breaks the connection.
func (a *api) export(op *operation, w http.ResponseWriter, in *request) error {
	ctx := in.http.Context()
	etag, _, err := a.etag(op, in)
	if err != nil {
		return err
	}
	h := w.Header()
	op.commonHeaders(h, etag, in)
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
	page, meta, err := ans.rows(ctx, take(), in.text("cursor"), false)
	if err == nil {
		err = in.checkPinned(&meta)
	}
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
	out := newExporter(w, in.format, in.rowFormat(page.Schema, ans))
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
	format rowFormat
	buffer []byte
	rows   int
	err    error
}

// rowFormat appends the parts of a document that is written row by row. row
// reports whether the row has a place in the document.
type rowFormat interface {
	begin(b []byte) []byte
	row(b []byte, row egrid.Row) ([]byte, bool)
	end(b []byte) []byte
}

func (in *request) rowFormat(s *egrid.Schema, ans *answer) rowFormat {
	switch in.format.name {
	case formatNDJSON:
		if ans.value != nil {
			return &valueLines{values: reflect.ValueOf(ans.value)}
		}
		return lines{newRowEncoder(s)}
	case formatGeoJSON:
		return newFeatures(s, ans.unasked)
	}
	return newCSV(s, in.text(codesName) == codesEPA)
}

// lines is NDJSON.
type lines struct{ json *rowEncoder }

func (lines) begin(b []byte) []byte { return b }

func (l lines) row(b []byte, row egrid.Row) ([]byte, bool) {
	return append(l.json.append(b, row), '\n'), true
}

func (lines) end(b []byte) []byte { return b }

// valueLines is NDJSON of a list that is no rows: its elements as in JSON, one
// for each row of the table that stands for them elsewhere.
type valueLines struct {
	values reflect.Value
	next   int
}

func (*valueLines) begin(b []byte) []byte { return b }

func (l *valueLines) row(b []byte, _ egrid.Row) ([]byte, bool) {
	text, err := marshal(l.values.Index(l.next).Interface())
	if err != nil {
		panic(err) // plain structs only
	}
	l.next++
	return append(append(b, text...), '\n'), true
}

func (*valueLines) end(b []byte) []byte { return b }

func newExporter(w http.ResponseWriter, f format, rows rowFormat) *exporter {
	e := &exporter{to: w, http: w, format: rows}
	if f.gzip {
		e.zip = newGzip(w)
		e.to = e.zip
	}
	e.buffer = rows.begin(nil)
	return e
}

func (e *exporter) row(row egrid.Row) {
	if e.err != nil {
		return
	}
	var has bool
	if e.buffer, has = e.format.row(e.buffer, row); has {
		e.rows++
	}
	if len(e.buffer) > 32<<10 {
		e.write()
	}
}

func (e *exporter) write() {
	if len(e.buffer) > 0 && e.err == nil {
		_, e.err = e.to.Write(e.buffer)
		e.buffer = e.buffer[:0]
	}
}

// flush hands over what was written so far.
func (e *exporter) flush() error {
	e.write()
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
	e.buffer = e.format.end(e.buffer)
	if err := e.flush(); err != nil || e.zip == nil {
		return err
	}
	err := e.zip.Close()
	gzips.Put(e.zip)
	e.zip = nil
	return err
}
