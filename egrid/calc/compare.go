package calc

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Relation is how a published figure has to stand to the recomputed one.
type Relation string

// The relations.
const (
	Equal   Relation = "="  // it is the figure
	AtMost  Relation = "<=" // it cannot be more
	AtLeast Relation = ">=" // it cannot be less
)

// Cell is a published figure of a region beside the one computed anew.
type Cell struct {
	Level      egrid.Level
	Code       string // of the region; empty for the US
	Column     egrid.Column
	From       egrid.Level // what it was computed from: PLNT, the region's own sheet, or for the US the sheet of another level
	Relation   Relation    // empty is Equal
	Published  float64     // in the dictionary's unit
	Recomputed float64     // at full precision
	Tolerance  float64     // by how much rounding alone may part them
	Line       int64       // number of the row in its sheet
}

// Difference is the published figure minus the recomputed one, without the digits
// that binary fractions add to it.
func (c *Cell) Difference() float64 {
	d := c.Published - c.Recomputed
	return roundOff(d, max(decimals(c.Published), decimals(c.Recomputed)))
}

// Matches reports whether the figures stand to each other as they have to, but for
// rounding.
func (c *Cell) Matches() bool {
	about := c.wrong(c.Published - c.Recomputed)
	if math.Abs(about-c.Tolerance) > 1e-6*c.Tolerance {
		return about < c.Tolerance
	}
	return c.excess() <= c.Tolerance
}

// excess is by how much the published figure is wrong.
func (c *Cell) excess() float64 { return c.wrong(c.Difference()) }

// wrong is what a difference says against the published figure.
func (c *Cell) wrong(d float64) float64 {
	switch c.Relation {
	case AtMost:
		return max(d, 0)
	case AtLeast:
		return max(-d, 0)
	}
	return math.Abs(d)
}

// Deviation is by how much the published figure is wrong, in tolerances: 1 is just
// at it.
func (c *Cell) Deviation() float64 {
	if c.excess() == 0 {
		return 0
	}
	return c.excess() / c.Tolerance
}

// Compare holds published regions against recomputed ones of the same level: of
// [Plants.Regions], row by row through their codes, or of [FromSums], whose rows
// are those of the sheet. Cells that either side lacks are not compared. A region
// that is published and of which there are no plants is compared with sums of 0.
func Compare(level, from egrid.Level, published []*egrid.Batch, recomputed *egrid.Batch) []Cell {
	if len(published) == 0 || recomputed == nil {
		return nil
	}
	return newSheet(level, published, egrid.Snapshot{}).compare(from, recomputed)
}

// sheet is a published sheet of regions, with what rounding left of its figures.
type sheet struct {
	level  egrid.Level
	rows   *egrid.Batch
	codes  []string
	places places
	lossy  []egrid.Column // that hold figures rounded for display
	metric bool           // the file had metric units

	rounding map[egrid.Column][]float64 // see tolerance; made when asked for
	shares   []float64                  // what rounding may have made of a row's generation by fuel, as a share of it
	parts    float64                    // and of a sum of generation by fuel
}

// newSheet makes a sheet of its batches. The snapshot tells which columns hold figures
// rounded for display, beside those that the batches mark, and the file's units.
func newSheet(level egrid.Level, batches []*egrid.Batch, of egrid.Snapshot) *sheet {
	rows := egrid.Concat(batches[0].Schema(), batches...)
	s := &sheet{
		level: level, rows: rows, codes: make([]string, rows.Len()), places: newPlaces(rows),
		lossy: append(rows.Lossy(), of.Lossy...), metric: of.Units == metricUnits, rounding: map[egrid.Column][]float64{},
	}
	if key, named := regionColumn(level); named {
		for i := range s.codes {
			s.codes[i] = rows.Row(i).Text(key)
		}
	}
	s.addParts(append(fuelColumns(), nonbaseloadParts()...))
	return s
}

// addParts finds what rounding may have made of generation by fuel.
func (s *sheet) addParts(columns []egrid.Column) {
	s.shares = make([]float64, len(s.codes))
	for row := range s.codes {
		sum, t := 0.0, 0.0
		for _, c := range columns {
			x, _ := s.number(c, row)
			sum += math.Abs(x)
			t += s.tolerance(c, row)
		}
		s.shares[row] = relative(t, sum)
	}
	for _, c := range columns {
		s.parts += float64(0.5 * math.Pow10(-s.places[c]))
	}
}

// number returns a cell; ok is false for one that is missing.
func (s *sheet) number(c egrid.Column, row int) (x float64, ok bool) {
	at := s.rows.Schema().Index(c)
	if at < 0 {
		return 0, false
	}
	return s.rows.Column(at).Float(row)
}

func (s *sheet) compare(from egrid.Level, recomputed *egrid.Batch) []Cell {
	fields := recomputed.Schema().Fields()
	cells := make([]Cell, 0, len(s.codes)*len(fields))
	for row, partner := range s.partners(from, recomputed) {
		for at, f := range fields {
			if f.Rule.IsZero() || partner == noRegion {
				continue
			}
			x, ok := s.number(f.Column, row)
			y, computed := 0.0, true
			if partner != noPlants {
				y, computed = recomputed.Column(at).Float(partner)
			}
			if !ok || !computed {
				continue
			}
			c := s.cell(f, row, from, x, y)
			if from == s.level {
				c.Tolerance += s.inputs(f, y, row)
			}
			cells = append(cells, c)
		}
	}
	return cells
}

func (s *sheet) cell(f egrid.Field, row int, from egrid.Level, published, recomputed float64) Cell {
	return Cell{
		Level: s.level, Code: s.codes[row], Column: f.Column, From: from, Relation: Equal, Published: published, Recomputed: recomputed,
		Tolerance: s.tolerance(f.Column, row), Line: s.rows.Number(row),
	}
}

// noPlants stands for the recomputed row of a region that has no plants, and
// noRegion for that of a row without a code.
const (
	noPlants = -1
	noRegion = -2
)

// partners finds the recomputed row of each published one.
func (s *sheet) partners(from egrid.Level, recomputed *egrid.Batch) []int {
	partners := make([]int, s.rows.Len())
	key, named := regionColumn(s.level)
	of := map[string]int{}
	for i := range recomputed.Len() {
		of[recomputed.Row(i).Text(key)] = i // of the US without a code
	}
	for i, code := range s.codes {
		at, ok := of[code]
		switch {
		case from == s.level:
			at = i
		case named && code == "":
			at = noRegion
		case !ok:
			at = noPlants
		}
		partners[i] = at
	}
	return partners
}

// tolerance is what rounding may have done to a published figure: somewhat more
// than half a unit of the column's last place. Of a column that holds figures
// rounded for display it is half a unit of the figure's own last digit.
func (s *sheet) tolerance(c egrid.Column, row int) float64 {
	kept := s.rounding[c]
	if kept == nil {
		at := s.rows.Schema().Index(c)
		if at < 0 {
			return 0
		}
		v, f := s.rows.Column(at), s.rows.Schema().Field(at)
		kept = v.Floats(nil)
		for i, x := range kept {
			kept[i] = s.places.tolerance(f, x, slices.Contains(s.lossy, c))
			if s.metric {
				kept[i] += converted(f, x, kept[i])
			}
		}
		s.rounding[c] = kept
	}
	if math.IsNaN(kept[row]) {
		return 0
	}
	return kept[row]
}

// places knows how many decimals a sheet's columns are published with.
type places map[egrid.Column]int

// newPlaces takes a column of zeros, which do not tell, for one with as few decimals as
// a column of its unit has.
func newPlaces(b *egrid.Batch) places {
	p, ofUnit := places{}, map[string]int{}
	var untold []egrid.Field
	for at, f := range b.Schema().Fields() {
		if f.Type != egrid.Number {
			continue
		}
		told, most := false, 0
		for i := range b.Len() {
			if x, ok := b.Column(at).Float(i); ok && x != 0 {
				told, most = true, max(most, decimals(x))
			}
		}
		if !told {
			untold = append(untold, f)
			continue
		}
		p[f.Column] = most
		if least, ok := ofUnit[f.Unit]; !ok || most < least {
			ofUnit[f.Unit] = most
		}
	}
	for _, f := range untold {
		p[f.Column] = ofUnit[f.Unit]
	}
	return p
}

// decimals is the number of decimals of the shortest text of a number.
func decimals(x float64) int {
	var text [400]byte
	s := strconv.AppendFloat(text[:0], x, 'f', -1, 64)
	if at := slices.Index(s, '.'); at >= 0 {
		return len(s) - at - 1
	}
	return 0
}

// roundOff rounds to a number of decimals.
func roundOff(x float64, places int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', places, 64), 64)
	if err != nil {
		return x
	}
	return y
}

func (p places) tolerance(f egrid.Field, x float64, lossy bool) float64 {
	if math.IsNaN(x) {
		return x
	}
	const room = 1.2 // for what rounding did to the figures that it is computed from
	t := room * 0.5 * math.Pow10(-p[f.Column])
	if len(f.Rule.Denominator) == 0 {
		t = max(t, 0.01) // EPA adds up figures that it has rounded
		if f.Rule.Weight != "" {
			t = max(t, 0.02)
		}
	}
	digits, last := lastDigit(x)
	if lossy {
		t = max(t, room*0.5*last)
	}
	if decimals(x) < p[f.Column] { // a spreadsheet shows ten digits of a number without a format
		t = max(t, room*0.5*last*math.Pow10(min(digits-10, 0)))
	}
	return t + float64(1e-12*math.Abs(x))
}

// inputs is what rounding of a row's figures may have made of one that follows from
// them.
func (s *sheet) inputs(f egrid.Field, y float64, row int) float64 {
	change := 0.0
	if len(f.Rule.Denominator) == 0 { // a total of other sums
		return s.parts
	}
	below := 1.0
	for _, c := range f.Rule.Denominator {
		x, _ := s.number(c, row)
		below *= x
		change += relative(s.tolerance(c, row), x)
	}
	if f.Unit == "fraction" {
		change += s.shares[row]
	}
	change *= math.Abs(y)
	for _, c := range f.Rule.Numerator {
		x, _ := s.number(c, row)
		if x != 0 {
			change += float64(math.Abs(y) * relative(s.tolerance(c, row), x))
		} else if below != 0 {
			change += float64(f.Rule.Factor * s.tolerance(c, row) / math.Abs(below))
		}
	}
	return change
}

// relative is a change of a figure as a share of it.
func relative(change, x float64) float64 {
	if x == 0 {
		return 0
	}
	return change / math.Abs(x)
}

// lastDigit returns how many digits a figure shows, and a unit of the last one.
func lastDigit(x float64) (digits int, unit float64) {
	if x == 0 {
		return 0, 0
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'e', -1, 64), "e")
	places, err := strconv.Atoi(exponent)
	if err != nil {
		return 0, 0
	}
	digits = max(len(mantissa)-1, 1) // without the point
	return digits, math.Pow10(places - digits + 1)
}
