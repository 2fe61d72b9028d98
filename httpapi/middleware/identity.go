package middleware

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/trace"
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

// APIKeyHeader is the header that carries an API key.
const APIKeyHeader = "X-API-Key" //nolint:gosec // G101: the name of a header

// howToSend tells those who are refused what to do.
const howToSend = "; send it as Authorization: Bearer TOKEN or as " + APIKeyHeader + ": KEY. The operator of this service issues them"

type callerKey struct{}

// caller is what an authenticator told.
type caller struct {
	Identity
	err error
}

// callerOf is not ok where nobody authenticates.
func callerOf(ctx context.Context) (c caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(caller)
	return c, ok
}

// IdentityOf returns who makes the request that a context belongs to; the zero
// Identity outside of [Identify].
func IdentityOf(ctx context.Context) Identity {
	if c, _ := callerOf(ctx); c.err == nil {
		return c.Identity
	}
	return Identity{}
}

// Identify finds out who makes a request, and leaves it to [Admit] and [Allow] to
// answer those who may not: so that they can be counted in between. A nil
// authenticator returns next as it is.
func Identify(next http.Handler, by Authenticator) http.Handler {
	if by == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c caller
		if c.Identity, c.err = by(r); c.err == nil {
			setSubject(r, c.Subject)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// Admit answers those whose credentials are not accepted, by 401, whatever they
// ask for. Where reading is closed it answers those, too, who have not
// [ScopeRead], except at the paths that are open. The log, which may be nil, is
// told why credentials were refused.
func Admit(next http.Handler, closed bool, open func(path string) bool, log *slog.Logger) http.Handler {
	log = trace.Logger(log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, _ := callerOf(r.Context()); c.err != nil {
			refuseCredentials(w, r, c.err, log)
			return
		}
		if closed && !open(r.URL.Path) && !Allow(w, r, ScopeRead) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Allow reports whether the caller has a scope, and answers when not: by 401
// without credentials, else by 403.
func Allow(w http.ResponseWriter, r *http.Request, needed Scope) bool {
	c, authenticated := callerOf(r.Context())
	switch identity := IdentityOf(r.Context()); {
	case identity.May(needed):
		return true
	case !authenticated:
		wire.NewProblem(r, http.StatusForbidden, "this service was started without authentication, so nobody may do this; its operator sets API keys or an issuer of tokens").Write(w)
	case c.Subject == "":
		challenge(w, "", "", needed)
		wire.NewProblem(r, http.StatusUnauthorized, "a token or an API key with scope "+string(needed)+" is needed"+howToSend).Write(w)
	default:
		challenge(w, "insufficient_scope", "", needed)
		wire.NewProblem(r, http.StatusForbidden, "scope "+string(needed)+" is needed, which these credentials do not have; the operator of this service issues keys by scope").Write(w)
	}
	return false
}

func refuseCredentials(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	var refused *CredentialError
	if !errors.As(err, &refused) {
		log.WarnContext(r.Context(), "cannot tell who asks", "request_id", RequestID(r.Context()), "error", err)
		w.Header().Set("Retry-After", "10")
		wire.NewProblem(r, http.StatusServiceUnavailable, "credentials cannot be checked at the moment; try again").Write(w)
		return
	}
	log.DebugContext(r.Context(), "credentials refused", "request_id", RequestID(r.Context()), "error", err)
	challenge(w, "invalid_token", refused.Reason, "")
	wire.NewProblem(r, http.StatusUnauthorized, refused.Reason+howToSend).Write(w)
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
