package sqlitestore

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

// takeFunction names the SQL function that hands cells of a row to a reader, and
// is false: in the condition of a statement it takes the whole result in one step.
// To step from row to row and to ask for each cell takes twice as long.
const takeFunction = "egrid_take"

// cellsAtOnce is how many cells a call takes: SQLite bounds the arguments.
const cellsAtOnce = 100

func init() {
	sqlite.MustRegisterFunction(takeFunction, &sqlite.FunctionImpl{NArgs: -1, Scalar: take, VolatileArgs: true})
}

// reading are the results that are being read, by the numbers that their statements
// name them with.
var reading sync.Map

// read executes a statement.
func read(ctx context.Context, tx *sql.Tx, q *sqlstore.Query) (sqlstore.Answer, error) {
	r := &result{Reader: q.Reader()}
	number := lastNumber.Add(1)
	reading.Store(number, r)
	defer reading.Delete(number)
	cells := make([]string, len(r.Types), len(r.Types)+1)
	if r.Numbered {
		cells = cells[:cap(cells)]
	}
	for i := range cells {
		cells[i] = fmt.Sprint("v", i)
	}
	var calls []string
	for from := 0; from < len(cells); from += cellsAtOnce {
		some := strings.Join(cells[from:min(from+cellsAtOnce, len(cells))], ", ")
		calls = append(calls, fmt.Sprintf("%s(%d, %d, %s)", takeFunction, number, from, some))
	}
	text := fmt.Sprintf("WITH q(%s) AS (%s) SELECT 1 FROM q WHERE %s", strings.Join(cells, ", "), q.Text, strings.Join(calls, " OR ")) //nolint:gosec // G201: what was put in are names and numbers, made here
	ctx, end := sqlStep(ctx, q.Text)
	_, err := tx.ExecContext(ctx, text, q.Args...)
	if r.err != nil {
		err = r.err
	}
	end(err)
	if err != nil {
		return sqlstore.Answer{}, err
	}
	return r.Answer(), nil
}

// take is the function: of the number of the result, the place of the first cell,
// and cells.
func take(_ *sqlite.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
	number, _ := args[0].(int64)
	from, _ := args[1].(int64)
	of, ok := reading.Load(number)
	if !ok {
		return nil, fmt.Errorf("no result %d is being read", number)
	}
	r := of.(*result)
	r.err = r.take(int(from), args[2:])
	return false, r.err
}

// result is a result that is being read.
type result struct {
	*sqlstore.Reader
	err  error
	text []byte
}

// take takes cells of the current row. The last one ends it.
func (r *result) take(from int, cells []sqldriver.Value) error {
	for i, cell := range cells {
		at := from + i
		if at == len(r.Types) {
			number, ok := cell.(int64)
			if !ok {
				return r.Wrong(at, fmt.Errorf("sqlitestore: a %T is no integer", cell))
			}
			r.EndRow(number)
			return nil
		}
		if err := r.set(at, cell); err != nil {
			return r.Wrong(at, err)
		}
	}
	if !r.Numbered && from+len(cells) == len(r.Types) {
		r.EndRow(0)
	}
	return nil
}

func (r *result) set(i int, cell sqldriver.Value) error {
	t := r.Types[i]
	switch x := cell.(type) {
	case nil:
		return nil
	case string: // it is SQLite's
		if t == egrid.Text {
			r.text = append(r.text[:0], x...)
			r.Text(i, r.text)
			return nil
		}
	case float64:
		if t == egrid.Number {
			r.Number(i, x)
			return nil
		}
	case int64:
		switch t {
		case egrid.Integer:
			r.Int(i, x)
			return nil
		case egrid.Flag:
			r.Flag(i, x != 0)
			return nil
		case egrid.Number:
			r.Number(i, float64(x))
			return nil
		}
	}
	return fmt.Errorf("sqlitestore: a %T is no %s", cell, t)
}
