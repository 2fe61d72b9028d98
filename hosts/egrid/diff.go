package main

import (
	"encoding/json"
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

type diffCmd struct {
	Level  string `help:"UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO or ZIP." required:""`
	Year   int    `help:"Data year. Default: the newest in which --to is published."`
	From   string `help:"Release, e.g. v1; none for the unmarked one; or the id of a snapshot, as egrid snapshots --all prints it." required:""`
	To     string `help:"Likewise. Default: the newest release."`
	Limit  int    `help:"Cells at most; 0 is all. Default: 100 in a table, all in any other format." default:"-1"`
	Format string `help:"table, json, csv or ndjson." enum:"table,json,csv,ndjson" default:"table"`
}

func (c *diffCmd) Run(a *app) error {
	level, err := egrid.ParseLevel(c.Level)
	if err != nil {
		return err
	}
	if c.Limit < -1 {
		return fmt.Errorf("%w: limit %d is negative", egrid.ErrInvalid, c.Limit)
	}
	return a.withData(func(db *store.DB) error {
		d, err := db.Diff(a.ctx, store.DiffQuery{Level: level, Year: c.Year, From: c.From, To: c.To})
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "egrid: %s to %s: %s cells differ, in %s of %s rows that both have; %s rows added, %s lost; %d columns added, %d lost\n",
			nameOf(d.From), nameOf(d.To), terminal.Thousands(int64(len(d.Changes))), terminal.Thousands(d.Changed), terminal.Thousands(d.Rows),
			terminal.Thousands(d.Added), terminal.Thousands(d.Lost), len(d.ColumnsAdded), len(d.ColumnsLost))
		changes := d.Changes
		if c.Limit == -1 && c.Format == "table" {
			c.Limit = 100
		}
		if c.Limit > 0 {
			changes = changes[:min(c.Limit, len(changes))]
		}
		return a.printChanges(c.Format, changes)
	})
}

// printChanges writes cells that differ: numbers as numbers where the format has
// them.
func (a *app) printChanges(format string, changes []driver.CellChange) error {
	list := make([]wire.CellChange, len(changes))
	for i, c := range changes {
		list[i] = wire.CellChange{Key: c.Key, Column: c.Column, From: c.From, To: c.To}
		if x, ok := c.Relative(); ok {
			list[i].RelativeChange = wire.NumberOf(egrid.NumberOf(x))
		}
	}
	switch format {
	case "json":
		return printJSON(a, list)
	case "ndjson":
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		for i := range list {
			if err := enc.Encode(list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	b, err := changeRows(list)
	if err != nil {
		return err
	}
	_, err = a.print(&output{Format: format}, "", &store.Answer{Schema: b.Schema(), Batches: func(yield func(*egrid.Batch, error) bool) { yield(b, nil) }})
	return err
}

func changeRows(list []wire.CellChange) (*egrid.Batch, error) {
	schema, err := egrid.NewSchema(
		egrid.Field{Column: "key", Type: egrid.Text}, egrid.Field{Column: "column", Type: egrid.Text},
		egrid.Field{Column: "from", Type: egrid.Text}, egrid.Field{Column: "to", Type: egrid.Text},
		egrid.Field{Column: "relative_change", Type: egrid.Number, Unit: "fraction"})
	if err != nil {
		return nil, err
	}
	b := egrid.NewBuilder(schema, 0)
	for i, c := range list {
		for j, text := range []string{c.Key, string(c.Column), c.From.String(), c.To.String()} {
			b.Text(j, []byte(text))
		}
		if c.RelativeChange != nil {
			b.Number(4, float64(*c.RelativeChange))
		}
		b.EndRow(int64(i+1), 0)
	}
	return b.Batch(), nil
}
