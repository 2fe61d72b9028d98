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

// units are generators of two plants.
const units = `YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN
2023,TX,Alpha,1,1,NG,100,400
2023,TX,Alpha,1,2,BIT,300,500.5
2023,TX,Bravo,02,1,SUN,50,100.5
`

// Plants are answered from the generators where no sheet of plants is loaded;
// the page says which it was.
func ExampleDB_Plants() {
	ctx := context.Background()
	backend := memstore.New()
	if _, err := store.Load(ctx, backend, strings.NewReader(units), nil); err != nil {
		log.Fatal(err)
	}
	page, err := store.New(backend).Plants(ctx, store.PlantQuery{
		Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for plant := range page.Rows() {
		fmt.Println(plant.Text(store.PlantID), plant.Text(egrid.PlantName), plant.Text(egrid.Fuel), plant.Text(egrid.NetGeneration), "MWh")
	}
	fmt.Println("from", page.Basis, page.Year)
	// Output:
	// 1 Alpha BIT 900.5 MWh
	// 02 Bravo SUN 100.5 MWh
	// from GEN 2023
}

// earlier are the states of an earlier release, which has more of Texas.
const earlier = `YEAR,PSTATABB,STNAMEPCAP,STNGENAN
2023,TX,450,1200
`

// Totals are by the sheet of regions where one is loaded, and tell which other sheets
// say otherwise.
func ExampleDB_Totals() {
	ctx := context.Background()
	backend := memstore.New()
	for name, text := range map[string]string{"GEN23_rev1.csv": units, "ST23_rev0.csv": earlier} {
		options := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}}
		if _, err := store.Load(ctx, backend, strings.NewReader(text), options); err != nil {
			log.Fatal(err)
		}
	}
	totals, err := store.New(backend).Totals(ctx, egrid.State, store.PlantQuery{})
	if err != nil {
		log.Fatal(err)
	}
	for state := range totals.Rows() {
		fmt.Println(state.Text(egrid.State), state.Text(egrid.NetGeneration), "MWh by", state.Text(store.BasisColumn), state.Text(egrid.ReleaseColumn))
	}
	for _, d := range totals.Differences {
		fmt.Println(d.Other.Level, d.Other.Release, "adds up to", d.OtherTotal, "MWh")
	}
	// Output:
	// TX 1200 MWh by ST rev0
	// GEN rev1 adds up to 1001 MWh
}
