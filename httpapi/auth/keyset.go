package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// keyID names a key. The algorithm is that of the key's type, whatever a token
// says.
type keyID struct{ kid, algorithm string }

// keySet is public keys, by name and algorithm.
type keySet map[keyID]any

// find returns the key of a token. One that names no key is of the only key with
// its algorithm.
func (s keySet) find(kid, algorithm string) (any, bool) {
	if kid != "" {
		key, ok := s[keyID{kid, algorithm}]
		return key, ok
	}
	var found any
	n := 0
	for id, key := range s {
		if id.algorithm == algorithm {
			found = key
			n++
		}
	}
	return found, n == 1
}

// jwk is a key as RFC 7517 and RFC 8037 write it.
type jwk struct {
	Type       string   `json:"kty"`
	ID         string   `json:"kid"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	Curve      string   `json:"crv"`
	X          string   `json:"x"`
	Y          string   `json:"y"`
	N          string   `json:"n"`
	E          string   `json:"e"`
}

// maxKeys bounds a key set.
const maxKeys = 100

var errKeySet = errors.New("it is not a key set with a key that signs by RS256, ES256 or EdDSA")

// parseKeySet reads the keys that can sign tokens, and leaves out others.
func parseKeySet(b []byte) (keySet, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &document); err != nil || len(document.Keys) > maxKeys {
		return nil, errKeySet
	}
	set := keySet{}
	for _, raw := range document.Keys {
		var k jwk
		if json.Unmarshal(raw, &k) != nil || !k.signs() {
			continue
		}
		key, algorithm := k.public()
		if key != nil && (k.Algorithm == "" || k.Algorithm == algorithm) {
			set[keyID{k.ID, algorithm}] = key
		}
	}
	if len(set) == 0 {
		return nil, errKeySet
	}
	return set, nil
}

func (k *jwk) signs() bool {
	return (k.Use == "" || k.Use == "sig") && (len(k.Operations) == 0 || slices.Contains(k.Operations, "verify"))
}

// public returns the key and the algorithm of its type; nil when it is none of
// those that are accepted.
func (k *jwk) public() (key any, algorithm string) {
	switch {
	case k.Type == "RSA":
		return k.rsa(), jwt.SigningMethodRS256.Alg()
	case k.Type == "EC" && k.Curve == "P-256":
		return k.ecdsa(), jwt.SigningMethodES256.Alg()
	case k.Type == "OKP" && k.Curve == "Ed25519":
		if x := decode(k.X); len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x), jwt.SigningMethodEdDSA.Alg()
		}
	}
	return nil, ""
}

// The sizes of RSA keys, in bits: shorter ones can be broken, and longer ones
// take long to check.
const minRSABits, maxRSABits = 2048, 8192

func (k *jwk) rsa() any {
	n, e := new(big.Int).SetBytes(decode(k.N)), new(big.Int).SetBytes(decode(k.E))
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || e.BitLen() < 2 || e.BitLen() > 31 || e.Bit(0) == 0 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

func (k *jwk) ecdsa() any {
	x, y := decode(k.X), decode(k.Y)
	if len(x) != 32 || len(y) != 32 {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil
	}
	return key
}

// decode reads base64url; nil when it is none.
func decode(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}
