package egridtest

import (
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// measureColumns names the measures, in their order.
var measureColumns = [measures]egrid.Column{
	egrid.NameplateCapacity,
	egrid.HeatInput, "heat_input_ozone_season_mmbtu", egrid.TotalHeatInput, "total_heat_input_ozone_season_mmbtu",
	egrid.NetGeneration, egrid.OzoneSeasonGeneration,
	egrid.NOx, "nox_ozone_season_short_tons", egrid.SO2, egrid.CO2, egrid.CH4, egrid.N2O, egrid.CO2e,
	"coal_net_generation_mwh", "oil_net_generation_mwh", "gas_net_generation_mwh", "nuclear_net_generation_mwh",
	"hydro_net_generation_mwh", "biomass_net_generation_mwh", "wind_net_generation_mwh", "solar_net_generation_mwh",
	"geothermal_net_generation_mwh", "other_fossil_net_generation_mwh", "other_unknown_net_generation_mwh",
	"nonrenewable_net_generation_mwh", "renewable_net_generation_mwh", "nonrenewable_other_net_generation_mwh",
	"nonhydro_renewable_net_generation_mwh", "combustion_net_generation_mwh", "noncombustion_net_generation_mwh",
	"noncombustion_other_net_generation_mwh",
}

// mercury has been reported nowhere since 2007, so its sums are marked missing.
const mercury egrid.Column = "hg_lb"

// measureOf finds a measure by its column, -1 for other columns.
func measureOf(c egrid.Column) int { return slices.Index(measureColumns[:], c) }

// term is one sum over plants.
type term struct {
	measure  int
	weighted bool   // by the non-baseload factor
	only     uint32 // fuel categories, one bit each; 0 for all plants
}

// formula is a dictionary rule over terms.
type formula struct {
	factor       float64
	above, below []int // terms; a sum has one above and none below
	digits       int   // that a ratio is rounded to
	share        bool  // of a fuel: EPA publishes a negative one as 0
}

// ledger is the formulas of a level's columns, by column, and the terms that
// they need.
type ledger struct {
	terms    []term
	formulas map[egrid.Column]formula
	regions  bool // EPA's regions have ratios over negative sums, too; its plants have none
}

// newLedger compiles the rules of the dictionary. It panics when a rule names
// a column that no plant has, which only a wrong dictionary can do.
func newLedger(level egrid.Level) *ledger {
	l := &ledger{formulas: map[egrid.Column]formula{}, regions: level != egrid.PLNT}
	for _, f := range egrid.Fields(level) {
		if f.Rule.IsZero() || f.Column == mercury {
			continue
		}
		r := f.Rule
		if len(r.Denominator) == 0 {
			l.formulas[f.Column] = formula{above: []int{l.sum(&f)}}
			continue
		}
		g := formula{factor: r.Factor, digits: 3, share: isFuelShare(f.Column)}
		if len(r.Categories) > 0 && (strings.Contains(string(f.Column), "_ch4_") || strings.Contains(string(f.Column), "_n2o_")) {
			g.digits = 4
		}
		for _, c := range r.Numerator {
			g.above = append(g.above, l.resolve(level, c, &r))
		}
		for _, c := range r.Denominator {
			g.below = append(g.below, l.resolve(level, c, &r))
		}
		l.formulas[f.Column] = g
	}
	return l
}

// isFuelShare reports whether a column is the share of one fuel, and not of several.
func isFuelShare(c egrid.Column) bool { return slices.Contains(egrid.FuelShares(), c) }

// sum returns the term of a column whose rule is a sum.
func (l *ledger) sum(f *egrid.Field) int {
	c := f.Column
	if len(f.Rule.Numerator) > 0 {
		c = f.Rule.Numerator[0]
	}
	return l.term(c, &f.Rule)
}

// resolve returns the term of a column in a ratio: a measure of plants, or
// another column of the region that is a sum.
func (l *ledger) resolve(level egrid.Level, c egrid.Column, r *egrid.Rule) int {
	if f, ok := egrid.Lookup(level, string(c)); ok && measureOf(c) < 0 && !f.Rule.IsZero() {
		return l.sum(&f)
	}
	return l.term(c, r)
}

func (l *ledger) term(c egrid.Column, r *egrid.Rule) int {
	t := term{measure: measureOf(c), weighted: r.Weight != ""}
	if t.measure < 0 || t.weighted && r.Weight != egrid.NonbaseloadFactor {
		panic("egridtest: the rule " + r.String() + " needs what no plant has: " + string(c))
	}
	for _, name := range r.Categories {
		t.only |= categoryBit(name)
	}
	if i := slices.Index(l.terms, t); i >= 0 {
		return i
	}
	l.terms = append(l.terms, t)
	return len(l.terms) - 1
}

func categoryBit(name string) uint32 { return 1 << slices.Index(egrid.FuelCategories(), name) }

// account holds the sums of a ledger's terms.
type account struct {
	whole    []milli   // unweighted ones, exact
	weighted []float64 // thousandths
}

func (l *ledger) open() *account {
	return &account{whole: make([]milli, len(l.terms)), weighted: make([]float64, len(l.terms))}
}

// reset forgets what was added.
func (a *account) reset() {
	clear(a.whole)
	clear(a.weighted)
}

// add adds a plant, whose category's bit is given.
func (l *ledger) add(a *account, p *plant, bit uint32) {
	weight := float64(p.weight) / (3 * million)
	for i := range l.terms {
		t := &l.terms[i]
		switch v := p.measure[t.measure]; {
		case t.only != 0 && t.only&bit == 0:
		case !t.weighted:
			a.whole[i] += v
		case p.hasWeight:
			a.weighted[i] += float64(float64(v) * weight)
		}
	}
}

// value is a term's sum in thousandths.
func (l *ledger) value(a *account, i int) float64 {
	if l.terms[i].weighted {
		return a.weighted[i]
	}
	return float64(a.whole[i])
}

// append writes a formula's value; nothing for a ratio over nothing.
func (l *ledger) append(b []byte, f *formula, a *account) []byte {
	if len(f.below) == 0 {
		if i := f.above[0]; !l.terms[i].weighted {
			return appendScaled(b, a.whole[i], 3)
		}
		return appendScaled(b, rounded(l.value(a, f.above[0])), 3)
	}
	above, below := f.factor, 1.0
	for i := range f.above {
		above *= l.value(a, f.above[i])
	}
	for i := range f.below {
		below *= l.value(a, f.below[i])
	}
	if below == 0 || !l.regions && (l.value(a, f.below[0]) <= 0 || below <= 0) {
		return b
	}
	x := above / below
	if f.share {
		x = max(x, 0)
	}
	return appendScaled(b, rounded(x*float64(powers[f.digits])), f.digits)
}
