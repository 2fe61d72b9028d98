package etl_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
)

// A workbook is loaded whole: every sheet that is one of eGRID.
func Example_workbook() {
	// The workbook stands for a file, which etl.Local would read.
	var workbook bytes.Buffer
	err := egridtest.WriteWorkbook(&workbook,
		egridtest.Sheet{Name: "GEN23", CSV: "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,1,0290,400.25\n2023,OK,Bravo,2,1,-10\n"},
		egridtest.Sheet{Name: "SRL23 ", CSV: "YEAR,SUBRGN,SRNGENAN\n2023,ERCT,390.25\n"},
	)
	if err != nil {
		log.Fatal(err)
	}
	files := fstest.MapFS{"egrid2023_data.xlsx": {Data: workbook.Bytes()}}

	report, err := etl.New(etl.FS(files), etl.ToLoader(memstore.New()), nil).Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range report.Files[0].Sheets {
		fmt.Printf("%q: %s %d, %d rows, %s\n", s.Sheet, s.Level, s.Year, s.Loaded, s.Status)
	}
	// Output:
	// "GEN23": GEN 2023, 2 rows, published
	// "SRL23 ": SRL 2023, 1 rows, published
}
