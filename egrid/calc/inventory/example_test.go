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

// The emissions of a site that a program has at hand; [inventory.CSV] takes a whole
// table.
func ExampleInventory_Answer() {
	const subregions = "YEAR,SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\n2023,CAMX,1000,250,251.5\n"
	ctx := context.Background()
	stored := memstore.New()
	if _, err := store.Load(ctx, stored, strings.NewReader(subregions), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "SRL23.csv"}}); err != nil {
		log.Fatal(err)
	}
	v, err := inventory.New(ctx, store.New(stored), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, site := range []inventory.Site{
		{Subregion: "CAMX", Quantity: "120,000", PerMWh: 0.001},
		{Subregion: "CAMX", Quantity: "-5", PerMWh: 0.001},
	} {
		a, err := v.Answer(ctx, &site)
		switch {
		case err != nil:
			log.Fatal(err)
		case a.Reason != "":
			fmt.Println("no emissions:", a.Reason)
		default:
			fmt.Printf("%.0f MWh by %s of %d: %.1f kg of CO2e\n", a.MWh, a.Place.Code, a.Place.Year, a.MWh*a.Place.Rates[inventory.CO2e])
		}
	}
	fmt.Println(v.Totals().Answered, "of", v.Totals().Sites)
	// Output:
	// 120 MWh by CAMX of 2023: 27378.8 kg of CO2e
	// no emissions: the electricity used is negative: what a site sends out is no part of its Scope 2
	// 1 of 2
}
