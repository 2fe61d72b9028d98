package export_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/export"
)

// fields are a column of each type, and one that the dictionary does not know.
func fields(t *testing.T) *egrid.Schema {
	t.Helper()
	var fields []egrid.Field
	for _, c := range []egrid.Column{egrid.PlantName, egrid.GeneratorID, egrid.Sequence, egrid.NetGeneration} {
		f, ok := egrid.Lookup(egrid.GEN, string(c))
		if !ok {
			t.Fatalf("no column %s", c)
		}
		fields = append(fields, f)
	}
	s, err := egrid.NewSchema(append(fields, egrid.Field{Column: "flag", Type: egrid.Flag}, egrid.Field{Column: `odd "<&>"`, Type: egrid.Text})...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func text(s string) egrid.Value { return egrid.TextOf(s) }

// rows are what goes wrong between tools.
func rows() [][]egrid.Value {
	return [][]egrid.Value{
		{text("=1+1"), text("0290"), egrid.IntegerOf(0), egrid.NumberOf(0), egrid.FlagOf(false), text("a")},
		{text("@SUM(A1)"), text("7E600"), egrid.IntegerOf(-1), egrid.NumberOf(1e-7), egrid.FlagOf(true), text("_x0041_")},
		{{}, text("NA"), {}, {}, {}, {}},
		{text("-2+3"), text("12/2"), egrid.IntegerOf(9007199254740993), egrid.NumberOf(math.Nextafter(0.3, 1)), {}, text(" spaces ")},
		{text("+1"), text("TRUE"), egrid.IntegerOf(1 << 53), egrid.NumberOf(-1.7976931348623157e308), {}, text("line\nbreak\ttab \x07bell")},
		{text(`"quoted", é 東`), text("3-01"), {}, egrid.NumberOf(5e-324), {}, {}},
	}
}

func batch(t *testing.T, s *egrid.Schema, rows ...[]egrid.Value) *egrid.Batch {
	t.Helper()
	b, err := egrid.BatchOf(s, 2023, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, f export.Format, s *egrid.Schema, about *export.About, batches ...*egrid.Batch) []byte {
	t.Helper()
	var file bytes.Buffer
	w := f.New(&file, s, about)
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// records reads a table of a workbook by the reader of package book, which is none
// of this package's.
func records(t *testing.T, file []byte, table string) [][]string {
	t.Helper()
	b, err := book.Open(bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	at := slices.IndexFunc(b.Tables(), func(t book.Table) bool { return t.Name == table })
	if at < 0 {
		t.Fatalf("no table %s among %v", table, b.Tables())
	}
	content, err := b.Tables()[at].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	r := csv.NewReader(content)
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var gen23 = egrid.Snapshot{ID: "0123456789abcdef01234567", Level: egrid.GEN, Year: 2023, Authority: egrid.DefaultAuthority}

func TestXLSXHasEveryCell(t *testing.T) {
	t.Parallel()
	s := fields(t)
	file := write(t, export.XLSX(), s, &export.About{Level: egrid.GEN, Snapshots: []egrid.Snapshot{gen23}}, batch(t, s, rows()[:2]...), batch(t, s, rows()[2:]...))
	got := records(t, file, "GEN23")
	if want := []string{"plant_name", "generator_id", "sequence", "net_generation_mwh", "flag", `odd "<&>"`}; !slices.Equal(got[0], want) {
		t.Errorf("header %q; want %q", got[0], want)
	}
	if len(got) != len(rows())+1 {
		t.Fatalf("%d records", len(got))
	}
	for i, row := range rows() {
		for j, want := range row {
			v, _, err := egrid.ParseValue(s.Field(j).Type, got[i+1][j])
			if s.Field(j).Type == egrid.Text { // which ParseValue trims
				v, err = egrid.TextOf(got[i+1][j]), nil
			}
			if err != nil || v != want {
				t.Errorf("row %d, %s: %q is %v, %v; want %v", i+1, s.Field(j).Column, got[i+1][j], v, err, want)
			}
		}
	}
}

// What looks like a formula, a number or a date is a text cell, and no cell is a
// formula.
func TestXLSXTextsAreTexts(t *testing.T) {
	t.Parallel()
	s := fields(t)
	xml := member(t, write(t, export.XLSX(), s, &export.About{}, batch(t, s, rows()...)), "xl/worksheets/sheet1.xml")
	for _, want := range []string{
		`<c r="A2" t="inlineStr"><is><t>=1+1</t></is></c>`, `<c r="B3" t="inlineStr"><is><t>7E600</t></is></c>`,
		`<c r="C2"><v>0</v></c><c r="D2"><v>0</v></c><c r="E2" t="b"><v>0</v></c>`, `<row r="4"><c r="B4" t="inlineStr"><is><t>NA</t></is></c><c r="F4"/></row>`,
		`<c r="C5" t="inlineStr"><is><t>9007199254740993</t></is></c><c r="D5"><v>0.30000000000000004</v></c>`, `<t>_x005F_x0041_</t>`, `<t xml:space="preserve"> spaces </t>`,
	} {
		if !strings.Contains(xml, want) {
			t.Errorf("no %s in\n%s", want, xml)
		}
	}
	if strings.Contains(xml, "<f>") {
		t.Error("a formula")
	}
}

func member(t *testing.T, file []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestXLSXTellsWhatItIs(t *testing.T) {
	t.Parallel()
	s := fields(t)
	older := gen23
	older.Year, older.Release, older.ID, older.Lossy = 2018, "v2", "other", []egrid.Column{egrid.NetGeneration}
	for _, test := range []struct {
		name, sheet string
		about       export.About
		says        []string
	}{
		{"nothing", "rows", export.About{}, nil},
		{"one", "GEN23", export.About{Level: egrid.GEN, Snapshots: []egrid.Snapshot{gen23}, Address: "/levels/GEN/rows?snapshot=0123456789abcdef01234567"},
			[]string{"level|GEN", "year|2023", "release|none", "authority|EPA", "snapshots|0123456789abcdef01234567", "address|/levels/GEN/rows?snapshot=0123456789abcdef01234567",
				"net_generation_mwh|GENNTAN|number|MWh|Net generation over the year;"}},
		{"two", "GEN", export.About{Level: egrid.GEN, Snapshots: []egrid.Snapshot{older, gen23}, Codes: true},
			[]string{"year|2018, 2023", "release|v2, none", "rounded|net_generation_mwh", "GENNTAN|GENNTAN|number|MWh|Net generation over the year;"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, export.XLSX(), s, &test.about)
			records(t, file, test.sheet)
			var lines []string
			for _, record := range records(t, file, "About") {
				lines = append(lines, strings.Join(record, "|"))
			}
			for _, want := range test.says {
				if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, want) }) {
					t.Errorf("no %s in\n%s", want, strings.Join(lines, "\n"))
				}
			}
		})
	}
}

func TestXLSXRefusesWhatItCannotHold(t *testing.T) {
	t.Parallel()
	short, err := egrid.NewSchema(egrid.Field{Column: "a", Type: egrid.Flag})
	if err != nil {
		t.Fatal(err)
	}
	many := make([]egrid.Field, 1<<14+1)
	for i := range many {
		many[i] = egrid.Field{Column: egrid.Column(fmt.Sprint("c", i)), Type: egrid.Flag}
	}
	wide, err := egrid.NewSchema(many...)
	if err != nil {
		t.Fatal(err)
	}
	builder := egrid.NewBuilder(short, 2023)
	for i := range 1 << 18 {
		builder.EndRow(int64(i+1), 0)
	}
	tall := builder.Batch()
	letters, err := egrid.NewSchema(egrid.Field{Column: "a", Type: egrid.Text})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		s       *egrid.Schema
		batches []*egrid.Batch
		says    string // empty: it is written
	}{
		{"rows", short, []*egrid.Batch{tall, tall, tall, tall}, "at most 1048576 rows"},
		{"columns", wide, nil, "at most 16384 columns"},
		{"letters", letters, []*egrid.Batch{batch(t, letters, []egrid.Value{text(strings.Repeat("é", 1<<15))})}, "row 2, column A: a cell has at most 32767 letters"},
		{"all but too many letters", letters, []*egrid.Batch{batch(t, letters, []egrid.Value{text(strings.Repeat("é", 1<<15-1))})}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := export.XLSX().New(io.Discard, test.s, &export.About{})
			var err error
			for _, b := range test.batches {
				if err = w.Write(b); err != nil {
					break
				}
			}
			closed := w.Close()
			switch {
			case test.says == "":
				if err != nil || closed != nil {
					t.Errorf("%v, %v", err, closed)
				}
			case !errors.Is(closed, egrid.ErrInvalid) || !strings.Contains(closed.Error(), test.says):
				t.Errorf("%v; want %q", closed, test.says)
			}
		})
	}
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	s := fields(t)
	for _, f := range []export.Format{export.XLSX(), export.DataPackage()} {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			w := f.New(failing{broken}, s, &export.About{})
			err := w.Write(batch(t, s, rows()...))
			if err == nil {
				err = w.Close()
			}
			if !errors.Is(err, broken) {
				t.Errorf("%v; want %v", err, broken)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestDataPackage(t *testing.T) {
	t.Parallel()
	s := fields(t)
	about := export.About{Level: egrid.GEN, Name: "GEN_2023_state=TX", Snapshots: []egrid.Snapshot{gen23}}
	var got struct {
		Name, Profile string
		Resources     []struct {
			Name, Path, Format, Encoding string
			Schema                       struct {
				Fields        []map[string]string
				MissingValues []string
			}
		}
		EGRID map[string]string
	}
	if err := json.Unmarshal(write(t, export.DataPackage(), s, &about, batch(t, s, rows()...)), &got); err != nil {
		t.Fatal(err)
	}
	resource := got.Resources[0]
	if got.Name != "gen_2023_state-tx" || got.Profile != "tabular-data-package" || resource.Path != "GEN_2023_state=TX.csv" || got.EGRID["release"] != "none" ||
		!slices.Equal(resource.Schema.MissingValues, []string{""}) || len(resource.Schema.Fields) != s.Len() {
		t.Errorf("%+v", got)
	}
	if f := resource.Schema.Fields[3]; f["name"] != "net_generation_mwh" || f["type"] != "number" || f["unit"] != "MWh" || f["code"] != "GENNTAN" || f["description"] == "" {
		t.Errorf("%v", f)
	}
}

func BenchmarkXLSX(b *testing.B) {
	fields := []egrid.Field{{Column: "text", Type: egrid.Text}}
	for i := range 19 {
		fields = append(fields, egrid.Field{Column: egrid.Column(fmt.Sprint("x", i)), Type: egrid.Number})
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		b.Fatal(err)
	}
	builder := egrid.NewBuilder(s, 2023)
	for i := range 10_000 {
		builder.Text(0, fmt.Appendf(nil, "text %d", i))
		for j := range 19 {
			builder.Number(j+1, float64(i*j)/7)
		}
		builder.EndRow(int64(i+1), 0)
	}
	rows := builder.Batch()
	b.ReportAllocs()
	for b.Loop() {
		w := export.XLSX().New(io.Discard, s, &export.About{})
		if err := w.Write(rows); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(rows.Len())/b.Elapsed().Seconds(), "rows/s")
}
