package wire

import (
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// Certificate says how the region sheets of an edition stand to what they follow
// from.
type Certificate struct {
	Year      int               `json:"year"`
	Release   string            `json:"release"`
	Checked   int               `json:"checked" doc:"Comparisons. A figure that was computed from its own sheet and from plants counts twice."`
	Matched   int               `json:"matched" doc:"Of them, those that differ by no more than rounding."`
	Worst     *CertificateCell  `json:"worst,omitempty" doc:"The largest deviation in tolerances; left out where nothing was compared."`
	Tolerance []Tolerance       `json:"tolerance" doc:"What was allowed for rounding, by kind of figure."`
	GWP       CertificateGWP    `json:"gwp" doc:"The global warming potentials that CO2e follows from best."`
	Absent    []egrid.Level     `json:"absent" doc:"Levels of which this release has no sheet. Without PLNT figures are computed from the region sheets alone."`
	Checks    []Check           `json:"checks" doc:"The comparisons by level and by what figures were computed from."`
	Variants  []Variant         `json:"variants" doc:"Rules that editions differ in: what each choice matches of the figures that depend on it, the other rules as used."`
	Cells     []CertificateCell `json:"cells" doc:"The figures that differ; with cells=all every one."`
	Sources   []FactorSource    `json:"sources" doc:"The files that the figures are from."`
	Notes     []string          `json:"notes" doc:"What a reader should know."`
	Hash      string            `json:"hash" doc:"SHA-256 of the bytes of ?format=csv&cells=all, which name the sources and theirs."`
}

// CertificateCell is a published figure beside the one computed anew.
type CertificateCell struct {
	Level      egrid.Level   `json:"level"`
	Code       string        `json:"code" doc:"Of the region; empty for the US."`
	Column     egrid.Column  `json:"column"`
	From       egrid.Level   `json:"from" doc:"What it was computed from: PLNT for plants, its own level for its own sheet, another level for that sheet's sums."`
	Relation   calc.Relation `json:"relation" enum:"=,<=,>=" doc:"How the published figure has to stand to the recomputed one."`
	Published  Number        `json:"published"`
	Recomputed Number        `json:"recomputed"`
	Difference Number        `json:"difference" doc:"Published minus recomputed."`
	Tolerance  Number        `json:"tolerance" doc:"By how much rounding alone may part them."`
}

// Tolerance is what was allowed for rounding, of one kind of figures.
type Tolerance struct {
	Kind     string `json:"kind" enum:"sum,rate,share"`
	Smallest Number `json:"smallest"`
	Largest  Number `json:"largest"`
}

// CertificateGWP is a set of global warming potentials that was found to fit.
type CertificateGWP struct {
	Name  *string `json:"name" doc:"As the parameter gwp of /factors names it; null where none fits within 0.05 lb/MWh, or CO2e is not published."`
	CH4   *Number `json:"ch4"`
	N2O   *Number `json:"n2o"`
	Error Number  `json:"error_lb_per_mwh" doc:"By how much CO2e is otherwise than the best one has it; 0 where nothing is known of it."`
}

// Check sums comparisons up.
type Check struct {
	Level    egrid.Level   `json:"level"`
	From     egrid.Level   `json:"from"`
	Relation calc.Relation `json:"relation" enum:"=,<=,>="`
	Checked  int           `json:"checked"`
	Matched  int           `json:"matched"`
}

// Variant is one choice of a rule that editions differ in.
type Variant struct {
	Rule    string      `json:"rule"`
	Choice  calc.Choice `json:"variant"`
	Checked int         `json:"checked" doc:"Figures that are different from choice to choice."`
	Matched int         `json:"matched"`
	Used    bool        `json:"used" doc:"The figures here were computed with it."`
}

// CertificateOf returns the JSON form of a certificate, with the cells that differ or
// every one.
func CertificateOf(c *calc.Certificate, every bool) Certificate {
	w := Certificate{
		Year: c.Year, Release: c.Release, Checked: c.Checked(), Matched: c.Matched(), Tolerance: []Tolerance{}, Absent: append([]egrid.Level{}, c.Absent...),
		Checks: []Check{}, Variants: []Variant{}, Cells: []CertificateCell{}, Sources: sourcesOf(c.Snapshots), Notes: append([]string{}, c.Notes()...), Hash: c.Hash(),
	}
	if worst, ok := c.Worst(); ok {
		cell := cellOf(&worst)
		w.Worst = &cell
	}
	if w.GWP.Error = Number(c.GWP.Error); c.GWP.Name != "" {
		ch4, n2o := Number(c.GWP.CH4), Number(c.GWP.N2O)
		w.GWP.Name, w.GWP.CH4, w.GWP.N2O = &c.GWP.Name, &ch4, &n2o
	}
	for _, t := range c.Tolerances() {
		w.Tolerance = append(w.Tolerance, Tolerance{t.Kind, Number(t.Smallest), Number(t.Largest)})
	}
	for _, check := range c.Checks() {
		w.Checks = append(w.Checks, Check{check.Level, check.From, check.Relation, check.Checked, check.Matched})
	}
	for _, v := range c.Variants {
		w.Variants = append(w.Variants, Variant(v))
	}
	for i := range c.Cells {
		if cell := &c.Cells[i]; every || !cell.Matches() {
			w.Cells = append(w.Cells, cellOf(cell))
		}
	}
	return w
}

func cellOf(c *calc.Cell) CertificateCell {
	return CertificateCell{
		Level: c.Level, Code: c.Code, Column: c.Column, From: c.From, Relation: c.Relation, Published: Number(c.Published),
		Recomputed: Number(c.Recomputed), Difference: Number(c.Difference()), Tolerance: Number(c.Tolerance),
	}
}
