package calc

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Change says what became of a factor from one edition to the other.
type Change string

// The changes of a factor.
const (
	Moved          Change = "moved"     // by more than rounding explains
	PublishedMoved Change = "published" // the sums give the same factor, and the published rate is another one
	Same           Change = "same"      // the same, but for rounding
	Added          Change = "added"     // only the second edition has it
	Lost           Change = "lost"      // only the first edition has it
)

// Mover is the input that moved a factor.
type Mover string

// The movers. Empty where nothing tells.
const (
	ByMasses     Mover = "masses"
	ByGeneration Mover = "generation"
	ByHeatInput  Mover = "heat_input"
	ByBoth       Mover = "both"      // neither has nine tenths of the move
	ByPublished  Mover = "published" // the published rate alone
)

// FactorSide is a factor in one of two editions, in lb/MWh or lb/MMBtu.
type FactorSide struct {
	Value     egrid.Value // of Mass over Whole or, without them, the published rate; missing where there is none
	Published egrid.Value // EPA's rounded rate; missing where there is none
	Mass      egrid.Value // pounds
	Whole     egrid.Value // MWh, of kind input MMBtu
	Basis     egrid.Level // sheet of the value; PLNT: sums over plants
	Rounded   bool        // the value is the published rate
	tolerance float64     // of Value, for rounding
	rounding  float64     // of Published
}

// FactorChange is one factor of a region in two editions.
type FactorChange struct {
	Level    egrid.Level
	Code     string // of the region; empty for the US
	Name     string // where a sheet has one
	Kind     Kind
	Gas      Gas
	Change   Change
	From, To FactorSide
	MovedBy  Mover

	// ByMasses and ByWhole are the parts of the relative change that the masses and
	// what they are over have in it: logarithmic means, whose sum is the change
	// itself. Missing unless all four figures are known and above 0.
	ByMasses, ByWhole egrid.Value

	// ByGWP is the part of ByMasses, of CO2e, that the second edition's other global
	// warming potentials have: by how much its factor differs from the one that the
	// first edition's would give. Missing where the two are the same, or not known.
	ByGWP egrid.Value
}

// Unit is the unit of the factor.
func (c *FactorChange) Unit() string { return unitsOf(c.Kind)[0].name }

// Relative is the change of the factor over what it was. It is false where one
// edition has none, or it was 0.
func (c *FactorChange) Relative() (float64, bool) { return relativeChange(c.From.Value, c.To.Value) }

// PublishedRelative is the change of the published rate, likewise.
func (c *FactorChange) PublishedRelative() (float64, bool) {
	return relativeChange(c.From.Published, c.To.Published)
}

// MassChange is the change of the mass, likewise.
func (c *FactorChange) MassChange() (float64, bool) { return relativeChange(c.From.Mass, c.To.Mass) }

// WholeChange is the change of what the mass is over, likewise.
func (c *FactorChange) WholeChange() (float64, bool) { return relativeChange(c.From.Whole, c.To.Whole) }

func relativeChange(from, to egrid.Value) (float64, bool) {
	x, known := from.Float()
	y, also := to.Float()
	switch {
	case !known || !also || x == 0 && y != 0:
		return 0, false
	case x == y:
		return 0, true
	}
	return (y - x) / math.Abs(x), true
}

// size is by how much a change is ordered.
func (c *FactorChange) size() float64 {
	x, ok := c.Relative()
	if c.Change == PublishedMoved {
		x, ok = c.PublishedRelative()
	}
	if !ok && c.Change == Moved {
		return -1 // from nothing: behind what has a relative size
	}
	return math.Abs(x)
}

// place names the region.
func (c *FactorChange) place() string {
	if c.Level == egrid.US {
		return "the US"
	}
	return c.Level.Title() + " " + c.Code
}

// Statement says in a sentence what became of the factor.
func (c *FactorChange) Statement() string {
	what := "The " + gasName(c.Gas) + " " + string(c.Kind) + " rate of " + c.place()
	from, to := c.figure(c.From.Value), c.figure(c.To.Value)
	switch c.Change {
	case Added:
		return what + " is new: " + to + "."
	case Lost:
		return what + " is no more; it was " + from + "."
	case Same:
		return what + " is the same, " + to + "."
	case PublishedMoved:
		return what + " was published as " + c.figure(c.From.Published) + " and then as " + c.figure(c.To.Published) +
			c.moved(c.PublishedRelative()) + "; the sums that it follows from give " + to + " in both."
	}
	text := what + " moved"
	if x, ok := c.Relative(); ok {
		text += " " + egrid.Percent(x) + ","
	}
	text += " from " + from + " to " + to
	switch c.MovedBy {
	case ByMasses, ByGeneration:
		text += ", by its " + string(c.MovedBy)
	case ByHeatInput:
		text += ", by its heat input"
	case ByBoth:
		text += ", by masses and " + strings.ReplaceAll(string(wholeMover(c.Kind)), "_", " ")
	}
	return text + c.otherwise() + "."
}

// otherwise tells of a published rate that moved in another way than the factor.
func (c *FactorChange) otherwise() string {
	const apart = 0.01
	x, ok := c.Relative()
	y, also := c.PublishedRelative()
	if c.From.Rounded || !ok || !also || !c.publishedMoved() || math.Abs(x-y) <= apart*max(1, math.Abs(x)) {
		return ""
	}
	p, _ := c.From.Published.Float()
	q, _ := c.To.Published.Float()
	if v, _ := c.From.Value.Float(); math.Abs((q-p)-v*x) <= c.From.rounding+c.To.rounding {
		return ""
	}
	return "; the published rate moved " + egrid.Percent(y) + ", from " + c.figure(c.From.Published) + " to " + c.figure(c.To.Published)
}

func (c *FactorChange) moved(x float64, ok bool) string {
	if !ok {
		return ""
	}
	return " (" + egrid.Percent(x) + ")"
}

func (c *FactorChange) figure(v egrid.Value) string {
	x, ok := v.Float()
	if !ok {
		return "none"
	}
	return strconv.FormatFloat(significant(x, 6), 'f', -1, 64) + " " + c.Unit()
}

func gasName(g Gas) string {
	switch g {
	case CO2e:
		return "CO2e"
	case NOx:
		return "NOx"
	}
	return strings.ToUpper(string(g))
}

// settle decides what became of a factor, and why.
func (c *FactorChange) settle() {
	x, known := c.From.Value.Float()
	y, also := c.To.Value.Float()
	switch {
	case !known:
		c.Change = Added
		return
	case !also:
		c.Change = Lost
		return
	case math.Abs(y-x) > c.From.tolerance+c.To.tolerance:
		c.Change = Moved
	case c.publishedMoved():
		c.Change, c.MovedBy = PublishedMoved, ByPublished
		return
	default:
		c.Change = Same
		return
	}
	c.attribute(x, y)
}

func (c *FactorChange) publishedMoved() bool {
	x, known := c.From.Published.Float()
	y, also := c.To.Published.Float()
	return known && also && math.Abs(y-x) > c.From.rounding+c.To.rounding
}

// decisive is the part of a move that makes one input the mover.
const decisive = 0.9

// attribute finds what moved a factor from x to y.
func (c *FactorChange) attribute(x, y float64) {
	m, known := c.From.Mass.Float()
	n, also := c.To.Mass.Float()
	v, whole := c.From.Whole.Float()
	w, same := c.To.Whole.Float()
	if !known || !also || !whole || !same {
		return
	}
	mass, over := math.Abs(math.Log(n/m)), math.Abs(math.Log(w/v))
	switch {
	case m <= 0 || n <= 0 || v <= 0 || w <= 0:
		c.MovedBy = ByMasses // to or from nothing
		return
	case mass >= decisive*(mass+over):
		c.MovedBy = ByMasses
	case over >= decisive*(mass+over):
		c.MovedBy = wholeMover(c.Kind)
	default:
		c.MovedBy = ByBoth
	}
	mean := x
	if math.Abs(y/x-1) > 1e-12 {
		mean = (y - x) / math.Log(y/x)
	}
	byWhole := -mean * math.Log(w/v) / x
	c.ByWhole = egrid.NumberOf(byWhole)
	c.ByMasses = egrid.NumberOf((y-x)/x - byWhole)
}

// wholeMover names what a kind is over, as a mover.
func wholeMover(k Kind) Mover {
	if k == HeatInput {
		return ByHeatInput
	}
	return ByGeneration
}

// compareFactorChanges orders by size, the largest first, and those that one edition
// alone has last.
func compareFactorChanges(a, b *FactorChange) int {
	alone := func(c *FactorChange) int {
		if c.Change == Added || c.Change == Lost {
			return 1
		}
		return 0
	}
	return cmp.Or(
		alone(a)-alone(b), -cmp.Compare(a.size(), b.size()),
		slices.Index(Kinds(), a.Kind)-slices.Index(Kinds(), b.Kind), slices.Index(Gases(), a.Gas)-slices.Index(Gases(), b.Gas),
		slices.Index(changeLevels(), a.Level)-slices.Index(changeLevels(), b.Level), cmp.Compare(a.Code, b.Code))
}

// changeLevels are the levels of factors, those of inventories first.
func changeLevels() []egrid.Level {
	return []egrid.Level{egrid.SRL, egrid.US, egrid.ST, egrid.BA, egrid.NRL}
}

// FactorSummary counts what became of the factors of one kind and gas.
type FactorSummary struct {
	Kind      Kind
	Gas       Gas
	Compared  int // that both editions have
	Moved     int
	Published int // see PublishedMoved
	Added     int
	Lost      int
	Median    egrid.Value   // relative change of those that moved, of published rates too
	Largest   *FactorChange // of those; nil where none moved
}

// SummarizeFactors counts by kind and gas, in the order of [Kinds] and [Gases].
func SummarizeFactors(changes []FactorChange) []FactorSummary {
	var all []FactorSummary
	for _, kind := range Kinds() {
		for _, gas := range Gases() {
			s := FactorSummary{Kind: kind, Gas: gas}
			var moves []float64
			for i := range changes {
				if c := &changes[i]; c.Kind == kind && c.Gas == gas {
					moves = s.add(c, moves)
				}
			}
			if s.Compared+s.Added+s.Lost == 0 {
				continue
			}
			s.Median = median(moves)
			all = append(all, s)
		}
	}
	return all
}

func (s *FactorSummary) add(c *FactorChange, moves []float64) []float64 {
	x, ok := c.Relative()
	switch c.Change {
	case Added:
		s.Added++
		return moves
	case Lost:
		s.Lost++
		return moves
	case Same:
		s.Compared++
		return moves
	case PublishedMoved:
		s.Compared++
		s.Published++
		x, ok = c.PublishedRelative()
	default:
		s.Compared++
		s.Moved++
	}
	if s.Largest == nil || compareFactorChanges(c, s.Largest) < 0 {
		s.Largest = c
	}
	if ok {
		moves = append(moves, x)
	}
	return moves
}

// median is the one in the middle, or the mean of the two; missing of none.
func median(x []float64) egrid.Value {
	if len(x) == 0 {
		return egrid.Value{}
	}
	slices.Sort(x)
	return egrid.NumberOf((x[(len(x)-1)/2] + x[len(x)/2]) / 2)
}
