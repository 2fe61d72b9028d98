package doccheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Module knows what the packages of a module export, and those of the standard library.
// It is for one goroutine.
type Module struct {
	path    string
	folders []string          // of packages that others can import
	paths   map[string]string // import paths by the name of the package, ours before others
	types   types.Importer
}

// ReadModule compiles the module at a root folder.
func ReadModule(ctx context.Context, root string) (*Module, error) {
	list := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-json=ImportPath,Name,Dir,Export,Module", "./...")
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	m := &Module{paths: map[string]string{}}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Name, Dir, Export string
			Module                        *struct {
				Path string
				Main bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		ours := p.Module != nil && p.Module.Main
		importable := p.Name != "main" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal")
		if ours {
			m.path = p.Module.Path
			if importable {
				m.folders = append(m.folders, p.Dir)
			}
		}
		if known := m.paths[p.Name]; importable && (ours || p.Module == nil && (known == "" || !m.owns(known) && len(p.ImportPath) < len(known))) {
			m.paths[p.Name] = p.ImportPath
		}
	}
	m.types = importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return m, nil
}

func (m *Module) owns(path string) bool {
	return m.path != "" && strings.HasPrefix(path+"/", m.path+"/")
}

var names = regexp.MustCompile("`&?([a-z][a-z0-9]*)\\.([A-Z]\\w*)(?:\\.(\\w+))?[^`]*`")

// Names returns what a document names in backticks, as `store.New` or
// `driver.Scanner.Scan`, and no package of the module exports.
func (m *Module) Names(document string) []string {
	var missing []string
	for _, found := range names.FindAllStringSubmatch(fence.ReplaceAllString(document, ""), -1) {
		if path := m.paths[found[1]]; m.owns(path) && !m.exports(path, found[2], found[3]) {
			missing = append(missing, found[0])
		}
	}
	return missing
}

// exports reports whether a package has a name and, unless that is empty, a member of it.
func (m *Module) exports(path, name, member string) bool {
	p, err := m.types.Import(path)
	if err != nil {
		return false
	}
	object := p.Scope().Lookup(name)
	if object == nil || member == "" {
		return object != nil
	}
	of, _, _ := types.LookupFieldOrMethod(object.Type(), true, p, member)
	return of != nil
}

// Snippet is a piece of Go in a comment.
type Snippet struct {
	Place string // file and line of the comment
	Text  string
}

// Snippets finds the pieces of Go in the comments of packages that others can import.
// Blocks without a call or a declaration are tables, and left out.
func (m *Module) Snippets() ([]Snippet, error) {
	var snippets []Snippet
	for _, folder := range m.folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			set := token.NewFileSet()
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			for _, group := range file.Comments {
				for _, block := range new(comment.Parser).Parse(group.Text()).Content {
					if code, ok := block.(*comment.Code); ok && golike.MatchString(code.Text) {
						snippets = append(snippets, Snippet{set.Position(group.Pos()).String(), code.Text})
					}
				}
			}
		}
	}
	return snippets, nil
}

var golike = regexp.MustCompile(`\w\(|:=`)

// Compile type-checks a snippet: declarations or statements. Variables that it does not
// declare are whatever they have to be.
func (m *Module) Compile(snippet string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", "package snippet\n"+snippet, 0)
	body := snippet
	if err != nil {
		body = "func _() {\n" + snippet + "\n}\n"
		if file, err = parser.ParseFile(set, "", "package snippet\n"+body, 0); err != nil {
			return err
		}
	}
	used := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.IsExported() {
			if x, ok := s.X.(*ast.Ident); ok && m.paths[x.Name] != "" {
				used[x.Name] = m.paths[x.Name]
			}
		}
		return true
	})
	head := "package snippet\n"
	for _, name := range slices.Sorted(maps.Keys(used)) {
		head += fmt.Sprintf("import %s %q\n", name, used[name])
	}
	if file, err = parser.ParseFile(set, "", head+body, 0); err != nil {
		return err
	}
	var wrong []error
	check := types.Config{Importer: m.types, Error: func(err error) {
		if !harmless.MatchString(err.Error()) {
			wrong = append(wrong, err)
		}
	}}
	_, _ = check.Check("snippet", set, []*ast.File{file}, nil) // its errors are in wrong
	return errors.Join(wrong...)
}

// harmless are errors of what a snippet leaves to its reader.
var harmless = regexp.MustCompile(`: undefined: [a-z]\w*$|declared and not used: |imported .*and not used$`)
