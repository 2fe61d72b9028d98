package etl_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

const generators = `YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN
2023,TX,Alpha,1,1,400
2023,TX,Alpha,1,2,500.5
2023,TX,"Bravo, ""East""
and West",02,1,-10
2022,OK,Silent,4,NA,
`

// folder writes files and returns their folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// run loads a source into a store of its own.
func run(t testing.TB, source etl.Source, o *etl.Options) (etl.Report, *memstore.Store) {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	report, err := etl.New(source, etl.ToLoader(store), o).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report, store
}

func sheetsOf(r etl.Report) []string {
	var lines []string
	for _, f := range r.Files {
		for _, s := range f.Sheets {
			lines = append(lines, strings.Join(strings.Fields(fmt.Sprint(f.Object, " ", s.Sheet, " ", s.Level, " ", s.Year, " ", s.Release, " ", s.Read, "/", s.Loaded, "/", s.Rejected, " ", s.Status)), " "))
		}
	}
	return lines
}

func TestPackings(t *testing.T) {
	t.Parallel()
	many := generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 5000)
	for _, chunk := range []int64{1, 100, 1 << 20} {
		for name, files := range map[string]map[string]string{
			"plain":  {"a.csv": many},
			"gzip":   {"a.csv.gz": gzipped(t, many)},
			"zip":    {"a.zip": zipped(t, "inner/GEN.csv", many, "__MACOSX/._GEN.csv", "junk", "readme.txt", "hello")},
			"upper":  {"A.CSV": many},
			"ignore": {"a.csv": many, "notes.txt": "x", ".hidden.csv": "x"},
		} {
			if chunk == 1 {
				files = map[string]string{"a.csv": generators}
			}
			report, store := run(t, etl.Local(folder(t, files)), &etl.Options{ChunkBytes: chunk, Workers: 3})
			if report.Status != etl.Published || !report.Complete() || report.RowsRead != report.RowsLoaded {
				t.Errorf("%s by %d: %+v", name, chunk, report)
			}
			want := int64(5004)
			if chunk == 1 {
				want = 4
			}
			if report.RowsLoaded != want {
				t.Errorf("%s by %d: %d rows loaded; want %d", name, chunk, report.RowsLoaded, want)
			}
			page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 3, Year: 2023})
			if err != nil || page.Row(2).Text(egrid.PlantName) != "Bravo, \"East\"\nand West" || page.Row(2).Text(egrid.PlantCode) != "02" {
				t.Errorf("%s by %d: %v, %v", name, chunk, page.Batch, err)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a/GEN23.csv":       generators,
		"b/empty.csv":       "",
		"c/book.xlsx":       "PK\x03\x04",
		"d/old.xls":         "\xd0\xcf\x11\xe0",
		"e/prose.csv":       "Dear reader,\nthis is no sheet.\n",
		"f/no.zip":          "not a zip",
		"g/nothing.zip":     zipped(t, "readme.md", "x"),
		"h/nested.zip":      zipped(t, "inner.zip", zipped(t, "GEN23.csv", generators), "book.xlsx", "PK"),
		"i/bad.csv.gz":      "not gzip",
		"j/cut.csv.gz":      gzipped(t, generators+strings.Repeat("2023,TX,Beta,9,9,1\n", 90000))[:2000],
		"l/unclosed.csv":    generators + "2023,TX,\"Alpha,1,3,1\n2023,TX,Alpha,1,4,1\n",
		"m/header.csv":      "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n",
		"n/allbad.csv":      "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,A,1,1,x\n2023,TX,A,1,1,y\n",
		"o/yearless.csv":    "PSTATABB,PNAME,ORISPL,GENID,GENNTAN\nTX,A,1,1,5\n",
		"p/binary.csv":      "\x00\x01\x02\n\x00",
		"q/wide2023GEN.csv": "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX," + strings.Repeat("w", 13<<20) + ",1,1,1\n",
	})
	report, store := run(t, etl.Local(dir), nil)
	reasons := map[string]string{}
	for _, f := range report.Files {
		for _, s := range f.Sheets {
			reasons[filepath.Dir(f.Object)] += s.Reason
		}
	}
	for name, want := range map[string]string{
		"b": "empty", "c": "fetch it again", "d": "XLS workbook", "e": "etl.json", "f": "called .zip and is none",
		"g": "does not end in .csv", "h": "called .xlsx and is none", "i": "called .gz and is none", "j": "cannot be unpacked",
		"l": "never closed", "m": "no rows", "n": "none of the 2 records", "o": "--year", "p": "NUL", "q": "longer than 12 MiB",
	} {
		if reasons[name] == "" || !strings.Contains(reasons[name], want) {
			t.Errorf("%s: %q; want %q", name, reasons[name], want)
		}
	}
	if report.Complete() || report.Status != etl.Published || report.RowsLoaded != 4 {
		t.Errorf("got %s with %d rows", report.Status, report.RowsLoaded)
	}
	if c, err := store.Catalog(t.Context()); err != nil || len(c.Snapshots) != 2 {
		t.Errorf("%d snapshots, %v", len(c.Snapshots), err)
	}
}

func TestWideField(t *testing.T) {
	t.Parallel()
	wide := strings.Repeat("w", 10_000_000)
	report, store := run(t, etl.Local(folder(t, map[string]string{"GEN23.csv": generators + "2023,TX," + wide + ",5,1,1\n"})), nil)
	page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Search: "www", Columns: []egrid.Column{egrid.PlantName}})
	if err != nil || report.RowsLoaded != 5 || page.Len() != 1 || page.Row(0).Text(egrid.PlantName) != wide {
		t.Errorf("%d rows loaded, %d found, %v", report.RowsLoaded, page.Len(), err)
	}
}

func TestZipBombIsBounded(t *testing.T) {
	t.Parallel()
	rows := strings.Repeat(strings.Repeat(" ", 1<<20)+"\n", 32) // blank records
	report, _ := run(t, etl.Local(folder(t, map[string]string{"GEN23.zip": zipped(t, "GEN23.csv", generators+rows)})), nil)
	if report.Status != etl.Failed || !strings.Contains(report.Files[0].Sheets[0].Reason, "unpacks to more than") {
		t.Errorf("got %+v", report.Files)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	text := strings.Replace(generators, "500.5", "much", 1) + "2023,TX,\"Ch\xffrlié\",5,1,1\n2023,TX,Short,6\n2023,TX,Delta,7,1,10\n2023,TX,Cut,8,"
	for _, chunk := range []int64{20, 1 << 20} {
		kept := filepath.Join(t.TempDir(), "new", "rejects.csv")
		report, store := run(t, etl.Local(folder(t, map[string]string{"GEN.csv": text})), &etl.Options{RejectsFile: kept, ChunkBytes: chunk, Publish: driver.PublishReplace})
		if report.RowsRead != 8 || report.RowsLoaded != 4 || report.RowsRejected != 4 || report.Complete() || report.RejectsFile == nil || *report.RejectsFile != kept {
			t.Fatalf("by %d: %+v", chunk, report)
		}
		f, err := os.Open(kept)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil || len(records) != 5 || strings.Join(records[0], ",") != "object,sheet,line,column,value,reason,row" {
			t.Fatalf("by %d: %q, %v", chunk, records, err)
		}
		for i, want := range [][]string{{"3", "net_generation_mwh", "much", "2023,TX,Alpha,1,2,much"}, {"7", "", "", ""}, {"8", "", "", "2023,TX,Short,6"}, {"10", "", "", "2023,TX,Cut,8,"}} {
			got := records[i+1]
			if got[0] != "GEN.csv" || got[2] != want[0] || got[3] != want[1] || got[4] != want[2] || got[5] == "" || want[3] != "" && got[6] != want[3] {
				t.Errorf("by %d: reject %d is %q", chunk, i, got)
			}
		}
		c, _ := store.Catalog(t.Context())
		var rejected int64
		for _, s := range c.Snapshots {
			rejected += s.Rejected
		}
		if rejected != 4 {
			t.Errorf("by %d: the snapshots tell of %d rejected rows", chunk, rejected)
		}
	}
}

// Every stage's answer survives a trip through JSON, and the stages one by one
// do what Run does.
func TestStagesThroughJSON(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators, "st/v2_2018.csv": "PSTATABB,FIPSST,STNGENAN\nTX,48,5\nOK,40,6\n", "bad.csv": "x"})
	want, _ := run(t, etl.Local(dir), &etl.Options{ChunkBytes: 30})

	store := memstore.New()
	p := etl.New(etl.Local(dir), etl.ToLoader(store), &etl.Options{ChunkBytes: 30})
	ctx := t.Context()
	scanned, err := p.Scan(ctx)
	validated, err := p.Validate(ctx, through(t, scanned, err))
	divided, err := p.Divide(ctx, through(t, validated, err))
	streamed, err := p.Stream(ctx, through(t, divided, err))
	got, err := p.Report(ctx, through(t, streamed, err))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sheetsOf(got), sheetsOf(want)) {
		t.Errorf("got %q; want %q", sheetsOf(got), sheetsOf(want))
	}
}

func through[T any](t *testing.T, v T, err error) (w T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestValidateLoadsNothing(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"GEN.csv":     generators + "2023,TX,Alpha,1,1,2\n2023,TX,Alpha,1,9,?\n",
		"SRL23.csv":   "SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\nNYCW,5,10,8\n",
		"display.csv": "YEAR,PSTATABB,PNAME,GENID,GENNTAN\n2021,TX,Alpha,1,\"1,400\"\n",
	})
	p := etl.New(etl.Local(dir), nil, nil)
	scanned, err := p.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Validate(t.Context(), scanned)
	if err != nil || v.OK() {
		t.Fatalf("OK %v, %v", v.OK(), err)
	}
	gen, srl, display := v.Files[0].Sheets[0], v.Files[1].Sheets[0], v.Files[2].Sheets[0]
	if gen.Rows != 5 || len(gen.Rejects) != 1 || gen.Rejects[0].Count != 1 || gen.Rejects[0].Line != 8 || len(gen.Years) != 2 || gen.Years[0].Year != 2022 || gen.Years[1].Year != 2023 || gen.Years[0].Rows+gen.Years[1].Rows != 5 ||
		!slices.ContainsFunc(gen.Audits, func(a egrid.Audit) bool { return a.Rule == "duplicate_key" && a.Count == 1 }) {
		t.Errorf("generators: %+v", gen)
	}
	if !slices.ContainsFunc(srl.Audits, func(a egrid.Audit) bool { return a.Rule == "co2e_below_co2" && a.Severity == egrid.Hard }) {
		t.Errorf("subregions: %+v", srl)
	}
	if len(display.Years) != 1 || !slices.Equal(display.Years[0].Lossy, []egrid.Column{egrid.NetGeneration}) {
		t.Errorf("display: %+v", display)
	}
	if r := v.Report(); r.Status != etl.DryRun || r.RowsLoaded != 0 || r.RowsRead != 8 || r.RowsRejected != 1 {
		t.Errorf("report %+v", r)
	}
}

// TestCheckCountsAsTheLoad: a check says of each data year what a load of the file says.
func TestCheckCountsAsTheLoad(t *testing.T) {
	t.Parallel()
	const head = "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n"
	for name, text := range map[string]string{
		"years":             head + "2022,TX,A,1,1,5\n2022,TX,A,1,2,5\n2023,TX,A,1,1,6\n",
		"rejects":           head + "2023,TX,A,1,1,5\n2023,TX,A,1,2,x\n2023,TX,A,1,3,y\n2023,TX,A,1,4,z\n2023,TX,A,1,5,w\n2023,TX,A,1,6,6\n2023,TX,A,1,7,6\n2022,TX,A,1,1,6\n",
		"rejects ahead":     head + strings.Repeat("2023,TX,A,1,1,x\n", 9) + "2022,TX,A,1,1,6\n2023,TX,A,1,7,6\n",
		"several rows":      "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2EQA\n2022,TX,100,50,51\n2023,TX,100,50,51\n2023,TX,300,10,11\n",
		"several countries": "YEAR,USNAMEPCAP,USHTIAN,USNGENAN\n2022,1,2,3\n2023,1,2,3\n2023,1,2,4\n",
		"nothing sound":     head + "2023,TX,A,1,1,x\n",
	} {
		for _, chunk := range []int64{30, 1 << 20} {
			source := etl.Local(folder(t, map[string]string{"sheet.csv": text}))
			o := &etl.Options{ChunkBytes: chunk}
			p := etl.New(source, nil, o)
			scanned, err := p.Scan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			v, err := p.Validate(t.Context(), scanned)
			if err != nil {
				t.Fatal(err)
			}
			loaded, _ := run(t, source, o)
			said := func(r etl.Report) (lines []string) {
				for _, s := range r.Files[0].Sheets {
					if s.Status == etl.DryRun {
						s.Status = etl.Published
					}
					lines = append(lines, fmt.Sprint(s.Level, s.Year, " ", s.Status, " ", s.Reason, s.Read, s.Rejected, s.Rejects, s.Audits))
				}
				slices.Sort(lines)
				return append(lines, fmt.Sprint(r.RowsRead, r.RowsRejected))
			}
			if got, want := said(v.Report()), said(loaded); !slices.Equal(got, want) {
				t.Errorf("%s, in chunks of %d bytes, a check says\n%s\nand a load\n%s", name, chunk, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

func TestTotalsAreComparedWithTheUSSheet(t *testing.T) {
	t.Parallel()
	report, _ := run(t, etl.Local(folder(t, map[string]string{
		"ST23.csv":  "PSTATABB,FIPSST,STNGENAN\nTX,48,5000\nOK,40,6000\n",
		"SRL23.csv": "SUBRGN,SRNAME,SRNGENAN\nERCT,ERCOT,5000\nSPSO,SPP,5900\n",
		"US23.csv":  "USNAMEPCAP,USHTIAN,USNGENAN\n10,20,11000.9\n",
	})), nil)
	i := slices.IndexFunc(report.Audits, func(a egrid.Audit) bool { return a.Rule == "total_differs_from_us_sheet" })
	if i < 0 || report.Audits[i].Count != 1 || report.Audits[i].Examples[0] != "net_generation_mwh: SRL has 10900, the US sheet 11000.9" {
		t.Errorf("got %+v of %q", report.Audits, sheetsOf(report))
	}
}

// flaky is a sink that fails once, behind some chunks. They come several at a
// time.
type flaky struct {
	etl.Sink
	left atomic.Int64
}

var errFlaky = errors.New("the store is away")

func (f *flaky) Put(ctx context.Context, spec driver.SnapshotSpec, c driver.Chunk) error {
	if f.left.Add(-1) == -1 {
		return errFlaky
	}
	return f.Sink.Put(ctx, spec, c)
}

func TestAFailedRunIsRunAgain(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 300)})
	for failAt := range 15 {
		store := memstore.New()
		sink := &flaky{Sink: etl.ToLoader(store)}
		sink.left.Store(int64(failAt))
		p := etl.New(etl.Local(dir), sink, &etl.Options{ChunkBytes: 400, Workers: 4})
		if _, err := p.Run(t.Context()); !errors.Is(err, errFlaky) {
			t.Fatalf("failing at %d: %v", failAt, err)
		}
		if page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN}); err != nil || page.Len() != 0 {
			t.Fatalf("failing at %d: readers see %d rows, %v", failAt, page.Len(), err)
		}
		report, err := p.Run(t.Context())
		if err != nil || report.RowsLoaded != 304 || report.Status != etl.Published {
			t.Fatalf("failing at %d: %+v, %v", failAt, report, err)
		}
		again, err := p.Run(t.Context())
		if err != nil || again.Status != etl.Unchanged || again.RowsLoaded != 0 {
			t.Fatalf("failing at %d, again: %+v, %v", failAt, again, err)
		}
	}
}

func TestAnObjectThatChanges(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	p := etl.New(etl.Local(dir), etl.ToLoader(memstore.New()), nil)
	scanned, err := p.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Validate(t.Context(), scanned)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Divide(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "GEN.csv"), []byte(generators+"2023,TX,New,5,1,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := p.Stream(t.Context(), d)
	if err != nil || len(s.Loads) != 0 || len(s.Refused) != 1 || !strings.Contains(s.Refused[0].Reason, "changed while") {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestManyFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	const years = 22
	for i := range 1000 {
		year := 1990 + i%years
		if year > 2000 {
			year += 8 // there is no eGRID of some years in between
		}
		files[fmt.Sprintf("%04d/GEN.csv", i)] = fmt.Sprintf("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n%d,TX,Alpha,%d,1,5\n", year, i)
	}
	report, store := run(t, etl.Local(folder(t, files)), nil)
	c, err := store.Catalog(t.Context())
	if err != nil || report.RowsRead != 1000 || len(report.Files) != 1000 || len(c.Years(egrid.GEN)) != years {
		t.Errorf("%d rows read of %d files, %d years, %v", report.RowsRead, len(report.Files), len(c.Years(egrid.GEN)), err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := etl.New(etl.Local(folder(t, map[string]string{"GEN.csv": generators})), etl.ToLoader(memstore.New()), nil)
	if _, err := p.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := etl.New(etl.Local("no/such/path"), nil, nil).Scan(t.Context()); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := etl.New(etl.Local(t.TempDir()), nil, nil).Scan(t.Context()); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	const text = `{"inputs":[{"match":"mine*.csv","level":"GEN","year":2020,"release":"v2","delimiter":";","skip_rows":1,
		"columns":{"Bundesstaat":"PSTATABB","Werk":"plant_name","Block":"GENID","Strom":"GENNTAN","Egal":""},
		"transform":{"GENNTAN":"negate","plant_name":"upper"}}]}`
	config, err := etl.ReadConfig(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string]string{"mine1.csv": "exported yesterday\nBundesstaat;Werk;Block;Strom;Egal\nTX;Alpha;1;5;x\n"})
	report, store := run(t, etl.Local(dir), &etl.Options{Config: config})
	if got := sheetsOf(report); !slices.Equal(got, []string{"mine1.csv GEN 2020 v2 1/1/0 published"}) {
		t.Fatalf("got %q: %+v", got, report.Files)
	}
	page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN})
	if err != nil || page.Row(0).Text(egrid.PlantName) != "ALPHA" || page.Row(0).Text(egrid.NetGeneration) != "-5" || len(page.Schema().Columns()) != 7 {
		t.Errorf("got %v of %v, %v", page.Batch, page.Schema().Columns(), err)
	}
	for text, want := range map[string]string{
		`{"inputs":[{"match":"*","colums":{}}]}`:           "colums",
		`{"inputs":[{"match":"["}]}`:                       "pattern",
		`{"inputs":[{"year":2020}]}`:                       "pattern",
		`{"inputs":[{"match":"*","year":1066}]}`:           "1066",
		`{"inputs":[{"match":"*","level":"PLANT"}]}`:       "PLANT",
		"{\"inputs\":[\n{\"match\":\"*\",\"release\":1}]}": "line 2",
		``: "line 1",
	} {
		if _, err := etl.ReadConfig(strings.NewReader(text)); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFS(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"x/GEN23.csv": {Data: []byte(generators)}, "readme.md": {Data: []byte("x")}}
	report, _ := run(t, etl.FS(files), &etl.Options{ChunkBytes: 20})
	if report.RowsLoaded != 4 || report.Files[0].Sheets[0].Status != etl.LeftOut || report.Files[1].Object != "x/GEN23.csv" {
		t.Errorf("got %+v", report)
	}
}

// readerOf reads a table whose encoding all of its text tells.
func readerOf(table book.Table) (*sheet.Reader, error) {
	text, err := table.Open()
	if err != nil {
		return nil, err
	}
	defer text.Close()
	all, err := io.ReadAll(text)
	if err != nil {
		return nil, err
	}
	r, err := sheet.NewReader(bytes.NewReader(all), &sheet.ReaderOptions{Name: "GEN23.csv", Sheet: table.Name, Grid: table.Grid})
	if err != nil || table.Charset != "" || table.Grid {
		return r, err
	}
	var charset book.Charset
	_, _ = charset.Write(all) // returns no error
	if name := charset.Name(); name != "" && charset.ASCII() >= r.Sheet().DataOffset {
		table.Charset = name
		return readerOf(table)
	}
	return r, nil
}

// FuzzRun loads whatever bytes: nothing panics, hangs or loses a record.
func FuzzRun(f *testing.F) {
	f.Add([]byte(generators), uint16(30))
	f.Add([]byte("\xef\xbb\xbfTable 1\r\n\r\n,PSTATABB,PNAME,GENID,GENNTAN\r\n,TX,A,1,\" (2,443)\"\r\n"), uint16(1))
	f.Add([]byte("PSTATABB\tPNAME\tGENID\nTX\t\"A\nB\"\t1"), uint16(7))
	f.Add([]byte("YEAR,PNAME,GENID\n2023,\"a\"b,1\n2023,a,\n"), uint16(9))
	f.Add([]byte("YEAR,PSTATABB,PNAME,GENID,GENNTAN\n2023,TX,Br\xfccke,1,5\n2023,TX,\"a\xff\"\"b\"x,2,-"), uint16(9))
	f.Add([]byte(",,,GENID,GENNTAN\n,,,,00A"), uint16(1))
	f.Add([]byte("0\x80,GENID,GENNTAN\n\x100,,0"), uint16(58))
	f.Fuzz(func(t *testing.T, text []byte, chunk uint16) {
		source := etl.FS(fstest.MapFS{"GEN23.csv": {Data: text}})
		store := memstore.New()
		report, err := etl.New(source, etl.ToLoader(store), &etl.Options{ChunkBytes: int64(chunk) + 1}).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report.Status == etl.Failed {
			return
		}
		b, err := book.Open(bytes.NewReader(text), int64(len(text)), nil)
		if err != nil {
			t.Fatalf("the book refuses what was loaded: %v", err)
		}
		defer b.Close()
		var rows, rejected int64
		for _, table := range b.Tables() {
			r, err := readerOf(table)
			if err != nil {
				continue // a table that was left out
			}
			for _, err := range r.Rows() {
				switch {
				case sheet.IsRowError(err):
					rejected++
				case err != nil:
					t.Fatal(err)
				default:
					rows++
				}
			}
		}
		if report.RowsRejected != rejected || report.RowsRead != rows+rejected {
			t.Fatalf("%d read and %d rejected; the reader has %d and %d", report.RowsRead, report.RowsRejected, rows+rejected, rejected)
		}
	})
}

// Two files of a folder that contradict each other are both held, time and again,
// whatever the policy: nothing tells which is right.
func TestContradictingFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a/GEN.csv": generators, "b/GEN.csv": strings.Replace(generators, "400", "401", 1)})
	for name, through := range map[string]func(*memstore.Store, *etl.Options) (etl.Report, error){
		"store": func(store *memstore.Store, o *etl.Options) (etl.Report, error) {
			return etl.New(etl.Local(dir), etl.ToLoader(store), o).Run(t.Context())
		},
		"queue": func(store *memstore.Store, o *etl.Options) (etl.Report, error) {
			broker := memqueue.New(nil)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go func() {
				_ = queue.Consume(ctx, broker, queue.QueueDatabase, etl.DatabaseHandler(store), &queue.ConsumeOptions{Workers: 1, Retry: queue.RetryPolicy{MaxAttempts: 2, Base: time.Millisecond}})
			}()
			return etl.New(etl.Local(dir), etl.ToQueue(broker, store), o).Run(ctx)
		},
	} {
		for _, policy := range []driver.Policy{driver.PublishAuto, driver.PublishReplace, driver.PublishMerge} {
			t.Run(name+" "+string(policy), func(t *testing.T) {
				store := memstore.New()
				defer store.Close()
				for run := range 3 {
					report, err := through(store, &etl.Options{Publish: policy})
					if err != nil || report.Status != etl.Held || len(report.Files) != 2 {
						t.Fatalf("run %d: %s, %v", run, report.Status, err)
					}
					for _, f := range report.Files {
						reason := fmt.Sprint(f.Sheets[0].Reason, f.Sheets[0].Choices)
						for _, want := range []string{"a/GEN.csv", "b/GEN.csv", "net_generation_mwh of 1/1", "400", "401", "egrid publish"} {
							if f.Sheets[0].Status != etl.Held || !strings.Contains(reason, want) {
								t.Errorf("run %d, %s: %s, %q does not tell of %s", run, f.Object, f.Sheets[0].Status, reason, want)
							}
						}
					}
					if report.RowsLoaded > 1 {
						t.Errorf("run %d: %d rows loaded", run, report.RowsLoaded)
					}
				}
				c, err := store.Catalog(t.Context())
				if _, published := c.Published(egrid.GEN, 2023, ""); err != nil || published {
					t.Errorf("one of them is published, %v", err)
				}
				if _, published := c.Published(egrid.GEN, 2022, ""); !published {
					t.Error("the rows of 2022, which are the same in both, are not published")
				}
			})
		}
	}
}

// The contents page of a workbook says who published its sheets.
func TestAuthorityOfContents(t *testing.T) {
	t.Parallel()
	const st = "PSTATABB,STNGENAN,STCO2AN\nAK,1,2\n"
	for _, test := range []struct {
		contents string
		options  etl.Options
		want     string
	}{
		{"Table of Contents\neGRID2024 of Cornerstone Data\n", etl.Options{}, "Cornerstone Data"},
		{"Table of Contents\neGRID2024\n", etl.Options{}, "EPA"},
		{"Table of Contents\neGRID2024 of Cornerstone Data\n", etl.Options{Authority: "Somebody"}, "Somebody"},
	} {
		files := map[string]string{"egrid2024_data.zip": zipped(t, "ST24.csv", st, "Contents.csv", test.contents)}
		report, store := run(t, etl.Local(folder(t, files)), &test.options)
		c, err := store.Catalog(t.Context())
		if err != nil || len(c.Snapshots) != 1 || c.Snapshots[0].Authority != test.want {
			t.Errorf("%+v: got %+v, %v; want %q", test, report, err, test.want)
		}
	}
}
