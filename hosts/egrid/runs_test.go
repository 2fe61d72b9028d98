package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// TestRunLog: every load is in the log, by whomever it was made, and of a dry run
// there is nothing to tell.
func TestRunLog(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	s.run(0, "load", "--dry-run", gen)
	report := s.report(0, gen)
	s.run(1, "load", filepath.Join(s.dir, "nothing.csv"))
	answer := func(name string, args ...string) string {
		t.Helper()
		path := filepath.Join(s.TempDir(), name)
		if err := os.WriteFile(path, []byte(s.run(0, args...)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	scanned := answer("scan.json", "scan", gen)
	validated := answer("validate.json", "validate", "--in", scanned)
	divided := answer("divide.json", "divide", "--in", validated)
	streamed := answer("stream.json", "stream", "--in", divided)
	s.run(0, "report", "--in", streamed)

	var runs []driver.Run
	if err := json.Unmarshal([]byte(s.run(0, "runs", "--json")), &runs); err != nil {
		t.Fatal(err)
	}
	if len(runs) < 2 || runs[0].Trigger != driver.ByStages || runs[0].Status != driver.RunUnchanged || runs[len(runs)-1].ID != report.RunID {
		t.Fatalf("%+v", runs)
	}
	first := runs[len(runs)-1]
	if first.Trigger != driver.ByCommand || first.Status != driver.RunPublished || first.Loaded != report.RowsLoaded || first.Chunks == 0 || first.Host == "" || first.TraceID != report.TraceID {
		t.Errorf("%+v", first)
	}
	if text := s.run(0, "runs"); !strings.Contains(text, report.RunID) || !strings.Contains(text, "stages") || !strings.Contains(text, "published") {
		t.Errorf("listed:\n%s", text)
	}
	if text := s.run(0, "runs", "list", "--limit", "1"); strings.Contains(text, report.RunID) {
		t.Errorf("one of them:\n%s", text)
	}
	if text := s.run(0, "runs", "show", report.RunID); !strings.Contains(text, "started by  command") || !strings.Contains(text, "GEN23.csv: GEN 2023 none") {
		t.Errorf("shown:\n%s", text)
	}
	var shown driver.Run
	if err := json.Unmarshal([]byte(s.run(0, "runs", "show", report.RunID, "--json")), &shown); err != nil || shown.ID != report.RunID || len(shown.Loads) != 1 {
		t.Errorf("%+v, %v", shown, err)
	}
	s.run(1, "runs", "show", "20250101T000000Z-aaaaaa")
	s.run(2, "runs", "--limit", "0")
}
