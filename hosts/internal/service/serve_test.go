package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

// pair makes a certificate of the loopback interface, signed by itself.
func pair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "egrid test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// serving runs a server until the test ends and returns its URL.
func serving(t *testing.T, flags service.Serving) (url string, log *lockedBuffer) {
	t.Helper()
	log = &lockedBuffer{}
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- service.Serve(ctx, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
			&service.ServeOptions{Serving: flags, Logger: slog.New(slog.NewTextHandler(log, nil)), Ready: func(url string) { ready <- url }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case url = <-ready:
	case err := <-ended:
		ended <- err
		t.FailNow()
	}
	return url, log
}

// TestCertificateIsRenewed changes the files of a server that runs: a good pair is
// taken, and with a broken one the server goes on as it was.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flags := service.Serving{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	write := func(cert, key []byte) {
		for path, b := range map[string][]byte{flags.TLSCert: cert, flags.TLSKey: key} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	cert, key := pair(t, 1)
	write(cert, key)
	url, log := serving(t, flags)
	serial := func() int64 {
		c, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	until := func(what string, done func() bool) {
		for deadline := time.Now().Add(15 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s never\n%s", what, log)
			}
		}
	}
	if got := serial(); got != 1 {
		t.Fatalf("serial %d", got)
	}
	cert, key = pair(t, 2)
	write(cert, key)
	until("the new pair is used", func() bool { return serial() == 2 })

	other, _ := pair(t, 3)
	for what, broken := range map[string][]byte{"the key of another": other, "no certificate": []byte("x"), "nothing": nil} {
		before := strings.Count(log.String(), "cannot be used")
		write(broken, key)
		until("the log tells of "+what, func() bool {
			if got := serial(); got != 2 {
				t.Fatalf("with %s: serial %d", what, got)
			}
			return strings.Count(log.String(), "cannot be used") > before
		})
	}
	if err := os.Remove(flags.TLSCert); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("without a file: serial %d", got)
	}
	cert, key = pair(t, 4)
	write(cert, key)
	until("the mended pair is used", func() bool { return serial() == 4 })
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	flags := service.Serving{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	cert, key := pair(t, 1)
	for path, b := range map[string][]byte{flags.TLSCert: cert, flags.TLSKey: key} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url, _ := serving(t, flags)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	for name, test := range map[string]struct {
		config *tls.Config
		http2  bool
		proto  string // empty when there is no connection
	}{
		"HTTP/2":   {&tls.Config{RootCAs: roots}, true, "HTTP/2.0"},
		"HTTP/1.1": {&tls.Config{RootCAs: roots}, false, "HTTP/1.1"},
		"TLS 1.2":  {&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}, false, "HTTP/1.1"},
		"TLS 1.1":  {&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false, ""},
	} {
		transport := &http.Transport{TLSClientConfig: test.config, ForceAttemptHTTP2: test.http2}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if test.proto == "" {
			if err == nil {
				t.Errorf("%s is spoken", name)
				answer.Body.Close()
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		transport.CloseIdleConnections()
		if string(body) != test.proto || answer.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: %s %v", name, body, answer.Header)
		}
	}
}

func TestProfiles(t *testing.T) {
	url, log := serving(t, service.Serving{PprofAddr: "127.0.0.1:0"})
	found := regexp.MustCompile(`http://127\.0\.0\.1:\d+/debug/pprof/`).FindString(log.String())
	if found == "" {
		t.Fatalf("the log does not tell where:\n%s", log)
	}
	if status := fetchUntil(t, found+"goroutine?debug=1", http.StatusOK); status != http.StatusOK {
		t.Errorf("profiles: %d", status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/debug/pprof/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "HTTP/1.1" {
		t.Errorf("the service itself has profiles: %s", body)
	}
}
