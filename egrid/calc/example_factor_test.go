package calc_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// An emission factor of a subregion, under another set of global warming potentials
// than the edition's own, with what it takes to compute it again.
func Example_factor() {
	const subregions = "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCH4AN,SRN2OAN\n2023,CAMX,WECC California,1000,250,50,5\n"
	ctx := context.Background()
	stored := memstore.New()
	if _, err := store.Load(ctx, stored, strings.NewReader(subregions), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "SRL23.csv"}}); err != nil {
		log.Fatal(err)
	}
	f, err := calc.FactorOf(ctx, store.New(stored), calc.FactorQuery{Level: egrid.SRL, Code: "CAMX", GWP: "ar6", Unit: "kg/MWh"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f %s\n%s\n", f.Value, f.Unit, f.Formula)
	again, err := calc.Evaluate(f.Formula, f.Inputs)
	fmt.Println(again == f.Value, err)
	// Output:
	// 228.091 kg/MWh
	// (2000 * co2_short_tons + 29.8 * ch4_lb + 273 * n2o_lb) / net_generation_mwh * 0.45359237
	// true <nil>
}
