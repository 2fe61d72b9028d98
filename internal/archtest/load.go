package archtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Load reads the tree of the module whose root folder is given.
func Load(ctx context.Context, root string) (Tree, error) {
	tree, ignored, err := loadModule(ctx, root)
	if err != nil {
		return Tree{}, err
	}
	packages := map[string]int{} // folder -> index in tree.Packages
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && !strings.Contains(rel, "/") {
				tree.Folders = append(tree.Folders, rel)
			}
			if rel != "." && (skipFolder(file) || slices.Contains(ignored, rel)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		folder := filepath.ToSlash(filepath.Dir(rel))
		i, seen := packages[folder]
		if !seen {
			i = len(tree.Packages)
			packages[folder] = i
			tree.Packages = append(tree.Packages, Package{Folder: folder})
		}
		return addFile(&tree.Packages[i], file)
	})
	if err != nil {
		return Tree{}, fmt.Errorf("loading the tree: %w", err)
	}
	return tree, nil
}

// loadModule asks the go command, so that go.mod is read as Go reads it.
func loadModule(ctx context.Context, root string) (tree Tree, ignored []string, err error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return Tree{}, nil, fmt.Errorf("reading go.mod: %w", err)
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct{ Path string }
		Ignore  []struct{ Path string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return Tree{}, nil, fmt.Errorf("reading go.mod: %w", err)
	}
	tree = Tree{Module: mod.Module.Path}
	for _, r := range mod.Require {
		tree.Requires = append(tree.Requires, r.Path)
	}
	for _, i := range mod.Ignore {
		ignored = append(ignored, path.Clean(i.Path))
	}
	return tree, ignored, nil
}

// skipFolder reports whether the go command, too, would pass over a folder
// when it expands "./...".
func skipFolder(folder string) bool {
	name := filepath.Base(folder)
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

func addFile(p *Package, file string) error {
	src, err := os.ReadFile(file) //nolint:gosec // G304: a file of the module
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	if isIgnored(parsed) {
		return nil
	}
	f := File{Name: filepath.Base(file), Lines: bytes.Count(src, []byte("\n"))}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		f.Imports = append(f.Imports, imported)
	}
	p.Files = append(p.Files, f)
	if f.isTest() {
		return nil
	}
	p.Name = parsed.Name.Name
	if p.Doc == "" {
		p.Doc = parsed.Doc.Text()
	}
	return nil
}

// isIgnored reports whether a file is constrained by "ignore", the custom for
// programs that are run by go generate.
func isIgnored(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() > f.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			if err != nil {
				return false
			}
			tag, ok := expr.(*constraint.TagExpr)
			return ok && tag.Tag == "ignore"
		}
	}
	return false
}
