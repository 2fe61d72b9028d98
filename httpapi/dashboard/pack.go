package dashboard

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// withoutComments empties the lines of a module that are nothing but a comment,
// and keeps the lines: a place in an error is a place in the source. Our modules
// have no such lines inside a text; a test holds them to it.
func withoutComments(module []byte) []byte {
	lines := bytes.Split(module, []byte("\n"))
	inside := false
	for i, line := range lines {
		text := bytes.TrimSpace(line)
		begins := !inside && bytes.HasPrefix(text, []byte("/**"))
		switch {
		case inside || begins:
			inside = !bytes.Contains(text, []byte("*/"))
			if !inside && !bytes.HasSuffix(text, []byte("*/")) {
				continue // code stands behind the comment
			}
		case !bytes.HasPrefix(text, []byte("//")):
			continue
		}
		lines[i] = nil
	}
	return bytes.Join(lines, []byte("\n"))
}

// pack compresses what a file has.
func pack(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is one of gzip's own
	}
	if _, err := w.Write(body); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// takesGzip reports whether a browser takes a compressed answer. Parts of one are
// not offered.
func takesGzip(r *http.Request) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for _, accepted := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(accepted, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		_, value, found := strings.Cut(weight, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return !found || err == nil && q > 0
	}
	return false
}
