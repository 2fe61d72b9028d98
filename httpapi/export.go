package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/store"
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
	if op.rows && in.format.name != formatGeoJSON {
		rows = rows.Marked(in.text(codesName) == codesEPA)
	}
	name := fileName(op, in, rows.Snapshots)
	h.Set("Content-Type", in.format.contentType())
	if in.http.URL.Query().Has("format") {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": in.format.fileName(name)}))
	}
	if in.gzip {
		h.Set("Content-Encoding", "gzip")
	}
	about := op.about(in, &rows, name)
	if in.format.head {
		return describe(w, in, rows.Schema, about)
	}
	h.Set("Trailer", "X-Row-Count")
	out := newExporter(w, in, ans, rows.Schema, about)
	for b, err := range rows.Batches {
		if err == nil && middleware.IsHead(in.http) {
			break // the header is all that there is to say
		}
		if err == nil {
			err = out.to.Write(b)
		}
		switch {
		case err == nil:
		case out.begun:
			a.abort(in.http, out.to.rows(), err)
		default:
			return err
		}
	}
	if middleware.IsHead(in.http) {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if err := out.close(); err != nil {
		a.abort(in.http, out.to.rows(), err)
	}
	h.Set("X-Row-Count", strconv.Itoa(out.to.rows()))
	return nil
}

// about is what a file says of itself.
func (op *operation) about(in *request, rows *store.Answer, name string) *export.About {
	about := &export.About{Name: name, Snapshots: rows.Snapshots, Address: op.permanent(in, rows.Snapshots), Codes: in.text(codesName) == codesEPA}
	if op.rows {
		about.Level = egrid.Level(in.text("level"))
	}
	return about
}

// describe answers with a file that tells of the columns alone.
func describe(w http.ResponseWriter, in *request, s *egrid.Schema, about *export.About) error {
	var file bytes.Buffer
	if err := in.format.file(&file, s, about).Close(); err != nil {
		return err
	}
	body := file.Bytes()
	if in.gzip {
		body = compress(body)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client may be gone
	return nil
}

// abort breaks the connection, so that nobody takes a part for the whole.
func (a *api) abort(r *http.Request, rows int, err error) {
	a.o.Logger.LogAttrs(r.Context(), slog.LevelError, "export broken off",
		slog.String("request_id", middleware.RequestID(r.Context())), slog.String("path", r.URL.Path), slog.Int("rows", rows), slog.Any("error", err))
	panic(http.ErrAbortHandler)
}

// fileName names an export by what is in it: operation, level, data year and
// release where they are one, and the conditions. The ending is the format's.
func fileName(op *operation, in *request, from []egrid.Snapshot) string {
	parts := []string{op.id, in.text("level")}
	if op.places && !op.rows { // plants, by the sheet that they are from
		parts = append(parts, string(basisOf(from)))
	}
	year, release, one := edition(from)
	if year == 0 {
		year = in.number("year") // of a list without rows
	}
	if year != 0 {
		parts = append(parts, strconv.Itoa(year))
	}
	if one {
		parts = append(parts, release)
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
	return name.String()
}

// edition is the data year of snapshots, 0 where they are of several, and the release
// where they are of one.
func edition(from []egrid.Snapshot) (year int, release string, one bool) {
	for i := range from {
		switch s := &from[i]; {
		case i == 0:
			year, release, one = s.Year, s.Release, true
		case s.Year != year:
			return 0, "", false
		case s.Release != release:
			one = false
		}
	}
	return year, release, one
}

// basisOf is the level of the sheet that plants are from; empty for none.
func basisOf(from []egrid.Snapshot) egrid.Level {
	for _, level := range []egrid.Level{egrid.PLNT, egrid.GEN} {
		if slices.ContainsFunc(from, func(s egrid.Snapshot) bool { return s.Level == level }) {
			return level
		}
	}
	return ""
}

// plainLetter is a letter that every file system takes, or a dash.
func plainLetter(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
		return c
	}
	return '-'
}

// exportBuffer is how many bytes an export holds back at most, about; a format of
// files holds back what it needs.
const exportBuffer = 32 << 10

// exporter writes an answer as a file.
type exporter struct {
	to    rowsTo
	out   *bufio.Writer // below a file
	zip   *gzip.Writer
	http  http.ResponseWriter
	begun bool // something was sent
}

// rowsTo is what rows are written to.
type rowsTo interface {
	export.Writer
	rows() int // so far
}

func newExporter(w http.ResponseWriter, in *request, ans *answer, s *egrid.Schema, about *export.About) *exporter {
	e := &exporter{http: w}
	var body io.Writer = bodyOf{e}
	if in.gzip {
		e.zip = newGzip(body)
		body = e.zip
	}
	if in.format.writer != nil {
		text := &textRows{w: body, format: in.format.writer(in, ans), buffer: make([]byte, 0, exportBuffer+exportBuffer/4)}
		text.buffer = text.format.begin(text.buffer, s)
		e.to = text
		return e
	}
	e.out = bufio.NewWriterSize(body, exportBuffer)
	e.to = &fileRows{Writer: in.format.file(e.out, s, about)}
	return e
}

// bodyOf is the body of the answer: the status goes with its first bytes.
type bodyOf struct{ *exporter }

func (b bodyOf) Write(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		b.http.WriteHeader(http.StatusOK)
	}
	return b.http.Write(p)
}

func (e *exporter) close() error {
	err := e.to.Close()
	if err == nil && e.out != nil {
		err = e.out.Flush()
	}
	if err != nil || e.zip == nil {
		return err
	}
	err = e.zip.Close()
	gzips.Put(e.zip)
	return err
}

// textRows writes a format that is text, row by row.
type textRows struct {
	w      io.Writer
	format rowWriter
	buffer []byte
	n      int
}

func (t *textRows) rows() int { return t.n }

func (t *textRows) Write(b *egrid.Batch) error {
	for i := range b.Len() {
		var has bool
		if t.buffer, has = t.format.row(t.buffer, b, i); has {
			t.n++
		}
		if len(t.buffer) >= exportBuffer {
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *textRows) flush() error {
	_, err := t.w.Write(t.buffer)
	t.buffer = t.buffer[:0]
	return err
}

func (t *textRows) Close() error {
	t.buffer = t.format.end(t.buffer)
	return t.flush()
}

// fileRows writes a format of files.
type fileRows struct {
	export.Writer
	n int
}

func (f *fileRows) rows() int { return f.n }

func (f *fileRows) Write(b *egrid.Batch) error {
	f.n += b.Len()
	return f.Writer.Write(b)
}
