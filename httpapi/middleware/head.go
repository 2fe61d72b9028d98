package middleware

import (
	"context"
	"net/http"
)

type headKey struct{}

// IsHead reports that [Head] answers the request, so that nobody reads the body.
func IsHead(r *http.Request) bool { return r.Context().Value(headKey{}) != nil }

// Head answers HEAD like GET, without the body.
func Head(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		get := r.WithContext(context.WithValue(r.Context(), headKey{}, true))
		get.Method = http.MethodGet
		next.ServeHTTP(bodiless{w}, get)
	})
}

type bodiless struct{ http.ResponseWriter }

func (bodiless) Write(b []byte) (int, error) { return len(b), nil }

func (b bodiless) Unwrap() http.ResponseWriter { return b.ResponseWriter }
