package calc

import (
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// What is checked here holds in every edition: sums of regions, and what rates by
// fuel have to do with masses and with each other.

// sums holds a sheet, that of the US, against the sums of another level's regions. Plants of
// no region are in the US sheet alone: outside is their part of each sum, where the
// plants are known. Where they are not, nameplate capacity may be more in the US,
// because it is what plants have that stand still and are of no region.
func (s *sheet) sums(of *sheet, outside func(egrid.Column) (float64, bool)) []Cell {
	var cells []Cell
	for _, f := range s.rows.Schema().Fields() {
		x, ok := s.number(f.Column, 0)
		if !ok || f.Rule.IsZero() || len(f.Rule.Denominator) > 0 || !of.rows.Schema().Has(f.Column) {
			continue
		}
		var sum compensated
		tolerance := 0.0
		for row := range of.codes {
			v, _ := of.number(f.Column, row)
			sum.add(v)
			tolerance += of.tolerance(f.Column, row)
		}
		c := s.cell(f, 0, of.level, x, sum.total())
		c.Tolerance += tolerance
		if plants, known := outside(f.Column); known {
			c.Recomputed += plants
		} else if f.Column == egrid.NameplateCapacity {
			c.Relation = AtLeast
		}
		cells = append(cells, c)
	}
	return cells
}

// outsideOf returns how much of each sum over all plants is of plants of no region
// of a level.
func outsideOf(us, regions *egrid.Batch) func(egrid.Column) (float64, bool) {
	return func(c egrid.Column) (float64, bool) {
		if us == nil || regions == nil {
			return 0, false
		}
		all, at := us.Schema().Index(c), regions.Schema().Index(c)
		if all < 0 || at < 0 || us.Len() != 1 {
			return 0, false
		}
		rest, _ := us.Column(all).Float(0)
		for i := range regions.Len() {
			x, _ := regions.Column(at).Float(i)
			rest -= x
		}
		return rest, true
	}
}

// fuelRoom is how often the mass that a rate by fuel comes to may be the region's
// whole mass. Rates are of plants of a primary fuel and generation is by the fuel
// that is burned, so it may be more than once: up to 2.8 times in 2018, 2019 and 2023.
const fuelRoom = 10

// fuelRates checks what can be known of rates by fuel without plants. The mass that
// an output rate comes to over the fuel's generation cannot be many times the
// region's mass. And a fuel's output rate over its input rate is its heat per MWh,
// the same for every gas: an input rate follows from that of CO2.
func (s *sheet) fuelRates() []Cell {
	var cells []Cell
	for _, f := range s.rows.Schema().Fields() {
		if len(f.Rule.Categories) == 0 || len(f.Rule.Denominator) != 1 || f.Rule.Weight != "" {
			continue
		}
		for row := range s.codes {
			c, ok := Cell{}, false
			switch f.Rule.Denominator[0] {
			case egrid.NetGeneration:
				c, ok = s.most(f, row)
			case heatInput:
				c, ok = s.byHeat(f, row)
			}
			if ok {
				cells = append(cells, c)
			}
		}
	}
	return cells
}

const heatInput egrid.Column = "heat_input_mmbtu"

// most is the largest output rate by fuel that the region's mass allows.
func (s *sheet) most(f egrid.Field, row int) (Cell, bool) {
	rate, ok := s.number(f.Column, row)
	mass, known := s.number(f.Rule.Numerator[0], row)
	generation := 0.0
	for _, c := range generationColumns(f.Rule.Categories) {
		x, _ := s.number(c, row)
		generation += x
	}
	if !ok || !known || generation < 1 {
		return Cell{}, false
	}
	perMWh := f.Rule.Factor / generation
	c := s.cell(f, row, s.level, rate, fuelRoom*(mass+s.tolerance(f.Rule.Numerator[0], row))*perMWh)
	c.Relation = AtMost
	return c, true
}

// generationColumns are the columns of generation by the fuels of categories. With
// fossil fuels are the other ones, which some editions count.
func generationColumns(categories []string) []egrid.Column {
	var columns []egrid.Column
	for _, category := range categories {
		columns = append(columns, egrid.Column(strings.ToLower(category)+"_net_generation_mwh"))
	}
	if slices.Equal(categories, fossil) {
		columns = append(columns, "other_fossil_net_generation_mwh")
	}
	return columns
}

// byHeat is an input rate by fuel that follows from the output rate and from the
// rates of CO2.
func (s *sheet) byHeat(f egrid.Field, row int) (Cell, bool) {
	fuel, gas, ok := strings.Cut(strings.TrimSuffix(string(f.Column), "_input_rate_lb_per_mmbtu"), "_")
	if !ok || gas == "co2" {
		return Cell{}, false
	}
	output := egrid.Column(fuel + "_" + gas + "_output_rate_lb_per_mwh")
	co2In, co2Out := egrid.Column(fuel+"_co2_input_rate_lb_per_mmbtu"), egrid.Column(fuel+"_co2_output_rate_lb_per_mwh")
	x, published := s.number(f.Column, row)
	out, hasOutput := s.number(output, row)
	in, hasIn := s.number(co2In, row)
	of, hasOf := s.number(co2Out, row)
	if !published || !hasOutput || !hasIn || !hasOf || in <= 0 || of <= 0 {
		return Cell{}, false
	}
	heat := in / of
	y := out * heat
	c := s.cell(f, row, s.level, x, y)
	c.Tolerance += float64(heat*s.tolerance(output, row)) + float64(math.Abs(y)*(relative(s.tolerance(co2In, row), in)+relative(s.tolerance(co2Out, row), of)))
	return c, true
}
