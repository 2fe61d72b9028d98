package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// defaultLeeway is how far clocks may differ.
const defaultLeeway = 30 * time.Second

func newParser(o *Options) *jwt.Parser {
	var methods []string
	if len(o.Secret) > 0 {
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if o.KeySet != "" {
		methods = append(methods, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg())
	}
	leeway := o.Leeway
	switch {
	case leeway == 0:
		leeway = defaultLeeway
	case leeway < 0:
		leeway = 0
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding())
}

// claims is what a token says.
type claims struct {
	jwt.RegisteredClaims
	Scope names `json:"scope"`
	SCP   names `json:"scp"`
}

// names is a list, or a text with spaces between.
type names []string

func (n *names) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*n = strings.Fields(text)
		return nil
	}
	return json.Unmarshal(b, (*[]string)(n))
}

// checkToken verifies a token and reads who it is for.
func (a *Authenticator) checkToken(ctx context.Context, text string) (middleware.Identity, error) {
	c := &claims{}
	_, err := a.parser.ParseWithClaims(text, c, func(t *jwt.Token) (any, error) { return a.keyOf(ctx, t) })
	if errors.Is(err, errNoKeys) {
		return middleware.Identity{}, err
	}
	if err != nil {
		return middleware.Identity{}, refused(reasonOf(err), err)
	}
	return middleware.Identity{Subject: "token:" + c.Subject, Scopes: knownScopes(append(c.Scope, c.SCP...))}, nil
}

// keyOf finds the key of a token. The parser has checked that its algorithm is
// one of ours.
func (a *Authenticator) keyOf(ctx context.Context, t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errCritical
	}
	if t.Method.Alg() == jwt.SigningMethodHS256.Alg() {
		return a.secret, nil
	}
	kid, _ := t.Header["kid"].(string)
	return a.keys.find(ctx, kid, t.Method.Alg())
}

var (
	errUnknownKey = errors.New("no such key")
	errCritical   = errors.New("extensions are not known")
)

// reasons is what a client is told of a token: nothing that the token says.
var reasons = []struct {
	err    error
	reason string
}{
	{errUnknownKey, "the token is signed with an unknown key"},
	{errCritical, "the token needs extensions that are not known here"},
	{jwt.ErrTokenMalformed, "the token is malformed"},
	{jwt.ErrTokenUnverifiable, "the token is signed with an algorithm that is not accepted"},
	{jwt.ErrTokenSignatureInvalid, "the signature of the token is not valid"},
	{jwt.ErrTokenExpired, "the token has expired"},
	{jwt.ErrTokenNotValidYet, "the token is not valid yet"},
	{jwt.ErrTokenInvalidAudience, "the token is for another audience"},
	{jwt.ErrTokenInvalidIssuer, "the token is from another issuer"},
	{jwt.ErrTokenRequiredClaimMissing, "the token lacks its issuer, audience or expiry"},
}

func reasonOf(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return "the token is not valid"
}

// knownScopes leaves out what means nothing here.
func knownScopes(given []string) []middleware.Scope {
	var scopes []middleware.Scope
	for _, s := range middleware.Scopes() {
		if slices.Contains(given, string(s)) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}
