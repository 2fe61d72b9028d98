package store

import (
	"context"
	"iter"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// groupBatches reads every group of a query.
func (v view) groupBatches(ctx context.Context, query egrid.GroupQuery) iter.Seq2[*egrid.Batch, error] {
	p, err := driver.PlanGroups(v.catalog, query)
	if err != nil {
		return func(yield func(*egrid.Batch, error) bool) { yield(nil, err) }
	}
	p.Limit = 0
	return v.scanner.Scan(ctx, p)
}

// sum fills a page with the plants summed by a column.
func (v *plantView) sum(ctx context.Context, by egrid.Column, query PlantQuery, page *PlantPage) error {
	source := by
	if by == egrid.FuelCategoryColumn && !v.snapshot.Schema.Has(egrid.FuelCategoryColumn) {
		source = egrid.Fuel
	}
	sums := plantTotals{key: v.key, categories: by != source, of: map[egrid.Value]*plantSum{}}
	groups, source, err := v.sumQuery(source, query)
	if err != nil {
		return err
	}
	for b, err := range v.groupBatches(ctx, groups) {
		if err != nil {
			return err
		}
		sums.add(b, source)
	}
	rows := make([][]egrid.Value, 0, len(sums.of))
	for label, s := range sums.of {
		row := []egrid.Value{egrid.IntegerOf(s.plants), s.generation.value(), s.capacity.value()}
		if by != "" {
			row = append([]egrid.Value{label}, row...)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b []egrid.Value) int { return a[0].Compare(b[0]) })
	page.Total = int64(len(rows))
	page.Batch, err = egrid.BatchOf(sumSchema(by), page.Year, rows...)
	return err
}

// sumQuery asks for the groups that sums by a column are made of: on the basis
// GEN one for each plant and value, on the basis PLNT one for each value. It
// returns the column as the sheet names it.
func (v *plantView) sumQuery(by egrid.Column, query PlantQuery) (groups egrid.GroupQuery, source egrid.Column, err error) {
	if v.basis == egrid.PLNT {
		groups = egrid.GroupQuery{
			Level: egrid.PLNT, Year: v.snapshot.Year, Search: query.Search,
			Measures: []egrid.Measure{{Func: egrid.Count, As: PlantCount}, {Func: egrid.Sum, Column: egrid.NetGeneration}, {Func: egrid.Sum, Column: egrid.NameplateCapacity}},
		}
		if by != "" {
			groups.By = []egrid.Column{by}
		}
		groups.Filters, err = v.fuelFilters(query.Filters)
		return groups, by, err
	}
	if groups, err = v.generatorQuery(query); err != nil {
		return groups, "", err
	}
	if by != "" {
		if by, err = v.generatorColumn("sum", by); err != nil {
			return groups, "", err
		}
		if !slices.Contains(groups.By, by) {
			groups.By = append(slices.Clone(groups.By), by)
		}
	}
	groups.Measures = slices.DeleteFunc(groups.Measures, func(m egrid.Measure) bool {
		wanted := m.Name() == egrid.NetGeneration || m.Name() == egrid.NameplateCapacity
		return !wanted && !slices.ContainsFunc(groups.Having, func(f egrid.Filter) bool { return f.Column == m.Name() })
	})
	return groups, by, nil
}

// plantTotals adds up groups by their label: the value of a column, or the category
// of the fuel that it holds.
type plantTotals struct {
	key        []egrid.Column // what tells plants apart on the basis GEN
	categories bool
	of         map[egrid.Value]*plantSum

	plant []string    // key of the plant that came last
	met   []*plantSum // sums that it counts in
}

type plantSum struct {
	plants               int64
	generation, capacity total
}

// add adds a batch of the groups of sumQuery.
func (p *plantTotals) add(b *egrid.Batch, by egrid.Column) {
	vector := func(c egrid.Column) *egrid.Vector {
		if i := b.Schema().Index(c); i >= 0 {
			return b.Column(i)
		}
		return nil
	}
	plants, generation, capacity := vector(PlantCount), vector(egrid.NetGeneration), vector(egrid.NameplateCapacity)
	label := vector(by)
	var sums []*plantSum // by code of the label
	if label != nil {
		sums = make([]*plantSum, label.Entries())
	}
	key := make([]*egrid.Vector, len(p.key))
	for i, c := range p.key {
		key[i] = vector(c)
	}
	for i := range b.Len() {
		s := p.labelled(label, i, sums)
		switch {
		case plants != nil:
			n, _ := plants.Int(i)
			s.plants += n
		case !p.categories || p.meets(key, i, s):
			s.plants++
		}
		s.generation.add(generation.Float(i))
		s.capacity.add(capacity.Float(i))
	}
}

// labelled returns the sum of a group.
func (p *plantTotals) labelled(label *egrid.Vector, i int, known []*plantSum) *plantSum {
	value, code := egrid.Value{}, -1
	if label != nil {
		if code = label.Code(i); code >= 0 && known[code] != nil {
			return known[code]
		}
		value = label.Value(i)
	}
	if p.categories {
		category, _ := egrid.FuelCategory(value.String())
		value = egrid.TextOf(category)
	}
	s := p.of[value]
	if s == nil {
		s = &plantSum{}
		p.of[value] = s
	}
	if code >= 0 {
		known[code] = s
	}
	return s
}

// meets reports whether a plant meets a sum for the first time: with several
// fuels of one category it is one plant of it. Groups of a plant come one after
// the other.
func (p *plantTotals) meets(key []*egrid.Vector, i int, s *plantSum) bool {
	same := len(p.plant) > 0
	for k, v := range key {
		same = same && v.Text(i) == p.plant[k]
	}
	if !same {
		p.plant, p.met = p.plant[:0], p.met[:0]
		for _, v := range key {
			p.plant = append(p.plant, v.Text(i))
		}
	}
	if slices.Contains(p.met, s) {
		return false
	}
	p.met = append(p.met, s)
	return true
}

// total is a sum that is missing until a value is added.
type total struct {
	sum     float64
	present bool
}

func (t *total) add(x float64, ok bool) {
	if ok {
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
				value, ok := page.column(f.Column)
				if !ok {
					value = row.Value(f.Column)
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

// column is a column of rows that says what they are from.
func (s *PlantSource) column(c egrid.Column) (egrid.Value, bool) {
	switch c {
	case BasisColumn:
		return egrid.TextOf(string(s.Basis)), true
	case egrid.ReleaseColumn:
		return egrid.TextOf(s.Release), true
	case ShareBasis:
		return egrid.TextOf(string(s.Shares.Level)), true
	case ShareRelease:
		return egrid.TextOf(s.Shares.Release), true
	}
	return egrid.Value{}, false
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
