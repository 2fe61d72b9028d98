package egrid

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Columns that the plant view adds to those of the sheets.
const (
	PlantID        Column = "id"              // ORIS code, or <state>~<plant name> where the sheet has none
	StateShare     Column = "share"           // share of the state's net generation, 0-1
	GeneratorCount Column = "generator_count" // generators of the plant
	PlantCount     Column = "plants"          // plants of a sum
	BasisColumn    Column = "basis"           // level that the plants are read from: PLNT or GEN
)

// PlantQuery asks for plants. The zero value of every field means its
// documented default.
//
// Filters, Search and Sort take the columns of the basis (see [PlantPage]). On
// the basis GEN, filters on the sums (net_generation_mwh,
// net_generation_ozone_season_mwh, nameplate_capacity_mw) and on
// generator_count hold for the plant; every other filter, fuel and
// fuel_category among them, and the search choose the generators that are
// summed.
type PlantQuery struct {
	Year    int      // data year; 0 is the newest with a PLNT or a GEN sheet
	Release string   // empty is the newest, NoRelease the unmarked one
	Filters []Filter // all must hold
	Search  string   // as in RowQuery
	Sort    []Sort   // ties, and an empty Sort, fall back to the order of the sheet, or to the id on the basis GEN
	Columns []Column // columns of the answer behind id; empty is PlantColumns
	Limit   int      // plants at most; 0 is DefaultLimit
	Cursor  string   // Next of the page before; same query otherwise
	Count   bool     // fill Total
}

// PlantPage is one page of plants. The first column of its rows is [PlantID].
//
// A plant is the row of the PLNT sheet where one is published for the data
// year, and else the sum of its rows in the GEN sheet. A plant summed from
// generators has the fuel with the most nameplate capacity; what generators do
// not tell is missing.
type PlantPage struct {
	RowPage
	Basis   Level  // PLNT or GEN; empty when neither is published
	Year    int    // data year; 0 when nothing is published
	Release string // release that answered
}

// PlantColumns returns the columns of a plant answer that names none.
func PlantColumns() []Column {
	return []Column{
		PlantName, PlantCode, State, County, Latitude, Longitude, Subregion, BalancingAuthority, NERCRegion, Operator,
		Fuel, FuelGroup, GeneratorCount, NameplateCapacity, CapacityFactor, NetGeneration, StateShare,
		CO2e, CO2eRate,
	}
}

// Plants answers a query for plants over any store. Errors as
// [Querier].Rows, and [ErrInvalid] for a filter or sort key that only a PLNT
// sheet can answer where none is published.
func Plants(ctx context.Context, q Querier, query PlantQuery) (PlantPage, error) {
	return atOneRevision(func() (PlantPage, int64, error) {
		catalog, err := q.Catalog(ctx)
		if err != nil {
			return PlantPage{}, 0, err
		}
		v, err := newPlantView(q, catalog, &query)
		if err != nil || v.basis == "" {
			return v.empty(), catalog.Revision, err
		}
		page, err := v.page(ctx, query)
		return page, catalog.Revision, err
	})
}

// FindPlant returns one plant with every column of its sheet. Errors:
// [ErrNotFound] when the data year has no such plant; else as [Plants].
func FindPlant(ctx context.Context, q Querier, id string, year int, release string) (PlantPage, error) {
	return atOneRevision(func() (PlantPage, int64, error) {
		catalog, err := q.Catalog(ctx)
		if err != nil {
			return PlantPage{}, 0, err
		}
		query := PlantQuery{Year: year, Release: release, Filters: PlantFilters(id), Limit: 1}
		v, err := newPlantView(q, catalog, &query)
		if err != nil {
			return PlantPage{}, 0, err
		}
		page := v.empty()
		if v.basis != "" {
			query.Columns = v.everyColumn()
			if page, err = v.page(ctx, query); err != nil {
				return PlantPage{}, 0, err
			}
		}
		if page.Len() == 0 {
			return PlantPage{}, 0, fmt.Errorf("%w: no plant %q in data year %d", ErrNotFound, id, page.Year)
		}
		page.Next = ""
		return page, catalog.Revision, nil
	})
}

// PlantHistory returns a plant in every data year that has it, oldest first,
// each in its newest release. Behind the id the rows have data_year and basis.
// Errors: [ErrNotFound] when no data year has the plant.
func PlantHistory(ctx context.Context, q Querier, id string) (RowPage, error) {
	return eachPlantYear(ctx, q, []Column{PlantID, Year, BasisColumn}, func(year int) (PlantPage, error) {
		page, err := Plants(ctx, q, PlantQuery{Year: year, Filters: PlantFilters(id), Limit: 1})
		return page, err
	}, fmt.Errorf("%w: no plant %q in any data year", ErrNotFound, id))
}

// PlantFilters returns the filters that choose the rows of one plant at the
// levels PLNT, GEN and UNT, from the id of a plant answer.
func PlantFilters(id string) []Filter {
	state, name, named := strings.Cut(id, "~")
	if !named {
		return []Filter{Where(PlantCode, Eq, id)}
	}
	in := Where(State, Eq, state)
	if state == "" {
		in = Where(State, Missing)
	}
	return []Filter{in, Where(PlantName, Eq, name)}
}

// SumPlants counts plants and sums their net generation and nameplate capacity
// by the values of a column: state, fuel, fuel_category, or on the basis PLNT
// any. An empty column makes one sum of all. Rows come in the order of the
// column's values; Sort, Columns, Limit and Cursor of the query are ignored.
// A plant of several fuels counts under each of them on the basis GEN. Errors
// as [Plants], and [ErrInvalid] for one of the sums as the column.
func SumPlants(ctx context.Context, q Querier, by Column, query PlantQuery) (PlantPage, error) {
	if by == PlantCount || by == NetGeneration || by == NameplateCapacity {
		return PlantPage{}, fmt.Errorf("%w: plants are not summed by %s, which is itself summed", ErrInvalid, by)
	}
	query.Sort, query.Columns, query.Limit, query.Cursor, query.Count = nil, nil, 0, "", false
	return atOneRevision(func() (PlantPage, int64, error) {
		catalog, err := q.Catalog(ctx)
		if err != nil {
			return PlantPage{}, 0, err
		}
		v, err := newPlantView(q, catalog, &query)
		if err != nil {
			return PlantPage{}, 0, err
		}
		page := v.empty()
		page.Batch = NewBuilder(sumSchema(by), page.Year).Batch()
		if v.basis != "" {
			err = v.sum(ctx, by, query, &page)
		}
		return page, catalog.Revision, err
	})
}

// SumPlantsByYear is [SumPlants] for every data year, oldest first, each in
// its newest release. Rows begin with data_year and basis, which may differ
// from year to year. Year and Release of the query are ignored.
func SumPlantsByYear(ctx context.Context, q Querier, query PlantQuery) (RowPage, error) {
	query.Release = ""
	return eachPlantYear(ctx, q, []Column{Year, BasisColumn}, func(year int) (PlantPage, error) {
		query.Year = year
		return SumPlants(ctx, q, "", query)
	}, nil)
}

// PlantYears returns the data years that have plants, ascending.
func (c Catalog) PlantYears() []int {
	years := append(c.Years(PLNT), c.Years(GEN)...)
	slices.Sort(years)
	return slices.Compact(years)
}

// maxRevisionRetries bounds how often an answer of several queries starts
// again because a publish came between them.
const maxRevisionRetries = 3

// atOneRevision repeats an answer that is made of several queries until all of
// them saw one revision. read returns the revision of the catalogue it planned
// with, and marks a mixed answer with a negative revision.
func atOneRevision(read func() (PlantPage, int64, error)) (PlantPage, error) {
	for range maxRevisionRetries {
		page, revision, err := read()
		if err != nil || page.Revision == revision {
			return page, err
		}
	}
	return PlantPage{}, fmt.Errorf("%w: the data changed %d times while they were read; ask again", ErrStale, maxRevisionRetries)
}

// mixedRevisions marks an answer whose parts saw different revisions.
const mixedRevisions = -1
