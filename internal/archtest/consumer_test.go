package archtest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/archtest"
)

// TestConsumerOfCore is a program that imports package egrid and nothing else:
// it compiles no third-party package, and after go mod tidy its go.sum names no
// third-party module. Tidy also loads the tests of the packages imported, so
// this fails, too, when a test of egrid imports an adapter.
func TestConsumerOfCore(t *testing.T) {
	t.Parallel()
	tree, err := archtest.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, core := range []string{"egrid", "queue"} {
		t.Run(core, func(t *testing.T) {
			if !hasPackage(tree, core) {
				t.Fatalf("the module has no package %s", core)
			}
			dir := consumer(t, tree.Module, core)
			goCommand(t, dir, "mod", "tidy")

			const format = "{{if not .Standard}}{{.ImportPath}}{{end}}"
			deps := strings.Fields(goCommand(t, dir, "list", "-deps", "-f", format, "."))
			want := tree.Module + "/" + core
			if !strings.Contains(strings.Join(deps, " "), want) {
				t.Fatalf("%s is not among the packages compiled: %q", want, deps)
			}
			for _, dep := range deps {
				if dep != "consumer" && dep != tree.Module && !strings.HasPrefix(dep, tree.Module+"/") {
					t.Errorf("a program that imports only %s compiles %s", core, dep)
				}
			}
			sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(sums)) {
				t.Errorf("go.sum of a program that imports only %s names %s", core, strings.TrimSpace(line))
			}
		})
	}
}

// consumer writes a module that imports one package of ours from this tree.
func consumer(t *testing.T, module, core string) string {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  fmt.Sprintf("module consumer\n\ngo 1.26.0\n\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]q\n", module, here),
		"main.go": fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", module+"/"+core),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr // apart from the output: it tells of downloads
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
