package etl_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

func sumOf(t *testing.T, q driver.Scanner, level egrid.Level, year int) string {
	t.Helper()
	groups, err := ask(q).Groups(t.Context(), egrid.GroupQuery{Level: level, Year: year, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}}})
	if err != nil {
		t.Fatal(err)
	}
	return groups.Row(0).Text(egrid.NetGeneration)
}

func countOf(t *testing.T, q driver.Scanner, f egrid.Filter) int64 {
	t.Helper()
	page, err := ask(q).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Filters: []egrid.Filter{f}, Count: true, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}

// TestRealGenerators loads the generator sheets, each into a store of its own.
// The totals are those of the files' README.
func TestRealGenerators(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t)
	for _, test := range []struct {
		file  string
		year  int
		rows  int64
		sum   string
		lossy []string
	}{
		{"2023/GEN23.csv", 2023, 26601, "4188971343.358", []string{}},
		{"2023/GEN23-display-format.csv", 2023, 26601, "4188971860", []string{"GENNTAN"}}, // the display format has taken nothing from the others
		{"2023/egridData.csv", 2023, 26601, "4188971860", []string{"GENNTAN"}},
		{"2016/GEN16.csv", 2016, 26183, "", []string{"NAMEPCAP", "GENNTAN", "GENNTOZ"}},
		{"2021/GEN21-subset.csv", 2021, 25031, "", []string{}},
	} {
		report, store := run(t, etl.Local(filepath.Join(dir, test.file)), nil)
		sheet := report.Files[0].Sheets[0]
		if report.Status != etl.Published || report.RowsRead != test.rows || report.RowsLoaded != test.rows || report.RowsRejected != 0 || sheet.Year != test.year {
			t.Errorf("%s: %+v", test.file, report)
		}
		for _, code := range test.lossy {
			if !slices.Contains(sheet.Lossy, code) {
				t.Errorf("%s: lossy %q; want %s among them", test.file, sheet.Lossy, code)
			}
		}
		if len(test.lossy) == 0 && len(sheet.Lossy) > 0 {
			t.Errorf("%s: lossy %q", test.file, sheet.Lossy)
		}
		if sum := sumOf(t, store, egrid.GEN, test.year); test.sum != "" && sum != test.sum {
			t.Errorf("%s: the sum is %s; want %s", test.file, sum, test.sum)
		}
		switch test.file {
		case "2023/GEN23.csv":
			if n := countOf(t, store, egrid.Where(egrid.NetGeneration, egrid.Lt, "0")); n != 985 {
				t.Errorf("%d negative values; want 985", n)
			}
			if n := countOf(t, store, egrid.Where(egrid.NetGeneration, egrid.Missing)); n != 705 {
				t.Errorf("%d missing values; want 705", n)
			}
		case "2016/GEN16.csv":
			i := slices.IndexFunc(report.Audits, func(a egrid.Audit) bool { return a.Rule == "duplicate_key" })
			if i < 0 || !slices.Equal(report.Audits[i].Examples, []string{"3612/1", "3612/2", "3612/3"}) {
				t.Errorf("audits %+v; want the duplicates 3612/1, /2 and /3", report.Audits)
			}
			for _, id := range []string{"1", "2", "3"} {
				page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.PlantCode, egrid.Eq, "3612"), egrid.Where(egrid.GeneratorID, egrid.Eq, id)}})
				if err != nil || page.Len() != 2 {
					t.Errorf("%d rows of 3612/%s, %v; want both", page.Len(), id, err)
				}
			}
		}
	}
}

// TestRealRegions loads what is special about the region sheets.
func TestRealRegions(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t)
	report, store := run(t, etl.Local(filepath.Join(dir, "2018"), filepath.Join(dir, "2019")), nil)
	lines := sheetsOf(report)
	for _, want := range []string{
		"2018+2019_state.csv ST 2018 51/51/0 published", "2018+2019_state.csv ST 2019 52/52/0 published",
		"v1_state.csv ST 2018 v1 51/51/0 published", "v2_state.csv ST 2018 v2 51/51/0 published",
		"2018+2019_GGL.csv GGL 2019 6/6/0 published",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in %q", want, lines)
		}
	}
	page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.NRL, Year: 2019, Filters: []egrid.Filter{egrid.Where(egrid.NERCRegion, egrid.Eq, "NA")}})
	if err != nil || page.Len() != 1 {
		t.Errorf("%d rows of the NERC code NA, %v", page.Len(), err)
	}
	// EPA's two exports give other losses for 2018: Western 4.80 % and 4.58 %.
	for _, file := range []string{"GGL.csv GGL 2018 6/0/0 held", "2018+2019_GGL.csv GGL 2018 6/0/0 held"} {
		if !slices.Contains(lines, file) {
			t.Errorf("no line %q in %q", file, lines)
		}
	}
	ggl, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GGL, Year: 2019, Release: egrid.NoRelease})
	if err != nil || ggl.Len() != 6 || !strings.Contains(ggl.Row(1).Text("subregions"), "\n") {
		t.Errorf("grid gross loss: %v, %v", ggl.Batch, err)
	}
	if loss, _ := ggl.Row(0).Float(egrid.GridGrossLoss); loss < 0.04 || loss > 0.06 {
		t.Errorf("grid gross loss of %s is %v; want a share", ggl.Row(0).Text(egrid.Region), loss)
	}
	if i := slices.IndexFunc(report.Audits, func(a egrid.Audit) bool { return a.Rule == "total_differs_from_us_sheet" }); i >= 0 {
		t.Errorf("regions do not add up to the US: %+v", report.Audits[i])
	}
	us, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.US, Year: 2018})
	if err != nil || us.Snapshots[0].Release != "v2" || us.Row(0).Text(egrid.NetGeneration) != "4168370118" {
		t.Errorf("the US in 2018: %v, %v", us.Batch, err)
	}
}

// TestRealFolder loads the whole folder: every sheet in CSV loads, and what
// does not load is refused with the reason and the remedy.
func TestRealFolder(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t)
	report, _ := run(t, etl.Local(dir), nil)
	if want := "2021/UNT21.xlsx Unit_File UNT 2021 24598/24598/0 published"; !slices.Contains(sheetsOf(report), want) {
		t.Errorf("no %q in %q", want, sheetsOf(report))
	}
	for _, f := range report.Files {
		if !etl.Loadable(f.Object) {
			if f.Sheets[0].Status != etl.LeftOut {
				t.Errorf("%s: %s; want left out", f.Object, f.Sheets[0].Status)
			}
			continue
		}
		mapped := strings.Contains(f.Object, "renamed-subset")
		refused := mapped || strings.HasPrefix(f.Object, "reference/") || strings.HasSuffix(f.Object, ".xlsx") || strings.HasSuffix(f.Object, ".xls")
		reason := ""
		for _, s := range f.Sheets {
			if s.Status == etl.LeftOut {
				refused = false // by its name
				continue
			}
			reason += s.Reason
			if s.Rejected > 0 {
				t.Errorf("%s: %d rows rejected", f.Object, s.Rejected)
			}
			if s.Status != etl.Published && s.Status != etl.Unchanged && s.Status != etl.Held && !refused {
				t.Errorf("%s: %s: %s", f.Object, s.Status, s.Reason)
			}
		}
		if refused && !strings.Contains(reason, "etl.json") && f.Object != "2021/UNT21.xlsx" {
			t.Errorf("%s: %q does not name the remedy", f.Object, reason)
		}
	}
	config, err := os.Open(filepath.Join("..", "examples", "etl.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	mapping, err := etl.ReadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"2018/PLNT18-renamed-subset.csv": "PLNT 2018", "2021/PLNT21-renamed-subset.csv": "PLNT 2021"} {
		report, _ := run(t, etl.Local(filepath.Join(dir, file)), &etl.Options{Config: mapping})
		if line := strings.Join(sheetsOf(report), "\n"); !strings.Contains(line, want) || !strings.HasSuffix(line, "/0 published") {
			t.Errorf("%s with a mapping: %q %+v", file, line, report.Files)
		}
	}
}

// TestOverlappingExports: what is published of a folder does not depend on the
// order of its files.
func TestOverlappingExports(t *testing.T) {
	t.Parallel()
	files := []string{"GEN23.csv", "GEN23-display-format.csv", "egridData.csv"}
	heads := map[string]string{} // of the same generators in each
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(testenv.Data(t), "2023", file))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		start := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "GENNTAN") })
		heads[file] = strings.Join(lines[start:start+2001], "")
	}
	dir := folder(t, heads)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		store := memstore.New()
		for _, i := range order {
			if _, err := etl.New(etl.Local(filepath.Join(dir, files[i])), etl.ToLoader(store), nil).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c, err := store.Catalog(t.Context())
		if snap, ok := c.Published(egrid.GEN, 2023, ""); err != nil || !ok || snap.Sources[0].Object != "GEN23.csv" || snap.Rows != 2000 {
			t.Errorf("order %v: published is %+v, %v", order, snap, err)
		}
	}
}

// TestOverlappingPlants: two exports of the plants of 2016, the one with more columns and
// all digits, the other with CO2e, end in the same values in any order and any runs.
func TestOverlappingPlants(t *testing.T) {
	t.Parallel()
	files := []string{"PLNT16-assembled.csv", "PLNT16-subset.csv"}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(testenv.Data(t), "2016", file))
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	var want egrid.SnapshotID
	for _, runs := range [][][]int{{{0, 1}}, {{0}, {1}}, {{1}, {0}}, {{1}, {0, 1}}, {{0}, {0, 1}}, {{0, 1}, {0}}, {{0, 1}, {1}}, {{0}, {1}, {0}, {1}}, {{1}, {0}, {1}, {0}}} {
		store := memstore.New()
		for i, together := range runs {
			some := map[string]string{}
			for _, at := range together {
				some[files[at]] = texts[files[at]]
			}
			report, err := etl.New(etl.Local(folder(t, some)), etl.ToLoader(store), nil).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !report.Complete() || i > 1 && report.Status != etl.Unchanged {
				t.Errorf("runs %v, the %d.: %s, %q", runs, i+1, report.Status, sheetsOf(report))
			}
		}
		c, err := store.Catalog(t.Context())
		live, ok := c.Published(egrid.PLNT, 2016, "")
		if err != nil || !ok || live.Rows != 9709 || !live.Schema.Has("co2e_short_tons") || !live.Schema.Has("coal_generation_share") {
			t.Fatalf("runs %v: published is %+v, %v", runs, live, err)
		}
		if want == "" {
			want = live.ID
		}
		if sum := sumOf(t, store, egrid.PLNT, 2016); live.ID != want || sum != "4075322641.089" {
			t.Errorf("runs %v end in %s with %s MWh; want %s", runs, live.ID, sum, want)
		}
		if held := slices.ContainsFunc(c.Snapshots, func(s egrid.Snapshot) bool { return s.Status == egrid.Held }); held {
			t.Errorf("runs %v: %+v", runs, c.Snapshots)
		}
		store.Close()
	}
}
