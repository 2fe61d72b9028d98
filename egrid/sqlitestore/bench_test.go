package sqlitestore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// benchPlants make about 100,000 generators.
const benchPlants = 50000

func benchSheet(b *testing.B) []byte {
	b.Helper()
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
	sum := sha256.Sum256(sheet)
	var rows int64
	for i := 0; b.Loop(); i++ {
		store, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")), nil)
		if err != nil {
			b.Fatal(err)
		}
		rows = loadSheet(b, store, sheet, hex.EncodeToString(sum[:]))
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	report(b, rows, len(sheet))
}

func loadSheet(b *testing.B, store driver.Loader, sheet []byte, sum string) int64 {
	b.Helper()
	reader, err := sheet.NewReader(bytes.NewReader(sheet), &sheet.ReaderOptions{Name: "GEN23.csv"})
	if err != nil {
		b.Fatal(err)
	}
	id, err := store.Stage(b.Context(), driver.SnapshotSpec{
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
		if _, err := store.Put(b.Context(), id, driver.Chunk{Index: index, Rows: many}); err != nil {
			b.Fatal(err)
		}
		index++
		rows += int64(len(many))
	}
	if readError != nil {
		b.Fatal(readError)
	}
	r, err := store.Publish(b.Context(), id, driver.PublishRequest{Chunks: index, Rows: rows})
	if err != nil || r.Status != egrid.Published {
		b.Fatal(r.Status, r.Reason, err)
	}
	return rows
}

// BenchmarkShellImport has the sqlite3 shell load the same sheet into the same
// table with the same indexes, in the same journal mode.
func BenchmarkShellImport(b *testing.B) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		b.Skip("the sqlite3 shell is not installed")
	}
	sheet := benchSheet(b)
	csv := filepath.Join(b.TempDir(), "GEN23.csv")
	if err := os.WriteFile(csv, sheet, 0o600); err != nil {
		b.Fatal(err)
	}
	script := `PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -16000;
CREATE TABLE gen (sequence INTEGER PRIMARY KEY, data_year INTEGER, state TEXT, plant_name TEXT, oris_plant_code TEXT, generator_id TEXT,
	boiler_count INTEGER, status TEXT, prime_mover TEXT, fuel TEXT, nameplate_capacity_mw REAL, capacity_factor REAL,
	net_generation_mwh REAL, net_generation_ozone_season_mwh REAL, net_generation_source TEXT, year_online INTEGER, year_retired INTEGER);
.import --csv --skip 2 "` + csv + `" gen
CREATE INDEX largest ON gen (net_generation_mwh DESC);
CREATE INDEX state ON gen (state, net_generation_mwh DESC);
CREATE INDEX name ON gen (plant_name);
CREATE INDEX identifier ON gen (oris_plant_code, generator_id);
PRAGMA analysis_limit = 1000;
ANALYZE gen;
SELECT count(*) FROM gen;
`
	var rows int64
	for i := 0; b.Loop(); i++ {
		cmd := exec.CommandContext(b.Context(), shell, filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")))
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
