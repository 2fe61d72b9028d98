package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/doctor"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// nobody knows no credentials.
func nobody(*http.Request) (middleware.Identity, error) { return middleware.Identity{}, nil }

// anybody lets everybody do everything, as a proxy that adds credentials would.
func anybody(*http.Request) (middleware.Identity, error) {
	return middleware.Identity{Subject: "x", Scopes: []middleware.Scope{middleware.ScopeAdmin}}, nil
}

type world struct {
	*testing.T
	dir     string
	live    *memstore.Store
	catalog egrid.Catalog
}

func (w *world) file(name, text string) string {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

func (w *world) api(o *httpapi.Options) http.Handler {
	return httpapi.New(store.New(w.live.Driver()), o)
}

// serve serves with a certificate that is good for so long, and returns the URL and the
// file of its authority.
func (w *world) serve(h http.Handler, good time.Duration) (url, ca string) {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "doctor"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(good),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		w.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	w.Cleanup(s.Close)
	return s.URL, w.file("ca-"+filepath.Base(s.URL)+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

func (w *world) plain(h http.Handler) string {
	s := httptest.NewServer(h)
	w.Cleanup(s.Close)
	return s.URL
}

// prometheus answers as its HTTP API does.
func prometheus(rules string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/rules" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"success","data":{"groups":[{"name":"egrid","rules":[%s]}]}}`, rules)
	})
}

const (
	goodRules = `{"name":"Down","query":"up == 0","health":"ok","type":"alerting"},{"name":"Held","query":"egrid_held_loads > 0","health":"ok","type":"alerting"}`
	policy    = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: api\nspec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: api\n  minReplicas: 2\n  maxReplicas: 6\n"
	scanned   = `{"config":{"protocol_version":"v1.0.0","scanner_name":"govulncheck"}}` + "\n"
)

// TestDeployment examines a good deployment, and ten that have one fault each.
func TestDeployment(t *testing.T) {
	t.Parallel()
	w := &world{T: t, dir: t.TempDir(), live: memstore.New()}
	t.Cleanup(func() { w.live.Close() })
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(w.live.Driver()), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.catalog, err = w.live.Driver().Catalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	options := func() *httpapi.Options {
		return &httpapi.Options{History: w.live.Driver().History, Authenticate: nobody, RateLimit: &middleware.RateLimitOptions{Requests: 100_000, Window: time.Minute}}
	}
	good := w.api(options())
	gateway, ca := w.serve(good, 365*24*time.Hour)
	fresh := func() doctor.Deployment {
		return doctor.Deployment{
			Settings: map[string]string{"EGRID_STORE_FILE": w.file("store", "postgres://egrid:b7Kx@db/egrid\n"), "EGRID_QUEUE": "amqp://egrid:b7Kx@broker/"},
			Known:    []string{"EGRID_STORE", "EGRID_QUEUE", "EGRID_RATE_LIMIT"},
			Gateway:  gateway, API: []string{w.plain(good), w.plain(good)}, CA: ca,
			Prometheus: w.plain(prometheus(goodRules)), Backups: filepath.Dir(w.file("backups/egrid.dump", "PGDMP")),
			Manifests: filepath.Dir(w.file("manifests/api.yaml", policy)), Restored: "restored", Findings: w.file("findings.json", scanned), Budget: time.Minute,
			Catalog: func(_ context.Context, url string) (egrid.Catalog, error) {
				switch url {
				case "restored", "postgres://egrid:b7Kx@db/egrid":
					return w.catalog, nil
				case "part":
					part := w.catalog
					part.Snapshots = part.Snapshots[1:]
					return part, nil
				}
				return egrid.Catalog{}, errors.New("it is away")
			},
		}
	}
	for _, test := range []struct {
		name  string
		bad   func(*doctor.Deployment)
		item  string // the one that fails
		found string
	}{
		{"good", func(*doctor.Deployment) {}, "", ""},
		{"a setting is misspelt", func(d *doctor.Deployment) { d.Settings["EGRID_RATE_LIMT"] = "100" }, "environment variables", "EGRID_RATE_LIMT is no setting (EGRID_RATE_LIMIT?)"},
		{"no queue", func(d *doctor.Deployment) { delete(d.Settings, "EGRID_QUEUE") }, "environment variables", "EGRID_QUEUE is not set"},
		{"a store of one process", func(d *doctor.Deployment) {
			d.Settings["EGRID_STORE_FILE"] = w.file("file", "egrid.db")
			d.Restored = ""
		}, "environment variables", "no server"},
		{"credentials of the trial", func(d *doctor.Deployment) { d.Settings["EGRID_QUEUE"] = "amqp://guest:guest@broker/" }, "security settings", "everybody knows: EGRID_QUEUE"},
		{"everybody may write", func(d *doctor.Deployment) {
			o := options()
			o.Authenticate = anybody
			d.Gateway, d.CA = w.serve(w.api(o), 365*24*time.Hour)
		}, "security settings", "without credentials"},
		{"no limit, any origin", func(d *doctor.Deployment) {
			o := options()
			o.RateLimit, o.AllowedOrigins = nil, []string{"*"}
			d.Gateway, d.CA = w.serve(w.api(o), 365*24*time.Hour)
		}, "security settings", "without limit; pages of every origin"},
		{"a certificate that ends tomorrow", func(d *doctor.Deployment) { d.Gateway, d.CA = w.serve(good, 24*time.Hour) }, "TLS certificate", "good until"},
		{"no TLS", func(d *doctor.Deployment) { d.Gateway = w.plain(good) }, "TLS certificate", "by http"},
		{"an old backup", func(d *doctor.Deployment) { d.BackupAge = time.Nanosecond }, "database backups", "is of"},
		{"an empty backup", func(d *doctor.Deployment) { d.Backups = filepath.Dir(w.file("none/egrid.dump", "")) }, "database backups", "is empty"},
		{"no alerts", func(d *doctor.Deployment) { d.Prometheus = w.plain(prometheus("")) }, "monitoring alerts", "0 rules"},
		{"a rule that fails", func(d *doctor.Deployment) {
			d.Prometheus = w.plain(prometheus(goodRules + `,{"name":"Broken","query":"egrid_","health":"err","lastError":"parse error"}`))
		}, "monitoring alerts", "Broken fails"},
		{"one api", func(d *doctor.Deployment) { d.API = d.API[:1] }, "load balancing", "one api"},
		{"nothing grows", func(d *doctor.Deployment) {
			d.Manifests = filepath.Dir(w.file("fixed/api.yaml", strings.Replace(policy, "maxReplicas: 6", "maxReplicas: 2", 1)))
		}, "auto-scaling", "lets nothing grow"},
		{"no policies", func(d *doctor.Deployment) { d.Manifests = filepath.Dir(w.file("bare/api.yaml", "kind: Deployment\n")) }, "auto-scaling", "no HorizontalPodAutoscaler"},
		{"a snapshot was not restored", func(d *doctor.Deployment) { d.Restored = "part" }, "disaster recovery", "1 of "},
		{"slow", func(d *doctor.Deployment) { d.Budget = time.Nanosecond }, "performance", "wanted is 1ns"},
		{"a vulnerability", func(d *doctor.Deployment) {
			d.Findings = w.file("called.json", scanned+`{"finding":{"osv":"GO-2026-0001","trace":[{"module":"m","function":"F"}]}}`)
		}, "security audit", "GO-2026-0001"},
		{"no audit", func(d *doctor.Deployment) { d.Findings = w.file("text.json", "No vulnerabilities found.") }, "security audit", "no output of govulncheck"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := fresh()
			test.bad(&d)
			results := d.Examine(t.Context())
			if len(results) != 10 {
				t.Fatalf("%d items", len(results))
			}
			for _, r := range results {
				switch {
				case r.Item == test.item:
					if r.Status != doctor.Fail || !strings.Contains(r.Found, test.found) || r.Remedy == "" {
						t.Errorf("%+v; want that it fails with %q, and a remedy", r, test.found)
					}
				case r.Status != doctor.Pass && !(r.Item == "disaster recovery" && d.Restored == ""):
					t.Errorf("%+v; want it to pass", r)
				}
				if strings.Contains(r.Found+r.Remedy, "b7Kx") {
					t.Errorf("%+v tells a password", r)
				}
			}
		})
	}
}

// What was given nothing to look at never passes, and what is away fails.
func TestNothing(t *testing.T) {
	t.Parallel()
	for _, r := range (&doctor.Deployment{}).Examine(t.Context()) {
		if r.Status != doctor.Unknown || !strings.HasPrefix(r.Remedy, "give ") {
			t.Errorf("%+v; want it unknown, and what to give", r)
		}
	}
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	d := doctor.Deployment{Gateway: away.URL + "?token=s3cret", API: []string{away.URL}, Prometheus: away.URL, CA: "nowhere.pem", Backups: "nowhere", Manifests: "nowhere", Findings: "nowhere"}
	failing := 0
	for _, r := range d.Examine(t.Context()) {
		if r.Status == doctor.Fail {
			failing++
		}
		if r.Status == doctor.Pass || strings.Contains(r.Found, "s3cret") {
			t.Errorf("%+v", r)
		}
	}
	if failing != 8 {
		t.Errorf("%d items fail; want 8", failing)
	}
}

// A gateway that answers otherwise than an API fails, and does not crash the doctor.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"a page":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html>") },
		"nothing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"an end":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		s := httptest.NewServer(h)
		d := doctor.Deployment{Gateway: s.URL, API: []string{s.URL}, Prometheus: s.URL}
		results := d.Examine(t.Context())
		s.Close()
		for _, item := range []string{"security settings", "TLS certificate", "monitoring alerts", "load balancing"} {
			if i := slices.IndexFunc(results, func(r doctor.Result) bool { return r.Item == item }); results[i].Status != doctor.Fail {
				t.Errorf("%s: %+v", name, results[i])
			}
		}
	}
}
