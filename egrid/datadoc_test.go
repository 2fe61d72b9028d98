package egrid_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var update = flag.Bool("update", false, "write docs/data.md anew")

// docs/data.md is the dictionary for readers.
func TestDataDoc(t *testing.T) {
	t.Parallel()
	const path = "../docs/data.md"
	want := dataDoc()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the dictionary says; run make generate (%v)", path, err)
	}
}

func dataDoc() string {
	var b strings.Builder
	b.WriteString(`# Data dictionary

Every column, by level. The name is that of answers, queries and stores, and the same at every level;
the code is EPA's. Units: short tons for CO2, CO2e, NOx and SO2; pounds for CH4 and N2O; shares are 0-1
whatever scale the file had. A rule says how a region's figure follows from its plants. This page is
written from the dictionary by ` + "`make generate`" + `; the command ` + "`egrid columns`" + ` and the path ` + "`/columns`" + ` tell the
same.

Every row also has ` + "`level`, `data_year` and `release`" + `.
`)
	for _, level := range egrid.Levels() {
		fmt.Fprintf(&b, "\n## %s: %s\n\n| name | code | unit | type | description | rule |\n|---|---|---|---|---|---|\n", level, level.Title())
		for _, f := range egrid.Fields(level) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", f.Column, f.Code, f.Unit, f.Type, strings.ReplaceAll(f.Description, "|", `\|`), f.Rule)
		}
	}
	return b.String()
}
