package book_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// BenchmarkWorkbook makes batches of the sheet of a workbook. Bytes are those of
// its cells as CSV.
func BenchmarkWorkbook(b *testing.B) {
	var text strings.Builder
	text.WriteString("SEQGEN23,YEAR,PSTATEABB,PNAME,ORISPL,GENID,NUMBLR,GENSTAT,PRMVR,FUELG1,NAMEPCAP,CFACT,GENNTAN,GENNTOZ,GENERSRC,GENYRONL\n")
	const rows = 20_000
	for i := range rows {
		fmt.Fprintf(&text, "%d,2023,TX,Plant %d,%d,0%d,1,OP,ST,NG,%d.5,0.%d,%d.25,%d.75,EIA-923 Generator File,%d\n", i+1, i/3, 1000+i/3, i%3, 10+i%90, 1+i%999, i*7, i*3, 1950+i%70)
	}
	var file bytes.Buffer
	if err := egridtest.WriteWorkbook(&file, egridtest.Sheet{Name: "GEN23", CSV: text.String()}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		opened, err := book.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), nil)
		if err != nil {
			b.Fatal(err)
		}
		table := opened.Tables()[0]
		r, err := table.Open()
		if err != nil {
			b.Fatal(err)
		}
		reader, err := sheet.NewReader(r, &sheet.ReaderOptions{Grid: table.Grid, Objects: table.Objects})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for decoded, err := range reader.Batches() {
			if err != nil {
				b.Fatal(err)
			}
			for _, batch := range decoded.Batches {
				n += batch.Len()
			}
		}
		if n != rows {
			b.Fatalf("%d rows", n)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCharset(b *testing.B) {
	text := []byte(strings.Repeat("2023,TX,Alpha,1,1,400\n", 10_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var c book.Charset
		if _, err := c.Write(text); err != nil || c.Name() != "" {
			b.Fatal(c.Name(), err)
		}
	}
}
