package fetch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// A file is downloaded once, and checked. The server stands for EPA's.
func ExampleGet() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "YEAR,PSTATABB,STNGENAN\n2023,TX,400\n")
	}))
	defer server.Close()
	dir, err := os.MkdirTemp("", "fetch")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // only tidies up

	edition := fetch.Edition{Year: 2023, Authority: fetch.EPA, Units: fetch.US, Address: server.URL + "/ST23.csv"}
	for range 2 {
		file, err := fetch.Get(context.Background(), edition, dir, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(filepath.Base(file.Path), file.Bytes, file.SHA256[:8], file.Cached)
	}
	// Output:
	// ST23.csv 35 40c7c958 false
	// ST23.csv 35 40c7c958 true
}
