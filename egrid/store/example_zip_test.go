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

// Which subregions serve a ZIP code. The rows stand for EPA's zip.csv, and what is
// said of the ZIP codes is made up.
func ExampleDB_ZIP() {
	const zips = `zip,state,eiaid,UtilName,SUBRGN,Predominant Utility
03850,NH,990001,Sample Light,NEWE,1
59221,MT,990002,Sample Cooperative,MROW,1
59221,MT,990003,Sample Power,NWPP,0
`
	ctx := context.Background()
	backend := memstore.New()
	defer backend.Close()
	_, err := store.Load(ctx, backend, strings.NewReader(zips), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "zip.csv", Year: 2023}})
	if err != nil {
		log.Fatal(err)
	}

	db := store.New(backend)
	c, err := db.ZIP(ctx, "59221", 2023, "")
	if err != nil {
		log.Fatal(err)
	}
	for _, candidate := range c.Candidates {
		fmt.Println(candidate.Subregion, candidate.Predominant, candidate.Utilities[0].Name)
	}

	// A cell of a spreadsheet, which has lost its zero.
	zip, err := egrid.ParseZIP("3850")
	if err != nil {
		log.Fatal(err)
	}
	c, err = db.ZIP(ctx, zip, 2023, "")
	subregion, known := c.Subregion()
	fmt.Println(c.ZIP, c.State, subregion, known, err)
	// Output:
	// MROW true Sample Cooperative
	// NWPP false Sample Power
	// 03850 NH NEWE true <nil>
}
