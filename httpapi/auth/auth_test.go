package auth_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

const (
	issuer   = "https://id.example/"
	audience = "egrid"
	apiKey   = "0f4c9f0f5d3b4c1e9a7b2d6e8f1a3c5b"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// now is when the tests take place.
var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// signers are made once: RSA keys take long.
var signers = sync.OnceValue(func() (s struct {
	rsa, otherRSA *rsa.PrivateKey
	shortRSA      *rsa.PrivateKey
	ec            *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
}) {
	var errs [5]error
	s.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	s.otherRSA, errs[1] = rsa.GenerateKey(rand.Reader, 2048)
	s.shortRSA, errs[2] = rsa.GenerateKey(rand.Reader, 1024)
	s.ec, errs[3] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, s.ed, errs[4] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return s
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwkOf is a public key as key sets have it.
func jwkOf(kid string, key crypto.PublicKey) map[string]any {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "kid": kid, "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(point[1:33]), "y": b64(point[33:])}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(k)}
	}
	panic("no such key")
}

func keySet(keys ...map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return b
}

func fullKeySet() []byte {
	s := signers()
	return keySet(jwkOf("rsa", s.rsa.Public()), jwkOf("ec", s.ec.Public()), jwkOf("ed", s.ed.Public()))
}

func keyFile(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// claims are those of a good token, changed.
func claims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "ann", "exp": now.Add(time.Hour).Unix(), "scope": "read write"}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func sign(method jwt.SigningMethod, key any, c jwt.MapClaims, header ...any) string {
	t := jwt.NewWithClaims(method, c)
	for i := 0; i < len(header); i += 2 {
		t.Header[header[i].(string)] = header[i+1]
	}
	text, err := t.SignedString(key)
	if err != nil {
		panic(err)
	}
	return text
}

func newAuthenticator(t testing.TB, o auth.Options) *auth.Authenticator {
	t.Helper()
	if o.Issuer == "" {
		o.Issuer, o.Audience = issuer, audience
	}
	if o.Now == nil {
		o.Now = func() time.Time { return now }
	}
	a, err := auth.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ask(a *auth.Authenticator, header ...string) (middleware.Identity, error) {
	r := httptest.NewRequest(http.MethodGet, "/plants/top", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return a.Authenticate(r)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func allKinds(t testing.TB) *auth.Authenticator {
	t.Helper()
	return newAuthenticator(t, auth.Options{Secret: secret, KeySet: keyFile(t, fullKeySet()),
		APIKeys: []auth.APIKey{{Name: "nightly", Scopes: []middleware.Scope{middleware.ScopeWrite}, SHA256: sha256.Sum256([]byte(apiKey))}}})
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	a, s := allKinds(t), signers()
	rw := []middleware.Scope{middleware.ScopeRead, middleware.ScopeWrite}
	hs := func(change jwt.MapClaims) []string {
		return bearer(sign(jwt.SigningMethodHS256, secret, claims(change)))
	}
	for name, test := range map[string]struct {
		header  []string
		subject string
		scopes  []middleware.Scope
	}{
		"nothing":              {nil, "", nil},
		"HS256":                {hs(nil), "token:ann", rw},
		"RS256":                {bearer(sign(jwt.SigningMethodRS256, s.rsa, claims(nil), "kid", "rsa")), "token:ann", rw},
		"ES256":                {bearer(sign(jwt.SigningMethodES256, s.ec, claims(nil), "kid", "ec")), "token:ann", rw},
		"EdDSA":                {bearer(sign(jwt.SigningMethodEdDSA, s.ed, claims(nil), "kid", "ed")), "token:ann", rw},
		"no kid, one such key": {bearer(sign(jwt.SigningMethodEdDSA, s.ed, claims(nil))), "token:ann", rw},
		"small letters":        {[]string{"Authorization", "bearer " + sign(jwt.SigningMethodHS256, secret, claims(nil))}, "token:ann", rw},
		"expired just now":     {hs(jwt.MapClaims{"exp": now.Add(-20 * time.Second).Unix()}), "token:ann", rw},
		"valid very soon":      {hs(jwt.MapClaims{"nbf": now.Add(20 * time.Second).Unix()}), "token:ann", rw},
		"many audiences":       {hs(jwt.MapClaims{"aud": []string{"other", audience}}), "token:ann", rw},
		"scp":                  {hs(jwt.MapClaims{"scope": nil, "scp": []string{"write", "openid"}}), "token:ann", rw[1:]},
		"scp as a text":        {hs(jwt.MapClaims{"scope": nil, "scp": "admin"}), "token:ann", []middleware.Scope{middleware.ScopeAdmin}},
		"both claims":          {hs(jwt.MapClaims{"scope": "read", "scp": []string{"write"}}), "token:ann", rw},
		"no scopes":            {hs(jwt.MapClaims{"scope": "openid READ read,write"}), "token:ann", nil},
		"no subject":           {hs(jwt.MapClaims{"sub": nil}), "token:", rw},
		"API key":              {[]string{"X-API-Key", apiKey}, "key:nightly", rw[1:]},
		"API key as a token":   {bearer(apiKey), "key:nightly", rw[1:]},
	} {
		identity, err := ask(a, test.header...)
		if err != nil || identity.Subject != test.subject || !slices.Equal(identity.Scopes, test.scopes) {
			t.Errorf("%s: got %+v, %v", name, identity, err)
		}
	}
}

// TestRefused: nothing of what makes a token good may be left out or forged.
func TestRefused(t *testing.T) {
	t.Parallel()
	a, s := allKinds(t), signers()
	good := sign(jwt.SigningMethodHS256, secret, claims(nil))
	parts := strings.Split(good, ".")
	hs := func(change jwt.MapClaims) string { return sign(jwt.SigningMethodHS256, secret, claims(change)) }
	for name, token := range map[string]string{
		"forged":                      parts[0] + "." + b64([]byte(`{"iss":"https://id.example/","aud":"egrid","exp":9999999999,"scope":"admin"}`)) + "." + parts[2],
		"another secret":              sign(jwt.SigningMethodHS256, bytes.Repeat([]byte("x"), 32), claims(nil)),
		"another key of the name":     sign(jwt.SigningMethodRS256, s.otherRSA, claims(nil), "kid", "rsa"),
		"no signature":                parts[0] + "." + parts[1] + ".",
		"none":                        sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)),
		"None":                        b64([]byte(`{"alg":"None","typ":"JWT"}`)) + "." + parts[1] + ".",
		"none with a signature":       b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2],
		"no algorithm":                b64([]byte(`{"typ":"JWT"}`)) + "." + parts[1] + "." + parts[2],
		"HS256 by the public key":     sign(jwt.SigningMethodHS256, pemOf(s.rsa.Public()), claims(nil), "kid", "rsa"),
		"HS256 by the modulus":        sign(jwt.SigningMethodHS256, s.rsa.N.Bytes(), claims(nil), "kid", "rsa"),
		"RS256 by the name of Ed":     sign(jwt.SigningMethodRS256, s.rsa, claims(nil), "kid", "ed"),
		"HS384":                       sign(jwt.SigningMethodHS384, secret, claims(nil)),
		"RS512":                       sign(jwt.SigningMethodRS512, s.rsa, claims(nil), "kid", "rsa"),
		"PS256":                       sign(jwt.SigningMethodPS256, s.rsa, claims(nil), "kid", "rsa"),
		"unknown key":                 sign(jwt.SigningMethodRS256, s.rsa, claims(nil), "kid", "stranger"),
		"brings its key":              sign(jwt.SigningMethodRS256, s.otherRSA, claims(nil), "jwk", jwkOf("x", s.otherRSA.Public()), "kid", "x"),
		"brings the address":          sign(jwt.SigningMethodRS256, s.otherRSA, claims(nil), "jku", "https://evil.example/jwks", "kid", "x"),
		"kid that is a path":          sign(jwt.SigningMethodHS256, []byte{}, claims(nil), "kid", "../../dev/null"),
		"critical extension":          sign(jwt.SigningMethodHS256, secret, claims(nil), "crit", []string{"b64"}, "b64", false),
		"expired":                     hs(jwt.MapClaims{"exp": now.Add(-time.Minute).Unix()}),
		"no expiry":                   hs(jwt.MapClaims{"exp": nil}),
		"expiry that is a text":       hs(jwt.MapClaims{"exp": "tomorrow"}),
		"not yet valid":               hs(jwt.MapClaims{"nbf": now.Add(time.Minute).Unix()}),
		"another issuer":              hs(jwt.MapClaims{"iss": "https://evil.example/"}),
		"no issuer":                   hs(jwt.MapClaims{"iss": nil}),
		"another audience":            hs(jwt.MapClaims{"aud": "other"}),
		"no audience":                 hs(jwt.MapClaims{"aud": nil}),
		"empty audiences":             hs(jwt.MapClaims{"aud": []string{}}),
		"audience that only contains": hs(jwt.MapClaims{"aud": audience + ".evil.example"}),
		"scope that is a number":      hs(jwt.MapClaims{"scope": 7}),
		"a megabyte":                  hs(jwt.MapClaims{"padding": strings.Repeat("x", 1<<20)}),
		"two parts":                   parts[0] + "." + parts[1],
		"four parts":                  good + "." + parts[2],
		"only dots":                   "..",
		"not base64":                  "%.%.%",
		"padded":                      parts[0] + "=." + parts[1] + "." + parts[2],
		"API key, nearly":             apiKey[:len(apiKey)-1],
		"hash of the API key":         fmt.Sprintf("%x", sha256.Sum256([]byte(apiKey))),
	} {
		identity, err := ask(a, bearer(token)...)
		var credential *middleware.CredentialError
		if !errors.As(err, &credential) || identity.Subject != "" || identity.Scopes != nil {
			t.Errorf("%s: got %+v, %v", name, identity, err)
			continue
		}
		if len(token) > 8 && strings.Contains(err.Error(), token[len(token)-8:]) {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
	for name, header := range map[string][]string{
		"two tokens":        append(bearer(good), bearer(good)...),
		"token and API key": append(bearer(good), "X-API-Key", apiKey),
		"another scheme":    {"Authorization", "Basic YTpi"},
		"no scheme":         {"Authorization", good},
		"no token":          {"Authorization", "Bearer"},
		"empty token":       {"Authorization", "Bearer  "},
		"empty API key":     {"X-API-Key", ""},
	} {
		var credential *middleware.CredentialError
		if _, err := ask(a, header...); !errors.As(err, &credential) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func pemOf(key crypto.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Without a secret no token by HS256 is accepted, and without a key set none by a
// public key.
func TestOnlyWhatIsSetUp(t *testing.T) {
	t.Parallel()
	s := signers()
	byKeys := newAuthenticator(t, auth.Options{KeySet: keyFile(t, fullKeySet())})
	bySecret := newAuthenticator(t, auth.Options{Secret: secret})
	byAPIKey := newAuthenticator(t, auth.Options{APIKeys: []auth.APIKey{{Name: "a", Scopes: middleware.Scopes(), SHA256: sha256.Sum256([]byte(apiKey))}}})
	hs, rs := sign(jwt.SigningMethodHS256, secret, claims(nil)), sign(jwt.SigningMethodRS256, s.rsa, claims(nil), "kid", "rsa")
	empty := sign(jwt.SigningMethodHS256, []byte{}, claims(nil))
	for _, test := range []struct {
		a      *auth.Authenticator
		tokens []string
	}{{byKeys, []string{hs, empty, apiKey}}, {bySecret, []string{rs, empty, apiKey}}, {byAPIKey, []string{hs, rs, empty}}} {
		for _, token := range test.tokens {
			if identity, err := ask(test.a, bearer(token)...); err == nil {
				t.Errorf("accepted as %+v", identity)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	key := auth.APIKey{Name: "a", Scopes: middleware.Scopes(), SHA256: sha256.Sum256([]byte(apiKey))}
	for name, o := range map[string]*auth.Options{
		"nothing":               nil,
		"short secret":          {Secret: []byte("hunter2"), Issuer: issuer, Audience: audience},
		"no issuer":             {Secret: secret, Audience: audience},
		"no audience":           {Secret: secret, Issuer: issuer},
		"no such file":          {KeySet: filepath.Join(t.TempDir(), "none.json"), Issuer: issuer, Audience: audience},
		"file without keys":     {KeySet: keyFile(t, keySet()), Issuer: issuer, Audience: audience},
		"file that is no set":   {KeySet: keyFile(t, []byte("{}")), Issuer: issuer, Audience: audience},
		"file of short keys":    {KeySet: keyFile(t, keySet(jwkOf("a", signers().shortRSA.Public()))), Issuer: issuer, Audience: audience},
		"file of secrets":       {KeySet: keyFile(t, keySet(map[string]any{"kty": "oct", "kid": "a", "k": b64(secret)})), Issuer: issuer, Audience: audience},
		"set read by http":      {KeySet: "http://id.example/jwks", Issuer: issuer, Audience: audience},
		"set with a password":   {KeySet: "https://u:hunter2@id.example/jwks", Issuer: issuer, Audience: audience},
		"set of another scheme": {KeySet: "file:///etc/jwks", Issuer: issuer, Audience: audience},
		"set without a host":    {KeySet: "https:///jwks", Issuer: issuer, Audience: audience},
		"key without a name":    {APIKeys: []auth.APIKey{{Scopes: key.Scopes, SHA256: key.SHA256}}},
		"key without a hash":    {APIKeys: []auth.APIKey{{Name: "a", Scopes: key.Scopes}}},
		"key of unknown scope":  {APIKeys: []auth.APIKey{{Name: "a", Scopes: []middleware.Scope{"root"}, SHA256: key.SHA256}}},
	} {
		if _, err := auth.New(o); !errors.Is(err, egrid.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadAPIKeys(t *testing.T) {
	t.Parallel()
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(apiKey)))
	other := strings.Repeat("ab", 32)
	keys, err := auth.ReadAPIKeys(strings.NewReader("# the keys\n\nnightly write " + hash + "\n  reader\tread,write  " + other + " ; third admin " + strings.Repeat("cd", 32) + ";\n"))
	if err != nil || len(keys) != 3 || keys[0].Name != "nightly" || keys[0].SHA256 != sha256.Sum256([]byte(apiKey)) || len(keys[1].Scopes) != 2 || keys[2].Name != "third" {
		t.Errorf("%+v, %v", keys, err)
	}
	for _, text := range []string{
		"nightly " + hash, "nightly write " + hash[:63], "nightly write " + hash + " more", "nightly root " + hash, "nightly , " + hash, "nightly write " + strings.Repeat("z", 64),
		"a read " + hash + "\na read " + other, "a read " + hash + "\nb read " + hash, strings.Repeat("x", 1<<20),
	} {
		if _, err := auth.ReadAPIKeys(strings.NewReader(text)); !errors.Is(err, egrid.ErrInvalid) || strings.Contains(err.Error(), hash[:16]) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// FuzzToken: whatever header and claims a token has, it is accepted only with the
// signature of the secret and with claims that are for this service and now.
func FuzzToken(f *testing.F) {
	a := allKinds(f)
	public, err := x509.MarshalPKIXPublicKey(signers().rsa.Public())
	if err != nil {
		f.Fatal(err)
	}
	keys := [][]byte{secret, {}, public, []byte(b64(secret)), nil} // with nil there is no signature
	const header = `{"alg":"HS256","typ":"JWT"}`
	good := string(mustMarshal(claims(nil)))
	for key := range keys {
		f.Add(header, good, byte(key))
		f.Add(`{"alg":"none"}`, good, byte(key))
		f.Add(`{"alg":"RS256","kid":"rsa"}`, good, byte(key))
	}
	for _, change := range []jwt.MapClaims{
		{"aud": nil}, {"aud": []string{"other", audience}}, {"aud": []any{1}}, {"iss": "https://other.example/"}, {"iss": nil},
		{"exp": now.Add(-time.Hour).Unix()}, {"exp": nil}, {"exp": 9e99}, {"nbf": now.Add(time.Hour).Unix()},
	} {
		f.Add(header, string(mustMarshal(claims(change))), byte(0))
	}
	f.Add(`{"alg":"HS256","crit":["x"]}`, good, byte(0))
	f.Add("", "..", byte(0))
	f.Fuzz(func(t *testing.T, header, payload string, which byte) {
		key := keys[int(which)%len(keys)]
		token := b64([]byte(header)) + "." + b64([]byte(payload))
		signature := ""
		if key != nil {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(token))
			signature = b64(mac.Sum(nil))
		}
		identity, err := ask(a, bearer(token+"."+signature)...)
		if want := goodHeader(header) && goodClaims(payload) && int(which)%len(keys) == 0; err == nil && !want {
			t.Errorf("header %q, claims %q and key %q were accepted as %+v", header, payload, key, identity)
		} else if err != nil && want && payload == good {
			t.Errorf("a good token was refused: %v", err)
		}
	})
}

func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func goodHeader(text string) bool {
	var header map[string]any
	err := json.Unmarshal([]byte(text), &header)
	_, critical := header["crit"]
	return err == nil && header["alg"] == "HS256" && !critical
}

// goodClaims reads claims without the library that the package uses.
func goodClaims(text string) bool {
	var c struct {
		Iss      string
		Aud      any
		Exp, Nbf json.Number
	}
	if json.Unmarshal([]byte(text), &c) != nil {
		return false
	}
	audiences, _ := c.Aud.([]any)
	exp, err := c.Exp.Float64()
	nbf, _ := c.Nbf.Float64() // zero when there is none
	const leeway = 31         // seconds; the package has 30, and cuts fractions off
	at := float64(now.Unix())
	return err == nil && c.Iss == issuer && (c.Aud == audience || slices.Contains(audiences, any(audience))) && at < exp+leeway && at > nbf-leeway
}

// FuzzKeySet: a key set may be anything.
func FuzzKeySet(f *testing.F) {
	f.Add(fullKeySet())
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":""},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":7}]}`))
	path := filepath.Join(f.TempDir(), "jwks.json")
	token := sign(jwt.SigningMethodEdDSA, signers().ed, claims(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := auth.New(&auth.Options{KeySet: path, Issuer: issuer, Audience: audience, Now: func() time.Time { return now }})
		if err != nil {
			return
		}
		if _, err := ask(a, bearer(token)...); err == nil && !bytes.Contains(b, []byte(b64(signers().ed.Public().(ed25519.PublicKey)))) {
			t.Errorf("%q verifies a token of another key", b)
		}
	})
}
