package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// plantSums are the columns that are summed over a plant's generators.
var plantSums = []egrid.Column{egrid.NameplateCapacity, egrid.NetGeneration, egrid.OzoneSeasonGeneration}

// plantView is the plant view of one data year and release.
type plantView struct {
	view     // of the snapshot alone
	basis    egrid.Level
	snapshot egrid.Snapshot // with the columns that are filled in
	key      []egrid.Column // what tells plants apart
	filling  filling        // where the snapshot is a sheet of plants that lacks something
	sources  []egrid.Snapshot
	all      view   // what else is published
	release  string // that is asked for
}

// newPlantView chooses the basis. It takes the data year from the cursor when
// the query leaves it open, so that all pages of an answer are of one year.
func newPlantView(all view, query *PlantQuery) (*plantView, error) {
	v := &plantView{view: all, release: query.Release}
	catalog := all.catalog
	if query.Year < 0 {
		return v, fmt.Errorf("%w: plants are answered for one data year, not for %d", egrid.ErrInvalid, query.Year)
	}
	if query.Cursor != "" {
		ids, err := query.openCursor()
		if err != nil {
			return v, err
		}
		if catalog, err = driver.Pin(catalog, ids...); err != nil {
			return v, fmt.Errorf("%w; the cursor reads it: start again from the first page", err)
		}
	}
	var absent error
	for _, level := range []egrid.Level{egrid.PLNT, egrid.GEN} {
		found, err := driver.SelectSnapshots(catalog, level, query.Year, query.Release)
		if err != nil && !errors.Is(err, egrid.ErrNotFound) {
			return v, err
		}
		absent = cmp.Or(absent, err)
		if len(found) == 1 && found[0].Year > v.snapshot.Year {
			v.basis, v.snapshot = level, found[0]
		}
	}
	if v.basis == "" && query.Cursor != "" {
		return v, driver.ErrCursor
	}
	if v.basis == "" && absent != nil {
		what := "no plants"
		if query.Year > 0 {
			what += fmt.Sprintf(" of data year %d", query.Year)
		}
		if query.Release != "" {
			what += " in release " + query.Release
		}
		years := PlantYears(catalog)
		if query.Release != "" && (query.Year == 0 || slices.Contains(years, query.Year)) {
			return v, fmt.Errorf("%w: %s are published; releases with plants: %s", egrid.ErrNotFound, what, plantReleases(catalog, query.Year))
		}
		return v, fmt.Errorf("%w: %s are published; data years with plants: %s", egrid.ErrNotFound, what, list(years))
	}
	v.all = view{all.scanner, catalog}
	v.key = []egrid.Column{egrid.PlantCode}
	if v.basis != "" {
		return v, v.open()
	}
	v.view = all.at(v.snapshot)
	return v, nil
}

// plantReleases writes the releases that plants are published of, in one data year or,
// when it is 0, in each.
func plantReleases(c egrid.Catalog, year int) string {
	var releases []string
	for i := range c.Snapshots {
		s := &c.Snapshots[i]
		if s.Status != egrid.Published || s.Level != egrid.PLNT && s.Level != egrid.GEN || year != 0 && s.Year != year {
			continue
		}
		if r := fmt.Sprint(s.Year, " ", cmp.Or(s.Release, egrid.NoRelease)); !slices.Contains(releases, r) {
			releases = append(releases, r)
		}
	}
	slices.Sort(releases)
	return strings.Join(releases, ", ")
}

// list writes data years.
func list(years []int) string { return cmp.Or(strings.Trim(fmt.Sprint(years), "[]"), "none") }

// open gives the view the chosen snapshot, filled in where it must be.
func (v *plantView) open() error {
	v.view, v.sources = v.all.at(v.snapshot), []egrid.Snapshot{v.snapshot}
	if !v.snapshot.Schema.Has(egrid.PlantCode) {
		v.key = []egrid.Column{egrid.State, egrid.PlantName}
	}
	v.filling = fillingOf(v.all.catalog, &v.snapshot)
	if v.filling.size() == 0 {
		return nil
	}
	v.sources = append(v.sources, v.filling.from)
	var err error
	v.view, v.snapshot, err = v.filling.apply(v.all, &v.snapshot)
	return err
}

// snapshotIDLength is that of a SnapshotID, in hex.
const snapshotIDLength = 24

// A cursor of the plant view is that of the rows or groups behind it, with the
// snapshots that the answer is made of in front: 1f6a....xyz.
func (query *PlantQuery) openCursor() (ids []egrid.SnapshotID, err error) {
	head, inner, ok := strings.Cut(query.Cursor, ".")
	if !ok || head == "" || len(head)%snapshotIDLength != 0 || strings.Trim(head, "0123456789abcdef") != "" || inner == "" {
		return nil, driver.ErrCursor
	}
	query.Cursor = inner
	for id := range slices.Chunk([]byte(head), snapshotIDLength) {
		ids = append(ids, egrid.SnapshotID(id))
	}
	return ids, nil
}

func sealCursor(read []egrid.Snapshot, inner string) string {
	if inner == "" {
		return ""
	}
	head := ""
	for i := range read {
		head += string(read[i].ID)
	}
	return head + "." + inner
}

// reads are the snapshots that an answer with some columns is made of.
func (v *plantView) reads(columns []egrid.Column) []egrid.Snapshot {
	read := slices.Clip(v.sources)
	if slices.Contains(columns, ShareOfState) {
		if shares := v.shareSheet(); !slices.ContainsFunc(read, func(s egrid.Snapshot) bool { return s.ID == shares.ID }) {
			read = append(read, shares)
		}
	}
	return read
}

// about says what plants with some columns are from.
func (v *plantView) about(columns []egrid.Column) PlantSource {
	about := PlantSource{Basis: v.basis, Year: v.snapshot.Year, Release: v.snapshot.Release}
	if v.basis != "" && slices.Contains(columns, ShareOfState) {
		shares := v.shareSheet()
		about.Shares = sheetOf(&shares)
	}
	for _, c := range driver.PlaceColumns() {
		if slices.Contains(columns, c) && (slices.Contains(v.filling.columns, c) || slices.Contains(v.filling.gaps, c)) {
			about.Filled, about.FilledFrom = append(about.Filled, c), sheetOf(&v.filling.from)
		}
	}
	return about
}

// emptySchema is that of an answer without plants.
var emptySchema = sync.OnceValue(func() *egrid.Schema { return plantSchema(egrid.Snapshot{}, PlantColumns()) })

func (v *plantView) empty() PlantPage {
	page := PlantPage{PlantSource: v.about(nil)}
	page.Batch = egrid.NewBuilder(emptySchema(), page.Year).Batch()
	page.Revision = v.catalog.Revision
	page.Snapshots = v.sources
	return page
}

// everyColumn returns the columns of the view's sheet and those that the view
// adds.
func (v *plantView) everyColumn() []egrid.Column {
	if v.basis == egrid.GEN {
		return append(PlantColumns(), egrid.OzoneSeasonGeneration)
	}
	columns := v.snapshot.Schema.Columns()
	for _, c := range []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.State, egrid.Fuel, egrid.FuelCategoryColumn, egrid.NetGeneration, ShareOfState} {
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// plantField describes a column of a plant answer.
func plantField(snapshot egrid.Snapshot, c egrid.Column) (egrid.Field, bool) {
	switch c {
	case PlantID:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text, Description: "Identifies the plant: its ORIS code or, where the sheet has none, state~name."}, true
	case ShareOfState:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Number, Unit: "fraction", Description: "Share of the state's net generation; missing when the state is."}, true
	case PlantCount:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Integer, Description: "Number of plants."}, true
	case BasisColumn:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text, Description: "Level that the figures are read from; GEN where plants are summed from generators."}, true
	case PlantsBasis:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text, Description: "Level that the plants are counted in: PLNT or GEN; missing where neither is published."}, true
	case PlantsRelease:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text, Description: "Release of the sheet that the plants are counted in; empty for the unmarked one."}, true
	case ShareBasis:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text, Description: "Level that the state's net generation is read from, of which share is a part."}, true
	case ShareRelease:
		return egrid.Field{Level: egrid.PLNT, Column: c, Type: egrid.Text, Description: "Release of the sheet that the state's net generation is read from; empty for the unmarked one."}, true
	}
	if snapshot.Schema != nil {
		if i := snapshot.Schema.Index(c); i >= 0 {
			return snapshot.Schema.Field(i), true
		}
	}
	for _, level := range []egrid.Level{egrid.PLNT, egrid.GEN} {
		if f, ok := egrid.Lookup(level, string(c)); ok {
			return f, true
		}
	}
	i := slices.IndexFunc(egrid.ContextFields(egrid.PLNT), func(f egrid.Field) bool { return f.Column == c })
	if i < 0 {
		return egrid.Field{}, false
	}
	return egrid.ContextFields(egrid.PLNT)[i], true
}

// plantSchema is that of an answer with columns that are known to exist.
func plantSchema(snapshot egrid.Snapshot, columns []egrid.Column) *egrid.Schema {
	id, _ := plantField(snapshot, PlantID)
	fields := []egrid.Field{id}
	for _, c := range columns {
		f, _ := plantField(snapshot, c)
		if f.Column != PlantID {
			fields = append(fields, f)
		}
	}
	s, err := egrid.NewSchema(fields...)
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
	var rows egrid.RowPage
	if v.basis == egrid.PLNT {
		var q egrid.RowQuery
		if q, err = v.plantRows(query, columns); err == nil {
			rows, err = v.rows(ctx, q)
		}
	} else {
		var q egrid.GroupQuery
		if q, err = v.generatorSums(query); err == nil {
			rows, err = v.groups(ctx, q)
		}
	}
	if err != nil {
		return PlantPage{}, err
	}
	page := PlantPage{RowPage: rows, PlantSource: v.about(columns)}
	page.Snapshots = v.reads(columns)
	page.Next = sealCursor(page.Snapshots, rows.Next)
	extra, err := v.extras(ctx, query, columns, rows.Batch)
	if err != nil {
		return PlantPage{}, err
	}
	page.Batch, err = v.fill(plantSchema(v.snapshot, columns), rows.Batch, extra)
	return page, err
}

// stream is page for answers that stream.
func (v *plantView) stream(ctx context.Context, query PlantQuery, columns []egrid.Column) (Answer, error) {
	var err error
	var p *driver.Plan
	if v.basis == egrid.PLNT {
		var q egrid.RowQuery
		if q, err = v.plantRows(query, columns); err == nil {
			p, err = driver.PlanRows(v.catalog, q)
		}
	} else {
		var q egrid.GroupQuery
		if q, err = v.generatorSums(query); err == nil {
			p, err = driver.PlanGroups(v.catalog, q)
		}
	}
	if err != nil {
		return Answer{}, err
	}
	p.Limit = query.Limit
	answer, err := v.view.stream(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	extra, err := v.extras(ctx, query, columns, nil)
	if err != nil {
		return Answer{}, err
	}
	rows, schema := answer.Batches, plantSchema(v.snapshot, columns)
	answer.Schema, answer.Snapshots = schema, v.reads(columns)
	answer.Batches = func(yield func(*egrid.Batch, error) bool) {
		for b, err := range rows {
			if err == nil {
				b, err = v.fill(schema, b, extra)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
	return answer, nil
}

// fill makes plants of the rows of their basis. Columns that the rows have are
// taken as they are.
func (v *plantView) fill(schema *egrid.Schema, rows *egrid.Batch, extra plantExtras) (*egrid.Batch, error) {
	var fields []egrid.Field // of the others
	from := make([]int, schema.Len())
	for i := range from {
		f := schema.Field(i)
		if from[i] = v.source(rows, f); from[i] == computed {
			fields = append(fields, f)
		}
	}
	made := 0
	for i, at := range from {
		switch {
		case at == computed:
			from[i] = made
			made++
		case at >= 0:
			from[i] += len(fields)
		}
	}
	others, err := egrid.NewSchema(fields...)
	if err != nil {
		return nil, err
	}
	builder := egrid.NewBuilder(others, v.snapshot.Year)
	for row := range rows.Rows() {
		for i, f := range fields {
			if err := builder.Value(i, v.value(row, f.Column, extra)); err != nil {
				return nil, err
			}
		}
		builder.EndRow(row.Number(), 0)
	}
	return builder.Batch().Project(schema, from, rows), nil
}

// computed is the source of columns that value makes.
const computed = -2

// source returns the column of the rows that has the values of a column of plants,
// -1 where they are missing.
func (v *plantView) source(rows *egrid.Batch, f egrid.Field) int {
	c := f.Column
	switch c {
	case PlantID:
		c = egrid.PlantCode
	case egrid.Fuel:
		if v.basis == egrid.GEN {
			return computed
		}
	case ShareOfState, egrid.Year, egrid.ReleaseColumn, egrid.LevelColumn, BasisColumn:
		return computed
	}
	at := rows.Schema().Index(c)
	switch {
	case at < 0 && (f.Column == PlantID || c == egrid.FuelCategoryColumn):
		return computed
	case at < 0:
		return -1
	}
	column := rows.Column(at)
	if c != f.Column && column.Missing() > 0 || c == egrid.FuelCategoryColumn && column.Missing() > 0 || column.Type() != "" && column.Type() != f.Type {
		return computed
	}
	return at
}

// resolveColumns turns the asked-for names into columns.
func (v *plantView) resolveColumns(names []egrid.Column) ([]egrid.Column, error) {
	if len(names) == 0 {
		return PlantColumns(), nil
	}
	var columns []egrid.Column
	for _, name := range names {
		f, ok := plantField(v.snapshot, name)
		if !ok {
			return nil, fmt.Errorf("%w: plants have no column %q%s", egrid.ErrInvalid, name, v.columnHint(string(name)))
		}
		if !slices.Contains(columns, f.Column) && f.Column != PlantID {
			columns = append(columns, f.Column)
		}
	}
	return columns, nil
}

// columnHint names the column of plants that was probably meant.
func (v *plantView) columnHint(name string) string {
	var names []string
	for _, c := range v.everyColumn() {
		names = append(names, string(c))
	}
	for _, f := range egrid.Fields(egrid.PLNT) {
		names = append(names, string(f.Column), f.Code)
	}
	if meant := egrid.Nearest(name, names); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return "; the dictionary lists them"
}

// plantRows makes the query of the basis PLNT.
func (v *plantView) plantRows(query PlantQuery, columns []egrid.Column) (egrid.RowQuery, error) {
	rows := egrid.RowQuery{
		Level: egrid.PLNT, Year: v.snapshot.Year, Search: query.Search, Sort: query.Sort,
		Limit: query.Limit, Cursor: query.Cursor, Count: query.Count,
	}
	var err error
	if rows.Filters, err = v.fuelFilters(query.Filters); err != nil {
		return rows, err
	}
	for _, c := range append([]egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.Fuel, egrid.NetGeneration}, columns...) {
		if c != ShareOfState && c != PlantCount && c != BasisColumn && !slices.Contains(rows.Columns, c) {
			rows.Columns = append(rows.Columns, c)
		}
	}
	return rows, nil
}

// fuelFilters turns a filter on the fuel category into one on its fuels where
// the sheet has no such column.
func (v *plantView) fuelFilters(filters []egrid.Filter) ([]egrid.Filter, error) {
	if v.snapshot.Schema.Has(egrid.FuelCategoryColumn) {
		return filters, nil
	}
	filters = slices.Clone(filters)
	for i, f := range filters {
		if f.Column != egrid.FuelCategoryColumn {
			continue
		}
		fuels := egrid.Filter{Column: egrid.Fuel, Op: f.Op}
		for _, category := range f.Values {
			codes := egrid.FuelsOf(category.String())
			if codes == nil {
				return nil, fmt.Errorf("%w: %q is not a fuel category; those are %s", egrid.ErrInvalid, category.String(), strings.Join(egrid.FuelCategories(), ", "))
			}
			for _, code := range codes {
				fuels.Values = append(fuels.Values, egrid.TextOf(code))
			}
		}
		filters[i] = fuels
	}
	return filters, nil
}

// generatorQuery makes the part that all queries on the basis GEN share: which
// generators are summed, and which sums are kept.
func (v *plantView) generatorQuery(query PlantQuery) (egrid.GroupQuery, error) {
	groups := egrid.GroupQuery{Level: egrid.GEN, Year: v.snapshot.Year, Search: query.Search, By: v.key}
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
	groups.Measures = []egrid.Measure{{Func: egrid.Count, As: GeneratorCount}}
	for _, c := range plantSums {
		groups.Measures = append(groups.Measures, egrid.Measure{Func: egrid.Sum, Column: c})
	}
	for _, c := range []egrid.Column{egrid.State, egrid.PlantName} {
		if !slices.Contains(v.key, c) {
			groups.Measures = append(groups.Measures, egrid.Measure{Func: egrid.Min, Column: c})
		}
	}
	return groups, nil
}

func (v *plantView) generatorColumn(use string, name egrid.Column) (egrid.Column, error) {
	if v.snapshot.Schema.Has(name) || egrid.IsContext(name) {
		return name, nil
	}
	if f, ok := egrid.Lookup(egrid.GEN, string(name)); ok {
		return f.Column, nil
	}
	if _, ok := plantField(v.snapshot, name); !ok {
		return "", fmt.Errorf("%w: plants have no column %q%s", egrid.ErrInvalid, name, v.columnHint(string(name)))
	}
	return "", fmt.Errorf("%w: cannot %s plants of data year %d by %s: no PLNT sheet of it is published, and the generators that stand in for it have no such column",
		egrid.ErrInvalid, use, v.snapshot.Year, name)
}

// generatorSums makes the query of the basis GEN.
func (v *plantView) generatorSums(query PlantQuery) (egrid.GroupQuery, error) {
	groups, err := v.generatorQuery(query)
	if err != nil {
		return groups, err
	}
	groups.Limit, groups.Cursor, groups.Count = query.Limit, query.Cursor, query.Count
	for _, key := range query.Sort {
		if key.Column != GeneratorCount {
			if key.Column, err = v.generatorColumn("sort", key.Column); err != nil {
				return groups, err
			}
			if !slices.Contains(groups.By, key.Column) && !slices.ContainsFunc(groups.Measures, func(m egrid.Measure) bool { return m.Name() == key.Column }) {
				return groups, fmt.Errorf("%w: cannot sort plants that are summed from generators by %s, of which a plant may have several", egrid.ErrInvalid, key.Column)
			}
		}
		groups.Sort = append(groups.Sort, key)
	}
	return groups, nil
}

// plantExtras are what the view adds to the rows of a page.
type plantExtras struct {
	state map[string]float64     // net generation by state, MWh
	fuel  map[string]egrid.Value // by plant, on the basis GEN
}

// extras reads them for some plants; nil is all of the query.
func (v *plantView) extras(ctx context.Context, query PlantQuery, columns []egrid.Column, plants *egrid.Batch) (plantExtras, error) {
	var extra plantExtras
	if slices.Contains(columns, ShareOfState) {
		var err error
		if extra.state, err = v.stateTotals(ctx); err != nil {
			return extra, err
		}
	}
	if v.basis == egrid.GEN && (slices.Contains(columns, egrid.Fuel) || slices.Contains(columns, egrid.FuelCategoryColumn)) {
		err := v.mainFuels(ctx, query, plants, &extra)
		return extra, err
	}
	return extra, nil
}

// shareSheet is the sheet by which shares of states are told: that of the states in
// the release of the plants, else the one that tells the totals of states.
func (v *plantView) shareSheet() egrid.Snapshot {
	states, ok := v.all.catalog.Published(egrid.ST, v.snapshot.Year, v.snapshot.Release)
	if ok && states.Schema.Has(egrid.NetGeneration) {
		return states
	}
	byState := scopeOf(egrid.State, PlantQuery{})
	if sheet, _ := byState.sheets(v.all.catalog, v.snapshot.Year, v.release); sheet.Level == egrid.ST {
		return sheet
	}
	return v.snapshot
}

// stateTotals are the net generation of states, MWh.
func (v *plantView) stateTotals(ctx context.Context) (map[string]float64, error) {
	of, sheet := v.view, v.shareSheet()
	if sheet.ID != v.snapshot.ID {
		of = v.all.at(sheet)
	}
	totals := map[string]float64{}
	for b, err := range of.groupBatches(ctx, egrid.GroupQuery{
		Level: sheet.Level, By: []egrid.Column{egrid.State}, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}},
	}) {
		if err != nil {
			return nil, err
		}
		for row := range b.Rows() {
			totals[row.Text(egrid.State)], _ = row.Float(egrid.NetGeneration)
		}
	}
	return totals, nil
}

// maxNamed is up to how many bytes a query for the fuels of plants names them, so
// that the plan of a page of a thousand ORIS codes fits a URL. Beyond, the fuels of
// all plants are read.
const maxNamed = 10 << 10

// mainFuels finds the fuel with the most nameplate capacity for every plant.
func (v *plantView) mainFuels(ctx context.Context, query PlantQuery, plants *egrid.Batch, extra *plantExtras) error {
	groups, err := v.generatorQuery(query)
	if err != nil {
		return err
	}
	groups.Having = nil
	groups.By = append(slices.Clone(v.key), egrid.Fuel)
	groups.Measures = []egrid.Measure{{Func: egrid.Sum, Column: egrid.NameplateCapacity}}
	if named, bytes := v.named(plants); bytes <= maxNamed {
		groups.Filters = append(groups.Filters, named...)
	}
	extra.fuel = map[string]egrid.Value{}
	last, most := "", 0.0
	for b, err := range v.groupBatches(ctx, groups) {
		if err != nil {
			return err
		}
		fuels, capacities := b.Column(len(v.key)), b.Column(len(v.key)+1)
		for i := range b.Len() {
			plant := v.keyOf(b.Row(i)) // groups of a plant come one after the other
			capacity, _ := capacities.Float(i)
			if len(extra.fuel) == 0 || plant != last || capacity > most {
				extra.fuel[plant] = fuels.Value(i)
				last, most = plant, capacity
			}
		}
	}
	return nil
}

// named makes the filters that keep the plants of a page, and tells about how
// many bytes they take in a plan.
func (v *plantView) named(plants *egrid.Batch) (filters []egrid.Filter, bytes int) {
	if plants == nil {
		return nil, 0
	}
	for _, c := range v.key {
		f := valuesOf(plants, c)
		for _, value := range f.Values {
			bytes += len(value.String()) + 4
		}
		if len(f.Values) > 0 {
			filters = append(filters, f)
		}
	}
	return filters, bytes
}

// valuesOf makes the filter that keeps the rows of a page by a column; it has
// no values when the column is missing in one of them.
func valuesOf(rows *egrid.Batch, c egrid.Column) egrid.Filter {
	f := egrid.Filter{Column: c, Op: egrid.Eq}
	met := make(map[egrid.Value]bool, rows.Len())
	for row := range rows.Rows() {
		value := row.Value(c)
		if value.IsMissing() {
			return egrid.Filter{}
		}
		if !met[value] {
			met[value] = true
			f.Values = append(f.Values, value)
		}
	}
	return f
}

func (v *plantView) keyOf(row egrid.Row) string {
	if len(v.key) == 1 {
		return row.Text(v.key[0])
	}
	key := ""
	for _, c := range v.key {
		key += row.Text(c) + "\x00"
	}
	return key
}

func (v *plantView) value(row egrid.Row, c egrid.Column, extra plantExtras) egrid.Value {
	switch c {
	case PlantID:
		if code := row.Value(egrid.PlantCode); !code.IsMissing() {
			return code
		}
		if row.Value(egrid.PlantName).IsMissing() {
			return egrid.Value{}
		}
		return egrid.TextOf(row.Text(egrid.State) + "~" + row.Text(egrid.PlantName))
	case ShareOfState:
		own, ok := row.Float(egrid.NetGeneration)
		if total := extra.state[row.Text(egrid.State)]; ok && total > 0 && !row.Value(egrid.State).IsMissing() {
			return egrid.NumberOf(own / total)
		}
		return egrid.Value{}
	case egrid.Fuel:
		if v.basis == egrid.GEN {
			return extra.fuel[v.keyOf(row)]
		}
	case egrid.FuelCategoryColumn:
		if category := row.Value(egrid.FuelCategoryColumn); !category.IsMissing() {
			return category
		}
		category, _ := egrid.FuelCategory(v.value(row, egrid.Fuel, extra).String())
		return egrid.TextOf(category)
	case egrid.Year, egrid.ReleaseColumn:
		return v.snapshot.Context(c)
	case egrid.LevelColumn:
		return egrid.TextOf(string(egrid.PLNT))
	case BasisColumn:
		return egrid.TextOf(string(v.basis))
	}
	return row.Value(c)
}
