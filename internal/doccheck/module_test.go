package doccheck_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/doccheck"
)

// TestModule holds what is written about the packages against them.
func TestModule(t *testing.T) {
	t.Parallel()
	m, err := doccheck.ReadModule(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("snippets", func(t *testing.T) { compileSnippets(t, m) })
	t.Run("names", func(t *testing.T) { findNames(t, m) })
	t.Run("faults", func(t *testing.T) { findFaults(t, m) })
}

// compileSnippets compiles the Go that stands in comments.
func compileSnippets(t *testing.T, m *doccheck.Module) {
	snippets, err := m.Snippets()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range snippets {
		if err := m.Compile(s.Text); err != nil {
			t.Errorf("%s:\n%s%v", s.Place, s.Text, err)
		}
	}
	if len(snippets) < 30 {
		t.Errorf("%d snippets", len(snippets))
	}
}

// findNames looks up the Go names in documents of today: the changelog and the decisions
// tell of names that were, too.
func findNames(t *testing.T, m *doccheck.Module) {
	for _, name := range append(documents(t), "CONTRIBUTING.md", "examples/README.md") {
		if name == "docs/decisions.md" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, missing := range m.Names(string(text)) {
			t.Errorf("%s: there is no %s", name, missing)
		}
	}
}

// findFaults has faults to be found.
func findFaults(t *testing.T, m *doccheck.Module) {
	const document = "`store.New`, `store.Nothing`, `driver.Scanner.Scan(ctx)`, `driver.Scanner.Seek`, `slog.Anything`, `egrid.db`\n```go\nstore.Nowhere\n```\n`&httpapi.Options{}`"
	if got := strings.Join(m.Names(document), " "); got != "`store.Nothing` `driver.Scanner.Seek`" {
		t.Error(got)
	}
	for snippet, want := range map[string]string{
		"page, err := store.New(backend).Rows(ctx, query)\n":                           "",
		"func open() driver.Store { return memstore.New().Driver() }\n":                "",
		"func open() driver.Store { return memstore.New() }\n":                         "cannot use",
		"db := store.Create(backend)\n":                                                "undefined: store.Create",
		"page := store.New(backend).Rows(ctx, query)\n":                                "assignment mismatch",
		"for row := range {\n":                                                         "expected operand",
		"import \"github.com/egrid-analytics/egrid-go/egrid\"\n":                       "",
		"_, err := store.New(backend).Rows(ctx, egrid.RowQuery{Levels: egrid.PLNT})\n": "unknown field Levels",
	} {
		if err := m.Compile(snippet); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s%v", snippet, err)
		}
	}
}
