package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// marshal writes JSON without HTML's escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		panic(err) // plain structs only
	}
	b = append(b, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
}

// gzips are writers to use again: a new one takes most of a megabyte, and to
// make it as long as to compress an answer.
var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func newGzip(w io.Writer) *gzip.Writer {
	z, _ := gzips.Get().(*gzip.Writer)
	z.Reset(w)
	return z
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	z := newGzip(&out)
	defer gzips.Put(z)
	_, _ = z.Write(b) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
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
