// Command inventory turns a table of sites into Scope 2 emissions: CSV on standard
// input, the same table with emissions, factors and reasons on standard output, the
// totals on standard error.
//
//	inventory SRL23.csv ST23.csv GGL23.csv ZIP23.csv <sites.csv >emissions.csv
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid/calc/inventory"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: inventory SHEET... <sites.csv >emissions.csv")
	}
	if err := run(context.Background(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]...); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, sites io.Reader, answers, summary io.Writer, sheets ...string) error {
	backend := memstore.New()
	report, err := etl.New(etl.Local(sheets...), etl.ToLoader(backend), nil).Run(ctx)
	if err != nil {
		return err
	}
	if !report.Complete() {
		return fmt.Errorf("the sheets are %s: egrid validate says why", report.Status)
	}
	totals, err := inventory.CSV(ctx, store.New(backend), sites, answers, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(summary, "%d of %d sites, %.1f MWh, %.1f kg CO2e\n", totals.Answered, totals.Sites, totals.MWh, totals.Kilograms[inventory.CO2e])
	for reason, n := range totals.Reasons {
		fmt.Fprintf(summary, "%d without emissions: %s\n", n, reason)
	}
	return nil
}
