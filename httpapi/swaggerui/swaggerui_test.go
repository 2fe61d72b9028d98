package swaggerui_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi/swaggerui"
)

func get(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Every file that the page refers to is there, and none is elsewhere.
func TestPageIsComplete(t *testing.T) {
	t.Parallel()
	h := http.StripPrefix("/egrid", swaggerui.New(&swaggerui.Options{Title: "<Ours>"}))
	page := get(h, "/egrid/api")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "<title>&lt;Ours&gt;</title>") {
		t.Fatalf("%d %s", page.Code, page.Body)
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(refs) < 5 {
		t.Fatalf("the page refers to %q", refs)
	}
	for _, ref := range refs {
		if ref[1] == "openapi.json" {
			continue // the API's
		}
		w := get(h, "/egrid/"+ref[1])
		if w.Code != http.StatusOK || w.Body.Len() == 0 || w.Header().Get("Content-Type") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", ref[1], w.Code, w.Header())
		}
	}
	policy := page.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy is %q, without %s", policy, part)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	h := swaggerui.New(nil)
	const file = "/api/swagger-ui-bundle.js"
	plain, zipped := get(h, file), get(h, file, "Accept-Encoding", "br, gzip")
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("ETag") == plain.Header().Get("ETag") || zipped.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v", zipped.Header())
	}
	if w := get(h, file, "Accept-Encoding", "gzip;q=0, br"); w.Header().Get("Content-Encoding") != "" {
		t.Errorf("compressed against the client's will: %v", w.Header())
	}
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
		t.Errorf("other bytes when compressed: %v", err)
	}
	if w := get(h, file, "If-None-Match", plain.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("again: %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := get(h, "/api/"); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "../api" {
		t.Errorf("/api/: %d %v", w.Code, w.Header())
	}
	for _, target := range []string{"/", "/api/nothing", "/api/../swaggerui.go", "/api/index.html"} {
		if w := get(h, target); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h := swaggerui.New(nil)
	for method, status := range map[string]int{http.MethodHead: 200, http.MethodPost: 405, http.MethodDelete: 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api", nil))
		if w.Code != status || method == http.MethodHead && w.Body.Len() != 0 {
			t.Errorf("%s: %d, %d bytes", method, w.Code, w.Body.Len())
		}
	}
}

func ExampleNew() {
	mux := http.NewServeMux()
	page := swaggerui.New(nil)
	mux.Handle("/api", page)
	mux.Handle("/api/", page)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
