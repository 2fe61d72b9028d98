// Package service holds what the host programs share: opening stores, queues
// and sources by URL, loading through a queue, and serving until told to stop.
//
//	store, err := service.OpenStore(ctx, "sqlite:egrid.db")
//	report, err := service.Load(ctx, store, broker, source, nil)
//	err = service.Serve(ctx, "127.0.0.1:4000", service.API(store, telemetry.New(), httpapi.Options{}), nil)
//
// # Guarantees
//
// What is opened here is closed by the caller. Serve and Load return when their
// context ends, after the work at hand is done.
//
// # Errors
//
// A URL that cannot be opened is an egrid.ErrInvalid that lists those that can.
//
// # See also
//
// The hosts, which add flags and nothing else.
package service

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

// DataDir is the folder of the user's data: $XDG_DATA_HOME/egrid or what the
// operating system has in its place.
func DataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "egrid")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	switch runtime.GOOS {
	case "windows":
		if dir := os.Getenv("LocalAppData"); dir != "" {
			return filepath.Join(dir, "egrid")
		}
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "egrid")
	}
	return filepath.Join(home, ".local", "share", "egrid")
}

// RejectsFile is where runs keep the records that cannot be read: a file for
// each run, in a folder of the user's data unless another one is given.
func RejectsFile(folder string) string {
	if folder == "" {
		folder = filepath.Join(DataDir(), "rejects")
	}
	return filepath.Join(folder, "{run}.csv")
}

// Store is what every store is.
type Store interface {
	driver.Store
	driver.FailureLog
}

// OpenStore opens sqlite:PATH, postgres://... or mem:. A path without a folder
// is a file of the user's data folder.
func OpenStore(ctx context.Context, url string) (Store, error) { return openStore(ctx, url, "") }

// openStore also takes the URL of a replica for queries, which may be empty.
func openStore(ctx context.Context, url, replica string) (Store, error) {
	scheme, path, _ := strings.Cut(url, ":")
	switch scheme {
	case "mem":
		return memstore.New(), nil
	case "postgres", "postgresql":
		return pgstore.Open(ctx, url, &pgstore.Options{ReadURL: replica})
	case "sqlite":
		if path == "" {
			return nil, fmt.Errorf("%w: store %q names no file; give sqlite:PATH", egrid.ErrInvalid, url)
		}
		if filepath.Base(path) == path {
			path = filepath.Join(DataDir(), path)
		}
		return sqlitestore.Open(ctx, path, nil)
	}
	return nil, fmt.Errorf("%w: store %q is none of mem:, sqlite:PATH and postgres://HOST/DATABASE", egrid.ErrInvalid, url)
}

// OpenQueue opens amqp://... or mem:.
func OpenQueue(ctx context.Context, url string) (queue.Broker, error) {
	return openQueue(ctx, url, nil)
}

func openQueue(ctx context.Context, url string, log *slog.Logger) (queue.Broker, error) {
	switch scheme, _, _ := strings.Cut(url, ":"); scheme {
	case "mem":
		return memqueue.New(&memqueue.Options{MaxMessages: 64, MaxBytes: 24 << 20}), nil
	case "amqp", "amqps":
		return rabbitqueue.Open(ctx, url, &rabbitqueue.Options{Logger: log})
	}
	return nil, fmt.Errorf("%w: queue %q is neither mem: nor amqp://HOST/VHOST", egrid.ErrInvalid, url)
}
