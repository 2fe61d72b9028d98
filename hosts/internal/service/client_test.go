package service_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// serveStore puts the cache, the API and the client in front of a store, which is
// loaded directly. The cache keeps no catalogue, so that publishes are seen at
// once.
func serveStore(t testing.TB, backend driver.Store) driver.Store {
	t.Helper()
	db := store.New(cache.New(backend.Scanner, &cache.Options{CatalogTTL: -1}))
	server := httptest.NewServer(httpapi.New(db, nil))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, &client.Options{HTTPClient: server.Client(), Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	backend.Scanner = c
	return backend
}

// The stores that an API is put in front of.
var behindAPI = map[string]func(testing.TB) driver.Store{
	"memory":     func(testing.TB) driver.Store { return memstore.New().Driver() },
	"SQLite":     openSQLite,
	"PostgreSQL": openPostgres,
}

func openSQLite(t testing.TB) driver.Store {
	t.Helper()
	backend, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "egrid.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	return backend.Driver()
}

var postgresSchemas atomic.Int64

// openPostgres opens a store in a schema of its own.
func openPostgres(t testing.TB) driver.Store {
	t.Helper()
	server := testenv.Server(t, "EGRID_TEST_POSTGRES")
	schema := fmt.Sprintf("test_http_%d_%d", os.Getpid(), postgresSchemas.Add(1))
	backend, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = backend.Close()
		drop := exec.CommandContext(context.WithoutCancel(t.Context()), "psql", "-qX", "-d", server, "-c", "SET client_min_messages = warning; DROP SCHEMA "+schema+" CASCADE")
		if out, err := drop.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return backend.Driver()
}

// TestClientIsAScanner runs the suite of stores on every store behind the
// cache, the API and the client.
func TestClientIsAScanner(t *testing.T) {
	t.Parallel()
	for name, open := range behindAPI {
		t.Run(name, func(t *testing.T) {
			egridtest.RunStore(t, func(t *testing.T) driver.Store { return serveStore(t, open(t)) })
		})
	}
}

// TestClientAnswersAsTheStore holds every store behind the cache, the API and
// the client against memstore.
func TestClientAnswersAsTheStore(t *testing.T) {
	t.Parallel()
	for name, open := range behindAPI {
		t.Run(name, func(t *testing.T) {
			egridtest.RunDifferential(t, func(t *testing.T) driver.Store { return serveStore(t, open(t)) })
		})
	}
}
