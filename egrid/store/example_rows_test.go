package store_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// generators is a sheet of EPA's, in short.
const generators = `YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN
2023,TX,Alpha,1,1,NG,100,400.5
2023,TX,Alpha,1,0290,NG,50,
2023,OK,Bravo,2,7E600,WND,80,210
`

// Rows of any level, page by page: filtered, sorted, with the columns that are asked for.
func ExampleDB_Rows() {
	ctx := context.Background()
	backend := memstore.New() // or any other store
	if _, err := store.Load(ctx, backend, strings.NewReader(generators), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "GEN23.csv"}}); err != nil {
		log.Fatal(err)
	}
	page, err := store.New(backend).Rows(ctx, egrid.RowQuery{
		Level: egrid.GEN, Year: 2023,
		Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")},
		Columns: []egrid.Column{egrid.GeneratorID, egrid.NetGeneration},
		Sort:    []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}},
		Limit:   10, Count: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Len(), "of", page.Total)
	for row := range page.Rows() {
		mwh, known := row.Float(egrid.NetGeneration)
		fmt.Println(row.Text(egrid.GeneratorID), mwh, known)
	}
	// Output:
	// 2 of 2
	// 1 400.5 true
	// 0290 0 false
}
