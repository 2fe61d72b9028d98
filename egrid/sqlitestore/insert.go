package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite/vtab"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// moduleName names the virtual tables that show a batch to SQLite, so that one
// statement inserts all of it: binding cell by cell takes half as long again.
const moduleName = "egrid_batch"

func init() {
	if err := vtab.RegisterModule(nil, moduleName, batchModule{}); err != nil {
		panic(err) // no other has the name
	}
}

// batches are those that are being inserted, by a number that their virtual
// tables are made with.
var (
	batches    sync.Map
	lastNumber atomic.Int64
)

// insert adds a batch to the table of a sheet.
func insert(ctx context.Context, tx *sql.Tx, id egrid.StageID, b *egrid.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	number := lastNumber.Add(1)
	batches.Store(number, b)
	defer batches.Delete(number)
	name := fmt.Sprint("temp.batch_", number)
	for _, statement := range []string{
		fmt.Sprintf("CREATE VIRTUAL TABLE %s USING %s(%d)", name, moduleName, number),
		fmt.Sprintf("INSERT INTO %s SELECT rowid%s FROM %s", tableOf(id), columnsOf(b.Schema()), name),
		"DROP TABLE " + name,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// batchModule makes the virtual tables.
type batchModule struct{}

// Create implements [vtab.Module]. The last argument is the batch's number.
func (m batchModule) Create(ctx vtab.Context, args []string) (vtab.Table, error) {
	var number int64
	if _, err := fmt.Sscan(args[len(args)-1], &number); err != nil {
		return nil, err
	}
	b, ok := batches.Load(number)
	if !ok {
		return nil, fmt.Errorf("no batch %d is being inserted", number)
	}
	t := batchTable{b.(*egrid.Batch)}
	return t, ctx.Declare("CREATE TABLE x (row_number" + columnsOf(t.batch.Schema()) + ")")
}

// columnsOf names the columns of a virtual table.
func columnsOf(s *egrid.Schema) string {
	var names strings.Builder
	for i := range s.Len() {
		fmt.Fprintf(&names, ", c%d", i)
	}
	return names.String()
}

// Connect implements [vtab.Module].
func (m batchModule) Connect(ctx vtab.Context, args []string) (vtab.Table, error) {
	return m.Create(ctx, args)
}

// batchTable is a batch as a table: the row numbers, then the columns.
type batchTable struct{ batch *egrid.Batch }

func (batchTable) BestIndex(*vtab.IndexInfo) error { return nil }
func (batchTable) Disconnect() error               { return nil }
func (batchTable) Destroy() error                  { return nil }

func (t batchTable) Open() (vtab.Cursor, error) {
	c := &batchCursor{batch: t.batch, columns: make([]batchColumn, t.batch.Schema().Len())}
	for i := range c.columns {
		c.columns[i] = newBatchColumn(t.batch.Column(i))
	}
	return c, nil
}

type batchCursor struct {
	batch   *egrid.Batch
	columns []batchColumn
	row     int
}

func (c *batchCursor) Filter(int, string, []vtab.Value) error { c.row = 0; return nil }
func (c *batchCursor) Next() error                            { c.row++; return nil }
func (c *batchCursor) Eof() bool                              { return c.row >= c.batch.Len() } //nolint:staticcheck // the name that vtab asks for
func (c *batchCursor) Rowid() (int64, error)                  { return c.batch.Number(c.row), nil }
func (c *batchCursor) Close() error                           { return nil }

func (c *batchCursor) Column(i int) (vtab.Value, error) {
	if i == 0 {
		return c.batch.Number(c.row), nil
	}
	return c.columns[i-1].value(c.row), nil
}

// batchColumn makes the values of a column. Texts are made once for each that
// differs, numbers once for neighbours that are the same.
type batchColumn struct {
	vector *egrid.Vector
	typ    egrid.Type
	texts  []vtab.Value // by their code

	bits uint64 // of the last number, which is made already
	last vtab.Value
}

func newBatchColumn(v *egrid.Vector) batchColumn {
	c := batchColumn{vector: v, typ: v.Type()}
	if c.typ == egrid.Text {
		c.texts = make([]vtab.Value, v.Entries())
		for code := range c.texts {
			c.texts[code] = v.Entry(code)
		}
	}
	return c
}

func (c *batchColumn) value(row int) vtab.Value {
	switch c.typ {
	case egrid.Text:
		if code := c.vector.Code(row); code >= 0 {
			return c.texts[code]
		}
	case egrid.Integer:
		if x, ok := c.vector.Int(row); ok {
			if c.last == nil || c.bits != uint64(x) {
				c.bits, c.last = uint64(x), x
			}
			return c.last
		}
	case egrid.Number:
		if x, ok := c.vector.Float(row); ok {
			if c.last == nil || c.bits != math.Float64bits(x) {
				c.bits, c.last = math.Float64bits(x), x
			}
			return c.last
		}
	case egrid.Flag:
		if yes, ok := c.vector.Bool(row); ok {
			return yes
		}
	}
	return nil
}
