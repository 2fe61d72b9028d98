package pgstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

var dialect = &sqlstore.Dialect{
	Mark:     func(n int, t egrid.Type) string { return fmt.Sprintf("$%d::%s", n, castType(t)) },
	Text:     ` COLLATE "C"`,
	Contains: contains,
	// PostgreSQL adds integers exactly. Then as SumOf: a float becomes a numeric
	// of 15 significant digits.
	Sum:      func(term string) string { return "sum(" + term + ")::double precision::numeric::double precision" },
	FlagMin:  "bool_and",
	FlagMax:  "bool_or",
	NoLimit:  "ALL",
	Storable: storable,
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// contains looks for a word. In the collation C, lower folds A-Z alone.
func contains(term string, t egrid.Type, word string, bind func(string) string) string {
	if t != egrid.Text {
		term = "(" + term + `::text COLLATE "C")`
	}
	return fmt.Sprintf("lower(%s) LIKE %s", term, bind("%"+likeEscapes.Replace(word)+"%"))
}

// Scan implements [driver.Scanner]. Errors: also ErrNotFound for a snapshot that
// this database never had, as a replica that lags.
func (s *Store) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return sqlstore.Scan(ctx, p, s.page)
}

// page executes a plan in one transaction.
func (s *Store) page(ctx context.Context, p *driver.Plan) (sqlstore.Answer, error) {
	var a sqlstore.Answer
	err := s.view(ctx, func(tx pgx.Tx, catalog *cachedCatalog) (err error) {
		if err := sqlstore.Check(catalog.Catalog, p.Snapshots); err != nil {
			return err
		}
		a, err = query(ctx, tx, p, func(snap *egrid.Snapshot) sqlstore.Table { return catalog.places[snap.ID] })
		return err
	})
	return a, err
}

// readSheet reads the rows of a snapshot, or of a stage, in their order, see
// [driver.Sheet].
func readSheet(ctx context.Context, tx pgx.Tx, snap egrid.Snapshot, place *layout, columns []egrid.Column, after, last int64) iter.Seq2[*egrid.Batch, error] {
	return driver.UpTo(last, sqlstore.Scan(ctx, driver.SheetPlan(snap, columns, after, last), func(ctx context.Context, p *driver.Plan) (sqlstore.Answer, error) {
		return query(ctx, tx, p, func(*egrid.Snapshot) sqlstore.Table { return place })
	}))
}

// readRows reads the rows with some numbers, see [driver.Sheet].
func readRows(ctx context.Context, tx pgx.Tx, snap *egrid.Snapshot, place *layout, columns []egrid.Column, numbers []int64) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		some := numbered{place, sqlstore.List(numbers)}
		answer, err := query(ctx, tx, driver.SheetPlan(*snap, columns, 0, 0), func(*egrid.Snapshot) sqlstore.Table { return some }, pgx.QueryExecModeDescribeExec)
		sqlstore.Yield(answer, err, yield)
	}
}

// numbered is the rows of a layout that have some numbers. The statement is made
// for them, and not worth preparing.
type numbered struct {
	*layout
	numbers string
}

// From implements [sqlstore.Table].
func (n numbered) From() string {
	return n.layout.From() + " AND row_number = ANY ('{" + n.numbers + "}'::bigint[])"
}

// query executes a plan. options are pgx's, as how a statement is executed.
func query(ctx context.Context, tx pgx.Tx, p *driver.Plan, table func(*egrid.Snapshot) sqlstore.Table, options ...any) (sqlstore.Answer, error) {
	q, err := dialect.Build(p, table)
	if err != nil {
		return sqlstore.Answer{}, err
	}
	rows, err := tx.Query(ctx, q.Text, append(options, q.Args...)...)
	if err != nil {
		return sqlstore.Answer{}, err
	}
	defer rows.Close()
	return q.Read(result{rows})
}

// result decodes rows of four types, which is quicker here than through the
// driver's table of all types. A borrowed pool that speaks the simple protocol
// yields texts.
type result struct{ pgx.Rows }

// Set implements [sqlstore.Rows].
func (r result) Set(b *egrid.Builder, i int, t egrid.Type) error {
	cell := r.RawValues()[i]
	if cell == nil {
		return nil
	}
	binaryForm := r.FieldDescriptions()[i].Format == pgx.BinaryFormatCode
	switch {
	case t == egrid.Text:
		b.Text(i, cell)
		return nil
	case t == egrid.Integer:
		x, err := r.Int(i)
		b.Int(i, x)
		return err
	case t == egrid.Number && binaryForm && len(cell) == 8:
		b.Number(i, math.Float64frombits(binary.BigEndian.Uint64(cell)))
		return nil
	case t == egrid.Number && !binaryForm:
		x, err := strconv.ParseFloat(string(cell), 64)
		b.Number(i, x)
		return err
	case t == egrid.Flag && len(cell) == 1:
		b.Flag(i, cell[0] == 1 || cell[0] == 't')
		return nil
	}
	return fmt.Errorf("pgstore: %d bytes are no %s", len(cell), t)
}

// Int implements [sqlstore.Rows].
func (r result) Int(i int) (int64, error) {
	cell := r.RawValues()[i]
	switch {
	case r.FieldDescriptions()[i].Format != pgx.BinaryFormatCode:
		return strconv.ParseInt(string(cell), 10, 64)
	case len(cell) == 8:
		return int64(binary.BigEndian.Uint64(cell)), nil
	}
	return 0, fmt.Errorf("pgstore: %d bytes are no integer", len(cell))
}
