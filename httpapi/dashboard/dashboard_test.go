package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// ask sends a request without a network.
func ask(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	return ask(h, http.MethodGet, target, header...)
}

// assets lists the paths of the files beside the page, as they are served.
func assets(t *testing.T) []string {
	t.Helper()
	paths := []string{"/assets/style.css"}
	err := fs.WalkDir(os.DirFS("page"), "assets", func(name string, entry fs.DirEntry, err error) error {
		if ext := path.Ext(name); ext == ".js" || ext == ".svg" {
			paths = append(paths, "/"+name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func ExampleNew() {
	api := http.NotFoundHandler() // httpapi.New(store, nil)
	page := dashboard.New(nil)
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("/{$}", page)
	mux.Handle("/assets/", page)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	types := map[string]string{
		".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", "": "text/html; charset=utf-8",
	}
	for _, target := range append(assets(t), "/") {
		w := get(h, target)
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", target, w.Code, w.Body.Len())
		}
		for name, want := range map[string]string{
			"Content-Type":           types[path.Ext(target)],
			"Cache-Control":          "no-cache",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
				"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q; want %q", target, name, got, want)
			}
		}

		tag := w.Header().Get("Etag")
		if again := get(h, target, "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 || again.Header().Get("Etag") != tag {
			t.Errorf("%s with its ETag %s: status %d, %d bytes, ETag %s", target, tag, again.Code, again.Body.Len(), again.Header().Get("Etag"))
		}
		if other := get(h, target, "If-None-Match", `"other"`); other.Code != http.StatusOK {
			t.Errorf("%s with another ETag: status %d", target, other.Code)
		}
		head := ask(h, http.MethodHead, target)
		if head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("HEAD %s: status %d, %d bytes, length %s; want the length %d", target, head.Code, head.Body.Len(), head.Header().Get("Content-Length"), w.Body.Len())
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			if w := ask(h, method, target); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d, Allow %q", method, target, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	for _, target := range []string{"/nothing", "/index.html", "/assets", "/assets/", "/assets/nothing.js", "/assets/../dashboard.go", "/page/index.html", "//", "/plants/top", "/assets/core/app.js/", "/assets/core", "/assets/core/", "/assets/core/types.d.ts", "/assets/style/base.css"} {
		w := get(h, target)
		if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: status %d, %v", target, w.Code, w.Header())
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	page := dashboard.New(nil)
	body := get(page, "/").Body.String()
	for _, strip := range []string{"/data/egrid", "/data/egrid/"} {
		h := http.StripPrefix(strip, page)
		if w := get(h, "/data/egrid/?state=TX"); w.Code != http.StatusOK || w.Body.String() != body {
			t.Errorf("prefix %s: the page has status %d", strip, w.Code)
		}
		if w := get(h, "/data/egrid/assets/core/app.js"); w.Code != http.StatusOK {
			t.Errorf("prefix %s: a script has status %d", strip, w.Code)
		}
	}
	// Without its slash, the page would look for its files in the wrong folder.
	w := get(http.StripPrefix("/data/egrid", page), "/data/egrid?state=TX")
	if w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != "./egrid/?state=TX" {
		t.Errorf("status %d, to %q; want a redirect to ./egrid/?state=TX", w.Code, w.Header().Get("Location"))
	}
}

// The redirect stays on this server, whatever is asked.
func TestRedirectStaysHere(t *testing.T) {
	t.Parallel()
	h := http.StripPrefix("/data", dashboard.New(nil))
	for _, target := range []string{"/data", "/data?//elsewhere", "/data?next=http:%2f%2felsewhere"} {
		if to := get(h, target).Header().Get("Location"); !strings.HasPrefix(to, "./data/") {
			t.Errorf("%s leads to %q", target, to)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	body := get(dashboard.New(nil), "/").Body.String()
	for _, want := range []string{`content="./"`, `name="egrid-refresh" content="30"`, "<title>eGRID power plants</title>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	w := get(dashboard.New(&dashboard.Options{API: "https://api.example.org:8443/v1", Title: `Plants <of> "ours" & theirs`, Refresh: -time.Second}), "/")
	body = w.Body.String()
	for _, want := range []string{`content="https://api.example.org:8443/v1/"`, `name="egrid-refresh" content="0"`, "<h1>Plants &lt;of&gt; &#34;ours&#34; &amp; theirs</h1>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "; connect-src 'self' https://api.example.org:8443; ") {
		t.Errorf("the policy is %q", policy)
	}
	if body := get(dashboard.New(&dashboard.Options{Refresh: time.Millisecond}), "/").Body.String(); !strings.Contains(body, `name="egrid-refresh" content="1"`) {
		t.Error("a short time became none")
	}
	for api, origin := range map[string]string{"../api": "", "/api/": "", ".": "", "//api.example.org/x": " api.example.org", "http://127.0.0.1:4000": " http://127.0.0.1:4000"} {
		policy := get(dashboard.New(&dashboard.Options{API: api}), "/").Header().Get("Content-Security-Policy")
		if want := "; connect-src 'self'" + origin + ";"; !strings.Contains(policy, want) {
			t.Errorf("API %s: the policy is %q; want %q in it", api, policy, want)
		}
	}
}

func TestBadAPI(t *testing.T) {
	t.Parallel()
	for _, api := range []string{
		"https://user:secret@example.org/", "https://example.org/?key=1", "https://example.org/?", "https://example.org/#x", "ftp://example.org/",
		"javascript:alert(1)", "https:///path", "https://a;script-src", "https://a,b", "https://*", "://", "https://exa mple.org/", "https://ex\nample.org",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("API %q is taken", api)
				}
			}()
			dashboard.New(&dashboard.Options{API: api})
		}()
	}
}

// Nothing comes from elsewhere, and nothing on the page runs but its modules.
func TestSelfContained(t *testing.T) {
	t.Parallel()
	external := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z0-9.-]+`)
	inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\son[a-z]+=|\sstyle=|javascript:`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser`)
	err := fs.WalkDir(os.DirFS("page"), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path.Join("page", name))
		text := strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")
		if found := external.FindString(text); found != "" {
			t.Errorf("%s refers to %s", name, found)
		}
		if found := inline.FindString(text); found != "" && !strings.HasSuffix(name, ".js") {
			t.Errorf("%s has %q, which the policy forbids", name, found)
		}
		if found := markup.FindString(text); found != "" {
			t.Errorf("%s uses %s: data may become markup", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// imports matches what a module names: what it needs, and what it loads later.
var imports = regexp.MustCompile(`(?m)(?:^(?:import|export)\b[^;]*?\bfrom |\bimport\()'(\.[^']+)'`)

// Every file that the page and its modules name is there, and none is left over.
func TestReferences(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	body := get(h, "/").Body.String()
	named := []string{}
	for _, m := range regexp.MustCompile(`(?:href|src)="(assets/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		named = append(named, "/"+m[1])
	}
	all := assets(t)
	for _, asset := range all {
		if path.Ext(asset) != ".js" {
			continue
		}
		for _, m := range imports.FindAllStringSubmatch(code(get(h, asset).Body.String()), -1) {
			named = append(named, path.Join(path.Dir(asset), m[1]))
		}
	}
	for _, asset := range all {
		if !slices.Contains(named, asset) {
			t.Errorf("neither the page nor a module names %s", asset)
		}
	}
	for _, target := range named {
		if w := get(h, target); w.Code != http.StatusOK {
			t.Errorf("%s is named and has status %d", target, w.Code)
		}
	}
	// Elements that the shell looks for: views make their own.
	for _, asset := range all {
		if !strings.HasPrefix(asset, "/assets/core/") {
			continue
		}
		for _, m := range regexp.MustCompile(`byID\('([^']+)'\)`).FindAllStringSubmatch(get(h, asset).Body.String(), -1) {
			if !strings.Contains(body, `id="`+m[1]+`"`) {
				t.Errorf("%s looks for an element %s that the page lacks", asset, m[1])
			}
		}
	}
}

// code is a module without its comments, which may name types.
func code(module string) string {
	return regexp.MustCompile(`(?m)^\s*(?://.*|\*.*|/\*\*.*)$`).ReplaceAllString(module, "")
}

// The page announces what the view that its address asks for needs at first,
// and no more: every module of it once.
func TestPreload(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	var needs func(asset string, seen map[string]bool)
	needs = func(asset string, seen map[string]bool) {
		if seen[asset] {
			return
		}
		seen[asset] = true
		for _, m := range regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*?\bfrom '(\.[^']+)'`).FindAllStringSubmatch(get(h, asset).Body.String(), -1) {
			needs(path.Join(path.Dir(asset), m[1]), seen)
		}
	}
	for target, view := range views {
		want := map[string]bool{}
		needs("/assets/core/app.js", want)
		if view != "" {
			needs("/assets/views/"+view+".js", want)
		}
		delete(want, "/assets/core/app.js") // the script itself
		got := map[string]bool{}
		for _, m := range regexp.MustCompile(`<link rel="modulepreload" href="([^"]+)">`).FindAllStringSubmatch(get(h, target).Body.String(), -1) {
			if got["/"+m[1]] {
				t.Errorf("%s announces %s twice", target, m[1])
			}
			got["/"+m[1]] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s announces %v; want %v", target, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
}

// views are addresses, and the view that each asks for.
var views = map[string]string{
	"/": "overview", "/?state=TX": "overview", "/?view=overview": "overview", "/?view=plants&state=TX": "plants", "/?q=palo": "plants",
	"/?plant=9100&year=2021": "plant", "/?view=regions": "regions", "/?view=factors": "factors", "/?view=map": "map", "/?view=changes": "changes", "/?view=nobody": "",
}

// A preview shows what the address asks for. Nothing in the address is repeated.
func TestPreviews(t *testing.T) {
	t.Parallel()
	h := dashboard.New(&dashboard.Options{Title: `Ours & "theirs"`})
	for target := range views {
		body := get(h, target).Body.String()
		for _, name := range []string{`<meta name="description" content="`, `<meta property="og:title" content="`, `<meta property="og:description" content="`} {
			_, rest, found := strings.Cut(body, name)
			if content, _, _ := strings.Cut(rest, `"`); !found || len(content) < 10 {
				t.Errorf("%s: %s is %q", target, name, content)
			}
		}
	}
	body := get(h, "/?view=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").Body.String()
	if strings.Contains(body, "alert(1)") {
		t.Error("the page repeats its address")
	}
}

// Generated figures are unmistakable, and others are not called so.
func TestGenerated(t *testing.T) {
	t.Parallel()
	if body := get(dashboard.New(&dashboard.Options{Generated: true}), "/").Body.String(); !strings.Contains(body, `id="generated"`) {
		t.Error("the page does not say that its data are generated")
	}
	if body := get(dashboard.New(nil), "/").Body.String(); strings.Contains(body, `id="generated"`) {
		t.Error("the page calls EPA's data generated")
	}
}

// A browser that takes gzip gets the same files in less; the others get them plain.
func TestCompressed(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	scripts := 0
	for _, target := range append(assets(t), "/") {
		plain := get(h, target)
		w := get(h, target, "Accept-Encoding", "br, gzip;q=0.8")
		reader, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		if path.Ext(target) == ".js" {
			scripts += w.Body.Len()
		}
		body, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%s in gzip is another file (%v)", target, err)
		}
		if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" || w.Header().Get("Content-Type") != plain.Header().Get("Content-Type") {
			t.Errorf("%s: %v", target, w.Header())
		}
		tag := w.Header().Get("Etag")
		if tag == plain.Header().Get("Etag") {
			t.Errorf("%s has the same ETag in both encodings", target)
		}
		if again := get(h, target, "Accept-Encoding", "gzip", "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s with its ETag: status %d", target, again.Code)
		}
	}
	if scripts > 150_000 {
		t.Errorf("the modules of all views have %d bytes in gzip; want at most 150,000", scripts)
	}
	t.Logf("modules of all views: %d bytes in gzip", scripts)
	for _, accepted := range []string{"", "identity", "gzip;q=0", "gzip; q=0.000", "br", "xgzip"} {
		if w := get(h, "/", "Accept-Encoding", accepted); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q is answered in %s", accepted, w.Header().Get("Content-Encoding"))
		}
	}
	if w := get(h, "/", "Accept-Encoding", "gzip", "Range", "bytes=0-9"); w.Header().Get("Content-Encoding") != "" || w.Body.Len() != 10 {
		t.Errorf("a part of the page: %d bytes in %q", w.Body.Len(), w.Header().Get("Content-Encoding"))
	}
}

// Modules lose their comments and nothing else: code stays on its line.
func TestWithoutComments(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	for _, asset := range assets(t) {
		if path.Ext(asset) != ".js" {
			continue
		}
		source, err := os.ReadFile("page" + asset)
		if err != nil {
			t.Fatal(err)
		}
		want, got := strings.Split(string(source), "\n"), strings.Split(get(h, asset).Body.String(), "\n")
		if len(want) != len(got) {
			t.Fatalf("%s has %d lines; its source has %d", asset, len(got), len(want))
		}
		ticks := 0 // of template literals; what is left out must not be inside one
		for i := range want {
			if text := strings.TrimSpace(want[i]); got[i] != want[i] {
				if !strings.HasPrefix(text, "//") && !strings.HasPrefix(text, "/**") && !strings.HasPrefix(text, "*") {
					t.Errorf("%s:%d lost %q", asset, i+1, text)
				}
				if ticks%2 == 1 {
					t.Errorf("%s:%d is left out and may be inside a text: %q", asset, i+1, text)
				}
				continue
			}
			ticks += strings.Count(strings.ReplaceAll(got[i], "\\`", ""), "`")
		}
		if ticks%2 == 1 {
			t.Errorf("%s has an odd number of backticks outside its comments", asset)
		}
	}
}
