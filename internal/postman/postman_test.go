package postman_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/postman"
)

var update = flag.Bool("update", false, "write the collection anew")

// openAPI is the document as the hosts serve it.
func openAPI(t *testing.T) []byte {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	var failures egrid.FailureLog = store
	w := httptest.NewRecorder()
	httpapi.New(store, &httpapi.Options{Failures: failures}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	return w.Body.Bytes()
}

// The collection is that of the API as it is.
func TestFresh(t *testing.T) {
	want, err := postman.Collection(openAPI(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "api", "egrid.postman_collection.json")
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
		t.Errorf("%s is not that of the API; write it anew with go generate ./internal/postman", path)
	}
}

// Every operation has a request.
func TestComplete(t *testing.T) {
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
	for path := range api.Paths {
		if !asked[path] {
			t.Errorf("%s has no request", path)
		}
	}
}

func TestNoDocument(t *testing.T) {
	for _, text := range []string{"", "{}", "[]", "openapi: 3.1.0"} {
		if _, err := postman.Collection([]byte(text)); err == nil {
			t.Errorf("%q made a collection", text)
		}
	}
}
