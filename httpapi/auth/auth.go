// Package auth tells who makes a request to the API: by signed tokens (JWT) and
// by API keys.
//
//	who, err := auth.New(&auth.Options{KeySet: "https://id.example/jwks.json", Issuer: "https://id.example/", Audience: "egrid"})
//	api := httpapi.New(db, &httpapi.Options{Authenticate: who.Authenticate})
//
// Start with [New] and [Options], and give [Authenticator.Authenticate] to the API;
// [ReadAPIKeys] reads a file of API keys.
//
// # Guarantees
//
// A token has to be signed by a known key with the algorithm of that key's type:
// HS256 with the secret, RS256, ES256 or EdDSA with a key of the key set.
// Nothing in a token chooses the algorithm or where its key is from. Issuer,
// audience and expiry are required. Scopes are those of the claims scope and scp;
// names that the API does not know mean nothing.
//
// A key set is read again when a token names a key that is not in it, at most
// once in a while, and now and then besides. While it cannot be read, the keys
// that were read before go on to count. An Authenticator is safe for concurrent
// use; only a refresh, of seconds at most, may outlive the request that began it.
//
// No secret, token or key is ever logged or part of an error.
//
// # Errors
//
// What cannot be used is an egrid.ErrInvalid of New. Credentials that are not
// accepted are an middleware.CredentialError; any other error means that the keys
// could not be read.
//
// # See also
//
// Package middleware has the scopes, and package httpapi asks for them.
package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// Options says what is accepted: tokens where there is a secret or a key set,
// and API keys where there are some. The zero value of every other field means
// its default.
type Options struct {
	// Secret signs tokens by HS256: at least 32 bytes.
	Secret []byte
	// KeySet is where the public keys are that tokens are signed for (JWKS): a
	// file, or an https URL. Plain http is for a server on the same machine.
	KeySet string
	// Issuer and Audience are those that a token must name; needed for tokens.
	Issuer, Audience string
	// Leeway is how far the clocks of issuer and service may differ. Default 30
	// seconds, negative is none.
	Leeway time.Duration
	// KeySetPause is the least time between two reads of the key set for keys
	// that are not in it. Default 10 seconds.
	KeySetPause time.Duration
	// KeySetAge is after how long the key set is read again, so that keys that
	// were taken out of it end to count. Default 15 minutes.
	KeySetAge time.Duration
	// Client reads a key set from its URL. Default one that waits 5 seconds and
	// follows no redirects.
	Client *http.Client
	// APIKeys are the keys that scripts may use.
	APIKeys []APIKey
	// Logger is told of key sets that cannot be read. Default none.
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Authenticator tells who makes a request.
type Authenticator struct {
	parser *jwt.Parser
	secret []byte
	keys   *rotation // nil without a key set
	apis   []APIKey
}

// maxCredentialBytes bounds what is looked at.
const maxCredentialBytes = 8 << 10

// minSecretBytes is as long as what HS256 makes of it.
const minSecretBytes = 32

// New returns an Authenticator. A file with a key set has to be there; a URL is
// asked when the first token comes.
func New(o *Options) (*Authenticator, error) {
	if o == nil {
		o = &Options{}
	}
	a := &Authenticator{secret: o.Secret, apis: o.APIKeys}
	tokens := len(o.Secret) > 0 || o.KeySet != ""
	switch {
	case !tokens && len(o.APIKeys) == 0:
		return nil, fmt.Errorf("%w: neither a secret nor a key set nor an API key is given, so nobody could be known", egrid.ErrInvalid)
	case tokens && (o.Issuer == "" || o.Audience == ""):
		return nil, fmt.Errorf("%w: tokens need an issuer and an audience, or those made for others would be accepted", egrid.ErrInvalid)
	case len(o.Secret) > 0 && len(o.Secret) < minSecretBytes:
		return nil, fmt.Errorf("%w: the secret of tokens has fewer than %d bytes and could be guessed", egrid.ErrInvalid, minSecretBytes)
	}
	for i := range a.apis {
		if err := a.apis[i].check(); err != nil {
			return nil, err
		}
	}
	if !tokens {
		return a, nil
	}
	a.parser = newParser(o)
	if o.KeySet == "" {
		return a, nil
	}
	var err error
	a.keys, err = newRotation(o)
	return a, err
}

// howToSend tells those who are refused what to do.
const howToSend = "send a token or an API key as Authorization: Bearer TOKEN or as " + middleware.APIKeyHeader + ": KEY. The operator of this service issues them"

// Authenticate is an [middleware.Authenticator].
func (a *Authenticator) Authenticate(r *http.Request) (middleware.Identity, error) {
	identity, err := a.identify(r)
	identity.Hint = howToSend
	return identity, err
}

func (a *Authenticator) identify(r *http.Request) (middleware.Identity, error) {
	credential, err := credentialOf(r.Header)
	if credential == "" || err != nil {
		return middleware.Identity{}, err
	}
	if len(credential) > maxCredentialBytes {
		return middleware.Identity{}, refused("the credentials are too long", nil)
	}
	if identity, ok := a.findAPIKey(credential); ok {
		return identity, nil
	}
	if a.parser == nil || strings.Count(credential, ".") != 2 {
		return middleware.Identity{}, refused("the key is not known", nil)
	}
	return a.checkToken(r.Context(), credential)
}

// credentialOf finds the one credential of a request; empty when there is none.
func credentialOf(h http.Header) (string, error) {
	bearers, keys := h.Values("Authorization"), h.Values(middleware.APIKeyHeader)
	switch {
	case len(bearers)+len(keys) == 0:
		return "", nil
	case len(bearers)+len(keys) > 1:
		return "", refused("more than one credential was sent", nil)
	case len(keys) == 1:
		return orRefused(strings.TrimSpace(keys[0]))
	}
	scheme, token, _ := strings.Cut(bearers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refused("Authorization takes Bearer and a token", nil)
	}
	return orRefused(strings.TrimSpace(token))
}

// orRefused tells an empty credential from none.
func orRefused(credential string) (string, error) {
	if credential == "" {
		return "", refused("the credential is empty", nil)
	}
	return credential, nil
}

func refused(reason string, cause error) error {
	return &middleware.CredentialError{Reason: reason, Cause: cause}
}

// errNoKeys says that a key set was never read.
var errNoKeys = errors.New("auth: the key set could not be read")
