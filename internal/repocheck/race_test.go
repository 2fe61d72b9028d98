package repocheck_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var sequential = regexp.MustCompile(`(?m)^SEQUENTIAL := ([a-z/ ]+)$`)

// TestSequential wants no goroutine in the packages that the target race leaves out.
func TestSequential(t *testing.T) {
	t.Parallel()
	found := sequential.FindStringSubmatch(read(t, "Makefile"))
	if found == nil {
		t.Fatal("the Makefile names no such packages")
	}
	for _, name := range strings.Fields(found[1]) {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(name), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", name, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine: take %s out of SEQUENTIAL", file, name)
				case *ast.SelectorExpr:
					if n.Sel.Name == "Go" {
						t.Errorf("%s may start a goroutine: take %s out of SEQUENTIAL", file, name)
					}
				}
				return true
			})
		}
	}
}
