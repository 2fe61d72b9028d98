package egrid

import (
	"context"
	"slices"
)

// eachGroup reads every group of a query, page by page.
func eachGroup(ctx context.Context, q Querier, query GroupQuery, visit func(row Row, revision int64)) error {
	const pageSize = 20000
	query.Limit, query.Cursor = pageSize, ""
	for {
		page, err := q.Groups(ctx, query)
		if err != nil {
			return err
		}
		for row := range page.Rows() {
			visit(row, page.Revision)
		}
		if query.Cursor = page.Next; query.Cursor == "" {
			return nil
		}
	}
}

// sum fills a page with the plants summed by a column.
func (v *plantView) sum(ctx context.Context, by Column, query PlantQuery, page *PlantPage) error {
	groups, count := GroupQuery{}, func(Row) int64 { return 1 }
	source := by
	if by == FuelGroup && !v.snapshot.Schema.Has(FuelGroup) {
		source = Fuel
	}
	var err error
	if v.basis == GEN {
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
			groups.Measures = slices.DeleteFunc(groups.Measures, func(m Measure) bool { return m.Name() == source })
		}
	} else {
		groups = GroupQuery{
			Level: PLNT, Year: v.snapshot.Year, Release: v.release, Search: query.Search,
			Measures: []Measure{{Func: Count, As: PlantCount}, {Func: Sum, Column: NetGeneration}, {Func: Sum, Column: NameplateCapacity}},
		}
		if groups.Filters, err = v.fuelFilters(query.Filters); err != nil {
			return err
		}
		if source != "" {
			groups.By = []Column{source}
		}
		count = func(row Row) int64 { n, _ := row.Int(PlantCount); return n }
	}
	sums := map[string]*plantSum{}
	counted := map[string]bool{}
	err = eachGroup(ctx, v.q, groups, func(row Row, revision int64) {
		if revision != page.Revision {
			page.Revision = mixedRevisions
		}
		label := row.Value(source)
		if by != source {
			category, _ := FuelCategory(label.String())
			label = TextOf(category)
		}
		s := sums[label.String()]
		if s == nil {
			s = &plantSum{label: label}
			sums[label.String()] = s
		}
		// A plant with several fuels of one category is one plant of it.
		if key := v.keyOf(row) + label.String(); v.basis == PLNT || !counted[key] {
			counted[key] = true
			s.plants += count(row)
		}
		s.generation.add(row.Value(NetGeneration))
		s.capacity.add(row.Value(NameplateCapacity))
	})
	if err != nil {
		return err
	}
	rows := make([][]Value, 0, len(sums))
	for _, s := range sums {
		row := []Value{IntegerOf(s.plants), s.generation.value(), s.capacity.value()}
		if by != "" {
			row = append([]Value{s.label}, row...)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b []Value) int { return a[0].Compare(b[0]) })
	page.Total = int64(len(rows))
	page.Batch, err = BatchOf(sumSchema(by), page.Year, rows...)
	return err
}

type plantSum struct {
	label                Value
	plants               int64
	generation, capacity total
}

// total is a sum that is missing until a value is added.
type total struct {
	sum     float64
	present bool
}

func (t *total) add(v Value) {
	if x, ok := v.Float(); ok {
		t.sum, t.present = t.sum+x, true
	}
}

func (t total) value() Value {
	if !t.present {
		return Value{}
	}
	return SumOf(t.sum)
}

func sumSchema(by Column) *Schema {
	columns := []Column{PlantCount, NetGeneration, NameplateCapacity}
	if by != "" {
		columns = append([]Column{by}, columns...)
	}
	fields := make([]Field, len(columns))
	for i, c := range columns {
		f, ok := plantField(Snapshot{}, c)
		if !ok {
			f = Field{Level: PLNT, Column: c, Type: Text}
		}
		fields[i] = f
	}
	s, err := NewSchema(fields...)
	if err != nil {
		panic(err) // a plant answer is not summed by its own sums
	}
	return s
}

// eachPlantYear joins one answer for every data year, whose rows get the
// leading columns. absent is the error when no year has a row; nil is none.
func eachPlantYear(ctx context.Context, q Querier, leading []Column, read func(year int) (PlantPage, error), absent error) (RowPage, error) {
	catalog, err := q.Catalog(ctx)
	if err != nil {
		return RowPage{}, err
	}
	all := RowPage{Revision: catalog.Revision}
	var builder *Builder
	for _, year := range catalog.PlantYears() {
		page, err := read(year)
		if err != nil {
			return RowPage{}, err
		}
		if builder == nil {
			builder = NewBuilder(leadingSchema(leading, page.Schema()), 0)
		}
		all.Revision = max(all.Revision, page.Revision)
		for row := range page.Rows() {
			for i, f := range builder.Schema().fields {
				value := row.Value(f.Column)
				if f.Column == BasisColumn {
					value = TextOf(string(page.Basis))
				}
				if err := builder.Value(i, value); err != nil {
					return RowPage{}, err
				}
			}
			builder.EndRow(row.Number(), 0)
		}
	}
	if builder == nil {
		builder = NewBuilder(leadingSchema(leading, sumSchema("")), 0)
	}
	all.Batch = builder.Batch()
	all.Total = int64(all.Len())
	if all.Len() == 0 && absent != nil {
		return RowPage{}, absent
	}
	return all, nil
}

func leadingSchema(leading []Column, behind *Schema) *Schema {
	var fields []Field
	for _, c := range leading {
		f, _ := plantField(Snapshot{}, c)
		fields = append(fields, f)
	}
	for _, f := range behind.fields {
		if !slices.Contains(leading, f.Column) {
			fields = append(fields, f)
		}
	}
	s, err := NewSchema(fields...)
	if err != nil {
		panic(err) // names were made distinct above
	}
	return s
}
