package egridgo_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// The whole flow: files into a store, and the store over HTTP.
func Example() {
	ctx := context.Background()
	backend := memstore.New()
	report, err := etl.New(etl.FS(data.Files()), etl.ToLoader(backend), nil).Run(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Status, len(report.Files), "files")

	api := httpapi.New(store.New(cache.New(backend, nil)), nil)
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/plants/search?sort=-net_generation_mwh&columns=fuel&limit=1&format=csv", nil))
	fmt.Println(w.Code, strings.Count(w.Body.String(), "\n"), "lines")
	// Output:
	// published 10 files
	// 200 2 lines
}
