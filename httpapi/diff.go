package httpapi

import (
	"context"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) diffOperation(level *parameter) {
	of := *level
	of.path, of.required = false, true
	a.register(operation{
		id: "diff", path: "/diff", tag: "levels", summary: "What changed between two releases",
		details: "Every cell that differs, the largest relative change first. Rows are matched by their identifiers: ORIS code with generator or unit, code of the region; the n-th row with one and the n-th in the other. meta.difference counts the rows, too, that only one of the two has. " + pairDetails,
		params:  append([]parameter{of}, append(pairParams(), limitParam("100"), cursorParam())...), pair: true,
		schema: a.schemaOf(typeOf[[]wire.CellChange]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.diff(ctx) },
	})
}

// diff is a page of a difference. Its cursor names the two snapshots and a place.
func (in *request) diff(ctx context.Context) (*answer, error) {
	level := egrid.Level(in.text("level"))
	at, err := in.findPair(ctx, []egrid.Level{level})
	if err != nil {
		return nil, err
	}
	d, err := in.data.db.Diff(ctx, store.DiffQuery{Level: level, From: ids(&in.pair.From)[0], To: ids(&in.pair.To)[0]})
	if err != nil {
		return nil, err
	}
	m := in.meta()
	m.Year, m.snapshots = &d.To.Year, []egrid.Snapshot{d.From, d.To}
	m.Difference = &wire.Difference{
		From: d.From.ID, To: d.To.ID, Rows: d.Rows, Changed: d.Changed, Cells: d.Cells.Changed, Digits: d.Cells.Rounder + d.Cells.Finer, Added: d.Added, Lost: d.Lost,
		ColumnsAdded: append([]egrid.Column{}, d.ColumnsAdded...), ColumnsLost: append([]egrid.Column{}, d.ColumnsLost...),
	}
	changes := d.Changes[min(at, len(d.Changes)):]
	limit := in.number("limit")
	if limit == 0 && !in.format.exports() {
		limit = egrid.DefaultLimit
	}
	next := ""
	if limit > 0 && limit < len(changes) {
		changes = changes[:limit]
		next = in.pairCursor(at + limit)
	}
	list := make([]wire.CellChange, len(changes))
	t := newTable("key", "column", "from", "to", "relative_change")
	for i, c := range changes {
		list[i] = wire.CellChange{Key: c.Key, Column: c.Column, From: c.From, To: c.To}
		relative := egrid.Value{}
		if x, ok := c.Relative(); ok {
			relative = egrid.NumberOf(x)
			list[i].RelativeChange = wire.NumberOf(relative)
		}
		t.add(c.Key, string(c.Column), c.From.String(), c.To.String(), relative.String())
	}
	ans := t.answer(list, m)
	ans.next, ans.meta.Total = next, new(int64(len(d.Changes)))
	return ans, nil
}
