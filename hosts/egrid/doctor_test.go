package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/hosts/internal/doctor"
)

// inOneLine undoes the breaks of lines.
func inOneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestDoctor(t *testing.T) {
	s := newShell(t)
	if text := inOneLine(s.run(0, "doctor")); !strings.Contains(text, "unknown store: nothing is published") || !strings.Contains(text, "egrid load FILE") {
		t.Errorf("a new computer:\n%s", text)
	}
	path := filepath.Join(s.dir, "egrid.db")
	s.run(0, "load", "--store", path, filepath.Join("..", "..", "examples", "data", "ST23.csv"))
	if text := inOneLine(s.run(0, "doctor", "--store", path)); !strings.Contains(text, "pass store:") || !strings.Contains(text, "pass permissions:") {
		t.Errorf("after a load:\n%s", text)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if text := inOneLine(s.run(1, "doctor", "--store", path)); !strings.Contains(text, "others may write") || !strings.Contains(text, "chmod go-w") {
		t.Errorf("a store that everybody may write to:\n%s", text)
	}
	for name, args := range map[string][]string{
		"no store": {"doctor", "--store", filepath.Join(s.dir, "nowhere.db")},
		"away":     {"doctor", "--store", "postgres://u:s3cret@127.0.0.1:1/none"},
		"no text":  {"doctor", "--store", s.file("page.db", "<!doctype html>")},
	} {
		if text := inOneLine(s.run(1, args...)); !strings.Contains(text, "fail store:") || strings.Contains(text, "s3cret") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	t.Setenv("TMPDIR", filepath.Join(s.dir, "page.db"))
	if text := s.run(1, "doctor", "--store", "mem:"); !strings.Contains(text, "fail temporary files:") {
		t.Errorf("no place for temporary files:\n%s", text)
	}
}

func TestDoctorOfADeployment(t *testing.T) {
	s := newShell(t)
	env := s.file("env", "# settings\nexport EGRID_STORE=\"postgres://egrid:s3cret@127.0.0.1:1/egrid\"\nEGRID_QUEUE=amqp://egrid:s3cret@127.0.0.1:1/\nEGRID_KEEP=\n")
	text := s.run(0, "doctor", "--deployment", "--env", env, "--json")
	var results []doctor.Result
	if err := json.Unmarshal([]byte(text), &results); err != nil || len(results) != 10 || results[0].Status != doctor.Pass || results[2].Status != doctor.Unknown {
		t.Errorf("%v: %s", err, text)
	}
	env = s.file("env", "EGRID_STROE=postgres://egrid:s3cret@127.0.0.1:1/egrid\n")
	if text := inOneLine(s.run(1, "doctor", "--deployment", "--env", env)); !strings.Contains(text, "EGRID_STORE?") || strings.Contains(text, "s3cret") {
		t.Errorf("%s", text)
	}
	s.run(2, "doctor", "--deployment", "--env", filepath.Join(s.dir, "nowhere"))
}
