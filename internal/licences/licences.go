// Package licences finds the licence of each module that the programs are made of, by
// the text that the module brings. It is a module of its own for the sake of the library
// that knows the texts.
package licences

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// Module is a module that is linked into a program, with its licences by SPDX's names.
type Module struct {
	Path, Version string
	Licences      []string
	Programs      []string
}

// Allowed are licences under which a module may be passed on within a program, if the
// text goes along: none of them asks for the source of the program around it. MPL-2.0
// asks for that of its own files, which are public and unchanged.
var Allowed = []string{"MPL-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "Zlib", "0BSD", "Unlicense", "CC0-1.0"}

var textName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense|notice)([-.](md|txt|mit|bsd|apache|.*))?$`)

// covered is how much of a text a known licence has to be, in percent.
const covered = 75

// Of returns the licences that the texts at the root of a module's folder are.
func Of(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if e.IsDir() || !textName.MatchString(e.Name()) || strings.HasPrefix(strings.ToLower(e.Name()), "notice") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		c := licensecheck.Scan(text)
		if c.Percent < covered {
			continue // a list of authors, or of licences of parts
		}
		for _, m := range c.Match {
			if !m.IsURL && !slices.Contains(found, m.ID) {
				found = append(found, m.ID)
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

// Linked returns the modules, beside our own, that the programs of a folder are made of.
func Linked(root string) ([]Module, error) {
	found := map[string]*Module{}
	dirs := map[string]string{}
	programs, err := filepath.Glob(filepath.Join(root, "hosts", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	for _, program := range programs {
		name := filepath.Base(filepath.Dir(program))
		command := exec.Command("go", "list", "-deps", "-json=Module", "./hosts/"+name)
		command.Dir = root
		var complaints bytes.Buffer
		command.Stderr = &complaints
		out, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, &complaints)
		}
		for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module == nil || p.Module.Main {
				continue
			}
			m := found[p.Module.Path]
			if m == nil {
				m = &Module{Path: p.Module.Path, Version: p.Module.Version}
				found[m.Path], dirs[m.Path] = m, p.Module.Dir
			}
			if !slices.Contains(m.Programs, name) {
				m.Programs = append(m.Programs, name)
			}
		}
	}
	var modules []Module
	for path, m := range found {
		if m.Licences, err = Of(dirs[path]); err != nil {
			return nil, err
		}
		modules = append(modules, *m)
	}
	slices.SortFunc(modules, func(a, b Module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

// Fault is what is wrong with the licences of a module; empty for nothing.
func (m *Module) Fault() string {
	if len(m.Licences) == 0 {
		return fmt.Sprintf("%s %s has no licence that is known: it may not be passed on", m.Path, m.Version)
	}
	for _, l := range m.Licences {
		if !slices.Contains(Allowed, l) {
			return fmt.Sprintf("%s %s is under %s, which is not among those that are allowed; see internal/licences", m.Path, m.Version, l)
		}
	}
	return ""
}
