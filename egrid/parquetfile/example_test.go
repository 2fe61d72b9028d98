package parquetfile_test

import (
	"bytes"
	"io"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
)

// Write rows as Parquet, and read them again.
func Example() {
	code, _ := egrid.Lookup(egrid.GEN, "GENID")
	generation, _ := egrid.Lookup(egrid.GEN, "GENNTAN")
	schema, err := egrid.NewSchema(code, generation)
	if err != nil {
		panic(err)
	}
	rows, err := egrid.BatchOf(schema, 2023,
		[]egrid.Value{egrid.TextOf("0290"), egrid.NumberOf(11749621.5)},
		[]egrid.Value{egrid.TextOf("7E600"), egrid.NumberOf(0)},
		[]egrid.Value{egrid.TextOf("NA"), {}})
	if err != nil {
		panic(err)
	}

	var file bytes.Buffer
	w := parquetfile.Export().New(&file, schema, &export.About{Level: egrid.GEN})
	if err := w.Write(rows); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}

	b, err := book.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), &book.Options{Formats: []book.Format{parquetfile.Input()}})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	text, err := b.Tables()[0].Open()
	if err != nil {
		panic(err)
	}
	defer text.Close()
	if _, err := io.Copy(os.Stdout, text); err != nil {
		panic(err)
	}
	// Output:
	// generator_id,net_generation_mwh
	// 0290,11749621.5
	// 7E600,0
	// NA,
}
