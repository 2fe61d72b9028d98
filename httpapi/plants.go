package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) plantOperations() {
	plants := listOf(rowSchema(plantFields()...))
	where := append(placeParams(), yearParam(), releaseParam())
	a.register(operation{
		id: "top-plants", path: "/plants/top", tag: "plants", summary: "Plants by net generation",
		details: "A plant is its row in the PLNT sheet of the data year, or the sum of its generators where only a GEN sheet is loaded; meta.basis says which.",
		params: append(slices.Clone(where), parameter{name: "order", doc: "desc begins with the largest.", schema: huma.Schema{Enum: []any{"asc", "desc"}, Default: "desc"}},
			limitParam("10"), cursorParam(), countParam(), codesParam()),
		schema: plants, places: true, pins: ofPlants,
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := in.plantQuery()
			query.Sort = []egrid.Sort{{Column: egrid.NetGeneration, Desc: in.text("order") != "asc"}, {Column: egrid.PlantName}}
			return &answer{list: in.plants(query), fallback: 10}, nil
		},
	})
	a.register(operation{
		id: "search-plants", path: "/plants/search", tag: "plants", summary: "Plants by anything",
		details: languageDetails,
		params: append(slices.Clone(where), filterParam("filter", "the plants"), searchParam(), sortParam(), columnsParam(), limitParam("100"), cursorParam(),
			countParam(), facetParam("the plants"), codesParam()),
		fields: func(d data, _ *request) fieldSet {
			return fieldsOf(d, []egrid.Column{store.PlantID, store.StateShare}, egrid.PLNT, egrid.GEN)
		},
		schema: plants, places: true, pins: ofPlants,
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := in.plantQuery()
			var err error
			query.Sort, err = in.sort()
			ans := &answer{fallback: egrid.DefaultLimit, facet: in.plantFacet(query)}
			query.Columns, ans.unasked = in.geoRead(query.Columns)
			ans.list = in.plants(query)
			return ans, err
		},
	})
	a.register(operation{
		id: "plants-by-state", path: "/plants/states", tag: "plants", summary: "Plants and net generation of each state",
		params: where, schema: listOf(rowSchema(sumFields(egrid.State)...)), pins: ofPlants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.data.db.SumPlants(ctx, egrid.State, in.plantQuery())
			return &answer{list: whole(page.RowPage, plantMeta(&page))}, err
		},
	})
	a.register(operation{
		id: "plants-by-year", path: "/plants/years", tag: "plants", summary: "Plants and net generation of each data year",
		params: placeParams(), schema: listOf(rowSchema(sumFields(egrid.Year)...)), pins: ofPlants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.yearSums(ctx)
			return &answer{list: whole(page, yearsMeta(&page))}, err
		},
	})
	a.chartOperation(where)
	a.statisticsOperation()
	a.plantOperation()
}

// plantOperation serves one plant, and what belongs to it.
func (a *api) plantOperation() {
	id := parameter{name: "id", path: true, doc: "The plant's id, as in any plant answer: its ORIS code or state~name.", schema: huma.Schema{MaxLength: new(300)}}
	a.register(operation{
		id: "plant", path: "/plants/{id}", tag: "plants", summary: "One plant in a data year, all columns",
		params: []parameter{id, yearParam(), releaseParam()}, schema: rowSchema(plantFields()...), pins: ofPlants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.data.db.Plant(ctx, in.text("id"), in.number("year"), in.text("release"))
			if err != nil {
				return nil, err
			}
			return &answer{value: page.Row(0), meta: plantMeta(&page).of(1, unitsOf(page.Schema()))}, nil
		},
	})
	a.register(operation{
		id: "plant-history", path: "/plants/{id}/history", tag: "plants", summary: "One plant over all data years",
		params: []parameter{id}, schema: listOf(rowSchema(plantFields()...)), pins: ofPlants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.data.db.PlantHistory(ctx, in.text("id"))
			return &answer{list: whole(page, yearsMeta(&page))}, err
		},
	})
	for _, part := range []struct {
		level egrid.Level
		name  string
	}{{egrid.GEN, "generators"}, {egrid.UNT, "units"}} {
		a.register(operation{
			id: "plant-" + part.name, path: "/plants/{id}/" + part.name, tag: "plants", summary: "The " + part.name + " of a plant",
			params: []parameter{id, yearParam(), releaseParam(), limitParam("100"), cursorParam(), codesParam()}, schema: listOf(rowSchema()),
			pins: func(*request) []egrid.Level { return []egrid.Level{part.level, egrid.PLNT, egrid.GEN} },
			answer: func(_ context.Context, in *request) (*answer, error) {
				return &answer{list: in.plantParts(part.level), fallback: egrid.DefaultLimit}, nil
			},
		})
	}
}

func (in *request) plantQuery() store.PlantQuery {
	return store.PlantQuery{
		Year: in.number("year"), Release: in.text("release"), Filters: in.filters, Search: in.text("q"), Columns: in.columns(),
	}
}

func plantMeta(page *store.PlantPage) meta {
	m := meta{Meta: wire.Meta{Revision: page.Revision, Basis: string(page.Basis)}, snapshots: page.Snapshots}
	if page.Year != 0 {
		m.Year, m.Release = &page.Year, &page.Release
	}
	return m
}

// yearsMeta is of a list of several data years, even when there is only one.
func yearsMeta(page *egrid.RowPage) meta {
	return meta{Meta: wire.Meta{Revision: page.Revision}, snapshots: page.Snapshots}
}

func (in *request) plants(query store.PlantQuery) list {
	return list{
		page: func(ctx context.Context, w window) (egrid.RowPage, meta, error) {
			query := query
			query.Limit, query.Cursor, query.Count = w.limit, w.cursor, w.count
			page, err := in.data.db.Plants(ctx, query)
			return page.RowPage, plantMeta(&page), err
		},
		stream: func(ctx context.Context, w window) (store.Answer, error) {
			query := query
			query.Limit, query.Cursor = w.limit, w.cursor
			plants, err := in.data.db.StreamPlants(ctx, query)
			return plants.Answer, err
		},
	}
}

// yearSums sums plants by data year. The column of the data year is called year.
func (in *request) yearSums(ctx context.Context) (egrid.RowPage, error) {
	page, err := in.data.db.SumPlantsByYear(ctx, in.plantQuery())
	if err != nil {
		return page, err
	}
	fields := page.Schema().Fields()
	from := make([]int, len(fields))
	for i := range fields {
		from[i] = i
		if fields[i].Column == egrid.Year {
			fields[i].Column = "year"
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err == nil {
		page.Batch = page.Project(schema, from)
	}
	return page, err
}

// plantParts reads the rows of a plant at a finer level. A plant without any is
// an empty list; no plant at all is an error.
func (in *request) plantParts(level egrid.Level) list {
	query := egrid.RowQuery{Level: level, Year: in.number("year"), Release: in.text("release"), Filters: store.PlantFilters(in.text("id"))}
	rows := in.rows(query)
	page := func(ctx context.Context, w window) (egrid.RowPage, meta, error) {
		page, m, err := rows.page(ctx, w)
		if err != nil && !errors.Is(err, egrid.ErrNotFound) || err == nil && (page.Len() > 0 || w.cursor != "") {
			return page, m, err
		}
		plant, absent := in.data.db.Plant(ctx, in.text("id"), query.Year, query.Release)
		if absent != nil {
			return page, m, absent
		}
		if err != nil { // the level is not loaded, or not for that year
			schema, err := egrid.NewSchema(egrid.Fields(level)...)
			if err != nil {
				return page, m, err
			}
			page = egrid.RowPage{Batch: egrid.NewBuilder(schema, 0).Batch(), Revision: plant.Revision}
			m = plantMeta(&plant)
		}
		m.snapshots = slices.Concat(m.snapshots, plant.Snapshots)
		return page, m, nil
	}
	return list{page: page, stream: func(ctx context.Context, w window) (store.Answer, error) {
		first := w
		first.limit = 1
		p, m, err := page(ctx, first)
		if err == nil && p.Len() == 0 {
			return whole(p, m).stream(ctx, w)
		}
		if err != nil {
			return store.Answer{}, err
		}
		return rows.stream(ctx, w)
	}}
}
