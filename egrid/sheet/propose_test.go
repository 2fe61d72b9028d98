package sheet_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

func TestPropose(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text      string
		level     egrid.Level
		columns   map[string]string
		transform map[string]string
		skip      int
		delimiter string
	}{
		"generators": {
			text: "Facility ID,State,Plant Name,Generator ID,Nameplate Capacity (MW),Annual Net Generation (MWh),Primary Fuel\n" +
				"3,AL,Barry,1,153.1,1000,NG\n3,AL,Barry,2,153.1,?,NG\n",
			level: egrid.GEN,
			columns: map[string]string{
				"Facility ID": "oris_plant_code", "Plant Name": "plant_name", "Generator ID": "generator_id", "State": "state",
				"Nameplate Capacity (MW)": "nameplate_capacity_mw", "Annual Net Generation (MWh)": "net_generation_mwh", "Primary Fuel": "fuel",
			},
			transform: map[string]string{"net_generation_mwh": "null_if:?"},
		},
		"states below a title": {
			text: "Report of states\n\nstate;Net Generation MWh;CO2 emission rate (lb/MWh);Percent Coal;CO2 equivalent emissions (tons);Ozone Season NOx (tons)\n" +
				"TX;100,5;800;12,5;3;1\nOK;50;700;0;2;0,5\n",
			level: egrid.ST, skip: 2, delimiter: ";",
			columns: map[string]string{
				"state": "state", "Net Generation MWh": "net_generation_mwh", "CO2 emission rate (lb/MWh)": "co2_output_rate_lb_per_mwh",
				"Percent Coal": "coal_generation_share", "CO2 equivalent emissions (tons)": "co2e_short_tons", "Ozone Season NOx (tons)": "nox_ozone_season_short_tons",
			},
		},
		"positive longitudes": {
			text:  "plantName,lat,lng,netGeneration\nBarry,31,88,5\nGadsden,34,86,6\n",
			level: egrid.PLNT, columns: map[string]string{"plantName": "plant_name", "lng": "longitude", "netGeneration": "net_generation_mwh"},
			transform: map[string]string{"longitude": "negate"},
		},
		"headers alike": {
			text: "ORISPL,GENID,NAMEPCAP,Net generation,Generation net\n3,A,1,2,3\n", level: egrid.GEN,
			columns: map[string]string{},
		},
		"subregions": {
			text:  "eGRID Subregion,Subregion Name,non-baseload CO2 output rate lb/MWh,SRNGENAN\nCAMX,WECC California,900,5\n",
			level: egrid.SRL,
			columns: map[string]string{
				"eGRID Subregion": "subregion", "Subregion Name": "subregion_name", "non-baseload CO2 output rate lb/MWh": "nonbaseload_co2_output_rate_lb_per_mwh",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := sheet.Propose(strings.NewReader(test.text), &sheet.ReaderOptions{Name: "a.csv"})
			if err != nil {
				t.Fatal(err)
			}
			if p.Level != test.level || p.Mapping.SkipRows != test.skip || p.Mapping.Delimiter != test.delimiter {
				t.Errorf("level %s by %s, skip %d, delimiter %q", p.Level, p.From, p.Mapping.SkipRows, p.Mapping.Delimiter)
			}
			if !maps.Equal(p.Mapping.Columns, test.columns) {
				t.Errorf("columns %v; want %v", p.Mapping.Columns, test.columns)
			}
			if len(p.Mapping.Transform)+len(test.transform) > 0 && !maps.Equal(p.Mapping.Transform, test.transform) {
				t.Errorf("transform %v; want %v", p.Mapping.Transform, test.transform)
			}
			// The proposal is one that a reader takes.
			r, err := sheet.NewReader(strings.NewReader(test.text), &sheet.ReaderOptions{Name: "a.csv", Level: p.Level, Year: 2021, Mapping: &p.Mapping})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range r.Rows() {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A header that could mean something else is not recognised.
func TestProposeNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a,b\n1,2\n", "name,price\nBread,3\n"} {
		if p, err := sheet.Propose(strings.NewReader(text), nil); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
	p, err := sheet.Propose(strings.NewReader("ORISPL,GENID,GENNTAN,coal price,co2 allowance,renewable credits mwh\n1,1,5,1,2,3\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Columns[3:] {
		if c.Column != "" || c.From == "" {
			t.Errorf("%s became %s (%s)", c.Header, c.Column, c.From)
		}
	}
}

// A mapping cannot take two headers for one column, whatever name it gives it.
func TestMappingOfTwoToOne(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header  string
		columns map[string]string
		says    []string // none: it is read
	}{
		"two headers":         {"ORISPL,GENID,co2 rate,co2e rate,net", map[string]string{"co2 rate": "GENNTAN", "co2e rate": "GENNTAN"}, []string{"GENNTAN", `"co2 rate" in column 3`, `"co2e rate" in column 4`}},
		"by its code, a name": {"ORISPL,GENID,a,b,net", map[string]string{"a": "GENNTAN", "net": "net_generation_mwh"}, []string{"GENNTAN", `"a" in column 3`, `"net" in column 5`}},
		"one header, twice":   {"ORISPL,GENID,net,b,net", map[string]string{"net": "GENNTAN"}, []string{`"net" in column 3`, `"net" in column 5`}},
		"one is left out":     {"ORISPL,GENID,a,b,net", map[string]string{"a": "", "net": "GENNTAN"}, nil},
		"beside the code":     {"ORISPL,GENID,GENNTAN,b,net", map[string]string{"net": "GENNTAN"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.Inspect(strings.NewReader(test.header+"\n3,A,5,6,5\n"), &sheet.ReaderOptions{Level: egrid.GEN, Year: 2021, Mapping: &sheet.Mapping{Columns: test.columns}})
			if (err != nil) != (test.says != nil) || err != nil && !errors.Is(err, egrid.ErrInvalid) {
				t.Fatal(err)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v lacks %s", err, want)
				}
			}
		})
	}
}
