// Package weights measures what a program compiles that imports a package of this module:
// the module's own packages, those of third parties, and how large they are compiled.
//
//	all, err := weights.Measure(ctx, root)
//
// # Guarantees
//
// The packages are those that the Go command lists. Sizes are of compiled packages
// (object code and what the compiler keeps beside it), for the system that it runs on;
// a linked program is smaller, because what is not called is left out.
//
// # Errors
//
// Those of the Go command.
package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Package is a package that users may import, and what it brings.
type Package struct {
	Path    string   // within the module, e.g. egrid/store
	Doc     string   // first sentence of its comment
	Own     int      // packages of this module, itself included
	Foreign int      // packages of third parties
	Modules []string // theirs, sorted
	Bytes   int64    // of all of these, compiled
}

type listed struct {
	ImportPath, Name, Doc, Export string
	Standard                      bool
	Module                        *struct {
		Path string
		Main bool
	}
	Deps []string
}

// Measure returns the public packages of the module in a folder, by path.
func Measure(ctx context.Context, root string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-export", "-json=ImportPath,Name,Doc,Export,Standard,Module,Deps", "./...")
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	all := map[string]*listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = &p
	}
	var packages []Package
	for _, p := range all {
		if path, ok := public(p); ok {
			weight, err := weigh(all, p, path)
			if err != nil {
				return nil, err
			}
			packages = append(packages, weight)
		}
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Path, b.Path) })
	return packages, nil
}

// public is the path of a package that users may import.
func public(p *listed) (string, bool) {
	if p.Module == nil || !p.Module.Main || p.Name == "main" {
		return "", false
	}
	path := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, p.Module.Path), "/")
	hidden := slices.Contains(strings.Split(path, "/"), "internal") || path == "" ||
		strings.HasPrefix(path, "hosts/") || strings.HasPrefix(path, "examples/")
	return path, !hidden
}

func weigh(all map[string]*listed, p *listed, path string) (Package, error) {
	w := Package{Path: path, Doc: p.Doc}
	for _, name := range append([]string{p.ImportPath}, p.Deps...) {
		dep := all[name]
		if dep == nil || dep.Standard || dep.Module == nil {
			continue
		}
		if dep.Module.Main {
			w.Own++
		} else {
			w.Foreign++
			w.Modules = append(w.Modules, dep.Module.Path)
		}
		at, err := os.Stat(dep.Export)
		if err != nil {
			return w, err
		}
		w.Bytes += at.Size()
	}
	slices.Sort(w.Modules)
	w.Modules = slices.Compact(w.Modules)
	return w, nil
}
