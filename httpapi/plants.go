package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func (a *api) plantOperations() {
	plants := listOf(rowSchema(plantFields()...))
	where := append(placeParams(), yearParam(), releaseParam())
	id := parameter{name: "id", path: true, doc: "The plant's id, as in any plant answer: its ORIS code or state~name.", schema: huma.Schema{MaxLength: new(300)}}
	a.register(operation{
		id: "top-plants", path: "/plants/top", tag: "plants", summary: "Plants by net generation",
		details: "A plant is its row in the PLNT sheet of the data year, or the sum of its generators where only a GEN sheet is loaded; meta.basis says which.",
		params: append(slices.Clone(where), parameter{name: "order", doc: "desc begins with the largest.", schema: huma.Schema{Enum: []any{"asc", "desc"}, Default: "desc"}},
			limitParam("10"), cursorParam(), countParam(), codesParam()),
		data: plants, places: true, pins: ofPlants,
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := in.plantQuery()
			query.Sort = []egrid.Sort{{Column: egrid.NetGeneration, Desc: in.text("order") != "asc"}, {Column: egrid.PlantName}}
			return &answer{rows: a.plantPages(in, query), fallback: 10}, nil
		},
	})
	a.register(operation{
		id: "search-plants", path: "/plants/search", tag: "plants", summary: "Plants by anything",
		details: languageDetails,
		params: append(slices.Clone(where), filterParam("filter", "the plants"), searchParam(), sortParam(), columnsParam(), limitParam("100"), cursorParam(),
			countParam(), facetParam("the plants"), codesParam()),
		fields: a.plantFieldSet,
		data:   plants, places: true, pins: ofPlants,
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := in.plantQuery()
			var err error
			query.Sort, err = in.sort()
			ans := &answer{fallback: egrid.DefaultLimit, facet: a.plantFacet(query)}
			query.Columns, ans.unasked = in.geoRead(query.Columns)
			ans.rows = a.plantPages(in, query)
			return ans, err
		},
	})
	a.register(operation{
		id: "plants-by-state", path: "/plants/states", tag: "plants", summary: "Plants and net generation of each state",
		params: where, data: listOf(rowSchema(sumFields(egrid.State)...)),
		answer: func(_ context.Context, in *request) (*answer, error) {
			return &answer{rows: a.plantSums(in, egrid.State, in.plantQuery())}, nil
		},
	})
	a.register(operation{
		id: "plants-by-year", path: "/plants/years", tag: "plants", summary: "Plants and net generation of each data year",
		params: placeParams(), data: listOf(rowSchema(sumFields(egrid.Year)...)),
		answer: func(_ context.Context, in *request) (*answer, error) {
			return &answer{rows: a.yearSums(in.plantQuery())}, nil
		},
	})
	a.register(operation{
		id: "plant-chart", path: "/plants/chart/{type}", tag: "plants", summary: "Net generation, ready to draw",
		params: append([]parameter{{name: "type", path: true, schema: huma.Schema{Enum: []any{"by-state", "by-year", "by-fuel", "by-subregion"}}}}, where...),
		data:   a.schemaOf(typeOf[Chart]()),
		answer: a.chart,
	})
	a.register(operation{
		id: "statistics", path: "/plants/statistics", tag: "plants", summary: "Counts, totals and the last load",
		params: []parameter{yearParam()}, data: a.schemaOf(typeOf[Statistics]()),
		answer: a.statistics,
	})
	a.register(operation{
		id: "plant", path: "/plants/{id}", tag: "plants", summary: "One plant in a data year, all columns",
		params: []parameter{id, yearParam(), releaseParam()}, data: rowSchema(plantFields()...), row: true, pins: ofPlants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := egrid.FindPlant(ctx, a.q, in.text("id"), in.number("year"), in.text("release"))
			if err != nil {
				return nil, err
			}
			page.Total = 1
			return &answer{value: encodedRow(page.Rows[0]), meta: one(plantMeta(page), page.Schema), rows: whole(page.RowPage, plantMeta(page))}, nil
		},
	})
	a.register(operation{
		id: "plant-history", path: "/plants/{id}/history", tag: "plants", summary: "One plant over all data years",
		params: []parameter{id}, data: plants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := egrid.PlantHistory(ctx, a.q, in.text("id"))
			return &answer{rows: whole(page, Meta{Revision: page.Revision})}, err
		},
	})
	for _, part := range []struct {
		level egrid.Level
		name  string
	}{{egrid.GEN, "generators"}, {egrid.UNT, "units"}} {
		a.register(operation{
			id: "plant-" + part.name, path: "/plants/{id}/" + part.name, tag: "plants", summary: "The " + part.name + " of a plant",
			params: []parameter{id, yearParam(), releaseParam(), limitParam("100"), cursorParam(), codesParam()}, data: listOf(rowSchema()),
			pins: func(*request) []egrid.Level { return []egrid.Level{part.level} },
			answer: func(_ context.Context, in *request) (*answer, error) {
				return &answer{rows: a.plantParts(part.level, in), fallback: egrid.DefaultLimit}, nil
			},
		})
	}
}

func (in *request) plantQuery() store.PlantQuery {
	return store.PlantQuery{
		Year: in.number("year"), Release: in.text("release"), Filters: in.filters, Search: in.text("q"), Columns: in.columns(),
	}
}

func plantMeta(page store.PlantPage) Meta {
	meta := Meta{Revision: page.Revision, Basis: string(page.Basis), snapshots: page.Snapshots}
	if page.Year != 0 {
		meta.Year, meta.Release = &page.Year, &page.Release
	}
	return meta
}

// one completes the meta data of a single row.
func one(meta Meta, s *egrid.Schema) Meta {
	meta.Count, meta.Total, meta.Units = 1, new(int64(1)), unitsOf(s)
	return meta
}

// whole makes a pager of a list that is complete.
func whole(page egrid.RowPage, meta Meta) pager {
	return func(context.Context, int, string, bool) (egrid.RowPage, Meta, error) { return page, meta, nil }
}

func (a *api) plantPages(in *request, query store.PlantQuery) pager {
	return func(ctx context.Context, limit int, cursor string, count bool) (egrid.RowPage, Meta, error) {
		query := query
		query.Limit, query.Cursor, query.Count = limit, cursor, count
		page, err := egrid.Plants(ctx, a.q, query)
		if err != nil {
			return a.emptyYear(ctx, in, query, err)
		}
		return page.RowPage, plantMeta(page), nil
	}
}

// emptyYear makes the empty list of a data year that has no plants at all: a
// well-formed year that nothing matches. A release that is not there stays an
// error, and so does the year where the querier's own answer is asked for.
func (a *api) emptyYear(ctx context.Context, in *request, query store.PlantQuery, err error) (egrid.RowPage, Meta, error) {
	if !errors.Is(err, egrid.ErrNotFound) || query.Release != "" || in.exact() {
		return egrid.RowPage{}, Meta{}, err
	}
	c, catalogErr := a.q.Catalog(ctx)
	if catalogErr != nil || slices.Contains(c.PlantYears(), query.Year) {
		return egrid.RowPage{}, Meta{}, errors.Join(err, catalogErr)
	}
	schema, schemaErr := egrid.NewSchema(plantFields()...)
	return egrid.RowPage{Schema: schema, Revision: c.Revision}, Meta{Revision: c.Revision, Year: &query.Year}, schemaErr
}

func (a *api) plantSums(in *request, by egrid.Column, query store.PlantQuery) pager {
	return func(ctx context.Context, _ int, _ string, _ bool) (egrid.RowPage, Meta, error) {
		page, err := egrid.SumPlants(ctx, a.q, by, query)
		if err != nil {
			return a.emptyYear(ctx, in, query, err)
		}
		return page.RowPage, plantMeta(page), nil
	}
}

func (a *api) yearSums(query store.PlantQuery) pager {
	return func(ctx context.Context, _ int, _ string, _ bool) (egrid.RowPage, Meta, error) {
		page, err := egrid.SumPlantsByYear(ctx, a.q, query)
		if err != nil {
			return page, Meta{}, err
		}
		renamed, err := rename(page, egrid.Year, "year")
		return renamed, Meta{Revision: page.Revision}, err
	}
}

// rename gives a column of a page another name.
func rename(page egrid.RowPage, from, to egrid.Column) (egrid.RowPage, error) {
	fields := page.Schema.Fields()
	for i := range fields {
		if fields[i].Column == from {
			fields[i].Column = to
		}
	}
	s, err := egrid.NewSchema(fields...)
	page.Schema = s
	return page, err
}

// plantParts reads the rows of a plant at a finer level. A plant without any is
// an empty list; no plant at all is an error.
func (a *api) plantParts(level egrid.Level, in *request) pager {
	id, year, release := in.text("id"), in.number("year"), in.text("release")
	return func(ctx context.Context, limit int, cursor string, count bool) (egrid.RowPage, Meta, error) {
		page, meta, err := a.levelPage(ctx, egrid.RowQuery{
			Level: level, Year: year, Release: release, Filters: store.PlantFilters(id), Limit: limit, Cursor: cursor, Count: count,
		})
		if err == nil && len(page.Rows) == 0 && cursor == "" {
			_, err = egrid.FindPlant(ctx, a.q, id, year, release)
		}
		return page, meta, err
	}
}

// plantFieldSet is the columns by which plants can be searched.
func (a *api) plantFieldSet(ctx context.Context, _ *request) (fieldSet, error) {
	set, err := a.fieldSetOf(ctx, egrid.PLNT, egrid.GEN)
	set.derived = []egrid.Column{store.PlantID, store.StateShare}
	return set, err
}

// Chart is a diagram's data.
type Chart struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Unit   string   `json:"unit" doc:"Unit of y."`
	XLabel string   `json:"x_label"`
	YLabel string   `json:"y_label"`
	Series []Series `json:"series"`
}

// Series is a line, or a set of bars.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is one value of a series.
type Point struct {
	X any      `json:"x" doc:"A data year, or the name of what y belongs to; null for what has no name."`
	Y *float64 `json:"y" doc:"null where nothing is known."`
}

func (a *api) chart(ctx context.Context, in *request) (*answer, error) {
	kind := in.text("type")
	query := in.plantQuery()
	c := Chart{Type: kind, Unit: "MWh", YLabel: "Net generation (MWh)"}
	var page egrid.RowPage
	var meta Meta
	var err error
	var x egrid.Column
	switch kind {
	case "by-year":
		c.Title, c.XLabel, x = "Net generation by data year", "Data year", "year"
		if query.Year != 0 || query.Release != "" {
			return nil, fmt.Errorf("%w: the chart by-year shows every data year in its newest release; leave year and release out", egrid.ErrInvalid)
		}
		page, meta, err = a.yearSums(query)(ctx, 0, "", true)
	case "by-state":
		c.Title, c.XLabel, x = "Net generation by state", "State", egrid.State
		page, meta, err = a.plantSums(in, x, query)(ctx, 0, "", true)
	case "by-fuel":
		c.Title, c.XLabel, x = "Net generation by fuel category", "Fuel category", egrid.FuelGroup
		page, meta, err = a.plantSums(in, x, query)(ctx, 0, "", true)
	case "by-subregion":
		c.Title, c.XLabel, x = "Net generation by eGRID subregion", "eGRID subregion", egrid.Subregion
		page, meta, err = a.subregionSums(ctx, in, query)
	}
	if err != nil {
		return nil, err
	}
	if meta.Year != nil {
		c.Title += fmt.Sprintf(", %d", *meta.Year)
	}
	series := Series{Name: "Net generation", Points: []Point{}}
	for _, row := range page.Rows {
		p := Point{X: row.Value(x).Any()}
		if i := page.Schema.Index(x); i >= 0 {
			p.X = row.Values[i].Any()
		}
		if y, ok := row.Float(egrid.NetGeneration); ok {
			p.Y = &y
		}
		series.Points = append(series.Points, p)
	}
	c.Series = []Series{series}
	meta.Count, meta.Total, meta.Units = len(series.Points), new(int64(len(series.Points))), map[string]string{"y": c.Unit}
	return &answer{value: c, meta: meta}, nil
}

// subregionSums sums plants by subregion or, where plants are summed from
// generators, which do not know theirs, reads the sheet of subregions.
func (a *api) subregionSums(ctx context.Context, in *request, query store.PlantQuery) (egrid.RowPage, Meta, error) {
	page, meta, err := a.plantSums(in, "", query)(ctx, 0, "", true)
	if err != nil || meta.Basis != string(egrid.GEN) {
		if err != nil {
			return page, meta, err
		}
		return a.plantSums(in, egrid.Subregion, query)(ctx, 0, "", true)
	}
	if len(query.Filters) > 0 {
		return page, meta, fmt.Errorf("%w: no PLNT sheet of data year %d is published, so subregions cannot be told apart by other parameters", egrid.ErrInvalid, *meta.Year)
	}
	regions, regionMeta, err := a.levelPage(ctx, egrid.RowQuery{
		Level: egrid.SRL, Year: *meta.Year, Release: query.Release, Sort: []egrid.Sort{{Column: egrid.Subregion}}, Limit: maxJSONLimit,
	})
	regionMeta.Basis = string(egrid.SRL)
	return regions, regionMeta, err
}

// Statistics sums up what is loaded.
type Statistics struct {
	Levels        []LevelStatistics `json:"levels"`
	Plants        int64             `json:"plants" doc:"Plants of the data year."`
	Generators    *int64            `json:"generators" doc:"Generators of the data year; null when no GEN sheet of it is published."`
	NetGeneration *float64          `json:"net_generation_mwh" doc:"Net generation of all plants of the data year. Unit: MWh."`
	FirstYear     *int              `json:"first_year"`
	LastYear      *int              `json:"last_year"`
	LastLoad      *time.Time        `json:"last_load" doc:"When data were published last."`
}

// LevelStatistics sums up one level.
type LevelStatistics struct {
	Level egrid.Level `json:"level"`
	Rows  int64       `json:"rows" doc:"Rows of all data years, each in its newest release."`
	Years []int       `json:"years"`
}

func (a *api) statistics(ctx context.Context, in *request) (*answer, error) {
	c, err := a.q.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	s := Statistics{Levels: []LevelStatistics{}}
	newest := map[egrid.Level]map[int]egrid.Snapshot{}
	for _, snap := range c.Snapshots {
		if snap.Status != egrid.Published {
			continue
		}
		if newest[snap.Level] == nil {
			newest[snap.Level] = map[int]egrid.Snapshot{}
		}
		newest[snap.Level][snap.Year] = snap // releases come oldest first
		if s.FirstYear == nil || snap.Year < *s.FirstYear {
			s.FirstYear = &snap.Year
		}
		if s.LastYear == nil || snap.Year > *s.LastYear {
			s.LastYear = &snap.Year
		}
		if s.LastLoad == nil || snap.LoadedAt.After(*s.LastLoad) {
			s.LastLoad = &snap.LoadedAt
		}
	}
	for _, level := range egrid.Levels() {
		if years := c.Years(level); len(years) > 0 {
			l := LevelStatistics{Level: level, Years: years}
			for _, snap := range newest[level] {
				l.Rows += snap.Rows
			}
			s.Levels = append(s.Levels, l)
		}
	}
	page, meta, err := a.plantSums(in, "", store.PlantQuery{Year: in.number("year")})(ctx, 0, "", true)
	if err != nil {
		return nil, err
	}
	if len(page.Rows) > 0 {
		s.Plants, _ = page.Rows[0].Int(store.PlantCount)
		if x, ok := page.Rows[0].Float(egrid.NetGeneration); ok {
			s.NetGeneration = &x
		}
	}
	if meta.Year != nil {
		if generators, ok := newest[egrid.GEN][*meta.Year]; ok {
			s.Generators = &generators.Rows
		}
	}
	meta.Count, meta.Total = 1, new(int64(1))
	meta.Units = map[string]string{string(egrid.NetGeneration): "MWh"}
	return &answer{value: s, meta: meta}, nil
}
