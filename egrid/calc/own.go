package calc

import (
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// FromSums computes what a region sheet derives from its own sums: rates, shares,
// totals of groups of fuels and of non-baseload generation. Rows are those of the
// batch, with the region's code first; figures that need plants (rates by fuel,
// non-baseload rates) and those that the sheet does not have are left out.
func FromSums(level egrid.Level, b *egrid.Batch, m Method) *egrid.Batch {
	p := compile(level, m)
	own := newOwn(p, b)
	var known []*figure
	for i := range p.figures {
		if g := &p.figures[i]; b.Schema().Has(g.field.Column) && own.derives(g) {
			known = append(known, g)
		}
	}
	to := newRegionBuilder(level, b.Year(), known)
	column, _ := regionColumn(level)
	for i := range b.Len() {
		sums := own.sums(i)
		to.row(b.Row(i).Text(column), b.Number(i), func(g *figure) float64 { return own.value(g, sums) })
	}
	return to.Batch()
}

const nonbaseloadTotal egrid.Column = "nonbaseload_generation_mwh"

// own finds the terms of a program in the columns of a region's sheet.
type own struct {
	program     *program
	batch       *egrid.Batch
	columns     []int // of each term: its column in the batch, or -1
	nonbaseload []int // columns of non-baseload generation by fuel; nil unless the batch has all
}

func newOwn(p *program, b *egrid.Batch) *own {
	o := &own{program: p, batch: b, columns: make([]int, len(p.terms))}
	schema := b.Schema()
	for i, t := range p.terms {
		o.columns[i] = -1
		if !t.weighted && t.only == 0 {
			o.columns[i] = schema.Index(t.column)
		}
	}
	for i := range p.figures {
		if g := &p.figures[i]; len(g.below) == 0 {
			o.columns[g.above[0]] = schema.Index(g.field.Column)
		}
	}
	for _, c := range nonbaseloadParts() {
		o.nonbaseload = append(o.nonbaseload, schema.Index(c))
	}
	if slices.Contains(o.nonbaseload, -1) {
		o.nonbaseload = nil
	}
	return o
}

// derives reports whether a figure follows from other columns of its sheet.
func (o *own) derives(g *figure) bool {
	if len(g.below) == 0 {
		return o.isTotal(g.above[0]) && o.nonbaseload != nil || o.program.parts[g.above[0]] != nil
	}
	for _, i := range slices.Concat(g.above, g.below) {
		if o.columns[i] < 0 && o.program.parts[i] == nil && (o.nonbaseload == nil || !o.isTotal(i)) {
			return false
		}
	}
	return true
}

// isTotal reports whether a term is the sum of the non-baseload generation by fuel.
// Where plants of other unknown fuels take no part in that, the generation of all
// plants is not.
func (o *own) isTotal(i int) bool {
	t := o.program.terms[i]
	if !t.weighted || t.column != egrid.NetGeneration {
		return false
	}
	return t.only == everybody&^bit(otherFuels) || t.only == 0 && !o.program.method.is(NonbaseloadOther, "left_out")
}

// sums are the sums that a row holds.
func (o *own) sums(row int) []float64 {
	number := func(column int) float64 {
		if x, ok := o.batch.Column(column).Float(row); ok {
			return x
		}
		return math.NaN()
	}
	sums := make([]float64, len(o.columns))
	for i, column := range o.columns {
		switch {
		case o.isTotal(i) && o.nonbaseload != nil:
			for _, part := range o.nonbaseload {
				sums[i] += number(part)
			}
		case column < 0:
			sums[i] = math.NaN()
		default:
			sums[i] = number(column)
		}
	}
	o.program.complete(sums)
	return sums
}

// value computes a figure of a row, a total of fuels from the fuels.
func (o *own) value(g *figure, sums []float64) float64 {
	if parts := o.program.parts[g.above[0]]; parts != nil && len(g.below) == 0 {
		return total(sums, parts)
	}
	return o.program.value(g, sums)
}
