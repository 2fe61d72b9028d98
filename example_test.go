package egridgo_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
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

// Example_readme is the example of README.md.
func Example_readme() {
	ctx := context.Background()
	backend := memstore.New()
	source := etl.FS(data.Files()) // or etl.Local("GEN23.csv", "folder")
	if _, err := etl.New(source, etl.ToLoader(backend), nil).Run(ctx); err != nil {
		log.Fatal(err)
	}
	page, err := store.New(backend).Plants(ctx, store.PlantQuery{
		Filters: []egrid.Filter{egrid.Where(egrid.FuelCategoryColumn, egrid.Eq, "WIND")}, Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Len(), "plant of", page.Year, "read from", page.Basis)
	// Output: 1 plant of 2023 read from PLNT
}

// The README shows the code that is tested here.
func TestReadmeExample(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "func Example_readme() {\n")
	body, _, _ = strings.Cut(body, "\t// Output")
	body = strings.ReplaceAll(strings.TrimPrefix(body, "\t"), "\n\t", "\n")
	if !strings.Contains(string(readme), "```go\n"+body) {
		t.Errorf("README.md does not show this:\n%s", body)
	}
}
