package calc_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log"

	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Check every figure of an edition, and let anybody else check the certificate.
func ExampleReconcile() {
	ctx := context.Background()
	backend := memstore.New()
	sample := egridtest.NewSample(nil) // in place of EPA's files
	for _, level := range egridtest.SampleLevels() {
		var file bytes.Buffer
		if err := sample.Write(&file, level); err != nil {
			log.Fatal(err)
		}
		if _, err := store.Load(ctx, backend, &file, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: sample.Name(level)}}); err != nil {
			log.Fatal(err)
		}
	}

	c, err := calc.Reconcile(ctx, store.New(backend), 2023, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Matched(), "of", c.Checked(), "comparisons match")
	fmt.Println("CO2e is by", c.GWP.Name)
	for _, v := range c.Variants {
		if v.Rule == calc.Shares && v.Checked > 0 {
			fmt.Println(v.Choice, v.Matched, "of", v.Checked, v.Used)
		}
	}
	for _, cell := range c.Differing() {
		fmt.Println(cell.Level, cell.Code, cell.Column, cell.Published, cell.Recomputed)
	}
	fmt.Println(fmt.Sprintf("%x", sha256.Sum256(c.AppendCSV(nil, true))) == c.Hash())
	// Output:
	// 28837 of 28837 comparisons match
	// CO2e is by ar5
	// of_positive_fuels 10 of 56 false
	// groups_of_net_generation 34 of 56 false
	// not_below_zero 56 of 56 true
	// of_net_generation 46 of 56 false
	// true
}
