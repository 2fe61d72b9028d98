package calc

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Certificate says how the region sheets of one edition stand to what they follow
// from. [Reconcile] makes it. It is the caller's, and safe to read from several
// goroutines.
type Certificate struct {
	Year      int
	Release   string           // empty for the unmarked one
	Method    Method           // that regions were computed with
	Variants  []VariantFit     // every choice of every rule, in the order of [Variants]
	GWP       GWPFit           // that the edition's CO2e is of
	Snapshots []egrid.Snapshot // the sheets: plants, then regions from states to the US
	Absent    []egrid.Level    // levels of which the release has no sheet
	Cells     []Cell           // every figure that was compared, by level, from states to the US
}

// VariantFit is what one choice of a rule matches of the figures that depend on the
// rule, with the other rules as in the certificate's method.
type VariantFit struct {
	Rule    string
	Choice  Choice
	Checked int // figures that are different from choice to choice
	Matched int
	Used    bool // the certificate's method has it
}

// GWPFit is the set of global warming potentials with which CO2e follows best from
// its gases.
type GWPFit struct {
	GWP           // without a name where none fits within 0.05 lb/MWh, or CO2e is not known
	Error float64 // what is left of CO2e, in lb/MWh
}

// Check sums up the figures of a level that were computed from the same.
type Check struct {
	Level    egrid.Level
	From     egrid.Level // see Cell
	Relation Relation
	Checked  int
	Matched  int
	Worst    Cell // the one with the largest deviation
}

// Checked and Matched count figures; a figure that was computed from its own sheet
// and from plants counts twice.
func (c *Certificate) Checked() int { return len(c.Cells) }

// Matched counts the figures that match.
func (c *Certificate) Matched() int { return len(c.Cells) - len(c.Differing()) }

// Differing returns the cells that do not match, in the order of Cells.
func (c *Certificate) Differing() []Cell {
	var cells []Cell
	for i := range c.Cells {
		if !c.Cells[i].Matches() {
			cells = append(cells, c.Cells[i])
		}
	}
	return cells
}

// Worst returns the cell with the largest deviation, the first among equals; ok is
// false where nothing was compared.
func (c *Certificate) Worst() (worst Cell, ok bool) {
	if len(c.Cells) == 0 {
		return Cell{}, false
	}
	return slices.MaxFunc(c.Cells, byDeviation), true
}

func byDeviation(a, b Cell) int { return cmp.Compare(a.Deviation(), b.Deviation()) }

// Checks sums the cells up: by level, what they were computed from, and relation.
func (c *Certificate) Checks() []Check {
	var checks []Check
	at := map[Check]int{}
	for i := range c.Cells {
		cell := &c.Cells[i]
		key := Check{Level: cell.Level, From: cell.From, Relation: cell.Relation}
		n, ok := at[key]
		if !ok {
			n = len(checks)
			at[key] = n
			key.Worst = *cell
			checks = append(checks, key)
		}
		checks[n].Checked++
		if cell.Matches() {
			checks[n].Matched++
		}
		if byDeviation(*cell, checks[n].Worst) > 0 {
			checks[n].Worst = *cell
		}
	}
	return checks
}

// Notes says what a reader should know: which sheets are not there, whether plants are
// missing, and where figures follow another choice than the edition is known for.
func (c *Certificate) Notes() []string {
	var notes []string
	if slices.Contains(c.Absent, egrid.PLNT) {
		notes = append(notes, "The plants of this release are not loaded: figures were computed from the region sheets alone.")
	}
	if regions := slices.DeleteFunc(slices.Clone(c.Absent), func(l egrid.Level) bool { return l == egrid.PLNT }); len(regions) > 0 {
		notes = append(notes, "This release has no sheet of "+list(regions)+".")
	}
	if share, ok := c.plantShare(); ok && math.Abs(share-1) > 0.001 {
		notes = append(notes, fmt.Sprintf("The plants have %.1f %% of the net generation of the regions: the PLNT sheet lacks plants, or one of the two is of another release.", 100*share))
	}
	known := MethodOf(c.Year, c.Release)
	for _, v := range c.Variants {
		if v.Used && v.Checked > 0 && !known.is(v.Rule, v.Choice) {
			notes = append(notes, fmt.Sprintf("Figures were computed with %s=%s; the edition is known for %s.", v.Rule, v.Choice, known.Choice(v.Rule)))
		}
	}
	return notes
}

// plantShare is the net generation of plants as a share of what the widest sheet
// publishes.
func (c *Certificate) plantShare() (share float64, ok bool) {
	published, plants := map[egrid.Level]float64{}, map[egrid.Level]float64{}
	for i := range c.Cells {
		if cell := &c.Cells[i]; cell.From == egrid.PLNT && cell.Column == egrid.NetGeneration {
			published[cell.Level] += cell.Published
			plants[cell.Level] += cell.Recomputed
		}
	}
	for _, level := range slices.Backward(RegionLevels()) {
		if published[level] > 0 {
			return plants[level] / published[level], true
		}
	}
	return 0, false
}

// Tolerance is what was allowed for rounding, of one kind of figures.
type Tolerance struct {
	Kind              string // sum, rate or share
	Smallest, Largest float64
}

// Tolerances returns what was allowed for rounding: sums, rates and shares, in this
// order, those that were compared. It follows from the digits that a sheet
// publishes, and from columns that hold figures rounded for display.
func (c *Certificate) Tolerances() []Tolerance {
	kinds := []Tolerance{{Kind: "sum"}, {Kind: "rate"}, {Kind: "share"}}
	seen := [3]bool{}
	for i := range c.Cells {
		cell := &c.Cells[i]
		if cell.Relation == AtMost {
			continue
		}
		f, _ := egrid.Lookup(cell.Level, string(cell.Column))
		k := 1
		switch {
		case len(f.Rule.Denominator) == 0:
			k = 0
		case f.Unit == "fraction":
			k = 2
		}
		if !seen[k] {
			seen[k], kinds[k].Smallest = true, cell.Tolerance
		}
		kinds[k].Smallest, kinds[k].Largest = min(kinds[k].Smallest, cell.Tolerance), max(kinds[k].Largest, cell.Tolerance)
	}
	return slices.DeleteFunc(kinds, func(t Tolerance) bool { return t.Largest == 0 })
}

// The columns of [Certificate.Table] that no sheet has.
const (
	codeColumn       egrid.Column = "code"
	columnColumn     egrid.Column = "column"
	fromColumn       egrid.Column = "from"
	relationColumn   egrid.Column = "relation"
	publishedColumn  egrid.Column = "published"
	recomputedColumn egrid.Column = "recomputed"
	differenceColumn egrid.Column = "difference"
	toleranceColumn  egrid.Column = "tolerance"
	matchesColumn    egrid.Column = "matches"
	objectColumn     egrid.Column = "object"
	sheetColumn      egrid.Column = "sheet"
	hashColumn       egrid.Column = "sha256"
	snapshotColumn   egrid.Column = "snapshot"
)

func tableFields() []egrid.Field {
	text := func(c egrid.Column) egrid.Field { return egrid.Field{Column: c, Type: egrid.Text} }
	number := func(c egrid.Column) egrid.Field { return egrid.Field{Column: c, Type: egrid.Number} }
	return []egrid.Field{
		{Column: egrid.Year, Type: egrid.Integer}, text(egrid.ReleaseColumn), text(egrid.LevelColumn), text(codeColumn), text(columnColumn),
		text(fromColumn), text(relationColumn), number(publishedColumn), number(recomputedColumn), number(differenceColumn),
		number(toleranceColumn), {Column: matchesColumn, Type: egrid.Flag},
		text(objectColumn), text(sheetColumn), text(hashColumn), text(snapshotColumn),
	}
}

// Table returns the cells as rows, those that differ or every one, and behind them
// a row for each source: its level, object, sheet and SHA-256, and the id of the
// snapshot that was made of it.
func (c *Certificate) Table(every bool) *egrid.Batch {
	schema, err := egrid.NewSchema(tableFields()...)
	if err != nil {
		panic(err) // the names are distinct
	}
	b := egrid.NewBuilder(schema, c.Year)
	n := int64(0)
	row := func(level egrid.Level, texts map[int]string) {
		b.Int(0, int64(c.Year))
		texts[1], texts[2] = c.Release, string(level)
		for i, text := range texts {
			b.Text(i, []byte(text))
		}
		n++
		b.EndRow(n, 0)
	}
	for i := range c.Cells {
		cell := &c.Cells[i]
		if !every && cell.Matches() {
			continue
		}
		for at, x := range []float64{cell.Published, cell.Recomputed, cell.Difference(), cell.Tolerance} {
			b.Number(7+at, x)
		}
		b.Flag(11, cell.Matches())
		row(cell.Level, map[int]string{3: cell.Code, 4: string(cell.Column), 5: string(cell.From), 6: string(cell.Relation)})
	}
	for i := range c.Snapshots {
		s := &c.Snapshots[i]
		for _, source := range s.Sources {
			row(s.Level, map[int]string{12: source.Object, 13: source.Sheet, 14: source.SHA256, 15: string(s.ID)})
		}
	}
	return b.Batch()
}

// AppendCSV appends the CSV form of [Certificate.Table].
func (c *Certificate) AppendCSV(dst []byte, every bool) []byte {
	rows := c.Table(every)
	dst = rows.Schema().AppendCSVHeader(dst, false)
	for i := range rows.Len() {
		dst = rows.AppendCSV(dst, i)
	}
	return dst
}

// Hash is the SHA-256, in hex, of the CSV form with every cell: it stands for all
// figures and for the files that they are from.
func (c *Certificate) Hash() string {
	sum := sha256.Sum256(c.AppendCSV(nil, true))
	return hex.EncodeToString(sum[:])
}
