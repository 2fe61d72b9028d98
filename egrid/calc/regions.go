package calc

import (
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Regions computes every region of a level from its plants: one row for each,
// in the order of the codes, with the region's code and every column that the
// plants allow, at full precision and in the dictionary's units. A plant
// without a code belongs to no region, but to the US. Cells that EPA leaves at 0
// because nothing is below the line are 0.
//
// It returns nil when the plants do not name their regions of that level, and for
// a level that is none of [RegionLevels].
func (p *Plants) Regions(level egrid.Level, m Method) *egrid.Batch {
	s := NewSums(m, level)
	s.Add(p)
	return s.Regions(level)
}

// Sums adds plants up to regions, however many there are: what it keeps grows with
// the regions alone. Make one with [NewSums]. It is not safe for concurrent use.
type Sums struct {
	method Method
	levels map[egrid.Level]*levelSums
}

// levelSums are the sums of the regions of a level.
type levelSums struct {
	program *program
	named   bool // the plants name their regions of it
	codes   []string
	index   map[string]int32
	cells   map[term][]compensated // of each column, weighted or not: perRegion for each region
}

// NewSums makes sums of no plants, of some of [RegionLevels]: without any, of all of
// them. Other levels are ignored.
func NewSums(m Method, levels ...egrid.Level) *Sums {
	if len(levels) == 0 {
		levels = RegionLevels()
	}
	s := &Sums{method: m, levels: map[egrid.Level]*levelSums{}}
	for _, level := range levels {
		if slices.Contains(RegionLevels(), level) {
			s.levels[level] = &levelSums{program: compile(level, m), index: map[string]int32{}, cells: map[term][]compensated{}}
		}
	}
	return s
}

// Add adds plants. All that are added should have the same columns: what some of
// them lack counts as 0.
func (s *Sums) Add(p *Plants) {
	weights := p.weights(s.method)
	for level, l := range s.levels {
		if part := p.regions[level]; part != nil {
			l.add(p, part, weights)
		}
	}
}

func (l *levelSums) add(p *Plants, part *partition, weights []float64) {
	l.named = true
	places := make([]int32, len(part.codes)) // here, of the plants' regions
	for i, code := range part.codes {
		at, ok := l.index[code]
		if !ok {
			at = int32(len(l.codes))
			l.index[code] = at
			l.codes = append(l.codes, code)
		}
		places[i] = at
	}
	cells := newCells(p, part, places)
	for _, t := range l.program.terms {
		x := p.columns[t.column]
		if x == nil || t.weighted && weights == nil {
			continue
		}
		whole := term{column: t.column, weighted: t.weighted}
		sums := l.cells[whole]
		if cells.summed[whole] {
			continue
		}
		cells.summed[whole] = true
		sums = append(sums, make([]compensated, len(l.codes)*perRegion-len(sums))...)
		w := weights
		if !t.weighted {
			w = nil
		}
		cells.sum(sums, x, w)
		l.cells[whole] = sums
	}
}

// Regions returns the rows of a level, as [Plants.Regions] does: nil when no plants
// named their regions of it.
func (s *Sums) Regions(level egrid.Level) *egrid.Batch {
	l := s.levels[level]
	if l == nil || !l.named {
		return nil
	}
	sums := l.ledger()
	first := sums.region(l.program, 0)
	var known []*figure
	for i := range l.program.figures {
		if g := &l.program.figures[i]; len(l.codes) == 0 || !math.IsNaN(l.program.value(g, first)) {
			known = append(known, g)
		}
	}
	b := newRegionBuilder(level, 0, known)
	for at, code := range slices.Sorted(slices.Values(l.codes)) {
		sums := sums.region(l.program, int(l.index[code]))
		b.row(code, int64(at+1), func(g *figure) float64 { return l.program.value(g, sums) })
	}
	return b.Batch()
}

// ledger gathers the sums of every term.
func (l *levelSums) ledger() ledger {
	all := make(ledger, len(l.program.terms))
	for i, t := range l.program.terms {
		if cells := l.cells[term{column: t.column, weighted: t.weighted}]; cells != nil {
			all[i] = gather(cells, len(l.codes), t.only)
		}
	}
	return all
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
	l := &levelSums{program: program, index: map[string]int32{}, cells: map[term][]compensated{}}
	l.add(p, part, p.weights(program.method))
	return l.ledger()
}

// cells divides plants by region and fuel category, so that a column is added up
// once for all the categories that formulas ask for.
type cells struct {
	of     []int32 // cell of each plant; -1: of no region
	summed map[term]bool
}

// perRegion is the number of cells of a region: one for each category, and the
// last but one for plants of none. The last is nobody's.
const perRegion = 16

func newCells(p *Plants, part *partition, places []int32) *cells {
	c := &cells{of: make([]int32, p.n), summed: map[term]bool{}}
	for i := range c.of {
		c.of[i] = -1
		if part.of[i] >= 0 {
			c.of[i] = places[part.of[i]]*perRegion + int32(min(p.fuels[i], perRegion-2))
		}
	}
	return c
}

// sum adds a column up, cell by cell, each plant times its weight. What rounding
// takes away is carried along and added at the end, so that the order of the plants
// does not matter.
func (c *cells) sum(sums []compensated, x, weights []float64) {
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
}

// gather adds up the cells of each region that are of some categories.
func gather(cells []compensated, regions int, only uint16) []float64 {
	sums := make([]float64, regions)
	for r := range min(regions, len(cells)/perRegion) {
		var s compensated
		for category := range perRegion {
			if v := cells[r*perRegion+category].total(); v != 0 && (only == 0 || only&(1<<category) != 0) {
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
