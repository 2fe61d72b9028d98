package store

import (
	"context"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// eachGroup reads every group of a query.
func (v view) eachGroup(ctx context.Context, query egrid.GroupQuery, visit func(egrid.Row)) error {
	p, err := driver.PlanGroups(v.catalog, query)
	if err != nil {
		return err
	}
	p.Limit = 0
	all, err := v.collect(ctx, p)
	if err != nil {
		return err
	}
	for row := range all.Rows() {
		visit(row)
	}
	return nil
}

// sum fills a page with the plants summed by a column.
func (v *plantView) sum(ctx context.Context, by egrid.Column, query PlantQuery, page *PlantPage) error {
	groups, count := egrid.GroupQuery{}, func(egrid.Row) int64 { return 1 }
	source := by
	if by == egrid.FuelGroup && !v.snapshot.Schema.Has(egrid.FuelGroup) {
		source = egrid.Fuel
	}
	var err error
	if v.basis == egrid.GEN {
		if groups, err = v.generatorQuery(query); err != nil {
			return err
		}
		if source != "" {
			if source, err = v.generatorColumn("sum", source); err != nil {
				return err
			}
		}
		if source != "" && !slices.Contains(groups.By, source) {
			groups.By = append(slices.Clone(groups.By), source)
			groups.Measures = slices.DeleteFunc(groups.Measures, func(m egrid.Measure) bool { return m.Name() == source })
		}
	} else {
		groups = egrid.GroupQuery{
			Level: egrid.PLNT, Year: v.snapshot.Year, Search: query.Search,
			Measures: []egrid.Measure{{Func: egrid.Count, As: PlantCount}, {Func: egrid.Sum, Column: egrid.NetGeneration}, {Func: egrid.Sum, Column: egrid.NameplateCapacity}},
		}
		if groups.Filters, err = v.fuelFilters(query.Filters); err != nil {
			return err
		}
		if source != "" {
			groups.By = []egrid.Column{source}
		}
		count = func(row egrid.Row) int64 { n, _ := row.Int(PlantCount); return n }
	}
	sums := map[string]*plantSum{}
	counted := map[string]bool{}
	err = v.eachGroup(ctx, groups, func(row egrid.Row) {
		label := row.Value(source)
		if by != source {
			category, _ := egrid.FuelCategory(label.String())
			label = egrid.TextOf(category)
		}
		s := sums[label.String()]
		if s == nil {
			s = &plantSum{label: label}
			sums[label.String()] = s
		}
		// A plant with several fuels of one category is one plant of it.
		if key := v.keyOf(row) + label.String(); v.basis == egrid.PLNT || !counted[key] {
			counted[key] = true
			s.plants += count(row)
		}
		s.generation.add(row.Value(egrid.NetGeneration))
		s.capacity.add(row.Value(egrid.NameplateCapacity))
	})
	if err != nil {
		return err
	}
	rows := make([][]egrid.Value, 0, len(sums))
	for _, s := range sums {
		row := []egrid.Value{egrid.IntegerOf(s.plants), s.generation.value(), s.capacity.value()}
		if by != "" {
			row = append([]egrid.Value{s.label}, row...)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b []egrid.Value) int { return a[0].Compare(b[0]) })
	page.Total = int64(len(rows))
	page.Batch, err = egrid.BatchOf(sumSchema(by), page.Year, rows...)
	return err
}

type plantSum struct {
	label                egrid.Value
	plants               int64
	generation, capacity total
}

// total is a sum that is missing until a value is added.
type total struct {
	sum     float64
	present bool
}

func (t *total) add(v egrid.Value) {
	if x, ok := v.Float(); ok {
		t.sum, t.present = t.sum+x, true
	}
}

func (t total) value() egrid.Value {
	if !t.present {
		return egrid.Value{}
	}
	return egrid.SumOf(t.sum)
}

func sumSchema(by egrid.Column) *egrid.Schema {
	columns := []egrid.Column{PlantCount, egrid.NetGeneration, egrid.NameplateCapacity}
	if by != "" {
		columns = append([]egrid.Column{by}, columns...)
	}
	fields := make([]egrid.Field, len(columns))
	for i, c := range columns {
		f, ok := plantField(egrid.Snapshot{}, c)
		if !ok {
			f = egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text}
		}
		fields[i] = f
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // a plant answer is not summed by its own sums
	}
	return s
}

// eachPlantYear joins one answer for every data year, whose rows get the
// leading columns. absent is the error when no year has a row; nil is none.
func (db *DB) eachPlantYear(ctx context.Context, leading []egrid.Column, read func(v view, year int) (PlantPage, error), absent error) (egrid.RowPage, error) {
	v, err := db.view(ctx)
	if err != nil {
		return egrid.RowPage{}, err
	}
	all := egrid.RowPage{Revision: v.catalog.Revision}
	var builder *egrid.Builder
	for _, year := range PlantYears(v.catalog) {
		page, err := read(v, year)
		if err != nil {
			return egrid.RowPage{}, err
		}
		if builder == nil {
			builder = egrid.NewBuilder(leadingSchema(leading, page.Schema()), 0)
		}
		all.Snapshots = append(all.Snapshots, page.Snapshots...)
		for row := range page.Rows() {
			for i, f := range builder.Schema().Fields() {
				value := row.Value(f.Column)
				if f.Column == BasisColumn {
					value = egrid.TextOf(string(page.Basis))
				}
				if err := builder.Value(i, value); err != nil {
					return egrid.RowPage{}, err
				}
			}
			builder.EndRow(row.Number(), 0)
		}
	}
	if builder == nil {
		builder = egrid.NewBuilder(leadingSchema(leading, sumSchema("")), 0)
	}
	all.Batch = builder.Batch()
	all.Total = int64(all.Len())
	if all.Len() == 0 && absent != nil {
		return egrid.RowPage{}, absent
	}
	return all, nil
}

func leadingSchema(leading []egrid.Column, behind *egrid.Schema) *egrid.Schema {
	var fields []egrid.Field
	for _, c := range leading {
		f, _ := plantField(egrid.Snapshot{}, c)
		fields = append(fields, f)
	}
	for _, f := range behind.Fields() {
		if !slices.Contains(leading, f.Column) {
			fields = append(fields, f)
		}
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // names were made distinct above
	}
	return s
}
