package calc

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// GWP is a set of global warming potentials over 100 years: what a mass of CH4 and
// of N2O counts in CO2.
type GWP struct {
	Name     string  `json:"name"` // as queries name it: ar5
	CH4      float64 `json:"ch4"`
	N2O      float64 `json:"n2o"`
	Report   string  `json:"report"`   // of the IPCC
	Editions string  `json:"editions"` // of eGRID that were published with it
}

// GWPs returns the sets that there are, oldest first. The editions are those whose
// published CO2e was reproduced with it.
func GWPs() []GWP {
	return []GWP{
		{"sar", 21, 310, "Second Assessment Report, 1995", "to 2016"},
		{"ar4", 25, 298, "Fourth Assessment Report, 2007", "2018 to 2022"},
		{"ar5", 28, 265, "Fifth Assessment Report, 2013, without climate-carbon feedbacks", "2023"},
		{"ar6", 29.8, 273, "Sixth Assessment Report, 2021, fossil CH4", ""},
	}
}

// GWPPublished is the name of the CO2e that an edition publishes, whatever set is
// behind it.
const GWPPublished = "published"

// ParseGWP finds a set by its name, in any letter case. It returns
// [egrid.ErrInvalid] for another name.
func ParseGWP(name string) (GWP, error) {
	var names []string
	for _, g := range GWPs() {
		if strings.EqualFold(g.Name, strings.TrimSpace(name)) {
			return g, nil
		}
		names = append(names, g.Name)
	}
	return GWP{}, fmt.Errorf("%w: GWP %q is none of %s, %s", egrid.ErrInvalid, name, GWPPublished, strings.Join(names, ", "))
}

// maxGWPError is how far CO2e may be from what a vintage gives, in lb/MWh: plants
// whose biogenic gases are floored at 0 make a small difference.
const maxGWPError = 0.05

// fitGWP finds the set that CO2e follows from best, of the sums of a sheet: NaN for
// one that is not known.
func fitGWP(sum func(egrid.Column) float64) GWPFit {
	other := float64((sum(egrid.CO2e) - sum(egrid.CO2)) * 2000)
	ch4, n2o, generation := sum(egrid.CH4), sum(egrid.N2O), sum(egrid.NetGeneration)
	best := GWPFit{Error: math.Inf(1)}
	for _, g := range GWPs() {
		if e := math.Abs(other-float64(g.CH4*ch4)-float64(g.N2O*n2o)) / generation; e < best.Error {
			best = GWPFit{g, e}
		}
	}
	best.Error = significant(best.Error, 3)
	if math.IsInf(best.Error, 0) {
		return GWPFit{}
	}
	if best.Error > maxGWPError {
		best.GWP = GWP{}
	}
	return best
}

// GWPOf finds the set of global warming potentials that the CO2e of a US or ST sheet
// was computed with, as [Reconcile] does for an edition. The snapshot is published in
// db, or was. Without the columns that it takes, and where no set fits, the answer
// has no name. Errors: those of [store.DB.Groups].
func GWPOf(ctx context.Context, db *store.DB, s egrid.Snapshot) (GWPFit, error) {
	q := egrid.GroupQuery{Level: s.Level, Year: s.Year}
	for _, c := range []egrid.Column{egrid.CO2e, egrid.CO2, egrid.CH4, egrid.N2O, egrid.NetGeneration} {
		if s.Schema == nil || !s.Schema.Has(c) {
			return GWPFit{}, nil
		}
		q.Measures = append(q.Measures, egrid.Measure{Func: egrid.Sum, Column: c})
	}
	page, err := db.At(s.ID).Groups(ctx, q)
	if err != nil || page.Len() == 0 {
		return GWPFit{}, err
	}
	return fitGWP(func(c egrid.Column) float64 {
		x, ok := page.Row(0).Float(c)
		if !ok {
			return math.NaN()
		}
		return x
	}), nil
}
