package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// The formats of an answer.
const (
	formatJSON    = "json"
	formatCSV     = "csv"
	formatNDJSON  = "ndjson"
	formatGeoJSON = "geojson" // see geojson.go
	formatPage    = "page"    // see page.go
	formatEvents  = "events"  // see runs.go
)

// format is how an answer is represented.
type format struct {
	name        string
	contentType string
	gzip        bool
}

var contentTypes = map[string]string{
	formatJSON:    "application/json",
	formatCSV:     "text/csv; charset=utf-8; header=present",
	formatNDJSON:  "application/x-ndjson",
	formatGeoJSON: "application/geo+json",
	formatPage:    "application/vnd.egrid.page+json",
	formatEvents:  "text/event-stream",
}

// negotiate chooses the representation: by format=, else by Accept.
func (in *request) negotiate(op *operation) []*huma.ErrorDetail {
	in.format = format{name: formatJSON, contentType: contentTypes[formatJSON], gzip: acceptsGzip(in.http)}
	name := in.text("format")
	if op.stream != nil {
		name = formatEvents // whatever else the client likes
	}
	if name == "" {
		var ok bool
		name, ok = in.acceptedFormat(op, in.http.Header.Get("Accept"))
		in.unacceptable = !ok
	}
	if name != "" {
		in.format.name, in.format.contentType = name, contentTypes[name]
	}
	if faults := slices.Concat(in.checkCodes(), in.checkPlaces()); len(faults) > 0 {
		return faults
	}
	if in.exact() && in.text(snapshotName) != "" {
		return []*huma.ErrorDetail{fault("query."+snapshotName, in.text(snapshotName), "a page belongs to a revision, and has no permanent address")}
	}
	document := in.format.name == formatJSON || in.exact()
	if !document && len(in.values[facetName]) > 0 {
		return []*huma.ErrorDetail{fault("query."+facetName, strings.Join(in.values[facetName], ","), "facets come with JSON alone")}
	}
	if document && in.number("limit") > maxJSONLimit {
		return []*huma.ErrorDetail{fault("query.limit", in.number("limit"), fmt.Sprintf("expected 1 to %d for JSON; follow links.next, or ask for an export, which has no limit", maxJSONLimit))}
	}
	return nil
}

// formats are the representations of an answer.
func (in *request) formats(op *operation) []string {
	formats := []string{formatJSON}
	if op.rowsAnswer() {
		formats = append(formats, formatCSV, formatNDJSON)
	}
	if op.places && in.hasPlaces() {
		formats = append(formats, formatGeoJSON)
	}
	if op.rowsAnswer() || op.row {
		formats = append(formats, formatPage)
	}
	return formats
}

// acceptedFormat picks the representation that the client likes best, the
// first among equals; JSON when it likes none that we know. It is not ok when
// all that the client likes are representations of other answers than this one.
func (in *request) acceptedFormat(op *operation, accept string) (best string, ok bool) {
	formats, elsewhere, bestQuality := in.formats(op), false, 0.0
	best = formatJSON
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality = q
		}
		name := ""
		switch mediaType {
		case "*/*":
			name = formats[0]
		case "application/json", "application/*":
			name = formatJSON
		case "text/csv":
			name = formatCSV
		case "application/x-ndjson", "application/ndjson", "application/jsonl":
			name = formatNDJSON
		case contentTypes[formatGeoJSON]:
			name = formatGeoJSON
		case contentTypes[formatPage]:
			name = formatPage
		}
		if name != "" && !slices.Contains(formats, name) {
			elsewhere = true
			continue
		}
		if name != "" && quality > bestQuality {
			best, bestQuality = name, quality
		}
	}
	return best, bestQuality > 0 || !elsewhere
}

// notAcceptable tells a client that likes another representation which there
// are.
func (in *request) notAcceptable(op *operation) *huma.ErrorModel {
	return problem(in.http, http.StatusNotAcceptable, "this answer does not come as what the header Accept names, but as "+strings.Join(in.formats(op), ", "))
}

func acceptsGzip(r *http.Request) bool {
	accept := r.Header.Get("Accept-Encoding")
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding != "gzip" {
			continue
		}
		text, given := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(text, 64)
		return !given || err == nil && q > 0
	}
	return false
}

// requestURI is what the client asked for, the prefix of a mount included.
func requestURI(r *http.Request) string {
	if r.RequestURI != "" && r.RequestURI[0] == '/' {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// requestPath is the same without the query.
func requestPath(r *http.Request) string {
	path, _, _ := strings.Cut(requestURI(r), "?")
	return path
}

func withCursor(r *http.Request, cursor string) string {
	return withQuery(r, map[string]string{"cursor": cursor})
}

// etag makes the validator of a request before it is answered: of what is
// published, by whom it is told, what was asked, and in which representation.
// It is empty for an answer that nobody keeps.
func (a *api) etag(op *operation, in *request) (string, int64, error) {
	if op.unkept {
		return "", 0, nil
	}
	c, err := a.q.Catalog(in.http.Context())
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	revision := c.Revision
	if in.snapshot != "" {
		revision = 0 // the answer does not depend on it
	}
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%t\n", a.o.Version, revision, requestURI(in.http), in.format.name, in.format.gzip)
	fmt.Fprintln(h, in.snapshot)
	// The revision alone would take another store for this one.
	for _, s := range c.Snapshots {
		if in.snapshot == "" && (s.Status == egrid.Published || op.volatile) {
			fmt.Fprintln(h, s.ID, s.Revision, s.Status)
		}
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`, c.Revision, nil
}

// matches reports whether the client has this very answer.
func matches(r *http.Request, etag string) bool {
	if etag == "" {
		return false
	}
	for _, line := range r.Header["If-None-Match"] {
		for candidate := range strings.SplitSeq(line, ",") {
			if candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/"); candidate == etag || candidate == "*" {
				return true
			}
		}
	}
	return false
}

func notModified(w http.ResponseWriter) {
	h := w.Header()
	h.Del("Content-Type")
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	w.WriteHeader(http.StatusNotModified)
}

// contentTag makes the validator of bytes that do not depend on the data.
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}
