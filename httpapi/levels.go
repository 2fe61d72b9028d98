package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) levelOperations() {
	level := parameter{name: "level", path: true, upper: true, doc: "Sheet of the workbook."}
	for _, l := range egrid.Levels() {
		level.schema.Enum = append(level.schema.Enum, string(l))
	}
	a.register(operation{
		id: "rows", path: "/levels/{level}/rows", tag: "levels", summary: "Rows of any level",
		details: languageDetails,
		params: []parameter{level, yearsParam(), releaseParam(), filterParam("filter", "the rows"), searchParam(), sortParam(), columnsParam(),
			limitParam("100"), cursorParam(), countParam(), facetParam("the rows"), codesParam()},
		rows: true, places: true, pins: ofLevel, fields: levelFields, schema: listOf(rowSchema()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := egrid.RowQuery{
				Level: egrid.Level(in.text("level")), Year: in.years(), Release: in.text("release"),
				Filters: in.filters, Search: in.text("q"), Columns: in.columns(),
			}
			var err error
			query.Sort, err = in.sort()
			ans := &answer{fallback: egrid.DefaultLimit, facet: in.rowFacet(query)}
			query.Columns, ans.unasked = in.geoRead(query.Columns)
			ans.list = in.rows(query)
			return ans, err
		},
	})
	a.groupOperation(&level)
	a.diffOperation(&level)
	a.diffFactorsOperation()
	a.diffColumnsOperation()
	a.diffPlantsOperation()
	a.diffReportOperation()
	a.regionOperation()
	a.zipOperation()
}

// levelFields are the columns of the level that the path names.
func levelFields(d data, in *request) fieldSet {
	return fieldsOf(d, []egrid.Column{egrid.LevelColumn, egrid.ReleaseColumn}, egrid.Level(in.text("level")))
}

func (in *request) rows(query egrid.RowQuery) list {
	at := func(w window) egrid.RowQuery {
		query := query
		query.Limit, query.Cursor, query.Count = w.limit, w.cursor, w.count
		return query
	}
	return list{
		page: func(ctx context.Context, w window) (egrid.RowPage, meta, error) {
			page, err := in.data.db.Rows(ctx, at(w))
			return page, metaOf(&page), err
		},
		stream: func(ctx context.Context, w window) (store.Answer, error) { return in.data.db.Stream(ctx, at(w)) },
	}
}

// groupOperation serves aggregates of any level.
func (a *api) groupOperation(level *parameter) {
	by := parameter{name: "by", list: true, doc: "Columns whose values make the groups; one group of all rows when it is left out."}
	a.register(operation{
		id: "groups", path: "/levels/{level}/groups", tag: "levels", summary: "Aggregates of the rows of any level", groups: true,
		details: languageDetails + " The columns of the answer are those of by and then the measures; sort and having are on them.",
		params: []parameter{*level, yearsParam(), releaseParam(), filterParam("filter", "the rows"), searchParam(), by, measuresParam(),
			filterParam("having", "the groups"), sortParam(), limitParam("100"), cursorParam(), countParam()},
		pins: ofLevel, fields: levelFields, schema: listOf(rowSchema()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := egrid.GroupQuery{
				Level: egrid.Level(in.text("level")), Year: in.years(), Release: in.text("release"), Filters: in.filters,
				Search: in.text("q"), By: in.columnList("by"), Having: in.conditions("having"),
			}
			var measuresErr, sortErr error
			query.Measures, measuresErr = in.measures()
			query.Sort, sortErr = in.sort()
			return &answer{fallback: egrid.DefaultLimit, list: in.groupsOf(query)}, errors.Join(measuresErr, sortErr)
		},
	})
}

func (in *request) groupsOf(query egrid.GroupQuery) list {
	at := func(w window) egrid.GroupQuery {
		query := query
		query.Limit, query.Cursor, query.Count = w.limit, w.cursor, w.count
		return query
	}
	return list{
		page: func(ctx context.Context, w window) (egrid.RowPage, meta, error) {
			page, err := in.data.db.Groups(ctx, at(w))
			return page, metaOf(&page), err
		},
		stream: func(ctx context.Context, w window) (store.Answer, error) {
			return in.data.db.StreamGroups(ctx, at(w))
		},
	}
}

func (a *api) regionOperation() {
	region := parameter{name: "level", path: true, upper: true, doc: "Level of the region."}
	for _, l := range regionLevels {
		region.schema.Enum = append(region.schema.Enum, string(l))
	}
	a.register(operation{
		id: "region", path: "/regions/{level}/{code}", tag: "levels", summary: "Totals, rates and resource mix of a region",
		params: []parameter{region, {name: "code", path: true, upper: true, doc: "Code of the region, as TX, CISO, CAMX or WECC; US for the United States.", schema: huma.Schema{MaxLength: new(60)}},
			yearParam(), releaseParam()},
		schema: a.schemaOf(typeOf[wire.Region]()), pins: ofLevel,
		answer: func(ctx context.Context, in *request) (*answer, error) {
			return in.region(ctx, egrid.Level(in.text("level")), in.text("code"))
		},
	})
}

func (in *request) region(ctx context.Context, level egrid.Level, code string) (*answer, error) {
	query := egrid.RowQuery{Level: level, Year: in.number("year"), Release: in.text("release"), Limit: 2}
	identifier := egrid.Identifier(level, func(egrid.Column) bool { return true })
	if len(identifier) == 1 {
		query.Filters = []egrid.Filter{egrid.Where(identifier[0], egrid.Eq, code)}
	} else if code != string(egrid.US) {
		return nil, fmt.Errorf("%w: the code of level %s is US", egrid.ErrNotFound, level)
	}
	page, err := in.data.db.Rows(ctx, query)
	if err != nil {
		return nil, err
	}
	if err := calc.OneRow(&page, level, code); err != nil {
		return nil, err
	}
	if page.Len() == 0 {
		return nil, fmt.Errorf("%w: no %s %q in the data that are published%s", egrid.ErrNotFound, level.Title(), code, in.nearestRegion(ctx, query, code))
	}
	r := wire.Region{
		Level: level, Code: code, Totals: map[string]*wire.Number{}, Rates: map[string]*wire.Number{},
		ResourceMix: map[string]*wire.Number{}, Other: map[string]egrid.Value{},
	}
	if name, ok := egrid.RegionName(level, code); ok {
		r.Name = &name
	}
	for i, f := range page.Schema().Fields() {
		if !egrid.IsContext(f.Column) && !slices.Contains(identifier, f.Column) {
			sortOut(&r, f, page.Row(0).At(i))
		}
	}
	m := metaOf(&page).of(1, unitsOf(page.Schema()))
	m.Lossy = m.lossy(page.Schema())
	return &answer{value: r, meta: m}, nil
}

// sortOut puts a column of a region where it belongs.
func sortOut(r *wire.Region, f egrid.Field, v egrid.Value) {
	name := string(f.Column)
	fuel, isShare := strings.CutSuffix(name, "_generation_share")
	switch {
	case strings.HasSuffix(name, "_name"):
		if text := v.String(); text != "" {
			r.Name = &text
		}
	case isShare:
		r.ResourceMix[fuel] = wire.NumberOf(v)
	case f.Type == egrid.Number && strings.Contains(f.Unit, "/"):
		r.Rates[name] = wire.NumberOf(v)
	case f.Type == egrid.Number && f.Rule.String() == "sum":
		r.Totals[name] = wire.NumberOf(v)
	default:
		r.Other[name] = v
	}
}
