package weights_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/weights"
)

var update = flag.Bool("update", false, "write docs/packages.md anew")

const page = "../../docs/packages.md"

// tasks are what somebody wants to do, and what they import then.
var tasks = [][2]string{
	{"read a file of EPA's into rows", "egrid/sheet; egrid/book for workbooks and archives"},
	{"keep data and ask for them", "egrid/store over egrid/sqlitestore, egrid/pgstore or egrid/memstore"},
	{"open a store by its URL", "egrid/storeurl"},
	{"compute a factor, explain a number, check an edition", "egrid/calc"},
	{"Scope 2 of a table of sites", "egrid/calc/inventory"},
	{"load folders, buckets, schedules", "etl, with etl/s3source and etl/fetch"},
	{"tell people of loads (alerting)", "etl/notify"},
	{"serve the API, mount it under a prefix", "httpapi, with httpapi/dashboard for the page"},
	{"know who asks (authentication)", "httpapi/auth"},
	{"ask a service from Go", "httpapi/client"},
	{"answer from memory", "cache, with cache/rediscache for what replicas share"},
	{"move chunks between processes, with retries and dead letters", "queue over queue/memqueue or queue/rabbitqueue"},
	{"write Parquet, XLSX", "egrid/parquetfile, egrid/export"},
	{"test code of your own", "egrid/memstore and egrid/egridtest"},
	{"write a store or a broker", "egrid/driver with egrid/egridtest; queue with queue/queuetest"},
}

// TestFresh holds docs/packages.md to what packages compile: their third-party packages
// exactly, and their size within a quarter, because every change moves it a little.
func TestFresh(t *testing.T) {
	packages, err := weights.Measure(t.Context(), filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 20 {
		t.Fatalf("%d packages", len(packages))
	}
	old, err := os.ReadFile(page)
	if err != nil && !*update {
		t.Fatal(err)
	}
	told := map[string][]string{}
	for line := range strings.Lines(string(old)) {
		if cells := strings.Split(line, "|"); len(cells) == 8 {
			told[strings.Trim(cells[1], " `")] = cells
		}
	}
	for i := range packages {
		p := &packages[i]
		want := row(p)
		got, ok := told[p.Path]
		if *update && ok && strings.Join(got[:6], "|") == strings.Join(strings.Split(want, "|")[:6], "|") && near(got[6], p.Bytes) {
			continue
		}
		if !*update && (!ok || strings.Join(got[:6], "|") != strings.Join(strings.Split(want, "|")[:6], "|") || !near(got[6], p.Bytes)) {
			t.Errorf("docs/packages.md is not as the packages are (make generate):\n%q; want\n%q", strings.Join(got, "|"), want)
		}
		told[p.Path] = strings.Split(want, "|")
	}
	if *update {
		if err := os.WriteFile(page, []byte(document(packages, told)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, task := range tasks {
		for _, word := range strings.FieldsFunc(task[1], func(c rune) bool { return c == ' ' || c == ';' || c == ',' }) {
			if strings.Contains(word, "/") && told[word] == nil {
				t.Errorf("%q names %s, which is no package", task[0], word)
			}
		}
	}
}

// near tells whether a size that was told is that of today, give or take a quarter.
func near(cell string, size int64) bool {
	mb, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	return err == nil && math.Abs(mb*1e6-float64(size)) <= 0.25*float64(size)+50_000
}

func row(p *weights.Package) string {
	modules := "none"
	if len(p.Modules) > 0 {
		modules = strings.Join(p.Modules, ", ")
	}
	doc := strings.NewReplacer("|", `\|`, "[", "", "]", "").Replace(p.Doc)
	if _, rest, ok := strings.Cut(doc, "Package "+p.Path[strings.LastIndex(p.Path, "/")+1:]+" "); ok {
		doc = strings.TrimSuffix(rest, ".")
	}
	return fmt.Sprintf("| `%s` | %s | %d | %d | %s | %.1f |", p.Path, doc, p.Own, p.Foreign, modules, float64(p.Bytes)/1e6)
}

func document(packages []weights.Package, told map[string][]string) string {
	var b strings.Builder
	b.WriteString("# Which package do I import\n\n<!-- generated from the packages: make generate -->\n\n| to | import |\n|---|---|\n")
	for _, task := range tasks {
		fmt.Fprintf(&b, "| %s | %s |\n", task[0], task[1])
	}
	b.WriteString("\nAll paths are below `github.com/egrid-analytics/egrid-go/`. Programs that use them: [examples](../examples/README.md).\n\n" +
		"## What each brings\n\nMeasured: packages of this module and of others that a program compiles with it, and their compiled size in MB.\n" +
		"A linked program has less, because what is not called is left out: [examples](../examples/README.md) that load and ask have 6 to\n" +
		"12 MB, a service with SQLite and the page 27 MB (linux/amd64, not stripped).\n\n" +
		"| package | what it does | own | third-party | their modules | MB |\n|---|---|---|---|---|---|\n")
	for i := range packages {
		b.WriteString(strings.TrimRight(strings.Join(told[packages[i].Path], "|"), "\n") + "\n")
	}
	return b.String()
}
