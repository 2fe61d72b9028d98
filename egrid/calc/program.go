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
	above, below []int // terms
	share        shareKind
	digits       int // decimals that EPA publishes a rate with; -1: as they come
}

type shareKind uint8

const (
	noShare          shareKind = iota
	fuelShare                  // of one fuel
	groupShare                 // of several
	nonbaseloadShare           // of one fuel in the non-baseload generation
)

// program is what a level's columns follow from.
type program struct {
	level   egrid.Level
	method  Method
	terms   []term
	parts   [][]int // of each term that is a total of fuels: their terms
	figures []figure
	fuels   []int // terms of net generation by fuel
}

// compile reads the rules of the dictionary under a method.
func compile(level egrid.Level, m Method) *program {
	p := &program{level: level, method: m}
	for _, c := range fuelColumns() {
		p.fuels = append(p.fuels, p.term(term{column: c}))
	}
	for _, f := range egrid.Fields(level) {
		if !f.Rule.IsZero() {
			p.figures = append(p.figures, p.figure(f))
		}
	}
	p.link()
	return p
}

// tally is a program of sums over plants, in full or by the non-baseload factor,
// and of no figures. It returns the terms of the columns.
func tally(m Method, weighted bool, columns []egrid.Column) (p *program, terms []int) {
	p = &program{level: egrid.US, method: m}
	for _, c := range columns {
		terms = append(terms, p.term(term{column: c, weighted: weighted}))
	}
	p.link()
	return p, terms
}

// link finds the parts of totals, and makes terms of those that are none yet.
func (p *program) link() {
	for i := 0; i < len(p.terms); i++ {
		var parts []int
		if t := p.terms[i]; !t.weighted && t.only == 0 {
			for _, c := range p.group(t.column) {
				parts = append(parts, p.term(term{column: c}))
			}
		}
		p.parts = append(p.parts, parts)
	}
}

func (p *program) term(t term) int {
	if i := slices.Index(p.terms, t); i >= 0 {
		return i
	}
	p.terms = append(p.terms, t)
	return len(p.terms) - 1
}

var fossil = []string{"COAL", "OIL", "GAS"}

const (
	otherFuels = "OTHF"
	nobody     = 1 << 15   // a category that no plant has
	everybody  = 1<<15 - 1 // all categories, and plants of none
)

func (p *program) figure(f egrid.Field) figure {
	g := figure{field: f, factor: f.Rule.Factor, digits: -1}
	rule := f.Rule
	if slices.Equal(rule.Categories, fossil) && p.method.is(FossilRates, "with_other_fossil") {
		rule.Categories = append(slices.Clone(fossil), "OFSL")
	}
	if len(rule.Denominator) == 0 {
		g.above = []int{p.term(p.sum(f))}
		return g
	}
	for _, c := range rule.Numerator {
		g.above = append(g.above, p.term(p.resolve(c, rule)))
	}
	if f.Unit == "fraction" {
		g.share = shareOf(f.Column)
	} else {
		g.digits = p.method.Decimals(f)
	}
	for _, c := range rule.Denominator {
		t := p.resolve(c, rule)
		if g.share == nonbaseloadShare && p.method.is(NonbaseloadOther, "left_out") {
			t.only = everybody &^ bit(otherFuels)
		}
		g.below = append(g.below, p.term(t))
	}
	return g
}

// sum is the term of a column whose rule is a sum.
func (p *program) sum(f egrid.Field) term {
	c := f.Column
	if len(f.Rule.Numerator) > 0 {
		c = f.Rule.Numerator[0]
	}
	t := newTerm(c, f.Rule)
	if t.weighted && t.only == bit(otherFuels) && p.method.is(NonbaseloadOther, "left_out") {
		t.only = nobody
	}
	return t
}

// resolve finds what a ratio's column is a sum of: a measure of plants, or
// another column of the region whose rule is a weighted sum.
func (p *program) resolve(c egrid.Column, of egrid.Rule) term {
	if f, ok := egrid.Lookup(p.level, string(c)); ok && len(f.Rule.Numerator) > 0 && len(f.Rule.Denominator) == 0 {
		return p.sum(f)
	}
	return newTerm(c, of)
}

func newTerm(c egrid.Column, r egrid.Rule) term {
	t := term{column: c, weighted: r.Weight != ""}
	for _, name := range r.Categories {
		t.only |= bit(name)
	}
	return t
}

func bit(category string) uint16 {
	if i := slices.Index(egrid.FuelCategories(), category); i >= 0 {
		return 1 << i
	}
	return 0
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

func shareOf(c egrid.Column) shareKind {
	switch {
	case strings.HasPrefix(string(c), "nonbaseload_"):
		return nonbaseloadShare
	case slices.Contains(egrid.FuelShares(), c):
		return fuelShare
	}
	return groupShare
}

// Decimals is the number of decimals that a rate is published with.
func (m Method) Decimals(f egrid.Field) int {
	trace := strings.Contains(string(f.Column), "ch4_") || strings.Contains(string(f.Column), "n2o_")
	if trace && len(f.Rule.Categories) > 0 && m.is(FuelRateDigits, "four") {
		return 4
	}
	return 3
}

// complete fills in totals of fuels where the data have the fuels and not the
// total. Sums hold one figure for each term of the program, NaN where the data
// have none.
func (p *program) complete(sums []float64) {
	for i, parts := range p.parts {
		if parts != nil && math.IsNaN(sums[i]) {
			sums[i] = total(sums, parts)
		}
	}
}

func total(sums []float64, parts []int) float64 {
	sum := 0.0
	for _, i := range parts {
		sum += sums[i]
	}
	return sum
}

// value computes a figure of complete sums; NaN when they lack what it needs. A
// ratio over nothing is 0, as EPA publishes it.
func (p *program) value(g *figure, sums []float64) float64 {
	above, below := g.factor, 1.0
	for _, i := range g.above {
		above *= sums[i]
	}
	if len(g.below) == 0 {
		return above
	}
	for _, i := range g.below {
		below *= sums[i]
	}
	below = p.whole(g, below, sums)
	if math.IsNaN(above) || math.IsNaN(below) {
		return math.NaN()
	}
	if below == 0 {
		return 0
	}
	x := above / below
	if g.share == fuelShare && !p.method.is(Shares, "of_net_generation") {
		x = math.Max(x, 0)
	}
	return x
}

const (
	hydro         egrid.Column = "hydro_net_generation_mwh"
	nonhydroShare egrid.Column = "nonhydro_renewable_generation_share"
)

// whole is what a figure is over: for shares of generation, what the method takes
// for all of it.
func (p *program) whole(g *figure, generation float64, sums []float64) float64 {
	if !p.ofFuels(g) {
		return generation
	}
	sum := 0.0
	for _, i := range p.fuels {
		if p.counts(i, sums) {
			sum += sums[i]
		}
	}
	return sum
}

// ofFuels reports whether a share is of the sum of the positive fuels.
func (p *program) ofFuels(g *figure) bool {
	switch {
	case g.share != fuelShare && g.share != groupShare:
		return false
	case p.method.is(Shares, "groups_of_net_generation"):
		return g.share == fuelShare || g.field.Column == nonhydroShare
	}
	return p.method.is(Shares, "of_positive_fuels")
}

// counts reports whether a fuel is part of that sum.
func (p *program) counts(fuel int, sums []float64) bool {
	return !(sums[fuel] < 0) || p.level == egrid.SRL && p.terms[fuel].column != hydro
}

// fuelColumns are the columns of net generation by fuel.
func fuelColumns() []egrid.Column { return perFuel("", "_net_generation_mwh") }

// nonbaseloadParts are the columns of non-baseload generation by fuel.
func nonbaseloadParts() []egrid.Column { return perFuel("nonbaseload_", "_generation_mwh") }

func perFuel(before, behind string) []egrid.Column {
	columns := egrid.FuelShares()
	for i, share := range columns {
		fuel, _ := strings.CutSuffix(string(share), "_generation_share")
		columns[i] = egrid.Column(before + fuel + behind)
	}
	return columns
}

// group returns the fuels that a total is the sum of; nil for other columns.
func (p *program) group(total egrid.Column) []egrid.Column {
	name, ok := strings.CutSuffix(string(total), "_net_generation_mwh")
	if !ok {
		return nil
	}
	fuels := ""
	switch name {
	case "nonrenewable":
		fuels = "coal oil gas other_fossil nuclear"
	case "renewable":
		fuels = "biomass wind solar geothermal hydro"
	case "nonhydro_renewable":
		fuels = "biomass wind solar geothermal"
	case "combustion":
		fuels = "coal oil gas other_fossil biomass"
	case "noncombustion":
		fuels = "nuclear wind solar geothermal hydro"
	case "nonrenewable_other", "noncombustion_other":
		fuels = "other_unknown"
	}
	if (name == "nonrenewable" || name == "combustion") && p.method.is(OtherUnknown, "nonrenewable") {
		fuels += " other_unknown"
	}
	var columns []egrid.Column
	for fuel := range strings.FieldsSeq(fuels) {
		columns = append(columns, egrid.Column(fuel+"_net_generation_mwh"))
	}
	return columns
}
