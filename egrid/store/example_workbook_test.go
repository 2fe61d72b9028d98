package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Load every sheet of a workbook. Package etl does that with folders and buckets
// of them.
func ExampleLoad_workbook() {
	// The workbook stands for a file that os.Open opened.
	var workbook bytes.Buffer
	err := egridtest.WriteWorkbook(&workbook,
		egridtest.Sheet{Name: "Contents", CSV: "eGRID2023\n"},
		egridtest.Sheet{Name: "GEN23", CSV: wyoming},
		egridtest.Sheet{Name: "ST23 ", CSV: "YEAR,PSTATABB,STNGENAN\n2023,WY,43160000.5\n"},
	)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	backend := memstore.New()
	defer backend.Close()

	b, err := book.Open(bytes.NewReader(workbook.Bytes()), int64(workbook.Len()), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	for _, table := range b.Tables() {
		text, err := table.Open()
		if err != nil {
			log.Fatal(err)
		}
		loaded, err := store.Load(ctx, backend, text, &store.LoadOptions{
			ReaderOptions: sheet.ReaderOptions{Name: "egrid2023.xlsx", Sheet: table.Name, Grid: table.Grid, Objects: table.Objects},
		})
		if err := text.Close(); err != nil {
			log.Fatal(err)
		}
		switch {
		case errors.Is(err, egrid.ErrInvalid):
			fmt.Printf("%q is no eGRID sheet\n", table.Name)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Printf("%q: %s, %d rows\n", table.Name, loaded.Sheet.Level, loaded.Reports[0].Snapshot.Rows)
		}
	}
	// Output:
	// "Contents" is no eGRID sheet
	// "GEN23": GEN, 5 rows
	// "ST23 ": ST, 1 rows
}
