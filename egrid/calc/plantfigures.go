package calc

import (
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// PlantFigures computes what a PLNT sheet derives from its own columns, row by row:
// totals of groups of fuels, rates, shares, the non-baseload factor and non-baseload
// generation. A cell is missing where a figure that it needs is, and a ratio where
// what it is over is not above 0, as EPA leaves it. Columns that the batch has
// nothing to compute from are left out.
func PlantFigures(b *egrid.Batch, m Method) *egrid.Batch {
	e := plantEvaluator{program: compile(egrid.PLNT, m), batch: b, columns: map[egrid.Column][]float64{}}
	e.weigh(m)
	var fields []egrid.Field
	var columns [][]float64
	for _, f := range egrid.Fields(egrid.PLNT) {
		if x := e.derive(&f, m); x != nil {
			fields, columns = append(fields, f), append(columns, x)
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the dictionary has each column once
	}
	to := egrid.NewBuilder(schema, b.Year())
	for i := range b.Len() {
		for at, x := range columns {
			if !math.IsNaN(x[i]) {
				to.Number(at, x[i])
			}
		}
		to.EndRow(b.Number(i), b.Line(i))
	}
	return to.Batch()
}

// ofPlant is what EPA divides a plant's emissions by, where it divides a region's by
// a column: a plant's total heat input, and a region's from combustion.
func ofPlant(below egrid.Column) egrid.Column {
	if strings.HasPrefix(string(below), "heat_input") {
		return "total_" + below
	}
	return below
}

// plantEvaluator computes columns of plants from columns.
type plantEvaluator struct {
	program *program
	batch   *egrid.Batch
	columns map[egrid.Column][]float64 // NaN for missing cells; nil for columns that there are not
	weights []float64                  // NaN for plants without a non-baseload factor; nil where nothing tells
}

func (e *plantEvaluator) weigh(m Method) {
	one := &Plants{n: e.batch.Len()}
	fuels := one.texts([]*egrid.Batch{e.batch}, egrid.Fuel)
	for _, fuel := range fuels {
		one.baseload = append(one.baseload, slices.Contains(baseload, fuel))
	}
	one.factors = factors{
		capacity: e.column(egrid.CapacityFactor), nameplate: e.column(egrid.NameplateCapacity), generation: e.column(egrid.NetGeneration),
	}
	if one.weights(m) == nil {
		return
	}
	e.weights = make([]float64, one.n)
	five, counted := m.is(NonbaseloadFactor, "five_places"), m.is(NonbaseloadNegative, "counted")
	for i := range e.weights {
		e.weights[i] = one.weight(i, five, counted)
	}
}

// column is a column of the batch, or the sum of the fuels that a total is of.
func (e *plantEvaluator) column(c egrid.Column) []float64 {
	if x, known := e.columns[c]; known {
		return x
	}
	var x []float64
	if at := e.batch.Schema().Index(c); at >= 0 {
		x = e.batch.Column(at).Floats(nil)
	} else {
		x = e.total(e.program.group(c))
	}
	e.columns[c] = x
	return x
}

func (e *plantEvaluator) total(fuels []egrid.Column) []float64 {
	var sum []float64
	for _, fuel := range fuels {
		x := e.column(fuel)
		if x == nil {
			return nil
		}
		if sum == nil {
			sum = slices.Clone(x)
			continue
		}
		for i := range sum {
			sum[i] += x[i]
		}
	}
	return sum
}

// derive computes a field; nil for one that is no figure, or that lacks a column.
func (e *plantEvaluator) derive(f *egrid.Field, m Method) []float64 {
	switch {
	case f.Column == egrid.NonbaseloadFactor:
		return e.weights
	case f.Rule.Weight == egrid.NonbaseloadFactor && len(f.Rule.Denominator) == 0:
		return e.product(1, e.weights, e.column(f.Rule.Numerator[0]))
	case len(f.Rule.Denominator) == 0:
		return e.total(e.program.group(f.Column))
	}
	above := e.product(f.Rule.Factor, e.each(f.Rule.Numerator)...)
	var below [][]float64
	for _, c := range f.Rule.Denominator {
		below = append(below, e.column(ofPlant(c)))
	}
	whole := e.product(1, below...)
	if above == nil || whole == nil {
		return nil
	}
	clip := shareOf(f.Column) == fuelShare && !m.is(Shares, "of_net_generation")
	for i := range above {
		if slices.ContainsFunc(below, func(x []float64) bool { return !(x[i] > 0) }) {
			above[i] = math.NaN()
			continue
		}
		if above[i] /= whole[i]; clip {
			above[i] = math.Max(above[i], 0)
		}
	}
	return above
}

func (e *plantEvaluator) each(columns []egrid.Column) (all [][]float64) {
	for _, c := range columns {
		all = append(all, e.column(c))
	}
	return all
}

// product multiplies columns; nil where one of them is.
func (e *plantEvaluator) product(factor float64, columns ...[]float64) []float64 {
	for _, x := range columns {
		if x == nil {
			return nil
		}
	}
	product := make([]float64, e.batch.Len())
	for i := range product {
		product[i] = factor
		for _, x := range columns {
			product[i] *= x[i]
		}
	}
	return product
}
