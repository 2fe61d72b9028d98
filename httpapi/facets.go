package httpapi

import (
	"context"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// facet counts the values of a column over a list, all pages together: rows of
// the value and the count, the most frequent first.
type facet func(ctx context.Context, by egrid.Column) (*egrid.Batch, error)

// addFacets counts what facet= asks for.
func (in *request) addFacets(ctx context.Context, ans *answer, m *meta) error {
	for _, name := range in.values[facetName] {
		counts, err := ans.facet(ctx, egrid.Column(name))
		if err != nil {
			return err
		}
		values := []wire.FacetValue{}
		for row := range counts.Rows() {
			n, _ := row.At(1).Int()
			values = append(values, wire.FacetValue{Value: row.At(0), Count: n})
		}
		if m.Facets == nil {
			m.Facets = wire.Facets{}
		}
		m.Facets[counts.Schema().Field(0).Column] = values
	}
	return nil
}

// rowFacet counts rows of a level.
func (in *request) rowFacet(query egrid.RowQuery) facet {
	return func(ctx context.Context, by egrid.Column) (*egrid.Batch, error) {
		count := egrid.Column("rows")
		if by == count {
			count = "rows_with_it"
		}
		page, err := in.data.db.Groups(ctx, egrid.GroupQuery{
			Level: query.Level, Year: query.Year, Release: query.Release, Filters: query.Filters, Search: query.Search,
			By: []egrid.Column{by}, Measures: []egrid.Measure{{Func: egrid.Count, As: count}},
			Sort: []egrid.Sort{{Column: count, Desc: true}}, Limit: maxFacetValues,
		})
		return page.Batch, err
	}
}

// plantFacet counts plants. A plant of several fuels counts under each of them
// where plants are summed from generators.
func (in *request) plantFacet(query store.PlantQuery) facet {
	return func(ctx context.Context, by egrid.Column) (*egrid.Batch, error) {
		if f, ok := egrid.Lookup(egrid.PLNT, string(by)); ok {
			by = f.Column
		}
		sums, err := in.data.db.SumPlants(ctx, by, query)
		if err != nil {
			return nil, err
		}
		places := make([]int, sums.Len())
		for i := range places {
			places[i] = i
		}
		slices.SortStableFunc(places, func(i, j int) int { return sums.Row(j).At(1).Compare(sums.Row(i).At(1)) })
		return sums.Select(places[:min(len(places), maxFacetValues)]), nil
	}
}
