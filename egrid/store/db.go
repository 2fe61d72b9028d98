package store

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// DB asks questions of a [driver.Scanner]: a store, a cache over one, or the
// HTTP client. It has no state but that, costs nothing to make, and is safe for
// concurrent use. It is a scanner itself.
//
// Every call answers from one state of the data, even when it takes several
// queries: it reads the catalogue once, and snapshots do not change.
type DB struct {
	scanner driver.Scanner
	pins    []egrid.SnapshotID
	pinned  bool
}

// New makes a DB of a scanner, which stays the caller's to close.
func New(s driver.Scanner) *DB { return &DB{scanner: s} }

// At returns a DB that reads the named snapshots and no others, published or
// superseded: a permanent view. Its calls return [egrid.ErrNotFound] for an id
// that the store does not know, and [egrid.ErrStale] for one that was pruned.
func (db *DB) At(ids ...egrid.SnapshotID) *DB {
	return &DB{scanner: db.scanner, pins: ids, pinned: true}
}

// Now reads the catalogue and returns a DB whose calls all answer from that
// state of the data, whatever is published meanwhile.
func (db *DB) Now(ctx context.Context) (*DB, error) {
	v, err := db.view(ctx)
	if err != nil {
		return nil, err
	}
	return New(moment{v.scanner, v.catalog}), nil
}

// moment is a scanner at one state of its data.
type moment struct {
	driver.Scanner
	catalog egrid.Catalog
}

func (m moment) Catalog(context.Context) (egrid.Catalog, error) { return m.catalog, nil }

// Scan executes a plan.
func (db *DB) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return db.scanner.Scan(ctx, p)
}

// Catalog lists what is published, held and superseded; at pinned snapshots,
// those.
func (db *DB) Catalog(ctx context.Context) (egrid.Catalog, error) {
	v, err := db.view(ctx)
	return v.catalog, err
}

// view is what one call reads: a catalogue, and the scanner of its snapshots.
type view struct {
	scanner driver.Scanner
	catalog egrid.Catalog
}

func (db *DB) view(ctx context.Context) (view, error) {
	catalog, err := db.scanner.Catalog(ctx)
	if err == nil && db.pinned {
		catalog, err = driver.Pin(catalog, db.pins...)
	}
	return view{db.scanner, catalog}, err
}

// at returns the view of one snapshot alone.
func (v view) at(s egrid.Snapshot) view {
	one := egrid.Catalog{Revision: v.catalog.Revision, Snapshots: []egrid.Snapshot{s}}
	return view{v.scanner, one}
}

// Rows returns one page of rows of one level. Errors: [egrid.ErrInvalid] for a
// query that cannot be (an unknown column, a value of the wrong type),
// [egrid.ErrNotFound] for a year or release that is not published,
// [egrid.ErrStale] for a cursor whose snapshots were pruned.
func (db *DB) Rows(ctx context.Context, q egrid.RowQuery) (egrid.RowPage, error) {
	v, err := db.view(ctx)
	if err != nil {
		return egrid.RowPage{}, err
	}
	return v.rows(ctx, q)
}

// Groups aggregates the rows of one level. Errors as Rows.
func (db *DB) Groups(ctx context.Context, q egrid.GroupQuery) (egrid.RowPage, error) {
	v, err := db.view(ctx)
	if err != nil {
		return egrid.RowPage{}, err
	}
	return v.groups(ctx, q)
}

func (v view) rows(ctx context.Context, q egrid.RowQuery) (egrid.RowPage, error) {
	p, err := driver.PlanRows(v.catalog, q)
	if err != nil {
		return egrid.RowPage{}, err
	}
	return v.page(ctx, p, q.Count, func(b *egrid.Batch) string { return p.NextRows(b, b.Len()-1) })
}

func (v view) groups(ctx context.Context, q egrid.GroupQuery) (egrid.RowPage, error) {
	p, err := driver.PlanGroups(v.catalog, q)
	if err != nil {
		return egrid.RowPage{}, err
	}
	return v.page(ctx, p, q.Count, func(b *egrid.Batch) string { return p.NextGroups(b.Len()) })
}

// page reads one row more than the page has, to know whether another follows.
func (v view) page(ctx context.Context, p *driver.Plan, count bool, next func(*egrid.Batch) string) (egrid.RowPage, error) {
	page := egrid.RowPage{Total: -1, Revision: v.catalog.Revision, Snapshots: p.Snapshots}
	limit := p.Limit
	more := *p
	more.Limit = min(limit, math.MaxInt-1) + 1
	all, err := v.collect(ctx, &more)
	if err != nil {
		return egrid.RowPage{}, err
	}
	if all.Len() > limit {
		all = all.Slice(0, limit)
		page.Next = next(all)
	}
	schema, from, err := visible(p)
	if page.Batch = all.Project(schema, from); err != nil || !count {
		return page, err
	}
	if page.Next == "" && p.After == nil && p.Offset == 0 {
		page.Total = int64(all.Len())
		return page, nil
	}
	total, err := v.collect(ctx, p.Counting())
	if err == nil {
		page.Total, err = countOf(total)
	}
	return page, err
}

// every reads all rows of a query into one batch.
func (v view) every(ctx context.Context, q egrid.RowQuery) (*egrid.Batch, error) {
	p, err := driver.PlanRows(v.catalog, q)
	if err != nil {
		return nil, err
	}
	p.Limit = 1 // of none, too; with a limit, caches keep the answer
	for i := range p.Snapshots {
		p.Limit += int(p.Snapshots[i].Rows)
	}
	return v.collect(ctx, p)
}

func countOf(b *egrid.Batch) (int64, error) {
	if b.Len() != 1 {
		return 0, fmt.Errorf("store: a count has %d rows", b.Len())
	}
	n, _ := b.Column(0).Int(0)
	return n, nil
}

// collect reads the whole answer of a plan.
func (v view) collect(ctx context.Context, p *driver.Plan) (*egrid.Batch, error) {
	var parts []*egrid.Batch
	if len(p.Snapshots) > 0 || p.Count {
		for b, err := range v.scanner.Scan(ctx, p) {
			if err != nil {
				return nil, err
			}
			parts = append(parts, b)
		}
	}
	return egrid.Concat(p.Output, parts...), nil
}

// visible returns the columns that were asked for, without those that only
// cursors are made of, and where they are in the plan's Output.
func visible(p *driver.Plan) (schema *egrid.Schema, from []int, err error) {
	from = make([]int, p.Visible)
	for i := range from {
		from[i] = i
	}
	if schema = p.Output; p.Visible < schema.Len() {
		schema, err = egrid.NewSchema(p.Output.Fields()[:p.Visible]...)
	}
	return schema, from, err
}

// Answer is an answer that streams: rows of any number in constant memory.
type Answer struct {
	Schema    *egrid.Schema
	Revision  int64
	Snapshots []egrid.Snapshot
	Batches   iter.Seq2[*egrid.Batch, error] // once; it ends behind an error
}

// Stream answers a query with all of its rows, or those behind its Cursor; a
// Limit of 0 is no limit here. It reads one state of the data, whatever is
// published meanwhile. Errors as Rows.
func (db *DB) Stream(ctx context.Context, q egrid.RowQuery) (Answer, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Answer{}, err
	}
	p, err := driver.PlanRows(v.catalog, q)
	if err != nil {
		return Answer{}, err
	}
	p.Limit = q.Limit
	return v.stream(ctx, p)
}

// StreamGroups is [DB.Stream] for groups.
func (db *DB) StreamGroups(ctx context.Context, q egrid.GroupQuery) (Answer, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Answer{}, err
	}
	p, err := driver.PlanGroups(v.catalog, q)
	if err != nil {
		return Answer{}, err
	}
	p.Limit = q.Limit
	return v.stream(ctx, p)
}

func (v view) stream(ctx context.Context, p *driver.Plan) (Answer, error) {
	out, from, err := visible(p)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Schema: out, Revision: v.catalog.Revision, Snapshots: p.Snapshots, Batches: func(yield func(*egrid.Batch, error) bool) {
		if len(p.Snapshots) == 0 {
			return
		}
		for b, err := range v.scanner.Scan(ctx, p) {
			if err == nil {
				b = b.Project(out, from)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}}, nil
}

// All iterates over the rows of a query, as Stream. The sequence ends behind the
// first error.
func (db *DB) All(ctx context.Context, q egrid.RowQuery) iter.Seq2[egrid.Row, error] {
	return func(yield func(egrid.Row, error) bool) {
		answer, err := db.Stream(ctx, q)
		if err != nil {
			yield(egrid.Row{}, err)
			return
		}
		for b, err := range answer.Batches {
			if err != nil {
				yield(egrid.Row{}, err)
				return
			}
			for row := range b.Rows() {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
