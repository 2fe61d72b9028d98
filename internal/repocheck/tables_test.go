package repocheck_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`((?:Test|Fuzz|Benchmark|Example)\\w*)` in `([^`]+)`")
	namedPath = regexp.MustCompile("`([a-z.][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)+/?)`")
	ofFile    = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	target    = regexp.MustCompile("`make ([a-z-]+)")
)

// tests are the tests of a folder.
func tests(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ofFile.FindAllStringSubmatch(string(b), -1) {
			found[m[1]] = true
		}
	}
	return found
}

// missing returns what a document names and there is not: tests, files, targets.
func missing(t *testing.T, text string) (wrong []string, named int) {
	t.Helper()
	known := map[string]map[string]bool{} // tests by folder
	for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
		named++
		if known[m[2]] == nil {
			known[m[2]] = tests(t, m[2])
		}
		if !known[m[2]][m[1]] {
			wrong = append(wrong, m[1]+" in "+m[2])
		}
	}
	for _, m := range namedPath.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil {
			wrong = append(wrong, m[1])
		}
	}
	makefile := "\n" + read(t, "Makefile")
	for _, m := range target.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") && !strings.HasPrefix(m[1], "check-") {
			wrong = append(wrong, "make "+m[1])
		}
	}
	return wrong, named
}

// TestThreats wants each threat to name a test that there is.
func TestThreats(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/operations/security.md")
	wrong, named := missing(t, text)
	for _, name := range wrong {
		t.Errorf("docs/operations/security.md names %s, which there is not", name)
	}
	_, table, _ := strings.Cut(text, "## Threats\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| threat ") {
			continue
		}
		rows++
		if !namedTest.MatchString(line) {
			t.Errorf("no test shows the defence: %s", line)
		}
	}
	if rows < 25 || named < rows {
		t.Errorf("%d threats, %d tests", rows, named)
	}
}

// TestReferenceArchitecture wants what its rows name to be there, and a test in each row of
// the tables that have a column for it.
func TestReferenceArchitecture(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/reference-architecture.md")
	wrong, named := missing(t, text)
	for _, name := range wrong {
		t.Errorf("docs/reference-architecture.md names %s, which there is not", name)
	}
	if named < 70 {
		t.Errorf("%d tests are named", named)
	}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[2]) == "shown by" || strings.Contains(cells[1], "not here: ") {
			continue
		}
		if !namedTest.MatchString(cells[2]) && !target.MatchString(cells[2]) {
			t.Errorf("nothing shows it: %s", line)
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"`TestHooks` in `internal/repocheck`": "", "`TestNothing` in `internal/repocheck`": "TestNothing in internal/repocheck",
		"`docs/operations.md`": "", "`docs/none.md`": "docs/none.md", "`make lint`": "", "`make coffee`": "make coffee", "`egrid`": "", "`FuzzRun` in `etl`": "",
	} {
		if wrong, _ := missing(t, text); strings.Join(wrong, " ") != want {
			t.Errorf("%s: %q; want %q", text, wrong, want)
		}
	}
}
