package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// DB asks questions of a [driver.Scanner]: a store, a cache over one, or the
// HTTP client. It has no state but that, costs nothing to make, and is safe for
// concurrent use.
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
	s.Status = egrid.Published
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
	more.Limit = limit + 1
	all, err := v.collect(ctx, &more)
	if err != nil {
		return egrid.RowPage{}, err
	}
	if all.Len() > limit {
		all = all.Slice(0, limit)
		page.Next = next(all)
	}
	if page.Batch = visible(p, all); !count {
		return page, nil
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

// visible leaves out the columns that only cursors are made of.
func visible(p *driver.Plan, b *egrid.Batch) *egrid.Batch {
	if p.Visible == p.Output.Len() {
		return b
	}
	fields := p.Output.Fields()[:p.Visible]
	from := make([]int, len(fields))
	for i := range from {
		from[i] = i
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // a part of a schema is one
	}
	return b.Project(schema, from)
}

// Answer is an answer that streams: rows of any number in constant memory.
type Answer struct {
	Schema    *egrid.Schema
	Revision  int64
	Snapshots []egrid.Snapshot
	Batches   iter.Seq2[*egrid.Batch, error] // once; it ends behind an error
}

// Stream answers a query with all of its rows, ignoring its Limit and Cursor.
// It reads one state of the data, whatever is published meanwhile. Errors as
// Rows.
func (db *DB) Stream(ctx context.Context, q egrid.RowQuery) (Answer, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Answer{}, err
	}
	q.Limit, q.Cursor, q.Count = 0, "", false
	p, err := driver.PlanRows(v.catalog, q)
	if err != nil {
		return Answer{}, err
	}
	p.Limit = 0
	out, err := egrid.NewSchema(p.Output.Fields()[:p.Visible]...)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Schema: out, Revision: v.catalog.Revision, Snapshots: p.Snapshots, Batches: func(yield func(*egrid.Batch, error) bool) {
		if len(p.Snapshots) == 0 {
			return
		}
		for b, err := range v.scanner.Scan(ctx, p) {
			if err == nil {
				b = visible(p, b)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}}, nil
}

// All iterates over every row of a query, as Stream. The sequence ends behind
// the first error.
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
