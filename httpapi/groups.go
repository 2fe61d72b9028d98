package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// groupOperation serves aggregates of any level.
func (a *api) groupOperation(level *parameter) {
	by := parameter{name: "by", list: true, doc: "Columns whose values make the groups; one group of all rows when it is left out."}
	a.register(operation{
		id: "groups", path: "/levels/{level}/groups", tag: "levels", summary: "Aggregates of the rows of any level", groups: true,
		details: languageDetails + " The columns of the answer are those of by and then the measures; sort and having are on them.",
		params: []parameter{*level, yearsParam(), releaseParam(), filterParam("filter", "the rows"), searchParam(), by, measuresParam(),
			filterParam("having", "the groups"), sortParam(), limitParam("100"), cursorParam(), countParam()},
		fields: func(ctx context.Context, in *request) (fieldSet, error) {
			set, err := a.fieldSetOf(ctx, egrid.Level(in.text("level")))
			set.derived = []egrid.Column{egrid.LevelColumn, egrid.ReleaseColumn}
			return set, err
		},
		data: listOf(rowSchema()), pins: ofLevel,
		answer: func(_ context.Context, in *request) (*answer, error) {
			query := egrid.GroupQuery{
				Level: egrid.Level(in.text("level")), Year: in.years(), Release: in.text("release"), Filters: in.filters,
				Search: in.text("q"), By: in.columnList("by"), Having: in.conditions("having"),
			}
			var measuresErr, sortErr error
			query.Measures, measuresErr = in.measures()
			query.Sort, sortErr = in.sort()
			return &answer{fallback: egrid.DefaultLimit, rows: func(ctx context.Context, limit int, cursor string, count bool) (egrid.RowPage, Meta, error) {
				query := query
				query.Limit, query.Cursor, query.Count = limit, cursor, count
				if in.exact() {
					page, err := a.q.Groups(ctx, query)
					return page, metaOf(&page), err
				}
				return a.levelGroups(ctx, query)
			}}, errors.Join(measuresErr, sortErr)
		},
	})
}

// levelGroups aggregates rows of a level. A data year without any is an empty
// list.
func (a *api) levelGroups(ctx context.Context, query egrid.GroupQuery) (egrid.RowPage, Meta, error) {
	page, err := a.q.Groups(ctx, query)
	if !errors.Is(err, egrid.ErrNotFound) || query.Release != "" {
		return page, metaOf(&page), err
	}
	c, catalogErr := a.q.Catalog(ctx)
	if catalogErr != nil || slices.Contains(c.Years(query.Level), query.Year) {
		return page, Meta{}, errors.Join(err, catalogErr)
	}
	schema, err := groupSchema(query)
	return egrid.RowPage{Schema: schema, Revision: c.Revision}, Meta{Revision: c.Revision, Year: &query.Year}, err
}

// groupSchema is that of groups of no rows.
func groupSchema(query egrid.GroupQuery) (*egrid.Schema, error) {
	var fields []egrid.Field
	add := func(name, as egrid.Column) {
		f, ok := egrid.Lookup(query.Level, string(name))
		if !ok {
			f = egrid.Field{Level: query.Level, Column: name, Type: egrid.Text}
		}
		if as != "" {
			f.Column = as
		}
		fields = append(fields, f)
	}
	for _, name := range query.By {
		add(name, "")
	}
	for _, m := range query.Measures {
		if m.Func == egrid.Count {
			fields = append(fields, egrid.Field{Level: query.Level, Column: m.Name(), Type: egrid.Integer})
			continue
		}
		add(m.Column, m.As)
	}
	return egrid.NewSchema(fields...)
}
