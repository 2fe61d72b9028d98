package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Place chooses plants by where and what they are. Each field holds values of
// which one must fit; an empty one fits all.
type Place struct {
	State              []string // postal abbreviations
	Subregion          []string // eGRID subregions, as CAMX
	BalancingAuthority []string // codes, as CISO
	NERCRegion         []string
	Fuel               []string // EIA energy source codes, as NG
	FuelCategory       []string // see egrid.FuelCategories
}

func (p Place) put(v values) {
	for name, texts := range map[string][]string{
		"state": p.State, "subregion": p.Subregion, "balancing_authority": p.BalancingAuthority,
		"nerc_region": p.NERCRegion, "fuel": p.Fuel, "fuel_category": p.FuelCategory,
	} {
		v.list(name, texts)
	}
}

// TopQuery asks for plants by net generation. The zero value of every field
// means its documented default.
type TopQuery struct {
	Place
	Year      int    // data year; 0 is the newest
	Release   string // empty is the newest, egrid.NoRelease the unmarked one
	Ascending bool   // begin with the smallest
	Limit     int    // plants at most; 0 is 10
	Cursor    string // Next of the page before; same query otherwise
	Count     bool   // fill Total
}

// Top returns plants by net generation. Errors as [egrid.Plants].
func (c *Client) Top(ctx context.Context, q TopQuery) (store.PlantPage, error) {
	v := values{}
	if err := v.plantEdition(q.Year, q.Release); err != nil {
		return store.PlantPage{}, err
	}
	q.put(v)
	if q.Ascending {
		v.set("order", "asc")
	}
	if q.Limit == 0 {
		q.Limit = 10
	}
	p, err := c.list(ctx, []string{"plants", "top"}, v, window{q.Limit, q.Cursor, q.Count})
	return p.PlantPage, err
}

// Search returns plants by anything: what [egrid.Plants] returns for the client
// as its querier, in one request. Errors as [egrid.Plants].
func (c *Client) Search(ctx context.Context, q store.PlantQuery) (store.PlantPage, error) {
	v, err := plantValues(&q)
	if err != nil {
		return store.PlantPage{}, err
	}
	p, err := c.list(ctx, []string{"plants", "search"}, v, window{q.Limit, q.Cursor, q.Count})
	return p.PlantPage, err
}

// FacetValue is a value of a column and how many plants have it.
type FacetValue struct {
	Value egrid.Value `json:"value"` // missing for plants without one
	Count int64       `json:"count"`
}

// Facets counts the plants of a query by values of columns, at most 1,000
// values of each, the most frequent ones first. Errors as [egrid.Plants].
func (c *Client) Facets(ctx context.Context, q store.PlantQuery, columns ...egrid.Column) (map[egrid.Column][]FacetValue, error) {
	v, err := plantValues(&q)
	if err != nil {
		return nil, err
	}
	v.columns("facet", columns)
	p, err := c.list(ctx, []string{"plants", "search"}, v, window{limit: 1})
	return p.facets, err
}

func plantValues(q *store.PlantQuery) (values, error) {
	v := values{}
	if err := v.plantEdition(q.Year, q.Release); err != nil {
		return nil, err
	}
	v.search(q.Search)
	v.columns("columns", q.Columns)
	v.sort(q.Sort)
	return v, v.filters("filter", q.Filters)
}

// plantEdition refuses all years at once, which plants are not answered for.
func (v values) plantEdition(year int, release string) error {
	if year < 0 {
		return fmt.Errorf("%w: plants are answered for one data year, not for %d", egrid.ErrInvalid, year)
	}
	v.edition(year, release)
	return nil
}

// Plant returns one plant with every column, by the id of a plant answer. Year
// 0 is the newest, and so is an empty release. Errors as [egrid.FindPlant].
func (c *Client) Plant(ctx context.Context, id string, year int, release string) (store.PlantPage, error) {
	v := values{}
	if err := v.plantEdition(year, release); err != nil {
		return store.PlantPage{}, err
	}
	p, err := c.plantPart(ctx, id, nil, v)
	return p.PlantPage, err
}

// PlantHistory returns a plant in every data year that has it, oldest first.
// Errors as [egrid.PlantHistory].
func (c *Client) PlantHistory(ctx context.Context, id string) (egrid.RowPage, error) {
	p, err := c.plantPart(ctx, id, []string{"history"}, nil)
	return p.RowPage, err
}

func (c *Client) plantPart(ctx context.Context, id string, part []string, v values) (page, error) {
	if id == "" || id == "." || id == ".." {
		return page{}, fmt.Errorf("%w: %q is no id of a plant", egrid.ErrInvalid, id)
	}
	return c.page(ctx, append([]string{"plants", id}, part...), v)
}

// States returns the plants and the net generation of each state, as
// [egrid.SumPlants] by state.
func (c *Client) States(ctx context.Context, where Place, year int, release string) (store.PlantPage, error) {
	v := values{}
	if err := v.plantEdition(year, release); err != nil {
		return store.PlantPage{}, err
	}
	where.put(v)
	p, err := c.page(ctx, []string{"plants", "states"}, v)
	return p.PlantPage, err
}

// Years returns the plants and the net generation of each data year, in the
// column year, oldest first.
func (c *Client) Years(ctx context.Context, where Place) (egrid.RowPage, error) {
	v := values{}
	where.put(v)
	p, err := c.page(ctx, []string{"plants", "years"}, v)
	return p.RowPage, err
}

// Chart is a diagram's data.
type Chart struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Unit   string   `json:"unit"` // of y
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
	X egrid.Value `json:"x"` // a data year, or a name; missing for what has none
	Y *float64    `json:"y"` // nil where nothing is known
}

// Chart returns a series ready to draw: by-state, by-year, by-fuel or
// by-subregion. by-year takes neither a year nor a release.
func (c *Client) Chart(ctx context.Context, kind string, where Place, year int, release string) (Chart, error) {
	v := values{}
	if err := v.plantEdition(year, release); err != nil {
		return Chart{}, err
	}
	where.put(v)
	var chart Chart
	err := c.value(ctx, []string{"plants", "chart", kind}, v, &chart)
	return chart, err
}

// Statistics sums up what is loaded.
type Statistics struct {
	Levels        []LevelStatistics `json:"levels"`
	Plants        int64             `json:"plants"`             // of the data year
	Generators    *int64            `json:"generators"`         // of the data year; nil without a GEN sheet of it
	NetGeneration *float64          `json:"net_generation_mwh"` // MWh, of the data year
	FirstYear     *int              `json:"first_year"`         // nil when nothing is published
	LastYear      *int              `json:"last_year"`
	LastLoad      *time.Time        `json:"last_load"`
}

// LevelStatistics sums up one level.
type LevelStatistics struct {
	Level egrid.Level `json:"level"`
	Rows  int64       `json:"rows"` // of all data years, each in its newest release
	Years []int       `json:"years"`
}

// Statistics returns counts, totals and the time of the last load. Year 0 is
// the newest.
func (c *Client) Statistics(ctx context.Context, year int) (Statistics, error) {
	v := values{}
	if year != 0 {
		v.set("year", strconv.Itoa(year))
	}
	var s Statistics
	err := c.value(ctx, []string{"plants", "statistics"}, v, &s)
	return s, err
}

// value asks for data that are not rows.
func (c *Client) value(ctx context.Context, path []string, v values, into any) error {
	a, err := c.get(ctx, join(path), v, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return err
	}
	return a.decode(&struct {
		Data any `json:"data"`
	}{into})
}
