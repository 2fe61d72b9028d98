//go:build unix

package etl_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
)

// TestPipesAreNotRead has what cannot be read twice in a folder and as a source:
// opening it would wait for ever.
func TestPipesAreNotRead(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"US23.csv": country})
	pipe := filepath.Join(dir, "GEN23.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("no pipe can be made here: %v", err)
	}
	if got, want := listing(t, etl.Local(dir)), []string{"GEN23.csv: it is no file that can be read twice", "US23.csv"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := etl.New(etl.Local(pipe), nil, nil).Scan(t.Context()); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("a pipe that is named: %v", err)
	}
}
