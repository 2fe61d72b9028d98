// Package storeurl opens a store by its URL, for programs whose users choose
// where the data are.
//
//	backend, err := storeurl.Open(ctx, "sqlite:/var/lib/egrid/egrid.db", nil)
//	defer backend.Close()
//	page, err := store.New(backend).Rows(ctx, egrid.RowQuery{Level: egrid.PLNT})
//
// A program that knows its kind of store imports that package alone and compiles
// less.
//
// Start with [Open].
//
// # Errors
//
// [egrid.ErrInvalid] for a URL of no known kind or one that cannot be read; the text
// lists the kinds, and never the URL, which may hold a password: [Check] tells that
// before anything is opened. Else those of the package that opens the store.
//
// # See also
//
// Packages memstore, sqlitestore and pgstore.
package storeurl

import (
	"context"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// Options tune what is opened. The zero value of every field means its default.
type Options struct {
	ReadURL string // PostgreSQL: a replica that answers queries; default the store itself
	Keep    int    // superseded snapshots kept for each level, data year and release; default 10, -1 keeps all
	// KeepRuns is how many runs the log keeps; default 1,000, -1 keeps all. A store in
	// memory keeps 1,000.
	KeepRuns int
}

// Open opens sqlite:PATH, a plain PATH, postgres://HOST/DATABASE or mem:. A path is
// relative to the current folder; a file that is not there is made. The caller closes
// the store.
func Open(ctx context.Context, url string, o *Options) (driver.Store, error) {
	if o == nil {
		o = &Options{}
	}
	if err := Check(url); err != nil {
		return driver.Store{}, err
	}
	if path, ok := Path(url); ok {
		s, err := sqlitestore.Open(ctx, path, &sqlitestore.Options{Keep: o.Keep, KeepRuns: o.KeepRuns})
		if err != nil {
			return driver.Store{}, err
		}
		return s.Driver(), nil
	}
	if strings.HasPrefix(url, "mem:") {
		return memstore.New().Driver(), nil
	}
	s, err := pgstore.Open(ctx, url, &pgstore.Options{ReadURL: o.ReadURL, Keep: o.Keep, KeepRuns: o.KeepRuns})
	if err != nil {
		return driver.Store{}, err
	}
	return s.Driver(), nil
}
