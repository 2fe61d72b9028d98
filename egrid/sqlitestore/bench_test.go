package sqlitestore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// benchSheet is EPA's generators of 2023 so often that they are a million, or as
// many of a sample where EGRID_DATA names no folder with them.
func benchSheet(b *testing.B) []byte {
	b.Helper()
	const rows = 1_000_000
	if dir := os.Getenv("EGRID_DATA"); dir != "" {
		data, err := os.ReadFile(filepath.Join(dir, "2023", "GEN23.csv"))
		if err != nil {
			b.Fatal(err)
		}
		lines := bytes.SplitAfterN(data, []byte("\n"), 3) // two headers
		times := rows/bytes.Count(lines[2], []byte("\n")) + 1
		return slices.Concat(lines[0], lines[1], bytes.Repeat(lines[2], times))
	}
	var sheet bytes.Buffer
	if err := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: rows / 2}).Write(&sheet, egrid.GEN); err != nil {
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
	data := benchSheet(b)
	sum := sha256.Sum256(data)
	var rows int64
	for i := 0; b.Loop(); i++ {
		store, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")), nil)
		if err != nil {
			b.Fatal(err)
		}
		rows = loadSheet(b, store, data, hex.EncodeToString(sum[:]))
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	report(b, rows, len(data))
}

// BenchmarkLoadAgain loads a sheet over itself with a row more, so that the gate
// compares all rows. Without the gate it takes what BenchmarkLoad takes.
func BenchmarkLoadAgain(b *testing.B) {
	data := benchSheet(b)
	last := bytes.LastIndexByte(data[:len(data)-1], '\n')
	more := slices.Concat(data, data[last+1:])
	var rows int64
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		store, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")), nil)
		if err != nil {
			b.Fatal(err)
		}
		loadSheet(b, store, data, "first")
		b.StartTimer()
		rows = loadSheet(b, store, more, "second")
		b.StopTimer()
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	report(b, rows, len(more))
}

// spanBytes is how much of a sheet package etl makes a chunk of.
const spanBytes = 1 << 20

// loadSheet decodes and puts on two goroutines, as package etl does.
func loadSheet(b *testing.B, file driver.Loader, data []byte, sum string) int64 {
	b.Helper()
	reader, err := sheet.NewReader(bytes.NewReader(data), &sheet.ReaderOptions{Name: "GEN23.csv"})
	if err != nil {
		b.Fatal(err)
	}
	id, err := file.Stage(b.Context(), driver.SnapshotSpec{
		Level: egrid.GEN, Year: 2023, Schema: reader.Sheet().Schema, Source: egrid.Source{Object: "GEN23.csv", SHA256: sum},
	})
	if err != nil {
		b.Fatal(err)
	}
	spans := make(chan sheet.Span)
	var rows, chunks atomic.Int64
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			decoder := reader.Sheet().NewDecoder()
			for span := range spans {
				decoded, err := decoder.Decode(data[span.Offset:span.Offset+span.Length], span)
				if err != nil || len(decoded.Batches) != 1 {
					b.Error(len(decoded.Batches), err)
					continue
				}
				if _, err := file.Put(b.Context(), id, driver.Chunk{Index: span.Index, Rows: decoded.Batches[0]}); err != nil {
					b.Error(err)
				}
				rows.Add(int64(decoded.Batches[0].Len()))
				chunks.Add(1)
			}
		})
	}
	for span, err := range reader.Sheet().Divide(bytes.NewReader(data), spanBytes) {
		if err != nil {
			b.Fatal(err)
		}
		spans <- span
	}
	close(spans)
	workers.Wait()
	r, err := file.Publish(b.Context(), id, driver.PublishRequest{Chunks: int(chunks.Load()), Rows: rows.Load()})
	if err != nil || r.Status != egrid.Published {
		b.Fatal(r.Status, r.Reason, err)
	}
	return rows.Load()
}
