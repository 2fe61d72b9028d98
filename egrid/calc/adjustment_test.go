package calc_test

import (
	"encoding/csv"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// csvPlants are the cells of a sheet as it was written, by EPA's codes.
type csvPlants struct {
	codes []string
	rows  [][]string
}

func (p *csvPlants) number(row []string, code string) float64 {
	x, err := strconv.ParseFloat(row[slices.Index(p.codes, code)], 64)
	if err != nil {
		return 0 // blank
	}
	return x
}

// rate adds columns up over the plants of a region and divides: with nothing of this
// module between the file and the figure.
func (p *csvPlants) rate(region, code string, weight string, above, below map[string]float64) float64 {
	sum := func(of map[string]float64) (sum float64) {
		for _, row := range p.rows {
			if region != "" && row[slices.Index(p.codes, region)] != code {
				continue
			}
			w := 1.0
			if weight != "" {
				w = p.number(row, weight)
			}
			for c, times := range of {
				sum += times * p.number(row, c) * w
			}
		}
		return sum
	}
	return sum(above) / sum(below)
}

// Factors of every adjustment are what the columns of the file give, added up by
// themselves, and their formulas evaluate to them.
func TestAdjustedFactors(t *testing.T) {
	t.Parallel()
	made := egridtest.NewSample(&egridtest.SampleOptions{Plants: 600, Seed: 12})
	s := sample{egrid.PLNT: sheetText(t, made, egrid.PLNT), egrid.SRL: sheetText(t, made, egrid.SRL), egrid.US: sheetText(t, made, egrid.US), egrid.ST: sheetText(t, made, egrid.ST)}
	db := store.New(s.db(t, "rev2", egrid.PLNT, egrid.SRL, egrid.US, egrid.ST))
	rows, err := csv.NewReader(strings.NewReader(s[egrid.PLNT])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	file := &csvPlants{rows[1], rows[2:]}
	gases := map[calc.Gas]struct {
		code  string
		times float64
	}{calc.CO2e: {"CO2E", 2000}, calc.CO2: {"CO2", 2000}, calc.CH4: {"CH4", 1}, calc.N2O: {"N2O", 1}, calc.NOx: {"NOX", 2000}, calc.SO2: {"SO2", 2000}}
	kept, differ := calc.NewAnswers(nil), 0
	for _, place := range []struct {
		level        egrid.Level
		column, code string
	}{{egrid.US, "", ""}, {egrid.SRL, "SUBRGN", "SRSO"}, {egrid.ST, "PSTATABB", "LA"}, {egrid.BA, "BACODE", "PJM"}} {
		for gas, of := range gases {
			published, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.US, Gas: gas})
			if err != nil {
				t.Fatal(err)
			}
			for _, adjustment := range calc.Adjustments()[1:] {
				above := map[string]float64{"UN" + of.code: of.times}
				heat := map[string]float64{"UNHTI": 1}
				switch adjustment {
				case calc.BiomassAdjusted:
					above["BIO"+of.code] = -of.times
				case calc.CHPAdjusted:
					above["CHP"+of.code], heat["CHPCHTI"] = -of.times, -1
				}
				for kind, per := range map[calc.Kind]struct {
					weight string
					below  map[string]float64
				}{
					calc.Output: {"", map[string]float64{"PLNGENAN": 1}}, calc.Nonbaseload: {"NBFACTOR", map[string]float64{"PLNGENAN": 1}},
					calc.Combustion: {"", map[string]float64{"PLGENACY": 1}}, calc.HeatInput: {"", heat},
				} {
					q := calc.FactorQuery{Level: place.level, Code: place.code, Gas: gas, Kind: kind, Adjustment: adjustment, Explain: true}
					f, err := kept.Factor(t.Context(), db, q)
					want := file.rate(place.column, place.code, per.weight, above, per.below)
					if err != nil {
						t.Errorf("%+v: %v", q, err)
						continue
					}
					if math.Abs(f.Value-want) > 1e-9*math.Abs(want) || independent(t, f.Formula, f.Inputs) != f.Value {
						t.Errorf("%+v: %v by %s; the file gives %v", q, f.Value, f.Formula, want)
					}
					if f.Basis != egrid.PLNT || !f.Published.IsMissing() || len(f.Plants) == 0 || f.Query.Adjustment != adjustment {
						t.Errorf("%+v: %+v", q, f)
					}
					if place.level == egrid.US && kind == calc.Output && math.Abs(f.Value-published.Value) > 1e-6*published.Value {
						differ++
					}
				}
			}
		}
	}
	if differ < 10 {
		t.Errorf("only %d factors of the US differ from the published ones", differ)
	}
	f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.SRL, Code: "SRSO", Gas: calc.CO2, Adjustment: "Unadjusted"})
	if err != nil || f.Name != "SERC South" || !strings.Contains(f.Citation(), "CO2 unadjusted output emission rate") {
		t.Errorf("%s, %s, %v", f.Name, f.Citation(), err)
	}
	if f.Formula != "2000 * unadjusted_co2_short_tons / net_generation_mwh" {
		t.Errorf("the formula is %s", f.Formula)
	}
}

// With a GWP the gases are weighed anew, adjusted each.
func TestAdjustedGWP(t *testing.T) {
	t.Parallel()
	db := store.New(newSample(t).db(t, "rev2", egrid.PLNT))
	f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.US, GWP: "ar4", Adjustment: calc.BiomassAdjusted})
	const want = "(2000 * unadjusted_co2_short_tons - 2000 * biomass_co2_short_tons + 25 * unadjusted_ch4_lb - 25 * biomass_ch4_lb + 298 * unadjusted_n2o_lb - 298 * biomass_n2o_lb) / net_generation_mwh"
	if err != nil || f.Formula != want {
		t.Errorf("%s, %v", f.Formula, err)
	}
}

// What lacks the columns says which, and which editions have them.
func TestAdjustedRefused(t *testing.T) {
	t.Parallel()
	regions := store.New(newSample(t).db(t, "rev2", egrid.SRL))
	for name, test := range map[string]struct {
		db   *store.DB
		q    calc.FactorQuery
		is   error
		want []string
	}{
		"columns": {written(t, map[string]string{"PLNT23.csv": fewPlants}), calc.FactorQuery{Level: egrid.US, Gas: calc.CO2, Adjustment: calc.CHPAdjusted}, egrid.ErrNotFound,
			[]string{"adjustment chp", "PLNT sheet of eGRID 2023", "unadjusted_co2_short_tons (UNCO2; in editions of 2021, 2023)", "chp_adjustment_co2_short_tons (CHPCO2; in editions of"}},
		"no plants": {regions, calc.FactorQuery{Level: egrid.SRL, Code: "CAMX", Adjustment: calc.Unadjusted}, egrid.ErrNotFound, []string{"PLNT", "adjustment unadjusted are summed from plants"}},
		"unknown":   {regions, calc.FactorQuery{Level: egrid.US, Adjustment: "chip"}, egrid.ErrInvalid, []string{`adjustment "chip" is none of published, unadjusted, biomass, chp`}},
	} {
		_, err := calc.FactorOf(t.Context(), test.db, test.q)
		if !errors.Is(err, test.is) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
	}
}
