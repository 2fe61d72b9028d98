package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// bundledStore holds the sheets of examples/data.
func bundledStore(t testing.TB) driver.Store {
	t.Helper()
	store := memstore.New().Driver()
	t.Cleanup(func() { store.Close() })
	sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 730, Plants: 150, Year: 2023})
	for _, level := range egridtest.SampleLevels() {
		var sheet bytes.Buffer
		if err := sample.Write(&sheet, level); err != nil {
			t.Fatal(err)
		}
		publish(t, store, sample.Name(level), &sheet)
	}
	return store
}

func bundledAPI(t testing.TB) http.Handler {
	t.Helper()
	store := bundledStore(t)
	failures := store.FailureLog
	_, err := failures.RecordFailure(context.Background(), driver.Failure{
		ID: "1f0c", Kind: "store_unavailable", Where: "egrid.database 1f0c", Message: "the database does not answer", Time: time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	anybody := func(*http.Request) (middleware.Identity, error) {
		return middleware.Identity{Subject: "test", Scopes: []middleware.Scope{middleware.ScopeWrite}}, nil
	}
	return newAPI(store, &httpapi.Options{Failures: failures, Runs: steadyRunner{}, History: store.History, Authenticate: anybody})
}

// documented is what the tests read of the OpenAPI document.
type documented struct {
	whole map[string]any
	Paths map[string]map[string]struct {
		OperationID string
		Parameters  []struct {
			Name, In string
			Example  any
			Schema   map[string]any
		}
		RequestBody struct {
			Content map[string]struct{ Example any }
		}
		Responses map[string]struct {
			Content map[string]struct {
				Schema  map[string]any
				Example any
			}
		}
	}
}

func documentOf(t testing.TB, h http.Handler) documented {
	t.Helper()
	var d documented
	w := get(t, h, "/openapi.json")
	for _, v := range []any{&d, &d.whole} {
		if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// operations yields each path with each of its methods.
func (d documented) operations() iter.Seq2[string, string] {
	return func(yield func(path, method string) bool) {
		for path, methods := range d.Paths {
			for method := range methods {
				if !yield(path, method) {
					return
				}
			}
		}
	}
}

// exampleTarget puts the examples of an operation's parameters together.
func exampleTarget(path string, names []string, value func(name string) (in string, example any)) string {
	query := ""
	for _, name := range names {
		in, example := value(name)
		text := ""
		switch v := example.(type) {
		case nil:
			continue
		case []any:
			parts := make([]string, len(v))
			for i := range v {
				parts[i] = v[i].(string)
			}
			text = strings.Join(parts, ",")
		default:
			b, _ := json.Marshal(v)
			text = strings.Trim(string(b), `"`)
		}
		if in == "path" {
			path = strings.ReplaceAll(path, "{"+name+"}", text)
			continue
		}
		query += "&" + name + "=" + strings.ReplaceAll(text, " ", "%20")
	}
	if query != "" {
		path += "?" + query[1:]
	}
	return path
}

// body is the example of what an operation is sent, and its type.
func (d documented) body(method, path string) (body, contentType string) {
	for contentType, media := range d.Paths[path][method].RequestBody.Content {
		switch example := media.Example.(type) {
		case nil:
		case string:
			return example, contentType
		default:
			b, err := json.Marshal(example)
			if err != nil {
				panic(err) // it was read from JSON
			}
			return string(b), contentType
		}
	}
	return "", "application/json"
}

func (d documented) target(method, path string) string {
	parameters := d.Paths[path][method].Parameters
	names := make([]string, len(parameters))
	for i, p := range parameters {
		names[i] = p.Name
	}
	return exampleTarget(path, names, func(name string) (string, any) {
		for _, p := range parameters {
			if p.Name == name {
				return p.In, p.Example
			}
		}
		return "", nil
	})
}

// What differs from run to run, and what the tests made up.
var (
	moments   = regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`)
	latencies = regexp.MustCompile(`"latency_seconds":[0-9.e-]+`)
	sums      = regexp.MustCompile(`sha of [^",)]*`)
)

// steady is an answer as it is every time.
func steady(body []byte) []byte {
	body = moments.ReplaceAll(body, []byte("2025-07-01T12:00:00Z"))
	body = latencies.ReplaceAll(body, []byte(`"latency_seconds":0.0004`))
	return sums.ReplaceAllFunc(body, func(text []byte) []byte { return fmt.Appendf(nil, "%x", sha256.Sum256(text)) })
}

// shortened leaves the first two of every list of objects.
func shortened(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = shortened(v[i])
		}
		if len(v) > 2 {
			if _, ok := v[0].(map[string]any); ok {
				return v[:2]
			}
		}
	case map[string]any:
		for name := range v {
			v[name] = shortened(v[name])
		}
	}
	return v
}

// exampleAnswer is an answer as the document shows it.
func exampleAnswer(t *testing.T, w *httptest.ResponseRecorder) any {
	t.Helper()
	body := steady(w.Body.Bytes())
	if strings.Contains(w.Header().Get("Content-Type"), "json") && !strings.Contains(w.Header().Get("Content-Type"), "ndjson") {
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		return shortened(v)
	}
	lines := strings.SplitAfterN(string(body), "\n", 4)
	return strings.Join(lines[:min(3, len(lines))], "")
}

// Every operation has an example: a request, and what the API answers to it.
func TestExamples(t *testing.T) {
	t.Parallel()
	h := bundledAPI(t)
	document := documentOf(t, h)
	want := map[string]map[string]any{}
	for path, method := range document.operations() {
		op := document.Paths[path][method]
		target := document.target(method, path)
		want[op.OperationID] = map[string]any{}
		status := http.StatusOK
		if _, ok := op.Responses["202"]; ok {
			status = http.StatusAccepted
		}
		shown := op.Responses[strconv.Itoa(status)].Content
		for contentType := range shown {
			body, sent := document.body(method, path)
			w := ask(t, h, method, target, body, "Accept", contentType, "Content-Type", sent)
			if contentType == "application/geo+json" && w.Code == http.StatusNotAcceptable {
				continue // another level
			}
			if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), contentType) || w.Body.Len() == 0 && op.OperationID != "diff" && op.OperationID != "diff-plants" { // the sample has one release, so nothing differs
				t.Errorf("%s as %s: %d %s", target, contentType, w.Code, w.Body)
				continue
			}
			if strings.Contains(contentType, "vnd.") {
				continue // for programs
			}
			want[op.OperationID][contentType] = exampleAnswer(t, w)
		}
		for contentType, answer := range want[op.OperationID] {
			if got, want := compact(t, shown[contentType].Example), compact(t, answer); got != want && !*update {
				t.Errorf("%s, %s: the document has (when the change is meant, run make generate)\n%s\nand the API answers\n%s", op.OperationID, contentType, got, want)
			}
		}
	}
	if *update {
		b, err := json.MarshalIndent(want, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("examples.json", append(b, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func compact(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
