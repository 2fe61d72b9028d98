package containers_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBuildContext checks that the build of the image is given every file that the
// programs are made of. It needs no Docker.
func TestBuildContext(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "examples/reference/Dockerfile.dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	ignored := ignoring(string(text))
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Dir,Standard,Module,GoFiles,EmbedFiles", "./hosts/...")
	list.Dir, list.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"go.mod", "go.sum"}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir                 string
			Standard            bool
			Module              struct{ Main bool }
			GoFiles, EmbedFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard || !p.Module.Main {
			continue
		}
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(p.GoFiles, p.EmbedFiles...) {
			files = append(files, filepath.ToSlash(filepath.Join(dir, name)))
		}
	}
	if len(files) < 200 {
		t.Errorf("the programs are made of %d files", len(files))
	}
	for _, file := range files {
		if ignored(file) {
			t.Errorf("%s is kept from the build of the image: examples/reference/Dockerfile.dockerignore", file)
		}
	}
	for _, file := range []string{"docs/start.md", "egrid/edition_test.go", "httpapi/testdata/x.golden", ".git/HEAD", "internal/page/node_modules/x.js"} {
		if !ignored(file) {
			t.Errorf("%s is no part of a program, and is sent to the build", file)
		}
	}
}

// ignoring reads patterns as Docker does: the last one that matches a file, or a folder
// that it is in, decides.
func ignoring(text string) func(file string) bool {
	type pattern struct {
		*regexp.Regexp
		keeps bool
	}
	var patterns []pattern
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		p, keeps := strings.CutPrefix(line, "!")
		p = regexp.QuoteMeta(p)
		p = strings.ReplaceAll(p, `\*\*/`, `(.*/)?`)
		p = strings.ReplaceAll(p, `\*`, `[^/]*`)
		patterns = append(patterns, pattern{regexp.MustCompile(`^` + p + `(/.*)?$`), keeps})
	}
	return func(file string) bool {
		ignored := false
		for _, p := range patterns {
			if p.MatchString(file) {
				ignored = !p.keeps
			}
		}
		return ignored
	}
}
