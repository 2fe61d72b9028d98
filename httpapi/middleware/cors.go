package middleware

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// preflightSeconds is how long a browser remembers what it may ask.
const preflightSeconds = 600

// exposedHeaders are those of our answers that pages may read, besides what
// browsers show them anyway.
var exposedHeaders = []string{"ETag", "X-Row-Count", "X-Request-Id", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Content-Disposition"}

// AllowOrigins lets pages of other origins call an API from a browser (CORS):
// by GET, HEAD and POST, with the headers Authorization, Content-Type,
// If-None-Match, X-API-Key, traceparent and tracestate, and without cookies. Each entry is an exact origin, as
// https://grid.example:8443, or * for any; one that [CheckOrigin] refuses
// allows nothing. It sets its headers before next answers, so that errors are
// readable too. Without an entry it returns next as it is. Of a proxy and the
// API behind it only one may apply it: browsers refuse an answer with both.
func AllowOrigins(next http.Handler, origins []string) http.Handler {
	var allowed []string
	for _, origin := range origins {
		if CheckOrigin(origin) == nil {
			allowed = append(allowed, origin)
		}
	}
	if len(allowed) == 0 { // which the library would take for all
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: allowed,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders: []string{"Authorization", "Content-Type", "If-None-Match", APIKeyHeader, trace.HeaderParent, trace.HeaderState},
		ExposedHeaders: exposedHeaders,
		MaxAge:         preflightSeconds,
	}).Handler(next)
}

// CheckOrigin checks an entry of AllowOrigins, for programs that
// take it from their users: *, or scheme, host and maybe port, as a browser
// sends them. The error wraps [egrid.ErrInvalid].
func CheckOrigin(origin string) error {
	if origin == "*" || sentByBrowsers(origin) {
		return nil
	}
	return fmt.Errorf("%w: origin %q is not * or http(s)://host[:port], in small letters, without the usual port, a path or a slash at the end", egrid.ErrInvalid, origin)
}

func sentByBrowsers(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" || origin != strings.ToLower(u.Scheme+"://"+u.Host) || strings.ContainsAny(u.Host, "*,;") {
		return false
	}
	return u.Scheme == "http" && u.Port() != "80" || u.Scheme == "https" && u.Port() != "443"
}
