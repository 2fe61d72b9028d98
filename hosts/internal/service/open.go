// Package service holds what the host programs share: opening stores, queues
// and sources by URL, loading, and serving until told to stop.
//
//	store, err := service.OpenStore(ctx, service.DefaultStore())
//	report, err := service.Load(ctx, store, nil, source, nil)
//	err = service.Serve(ctx, "127.0.0.1:4000", service.API(ctx, store, telemetry.New(), httpapi.Options{}), nil)
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
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
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

// KeepVariable says how many superseded snapshots stores keep for each level,
// data year and release.
const KeepVariable = "EGRID_KEEP"

// keepRunsVariable says how many runs the log of a store keeps.
const keepRunsVariable = "EGRID_KEEP_RUNS"

// DefaultStore is the file of the user's data folder that is the store where none is
// named.
func DefaultStore() string { return filepath.Join(DataDir(), "egrid.db") }

// OpenStore opens sqlite:PATH or a plain PATH, relative to the current folder,
// postgres://... or mem:. It makes the file where there is none.
func OpenStore(ctx context.Context, url string) (driver.Store, error) { return openStore(ctx, url, "") }

// openStore also takes the URL of a replica for queries, which may be empty.
func openStore(ctx context.Context, url, replica string) (driver.Store, error) {
	o := &storeurl.Options{ReadURL: replica}
	for _, setting := range []struct {
		variable, what string
		to             *int
	}{{KeepVariable, "superseded snapshots", &o.Keep}, {keepRunsVariable, "runs", &o.KeepRuns}} {
		text := os.Getenv(setting.variable)
		if text == "" {
			continue
		}
		keep, err := strconv.Atoi(text)
		if err != nil || keep < -1 || keep == 0 {
			return driver.Store{}, fmt.Errorf("%w: %s is %q; give the number of %s to keep, 1 or more, or -1 for all", egrid.ErrInvalid, setting.variable, text, setting.what)
		}
		*setting.to = keep
	}
	return storeurl.Open(ctx, url, o)
}

// OpenQueue opens amqp://... It returns nil for an empty URL and for mem:, since
// then loads write into the store themselves.
func OpenQueue(ctx context.Context, url string) (queue.Broker, error) {
	if strings.HasPrefix(url, "mem:") {
		url = "" // a queue in the process would only be a longer way to the store
	}
	return openQueue(ctx, url, nil)
}

func openQueue(ctx context.Context, url string, log *slog.Logger) (queue.Broker, error) {
	scheme, _, ok := strings.Cut(url, ":")
	switch scheme {
	case "":
		return nil, nil //nolint:nilnil // no queue is no error
	case "mem":
		return memqueue.New(&memqueue.Options{MaxMessages: 64, MaxBytes: 24 << 20}), nil
	case "amqp", "amqps":
		b, err := rabbitqueue.Open(ctx, url, &rabbitqueue.Options{Logger: log})
		if errors.Is(err, queue.ErrInvalid) { // no broker that comes later mends it
			return nil, fmt.Errorf("%w: the address of the queue: %w", egrid.ErrInvalid, err)
		}
		if err != nil {
			return nil, err
		}
		return b, nil
	}
	begins := "is none" // and may hold a secret
	if ok {
		begins = "begins with " + strconv.Quote(scheme+":")
	}
	return nil, fmt.Errorf("%w: the queue's URL %s; give amqp://HOST/VHOST, or mem: for none", egrid.ErrInvalid, begins)
}
