// Package etltest is the conformance suite that every [etl.Source] passes: those of
// package etl, package s3source, and one of your own.
//
//	func TestSource(t *testing.T) {
//		etltest.RunSource(t, func(t *testing.T, files map[string]string) (etl.Source, etltest.Replace) {
//			dir := t.TempDir()
//			for name, text := range files {
//				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
//					t.Fatal(err)
//				}
//			}
//			return etl.Local(dir), nil
//		})
//	}
//
// Start with [RunSource].
//
// # Guarantees
//
// A source that passes lists every object once, in one order, with its true size;
// answers with exactly the bytes that it is asked for, to several readers at once; and
// can be read by a pipeline, packed files among them. Where objects can be replaced,
// it tells the new ones from the old. Besides package etl it needs the standard library only.
//
// # Errors
//
// The suite reports through testing.T.
//
// # See also
//
// Package etl, whose comments of [etl.Source] and [etl.Object] are what is tested here.
package etltest

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/etl"
)

// Replace puts another content in the place of a file.
type Replace func(t *testing.T, name, text string)

// Open makes a source of files alone, by name: .csv and .zip, without folders. Where
// their objects can never be replaced, Replace is nil.
type Open func(t *testing.T, files map[string]string) (etl.Source, Replace)

// RunSource runs the suite of sources.
func RunSource(t *testing.T, open Open) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"List", testList},
		{"Ranges", testRanges},
		{"SideBySide", testSideBySide},
		{"Replaced", testReplaced},
		{"Pipeline", testPipeline},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

// objects lists a source, which has to have files and nothing else.
func objects(t *testing.T, source etl.Source, files map[string]string) []etl.Object {
	t.Helper()
	var all []etl.Object
	locations := map[string]bool{}
	for o, err := range source.List(t.Context()) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		text, ok := files[o.Name]
		switch {
		case !ok || o.LeftOut != "":
			t.Errorf("List: %+v; want a file to load", o)
		case o.Size != int64(len(text)):
			t.Errorf("List: %s has a Size of %d; want %d", o.Name, o.Size, len(text))
		case o.Version == "" || locations[o.Location]:
			t.Errorf("List: %+v has no Version, or the Location of another", o)
		}
		locations[o.Location] = true
		all = append(all, o)
	}
	if len(all) != len(files) {
		t.Fatalf("List: %d objects; want %d", len(all), len(files))
	}
	return all
}

func testList(t *testing.T, open Open) {
	files := map[string]string{"c.csv": "three", "a.csv": "one", "empty.csv": "", "b.csv": "two two"}
	source, _ := open(t, files)
	first := objects(t, source, files)
	for i, o := range objects(t, source, files) {
		if o != first[i] {
			t.Errorf("List: the second time %+v; want %+v", o, first[i])
		}
	}
	for _, err := range source.List(t.Context()) {
		if err != nil {
			t.Errorf("List: %v", err)
		}
		break // who wants no more gets no more
	}
}

// part reads a range of an object, and says what is wrong with it.
func part(ctx context.Context, source etl.Source, o etl.Object, text string, offset, length int) error {
	want := text[offset:]
	if length >= 0 {
		want = want[:length]
	}
	r, err := source.Open(ctx, o, int64(offset), int64(length))
	if err != nil {
		return fmt.Errorf("Open of %s, %d bytes at %d: %w", o.Name, length, offset, err)
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || string(b) != want {
		return fmt.Errorf("Open of %s, %d bytes at %d: %d bytes %.40q, %w; want %d %.40q", o.Name, length, offset, len(b), b, err, len(want), want)
	}
	return nil
}

// long has no two places that look alike.
func long() string {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String()
}

func testRanges(t *testing.T, open Open) {
	files := map[string]string{"empty.csv": "", "long.csv": long(), "short.csv": "0123456789"}
	source, _ := open(t, files)
	for _, o := range objects(t, source, files) {
		text := files[o.Name]
		n := len(text)
		if err := part(t.Context(), source, o, text, 0, -1); err != nil {
			t.Error(err)
		}
		for _, span := range [][2]int{{0, n}, {0, 3}, {4, 0}, {4, 3}, {n - 1, 1}, {n - 3, -1}, {n / 2, n / 4}} {
			if n == 0 {
				break
			}
			if err := part(t.Context(), source, o, text, span[0], span[1]); err != nil {
				t.Error(err)
			}
		}
	}
}

func testSideBySide(t *testing.T, open Open) {
	files := map[string]string{"long.csv": long()}
	source, _ := open(t, files)
	o := objects(t, source, files)[0]
	var readers sync.WaitGroup
	for i := range 16 {
		readers.Go(func() {
			if err := part(t.Context(), source, o, files[o.Name], i*5000, 5000); err != nil {
				t.Error(err)
			}
		})
	}
	readers.Wait()
}

func testReplaced(t *testing.T, open Open) {
	files := map[string]string{"a.csv": "0123456789"}
	source, replace := open(t, files)
	if replace == nil {
		return // they are never replaced
	}
	old := objects(t, source, files)[0]
	files["a.csv"] = "9876543210"
	replace(t, "a.csv", files["a.csv"])
	if o := objects(t, source, files)[0]; o.Version == old.Version {
		t.Errorf("Version is %s as before the object was replaced by another of the same size", o.Version)
	}
	r, err := source.Open(t.Context(), old, 0, -1)
	if err == nil {
		_ = r.Close() // of what should not be there
	}
	if !errors.Is(err, etl.ErrChanged) {
		t.Errorf("Open of an object that was replaced: %v; want etl.ErrChanged", err)
	}
}

func testPipeline(t *testing.T, open Open) {
	const rows = 3000
	sheet := "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n"
	for i := range rows {
		sheet += fmt.Sprintf("2023,TX,Alpha,%d,1,%d\n", i+1, 7*i)
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.Create("PACKED23.csv")
	if err == nil {
		_, err = io.WriteString(w, sheet)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"GEN23.csv": sheet, "packed.zip": packed.String()}
	source, _ := open(t, files)
	p := etl.New(source, nil, &etl.Options{ChunkBytes: 4 << 10, Workers: 4})
	scanned, err := p.Scan(t.Context())
	if err != nil {
		t.Fatalf("Scan: %v", err)
	}
	validated, err := p.Validate(t.Context(), scanned)
	if err != nil {
		t.Fatalf("Validate: %v", err)
	}
	for i := range validated.Files {
		f := &validated.Files[i]
		if f.Error != "" || len(f.Sheets) != 1 || f.Sheets[0].Error != "" || f.Sheets[0].Rows != rows {
			t.Errorf("%s: %s %+v; want %d rows", f.Name, f.Error, f.Sheets, rows)
		}
	}
	if len(validated.Files) != len(files) {
		t.Errorf("%d files; want %d", len(validated.Files), len(files))
	}
}
