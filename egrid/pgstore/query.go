package pgstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// batchRows is how many rows a batch has at most.
const batchRows = 2000

// A scan of rows reads page by page, each in a transaction of its own: snapshots
// do not change, so the pages are of one state of the data, and between them no
// lock, no connection and no statement waits for whoever works on the batches.
// Pages grow, because an order that no index serves sorts again for each.
const (
	firstPage = batchRows
	lastPage  = 32 * batchRows
)

// Scan implements [driver.Scanner].
func (s *Store) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		rest := *p
		for page := firstPage; ; page = min(4*page, lastPage) {
			part := rest
			whole := len(p.Measures) > 0 || p.Count // one query answers it
			if !whole && (part.Limit == 0 || part.Limit > page) {
				part.Limit = page
			}
			answer, err := s.execute(ctx, &part)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, b := range answer.batches {
				if !yield(b, nil) {
					return
				}
			}
			if whole || answer.rows < part.Limit {
				return
			}
			if rest.Limit > 0 {
				if rest.Limit -= answer.rows; rest.Limit == 0 {
					return
				}
			}
			rest.After = answer.last
		}
	}
}

// answer is what one query read.
type answer struct {
	batches []*egrid.Batch
	rows    int
	last    *driver.Position // of a row plan's last row
}

// execute executes a plan in one transaction.
func (s *Store) execute(ctx context.Context, p *driver.Plan) (answer, error) {
	if len(p.Snapshots) == 0 {
		return answerOfNothing(p), nil
	}
	var a answer
	err := s.view(ctx, func(tx pgx.Tx, catalog *cachedCatalog) (err error) {
		if err := catalog.has(p.Snapshots); err != nil {
			return err
		}
		a, err = query(ctx, tx, p, catalog.places)
		return err
	})
	return a, err
}

// has returns ErrStale for a snapshot that was pruned, and ErrNotFound for one
// that never was here: in a replica that lags, or a database that was restored.
func (c *cachedCatalog) has(snapshots []egrid.Snapshot) error {
	for _, s := range snapshots {
		if _, ok := c.places[s.ID]; ok {
			continue
		}
		if slices.Contains(c.Pruned, s.ID) {
			return fmt.Errorf("%w: snapshot %s of %s %d was pruned; ask for what is published now", egrid.ErrStale, s.ID, s.Level, s.Year)
		}
		return fmt.Errorf("%w: snapshot %s of %s %d is not in this database, or not yet; ask for what is published now", egrid.ErrNotFound, s.ID, s.Level, s.Year)
	}
	return nil
}

// answerOfNothing is the answer when nothing of the level is published.
func answerOfNothing(p *driver.Plan) answer {
	if !p.Count {
		return answer{}
	}
	b := egrid.NewBuilder(p.Output, 0)
	b.Int(0, 0)
	b.EndRow(0, 0)
	return answer{batches: []*egrid.Batch{b.Batch()}}
}

// readSheet reads every row of a snapshot, or of a stage, in their order.
func (s *Store) readSheet(ctx context.Context, tx pgx.Tx, snap egrid.Snapshot, place layout) ([]*egrid.Batch, error) {
	p := &driver.Plan{Level: snap.Level, Snapshots: []egrid.Snapshot{snap}, Input: snap.Schema, Output: snap.Schema, Visible: snap.Schema.Len()}
	a, err := query(ctx, tx, p, map[egrid.SnapshotID]layout{snap.ID: place})
	return a.batches, err
}

func query(ctx context.Context, tx pgx.Tx, p *driver.Plan, places map[egrid.SnapshotID]layout) (answer, error) {
	b := newBuilder(p, places)
	text := b.statement()
	if b.err != nil {
		return answer{}, b.err
	}
	rows, err := tx.Query(ctx, text, b.args...)
	if err != nil {
		return answer{}, err
	}
	defer rows.Close()
	return collect(rows, p)
}

// collect reads rows of a plan: its Output and, of row plans, the sort keys, the
// data year and the row number.
func collect(rows pgx.Rows, p *driver.Plan) (answer, error) {
	year, byRow := 0, len(p.Measures) == 0 && !p.Count
	if byRow && len(p.Snapshots) == 1 {
		year = p.Snapshots[0].Year
	}
	var a answer
	builder := egrid.NewBuilder(p.Output, year)
	n := p.Output.Len()
	for rows.Next() {
		cells, fields := rows.RawValues(), rows.FieldDescriptions()
		for i := range n {
			if cells[i] == nil {
				continue
			}
			if err := setCell(builder, i, p.Output.Field(i).Type, cells[i], fields[i].Format); err != nil {
				return a, fmt.Errorf("pgstore: column %s: %w", p.Output.Field(i).Column, err)
			}
		}
		at := driver.Position{}
		if byRow {
			var err error
			if at.Number, err = wholeOf(cells[len(cells)-1], fields[len(cells)-1].Format); err != nil {
				return a, err
			}
		}
		builder.EndRow(at.Number, 0)
		if builder.Len() == batchRows {
			a.batches = append(a.batches, builder.Batch())
		}
		if a.rows++; byRow && a.rows == p.Limit {
			var err error
			if a.last, err = position(at.Number, p, cells[n:], fields[n:]); err != nil {
				return a, err
			}
		}
	}
	if builder.Len() > 0 {
		a.batches = append(a.batches, builder.Batch())
	}
	return a, rows.Err()
}

// position reads the columns behind those of the answer.
func position(number int64, p *driver.Plan, cells [][]byte, fields []pgconn.FieldDescription) (*driver.Position, error) {
	year, err := wholeOf(cells[len(p.Sort)], fields[len(p.Sort)].Format)
	if err != nil {
		return nil, err
	}
	at := &driver.Position{Year: int(year), Number: number}
	for i, key := range p.Sort {
		f, err := egrid.NewSchema(fieldOf(p, key.Column))
		if err != nil {
			return nil, err
		}
		b := egrid.NewBuilder(f, 0)
		if cells[i] != nil {
			if err := setCell(b, 0, f.Field(0).Type, cells[i], fields[i].Format); err != nil {
				return nil, err
			}
		}
		b.EndRow(0, 0)
		at.Keys = append(at.Keys, b.Batch().Row(0).At(0))
	}
	return at, nil
}

// setCell sets a cell that is present. Queries yield four types, which are
// quicker to decode here than through the driver's table of all types; a
// borrowed pool that speaks the simple protocol yields their texts.
func setCell(b *egrid.Builder, i int, t egrid.Type, cell []byte, format int16) error {
	binaryCell := format == pgx.BinaryFormatCode
	switch {
	case t == egrid.Text:
		b.Text(i, cell)
		return nil
	case t == egrid.Integer:
		x, err := wholeOf(cell, format)
		b.Int(i, x)
		return err
	case t == egrid.Number && binaryCell && len(cell) == 8:
		b.Number(i, math.Float64frombits(binary.BigEndian.Uint64(cell)))
		return nil
	case t == egrid.Number && !binaryCell:
		x, err := strconv.ParseFloat(string(cell), 64)
		b.Number(i, x)
		return err
	case t == egrid.Flag && len(cell) == 1:
		b.Flag(i, cell[0] == 1 || cell[0] == 't')
		return nil
	}
	return fmt.Errorf("%d bytes are no %s", len(cell), t)
}

func wholeOf(cell []byte, format int16) (int64, error) {
	switch {
	case format != pgx.BinaryFormatCode:
		return strconv.ParseInt(string(cell), 10, 64)
	case len(cell) == 8:
		return int64(binary.BigEndian.Uint64(cell)), nil
	}
	return 0, fmt.Errorf("%d bytes are no integer", len(cell))
}
