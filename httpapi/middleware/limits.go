package middleware

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// LimitURL refuses URLs of more than some bytes, by 414, and those with more than
// some query parameters, by 400.
func LimitURL(next http.Handler, bytes, parameters int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p *wire.Problem
		switch {
		case len(wire.RequestURI(r)) > bytes:
			p = wire.NewProblem(r, http.StatusRequestURITooLong, fmt.Sprintf("a URL has at most %d bytes", bytes))
		case strings.Count(r.URL.RawQuery, "&") >= parameters:
			p = wire.Faulty(r, wire.Fault{Location: "query", Message: fmt.Sprintf("at most %d parameters are read", parameters)})
		default:
			next.ServeHTTP(w, r)
			return
		}
		p.Instance = "" // it would send everything back
		p.Write(w)
	})
}

// LimitBody refuses request bodies of more than n bytes: with 413 when the
// request says so in advance, else by an error where the body is read.
func LimitBody(next http.Handler, n int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > n {
			w.Header().Set("Connection", "close")
			wire.NewProblem(r, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request body has at most %d bytes", n)).Write(w)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, n)
		}
		next.ServeHTTP(w, r)
	})
}
