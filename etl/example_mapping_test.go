package etl_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
)

// mapping is what an etl.json says of files whose headers are not EPA's.
const mapping = `{"inputs": [{"match": "ours*.csv", "level": "PLNT", "year": 2021,
	"columns": {"Plant": "PNAME", "St": "PSTATABB", "Code": "ORISPL", "Power MWh": "PLNGENAN"}}]}`

// A colleague's file, by a mapping of its headers.
func ExampleReadConfig() {
	config, err := etl.ReadConfig(strings.NewReader(mapping))
	if err != nil {
		log.Fatal(err)
	}
	file := strings.NewReader("Plant,St,Code,Power MWh\nAlpha,TX,55001,1200.5\nBravo,OK,55002,300\n")
	report, err := etl.New(etl.Stream("ours.csv", file), etl.ToLoader(memstore.New()), &etl.Options{Config: config}).Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range report.Files[0].Sheets {
		fmt.Println(s.Level, s.Year, s.Loaded, s.Status)
	}
	// Output: PLNT 2021 2 published
}
