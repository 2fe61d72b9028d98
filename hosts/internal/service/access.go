package service

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// Clients are the flags of who the clients are, and how often they may ask.
type Clients struct {
	RateLimit      int           `help:"Requests that a client may make at once, and in every --rate-window; 0 is any number." default:"0" placeholder:"N"`
	RateWindow     time.Duration `help:"See --rate-limit." default:"1m"`
	TrustedProxies []string      `help:"Networks of proxies that are believed in what they say of a client's address, as 10.0.0.0/8." placeholder:"CIDR"`
}

// rateLimit is nil where there is no bound.
func (c *Clients) rateLimit() *middleware.RateLimitOptions {
	if c.RateLimit <= 0 {
		return nil
	}
	return &middleware.RateLimitOptions{Requests: c.RateLimit, Window: c.RateWindow}
}

// Limit bounds how often clients may ask.
func (c *Clients) Limit(h http.Handler) http.Handler {
	if o := c.rateLimit(); o != nil {
		return middleware.RateLimit(h, o)
	}
	return h
}

// Proxies are the networks of --trusted-proxies. An address is a network of its
// own.
func (c *Clients) Proxies() ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, text := range c.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: trusted proxy %q is no network, as 10.0.0.0/8", egrid.ErrInvalid, text)
		}
		proxies = append(proxies, p.Masked())
	}
	return proxies, nil
}

// Access are the flags of who may use an API. Secrets are never flags: what is
// on a command line is there for everybody on the machine to see.
type Access struct {
	Clients
	Keys
	RequireAuth   bool          `help:"Close reading to those who have not scope read."`
	JWTSecretFile string        `help:"File with the secret that tokens are signed with by HS256. The secret itself may be in EGRID_JWT_SECRET." type:"path" placeholder:"FILE"`
	JWKS          string        `help:"File or https URL of the public keys that tokens are signed for." placeholder:"FILE|URL"`
	JWTIssuer     string        `help:"Who tokens have to be from." placeholder:"ISS"`
	JWTAudience   string        `help:"Whom tokens have to be for." placeholder:"AUD"`
	JWTLeeway     time.Duration `help:"How far the clocks of issuer and service may differ." default:"30s"`
}

// The variables that hold secrets.
const (
	secretVariable  = "EGRID_JWT_SECRET"   //nolint:gosec // G101: the name of a variable
	apiKeysVariable = "EGRID_API_KEYS"     //nolint:gosec // G101: likewise
	notifyVariable  = "EGRID_NOTIFY_TOKEN" //nolint:gosec // G101: likewise
)

// maxSecretBytes bounds the files of secrets.
const maxSecretBytes = 1 << 20

// Apply sets what the flags say of an API.
func (a *Access) Apply(o *httpapi.Options, log *slog.Logger) error {
	var err error
	if o.TrustedProxies, err = a.Proxies(); err != nil {
		return err
	}
	o.RateLimit, o.RequireAuth = a.rateLimit(), a.RequireAuth
	who, err := a.authenticator(log)
	if err != nil {
		return err
	}
	if who != nil {
		o.Authenticate = who.Authenticate
	} else if a.RequireAuth {
		return fmt.Errorf("%w: --require-auth needs a secret, a key set or API keys", egrid.ErrInvalid)
	}
	return nil
}

// authenticator is nil where nobody can have credentials.
func (a *Access) authenticator(log *slog.Logger) (*auth.Authenticator, error) {
	o := auth.Options{KeySet: a.JWKS, Issuer: a.JWTIssuer, Audience: a.JWTAudience, Leeway: a.JWTLeeway, Logger: log}
	if a.JWTLeeway == 0 {
		o.Leeway = -1
	}
	secret, err := secretOf("the secret of tokens", a.JWTSecretFile, secretVariable)
	if err != nil {
		return nil, err
	}
	o.Secret = []byte(secret)
	if o.APIKeys, err = a.read(); err != nil {
		return nil, err
	}
	if len(o.Secret) == 0 && o.KeySet == "" && len(o.APIKeys) == 0 {
		return nil, nil
	}
	return auth.New(&o)
}

// secretOf reads a secret from the file at a path, or from that which the variable
// with _FILE behind names, or else from the variable. Its error has nothing of the
// secret.
func secretOf(what, path, variable string) (string, error) {
	text := strings.TrimSpace(os.Getenv(variable))
	if path == "" {
		path = os.Getenv(variable + "_FILE")
	}
	if path == "" {
		return text, nil
	}
	if text != "" {
		return "", fmt.Errorf("%w: %s is in a file and in %s; leave one of them out", egrid.ErrInvalid, what, variable)
	}
	f, err := os.Open(path) //nolint:gosec // G304: whoever sets the flags chooses the file
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", egrid.ErrInvalid, what, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err == nil && (len(b) > maxSecretBytes || len(strings.TrimSpace(string(b))) == 0) {
		err = errors.New("the file is empty, or too large")
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", egrid.ErrInvalid, what, err)
	}
	return strings.TrimSpace(string(b)), nil
}
