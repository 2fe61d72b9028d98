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

// wyoming stands for a file that os.Open opened.
const wyoming = `YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN
2023,WY,Wyodak,6101,1,1776490
2023,WY,Wygen III,56596,0005,794708
2023,WY,Dave Johnston,4158,BW41,474186
2023,WY,Dave Johnston,4158,BW44,1793113.5
2023,WY,Kortes,4182,1,
`

// Load a file and walk through its rows page by page, the largest generators
// first. Every store is used in this way; memstore needs no server and no disk.
func Example() {
	ctx := context.Background()
	backend := memstore.New()
	defer backend.Close()

	loaded, err := store.Load(ctx, backend, strings.NewReader(wyoming), &store.LoadOptions{
		ReaderOptions: sheet.ReaderOptions{Name: "GEN23.csv"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded.Sheet.Level, loaded.Reports[0].Status, loaded.Reports[0].Snapshot.Rows, "rows")

	query := egrid.RowQuery{
		Level:   egrid.GEN,
		Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "WY")},
		Sort:    []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}},
		Limit:   2,
		Count:   true,
	}
	db := store.New(backend)
	for {
		page, err := db.Rows(ctx, query)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d of %d:\n", page.Len(), page.Total)
		for row := range page.Rows() {
			fmt.Printf("  %s %s %q\n", row.Text(egrid.PlantName), row.Text(egrid.GeneratorID), row.Text(egrid.NetGeneration))
		}
		if query.Cursor = page.Next; query.Cursor == "" {
			break
		}
	}
	// Output:
	// GEN published 5 rows
	// 2 of 5:
	//   Dave Johnston BW44 "1793113.5"
	//   Wyodak 1 "1776490"
	// 2 of 5:
	//   Wygen III 0005 "794708"
	//   Dave Johnston BW41 "474186"
	// 1 of 5:
	//   Kortes 1 ""
}
