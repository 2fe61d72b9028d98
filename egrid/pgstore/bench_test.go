package pgstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
)

// benchPlants make about 200,000 generators.
const benchPlants = 100000

func benchSheet(b *testing.B) []byte {
	b.Helper()
	serverURL(b)
	var sheet bytes.Buffer
	if err := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: benchPlants}).Write(&sheet, egrid.GEN); err != nil {
		b.Fatal(err)
	}
	return sheet.Bytes()
}

func report(b *testing.B, rows int64, size int) {
	b.SetBytes(int64(size))
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkLoad loads a CSV sheet: decode, stage, index, publish, durable.
func BenchmarkLoad(b *testing.B) {
	sheet := benchSheet(b)
	store := open(b)
	var rows int64
	for i := 0; b.Loop(); i++ {
		sum := sha256.Sum256([]byte(fmt.Sprint(i)))
		rows = loadSheet(b, store, sheet, hex.EncodeToString(sum[:]))
	}
	report(b, rows, len(sheet))
}

func loadSheet(b *testing.B, store egrid.Loader, sheet []byte, sum string) int64 {
	b.Helper()
	reader, err := egrid.NewReader(bytes.NewReader(sheet), &egrid.ReaderOptions{Name: "GEN23.csv"})
	if err != nil {
		b.Fatal(err)
	}
	id, err := store.Stage(b.Context(), egrid.SnapshotSpec{
		Level: egrid.GEN, Year: 2023, Schema: reader.Sheet().Schema, Source: egrid.Source{Object: "GEN23.csv", SHA256: sum},
	})
	if err != nil {
		b.Fatal(err)
	}
	const chunkRows = 16384 // about 2 MB of the sheet
	chunks := make(chan []egrid.Row, 1)
	var readError error
	go func() { // as package etl does: decoding goes on while the store writes
		defer close(chunks)
		var rows []egrid.Row
		for row, err := range reader.Rows() {
			if err != nil {
				readError = err
				return
			}
			if rows = append(rows, row); len(rows) == chunkRows {
				chunks <- rows
				rows = make([]egrid.Row, 0, chunkRows)
			}
		}
		chunks <- rows
	}()
	index, rows := 0, int64(0)
	for many := range chunks {
		if _, err := store.Put(b.Context(), id, egrid.Chunk{Index: index, Rows: many}); err != nil {
			b.Fatal(err)
		}
		index++
		rows += int64(len(many))
	}
	if readError != nil {
		b.Fatal(readError)
	}
	r, err := store.Publish(b.Context(), id, egrid.PublishRequest{Policy: egrid.PublishReplace, Chunks: index, Rows: rows})
	if err != nil || r.Status != egrid.Published {
		b.Fatal(r.Status, r.Reason, err)
	}
	return rows
}

// BenchmarkShellCopy has psql copy the same sheet into one table with the same
// indexes.
func BenchmarkShellCopy(b *testing.B) {
	shell, err := exec.LookPath("psql")
	if err != nil {
		b.Skip("psql is not installed")
	}
	sheet := benchSheet(b)
	open(b) // creates the extension
	schema := newSchema(b)
	execute(b, serverURL(b), "CREATE SCHEMA "+schema)
	_, rest, _ := bytes.Cut(sheet, []byte("\n")) // the descriptions
	csv := filepath.Join(b.TempDir(), "GEN23.csv")
	if err := os.WriteFile(csv, rest, 0o600); err != nil {
		b.Fatal(err)
	}
	script := `SET search_path TO ` + schema + `, public;
DROP TABLE IF EXISTS gen;
CREATE TABLE gen (sequence bigint, data_year integer, state text COLLATE "C", plant_name text COLLATE "C", oris_plant_code text COLLATE "C", generator_id text COLLATE "C",
	boiler_count bigint, status text COLLATE "C", prime_mover text COLLATE "C", fuel text COLLATE "C", nameplate_capacity_mw double precision, capacity_factor double precision,
	net_generation_mwh double precision, net_generation_ozone_season_mwh double precision, net_generation_source text COLLATE "C", year_online bigint, year_retired bigint);
\copy gen FROM '` + csv + `' (FORMAT csv, HEADER true)
CREATE INDEX largest ON gen (net_generation_mwh DESC NULLS LAST);
CREATE INDEX state ON gen (state, data_year, net_generation_mwh DESC NULLS LAST);
CREATE INDEX name ON gen (plant_name);
CREATE INDEX identifier ON gen (oris_plant_code, generator_id);
CREATE INDEX words ON gen USING gin (lower(plant_name) gin_trgm_ops, lower(oris_plant_code) gin_trgm_ops, lower(generator_id) gin_trgm_ops);
ANALYZE gen;
SELECT count(*) FROM gen;
`
	var rows int64
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), shell, "-qtAX", "-v", "ON_ERROR_STOP=1", serverURL(b))
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		lines := strings.Fields(string(out))
		if err != nil || len(lines) == 0 {
			b.Fatalf("%v: %s", err, out)
		}
		if _, err := fmt.Sscan(lines[len(lines)-1], &rows); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	report(b, rows, len(sheet))
}

// BenchmarkQueries asks what the API asks most, of a published sheet.
func BenchmarkQueries(b *testing.B) {
	sheet := benchSheet(b)
	store := open(b)
	loadSheet(b, store, sheet, "bench")
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
				if _, err := store.Rows(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
