package inventory_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/calc/inventory"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// sites is the table that a company has; every row comes back.
const sites = "site,state,MWh\nOffice,TX,120\nDepot,XX,5\n"

// A table of sites becomes location-based Scope 2 emissions.
func ExampleCSV() {
	ctx := context.Background()
	backend := memstore.New()
	states := strings.NewReader("YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2EQA\n2023,TX,1000,400,402\n")
	if _, err := store.Load(ctx, backend, states, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "ST23.csv"}}); err != nil {
		log.Fatal(err)
	}
	var emissions strings.Builder // an os.File, say
	totals, err := inventory.CSV(ctx, store.New(backend), strings.NewReader(sites), &emissions, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(totals.Answered, "of", totals.Sites, "sites")
	fmt.Printf("%.0f kg of CO2e\n", totals.Kilograms[inventory.CO2e])
	fmt.Println(strings.Count(emissions.String(), "\n"), "lines")
	// Output:
	// 1 of 2 sites
	// 43763 kg of CO2e
	// 3 lines
}
