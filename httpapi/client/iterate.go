package client

import (
	"context"
	"iter"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// AllRows iterates over every row of a query in constant memory, ignoring its
// Limit and Cursor. The sequence ends after the first error, which is
// [egrid.ErrStale] when a publish replaced what is being read: what came before
// is then of the data before, and the query is to be asked anew.
func (c *Client) AllRows(ctx context.Context, q egrid.RowQuery) iter.Seq2[egrid.Row, error] {
	return all(func(cursor string) (egrid.RowPage, error) {
		q.Limit, q.Cursor, q.Count = maxPageRows, cursor, false
		return c.Rows(ctx, q)
	})
}

// AllGroups is [Client.AllRows] for groups.
func (c *Client) AllGroups(ctx context.Context, q egrid.GroupQuery) iter.Seq2[egrid.Row, error] {
	return all(func(cursor string) (egrid.RowPage, error) {
		q.Limit, q.Cursor, q.Count = maxPageRows, cursor, false
		return c.Groups(ctx, q)
	})
}

// AllPlants is [Client.AllRows] for [Client.Search].
func (c *Client) AllPlants(ctx context.Context, q store.PlantQuery) iter.Seq2[egrid.Row, error] {
	return all(func(cursor string) (egrid.RowPage, error) {
		q.Limit, q.Cursor, q.Count = maxPageRows, cursor, false
		page, err := c.Search(ctx, q)
		return page.RowPage, err
	})
}

// all walks the pages that read gives, from the first to the last.
func all(read func(cursor string) (egrid.RowPage, error)) iter.Seq2[egrid.Row, error] {
	return func(yield func(egrid.Row, error) bool) {
		for cursor := ""; ; {
			page, err := read(cursor)
			if err != nil {
				yield(egrid.Row{}, err)
				return
			}
			for _, row := range page.Rows {
				if !yield(row, nil) {
					return
				}
			}
			if cursor = page.Next; cursor == "" {
				return
			}
		}
	}
}
