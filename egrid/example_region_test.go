package egrid_test

import (
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// codes are what people write in place of a code.
var codes = []string{"tx", "Texas", "Texsa"}

// Regions by code or by name, and what was probably meant.
func ExampleRegionCode() {
	var known []string
	for _, r := range egrid.NamedRegions(egrid.ST) {
		known = append(known, r.Name)
	}
	for _, text := range codes {
		if code, ok := egrid.RegionCode(egrid.ST, text); ok {
			fmt.Println(text, "is", code)
		} else {
			fmt.Println(text, "is none; did you mean", egrid.Nearest(text, known)+"?")
		}
	}
	// Output:
	// tx is TX
	// Texas is TX
	// Texsa is none; did you mean Texas?
}
