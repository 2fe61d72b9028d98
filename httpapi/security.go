package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// The names of the credentials in the OpenAPI document.
const (
	bearerScheme = "bearer"
	apiKeyScheme = "api_key"
)

// securityComponents begins the document's components with the credentials that
// the API takes.
func (a *api) securityComponents() *huma.Components {
	c := &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}
	if a.o.Authenticate != nil {
		c.SecuritySchemes = a.securitySchemes()
	}
	return c
}

// securitySchemes are the one that Options.Challenge names or, by default, those of
// package auth.
func (a *api) securitySchemes() map[string]*huma.SecurityScheme {
	if scheme, _, _ := strings.Cut(strings.ToLower(a.o.Challenge), " "); scheme != "" {
		return map[string]*huma.SecurityScheme{scheme: {Type: "http", Scheme: scheme}}
	}
	return map[string]*huma.SecurityScheme{
		bearerScheme: {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "A token, or an API key, in the header Authorization."},
		apiKeyScheme: {Type: "apiKey", In: "header", Name: middleware.APIKeyHeader, Description: "An API key."},
	}
}

// secure notes who may use an operation, here and in the document: those with
// its scope or, where it has none, everybody unless reading is closed.
func (a *api) secure(op *operation, documented *huma.Operation) {
	scope, open := op.scope, op.scope == "" && !a.o.RequireAuth
	op.private = !open
	if scope == "" {
		scope = middleware.ScopeRead
	}
	if a.o.RateLimit != nil {
		documented.Errors = append(documented.Errors, http.StatusTooManyRequests)
	}
	if a.o.Authenticate == nil {
		if !open {
			documented.Errors = append(documented.Errors, http.StatusForbidden)
		}
		return
	}
	documented.Errors = append(documented.Errors, http.StatusUnauthorized)
	for _, scheme := range slices.Backward(slices.Sorted(maps.Keys(a.securitySchemes()))) { // bearer before api_key
		documented.Security = append(documented.Security, map[string][]string{scheme: {string(scope)}})
	}
	if open {
		documented.Security = append(documented.Security, map[string][]string{}) // or none at all
		return
	}
	documented.Errors = append(documented.Errors, http.StatusForbidden)
}
