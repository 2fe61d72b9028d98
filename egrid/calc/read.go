package calc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// reader reads the sheets of one edition from one state of a DB.
type reader struct {
	db      *store.DB
	year    int
	release string // as queries name it: NoRelease for the unmarked one
	kept    *Answers
}

// edition decides which edition answers a query: the newest that has a sheet of
// one of the levels, the first of them where editions are equally new. It returns
// the level that it found.
func (r *reader) edition(ctx context.Context, year int, release string, levels ...egrid.Level) (egrid.Level, error) {
	c, err := r.db.Catalog(ctx)
	if err != nil {
		return "", err
	}
	var found egrid.Snapshot
	var problem error
	for _, level := range levels {
		s, err := driver.SelectSnapshots(c, level, year, release)
		switch {
		case errors.Is(err, egrid.ErrNotFound):
			problem = also(problem, err)
		case err != nil:
			return "", err
		case len(s) > 0 && s[len(s)-1].Year > found.Year:
			found = s[len(s)-1]
		}
	}
	if found.Year == 0 {
		if problem != nil {
			return "", problem
		}
		return "", fmt.Errorf("%w: no sheet of %s is published", egrid.ErrNotFound, list(levels))
	}
	r.year, r.release = found.Year, found.Release
	if r.release == "" {
		r.release = egrid.NoRelease
	}
	return found.Level, nil
}

// also adds what another error says, on the same line.
func also(problem, err error) error {
	if problem == nil {
		return err
	}
	return fmt.Errorf("%w; %s", problem, strings.TrimPrefix(err.Error(), egrid.ErrNotFound.Error()+": "))
}

// foreign notes sheets whose figures are not in the units that they were
// published in.
func foreign(snapshots []egrid.Snapshot) (notes []string) {
	for i := range snapshots {
		if s := &snapshots[i]; s.Units != "" && s.Units != egrid.DefaultUnits {
			notes = append(notes, fmt.Sprintf("The %s sheet was published in %s units: its figures, the published ones too, were converted.", s.Level, s.Units))
		}
	}
	return notes
}

// published returns the edition's sheet of a level.
func (r *reader) published(ctx context.Context, level egrid.Level) (egrid.Snapshot, bool, error) {
	c, err := r.db.Catalog(ctx)
	if err != nil {
		return egrid.Snapshot{}, false, err
	}
	release := r.release
	if release == egrid.NoRelease {
		release = ""
	}
	s, ok := c.Published(level, r.year, release)
	return s, ok, nil
}

// region reads a region's row. It returns [egrid.ErrNotFound] with the codes that
// there are, the one that was probably meant first; errors of [OneRow].
func (r *reader) region(ctx context.Context, level egrid.Level, code string) (egrid.RowPage, error) {
	column, _ := regionColumn(level)
	page, err := r.one(ctx, level, column, code)
	if err == nil && page.Len() == 0 {
		err = r.noRegion(ctx, level, code)
	}
	return page, err
}

// one reads the row that has a code in a column, or of a sheet of one row where the
// column is empty. The page is empty where there is none.
func (r *reader) one(ctx context.Context, level egrid.Level, column egrid.Column, code string) (egrid.RowPage, error) {
	q := egrid.RowQuery{Level: level, Year: r.year, Release: r.release, Limit: 2}
	if column != "" {
		q.Filters = []egrid.Filter{egrid.Where(column, egrid.Eq, code)}
	}
	page, err := r.db.Rows(ctx, q)
	if err == nil {
		err = OneRow(&page, level, code)
	}
	return page, err
}

// OneRow returns [egrid.ErrConflict] where a page for one place has several rows: a sheet
// that was published in spite of its audits. No row of them is taken for the right one.
func OneRow(page *egrid.RowPage, level egrid.Level, code string) error {
	if page.Len() < 2 || len(page.Snapshots) == 0 {
		return nil
	}
	return severalRows(level, "eGRID "+editionName(page.Snapshots[0].Year, page.Snapshots[0].Release), code)
}

func severalRows(level egrid.Level, edition, code string) error {
	return fmt.Errorf("%w: the %s sheet of %s has several rows for %s, and nothing tells which of them is right; load a sheet that has one",
		egrid.ErrConflict, level, edition, strings.TrimSpace(level.Title()+" "+code))
}

func (r *reader) noRegion(ctx context.Context, level egrid.Level, code string) error {
	column, named := regionColumn(level)
	if !named {
		return fmt.Errorf("%w: the %s sheet of %s has no row", egrid.ErrNotFound, level, r.name())
	}
	page, err := r.db.Rows(ctx, egrid.RowQuery{
		Level: level, Year: r.year, Release: r.release, Columns: []egrid.Column{column}, Limit: 1000,
	})
	if err != nil {
		return err
	}
	var codes []string
	for row := range page.Rows() {
		codes = append(codes, row.Text(column))
	}
	slices.Sort(codes)
	hint := ""
	if meant := egrid.Nearest(code, codes); meant != "" {
		hint = "did you mean " + meant + "? "
	}
	return fmt.Errorf("%w: no %s %s in %s; %sthere are %s", egrid.ErrNotFound, level.Title(), code, r.name(), hint, strings.Join(codes, ", "))
}

// name is the edition in words.
func (r *reader) name() string {
	if r.release == egrid.NoRelease {
		return fmt.Sprintf("eGRID %d", r.year)
	}
	return fmt.Sprintf("eGRID %d %s", r.year, r.release)
}

// plants reads plants of the edition: those of a region, or those of the ids. of
// names the columns to read beside those that tell of regions and weights. It returns
// nil where the edition has no sheet of plants, or none that tells which are meant.
func (r *reader) plants(ctx context.Context, level egrid.Level, code string, ids []string, of ...egrid.Column) (*Plants, []egrid.Snapshot, error) {
	s, ok, err := r.published(ctx, egrid.PLNT)
	if err != nil || !ok {
		return nil, nil, err
	}
	filter := egrid.PlantCode
	if ids == nil {
		filter, _ = regionColumn(level)
	}
	if filter != "" && !s.Schema.Has(filter) {
		return nil, nil, nil
	}
	snapshots := []egrid.Snapshot{s}
	if r.kept != nil {
		all, sheet, err := r.kept.sheet(ctx, r, &s, of)
		of = append(slices.Clone(of), egrid.NetGeneration) // which notes compare
		switch {
		case err != nil:
			return nil, nil, err
		case filter == "":
			return all, snapshots, nil
		case ids == nil:
			return all.pick(all.inRegion(level, code), of), snapshots, nil
		}
		var rows []int32
		for _, id := range ids {
			rows = append(rows, sheet.rows[id]...)
		}
		slices.Sort(rows)
		return all.pick(slices.Compact(rows), of), snapshots, nil
	}
	var filters []egrid.Filter
	if filter != "" {
		if ids == nil {
			ids = []string{code}
		}
		filters = []egrid.Filter{egrid.Where(filter, egrid.Eq, ids...)}
	}
	batches, err := r.plantRows(ctx, &s, append(contextColumns(), of...), filters)
	if err != nil {
		return nil, nil, err
	}
	p, err := readPlants(batches, of)
	if err == nil && filter != "" {
		p.fillBlanks()
	}
	return p, snapshots, err
}
