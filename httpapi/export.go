package httpapi

import (
	"compress/gzip"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// export streams a list in a format that is written row by row. What goes wrong
// before something was written is an error; afterwards it breaks the connection.
func (a *api) export(op *operation, w http.ResponseWriter, in *request) error {
	ctx := in.http.Context()
	etag := a.etag(op, in)
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
	rows, err := ans.stream(ctx, window{limit: in.number("limit"), cursor: in.text("cursor")})
	if err != nil {
		return err
	}
	h.Set("Content-Type", in.format.contentType())
	h.Set("Trailer", "X-Row-Count")
	if in.http.URL.Query().Has("format") {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(op, in, rows.Snapshots)}))
	}
	if in.gzip {
		h.Set("Content-Encoding", "gzip")
	}
	out := newExporter(w, in.format.writer(in, ans), rows.Schema, in.gzip)
	for b, err := range rows.Batches {
		if err == nil && middleware.IsHead(in.http) {
			break // the header is all that there is to say
		}
		if err == nil {
			err = out.batch(b)
		}
		switch {
		case err == nil:
		case out.begun:
			a.abort(in.http, out.rows, err)
		default:
			return err
		}
	}
	if middleware.IsHead(in.http) {
		w.WriteHeader(http.StatusOK)
		return nil
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
		slog.String("request_id", middleware.RequestID(r.Context())), slog.String("path", r.URL.Path), slog.Int("rows", rows), slog.Any("error", err))
	panic(http.ErrAbortHandler)
}

// fileName names an export by what is in it: operation, level, data year and
// release where they are one, and the conditions.
func fileName(op *operation, in *request, from []egrid.Snapshot) string {
	parts := []string{op.id}
	if level := in.text("level"); level != "" {
		parts = append(parts, level)
	}
	if len(from) == 1 {
		parts = append(parts, strconv.Itoa(from[0].Year), from[0].Release)
	}
	for _, f := range in.filters {
		parts = append(parts, f.String())
	}
	parts = append(parts, in.text("q"))
	var name strings.Builder
	for _, part := range parts {
		part = strings.Trim(strings.Map(plainLetter, part), "-")
		if part == "" || name.Len()+len(part) > 120 {
			continue
		}
		if name.Len() > 0 {
			name.WriteByte('_')
		}
		name.WriteString(part)
	}
	return name.String() + "." + in.format.name
}

// plainLetter is a letter that every file system takes, or a dash.
func plainLetter(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
		return c
	}
	return '-'
}

// exportBuffer is how many bytes an export holds back at most, about.
const exportBuffer = 32 << 10

// exporter writes batches row by row.
type exporter struct {
	http   http.ResponseWriter
	to     io.Writer
	zip    *gzip.Writer
	format rowWriter
	buffer []byte
	rows   int
	begun  bool // something was written
}

func newExporter(w http.ResponseWriter, format rowWriter, s *egrid.Schema, zipped bool) *exporter {
	e := &exporter{http: w, to: w, format: format, buffer: make([]byte, 0, exportBuffer+exportBuffer/4)}
	if zipped {
		e.zip = newGzip(w)
		e.to = e.zip
	}
	e.buffer = format.begin(e.buffer, s)
	return e
}

// batch writes the rows of a batch.
func (e *exporter) batch(b *egrid.Batch) error {
	for i := range b.Len() {
		var has bool
		if e.buffer, has = e.format.row(e.buffer, b, i); has {
			e.rows++
		}
		if len(e.buffer) >= exportBuffer {
			if err := e.write(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *exporter) write() error {
	if !e.begun {
		e.begun = true
		e.http.WriteHeader(http.StatusOK)
	}
	_, err := e.to.Write(e.buffer)
	e.buffer = e.buffer[:0]
	return err
}

func (e *exporter) close() error {
	e.buffer = e.format.end(e.buffer)
	if err := e.write(); err != nil || e.zip == nil {
		return err
	}
	err := e.zip.Close()
	gzips.Put(e.zip)
	return err
}
