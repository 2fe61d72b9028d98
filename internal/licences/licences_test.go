package licences_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/licences"
)

var update = flag.Bool("update", false, "write docs/reference/licences.md")

const root = "../.."

// TestLicences wants a licence that is allowed for each module of the programs, and the
// page to list them.
func TestLicences(t *testing.T) {
	t.Parallel()
	modules, err := licences.Linked(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 20 {
		t.Fatalf("only %d modules were found", len(modules))
	}
	var b strings.Builder
	b.WriteString("# Licences\n\n<!-- generated from the modules: go test ./... -update in internal/licences -->\n\n" +
		"The modules of others that are linked into the programs, and so are in the images and in the releases, by SPDX's names of\n" +
		"the licences whose texts they bring. The images also have the list of Mozilla's certificate authorities (MPL-2.0) and the\n" +
		"time zones of IANA (public domain), both unchanged from the image of Go, whose own licence is BSD-3-Clause.\n\n" +
		"| module | version | licence | programs |\n|---|---|---|---|\n")
	for i := range modules {
		m := &modules[i]
		if fault := m.Fault(); fault != "" {
			t.Error(fault)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", m.Path, m.Version, strings.Join(m.Licences, ", "), strings.Join(m.Programs, ", "))
	}
	path := filepath.Join(root, "docs", "reference", "licences.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not as the modules have it: go test ./... -update in internal/licences", path)
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		licences []string
		want     string
	}{
		{[]string{"MIT"}, ""}, {[]string{"Apache-2.0", "BSD-3-Clause"}, ""}, {nil, "no licence"}, {[]string{"MIT", "AGPL-3.0"}, "AGPL-3.0"}, {[]string{"GPL-2.0"}, "GPL-2.0"},
	} {
		m := licences.Module{Path: "example.org/m", Version: "v1.0.0", Licences: test.licences}
		if got := m.Fault(); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%v: %q; want %q", test.licences, got, test.want)
		}
	}
}

// A text that is no licence, and none, are not taken for one.
func TestOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("README.md", "This program is free software under the MIT licence.")
	write("LICENSE", "You may do what you like, if you send a postcard.")
	if got, err := licences.Of(dir); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	own, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	write("LICENSE", string(own))
	if got, err := licences.Of(dir); err != nil || strings.Join(got, " ") != "MIT" {
		t.Errorf("our own: %v, %v", got, err)
	}
}
