// Command bench measures the project beside what people would use in its stead,
// and writes docs/performance.md:
//
//	make bench                       # everything, in less than a quarter of an hour
//	make bench BENCH="page facets"   # some of it
//	make bench QUICK=1               # few and short turns; writes nothing
//
// The two sides of a row take turns in one run, so that what else the machine does
// meets both. A figure is the median of the turns.
//
// It needs EPA's files (EGRID_DATA), the command go, and commit 5c49ad3 in the
// clone. It builds and installs what it compares with in a folder of its own. A row
// whose peer cannot be had fails, and says why; the others are measured.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// oldCommit is what some rows are measured against: the last one before columns
// were kept in memory.
const oldCommit = "5c49ad3"

// row is one line of the table.
type row struct {
	name   string // as in BENCH
	work   string
	peer   string // empty: measured alone
	unit   string
	less   bool // smaller figures are better
	turns  int
	wanted float64 // of the ratio, or of ours where there is no peer; 0: nothing is
	why    string  // it falls short where it does
	open   func(ctx context.Context, b *bench) (ours, theirs side, err error)
}

// side does the work once.
type side func(ctx context.Context) (figure, error)

// figure is what a turn came to. CPU and memory are of the side's processes; 0 is
// not known.
type figure struct {
	value float64 // in the unit of the row
	cpu   time.Duration
	peak  int64 // bytes
	note  string
}

func rows() []row {
	return []row{
		{"decode", "GEN23 into typed batches, on one core", "`encoding/csv` reading the records", "MB per CPU second", false, 7, 1.4,
			"texts go into dictionaries of codes (40 % of the time), fields have to be found (a quarter) and numbers read (a sixth): encoding/csv does the second alone", openDecode},
		{"chunk", "GEN23 as messages of the queue", "the same as CSV", "bytes", true, 1, 2.5, "", openChunk},
		{"alloc", "allocations of a load of GEN23 into SQLite", "", "bytes per byte of the file", true, 3, 4,
			"lists of columns, tables of codes and chunks of rows are made anew for each span", openAlloc},
		{"load", "1,010,838 generators into published, indexed SQLite", "`sqlite3 .import` and the same indexes", "rows per second", false, 3, 1.0,
			"the indexes take half of the time, in SQLite translated to Go", openLoad},
		{"page", "20 plants summed from the generators, another minimum each time, 4 connections", "commit " + oldCommit, "answers per second", false, 5, 50, "", openPage},
		{"facets", "the same with two facets", "commit " + oldCommit, "answers per second", false, 5, 100, "", openFacets},
		{"largest", "the 1 to 1,000 largest plants, another minimum each time, 4 connections", "commit " + oldCommit, "answers per second", false, 5, 20, "", openLargest},
		{"top10", "the 10 largest plants over HTTP, another minimum each time, 1 connection", "DuckDB " + duckdbVersion + " in process, on the same rows", "answers per second", false, 5, 1, "", openTop10},
		{"cold", "1,000 connections at once on 400 addresses from a cold start: 99th percentile", "", "milliseconds", true, 5, 250,
			"the answers of 400 addresses take about 0.3 s of processor time, on the cores that also dial: what other work takes of them is waited for", openCold},
		{"validate", "`egrid validate` of 1,010,838 generators", "`encoding/csv` reading the records", "rows per CPU second", false, 3, 0.7,
			"decoding takes two thirds, the rest is duplicate keys, SHA-256 and audits of rows", openValidate},
		{"queue", "1,010,838 generators from MinIO through RabbitMQ into PostgreSQL, indexed and published; 0.33 is three times the peer's time", "`psql \\copy` of the file into a table with the same indexes", "rows per second", false, 3, 0.33, "", openQueue},
		{"workbook", "a workbook of 3 sheets from MinIO into PostgreSQL, published", "CSV files of the same sheets, by the same command", "rows per second", false, 3, 0.8,
			"the parts of a workbook are inflated and their XML is read in order, each on one core, and the CSV is divided among all", openWorkbook},
		{"gate", "1,010,838 generators over themselves, one value in every 1,000 rows changed, SQLite: compared and held", "the same without comparing, published", "CPU seconds", true, 3, 0.8, "", openGate},
		{"gatepg", "the same into PostgreSQL, whose processor time does not count here", "the same without comparing, published", "seconds", true, 3, 0.8, "", openGatePG},
		{"kept", "an answer that is kept, 64 connections", "bare net/http writing the same lines and bytes", "answers per second", false, 5, 0.9,
			"a request has an id, a span, a look at the catalogue, metrics and guards against slow clients: 1 to 2 of 25 microseconds of processor time", openKept},
		{"export", "all rows of GEN23 as NDJSON over HTTP", "commit " + oldCommit, "answers per second", false, 5, 5, "", openExport},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 1 && args[0] == "do" {
		return do(ctx, args[1], args[2:])
	}
	chosen, err := choose(args)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, os.Getenv("QUICK") != "")
	if err != nil {
		return err
	}
	defer b.close()
	doc := "docs/performance.md"
	lines, failed := map[string]string{}, 0
	for _, r := range chosen {
		began := time.Now()
		line, err := b.measure(ctx, r)
		if err != nil {
			failed++
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", r.name, err)
			continue
		}
		lines[r.name] = line
		fmt.Printf("%s (%s)\n", line, time.Since(began).Round(time.Second))
	}
	if !b.quick {
		err = write(doc, lines)
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d rows were not measured", failed, len(chosen)))
	}
	return err
}

func choose(names []string) ([]row, error) {
	all := rows()
	var chosen []row
	for _, name := range names {
		i := slices.IndexFunc(all, func(r row) bool { return r.name == name })
		if i < 0 {
			known := make([]string, len(all))
			for i, r := range all {
				known[i] = r.name
			}
			return nil, fmt.Errorf("no row is called %q; there are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	if len(names) == 0 {
		chosen = all
	}
	return chosen, nil
}

// bench is what the rows share: a folder, and what was made in it.
type bench struct {
	folder string // removed at the end
	tools  string // kept: what was built and installed
	data   string // GEN23.csv
	quick  bool
	closes []func() // of the row at hand
}

func newBench(ctx context.Context, quick bool) (*bench, error) {
	b := &bench{quick: quick}
	root := os.Getenv("EGRID_DATA")
	b.data = filepath.Join(root, "2023", "GEN23.csv")
	if _, err := os.Stat(b.data); root == "" || err != nil { //nolint:gosec // G703: the path is the caller's own
		return nil, errors.New("EGRID_DATA has to name the folder of EPA's files, with 2023/GEN23.csv in it")
	}
	if err := exec.CommandContext(ctx, "git", "cat-file", "-e", oldCommit+"^{commit}").Run(); err != nil {
		return nil, fmt.Errorf("commit %s, which some rows are measured against, is not in this clone: git fetch --unshallow", oldCommit)
	}
	var err error
	if b.tools, err = filepath.Abs(".bin/bench"); err == nil {
		err = os.MkdirAll(b.tools, 0o750)
	}
	if err == nil {
		b.folder, err = os.MkdirTemp("", "egrid-bench")
	}
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", b.tools+"/", "./hosts/egrid", "./hosts/etl", "./hosts/consumer").CombinedOutput() //nolint:gosec // G204: the programs are named here
	if err != nil {
		b.close()
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	return b, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.folder) } //nolint:gosec // G703: the path is the caller's own

// later does something when the row is measured.
func (b *bench) later(f func()) { b.closes = append(b.closes, f) }

func (b *bench) measure(ctx context.Context, r row) (line string, err error) {
	defer func() {
		for _, f := range slices.Backward(b.closes) {
			f()
		}
		b.closes = nil
	}()
	ours, theirs, err := r.open(ctx, b)
	if err != nil {
		return "", err
	}
	turns := r.turns
	if b.quick {
		turns = 1
	}
	var a, z []figure
	for range turns {
		for _, s := range []struct {
			of   side
			into *[]figure
		}{{ours, &a}, {theirs, &z}} {
			if s.of == nil {
				continue
			}
			f, err := s.of(ctx)
			if err != nil {
				return "", err
			}
			*s.into = append(*s.into, f)
		}
	}
	return r.line(a, z), nil
}

// line is a row of the table.
func (r *row) line(ours, theirs []figure) string {
	ratio := ""
	if len(theirs) > 0 {
		ratio = number(r.ratio(ours, theirs))
	}
	note := ""
	if last := ours[len(ours)-1]; last.note != "" {
		note = "; " + last.note
	}
	wanted, why := "", ""
	if r.wanted > 0 {
		wanted = number(r.wanted)
	}
	if r.fallsShort(ours, theirs) {
		why = cmp.Or(r.why, "not known")
	}
	return fmt.Sprintf("| %s | %s%s | %s | %s | %s | %s | %s | %s | %s | %s |", r.name, r.work, note, r.unit, spread(ours), cmp.Or(r.peer, "-"), spread(theirs),
		ratio, wanted, cost(ours, theirs), why)
}

// ratio says how many times better ours is.
func (r *row) ratio(ours, theirs []figure) float64 {
	x := median(ours, byValue) / median(theirs, byValue)
	if r.less {
		return 1 / x
	}
	return x
}

func (r *row) fallsShort(ours, theirs []figure) bool {
	switch {
	case r.wanted == 0:
		return false
	case len(theirs) > 0:
		return r.ratio(ours, theirs) < r.wanted
	case r.less:
		return median(ours, byValue) > r.wanted
	}
	return median(ours, byValue) < r.wanted
}

func byValue(f figure) float64 { return f.value }

func median(of []figure, by func(figure) float64) float64 {
	xs := make([]float64, len(of))
	for i, f := range of {
		xs[i] = by(f)
	}
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// spread is the median, with the least and the largest.
func spread(of []figure) string {
	if len(of) == 0 {
		return ""
	}
	least := slices.MinFunc(of, func(a, b figure) int { return cmp.Compare(a.value, b.value) })
	most := slices.MaxFunc(of, func(a, b figure) int { return cmp.Compare(a.value, b.value) })
	return fmt.Sprintf("%s (%s to %s)", number(median(of, byValue)), number(least.value), number(most.value))
}

// cost is CPU and peak memory of both sides.
func cost(ours, theirs []figure) string {
	var text []string
	for _, of := range [][]figure{ours, theirs} {
		if len(of) == 0 {
			continue
		}
		cpu, peak := median(of, func(f figure) float64 { return f.cpu.Seconds() }), median(of, func(f figure) float64 { return float64(f.peak) / 1e6 })
		text = append(text, fmt.Sprintf("%.1f s, %.0f MB", cpu, peak))
	}
	return strings.Join(text, "; ")
}

// number has three significant digits.
func number(x float64) string {
	switch {
	case x >= 100:
		s := fmt.Sprintf("%.0f", x)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// write puts lines into the document, those of other rows stay.
func write(path string, lines map[string]string) error {
	old, err := os.ReadFile(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var text strings.Builder
	text.WriteString(heading())
	for _, r := range rows() {
		line := lines[r.name]
		for had := range strings.Lines(string(old)) {
			if line == "" && strings.HasPrefix(had, "| "+r.name+" |") {
				line = strings.TrimSpace(had)
			}
		}
		if line != "" {
			text.WriteString(line + "\n")
		}
	}
	return os.WriteFile(path, []byte(text.String()), 0o644) //nolint:gosec // G306: everybody may read the documentation
}

func heading() string {
	return "# Performance\n\nWritten by `make bench` (see `internal/bench`). The two sides of a row take turns in one run; a figure is the median of the\n" +
		"turns, with the least and the largest. The ratio says how many times better ours is: of rows per second ours over the\n" +
		"peer's, of seconds the peer's over ours. Wanted is the least ratio, or where there is no peer the most of the figure;\n" +
		"the last column says why a row falls short of it. CPU and peak memory are those of a turn, of our programs and of\n" +
		"the peer's, without databases and brokers. " + machine() + "\n\n" +
		"| row | work | figure | ours | peer | the peer's | ratio | wanted | CPU, memory | why |\n|---|---|---|---|---|---|---|---|---|---|\n"
}
