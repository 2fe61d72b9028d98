package egrid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// plantSums are the columns that are summed over a plant's generators.
var plantSums = []Column{NameplateCapacity, NetGeneration, OzoneSeasonGeneration}

// plantView is the plant view of one data year and release.
type plantView struct {
	q        Querier
	revision int64
	basis    Level
	snapshot Snapshot
	release  string   // as asked for
	key      []Column // what tells plants apart
}

// newPlantView chooses the basis. It takes the data year from the cursor when
// the query leaves it open, so that all pages of an answer are of one year.
func newPlantView(q Querier, catalog Catalog, query *PlantQuery) (*plantView, error) {
	v := &plantView{q: q, revision: catalog.Revision, release: query.Release}
	if query.Year < 0 {
		return v, fmt.Errorf("%w: plants are answered for one data year, not for %d", ErrInvalid, query.Year)
	}
	var from Level
	if query.Cursor != "" {
		var err error
		if from, err = query.openCursor(); err != nil {
			return v, err
		}
	}
	var absent error
	for _, level := range []Level{PLNT, GEN} {
		found, err := catalog.selectSnapshots(level, query.Year, query.Release)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return v, err
		}
		absent = cmp.Or(absent, err)
		if len(found) == 1 && found[0].Year > v.snapshot.Year {
			v.basis, v.snapshot = level, found[0]
		}
	}
	if v.basis == "" && absent != nil {
		what := "no plants"
		if query.Year > 0 {
			what += fmt.Sprintf(" of data year %d", query.Year)
		}
		if query.Release != "" {
			what += " in release " + query.Release
		}
		return v, fmt.Errorf("%w: %s are published; data years with plants: %s", ErrNotFound, what, strings.Trim(fmt.Sprint(catalog.PlantYears()), "[]"))
	}
	if from != "" && from != v.basis {
		return v, fmt.Errorf("%w: plants of data year %d are read from another sheet since; start again from the first page", ErrStale, query.Year)
	}
	v.key = []Column{PlantCode}
	if v.basis != "" && !v.snapshot.Schema.Has(PlantCode) {
		v.key = []Column{State, PlantName}
	}
	return v, nil
}

// A cursor of the plant view is that of the rows or groups behind it, with the
// basis and the data year in front: GEN2023.xyz.
func (query *PlantQuery) openCursor() (Level, error) {
	head, inner, ok := strings.Cut(query.Cursor, ".")
	digits := strings.IndexAny(head, "0123456789")
	if !ok || digits < 0 {
		return "", errCursor
	}
	level := Level(head[:digits])
	year, err := strconv.Atoi(head[digits:])
	if err != nil || inner == "" || level != PLNT && level != GEN || query.Year != 0 && query.Year != year || CheckYear(year) != nil {
		return "", errCursor
	}
	query.Year, query.Cursor = year, inner
	return level, nil
}

func (v *plantView) sealCursor(inner string) string {
	if inner == "" {
		return ""
	}
	return fmt.Sprintf("%s%d.%s", v.basis, v.snapshot.Year, inner)
}

func (v *plantView) empty() PlantPage {
	page := PlantPage{Basis: v.basis, Year: v.snapshot.Year, Release: v.snapshot.Release}
	page.Batch = NewBuilder(plantSchema(Snapshot{}, PlantColumns()), page.Year).Batch()
	page.Revision = v.revision
	return page
}

// everyColumn returns the columns of the view's sheet and those that the view
// adds.
func (v *plantView) everyColumn() []Column {
	if v.basis == GEN {
		return append(PlantColumns(), OzoneSeasonGeneration)
	}
	columns := v.snapshot.Schema.Columns()
	for _, c := range []Column{PlantName, PlantCode, State, Fuel, FuelGroup, NetGeneration, StateShare} {
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// plantField describes a column of a plant answer.
func plantField(snapshot Snapshot, c Column) (Field, bool) {
	switch c {
	case PlantID:
		return Field{Level: PLNT, Column: c, Type: Text, Description: "Identifies the plant: its ORIS code or, where the sheet has none, state~name."}, true
	case StateShare:
		return Field{Level: PLNT, Column: c, Type: Number, Unit: "fraction", Description: "Share of the state's net generation."}, true
	case PlantCount:
		return Field{Level: PLNT, Column: c, Type: Integer, Description: "Number of plants."}, true
	case BasisColumn:
		return Field{Level: PLNT, Column: c, Type: Text, Description: "Level that the plants are read from: PLNT, or GEN where they are summed from generators."}, true
	}
	if snapshot.Schema != nil {
		if i := snapshot.Schema.Index(c); i >= 0 {
			return snapshot.Schema.fields[i], true
		}
	}
	for _, level := range []Level{PLNT, GEN} {
		if f, ok := Lookup(level, string(c)); ok {
			return f, true
		}
	}
	i := slices.IndexFunc(contextFields(PLNT), func(f Field) bool { return f.Column == c })
	if i < 0 {
		return Field{}, false
	}
	return contextFields(PLNT)[i], true
}

// plantSchema is that of an answer with columns that are known to exist.
func plantSchema(snapshot Snapshot, columns []Column) *Schema {
	id, _ := plantField(snapshot, PlantID)
	fields := []Field{id}
	for _, c := range columns {
		f, _ := plantField(snapshot, c)
		if f.Column != PlantID {
			fields = append(fields, f)
		}
	}
	s, err := NewSchema(fields...)
	if err != nil {
		panic(err) // names are distinct
	}
	return s
}

func (v *plantView) page(ctx context.Context, query PlantQuery) (PlantPage, error) {
	columns, err := v.resolveColumns(query.Columns)
	if err != nil {
		return PlantPage{}, err
	}
	var rows RowPage
	if v.basis == PLNT {
		rows, err = v.plantRows(ctx, query, columns)
	} else {
		rows, err = v.generatorSums(ctx, query)
	}
	if err != nil {
		return PlantPage{}, err
	}
	page := PlantPage{RowPage: rows, Basis: v.basis, Year: v.snapshot.Year, Release: v.snapshot.Release}
	page.Next = v.sealCursor(rows.Next)
	extra, err := v.extras(ctx, query, columns, &page)
	if err != nil {
		return PlantPage{}, err
	}
	builder := NewBuilder(plantSchema(v.snapshot, columns), page.Year)
	for row := range rows.Rows() {
		for j, f := range builder.Schema().fields {
			if err := builder.Value(j, v.value(row, f.Column, extra)); err != nil {
				return PlantPage{}, err
			}
		}
		builder.EndRow(row.Number(), 0)
	}
	page.Batch = builder.Batch()
	return page, nil
}

// resolveColumns turns the asked-for names into columns.
func (v *plantView) resolveColumns(names []Column) ([]Column, error) {
	if len(names) == 0 {
		return PlantColumns(), nil
	}
	var columns []Column
	for _, name := range names {
		f, ok := plantField(v.snapshot, name)
		if !ok {
			return nil, fmt.Errorf("%w: plants have no column %q; the dictionary lists them", ErrInvalid, name)
		}
		if !slices.Contains(columns, f.Column) && f.Column != PlantID {
			columns = append(columns, f.Column)
		}
	}
	return columns, nil
}

func (v *plantView) plantRows(ctx context.Context, query PlantQuery, columns []Column) (RowPage, error) {
	rows := RowQuery{
		Level: PLNT, Year: v.snapshot.Year, Release: v.release, Search: query.Search, Sort: query.Sort,
		Limit: query.Limit, Cursor: query.Cursor, Count: query.Count,
	}
	var err error
	if rows.Filters, err = v.fuelFilters(query.Filters); err != nil {
		return RowPage{}, err
	}
	for _, c := range append([]Column{State, PlantName, PlantCode, Fuel, NetGeneration}, columns...) {
		if c != StateShare && c != PlantCount && c != BasisColumn && !slices.Contains(rows.Columns, c) {
			rows.Columns = append(rows.Columns, c)
		}
	}
	return v.q.Rows(ctx, rows)
}

// fuelFilters turns a filter on the fuel category into one on its fuels where
// the sheet has no such column.
func (v *plantView) fuelFilters(filters []Filter) ([]Filter, error) {
	if v.snapshot.Schema.Has(FuelGroup) {
		return filters, nil
	}
	filters = slices.Clone(filters)
	for i, f := range filters {
		if f.Column != FuelGroup {
			continue
		}
		fuels := Filter{Column: Fuel, Op: f.Op}
		for _, category := range f.Values {
			codes := FuelsOf(category.String())
			if codes == nil {
				return nil, fmt.Errorf("%w: %q is not a fuel category; those are %s", ErrInvalid, category.String(), strings.Join(FuelCategories(), ", "))
			}
			for _, code := range codes {
				fuels.Values = append(fuels.Values, TextOf(code))
			}
		}
		filters[i] = fuels
	}
	return filters, nil
}

// generatorQuery makes the part that all queries on the basis GEN share: which
// generators are summed, and which sums are kept.
func (v *plantView) generatorQuery(query PlantQuery) (GroupQuery, error) {
	groups := GroupQuery{Level: GEN, Year: v.snapshot.Year, Release: v.release, Search: query.Search, By: v.key}
	filters, err := v.fuelFilters(query.Filters)
	if err != nil {
		return groups, err
	}
	for _, f := range filters {
		if f.Column == GeneratorCount {
			groups.Having = append(groups.Having, f)
			continue
		}
		if f.Column, err = v.generatorColumn("filter", f.Column); err != nil {
			return groups, err
		}
		if slices.Contains(plantSums, f.Column) {
			groups.Having = append(groups.Having, f)
		} else {
			groups.Filters = append(groups.Filters, f)
		}
	}
	groups.Measures = []Measure{{Func: Count, As: GeneratorCount}}
	for _, c := range plantSums {
		groups.Measures = append(groups.Measures, Measure{Func: Sum, Column: c})
	}
	for _, c := range []Column{State, PlantName} {
		if !slices.Contains(v.key, c) {
			groups.Measures = append(groups.Measures, Measure{Func: Min, Column: c})
		}
	}
	return groups, nil
}

func (v *plantView) generatorColumn(use string, name Column) (Column, error) {
	if v.snapshot.Schema.Has(name) || IsContext(name) {
		return name, nil
	}
	if f, ok := Lookup(GEN, string(name)); ok {
		return f.Column, nil
	}
	return "", fmt.Errorf("%w: cannot %s plants of data year %d by %s: no PLNT sheet of it is published, and the generators that stand in for it have no such column",
		ErrInvalid, use, v.snapshot.Year, name)
}

func (v *plantView) generatorSums(ctx context.Context, query PlantQuery) (RowPage, error) {
	groups, err := v.generatorQuery(query)
	if err != nil {
		return RowPage{}, err
	}
	groups.Limit, groups.Cursor, groups.Count = query.Limit, query.Cursor, query.Count
	for _, key := range query.Sort {
		if key.Column != GeneratorCount {
			if key.Column, err = v.generatorColumn("sort", key.Column); err != nil {
				return RowPage{}, err
			}
			if !slices.Contains(groups.By, key.Column) && !slices.ContainsFunc(groups.Measures, func(m Measure) bool { return m.Name() == key.Column }) {
				return RowPage{}, fmt.Errorf("%w: cannot sort plants that are summed from generators by %s, of which a plant may have several", ErrInvalid, key.Column)
			}
		}
		groups.Sort = append(groups.Sort, key)
	}
	return v.q.Groups(ctx, groups)
}

// plantExtras are what the view adds to the rows of a page.
type plantExtras struct {
	state map[string]float64 // net generation by state, MWh
	fuel  map[string]Value   // by plant, on the basis GEN
}

func (v *plantView) extras(ctx context.Context, query PlantQuery, columns []Column, page *PlantPage) (plantExtras, error) {
	var extra plantExtras
	if slices.Contains(columns, StateShare) {
		states, err := v.q.Groups(ctx, GroupQuery{
			Level: v.basis, Year: v.snapshot.Year, Release: v.release, By: []Column{State},
			Measures: []Measure{{Func: Sum, Column: NetGeneration}}, Limit: 1000,
		})
		if err != nil {
			return extra, err
		}
		if states.Revision != page.Revision {
			page.Revision = mixedRevisions
		}
		extra.state = make(map[string]float64, states.Len())
		for row := range states.Rows() {
			extra.state[row.Text(State)], _ = row.Float(NetGeneration)
		}
	}
	if v.basis == GEN && (slices.Contains(columns, Fuel) || slices.Contains(columns, FuelGroup)) {
		err := v.mainFuels(ctx, query, page, &extra)
		return extra, err
	}
	return extra, nil
}

// maxNamedPlants is up to how many plants a query for their fuels names them;
// beyond, reading the fuels of all plants is cheaper.
const maxNamedPlants = 100

// mainFuels finds the fuel with the most nameplate capacity for every plant of
// the page.
func (v *plantView) mainFuels(ctx context.Context, query PlantQuery, page *PlantPage, extra *plantExtras) error {
	groups, err := v.generatorQuery(query)
	if err != nil {
		return err
	}
	groups.Having = nil
	groups.By = append(slices.Clone(v.key), Fuel)
	groups.Measures = []Measure{{Func: Sum, Column: NameplateCapacity}}
	if page.Len() <= maxNamedPlants {
		for _, c := range v.key {
			if f := valuesOf(page.Batch, c); len(f.Values) > 0 {
				groups.Filters = append(groups.Filters, f)
			}
		}
	}
	extra.fuel = map[string]Value{}
	most := map[string]float64{}
	return eachGroup(ctx, v.q, groups, func(row Row, revision int64) {
		if revision != page.Revision {
			page.Revision = mixedRevisions
		}
		plant, fuel := v.keyOf(row), row.Value(Fuel)
		capacity, _ := row.Float(NameplateCapacity)
		if _, met := extra.fuel[plant]; !met || capacity > most[plant] {
			extra.fuel[plant], most[plant] = fuel, capacity
		}
	})
}

// valuesOf makes the filter that keeps the rows of a page by a column; it has
// no values when the column is missing in one of them.
func valuesOf(rows *Batch, c Column) Filter {
	f := Filter{Column: c, Op: Eq}
	for row := range rows.Rows() {
		value := row.Value(c)
		if value.IsMissing() {
			return Filter{}
		}
		if !slices.ContainsFunc(f.Values, func(w Value) bool { return w.Compare(value) == 0 }) {
			f.Values = append(f.Values, value)
		}
	}
	return f
}

func (v *plantView) keyOf(row Row) string {
	key := ""
	for _, c := range v.key {
		key += row.Text(c) + "\x00"
	}
	return key
}

func (v *plantView) value(row Row, c Column, extra plantExtras) Value {
	switch c {
	case PlantID:
		if code := row.Value(PlantCode); !code.IsMissing() {
			return code
		}
		if row.Value(PlantName).IsMissing() {
			return Value{}
		}
		return TextOf(row.Text(State) + "~" + row.Text(PlantName))
	case StateShare:
		own, ok := row.Float(NetGeneration)
		if total := extra.state[row.Text(State)]; ok && total > 0 {
			return NumberOf(own / total)
		}
		return Value{}
	case Fuel:
		if v.basis == GEN {
			return extra.fuel[v.keyOf(row)]
		}
	case FuelGroup:
		if category := row.Value(FuelGroup); !category.IsMissing() {
			return category
		}
		category, _ := FuelCategory(v.value(row, Fuel, extra).String())
		return TextOf(category)
	case Year, ReleaseColumn:
		return v.snapshot.Context(c)
	case LevelColumn:
		return TextOf(string(PLNT))
	case BasisColumn:
		return TextOf(string(v.basis))
	}
	return row.Value(c)
}
