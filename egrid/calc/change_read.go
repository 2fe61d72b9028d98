package calc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// FactorLevels are the levels that factors are compared from: what to name in a
// [store.PairQuery] for [ReadFactorDifference].
func FactorLevels() []egrid.Level { return append(RegionLevels(), egrid.PLNT) }

// ReadFactorDifference reads the sheets of two editions and compares their factors,
// see [CompareFactors]. It keeps the sheets of regions in memory, and the columns of
// plants that formulas need. Errors: those of [store.DB.Read], and [egrid.ErrNotFound]
// where the two have no level in common.
func ReadFactorDifference(ctx context.Context, db *store.DB, p *store.Pair) (*FactorDifference, error) {
	from, err := readSheets(ctx, db, &p.From)
	if err != nil {
		return nil, err
	}
	to, err := readSheets(ctx, db, &p.To)
	if err != nil {
		return nil, err
	}
	d, err := CompareFactors(from, to)
	if err == nil && len(d.Changes) == 0 {
		err = fmt.Errorf("%w: %s and %s have no factors to compare: %s", egrid.ErrNotFound, &p.From, &p.To, strings.Join(append(d.Notes, "their sheets have no region in common."), " "))
	}
	return d, err
}

func readSheets(ctx context.Context, db *store.DB, e *store.Edition) ([]Sheet, error) {
	var sheets []Sheet
	for _, s := range e.Snapshots {
		if !slices.Contains(FactorLevels(), s.Level) {
			continue
		}
		var columns []egrid.Column
		if s.Level == egrid.PLNT {
			columns = PlantColumns()
		}
		sheet := Sheet{Snapshot: s}
		for b, err := range db.Read(ctx, s, columns...) {
			if err != nil {
				return nil, err
			}
			sheet.Rows = append(sheet.Rows, b)
		}
		sheets = append(sheets, sheet)
	}
	return sheets, nil
}

// CitePair is a line that names two editions, the snapshots that were compared and
// their files.
func CitePair(what string, from, to []egrid.Snapshot) string {
	return fmt.Sprintf("%s: %s, against %s.", what, citeEdition(from), citeEdition(to))
}

func citeEdition(of []egrid.Snapshot) string {
	if len(of) == 0 {
		return "nothing"
	}
	name := fmt.Sprintf("%s, eGRID%d", of[0].Authority, of[0].Year)
	if of[0].Release != "" {
		name += " " + of[0].Release
	}
	var parts []string
	for i := range of {
		var files []string
		for _, s := range of[i].Sources {
			files = append(files, strings.TrimSpace(s.Object+" "+s.Sheet))
		}
		state := ""
		if of[i].Status == egrid.Held {
			state = ", held and not published"
		}
		parts = append(parts, fmt.Sprintf("%s %s of %s%s", of[i].Level, of[i].ID, strings.Join(files, " and "), state))
	}
	return name + " (" + strings.Join(parts, "; ") + ")"
}
