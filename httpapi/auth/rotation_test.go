package auth_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// keyServer is a key server in memory.
type keyServer struct {
	mu    sync.Mutex
	body  []byte
	fail  error
	hang  bool
	asked int
}

func (s *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked++
	hang, fail, body := s.hang, s.fail, s.body
	s.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	status := http.StatusOK
	if body == nil {
		status = http.StatusBadGateway
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(bytes.NewReader(body)), Request: r}, fail
}

func (s *keyServer) set(body []byte, fail error, hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.fail, s.hang = body, fail, hang
}

func (s *keyServer) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// rotating runs a test with an authenticator by a key server, in time that does
// not really pass. It begins with the RSA key.
func rotating(t *testing.T, test func(t *testing.T, s *keyServer, try func(kid string) error, log *bytes.Buffer)) {
	signers() // outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{body: keySet(jwkOf("rsa", signers().rsa.Public()))}
		var log bytes.Buffer
		a, err := auth.New(&auth.Options{KeySet: "https://id.example/jwks", Issuer: issuer, Audience: audience, Client: &http.Client{Transport: s},
			Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		test(t, s, func(kid string) error {
			key, method := any(signers().rsa), jwt.SigningMethod(jwt.SigningMethodRS256)
			if kid == "ed" {
				key, method = signers().ed, jwt.SigningMethodEdDSA
			}
			_, err := ask(a, bearer(sign(method, key, claims(jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix()}), "kid", kid))...)
			synctest.Wait()
			return err
		}, &log)
	})
}

func isRefused(err error) bool {
	var credential *middleware.CredentialError
	return errors.As(err, &credential)
}

func TestKeysRotate(t *testing.T) {
	rotating(t, func(t *testing.T, s *keyServer, try func(string) error, _ *bytes.Buffer) {
		if err := try("rsa"); err != nil || s.requests() != 1 {
			t.Fatalf("%v after %d requests", err, s.requests())
		}
		for range 100 { // a stranger cannot make us ask again and again
			if err := try("stranger"); !isRefused(err) {
				t.Fatal(err)
			}
		}
		if s.requests() != 1 {
			t.Errorf("%d requests within the pause", s.requests())
		}
		s.set(fullKeySet(), nil, false)
		time.Sleep(11 * time.Second)
		if err := try("ed"); err != nil || s.requests() != 2 {
			t.Errorf("a new key: %v after %d requests", err, s.requests())
		}
		// A key that was taken out of the set ends to count when the set is read.
		s.set(keySet(jwkOf("ed", signers().ed.Public())), nil, false)
		time.Sleep(16 * time.Minute)
		if err := try("ed"); err != nil || s.requests() != 3 {
			t.Errorf("an old set: %v after %d requests", err, s.requests())
		}
		if err := try("rsa"); !isRefused(err) {
			t.Errorf("a key that was taken back: %v", err)
		}
	})
}

func TestKeyServerIsAway(t *testing.T) {
	for name, away := range map[string]struct {
		body []byte
		fail error
		hang bool
	}{
		"refuses":       {nil, errors.New("connection refused"), false},
		"answers 502":   {nil, nil, false},
		"hangs":         {nil, nil, true},
		"answers a lot": {[]byte(`{"keys":[` + strings.Repeat(" ", 2<<20) + `]}`), nil, false},
		"answers HTML":  {[]byte("<html>"), nil, false},
		"has no keys":   {keySet(), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			rotating(t, func(t *testing.T, s *keyServer, try func(string) error, log *bytes.Buffer) {
				if err := try("rsa"); err != nil {
					t.Fatal(err)
				}
				s.set(away.body, away.fail, away.hang)
				for range 5 {
					time.Sleep(time.Hour)
					if err := try("rsa"); err != nil {
						t.Errorf("a known key: %v", err)
					}
					time.Sleep(10 * time.Second)
					if err := try("ed"); err == nil || isRefused(err) {
						t.Errorf("a key that cannot be looked up: %v", err)
					}
				}
				if !strings.Contains(log.String(), "level=WARN") {
					t.Error("nobody is told")
				}
				s.set(fullKeySet(), nil, false)
				time.Sleep(11 * time.Second)
				if err := try("ed"); err != nil {
					t.Errorf("when it is back: %v", err)
				}
			})
		})
	}
}

// While nothing was ever read, nobody can be told: that is no fault of the token.
func TestKeyServerIsAwayAtFirst(t *testing.T) {
	rotating(t, func(t *testing.T, s *keyServer, try func(string) error, _ *bytes.Buffer) {
		s.set(nil, nil, true)
		for range 3 {
			if err := try("rsa"); err == nil || isRefused(err) {
				t.Errorf("%v", err)
			}
		}
		if s.requests() != 1 {
			t.Errorf("%d requests", s.requests())
		}
		s.set(fullKeySet(), nil, false)
		time.Sleep(11 * time.Second)
		if err := try("rsa"); err != nil {
			t.Error(err)
		}
	})
}
