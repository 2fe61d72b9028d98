package httpapi

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// responses keeps encoded answers, each with the data that it is true of.
// It holds two generations: an answer that is asked for again moves from the
// older to the younger one, and when the younger is full, the older is dropped
// and makes room. That keeps what is in use within a bound in bytes, at the
// cost of a map look-up.
type responses struct {
	max int // bytes of one generation

	mu       sync.Mutex
	young    map[responseKey]*response
	old      map[responseKey]*response
	youngest int // bytes of the younger generation
}

// responseKey tells apart what may be answered differently.
type responseKey struct {
	uri, accept string
	gzip        bool
}

func keyOf(r *http.Request) responseKey {
	return responseKey{wire.RequestURI(r), r.Header.Get("Accept"), acceptsGzip(r)}
}

// response is an answer ready to be written.
type response struct {
	data   string // their identity
	route  string
	etag   string
	header http.Header // shared; written, never changed
	body   []byte
}

func newResponses(maxBytes int) *responses {
	return &responses{max: maxBytes / 2, young: map[responseKey]*response{}}
}

func (rs *responses) get(key responseKey) *response {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.young[key]; r != nil {
		return r
	}
	r := rs.old[key]
	if r != nil {
		delete(rs.old, key)
		rs.add(key, r)
	}
	return r
}

func (rs *responses) put(key responseKey, r *response) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.old, key)
	rs.add(key, r)
}

func (rs *responses) add(key responseKey, r *response) {
	size := r.size(key)
	if size > rs.max {
		return
	}
	if before := rs.young[key]; before != nil {
		rs.youngest -= before.size(key)
		delete(rs.young, key)
	}
	if rs.youngest+size > rs.max {
		rs.old, rs.young, rs.youngest = rs.young, map[responseKey]*response{}, 0
	}
	rs.young[key] = r
	rs.youngest += size
}

// size counts the bytes of an answer, with room for its headers.
func (r *response) size(key responseKey) int { return len(key.uri) + len(r.body) + 512 }

// write answers with the kept bytes, or with 304 when the client has them.
func (r *response) write(w http.ResponseWriter, in *http.Request) {
	h := w.Header()
	vary := h["Vary"] // of middleware
	for name, values := range r.header {
		h[name] = values
	}
	if vary != nil {
		h["Vary"] = slices.Concat(vary, r.header["Vary"])
	}
	if matches(in, r.etag) {
		notModified(w)
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(r.body) // the client may be gone
}

// serveCached answers from the kept responses where the data have not changed
// since, and goes on to the router where they have.
func (a *api) serveCached(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if kept := a.responses.get(keyOf(r)); kept != nil {
			d, err := read(r.Context(), a.db)
			if err != nil {
				middleware.SetRoute(r, kept.route)
				a.fail(w, r, err)
				return
			}
			if d.identity() == kept.data {
				middleware.SetRoute(r, kept.route)
				middleware.SetCached(r)
				kept.write(w, r)
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), dataKey{}, d))
		}
	}
	a.router.ServeHTTP(w, r)
}
