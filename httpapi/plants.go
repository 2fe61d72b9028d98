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
		details: "A plant is its row in the PLNT sheet of the data year, or the sum of its generators where only a GEN sheet is loaded; meta.basis says which. " + shareDetails,
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
			return fieldsOf(d, []egrid.Column{store.PlantID, store.ShareOfState}, egrid.PLNT, egrid.GEN)
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
		params: where, schema: listOf(rowSchema(totalFields(egrid.State)...)), pins: ofTotals, details: totalDetails,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.data.db.Totals(ctx, egrid.State, in.plantQuery())
			return &answer{list: whole(page.RowPage, totalsMeta(&page))}, err
		},
	})
	a.register(operation{
		id: "plants-by-year", path: "/plants/years", tag: "plants", summary: "Plants and net generation of each data year",
		params: placeParams(), schema: listOf(rowSchema(totalFields(egrid.Year)...)), pins: ofTotals, details: totalDetails,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.yearTotals(ctx)
			return &answer{list: whole(page.RowPage, totalsMeta(&page))}, err
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
			of := store.PlantQuery{Release: in.text("release")}
			if state := page.Row(0).Value(egrid.State); !state.IsMissing() {
				of.Filters = []egrid.Filter{{Column: egrid.State, Op: egrid.Eq, Values: []egrid.Value{state}}}
			}
			m, err := in.plantsMeta(ctx, &page, of)
			m.Lossy = m.lossy(page.Schema())
			return &answer{value: page.Row(0), meta: m.of(1, unitsOf(page.Schema()))}, err
		},
	})
	a.register(operation{
		id: "plant-history", path: "/plants/{id}/history", tag: "plants", summary: "One plant over all data years",
		details: "meta.moves says when it was placed in another subregion, balancing authority, NERC region or state than in the edition before; regions are drawn anew, too, and editions that are not loaded may lie between.",
		params:  []parameter{id}, schema: listOf(rowSchema(plantFields()...)), pins: ofPlants,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			page, err := in.data.db.PlantHistory(ctx, in.text("id"))
			if err != nil {
				return nil, err
			}
			m := yearsMeta(&page)
			for _, move := range store.PlantMoves(page) {
				m.Moves = append(m.Moves, wire.PlantMove(move))
			}
			return &answer{list: whole(page, m)}, nil
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

// What operations say of their figures.
const (
	totalDetails = "A figure is by the sheets of regions (US, ST, SRL and so on) where they are loaded, else by plants (PLNT), else by generators (GEN); of several releases by the newest. basis and release say which it is, meta.differences which loaded sheets say otherwise."
	shareDetails = "share is of the state's net generation, by the ST sheet of the same release where one is loaded, else as in /plants/states; meta.share_basis and meta.share_release say which, and meta.differences what the plants add up to where they are of another release."
)

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
	if page.Shares.Level != "" {
		m.ShareBasis, m.ShareRelease = string(page.Shares.Level), &page.Shares.Release
	}
	if len(page.Filled) > 0 {
		m.Filled = &wire.Filled{Columns: page.Filled, Basis: string(page.FilledFrom.Level), Release: page.FilledFrom.Release}
	}
	return m
}

func totalsMeta(page *store.Totals) meta {
	m := meta{Meta: wire.Meta{Revision: page.Revision, Basis: string(page.Level), Differences: differencesOf(page)}, snapshots: page.Snapshots}
	if page.Year != 0 {
		m.Year, m.Release = &page.Year, &page.Release
	}
	return m
}

func differencesOf(page *store.Totals) []wire.TotalDifference {
	var all []wire.TotalDifference
	for _, d := range page.Differences {
		told := wire.TotalDifference{
			Year: d.Year, Basis: d.Of.Level, Release: d.Of.Release, Total: wire.Number(d.Total),
			OtherBasis: d.Other.Level, OtherRelease: d.Other.Release, OtherTotal: wire.Number(d.OtherTotal), DifferenceTotal: wire.Number(d.Gap()),
		}
		if d.LargestGap != 0 {
			told.Largest = &wire.LargestGap{Of: d.Largest, Difference: wire.Number(d.LargestGap)}
		}
		all = append(all, told)
	}
	return all
}

// plantsMeta is plantMeta, with what the shares' sheet says otherwise where it is of
// another release than the plants.
func (in *request) plantsMeta(ctx context.Context, page *store.PlantPage, query store.PlantQuery) (meta, error) {
	m := plantMeta(page)
	differences, err := in.data.db.ShareDifferences(ctx, page.PlantSource, query)
	m.Differences = differencesOf(&store.Totals{Differences: differences})
	return m, err
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
			if err != nil {
				return page.RowPage, meta{}, err
			}
			m, err := in.plantsMeta(ctx, &page, query)
			return page.RowPage, m, err
		},
		stream: func(ctx context.Context, w window) (store.Answer, error) {
			query := query
			query.Limit, query.Cursor = w.limit, w.cursor
			plants, err := in.data.db.StreamPlants(ctx, query)
			return plants.Answer, err
		},
	}
}

// yearTotals are those of every data year. The column of the data year is called year.
func (in *request) yearTotals(ctx context.Context) (store.Totals, error) {
	page, err := in.data.db.Totals(ctx, egrid.Year, in.plantQuery())
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
