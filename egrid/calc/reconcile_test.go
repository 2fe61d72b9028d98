package calc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// publish loads real files of one release, and skips where there are none.
func publish(t testing.TB, year int, release string, names ...string) *store.DB {
	t.Helper()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	backend := memstore.New().Driver()
	t.Cleanup(func() { backend.Close() })
	for _, name := range names {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		loaded, err := store.Load(t.Context(), backend, f, &store.LoadOptions{
			ReaderOptions: sheet.ReaderOptions{Name: name, Year: year, Release: release}, Publish: driver.PublishReplace,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range loaded.Reports {
			if r.Status != egrid.Published {
				t.Fatalf("%s: %s %s", name, r.Status, r.Reason)
			}
		}
	}
	return store.New(backend)
}

func TestReconcileReal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		year    int
		release string
		files   []string
	}{
		{"v2", 2018, "v2", []string{"2018/v2_state.csv", "2018/v2_subregion.csv", "2018/v2_NERC.csv", "2018/v2_US.csv", "2018/v2_PLNT-assembled.csv"}},
		{"v1", 2018, "v1", []string{"2018/v1_state.csv", "2018/v1_subregion.csv", "2018/v1_NERC.csv", "2018/v1_US.csv"}},
		{"2019", 2019, "none", []string{"2019/2018+2019_state.csv", "2019/2018+2019_subregion.csv", "2019/2018+2019_NERC.csv", "2019/2018+2019_US.csv"}},
		{"2023", 2023, "rev0", []string{"2023/ST23-rev0.csv", "2023/SRL23-rev0.csv", "2023/NRL23-rev0.csv", "2023/BA23-rev0.csv", "2023/US23-rev0.csv"}},
	} {
		year := tt.year
		if year == 2019 {
			year = 0
		}
		db := publish(t, year, tt.release, tt.files...)
		c, err := calc.Reconcile(t.Context(), db, tt.year, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(tt.name, c.Checked(), c.Matched(), c.Method, c.GWP, c.Absent, c.Hash())
		for _, v := range c.Variants {
			t.Log("  ", v)
		}
		for _, v := range c.Checks() {
			t.Log("  ", v.Level, v.From, v.Relation, v.Checked, v.Matched, v.Worst.Code, v.Worst.Column, v.Worst.Published, v.Worst.Recomputed, v.Worst.Difference(), v.Worst.Tolerance)
		}
		d := map[string]int{}
		for _, c := range c.Differing() {
			d[string(c.From)+" "+string(c.Relation)+" "+string(c.Column)]++
		}
		t.Log(d)
	}
}

func BenchmarkReconcile(b *testing.B) {
	db := publish(b, 2018, "v2", "2018/v2_state.csv", "2018/v2_subregion.csv", "2018/v2_NERC.csv", "2018/v2_US.csv", "2018/v2_PLNT-assembled.csv")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := calc.Reconcile(b.Context(), db, 2018, nil); err != nil {
			b.Fatal(err)
		}
	}
}
