package etl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

func workbook(t testing.TB, sheets ...egridtest.Sheet) string {
	t.Helper()
	var b bytes.Buffer
	if err := egridtest.WriteWorkbook(&b, sheets...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// described is a sheet in EPA's layout, with a line break in a description and
// one in a cell.
const described = "Data Year,\"Plant state\nabbreviation\",Plant name,ORIS code,Generator ID,Net generation (MWh)\n" + generators

var regions = egridtest.Sheet{Name: "SRL23", CSV: "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n2023,NYCW,5,1\n"}

// TestWorkbook loads all sheets of a workbook, by whatever name and in whatever
// it comes.
func TestWorkbook(t *testing.T) {
	t.Parallel()
	book := workbook(t, egridtest.Sheet{Name: "GEN23 ", CSV: described}, regions)
	for name, test := range map[string]struct{ file, content, prefix string }{
		"workbook":   {"egrid2023.xlsx", book, ""},
		"other name": {"egrid2023.xls", book, ""},
		"in a zip":   {"a.zip", zipped(t, "data/egrid2023.xlsx", book, ".hidden", "x"), "data/egrid2023.xlsx/"},
		"compressed": {"egrid2023.csv.gz", gzipped(t, book), ""},
	} {
		for _, chunk := range []int64{1, 1 << 20} {
			report, store := run(t, etl.Local(folder(t, map[string]string{test.file: test.content})), &etl.Options{ChunkBytes: chunk, Workers: 3})
			want := []string{
				strings.Join(strings.Fields(fmt.Sprint(test.file, " ", test.prefix+"GEN23", " GEN 2023 3/3/0 published")), " "),
				strings.Join(strings.Fields(fmt.Sprint(test.file, " ", test.prefix+"GEN23", " GEN 2022 1/1/0 published")), " "),
				strings.Join(strings.Fields(fmt.Sprint(test.file, " ", test.prefix+"SRL23", " SRL 2023 1/1/0 published")), " "),
			}
			if got := sheetsOf(report); !slices.Equal(got, want) || !report.Complete() {
				t.Errorf("%s by %d: %q; want %q", name, chunk, got, want)
			}
			page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 3, Year: 2023})
			if err != nil || page.Len() != 3 || page.Row(2).Text(egrid.PlantName) != "Bravo, \"East\"\nand West" || page.Row(2).Text(egrid.PlantCode) != "02" {
				t.Errorf("%s by %d: %v, %v", name, chunk, page.Batch, err)
			}
		}
	}
}

// TestWorkbookRows: what is rejected names the row of the sheet, whatever line
// breaks its cells hold.
func TestWorkbookRows(t *testing.T) {
	t.Parallel()
	book := workbook(t, egridtest.Sheet{Name: "GEN23", CSV: "Contents\n,\n" + described + "2023,TX,Cut,5,1,12 apples\n2023,TX,\"Two\nlines\",6,1,1\n2023,TX,Late,7,1,pears\n"})
	for _, chunk := range []int64{1, 40, 1 << 20} {
		kept := filepath.Join(t.TempDir(), "rejects.csv")
		report, _ := run(t, etl.Local(folder(t, map[string]string{"b.xlsx": book})), &etl.Options{ChunkBytes: chunk, RejectsFile: kept, Publish: driver.PublishReplace})
		text, err := os.ReadFile(kept)
		if err != nil || report.RowsRejected != 2 || report.RowsLoaded != 5 {
			t.Fatalf("by %d: %+v, %v", chunk, report, err)
		}
		for _, want := range []string{"b.xlsx,GEN23,9,net_generation_mwh,12 apples,", "b.xlsx,GEN23,11,net_generation_mwh,pears,"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("by %d: no %q in %s", chunk, want, text)
			}
		}
	}
}

// TestWorkbookInStages takes a workbook through stages that each run in a process
// of their own.
func TestWorkbookInStages(t *testing.T) {
	t.Parallel()
	source := etl.Local(folder(t, map[string]string{"b.xlsx": workbook(t, egridtest.Sheet{Name: "GEN23", CSV: described}, regions), "c.csv": generators, "d.csv": latin}))
	store := memstore.New()
	defer store.Close()
	p := func() *etl.Pipeline { return etl.New(source, etl.ToLoader(store), nil) }
	scanned, err := p().Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	validated, err := p().Validate(t.Context(), again(t, scanned))
	if err != nil || !validated.OK() {
		t.Fatal(validated, err)
	}
	divided, err := p().Divide(t.Context(), again(t, validated))
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := p().Stream(t.Context(), again(t, divided))
	if err != nil {
		t.Fatal(err)
	}
	report, err := p().Report(t.Context(), again(t, streamed))
	if err != nil || report.RowsLoaded == 0 || report.RowsRejected > 0 || report.Status == etl.Failed {
		t.Errorf("%+v, %v", report, err)
	}
}

// again is a value that went through JSON.
func again[T any](t testing.TB, v T) T {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// latin is a sheet in Windows-1252 whose first letter beyond ASCII is behind what
// a reader looks at first.
var latin = "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n" + strings.Repeat("2021,TX,Alpha,1,1,400\n", 4_000) + "2021,CA,Ca\xf1on,2,1,7\n"

func TestCharsets(t *testing.T) {
	t.Parallel()
	utf16 := []byte("\xff\xfe")
	for _, r := range strings.Replace(generators, "Silent", "Cañon", 1) {
		utf16 = append(utf16, byte(r), byte(r>>8))
	}
	for name, content := range map[string]string{
		"a.csv": strings.Replace(generators, "Silent", "Ca\xf1on", 1), "b.csv": latin, "c.csv": string(utf16),
		"d.csv.gz": gzipped(t, latin), "e.zip": zipped(t, "a.csv", latin), "f.csv": strings.Replace(latin, "\xf1", "ñ", 1),
	} {
		report, store := run(t, etl.Local(folder(t, map[string]string{name: content})), nil)
		page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Year: egrid.AllYears, Filters: []egrid.Filter{egrid.Where(egrid.PlantName, egrid.Eq, "Cañon")}})
		if err != nil || page.Len() != 1 || report.RowsRejected != 0 {
			t.Errorf("%s: %d rows, %v, %q", name, page.Len(), err, sheetsOf(report))
		}
	}
}

// countingSource counts how often objects are opened.
type countingSource struct {
	etl.Source
	mu    sync.Mutex
	opens map[string]int
	open  int // bodies that are not closed
}

func (s *countingSource) List(ctx context.Context) iter.Seq2[etl.Object, error] {
	return s.Source.List(ctx)
}

func (s *countingSource) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	r, err := s.Source.Open(ctx, o, offset, length)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens[o.Name]++
	if err == nil {
		s.open++
		r = &countedBody{ReadCloser: r, s: s}
	}
	return r, err
}

type countedBody struct {
	io.ReadCloser
	s    *countingSource
	once sync.Once
}

func (b *countedBody) Close() error {
	b.once.Do(func() {
		b.s.mu.Lock()
		b.s.open--
		b.s.mu.Unlock()
	})
	return b.ReadCloser.Close()
}

// TestFetchedOnce: what is packed is fetched once for all its sheets and stages,
// nothing stays open, and no temporary file is left.
func TestFetchedOnce(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	big := workbook(t, egridtest.Sheet{Name: "GEN23", CSV: generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 20_000)}, regions)
	files := map[string]string{"a.xlsx": big, "b.zip": zipped(t, "x.xlsx", big), "c.xlsx": big[:len(big)/2], "d.csv.gz": gzipped(t, latin)}
	source := &countingSource{Source: etl.Local(folder(t, files)), opens: map[string]int{}}
	report, _ := run(t, source, nil)
	if report.Complete() || report.RowsLoaded == 0 {
		t.Errorf("%q", sheetsOf(report))
	}
	for name, n := range source.opens {
		if n != 1 {
			t.Errorf("%s was opened %d times", name, n)
		}
	}
	if source.open != 0 {
		t.Errorf("%d bodies are open", source.open)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestManyWorkbooks: more than are kept open at a time.
func TestManyWorkbooks(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 9 {
		files[fmt.Sprintf("%d.xlsx", i)] = workbook(t, egridtest.Sheet{Name: "GEN", CSV: strings.ReplaceAll(generators, "2023", fmt.Sprint(2010+i))}, regions)
	}
	report, _ := run(t, etl.Local(folder(t, files)), nil)
	if len(report.Files) != 9 || report.RowsRejected > 0 || report.RowsLoaded < 9*3 {
		t.Errorf("%d rows loaded: %q", report.RowsLoaded, sheetsOf(report))
	}
}

// TestManyMembers: more tables in an archive than are kept open at a time.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	var members []string
	for i := range 150 {
		members = append(members, fmt.Sprintf("GEN%03d.csv", i), fmt.Sprintf("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,%d,1,400\n", i))
	}
	report, _ := run(t, etl.Local(folder(t, map[string]string{"a.zip": zipped(t, members...)})), nil)
	if report.RowsRead != 150 || len(report.Files[0].Sheets) != 150 {
		t.Errorf("%d rows of %d sheets: %q", report.RowsRead, len(report.Files[0].Sheets), sheetsOf(report))
	}
}

// TestChangedWorkbook: an object that is another one by the time it is read
// fails as changed.
func TestChangedWorkbook(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.xlsx": workbook(t, regions)})
	p := etl.New(etl.Local(dir), etl.ToLoader(memstore.New()), nil)
	scanned, err := p.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.xlsx"), []byte(workbook(t, regions, regions)), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := p.Validate(t.Context(), scanned)
	if err != nil || !strings.Contains(v.Files[0].Error, "changed") {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestRealWorkbooks loads the workbooks among EPA's files.
func TestRealWorkbooks(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t)
	for file, want := range map[string][]string{
		"2021/UNT21.xlsx":             {"UNT21.xlsx Unit_File UNT 2021 24598/24598/0 published"},
		"1998/eGRID1998_location.xls": {"eGRID1998_location.xls EGRDUS98 US 1998 1/1/0 published", "eGRID1998_location.xls EGRDST98 ST 1998 51/51/0 published"},
	} {
		report, _ := run(t, etl.Local(filepath.Join(dir, file)), nil)
		for _, line := range want {
			if got := sheetsOf(report); !slices.Contains(got, line) {
				t.Errorf("no %q in %q", line, got)
			}
		}
	}
}

// TestOutsideTheText holds what is told of a sheet that its text does not say.
func TestOutsideTheText(t *testing.T) {
	t.Parallel()
	hidden, empty := regions, egridtest.Sheet{Name: "Sheet1"}
	hidden.Hidden = true
	utf16 := "\xff\xfe"
	for _, r := range generators {
		utf16 += string([]byte{byte(r), 0})
	}
	late := generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 20_000) + "2023,TX,S\xfcd,1,2,500.5\n"
	for name, test := range map[string]struct {
		file, content string
		want          []string
	}{
		"shown":        {"a.xlsx", workbook(t, regions), nil},
		"hidden":       {"a.xlsx", workbook(t, hidden, empty), []string{"sheet hidden: the workbook"}},
		"UTF-8":        {"a.csv", generators, nil},
		"UTF-16":       {"a.csv", utf16, []string{"encoding UTF-16LE: the first bytes"}},
		"Windows-1252": {"a.csv", "S\xfcd,,,\n" + generators, []string{"encoding Windows-1252: the first bytes"}},
		"found late":   {"a.csv", late, []string{"encoding Windows-1252: letters that are not UTF-8"}},
	} {
		source := etl.Local(folder(t, map[string]string{test.file: test.content}))
		report, _ := run(t, source, nil)
		p := etl.New(source, nil, nil)
		scanned, err := p.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Validate(t.Context(), scanned)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []etl.Report{report, v.Report()} {
			if !r.Complete() {
				t.Errorf("%s: %q", name, sheetsOf(r))
			}
			var got []string
			for _, s := range r.Files[0].Sheets {
				for _, e := range s.Evidence {
					if e.Of == "sheet" || e.Of == "encoding" {
						got = append(got, fmt.Sprintf("%s %s: %s", e.Of, e.Value, e.From))
					}
				}
			}
			slices.Sort(got) // by data years
			got = slices.Compact(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: got %q; want %q", name, got, test.want)
			}
		}
	}
}
