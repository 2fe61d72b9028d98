package sheet_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Somebody's own headers are recognised by their words, and the file is read with the
// mapping that is proposed.
func ExamplePropose() {
	const text = "Facility ID,Generator ID,Annual Net Generation (MWh)\n3,1,1000\n3,2,n.a.\n"
	p, err := sheet.Propose(strings.NewReader(text), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range p.Columns {
		fmt.Printf("%s: %s\n", c.Header, c.Column)
	}
	r, err := sheet.NewReader(strings.NewReader(text), &sheet.ReaderOptions{Level: p.Level, Year: 2021, Mapping: &p.Mapping})
	if err != nil {
		log.Fatal(err)
	}
	for row, err := range r.Rows() {
		if err != nil {
			log.Fatal(err)
		}
		mwh := row.Value("net_generation_mwh")
		fmt.Println(row.Value("generator_id"), mwh.IsMissing(), mwh)
	}
	// Output:
	// Facility ID: oris_plant_code
	// Generator ID: generator_id
	// Annual Net Generation (MWh): net_generation_mwh
	// 1 false 1000
	// 2 true
}
