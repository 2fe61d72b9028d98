//go:build containers

package containers_test

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// edition is the files of a data year, and what the API has to answer.
type edition struct {
	dir  string
	year int
	want map[egrid.Level]string // every row, as CSV
}

func newEdition(t *testing.T, seed uint64, plants, year int) *edition {
	t.Helper()
	e := &edition{dir: filepath.Join(folder, fmt.Sprint("edition-", year, "-", seed)), year: year, want: map[egrid.Level]string{}}
	if _, err := egridtest.NewSample(&egridtest.SampleOptions{Seed: seed, Plants: plants, Year: year}).WriteFolder(e.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(e.dir, 0o755); err != nil { // containers read it as users of their own
		t.Fatal(err)
	}
	backend := memstore.New()
	if _, err := etl.New(etl.FS(os.DirFS(e.dir)), etl.ToLoader(backend), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(store.New(backend), nil)
	for _, level := range egridtest.SampleLevels() {
		if level == egrid.ZIP {
			continue // of no year
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, e.path(level), nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d: %s", e.path(level), w.Code, w.Body)
		}
		e.want[level] = w.Body.String()
	}
	return e
}

func (e *edition) path(level egrid.Level) string {
	return fmt.Sprintf("/levels/%s/rows?year=%d&format=csv", level, e.year)
}

// differs says where the deployment answers otherwise than a store in memory that
// had the same files.
func (e *edition) differs(ctx context.Context) error {
	for level, want := range e.want {
		got, err := get(ctx, gateway+e.path(level))
		if err != nil {
			return err
		}
		if sorted(got) != sorted(want) {
			return fmt.Errorf("%s: %d rows with the sums %s; want %d with %s", level, strings.Count(got, "\n"), sums(got), strings.Count(want, "\n"), sums(want))
		}
	}
	return nil
}

// wantServed checks every row of every level.
func (e *edition) wantServed(t *testing.T) {
	t.Helper()
	eventually(t, "the rows are those of the files", func() error { return e.differs(t.Context()) })
	hash := sha256.New()
	rows := 0
	for _, level := range egridtest.SampleLevels() {
		fmt.Fprintln(hash, sorted(e.want[level]))
		rows += max(0, strings.Count(e.want[level], "\n")-1)
	}
	t.Logf("exact: %d rows of %d levels, SHA-256 %s; plants: %s", rows, len(e.want), hex.EncodeToString(hash.Sum(nil))[:16], sums(e.want[egrid.PLNT]))
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// sums adds some columns of a table.
func sums(text string) string {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) == 0 {
		return "none"
	}
	var out []string
	for i, name := range records[0] {
		if name != "net_generation_mwh" && name != "co2_short_tons" && name != "nameplate_capacity_mw" {
			continue
		}
		sum := 0.0
		for _, r := range records[1:] {
			x, _ := strconv.ParseFloat(r[i], 64) // missing is nothing
			sum += x
		}
		out = append(out, fmt.Sprintf("%s %.3f", name, sum))
	}
	return strings.Join(out, ", ")
}
