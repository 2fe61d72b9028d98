package archtest_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/archtest"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":               "module example.org/m\n\ngo 1.26\n\nrequire example.org/dep v1.0.0 // indirect\n\nignore ./a/elsewhere\n",
		"a/doc.go":             "// Package a is documented.\npackage a\n",
		"a/a.go":               "package a\n\nimport \"example.org/dep\"\n",
		"a/a_test.go":          "// Package a_test has a comment of its own.\npackage a_test\n\nimport \"example.org/m/a\"\n",
		"a/a_plan9.go":         "//go:build plan9\n\npackage a\n\nimport (\n\t_ \"example.org/dep/sub\"\n)\n",
		"a/generate.go":        "//go:build ignore\n\npackage main\n\nimport \"example.org/other\"\n",
		"a/testdata/broken.go": "not Go",
		"a/elsewhere/e.go":     "package elsewhere\n\nimport \"example.org/other\"\n",
		"nested/go.mod":        "module example.org/nested\n",
		"nested/n.go":          "package nested\n\nimport \"example.org/other\"\n",
		".hidden/h.go":         "package hidden\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := archtest.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := archtest.Tree{
		Module:   "example.org/m",
		Requires: []string{"example.org/dep"},
		Folders:  []string{".hidden", "a", "nested"},
		Packages: []archtest.Package{{
			Folder: "a", Name: "a", Doc: "Package a is documented.\n",
			Files: []archtest.File{
				{Name: "a.go", Lines: 3, Imports: []string{"example.org/dep"}},
				{Name: "a_plan9.go", Lines: 7, Imports: []string{"example.org/dep/sub"}},
				{Name: "a_test.go", Lines: 4, Imports: []string{"example.org/m/a"}},
				{Name: "doc.go", Lines: 2},
			},
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLoadFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := archtest.Load(t.Context(), dir); err == nil {
		t.Error("a folder without go.mod was loaded")
	}
	for name, text := range map[string]string{"go.mod": "module m\n", "bad.go": "not Go\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := archtest.Load(t.Context(), dir); err == nil {
		t.Error("a file that does not parse was passed over")
	}
}
