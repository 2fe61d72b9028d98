package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/etl"
)

// TestStandardInput loads and checks what is piped in, and leaves no file behind.
func TestStandardInput(t *testing.T) {
	s := newShell(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	long := generators + strings.Repeat("2023,TX,Alpha,77,1,NG,5,5\n", 20_000)
	var r etl.Report
	if err := json.Unmarshal([]byte(s.runWith(long, 0, "load", "--json", "-")), &r); err != nil {
		t.Fatal(err)
	}
	if r.RowsLoaded != 20_004 || r.Files[0].Object != "standard input" || r.Files[0].Bytes != int64(len(long)) {
		t.Errorf("loaded %d rows of %+v", r.RowsLoaded, r.Files)
	}
	if text := s.run(0, "snapshots"); !strings.Contains(text, "standard input") {
		t.Errorf("snapshots: %s", text)
	}
	for _, test := range []struct {
		name, stdin string
		want        int
		args        []string
		text        string
	}{
		{"validate", generators, 0, []string{"validate", "-"}, "standard input"},
		{"a dry run", generators, 3, []string{"load", "--dry-run", "-"}, "standard input"},
		{"beside a file", long, 0, []string{"load", "-", s.file("US23.csv", "YEAR,US,USNGENAN\n2023,US,1\n")}, "US23.csv"},
		{"nothing", "", 1, []string{"load", "-"}, "empty"},
		{"twice", generators, 2, []string{"load", "-", "-"}, "named twice"},
		{"scan", generators, 2, []string{"scan", "-"}, "save it to a file"},
		{"serve", generators, 2, []string{"serve", "--sources", "-"}, "save it to a file"},
		{"the next stage", s.runWith(generators, 0, "validate", "--json", "-"), 0, []string{"divide", "--in", "-"}, "another process has read standard input"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (shell{t, s.dir}).runWith(test.stdin, test.want, test.args...); !strings.Contains(got, test.text) {
				t.Errorf("got %s; want %q", got, test.text)
			}
		})
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestLinkedFolder loads a folder through a link, and one with a link to a folder.
func TestLinkedFolder(t *testing.T) {
	s := newShell(t)
	real := filepath.Dir(s.file("ST23.csv", "YEAR,PSTATABB,STNGENAN\n2023,AK,1\n"))
	top := t.TempDir()
	if err := os.WriteFile(filepath.Join(top, "US23.csv"), []byte("YEAR,US,USNGENAN\n2023,US,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"2023": real, "again": real} {
		if err := os.Symlink(target, filepath.Join(top, name)); err != nil {
			t.Skipf("no links can be made here: %v", err)
		}
	}
	for _, source := range []string{filepath.Join(top, "2023"), filepath.Join(top, "2023") + "/"} {
		if r := s.report(0, "--dry-run", source); len(r.Files) != 1 || r.Files[0].Object != "ST23.csv" {
			t.Errorf("%s: %+v", source, r.Files)
		}
	}
	r := s.report(0, top)
	if r.Status != etl.Published || r.RowsLoaded != 2 || len(r.Files) != 3 {
		t.Errorf("%d rows loaded of %+v", r.RowsLoaded, r.Files)
	}
	if text := s.run(0, "load", top); !strings.Contains(text, "it is the same folder as 2023") {
		t.Errorf("what is left out is not told: %s", text)
	}
}
