package pgstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Rows implements [egrid.Querier].
func (s *Store) Rows(ctx context.Context, q egrid.RowQuery) (egrid.RowPage, error) {
	var page egrid.RowPage
	err := s.view(ctx, func(tx pgx.Tx, catalog *cachedCatalog) error {
		p, err := catalog.PlanRows(q)
		if err != nil {
			return err
		}
		page = egrid.RowPage{Schema: p.Output, Total: -1, Revision: catalog.Revision, Snapshots: p.Snapshots}
		if len(p.Snapshots) == 0 {
			page.Total = total(p.Count, 0)
			return nil
		}
		if p.Count {
			b := newBuilder(p, catalog.places)
			if err := count(ctx, tx, b, b.countRows(), &page.Total); err != nil {
				return err
			}
		}
		return readRows(ctx, tx, p, catalog.places, &page)
	})
	if err != nil {
		return egrid.RowPage{}, err
	}
	return page, nil
}

func total(wanted bool, n int64) int64 {
	if wanted {
		return n
	}
	return -1
}

func count(ctx context.Context, tx pgx.Tx, b *builder, query string, n *int64) error {
	if b.err != nil {
		return b.err
	}
	return tx.QueryRow(ctx, query, b.args...).Scan(n)
}

func readRows(ctx context.Context, tx pgx.Tx, p *driver.Plan, places map[egrid.StageID]layout, page *egrid.RowPage) error {
	b := newBuilder(p, places)
	query := b.selectRows()
	if b.err != nil {
		return b.err
	}
	rows, err := tx.Query(ctx, query, b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var last driver.Position
	for rows.Next() {
		if len(page.Rows) == p.Limit {
			page.Next = p.NextRows(last)
			break
		}
		values, err := scanValues(rows)
		if err != nil {
			return err
		}
		// Behind the answer's columns come those of the position: the sort
		// keys, the data year and the row number.
		n := p.Output.Len()
		year, _ := values[len(values)-2].Int()
		number, _ := values[len(values)-1].Int()
		last = driver.Position{Keys: values[n : len(values)-2], Year: int(year), Number: number}
		page.Rows = append(page.Rows, egrid.Row{Schema: p.Output, Values: values[:n:n], Year: int(year), Number: number})
	}
	rows.Close()
	return rows.Err()
}

// Groups implements [egrid.Querier].
func (s *Store) Groups(ctx context.Context, q egrid.GroupQuery) (egrid.RowPage, error) {
	var page egrid.RowPage
	err := s.view(ctx, func(tx pgx.Tx, catalog *cachedCatalog) error {
		p, err := catalog.PlanGroups(q)
		if err != nil {
			return err
		}
		page = egrid.RowPage{Schema: p.Output, Total: -1, Revision: catalog.Revision, Snapshots: p.Snapshots}
		if len(p.Snapshots) == 0 {
			page.Total = total(p.Count, 0)
			return nil
		}
		if err := readGroups(ctx, tx, p, catalog.places, &page); err != nil || !p.Count || page.Total >= 0 {
			return err
		}
		b := newBuilder(p, catalog.places) // no group at all, or an offset behind the last
		return count(ctx, tx, b, b.countGroups(), &page.Total)
	})
	if err != nil {
		return egrid.RowPage{}, err
	}
	return page, nil
}

// readGroups reads a page of groups. Each comes with the count of all: to make
// the groups once more for it would take as long again.
func readGroups(ctx context.Context, tx pgx.Tx, p *driver.Plan, places map[egrid.StageID]layout, page *egrid.RowPage) error {
	b := newBuilder(p, places)
	query := b.selectGroups()
	if b.err != nil {
		return b.err
	}
	rows, err := tx.Query(ctx, query, b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if len(page.Rows) == p.Limit {
			page.Next = p.NextGroups(p.Limit)
			break
		}
		values, err := scanValues(rows)
		if err != nil {
			return err
		}
		n := p.Output.Len()
		if p.Count {
			page.Total, _ = values[n].Int()
		}
		page.Rows = append(page.Rows, egrid.Row{Schema: p.Output, Values: values[:n:n]})
	}
	rows.Close()
	return rows.Err()
}

// scanValues reads the current row. Our queries yield four types, which are
// quicker to decode here than through the driver's table of all types.
func scanValues(rows pgx.Rows) ([]egrid.Value, error) {
	cells, fields := rows.RawValues(), rows.FieldDescriptions()
	values := make([]egrid.Value, len(cells))
	for i, cell := range cells {
		switch {
		case cell == nil:
		case fields[i].DataTypeOID == pgtype.TextOID:
			values[i] = egrid.TextOf(string(cell))
		case fields[i].Format != pgx.BinaryFormatCode:
			return decodeValues(rows)
		case fields[i].DataTypeOID == pgtype.Float8OID && len(cell) == 8:
			values[i] = egrid.NumberOf(math.Float64frombits(binary.BigEndian.Uint64(cell)))
		case fields[i].DataTypeOID == pgtype.Int8OID && len(cell) == 8:
			values[i] = egrid.IntegerOf(int64(binary.BigEndian.Uint64(cell)))
		case fields[i].DataTypeOID == pgtype.BoolOID && len(cell) == 1:
			values[i] = egrid.FlagOf(cell[0] != 0)
		default:
			return decodeValues(rows)
		}
	}
	return values, nil
}

// decodeValues is scanValues for a borrowed pool that speaks the simple
// protocol.
func decodeValues(rows pgx.Rows) ([]egrid.Value, error) {
	cells, err := rows.Values()
	if err != nil {
		return nil, err
	}
	values := make([]egrid.Value, len(cells))
	for i, cell := range cells {
		switch x := cell.(type) {
		case nil:
		case string:
			values[i] = egrid.TextOf(x)
		case float64:
			values[i] = egrid.NumberOf(x)
		case int64:
			values[i] = egrid.IntegerOf(x)
		case bool:
			values[i] = egrid.FlagOf(x)
		default:
			return nil, fmt.Errorf("pgstore: column %s holds a %T", rows.FieldDescriptions()[i].Name, cell)
		}
	}
	return values, nil
}
