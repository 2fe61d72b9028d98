package main

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// sample writes the bundled sample into a folder.
func (s shell) sample() string {
	s.Helper()
	dir := s.TempDir()
	if err := os.CopyFS(dir, data.Files()); err != nil {
		s.Fatal(err)
	}
	return dir
}

// Every level of the sample, and sheets of EPA's, come back from a file: as the
// same snapshots into a store of its own, and as unchanged into the one that they
// are from.
func TestExportsLoadAgain(t *testing.T) {
	for name, source := range map[string]func(t *testing.T) []string{
		"sample": func(t *testing.T) []string { return []string{shell{T: t}.sample()} },
		"2023":   func(t *testing.T) []string { return []string{testenv.File(t, "2023/GEN23.csv")} },
		"2018":   func(t *testing.T) []string { return []string{testenv.File(t, "2018/v2_PLNT-assembled.csv")} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.report(0, source(t)...)
			published := s.snapshots()
			if len(published) == 0 {
				t.Fatal("nothing is published")
			}
			for _, format := range []string{"parquet", "xlsx", "csv"} {
				s.loadAgain(format, published)
			}
		})
	}
}

func (s shell) loadAgain(format string, published []egrid.Snapshot) {
	s.Helper()
	folder := s.TempDir()
	of := func(x *egrid.Snapshot) []string {
		release := x.Release
		if release == "" {
			release = egrid.NoRelease
		}
		return []string{"rows", string(x.Level), "--year", egrid.IntegerOf(int64(x.Year)).String(), "--release", release}
	}
	for i := range published {
		x := &published[i]
		name := strings.TrimSuffix(strings.Join([]string{string(x.Level), egrid.IntegerOf(int64(x.Year)).String(), x.Release}, "_"), "_")
		s.run(0, append(of(x), "--output", filepath.Join(folder, name+"."+format))...)
	}
	if r := s.report(0, folder); r.Status != etl.Unchanged {
		s.Errorf("%s into the same store: %s, %s", format, r.Status, reasonsOf(r))
	}
	store := "sqlite:" + filepath.Join(s.TempDir(), "again.db")
	s.report(0, "--store", store, folder)
	again := s.snapshots("--store", store)
	if len(again) != len(published) {
		s.Fatalf("%s: %d snapshots; want %d", format, len(again), len(published))
	}
	for i := range published {
		x, y := &published[i], &again[i]
		if x.Level != y.Level || x.Year != y.Year || x.Release != y.Release || x.Rows != y.Rows {
			s.Errorf("%s: %s %d %s became %s %d %s", format, x.Level, x.Year, x.Release, y.Level, y.Year, y.Release)
		}
		if x.ID != y.ID {
			s.Errorf("%s of %s: content %s; want %s", format, x.Level, y.ID, x.ID)
		}
		csv := append(of(x), "--format", "csv")
		if got, want := s.run(0, append(csv, "--store", store)...), s.run(0, csv...); got != want {
			s.Errorf("%s of %s: other cells", format, x.Level)
		}
	}
}

// The description of a CSV names its columns.
func TestDescribedCSV(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("GEN23.csv", generators))
	for _, codes := range [][]string{nil, {"--codes", "epa"}} {
		ask := append([]string{"rows", "GEN"}, codes...)
		header, _, _ := strings.Cut(s.run(0, append(ask, "--format", "csv")...), "\n")
		var described struct {
			Resources []struct {
				Path   string
				Schema struct{ Fields []struct{ Name string } }
			}
		}
		if err := json.Unmarshal([]byte(s.run(0, append(ask, "--format", "datapackage")...)), &described); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range described.Resources[0].Schema.Fields {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, ","); got != header || described.Resources[0].Path != "GEN_2023.csv" {
			t.Errorf("%s of %s; want %s", got, described.Resources[0].Path, header)
		}
	}
}

func TestOutput(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("GEN23.csv", generators))
	if err := os.WriteFile(filepath.Join(s.dir, "is.xlsx"), []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(s.dir, name) }
	for name, begins := range map[string]string{
		"a.csv": "level,data_year,", "a.ndjson": `{"level":"GEN",`, "a.json": `[{"level":"GEN",`, "a.parquet": "PAR1", "is.xlsx": "PK\x03\x04",
		"a.txt": "state  plant_name", "a.datapackage.json": "{\n  \"name\": \"a\",", "a.csvt": `"String","Integer64",`,
	} {
		if text := s.run(0, "rows", "GEN", "--output", at(name)); text != "" {
			t.Errorf("%s: %q on standard output", name, text)
		}
		if written, err := os.ReadFile(at(name)); err != nil || !strings.HasPrefix(string(written), begins) {
			t.Errorf("%s: %v, %.40q; want %q", name, err, written, begins)
		}
	}
	if text := s.run(0, "rows", "GEN", "--format", "xlsx"); !strings.HasPrefix(text, "PK\x03\x04") { // standard output is no terminal here
		t.Errorf("%.20q", text)
	}
	s.run(0, "top", "--output", at("top.parquet"))
	s.says(2, "--codes is for the header of a table", "rows", "GEN", "--codes", "epa", "--format", "parquet")
	s.says(2, "--codes is for the header of a table", "rows", "GEN", "--codes", "epa")
	s.says(1, "no such file or directory", "rows", "GEN", "--output", at("nowhere/a.csv"))
	s.says(1, "no GEN rows of data year 2021 are published", "rows", "GEN", "--year", "2021", "--output", at("none.csv"))
	left := map[string]bool{}
	for _, e := range must(os.ReadDir(s.dir)) {
		left[e.Name()] = true
	}
	if left["none.csv"] || slices.ContainsFunc(slices.Collect(maps.Keys(left)), func(name string) bool { return strings.HasSuffix(name, ".part") }) {
		t.Errorf("left behind: %v", left)
	}
}

func must(entries []fs.DirEntry, err error) []fs.DirEntry {
	if err != nil {
		panic(err)
	}
	return entries
}
