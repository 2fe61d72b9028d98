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

// fuels is a sheet of EPA's, in short.
const fuels = "YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,GENNTAN\n2023,TX,Alpha,1,1,NG,400.5\n2023,TX,Alpha,1,2,NG,100\n2023,OK,Bravo,2,1,WND,210\n"

// Counts and sums by any column.
func ExampleDB_Groups() {
	ctx := context.Background()
	backend := memstore.New()
	if _, err := store.Load(ctx, backend, strings.NewReader(fuels), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "GEN23.csv"}}); err != nil {
		log.Fatal(err)
	}
	groups, err := store.New(backend).Groups(ctx, egrid.GroupQuery{
		Level: egrid.GEN, By: []egrid.Column{egrid.Fuel},
		Measures: []egrid.Measure{{Func: egrid.Count, As: "generators"}, {Func: egrid.Sum, Column: egrid.NetGeneration}},
		Sort:     []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for row := range groups.Rows() {
		fmt.Println(row.Text(egrid.Fuel), row.Text("generators"), row.Text(egrid.NetGeneration), "MWh")
	}
	// Output:
	// NG 2 500.5 MWh
	// WND 1 210 MWh
}
