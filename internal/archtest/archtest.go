// Package archtest holds the architecture of the module as data and checks the
// source tree against it: which package may import what, which folders exist,
// that packages are documented and that hosts stay thin.
//
//	tree, err := archtest.Load(ctx, "../..")
//	for _, v := range archtest.Check(tree, archtest.Rules()) {
//		t.Error(v)
//	}
//
// # Guarantees
//
// Every Go file counts, whatever its build constraints, except those under
// testdata, in nested modules, in folders that go.mod ignores, and files
// constrained by "ignore". The tree need
// not compile.
//
// # Errors
//
// [Load] fails on a tree that it cannot read or parse. What [Check] finds is
// not an error but a list of [Violation], each of which names the package, what
// is wrong in it, and the rule.
//
// # See also
//
// The table itself is [Rules]; docs/decisions.md gives the reason for each
// third-party module.
package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Tree is what the rules need to know of a module's source.
type Tree struct {
	Module   string   // path of the module
	Requires []string // paths of the modules that it requires
	Folders  []string // folders at the root
	Packages []Package
}

// Package is one folder that holds Go files.
type Package struct {
	Folder string // relative to the root, "." for the root itself
	Name   string
	Doc    string // the package comment; empty when there is none
	Files  []File
}

// File is one Go file.
type File struct {
	Name    string
	Lines   int
	Imports []string // import paths
}

func (f File) isTest() bool { return strings.HasSuffix(f.Name, "_test.go") }

// Violation is one breach of one rule.
type Violation struct {
	Folder  string // of the package, or the offending folder itself
	Problem string // what is wrong, with the name of the file and import
	Rule    string // why that is not allowed
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %s. Rule: %s", v.Folder, v.Problem, v.Rule)
}

// Check returns what in the tree breaks the rules, in the tree's order.
func Check(tree Tree, rules []Rule) []Violation {
	var found []Violation
	for _, folder := range tree.Folders {
		if !strings.HasPrefix(folder, ".") && !slices.Contains(TopLevel(), folder) {
			found = append(found, Violation{folder, "this folder is not one of the module's",
				"the top level holds only " + strings.Join(TopLevel(), ", ")})
		}
	}
	for _, p := range tree.Packages {
		found = append(found, checkDoc(p)...)
		found = append(found, checkHost(p)...)
		found = append(found, checkImports(tree, p, rules)...)
	}
	return found
}

func checkDoc(p Package) []Violation {
	if !slices.ContainsFunc(p.Files, func(f File) bool { return !f.isTest() }) {
		return nil // a package of tests only has no page to document
	}
	begin := "Package " + p.Name + " "
	if p.Name == "main" {
		begin = "Command "
	}
	if strings.HasPrefix(p.Doc, begin) {
		return nil
	}
	return []Violation{{p.Folder, fmt.Sprintf("no package comment that begins %q", begin),
		"every package says what it is for"}}
}

func checkHost(p Package) []Violation {
	if !under(p.Folder, "hosts/...") {
		return nil
	}
	var found []Violation
	for _, f := range p.Files {
		if f.Name == "main.go" && f.Lines > MaxMainLines {
			found = append(found, Violation{p.Folder, fmt.Sprintf("main.go has %d lines", f.Lines),
				fmt.Sprintf("hosts only assemble: at most %d lines", MaxMainLines)})
		}
	}
	return found
}

func checkImports(tree Tree, p Package, rules []Rule) []Violation {
	i := slices.IndexFunc(rules, func(r Rule) bool { return matches(p.Folder, r.Packages) })
	if i < 0 {
		return []Violation{{p.Folder, "no rule names this package",
			"a new package starts with a line in internal/archtest/rules.go"}}
	}
	rule := rules[i]
	var found []Violation
	for _, f := range p.Files {
		for _, imported := range f.Imports {
			if problem := judge(tree, p, f, imported, rule); problem != "" {
				found = append(found, Violation{p.Folder,
					fmt.Sprintf("%s imports %s, %s", f.Name, imported, problem), rule.Why})
			}
		}
	}
	return found
}

// judge says what is wrong with an import, or nothing.
func judge(tree Tree, p Package, f File, imported string, rule Rule) string {
	folder, own := folderOf(tree.Module, imported)
	switch {
	case own && folder == p.Folder && f.isTest():
		return "" // an external test
	case own && folder == TestEnv && f.isTest():
		return ""
	case own && isSuite(folder) && !f.isTest() && !isSuite(p.Folder): // a suite may run another one
		return "a test suite, which only _test.go files may import"
	case own && matches(folder, rule.Own), own && f.isTest() && matches(folder, rule.TestOwn):
		return ""
	case own && matches(folder, rule.TestOwn):
		return "which only its tests may import"
	case own:
		return fmt.Sprintf("which is not among the packages it may import (%s)", list(rule.Own))
	case isStandard(imported):
		return ""
	}
	module := moduleOf(imported, tree.Requires)
	if module == "" {
		return "of a module that go.mod does not require"
	}
	if slices.Contains(rule.Modules, module) {
		return ""
	}
	return fmt.Sprintf("of module %s, which is not in its budget (%s)", module, list(rule.Modules))
}

// folderOf returns the folder of an import path of the module itself.
func folderOf(module, imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// moduleOf returns the required module that holds a package: the longest that
// is a prefix of its path.
func moduleOf(imported string, requires []string) string {
	var best string
	for _, m := range requires {
		if (imported == m || strings.HasPrefix(imported, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// isStandard reports whether the path is of the standard library: only there
// does the first element have no dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// isSuite reports whether a folder holds what others' tests import: by name,
// like the standard library's httptest.
func isSuite(folder string) bool {
	name := path.Base(folder)
	return strings.HasSuffix(name, "test") && name == path.Base(path.Dir(folder))+"test"
}

func matches(folder string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return under(folder, p) })
}

func under(folder, pattern string) bool {
	if base, all := strings.CutSuffix(pattern, "/..."); all {
		return folder == base || strings.HasPrefix(folder, base+"/")
	}
	return folder == pattern
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
