package service_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
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
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

const (
	tokenSecret = "a secret of the tests, of some length"
	readerKey   = "5f0e3a1c9b7d4286aa51c0de77e0b1f3"
	writerKey   = "8c1d5e2f7a6b4930bb62d1ef88f1c204"
	requestRate = 20000 // above what the tests send together
)

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// fortress is the API on loopback, as the hosts serve it, closed to strangers and
// impatient with slow clients.
type fortress struct {
	*testing.T
	addr string
	log  *lockedBuffer
	rsa  *rsa.PrivateKey // of the key set
	http *http.Client    // of one who behaves
}

func newFortress(t *testing.T, change func(*service.Access)) *fortress {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	access := service.Access{
		RequireAuth: true, JWTSecretFile: write("secret", tokenSecret+"\n"), JWTIssuer: "https://id.example/", JWTAudience: "egrid", JWTLeeway: 30 * time.Second,
		JWKS:    write("jwks.json", fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"one","n":%q,"e":"AQAB"}]}`, b64(key.N.Bytes()))),
		Keys:    service.Keys{APIKeysFile: write("keys", fmt.Sprintf("reader read %x\nwriter write %x\n", sha256.Sum256([]byte(readerKey)), sha256.Sum256([]byte(writerKey))))},
		Clients: service.Clients{RateLimit: requestRate, RateWindow: time.Minute},
	}
	if change != nil {
		change(&access)
	}
	f := &fortress{T: t, log: &lockedBuffer{}, rsa: key, http: &http.Client{Transport: &http.Transport{}}}
	log := slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := httpapi.Options{Logger: log, AllowedOrigins: []string{"https://grid.example"}}
	if err := access.Apply(&o, log); err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(store), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := service.API(t.Context(), store.Driver(), telemetry.New(), o)
	service.Page(h, nil)
	f.serve(h, log)
	return f
}

func (f *fortress) serve(h http.Handler, log *slog.Logger) {
	f.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(f.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.addr = listener.Addr().String()
	server := httpapi.NewServer("", h, &httpapi.ServerOptions{
		ReadHeaderTimeout: 300 * time.Millisecond, ReadTimeout: 600 * time.Millisecond, StallTimeout: 500 * time.Millisecond, Logger: log,
	})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	f.Cleanup(func() {
		f.http.CloseIdleConnections()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			f.Error(err)
		}
	})
}

// stillServes is the good request between bad ones.
func (f *fortress) stillServes(after string) {
	f.Helper()
	if status, _, _ := f.get("/plants/top", "X-API-Key", readerKey); status != http.StatusOK {
		f.Fatalf("after %s a good request is answered %d", after, status)
	}
}

func (f *fortress) get(target string, header ...string) (int, http.Header, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), http.MethodGet, "http://"+f.addr+target, nil)
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	answer, err := f.http.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func (f *fortress) dial() net.Conn {
	f.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(f.Context(), "tcp", f.addr)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(20 * time.Second))
	}
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// raw sends bytes as they are and reads one answer.
func (f *fortress) raw(text string) (int, http.Header, string) {
	f.Helper()
	c := f.dial()
	defer c.Close()
	go func() { _, _ = io.WriteString(c, text) }() // the server may answer before it has everything
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		f.Fatalf("%.80q: %v", text, err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body) // the connection may be cut off
	return answer.StatusCode, answer.Header, string(body)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token makes a token by hand, so that it can be as wrong as one likes.
func token(header, claims map[string]any, sign func(text string) []byte) string {
	h, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	text := b64(h) + "." + b64(c)
	return text + "." + b64(sign(text))
}

func hs256(secret []byte) func(string) []byte {
	return func(text string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
}

func rs256(key *rsa.PrivateKey) func(string) []byte {
	return func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return signature
	}
}

func unsigned(string) []byte { return nil }

func claimsWith(change map[string]any) map[string]any {
	c := map[string]any{"iss": "https://id.example/", "aud": "egrid", "sub": "ann", "exp": time.Now().Add(time.Hour).Unix(), "scope": "read"}
	maps.Copy(c, change)
	return c
}

var (
	hsHeader = map[string]any{"alg": "HS256", "typ": "JWT"}
	rsHeader = map[string]any{"alg": "RS256", "kid": "one"}
)

func TestTokensOnTheWire(t *testing.T) {
	f := newFortress(t, nil)
	der, err := x509.MarshalPKIXPublicKey(f.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte(tokenSecret)
	hs := func(change map[string]any) string { return token(hsHeader, claimsWith(change), hs256(secret)) }
	good := hs(nil)
	for _, test := range []struct {
		name, token string
		status      int
		challenge   string // a part of it
	}{
		{"good HS256", good, 200, ""},
		{"good RS256", token(rsHeader, claimsWith(nil), rs256(f.rsa)), 200, ""},
		{"good API key", readerKey, 200, ""},
		{"none at all", "", 401, `Bearer realm="egrid", scope="read"`},
		{"forged", good[:len(good)-4] + "AAAA", 401, "invalid_token"},
		{"expired", hs(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), 401, "the token has expired"},
		{"not yet valid", hs(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), 401, "not valid yet"},
		{"wrong audience", hs(map[string]any{"aud": "others"}), 401, "another audience"},
		{"wrong issuer", hs(map[string]any{"iss": "https://evil.example/"}), 401, "another issuer"},
		{"none", token(map[string]any{"alg": "none"}, claimsWith(nil), unsigned), 401, "invalid_token"},
		{"NoNe", token(map[string]any{"alg": "NoNe"}, claimsWith(nil), unsigned), 401, "invalid_token"},
		{"HS256 with the public key", token(map[string]any{"alg": "HS256", "kid": "one"}, claimsWith(nil), hs256(publicPEM)), 401, "invalid_token"},
		{"HS256 with its bytes", token(map[string]any{"alg": "HS256", "kid": "one"}, claimsWith(nil), hs256(der)), 401, "invalid_token"},
		{"RS256 by a stranger", token(rsHeader, claimsWith(nil), rs256(stranger)), 401, "invalid_token"},
		{"unknown kid", token(map[string]any{"alg": "RS256", "kid": "two"}, claimsWith(nil), rs256(f.rsa)), 401, "unknown key"},
		{"kid of SQL", token(map[string]any{"alg": "RS256", "kid": "' OR 1=1 --"}, claimsWith(nil), rs256(f.rsa)), 401, "unknown key"},
		{"brings its key", token(map[string]any{"alg": "RS256", "jwk": map[string]any{"kty": "RSA", "n": b64(stranger.N.Bytes()), "e": b64(big.NewInt(65537).Bytes())}, "jku": "http://" + f.addr + "/x"}, claimsWith(nil), rs256(stranger)), 401, "invalid_token"},
		{"of 20 KB", hs(map[string]any{"padding": strings.Repeat("x", 15<<10)}), 401, "too long"},
		{"of a megabyte", hs(map[string]any{"padding": strings.Repeat("x", 1<<20)}), 431, ""},
		{"without scopes", hs(map[string]any{"scope": ""}), 403, `error="insufficient_scope", scope="read"`},
		{"of other scopes", hs(map[string]any{"scope": "openid reads"}), 403, `error="insufficient_scope", scope="read"`},
		{"wrong key", readerKey[1:] + "0", 401, "not known"},
	} {
		header := "Authorization: Bearer " + test.token + "\r\n"
		if test.token == "" {
			header = ""
		}
		status, answer, body := f.raw("GET /plants/top HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + "\r\n")
		challenge := answer.Get("WWW-Authenticate")
		if status != test.status || !strings.Contains(challenge, test.challenge) || (challenge == "") != (status == 200 || status == 431) {
			t.Errorf("%s: %d, %q", test.name, status, challenge)
		}
		if (status == 401 || status == 403) && (answer.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, fmt.Sprintf(`"status":%d`, status))) {
			t.Errorf("%s: no problem: %s", test.name, body)
		}
		f.stillServes(test.name)
	}
	if log := f.log.String(); strings.Contains(log, tokenSecret) || strings.Contains(log, readerKey) || strings.Contains(log, good[len(good)-20:]) {
		t.Error("the log tells a secret")
	}
}

var traversals = []string{
	"../../../../etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cetc%5cpasswd",
	"%252e%252e%252fetc%252fpasswd", "....//....//etc/passwd", "%2fetc%2fpasswd", "file:%2f%2f%2fetc%2fpasswd", "..%00", "%00", "..;/etc/passwd", "%c0%ae%c0%ae/etc/passwd", ".", "..", "%",
}

// TestPathTraversal tries every path parameter of every operation, and the files
// of the page.
func TestPathTraversal(t *testing.T) {
	f := newFortress(t, nil)
	paths := []string{"/assets/{file}", "/{file}", "/api/{file}"}
	writing := map[string]bool{} // paths that GET is no method of
	for path, operations := range f.document().Paths {
		if strings.Contains(path, "{") {
			paths = append(paths, path)
			_, read := operations["get"]
			writing[path] = !read
		}
	}
	if len(paths) < 10 {
		t.Fatalf("only %d paths have parameters", len(paths))
	}
	for _, path := range paths {
		for _, name := range pathParameter.FindAllString(path, -1) {
			for _, value := range traversals {
				target := pathParameter.ReplaceAllStringFunc(strings.Replace(path, name, value, 1), func(other string) string { return inPath[other] })
				status, header, body := f.raw("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: " + readerKey + "\r\n\r\n")
				switch {
				case status == 405 && writing[path]:
				case status == 301 || status == 307 || status == 308: // to the path without the dots
					if to := header.Get("Location"); strings.Contains(to+"/", "/../") || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
						t.Errorf("%s leads to %s", target, header.Get("Location"))
					}
				case status != 400 && status != 404 && !(status == 200 && strings.Contains(value, "..") && !strings.Contains(body, "root:")):
					t.Errorf("%s: %d %.200s", target, status, body)
				}
				if strings.Contains(body, "root:") {
					t.Errorf("%s: a file of the machine", target)
				}
			}
		}
		f.stillServes(path)
	}
}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// inPath are values of path parameters that mean something.
var inPath = map[string]string{
	"{level}": "GEN", "{code}": "TX", "{id}": "1", "{type}": "by-state", "{name}": "state", "{year}": "2023", "{file}": "x",
}

type document struct {
	Paths map[string]map[string]documented
}

// documented is an operation of the document.
type documented struct {
	Parameters []struct {
		Name, In string
	}
}

func (d documented) takes(name string) bool {
	for _, p := range d.Parameters {
		if p.Name == name {
			return true
		}
	}
	return false
}

func (f *fortress) document() (d document) {
	f.Helper()
	_, _, body := f.get("/openapi.json")
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		f.Fatal(err)
	}
	return d
}

func TestHeaderInjection(t *testing.T) {
	f := newFortress(t, func(a *service.Access) { a.TrustedProxies = []string{"127.0.0.0/8"} })
	const line = "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: " + readerKey + "\r\n%s\r\n"
	for name, text := range map[string]string{
		"in a query":        fmt.Sprintf(line, "/plants/search?q=%0d%0aInjected:%201", ""),
		"in a cursor":       fmt.Sprintf(line, "/plants/search?cursor=%0d%0aInjected:%201", ""),
		"in a file name":    fmt.Sprintf(line, "/plants/search?format=csv%0d%0aInjected:%201", ""),
		"in a path":         fmt.Sprintf(line, "/plants/1%0d%0aInjected:%201", ""),
		"in a request id":   fmt.Sprintf(line, "/plants/top", "X-Request-Id: a%0d%0aInjected: 1\r\n"),
		"in an origin":      fmt.Sprintf(line, "/plants/top", "Origin: https://grid.example%0d%0aInjected: 1\r\n"),
		"in an address":     fmt.Sprintf(line, "/plants/top", "X-Forwarded-For: 1.1.1.1%0d%0aInjected: 1\r\n"),
		"bare CR":           fmt.Sprintf(line, "/plants/top", "X-Request-Id: a\rInjected: 1\r\n"),
		"NUL":               fmt.Sprintf(line, "/plants/top", "X-Request-Id: a\x00Injected: 1\r\n"),
		"folded":            fmt.Sprintf(line, "/plants/top", "X-Request-Id: a\r\n Injected: 1\r\n"),
		"space in the name": fmt.Sprintf(line, "/plants/top", "X-Request-Id : a\r\n"),
		"two lengths":       fmt.Sprintf(line, "/plants/top", "Content-Length: 0\r\nContent-Length: 5\r\n"),
		"in the method":     "GET\tX /plants/top HTTP/1.1\r\nHost: x\r\n\r\n",
		"two hosts":         fmt.Sprintf(line, "/plants/top", "Host: evil.example\r\n"),
		"in a token":        strings.Replace(fmt.Sprintf(line, "/plants/top", ""), readerKey, "a\"%0d%0aInjected: 1", 1),
	} {
		status, header, _ := f.raw(text)
		if status >= 500 || header.Get("Injected") != "" || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", name, status, header)
		}
		for key, values := range header {
			if strings.ContainsAny(strings.Join(values, ""), "\r\n") || strings.Contains(key, "njected") {
				t.Errorf("%s: header %s: %q", name, key, values)
			}
		}
		f.stillServes(name)
	}
	for line := range strings.Lines(f.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a line of the log is torn: %q", line)
		}
	}
}

func TestOversized(t *testing.T) {
	f := newFortress(t, nil)
	const head = "Host: x\r\nX-API-Key: " + readerKey + "\r\n"
	for _, test := range []struct {
		name, text string
		status     []int
	}{
		{"URL", "GET /plants/search?q=" + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\n" + head + "\r\n", []int{414}},
		{"URL beyond headers", "GET /plants/search?q=" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\n" + head + "\r\n", []int{431}},
		{"parameters", "GET /plants/search?" + strings.Repeat("a=1&", 500) + " HTTP/1.1\r\n" + head + "\r\n", []int{400}},
		{"one header", "GET /plants/top HTTP/1.1\r\n" + head + "X: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", []int{431}},
		{"many headers", "GET /plants/top HTTP/1.1\r\n" + head + strings.Repeat("X: x\r\n", 20000) + "\r\n", []int{431}},
		{"body", "POST /plants/top HTTP/1.1\r\n" + head + "Content-Length: 2000000\r\n\r\n" + strings.Repeat("x", 2000000), []int{413}},
		{"body that is not there", "POST /plants/top HTTP/1.1\r\n" + head + "Content-Length: 9000000000000000000\r\n\r\n", []int{413}},
		{"length beyond numbers", "POST /plants/top HTTP/1.1\r\n" + head + "Content-Length: 99999999999999999999\r\n\r\n", []int{400}},
		{"negative length", "POST /plants/top HTTP/1.1\r\n" + head + "Content-Length: -1\r\n\r\n", []int{400}},
		{"body in chunks", "POST /plants/top HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n", 100) + "0\r\n\r\n", []int{405, 413}},
		{"chunk beyond numbers", "POST /plants/top HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n", []int{405, 400}},
		{"limit", "GET /plants/top?limit=99999999999999999999 HTTP/1.1\r\n" + head + "\r\n", []int{400}},
		{"words", "GET /plants/search?q=" + strings.Repeat("x", 300) + " HTTP/1.1\r\n" + head + "\r\n", []int{400}},
		{"list", "GET /plants/search?state=" + strings.Repeat("TX,", 4000) + "TX HTTP/1.1\r\n" + head + "\r\n", []int{200, 400}},
		{"plant", "GET /plants/" + strings.Repeat("x", 400) + " HTTP/1.1\r\n" + head + "\r\n", []int{400}},
		{"API key", "GET /plants/top HTTP/1.1\r\nHost: x\r\nX-API-Key: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", []int{401}},
		{"method", strings.Repeat("G", 64<<10) + " / HTTP/1.1\r\n\r\n", []int{431, 400}},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 500) + "\r\n\r\n", []int{400}},
	} {
		if status, _, body := f.raw(test.text); !slices.Contains(test.status, status) {
			t.Errorf("%s: %d %.200s", test.name, status, body)
		}
		f.stillServes(test.name)
	}
}

// TestSlowClients: whoever keeps a connection without using it loses it.
func TestSlowClients(t *testing.T) {
	f := newFortress(t, nil)
	const head = "Host: x\r\nX-API-Key: " + readerKey + "\r\n"
	trickle := func(c net.Conn, text string) {
		for i := range len(text) {
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return // cut off
			}
			time.Sleep(20 * time.Millisecond) // what makes it slow
		}
	}
	for name, begin := range map[string]string{
		"nothing":        "",
		"header trickle": "GET /plants/top HTTP/1.1\r\n" + head + "X-Slow: ",
		"body trickle":   "POST /plants/top HTTP/1.1\r\n" + head + "Content-Length: 100000\r\n\r\n",
		"chunk trickle":  "POST /plants/top HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nffff\r\n",
	} {
		c := f.dial()
		if _, err := io.WriteString(c, begin); err != nil {
			t.Fatal(err)
		}
		if begin != "" {
			go trickle(c, strings.Repeat("x", 100000))
		}
		began := time.Now()
		_, err := io.Copy(io.Discard, c)
		if took := time.Since(began); took > 10*time.Second || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: still connected after %v: %v", name, took, err)
		}
		_ = c.Close()
		f.stillServes(name)
	}
	// One who asks on and on and takes no answer: the answers together are more
	// than what the system keeps for a connection, which is little at this end.
	c := f.dial()
	defer c.Close()
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for range 2000 {
			if _, err := io.WriteString(c, "GET /levels/GEN/rows?format=csv HTTP/1.1\r\n"+head+"\r\n"); err != nil {
				return
			}
		}
	}()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(f.log.String(), "export broken off"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("one who takes no answers is still served")
		}
	}
	<-asked
	f.stillServes("never reading")
}

// TestManySlowClients: a hundred at once keep nobody else waiting.
func TestManySlowClients(t *testing.T) {
	f := newFortress(t, nil)
	var conns []net.Conn
	for range 100 {
		c := f.dial()
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, "GET /plants/top HTTP/1.1\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	f.stillServes("the beginnings of 100 requests")
	for _, c := range conns {
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

func TestForeignOrigins(t *testing.T) {
	f := newFortress(t, nil)
	for origin, allowed := range map[string]bool{
		"https://grid.example": true, "https://evil.example": false, "https://grid.example.evil.example": false, "null": false, "http://grid.example": false,
	} {
		_, header, _ := f.get("/plants/top", "X-API-Key", readerKey, "Origin", origin)
		_, refused, _ := f.get("/plants/top", "Origin", origin)
		for _, h := range []http.Header{header, refused} {
			if (h.Get("Access-Control-Allow-Origin") == origin) != allowed || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: %v", origin, h)
			}
		}
	}
	_, header, _ := f.get("/plants/top", "X-API-Key", readerKey)
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer", "Server": "", "X-Powered-By": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestManyClients: ten thousand addresses at once are all served, in bounded
// memory, and one who asks too often among them is not.
func TestManyClients(t *testing.T) {
	const clients, allowed = 10000, 20
	f := newFortress(t, func(a *service.Access) {
		a.Clients = service.Clients{RateLimit: allowed, RateWindow: time.Hour, TrustedProxies: []string{"127.0.0.1"}}
		a.RequireAuth = false
	})
	f.http.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	ask := func(ctx context.Context, address string) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.addr+"/plants/years", nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("X-Forwarded-For", "9.9.9.9, "+address) // the first is what the client says
		answer, err := f.http.Do(r)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, err
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var next, refused, greedyRefused atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= clients; i = next.Add(1) {
				if status, err := ask(t.Context(), fmt.Sprintf("198.18.%d.%d", i>>8, i&255)); err != nil || status != http.StatusOK {
					refused.Add(1)
					t.Logf("client %d: %d, %v", i, status, err)
				}
				if i%100 == 0 {
					if status, err := ask(t.Context(), "203.0.113.1"); err == nil && status == http.StatusTooManyRequests {
						greedyRefused.Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if refused.Load() != 0 || greedyRefused.Load() != clients/100-allowed {
		t.Errorf("%d clients were refused, and the greedy one %d times", refused.Load(), greedyRefused.Load())
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("memory grew by %d bytes", grown)
	}
	f.stillServes("many clients")
}
