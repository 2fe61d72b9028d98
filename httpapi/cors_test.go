package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

const page = "https://grid.example:8443"

// corsHeaders are what a browser asks an answer for.
func corsHeaders(h http.Header) []string {
	var names []string
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	return names
}

func variesBy(h http.Header, name string) bool {
	return slices.ContainsFunc(h.Values("Vary"), func(line string) bool { return strings.Contains(line, name) })
}

// corsTargets are all ways to answer: data, kept data, exports, errors, probes
// and the document.
var corsTargets = map[string]int{
	"/plants/top": 200, "/levels/GEN/rows?format=csv": 200, "/plants/1?year=2019": 404, "/nothing": 404, "/plants/top?limit=0": 400,
	"/levels/GEN/rows?year=2023": 500, "/errors": 200, "/healthz": 200, "/openapi.json": 200,
}

// corsHandler has a store that fails for one target.
func corsHandler(t *testing.T, origins ...string) http.Handler {
	t.Helper()
	store, log := failedStore(t)
	api := newAPI(store, &httpapi.Options{Failures: log, AllowedOrigins: origins})
	broken := newAPI(&troubled{Scanner: store, fail: errors.New("disk on fire")}, &httpapi.Options{AllowedOrigins: origins})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if corsTargets[r.URL.RequestURI()] == 500 {
			broken.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func TestAllowedOrigin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		allowed      []string
		origin, want string
	}{
		{[]string{page}, page, page},
		{[]string{"http://localhost:3000", page}, page, page},
		{[]string{"*"}, page, "*"},
	} {
		h := corsHandler(t, test.allowed...)
		for target, status := range corsTargets {
			for range 2 { // the second is answered from what is kept
				w := get(t, h, target, "Origin", test.origin)
				header := w.Header()
				if w.Code != status || header.Get("Access-Control-Allow-Origin") != test.want || !variesBy(header, "Origin") {
					t.Errorf("%v, %s: status %d, headers %v", test.allowed, target, w.Code, header)
				}
				for _, name := range []string{"Etag", "X-Row-Count", "Retry-After", "X-Request-Id"} {
					if !strings.Contains(header.Get("Access-Control-Expose-Headers"), name) {
						t.Errorf("%s: pages cannot read %s: %v", target, name, header)
					}
				}
				if header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s: cookies are allowed", target)
				}
			}
		}
	}
}

func TestForeignOrigin(t *testing.T) {
	t.Parallel()
	for name, allowed := range map[string][]string{
		"none": nil, "another": {page}, "refused entries only": {"https://*", "", "null", "https://foreign.example/"},
	} {
		h := corsHandler(t, allowed...)
		for target, status := range corsTargets {
			for _, origin := range []string{"https://foreign.example", "http://grid.example:8443", "https://grid.example", page + ".foreign.example", "https://x" + page[8:], "null", ""} {
				w := get(t, h, target, "Origin", origin)
				if w.Code != status || len(corsHeaders(w.Header())) > 0 {
					t.Errorf("%s, %s from %q: status %d, headers %v", name, target, origin, w.Code, w.Header())
				}
				if name == "another" && !variesBy(w.Header(), "Origin") {
					t.Errorf("%s from %q may be kept for others: %v", target, origin, w.Header())
				}
			}
		}
	}
}

// TestCORSOfKeptAnswers: what is kept for one origin carries no other's name,
// and a 304 is readable too.
func TestCORSOfKeptAnswers(t *testing.T) {
	t.Parallel()
	const other = "https://other.example"
	h := newAPI(sampleStore(t), &httpapi.Options{AllowedOrigins: []string{page, other}})
	for _, origin := range []string{page, other, "", "https://foreign.example", page} {
		want := origin
		if origin == "https://foreign.example" {
			want = ""
		}
		w := get(t, h, "/plants/top", "Origin", origin)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("answer to %q is for %q", origin, got)
		}
		if !variesBy(w.Header(), "Origin") || !variesBy(w.Header(), "Accept-Encoding") {
			t.Errorf("Vary of the answer to %q: %q", origin, w.Header().Values("Vary"))
		}
		again := get(t, h, "/plants/top", "Origin", origin, "If-None-Match", w.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Header().Get("Access-Control-Allow-Origin") != want || !variesBy(again.Header(), "Origin") {
			t.Errorf("304 to %q: %d %v", origin, again.Code, again.Header())
		}
	}
	if w := get(t, newAPI(sampleStore(t), nil), "/plants/top"); variesBy(w.Header(), "Origin") {
		t.Errorf("answers vary by origin although none is allowed: %v", w.Header())
	}
}

func preflight(h http.Handler, origin, method, headers string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodOptions, "/plants/top", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", method)
	if headers != "" {
		r.Header.Set("Access-Control-Request-Headers", headers)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPreflight(t *testing.T) {
	h := newAPI(sampleStore(t), &httpapi.Options{AllowedOrigins: []string{page}})
	for _, test := range []struct {
		origin, method, headers string
		allowed                 bool
	}{
		{page, "GET", "", true},
		{page, "HEAD", "if-none-match", true},
		{page, "POST", "authorization,content-type,if-none-match", true},
		{page, "GET", "traceparent,tracestate", true},
		{page, "DELETE", "", false},
		{page, "PUT", "authorization", false},
		{page, "GET", "x-secret", false},
		{"https://foreign.example", "GET", "", false},
		{"null", "GET", "", false},
	} {
		w := preflight(h, test.origin, test.method, test.headers)
		header := w.Header()
		allowed := header.Get("Access-Control-Allow-Origin") == page && header.Get("Access-Control-Allow-Methods") == test.method && header.Get("Access-Control-Allow-Headers") == test.headers
		if w.Code != http.StatusNoContent || w.Body.Len() != 0 || allowed != test.allowed || !allowed && len(corsHeaders(header)) > 0 || !variesBy(header, "Origin") {
			t.Errorf("%+v: status %d, headers %v", test, w.Code, header)
		}
		if test.allowed && header.Get("Access-Control-Max-Age") == "" {
			t.Errorf("%+v: the browser asks every time", test)
		}
	}
	if w := preflight(newAPI(sampleStore(t), nil), page, "GET", ""); w.Code != http.StatusNoContent || len(corsHeaders(w.Header())) > 0 {
		t.Errorf("without origins: %d %v", w.Code, w.Header())
	}
}

// AllowOrigins stands in front of other handlers too, the API itself included.
func TestAllowOriginsAround(t *testing.T) {
	h := middleware.AllowOrigins(newAPI(sampleStore(t), nil), []string{page})
	for range 2 {
		w := get(t, h, "/plants/top", "Origin", page)
		if w.Header().Get("Access-Control-Allow-Origin") != page || !variesBy(w.Header(), "Origin") || !variesBy(w.Header(), "Accept-Encoding") {
			t.Errorf("%v", w.Header())
		}
	}
}
