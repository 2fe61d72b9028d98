package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
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
	if text := s.run(0, "runs", "show", report.RunID); !strings.Contains(text, "started by  command") || !strings.Contains(text, "GEN23.csv  GEN    2023") {
		t.Errorf("shown:\n%s", text)
	}
	var shown driver.Run
	if err := json.Unmarshal([]byte(s.run(0, "runs", "show", report.RunID, "--json")), &shown); err != nil || shown.ID != report.RunID || len(shown.Loads) != 1 {
		t.Errorf("%+v, %v", shown, err)
	}
	s.run(1, "runs", "show", "20250101T000000Z-aaaaaa")
	s.run(2, "runs", "--limit", "0")
}

// TestRunShown: of each load of a run, the log tells what egrid load told, as long as
// it is held with the commands that decide.
func TestRunShown(t *testing.T) {
	s := newShell(t)
	if err := os.Mkdir(filepath.Join(s.dir, "2023"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.file("2023/notes.csv", "name,remark\nAlpha,to be asked\n")
	header, rows, _ := strings.Cut(generators, "\n")
	s.file("2023/GEN23.csv", strings.TrimSpace(header)+",A note of ours\n"+rows+unreadable)
	s.file("2023/PLNT23.csv", "no sheet\n")
	loaded := s.run(3, "load", s.dir)
	body, _, _ := strings.Cut(loaded, "\nIn the store now:")
	body = body[:strings.LastIndex(strings.TrimSpace(body), "\n\n")]
	var runs []driver.Run
	if err := json.Unmarshal([]byte(s.run(0, "runs", "--json")), &runs); err != nil || len(runs) != 1 {
		t.Fatalf("%+v, %v", runs, err)
	}
	id := runs[0].ID
	shown := s.run(0, "runs", "show", id)
	if !strings.Contains(shown, body) {
		t.Errorf("shown:\n%s\nloaded:\n%s", shown, body)
	}
	for _, want := range []string{"12 apples", "etl.json", "rejects", "egrid publish ", "egrid discard ", "unknown columns", "A note of ours", "Left out:", "Not loaded:"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "left_out") {
		t.Errorf("a status that is no word:\n%s", shown)
	}
	for line := range strings.Lines(shown) {
		if strings.Contains(line, " ") && utf8.RuneCountInString(line) > terminal.Width+1 && !strings.HasPrefix(strings.TrimSpace(line), "{") && !strings.Contains(line, "rejects") {
			t.Errorf("too long: %q", line)
		}
	}
	if got := strings.Join(runs[0].Loads[0].Unknown, ","); got != "A note of ours" && !strings.Contains(s.run(0, "runs", "--json"), `"unknown_columns":["A note of ours"]`) {
		t.Errorf("unknown columns: %q", got)
	}
	s.run(0, "discard", string(held(runs[0])))
	if shown := s.run(0, "runs", "show", id); strings.Contains(shown, "egrid publish") || !strings.Contains(shown, "discarded") || !strings.Contains(shown, "12 apples") {
		t.Errorf("when it was discarded:\n%s", shown)
	}
	t.Setenv("COLUMNS", "80")
	out, told := s.both("", 0, "runs")
	if !strings.Contains(out, "failed") || !strings.Contains(out, "discarded       1") || !strings.Contains(told, "--wide shows all") {
		t.Errorf("a run with a failure:\n%s%s", out, told)
	}
	if out, told := s.both("", 0, "runs", "--wide"); !strings.Contains(out, "host") || told != "" {
		t.Errorf("all columns:\n%s%s", out, told)
	}
	none := filepath.Join(s.TempDir(), "none.db")
	if err := os.WriteFile(none, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, told := s.both("", 0, "--store", none, "runs"); !strings.Contains(told, "none.db") {
		t.Errorf("no run: %s", told)
	}
}

// held is the first load of a run that is held.
func held(r driver.Run) egrid.StageID {
	for i := range r.Loads {
		if r.Loads[i].Status == driver.RunHeld {
			return r.Loads[i].ID
		}
	}
	return ""
}
