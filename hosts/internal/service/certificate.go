package service

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// certificateAge is how long a certificate is used before its files are looked
// at again.
const certificateAge = time.Second

// certificate is that of a server. Its files are read again as connections come,
// so that it can be renewed while the server runs.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu        sync.Mutex
	current   *tls.Certificate
	cert, key []byte // the files as they were last read
	read      time.Time
}

func openCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, fmt.Errorf("%w: --tls-cert and --tls-key go together", egrid.ErrInvalid)
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", egrid.ErrInvalid, err)
	}
	return c, nil
}

// load reads the files. A pair that cannot be used leaves the one before in
// place.
func (c *certificate) load() error {
	c.read = time.Now()
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.keyFile)
	if err != nil {
		return err
	}
	if bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return nil
	}
	c.cert, c.key = cert, key
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	c.current = &pair
	c.log.Info("certificate read", "subject", pair.Leaf.Subject.String(), "expires", pair.Leaf.NotAfter)
	return nil
}

// get is what a connection gets. Of a pair that cannot be used the log tells
// once.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) >= certificateAge {
		if err := c.load(); err != nil {
			c.log.Error("the new certificate cannot be used; the one before stays", "error", err)
		}
	}
	return c.current, nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// onlyTLS tells browsers to come by https from now on.
func onlyTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}
