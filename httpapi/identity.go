package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// Scope is what a caller may do. Each one includes those before it: read,
// write, admin.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // ask for data, where that is not open to everybody
	ScopeWrite Scope = "write" // load and publish
	ScopeAdmin Scope = "admin" // anything
)

// Scopes lists the scopes, from the least to the most.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeAdmin} }

// includes reports whether who has s may do what needs another scope.
func (s Scope) includes(needed Scope) bool {
	scopes := Scopes()
	have, need := slices.Index(scopes, s), slices.Index(scopes, needed)
	return need >= 0 && have >= need
}

// Identity is who makes a request. The zero value is nobody in particular.
type Identity struct {
	// Subject names the caller, in logs and for rate limits. It is unique among
	// all callers and empty for a request without credentials.
	Subject string
	Scopes  []Scope
}

// May reports whether the caller has a scope, or one that includes it.
func (i Identity) May(needed Scope) bool {
	return slices.ContainsFunc(i.Scopes, func(s Scope) bool { return s.includes(needed) })
}

// Authenticator tells who makes a request: the zero Identity when it has no
// credentials, and a [CredentialError] when it has some that are not accepted.
// Any other error means that it cannot be told now: it is logged and answered by
// 503. It must not read the body. Package auth has one for tokens and API keys.
type Authenticator func(*http.Request) (Identity, error)

// CredentialError says that credentials are not accepted.
type CredentialError struct {
	// Reason is told to the client: printable ASCII, and nothing of what the
	// client sent.
	Reason string
	Cause  error // for the log; may be nil
}

// Error returns the reason and the cause.
func (e *CredentialError) Error() string {
	if e.Cause == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *CredentialError) Unwrap() error { return e.Cause }

type callerKey struct{}

// caller is what an authenticator told.
type caller struct {
	Identity
	err error
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// IdentityOf returns who makes the request that a context belongs to; the zero
// Identity outside of a handler that authenticates.
func IdentityOf(ctx context.Context) Identity {
	if c := callerOf(ctx); c.err == nil {
		return c.Identity
	}
	return Identity{}
}

// identify finds out who makes a request, and leaves it to others to answer
// those who may not: they are counted first.
func identify(next http.Handler, by Authenticator) http.Handler {
	if by == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c caller
		if c.Identity, c.err = by(r); c.err == nil {
			noteSubject(r, c.Subject)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// admit answers those whose credentials are not accepted, whatever they ask
// for, and where reading is not open to everybody those who may not read.
func (a *api) admit(next http.Handler) http.Handler {
	if a.o.Authenticate == nil && !a.o.RequireAuth {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := callerOf(r.Context()).err; err != nil {
			refuseCredentials(w, r, err, a.o.Logger)
			return
		}
		if a.o.RequireAuth && !isOpen(r.URL.Path) && !a.allow(ScopeRead, w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOpen reports whether a path is for everybody even where reading is not:
// probes, and what the API is.
func isOpen(path string) bool {
	return isProbe(path) || path == "/openapi.json" || path == "/openapi.yaml" || path == "/api" || strings.HasPrefix(path, "/api/")
}

// allow reports whether the caller has a scope, and answers when not.
func (a *api) allow(needed Scope, w http.ResponseWriter, r *http.Request) bool {
	identity := IdentityOf(r.Context())
	switch {
	case identity.May(needed):
		return true
	case a.o.Authenticate == nil:
		writeProblem(w, problem(r, http.StatusForbidden, "this service knows no credentials, and so nobody may do this"))
	case identity.Subject == "":
		challenge(w, "", "", needed)
		writeProblem(w, problem(r, http.StatusUnauthorized, "a token or an API key with scope "+string(needed)+" is needed"))
	default:
		challenge(w, "insufficient_scope", "", needed)
		writeProblem(w, problem(r, http.StatusForbidden, "scope "+string(needed)+" is needed, which these credentials do not have"))
	}
	return false
}

func refuseCredentials(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	var refused *CredentialError
	if !errors.As(err, &refused) {
		log.WarnContext(r.Context(), "cannot tell who asks", "request_id", RequestID(r.Context()), "error", err)
		w.Header().Set("Retry-After", "10")
		writeProblem(w, problem(r, http.StatusServiceUnavailable, "credentials cannot be checked at the moment; try again"))
		return
	}
	log.DebugContext(r.Context(), "credentials refused", "request_id", RequestID(r.Context()), "error", err)
	challenge(w, "invalid_token", refused.Reason, "")
	writeProblem(w, problem(r, http.StatusUnauthorized, refused.Reason))
}

// challenge says what is missing, as RFC 6750 has it.
func challenge(w http.ResponseWriter, code, reason string, scope Scope) {
	text := `Bearer realm="egrid"`
	for _, part := range [][2]string{{"error", code}, {"error_description", reason}, {"scope", string(scope)}} {
		if part[1] != "" {
			text += ", " + part[0] + `="` + quotable(part[1]) + `"`
		}
	}
	w.Header().Set("WWW-Authenticate", text)
}

// quotable leaves out what may not stand in an error description of RFC 6750.
func quotable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, text)
}
