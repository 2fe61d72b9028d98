package store

import (
	"context"
	"iter"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
)

// filling is what a sheet of plants lacks and generators know, by ORIS code: what a
// plant is and where, but no figures.
type filling struct {
	columns []egrid.Column // that the sheet lacks; with gaps, none when there is nothing to fill in
	gaps    []egrid.Column // that it has, but not in every row
	from    egrid.Snapshot
}

func (f *filling) size() int { return len(f.columns) + len(f.gaps) }

// fillingOf finds the sheet of generators that knows most of what a sheet of plants
// lacks: of the same release if it can be, else of the newest.
func fillingOf(c egrid.Catalog, plants *egrid.Snapshot) filling {
	var best filling
	if plants.Level != egrid.PLNT || !plants.Schema.Has(egrid.PlantCode) {
		return best
	}
	for i := range c.Snapshots {
		s := &c.Snapshots[i]
		if s.Level != egrid.GEN || s.Year != plants.Year || s.Status != egrid.Published || !s.Schema.Has(egrid.PlantCode) {
			continue
		}
		this := filling{from: *s}
		for _, c := range driver.PlaceColumns() {
			switch {
			case !s.Schema.Has(c):
			case !plants.Schema.Has(c):
				this.columns = append(this.columns, c)
			case plants.Gaps[c] > 0:
				this.gaps = append(this.gaps, c)
			}
		}
		newer := s.Release == plants.Release || best.from.Release != plants.Release && egrid.CompareReleases(s.Release, best.from.Release) > 0
		if this.size() > best.size() || this.size() == best.size() && this.size() > 0 && newer {
			best = this
		}
	}
	return best
}

// apply returns a view of the sheet of plants with its new columns.
func (f *filling) apply(all view, plants *egrid.Snapshot) (view, egrid.Snapshot, error) {
	fields := plants.Schema.Fields()
	for _, c := range f.columns {
		field, _ := plantField(egrid.Snapshot{}, c)
		fields = append(fields, field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		return all, *plants, err
	}
	wide := *plants
	wide.Schema = schema
	v := all.at(wide)
	v.scanner = &filledScanner{Scanner: all.scanner, plants: *plants, filling: *f, catalog: v.catalog}
	return v, wide, nil
}

// filledScanner scans a sheet of plants that is filled in from generators. It reads
// the columns that a plan needs and executes the plan itself: what is filled in can
// be filtered, sorted and summed by like everything else.
type filledScanner struct {
	driver.Scanner
	plants egrid.Snapshot
	filling
	catalog egrid.Catalog
}

func (s *filledScanner) Catalog(context.Context) (egrid.Catalog, error) { return s.catalog, nil }

func (s *filledScanner) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		table, err := s.table(ctx, engine.Needed(p))
		if err != nil {
			yield(nil, err)
			return
		}
		engine.Scan(ctx, p, func(egrid.Snapshot) *engine.Table { return table })(yield)
	}
}

func (s *filledScanner) table(ctx context.Context, needed []egrid.Column) (*engine.Table, error) {
	own := []egrid.Column{egrid.PlantCode}
	var fields []egrid.Field
	for _, c := range needed {
		switch {
		case slices.Contains(s.columns, c), slices.Contains(s.gaps, c):
			f, _ := plantField(egrid.Snapshot{}, c)
			if at := s.plants.Schema.Index(c); at >= 0 {
				f = s.plants.Schema.Field(at)
				own = append(own, c)
			}
			fields = append(fields, f)
		case !slices.Contains(own, c) && s.plants.Schema.Has(c):
			own = append(own, c)
		}
	}
	source := view{scanner: s.Scanner}
	plants, err := source.at(s.plants).every(ctx, egrid.RowQuery{Level: egrid.PLNT, Columns: own})
	if err != nil || len(fields) == 0 {
		return engine.NewTable([]*egrid.Batch{plants}, needed), err
	}
	known, err := s.known(ctx, fields)
	if err != nil {
		return nil, err
	}
	more, err := fillIn(plants, fields, known)
	if err != nil {
		return nil, err
	}
	all := plants.Schema().Fields()
	from := make([]int, len(all))
	for i := range from {
		from[i] = i
	}
	for i, f := range fields { // in the place of the column with gaps, or behind the others
		if at := plants.Schema().Index(f.Column); at >= 0 {
			from[at] = plants.Schema().Len() + i
			continue
		}
		all, from = append(all, f), append(from, plants.Schema().Len()+i)
	}
	schema, err := egrid.NewSchema(all...)
	if err != nil {
		return nil, err
	}
	return engine.NewTable([]*egrid.Batch{plants.Project(schema, from, more)}, needed), nil
}

// known are the values that generators have, by ORIS code.
func (s *filledScanner) known(ctx context.Context, fields []egrid.Field) (map[string][]egrid.Value, error) {
	groups := egrid.GroupQuery{Level: egrid.GEN, By: []egrid.Column{egrid.PlantCode}}
	for i := range fields {
		groups.Measures = append(groups.Measures, egrid.Measure{Func: egrid.Min, Column: fields[i].Column})
	}
	known := map[string][]egrid.Value{}
	source := view{scanner: s.Scanner}
	for b, err := range source.at(s.from).groupBatches(ctx, groups) {
		if err != nil {
			return nil, err
		}
		for row := range b.Rows() {
			if code := row.Text(egrid.PlantCode); code != "" {
				known[code] = row.Values()[1:]
			}
		}
	}
	return known, nil
}

// fillIn makes the columns beside the rows of plants: what the sheet has itself, else
// what generators know.
func fillIn(plants *egrid.Batch, fields []egrid.Field, known map[string][]egrid.Value) (*egrid.Batch, error) {
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		return nil, err
	}
	builder := egrid.NewBuilder(schema, plants.Year())
	for row := range plants.Rows() {
		others := known[row.Text(egrid.PlantCode)]
		for i, f := range fields {
			value := row.Value(f.Column)
			if value.IsMissing() && others != nil {
				value = others[i]
			}
			if err := builder.Value(i, value); err != nil {
				return nil, err
			}
		}
		builder.EndRow(row.Number(), 0)
	}
	return builder.Batch(), nil
}
