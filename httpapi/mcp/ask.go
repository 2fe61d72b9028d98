package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// asked is the API that tools ask.
type asked struct {
	api http.Handler
	log *slog.Logger
}

// question is a call of a tool.
type question struct {
	*asked
	ctx  context.Context // of the call, which is over when its question is answered
	tool *tool
	given
}

// reply is what a tool answers.
type reply struct {
	structured any
	text       string
}

// call answers a call. Whatever goes wrong is an answer, too.
func (a *asked) call(ctx context.Context, t *tool, arguments json.RawMessage) (result *sdk.CallToolResult) {
	defer func() {
		if p := recover(); p != nil {
			a.log.ErrorContext(ctx, "panic in a tool", "tool", t.name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			result = failure("the answer could not be finished; the log of the service has more")
		}
	}()
	args, err := t.read(arguments)
	if err != nil {
		return failure(err.Error())
	}
	r, err := t.answer(&question{a, ctx, t, args})
	if err != nil {
		return failure(err.Error())
	}
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: r.text}}, StructuredContent: r.structured}
}

func failure(text string) *sdk.CallToolResult {
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}, IsError: true}
}

// refusal is an answer of the API that is none.
type refusal struct{ wire.Problem }

func (r *refusal) Error() string { return strings.ToLower(r.Title) + ": " + r.Detail }

// envelope is an answer of the API, its data as they came.
type envelope struct {
	Data     json.RawMessage `json:"data"`
	Meta     json.RawMessage `json:"meta"`
	Links    wire.Links      `json:"links"`
	Citation string          `json:"citation,omitempty"`
}

// get asks for what a path and the arguments say.
func (q *question) get(path string, query url.Values) (e envelope, err error) {
	target := url.URL{Path: path, RawQuery: query.Encode()}
	if target.Path, err = url.PathUnescape(path); err != nil {
		return e, err
	}
	target.RawPath = path
	body, err := q.send(http.MethodGet, &target, "", nil)
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	return e, err
}

// send asks the API. What is not answered by 200 is a [refusal].
func (q *question) send(method string, target *url.URL, contentType string, body io.Reader) ([]byte, error) {
	r, err := http.NewRequestWithContext(q.ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", wire.TypeJSON)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := recorder{header: http.Header{}, status: http.StatusOK}
	q.api.ServeHTTP(&w, r)
	if w.status == http.StatusOK {
		return w.body.Bytes(), nil
	}
	refused := &refusal{}
	if err := json.Unmarshal(w.body.Bytes(), &refused.Problem); err != nil {
		refused.Title, refused.Detail = http.StatusText(w.status), "the API answers "+http.StatusText(w.status)
	}
	return nil, refused
}

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	status int
	begun  bool
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.begun && status >= http.StatusOK {
		r.begun, r.status = true, status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.begun = true
	return r.body.Write(p)
}

// cite fills in the citation: the snapshots that an answer is made of, with
// their files.
func (q *question) cite(e *envelope) error {
	link, err := url.Parse(e.Links.Permanent)
	if err != nil {
		return err
	}
	ids := strings.Split(link.Query().Get("snapshot"), ",")
	if link.Query().Get("snapshot") == "" {
		ids = nil
	}
	return q.citeSnapshots(e, ids...)
}

func (q *question) citeSnapshots(e *envelope, ids ...string) error {
	var cited []string
	for _, id := range ids {
		found, err := q.get("/snapshots/"+url.PathEscape(id), nil)
		if refused := (*refusal)(nil); errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			cited = append(cited, "Snapshot "+id+", which was pruned meanwhile.")
			continue
		}
		if err != nil {
			return err
		}
		var s wire.SnapshotInfo
		if err := json.Unmarshal(found.Data, &s); err != nil {
			return err
		}
		cited = append(cited, citation(&s))
	}
	e.Citation = strings.Join(cited, " ")
	return nil
}

func citation(s *wire.SnapshotInfo) string {
	files := make([]string, len(s.Sources))
	for i, from := range s.Sources {
		files[i] = fmt.Sprintf("%s (SHA-256 %s)", strings.TrimSpace(from.Object+" "+from.Sheet), from.SHA256)
	}
	return fmt.Sprintf("%s, %s, level %s. From %s.", s.Authority, edition(s.Year, s.Release), s.Level, strings.Join(files, ", "))
}

// edition names a data year and release.
func edition(year int, release string) string {
	return strings.TrimSpace(fmt.Sprintf("eGRID%d %s", year, release))
}

// sourced is a text with what it can be cited and found by.
func sourced(text string, e *envelope) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(text, "\n"))
	more := ""
	if next, err := url.Parse(e.Links.Next); err == nil && e.Links.Next != "" {
		more = "the same arguments, with cursor " + next.Query().Get("cursor")
	}
	for _, line := range [][2]string{{"Source", e.Citation}, {"Permanent link", e.Links.Permanent}, {"More", more}} {
		if line[1] != "" {
			fmt.Fprintf(&b, "\n%s: %s", line[0], line[1])
		}
	}
	return b.String()
}
