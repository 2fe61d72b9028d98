package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// BatchRows is how many rows a batch has at most.
const BatchRows = 2000

// Rows is the result of a statement, behind a few lines for each driver.
type Rows interface {
	// Next moves to the next row. It is false at the end, or on an error.
	Next() bool
	// Set sets column i of the builder's current row to column i of the
	// result's, which is of the type. Missing cells may be left alone.
	Set(b *egrid.Builder, i int, t egrid.Type) error
	// Int returns column i, which is an integer.
	Int(i int) (int64, error)
	Err() error
}

// Answer is what one statement read.
type Answer struct {
	Batches []*egrid.Batch // of the plan's Output
	Rows    int
	last    *egrid.Batch // holds the last row and what a position is made of
}

// Reader makes an answer of the rows of a result, cell by cell.
type Reader struct {
	// Builder takes the cells of the current row by their places in the result.
	*egrid.Builder
	// Types are those of the columns.
	Types []egrid.Type
	// Numbered says that a row number follows them.
	Numbered bool

	query  *Query
	answer Answer
}

// Reader returns a reader of the result of the statement.
func (q *Query) Reader() *Reader {
	year := 0
	if q.rows && len(q.plan.Snapshots) == 1 {
		year = q.plan.Snapshots[0].Year
	}
	r := &Reader{Builder: egrid.NewBuilder(q.schema, year), Types: make([]egrid.Type, q.schema.Len()), Numbered: q.rows, query: q}
	for i := range r.Types {
		r.Types[i] = q.schema.Field(i).Type
	}
	return r
}

// Wrong tells which column could not be read.
func (r *Reader) Wrong(i int, err error) error {
	if i == len(r.Types) {
		return fmt.Errorf("row number: %w", err)
	}
	return fmt.Errorf("column %s: %w", r.query.schema.Field(i).Column, err)
}

// EndRow ends the current row. A row without a number has 0.
func (r *Reader) EndRow(number int64) {
	r.Builder.EndRow(number, 0)
	if r.Len() == BatchRows {
		r.answer.add(r.query, r.Batch())
	}
}

// Answer returns what was read.
func (r *Reader) Answer() Answer {
	if r.Len() > 0 {
		r.answer.add(r.query, r.Batch())
	}
	return r.answer
}

// Read reads the result of the statement.
func (q *Query) Read(rows Rows) (Answer, error) {
	r := q.Reader()
	for rows.Next() {
		for i, t := range r.Types {
			if err := rows.Set(r.Builder, i, t); err != nil {
				return r.answer, r.Wrong(i, err)
			}
		}
		number := int64(0)
		if r.Numbered {
			var err error
			if number, err = rows.Int(len(r.Types)); err != nil {
				return r.answer, r.Wrong(len(r.Types), err)
			}
		}
		r.EndRow(number)
	}
	return r.Answer(), rows.Err()
}

func (a *Answer) add(q *Query, b *egrid.Batch) {
	a.Rows += b.Len()
	a.last = b
	if b.Schema() != q.plan.Output {
		from := make([]int, q.plan.Output.Len())
		for i := range from {
			from[i] = i
		}
		b = b.Project(q.plan.Output, from)
	}
	a.Batches = append(a.Batches, b)
}

// Yield yields the batches of an answer, or the error that it ended with.
func Yield(a Answer, err error, yield func(*egrid.Batch, error) bool) {
	if err != nil {
		yield(nil, err)
		return
	}
	for _, b := range a.Batches {
		if !yield(b, nil) {
			return
		}
	}
}

// List writes numbers with commas in between.
func List(numbers []int64) string {
	var text []byte
	for i, n := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(text)
}

// position is that of the last row.
func (a *Answer) position(p *driver.Plan) *driver.Position {
	row := a.last.Row(a.last.Len() - 1)
	at := &driver.Position{Year: a.last.Year(), Number: row.Number()}
	if len(p.Snapshots) > 1 {
		at.Year = row.Year()
	}
	for _, key := range p.Sort {
		at.Keys = append(at.Keys, row.Value(key.Column))
	}
	return at
}

// A scan of rows reads page by page, each in a transaction of its own: snapshots
// do not change, so the pages are of one state of the data, and between them no
// lock, no connection and no statement waits for whoever works on the batches.
// Pages grow, because an order that no index serves sorts again for each.
const (
	firstPage = BatchRows
	lastPage  = 32 * BatchRows
)

// Scan executes a plan. page executes a part of it in one transaction.
func Scan(ctx context.Context, p *driver.Plan, page func(context.Context, *driver.Plan) (Answer, error)) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		s := scan{ctx: ctx, page: page, yield: yield}
		switch {
		case len(p.Snapshots) == 0 && p.Count:
			s.zero(p)
		case len(p.Snapshots) == 0:
		case len(p.Measures) > 0 || p.Count:
			s.whole(p)
		case len(p.Snapshots) > 1 && len(p.Sort) == 0:
			s.byYear(p)
		default:
			s.paged(p)
		}
	}
}

// scan is one execution of a plan.
type scan struct {
	ctx   context.Context // of the call of Scan
	page  func(context.Context, *driver.Plan) (Answer, error)
	yield func(*egrid.Batch, error) bool
}

// zero is the count of nothing.
func (s *scan) zero(p *driver.Plan) {
	b := egrid.NewBuilder(p.Output, 0)
	b.Int(0, 0)
	b.EndRow(0, 0)
	s.yield(b.Batch(), nil)
}

// whole reads groups, or a count, by one statement.
func (s *scan) whole(p *driver.Plan) {
	a, err := s.page(s.ctx, p)
	Yield(a, err, s.yield)
}

// byYear reads snapshot after snapshot, which is the order of rows that no key
// sorts.
func (s *scan) byYear(p *driver.Plan) {
	left := most(p)
	for i := range p.Snapshots {
		snap := &p.Snapshots[i]
		part := *p
		part.Snapshots, part.Limit = []egrid.Snapshot{*snap}, left
		if p.After != nil && snap.Year < p.After.Year {
			continue
		}
		if p.After != nil && snap.Year > p.After.Year {
			part.After = nil
		}
		inner := *s
		inner.yield = func(b *egrid.Batch, err error) bool {
			if err == nil && p.Limit > 0 {
				left -= b.Len()
			}
			return s.yield(b, err)
		}
		if !inner.paged(&part) || left == 0 {
			return
		}
	}
}

// paged reads page after page. It reports whether the scan may go on.
func (s *scan) paged(p *driver.Plan) bool {
	part, left := *p, most(p)
	for size := firstPage; ; size = min(4*size, lastPage) {
		part.Limit = min(size, left)
		a, err := s.page(s.ctx, &part)
		if err != nil {
			s.yield(nil, err)
			return false
		}
		for _, b := range a.Batches {
			if !s.yield(b, nil) {
				return false
			}
		}
		if left -= a.Rows; left == 0 || a.Rows < part.Limit {
			return true
		}
		part.After = a.position(&part)
	}
}

// most is how many rows the answer may have.
func most(p *driver.Plan) int {
	if p.Limit == 0 {
		return math.MaxInt
	}
	return p.Limit
}
