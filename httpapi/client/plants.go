package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// ChartQuery chooses the plants of a chart. Each list holds values of which one
// must fit; an empty one fits all.
type ChartQuery struct {
	Year               int      // data year; 0 is the newest
	Release            string   // empty is the newest, egrid.NoRelease the unmarked one
	State              []string // postal abbreviations
	Subregion          []string // eGRID subregions, as CAMX
	BalancingAuthority []string // codes, as CISO
	NERCRegion         []string
	Fuel               []string // EIA energy source codes, as NG
	FuelCategory       []string // see egrid.FuelCategories
}

// Chart returns a series ready to draw: by-state, by-year, by-fuel or
// by-subregion. by-year takes neither a year nor a release. Every point says which
// sheet it is from, Meta.Differences which loaded sheets say otherwise. Errors:
// [egrid.ErrInvalid] for another kind, [egrid.ErrNotFound] for a data year or
// release that is not published.
func (c *Client) Chart(ctx context.Context, kind string, q *ChartQuery) (wire.Answer[wire.Chart], error) {
	v := url.Values{}
	if q != nil {
		setYear(v, q.Year)
		if q.Release != "" {
			v.Set("release", q.Release)
		}
		for name, texts := range map[string][]string{
			"state": q.State, "subregion": q.Subregion, "balancing_authority": q.BalancingAuthority,
			"nerc_region": q.NERCRegion, "fuel": q.Fuel, "fuel_category": q.FuelCategory,
		} {
			if len(texts) > 0 {
				v.Set(name, egrid.JoinList(texts))
			}
		}
	}
	return value[wire.Chart](ctx, c, join("plants", "chart", kind), v)
}

// Statistics returns counts, totals and the time of the last load. Year 0 is
// the newest. Meta says which sheet the net generation is from.
func (c *Client) Statistics(ctx context.Context, year int) (wire.Answer[wire.Statistics], error) {
	v := url.Values{}
	setYear(v, year)
	return value[wire.Statistics](ctx, c, join("plants", "statistics"), v)
}

func setYear(v url.Values, year int) {
	if year != 0 {
		v.Set("year", strconv.Itoa(year))
	}
}

// value asks for data that are not rows.
func value[T any](ctx context.Context, c *Client, path string, v url.Values) (wire.Answer[T], error) {
	var answer wire.Answer[T]
	a, err := c.get(ctx, path, v, http.Header{"Accept": {wire.TypeJSON}})
	if err == nil {
		err = a.decode(&answer)
	}
	return answer, err
}
