package egrid_test

import (
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func TestNamedRegions(t *testing.T) {
	t.Parallel()
	for level, n := range map[egrid.Level]int{egrid.ST: 52, egrid.SRL: 27, egrid.NRL: 14, egrid.US: 1, egrid.BA: 0, egrid.GEN: 0} {
		regions := egrid.NamedRegions(level)
		seen := map[string]bool{}
		for _, r := range regions {
			if r.Level != level || r.Code == "" || r.Name == "" || seen[r.Code] || seen[r.Name] && r.Code != r.Name {
				t.Errorf("%+v", r)
			}
			seen[r.Code], seen[r.Name] = true, true
		}
		if len(regions) != n {
			t.Errorf("level %s: %d names; want %d", level, len(regions), n)
		}
		if n > 0 {
			regions[0].Name = "changed"
			if egrid.NamedRegions(level)[0].Name == "changed" {
				t.Error("the list is not the caller's own")
			}
		}
	}
	for _, test := range []struct {
		level      egrid.Level
		text, code string
	}{
		{egrid.ST, "tx", "TX"}, {egrid.ST, " Texas ", "TX"}, {egrid.ST, "district of columbia", "DC"}, {egrid.ST, "ZZ", ""}, {egrid.ST, "", ""},
		{egrid.SRL, "WECC California", "CAMX"}, {egrid.SRL, "camx", "CAMX"}, {egrid.NRL, "texas regional entity", "TRE"}, {egrid.US, "united states", "US"},
	} {
		if code, ok := egrid.RegionCode(test.level, test.text); code != test.code || ok != (test.code != "") {
			t.Errorf("%s %q: %q, %t", test.level, test.text, code, ok)
		}
	}
	if name, ok := egrid.RegionName(egrid.SRL, "NYCW"); name != "NPCC NYC/Westchester" || !ok {
		t.Errorf("%q, %t", name, ok)
	}
	if name, ok := egrid.RegionName(egrid.BA, "CISO"); name != "" || ok {
		t.Errorf("%q, %t", name, ok)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	columns := []string{"state", "plant_name", "net_generation_mwh", "fuel", "fuel_category", "co2_short_tons"}
	for word, want := range map[string]string{
		"stat": "state", "STAET": "state", "palnt_name": "plant_name", "net_generatoin_mwh": "net_generation_mwh", "fuell": "fuel",
		"colour": "", "": "", "x": "", "co2": "co2_short_tons", "net_gen": "net_generation_mwh", "category": "fuel_category", "fule": "fuel", "ful": "fuel", "fuelcategory": "fuel_category",
	} {
		if got := egrid.Nearest(word, columns); got != want {
			t.Errorf("%q: %q; want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{"CAMXX": "CAMX", "CAM": "CAMX", "EXCT": "ERCT", "T": ""} {
		if got := egrid.Nearest(word, []string{"CAMX", "ERCT", "TX"}); got != want {
			t.Errorf("%q: %q; want %q", word, got, want)
		}
	}
}
