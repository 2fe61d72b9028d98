package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// roundTrips are the formats in which all rows of a snapshot leave the store and
// come back as an equal one.
var roundTrips = []struct{ name, query, file string }{ // a file .gz is packed
	{"CSV", "format=csv", "rows.csv"},
	{"CSV with EPA's codes", "format=csv&codes=epa", "rows.csv"},
	{"CSV, packed", "format=csv", "rows.csv.gz"},
	{"NDJSON", "format=ndjson", "rows.ndjson"},
	{"NDJSON, packed", "format=ndjson", "rows.ndjson.gz"},
	{"XLSX", "format=xlsx", "rows.xlsx"},
	{"XLSX with EPA's codes", "format=xlsx&codes=epa", "rows.xlsx"},
	{"Parquet", "format=parquet", "rows.parquet"},
}

// TestRoundTrip loads what was exported into a store of its own, and compares the
// ids of the snapshots, which are made of their content.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, year := range []int{2023, 2019} {
		sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 5, Year: year})
		files := fstest.MapFS{}
		for _, level := range egridtest.SampleLevels() {
			var text bytes.Buffer
			if err := sample.Write(&text, level); err != nil {
				t.Fatal(err)
			}
			files[sample.Name(level)] = &fstest.MapFile{Data: text.Bytes()}
		}
		t.Run(fmt.Sprint("sample of ", year), func(t *testing.T) {
			t.Parallel()
			comeBack(t, loadedFrom(t, etl.FS(files)), len(files))
		})
	}
	t.Run("odd cells", func(t *testing.T) {
		t.Parallel()
		comeBack(t, oddCells(t), 2)
	})
	for _, name := range []string{
		"2023/GEN23.csv", "2023/ST23-rev0.csv", "2023/BA23-rev0.csv", "2023/SRL23-rev0.csv", "2023/NRL23-rev0.csv", "2023/US23-rev0.csv", "2023/GGL23-rev0.csv",
		"2021/UNT21.xlsx", "2018/v1_state.csv", "2018/v2_PLNT-assembled.csv", "2018/v2_GEN-subset.csv", "2016/GEN16.csv",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			comeBack(t, loadedFrom(t, etl.Local(testenv.File(t, name))), 1)
		})
	}
}

// loadedFrom is a store with everything that a source has.
func loadedFrom(t *testing.T, source etl.Source) *memstore.Store {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	r, err := etl.New(source, etl.ToLoader(backend), &etl.Options{Formats: service.Inputs()}).Run(t.Context())
	if err != nil || r.Status != etl.Published || r.RowsRejected > 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	return backend
}

// comeBack exports every snapshot of a store in every format, loads it again, and
// compares.
func comeBack(t *testing.T, backend *memstore.Store, snapshots int) {
	t.Helper()
	db := store.New(backend.Driver())
	api := httpapi.New(db, &httpapi.Options{Exports: service.Exports()})
	catalog, err := db.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != snapshots {
		t.Fatalf("%d snapshots, %v", len(catalog.Snapshots), err)
	}
	for _, s := range catalog.Snapshots {
		for _, format := range roundTrips {
			target := fmt.Sprintf("/levels/%s/rows?year=%d&release=%s&%s", s.Level, s.Year, releaseName(s.Release), format.query)
			again := loadedFrom(t, exported(t, api, target, format.file))
			catalog, err := store.New(again.Driver()).Catalog(t.Context())
			if err != nil || len(catalog.Snapshots) != 1 {
				t.Fatalf("%s: %d snapshots, %v", target, len(catalog.Snapshots), err)
			}
			if got := catalog.Snapshots[0]; got.ID != s.ID || got.Level != s.Level || got.Year != s.Year || got.Release != s.Release || got.Rows != s.Rows || got.Authority != s.Authority {
				t.Errorf("%s, %s: came back as %s %d %q of %s with %d rows, id %s, rounded %v; want %s of %s, id %s, rounded %v",
					target, format.name, got.Level, got.Year, got.Release, got.Authority, got.Rows, got.ID, got.Lossy, s.Level, s.Authority, s.ID, s.Lossy)
			}
		}
	}
}

func releaseName(release string) string {
	if release == "" {
		return egrid.NoRelease
	}
	return release
}

// exported is a source of what the API answers.
func exported(t *testing.T, api http.Handler, target, file string) etl.Source {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	content := w.Body.Bytes()
	if filepath.Ext(file) == ".gz" {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		content = packed.Bytes()
	}
	return etl.FS(fstest.MapFS{file: &fstest.MapFile{Data: content}})
}

// oddCells is a store with generators and plants that never were text: cells that a
// format may take for something else.
func oddCells(t *testing.T) *memstore.Store {
	t.Helper()
	texts := []string{
		"0290", "7E600", "10-94", "5.1", "00", "1e5", "-1", "+1", "NA", "TRUE", "nan1", "None", "2023-01-02", "1/2", "0x10", "Infinity", "#1", "=1+1", "@x", "'x", "[1]", "{\"a\":1}",
		`say "x"`, "a,b", "a;b\tc", "one\ntwo", "one\r\ntwo", `back\slash`, "Cañon 漢 😀", "a\u2028b", "</script>", strings.Repeat("long ", 2000) + ".",
	}
	numbers := []float64{
		21, 0, -1.5, 1e-7, -1e-7, 0.1 + 0.2, 1e21, 1e22, 123456789012345680, 1 << 53, math.MaxFloat64, math.SmallestNonzeroFloat64, 4188971343.358, 0.1, 1.0 / 3, 1e15, 123456.7890123,
	}
	field := func(level egrid.Level, c egrid.Column) egrid.Field {
		f, ok := egrid.Lookup(level, string(c))
		if !ok {
			t.Fatalf("%s has no %s", level, c)
		}
		return f
	}
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	for level, columns := range map[egrid.Level][]egrid.Column{
		egrid.GEN:  {egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, "boiler_count", egrid.NameplateCapacity, egrid.NetGeneration},
		egrid.PLNT: {egrid.State, egrid.PlantName, egrid.PlantCode, "fips_state", "fips_county", "generator_count", "chp_flag", egrid.NetGeneration},
	} {
		var fields []egrid.Field
		for _, c := range columns {
			fields = append(fields, field(level, c))
		}
		fields = append(fields, egrid.Field{Level: level, Column: "Own, with \"quotes\"", Type: egrid.Text})
		schema, err := egrid.NewSchema(fields...)
		if err != nil {
			t.Fatal(err)
		}
		b := egrid.NewBuilder(schema, 2020)
		for i := range int64(200) {
			for j, f := range fields {
				odd := texts[(int(i)+7*j)%len(texts)]
				switch missing := (i+int64(j))%5 == 0; {
				case f.Column == egrid.State:
					b.Text(j, []byte("TX"))
				case f.Column == egrid.PlantCode:
					b.Text(j, fmt.Appendf(nil, "%d", 1+i))
				case f.Column == egrid.GeneratorID:
					b.Text(j, []byte(strings.TrimPrefix(odd, "'")))
				case missing:
				case f.Column == "fips_state", f.Column == "fips_county":
					b.Text(j, []byte(map[egrid.Column]string{"fips_state": "02", "fips_county": "013"}[f.Column]))
				case f.Column == egrid.PlantName:
					b.Text(j, fmt.Appendf(nil, "Plant %s", odd))
				case f.Type == egrid.Text:
					b.Text(j, []byte(odd))
				case f.Type == egrid.Integer:
					b.Int(j, []int64{0, 1, -3, 1 << 53, 1234567}[i%5])
				case f.Type == egrid.Flag:
					b.Flag(j, i%2 == 0)
				default:
					b.Number(j, numbers[int(i)%len(numbers)])
				}
			}
			b.EndRow(i+1, i+1)
		}
		publishRows(t, backend, level, b.Batch())
	}
	return backend
}

// publishRows publishes rows as release v2 of 2020.
func publishRows(t *testing.T, l driver.Loader, level egrid.Level, rows *egrid.Batch) {
	t.Helper()
	id, err := l.Stage(t.Context(), driver.SnapshotSpec{Level: level, Year: rows.Year(), Release: "v2", Schema: rows.Schema(), Source: egrid.Source{SHA256: strings.Repeat("0", 64)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Put(t.Context(), id, driver.Chunk{Rows: rows}); err != nil {
		t.Fatal(err)
	}
	r, err := l.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: 1, Rows: int64(rows.Len())})
	if err != nil || r.Snapshot.ID == "" {
		t.Fatalf("%+v, %v", r, err)
	}
}

// TestRoundTripOfAllYears loads one file with two data years, which come back as two
// snapshots. Their rows count on through the file, so the ids are others, and what
// both stores answer is the same.
func TestRoundTripOfAllYears(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for _, year := range []int{2023, 2019} {
		sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 9, Year: year, Plants: 30})
		for _, level := range []egrid.Level{egrid.GEN, egrid.ST} {
			var text bytes.Buffer
			if err := sample.Write(&text, level); err != nil {
				t.Fatal(err)
			}
			files[sample.Name(level)] = &fstest.MapFile{Data: text.Bytes()}
		}
	}
	api := httpapi.New(store.New(loadedFrom(t, etl.FS(files)).Driver()), &httpapi.Options{Exports: service.Exports()})
	for _, level := range []egrid.Level{egrid.GEN, egrid.ST} {
		for _, format := range roundTrips {
			target := fmt.Sprintf("/levels/%s/rows?year=all&", level)
			again := httpapi.New(store.New(loadedFrom(t, exported(t, api, target+format.query, format.file)).Driver()), nil)
			var answers [2]string
			for i, h := range []http.Handler{api, again} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target+"format=csv", nil))
				answers[i] = w.Body.String()
			}
			if answers[0] != answers[1] || strings.Count(answers[0], ",2019,") == 0 || strings.Count(answers[0], ",2023,") == 0 {
				t.Errorf("%s, %s: %d bytes came back as %d", level, format.name, len(answers[0]), len(answers[1]))
			}
		}
	}
}

// TestRoundTripInTheShell pipes what a command prints into another one.
func TestRoundTripInTheShell(t *testing.T) {
	s := newShell(t)
	var text bytes.Buffer
	sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 5, Release: "rev1"})
	if err := sample.Write(&text, egrid.GEN); err != nil {
		t.Fatal(err)
	}
	s.report(0, s.file(sample.Name(egrid.GEN), text.String()))
	want := s.run(0, "rows", "GEN", "--limit", "0", "--format", "csv")
	for _, format := range []string{"csv", "ndjson", "json"} {
		other := "--store=sqlite:" + filepath.Join(s.dir, format+".db")
		s.runWith(s.run(0, "rows", "GEN", "--limit", "0", "--format", format), 0, "load", "-", other)
		if got := s.run(0, "rows", "GEN", "--limit", "0", "--format", "csv", other); got != want || !strings.Contains(got, "GEN,2023,rev1,") {
			t.Errorf("%s: came back as %.300q; want %.300q", format, got, want)
		}
	}

	// What a JSON answer is wrapped in is refused with what to ask for.
	envelope := s.file("rows.json", `{"data":[{"data_year":2023}],"meta":{}}`)
	if text := s.run(1, "validate", envelope); !strings.Contains(strings.Join(strings.Fields(text), " "), "format=ndjson over HTTP") {
		t.Error(text)
	}
}
