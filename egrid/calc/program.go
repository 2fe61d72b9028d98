package calc

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// term is one sum over plants: of a column, of some fuel categories, weighted by
// the non-baseload factor or not.
type term struct {
	column   egrid.Column
	weighted bool
	only     uint16 // fuel categories, one bit each in the order of egrid.FuelCategories; 0: all plants
}

// figure is one column of a region, as a ratio of products of terms. A sum has
// one term above and none below.
type figure struct {
	field        egrid.Field
	factor       float64
	above, below []term
	share        shareKind
	digits       int // decimals that EPA publishes a rate or share with; -1: as they come
}

type shareKind uint8

const (
	noShare    shareKind = iota
	fuelShare            // of one fuel
	groupShare           // of several
	nonbaseloadShare
)

// program is what a level's columns follow from.
type program struct {
	level   egrid.Level
	method  Method
	figures []figure
	index   map[egrid.Column]int
}

// compile reads the rules of the dictionary under a method.
func compile(level egrid.Level, m Method) *program {
	p := &program{level: level, method: m, index: map[egrid.Column]int{}}
	for _, f := range egrid.Fields(level) {
		if f.Rule.IsZero() {
			continue
		}
		p.index[f.Column] = len(p.figures)
		p.figures = append(p.figures, newFigure(f, m))
	}
	return p
}

func newFigure(f egrid.Field, m Method) figure {
	g := figure{field: f, factor: f.Rule.Factor, digits: -1}
	rule := f.Rule
	if slices.Equal(rule.Categories, fossil) && m.is(FossilRates, "with_other_fossil") {
		rule.Categories = append(slices.Clone(fossil), "OFSL")
	}
	if len(rule.Denominator) == 0 {
		column := f.Column
		if len(rule.Numerator) > 0 {
			column = rule.Numerator[0]
		}
		g.above = []term{newTerm(column, &rule)}
		if m.is(NonbaseloadOther, "left_out") && g.above[0].weighted && g.above[0].only == bit(otherFuels) {
			g.above[0].only = nobody
		}
		return g
	}
	for _, c := range rule.Numerator {
		g.above = append(g.above, resolve(f.Level, c, &rule, m))
	}
	for _, c := range rule.Denominator {
		g.below = append(g.below, resolve(f.Level, c, &rule, m))
	}
	g.digits = digitsOf(f, m)
	if f.Unit == "fraction" {
		g.share = shareOf(f.Column)
	}
	if g.share == nonbaseloadShare && m.is(NonbaseloadOther, "left_out") {
		g.below[0].only = everybody &^ bit(otherFuels)
	}
	return g
}

var fossil = []string{"COAL", "OIL", "GAS"}

const (
	otherFuels = "OTHF"
	nobody     = 1 << 15 // a category that no plant has
	everybody  = 1<<15 - 1
)

func shareOf(c egrid.Column) shareKind {
	switch {
	case strings.HasPrefix(string(c), "nonbaseload_"):
		return nonbaseloadShare
	case slices.Contains(egrid.FuelShares(), c):
		return fuelShare
	}
	return groupShare
}

// digitsOf is the number of decimals of a rate.
func digitsOf(f egrid.Field, m Method) int {
	switch {
	case f.Unit == "fraction":
		return -1
	case len(f.Rule.Categories) > 0 && isTrace(f.Column) && m.is(FuelRateDigits, "four"):
		return 4
	}
	return 3
}

func isTrace(c egrid.Column) bool {
	return strings.Contains(string(c), "ch4_") || strings.Contains(string(c), "n2o_")
}

// resolve finds what a ratio's column is a sum of: a measure of plants, or
// another column of the region whose rule is a weighted sum.
func resolve(level egrid.Level, c egrid.Column, r *egrid.Rule, m Method) term {
	if f, ok := egrid.Lookup(level, string(c)); ok && len(f.Rule.Numerator) > 0 && len(f.Rule.Denominator) == 0 {
		return newFigure(f, m).above[0]
	}
	return newTerm(c, r)
}

func newTerm(c egrid.Column, r *egrid.Rule) term {
	t := term{column: c, weighted: r.Weight != ""}
	for _, name := range r.Categories {
		t.only |= bit(name)
	}
	return t
}

func bit(category string) uint16 {
	i := slices.Index(egrid.FuelCategories(), category)
	if i < 0 {
		return 0
	}
	return 1 << i
}

// categories names the fuel categories of a term; nil for all.
func (t term) categories() []string {
	var names []string
	all := egrid.FuelCategories()
	for rest := t.only; rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros16(rest); i < len(all) {
			names = append(names, all[i])
		}
	}
	return names
}

// sums gives the terms of one region. ok is false for a term that the data at
// hand do not have.
type sums func(t term) (sum float64, ok bool)

// value computes a figure. known is false when the data lack what it needs. A
// ratio over nothing is 0, as EPA publishes it.
func (p *program) value(g *figure, of sums) (value float64, known bool) {
	of = p.derived(of)
	above, below := g.factor, 1.0
	for _, t := range g.above {
		x, ok := of(t)
		if !ok {
			return 0, false
		}
		above *= x
	}
	if len(g.below) == 0 {
		return above, true
	}
	for _, t := range g.below {
		x, ok := of(t)
		if !ok {
			return 0, false
		}
		below *= x
	}
	if g.share == fuelShare || g.share == groupShare {
		if below, known = p.whole(g, below, of); !known {
			return 0, false
		}
	}
	if below == 0 {
		return 0, true
	}
	x := above / below
	if g.share == fuelShare && !p.method.is(Shares, "of_net_generation") {
		x = math.Max(x, 0)
	}
	return x, true
}

// whole is what shares of generation are of.
func (p *program) whole(g *figure, generation float64, of sums) (float64, bool) {
	switch {
	case p.method.is(Shares, "of_positive_fuels"):
	case p.method.is(Shares, "groups_of_net_generation") && (g.share == fuelShare || g.field.Column == nonhydroShare):
	default:
		return generation, true
	}
	sum := 0.0
	for _, c := range fuelColumns() {
		x, ok := of(term{column: c})
		if !ok {
			return 0, false
		}
		if x < 0 && (p.level != egrid.SRL || c == hydro) {
			continue
		}
		sum += x
	}
	return sum, true
}

const (
	hydro         egrid.Column = "hydro_net_generation_mwh"
	nonhydroShare egrid.Column = "nonhydro_renewable_generation_share"
)

// derived adds the totals of groups of fuels, for plants that have the fuels and
// not their totals.
func (p *program) derived(of sums) sums {
	return func(t term) (float64, bool) {
		if x, ok := of(t); ok || t.weighted || t.only != 0 {
			return x, ok
		}
		parts := p.group(t.column)
		if parts == nil {
			return 0, false
		}
		sum := 0.0
		for _, c := range parts {
			x, ok := of(term{column: c})
			if !ok {
				return 0, false
			}
			sum += x
		}
		return sum, true
	}
}

// fuelColumns are the columns of net generation by fuel.
func fuelColumns() []egrid.Column {
	shares := egrid.FuelShares()
	for i, s := range shares {
		shares[i] = generationOf(s)
	}
	return shares
}

// generationOf returns the column of the generation that a share is of.
func generationOf(share egrid.Column) egrid.Column {
	fuel, _ := strings.CutSuffix(string(share), "_generation_share")
	return egrid.Column(fuel + "_net_generation_mwh")
}

// group returns the fuels that a total is the sum of; nil for other columns.
func (p *program) group(total egrid.Column) []egrid.Column {
	name, ok := strings.CutSuffix(string(total), "_net_generation_mwh")
	if !ok {
		return nil
	}
	groups := map[string]string{
		"nonrenewable":        "coal oil gas other_fossil nuclear",
		"renewable":           "biomass wind solar geothermal hydro",
		"nonhydro_renewable":  "biomass wind solar geothermal",
		"nonrenewable_other":  "other_unknown",
		"combustion":          "coal oil gas other_fossil biomass",
		"noncombustion":       "nuclear wind solar geothermal hydro",
		"noncombustion_other": "other_unknown",
	}
	fuels := groups[name]
	if (name == "nonrenewable" || name == "combustion") && p.method.is(OtherUnknown, "nonrenewable") {
		fuels += " other_unknown"
	}
	var columns []egrid.Column
	for fuel := range strings.FieldsSeq(fuels) {
		columns = append(columns, egrid.Column(fuel+"_net_generation_mwh"))
	}
	return columns
}
