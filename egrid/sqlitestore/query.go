package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

// dialect is SQLite's. Its lower folds the letters A-Z alone.
var dialect = sqlstore.Dialect{
	Mark: func(n int, _ egrid.Type) string { return fmt.Sprint("?", n) },
	Contains: func(term string, _ egrid.Type, word string, bind func(string) string) string {
		return fmt.Sprintf("instr(lower(%s), %s)", term, bind(word))
	},
	Sum: func(term string) string {
		return fmt.Sprintf("iif(count(%s), CAST(printf('%%.15g', sum(%s + 0.0)) AS REAL), NULL)", term, term)
	},
	FlagMin: "min", FlagMax: "max",
	NoLimit:   "-1",
	KeysFirst: true,
	Storable:  func(string) bool { return true },
}

// Scan implements [driver.Scanner].
func (s *Store) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return sqlstore.Scan(ctx, p, s.page)
}

// page executes a part of a plan in a transaction.
func (s *Store) page(ctx context.Context, p *driver.Plan) (answer sqlstore.Answer, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		catalog, err := s.readCatalog(ctx, tx)
		if err != nil {
			return err
		}
		if err := sqlstore.Check(catalog.Catalog, p.Snapshots); err != nil {
			return err
		}
		answer, err = execute(ctx, tx, p, func(snap *egrid.Snapshot) sqlstore.Table { return catalog.places[snap.ID] })
		return err
	})
	return answer, err
}

func execute(ctx context.Context, tx *sql.Tx, p *driver.Plan, table func(*egrid.Snapshot) sqlstore.Table) (sqlstore.Answer, error) {
	q, err := dialect.Build(p, table)
	if err != nil {
		return sqlstore.Answer{}, err
	}
	rows, err := tx.QueryContext(ctx, q.Text, q.Args...)
	if err != nil {
		return sqlstore.Answer{}, err
	}
	defer rows.Close()
	r, err := newResult(rows)
	if err != nil {
		return sqlstore.Answer{}, err
	}
	return q.Read(r)
}

// readSheet reads the rows of a snapshot, or of a stage, in their order, see
// [driver.Sheet].
func readSheet(ctx context.Context, tx *sql.Tx, snap egrid.Snapshot, after, last int64) iter.Seq2[*egrid.Batch, error] {
	return driver.UpTo(last, sqlstore.Scan(ctx, driver.SheetPlan(snap, after, last), func(ctx context.Context, p *driver.Plan) (sqlstore.Answer, error) {
		return execute(ctx, tx, p, func(snap *egrid.Snapshot) sqlstore.Table { return placeOf(snap) })
	}))
}

// readRows reads the rows with some numbers, see [driver.Sheet].
func readRows(ctx context.Context, tx *sql.Tx, snap *egrid.Snapshot, numbers []int64) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		some := numbered{placeOf(snap), sqlstore.List(numbers)}
		answer, err := execute(ctx, tx, driver.SheetPlan(*snap, 0, 0), func(*egrid.Snapshot) sqlstore.Table { return some })
		sqlstore.Yield(answer, err, yield)
	}
}

// numbered is the rows of a place that have some numbers.
type numbered struct {
	place
	numbers string
}

// From implements [sqlstore.Table].
func (n numbered) From() string { return n.place.From() + " WHERE row_number IN (" + n.numbers + ")" }

// result is the result of a statement.
type result struct {
	rows    *sql.Rows
	cells   []any
	targets []any
	err     error
}

func newResult(rows *sql.Rows) (*result, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	r := &result{rows: rows, cells: make([]any, len(columns)), targets: make([]any, len(columns))}
	for i := range r.cells {
		r.targets[i] = &r.cells[i]
	}
	return r, nil
}

func (r *result) Next() bool {
	if !r.rows.Next() {
		return false
	}
	r.err = r.rows.Scan(r.targets...)
	return r.err == nil
}

func (r *result) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.rows.Err()
}

func (r *result) Set(b *egrid.Builder, i int, t egrid.Type) error {
	switch x := r.cells[i].(type) {
	case nil:
		return nil
	case string:
		if t == egrid.Text {
			return b.Value(i, egrid.TextOf(x))
		}
	case float64:
		if t == egrid.Number {
			b.Number(i, x)
			return nil
		}
	case int64:
		switch t {
		case egrid.Integer:
			b.Int(i, x)
			return nil
		case egrid.Flag:
			b.Flag(i, x != 0)
			return nil
		case egrid.Number:
			b.Number(i, float64(x))
			return nil
		}
	}
	return fmt.Errorf("sqlitestore: a %T is no %s", r.cells[i], t)
}

func (r *result) Int(i int) (int64, error) {
	x, ok := r.cells[i].(int64)
	if !ok {
		return 0, fmt.Errorf("sqlitestore: a %T is no integer", r.cells[i])
	}
	return x, nil
}
