package middleware

import (
	"cmp"
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
	// Hint ends the answer to those who are refused for what they sent or did not
	// send: where credentials are from and how to send them, as "sign in at /login". It
	// counts beside an error, too. Default none.
	Hint string
}

// May reports whether the caller has a scope, or one that includes it.
func (i Identity) May(needed Scope) bool {
	return slices.ContainsFunc(i.Scopes, func(s Scope) bool { return s.includes(needed) })
}

// Authenticator tells who makes a request: the zero Identity when it has no
// credentials, but for a Hint, and a [CredentialError] when it has some that are not accepted.
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

type callerKey struct{}

// caller is what an authenticator told.
type caller struct {
	Identity
	err       error
	challenge string // empty for Bearer
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
// answer those who may not: so that they can be counted in between. The challenge is
// the WWW-Authenticate of a 401, as `Basic realm="grid"`; when empty it is Bearer with
// what RFC 6750 adds, for package auth and other authenticators of tokens. A nil
// authenticator returns next as it is.
func Identify(next http.Handler, by Authenticator, challenge string) http.Handler {
	if by == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := caller{challenge: challenge}
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
			c.refuse(w, r, log)
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
		c.unauthorized(w, r, "credentials with scope "+string(needed)+" are needed", "", "", needed)
	default:
		if c.challenge == "" {
			w.Header().Set("WWW-Authenticate", bearer("insufficient_scope", "", needed))
		}
		wire.NewProblem(r, http.StatusForbidden, "scope "+string(needed)+" is needed, which these credentials do not have; the operator of this service grants scopes").Write(w)
	}
	return false
}

// refuse answers one whose credentials are not accepted.
func (c *caller) refuse(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	var refused *CredentialError
	if !errors.As(c.err, &refused) {
		log.WarnContext(r.Context(), "cannot tell who asks", "request_id", RequestID(r.Context()), "error", c.err)
		w.Header().Set("Retry-After", "10")
		wire.NewProblem(r, http.StatusServiceUnavailable, "credentials cannot be checked at the moment; try again").Write(w)
		return
	}
	log.DebugContext(r.Context(), "credentials refused", "request_id", RequestID(r.Context()), "error", c.err)
	c.unauthorized(w, r, refused.Reason, "invalid_token", refused.Reason, "")
}

// unauthorized answers by 401, with the caller's challenge or, by default, that of RFC 6750.
func (c *caller) unauthorized(w http.ResponseWriter, r *http.Request, detail, code, reason string, scope Scope) {
	if c.Hint != "" {
		detail += "; " + c.Hint
	}
	w.Header().Set("WWW-Authenticate", cmp.Or(c.challenge, bearer(code, reason, scope)))
	wire.NewProblem(r, http.StatusUnauthorized, detail).Write(w)
}

// bearer says what is missing, as RFC 6750 has it.
func bearer(code, reason string, scope Scope) string {
	text := `Bearer realm="egrid"`
	for _, part := range [][2]string{{"error", code}, {"error_description", reason}, {"scope", string(scope)}} {
		if part[1] != "" {
			text += ", " + part[0] + `="` + quotable(part[1]) + `"`
		}
	}
	return text
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
