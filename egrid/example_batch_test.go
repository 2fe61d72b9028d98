package egrid_test

import (
	"fmt"
	"log"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// total adds up one column of a batch, without a value or a row between: what
// is missing takes no part.
func total(b *egrid.Batch, c egrid.Column) (sum float64, missing int) {
	v := b.Column(b.Schema().Index(c))
	for i := range v.Len() {
		if x, ok := v.Float(i); ok {
			sum += x
		}
	}
	return sum, v.Missing()
}

// Work on columns where there are many rows.
func ExampleBatch_Column() {
	state, _ := egrid.Lookup(egrid.GEN, "state")
	generation, _ := egrid.Lookup(egrid.GEN, "net_generation_mwh")
	schema, err := egrid.NewSchema(state, generation)
	if err != nil {
		log.Fatal(err)
	}
	batch, err := egrid.BatchOf(schema, 2023,
		[]egrid.Value{egrid.TextOf("WY"), egrid.NumberOf(1776490.5)},
		[]egrid.Value{egrid.TextOf("WY"), {}},
		[]egrid.Value{egrid.TextOf("AZ"), egrid.NumberOf(10394000)},
	)
	if err != nil {
		log.Fatal(err)
	}
	sum, missing := total(batch, egrid.NetGeneration)
	fmt.Println(sum, missing)

	states := batch.Column(0) // each text is kept once
	for code := range states.Entries() {
		fmt.Println(states.Entry(code))
	}
	// Output:
	// 1.21704905e+07 1
	// WY
	// AZ
}
