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

// ZIP returns the subregions that serve a ZIP code of five digits, the predominant
// one first. Year 0 is the newest crosswalk. Errors: [egrid.ErrInvalid] for what is
// not a ZIP code, [egrid.ErrNotFound] for one that the crosswalk does not have, or
// where there is no crosswalk. store.DB.ZIP asks through a Client, too.
func (c *Client) ZIP(ctx context.Context, zip string, year int) (wire.Answer[[]wire.ZIPSubregion], error) {
	v := url.Values{}
	setYear(v, year)
	return value[[]wire.ZIPSubregion](ctx, c, join("crosswalk", "zip", zip), v)
}

// Reconciliation returns how the region sheets of an edition stand to what they
// follow from: with the figures that differ or, if every is set, with all of them,
// which are some thousands. The empty release is the newest. Errors:
// [egrid.ErrNotFound] where no region sheet of it is published.
//
// calc.Reconcile over a Client computes the same here, from what the server sends.
func (c *Client) Reconciliation(ctx context.Context, year int, release string, every bool) (wire.Answer[wire.Certificate], error) {
	v := url.Values{}
	if release != "" {
		v.Set("release", release)
	}
	if every {
		v.Set("cells", "all")
	}
	return value[wire.Certificate](ctx, c, join("reconciliation", strconv.Itoa(year)), v)
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
