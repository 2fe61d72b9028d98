package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Columns that the plant view adds to those of the sheets.
const (
	PlantID        egrid.Column = "id"              // ORIS code, or <state>~<plant name> where the sheet has none
	ShareOfState   egrid.Column = "share"           // share of the state's net generation, 0-1
	GeneratorCount egrid.Column = "generator_count" // generators of the plant
	PlantCount     egrid.Column = "plants"          // plants of a sum
	BasisColumn    egrid.Column = "basis"           // level that the figures are read from
	ShareBasis     egrid.Column = "share_basis"     // level that the state's net generation is read from
	ShareRelease   egrid.Column = "share_release"   // release of that sheet
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
	Year    int            // data year; 0 is the newest with a PLNT or a GEN sheet
	Release string         // empty is the newest, NoRelease the unmarked one
	Filters []egrid.Filter // all must hold
	Search  string         // as in RowQuery
	Sort    []egrid.Sort   // ties, and an empty Sort, fall back to the order of the sheet, or to the id on the basis GEN
	Columns []egrid.Column // columns of the answer behind id; empty is PlantColumns
	Limit   int            // plants at most; 0 is DefaultLimit
	Cursor  string         // Next of the page before; same query otherwise
	Count   bool           // fill Total
}

// PlantPage is one page of plants. The first column of its rows is [PlantID].
//
// A plant is the row of the PLNT sheet where one is published for the data
// year, and else the sum of its rows in the GEN sheet. A plant summed from
// generators has the fuel with the most nameplate capacity; what generators do
// not tell is missing.
//
// A sheet of plants without their names, states or coordinates is filled in by ORIS
// code from the generators of the same data year, where those know them.
type PlantPage struct {
	egrid.RowPage
	PlantSource
}

// PlantSource says what plants are from.
type PlantSource struct {
	Basis   egrid.Level // PLNT or GEN; empty when neither is published
	Year    int         // data year; 0 when nothing is published
	Release string      // release that answered

	// Shares is the sheet of the states' net generation that shares are of: ST of the
	// same release where it is published, else the one that [DB.Totals] takes for
	// states. None when the answer has no shares.
	Shares Sheet

	Filled     []egrid.Column // columns of the answer that the sheet lacks, in some rows or all, filled in
	FilledFrom Sheet          // from there
}

// PlantColumns returns the columns of a plant answer that names none.
func PlantColumns() []egrid.Column {
	return []egrid.Column{
		egrid.PlantName, egrid.PlantCode, egrid.State, egrid.County, egrid.Latitude, egrid.Longitude, egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion, egrid.OperatorName,
		egrid.Fuel, egrid.FuelCategoryColumn, GeneratorCount, egrid.NameplateCapacity, egrid.CapacityFactor, egrid.NetGeneration, ShareOfState,
		egrid.CO2e, egrid.CO2eRate,
	}
}

// Plants answers a query for plants. Errors as [DB.Rows], and
// [egrid.ErrInvalid] for a filter or sort key that only a PLNT sheet can answer
// where none is published.
func (db *DB) Plants(ctx context.Context, query PlantQuery) (PlantPage, error) {
	v, err := db.view(ctx)
	if err != nil {
		return PlantPage{}, err
	}
	return v.plants(ctx, query)
}

func (v view) plants(ctx context.Context, query PlantQuery) (PlantPage, error) {
	p, err := newPlantView(v, &query)
	if err != nil || p.basis == "" {
		return p.empty(), err
	}
	return p.page(ctx, query)
}

// PlantAnswer is an answer of plants that streams.
type PlantAnswer struct {
	Answer
	PlantSource
}

// StreamPlants answers a query with all of its plants, or those behind its
// Cursor; a Limit of 0 is no limit here. Errors as [DB.Plants].
func (db *DB) StreamPlants(ctx context.Context, query PlantQuery) (PlantAnswer, error) {
	v, err := db.view(ctx)
	if err != nil {
		return PlantAnswer{}, err
	}
	p, err := newPlantView(v, &query)
	if err != nil {
		return PlantAnswer{}, err
	}
	answer := PlantAnswer{PlantSource: p.about(nil)}
	if p.basis == "" {
		answer.Schema, answer.Revision = p.empty().Schema(), v.catalog.Revision
		answer.Batches = func(func(*egrid.Batch, error) bool) {}
		return answer, nil
	}
	columns, err := p.resolveColumns(query.Columns)
	if err == nil {
		answer.PlantSource = p.about(columns)
		answer.Answer, err = p.stream(ctx, query, columns)
	}
	return answer, err
}

// Plant returns one plant with every column of its sheet. Errors:
// [egrid.ErrNotFound] when the data year has no such plant; else as
// [DB.Plants].
func (db *DB) Plant(ctx context.Context, id string, year int, release string) (PlantPage, error) {
	v, err := db.view(ctx)
	if err != nil {
		return PlantPage{}, err
	}
	query := PlantQuery{Year: year, Release: release, Filters: PlantFilters(id), Limit: 1}
	p, err := newPlantView(v, &query)
	if err != nil {
		return PlantPage{}, err
	}
	page := p.empty()
	if p.basis != "" {
		query.Columns = p.everyColumn()
		if page, err = p.page(ctx, query); err != nil {
			return PlantPage{}, err
		}
	}
	if page.Len() == 0 {
		return PlantPage{}, fmt.Errorf("%w: no plant %q in data year %d; %s", egrid.ErrNotFound, id, page.Year, db.elsewhere(ctx, id))
	}
	page.Next = ""
	return page, nil
}

// elsewhere says where a plant is that a data year does not have.
func (db *DB) elsewhere(ctx context.Context, id string) string {
	history, err := db.PlantHistory(ctx, id)
	if err != nil {
		return "search by name or ORIS code for its id"
	}
	var years []string
	for row := range history.Rows() {
		years = append(years, row.Value(egrid.Year).String())
	}
	return "it is in " + strings.Join(years, ", ")
}

// PlantHistory returns a plant in every data year that has it, oldest first,
// each in its newest release. Behind the id the rows have data_year, basis and
// release, and share_basis and share_release. Errors: [egrid.ErrNotFound] when no data year has the plant.
func (db *DB) PlantHistory(ctx context.Context, id string) (egrid.RowPage, error) {
	leading := []egrid.Column{PlantID, egrid.Year, BasisColumn, egrid.ReleaseColumn, ShareBasis, ShareRelease}
	return db.eachPlantYear(ctx, leading, func(v view, year int) (PlantPage, error) {
		return v.plants(ctx, PlantQuery{Year: year, Filters: PlantFilters(id), Limit: 1})
	}, fmt.Errorf("%w: no plant %q in any data year; search by name or ORIS code for its id", egrid.ErrNotFound, id))
}

// PlantFilters returns the filters that choose the rows of one plant at the
// levels PLNT, GEN and UNT, from the id of a plant answer.
func PlantFilters(id string) []egrid.Filter {
	state, name, named := strings.Cut(id, "~")
	if !named {
		return []egrid.Filter{egrid.Where(egrid.PlantCode, egrid.Eq, id)}
	}
	in := egrid.Where(egrid.State, egrid.Eq, state)
	if state == "" {
		in = egrid.Where(egrid.State, egrid.Missing)
	}
	return []egrid.Filter{in, egrid.Where(egrid.PlantName, egrid.Eq, name)}
}

// SumPlants counts plants and sums their net generation and nameplate capacity
// by the values of a column: state, fuel, fuel_category, or on the basis PLNT
// any. An empty column makes one sum of all. Rows come in the order of the
// column's values; Sort, Columns, Limit and Cursor of the query are ignored.
// A plant of several fuels counts under each of them on the basis GEN. What sheets
// of regions say is in [DB.Totals]. Errors as [DB.Plants], and [egrid.ErrInvalid] for one of the sums as the column.
func (db *DB) SumPlants(ctx context.Context, by egrid.Column, query PlantQuery) (PlantPage, error) {
	v, err := db.view(ctx)
	if err != nil {
		return PlantPage{}, err
	}
	return v.sumPlants(ctx, by, query)
}

func (v view) sumPlants(ctx context.Context, by egrid.Column, query PlantQuery) (PlantPage, error) {
	if by == PlantCount || by == egrid.NetGeneration || by == egrid.NameplateCapacity {
		return PlantPage{}, fmt.Errorf("%w: plants are not summed by %s, which is itself summed", egrid.ErrInvalid, by)
	}
	query.Sort, query.Columns, query.Limit, query.Cursor, query.Count = nil, nil, 0, "", false
	p, err := newPlantView(v, &query)
	if err != nil {
		return PlantPage{}, err
	}
	page := p.empty()
	page.Batch = egrid.NewBuilder(sumSchema(by), page.Year).Batch()
	if p.basis != "" {
		err = p.sum(ctx, by, query, &page)
	}
	return page, err
}

// PlantYears returns the data years that have plants, ascending.
func PlantYears(c egrid.Catalog) []int { return c.Years(egrid.PLNT, egrid.GEN) }
