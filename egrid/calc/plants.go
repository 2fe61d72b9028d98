package calc

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Plants is a set of plants, held as columns for region formulas. It is
// immutable and safe to share.
type Plants struct {
	n        int
	ids      []string // ORIS codes; empty where the sheet has none
	names    []string
	regions  map[egrid.Level]*partition
	fuels    []uint8                    // places in egrid.FuelCategories; noFuel where there is none
	columns  map[egrid.Column][]float64 // 0 for missing cells, as EPA's sums count them
	blank    map[egrid.Column]int       // cells without a figure, of the columns that the sheet has
	gaps     map[egrid.Column][]bool    // which cells these are, where some have a figure
	repeats  int                        // rows with the ORIS code of a row before them
	baseload []bool                     // of a primary fuel that never counts as non-baseload; nil where the sheet names no fuels
	factors  factors
}

const noFuel = math.MaxUint8

// partition says which region each plant belongs to.
type partition struct {
	codes []string
	of    []int32 // -1: none
	index map[string]int32
}

// factors are what a plant's non-baseload factor follows from, NaN where the
// sheet has none.
type factors struct{ published, capacity, nameplate, generation []float64 }

// regionColumn is where a plant names its region of a level.
func regionColumn(level egrid.Level) (egrid.Column, bool) {
	switch level {
	case egrid.ST:
		return egrid.State, true
	case egrid.BA:
		return egrid.BalancingAuthority, true
	case egrid.SRL:
		return egrid.Subregion, true
	case egrid.NRL:
		return egrid.NERCRegion, true
	}
	return "", false
}

// RegionLevels are the levels that are sums of plants, from states to the US.
func RegionLevels() []egrid.Level {
	return []egrid.Level{egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US}
}

// PlantColumns are the columns of the PLNT level that formulas need: what to ask
// a store for.
func PlantColumns() []egrid.Column { return append(contextColumns(), measures()...) }

// contextColumns tell which plant it is, of which regions, and by what it counts.
func contextColumns() []egrid.Column {
	return []egrid.Column{
		egrid.PlantCode, egrid.PlantName, egrid.State, egrid.BalancingAuthority, egrid.Subregion, egrid.NERCRegion,
		egrid.Fuel, egrid.FuelCategoryColumn, egrid.CapacityFactor, egrid.NonbaseloadFactor, egrid.NameplateCapacity, egrid.NetGeneration,
	}
}

// measures are the columns of plants that regions sum up.
func measures() []egrid.Column {
	var columns []egrid.Column
	for _, level := range []egrid.Level{egrid.PLNT, egrid.US} {
		for _, f := range egrid.Fields(level) {
			if f.Rule.Factor != 0 && len(f.Rule.Numerator) == 0 && !slices.Contains(columns, f.Column) {
				if _, plants := egrid.Lookup(egrid.PLNT, string(f.Column)); plants {
					columns = append(columns, f.Column)
				}
			}
		}
	}
	return columns
}

// ReadPlants reads the rows of a PLNT sheet. Columns that the batches lack are
// left out, and with them the figures that need them. It returns
// [egrid.ErrInvalid] for batches of another level or of several data years.
func ReadPlants(batches iter.Seq2[*egrid.Batch, error]) (*Plants, error) {
	return readPlants(batches, nil)
}

// readPlants reads the measures of regions, and those of plants alone that are
// named.
func readPlants(batches iter.Seq2[*egrid.Batch, error], of []egrid.Column) (*Plants, error) {
	var all []*egrid.Batch
	for b, err := range batches {
		if err != nil {
			return nil, err
		}
		for _, f := range b.Schema().Fields() {
			if f.Level != egrid.PLNT {
				return nil, fmt.Errorf("%w: column %s is of level %s; region formulas take plants", egrid.ErrInvalid, f.Column, f.Level)
			}
		}
		if len(all) > 0 && all[0].Year() != b.Year() {
			return nil, fmt.Errorf("%w: plants of %d and of %d are not summed", egrid.ErrInvalid, all[0].Year(), b.Year())
		}
		all = append(all, b)
	}
	p := newPlants()
	for _, b := range all {
		p.n += b.Len()
	}
	p.ids, p.names = p.texts(all, egrid.PlantCode), p.texts(all, egrid.PlantName)
	p.readFuels(all)
	for _, level := range RegionLevels() {
		p.readRegions(level, all)
	}
	p.factors = factors{
		published: p.numbers(all, egrid.NonbaseloadFactor), capacity: p.numbers(all, egrid.CapacityFactor),
		nameplate: p.numbers(all, egrid.NameplateCapacity), generation: p.numbers(all, egrid.NetGeneration),
	}
	known := measures()
	for _, c := range known {
		p.readMeasure(all, c)
	}
	for _, c := range of {
		if f, ok := egrid.Lookup(egrid.PLNT, string(c)); ok && f.Type == egrid.Number && !slices.Contains(known, c) {
			p.readMeasure(all, c)
		}
	}
	p.repeats = p.repeated()
	return p, nil
}

func newPlants() *Plants {
	return &Plants{columns: map[egrid.Column][]float64{}, blank: map[egrid.Column]int{}, gaps: map[egrid.Column][]bool{}, regions: map[egrid.Level]*partition{}}
}

// readMeasure reads a column that regions sum up. One without any figure is left
// out: it is not known to be 0.
func (p *Plants) readMeasure(batches []*egrid.Batch, c egrid.Column) {
	if !slices.ContainsFunc(batches, func(b *egrid.Batch) bool { return b.Schema().Has(c) }) {
		return
	}
	x := p.numbers(batches, c)
	if x == nil {
		p.blank[c] = p.n
		return
	}
	for i := range x {
		if math.IsNaN(x[i]) {
			if p.gaps[c] == nil {
				p.gaps[c] = make([]bool, p.n)
			}
			x[i], p.gaps[c][i] = 0, true
			p.blank[c]++
		}
	}
	p.columns[c] = x
}

// fillBlanks takes columns without any figure for 0: these plants are some of a
// sheet, where others have figures, and EPA leaves the cell blank where a plant has
// nothing.
func (p *Plants) fillBlanks() {
	for c, n := range p.blank {
		if n == p.n && p.columns[c] == nil {
			p.columns[c] = make([]float64, p.n)
		}
	}
}

// repeated counts the rows that have the ORIS code of a row before them.
func (p *Plants) repeated() (n int) {
	seen := make(map[string]bool, len(p.ids))
	for _, id := range p.ids {
		if seen[id] && id != "" {
			n++
		}
		seen[id] = true
	}
	return n
}

// unweighed counts the plants that have CO2, and no CO2e.
func (p *Plants) unweighed() (n int) {
	co2, co2e := p.columns[egrid.CO2], p.columns[egrid.CO2e]
	for i := range co2e {
		if co2e[i] == 0 && co2 != nil && co2[i] >= 1 { // less may have been rounded to 0
			n++
		}
	}
	return n
}

// silent counts the plants that generate from fossil fuel, and have none of a mass.
func (p *Plants) silent(mass egrid.Column) (n int) {
	x, generation := p.columns[mass], p.columns[egrid.NetGeneration]
	var burners uint16
	for _, category := range fossil {
		burners |= bit(category)
	}
	for i := range x {
		if generation != nil && x[i] == 0 && generation[i] > 0 && burners&(1<<min(p.fuels[i], perRegion-1)) != 0 {
			n++
		}
	}
	return n
}

// Len returns the number of plants.
func (p *Plants) Len() int { return p.n }

// numbers reads a column, NaN for missing cells; nil when no cell has a value.
func (p *Plants) numbers(batches []*egrid.Batch, c egrid.Column) []float64 {
	x := make([]float64, 0, p.n)
	some := false
	for _, b := range batches {
		at := b.Schema().Index(c)
		if at < 0 {
			for range b.Len() {
				x = append(x, math.NaN())
			}
			continue
		}
		v := b.Column(at)
		some = some || v.Missing() < v.Len()
		x = v.Floats(x)
	}
	if !some {
		return nil
	}
	return x
}

// texts reads a column of texts; nil when the batches lack it.
func (p *Plants) texts(batches []*egrid.Batch, c egrid.Column) []string {
	texts := make([]string, 0, p.n)
	some := false
	for _, b := range batches {
		at := b.Schema().Index(c)
		for i := range b.Len() {
			if at < 0 {
				texts = append(texts, "")
				continue
			}
			some = true
			texts = append(texts, b.Column(at).Text(i))
		}
	}
	if !some {
		return nil
	}
	return texts
}

func (p *Plants) readFuels(batches []*egrid.Batch) {
	categories, fuels := p.texts(batches, egrid.FuelCategoryColumn), p.texts(batches, egrid.Fuel)
	p.fuels = make([]uint8, p.n)
	known := egrid.FuelCategories()
	for i := range p.fuels {
		p.fuels[i] = noFuel
		name := ""
		if categories != nil {
			name = categories[i]
		} else if fuels != nil {
			name, _ = egrid.FuelCategory(fuels[i])
		}
		if at := slices.Index(known, name); at >= 0 {
			p.fuels[i] = uint8(at)
		}
	}
	for _, fuel := range fuels {
		p.baseload = append(p.baseload, slices.Contains(baseload, fuel))
	}
}

func (p *Plants) readRegions(level egrid.Level, batches []*egrid.Batch) {
	part := &partition{of: make([]int32, p.n), index: map[string]int32{}}
	if level == egrid.US {
		part.codes, part.index[""] = []string{""}, 0
		p.regions[level] = part
		return
	}
	column, _ := regionColumn(level)
	texts := p.texts(batches, column)
	if texts == nil {
		return
	}
	for i, code := range texts {
		part.of[i] = -1
		if code == "" {
			continue
		}
		part.of[i] = part.place(code)
	}
	p.regions[level] = part
}

// baseload are the primary fuels whose plants never count as non-baseload.
var baseload = []string{"GEO", "MWH", "NUC", "PUR", "SUN", "WAT", "WND"}

// weights returns the non-baseload factor of every plant, 0 where it has none;
// nil when the sheet tells nothing to compute it from.
func (p *Plants) weights(m Method) []float64 {
	f := p.factors
	if f.published == nil && (f.generation == nil || f.nameplate == nil) && f.capacity == nil {
		return nil
	}
	w := make([]float64, p.n)
	five, counted := m.is(NonbaseloadFactor, "five_places"), m.is(NonbaseloadNegative, "counted")
	for i := range w {
		if x := p.weight(i, five, counted); !math.IsNaN(x) {
			w[i] = x
		}
	}
	return w
}

// weight is the non-baseload factor of a plant, NaN where it has none. five: its
// capacity factor counts with five places; counted: a plant that burns fuel counts
// in full where it generates nothing.
func (p *Plants) weight(i int, five, counted bool) float64 {
	if p.baseload != nil && p.baseload[i] {
		return math.NaN()
	}
	at := func(x []float64) float64 {
		if x == nil {
			return math.NaN()
		}
		return x[i]
	}
	capacity := at(p.factors.generation) / (at(p.factors.nameplate) * hoursPerYear)
	if math.IsNaN(capacity) || math.IsInf(capacity, 0) {
		capacity = at(p.factors.capacity)
	}
	if five {
		capacity = roundTo(capacity, 5)
	}
	switch {
	case math.IsNaN(capacity):
		return at(p.factors.published)
	case capacity <= 0 && counted:
		return 1
	case capacity <= 0:
		return math.NaN()
	case capacity > 0.8:
		return 0
	case capacity < 0.2:
		return 1
	}
	return float64(-5.0/3*capacity) + 4.0/3 // not fused, as on every machine
}

// hoursPerYear is what EPA divides by in leap years, too.
const hoursPerYear = 8760

// roundTo rounds half to even on the decimal digits, as EPA's code does.
func roundTo(x float64, places int) float64 {
	scale := math.Pow10(places)
	return math.RoundToEven(x*scale) / scale
}
