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

// subregions is a sheet of EPA's, in short. Its rate is rounded, as EPA's are.
const subregions = "YEAR,SUBRGN,SRNGENAN,SRCO2AN,SRCO2RTA\n2023,CAMX,1234.5,250,405.022\n"

// What one published number follows from.
func ExampleExplain() {
	ctx := context.Background()
	backend := memstore.New()
	if _, err := store.Load(ctx, backend, strings.NewReader(subregions), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "SRL23.csv"}}); err != nil {
		log.Fatal(err)
	}
	x, err := calc.Explain(ctx, store.New(backend), calc.ExplainQuery{Level: egrid.SRL, Code: "CAMX", Column: "SRCO2RTA"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("published:", x.Published, x.Field.Unit)
	fmt.Println("formula:", x.Formula)
	value, err := calc.Evaluate(x.Formula, x.Inputs)
	fmt.Printf("computed: %.6f %v\n", value, err)
	// Output:
	// published: 405.022 lb/MWh
	// formula: 2000 * co2_short_tons / net_generation_mwh
	// computed: 405.022276 <nil>
}
