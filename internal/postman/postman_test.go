package postman_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/postman"
)

var update = flag.Bool("update", false, "write the collection anew")

// noRuns is a runner that nobody asks.
type noRuns struct{ driver.Runner }

// openAPI is the document as hosts serve it that know credentials.
func openAPI(t *testing.T) []byte {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { backend.Close() })
	var failures driver.FailureLog = backend
	w := httptest.NewRecorder()
	nobody := func(*http.Request) (middleware.Identity, error) { return middleware.Identity{}, nil }
	httpapi.New(store.New(backend), &httpapi.Options{Failures: failures, Runs: noRuns{}, Authenticate: nobody}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	return w.Body.Bytes()
}

// The collection and the document are those of the API as it is.
func TestFresh(t *testing.T) {
	t.Parallel()
	document := openAPI(t)
	collection, err := postman.Collection(document)
	if err != nil {
		t.Fatal(err)
	}
	fresh(t, "egrid.postman_collection.json", collection)
	var indented bytes.Buffer
	if err := json.Indent(&indented, document, "", " "); err != nil {
		t.Fatal(err)
	}
	fresh(t, "openapi.json", append(bytes.TrimSpace(indented.Bytes()), '\n'))
}

func fresh(t *testing.T, name string, want []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "api", name)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not that of the API; run make generate", path)
	}
}

// Every operation has a request, unless it is a stream of events.
func TestComplete(t *testing.T) {
	t.Parallel()
	document := openAPI(t)
	b, err := postman.Collection(document)
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Paths map[string]map[string]any }
	var made struct {
		Item []struct {
			Item []struct {
				Request struct{ URL struct{ Path []string } }
				Event   []any
			}
		}
	}
	for source, v := range map[string]any{string(document): &api, string(b): &made} {
		if err := json.Unmarshal([]byte(source), v); err != nil {
			t.Fatal(err)
		}
	}
	asked := map[string]bool{}
	for _, folder := range made.Item {
		for _, it := range folder.Item {
			path := ""
			for _, part := range it.Request.URL.Path {
				if part[0] == ':' {
					part = "{" + part[1:] + "}"
				}
				path += "/" + part
			}
			asked[path] = true
			if len(it.Event) != 1 {
				t.Errorf("%s is not tested", path)
			}
		}
	}
	for path, methods := range api.Paths {
		if get, _ := json.Marshal(methods["get"]); !asked[path] && !bytes.Contains(get, []byte("text/event-stream")) {
			t.Errorf("%s has no request", path)
		}
	}
}

// writing is an operation that needs credentials and has a body, one that is for
// everybody, and a stream.
const writing = `{"info":{"title":"T"},"tags":[{"name":"runs"}],"paths":{
 "/runs":{
  "post":{"summary":"Load","tags":["runs"],"security":[{"bearer":["write"]},{"api_key":["write"]}],
   "requestBody":{"content":{"application/json":{"example":{"sources":["a"]}}}},
   "responses":{"202":{"content":{"application/json":{}}},"403":{},"409":{},"500":{}}},
  "get":{"summary":"Loads","tags":["runs"],"security":[{"bearer":["read"]},{}],"responses":{"200":{"content":{"application/json":{"example":[]}}}}}},
 "/runs/events":{"get":{"summary":"What happens","tags":["runs"],"responses":{"200":{"content":{"text/event-stream":{"example":"data: 1"}}}}}}}}`

func TestOperationsThatWrite(t *testing.T) {
	t.Parallel()
	b, err := postman.Collection([]byte(writing))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Item []struct {
			Item []struct {
				Name    string
				Event   []struct{ Script struct{ Exec []string } }
				Request struct {
					Method string
					Header []struct{ Key, Value string }
					Body   struct{ Raw string }
				}
			}
		}
	}
	if err := json.Unmarshal(b, &got); err != nil || len(got.Item) != 1 || len(got.Item[0].Item) != 2 {
		t.Fatalf("%v: %s", err, b)
	}
	read, write := got.Item[0].Item[0], got.Item[0].Item[1]
	if read.Request.Method != "GET" || len(read.Request.Header) != 1 || len(read.Event[0].Script.Exec) != 2 {
		t.Errorf("reading: %+v", read)
	}
	headers := fmt.Sprint(write.Request.Header)
	if write.Request.Method != "POST" || headers != "[{Accept application/json} {X-API-Key {{apiKey}}} {Content-Type application/json}]" || write.Request.Body.Raw != `{"sources":["a"]}` {
		t.Errorf("writing: %+v", write)
	}
	if test := write.Event[0].Script.Exec; len(test) != 1 || !strings.Contains(test[0], "oneOf([202, 403, 409])") {
		t.Errorf("the test is %q", test)
	}
}

func TestNoDocument(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", "[]", "openapi: 3.1.0"} {
		if _, err := postman.Collection([]byte(text)); err == nil {
			t.Errorf("%q made a collection", text)
		}
	}
}
