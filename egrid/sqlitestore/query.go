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
	return read(ctx, tx, q)
}

// readSheet reads the rows of a snapshot, or of a stage, in their order, see
// [driver.Sheet].
func readSheet(ctx context.Context, tx *sql.Tx, snap egrid.Snapshot, columns []egrid.Column, after, last int64) iter.Seq2[*egrid.Batch, error] {
	return driver.UpTo(last, sqlstore.Scan(ctx, driver.SheetPlan(snap, columns, after, last), func(ctx context.Context, p *driver.Plan) (sqlstore.Answer, error) {
		return execute(ctx, tx, p, func(snap *egrid.Snapshot) sqlstore.Table { return placeOf(snap) })
	}))
}

// readRows reads the rows with some numbers, see [driver.Sheet].
func readRows(ctx context.Context, tx *sql.Tx, snap *egrid.Snapshot, columns []egrid.Column, numbers []int64) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		some := numbered{placeOf(snap), sqlstore.List(numbers)}
		answer, err := execute(ctx, tx, driver.SheetPlan(*snap, columns, 0, 0), func(*egrid.Snapshot) sqlstore.Table { return some })
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
