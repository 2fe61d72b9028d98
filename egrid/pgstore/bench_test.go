package pgstore_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// benchRows is how many generators a benchmark loads unless it is asked for
// more.
const benchRows = 200000

// benchSheet writes a sheet of so many generators to a file, with the row of
// codes alone above them.
func benchSheet(b *testing.B, rows int) string {
	b.Helper()
	serverURL(b)
	var text bytes.Buffer
	if err := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: rows/2 + rows/10}).Write(&text, egrid.GEN); err != nil {
		b.Fatal(err)
	}
	_, codes, _ := bytes.Cut(text.Bytes(), []byte("\n")) // below the descriptions
	name := filepath.Join(b.TempDir(), "GEN23.csv")
	if err := os.WriteFile(name, firstLines(b, codes, rows+1), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

func firstLines(b *testing.B, text []byte, n int) []byte {
	b.Helper()
	end := 0
	for range n {
		i := bytes.IndexByte(text[end:], '\n')
		if i < 0 {
			b.Fatalf("the sample has fewer than %d lines", n)
		}
		end += i + 1
	}
	return text[:end]
}

// BenchmarkLoad loads a CSV sheet (decode, stage, index, publish, durable) and
// has psql copy the same rows into one table with the same columns and indexes,
// which exist when it begins. The two take turns. EGRID_BENCH_LARGE=1 adds
// 1,000,000 rows.
func BenchmarkLoad(b *testing.B) {
	for _, rows := range []int{benchRows, 5 * benchRows} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			if rows > benchRows && os.Getenv("EGRID_BENCH_LARGE") == "" {
				b.Skip("EGRID_BENCH_LARGE is not set")
			}
			loadAndCopy(b, rows)
		})
	}
}

func loadAndCopy(b *testing.B, rows int) {
	name, schema := benchSheet(b, rows), newSchema(b)
	store := openIn(b, schema)
	loadSheet(b, store, name, "v0") // a warm-up, and a table that psql's is made like
	var loading, copying time.Duration
	for i := 0; b.Loop(); i++ {
		execute(b, serverURL(b), "CHECKPOINT")
		start := time.Now()
		if loaded := loadSheet(b, store, name, fmt.Sprint("v", i+1)); loaded != int64(rows) {
			b.Fatalf("loaded %d rows of %d", loaded, rows)
		}
		took := time.Since(start)
		copied := shellCopy(b, schema, name, rows)
		loading, copying = loading+took, copying+copied
		b.Logf("round %d: load %v, copy %v", i+1, took.Round(time.Millisecond), copied.Round(time.Millisecond))
	}
	each := float64(rows) * float64(b.N)
	b.ReportMetric(each/loading.Seconds(), "load-rows/s")
	b.ReportMetric(each/copying.Seconds(), "copy-rows/s")
	b.ReportMetric(copying.Seconds()/loading.Seconds(), "load/copy")
	b.ReportMetric(0, "ns/op") // of both together means nothing
}

// benchConsumers put chunks at once, as in the reference deployment.
const benchConsumers = 3

// loadSheet loads a file as a release of its own: the same content again would
// be unchanged.
func loadSheet(b *testing.B, store driver.Loader, name, release string) int64 {
	b.Helper()
	file, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	head, err := sheet.Inspect(file, &sheet.ReaderOptions{Name: "GEN23.csv"})
	if err != nil {
		b.Fatal(err)
	}
	id, err := store.Stage(b.Context(), driver.SnapshotSpec{
		Level: egrid.GEN, Year: 2023, Release: release, Schema: head.Schema, Source: egrid.Source{Object: "GEN23.csv", SHA256: release},
	})
	if err != nil {
		b.Fatal(err)
	}
	spans := make(chan sheet.Span)
	var rows atomic.Int64
	var puts sync.WaitGroup
	for range benchConsumers {
		puts.Go(func() {
			decoder := head.NewDecoder()
			for span := range spans {
				c, err := readChunk(file, decoder, span)
				if err == nil {
					_, err = store.Put(b.Context(), id, c)
				}
				if err != nil {
					b.Error(err)
					continue
				}
				rows.Add(int64(c.Rows.Len()))
			}
		})
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	const chunkBytes = 2 << 20
	chunks := 0
	for span, err := range head.Divide(file, chunkBytes) {
		if err != nil {
			b.Fatal(err)
		}
		spans <- span
		chunks++
	}
	close(spans)
	puts.Wait()
	r, err := store.Publish(b.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: chunks, Rows: rows.Load()})
	if err != nil || r.Status != egrid.Published {
		b.Fatal(r.Status, r.Reason, err)
	}
	return rows.Load()
}

func readChunk(file *os.File, decoder *sheet.Decoder, span sheet.Span) (driver.Chunk, error) {
	data := make([]byte, span.Length)
	if _, err := file.ReadAt(data, span.Offset); err != nil {
		return driver.Chunk{}, err
	}
	decoded, err := decoder.Decode(data, span)
	if err != nil {
		return driver.Chunk{}, err
	}
	if len(decoded.Batches) != 1 || len(decoded.Rejects) > 0 {
		return driver.Chunk{}, fmt.Errorf("%d data years and %d rejects", len(decoded.Batches), len(decoded.Rejects))
	}
	rows := decoded.Batches[0]
	return driver.Chunk{Index: span.Index, Rows: rows, Findings: driver.AuditRows(egrid.GEN, rows)}, nil
}

// shellCopy has psql copy a sheet into a table like the published one, with the
// columns of the sheet alone and every index, and returns how long that took.
// The row number takes the place of the sheet's sequence, which has no index.
func shellCopy(b *testing.B, schema, name string, rows int) time.Duration {
	b.Helper()
	shell, err := exec.LookPath("psql")
	if err != nil {
		b.Skip("psql is not installed")
	}
	conn := connect(b)
	var partition string
	if err := conn.QueryRow(b.Context(), "SELECT format('gen_%s_%s', data_year, number) FROM "+schema+".sheets WHERE status = 'published' LIMIT 1").Scan(&partition); err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{
		"SET search_path TO " + schema,
		"DROP TABLE IF EXISTS copied",
		"CREATE TABLE copied (LIKE " + partition + " INCLUDING INDEXES)",
		"ALTER TABLE copied DROP COLUMN snapshot, DROP COLUMN release, DROP COLUMN extra, DROP COLUMN sequence",
		"CHECKPOINT",
	} {
		if _, err := conn.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.CommandContext(b.Context(), shell, "-qtAX", "-v", "ON_ERROR_STOP=1", serverURL(b))
	cmd.Stdin = strings.NewReader(`\copy ` + schema + `.copied (row_number, data_year, ` + sheetColumns + `) FROM '` + name + `' (FORMAT csv, HEADER true)` + "\n")
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	var copied, indexes int
	err = conn.QueryRow(b.Context(), "SELECT (SELECT count(*) FROM copied), (SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND tablename = 'copied')", schema).Scan(&copied, &indexes)
	if err != nil || copied != rows || indexes != 5 {
		b.Fatalf("psql copied %d rows of %d under %d indexes, %v", copied, rows, indexes, err)
	}
	return took
}

// sheetColumns are the columns of a generators' sheet after sequence and year.
const sheetColumns = `state, plant_name, oris_plant_code, generator_id, boiler_count, status, prime_mover, fuel, nameplate_capacity_mw, capacity_factor, net_generation_mwh, net_generation_ozone_season_mwh, net_generation_source, year_online, year_retired`

// BenchmarkQueries asks what the API asks most, of a published sheet.
func BenchmarkQueries(b *testing.B) {
	store := open(b)
	loadSheet(b, store, benchSheet(b, benchRows), "v0")
	ctx := context.Background()
	largest := []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}
	for name, q := range map[string]egrid.RowQuery{
		"Top":    {Level: egrid.GEN, Sort: largest, Limit: 10},
		"State":  {Level: egrid.GEN, Sort: largest, Limit: 10, Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}},
		"Search": {Level: egrid.GEN, Search: "000002 wind", Limit: 10},
		"Page":   {Level: egrid.GEN, Limit: 2000},
		"Plant":  {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.PlantCode, egrid.Eq, "50000")}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ask(store).Rows(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
