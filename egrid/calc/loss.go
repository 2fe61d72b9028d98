package calc

import (
	"context"
	"fmt"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// The interconnects, as EPA's grid gross loss sheet names them.
const (
	alaska  = "Alaska"
	ercot   = "ERCOT"
	eastern = "Eastern"
	hawaii  = "Hawaii"
	western = "Western"
	allGrid = "U.S."
)

// interconnect returns the grid that a subregion or NERC region belongs to. Puerto
// Rico and what EPA calls NA have no row of their own: factors there take the US
// figure, as EPA's own tools do.
func interconnect(level egrid.Level, code string) string {
	grids := map[string][]string{
		alaska:  {"AKGD", "AKMS", "AK", "ASCC"},
		hawaii:  {"HIMS", "HIOA", "HI", "HICC"},
		ercot:   {"ERCT", "TRE", "ERCOT"},
		western: {"AZNM", "CAMX", "NWPP", "RMPA", "WECC"},
		eastern: {
			"FRCC", "MROE", "MROW", "NEWE", "NYCW", "NYLI", "NYUP", "RFCE", "RFCM", "RFCW", "SPNO", "SPSO", "SRMV", "SRMW", "SRSO", "SRTV", "SRVC",
			"MRO", "NPCC", "RFC", "SERC", "SPP",
		},
	}
	for _, name := range []string{alaska, hawaii, ercot, western, eastern} {
		if slices.Contains(grids[name], code) && (level == egrid.SRL || level == egrid.NRL) {
			return name
		}
	}
	return allGrid
}

// deliver adds the grid gross loss of the place's interconnect to a factor's inputs.
func (r *reader) deliver(ctx context.Context, f *Factor) error {
	sheet, ok, err := r.published(ctx, egrid.GGL)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: a delivered factor needs the GGL sheet (grid gross loss) of %s, which is not loaded", egrid.ErrNotFound, r.name())
	}
	grid, why, from, err := r.gridOf(ctx, f.Query)
	if err != nil {
		return err
	}
	for _, s := range from {
		if !slices.ContainsFunc(f.Snapshots, func(f egrid.Snapshot) bool { return f.ID == s.ID }) {
			f.Snapshots = append(slices.Clip(f.Snapshots), s)
		}
	}
	page, err := r.db.Rows(ctx, egrid.RowQuery{Level: egrid.GGL, Year: r.year, Release: r.release, Limit: 100})
	if err != nil {
		return err
	}
	met := false
	for row := range page.Rows() {
		if name := row.Text(egrid.Region); name != grid && (grid != allGrid || name != "US") {
			continue
		}
		if met {
			return severalRows(egrid.GGL, r.name(), grid)
		}
		met = true
		before := len(f.Inputs)
		for _, c := range lossParts {
			f.cell(row, sheet, c)
		}
		if len(f.Inputs) < before+len(lossParts) {
			for _, c := range lossParts {
				delete(f.Inputs, string(c))
			}
			f.cell(row, sheet, egrid.GridGrossLoss)
			if !slices.Contains(sheet.Lossy, egrid.GridGrossLoss) {
				f.round("The grid gross loss was published in rounded form.")
			}
		}
		f.Snapshots = append(slices.Clip(f.Snapshots), page.Snapshots...)
		f.Notes = append(f.Notes, why)
	}
	if met {
		return nil
	}
	return fmt.Errorf("%w: the GGL sheet of %s has no row %s", egrid.ErrNotFound, r.name(), grid)
}

var lossParts = []egrid.Column{"estimated_losses_mwh", "total_disposition_mwh", "direct_use_mwh"}

// lossFormula is the loss over what is sent out, in the inputs that there are.
func lossFormula(inputs map[string]Input) string {
	if _, whole := inputs[string(egrid.GridGrossLoss)]; whole {
		return string(egrid.GridGrossLoss)
	}
	return "estimated_losses_mwh / (total_disposition_mwh - direct_use_mwh)"
}

// gridOf finds the interconnect of a place, by the subregions of its plants where
// the level does not tell, and the snapshots that it was read from.
func (r *reader) gridOf(ctx context.Context, q FactorQuery) (grid, why string, from []egrid.Snapshot, err error) {
	if q.Level == egrid.US {
		return allGrid, "The grid gross loss is that of the United States.", nil, nil
	}
	if q.Level == egrid.SRL || q.Level == egrid.NRL {
		grid = interconnect(q.Level, q.Code)
		return grid, "The grid gross loss is that of " + grid + ".", nil, nil
	}
	plants, from, err := r.plants(ctx, q.Level, q.Code, q.Plants)
	if err != nil {
		return "", "", nil, err
	}
	grids := map[string]bool{}
	whose := "all of its plants"
	if plants != nil && plants.regions[egrid.SRL] != nil {
		of := plants.regions[egrid.SRL]
		for _, code := range of.codes {
			grids[interconnect(egrid.SRL, code)] = true
		}
		if slices.Contains(of.of, -1) {
			whose = "all of its plants that name a subregion"
		}
	}
	if len(grids) == 1 {
		for grid = range grids {
			return grid, "The grid gross loss is that of " + grid + ", to which " + whose + " belong.", from, nil
		}
	}
	if len(grids) == 0 {
		return allGrid, "The grid gross loss is that of the United States: which interconnect the place belongs to shows from its plants, which are not loaded.", from, nil
	}
	return allGrid, "The grid gross loss is that of the United States: the place has plants on several interconnects.", from, nil
}
