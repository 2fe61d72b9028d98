package calc

import (
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// rough is the columns of plants that were rounded for display, each with half a
// unit of its last place.
type rough map[egrid.Column]float64

// add takes the columns that a batch or its snapshot marks, and those that had other
// units in the file.
func (r rough) add(b *egrid.Batch, of egrid.Snapshot) {
	lossy := append(b.Lossy(), of.Lossy...)
	for at, f := range b.Schema().Fields() {
		c := f.Column
		other := of.Units == metricUnits && metricFactors[f.Unit] != 0
		if f.Type != egrid.Number || !other && !slices.Contains(lossy, c) {
			continue
		}
		v := b.Column(at)
		places := 0
		for i := range b.Len() {
			if x, ok := v.Float(i); ok {
				places = max(places, decimals(x))
			}
		}
		half := float64(0.5 * math.Pow10(-places))
		if other {
			half += half / metricFactors[f.Unit]
		}
		if before, ok := r[c]; ok {
			half = min(half, before)
		}
		r[c] = half
	}
}

// of is half a unit of a column, or of the fuels that it is the sum of.
func (r rough) of(c egrid.Column) float64 {
	if half, ok := r[c]; ok || !slices.Contains(groupTotals(), c) {
		return half
	}
	sum := 0.0
	for _, fuel := range fuelColumns() {
		sum += r[fuel]
	}
	return sum
}

// groupTotals are the columns of generation by several fuels.
func groupTotals() []egrid.Column {
	return []egrid.Column{
		"nonrenewable_net_generation_mwh", "renewable_net_generation_mwh", "nonhydro_renewable_net_generation_mwh",
		"combustion_net_generation_mwh", "noncombustion_net_generation_mwh",
	}
}

// loosen allows for rounded plants: half a unit for each. Figures of some fuels or
// of non-baseload plants do not tell how many plants that is, and are left out.
func (r rough) loosen(part *partition, cells []Cell) []Cell {
	if len(r) == 0 {
		return cells
	}
	plants := map[string]float64{}
	for _, at := range part.of {
		if at >= 0 {
			plants[part.codes[at]]++
		}
	}
	sums := map[place]float64{}
	for i := range cells {
		sums[placeOf(&cells[i])] = cells[i].Recomputed
	}
	kept := cells[:0]
	for i := range cells {
		c := cells[i]
		half := func(column egrid.Column) float64 { return plants[c.Code] * r.of(column) }
		sum := func(column egrid.Column) float64 {
			at := placeOf(&c)
			at.column = column
			return sums[at]
		}
		if r.loosenOne(&c, half, sum) {
			kept = append(kept, c)
		}
	}
	return kept
}

// loosenOne reports whether it is known what rounding did.
func (r rough) loosenOne(c *Cell, half, sum func(egrid.Column) float64) bool {
	f, _ := egrid.Lookup(c.Level, string(c.Column))
	inputs := slices.Concat(f.Rule.Numerator, f.Rule.Denominator)
	if len(inputs) == 0 {
		inputs = append(inputs, f.Column)
	}
	some := len(f.Rule.Categories) > 0
	if f.Rule.Weight != "" {
		some = true
		inputs = append(inputs, egrid.NetGeneration, egrid.NameplateCapacity, egrid.CapacityFactor)
	}
	for _, column := range inputs {
		switch h := half(column); {
		case h == 0:
		case some:
			return false
		case len(f.Rule.Denominator) == 0:
			c.Tolerance += h
		default:
			c.Tolerance += float64(math.Abs(c.Recomputed) * relative(h, sum(column)))
		}
	}
	if f.Unit == "fraction" {
		for _, fuel := range fuelColumns() {
			c.Tolerance += relative(half(fuel), sum(egrid.NetGeneration))
		}
	}
	return true
}

const metricUnits = "metric"

// metricFactors are what EPA multiplies figures by for its metric workbooks, by the
// unit that they have here: they have four figures.
var metricFactors = map[string]float64{"short tons": 0.9072, "lb": 0.4536, "MMBtu": 1.0551, "lb/MWh": 0.4536, "lb/MMBtu": 0.4299}

// converted is what rounding in other units adds to the tolerance of a figure: it was
// rounded there, and once more after the way back. A rate per heat may have been
// computed from converted figures, and not converted: by 0.4536/1.0551.
func converted(f egrid.Field, x, tolerance float64) float64 {
	factor := metricFactors[f.Unit]
	if factor == 0 {
		return 0
	}
	more := tolerance / factor
	if f.Unit == "lb/MMBtu" {
		more += float64(3e-5 * math.Abs(x))
	}
	return more
}
