package main

import (
	"cmp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// columns prints what became of columns.
func (c *diffCmd) columns(a *app, db *store.DB, levels []egrid.Level) error {
	if levels == nil {
		levels = egrid.Levels()
	}
	pair, err := c.pair(a, db, levels)
	if err != nil {
		return err
	}
	all, err := calc.ReadLevelDifferences(a.ctx, db, pair, levels...)
	if err != nil {
		return err
	}
	list := []wire.ColumnChange{}
	for i := range all {
		for j := range all[i].Changes {
			if x := &all[i].Changes[j]; c.All || x.Change != calc.Same {
				list = append(list, wire.ColumnChangeOf(all[i].To.Level, x))
			}
		}
	}
	shown := firstOf(c.Limit, list)
	if c.Format != formatTable {
		return printList(a, c.Format, shown)
	}
	return a.printColumns(wire.ColumnComparisonOf(all), len(list), shown)
}

func (a *app) printColumns(c wire.Comparison, all int, shown []wire.ColumnChange) error {
	p := terminal.NewPage(a.stdout)
	p.Heading(0, "Columns, "+editionText(&c.From)+" to "+editionText(&c.To))
	p.Heading(2, "By sheet")
	t := terminal.Table{Indent: 4, Header: []string{"sheet", "rows", "changed", "added", "lost", "columns", "cells"}, Right: []bool{false, true, true, true, true, true, true}}
	for _, l := range c.Levels {
		t.Add(string(l.Level), terminal.Thousands(l.Rows), terminal.Thousands(l.Changed), terminal.Thousands(l.Added), terminal.Thousands(l.Lost),
			terminal.Thousands(int64(l.ColumnsChanged)), terminal.Thousands(l.Cells))
	}
	p.Table(t)
	p.Text(4, "rows: that both have; columns: with a cell that differs; cells: that contradict each other, and are not only rounded or missing in one")
	if all == 0 {
		p.Heading(2, "No column changed.")
		return p.Err()
	}
	p.Heading(2, "Columns, those with the most cells that contradict each other first")
	t = terminal.Table{Indent: 4, Header: []string{"sheet", "code", "cells", "rounded", "blank", "median", "largest"}, Right: []bool{false, false, true, true, true, true, false}}
	for i := range shown {
		x := &shown[i]
		cells, rounded, blank := terminal.Thousands(x.Changed), terminal.Thousands(x.Rounder+x.Finer), terminal.Thousands(x.Filled+x.Blanked)
		if x.Change == string(calc.Added) || x.Change == string(calc.Lost) {
			cells, rounded, blank = x.Change, "", ""
		}
		largest := ""
		if x.Largest != nil {
			largest = strings.TrimSpace(x.Largest.Key + " " + percent(x.Largest.Relative))
		}
		t.Add(string(x.Level), cmp.Or(x.Code, string(x.Column)), cells, rounded, blank, percent(x.Median), largest)
	}
	p.Table(t)
	if n := all - len(shown); n > 0 {
		p.Text(4, "and "+count(n, "more column")+": --limit 0 shows them all")
	}
	p.Heading(2, c.Citation)
	return p.Err()
}

// plants prints plants that moved, came or went.
func (c *diffCmd) plants(a *app, db *store.DB) error {
	pair, err := c.pair(a, db, calc.PlantLevels())
	if err != nil {
		return err
	}
	d, err := calc.ReadPlantDifference(a.ctx, db, pair)
	if err != nil {
		return err
	}
	list := make([]wire.PlantChange, len(d.Changes))
	for i := range d.Changes {
		list[i] = wire.PlantChangeOf(&d.Changes[i])
	}
	shown := firstOf(c.Limit, list)
	if c.Format != formatTable {
		return printList(a, c.Format, shown)
	}
	return a.printPlants(wire.PlantComparisonOf(d), len(list), shown)
}

// mostFlows is how many pairs of regions a terminal shows.
const mostFlows = 20

func (a *app) printPlants(c wire.Comparison, all int, shown []wire.PlantChange) error {
	p, s := terminal.NewPage(a.stdout), c.Plants
	p.Heading(0, "Plants, "+editionText(&c.From)+" to "+editionText(&c.To))
	p.Text(2, count(s.Both, "plant")+" in both editions, "+terminal.Thousands(int64(s.Moved))+" of them with another region; "+
		terminal.Thousands(int64(s.Added))+" came, "+terminal.Thousands(int64(s.Lost))+" went")
	for _, note := range c.Notes {
		p.Text(2, note)
	}
	if s.Unidentified > 0 {
		p.Text(2, count(s.Unidentified, "row")+" without an ORIS code, which match nothing")
	}
	if len(s.Flows) > 0 {
		p.Heading(2, "Moves between regions, the most generation first")
		t := terminal.Table{Indent: 4, Header: []string{"level", "from", "to", "plants", "MWh"}, Right: []bool{false, false, false, true, true}}
		for _, f := range s.Flows[:min(mostFlows, len(s.Flows))] {
			t.Add(strings.ReplaceAll(string(f.Column), "_", " "), f.From, f.To, terminal.Thousands(int64(f.Plants)), wholeNumber(&f.Generation))
		}
		p.Table(t)
		if n := len(s.Flows) - mostFlows; n > 0 {
			p.Text(4, "and "+count(n, "more pair")+" of regions: /diff/plants has them")
		}
	}
	if all > 0 {
		p.Heading(2, "Plants, the most generation first")
		t := terminal.Table{Indent: 4, Header: []string{"ORIS", "plant", "what", "from", "to", "MWh", "seems to be"}, Right: []bool{false, false, false, false, false, true, false}}
		for i := range shown {
			x := &shown[i]
			generation := x.ToGeneration
			if generation == nil {
				generation = x.FromGeneration
			}
			t.Add(x.ID, x.Name, whatOf(x), textOf(x.From), textOf(x.To), wholeNumber(generation), textOf(x.Successor))
		}
		p.Table(t)
		if n := all - len(shown); n > 0 {
			p.Text(4, "and "+count(n, "more row")+": --limit 0 shows them all")
		}
	}
	p.Heading(2, c.Citation)
	return p.Err()
}

// whatOf says what became of a plant, short.
func whatOf(x *wire.PlantChange) string {
	if x.Column == nil {
		return string(x.Change)
	}
	return map[egrid.Column]string{egrid.Subregion: "subregion", egrid.BalancingAuthority: "BA", egrid.NERCRegion: "NERC", egrid.State: "state"}[egrid.Column(*x.Column)]
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func wholeNumber(x *wire.Number) string {
	if x == nil {
		return ""
	}
	return terminal.Thousands(int64(*x))
}
