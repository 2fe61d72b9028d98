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
	Level  []string `env:"-" help:"UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO or ZIP: one for cells; of --factors and --columns any, all by default." placeholder:"LEVEL"`
	Year   int      `env:"-" help:"Data year of releases that are named alone. Default: the newest in which --to is published."`
	From   string   `env:"-" help:"Release, e.g. v1, none for the unmarked one; data year, e.g. 2018; both, e.g. 2018-v1; published; or ids of snapshots or held loads, as egrid snapshots --all prints them." required:""`
	To     string   `env:"-" help:"Likewise. Default: the newest release."`
	Limit  int      `env:"-" help:"Rows at most; 0 is all. Default: 100 in a table, all in any other format." default:"-1"`
	Format string   `env:"-" help:"table, json, csv or ndjson." enum:"table,json,csv,ndjson" default:"table"`
	JSON   bool     `env:"-" help:"Print JSON." name:"json"`

	Factors bool     `env:"-" help:"What the difference means for emission factors." xor:"what"`
	Columns bool     `env:"-" help:"How many cells of each column changed, the largest and the median change." xor:"what"`
	Plants  bool     `env:"-" help:"Plants that moved between regions, came or went." xor:"what"`
	Kind    []string `env:"-" help:"Of --factors: output, nonbaseload, combustion, input. Default: output,nonbaseload."`
	Gas     []string `env:"-" help:"Of --factors: co2e, co2, ch4, n2o, nox, so2. Default: all."`
	Code    []string `env:"-" help:"Of --factors: codes of regions, e.g. CAMX,TX. Default: all."`
	All     bool     `env:"-" help:"Of --factors and --columns: those that did not change, too."`
}

// Help implements kong.HelpProvider.
func (c *diffCmd) Help() string {
	return `Prints the cells of one level that differ, the largest relative change first; or
what that means: --factors for emission factors, --columns for columns, --plants
for plants that moved between regions, came or went.

Examples:

  egrid diff --level SRL --year 2018 --from v1 --to v2
  egrid diff --from 2018-v1 --to 2018-v2 --factors --kind input --gas ch4
  egrid diff --from 2018 --to 2023 --factors --code NYCW --json
  egrid diff --from 2018-v1 --to 2018-v2 --columns --level SRL
  egrid diff --from 2014 --to 2016 --plants
  egrid diff --from published --to 62ec8e67afa90c1d2b3a4f55 --level GGL`
}

func (c *diffCmd) Run(a *app) error {
	if c.JSON {
		c.Format = "json"
	}
	if c.Limit < -1 {
		return fmt.Errorf("%w: limit %d is negative", egrid.ErrInvalid, c.Limit)
	}
	if c.Limit == -1 {
		if c.Limit = 0; c.Format == formatTable {
			c.Limit = 100
		}
	}
	var levels []egrid.Level
	for _, name := range c.Level {
		level, err := egrid.ParseLevel(name)
		if err != nil {
			return err
		}
		levels = append(levels, level)
	}
	if err := c.check(levels); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		switch {
		case c.Factors:
			return c.factors(a, db, levels)
		case c.Columns:
			return c.columns(a, db, levels)
		case c.Plants:
			return c.plants(a, db)
		}
		return c.cells(a, db, levels[0])
	})
}

// check refuses flags that do not go together.
func (c *diffCmd) check(levels []egrid.Level) error {
	switch {
	case !c.Factors && (c.Kind != nil || c.Gas != nil || c.Code != nil):
		return fmt.Errorf("%w: --kind, --gas and --code are of --factors", egrid.ErrInvalid)
	case !c.Factors && !c.Columns && c.All:
		return fmt.Errorf("%w: --all is of --factors and --columns", egrid.ErrInvalid)
	case c.Plants && levels != nil:
		return fmt.Errorf("%w: --plants compares plants; leave --level out", egrid.ErrInvalid)
	case !c.Factors && !c.Columns && !c.Plants && len(levels) != 1:
		return fmt.Errorf("%w: cells are compared at one level: give --level, e.g. --level SRL, or ask for --factors, --columns or --plants", egrid.ErrInvalid)
	}
	return nil
}

// pair finds the editions.
func (c *diffCmd) pair(a *app, db *store.DB, levels []egrid.Level) (*store.Pair, error) {
	pair, err := db.Pair(a.ctx, store.PairQuery{Levels: levels, Year: c.Year, From: c.From, To: c.To})
	return &pair, err
}

// firstOf are the rows that a person asked for.
func firstOf[T any](limit int, list []T) []T {
	if limit > 0 {
		return list[:min(limit, len(list))]
	}
	return list
}

// cells prints the cells of a level that differ.
func (c *diffCmd) cells(a *app, db *store.DB, level egrid.Level) error {
	d, err := db.Diff(a.ctx, store.DiffQuery{Level: level, Year: c.Year, From: c.From, To: c.To})
	if err != nil {
		return err
	}
	a.tell("%s to %s: %s, in %s of %s rows that both have; %s rows added, %s lost; %d columns added, %d lost",
		nameOf(d.From), nameOf(d.To), cellsOf(&d.Cells), terminal.Thousands(d.Changed), terminal.Thousands(d.Rows),
		terminal.Thousands(d.Added), terminal.Thousands(d.Lost), len(d.ColumnsAdded), len(d.ColumnsLost))
	changes := firstOf(c.Limit, d.Changes)
	list := make([]wire.CellChange, len(changes))
	for i, c := range changes {
		list[i] = wire.CellChange{Key: c.Key, Column: c.Column, From: c.From, To: c.To}
		if x, ok := c.Relative(); ok {
			list[i].RelativeChange = wire.NumberOf(egrid.NumberOf(x))
		}
	}
	if c.Format != formatTable {
		return printList(a, c.Format, list)
	}
	p := terminal.NewPage(a.stdout)
	t := terminal.Table{Header: []string{"key", "column", "from", "to", "change"}, Right: []bool{false, false, true, true, true}}
	for i := range list {
		t.Add(list[i].Key, string(list[i].Column), list[i].From.String(), list[i].To.String(), percent(list[i].RelativeChange))
	}
	p.Table(t)
	return p.Err()
}

// cellsOf says how many cells differ, and of how many only digits or one side differ.
func cellsOf(d *driver.ColumnDifference) string {
	text := count(d.Changed, "cell") + " differ"
	if d.Changed == 1 {
		text += "s"
	}
	for _, more := range []struct {
		n    int64
		what string
	}{{d.Rounder + d.Finer, "only have more or fewer digits"}, {d.Filled, "are filled"}, {d.Blanked, "are blank now"}} {
		if more.n > 0 {
			text += ", " + terminal.Thousands(more.n) + " " + more.what
		}
	}
	return text
}

// printList prints rows: numbers as numbers where the format has them.
func printList[T any](a *app, format string, list []T) error {
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
	b := wire.RowsOf(list)
	_, err := a.print(&output{Format: format}, "", &store.Answer{Schema: b.Schema(), Batches: func(yield func(*egrid.Batch, error) bool) { yield(b, nil) }})
	return err
}
