package memstore

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Catalog implements [egrid.Querier].
func (s *Store) Catalog(context.Context) (egrid.Catalog, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return egrid.Catalog{}, egrid.ErrClosed
	}
	return s.catalog(), nil
}

func (s *Store) catalog() egrid.Catalog {
	c := egrid.Catalog{Revision: s.revision}
	for _, snap := range s.published {
		c.Snapshots = append(c.Snapshots, snap.Snapshot)
	}
	for _, st := range s.stages {
		if st.held != nil {
			c.Snapshots = append(c.Snapshots, *st.held)
		}
	}
	c.Sort()
	return c
}

// view is what one call reads: a catalogue and the data that belongs to it.
func (s *Store) view() (egrid.Catalog, map[egrid.StageID]*snapshot, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return egrid.Catalog{}, nil, egrid.ErrClosed
	}
	data := map[egrid.StageID]*snapshot{}
	for _, snap := range s.published {
		data[snap.ID] = snap
	}
	return s.catalog(), data, nil
}

// found is a row that satisfies a query, with the snapshot it is from.
type found struct {
	egrid.Row
	from *snapshot
}

func (f found) value(c egrid.Column) egrid.Value {
	if egrid.IsContext(c) {
		return f.from.Context(c)
	}
	return f.Value(c)
}

func scan(ctx context.Context, p *driver.Plan, data map[egrid.StageID]*snapshot) ([]found, error) {
	var matches []found
	for _, snap := range p.Snapshots {
		from := data[snap.ID]
		for i, row := range from.rows {
			if i%1024 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if f := (found{row, from}); p.Matches(f.value) {
				matches = append(matches, f)
			}
		}
	}
	return matches, ctx.Err()
}

// Rows implements [egrid.Querier].
func (s *Store) Rows(ctx context.Context, q egrid.RowQuery) (egrid.RowPage, error) {
	catalog, data, err := s.view()
	if err != nil {
		return egrid.RowPage{}, err
	}
	p, err := catalog.PlanRows(q)
	if err != nil {
		return egrid.RowPage{}, err
	}
	matches, err := scan(ctx, p, data)
	if err != nil {
		return egrid.RowPage{}, err
	}
	slices.SortFunc(matches, func(a, b found) int { return comparePositions(p, position(p, a), position(p, b)) })
	page := egrid.RowPage{Schema: p.Output, Total: -1, Revision: catalog.Revision, Snapshots: p.Snapshots}
	if p.Count {
		page.Total = int64(len(matches))
	}
	if p.After != nil {
		i, exact := slices.BinarySearchFunc(matches, *p.After, func(f found, at driver.Position) int {
			return comparePositions(p, position(p, f), at)
		})
		if exact {
			i++
		}
		matches = matches[i:]
	}
	more := len(matches) > p.Limit
	matches = matches[:min(len(matches), p.Limit)]
	for _, f := range matches {
		row := egrid.Row{Schema: p.Output, Values: make([]egrid.Value, p.Output.Len()), Year: f.from.Year, Number: f.Number}
		for i, c := range p.Output.Columns() {
			row.Values[i] = f.value(c)
		}
		page.Rows = append(page.Rows, row)
	}
	if more {
		page.Next = p.NextRows(position(p, matches[len(matches)-1]))
	}
	return page, nil
}

func position(p *driver.Plan, f found) driver.Position {
	at := driver.Position{Year: f.from.Year, Number: f.Number}
	for _, key := range p.Sort {
		at.Keys = append(at.Keys, f.value(key.Column))
	}
	return at
}

func comparePositions(p *driver.Plan, a, b driver.Position) int {
	for i, key := range p.Sort {
		if c := key.Compare(a.Keys[i], b.Keys[i]); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Number, b.Number))
}

// Groups implements [egrid.Querier].
func (s *Store) Groups(ctx context.Context, q egrid.GroupQuery) (egrid.RowPage, error) {
	catalog, data, err := s.view()
	if err != nil {
		return egrid.RowPage{}, err
	}
	p, err := catalog.PlanGroups(q)
	if err != nil {
		return egrid.RowPage{}, err
	}
	matches, err := scan(ctx, p, data)
	if err != nil {
		return egrid.RowPage{}, err
	}
	groups := aggregate(p, matches)
	groups = slices.DeleteFunc(groups, func(row egrid.Row) bool {
		return slices.ContainsFunc(p.Having, func(f egrid.Filter) bool { return !f.Match(row.Value(f.Column)) })
	})
	slices.SortFunc(groups, func(a, b egrid.Row) int {
		for _, key := range p.Sort {
			if c := key.Compare(a.Value(key.Column), b.Value(key.Column)); c != 0 {
				return c
			}
		}
		return 0
	})
	page := egrid.RowPage{Schema: p.Output, Total: -1, Revision: catalog.Revision, Snapshots: p.Snapshots}
	if p.Count {
		page.Total = int64(len(groups))
	}
	groups = groups[min(int64(len(groups)), p.Offset):]
	page.Rows = groups[:min(len(groups), p.Limit)]
	if len(groups) > p.Limit {
		page.Next = p.NextGroups(p.Limit)
	}
	return page, nil
}

func aggregate(p *driver.Plan, matches []found) []egrid.Row {
	type group struct {
		by       []egrid.Value
		measures []accumulator
	}
	var order []*group
	index := map[string]*group{}
	for _, f := range matches {
		key := ""
		by := make([]egrid.Value, len(p.By))
		for i, c := range p.By {
			by[i] = f.value(c)
			key += string(by[i].Type()) + by[i].String() + "\x00"
		}
		g := index[key]
		if g == nil {
			g = &group{by: by, measures: make([]accumulator, len(p.Measures))}
			index[key] = g
			order = append(order, g)
		}
		for i, m := range p.Measures {
			g.measures[i].add(f.value(m.Column))
		}
	}
	rows := make([]egrid.Row, len(order))
	for i, g := range order {
		rows[i] = egrid.Row{Schema: p.Output, Values: g.by}
		for j, m := range p.Measures {
			rows[i].Values = append(rows[i].Values, g.measures[j].result(m.Func))
		}
	}
	return rows
}

// accumulator aggregates one column of one group.
type accumulator struct {
	rows        int64
	numeric     bool
	sum, lost   float64 // Neumaier's compensated sum
	least, most egrid.Value
}

func (a *accumulator) add(v egrid.Value) {
	a.rows++
	if v.IsMissing() {
		return
	}
	if a.least.IsMissing() || v.Compare(a.least) < 0 {
		a.least = v
	}
	if a.most.IsMissing() || v.Compare(a.most) > 0 {
		a.most = v
	}
	if x, ok := v.Float(); ok {
		a.numeric = true
		sum := a.sum + x
		if math.Abs(a.sum) >= math.Abs(x) {
			a.lost += (a.sum - sum) + x
		} else {
			a.lost += (x - sum) + a.sum
		}
		a.sum = sum
	}
}

func (a *accumulator) result(f egrid.Func) egrid.Value {
	switch f {
	case egrid.Count:
		return egrid.IntegerOf(a.rows)
	case egrid.Min:
		return a.least
	case egrid.Max:
		return a.most
	}
	if !a.numeric {
		return egrid.Value{}
	}
	return egrid.SumOf(a.sum + a.lost)
}
