package calc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Adjustment says what of a plant's emissions a factor leaves out. EPA takes two parts
// out of what a plant emits: that of biomass, and then, of a plant that makes heat, too,
// (CHP), that of the useful heat.
type Adjustment string

// The adjustments. The columns are those of the PLNT sheet, by EPA's codes.
const (
	AsPublished     Adjustment = "published"  // both parts are left out: CO2 is PLCO2AN
	Unadjusted      Adjustment = "unadjusted" // nothing is: UNCO2
	BiomassAdjusted Adjustment = "biomass"    // that of biomass: UNCO2 - BIOCO2
	CHPAdjusted     Adjustment = "chp"        // that of useful heat: UNCO2 - CHPCO2
)

// Adjustments returns the adjustments, that of the published figures first.
func Adjustments() []Adjustment {
	return []Adjustment{AsPublished, Unadjusted, BiomassAdjusted, CHPAdjusted}
}

// part is what an adjustment takes out, by the beginning of the columns' names.
func (a Adjustment) part() string {
	switch a {
	case BiomassAdjusted:
		return "biomass_"
	case CHPAdjusted:
		return "chp_adjustment_"
	}
	return ""
}

// adjusted reports whether a query asks for another adjustment than the published one.
func (q *FactorQuery) adjusted() bool { return q.Adjustment != "" && q.Adjustment != AsPublished }

func (q *FactorQuery) normalizeAdjustment() error {
	q.Adjustment = Adjustment(strings.ToLower(strings.TrimSpace(string(q.Adjustment))))
	if q.Adjustment == "" {
		q.Adjustment = AsPublished
	}
	if !slices.Contains(Adjustments(), q.Adjustment) {
		return fmt.Errorf("%w: adjustment %q is none of %s", egrid.ErrInvalid, q.Adjustment, list(Adjustments()))
	}
	return nil
}

// emitted are the terms above the line, of plants, signed.
func (q *FactorQuery) emitted() []mass {
	masses := q.masses()
	if !q.adjusted() {
		return masses
	}
	var all []mass
	for _, m := range masses {
		all = append(all, mass{m.gas, "unadjusted_" + m.column, m.times})
		if part := q.Adjustment.part(); part != "" {
			all = append(all, mass{m.gas, egrid.Column(part) + m.column, -m.times})
		}
	}
	return all
}

// per are the terms below the line, of plants, signed. Generation is what it is,
// whatever emissions are left out; heat input is adjusted for useful heat alone.
func (q *FactorQuery) per() []mass {
	whole := q.Kind.whole()
	if !q.adjusted() || q.Kind != HeatInput {
		return []mass{{column: whole, times: 1}}
	}
	all := []mass{{column: "unadjusted_" + whole, times: 1}}
	if q.Adjustment == CHPAdjusted {
		all = append(all, mass{column: egrid.Column(q.Adjustment.part()) + whole, times: -1})
	}
	return all
}

// withYears writes columns with the data years that have them.
func withYears(columns []egrid.Column) string {
	var words []string
	for _, c := range columns {
		f, _ := egrid.Lookup(egrid.PLNT, string(c))
		var years []string
		for _, y := range f.Editions {
			years = append(years, fmt.Sprint(y))
		}
		words = append(words, fmt.Sprintf("%s (%s; in editions of %s)", c, f.Code, strings.Join(years, ", ")))
	}
	return strings.Join(words, ", ")
}

// adjustedFactor computes a factor whose emissions are adjusted otherwise than the
// published ones: of plants, for region sheets have no such columns.
func (r *reader) adjustedFactor(ctx context.Context, q FactorQuery) (Factor, error) {
	f, plants, err := r.factorOfPlants(ctx, q)
	var lack *plantsLack
	if errors.As(err, &lack) {
		return Factor{}, fmt.Errorf("%w: emissions with adjustment %s are summed from plants: %s", egrid.ErrNotFound, q.Adjustment, lack.why)
	}
	if err != nil {
		return Factor{}, err
	}
	if q.Adjustment == CHPAdjusted {
		f.Notes = append(f.Notes, "EPA's adjustment for useful heat is of what is left when biomass is taken out: of a plant that burns biomass and makes heat, the heat's part of the biomass stays in.")
	}
	if q.Plants != nil {
		return f, nil
	}
	page, err := r.region(ctx, q.Level, q.Code)
	switch {
	case errors.Is(err, egrid.ErrNotFound):
		f.Notes = append(f.Notes, fmt.Sprintf("It is of the %d plants that the PLNT sheet has of the place. No %s sheet of %s is loaded, which would tell whether these are all.", plants.Len(), q.Level, r.name()))
	case err != nil:
		return Factor{}, err
	default:
		f.Name = regionName(q.Level, page.Row(0))
		f.Snapshots = append(slices.Clip(f.Snapshots), page.Snapshots...)
		f.compare(plants, page)
	}
	return f, nil
}
