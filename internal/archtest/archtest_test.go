package archtest_test

import (
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/archtest"
)

const root = "../.."

// TestArchitecture holds this module to its own rules.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	tree, err := archtest.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"egrid", "internal/archtest"} {
		if !hasPackage(tree, folder) {
			t.Fatalf("%s was not found: the tree was not read whole", folder)
		}
	}
	for _, v := range archtest.Check(tree, archtest.Rules()) {
		t.Error(v)
	}
}

func hasPackage(tree archtest.Tree, folder string) bool {
	for _, p := range tree.Packages {
		if p.Folder == folder {
			return true
		}
	}
	return false
}

// TestCheck breaks each rule in a tree that exists only here.
func TestCheck(t *testing.T) {
	t.Parallel()
	const mod = "example.org/m"
	file := func(name string, imports ...string) []archtest.File {
		return []archtest.File{{Name: name, Lines: 10, Imports: imports}}
	}
	// pkg is a documented package of the given folder.
	pkg := func(folder string, files []archtest.File) archtest.Package {
		name := folder[strings.LastIndex(folder, "/")+1:]
		return archtest.Package{Folder: folder, Name: name, Doc: "Package " + name + " is here.", Files: files}
	}
	host := func(lines int) archtest.Package {
		return archtest.Package{
			Folder: "hosts/h", Name: "main", Doc: "Command h runs.",
			Files: []archtest.File{{Name: "main.go", Lines: lines}},
		}
	}
	tests := []struct {
		name    string
		folders []string
		pkg     archtest.Package
		want    []string // parts of the one violation; none when it is allowed
	}{
		{"standard library", nil, pkg("egrid", file("a.go", "encoding/csv", "iter")), nil},
		{"core imports a module", nil, pkg("egrid", file("a.go", "modernc.org/sqlite")),
			[]string{"egrid: ", "a.go imports modernc.org/sqlite", "module modernc.org/sqlite", "(none)", "standard library only"}},
		{"core test imports a module", nil, pkg("egrid", file("a_test.go", "modernc.org/sqlite")),
			[]string{"a_test.go imports modernc.org/sqlite", "not in its budget"}},
		{"core test imports an adapter", nil, pkg("egrid", file("a_test.go", mod+"/egrid/sqlitestore")),
			[]string{"a_test.go imports " + mod + "/egrid/sqlitestore", "not among the packages"}},
		{"external test imports its package", nil, pkg("egrid", file("a_test.go", mod+"/egrid", mod+"/egrid/memstore")), nil},
		{"core test imports testenv", nil, pkg("egrid", file("a_test.go", mod+"/internal/testenv")), nil},
		{"core imports testenv", nil, pkg("egrid", file("a.go", mod+"/internal/testenv")), []string{"not among the packages"}},
		{"core imports what only its tests may", nil, pkg("egrid", file("a.go", mod+"/egrid/memstore")),
			[]string{"a.go imports " + mod + "/egrid/memstore", "only its tests"}},
		{"egrid imports queue", nil, pkg("egrid", file("a.go", mod+"/queue")), []string{"imports " + mod + "/queue", "unaware of queue"}},
		{"queue imports egrid", nil, pkg("queue", file("a.go", mod+"/egrid")), []string{"imports " + mod + "/egrid", "unaware of egrid"}},
		{"adapter imports its driver", nil, pkg("egrid/sqlitestore", file("a.go", mod+"/egrid", "modernc.org/sqlite/lib")), nil},
		{"adapter imports an adapter", nil, pkg("egrid/sqlitestore", file("a.go", mod+"/egrid/memstore")), []string{"only its tests"}},
		{"adapter imports a foreign driver", nil, pkg("egrid/memstore", file("a.go", "modernc.org/sqlite")), []string{"not in its budget (none)"}},
		{"test of an adapter runs the suite", nil, pkg("egrid/memstore", file("a_test.go", mod+"/egrid/egridtest")), nil},
		{"suite outside a test", nil, pkg("hosts/h", file("a.go", mod+"/egrid/egridtest")), []string{"only _test.go files may import"}},
		{"module within a module", nil, pkg("cache", file("a.go", "github.com/hashicorp/golang-lru/v2/expirable")), nil},
		{"another major version", nil, pkg("cache", file("a.go", "github.com/hashicorp/golang-lru")), []string{"go.mod does not require"}},
		{"dashboard imports httpapi", nil, pkg("httpapi/dashboard", file("a.go", mod+"/httpapi")), []string{"not among the packages it may import (none)"}},
		{"library imports a host", nil, pkg("httpapi", file("a.go", mod+"/hosts/internal/open")), []string{"imports " + mod + "/hosts/internal/open"}},
		{"package without a rule", nil, pkg("egrid/oraclestore", file("a.go")), []string{"egrid/oraclestore: no rule names this package"}},
		{"top-level folder", []string{"egrid", ".ci", "pkg"}, pkg("egrid", file("a.go")), []string{"pkg: this folder is not one of the module's"}},
		{"no package comment", nil, archtest.Package{Folder: "egrid", Name: "egrid", Files: file("a.go")}, []string{`begins "Package egrid "`}},
		{"tests only need no comment", nil, archtest.Package{Folder: "hosts", Files: file("a_test.go")}, nil},
		{"thin host", nil, host(archtest.MaxMainLines), nil},
		{"fat host", nil, host(archtest.MaxMainLines + 1), []string{"hosts/h: main.go has 151 lines", "at most 150"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			found := archtest.Check(archtest.Tree{
				Module:   mod,
				Requires: []string{"modernc.org/sqlite", "github.com/hashicorp/golang-lru/v2"},
				Folders:  test.folders,
				Packages: []archtest.Package{test.pkg},
			}, archtest.Rules())
			if len(test.want) == 0 {
				if len(found) > 0 {
					t.Fatalf("unexpected: %v", found)
				}
				return
			}
			if len(found) != 1 {
				t.Fatalf("found %d violations, want 1: %v", len(found), found)
			}
			for _, want := range test.want {
				if !strings.Contains(found[0].String(), want) {
					t.Errorf("%q does not contain %q", found[0], want)
				}
			}
		})
	}
}
