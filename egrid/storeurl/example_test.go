package storeurl_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
)

// setting is where the users of a program say where the data are: sqlite:egrid.db,
// postgres://HOST/DATABASE or mem:.
func setting() string {
	if url := os.Getenv("OUR_EGRID_STORE"); url != "" {
		return url
	}
	return "mem:"
}

func ExampleOpen() {
	ctx := context.Background()
	backend, err := storeurl.Open(ctx, setting(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()
	catalog, err := store.New(backend).Catalog(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(catalog.Snapshots), "snapshots")
	// Output: 0 snapshots
}
