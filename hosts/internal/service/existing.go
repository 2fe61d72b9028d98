package service

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
)

// OpenExisting is OpenStore, but it makes no file: where there is none, the default
// store is an empty one in memory, and any other an [egrid.ErrNotFound] that names
// the stores nearby.
func OpenExisting(ctx context.Context, url string) (driver.Store, error) {
	path, ok := storeurl.Path(url)
	if !ok || storeurl.Check(url) != nil {
		return OpenStore(ctx, url)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == DefaultStore():
		return memstore.New().Driver(), nil
	case errors.Is(err, fs.ErrNotExist):
		return driver.Store{}, fmt.Errorf("%w: there is no store %s%s", egrid.ErrNotFound, path, nearby(path))
	case err != nil:
		return driver.Store{}, err
	case info.IsDir():
		return driver.Store{}, fmt.Errorf("%w: %s is a folder%s", egrid.ErrInvalid, path, nearby(filepath.Join(path, "egrid.db")))
	case !isSQLite(path):
		return driver.Store{}, fmt.Errorf("%w: %s is no store; egrid load %s loads a file into one", egrid.ErrInvalid, path, path)
	}
	return OpenStore(ctx, url)
}

// OpenOrEmpty is OpenExisting for what would write, and is only tried: where there is
// no store it is an empty one in memory.
func OpenOrEmpty(ctx context.Context, url string) (driver.Store, error) {
	store, err := OpenExisting(ctx, url)
	if errors.Is(err, egrid.ErrNotFound) {
		return memstore.New().Driver(), nil
	}
	return store, err
}

const sqliteMark = "SQLite format 3\x00"

// isSQLite reads the mark at the head of a file. One that cannot be read is for
// the store to tell; an empty one is a store that nothing was written to.
func isSQLite(path string) bool {
	f, err := os.Open(path) //nolint:gosec // the person names the file
	if err != nil {
		return true
	}
	defer f.Close()
	head := make([]byte, len(sqliteMark))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	return n == 0 || bytes.Equal(head, []byte(sqliteMark))
}

// nearby names the store that was probably meant: of the same folder, or in the
// user's data folder.
func nearby(path string) string {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "; the folder " + folder + " cannot be read"
	}
	var names []string
	for _, e := range entries {
		if full := filepath.Join(folder, e.Name()); !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && holdsStore(full) {
			names = append(names, full)
		}
	}
	const few = 5
	if meant := egrid.Nearest(path, names); meant != "" {
		return "; did you mean " + meant + "?"
	}
	if len(names) > 0 {
		slices.SortStableFunc(names, cmp.Compare)
		return "; in this folder there are " + strings.Join(names[:min(few, len(names))], ", ")
	}
	if there := filepath.Join(DataDir(), filepath.Base(path)); holdsStore(there) {
		return "; did you mean " + there + "?"
	}
	return "; egrid load FILE --store " + path + " makes one"
}

// holdsStore reports whether a file is one of SQLite's that has something in it.
func holdsStore(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 && isSQLite(path)
}
