package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

const subregionSheet = "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2EQA,SRCO2RTA\n2023,CAMX,WECC California,1000,250.5,251.5,501\n2023,ERCT,ERCOT All,500,100,101,9999\n"

func TestFactor(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("SRL23.csv", subregionSheet))
	var f wire.Factor
	if err := json.Unmarshal([]byte(s.run(0, "factor", "--subregion", "camx", "--gas", "co2", "--json")), &f); err != nil {
		t.Fatal(err)
	}
	if f.Value != 501 || f.Unit != "lb/MWh" || f.Formula != "2000 * co2_short_tons / net_generation_mwh" || len(f.Notes) != 0 {
		t.Errorf("got %+v", f)
	}
	page := s.run(0, "factor", "--subregion", "ERCT", "--gas", "co2", "--unit", "kg/mwh")
	for _, want := range []string{"181.436948 kg/MWh", "net_generation_mwh = 500 MWh, SRL ERCT", "SRL23.csv", "not what the sums of the sheets"} {
		if !strings.Contains(strings.Join(strings.Fields(page), " "), want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	page = s.run(0, "explain", "srl", "erct", "SRCO2RTA")
	for _, want := range []string{"published: 9999 lb/MWh", "computed: 400 lb/MWh (they differ", "record 2 of the sheet"} {
		if !strings.Contains(strings.Join(strings.Fields(page), " "), want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	s.says(2, "of one place", "factor")
	s.says(1, "did you mean CAMX?", "factor", "--subregion", "CAMXX")
	s.says(1, "there are CAMX, ERCT", "factor", "--subregion", "ZZZZ")
	s.says(2, "SRCO3RTA", "explain", "SRL", "CAMX", "SRCO3RTA")
}

// With EPA's region sheets of 2023 the command answers what EPA published.
func TestRealFactor(t *testing.T) {
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	s := newShell(t)
	for _, name := range []string{"US23-rev0.csv", "GGL23-rev0.csv"} {
		s.report(0, filepath.Join(folder, "2023", name))
	}
	if page := s.run(0, "factor", "--us", "--unit", "lb/MWh"); !strings.HasPrefix(page, "775.218") {
		t.Errorf("got %s", page)
	}
	if page := s.run(0, "factor", "--us", "--delivered"); !strings.Contains(page, "GGL U.S.") {
		t.Errorf("got %s", page)
	}
}

func TestInventory(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("SRL23.csv", subregionSheet))
	sites := s.file("sites.csv", "site,subregion,kwh\nA,CAMX,1000\nB,XXXX,5\n")
	if text := s.run(3, "inventory", sites, "--gwp", "published"); !strings.HasPrefix(text, "site,subregion,kwh,electricity_mwh,") || !strings.Contains(text, "no eGRID subregion XXXX ") {
		t.Errorf("got %s", text)
	}
	s.report(0, s.file("ST23.csv", "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2EQA,STCO2RTA\n2023,TX,1000,250.5,251.5,501\n"))
	if text := s.run(0, "inventory", s.file("states.csv", "state,kwh\ntexas,1000\n tx,1000\n")); strings.Contains(text, "no state") {
		t.Errorf("a state by its name: %s", text)
	}
	s.says(2, "where the sites are", "inventory", s.file("none.csv", "kwh\n5\n"))
	s.says(2, "ar6", "inventory", sites, "--gwp", "ar7")
	file := filepath.Join(t.TempDir(), "emissions.xlsx")
	if text := s.run(3, "inventory", sites, "--output", file); text != "" {
		t.Errorf("%q on standard output", text)
	}
	s.says(2, "2 tables", "inventory", file)
	s.says(1, "no such file", "inventory", "nowhere.csv")
}
