// Package dashboard serves a page over the HTTP API: an [http.Handler] of
// static files that show plants, tables and charts in the browser.
//
//	mux.Handle("/", httpapi.New(db, nil))
//	mux.Handle("/{$}", dashboard.New(nil))
//	mux.Handle("/assets/", dashboard.New(nil))
//
// The handler answers "/" and "/assets/" and can be mounted under a prefix with
// [http.StripPrefix]: the page refers to its files, and by default to the API,
// relative to its own address.
//
// Start with [New]; [Options] has the address of the API and the title.
//
// # Guarantees
//
// Everything is in the binary: the page loads nothing from elsewhere, and its
// Content-Security-Policy allows nothing else than its own scripts and styles
// and the API. It needs no templates, no session and no store: what it shows,
// the browser asks of the API. Every file has an ETag, is asked for again
// before each use and answers 304 while it is the same, so a new version of the
// program shows at once. A browser that takes gzip is given it; modules are served
// without their comments, each line in its place. The handler is safe for concurrent use.
//
// # Errors
//
// [New] panics when [Options] holds an address that no page can use. A request
// for any other path is 404, and any method but GET and HEAD 405. What goes
// wrong with the API is told by the page, part by part.
//
// # See also
//
// Package httpapi, the API that the page is over.
package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options configures the page. The zero value of every field means its
// default.
type Options struct {
	// API is the address of the API, absolute or relative to the page.
	// Default "./", the folder that the page is in. An API of another origin
	// has to allow the page's origin by CORS.
	API string
	// Title stands at the head of the page. Default "eGRID power plants".
	Title string
	// Source says whose figures the page shows, at its head and foot. Default
	// "EPA's eGRID".
	Source string
	// Generated says that no figure is anybody's measurement: a banner at the head
	// of every view tells.
	Generated bool
	// Shapes are boundaries of the eGRID subregions, for the map: GeoJSON in degrees of
	// longitude and latitude, a Polygon or MultiPolygon for each with the property
	// subregion, and the name of the source in the member name. It is served as it is;
	// Set.AppendGeoJSON of package shapes writes it of a file that was checked.
	// Default none: the map draws the land that is nearest to the plants of each.
	Shapes []byte
	// Refresh is how often the page asks the API whether something new is
	// published, rounded up to seconds. Default 30 seconds, negative never.
	Refresh time.Duration
}

//go:embed page/index.html page/assets/*.svg page/assets/*/*.js page/assets/*/*.css
var files embed.FS

// script is the module that the page begins with.
const script = "assets/core/app.js"

// views are the views of the page by the parameter "view": their names in titles
// and what they show. The first one is shown without the parameter.
var views = []struct{ id, label, about string }{
	{"overview", "", "Net generation, emissions and resource mix of the power plants of the United States"},
	{"plants", "Plants", "Every power plant by any column: generation, emissions, rates, place and operator"},
	{"plant", "Plant", "One power plant: generation, emissions, resource mix, generators, units and history"},
	{"regions", "Regions", "Emission rates, totals and resource mix of states, eGRID subregions, balancing authorities and NERC regions, side by side and over the years"},
	{"factors", "Factors", "Emission factors of electricity by ZIP code, state, eGRID subregion or balancing authority, with formula, sources and a citation, and emissions of a list of sites"},
	{"map", "Map", "Plants on the map by generation, fuel and CO2 rate; states and eGRID subregions by any measure"},
	{"changes", "Changes and data health", "Editions and releases that are loaded, their certificates, what changed between them and what it means for emission factors, held loads and rejected records"},
}

// file is one answer, ready to be written.
type file struct {
	contentType string
	etag        string
	body        []byte
	packed      func() []byte // body in gzip, made when it is asked for first
}

type dashboard struct {
	policy string
	files  map[string]file // by path, without the leading slash
	pages  map[string]file // by view; "" for one that is not known
}

// New returns a handler of the page. It panics when o.API is not an http or
// https address, absolute or relative, without user, query and fragment.
func New(o *Options) http.Handler {
	settings := Options{}
	if o != nil {
		settings = *o
	}
	if settings.API == "" {
		settings.API = "./"
	}
	if settings.Title == "" {
		settings.Title = "eGRID power plants"
	}
	if settings.Source == "" {
		settings.Source = "EPA’s eGRID"
	}
	if settings.Refresh == 0 {
		settings.Refresh = 30 * time.Second
	}
	origin, err := originOf(settings.API)
	if err != nil {
		panic(fmt.Sprintf("dashboard: Options.API is %q: %v", settings.API, err))
	}
	if !strings.HasSuffix(settings.API, "/") {
		settings.API += "/"
	}
	d := &dashboard{policy: policyOf(origin), files: map[string]file{}, pages: map[string]file{}}
	var style bytes.Buffer
	err = fs.WalkDir(files, "page/assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if path.Ext(name) == ".css" {
			style.Write(body) // base.css first, as by name
		} else {
			d.files[strings.TrimPrefix(name, "page/")] = newFile(name, body)
		}
		return err
	})
	if err != nil {
		panic(err) // the files are in the binary
	}
	if settings.Shapes != nil {
		d.files[shapesPath] = newFile("shapes.json", settings.Shapes)
	}
	d.files["assets/style.css"] = newFile("style.css", style.Bytes())
	page := template.Must(template.ParseFS(files, "page/index.html"))
	d.pages[""] = newFile("index.html", render(page, settings, "", "", d.modules(script)))
	for _, v := range views {
		modules := d.modules(script, "assets/views/"+v.id+".js")
		d.pages[v.id] = newFile("index.html", render(page, settings, v.label, v.about, modules))
	}
	return d
}

// imported matches what a module imports at its beginning, which it cannot run
// without. What it imports later, by import(), is not needed at first.
var imported = regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*?\bfrom '(\.[^']+)'`)

// modules lists the modules that some need, themselves included, the page's own
// script excepted: a browser that is told of them all asks for them at once.
func (d *dashboard) modules(names ...string) []string {
	for i := 0; i < len(names); i++ {
		for _, m := range imported.FindAllSubmatch(d.files[names[i]].body, -1) {
			if name := path.Join(path.Dir(names[i]), string(m[1])); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names[1:]
}

// originOf returns the origin that the page may talk to besides its own; empty
// when the address is relative.
func originOf(api string) (string, error) {
	u, err := url.Parse(api)
	if err != nil {
		return "", err
	}
	for _, c := range u.Host {
		// The policy separates its parts with ; and , and blanks.
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", c) {
			return "", fmt.Errorf("the host holds %q", c)
		}
	}
	switch {
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "":
		return "", fmt.Errorf("want an address without user, query and fragment")
	case u.Scheme == "" && u.Host == "":
		return "", nil
	case u.Host == "":
		return "", fmt.Errorf("want a host")
	case u.Scheme == "":
		return u.Host, nil // //host/path, in the page's own scheme
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("want http or https")
	}
	return u.Scheme + "://" + u.Host, nil
}

// policyOf makes the Content-Security-Policy: our own files, the API and
// nothing else; no script or markup made of text.
func policyOf(origin string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		strings.TrimSpace("connect-src 'self' " + origin),
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
}

// render writes the page with its settings, for a view.
func render(page *template.Template, o Options, view, about string, modules []string) []byte {
	var b bytes.Buffer
	if about == "" {
		about = views[0].about
	}
	err := page.Execute(&b, map[string]any{
		"Title": o.Title, "Source": o.Source, "Generated": o.Generated, "Shapes": shapesAddress(o.Shapes), "API": o.API, "Refresh": seconds(o.Refresh),
		"View": view, "About": about + ", from " + o.Source + ".", "Modules": modules,
	})
	if err != nil {
		panic(err) // texts and numbers only
	}
	return b.Bytes()
}

// seconds rounds up, so that a short time does not become never.
func seconds(d time.Duration) int { return max(0, int((d+time.Second-1)/time.Second)) }

func newFile(name string, body []byte) file {
	if path.Ext(name) == ".js" {
		body = withoutComments(body)
	}
	// What a system has in its table of types varies; a script of the wrong
	// type does not run.
	f := file{body: body, packed: sync.OnceValue(func() []byte { return pack(body) }), contentType: map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",
		".json": "application/geo+json",
	}[path.Ext(name)]}
	sum := sha256.Sum256(body)
	f.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return f
}

// shapesPath is where the page finds the boundaries, when it has any.
const shapesPath = "assets/shapes.json"

func shapesAddress(shapes []byte) string {
	if shapes == nil {
		return ""
	}
	return shapesPath
}

func (d *dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", d.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	f, ok := d.files[strings.TrimPrefix(r.URL.Path, "/")]
	if r.URL.Path == "" || r.URL.Path == "/" {
		f, ok = d.page(r.URL.Query()), true
	}
	switch {
	case !ok:
		h.Set("Cache-Control", "no-store")
		http.Error(w, "there is no such page", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		h.Set("Cache-Control", "no-store")
		http.Error(w, "this path answers GET and HEAD", http.StatusMethodNotAllowed)
	case r.URL.Path == "" && lacksSlash(r):
		redirect(w, r)
	default:
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", "no-cache")
		h.Add("Vary", "Accept-Encoding")
		body, etag := f.body, f.etag
		if takesGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body, etag = f.packed(), strings.TrimSuffix(f.etag, `"`)+`-gzip"`
		}
		h.Set("Etag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// page is the page for what its address asks for. Addresses from before there
// were views name a plant, or words to search for.
func (d *dashboard) page(query url.Values) file {
	view := query.Get("view")
	switch {
	case view != "":
	case query.Get("plant") != "":
		view = "plant"
	case query.Get("q") != "":
		view = "plants"
	default:
		view = views[0].id
	}
	if f, ok := d.pages[view]; ok {
		return f
	}
	return d.pages[""]
}

// lacksSlash reports that the page was asked for by the prefix it is mounted
// under, without the slash that makes a folder of it.
func lacksSlash(r *http.Request) bool {
	asked, _, _ := strings.Cut(r.RequestURI, "?")
	return asked != "" && !strings.HasSuffix(asked, "/")
}

// redirect adds the slash. The address is relative, because the prefix may
// have been longer still in front of a proxy.
func redirect(w http.ResponseWriter, r *http.Request) {
	asked, query, found := strings.Cut(r.RequestURI, "?")
	to := "./" + path.Base(asked) + "/"
	if found {
		to += "?" + query
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusTemporaryRedirect)
}
