package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// pageType is the representation in which rows come as the querier has them.
const pageType = "application/vnd.egrid.page+json"

// maxPageRows is the largest page that a server gives.
const maxPageRows = 1000

// window chooses a part of a list.
type window struct {
	limit  int
	cursor string
	count  bool
}

// pageDocument is a page as it comes.
type pageDocument struct {
	Data []struct {
		Year   int
		Number int64
		Values []any
	}
	Meta struct {
		Total     *int64
		Year      *int
		Release   *string
		Revision  int64
		Basis     egrid.Level
		Facets    map[egrid.Column][]FacetValue
		Columns   *egrid.Schema
		Snapshots []egrid.Snapshot
	}
	Links struct{ Next string }
}

// page is an answer of rows, and what its meta data say besides.
type page struct {
	store.PlantPage
	facets map[egrid.Column][]FacetValue
}

// restarts is how often a page of several requests begins anew because its
// data were replaced in the midst of it.
const restarts = 3

// list reads a page of any size.
func (c *Client) list(ctx context.Context, path []string, v values, w window) (page, error) {
	if w.limit < 0 {
		return page{}, fmt.Errorf("%w: limit %d is negative", egrid.ErrInvalid, w.limit)
	}
	if w.limit == 0 {
		w.limit = egrid.DefaultLimit
	}
	for attempt := 1; ; attempt++ {
		p, begun, err := c.wholeList(ctx, path, v, w)
		if err == nil || !begun || !errors.Is(err, egrid.ErrStale) || attempt == restarts {
			return p, err
		}
	}
}

// wholeList reads a page in as many requests as it takes, and reports whether
// the first of them succeeded.
func (c *Client) wholeList(ctx context.Context, path []string, v values, w window) (whole page, begun bool, err error) {
	for {
		asked := maps.Clone(v)
		asked.set("limit", strconv.Itoa(min(w.limit-len(whole.Rows), maxPageRows)))
		asked.text("cursor", w.cursor)
		if !w.count || begun {
			asked.set("count", "false")
		}
		p, err := c.page(ctx, path, asked)
		if err != nil {
			return page{}, begun, err
		}
		if !begun {
			whole, begun = p, true
		} else {
			for i := range p.Rows {
				p.Rows[i].Schema = whole.Schema
			}
			whole.Rows = append(whole.Rows, p.Rows...)
			whole.Next, whole.Revision = p.Next, p.Revision
		}
		if w.cursor = p.Next; w.cursor == "" || len(whole.Rows) >= w.limit || len(p.Rows) == 0 {
			return whole, begun, nil
		}
	}
}

// page asks for one page.
func (c *Client) page(ctx context.Context, path []string, v values) (page, error) {
	a, err := c.get(ctx, join(path), v, http.Header{"Accept": {pageType}})
	if err != nil {
		return page{}, err
	}
	if got := a.header.Get("Content-Type"); got != pageType {
		return page{}, errForeign(a.path, fmt.Sprintf("the content type %q", got))
	}
	var d pageDocument
	if err := a.decode(&d); err != nil {
		return page{}, err
	}
	if d.Meta.Columns == nil {
		return page{}, errForeign(a.path, "no columns in it")
	}
	p := page{facets: d.Meta.Facets}
	p.Schema, p.Revision, p.Total, p.Basis = d.Meta.Columns, d.Meta.Revision, -1, d.Meta.Basis
	if d.Meta.Total != nil {
		p.Total = *d.Meta.Total
	}
	if d.Meta.Year != nil {
		p.Year = *d.Meta.Year
	}
	if d.Meta.Release != nil {
		p.Release = *d.Meta.Release
	}
	for i := range d.Meta.Snapshots {
		d.Meta.Snapshots[i].Schema = noColumns
		p.Snapshots = append(p.Snapshots, d.Meta.Snapshots[i])
	}
	next, err := url.Parse(d.Links.Next)
	if err != nil {
		return page{}, errForeign(a.path, "a next page that is no URL")
	}
	p.Next = next.Query().Get("cursor")
	p.Rows = make([]egrid.Row, len(d.Data))
	for i, row := range d.Data {
		if len(row.Values) != p.Schema.Len() {
			return page{}, errForeign(a.path, fmt.Sprintf("a row of %d values under %d columns", len(row.Values), p.Schema.Len()))
		}
		p.Rows[i] = egrid.Row{Schema: p.Schema, Values: make([]egrid.Value, len(row.Values)), Year: row.Year, Number: row.Number}
		for j, x := range row.Values {
			if p.Rows[i].Values[j], err = valueOf(p.Schema.Field(j).Type, x); err != nil {
				return page{}, errForeign(a.path, err.Error())
			}
		}
	}
	return p, nil
}

// noColumns is the schema of snapshots that are told without their columns.
var noColumns = &egrid.Schema{}

// valueOf makes a value of a column's type, without rounding.
func valueOf(t egrid.Type, x any) (egrid.Value, error) {
	switch x := x.(type) {
	case nil:
		return egrid.Value{}, nil
	case string:
		return egrid.TextOf(x), nil
	case bool:
		return egrid.FlagOf(x), nil
	case json.Number:
		if t != egrid.Number {
			if i, err := x.Int64(); err == nil {
				return egrid.IntegerOf(i), nil
			}
		}
		f, err := x.Float64()
		return egrid.NumberOf(f), err
	}
	return egrid.Value{}, fmt.Errorf("a value that is a list or an object")
}

func join(path []string) string {
	text := ""
	for i, part := range path {
		if i > 0 {
			text += "/"
		}
		text += url.PathEscape(part)
	}
	return text
}
