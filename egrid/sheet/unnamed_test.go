package sheet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// A sheet is not read whose identifier or main measures are there under headers that
// nobody knows: the message names both, and the mapping that is proposed reads it.
func TestUnnamedColumns(t *testing.T) {
	t.Parallel()
	const first = "TX,Alpha,55001,1,5,7\n"
	for name, test := range map[string]struct {
		text  string
		level egrid.Level
		says  []string // none: it is read
		maps  map[string]string
	}{
		"misspelt": {
			text: "PSTATABB,PNAME,ORISPL,SEQGEN21,GENDI,NAMEPCAP,GENNTANN\nTX,Alpha,55001,1,A,5,7\n",
			says: []string{"GENID (probably GENDI)", "GENNTAN (probably GENNTANN)"}, maps: map[string]string{"GENDI": "generator_id", "GENNTANN": "net_generation_mwh"},
		},
		"misspelt in words":                     {text: "state,plant_name,oris_plant_code,generator_id,nameplate_capacity_mw,net_genration_mwh\n" + first, says: []string{"GENNTAN (probably net_genration_mwh)"}, maps: map[string]string{"net_genration_mwh": "net_generation_mwh"}},
		"misspelt identifier":                   {text: "PSTATABB,PNAME,ORISPI,GENID,NAMEPCAP,GENNTAN\n" + first, says: []string{"ORISPL (probably ORISPI)"}, maps: map[string]string{"ORISPI": "oris_plant_code"}},
		"misspelt, else of plants":              {text: "PSTATABB,PNAME,ORISPL,GEENID,NAMEPCAP,GENNTAN\n" + first, says: []string{"GENID (probably GEENID)"}},
		"misspelt place":                        {text: "PSTATABB,PNAME,ORISPL,SUBRGM,NAMEPCAP,PLNGENAN\n" + first, says: []string{"SUBRGN (probably SUBRGM)"}, maps: map[string]string{"SUBRGM": "subregion"}},
		"misspelt, near to two":                 {text: "PSTATABB,PNAME,ORISPL,PLSO2AN,PLXO2AN,PLNGENAN\n" + first, says: []string{"PLCO2AN (probably PLXO2AN)"}, maps: map[string]string{"PLXO2AN": "co2_short_tons"}},
		"other words":                           {text: "STATE,PNAME,ORISPL,LAT,PL_NET,PL_COAL\n" + first, level: egrid.PLNT, says: []string{"PLNGENAN (probably PL_NET)", "egrid map FILE > etl.json"}, maps: map[string]string{"PL_NET": "net_generation_mwh", "PL_COAL": "coal_net_generation_mwh"}},
		"other words, unasked":                  {text: "STATE,PNAME,ORISPL,LAT,PL_NET,PL_COAL\n" + first, says: []string{"PLNGENAN (probably PL_NET)"}},
		"another language":                      {text: "STATE,PNAME,ORISPL,LAT,energia,carbone\n" + first, level: egrid.PLNT, says: []string{"none of the measures of PLNT", "energia, carbone"}},
		"a level that it is not":                {text: "PSTATABB,PNAME,ORISPL,x,NAMEPCAP,CFACT\n" + first, level: egrid.GEN, says: []string{"identifier", "GENID"}},
		"one that is one letter from two codes": {text: "PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,GENNTXX\n" + first},
		"own columns":                           {text: "PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,score\n" + first},
		"own column like a measure":             {text: "PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,net generation\n" + first}, // it has another
		"own column beside the code":            {text: "PSTATABB,PNAME,ORISPL,GENID,GENNTAN,GENNTAN2\n" + first},
		"own column, numbered":                  {text: "PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,GENNTAN2\n" + first},
		"chosen columns":                        {text: "PSTATABB,PNAME,ORISPL\nTX,Alpha,55001\n", level: egrid.PLNT},
		"texts beside chosen ones":              {text: "PSTATABB,PNAME,ORISPL,checked by\nTX,Alpha,55001,JM\n", level: egrid.PLNT},
		"codes of another level":                {text: "PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,PLNGENAN\n" + first},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.Inspect(strings.NewReader(test.text), &sheet.ReaderOptions{Level: test.level, Year: 2021})
			if (err != nil) != (test.says != nil) || err != nil && (!errors.Is(err, egrid.ErrInvalid) || errors.Is(err, sheet.ErrNotSheet)) {
				t.Fatal(err)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v lacks %s", err, want)
				}
			}
			if test.maps == nil {
				return
			}
			p, err := sheet.Propose(strings.NewReader(test.text), &sheet.ReaderOptions{Level: test.level})
			if err != nil {
				t.Fatal(err)
			}
			for header, want := range test.maps {
				if p.Mapping.Columns[header] != want {
					t.Errorf("%s is mapped to %q; want %s", header, p.Mapping.Columns[header], want)
				}
			}
			s, err := sheet.Inspect(strings.NewReader(test.text), &sheet.ReaderOptions{Level: p.Level, Year: 2021, Mapping: &p.Mapping})
			if err != nil || slices.ContainsFunc(s.Unknown, func(c egrid.Column) bool { return test.maps[string(c)] != "" }) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}
