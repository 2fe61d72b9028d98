package calc

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Cell is a published figure of a region beside the one computed anew.
type Cell struct {
	Level      egrid.Level
	Code       string // of the region; empty for the US
	Column     egrid.Column
	From       egrid.Level // what it was computed from: PLNT, or the region's own sums
	Published  float64     // in the dictionary's unit
	Recomputed float64     // at full precision
	Tolerance  float64     // by how much rounding alone may part them
	Line       int64       // number of the row in its sheet
}

// Difference is the published figure minus the recomputed one.
func (c Cell) Difference() float64 { return c.Published - c.Recomputed }

// Matches reports whether the figures differ by no more than rounding.
func (c Cell) Matches() bool { return math.Abs(c.Difference()) <= c.Tolerance }

// excess is how far beyond the tolerance a cell is, for ordering: 1 is just at it.
func (c Cell) excess() float64 { return math.Abs(c.Difference()) / c.Tolerance }

// Compare holds published regions against recomputed ones of the same level.
// Cells that either side lacks are not compared; a published cell that is
// missing where nothing is below the line is EPA's other way to write 0.
func Compare(level, from egrid.Level, published []*egrid.Batch, recomputed *egrid.Batch) []Cell {
	var cells []Cell
	rows := map[string]int{}
	key, named := regionColumn(level)
	for i := range recomputed.Len() {
		rows[recomputed.Row(i).Text(key)] = i
	}
	places := newPlaces(published)
	for _, b := range published {
		schema := b.Schema()
		for i := range b.Len() {
			code := ""
			if named {
				code = b.Row(i).Text(key)
			}
			r, ok := rows[code]
			if !ok {
				continue
			}
			for at := range recomputed.Schema().Len() {
				f := recomputed.Schema().Field(at)
				where := schema.Index(f.Column)
				if where < 0 || f.Rule.IsZero() {
					continue
				}
				x, ok := b.Column(where).Float(i)
				y, computed := recomputed.Column(at).Float(r)
				if !ok || !computed {
					continue
				}
				c := Cell{
					Level: level, Code: code, Column: f.Column, From: from, Published: x, Recomputed: y,
					Tolerance: places.tolerance(f, x, b.Column(where).Lossy()), Line: b.Number(i),
				}
				if from == level {
					c.Tolerance += places.inputs(f, y, b, i)
				}
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// places knows how many decimals a sheet's columns are published with.
type places map[egrid.Column]int

func newPlaces(batches []*egrid.Batch) places {
	p := places{}
	for _, b := range batches {
		for at, f := range b.Schema().Fields() {
			if f.Type != egrid.Number {
				continue
			}
			for i := range b.Len() {
				if x, ok := b.Column(at).Float(i); ok {
					p[f.Column] = max(p[f.Column], decimals(x))
				}
			}
		}
	}
	return p
}

// decimals is the number of decimals of the shortest text of a number.
func decimals(x float64) int {
	var text [400]byte
	s := strconv.AppendFloat(text[:0], x, 'f', -1, 64)
	if _, fraction, ok := strings.Cut(string(s), "."); ok {
		return len(fraction)
	}
	return 0
}

// tolerance is what rounding may have done to a published figure: somewhat more
// than half a unit of the column's last place. Of a column that holds figures
// rounded for display it is half a unit of the figure's own last digit.
func (p places) tolerance(f egrid.Field, x float64, lossy bool) float64 {
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
	return t + 1e-12*math.Abs(x)
}

// inputs is what rounding of a row's sums may have made of a figure that follows
// from them.
func (p places) inputs(f egrid.Field, y float64, b *egrid.Batch, row int) float64 {
	if len(f.Rule.Denominator) == 0 { // a total of other sums
		sum := 0.0
		for _, c := range append(fuelColumns(), nonbaseloadParts()...) {
			sum += 0.5 * math.Pow10(-p[c])
		}
		return sum
	}
	columns := slices.Concat(f.Rule.Numerator, f.Rule.Denominator)
	if f.Unit == "fraction" {
		columns = slices.Concat(columns, fuelColumns(), nonbaseloadParts())
	}
	change := 0.0
	for _, c := range columns {
		at := b.Schema().Index(c)
		if at < 0 {
			continue
		}
		if x, ok := b.Column(at).Float(row); ok && x != 0 {
			input := b.Schema().Field(at)
			change = max(change, p.tolerance(input, x, b.Column(at).Lossy())/math.Abs(x))
		}
	}
	return math.Abs(y) * change
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
