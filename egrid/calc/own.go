package calc

import (
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// FromSums computes what a region sheet derives from its own sums: rates, shares,
// totals of groups of fuels and of non-baseload generation. Rows are those of the
// batch, with the region's code first; figures that need plants (rates by fuel,
// non-baseload rates) and those whose sums the sheet lacks are left out.
func FromSums(level egrid.Level, b *egrid.Batch, m Method) *egrid.Batch {
	p := compile(level, m)
	own := newOwn(p, b.Schema())
	var fields []egrid.Field
	column, named := regionColumn(level)
	if named {
		f, _ := egrid.Lookup(level, string(column))
		fields = append(fields, f)
	}
	var known []*figure
	for i := range p.figures {
		if g := &p.figures[i]; own.derives(g) && b.Schema().Has(g.field.Column) {
			known = append(known, g)
			fields = append(fields, g.field)
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the dictionary has each column once
	}
	to := egrid.NewBuilder(schema, b.Year())
	for i := range b.Len() {
		at := 0
		if named {
			to.Text(0, []byte(b.Row(i).Text(column)))
			at++
		}
		of := own.row(b, i)
		for _, g := range known {
			if x, ok := own.value(g, of); ok {
				to.Number(at, x)
			}
			at++
		}
		to.EndRow(b.Number(i), 0)
	}
	return to.Batch()
}

// own finds the terms of a program in the columns of a region's sheet.
type own struct {
	program *program
	schema  *egrid.Schema
	sums    map[term]egrid.Column
}

func newOwn(p *program, schema *egrid.Schema) *own {
	o := &own{program: p, schema: schema, sums: map[term]egrid.Column{}}
	for i := range p.figures {
		if g := &p.figures[i]; len(g.below) == 0 && schema.Has(g.field.Column) {
			o.sums[g.above[0]] = g.field.Column
		}
	}
	return o
}

const nonbaseloadTotal egrid.Column = "nonbaseload_generation_mwh"

// nonbaseloadParts are the columns of non-baseload generation by fuel.
func nonbaseloadParts() []egrid.Column {
	parts := egrid.FuelShares()
	for i, s := range parts {
		fuel, _ := strings.CutSuffix(string(s), "_generation_share")
		parts[i] = egrid.Column("nonbaseload_" + fuel + "_generation_mwh")
	}
	return parts
}

// derives reports whether a figure follows from other columns of its sheet.
func (o *own) derives(g *figure) bool {
	if len(g.below) == 0 {
		return o.program.parts(g.field.Column) != nil
	}
	for _, t := range append(append([]term(nil), g.above...), g.below...) {
		if !t.weighted && t.only == 0 {
			continue
		}
		if g.share != nonbaseloadShare {
			return false
		}
	}
	return true
}

// parts returns the columns that a total of a region's sheet is the sum of.
func (p *program) parts(total egrid.Column) []egrid.Column {
	if total == nonbaseloadTotal {
		return nonbaseloadParts()
	}
	return p.group(total)
}

// row returns the sums that a row holds.
func (o *own) row(b *egrid.Batch, i int) sums {
	number := func(c egrid.Column) (float64, bool) {
		at := o.schema.Index(c)
		if at < 0 {
			return 0, false
		}
		return b.Column(at).Float(i)
	}
	return func(t term) (float64, bool) {
		if t.weighted && (t.only == 0 || t.only == everybody&^bit(otherFuels)) {
			return addUp(nonbaseloadParts(), number)
		}
		if !t.weighted && t.only == 0 {
			return number(t.column)
		}
		return number(o.sums[t])
	}
}

func addUp(columns []egrid.Column, number func(egrid.Column) (float64, bool)) (float64, bool) {
	sum := 0.0
	for _, c := range columns {
		x, ok := number(c)
		if !ok {
			return 0, false
		}
		sum += x
	}
	return sum, true
}

// value computes a figure of a row.
func (o *own) value(g *figure, of sums) (float64, bool) {
	if len(g.below) > 0 {
		return o.program.value(g, of)
	}
	if g.field.Column == nonbaseloadTotal {
		return of(g.above[0])
	}
	return addUp(o.program.group(g.field.Column), func(c egrid.Column) (float64, bool) { return of(term{column: c}) })
}
