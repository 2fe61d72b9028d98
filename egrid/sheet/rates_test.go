package sheet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Tables of rates under people's own headers are refused as what they are, and the
// mapping that the message points to keeps their rates. Rates of plants make no table
// of states.
func TestTablesOfRates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text  string
		level egrid.Level
		rate  egrid.Column // in the first row
		want  float64
		says  string
	}{
		"by subregion":           {"Subregion,Year,CO2 rate,CH4 rate\nCAMX,2022,497.4,0.03\n", egrid.SRL, "co2_output_rate_lb_per_mwh", 497.4, ""},
		"by state":               {"State,CO2 (lb/MWh),NOx (lb/MWh)\nTX,497.4,0.03\nOH,771,0.05\n", egrid.ST, "co2_output_rate_lb_per_mwh", 497.4, ""},
		"with words":             {"eGRID subregion acronym,eGRID subregion name,Carbon dioxide emission factor,CO2e emission factor\nCAMX,WECC California,497.4,500.5\n", egrid.SRL, "co2e_output_rate_lb_per_mwh", 500.5, ""},
		"by balancing area":      {"BA code,N2O rate\nCISO,0.5\n", egrid.BA, "n2o_output_rate_lb_per_mwh", 0.5, ""},
		"in snake case":          {"subregion,co2_rate\nCAMX,497.4\n", egrid.SRL, "co2_output_rate_lb_per_mwh", 497.4, ""},
		"below a title":          {"Rates for our reports\n\nsubregion,co2_rate\nCAMX,497.4\n", egrid.SRL, "co2_output_rate_lb_per_mwh", 497.4, ""},
		"in metric units":        {"SUBRGN,kg CO2e/kWh\nCAMX,0.4974\n", egrid.SRL, "", 0, "cannot be mapped"},
		"of plants":              {"plant,state,annual_net_generation_mwh,annual_co2_emission_rate_lb/mwh\nA,TX,5,1\n", "", "", 0, ""},
		"masses of another kind": {"site,CO2\nA,5\n", "", "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.Inspect(strings.NewReader(test.text), &sheet.ReaderOptions{Name: "rates.csv"})
			var kept *sheet.NotKeptError
			if !errors.As(err, &kept) {
				if err == nil || test.level != "" {
					t.Errorf("%v", err)
				}
				return
			}
			if kept.Kind != "a table of emission rates" || !strings.Contains(kept.Remedy, string(test.level)) || !strings.Contains(kept.Remedy, test.says) {
				t.Fatalf("%v", err)
			}
			if strings.Contains(kept.Remedy, "egrid map FILE > etl.json") != (test.rate != "") {
				t.Fatalf("%v", err)
			} else if test.rate == "" {
				return
			}
			p, err := sheet.Propose(strings.NewReader(test.text), &sheet.ReaderOptions{Name: "rates.csv"})
			if err != nil || p.Level != test.level {
				t.Fatalf("%+v, %v", p, err)
			}
			_, rows, refused := readAll(t, strings.NewReader(test.text), &sheet.ReaderOptions{Level: p.Level, Year: 2022, Mapping: &p.Mapping})
			if got, _ := rows[0].Float(test.rate); len(refused) > 0 || got != test.want {
				t.Errorf("%s is %v, refused %v; want %v", test.rate, got, refused, test.want)
			}
		})
	}
}
