package calc

import (
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Regions computes every region of a level from its plants: one row for each,
// in the order of the codes, with the region's code and every column that the
// plants allow, at full precision and in the dictionary's units. A plant
// without a code belongs to no region, but to the US. Cells that EPA leaves at 0
// because nothing is below the line are 0.
//
// It returns nil when the plants do not name their regions of that level.
func (p *Plants) Regions(level egrid.Level, m Method) *egrid.Batch {
	part := p.regions[level]
	if part == nil {
		return nil
	}
	program := compile(level, m)
	ledger := p.add(part, program, m)
	var known []*figure
	for i := range program.figures {
		if _, ok := program.value(&program.figures[i], ledger.region(0)); ok {
			known = append(known, &program.figures[i])
		}
	}
	var fields []egrid.Field
	column, named := regionColumn(level)
	if named {
		f, _ := egrid.Lookup(level, string(column))
		fields = append(fields, f)
	}
	for _, g := range known {
		fields = append(fields, g.field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the dictionary has each column once
	}
	order := make([]int, len(part.codes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(part.codes[a], part.codes[b]) })
	b := egrid.NewBuilder(schema, 0)
	for at, r := range order {
		i := 0
		if named {
			b.Text(0, []byte(part.codes[r]))
			i++
		}
		of := ledger.region(r)
		for _, g := range known {
			x, _ := program.value(g, of)
			b.Number(i, x)
			i++
		}
		b.EndRow(int64(at+1), 0)
	}
	return b.Batch()
}

// ledger holds the sums of every term, region by region.
type ledger struct {
	terms map[term]int
	sums  [][]float64 // by term and region
}

func (l *ledger) region(r int) sums {
	return func(t term) (float64, bool) {
		i, ok := l.terms[t]
		if !ok {
			return 0, false
		}
		return l.sums[i][r], true
	}
}

// add sums up all terms of a program. A sum over no plants is 0.
func (p *Plants) add(part *partition, program *program, m Method) *ledger {
	l := &ledger{terms: map[term]int{}}
	cells := newCells(p, part)
	weights := p.weights(m)
	kept := map[term][]float64{} // by cell, without categories
	take := func(t term) {
		if _, done := l.terms[t]; done {
			return
		}
		x := p.columns[t.column]
		if x == nil || t.weighted && weights == nil {
			return
		}
		whole := term{column: t.column, weighted: t.weighted}
		if kept[whole] == nil {
			var w []float64
			if t.weighted {
				w = weights
			}
			kept[whole] = cells.sum(x, w)
		}
		l.terms[t] = len(l.sums)
		l.sums = append(l.sums, cells.gather(kept[whole], t.only))
	}
	for _, c := range fuelColumns() {
		take(term{column: c})
	}
	for i := range program.figures {
		for _, t := range slices.Concat(program.figures[i].above, program.figures[i].below) {
			take(t)
		}
	}
	return l
}

// cells divides plants by region and fuel category, so that a column is added up
// once for all the categories that formulas ask for.
type cells struct {
	of      []int32 // cell of each plant; -1: of no region
	regions int
}

const perRegion = 16 // places for categories; the last is for plants of none

func newCells(p *Plants, part *partition) *cells {
	c := &cells{of: make([]int32, p.n), regions: len(part.codes)}
	for i := range c.of {
		switch category := p.fuels[i]; {
		case part.of[i] < 0:
			c.of[i] = -1
		case category == noFuel:
			c.of[i] = part.of[i]*perRegion + perRegion - 2
		default:
			c.of[i] = part.of[i]*perRegion + int32(category)
		}
	}
	return c
}

// sum adds a column up, cell by cell, each plant times its weight. Errors of
// rounding are carried along and added at the end, so that the order of the
// plants does not matter.
func (c *cells) sum(x, weights []float64) []float64 {
	sums := make([]float64, c.regions*perRegion)
	rest := make([]float64, len(sums))
	for i, at := range c.of {
		v := x[i]
		if at < 0 || v == 0 {
			continue
		}
		if weights != nil {
			v *= weights[i]
		}
		s := sums[at] + v
		d := s - sums[at]
		rest[at] += (sums[at] - (s - d)) + (v - d)
		sums[at] = s
	}
	for i := range sums {
		sums[i] += rest[i]
	}
	return sums
}

// gather adds up the cells of each region that are of some categories.
func (c *cells) gather(cells []float64, only uint16) []float64 {
	sums := make([]float64, c.regions)
	for r := range sums {
		s, rest := 0.0, 0.0
		for category, v := range cells[r*perRegion : (r+1)*perRegion] {
			if v == 0 || only != 0 && only&(1<<category) == 0 {
				continue
			}
			t := s + v
			d := t - s
			rest += (s - (t - d)) + (v - d)
			s = t
		}
		sums[r] = s + rest
	}
	return sums
}
