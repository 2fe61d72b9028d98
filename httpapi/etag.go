package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// etag makes the validator of a request before it is answered: of the data, by
// whom they are told, what was asked, and in which representation. It is empty for
// an answer that nobody keeps.
func (a *api) etag(op *operation, in *request) string {
	if op.unkept {
		return ""
	}
	data := in.data.identity()
	if in.pinned != "" {
		data = in.pinned // whatever else is published
	}
	return contentTag(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%t", a.o.Version, data, wire.RequestURI(in.http), in.format.name, in.gzip))
}

// contentTag makes the validator of what is made of bytes.
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
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
