// Command factors reads a region sheet and prints emission factors with what they
// rest on. It compiles no third-party package.
//
//	factors SRL23.csv CAMX ERCT
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: factors SRL23.csv SUBREGION...")
	}
	if err := run(context.Background(), os.Stdout, os.Args[1], os.Args[2:]...); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, path string, subregions ...string) error {
	f, err := os.Open(path) //nolint:gosec // G304: the file that was named
	if err != nil {
		return err
	}
	defer f.Close()
	backend := memstore.New()
	loaded, err := store.Load(ctx, backend, f, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: filepath.Base(path)}})
	if err != nil {
		return err
	}
	for i := range loaded.Reports {
		r := &loaded.Reports[i]
		fmt.Fprintln(w, filepath.Base(path), r.Snapshot.Rows, "rows of", r.Snapshot.Year, r.Snapshot.Status)
	}

	db := store.New(backend)
	for _, code := range subregions {
		factor, err := calc.FactorOf(ctx, db, calc.FactorQuery{Level: egrid.SRL, Code: code, Unit: "kg/MWh"})
		if err != nil {
			return err // names the subregions that there are
		}
		fmt.Fprintf(w, "%s (%s): %.3f %s CO2e\n  %s\n  %s\n", code, factor.Name, factor.Value, factor.Unit, factor.Formula, factor.Citation())
	}
	return nil
}
