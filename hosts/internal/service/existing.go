package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

// OpenExisting is OpenStore, but it makes no file: where there is none, the store
// is an empty one in memory.
func OpenExisting(ctx context.Context, url string) (driver.Store, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok && path != "" && absent(path) && (filepath.Base(path) != path || absent(filepath.Join(DataDir(), path))) {
		return memstore.New().Driver(), nil
	}
	return OpenStore(ctx, url)
}

func absent(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
