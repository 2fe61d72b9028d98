package httpapi

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// exportPage is how many rows an export reads at a time.
const exportPage = 5000

// export streams a list as CSV or NDJSON. What goes wrong before the first row
// is an error; afterwards it breaks the connection.
func (a *api) export(op *operation, w http.ResponseWriter, in *request) error {
	ctx := in.http.Context()
	etag, _, err := a.etag(op, in)
	if err != nil {
		return err
	}
	h := w.Header()
	op.commonHeaders(h, etag)
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
