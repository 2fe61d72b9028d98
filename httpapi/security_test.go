package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// credentials is an authenticator that knows some words.
func credentials(r *http.Request) (middleware.Identity, error) {
	switch word := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); word {
	case "":
		return middleware.Identity{}, nil
	case "nothing":
		return middleware.Identity{Subject: word}, nil
	case "read", "write", "admin", "unknown":
		return middleware.Identity{Subject: word, Scopes: []middleware.Scope{middleware.Scope(word)}}, nil
	case "away":
		return middleware.Identity{}, errors.New("the key server at 10.0.0.1 is away")
	}
	return middleware.Identity{Subject: "forged", Scopes: middleware.Scopes()}, &middleware.CredentialError{Reason: "the \"token\" is\r\nforged\\", Cause: errors.New("a cause")}
}

func TestScopes(t *testing.T) {
	for scope, may := range map[middleware.Scope]string{"": "", "read": "read", "write": "read write", "admin": "read write admin", "root": "", "Read": ""} {
		for _, needed := range []middleware.Scope{"read", "write", "admin", "root", ""} {
			got := middleware.Identity{Scopes: []middleware.Scope{scope}}.May(needed)
			if want := needed != "" && strings.Contains(may, string(needed)); got != want {
				t.Errorf("%q may what needs %q: %t", scope, needed, got)
			}
		}
	}
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	const top, ready, document = "/plants/top", "/readyz", "/openapi.json"
	for _, test := range []struct {
		name       string
		o          httpapi.Options
		word, path string
		status     int
		challenge  string
	}{
		{"open", httpapi.Options{}, "read", top, 200, ""},
		{"open, no credentials", httpapi.Options{Authenticate: credentials}, "", top, 200, ""},
		{"open, some credentials", httpapi.Options{Authenticate: credentials}, "nothing", top, 200, ""},
		{"open, forged", httpapi.Options{Authenticate: credentials}, "x", top, 401, `Bearer realm="egrid", error="invalid_token", error_description="the token isforged"`},
		{"open, forged, probe", httpapi.Options{Authenticate: credentials}, "x", ready, 401, `Bearer realm="egrid", error="invalid_token", error_description="the token isforged"`},
		{"open, away", httpapi.Options{Authenticate: credentials}, "away", top, 503, ""},
		{"closed, no credentials", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "", top, 401, `Bearer realm="egrid", scope="read"`},
		{"closed, no such path", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "", "/nothing", 401, `Bearer realm="egrid", scope="read"`},
		{"closed, no scope", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "nothing", top, 403, `Bearer realm="egrid", error="insufficient_scope", scope="read"`},
		{"closed, unknown scope", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "unknown", top, 403, `Bearer realm="egrid", error="insufficient_scope", scope="read"`},
		{"closed, reader", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "read", top, 200, ""},
		{"closed, writer", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "write", top, 200, ""},
		{"closed, reader, no such path", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "read", "/nothing", 404, ""},
		{"closed, probe", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "", ready, 200, ""},
		{"closed, document", httpapi.Options{Authenticate: credentials, RequireAuth: true}, "", document, 200, ""},
		{"closed to all", httpapi.Options{RequireAuth: true}, "admin", top, 403, ""},
	} {
		h := newAPI(store, &test.o)
		var header []string
		if test.word != "" {
			header = []string{"Authorization", "Bearer " + test.word}
		}
		for range 2 { // the second is answered from what is kept
			w := get(t, h, test.path, header...)
			if w.Code != test.status || w.Header().Get("WWW-Authenticate") != test.challenge {
				t.Errorf("%s: %d, %q", test.name, w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if test.status >= 400 {
				checkProblem(t, test.name, w)
			}
			if private := strings.Contains(w.Header().Get("Cache-Control"), "private"); test.path == top && w.Code == 200 && private != test.o.RequireAuth {
				t.Errorf("%s: Cache-Control %q", test.name, w.Header().Get("Cache-Control"))
			}
		}
	}
}

// An authenticator of one's own has its own challenge, and no advice of others.
func TestOwnAuthenticator(t *testing.T) {
	t.Parallel()
	const basic = `Basic realm="grid"`
	by := func(hint string) middleware.Authenticator {
		return func(r *http.Request) (middleware.Identity, error) {
			switch name, _, ok := r.BasicAuth(); {
			case !ok:
				return middleware.Identity{Hint: hint}, nil
			case name == "ada":
				return middleware.Identity{Subject: name}, nil
			}
			return middleware.Identity{Hint: hint}, &middleware.CredentialError{Reason: "name or password is wrong"}
		}
	}
	for _, test := range []struct {
		name, challenge, hint, user string
		status                      int
		header, detail              string
	}{
		{"nobody", basic, "", "", 401, basic, "credentials with scope read are needed"},
		{"nobody, with a hint", basic, "sign in at /login", "", 401, basic, "credentials with scope read are needed; sign in at /login"},
		{"wrong", basic, "", "eve", 401, basic, "name or password is wrong"},
		{"wrong, with a hint", basic, "sign in at /login", "eve", 401, basic, "name or password is wrong; sign in at /login"},
		{"no scope", basic, "", "ada", 403, "", "scope read is needed, which these credentials do not have; the operator of this service grants scopes"},
		{"no challenge", "", "", "", 401, `Bearer realm="egrid", scope="read"`, "credentials with scope read are needed"},
	} {
		h := newAPI(sampleStore(t), &httpapi.Options{Authenticate: by(test.hint), Challenge: test.challenge, RequireAuth: true})
		r := httptest.NewRequest(http.MethodGet, "/plants/top", nil)
		if test.user != "" {
			r.SetBasicAuth(test.user, "x")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var p struct{ Detail string }
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if w.Code != test.status || w.Header().Get("WWW-Authenticate") != test.header || p.Detail != test.detail {
			t.Errorf("%s: %d, %q, %q", test.name, w.Code, w.Header().Get("WWW-Authenticate"), p.Detail)
		}
	}
	document := get(t, newAPI(sampleStore(t), &httpapi.Options{Authenticate: by(""), Challenge: basic}), "/openapi.json").Body.String()
	if strings.Contains(document, middleware.APIKeyHeader) || !strings.Contains(document, `"scheme":"basic"`) {
		t.Error("the document asks for other credentials")
	}
}

func checkProblem(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	err := json.Unmarshal(w.Body.Bytes(), &p)
	if err != nil || w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("%s: no problem: %v %s", name, w.Header(), w.Body)
	}
	if strings.Contains(p.Detail, "10.0.0.1") || strings.Contains(p.Detail, "a cause") {
		t.Errorf("%s: the client is told too much: %s", name, p.Detail)
	}
}

// What was kept for a caller who may read is not shown to one who may not.
func TestKeptAnswersAreGuarded(t *testing.T) {
	h := newAPI(sampleStore(t), &httpapi.Options{Authenticate: credentials, RequireAuth: true})
	w := get(t, h, "/plants/top", "Authorization", "Bearer read")
	for _, header := range [][]string{nil, {"Authorization", "Bearer nothing"}, {"If-None-Match", w.Header().Get("Etag")}, {"If-None-Match", "*"}} {
		if again := get(t, h, "/plants/top", header...); again.Code != 401 && again.Code != 403 {
			t.Errorf("%v: %d", header, again.Code)
		}
	}
	if w := preflight(newAPI(sampleStore(t), &httpapi.Options{Authenticate: credentials, RequireAuth: true, AllowedOrigins: []string{page}}), page, "GET", "authorization,x-api-key"); w.Header().Get("Access-Control-Allow-Origin") != page {
		t.Errorf("a browser cannot ask first: %d %v", w.Code, w.Header())
	}
}

func TestSecurityInTheDocument(t *testing.T) {
	t.Parallel()
	type document struct {
		Components struct {
			SecuritySchemes map[string]struct{ Type, Scheme, In, Name string }
		}
		Paths map[string]map[string]struct {
			Security  []map[string][]string
			Responses map[string]any
		}
	}
	read := func(o *httpapi.Options) (d document) {
		w := get(t, newAPI(sampleStore(t), o), "/openapi.json")
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := read(nil); len(d.Components.SecuritySchemes) > 0 || d.Paths["/plants/top"]["get"].Security != nil {
		t.Errorf("an open service asks for credentials: %+v", d.Components)
	}
	for _, closed := range []bool{false, true} {
		d := read(&httpapi.Options{Authenticate: credentials, RequireAuth: closed, RateLimit: &middleware.RateLimitOptions{}})
		if s := d.Components.SecuritySchemes; s["bearer"].Scheme != "bearer" || s["api_key"].Name != "X-API-Key" || s["api_key"].In != "header" {
			t.Errorf("%+v", s)
		}
		for path, operations := range d.Paths {
			op := operations["get"]
			if strings.HasPrefix(path, "/healthz") || strings.HasPrefix(path, "/readyz") {
				if op.Security != nil {
					t.Errorf("%s needs credentials", path)
				}
				continue
			}
			if path == "/api" || len(op.Responses) == 0 {
				continue
			}
			n, scope := 3, ""
			if closed {
				n = 2
			}
			if len(op.Security) > 0 && len(op.Security[0]["bearer"]) > 0 {
				scope = op.Security[0]["bearer"][0]
			}
			if len(op.Security) != n || scope != "read" || op.Responses["401"] == nil || op.Responses["429"] == nil || (op.Responses["403"] != nil) != closed {
				t.Errorf("%s, closed %t: %v %v", path, closed, op.Security, op.Responses)
			}
		}
	}
}

func TestTrustProxies(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		peer   string
		header []string
		want   string
	}{
		{"192.0.2.1:1234", nil, "192.0.2.1"},
		{"192.0.2.1:1234", []string{"X-Forwarded-For", "198.51.100.7"}, "192.0.2.1"}, // not a proxy of ours
		{"192.0.2.1:1234", []string{"Forwarded", "for=198.51.100.7"}, "192.0.2.1"},
		{"10.0.0.1:1234", nil, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "1.1.1.1, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "198.51.100.7:4711"}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "10.0.0.9, 10.0.0.2"}, "10.0.0.9"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "1.1.1.1, "}, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", "<script>"}, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"X-Forwarded-For", strings.Repeat("10.0.0.2,", 5000) + "10.0.0.3"}, "10.0.0.2"},
		{"10.0.0.1:1234", []string{"Forwarded", "for=1.1.1.1, for=198.51.100.7;proto=https;by=10.0.0.1"}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"Forwarded", `proto=https;For="[2001:db8::7]:4711"`}, "2001:db8::7"},
		{"10.0.0.1:1234", []string{"Forwarded", `for="[2001:db8::7]"`}, "2001:db8::7"},
		{"10.0.0.1:1234", []string{"Forwarded", `for="_hidden", for=10.0.0.2`}, "10.0.0.2"},
		{"10.0.0.1:1234", []string{"Forwarded", `for="x, for=198.51.100.7`}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"Forwarded", "by=198.51.100.7"}, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"Forwarded", "for=198.51.100.7", "X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:1234", []string{"Forwarded", "for=1.1.1.1", "X-Forwarded-For", "198.51.100.7"}, "10.0.0.1"}, // one is invented
		{"[::ffff:10.0.0.1]:1234", []string{"X-Forwarded-For", "::ffff:198.51.100.7"}, "198.51.100.7"},
		{"[fd00::1]:1234", []string{"X-Forwarded-For", "fe80::1%eth0"}, "fe80::1"},
		{"@", []string{"X-Forwarded-For", "198.51.100.7"}, "invalid IP"},
	} {
		var got string
		h := middleware.TrustProxies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = middleware.ClientAddr(r).String() }), proxies)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.peer
		for i := 0; i < len(test.header); i += 2 {
			r.Header.Add(test.header[i], test.header[i+1])
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != test.want {
			t.Errorf("from %s with %.80q: %s; want %s", test.peer, test.header, got, test.want)
		}
	}
}

// The log has the client's address and name, and no credential of a URL.
func TestLogOfCallers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newAPI(sampleStore(t), &httpapi.Options{
		Authenticate: credentials, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	get(t, h, "/plants/top?state=TX&access_token=hunter2&%74oken=hunter2&%zz=hunter2", "Authorization", "Bearer read", "X-Forwarded-For", "198.51.100.7")
	for _, want := range []string{"remote=198.51.100.7", "subject=read", "state=TX"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, &log)
		}
	}
	get(t, h, "/plants/top", "Authorization", "Bearer hunter2")
	get(t, h, "/plants/top?q="+strings.Repeat("x", 10000))
	if strings.Contains(log.String(), "hunter2") || log.Len() > 8000 {
		t.Errorf("the log is too long, or tells a credential: %s", &log)
	}
}

func TestLimitURL(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for path, want := range map[string]int{
		"/plants/search?q=" + strings.Repeat("x", 200):                   200,
		"/plants/search?q=" + strings.Repeat("x", 16<<10):                414,
		"/plants/" + strings.Repeat("x", 16<<10):                         414,
		"/plants/search?state=TX" + strings.Repeat("&q=x", 99):           400, // given more than once
		"/plants/search?" + strings.Repeat("&", 100):                     400,
		"/plants/search?" + strings.Repeat("nameplate_capacity=1&", 700): 400,
	} {
		w := get(t, h, path)
		if w.Code != want || w.Body.Len() > 32<<10 {
			t.Errorf("%.60s: %d of %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

// Those who are known are counted by their name wherever they are, and those who
// only claim to be somebody by where they are.
func TestRateLimitOfCallers(t *testing.T) {
	h := newAPI(sampleStore(t), &httpapi.Options{Authenticate: credentials, RateLimit: &middleware.RateLimitOptions{Requests: 2, Now: func() time.Time { return time.Unix(1e9, 0) }}})
	ask := func(addr, word string) int {
		r := httptest.NewRequest(http.MethodGet, "/plants/top", nil)
		r.RemoteAddr = addr
		r.Header.Set("Authorization", "Bearer "+word)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for i, step := range []struct {
		addr, word string
		status     int
	}{
		{"192.0.2.1:1", "read", 200}, {"192.0.2.2:1", "read", 200}, {"192.0.2.3:1", "read", 429}, {"192.0.2.1:1", "write", 200},
		{"192.0.2.1:1", "guess 1", 401}, {"192.0.2.1:1", "guess 2", 401}, {"192.0.2.1:1", "guess 3", 429}, {"192.0.2.1:1", "write", 200},
	} {
		if got := ask(step.addr, step.word); got != step.status {
			t.Errorf("step %d: %d; want %d", i, got, step.status)
		}
	}
}
