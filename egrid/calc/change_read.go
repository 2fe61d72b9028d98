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
	from, err := readFactorSheets(ctx, db, &p.From)
	if err != nil {
		return nil, err
	}
	to, err := readFactorSheets(ctx, db, &p.To)
	if err != nil {
		return nil, err
	}
	d, err := CompareFactors(from, to)
	if err == nil && len(d.Changes) == 0 {
		err = fmt.Errorf("%w: %s and %s have no factors to compare: %s", egrid.ErrNotFound, &p.From, &p.To, strings.Join(append(d.Notes, "their sheets have no region in common."), " "))
	}
	return d, err
}

func readFactorSheets(ctx context.Context, db *store.DB, e *store.Edition) ([]Sheet, error) {
	regions, err := readSheets(ctx, db, e, RegionLevels(), nil)
	if err != nil {
		return nil, err
	}
	plants, err := readSheets(ctx, db, e, []egrid.Level{egrid.PLNT}, PlantColumns())
	return append(regions, plants...), err
}

// readSheets reads those sheets of an edition that are of some levels; of some columns,
// unless these are nil.
func readSheets(ctx context.Context, db *store.DB, e *store.Edition, levels []egrid.Level, columns []egrid.Column) ([]Sheet, error) {
	var sheets []Sheet
	for _, s := range e.Snapshots {
		if !slices.Contains(levels, s.Level) {
			continue
		}
		sheet, err := readSheet(ctx, db, s, columns)
		if err != nil {
			return nil, err
		}
		sheets = append(sheets, sheet)
	}
	return sheets, nil
}

func readSheet(ctx context.Context, db *store.DB, s egrid.Snapshot, columns []egrid.Column) (Sheet, error) {
	sheet := Sheet{Snapshot: s}
	for b, err := range db.Read(ctx, s, columns...) {
		if err != nil {
			return sheet, err
		}
		sheet.Rows = append(sheet.Rows, b)
	}
	return sheet, nil
}

// ReadPlantDifference reads the plants of two editions, and their generators, and
// compares them, see [ComparePlants]: it keeps the columns that it needs in memory.
// Errors: those of [store.DB.Read] and of ComparePlants.
func ReadPlantDifference(ctx context.Context, db *store.DB, p *store.Pair) (*PlantDifference, error) {
	columns := append(PlantRegions(), egrid.PlantCode, egrid.PlantName, egrid.NetGeneration, egrid.Generator, egrid.PrimeMover, yearOnline, egrid.NameplateCapacity)
	read := func(e *store.Edition) ([]Sheet, error) { return readSheets(ctx, db, e, PlantLevels(), columns) }
	from, err := read(&p.From)
	if err != nil {
		return nil, err
	}
	to, err := read(&p.To)
	if err != nil {
		return nil, err
	}
	return ComparePlants(from, to)
}

// ReadLevelDifferences compares the sheets of some levels that both editions have,
// column by column, see [CompareColumns]. It keeps the sheets of one level in memory at a
// time. Errors: those of [store.DB.Read], and [egrid.ErrNotFound] where the editions have
// none of the levels in common.
func ReadLevelDifferences(ctx context.Context, db *store.DB, p *store.Pair, levels ...egrid.Level) ([]LevelDifference, error) {
	var all []LevelDifference
	for _, level := range levels {
		from, known := p.From.Sheet(level)
		to, also := p.To.Sheet(level)
		if !known || !also {
			continue
		}
		d := LevelDifference{From: from, To: to}
		a, err := readSheet(ctx, db, from, nil)
		if err != nil {
			return nil, err
		}
		b, err := readSheet(ctx, db, to, nil)
		if err != nil {
			return nil, err
		}
		if d.Changes, d.Difference, err = CompareColumns(a, b); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	if all == nil {
		return nil, fmt.Errorf("%w: %s and %s have no level of %s in common", egrid.ErrNotFound, &p.From, &p.To, list(levels))
	}
	return all, nil
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
