// Package engine executes plans over the columns of snapshots in memory.
//
// A [Table] holds prepared columns of one snapshot; [Needed] says which of them
// a plan reads; [Scan] executes it:
//
//	t := engine.NewTable(batches, engine.Needed(p))
//	for b, err := range engine.Scan(ctx, p, func(egrid.Snapshot) *engine.Table { return t }) {
//
// An answer has the rows, the order and the values that [driver.Plan] defines.
// Sums of whole numbers and decimals are exact before they are rounded, as long
// as they fit 62 bits; other sums are compensated sums of floats.
//
// Tables may be shared by any number of scans at a time.
package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// batchRows is the most rows of an answer's batch, unless it is a stored one.
const batchRows = 4096

// groupRows is the same for groups, all of which are in memory anyway.
const groupRows = 1 << 16

// Needed returns the columns of snapshots that a plan reads, without those that
// come from the snapshot itself.
func Needed(p *driver.Plan) []egrid.Column {
	var needed []egrid.Column
	need := func(c egrid.Column) {
		if c != "" && !egrid.IsContext(c) && !slices.Contains(needed, c) && p.Input.Has(c) {
			needed = append(needed, c)
		}
	}
	for _, f := range p.Filters {
		need(f.Column)
	}
	if len(p.Words) > 0 {
		for _, c := range p.Search {
			need(c)
		}
		if slices.ContainsFunc(p.Terms(), func(t driver.Term) bool { return t.State != "" }) {
			need(egrid.State)
		}
	}
	if grouped(p) {
		for _, c := range p.By {
			need(c)
		}
		for _, m := range p.Measures {
			need(m.Column)
		}
		return needed
	}
	if p.Count {
		return needed
	}
	for _, key := range p.Sort {
		need(key.Column)
	}
	for _, c := range p.Output.Columns() {
		need(c)
	}
	return needed
}

func grouped(p *driver.Plan) bool { return len(p.Measures) > 0 }

// Scan executes a plan. table returns the columns of a snapshot, at least those
// of [Needed] that its schema has. The batches are of the plan's Output, in its
// order; each has at most some thousand rows, except that stored batches are
// handed out whole where they are the answer. The sequence ends behind an
// error: that of the context, or ErrInvalid for a table that does not fit the
// plan.
func Scan(ctx context.Context, p *driver.Plan, table func(egrid.Snapshot) *Table) iter.Seq2[*egrid.Batch, error] {
	return scan(ctx, p, func(q *query) error {
		if err := q.open(table); err != nil {
			return err
		}
		if grouped(p) {
			return q.groups()
		}
		return q.rows()
	})
}

func scan(ctx context.Context, p *driver.Plan, run func(q *query) error) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		q := queries.Get().(*query)
		defer q.release()
		q.ctx, q.plan, q.yield = ctx, p, yield
		if err := run(q); err != nil && !q.left {
			yield(nil, err)
		}
	}
}

// query is one execution of a plan. Its memory is used again by the next one.
type query struct {
	ctx    context.Context // of the call, while it runs
	plan   *driver.Plan
	yield  func(*egrid.Batch, error) bool
	left   bool // the caller wants no more
	inputs []input

	narrow slab[int32]
	wide   slab[int64]
	floats slab[float64]
	items  slab[item]
	out    answer
}

var queries = sync.Pool{New: func() any { return new(query) }}

func (q *query) release() {
	q.ctx, q.plan, q.yield, q.left = nil, nil, nil, false
	q.out.release()
	clear(q.inputs)
	q.inputs = q.inputs[:0]
	q.narrow.used, q.wide.used, q.floats.used, q.items.used = 0, 0, 0, 0
	queries.Put(q)
}

// slab lends slices for the length of a query.
type slab[T any] struct {
	slices [][]T
	used   int
}

// take returns n elements of any content.
func (s *slab[T]) take(n int) []T {
	if s.used == len(s.slices) {
		s.slices = append(s.slices, nil)
	}
	have := &s.slices[s.used]
	s.used++
	if cap(*have) < n {
		*have = make([]T, n)
	}
	return (*have)[:n]
}

// zeros returns n zeros.
func (s *slab[T]) zeros(n int) []T {
	taken := s.take(n)
	clear(taken)
	return taken
}

// input is a snapshot and its columns.
type input struct {
	*Table
	snapshot *egrid.Snapshot
	blank    *Column // of columns that the snapshot does not have
}

// column returns a column of a snapshot, whether it comes from a cell or from
// the snapshot.
func (in *input) column(name egrid.Column) (*Column, error) {
	if egrid.IsContext(name) {
		return in.constant(in.snapshot.Context(name)), nil
	}
	if name == "" || !in.snapshot.Schema.Has(name) {
		if in.blank == nil {
			in.blank = in.constant(egrid.Value{})
		}
		return in.blank, nil
	}
	if c := in.Column(name); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: column %s of snapshot %s is not prepared", egrid.ErrInvalid, name, in.snapshot.ID)
}

// open gets the tables of the plan's snapshots.
func (q *query) open(table func(egrid.Snapshot) *Table) error {
	for i := range q.plan.Snapshots {
		s := &q.plan.Snapshots[i]
		t := table(*s)
		if t == nil {
			return fmt.Errorf("%w: no column of snapshot %s is prepared", egrid.ErrInvalid, s.ID)
		}
		q.inputs = append(q.inputs, input{Table: t, snapshot: s})
	}
	return q.ctx.Err()
}

// count answers a plan that counts.
func (q *query) count(n int) error {
	b := egrid.NewBuilder(q.plan.Output, 0)
	b.Int(0, int64(n))
	b.EndRow(0, 0)
	q.emit(b.Batch())
	return nil
}

// check returns an error when a column cannot be given as the answer's i-th.
func (q *query) check(c *Column, i int) error {
	if f := q.plan.Output.Field(i); !c.fits(f.Type) {
		return fmt.Errorf("%w: a snapshot holds column %s as %s where the plan says %s", egrid.ErrInvalid, f.Column, c.value(c.least).Type(), f.Type)
	}
	return nil
}

// emit yields a batch; false ends the scan.
func (q *query) emit(b *egrid.Batch) bool {
	q.left = !q.yield(b, nil)
	return !q.left && q.ctx.Err() == nil
}
