package httpapi

import (
	"context"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Facets counts values by column.
type Facets map[egrid.Column][]FacetValue

// FacetValue is a value of a column and how many rows have it.
type FacetValue struct {
	Value any   `json:"value" doc:"null for rows in which it is missing."`
	Count int64 `json:"count"`
}

// facet counts the values of a column over a list, all pages together: rows of
// the value and the count, in any order.
type facet func(ctx context.Context, by egrid.Column) (egrid.RowPage, error)

// addFacets counts what facet= asks for. Counts of another revision than the
// page's mark the answer as mixed.
func (in *request) addFacets(ctx context.Context, ans *answer, meta *Meta) error {
	for _, name := range in.values[facetName] {
		page, err := ans.facet(ctx, egrid.Column(name))
		if err != nil {
			return err
		}
		if page.Revision != meta.Revision {
			meta.Revision = mixedRevisions
			return nil
		}
		if meta.Facets == nil {
			meta.Facets = Facets{}
		}
		values := []FacetValue{}
		for _, row := range page.Rows {
			n, _ := row.Values[1].Int()
			values = append(values, FacetValue{Value: row.Values[0].Any(), Count: n})
		}
		meta.Facets[page.Schema.Field(0).Column] = values
	}
	return nil
}

// rowFacet counts rows of a level.
func (a *api) rowFacet(query egrid.RowQuery) facet {
	return func(ctx context.Context, by egrid.Column) (egrid.RowPage, error) {
		count := egrid.Column("rows")
		if by == count {
			count = "rows_with_it"
		}
		groups := egrid.GroupQuery{
			Level: query.Level, Year: query.Year, Release: query.Release, Filters: query.Filters, Search: query.Search,
			By: []egrid.Column{by}, Measures: []egrid.Measure{{Func: egrid.Count, As: count}},
			Sort: []egrid.Sort{{Column: count, Desc: true}}, Limit: maxFacetValues,
		}
		page, _, err := a.levelGroups(ctx, groups)
		return page, err
	}
}

// plantFacet counts plants. A plant of several fuels counts under each of them
// where plants are summed from generators.
func (a *api) plantFacet(query store.PlantQuery) facet {
	return func(ctx context.Context, by egrid.Column) (egrid.RowPage, error) {
		if f, ok := egrid.Lookup(egrid.PLNT, string(by)); ok {
			by = f.Column
		}
		sums, err := egrid.SumPlants(ctx, a.q, by, query)
		if err != nil {
			page, _, err := a.emptyYear(ctx, &request{}, query, err)
			if err == nil {
				page.Schema, err = facetSchema(by)
			}
			return page, err
		}
		page := sums.RowPage
		slices.SortStableFunc(page.Rows, func(a, b egrid.Row) int { return b.Values[1].Compare(a.Values[1]) })
		page.Rows = page.Rows[:min(len(page.Rows), maxFacetValues)]
		return page, nil
	}
}

// facetSchema is that of a facet that has no values.
func facetSchema(by egrid.Column) (*egrid.Schema, error) {
	return egrid.NewSchema(egrid.Field{Column: by, Type: egrid.Text}, egrid.Field{Column: "count of " + by, Type: egrid.Integer})
}
