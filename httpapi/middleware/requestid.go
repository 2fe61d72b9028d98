package middleware

import (
	"context"
	"math/rand/v2"
	"net/http"
)

type requestIDKey struct{}

// RequestID returns the id of the request that a context belongs to; empty
// outside of [RequestIDs].
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// RequestIDs gives every request an id: that of its header X-Request-ID when
// it is sane (letters, digits, and - _ . up to 64 of them), else a random one.
// The answer has it in the same header. A request that has an id already keeps
// it, so the middleware may be applied twice.
func RequestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if RequestID(r.Context()) != "" {
			next.ServeHTTP(w, r)
			return
		}
		id := r.Header.Get("X-Request-Id")
		if !saneID(id) {
			id = randomID()
		}
		w.Header()["X-Request-Id"] = []string{id}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// randomID returns 130 random bits. They need not be hard to guess.
func randomID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	for i := 0; i < len(id); {
		for x, n := rand.Uint64(), 0; n < 12 && i < len(id); n++ { //nolint:gosec // G404: see above
			id[i] = letters[x&31]
			x >>= 5
			i++
		}
	}
	return string(id[:])
}

func saneID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
