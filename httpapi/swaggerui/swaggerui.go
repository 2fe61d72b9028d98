// Package swaggerui serves Swagger UI over the document of package httpapi: an
// [http.Handler] of static files on which the API can be read and tried.
//
//	mux.Handle("/", httpapi.New(db, nil))
//	mux.Handle("/api", swaggerui.New(nil))
//	mux.Handle("/api/", swaggerui.New(nil))
//
// The handler answers "/api" and "/api/" and what is below, and can be mounted
// under a prefix with [http.StripPrefix]: the page refers to its files and to the
// document, ./openapi.json, relative to its own address.
//
// # Guarantees
//
// Everything is in the binary, about 0.6 MB of it: the page loads nothing from
// elsewhere, and its Content-Security-Policy allows its own scripts and styles,
// and requests to its own origin. Every file has an ETag, is asked for again
// before each use and answers 304 while it is the same. The handler is safe for
// concurrent use.
//
// # Errors
//
// A request for any other path is 404, and any method but GET and HEAD 405.
//
// # See also
//
// Package httpapi, whose document the page shows. It does not import this
// package, so that only who mounts the page has it in the binary.
package swaggerui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/swaggest/swgui/v5/static"
)

// Options configures the page. The zero value of every field means its
// default.
type Options struct {
	// Title is that of the page. Default "eGRID API".
	Title string
}

//go:embed page
var own embed.FS

// policy allows what Swagger UI needs: it sets styles on elements, and has its
// icons as data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// assets are the files of Swagger UI that the page needs.
var assets = []string{"swagger-ui.css", "swagger-ui-bundle.js"}

// file is one answer, ready to be written.
type file struct {
	contentType string
	plain       []byte
	zipped      []byte // empty where it is not worth while
}

type ui struct{ files map[string]file } // by path; the page is /api

// New returns a handler of the page.
func New(o *Options) http.Handler {
	title := "eGRID API"
	if o != nil && o.Title != "" {
		title = o.Title
	}
	u := ui{files: map[string]file{
		"/api":             {contentType: "text/html; charset=utf-8", plain: page(title)},
		"/api/start.js":    {contentType: "text/javascript; charset=utf-8", plain: ours("start.js")},
		"/api/favicon.png": {contentType: "image/png", plain: theirs("favicon-32x32.png")},
		"/api/page.css":    {contentType: "text/css; charset=utf-8", plain: ours("page.css")},
	}}
	for _, name := range assets {
		zipped := theirs(name + ".gz")
		u.files["/api/"+name] = file{contentType: mime.TypeByExtension(path.Ext(name)), plain: unzip(zipped), zipped: zipped}
	}
	return u
}

func page(title string) []byte {
	var b bytes.Buffer
	if err := template.Must(template.ParseFS(own, "page/index.html")).Execute(&b, title); err != nil {
		panic(err) // the page is in the binary
	}
	return b.Bytes()
}

func ours(name string) []byte {
	b, err := own.ReadFile("page/" + name)
	if err != nil {
		panic(err) // the file is in the binary
	}
	return b
}

func theirs(name string) []byte {
	b, err := static.FS.ReadFile(name)
	if err != nil {
		panic(err) // the file is in the binary
	}
	return b
}

func unzip(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		b, err = io.ReadAll(z)
	}
	if err != nil {
		panic(fmt.Errorf("swaggerui: a file of Swagger UI: %w", err))
	}
	return b
}

// ServeHTTP answers with a file.
func (u ui) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	f, ok := u.files[r.URL.Path]
	switch {
	case r.URL.Path == "/api/":
		h.Set("Location", "../api") // relative, for who mounts the page under a prefix
		w.WriteHeader(http.StatusMovedPermanently)
	case !ok:
		http.Error(w, "there is no such file", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this path answers GET and HEAD", http.StatusMethodNotAllowed)
	default:
		f.write(w, r)
	}
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(coding) != "gzip" {
			continue
		}
		text, given := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(text, 64)
		return !given || err == nil && q > 0
	}
	return false
}

func (f file) write(w http.ResponseWriter, r *http.Request) {
	h, body := w.Header(), f.plain
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache")
	if len(f.zipped) > 0 {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body = f.zipped
		}
	}
	sum := sha256.Sum256(body)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}
