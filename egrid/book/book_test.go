package book_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// packed is a zip archive of names and contents in turn.
func packed(t testing.TB, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		f, err := w.Create(members[i])
		if err == nil {
			_, err = io.WriteString(f, members[i+1])
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

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// utf16 is ASCII text as UTF-16, with its mark.
func utf16(text string) string {
	out := []byte("\xfe\xff")
	for _, c := range []byte(text) {
		out = append(out, 0, c)
	}
	return string(out)
}

// workbook is a workbook with two sheets, the second of them hidden.
func workbook(t testing.TB) string {
	t.Helper()
	const relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	return packed(t,
		"[Content_Types].xml", `<Types/>`,
		"_rels/.rels", `<Relationships><Relationship Id="a" Type="`+relation+`officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook xmlns:r="`+relation+`"><sheets><sheet name="Contents" r:id="a"/><sheet name="GEN23 " state="hidden" r:id="b"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="a" Type="`+relation+`worksheet" Target="one.xml"/><Relationship Id="b" Type="`+relation+`worksheet" Target="two.xml"/></Relationships>`,
		"xl/one.xml", `<worksheet><sheetData><row><c t="inlineStr"><is><t>Contents</t></is></c></row></sheetData></worksheet>`,
		"xl/two.xml", `<worksheet><sheetData><row><c t="inlineStr"><is><t>YEAR</t></is></c></row><row><c><v>2023</v></c></row></sheetData></worksheet>`,
	)
}

// listed opens a file and lists its tables with their texts, and what it leaves
// out behind a dash.
func listed(content string) ([]string, error) {
	b, err := book.Open(strings.NewReader(content), int64(len(content)), nil)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, table := range b.Tables() {
		text, err := table.Open()
		if err != nil {
			lines = append(lines, fmt.Sprintf("%s! %v", table.Name, err))
			continue
		}
		all, err := io.ReadAll(text)
		if err = errors.Join(err, text.Close()); err != nil {
			return nil, err
		}
		line := fmt.Sprintf("%s=%s", table.Name, all)
		if table.Grid {
			line += " grid"
		}
		if table.Objects {
			line += " objects"
		}
		if table.Hidden {
			line += " hidden"
		}
		if table.Plain {
			line += " plain"
		}
		lines = append(lines, line)
	}
	for _, left := range b.LeftOut() {
		lines = append(lines, "- "+left.Name+": "+left.Reason)
	}
	return lines, b.Close()
}

func TestOpen(t *testing.T) {
	t.Parallel()
	const csv = "YEAR\n2023\n"
	const ndjson, ofIt = "{\"YEAR\":2023,\"GENID\":\"0290\"}\n{\"YEAR\":21.0,\"GENID\":null}\n", "YEAR,GENID\n2023,\"0290\"\n21.0,\n"
	xlsx := workbook(t)
	for name, test := range map[string]struct {
		content string
		want    []string
	}{
		"text":               {csv, []string{"=YEAR\n2023\n plain"}},
		"nothing":            {"", []string{"= plain"}},
		"UTF-8 with a mark":  {"\ufeff" + csv, []string{"=\ufeffYEAR\n2023\n plain"}},
		"UTF-16":             {"\xff\xfeY\x00\n\x00\xe9\x00", []string{"=Y\né"}},
		"Windows-1252":       {"PNAME\nCa\xf1on\n", []string{"=PNAME\nCañon\n"}},
		"gzip":               {gzipped(t, csv), []string{"=" + csv}},
		"gzip twice":         {gzipped(t, gzipped(t, csv)), []string{"=" + csv}},
		"gzip, Windows-1252": {gzipped(t, "Ca\xf1on\n"), []string{"=Cañon\n"}},
		"workbook":           {xlsx, []string{"Contents=Contents\n grid", "GEN23 =YEAR\n2023\n grid hidden"}},
		"workbook in gzip":   {gzipped(t, xlsx), []string{"Contents=Contents\n grid", "GEN23 =YEAR\n2023\n grid hidden"}},
		"archive": {packed(t, "a/GEN.CSV", csv, "a/", "", "__MACOSX/a/._GEN.CSV", "x", ".DS_Store", "x", "b.csv.gz", gzipped(t, csv), "readme.txt", "hello", "map.png", "\x89PNG"),
			[]string{"a/GEN.CSV=" + csv, "b.csv.gz=" + csv, "- readme.txt: its name does not end in .csv, .tsv, .ndjson or .jsonl", "- map.png: it is an image"}},
		"workbook in an archive": {packed(t, "book.xlsx", xlsx, "b.csv", csv),
			[]string{"book.xlsx/Contents=Contents\n grid", "book.xlsx/GEN23 =YEAR\n2023\n grid hidden", "b.csv=" + csv}},
		"workbook of any name": {packed(t, "book", xlsx),
			[]string{"book/Contents=Contents\n grid", "book/GEN23 =YEAR\n2023\n grid hidden"}},
		"archive in an archive": {packed(t, "inner.zip", packed(t, "a.csv", csv)), []string{"inner.zip/a.csv=" + csv}},
		"packed three times":    {packed(t, "inner.zip", packed(t, "book.xlsx", xlsx)), []string{"inner.zip/book.xlsx! invalid: it is packed more than 2 times; unpack it first"}},
		"one that is damaged": {packed(t, "a.csv", csv, "b.xlsx", xlsx[:500], "c.ods", packed(t, "mimetype", "x"), "d.csv", "%PDF-1.4"),
			[]string{"a.csv=" + csv, "b.xlsx! invalid: it begins as a zip archive and has no list of members at its end: it was cut or damaged; fetch it again",
				"c.ods! invalid: it is an OpenDocument file (.ods); save it as .xlsx", "d.csv! invalid: it is a PDF document; save its table as CSV"}},
		"JSON objects":                  {ndjson, []string{"=" + ofIt + " objects"}},
		"array of JSON objects":         {"\ufeff [" + strings.ReplaceAll(strings.TrimSpace(ndjson), "\n", ",\n") + "]", []string{"=" + ofIt + " objects"}},
		"JSON objects in UTF-16":        {utf16(ndjson), []string{"=" + ofIt + " objects"}},
		"JSON objects in Windows-1252":  {"{\"a\":\"Ca\xf1on\"}\n", []string{`! invalid: line 1, member "a": a string is not UTF-8 text; save the file as UTF-8`}},
		"JSON objects in gzip":          {gzipped(t, ndjson), []string{"=" + ofIt + " objects"}},
		"JSON objects in gzip in a zip": {packed(t, "a.jsonl.gz", gzipped(t, ndjson)), []string{"a.jsonl.gz=" + ofIt + " objects"}},
		"JSON objects in an archive": {packed(t, "a.ndjson", ndjson, "etl.json", `{"skip_rows":1}`, "b.csv", csv, "c.jsonl", `{"rows":[]}`),
			[]string{"a.ndjson=" + ofIt + " objects", "b.csv=" + csv, `c.jsonl! invalid: line 1, member "rows": its value is an array, and a cell has one value; write each row as an object of plain values, one a line, as egrid rows --format ndjson and format=ndjson over HTTP do`,
				"- etl.json: its name does not end in .csv, .tsv, .ndjson or .jsonl"}},
		"a name twice": {packed(t, "a.csv", "1\n", "a.csv", "2\n"), []string{"a.csv=1\n", "a.csv (2)=2\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := listed(test.content)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestRefused: what is known and not read is refused by its name, with what to
// do.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, want string }{
		"OpenDocument":         {packed(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), "save it as .xlsx"},
		"Numbers":              {packed(t, "Index/Document.iwa", "x"), "export it as .xlsx"},
		"document of Word":     {packed(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:document/>"), "lacks its part xl/workbook.xml"},
		"web page":             {"\r\n<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><table>", "save it as .xlsx"},
		"XML spreadsheet":      {"\ufeff<?xml version=\"1.0\"?><Workbook/>", "save it as .xlsx"},
		"Parquet":              {"PAR1\x15\x04", "Parquet"},
		"UTF-16 encoded twice": {"\u00ff\u00feY\x00E\x00A\x00R\x00", "once more as UTF-8"},
		"7z":                   {"7z\xbc\xaf\x27\x1c\x00", "unpack it"},
		"compound file":        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600), "workbook"},
		"archive of others":    {packed(t, "readme.md", "x"), "it holds no table; readme.md"},
		"empty archive":        {packed(t), "it holds no table"},
		"archive that was cut": {packed(t, "a.csv", "YEAR\n2023\n")[:40], "cut or damaged"},
		"gzip of nothing":      {"\x1f\x8b\x08", "cannot be unpacked"},
	} {
		if _, err := listed(test.content); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %q", name, err, test.want)
		}
	}
}

// TestBombs: what unpacks to far more than it is, at whatever depth, is refused.
func TestBombs(t *testing.T) {
	t.Parallel()
	bomb := strings.Repeat(" ", 20<<20)
	for name, content := range map[string]string{
		"gzip":                  gzipped(t, bomb),
		"archive":               packed(t, "a.csv", bomb),
		"archive in an archive": packed(t, "a.zip", packed(t, "a.csv", bomb)),
	} {
		b, err := book.Open(strings.NewReader(content), int64(len(content)), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.Tables()[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, text); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "unpacks to more than") {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSparseObjects: objects that lack most members do not fill disks.
func TestSparseObjects(t *testing.T) {
	t.Parallel()
	var content strings.Builder
	content.WriteString("{\"x\":0")
	for i := range 2000 {
		fmt.Fprintf(&content, ",\"%d\":0", i)
	}
	content.WriteString("}\n" + strings.Repeat("{}\n", 20_000))
	if _, err := listed(content.String()); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "unpacks to more than") {
		t.Error(err)
	}
}

// TestObjectLines: what package sheet says of a row names the line of its object.
func TestObjectLines(t *testing.T) {
	t.Parallel()
	const content = "{\"YEAR\":2023,\"PNAME\":\"Two\\nlines\",\"ORISPL\":1,\"GENID\":\"1\",\"GENNTAN\":5}\n\n{\"YEAR\":2023,\"ORISPL\":1,\n\"GENID\":\"2\",\"GENNTAN\":\"x\"}\n{\"YEAR\":2023,\"ORISPL\":1,\"GENID\":\"NA\",\"GENNTAN\":-0.5}\n"
	b, err := book.Open(strings.NewReader(content), int64(len(content)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	table := b.Tables()[0]
	text, err := table.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	r, err := sheet.NewReader(text, &sheet.ReaderOptions{Sheet: table.Name, Grid: table.Grid, Objects: table.Objects})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for row, err := range r.Rows() {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		mwh, _ := row.Float(egrid.NetGeneration)
		got = append(got, fmt.Sprintf("line %d: %s %q %v", row.Line(), row.Text(egrid.GeneratorID), row.Text(egrid.PlantName), mwh))
	}
	want := []string{`line 1: 1 "Two\nlines" 5`, `line 3, column net_generation_mwh, value "x": not a number`, `line 5: NA "" -0.5`}
	if !slices.EqualFunc(got, want, strings.HasPrefix) || r.Sheet().HeaderLine != 1 {
		t.Errorf("got %q, header in line %d; want %q", got, r.Sheet().HeaderLine, want)
	}
}

// TestManyPackedMembers: an archive takes a bounded number of temporary files.
func TestManyPackedMembers(t *testing.T) {
	t.Parallel()
	var members []string
	for i := range 70 {
		members = append(members, fmt.Sprintf("%02d.csv.gz", i), gzipped(t, "x\n"))
	}
	got, err := listed(packed(t, members...))
	if err != nil || len(got) != 70 || got[63] != "63.csv.gz=x\n" || !strings.Contains(got[64], "unpack it first") {
		t.Errorf("%q, %v", got, err)
	}
}

// TestDamaged: the damaged part is named, once.
func TestDamaged(t *testing.T) {
	t.Parallel()
	content := []byte(workbook(t))
	at := bytes.Index(content, []byte("xl/two.xml")) + 40
	content[at] ^= 1
	lines, err := listed(string(content))
	if err == nil || !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "part xl/two.xml") || strings.Count(err.Error(), "fetch it again") > 1 {
		t.Errorf("%q, %v", lines, err)
	}
}

// TestParallel reads the sheets of one workbook at the same time.
func TestParallel(t *testing.T) {
	t.Parallel()
	content := gzipped(t, workbook(t))
	b, err := book.Open(strings.NewReader(content), int64(len(content)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			text, err := b.Tables()[i%2].Open()
			if err != nil {
				t.Error(err)
				return
			}
			defer text.Close()
			if all, err := io.ReadAll(text); err != nil || string(all) != [...]string{"Contents\n", "YEAR\n2023\n"}[i%2] {
				t.Errorf("%q, %v", all, err)
			}
		})
	}
	wg.Wait()
}

func TestReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	if _, err := book.Open(failing{broken}, 1000, nil); !errors.Is(err, broken) || errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestCharset(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"plain":                   "",
		"Cañon é 漢 😀":             "",
		"Ca\xf1on":                "Windows-1252",
		"Ca\xf1on and Cañon":      "",
		"the end of it is a \xf1": "Windows-1252",
		strings.Repeat("x", 1000) + "\x96" + strings.Repeat("x", 1000): "Windows-1252",
	} {
		for size := 1; size <= len(text)+1; size += 1 + size/3 {
			var c book.Charset
			for part := range slices.Chunk([]byte(text), size) {
				if n, err := c.Write(part); n != len(part) || err != nil {
					t.Fatal(n, err)
				}
			}
			if got := c.Name(); got != want {
				t.Errorf("%.20q by %d: %q; want %q", text, size, got, want)
			}
		}
	}
}

// TestReal opens the workbooks among EPA's files.
func TestReal(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t)
	for file, want := range map[string]string{"1998/eGRID1998_location.xls": "12 PSTATABB", "2021/UNT21.xlsx": "1 sequnt", "2016/summary_tables.xlsx": "5 Table 1"} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		tables, err := listed(string(data))
		if got := fmt.Sprint(len(tables)); err != nil || !strings.HasPrefix(want, got+" ") || !strings.Contains(strings.Join(tables, ""), strings.TrimPrefix(want, got+" ")) {
			t.Errorf("%s: %s tables, %v; want %s", file, got, err, want)
		}
	}
}

// Rows as JSON, as the API and egrid rows --format ndjson write them, are one more
// kind of table.
func ExampleOpen_json() {
	const rows = `{"data_year":2023,"oris_plant_code":"57053","generator_id":"0290","net_generation_mwh":-10.50}
{"data_year":2023,"oris_plant_code":"57053","generator_id":"NA","net_generation_mwh":null}
`
	b, err := book.Open(strings.NewReader(rows), int64(len(rows)), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	table := b.Tables()[0]
	text, err := table.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer text.Close()
	r, err := sheet.NewReader(text, &sheet.ReaderOptions{Objects: table.Objects})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range r.Rows() {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("line %d: generator %s, %v MWh\n", row.Line(), row.Text(egrid.GeneratorID), row.Value(egrid.NetGeneration))
	}
	// Output:
	// line 1: generator 0290, -10.5 MWh
	// line 2: generator NA,  MWh
}

func ExampleOpen() {
	text := "YEAR,PSTATABB,ORISPL,GENID,GENNTAN\n2023,AK,57053,0290,10.5\n"
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	member, err := archive.Create("GEN23.csv")
	if err == nil {
		_, err = io.WriteString(member, text)
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		fmt.Println(err)
		return
	}

	b, err := book.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	for _, table := range b.Tables() {
		text, err := table.Open()
		if err != nil {
			fmt.Println(table.Name, err)
			continue
		}
		lines, err := io.ReadAll(text)
		fmt.Printf("%s: %q %v\n", table.Name, lines, errors.Join(err, text.Close()))
	}
	// Output:
	// GEN23.csv: "YEAR,PSTATABB,ORISPL,GENID,GENNTAN\n2023,AK,57053,0290,10.5\n" <nil>
}
