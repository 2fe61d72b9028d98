package middleware_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// A handler of one's own, behind what every service needs.
func Example() {
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", middleware.RequestID(r.Context()))
	})
	h = middleware.LimitURL(h, 100, 3)
	h = middleware.RateLimit(h, &middleware.RateLimitOptions{Requests: 2})
	h = middleware.SecurityHeaders(h)
	h = middleware.Recover(h, nil)
	h = middleware.RequestIDs(h)
	for range 3 {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Request-ID", "a1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("RateLimit-Remaining"), w.Header().Get("Content-Type"))
	}
	// Output:
	// 200 1 text/plain; charset=utf-8
	// 200 0 text/plain; charset=utf-8
	// 429 0 application/problem+json
}
