package parquetfile_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
)

// many is a batch of 10,000 rows of 20 columns.
func many(t testing.TB) *egrid.Batch {
	t.Helper()
	fields := []egrid.Field{{Column: "text", Type: egrid.Text}}
	for i := range 19 {
		fields = append(fields, egrid.Field{Column: egrid.Column(fmt.Sprint("x", i)), Type: egrid.Number})
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	b := egrid.NewBuilder(s, 2023)
	for i := range 10_000 {
		b.Text(0, fmt.Appendf(nil, "text %d", i))
		for j := range 19 {
			b.Number(j+1, float64(i*j)/7)
		}
		b.EndRow(int64(i+1), 0)
	}
	return b.Batch()
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Memory does not grow with the rows, once a row group is full: not while they are
// written, nor while they are read.
func TestConstantMemory(t *testing.T) { // not parallel: it measures memory
	b := many(t)
	const batches, slack = 36, 8 << 20
	var file bytes.Buffer
	w := parquetfile.Export().New(io.Discard, b.Schema(), &export.About{})
	early, late := uint64(0), uint64(0)
	for i := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if i < batches/3 {
			early = max(early, heap())
		} else {
			late = max(late, heap())
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("writing %d rows: at most %d MiB over the first third, %d MiB over the rest", batches*b.Len(), early>>20, late>>20)
	if late > early+slack {
		t.Errorf("memory grew from %d to %d bytes", early, late)
	}

	w = parquetfile.Export().New(&file, b.Schema(), &export.About{})
	for range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := parquetfile.Input().Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	early, late = 0, 0
	n, chunk := int64(0), int64(4<<20)
	for {
		read, err := io.CopyN(io.Discard, content, chunk)
		if n += read; n < 30<<20 {
			early = max(early, heap())
		} else {
			late = max(late, heap())
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("reading %d MiB of text: at most %d MiB over the first 30, %d MiB over the rest, %d of it the file", n>>20, early>>20, late>>20, file.Len()>>20)
	if late > early+slack {
		t.Errorf("memory grew from %d to %d bytes", early, late)
	}
}

func BenchmarkExport(b *testing.B) {
	rows := many(b)
	b.ReportAllocs()
	for b.Loop() {
		w := parquetfile.Export().New(io.Discard, rows.Schema(), &export.About{})
		if err := w.Write(rows); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(rows.Len())/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkInput(b *testing.B) {
	rows := many(b)
	file := write(b, rows.Schema(), &export.About{}, rows)
	b.ReportAllocs()
	for b.Loop() {
		content, err := parquetfile.Input().Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(rows.Len())/b.Elapsed().Seconds(), "rows/s")
}
