package sheet_test

import (
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// generators is a file in EPA's layout, and as people's tools leave it: a row of
// descriptions, display formats, a record that is none.
const generators = `Data Year,Plant state abbreviation,Plant name,Generator ID,Generator annual net generation (MWh)
YEAR,PSTATABB,PNAME,GENID,GENNTAN
2023,AZ,Palo Verde,1,"10,394,000"
2023,AZ,Palo Verde,2,"10,560,000"
2023,MI,Ludington,1," (346,000.5)"
2023,TX,Roscoe,WT1,--
2023,TX,Roscoe,WT2,a lot
2023,TX,Comanche Peak,1,9825612
`

// Sum a column by state while the file streams through: memory does not grow
// with the file.
func Example() {
	reader, err := sheet.NewReader(strings.NewReader(generators), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range reader.Sheet().Evidence {
		if e.Of == "level" || e.Of == "year" {
			fmt.Println(e.Of, e.Value, "from", e.From)
		}
	}

	sums := map[string]float64{}
	for row, err := range reader.Rows() {
		var refused *sheet.RowError
		switch {
		case errors.As(err, &refused): // one record; the loop goes on
			fmt.Printf("line %d, %s: %s\n", refused.Line, refused.Column, refused.Reason)
		case err != nil:
			log.Fatal(err)
		default:
			if mwh, ok := row.Float(egrid.NetGeneration); ok { // false for --
				sums[row.Text(egrid.State)] += mwh
			}
		}
	}
	for _, state := range slices.Sorted(maps.Keys(sums)) {
		fmt.Printf("%s %.1f MWh\n", state, sums[state])
	}
	// Output:
	// level GEN from columns
	// year  from column YEAR
	// line 7, net_generation_mwh: not a number
	// AZ 20954000.0 MWh
	// MI -346000.5 MWh
	// TX 9825612.0 MWh
}
