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

// Columns that the plant view adds to those of the sheets.
const (
	PlantID        Column = "id"              // ORIS code, or <state>~<plant name> where the sheet has none
	StateShare     Column = "share"           // share of the state's net generation, 0-1
	GeneratorCount Column = "generator_count" // generators of the plant
	PlantCount     Column = "plants"          // plants of a sum
	BasisColumn    Column = "basis"           // level that the plants are read from: PLNT or GEN
)

// PlantQuery asks for plants. The zero value of every field means its
// documented default.
//
// Filters, Search and Sort take the columns of the basis (see [PlantPage]). On
// the basis GEN, filters on the sums (net_generation_mwh,
// net_generation_ozone_season_mwh, nameplate_capacity_mw) and on
// generator_count hold for the plant; every other filter, fuel and
// fuel_category among them, and the search choose the generators that are
// summed.
type PlantQuery struct {
	Year    int      // data year; 0 is the newest with a PLNT or a GEN sheet
	Release string   // empty is the newest, NoRelease the unmarked one
	Filters []Filter // all must hold
	Search  string   // as in RowQuery
	Sort    []Sort   // ties, and an empty Sort, fall back to the order of the sheet, or to the id on the basis GEN
	Columns []Column // columns of the answer behind id; empty is PlantColumns
	Limit   int      // plants at most; 0 is DefaultLimit
	Cursor  string   // Next of the page before; same query otherwise
	Count   bool     // fill Total
}

// PlantPage is one page of plants. The first column of its rows is [PlantID].
//
// A plant is the row of the PLNT sheet where one is published for the data
// year, and else the sum of its rows in the GEN sheet. A plant summed from
// generators has the fuel with the most nameplate capacity; what generators do
// not tell is missing.
type PlantPage struct {
	RowPage
	Basis   Level  // PLNT or GEN; empty when neither is published
	Year    int    // data year; 0 when nothing is published
	Release string // release that answered
}

// PlantColumns returns the columns of a plant answer that names none.
func PlantColumns() []Column {
	return []Column{
		PlantName, PlantCode, State, County, Latitude, Longitude, Subregion, BalancingAuthority, NERCRegion, Operator,
		Fuel, FuelGroup, GeneratorCount, NameplateCapacity, CapacityFactor, NetGeneration, StateShare,
		CO2e, CO2eRate,
	}
}

// plantSums are the columns that are summed over a plant's generators.
var plantSums = []Column{NameplateCapacity, NetGeneration, OzoneSeasonGeneration}

// Plants answers a query for plants over any store. Errors as
// [Querier].Rows, and [ErrInvalid] for a filter or sort key that only a PLNT
// sheet can answer where none is published.
func Plants(ctx context.Context, q Querier, query PlantQuery) (PlantPage, error) {
	return atOneRevision(func() (PlantPage, int64, error) {
		catalog, err := q.Catalog(ctx)
		if err != nil {
			return PlantPage{}, 0, err
		}
		v, err := newPlantView(q, catalog, &query)
		if err != nil || v.basis == "" {
			return v.empty(), catalog.Revision, err
		}
		page, err := v.page(ctx, query)
		return page, catalog.Revision, err
	})
}

// FindPlant returns one plant with every column of its sheet. Errors:
// [ErrNotFound] when the data year has no such plant; else as [Plants].
func FindPlant(ctx context.Context, q Querier, id string, year int, release string) (PlantPage, error) {
	return atOneRevision(func() (PlantPage, int64, error) {
		catalog, err := q.Catalog(ctx)
		if err != nil {
			return PlantPage{}, 0, err
		}
		query := PlantQuery{Year: year, Release: release, Filters: PlantFilters(id), Limit: 1}
		v, err := newPlantView(q, catalog, &query)
		if err != nil {
			return PlantPage{}, 0, err
		}
		page := v.empty()
		if v.basis != "" {
			query.Columns = v.everyColumn()
			if page, err = v.page(ctx, query); err != nil {
				return PlantPage{}, 0, err
			}
		}
		if len(page.Rows) == 0 {
			return PlantPage{}, 0, fmt.Errorf("%w: no plant %q in data year %d", ErrNotFound, id, page.Year)
		}
		page.Next = ""
		return page, catalog.Revision, nil
	})
}

// PlantHistory returns a plant in every data year that has it, oldest first,
// each in its newest release. Behind the id the rows have data_year and basis.
// Errors: [ErrNotFound] when no data year has the plant.
func PlantHistory(ctx context.Context, q Querier, id string) (RowPage, error) {
	return eachPlantYear(ctx, q, []Column{PlantID, Year, BasisColumn}, func(year int) (PlantPage, error) {
		page, err := Plants(ctx, q, PlantQuery{Year: year, Filters: PlantFilters(id), Limit: 1})
		return page, err
	}, fmt.Errorf("%w: no plant %q in any data year", ErrNotFound, id))
}

// PlantFilters returns the filters that choose the rows of one plant at the
// levels PLNT, GEN and UNT, from the id of a plant answer.
func PlantFilters(id string) []Filter {
	state, name, named := strings.Cut(id, "~")
	if !named {
		return []Filter{Where(PlantCode, Eq, id)}
	}
	in := Where(State, Eq, state)
	if state == "" {
		in = Where(State, Missing)
	}
	return []Filter{in, Where(PlantName, Eq, name)}
}

// SumPlants counts plants and sums their net generation and nameplate capacity
// by the values of a column: state, fuel, fuel_category, or on the basis PLNT
// any. An empty column makes one sum of all. Rows come in the order of the
// column's values; Sort, Columns, Limit and Cursor of the query are ignored.
// A plant of several fuels counts under each of them on the basis GEN. Errors
// as [Plants].
func SumPlants(ctx context.Context, q Querier, by Column, query PlantQuery) (PlantPage, error) {
	query.Sort, query.Columns, query.Limit, query.Cursor, query.Count = nil, nil, 0, "", false
	return atOneRevision(func() (PlantPage, int64, error) {
		catalog, err := q.Catalog(ctx)
		if err != nil {
			return PlantPage{}, 0, err
		}
		v, err := newPlantView(q, catalog, &query)
		if err != nil {
			return PlantPage{}, 0, err
		}
		page := v.empty()
		page.Schema = sumSchema(by)
		if v.basis != "" {
			err = v.sum(ctx, by, query, &page)
		}
		return page, catalog.Revision, err
	})
}

// SumPlantsByYear is [SumPlants] for every data year, oldest first, each in
// its newest release. Rows begin with data_year and basis, which may differ
// from year to year. Year and Release of the query are ignored.
func SumPlantsByYear(ctx context.Context, q Querier, query PlantQuery) (RowPage, error) {
	query.Release = ""
	return eachPlantYear(ctx, q, []Column{Year, BasisColumn}, func(year int) (PlantPage, error) {
		query.Year = year
		return SumPlants(ctx, q, "", query)
	}, nil)
}

// PlantYears returns the data years that have plants, ascending.
func (c Catalog) PlantYears() []int {
	years := append(c.Years(PLNT), c.Years(GEN)...)
	slices.Sort(years)
	return slices.Compact(years)
}

// maxRevisionRetries bounds how often an answer of several queries starts
// again because a publish came between them.
const maxRevisionRetries = 3

// atOneRevision repeats an answer that is made of several queries until all of
// them saw one revision. read returns the revision of the catalogue it planned
// with, and marks a mixed answer with a negative revision.
func atOneRevision(read func() (PlantPage, int64, error)) (PlantPage, error) {
	for range maxRevisionRetries {
		page, revision, err := read()
		if err != nil || page.Revision == revision {
			return page, err
		}
	}
	return PlantPage{}, fmt.Errorf("%w: the data changed %d times while they were read; ask again", ErrStale, maxRevisionRetries)
}

// mixedRevisions marks an answer whose parts saw different revisions.
const mixedRevisions = -1

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
	page.Schema = plantSchema(Snapshot{}, PlantColumns())
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
	page.Schema = plantSchema(v.snapshot, columns)
	page.Next = v.sealCursor(rows.Next)
	extra, err := v.extras(ctx, query, columns, &page)
	if err != nil {
		return PlantPage{}, err
	}
	page.Rows = make([]Row, len(rows.Rows))
	for i, row := range rows.Rows {
		plant := Row{Schema: page.Schema, Values: make([]Value, page.Schema.Len()), Year: page.Year, Number: row.Number}
		for j, f := range page.Schema.fields {
			plant.Values[j] = v.value(row, f.Column, extra)
		}
		page.Rows[i] = plant
	}
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
		extra.state = make(map[string]float64, len(states.Rows))
		for _, row := range states.Rows {
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
	if len(page.Rows) <= maxNamedPlants {
		for _, c := range v.key {
			if f := valuesOf(page.Rows, c); len(f.Values) > 0 {
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
func valuesOf(rows []Row, c Column) Filter {
	f := Filter{Column: c, Op: Eq}
	for _, row := range rows {
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

// eachGroup reads every group of a query, page by page.
func eachGroup(ctx context.Context, q Querier, query GroupQuery, visit func(row Row, revision int64)) error {
	const pageSize = 20000
	query.Limit, query.Cursor = pageSize, ""
	for {
		page, err := q.Groups(ctx, query)
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
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
	for _, s := range sums {
		row := Row{Schema: page.Schema, Year: page.Year}
		if by != "" {
			row.Values = append(row.Values, s.label)
		}
		row.Values = append(row.Values, IntegerOf(s.plants), s.generation.value(), s.capacity.value())
		page.Rows = append(page.Rows, row)
	}
	slices.SortFunc(page.Rows, func(a, b Row) int { return a.Values[0].Compare(b.Values[0]) })
	page.Total = int64(len(page.Rows))
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
	for _, year := range catalog.PlantYears() {
		page, err := read(year)
		if err != nil {
			return RowPage{}, err
		}
		if all.Schema == nil {
			all.Schema = leadingSchema(leading, page.Schema)
		}
		all.Revision = max(all.Revision, page.Revision)
		for _, row := range page.Rows {
			wide := Row{Schema: all.Schema, Year: page.Year, Number: row.Number}
			for _, f := range all.Schema.fields {
				value := row.Value(f.Column)
				if f.Column == BasisColumn {
					value = TextOf(string(page.Basis))
				}
				wide.Values = append(wide.Values, value)
			}
			all.Rows = append(all.Rows, wide)
		}
	}
	if len(all.Rows) == 0 && absent != nil {
		return RowPage{}, absent
	}
	if all.Schema == nil {
		all.Schema = leadingSchema(leading, sumSchema(""))
	}
	all.Total = int64(len(all.Rows))
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
