package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// The bundled sample agrees with itself, and its certificate can be checked.
func TestReconcile(t *testing.T) {
	s := newShell(t)
	s.says(1, "no region sheet", "reconcile")
	s.report(0, filepath.Join("..", "..", "examples", "data"))
	var c wire.Certificate
	if err := json.Unmarshal([]byte(s.run(0, "reconcile", "--year", "2023", "--json")), &c); err != nil {
		t.Fatal(err)
	}
	if c.Checked < 20_000 || c.Matched != c.Checked || len(c.Cells) != 0 || len(c.Absent) != 0 || len(c.Sources) != 6 {
		t.Errorf("%d of %d match, %d cells, absent %v, %d sources", c.Matched, c.Checked, len(c.Cells), c.Absent, len(c.Sources))
	}
	csv := s.run(0, "reconcile", "--format", "csv")
	sum := sha256.Sum256([]byte(csv))
	if hash := hex.EncodeToString(sum[:]); hash != c.Hash || strings.Count(csv, "\r\n") != 1+c.Checked+6 {
		t.Errorf("the CSV has the hash %s and %d lines; the certificate says %s", hash, strings.Count(csv, "\n"), c.Hash)
	}
	page := s.run(0, "reconcile")
	for _, want := range []string{"eGRID2023: ", "comparisons match, but for rounding", "AR5: CH4 28, N2O 265", c.Hash} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if page := s.run(0, "reconcile", "--format", "html"); !strings.HasPrefix(page, "<!DOCTYPE html>") || !strings.Contains(page, c.Hash) {
		t.Errorf("no page: %s", page)
	}
	for line := range strings.Lines(page) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
	s.says(1, "there are those of: 2023", "reconcile", "--year", "2021")
	s.says(2, "release", "reconcile", "--release", "newest")
}
