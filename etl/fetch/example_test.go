package fetch_test

import (
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/etl/fetch"
)

// The newest release of a data year, and what is known of it.
func ExampleCatalogue_Find() {
	e, err := fetch.Editions().Find(fetch.Want{Year: 2022})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e, "of", e.Released, "with GWP of", e.GWP)
	fmt.Println(e.Address)
	// Output:
	// eGRID2022 of 2024-01-30 with GWP of AR4
	// https://www.epa.gov/system/files/documents/2024-01/egrid2022_data.xlsx
}

// A mirror of your own takes the place of EPA's address.
func ExampleReadCatalogue() {
	own, err := fetch.ReadCatalogue(strings.NewReader(`year,address,sha256
2022,https://mirror.example.org/egrid2022_data.xlsx,c73fdc561aa402d0f6ed3cc35e5d961bee6af6e003c9c035b40f757f8480b76b
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := fetch.Editions().With(own).Find(fetch.Want{Year: 2022})
	fmt.Println(e.Address, err)
	// Output:
	// https://mirror.example.org/egrid2022_data.xlsx <nil>
}
