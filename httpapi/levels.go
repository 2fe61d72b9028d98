package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
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
		places: true, pins: ofLevel,
		fields: func(ctx context.Context, in *request) (fieldSet, error) {
			set, err := a.fieldSetOf(ctx, egrid.Level(in.text("level")))
			set.derived = []egrid.Column{egrid.LevelColumn, egrid.ReleaseColumn}
			return set, err
		},
		data: listOf(rowSchema()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := egrid.RowQuery{
				Level: egrid.Level(in.text("level")), Year: in.years(), Release: in.text("release"),
				Filters: in.filters, Search: in.text("q"), Columns: in.columns(),
			}
			var err error
			query.Sort, err = in.sort()
			read := a.levelPage
			if in.exact() {
				read = a.levelRows
			}
			facet := a.rowFacet(query)
			var unasked []egrid.Column
			query.Columns, unasked = in.geoRead(query.Columns)
			return &answer{fallback: egrid.DefaultLimit, facet: facet, unasked: unasked, rows: func(ctx context.Context, limit int, cursor string, count bool) (egrid.RowPage, Meta, error) {
				query := query
				query.Limit, query.Cursor, query.Count = limit, cursor, count
				return read(ctx, query)
			}}, err
		},
	})
	a.groupOperation(&level)
	region := parameter{name: "level", path: true, upper: true, doc: "Level of the region."}
	for _, l := range []egrid.Level{egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US} {
		region.schema.Enum = append(region.schema.Enum, string(l))
	}
	a.register(operation{
		id: "region", path: "/regions/{level}/{code}", tag: "levels", summary: "Totals, rates and resource mix of a region",
		params: []parameter{region, {name: "code", path: true, upper: true, doc: "Code of the region, as TX, CISO, CAMX or WECC; US for the United States.", schema: huma.Schema{MaxLength: new(60)}},
			yearParam(), releaseParam()},
		data: a.schemaOf(typeOf[Region]()), pins: ofLevel,
		answer: a.region,
	})
}

// fieldSetOf is the columns of levels: those of the dictionary and those that
// published sheets have besides.
func (a *api) fieldSetOf(ctx context.Context, levels ...egrid.Level) (fieldSet, error) {
	set := fieldSet{levels: levels}
	c, err := a.q.Catalog(ctx)
	if err != nil {
		return set, err
	}
	for _, s := range c.Snapshots {
		if s.Status == egrid.Published && s.Schema != nil && slices.Contains(levels, s.Level) {
			set.schemas = append(set.schemas, s.Schema)
		}
	}
	return set, nil
}

// levelPage reads rows of a level. A data year without any is an empty list.
func (a *api) levelPage(ctx context.Context, query egrid.RowQuery) (egrid.RowPage, Meta, error) {
	page, meta, err := a.levelRows(ctx, query)
	if errors.Is(err, egrid.ErrNotFound) && query.Release == "" {
		c, catalogErr := a.q.Catalog(ctx)
		if catalogErr != nil {
			return page, Meta{}, catalogErr
		}
		if !slices.Contains(c.Years(query.Level), query.Year) {
			schema, err := egrid.NewSchema(egrid.Fields(query.Level)...)
			return egrid.RowPage{Schema: schema, Revision: c.Revision}, Meta{Revision: c.Revision, Year: &query.Year}, err
		}
	}
	return page, meta, err
}

// levelRows reads rows of a level as the querier has them.
func (a *api) levelRows(ctx context.Context, query egrid.RowQuery) (egrid.RowPage, Meta, error) {
	page, err := a.q.Rows(ctx, query)
	return page, metaOf(&page), err
}

// metaOf tells where a page is from.
func metaOf(page *egrid.RowPage) Meta {
	meta := Meta{Revision: page.Revision, snapshots: page.Snapshots}
	if len(page.Snapshots) == 1 {
		meta.Year, meta.Release = &page.Snapshots[0].Year, &page.Snapshots[0].Release
	}
	return meta
}

// Region is a row of a region, sorted out.
type Region struct {
	Level       egrid.Level         `json:"level"`
	Code        string              `json:"code"`
	Name        *string             `json:"name"`
	Totals      map[string]*float64 `json:"totals" doc:"Sums over the region's plants, by column."`
	Rates       map[string]*float64 `json:"rates" doc:"Emission rates, by column."`
	ResourceMix map[string]*float64 `json:"resource_mix" doc:"Shares of the net generation, 0-1, by fuel."`
	Other       map[string]any      `json:"other" doc:"The remaining columns."`
}

func (a *api) region(ctx context.Context, in *request) (*answer, error) {
	level, code := egrid.Level(in.text("level")), in.text("code")
	query := egrid.RowQuery{Level: level, Year: in.number("year"), Release: in.text("release"), Limit: 1}
	identifier := driver.Identifier(level, func(egrid.Column) bool { return true })
	if len(identifier) == 1 {
		query.Filters = []egrid.Filter{egrid.Where(identifier[0], egrid.Eq, code)}
	} else if code != string(egrid.US) {
		return nil, fmt.Errorf("%w: the code of level %s is US", egrid.ErrNotFound, level)
	}
	page, meta, err := a.levelPage(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, fmt.Errorf("%w: no %s %q in the data that are published", egrid.ErrNotFound, level.Title(), code)
	}
	row := page.Rows[0]
	r := Region{Level: level, Code: code, Totals: map[string]*float64{}, Rates: map[string]*float64{}, ResourceMix: map[string]*float64{}, Other: map[string]any{}}
	for i, f := range page.Schema.Fields() {
		if egrid.IsContext(f.Column) || slices.Contains(identifier, f.Column) {
			continue
		}
		name := string(f.Column)
		var number *float64
		if x, ok := row.Values[i].Float(); ok {
			number = &x
		}
		fuel, isShare := strings.CutSuffix(name, "_generation_share")
		switch {
		case strings.HasSuffix(name, "_name"):
			if text := row.Values[i].String(); text != "" {
				r.Name = &text
			}
		case isShare:
			r.ResourceMix[fuel] = number
		case f.Type == egrid.Number && strings.Contains(f.Unit, "/"):
			r.Rates[name] = number
		case f.Type == egrid.Number && f.Rule.String() == "sum":
			r.Totals[name] = number
		default:
			r.Other[name] = row.Values[i].Any()
		}
	}
	return &answer{value: r, meta: one(meta, page.Schema)}, nil
}

// encodedRow is a row as an operation's value.
func encodedRow(row egrid.Row) json.RawMessage {
	return newRowEncoder(row.Schema).append(nil, row)
}
