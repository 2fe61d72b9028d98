package sheet_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// The columns that our own exports add say who published the rows, and what of them
// was rounded, of each data year.
func TestMarkColumns(t *testing.T) {
	t.Parallel()
	const head = "data_year,oris_plant_code,generator_id,nameplate_capacity_mw,net_generation_mwh,edition_authority,rounded_columns\n"
	many := func(year int, authority, rounded string, n int) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "%d,%d,A,5.5,20961,%s,%s\n", year, i+1, authority, rounded)
		}
		return text.String()
	}
	const own = "Cornerstone Data"
	for name, test := range map[string]struct {
		text    string
		options sheet.ReaderOptions
		want    string // authority, rounded columns by year, unknown columns, rejects; or the error
	}{
		"one row":                    {head + "2023,3,A,5.5,20961," + own + ",net_generation_mwh\n", sheet.ReaderOptions{}, "Cornerstone Data map[2023:[net_generation_mwh]] [] []"},
		"many":                       {head + many(2023, own, "net_generation_mwh nameplate_capacity_mw", 700), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[nameplate_capacity_mw net_generation_mwh]] [] []"},
		"years":                      {head + many(2023, "", "", 50) + many(2019, "EPA", "GENNTAN", 50), sheet.ReaderOptions{}, "EPA map[2019:[net_generation_mwh] 2023:[]] [] []"},
		"in turn":                    {head + strings.Repeat("2023,3,A,5.5,20961,,\n2019,3,A,5.5,20961,,net_generation_mwh\n", 600), sheet.ReaderOptions{}, "EPA map[2019:[net_generation_mwh] 2023:[]] [] []"},
		"behind many":                {head + many(2023, own, "", 40_000) + many(2023, own, "net_generation_mwh", 1), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[net_generation_mwh]] [] []"},
		"in quotes":                  {head + many(2023, `"A ""b"", c"`, `"net_generation_mwh"`, 20), sheet.ReaderOptions{}, `A "b", c map[2023:[net_generation_mwh]] [] []`},
		"by their codes":             {"YEAR,ORISPL,GENID,NAMEPCAP,GENNTAN,EDITION_AUTHORITY,ROUNDED_COLUMNS\n" + many(2023, own, "GENNTAN NAMEPCAP", 20), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[nameplate_capacity_mw net_generation_mwh]] [] []"},
		"missing, as R writes it":    {head + many(2023, "NA", "NA", 20), sheet.ReaderOptions{}, "EPA map[2023:[]] [] []"},
		"of columns that are not":    {head + many(2023, own, "state net_generation_ozone_season_mwh capacity_factor", 20), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[]] [] []"},
		"of another level":           {head + many(2023, own, "co2_short_tons", 20), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[]] [rounded_columns_2] []"},
		"given, too":                 {head + many(2023, own, "", 20), sheet.ReaderOptions{Authority: own}, "Cornerstone Data map[2023:[]] [] []"},
		"given otherwise":            {head + many(2023, own, "", 20), sheet.ReaderOptions{Authority: "EPA"}, "--authority EPA was given, and column edition_authority says Cornerstone Data"},
		"two":                        {head + many(2023, own, "", 20) + many(2024, "", "", 2), sheet.ReaderOptions{}, "says Cornerstone Data in some rows and EPA in others"},
		"a total below":              {head + many(2023, own, "", 20) + "Total,,,110,419220,,\n", sheet.ReaderOptions{}, "Cornerstone Data map[2023:[]] [] []"},
		"another one far below":      {head + many(2023, own, "", 60_000) + many(2023, "EPA", "", 1), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[]] [] [edition_authority]"},
		"an unknown name far below":  {head + many(2023, own, "", 60_000) + many(2023, own, "x", 1), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[]] [] [rounded_columns]"},
		"somebody's own":             {head + many(2023, own, "a b", 20), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[]] [rounded_columns_2] []"},
		"left out by a mapping":      {head + many(2023, own, "net_generation_mwh", 20), sheet.ReaderOptions{Mapping: &sheet.Mapping{Columns: map[string]string{"edition_authority": "", "rounded_columns": ""}}}, "EPA map[2023:[]] [] []"},
		"a column that the file has": {strings.Replace(head, "nameplate_capacity_mw", "OWN", 1) + many(2023, own, "nameplate_capacity_mw net_generation_mwh", 20), sheet.ReaderOptions{}, "Cornerstone Data map[2023:[net_generation_mwh]] [OWN] []"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := sheet.NewReader(strings.NewReader(test.text), &test.options)
			if err != nil {
				if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v; want %s", err, test.want)
				}
				return
			}
			lossy, rejected := map[int][]egrid.Column{}, []egrid.Column{}
			for d, err := range r.Batches() {
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range d.Batches {
					for _, c := range append(b.Lossy(), "") {
						if have := lossy[b.Year()]; c != "" && !slices.Contains(have, c) {
							lossy[b.Year()] = append(have, c)
						} else if have == nil {
							lossy[b.Year()] = []egrid.Column{}
						}
					}
				}
				for _, x := range d.Rejects {
					rejected = append(rejected, x.Column)
				}
			}
			s := r.Sheet()
			if got := fmt.Sprint(s.Authority, " ", lossy, s.Unknown, rejected); strings.ReplaceAll(got, "][", "] [") != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
