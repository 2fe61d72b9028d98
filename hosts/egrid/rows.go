package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// selection are the flags of a list of rows.
type selection struct {
	where
	Sort    string   `env:"-" help:"Columns to sort by, downwards with a minus, e.g. -net_generation_mwh,plant_name." placeholder:"COLUMN,..."`
	Columns []string `short:"c" env:"-" help:"Columns to print, by name or EPA's code; egrid columns lists them. Default: in a table those that matter most and fit, else all." placeholder:"COLUMN,..."`
	Limit   *int     `short:"n" env:"-" help:"Rows at most; 0 is all. Default: 100 in a table, all in any other format." placeholder:"N"`
	output
}

// limit is how many rows to write at most; 0 is all.
func (s *selection) limit() int {
	switch {
	case s.Limit != nil:
		return *s.Limit
	case s.Format == formatTable:
		return 100
	}
	return 0
}

// check settles the format, and refuses what cannot be.
func (s *selection) check(a *app) error {
	if s.Limit != nil && *s.Limit < 0 {
		return fmt.Errorf("%w: limit %d is negative; 0 is all rows", egrid.ErrInvalid, *s.Limit)
	}
	return s.settle(a.stdout)
}

func columnsOf(names []string) []egrid.Column {
	columns := make([]egrid.Column, len(names))
	for i, c := range names {
		columns[i] = egrid.Column(strings.TrimSpace(c))
	}
	return columns
}

// levelArg is a level as an argument or as a flag.
type levelArg struct {
	Level string `arg:"" optional:"" help:"UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO or ZIP; or in words, as generators."`
	Flag  string `name:"level" short:"l" env:"-" help:"The same as a flag." placeholder:"LEVEL"`
}

// level is the one that is named, in words or by its code.
func (l *levelArg) level(command string) (egrid.Level, error) {
	if (l.Level == "") == (l.Flag == "") {
		return "", fmt.Errorf("%w: name one level, as in egrid %s ST", egrid.ErrInvalid, command)
	}
	return parseLevel(cmp.Or(l.Level, l.Flag))
}

func parseLevel(text string) (egrid.Level, error) {
	if level, ok := egrid.LevelInWords(text); ok {
		return level, nil
	}
	return egrid.ParseLevel(text)
}

type rowsCmd struct {
	levelArg
	selection
	Facet []string `env:"-" help:"Count the values of these columns instead, the most frequent first." placeholder:"COLUMN,..."`
}

// Help implements kong.HelpProvider.
func (c *rowsCmd) Help() string {
	return `Examples:

  egrid rows ST --year 2023 --sort -net_generation_mwh --format csv
  egrid rows PLNT --year 2023 --output plants.parquet
  egrid rows GEN --state texas --output texas.xlsx --codes epa
  egrid rows GEN --state TX,OK --filter 'nameplate_capacity_mw>=100'
  egrid rows PLNT --fuel-category gas --format geojson > gas.geojson
  egrid rows PLNT --search "palo verde" --columns plant_name --year all
  egrid rows GEN --facet fuel,status

A table shows the columns that matter most and fit the terminal; --wide shows
all, --columns those that you name. Every other format has all rows and columns.`
}

func (c *rowsCmd) Run(a *app) error {
	level, err := c.level("rows")
	if err != nil {
		return err
	}
	if err := c.check(a); err != nil {
		return err
	}
	query := egrid.RowQuery{Level: level, Year: int(c.Year), Release: c.Release, Search: c.Search, Columns: columnsOf(c.Columns)}
	if query.Filters, err = c.filters(); err != nil {
		return err
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		in := askedOf(a.ctx, db, level, c.edition)
		if query.Filters, err = a.understand(query.Filters, in); err != nil {
			return err
		}
		if len(c.Facet) > 0 {
			return a.facets(db, &c.output, query, c.Facet, c.limit())
		}
		query.Limit = c.limit()
		answer, err := db.Stream(a.ctx, query)
		if err != nil {
			return err
		}
		c.table(c.Columns, &answer, preferred(level), c.Year == egrid.AllYears)
		n, err := a.print(&c.output, level, &answer)
		if err != nil {
			return err
		}
		if n == 0 {
			return a.tellEmpty(query.Filters, query.Search, in)
		}
		return a.tellRows(&c.output, n, query.Limit, "row", editionsOf(level, answer.Snapshots), func() (int64, error) { return in.count(query.Filters, query.Search) })
	})
}

// facets counts the values of columns.
func (a *app) facets(db *store.DB, o *output, query egrid.RowQuery, columns []string, limit int) error {
	for i, name := range columns {
		q := egrid.GroupQuery{
			Level: query.Level, Year: query.Year, Release: query.Release, Filters: query.Filters, Search: query.Search, Limit: limit,
			By: columnsOf([]string{name}), Measures: []egrid.Measure{{Func: egrid.Count, As: "rows"}}, Sort: []egrid.Sort{{Column: "rows", Desc: true}},
		}
		answer, err := db.StreamGroups(a.ctx, q)
		if err != nil {
			return err
		}
		if i > 0 && o.Format != formatTable {
			return fmt.Errorf("%w: %s holds the values of one column; give one --facet for each file", egrid.ErrInvalid, o.Format)
		}
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if _, err := a.print(o, "", &answer); err != nil {
			return err
		}
	}
	return nil
}

type groupsCmd struct {
	levelArg
	where
	By       []string `short:"b" env:"-" help:"Columns whose values make the groups. Default: none, which makes one group of all rows." placeholder:"COLUMN,..."`
	Measures string   `short:"m" env:"-" help:"Aggregates: count, sum(COLUMN), min(COLUMN), max(COLUMN), each with a name of its own behind as." default:"count" placeholder:"MEASURE,..."`
	Having   []string `env:"-" help:"Condition on the groups, e.g. 'rows>=10'. May be repeated." sep:"none" placeholder:"CONDITION"`
	Sort     string   `env:"-" help:"Columns of the answer to sort by, downwards with a minus. Default: those of --by." placeholder:"COLUMN,..."`
	Limit    *int     `short:"n" env:"-" help:"Groups at most; 0 is all. Default: 100 in a table, all in any other format." placeholder:"N"`
	output
}

// Help implements kong.HelpProvider.
func (c *groupsCmd) Help() string {
	return `Examples:

  egrid groups GEN --by fuel --measures 'count,sum(net_generation_mwh)'
  egrid groups PLNT --by state,fuel_category --measures 'count as plants' --format csv
  egrid groups GEN --year all --by data_year --measures 'sum(net_generation_mwh)'
  egrid groups PLNT --by nerc_region --having 'rows>=100'`
}

func (c *groupsCmd) Run(a *app) error {
	level, err := c.level("groups")
	if err != nil {
		return err
	}
	list := selection{Limit: c.Limit, output: c.output}
	if err := list.check(a); err != nil {
		return err
	}
	c.output = list.output
	query := egrid.GroupQuery{Level: level, Year: int(c.Year), Release: c.Release, Search: c.Search, By: columnsOf(c.By), Limit: list.limit()}
	if query.Filters, err = c.filters(); err != nil {
		return err
	}
	if query.Measures, err = egrid.ParseMeasures(c.Measures); err != nil {
		return err
	}
	for _, text := range c.Having {
		f, err := parseFilter(text)
		if err != nil {
			return err
		}
		query.Having = append(query.Having, f)
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		in := askedOf(a.ctx, db, level, c.edition)
		if query.Filters, err = a.understand(query.Filters, in); err != nil {
			return err
		}
		answer, err := db.StreamGroups(a.ctx, query)
		if err != nil {
			return err
		}
		c.all = true
		n, err := a.print(&c.output, "", &answer)
		if err != nil {
			return err
		}
		if n == 0 {
			return a.tellEmpty(query.Filters, query.Search, in)
		}
		return a.tellRows(&c.output, n, query.Limit, "group", editionsOf(level, answer.Snapshots), func() (int64, error) {
			query.Limit, query.Count = 1, true
			page, err := db.Groups(a.ctx, query)
			return page.Total, err
		})
	})
}

// tellRows says on stderr how many rows there are, of which edition, and where they
// went; total is asked for where not all of them may be there.
func (a *app) tellRows(o *output, n int64, limit int, what, of string, total func() (int64, error)) error {
	if o.Format != formatTable && o.Output == "" {
		return nil
	}
	told, more := count(n, what), ""
	if limit > 0 && n == int64(limit) {
		all, err := total()
		if err != nil {
			return err
		}
		if all > n {
			told, more = fmt.Sprintf("%s of %s", terminal.Thousands(n), count(all, what)), "; --limit 0 shows all"
		}
	}
	if o.Output != "" {
		told += " written to " + o.Output
	}
	a.tell("%s: %s%s", of, told, more)
	return nil
}

// editionsOf names what rows are from: GEN 2023 (release rev1, EPA).
func editionsOf(level egrid.Level, snapshots []egrid.Snapshot) string {
	var names []string
	for i := range snapshots {
		s := &snapshots[i]
		names = append(names, fmt.Sprintf("%d (release %s, %s)", s.Year, cmp.Or(s.Release, egrid.NoRelease), s.Authority))
	}
	return strings.TrimSpace(string(level) + " " + strings.Join(slices.Compact(names), ", "))
}
