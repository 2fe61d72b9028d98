// Package doctor examines a deployment, or the set-up of one computer, and says of each
// item whether it passes, and what is to be done where it does not.
//
//	results := (&doctor.Deployment{Gateway: "https://grid.example.org"}).Examine(ctx)
//
// # Guarantees
//
// Nothing is changed: what is asked of an API is a question, or an order that cannot be
// carried out. A value of a setting is never part of a result. An item that was given
// nothing to look at is unknown, and never passes.
//
// # Errors
//
// There are none: what cannot be examined is a result that fails, or is unknown.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// What becomes of an item.
const (
	Pass    = "pass"
	Fail    = "fail"
	Unknown = "unknown" // there was nothing to look at
)

// Result is what was found of one item.
type Result struct {
	Item   string `json:"item"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"` // what to do, or what to give
}

func pass(format string, args ...any) Result {
	return Result{Status: Pass, Found: fmt.Sprintf(format, args...)}
}

func fail(remedy, format string, args ...any) Result {
	return Result{Status: Fail, Found: fmt.Sprintf(format, args...), Remedy: remedy}
}

func unknown(give, what string) Result {
	return Result{Status: Unknown, Found: what, Remedy: "give " + give}
}

// Deployment is what is examined. Every field may be empty: its items are unknown then.
type Deployment struct {
	Settings map[string]string // the environment that the services start with
	Known    []string          // the settings that there are

	Gateway    string        // URL that users have
	API        []string      // URLs of the services behind it
	CA         string        // file with further authorities (PEM) for https
	Prometheus string        // URL
	Backups    string        // folder of the database's backups
	BackupAge  time.Duration // of the newest, at most; default 26h
	Manifests  string        // folder of Kubernetes manifests
	Restored   string        // URL of a store that was restored from a backup
	Findings   string        // file that govulncheck -format json wrote
	Budget     time.Duration // of the 95th percentile; default 200ms
	Timeout    time.Duration // of one request; default 5s

	// Catalog reads the catalogue of a store by its URL.
	Catalog func(ctx context.Context, url string) (egrid.Catalog, error)
}

// Examine returns the ten items of the checklist, in its order.
func (d *Deployment) Examine(ctx context.Context) []Result {
	with := *d
	if with.BackupAge == 0 {
		with.BackupAge = 26 * time.Hour
	}
	if with.Budget == 0 {
		with.Budget = 200 * time.Millisecond
	}
	if with.Timeout == 0 {
		with.Timeout = 5 * time.Second
	}
	var results []Result
	for _, item := range []struct {
		name    string
		examine func(context.Context) Result
	}{
		{"environment variables", with.settings},
		{"security settings", with.security},
		{"TLS certificate", with.certificate},
		{"database backups", with.backups},
		{"monitoring alerts", with.alerts},
		{"load balancing", with.balancing},
		{"auto-scaling", with.scaling},
		{"disaster recovery", with.recovery},
		{"performance", with.performance},
		{"security audit", with.audit},
	} {
		r := item.examine(ctx)
		r.Item = item.name
		results = append(results, r)
	}
	return results
}
