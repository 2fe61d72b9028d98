package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Columns that totals have besides what they are summed by, [PlantCount],
// net generation (MWh), nameplate capacity (MW), [BasisColumn] and
// [egrid.ReleaseColumn].
const (
	PlantsBasis   egrid.Column = "plants_basis"   // level that the plants are counted in: PLNT or GEN
	PlantsRelease egrid.Column = "plants_release" // release of that sheet
)

// Sheet names a published sheet of a data year.
type Sheet struct {
	Level   egrid.Level // empty for none
	Release string      // empty for the unmarked one
}

// Totals are sums with the sheets that they are from: the columns that they are
// summed by, and those of [PlantCount] and after.
type Totals struct {
	egrid.RowPage
	Sheet                         // of all rows; none when they are of several
	Year        int               // data year; 0 when they are of several
	Differences []TotalDifference // other loaded sheets that say otherwise, by data year
}

// TotalDifference is what another loaded sheet says otherwise: its rows add up to
// another net generation than those of the sheet that answered, by more than
// either was rounded, or do so for a single row of the answer.
type TotalDifference struct {
	Year       int
	Of         Sheet
	Total      float64 // net generation by the sheet that answered, MWh
	Other      Sheet
	OtherTotal float64 // by the other one, MWh

	// The row that differs most, and by how much (the other sheet less the one that
	// answered, MWh); missing and 0 when the total is all there is to compare.
	Largest    egrid.Value
	LargestGap float64
}

// Totals counts plants and sums net generation and nameplate capacity by a
// column: state, subregion, balancing_authority, nerc_region or fuel_category;
// data_year for a row for every data year, oldest first, each in its newest
// release; or none for one total. Other columns are those of [DB.SumPlants]. Sort,
// Columns, Limit and Cursor of the query are ignored, and by data_year Year and
// Release are, too.
//
// Every row is from one sheet, its basis, which is chosen for a data year (the
// newest, unless the query names one):
//
//   - The region sheet of what is summed by or chosen (ST of states, SRL of subregions,
//     and so on; of the whole the US, else its states), where nothing but regions of that
//     sheet and fuel categories is filtered by.
//   - Else the sheet of plants (PLNT), else generators (GEN), whose net generation is no
//     total of EPA's. Where none of these is published, other regions (SRL, NRL, BA) add
//     up to the whole.
//   - Of one level the newest release. When the query names a release, sheets of others
//     are not there.
//
// So plants or generators of a newer release do not take the place of regions of an
// older one: they may be a part of all plants, and Differences tells of them.
//
// By fuel_category, and where it is filtered by, region sheets answer with what
// was generated from the fuel, and plants by their primary fuel. Rows of which there
// is neither generation nor a plant are left out then.
//
// Plants are counted in the sheet of plants, or of generators, of the same data
// year; their number is missing where neither is published. Errors as [DB.SumPlants].
func (db *DB) Totals(ctx context.Context, by egrid.Column, query PlantQuery) (Totals, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Totals{}, err
	}
	query.Filters = slices.Clone(query.Filters)
	for i := range query.Filters {
		query.Filters[i].Column = named(query.Filters[i].Column)
	}
	if by = named(by); by != egrid.Year {
		return v.totals(ctx, by, query)
	}
	return v.yearTotals(ctx, query)
}

// named is the dictionary's name of a column that is given by EPA's code, say.
func named(c egrid.Column) egrid.Column {
	if f, ok := egrid.Lookup(egrid.PLNT, string(c)); ok {
		return f.Column
	}
	return c
}

// yearTotals are those of every data year. A year no sheet of which has what is
// filtered by has no figures; when that is so of all, it is an error.
func (v view) yearTotals(ctx context.Context, query PlantQuery) (Totals, error) {
	var unable error
	able := false
	query.Year, query.Release = 0, ""
	all := Totals{RowPage: egrid.RowPage{Revision: v.catalog.Revision}}
	rows := egrid.NewBuilder(totalSchema(egrid.Year), 0)
	s := scopeOf("", query)
	for _, year := range s.years(v.catalog, "") {
		query.Year = year
		one, err := v.totals(ctx, "", query)
		all.Snapshots = append(all.Snapshots, one.Snapshots...)
		switch {
		case errors.Is(err, egrid.ErrInvalid): // no sheet of this year has what is filtered by
			unable = cmp.Or(unable, err)
			rows.Int(0, int64(year))
			rows.EndRow(int64(rows.Len()+1), 0)
			continue
		case err != nil:
			return Totals{}, err
		}
		able = true
		all.Differences = append(all.Differences, one.Differences...)
		for row := range one.Rows() {
			if err := rows.Row(append([]egrid.Value{egrid.IntegerOf(int64(year))}, row.Values()...)); err != nil {
				return Totals{}, err
			}
			rows.EndRow(int64(rows.Len()+1), 0)
		}
	}
	if unable != nil && !able {
		return Totals{}, unable
	}
	all.Batch = rows.Batch()
	all.Total = int64(all.Len())
	return all, nil
}

// Gap is by how much the other sheet's total exceeds the one that answered, MWh.
func (d *TotalDifference) Gap() float64 { return gap(d.OtherTotal, d.Total) }

// gap subtracts figures of three decimals without leaving more.
func gap(a, b float64) float64 { return math.Round((a-b)*1000) / 1000 }

// ShareDifferences tells what the states of a query's plants add up to by the plants'
// own sheet, where the shares of the plants are of a sheet of another release: none
// where they are of the same. Of the query Release and the filters on states
// count. Errors as [DB.Totals].
func (db *DB) ShareDifferences(ctx context.Context, of PlantSource, query PlantQuery) ([]TotalDifference, error) {
	if of.Shares.Level != egrid.ST || of.Shares.Release == of.Release {
		return nil, nil
	}
	v, err := db.view(ctx)
	if err != nil {
		return nil, err
	}
	states := PlantQuery{Year: of.Year, Release: query.Release}
	for _, f := range query.Filters {
		if f.Column == egrid.State && f.Op == egrid.Eq {
			states.Filters = append(states.Filters, f)
		}
	}
	shares, published := v.catalog.Published(of.Shares.Level, of.Year, of.Shares.Release)
	plants, also := v.catalog.Published(of.Basis, of.Year, of.Release)
	if !published || !also {
		return nil, nil // there were others when the plants were read
	}
	s := scopeOf(egrid.State, states)
	mine, err := v.regionSums(ctx, &s, &shares)
	if err != nil {
		return nil, err
	}
	theirs, err := v.plainSums(ctx, &s, &plants, states)
	if d, differs := mine.compare(&theirs, &s); differs && err == nil {
		return []TotalDifference{d}, nil
	}
	return nil, err
}

// totals makes those of one data year.
func (v view) totals(ctx context.Context, by egrid.Column, query PlantQuery) (Totals, error) {
	if slices.ContainsFunc(TotalFields(""), func(f egrid.Field) bool { return f.Column == by }) {
		return Totals{}, fmt.Errorf("%w: nothing is summed by %s, which every total has", egrid.ErrInvalid, by)
	}
	s := scopeOf(by, query)
	year, err := s.year(v.catalog, query)
	if err != nil {
		return Totals{}, err
	}
	query.Year = year
	t := Totals{RowPage: egrid.RowPage{Revision: v.catalog.Revision, Batch: egrid.NewBuilder(totalSchema(by), year).Batch()}, Year: year}
	basis, sheets := s.sheets(v.catalog, year, query.Release)
	if basis.Level == "" {
		return t, s.untold(year, query)
	}
	t.Sheet, t.Snapshots = sheetOf(&basis), []egrid.Snapshot{basis}
	sums, err := v.sheetSums(ctx, &s, &basis, query)
	if err != nil {
		return t, err
	}
	t.Snapshots = sums.read
	counted := sums
	for i := range sheets {
		other := &sheets[i]
		counts := !counted.plants && isPlants(other.Level)
		if other.ID == basis.ID || !counts && !s.compares(other.Level) {
			continue
		}
		read := v.sheetSums
		if !counts && isPlants(other.Level) {
			read = v.plainSums
		}
		others, err := read(ctx, &s, other, query)
		if err != nil {
			return Totals{}, err
		}
		t.Snapshots = append(t.Snapshots, others.read...)
		if counts {
			counted = others
		}
		if d, differs := sums.compare(&others, &s); differs && s.compares(other.Level) {
			t.Differences = append(t.Differences, d)
		}
	}
	t.Batch, err = sums.rows(&s, &counted)
	t.Total = int64(t.Len())
	return t, err
}

func isPlants(l egrid.Level) bool { return l == egrid.PLNT || l == egrid.GEN }

func sheetOf(s *egrid.Snapshot) Sheet { return Sheet{s.Level, s.Release} }

// regionLevels are the levels of regions, those that tell most of the whole first.
var regionLevels = []egrid.Level{egrid.US, egrid.ST, egrid.SRL, egrid.NRL, egrid.BA}

// regionColumn is what identifies a region of a level; empty for the US.
func regionColumn(l egrid.Level) egrid.Column {
	if id := egrid.Identifier(l, func(egrid.Column) bool { return true }); len(id) == 1 {
		return id[0]
	}
	return ""
}

// fuelGeneration is the column of a region's net generation from a category of
// fuels.
var fuelGeneration = map[string]egrid.Column{
	"COAL": "coal_net_generation_mwh", "OIL": "oil_net_generation_mwh", "GAS": "gas_net_generation_mwh", "OFSL": "other_fossil_net_generation_mwh",
	"NUCLEAR": "nuclear_net_generation_mwh", "HYDRO": "hydro_net_generation_mwh", "BIOMASS": "biomass_net_generation_mwh",
	"WIND": "wind_net_generation_mwh", "SOLAR": "solar_net_generation_mwh", "GEOTHERMAL": "geothermal_net_generation_mwh", "OTHF": "other_unknown_net_generation_mwh",
}

// scope is what totals are asked of, as sheets of regions know it.
type scope struct {
	by      egrid.Column
	regions []egrid.Filter // all on one column that identifies regions
	fuels   []string       // categories; nil is all
	plain   bool           // nothing else is filtered by, so that sheets of regions can tell
}

func scopeOf(by egrid.Column, query PlantQuery) scope {
	s := scope{by: by, plain: strings.TrimSpace(query.Search) == ""}
	for _, f := range query.Filters {
		isRegion := slices.ContainsFunc(regionLevels, func(l egrid.Level) bool { return f.Column == regionColumn(l) })
		switch {
		case f.Op != egrid.Eq:
			s.plain = false
		case isRegion && (len(s.regions) == 0 || s.regions[0].Column == f.Column):
			s.regions = append(s.regions, f)
		case f.Column == egrid.FuelCategoryColumn && s.fuels == nil:
			for _, v := range f.Values {
				if fuel := v.String(); !slices.Contains(s.fuels, fuel) {
					s.fuels = append(s.fuels, fuel)
				}
			}
		default:
			s.plain = false
		}
	}
	return s
}

// byRegion reports whether the totals are by a column that identifies regions.
func (s *scope) byRegion() bool {
	return s.by != "" && slices.ContainsFunc(regionLevels, func(l egrid.Level) bool { return regionColumn(l) == s.by })
}

// compares reports whether sheets of a level are compared with the one that answers.
// Not where a fuel is chosen, which is what was burned to one sheet and what plants
// burn most to another; and of regions it is enough to ask the US, the states and
// what is summed by.
func (s *scope) compares(l egrid.Level) bool {
	return s.plain && s.fuels == nil && (isPlants(l) || l == egrid.US || l == egrid.ST || regionColumn(l) == s.by)
}

// ladder is the levels that can tell: the first one that is published answers.
func (s *scope) ladder() []egrid.Level {
	plants := []egrid.Level{egrid.PLNT, egrid.GEN}
	switch {
	case s.byRegion() && s.by != egrid.State:
		plants = plants[:1] // generators do not know
	case s.by != "" && s.by != egrid.FuelCategoryColumn && !s.byRegion():
		return plants
	}
	if !s.plain {
		return plants
	}
	var first, last []egrid.Level
	for _, l := range regionLevels {
		id := regionColumn(l)
		chosen := len(s.regions) > 0 && id == s.regions[0].Column
		switch {
		case s.byRegion() && id != s.by || len(s.regions) > 0 && !chosen:
		case s.byRegion() || chosen || l == egrid.US || l == egrid.ST:
			first = append(first, l)
		default:
			last = append(last, l)
		}
	}
	return slices.Concat(first, plants, last)
}

// has reports whether a sheet has the columns that totals are made of.
func (s *scope) has(c egrid.Catalog, snap *egrid.Snapshot) bool {
	column := func(category string) bool { return snap.Schema.Has(fuelGeneration[category]) }
	switch {
	case isPlants(snap.Level):
		known := func(column egrid.Column) bool {
			return snap.Schema.Has(column) || slices.Contains(fillingOf(c, snap).columns, column)
		}
		byKnown := s.by == "" || known(s.by) || s.by == egrid.FuelCategoryColumn && known(egrid.Fuel)
		return snap.Schema.Has(egrid.NetGeneration) && byKnown && (len(s.regions) == 0 || known(s.regions[0].Column))
	case s.fuels != nil:
		return !slices.ContainsFunc(s.fuels, func(f string) bool { return !column(f) })
	case s.by == egrid.FuelCategoryColumn:
		return slices.ContainsFunc(egrid.FuelCategories(), column)
	}
	return snap.Schema.Has(egrid.NetGeneration)
}

// sheets returns the sheet that answers, of no level when none can, and all that
// might: of each level that can tell the newest release, or the one that is asked
// for.
func (s *scope) sheets(c egrid.Catalog, year int, release string) (basis egrid.Snapshot, all []egrid.Snapshot) {
	newest := func(l egrid.Level) (found egrid.Snapshot, ok bool) {
		for i := range c.Snapshots {
			snap := &c.Snapshots[i]
			if snap.Level == l && snap.Year == year && answers(snap, release) && (!ok || egrid.CompareReleases(snap.Release, found.Release) > 0) {
				found, ok = *snap, true
			}
		}
		return found, ok
	}
	var poor egrid.Snapshot // counts plants, if nothing else
	for _, level := range s.ladder() {
		snap, ok := newest(level)
		switch {
		case !ok:
		case s.has(c, &snap):
			all = append(all, snap)
		case poor.Level == "" && isPlants(level):
			poor = snap
		}
	}
	if len(all) > 0 {
		return all[0], all
	}
	return poor, nil
}

// answers reports whether a snapshot is published, and of the release that is
// asked for.
func answers(s *egrid.Snapshot, release string) bool {
	wanted, err := egrid.ParseRelease(release)
	return s.Status == egrid.Published && err == nil && (release == "" || s.Release == wanted)
}

// years are the data years with a sheet that might tell.
func (s *scope) years(c egrid.Catalog, release string) []int {
	var years []int
	for i := range c.Snapshots {
		snap := &c.Snapshots[i]
		if answers(snap, release) && (isPlants(snap.Level) || s.plain && slices.Contains(regionLevels, snap.Level)) {
			years = append(years, snap.Year)
		}
	}
	slices.Sort(years)
	return slices.Compact(years)
}

// year is the data year of an answer; 0 when nothing at all is published.
func (s *scope) year(c egrid.Catalog, query PlantQuery) (int, error) {
	if query.Year < 0 {
		return 0, fmt.Errorf("%w: totals are of one data year, not of %d", egrid.ErrInvalid, query.Year)
	}
	if query.Year > 0 {
		if err := egrid.CheckYear(query.Year); err != nil {
			return 0, err
		}
	}
	if _, err := egrid.ParseRelease(query.Release); err != nil {
		return 0, err
	}
	years := s.years(c, query.Release)
	switch {
	case query.Year == 0 && len(years) > 0:
		return years[len(years)-1], nil
	case slices.Contains(years, query.Year):
		return query.Year, nil
	case query.Year == 0 && query.Release == "":
		return 0, nil
	}
	what := "no totals"
	if query.Year > 0 {
		what += fmt.Sprintf(" of data year %d", query.Year)
	}
	if query.Release != "" {
		what += " in release " + query.Release
	}
	return 0, fmt.Errorf("%w: %s are published; data years with plants or regions: %s", egrid.ErrNotFound, what, list(s.years(c, "")))
}

// untold is the error of totals that no sheet can tell; nil where there are just
// none.
func (s *scope) untold(year int, query PlantQuery) error {
	if year == 0 || len(query.Filters) == 0 && query.Search == "" {
		return nil
	}
	return fmt.Errorf("%w: only a PLNT sheet says which plants are in which %s, and none of data year %d is published; load one, or ask without other filters", egrid.ErrInvalid, regionOf(s.by), year)
}

func regionOf(by egrid.Column) string {
	return map[egrid.Column]string{
		egrid.Subregion: "subregion", egrid.BalancingAuthority: "balancing authority", egrid.NERCRegion: "NERC region",
	}[by]
}

// sheetSums are the sums of one sheet, by label.
type sheetSums struct {
	sheet  egrid.Snapshot
	read   []egrid.Snapshot // that sheet, and what it was filled in from
	plants bool             // plants are counted
	of     map[egrid.Value]*plantSum
	whole  total // net generation, MWh: of fuels, too, which may miss it by some MWh
}

func (v view) sheetSums(ctx context.Context, s *scope, sheet *egrid.Snapshot, query PlantQuery) (sheetSums, error) {
	if !isPlants(sheet.Level) {
		return v.regionSums(ctx, s, sheet)
	}
	sums := sheetSums{sheet: *sheet, plants: true, of: map[egrid.Value]*plantSum{}}
	only := v
	only.catalog.Snapshots = nil
	for i := range v.catalog.Snapshots { // a sheet of plants may be filled in from generators
		if snap := &v.catalog.Snapshots[i]; snap.ID == sheet.ID || sheet.Level == egrid.PLNT && snap.Level == egrid.GEN {
			only.catalog.Snapshots = append(only.catalog.Snapshots, *snap)
		}
	}
	page, err := only.sumPlants(ctx, s.by, query)
	if err != nil {
		return sums, err
	}
	sums.read = page.Snapshots
	for row := range page.Rows() {
		sums.whole.add(row.Float(egrid.NetGeneration))
		label := egrid.Value{}
		if s.by != "" {
			label = row.At(0)
		}
		sum := &plantSum{}
		sum.plants, _ = row.Int(PlantCount)
		sum.generation.add(row.Float(egrid.NetGeneration))
		sum.capacity.add(row.Float(egrid.NameplateCapacity))
		sums.of[label] = sum
	}
	return sums, nil
}

// plainSums are those of a sheet of plants or generators that is only compared: nobody
// asks how many plants or which fuels, which is most of the work.
func (v view) plainSums(ctx context.Context, s *scope, sheet *egrid.Snapshot, query PlantQuery) (sheetSums, error) {
	if len(fillingOf(v.catalog, sheet).columns) > 0 {
		return v.sheetSums(ctx, s, sheet, query)
	}
	sums := sheetSums{sheet: *sheet, read: []egrid.Snapshot{*sheet}, of: map[egrid.Value]*plantSum{}}
	groups := egrid.GroupQuery{Level: sheet.Level, Filters: s.regions, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}}}
	if s.byRegion() {
		groups.By = []egrid.Column{s.by}
	}
	for b, err := range v.at(*sheet).groupBatches(ctx, groups) {
		if err != nil {
			return sums, err
		}
		for row := range b.Rows() {
			sums.whole.add(row.Float(egrid.NetGeneration))
			if s.byRegion() {
				sums.labelled(row.At(0)).generation.add(row.Float(egrid.NetGeneration))
			}
		}
	}
	return sums, nil
}

// regionSums reads the rows of a sheet of regions.
func (v view) regionSums(ctx context.Context, s *scope, sheet *egrid.Snapshot) (sheetSums, error) {
	sums := sheetSums{sheet: *sheet, read: []egrid.Snapshot{*sheet}, of: map[egrid.Value]*plantSum{}}
	query := egrid.RowQuery{Level: sheet.Level, Filters: s.regions, Columns: []egrid.Column{egrid.NetGeneration, egrid.NameplateCapacity}}
	if s.byRegion() {
		query.Columns = append(query.Columns, s.by)
	}
	categories := s.fuels
	if s.by == egrid.FuelCategoryColumn && categories == nil {
		categories = egrid.FuelCategories()
	}
	for _, category := range categories {
		query.Columns = append(query.Columns, fuelGeneration[category])
	}
	rows, err := v.at(*sheet).every(ctx, query)
	if err != nil {
		return sums, err
	}
	for row := range rows.Rows() {
		sums.whole.add(row.Float(egrid.NetGeneration))
		label := egrid.Value{}
		if s.byRegion() {
			label = row.Value(s.by)
		}
		if categories == nil {
			sum := sums.labelled(label)
			sum.generation.add(row.Float(egrid.NetGeneration))
			sum.capacity.add(row.Float(egrid.NameplateCapacity))
		}
		for _, category := range categories {
			if s.by == egrid.FuelCategoryColumn {
				label = egrid.TextOf(category)
			}
			sums.labelled(label).generation.add(row.Float(fuelGeneration[category]))
		}
	}
	return sums, nil
}

func (t *sheetSums) labelled(label egrid.Value) *plantSum {
	if t.of[label] == nil {
		t.of[label] = &plantSum{}
	}
	return t.of[label]
}

// labels in the order of their values.
func (t *sheetSums) labels() []egrid.Value {
	labels := make([]egrid.Value, 0, len(t.of))
	for label := range t.of {
		labels = append(labels, label)
	}
	slices.SortFunc(labels, egrid.Value.Compare)
	return labels
}

// compare tells how another sheet differs, where both have net generation.
func (t *sheetSums) compare(other *sheetSums, s *scope) (d TotalDifference, differs bool) {
	mine, theirs := t.whole, other.whole
	if !mine.present || !theirs.present {
		return d, false
	}
	d = TotalDifference{
		Year: t.sheet.Year, Of: sheetOf(&t.sheet), Other: sheetOf(&other.sheet),
		Total: tidy(mine.sum), OtherTotal: tidy(theirs.sum),
	}
	rounded := rounding(&t.sheet) + rounding(&other.sheet)
	if s.byRegion() {
		for _, label := range t.labels() {
			a, b := t.of[label].generation, total{}
			if o := other.of[label]; o != nil {
				b = o.generation
			}
			if g := gap(b.sum, a.sum); a.present && b.present && math.Abs(g) > max(rounded, math.Abs(d.LargestGap)) {
				d.Largest, d.LargestGap = label, g
			}
		}
	}
	return d, math.Abs(mine.sum-theirs.sum) > rounded || d.LargestGap != 0
}

// tidy rounds as sums of columns are, to 15 significant digits.
func tidy(x float64) float64 {
	y, _ := egrid.SumOf(x).Float()
	return y
}

// rounding is how far the sum of a sheet may be off for its cells being rounded,
// MWh: half a MWh for each row of a sheet in display format, and else what the
// three decimals of EPA's figures make.
func rounding(s *egrid.Snapshot) float64 {
	if slices.Contains(s.Lossy, egrid.NetGeneration) {
		return 0.5 * float64(max(1, s.Rows))
	}
	return 0.5
}

// rows writes the sums, with the plants that a sheet of plants counts.
func (t *sheetSums) rows(s *scope, counted *sheetSums) (*egrid.Batch, error) {
	labels := t.labels()
	if !t.plants {
		for _, label := range counted.labels() {
			if t.of[label] == nil && !label.IsMissing() {
				labels = append(labels, label)
			}
		}
		slices.SortFunc(labels, egrid.Value.Compare)
	}
	var rows [][]egrid.Value
	for _, label := range labels {
		sum, count, plants := cmp.Or(t.of[label], &plantSum{}), cmp.Or(counted.of[label], &plantSum{}).plants, egrid.Value{}
		if counted.plants {
			plants = egrid.IntegerOf(count)
		}
		if s.by != "" && (s.by == egrid.FuelCategoryColumn || s.fuels != nil) && sum.generation.sum == 0 && count == 0 {
			continue
		}
		row := []egrid.Value{plants, sum.generation.value(), sum.capacity.value(), egrid.TextOf(string(t.sheet.Level)), releaseOf(&t.sheet)}
		if counted.plants {
			row = append(row, egrid.TextOf(string(counted.sheet.Level)), releaseOf(&counted.sheet))
		} else {
			row = append(row, egrid.Value{}, egrid.Value{})
		}
		if s.by != "" {
			row = append([]egrid.Value{label}, row...)
		}
		rows = append(rows, row)
	}
	return egrid.BatchOf(totalSchema(s.by), t.sheet.Year, rows...)
}

func releaseOf(s *egrid.Snapshot) egrid.Value { return s.Context(egrid.ReleaseColumn) }

// TotalFields are the columns of [Totals] by a column.
func TotalFields(by egrid.Column) []egrid.Field {
	fields := sumSchema(by).Fields()
	for _, c := range []egrid.Column{BasisColumn, egrid.ReleaseColumn, PlantsBasis, PlantsRelease} {
		f, _ := plantField(egrid.Snapshot{}, c)
		fields = append(fields, f)
	}
	return fields
}

func totalSchema(by egrid.Column) *egrid.Schema {
	s, err := egrid.NewSchema(TotalFields(by)...)
	if err != nil {
		panic(err) // totals are not summed by their own columns, which totals refuses
	}
	return s
}
