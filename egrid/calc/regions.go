package calc

import (
	"math"
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
	ledger := p.add(part, program)
	sums := ledger.region(program, 0)
	var known []*figure
	for i := range program.figures {
		if g := &program.figures[i]; len(part.codes) == 0 || !math.IsNaN(program.value(g, sums)) {
			known = append(known, g)
		}
	}
	b := newRegionBuilder(level, 0, known)
	order := make([]int, len(part.codes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(part.codes[a], part.codes[b]) })
	for at, r := range order {
		sums := ledger.region(program, r)
		b.row(part.codes[r], int64(at+1), func(g *figure) float64 { return program.value(g, sums) })
	}
	return b.Batch()
}

// regionBuilder makes rows of a region's code and figures.
type regionBuilder struct {
	*egrid.Builder
	figures []*figure
	named   bool
}

func newRegionBuilder(level egrid.Level, year int, figures []*figure) regionBuilder {
	var fields []egrid.Field
	column, named := regionColumn(level)
	if named {
		f, _ := egrid.Lookup(level, string(column))
		fields = append(fields, f)
	}
	for _, g := range figures {
		fields = append(fields, g.field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the dictionary has each column once
	}
	return regionBuilder{egrid.NewBuilder(schema, year), figures, named}
}

func (b regionBuilder) row(code string, number int64, value func(*figure) float64) {
	at := 0
	if b.named {
		b.Text(0, []byte(code))
		at++
	}
	for _, g := range b.figures {
		if x := value(g); !math.IsNaN(x) {
			b.Number(at, x)
		}
		at++
	}
	b.EndRow(number, 0)
}

// ledger holds the sums of every term, region by region; nil for terms that the
// plants do not have.
type ledger [][]float64

// region returns the complete sums of one region.
func (l ledger) region(p *program, r int) []float64 {
	sums := make([]float64, len(l))
	for i, of := range l {
		sums[i] = math.NaN()
		if r < len(of) {
			sums[i] = of[r]
		}
	}
	p.complete(sums)
	return sums
}

// add sums up all terms of a program. A sum over no plants is 0.
func (p *Plants) add(part *partition, program *program) ledger {
	l := make(ledger, len(program.terms))
	cells := newCells(p, part)
	weights := p.weights(program.method)
	kept := map[term][]float64{} // by cell, whatever the category
	for i, t := range program.terms {
		x := p.columns[t.column]
		if x == nil || t.weighted && weights == nil {
			continue
		}
		whole := term{column: t.column, weighted: t.weighted}
		if kept[whole] == nil {
			w := weights
			if !t.weighted {
				w = nil
			}
			kept[whole] = cells.sum(x, w)
		}
		l[i] = cells.gather(kept[whole], t.only)
	}
	return l
}

// cells divides plants by region and fuel category, so that a column is added up
// once for all the categories that formulas ask for.
type cells struct {
	of      []int32 // cell of each plant; -1: of no region
	regions int
}

// perRegion is the number of cells of a region: one for each category, and the
// last but one for plants of none. The last is nobody's.
const perRegion = 16

func newCells(p *Plants, part *partition) *cells {
	c := &cells{of: make([]int32, p.n), regions: len(part.codes)}
	for i := range c.of {
		c.of[i] = -1
		if part.of[i] >= 0 {
			c.of[i] = part.of[i]*perRegion + int32(min(p.fuels[i], perRegion-2))
		}
	}
	return c
}

// sum adds a column up, cell by cell, each plant times its weight. What rounding
// takes away is carried along and added at the end, so that the order of the plants
// does not matter.
func (c *cells) sum(x, weights []float64) []float64 {
	sums := make([]compensated, c.regions*perRegion)
	for i, at := range c.of {
		v := x[i]
		if at < 0 || v == 0 {
			continue
		}
		if weights != nil {
			v = float64(v * weights[i]) // not fused with the addition, as on every machine
		}
		sums[at].add(v)
	}
	total := make([]float64, len(sums))
	for i := range sums {
		total[i] = sums[i].total()
	}
	return total
}

// gather adds up the cells of each region that are of some categories.
func (c *cells) gather(cells []float64, only uint16) []float64 {
	sums := make([]float64, c.regions)
	for r := range sums {
		var s compensated
		for category, v := range cells[r*perRegion : (r+1)*perRegion] {
			if v != 0 && (only == 0 || only&(1<<category) != 0) {
				s.add(v)
			}
		}
		sums[r] = s.total()
	}
	return sums
}

// compensated is a sum with the part that rounding took away (Knuth's two-sum).
type compensated struct{ sum, rest float64 }

func (s *compensated) add(v float64) {
	t := s.sum + v
	d := t - s.sum
	s.rest += (s.sum - (t - d)) + (v - d)
	s.sum = t
}

func (s *compensated) total() float64 { return s.sum + s.rest }
