package etl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/etltest"
)

const (
	states  = "YEAR,PSTATABB,STNGENAN\n2023,AK,1\n"
	country = "YEAR,US,USNGENAN\n2023,US,1\n"
)

// listing lists a source: a line for each object, with the reason where it is left
// out.
func listing(t *testing.T, source etl.Source) []string {
	t.Helper()
	var lines []string
	for o, err := range source.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		line := o.Name
		if o.LeftOut != "" {
			line += ": " + o.LeftOut
		}
		lines = append(lines, line)
	}
	return lines
}

// link makes links in a folder: where they are, and where they lead.
func link(t *testing.T, dir string, links map[string]string) {
	t.Helper()
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Skipf("no links can be made here: %v", err)
		}
	}
}

const noEnding = ": its name does not end in .csv, .tsv, .ndjson, .jsonl, .xlsx, .xls, .parquet, .zip, nor in these with .gz; to load it, name the file itself"

func TestLinks(t *testing.T) {
	t.Parallel()
	const back = ": it is a link back to a folder in which it is"
	outside := folder(t, map[string]string{"ST23.csv": states, "sub/GEN23.csv": generators, "README.md": "text"})
	tests := []struct {
		name  string
		files map[string]string
		links map[string]string // where they are: where they lead
		root  string            // below the folder
		want  []string
	}{
		{"the named folder", nil, map[string]string{"link": outside}, "link", []string{"README.md" + noEnding, "ST23.csv", "sub/GEN23.csv"}},
		{"the named folder with a slash", nil, map[string]string{"link": outside}, "link/", []string{"README.md" + noEnding, "ST23.csv", "sub/GEN23.csv"}},
		{"a link to a link", nil, map[string]string{"a": "b", "b": outside + "/sub"}, "a", []string{"GEN23.csv"}},
		{"a named file", nil, map[string]string{"2023.csv": outside + "/ST23.csv"}, "2023.csv", []string{"2023.csv"}},
		{"a folder within", map[string]string{"US23.csv": country}, map[string]string{"2023": outside + "/sub"}, "", []string{"2023/GEN23.csv", "US23.csv"}},
		{"a file within", map[string]string{"US23.csv": country}, map[string]string{"2023.csv": outside + "/ST23.csv"}, "", []string{"2023.csv", "US23.csv"}},
		{"a link within what a link leads to", map[string]string{"a/b/c/US23.csv": country}, map[string]string{"a/b/out": outside + "/sub", "a/b/c/back": outside}, "",
			[]string{"a/b/c/US23.csv", "a/b/c/back/README.md" + noEnding, "a/b/c/back/ST23.csv", "a/b/c/back/sub/GEN23.csv", "a/b/out: it is the same folder as a/b/c/back/sub"}},
		{"to itself", map[string]string{"US23.csv": country}, map[string]string{"loop": "."}, "", []string{"US23.csv", "loop" + back}},
		{"to its own folder from below", map[string]string{"a/US23.csv": country}, map[string]string{"a/loop": "../a"}, "", []string{"a/US23.csv", "a/loop" + back}},
		{"to the folder above", map[string]string{"US23.csv": country}, map[string]string{"up": ".."}, "", []string{"US23.csv", "up" + back}},
		{"to the root", map[string]string{"US23.csv": country}, map[string]string{"all": "/"}, "", []string{"US23.csv", "all" + back}},
		{"two that lead to each other", map[string]string{"a/US23.csv": country, "b/ST23.csv": states}, map[string]string{"a/b": "../b", "b/a": "../a"}, "",
			[]string{"a/US23.csv", "a/b: it is the same folder as b", "b/ST23.csv", "b/a: it is the same folder as a"}},
		{"two to one folder", nil, map[string]string{"a": outside + "/sub", "b": outside + "/sub"}, "", []string{"a/GEN23.csv", "b: it is the same folder as a"}},
		{"to a file beside it", map[string]string{"US23.csv": country}, map[string]string{"AA.csv": "US23.csv"}, "", []string{"AA.csv: it is the same file as US23.csv", "US23.csv"}},
		{"broken ones", map[string]string{"US23.csv": country}, map[string]string{"ST23.csv": "nowhere.csv", "share": "/no/such/share"}, "", []string{"ST23.csv", "US23.csv", "share"}},
		{"to themselves", map[string]string{"US23.csv": country}, map[string]string{"x.csv": "y.csv", "y.csv": "x.csv"}, "", []string{"US23.csv", "x.csv", "y.csv"}},
		{"hidden names, and a folder that is swapped at once", map[string]string{"..2023/ST23.csv": states, ".git/x.csv": "", "~$GEN23.xlsx": ""},
			map[string]string{"..data": "..2023", "ST23.csv": "..data/ST23.csv", ".#GEN23.csv": "me@host.1"}, "", []string{"ST23.csv"}},
		{"names", map[string]string{"a.TSV": "", "b.txt": "", "c.csv.gz": "", "d": "", "e.xls": "", "f.xlsb": ""}, nil, "",
			[]string{"a.TSV", "b.txt" + noEnding, "c.csv.gz", "d" + noEnding, "e.xls", "f.xlsb" + noEnding}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, test.files)
			link(t, dir, test.links)
			root := dir + "/" + test.root
			if got := listing(t, etl.Local(root)); !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
			if test.root == "" && test.links["up"]+test.links["all"] == "" { // a file system does not know what is above it
				if got := listing(t, etl.FS(os.DirFS(dir))); !slices.Equal(got, test.want) {
					t.Errorf("as a file system: got %q\nwant %q", got, test.want)
				}
			}
		})
	}
}

// TestLinksAreLoaded loads a folder of links: a broken one fails, by name, and
// what is left out is told and does not.
func TestLinksAreLoaded(t *testing.T) {
	t.Parallel()
	real := folder(t, map[string]string{"ST23.csv": states})
	dir := folder(t, map[string]string{"US23.csv": country, "README.md": "about"})
	link(t, dir, map[string]string{"2023": real, "again": real})
	for name, source := range map[string]etl.Source{"folder": etl.Local(dir), "file system": etl.FS(os.DirFS(dir))} {
		report, _ := run(t, source, nil)
		if got := outcomes(report); !slices.Equal(got, []string{"2023/ST23.csv published", "README.md left_out", "US23.csv published", "again left_out"}) || !report.Complete() || report.Status != etl.Published {
			t.Errorf("%s: %q, complete %v, %s", name, got, report.Complete(), report.Status)
		}
	}
	link(t, dir, map[string]string{"gone": "/no/such/share"})
	report, _ := run(t, etl.Local(dir), nil)
	if i := slices.IndexFunc(report.Files, func(f etl.FileReport) bool { return f.Object == "gone" }); i < 0 || report.Complete() ||
		!strings.Contains(fmt.Sprint(report.Files[i]), "a link to /no/such/share, which cannot be followed") {
		t.Errorf("a broken link: %+v", report.Files)
	}
	if _, err := etl.New(etl.Local(filepath.Join(dir, "gone")), nil, nil).Scan(t.Context()); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), "/no/such/share") {
		t.Errorf("a broken link that is named: %v", err)
	}
	only := folder(t, map[string]string{"README.md": "about"})
	if _, err := etl.New(etl.Local(only), nil, nil).Scan(t.Context()); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), "README.md") {
		t.Errorf("nothing but what is left out: %v", err)
	}
}

// outcomes is what became of every sheet.
func outcomes(r etl.Report) []string {
	var all []string
	for _, f := range r.Files {
		for i := range f.Sheets {
			all = append(all, fmt.Sprint(f.Object, " ", f.Sheets[i].Status))
		}
	}
	slices.Sort(all)
	return all
}

// TestEmbedded lists files that no system tells apart: equal ones are not the
// same.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"a/GEN.csv": {Data: []byte(generators)}, "b/GEN.csv": {Data: []byte(generators)}, "b/LICENSE": {}, "link": {Data: []byte("a"), Mode: os.ModeSymlink}}
	if got, want := listing(t, etl.FS(files)), []string{"a/GEN.csv", "b/GEN.csv", "b/LICENSE" + noEnding, "link/GEN.csv"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	text := generators + strings.Repeat("2023,TX,Alpha,9,1,5\n", 20_000)
	source := etl.Stream("standard input", strings.NewReader(text))
	for range 2 { // as a run that is repeated does
		if got := listing(t, source); !slices.Equal(got, []string{"standard input"}) {
			t.Fatalf("listed %q", got)
		}
	}
	for o, err := range source.List(t.Context()) {
		if err != nil || o.Size != int64(len(text)) || !o.Named {
			t.Errorf("object %+v, %v; want %d bytes", o, err, len(text))
		}
		for _, span := range [][2]int64{{0, -1}, {0, 10}, {5, 7}, {100_000, -1}, {int64(len(text)) - 3, 10}, {int64(len(text)), -1}} {
			r, err := source.Open(t.Context(), o, span[0], span[1])
			if err != nil {
				t.Fatal(err)
			}
			want := text[span[0]:]
			if span[1] >= 0 {
				want = want[:min(int(span[1]), len(want))]
			}
			if b, err := io.ReadAll(r); err != nil || string(b) != want {
				t.Errorf("%d bytes at %d: %d of them, %v; want %d", span[1], span[0], len(b), err, len(want))
			}
		}
	}
	report, _ := run(t, source, nil)
	if got := outcomes(report); report.RowsLoaded != 20_004 || got[0] != "standard input published" {
		t.Errorf("%d rows loaded, %q", report.RowsLoaded, got)
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("the pipe is broken")
	source := etl.Stream("standard input", io.MultiReader(strings.NewReader(generators), iotest.ErrReader(broken)))
	if _, err := etl.New(source, etl.ToLoader(memstore.New()), nil).Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("cut off: %v", err)
	}
	report, _ := run(t, etl.Stream("standard input", strings.NewReader("")), nil)
	if report.Status != etl.Failed || !strings.Contains(fmt.Sprint(report.Files), "empty") {
		t.Errorf("nothing: %+v", report)
	}
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := etl.New(etl.Stream("standard input", r), nil, nil).Scan(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody writes: %v", err)
	}
	w.Close()
}

func TestSources(t *testing.T) {
	t.Parallel()
	t.Run("Local", func(t *testing.T) {
		t.Parallel()
		etltest.RunSource(t, func(t *testing.T, files map[string]string) (etl.Source, etltest.Replace) {
			dir := folder(t, files)
			return etl.Local(dir), func(t *testing.T, name, text string) {
				path := filepath.Join(dir, name)
				later := time.Now().Add(time.Minute) // whatever the file system's clock
				if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, later, later)); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
	t.Run("LocalIn", func(t *testing.T) {
		t.Parallel()
		etltest.RunSource(t, func(t *testing.T, files map[string]string) (etl.Source, etltest.Replace) {
			dir := folder(t, files)
			source, err := etl.LocalIn(dir, dir)
			if err != nil {
				t.Fatal(err)
			}
			return source, nil
		})
	})
	t.Run("archive", func(t *testing.T) { // of the example
		t.Parallel()
		etltest.RunSource(t, func(_ *testing.T, files map[string]string) (etl.Source, etltest.Replace) { return archive(files), nil })
	})
	t.Run("FS", func(t *testing.T) {
		t.Parallel()
		etltest.RunSource(t, func(t *testing.T, files map[string]string) (etl.Source, etltest.Replace) {
			return etl.FS(os.DirFS(folder(t, files))), nil
		})
	})
}

// faulty is a source that does not keep its contract.
type faulty struct {
	etl.Source
	size func(int64) int64
	open func(context.Context, etl.Source, etl.Object, int64, int64) (io.ReadCloser, error)
}

func (f faulty) List(ctx context.Context) iter.Seq2[etl.Object, error] {
	return func(yield func(etl.Object, error) bool) {
		for o, err := range f.Source.List(ctx) {
			o.Size = f.size(o.Size)
			if !yield(o, err) {
				return
			}
		}
	}
}

func (f faulty) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	if f.open != nil {
		return f.open(ctx, f.Source, o, offset, length)
	}
	return f.Source.Open(ctx, o, offset, length)
}

// A source that tells no true size, or answers with other bytes, is told so.
func TestFaultySources(t *testing.T) {
	t.Parallel()
	size := func(n int64) func(int64) int64 { return func(int64) int64 { return n } }
	more := func(n int64) func(int64) int64 { return func(size int64) int64 { return size + n } }
	whole := func(ctx context.Context, s etl.Source, o etl.Object, _, _ int64) (io.ReadCloser, error) {
		return s.Open(ctx, o, 0, -1)
	}
	for name, test := range map[string]struct {
		faulty
		want string
	}{
		"unknown":      {faulty{size: size(-1)}, "has to tell how many bytes"},
		"none":         {faulty{size: size(0)}, "where its source listed 0 (if that is so each time, the source does not tell the true etl.Object.Size)"},
		"too few":      {faulty{size: more(-30)}, "does not tell the true etl.Object.Size"},
		"too many":     {faulty{size: more(30)}, "does not tell the true etl.Object.Size"},
		"whole object": {faulty{size: more(0), open: whole}, "has to honour offset and length"},
	} {
		for file, text := range map[string]string{"GEN23.csv": generators, "GEN23.zip": zipped(t, "GEN23.csv", generators)} {
			if test.open != nil && file == "GEN23.zip" {
				continue // what is packed is read whole
			}
			test.Source = etl.Local(folder(t, map[string]string{file: text}))
			report, err := etl.New(test.faulty, etl.ToLoader(memstore.New()), nil).Run(t.Context())
			if err != nil || report.RowsLoaded > 0 || len(report.Files) != 1 {
				t.Errorf("%s, %s: %v, %+v", name, file, err, report)
				continue
			}
			if told := report.Files[0].Sheets[0].Reason; !strings.Contains(told, test.want) || !strings.Contains(told, file) && test.open == nil {
				t.Errorf("%s, %s: %q; want %q", name, file, told, test.want)
			}
		}
	}
}
