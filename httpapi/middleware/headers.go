package middleware

import "net/http"

// SecurityHeaders sets what an API without pages of its own needs: no sniffing
// of content types, no frames, no scripts, and no address told to where links
// lead.
func SecurityHeaders(next http.Handler) http.Handler {
	nosniff, csp, referrer := []string{"nosniff"}, []string{"default-src 'none'; frame-ancestors 'none'"}, []string{"no-referrer"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = nosniff
		h["Content-Security-Policy"] = csp
		h["Referrer-Policy"] = referrer
		next.ServeHTTP(w, r)
	})
}
