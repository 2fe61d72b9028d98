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

// releases are a sheet as it was first published, and as it was corrected.
var releases = map[string]string{
	"SRL23_rev1.csv": "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n2023,CAMX,1000,250\n2023,ERCT,2000,900\n",
	"SRL23_rev2.csv": "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n2023,CAMX,1000,240\n2023,ERCT,2000,900\n",
}

// What a new release of a data year changed.
func ExampleDB_Diff() {
	ctx := context.Background()
	backend := memstore.New()
	for name, text := range releases {
		if _, err := store.Load(ctx, backend, strings.NewReader(text), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}}); err != nil {
			log.Fatal(err)
		}
	}
	diff, err := store.New(backend).Diff(ctx, store.DiffQuery{Level: egrid.SRL, From: "rev1", To: "rev2"})
	if err != nil {
		log.Fatal(err)
	}
	for _, change := range diff.Changes {
		fmt.Println(change.Key, change.Column, change.From, "to", change.To)
	}
	// Output: CAMX co2_short_tons 250 to 240
}
