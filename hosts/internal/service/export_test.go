package service_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// sheet is a sheet of generators to load, made row by row.
type sheet struct {
	year    int
	content string // different ones stand for different bytes
	rows    int
	row     func(i int) []egrid.Value // in the order of loaded
}

// loaded are the columns of the sheets.
var loaded = []egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.Sequence, egrid.NetGeneration}

func (s sheet) spec(t testing.TB) driver.SnapshotSpec {
	t.Helper()
	var fields []egrid.Field
	for _, c := range loaded {
		f, _ := egrid.Lookup(egrid.GEN, string(c))
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return driver.SnapshotSpec{Level: egrid.GEN, Year: s.year, Schema: schema, Source: egrid.Source{Object: s.content + ".csv", SHA256: s.content, Bytes: 1}}
}

// publish loads the sheet.
func (s sheet) publish(t testing.TB, to driver.Loader, policy driver.Policy) {
	t.Helper()
	spec := s.spec(t)
	id, err := to.Stage(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	chunks := 0
	for begin := 0; begin < s.rows; begin += 5000 {
		b := egrid.NewBuilder(spec.Schema, s.year)
		for i := begin; i < min(begin+5000, s.rows); i++ {
			if err := b.Row(s.row(i)); err != nil {
				t.Fatal(err)
			}
			b.EndRow(int64(i+1), 0)
		}
		if _, err := to.Put(t.Context(), id, driver.Chunk{Index: chunks, Rows: b.Batch()}); err != nil {
			t.Fatal(err)
		}
		chunks++
	}
	if _, err := to.Publish(t.Context(), id, driver.PublishRequest{Policy: policy, Chunks: chunks, Rows: int64(s.rows)}); err != nil {
		t.Fatal(err)
	}
}

// awkward makes rows that lose something on the way if anything can.
func awkward(i int) []egrid.Value {
	v := []egrid.Value{
		egrid.TextOf([]string{"TX", "OK", "NA", ""}[i%4]), egrid.TextOf(fmt.Sprintf("Plant %d, \"East\"\nby the sea é", i)),
		egrid.TextOf(fmt.Sprintf("%06d", i)), egrid.TextOf([]string{"7E600", "0005", "10-94", " 1"}[i%4]),
		egrid.IntegerOf(9007199254740993 + int64(i)), egrid.NumberOf(float64(i-50)/3 + 1e-7*float64(i%7)),
	}
	if i%11 == 0 {
		v[5] = egrid.Value{}
	}
	return v
}

// TestExportOfManyRows holds 100,000 rows as CSV against the stored ones, cell
// by cell, and looks at the memory in use meanwhile: once the first rows have
// come it stays as it is.
func TestExportOfManyRows(t *testing.T) {
	const rows, slack = 100_000, 6 << 20 // half of what the answer has
	// The race detector makes the embedded database, which is Go, very slow.
	open := openSQLite
	if os.Getenv("EGRID_TEST_POSTGRES") != "" {
		open = openPostgres
	}
	backend := open(t)
	sheet{year: 2023, content: "many", rows: rows, row: awkward}.publish(t, backend, driver.PublishAuto)
	db := store.New(backend)
	server := httptest.NewServer(httpapi.New(db, nil))
	defer server.Close()

	response, err := server.Client().Get(server.URL + "/levels/GEN/rows?format=csv")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got := csv.NewReader(response.Body)
	got.ReuseRecord = true
	if _, err := got.Read(); err != nil { // the names
		t.Fatal(err)
	}
	stored, stop := iter.Pull2(db.All(t.Context(), egrid.RowQuery{Level: egrid.GEN}))
	defer stop()
	n, early, late := 0, uint64(0), uint64(0)
	for ; ; n++ {
		record, err := got.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		row, rowErr, ok := stored()
		if rowErr != nil || !ok {
			t.Fatalf("row %d of %v: %v", n+1, ok, rowErr)
		}
		if len(record) != row.Len() {
			t.Fatalf("row %d has %d columns; want %d", n+1, len(record), row.Len())
		}
		for i, v := range row.Values() {
			if record[i] != v.String() {
				t.Fatalf("row %d, column %d: got %q; want %q", n+1, i, record[i], v.String())
			}
		}
		for i, v := range awkward(n) {
			if row.Value(loaded[i]) != v {
				t.Fatalf("row %d: %s is %v; loaded %v", n+1, loaded[i], row.Value(loaded[i]), v)
			}
		}
		switch {
		case n%5000 > 0:
		case n <= rows/5:
			early = max(early, heap())
		default:
			late = max(late, heap())
		}
	}
	if n != rows || response.Trailer.Get("X-Row-Count") != strconv.Itoa(rows) {
		t.Errorf("%d rows, trailer %q; want %d", n, response.Trailer.Get("X-Row-Count"), rows)
	}
	t.Logf("memory in use: at most %d KiB over the first fifth, %d KiB over the rest", early>>10, late>>10)
	if late > early+slack {
		t.Errorf("memory in use grew from %d to %d bytes", early, late)
	}
}

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// round is a small sheet whose figures all tell the round.
func round(year, n int) sheet {
	return sheet{year: year, content: fmt.Sprintf("%d round %d", year, n), rows: 40, row: func(i int) []egrid.Value {
		return []egrid.Value{
			egrid.TextOf([]string{"TX", "OK", ""}[i%3]), egrid.TextOf("Same name"), egrid.TextOf(fmt.Sprint(i)), egrid.TextOf("1"),
			egrid.IntegerOf(int64(i)), egrid.NumberOf(float64(n)),
		}
	}}
}

// walk follows links.next from the first page to the last. midway is called
// once, behind the third page.
func walk(t *testing.T, get func(string) *http.Response, first string, midway func()) (rows []string) {
	t.Helper()
	pages := 0
	for next := first; next != ""; pages++ {
		if pages == 3 {
			midway()
		}
		response := get(next)
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Data []struct {
				Code       string  `json:"oris_plant_code"`
				Year       int     `json:"data_year"`
				Generation float64 `json:"net_generation_mwh"`
			}
			Links struct{ Next string }
		}
		if err := json.Unmarshal(body, &page); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", next, response.StatusCode, body)
		}
		for _, row := range page.Data {
			rows = append(rows, fmt.Sprintf("%d %s %v", row.Year, row.Code, row.Generation))
		}
		next = page.Links.Next
	}
	return rows
}

// TestWalkingWhilePublishing walks lists page by page while something is
// published: every row comes once, and all are of the state of the data that the
// first page is of. A walk that begins anew reads the new state.
func TestWalkingWhilePublishing(t *testing.T) {
	lists := map[string]struct {
		path     string
		allYears bool
	}{
		"rows":      {"/levels/GEN/rows?sort=state&limit=7&columns=oris_plant_code,net_generation_mwh", false},
		"all years": {"/levels/GEN/rows?year=all&sort=-state,plant_name&limit=7&columns=oris_plant_code,net_generation_mwh,data_year", true},
		"top":       {"/plants/top?limit=7", false},
		"search":    {"/plants/search?sort=plant_name&limit=7&columns=oris_plant_code,net_generation_mwh", false},
		"groups":    {"/levels/GEN/groups?by=oris_plant_code&measures=sum(net_generation_mwh)&sort=-net_generation_mwh&limit=7", false},
	}
	events := map[string]struct {
		sheet          sheet
		policy         driver.Policy
		round, round21 int // that the next walk reads, of 2023 and 2021
	}{
		"replaced":  {round(2023, 2), driver.PublishReplace, 2, 1},
		"elsewhere": {round(2021, 2), driver.PublishReplace, 1, 2},
		"held":      {round(2023, 3), driver.PublishHold, 1, 1},
	}
	for name, open := range behindAPI {
		t.Run(name, func(t *testing.T) {
			backend := open(t)
			h := httpapi.New(store.New(cache.New(backend, &cache.Options{CatalogTTL: -1})), nil)
			get := func(target string) *http.Response {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
				return w.Result()
			}
			for event, e := range events {
				for list, l := range lists {
					round(2023, 1).publish(t, backend, driver.PublishReplace)
					round(2021, 1).publish(t, backend, driver.PublishReplace)
					check := func(when string, rows []string, of23, of21 int) {
						var want []string
						for i := range 40 {
							year := 0
							if l.allYears {
								year = 2023
								want = append(want, fmt.Sprintf("2021 %d %d", i, of21))
							}
							want = append(want, fmt.Sprintf("%d %d %d", year, i, of23))
						}
						slices.Sort(rows)
						slices.Sort(want)
						if !slices.Equal(rows, want) {
							t.Errorf("%s, %s, %s:\n got %q\nwant %q", list, event, when, rows, want)
						}
					}
					check("meanwhile", walk(t, get, l.path, func() { e.sheet.publish(t, backend, e.policy) }), 1, 1)
					check("afterwards", walk(t, get, l.path, func() {}), e.round, e.round21)
				}
			}
		})
	}
}

// TestIteratingWhilePublishing lets iterators of the client run against a
// publisher, for the race detector as well.
func TestIteratingWhilePublishing(t *testing.T) {
	for name, open := range behindAPI {
		t.Run(name, func(t *testing.T) {
			backend := serveStore(t, open(t))
			db := store.New(backend)
			round(2023, 1).publish(t, backend, driver.PublishAuto)
			done := make(chan struct{})
			var walkers sync.WaitGroup
			for range 3 {
				walkers.Go(func() {
					for walks := 0; walks < 3 || !closed(done); walks++ {
						if err := wholeWalk(t, db); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for n := 2; n <= 8; n++ {
				round(2023, n).publish(t, backend, driver.PublishReplace)
			}
			close(done)
			walkers.Wait()
			if err := wholeWalk(t, db); err != nil {
				t.Error(err)
			}
		})
	}
}

func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// wholeWalk reads every row by small pages and fails where they are not all of
// one round, each once.
func wholeWalk(t *testing.T, db *store.DB) error {
	q := egrid.RowQuery{Level: egrid.GEN, Limit: 7, Sort: []egrid.Sort{{Column: egrid.State}}}
	seen := map[string]bool{}
	figure := ""
	for {
		page, err := db.Rows(t.Context(), q)
		if err != nil {
			return err
		}
		for row := range page.Rows() {
			if figure == "" {
				figure = row.Text(egrid.NetGeneration)
			}
			if code := row.Text(egrid.PlantCode); seen[code] || row.Text(egrid.NetGeneration) != figure {
				return fmt.Errorf("row %s of round %s among those of round %s, or twice", code, row.Text(egrid.NetGeneration), figure)
			}
			seen[row.Text(egrid.PlantCode)] = true
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if len(seen) != 40 {
		return fmt.Errorf("%d rows of 40", len(seen))
	}
	return nil
}
