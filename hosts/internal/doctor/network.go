package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// client returns one that trusts the authorities of CA beside the system's.
func (d *Deployment) client() (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if d.CA != "" {
		pem, err := os.ReadFile(d.CA)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate (PEM)", d.CA)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: t, Timeout: d.Timeout}, nil
}

// answer is what was answered, read to its end.
type answer struct {
	status int
	text   string // of the status
	header http.Header
	expiry time.Time // of the certificate
	tls    uint16    // version; 0 for none
	body   []byte
}

// ask sends a request to a URL of ours, whose error does not quote it: it may hold a
// token.
func (d *Deployment) ask(ctx context.Context, method, base, path string, headers ...string) (answer, error) {
	c, err := d.client()
	if err != nil {
		return answer{}, err
	}
	defer c.CloseIdleConnections()
	return send(ctx, c, method, base, path, headers...)
}

func send(ctx context.Context, c *http.Client, method, base, path string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, nil)
	if err != nil {
		return answer{}, errors.New("the address cannot be read; give https://HOST:PORT")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := c.Do(r)
	var quoting *url.Error
	if errors.As(err, &quoting) {
		err = quoting.Err
	}
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	a := answer{status: got.StatusCode, text: got.Status, header: got.Header}
	if got.TLS != nil {
		a.tls, a.expiry = got.TLS.Version, got.TLS.PeerCertificates[0].NotAfter
	}
	a.body, err = io.ReadAll(io.LimitReader(got.Body, 4<<20))
	return a, err
}

// stranger is an origin that no deployment lets in by name.
const stranger = "https://doctor.invalid"

func (d *Deployment) security(ctx context.Context) Result {
	if names := d.commonCredentials(); len(names) > 0 {
		return fail("give credentials of your own", "credentials that everybody knows: %s", strings.Join(names, ", "))
	}
	if d.Gateway == "" {
		return unknown("--gateway URL", "no address was given")
	}
	// An order that cannot be carried out: there is no such snapshot.
	order, err := d.ask(ctx, http.MethodPost, d.Gateway, "/snapshots/000000000000000000000000/restore")
	if err != nil {
		return fail("start it, or mend the address", "it does not answer: %v", err)
	}
	page, err := d.ask(ctx, http.MethodGet, d.Gateway, "/plants/years", "Origin", stranger)
	if err != nil {
		return fail("start it, or mend the address", "it does not answer: %v", err)
	}
	var wrong, remedies []string
	add := func(what, remedy string) { wrong, remedies = append(wrong, what), append(remedies, remedy) }
	if order.status != http.StatusUnauthorized && order.status != http.StatusForbidden && order.status != http.StatusTooManyRequests {
		add(fmt.Sprintf("an order without credentials is answered by %d and not by 401", order.status), "set EGRID_API_KEYS or tokens, and let no proxy add credentials")
	}
	if page.header.Get("RateLimit-Policy") == "" && page.header.Get("RateLimit-Limit") == "" && page.header.Get("RateLimit") == "" {
		add("clients may ask without limit", "set EGRID_RATE_LIMIT")
	}
	if page.header.Get("X-Content-Type-Options") != "nosniff" {
		add("answers lack security headers", "let the proxy pass the headers of the service on")
	}
	if allowed := page.header.Get("Access-Control-Allow-Origin"); allowed == "*" || allowed == stranger {
		add("pages of every origin may ask", "name the origins in EGRID_ORIGINS")
	}
	if len(wrong) > 0 {
		return fail(strings.Join(remedies, "; "), "%s", strings.Join(wrong, "; "))
	}
	return pass("orders need credentials, clients are limited, security headers are sent")
}

// certificateLeft is how long a certificate has to be good for.
const certificateLeft = 14 * 24 * time.Hour

func (d *Deployment) certificate(ctx context.Context) Result {
	if d.Gateway == "" {
		return unknown("--gateway URL", "no address was given")
	}
	const remedy = "set EGRID_TLS_CERT and EGRID_TLS_KEY of the gateway, or put a proxy before it that has them"
	u, err := url.Parse(d.Gateway)
	if err != nil || u.Host == "" {
		return fail("give https://HOST", "the address cannot be read")
	}
	if u.Scheme != "https" {
		return fail(remedy, "users ask by %s, which everybody on the way can read and change", u.Scheme)
	}
	got, err := d.ask(ctx, http.MethodGet, d.Gateway, "/healthz")
	if err != nil {
		return fail(remedy+"; give --ca FILE for an authority of your own", "%v", err)
	}
	if left := time.Until(got.expiry); left < certificateLeft {
		return fail("renew it: it is read again when it changes", "the certificate is good until %s", got.expiry.UTC().Format(time.DateTime))
	}
	return pass("%s, good until %s", tls.VersionName(got.tls), got.expiry.UTC().Format(time.DateOnly))
}

func (d *Deployment) alerts(ctx context.Context) Result {
	if d.Prometheus == "" {
		return unknown("--prometheus URL", "no monitoring was shown")
	}
	const remedy = "docs/operations.md, Alerting, has the rules"
	got, err := d.ask(ctx, http.MethodGet, d.Prometheus, "/api/v1/rules?type=alert")
	if err != nil {
		return fail("start it, or mend the address", "Prometheus does not answer: %v", err)
	}
	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Query, Health, LastError string }
			}
		}
	}
	if err := json.Unmarshal(got.body, &rules); err != nil || got.status != http.StatusOK {
		return fail("give the address of Prometheus itself", "what answers is no Prometheus: %s", got.text)
	}
	ours := 0
	down := false
	for _, g := range rules.Data.Groups {
		for _, r := range g.Rules {
			if r.Health == "err" {
				return fail("mend the rule", "the rule %s fails: %s", r.Name, r.LastError)
			}
			if strings.Contains(r.Query, "egrid_") {
				ours++
			}
			down = down || strings.Contains(r.Query, "up")
		}
	}
	if ours == 0 || !down {
		return fail(remedy, "%d rules ask for metrics of the services, and that a service is down is noticed: %t", ours, down)
	}
	return pass("%d rules ask for metrics of the services", ours)
}

func (d *Deployment) balancing(ctx context.Context) Result {
	if d.Gateway == "" || len(d.API) == 0 {
		return unknown("--gateway URL, and --api URL for each service behind it", "no addresses were given")
	}
	const remedy = "start a second api, and name both in EGRID_API of the gateway, or one name that stands for both"
	behind := map[string]bool{}
	for _, address := range d.API {
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" {
			return fail("give http://HOST:PORT", "the address of an api cannot be read")
		}
		found, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
		if err != nil {
			return fail(remedy, "%s is not known", u.Hostname())
		}
		for _, host := range found {
			behind[net.JoinHostPort(host, u.Port())] = true
		}
		if err := d.ready(ctx, address); err != nil {
			return fail(remedy, "%s: %v", u.Host, err)
		}
	}
	if err := d.ready(ctx, d.Gateway); err != nil {
		return fail(remedy, "the gateway: %v", err)
	}
	if len(behind) < 2 {
		return fail(remedy, "one api is behind the gateway: nothing is balanced, and an update is an outage")
	}
	return pass("%d services behind the gateway, all ready", len(behind))
}

func (d *Deployment) ready(ctx context.Context, base string) error {
	got, err := d.ask(ctx, http.MethodGet, base, "/readyz")
	if err == nil && got.status != http.StatusOK {
		err = errors.New("it is not ready: " + got.text)
	}
	return err
}

// How the performance is measured: so many requests, so many at once.
const (
	requests = 60
	atOnce   = 4
)

func (d *Deployment) performance(ctx context.Context) Result {
	if d.Gateway == "" {
		return unknown("--gateway URL", "no address was given")
	}
	c, err := d.client()
	if err != nil {
		return fail("mend --ca", "%v", err)
	}
	defer c.CloseIdleConnections()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var took []time.Duration
	var failed error
	for range atOnce {
		wg.Go(func() {
			for range requests / atOnce {
				began := time.Now()
				got, err := send(ctx, c, http.MethodGet, d.Gateway, "/plants/top?limit=10")
				if err == nil && got.status != http.StatusOK {
					err = errors.New(got.text)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				if err != nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return fail("egrid health tells what is away", "a question is not answered: %v", failed)
	}
	slices.Sort(took)
	p95 := took[len(took)*95/100]
	if p95 > d.Budget {
		return fail("docs/operations/sizing.md says what to add", "19 of 20 answers come within %s; wanted is %s", p95.Round(time.Millisecond/10), d.Budget)
	}
	return pass("19 of 20 answers of %d come within %s", requests, p95.Round(time.Millisecond/10))
}
