package parquetfile_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
)

func schema(t testing.TB) *egrid.Schema {
	t.Helper()
	code, _ := egrid.Lookup(egrid.GEN, string(egrid.GeneratorID))
	generation, _ := egrid.Lookup(egrid.GEN, string(egrid.NetGeneration))
	s, err := egrid.NewSchema(code, egrid.Field{Column: "whole", Type: egrid.Integer}, generation, egrid.Field{Column: "flag", Type: egrid.Flag}, egrid.Field{Column: `a, "b"`, Type: egrid.Text})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func text(s string) egrid.Value { return egrid.TextOf(s) }

func rows() [][]egrid.Value {
	return [][]egrid.Value{
		{text("0290"), egrid.IntegerOf(0), egrid.NumberOf(0), egrid.FlagOf(false), text("=1+1")},
		{{}, {}, {}, {}, {}},
		{text("7E600"), egrid.IntegerOf(math.MaxInt64), egrid.NumberOf(math.Nextafter(0.3, 1)), egrid.FlagOf(true), text("two\nlines, \"é\"")},
		{text("NA"), egrid.IntegerOf(math.MinInt64), egrid.NumberOf(-math.MaxFloat64), {}, text(" spaces ")},
		{text("12/2"), {}, egrid.NumberOf(math.SmallestNonzeroFloat64), {}, {}},
	}
}

func write(t testing.TB, s *egrid.Schema, about *export.About, batches ...*egrid.Batch) []byte {
	t.Helper()
	var file bytes.Buffer
	w := parquetfile.Export().New(&file, s, about)
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

func batch(t testing.TB, s *egrid.Schema, rows ...[]egrid.Value) *egrid.Batch {
	t.Helper()
	b, err := egrid.BatchOf(s, 2023, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read gives the records of a file as package book has them.
func read(file []byte) ([][]string, error) {
	b, err := book.Open(bytes.NewReader(file), int64(len(file)), &book.Options{Formats: []book.Format{parquetfile.Input()}})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	content, err := b.Tables()[0].Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return csv.NewReader(content).ReadAll()
}

func TestComesBack(t *testing.T) {
	t.Parallel()
	s := schema(t)
	got, err := read(write(t, s, &export.About{}, batch(t, s, rows()[:2]...), batch(t, s), batch(t, s, rows()[2:]...)))
	if err != nil || len(got) != len(rows())+1 {
		t.Fatalf("%v, %d records", err, len(got))
	}
	if want := []string{"generator_id", "whole", "net_generation_mwh", "flag", `a, "b"`}; !slices.Equal(got[0], want) {
		t.Errorf("header %q; want %q", got[0], want)
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

// A file that is packed is found by its content, too.
func TestPacked(t *testing.T) {
	t.Parallel()
	s := schema(t)
	file := write(t, s, &export.About{}, batch(t, s, rows()...))
	want, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	var zipped, gzipped bytes.Buffer
	archive, stream := zip.NewWriter(&zipped), gzip.NewWriter(&gzipped)
	member, err := archive.Create("folder/GEN23")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.Writer{member, stream} {
		if _, err := w.Write(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), stream.Close()); err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]byte{"zip": zipped.Bytes(), "gzip": gzipped.Bytes()} {
		got, err := read(packed)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %v, %q", name, err, got)
		}
	}
}

// A program without the format says what to do.
func TestNotPluggedIn(t *testing.T) {
	t.Parallel()
	s := schema(t)
	file := write(t, s, &export.About{})
	if _, err := book.Open(bytes.NewReader(file), int64(len(file)), nil); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "it is a Parquet file; save it as CSV") {
		t.Error(err)
	}
}

// Columns that are all missing, of texts that all differ, and of several row groups.
func TestComesBackInGroups(t *testing.T) {
	t.Parallel()
	fields := []egrid.Field{{Column: "missing", Type: egrid.Number}}
	for _, c := range strings.Split("abcdefghijklmno", "") {
		fields = append(fields, egrid.Field{Column: egrid.Column(c), Type: egrid.Number}, egrid.Field{Column: egrid.Column("text_" + c), Type: egrid.Text})
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const n = 40_000
	var file bytes.Buffer
	w := parquetfile.Export().New(&file, s, &export.About{})
	var want [][]string
	for at := 0; at < n; {
		builder := egrid.NewBuilder(s, 2023)
		for range 1 + random.IntN(9000) {
			record := []string{""}
			for range 15 {
				record = append(record, egrid.NumberOf(random.NormFloat64()).String(), egrid.NumberOf(float64(random.IntN(300))).String())
				if random.IntN(3) == 0 {
					record[len(record)-1-random.IntN(2)] = ""
				}
			}
			for j, cell := range record {
				v, _, err := egrid.ParseValue(s.Field(j).Type, cell)
				if err != nil {
					t.Fatal(err)
				}
				if err := builder.Value(j, v); err != nil {
					t.Fatal(err)
				}
			}
			at++
			builder.EndRow(int64(at), 0)
			want = append(want, record)
		}
		if err := w.Write(builder.Batch()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || len(f.RowGroups()) < 2 {
		t.Fatalf("%v, %d row groups; want some", err, len(f.RowGroups()))
	}
	got, err := read(file.Bytes())
	if err != nil || len(got) != len(want)+1 {
		t.Fatalf("%v, %d records; want %d", err, len(got), len(want)+1)
	}
	for i := range want {
		for j := range want[i] {
			a, _, _ := egrid.ParseValue(s.Field(j).Type, got[i+1][j])
			b, _, _ := egrid.ParseValue(s.Field(j).Type, want[i][j])
			if a != b {
				t.Fatalf("row %d, column %d: %q; want %q", i+1, j, got[i+1][j], want[i][j])
			}
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := schema(t)
	about := &export.About{Level: egrid.GEN, Codes: true, Snapshots: []egrid.Snapshot{{ID: "0123456789abcdef01234567", Level: egrid.GEN, Year: 2023, Release: "v2", Authority: egrid.DefaultAuthority}}}
	file := write(t, s, about, batch(t, s, rows()...))
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"egrid.level": "GEN", "egrid.year": "2023", "egrid.release": "v2", "egrid.authority": "EPA", "egrid.snapshots": "0123456789abcdef01234567"} {
		if got, _ := f.Lookup(key); got != want {
			t.Errorf("%s is %q; want %q", key, got, want)
		}
	}
	described, _ := f.Lookup("egrid.columns")
	var columns []export.Column
	if err := json.Unmarshal([]byte(described), &columns); err != nil || len(columns) != s.Len() {
		t.Fatalf("%v in %s", err, described)
	}
	if c := columns[2]; c.Name != "net_generation_mwh" || c.Code != "GENNTAN" || c.Unit != "MWh" || c.Type != "number" {
		t.Errorf("%+v", c)
	}
}

// The same rows are the same bytes: an ETag tells so.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	s := schema(t)
	if a, b := write(t, s, &export.About{}, batch(t, s, rows()...)), write(t, s, &export.About{}, batch(t, s, rows()...)); !bytes.Equal(a, b) {
		t.Error("two files of the same rows differ")
	}
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	s := schema(t)
	w := parquetfile.Export().New(failing{err: broken}, s, &export.About{})
	err := w.Write(batch(t, s, rows()...))
	if err == nil {
		err = w.Close()
	}
	if !errors.Is(err, broken) {
		t.Errorf("%v; want %v", err, broken)
	}
}

type failing struct {
	io.ReaderAt
	err   error
	after int64
}

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off >= f.after {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}
