package httpapi

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) diffOperation(level *parameter) {
	of := *level
	of.path, of.required = false, true
	release := func(name, doc string, required bool) parameter {
		return parameter{name: name, doc: doc, required: required, schema: huma.Schema{
			Pattern: `^([Nn][Oo][Nn][Ee]|[Vv]\d{1,3}|[Rr][Ee][Vv]\d{1,3}|[0-9a-f]{24})$`, PatternDescription: "none, v1, v2, ..., rev0, rev1, ... or the id of a snapshot",
		}}
	}
	a.register(operation{
		id: "diff", path: "/diff", tag: "levels", summary: "What changed between two releases",
		details: "Every cell that differs, the largest relative change first. Rows are matched by their identifiers: ORIS code with generator or unit, code of the region; the n-th row with one and the n-th in the other. meta.difference counts the rows, too, that only one of the two has.",
		params: []parameter{of, yearParam(), release("from", "Release, or id of a snapshot that is or was published.", true),
			release("to", "Likewise; the newest release when left out.", false), limitParam("100"), cursorParam()},
		schema: a.schemaOf(typeOf[[]wire.CellChange]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.diff(ctx) },
	})
}

// diff is a page of a difference. Its cursor names the two snapshots and a place.
func (in *request) diff(ctx context.Context) (*answer, error) {
	q := store.DiffQuery{Level: egrid.Level(in.text("level")), Year: in.number("year"), From: in.text("from"), To: in.text("to")}
	at := 0
	if cursor := in.text("cursor"); cursor != "" {
		parts := strings.Split(cursor, ".")
		n, err := strconv.Atoi(parts[len(parts)-1])
		if err != nil || n < 0 || len(parts) != 3 || len(parts[0]) != 24 || len(parts[1]) != 24 {
			return nil, driver.ErrCursor
		}
		q.From, q.To, at = parts[0], parts[1], n
	}
	d, err := in.data.db.Diff(ctx, q)
	if err != nil {
		return nil, err
	}
	m := in.meta()
	m.Year, m.snapshots = &d.To.Year, []egrid.Snapshot{d.From, d.To}
	m.Difference = &wire.Difference{
		From: d.From.ID, To: d.To.ID, Rows: d.Rows, Changed: d.Changed, Added: d.Added, Lost: d.Lost,
		ColumnsAdded: append([]egrid.Column{}, d.ColumnsAdded...), ColumnsLost: append([]egrid.Column{}, d.ColumnsLost...),
	}
	changes := d.Changes[min(at, len(d.Changes)):]
	limit := in.number("limit")
	if limit == 0 && in.format.writer == nil {
		limit = egrid.DefaultLimit
	}
	next := ""
	if limit > 0 && limit < len(changes) {
		changes = changes[:limit]
		next = fmt.Sprintf("%s.%s.%d", d.From.ID, d.To.ID, at+limit)
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
