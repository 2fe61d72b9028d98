package sheet_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// The two benchmarks read the same file: rows with types, units and line
// numbers beside the bare fields of encoding/csv.

func BenchmarkReader(b *testing.B) {
	file, err := io.ReadAll(testenv.Open(b, "2023/GEN23.csv"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	rows := 0
	for b.Loop() {
		r, err := sheet.NewReader(bytes.NewReader(file), nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range r.Rows() {
			if err != nil {
				b.Fatal(err)
			}
			rows++
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkEncodingCSV(b *testing.B) {
	file, err := io.ReadAll(testenv.Open(b, "2023/GEN23.csv"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	rows := 0
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(file))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			rows++
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkDivide(b *testing.B) {
	file, err := io.ReadAll(testenv.Open(b, "2023/GEN23.csv"))
	if err != nil {
		b.Fatal(err)
	}
	of, err := sheet.Inspect(bytes.NewReader(file), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		for _, err := range of.Divide(bytes.NewReader(file), 1<<20) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkDecode makes batches of the whole file, as a load does: it looks at
// the head, divides, and decodes each span.
func BenchmarkDecode(b *testing.B) {
	file, err := io.ReadAll(testenv.Open(b, "2023/GEN23.csv"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		of, err := sheet.Inspect(bytes.NewReader(file), nil)
		if err != nil {
			b.Fatal(err)
		}
		d := of.NewDecoder()
		for span, err := range of.Divide(bytes.NewReader(file), 1<<20) {
			if err != nil {
				b.Fatal(err)
			}
			if _, err := d.Decode(file[span.Offset:span.Offset+span.Length], span); err != nil {
				b.Fatal(err)
			}
		}
	}
}
