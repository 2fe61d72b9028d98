package auth

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// APIKey is a key that a script may use. The key itself is not kept: it has to
// be long and random, as 32 random bytes in hexadecimal are, because its hash
// alone would not hide one that can be guessed.
type APIKey struct {
	Name   string // for logs and rate limits; unique
	Scopes []middleware.Scope
	SHA256 [sha256.Size]byte // of the key
}

func (k *APIKey) check() error {
	if k.Name == "" || len(k.Scopes) == 0 || k.SHA256 == [sha256.Size]byte{} {
		return fmt.Errorf("%w: API key %q lacks its name, scopes or hash", egrid.ErrInvalid, k.Name)
	}
	for _, s := range k.Scopes {
		if !slices.Contains(middleware.Scopes(), s) {
			return fmt.Errorf("%w: API key %q has scope %q, which is none of read, write and admin", egrid.ErrInvalid, k.Name, s)
		}
	}
	return nil
}

// maxAPIKeys bounds a list: every request is compared with all of them.
const maxAPIKeys = 1000

// ReadAPIKeys reads a list of API keys: a line for each, of its name, its scopes
// with commas between, and the SHA-256 of the key in hexadecimal. Empty lines and
// those that begin with # are left out; a semicolon ends a line too.
//
//	nightly-load  write       9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//
// The error wraps [egrid.ErrInvalid], and has nothing of the hashes.
func ReadAPIKeys(r io.Reader) ([]APIKey, error) {
	var keys []APIKey
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(strings.TrimSpace(lines.Text()), "#") {
			continue
		}
		for entry := range strings.SplitSeq(lines.Text(), ";") {
			fields := strings.Fields(entry)
			if len(fields) == 0 {
				continue
			}
			k, err := readAPIKey(fields)
			if err != nil {
				return nil, fmt.Errorf("API keys, line %d: %w", n, err)
			}
			if slices.ContainsFunc(keys, func(other APIKey) bool { return other.Name == k.Name || other.SHA256 == k.SHA256 }) {
				return nil, fmt.Errorf("API keys, line %d: %w: %q is there twice, by its name or by its key", n, egrid.ErrInvalid, k.Name)
			}
			keys = append(keys, k)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: API keys: %w", egrid.ErrInvalid, err)
	}
	if len(keys) > maxAPIKeys {
		return nil, fmt.Errorf("%w: more than %d API keys", egrid.ErrInvalid, maxAPIKeys)
	}
	return keys, nil
}

func readAPIKey(fields []string) (APIKey, error) {
	if len(fields) != 3 {
		return APIKey{}, fmt.Errorf("%w: expected name, scopes and SHA-256", egrid.ErrInvalid)
	}
	k := APIKey{Name: fields[0]}
	for s := range strings.SplitSeq(fields[1], ",") {
		k.Scopes = append(k.Scopes, middleware.Scope(s))
	}
	sum, err := hex.DecodeString(fields[2])
	if err != nil || len(sum) != sha256.Size {
		return APIKey{}, fmt.Errorf("%w: the SHA-256 of %q is not 64 hexadecimal digits", egrid.ErrInvalid, k.Name)
	}
	copy(k.SHA256[:], sum)
	return k, k.check()
}

// findAPIKey compares with every key, so that the time tells nothing.
func (a *Authenticator) findAPIKey(credential string) (middleware.Identity, bool) {
	sum := sha256.Sum256([]byte(credential))
	found := -1
	for i := range a.apis {
		if subtle.ConstantTimeCompare(sum[:], a.apis[i].SHA256[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return middleware.Identity{}, false
	}
	return middleware.Identity{Subject: "key:" + a.apis[found].Name, Scopes: a.apis[found].Scopes}, true
}
