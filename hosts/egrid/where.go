package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// years is a flag of a data year, or of all of them.
type years int

// UnmarshalText implements encoding.TextUnmarshaler.
func (y *years) UnmarshalText(text []byte) error {
	if strings.EqualFold(string(text), "all") {
		*y = egrid.AllYears
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("%q is no data year; give one, as 2023, or all", text)
	}
	if err := egrid.CheckYear(n); err != nil {
		return fmt.Errorf("%w; give one, as 2023, or all", err)
	}
	*y = years(n)
	return nil
}

// edition are the flags of which edition is asked.
type edition struct {
	Year    years  `short:"y" env:"-" help:"Data year, or all. Default: the newest." placeholder:"YEAR|all"`
	Release string `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
}

// where are the flags that choose rows.
type where struct {
	edition
	State        []string `short:"s" env:"-" help:"States, e.g. TX,OK or Texas." placeholder:"STATE,..."`
	Subregion    []string `env:"-" help:"eGRID subregions, e.g. CAMX." placeholder:"CODE,..."`
	BA           []string `env:"-" help:"Balancing authorities, e.g. ERCO." placeholder:"CODE,..."`
	Nerc         []string `env:"-" help:"NERC regions, e.g. WECC." placeholder:"CODE,..."`
	Fuel         []string `env:"-" help:"EIA energy source codes, e.g. NG." placeholder:"CODE,..."`
	FuelCategory []string `env:"-" help:"Categories of fuels: COAL, OIL, GAS, OFSL, NUCLEAR, HYDRO, BIOMASS, WIND, SOLAR, GEOTHERMAL, OTHF." placeholder:"NAME,..."`
	Filter       []string `short:"w" env:"-" help:"Condition on any column, e.g. 'nameplate_capacity_mw>=100'. May be repeated; all must hold." sep:"none" placeholder:"CONDITION"`
	Search       string   `short:"q" env:"-" help:"Words to find in names and codes." placeholder:"WORDS"`
}

// filters are the conditions as they are given.
func (s *where) filters() ([]egrid.Filter, error) {
	var filters []egrid.Filter
	for _, code := range []struct {
		column egrid.Column
		values []string
	}{
		{egrid.State, s.State}, {egrid.Subregion, s.Subregion}, {egrid.BalancingAuthority, s.BA}, {egrid.NERCRegion, s.Nerc},
		{egrid.Fuel, s.Fuel}, {egrid.FuelCategoryColumn, s.FuelCategory},
	} {
		if len(code.values) > 0 {
			filters = append(filters, egrid.Where(code.column, egrid.Eq, code.values...))
		}
	}
	for _, text := range s.Filter {
		f, err := parseFilter(text)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// parseFilter also knows the operators of other languages.
func parseFilter(text string) (egrid.Filter, error) {
	for _, other := range [][2]string{{"==", "="}, {"=>", ">="}, {"=<", "<="}, {"<>", "!="}} {
		if column, value, ok := strings.Cut(text, other[0]); ok && !strings.ContainsAny(column, `"<>=!`) && !strings.HasPrefix(value, `"`) {
			return egrid.Filter{}, fmt.Errorf("%w: filter %q has %s; did you mean %s%s%s?", egrid.ErrInvalid, text, other[0], column, other[1], value)
		}
	}
	return egrid.ParseFilter(text)
}

// asked is where a query looks: what there is in a column, and how many rows meet
// conditions.
type asked struct {
	level  egrid.Level // empty for plants
	rows   string      // what its rows are: plants, rows of GEN
	values func(egrid.Column) ([]string, error)
	count  func(filters []egrid.Filter, search string) (int64, error)
	bounds func(egrid.Column) (low, high egrid.Value, err error)
}

// mostValues bounds the values of a column that are read to find what was meant.
const mostValues = 5000

// askedOf are the rows of a level.
func askedOf(ctx context.Context, db *store.DB, level egrid.Level, e edition) asked {
	group := func(q egrid.GroupQuery) (egrid.RowPage, error) {
		q.Level, q.Year, q.Release = level, int(e.Year), e.Release
		return db.Groups(ctx, q)
	}
	return asked{
		level: level, rows: "rows of " + string(level),
		values: func(c egrid.Column) ([]string, error) {
			page, err := group(egrid.GroupQuery{By: []egrid.Column{c}, Measures: []egrid.Measure{{Func: egrid.Count, As: "rows_with_it"}}, Limit: mostValues})
			return firstColumn(page, err)
		},
		count: func(filters []egrid.Filter, search string) (int64, error) {
			page, err := group(egrid.GroupQuery{Filters: filters, Search: search, Measures: []egrid.Measure{{Func: egrid.Count, As: "rows_with_it"}}})
			if err != nil || page.Len() == 0 {
				return 0, err
			}
			n, _ := page.Row(0).At(0).Int()
			return n, nil
		},
		bounds: func(c egrid.Column) (low, high egrid.Value, err error) {
			page, err := group(egrid.GroupQuery{Measures: []egrid.Measure{{Func: egrid.Min, Column: c, As: "lowest"}, {Func: egrid.Max, Column: c, As: "highest"}}})
			if err != nil || page.Len() == 0 {
				return low, high, err
			}
			return page.Row(0).At(0), page.Row(0).At(1), nil
		},
	}
}

// askedOfPlants are plants.
func askedOfPlants(ctx context.Context, db *store.DB, year int, release string) asked {
	return asked{
		rows: "plants",
		values: func(c egrid.Column) ([]string, error) {
			page, err := db.SumPlants(ctx, c, store.PlantQuery{Year: year, Release: release})
			if errors.Is(err, egrid.ErrInvalid) { // generators that stand in for plants do not have it
				return nil, nil
			}
			return firstColumn(page.RowPage, err)
		},
		count: func(filters []egrid.Filter, search string) (int64, error) {
			page, err := db.Plants(ctx, store.PlantQuery{Year: year, Release: release, Filters: filters, Search: search, Limit: 1, Count: true, Columns: []egrid.Column{egrid.PlantName}})
			return page.Total, err
		},
	}
}

// firstColumn are the values of the first column; none of a level that is not
// published.
func firstColumn(page egrid.RowPage, err error) ([]string, error) {
	if errors.Is(err, egrid.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var values []string
	for row := range page.Rows() {
		if v := row.At(0); !v.IsMissing() {
			values = append(values, v.String())
		}
	}
	return values, nil
}

// understand turns conditions into those on the columns and codes of the data: a
// column by EPA's code, a code in small letters, the name of a state. It returns an
// error for a state or a fuel that does not exist, and tells of codes that no row has.
func (a *app) understand(filters []egrid.Filter, in asked) ([]egrid.Filter, error) {
	level := in.level
	if level == "" {
		level = egrid.PLNT
	}
	understood := slices.Clone(filters)
	for i := range understood {
		f := &understood[i]
		field, known := egrid.Lookup(level, string(f.Column))
		if known {
			f.Column = field.Column
		}
		if f.Column == egrid.FuelCategoryColumn && !known && in.level != "" {
			if err := fuelsOfCategory(f); err != nil {
				return nil, err
			}
		}
		if (f.Op != egrid.Eq && f.Op != egrid.Ne) || !slices.Contains(egrid.CodeColumns(), f.Column) {
			continue
		}
		there, err := in.values(f.Column)
		if err != nil {
			return nil, err
		}
		f.Values = slices.Clone(f.Values)
		for j, v := range f.Values {
			code, err := a.code(f.Column, level, v.String(), there)
			if err != nil {
				return nil, err
			}
			f.Values[j] = egrid.TextOf(code)
		}
	}
	return understood, nil
}

// fuelsOfCategory turns a condition on fuel categories into one on their fuels, for
// levels that have no such column.
func fuelsOfCategory(f *egrid.Filter) error {
	fuels := egrid.Filter{Column: egrid.Fuel, Op: f.Op}
	for _, v := range f.Values {
		category, err := egrid.ParseFuelCategory(v.String())
		if err != nil {
			return err
		}
		for _, code := range egrid.FuelsOf(category) {
			fuels.Values = append(fuels.Values, egrid.TextOf(code))
		}
	}
	*f = fuels
	return nil
}

// code finds the code that was meant, among those that are there and those that the
// dictionary knows.
func (a *app) code(column egrid.Column, level egrid.Level, text string, there []string) (string, error) {
	if slices.Contains(there, text) {
		return text, nil
	}
	if i := slices.IndexFunc(there, func(s string) bool { return strings.EqualFold(s, text) }); i >= 0 {
		return there[i], nil
	}
	switch column {
	case egrid.State:
		return placeCode(egrid.ST, text)
	case egrid.Fuel:
		return egrid.ParseFuel(text)
	case egrid.FuelCategoryColumn:
		return egrid.ParseFuelCategory(text)
	}
	if of, ok := map[egrid.Column]egrid.Level{egrid.Subregion: egrid.SRL, egrid.NERCRegion: egrid.NRL}[column]; ok {
		if code, ok := egrid.RegionCode(of, text); ok && (len(there) == 0 || slices.Contains(there, code)) {
			return code, nil
		}
	}
	if len(there) > 0 {
		hint := ""
		if meant := egrid.Nearest(text, there); meant != "" {
			hint = "; did you mean " + meant + "?"
		}
		a.tell("no row has %s %s%s", column, text, hint)
	}
	return strings.ToUpper(text), nil
}

// placeCode is the code of a region that is given by code or name. There are no
// states but those of the dictionary; other regions come and go, and the data tell.
func placeCode(level egrid.Level, text string) (string, error) {
	if code, ok := egrid.RegionCode(level, text); ok || text == "" {
		return code, nil
	}
	if level == egrid.ST {
		return "", fmt.Errorf("%w: %q is no state%s", egrid.ErrInvalid, text, nearestRegion(level, text, "; give a postal abbreviation, as TX, or a name, as Texas"))
	}
	return text, nil
}

// nearestRegion is a hint at the region whose code or name is nearest; otherwise where
// none is.
func nearestRegion(level egrid.Level, text, otherwise string) string {
	all := egrid.NamedRegions(level)
	var codes, names []string
	for _, r := range all {
		codes, names = append(codes, r.Code), append(names, r.Name)
	}
	if meant := egrid.Nearest(text, names); meant != "" && len(text) > 3 {
		return fmt.Sprintf("; did you mean %s (%s)?", meant, codes[slices.Index(names, meant)])
	}
	if meant := egrid.Nearest(text, codes); meant != "" {
		return fmt.Sprintf("; did you mean %s (%s)?", meant, names[slices.Index(codes, meant)])
	}
	return otherwise
}

// tellEmpty says why an answer has no rows: how many rows meet each condition alone,
// and what there is instead where none does.
func (a *app) tellEmpty(filters []egrid.Filter, search string, in asked) error {
	switch n, err := in.count(nil, ""); {
	case err != nil && !errors.Is(err, egrid.ErrNotFound):
		return err
	case n == 0:
		a.tell("no %s are published; egrid snapshots lists what is", in.rows)
		return nil
	case len(filters) == 0 && search == "":
		a.tell("there are no %s", in.rows)
		return nil
	}
	var all []string
	for _, f := range filters {
		all = append(all, f.String())
	}
	if search != "" {
		all = append(all, fmt.Sprintf("words %q", search))
	}
	a.tell("no %s match %s", in.rows, strings.Join(all, " and "))
	for _, f := range filters {
		n, err := in.count([]egrid.Filter{f}, "")
		if err != nil {
			return err
		}
		if n > 0 {
			if len(all) > 1 {
				a.tell("  %s alone: %s", f, count(n, "row"))
			}
			continue
		}
		instead, err := in.instead(f)
		if err != nil {
			return err
		}
		a.tell("  %s: none%s", f, instead)
	}
	if search == "" {
		return nil
	}
	n, err := in.count(nil, search)
	if err == nil && (n == 0 || len(all) > 1) {
		a.tell("  words %q alone: %s", search, count(n, "row"))
	}
	return err
}

// instead says what a column has that no row meets a condition on.
func (in asked) instead(f egrid.Filter) (string, error) {
	if f.Op == egrid.Eq {
		there, err := in.values(f.Column)
		if err != nil || len(there) == 0 {
			return "", err
		}
		const few = 8
		text := "; there are " + strings.Join(there[:min(few, len(there))], ", ")
		if more := len(there) - few; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		if len(there) == 1 {
			text = "; there is only " + there[0]
		}
		return text, nil
	}
	switch {
	case f.Op == egrid.Missing:
		return "; every row has a value", nil
	case f.Op == egrid.Present:
		return "; the column is empty", nil
	case in.bounds == nil:
		return "", nil
	}
	low, high, err := in.bounds(f.Column)
	if err != nil || low.IsMissing() {
		return "; the column is empty", err
	}
	return fmt.Sprintf("; it is from %s to %s", low, high), nil
}
