package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
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
	Kind    []string `env:"-" help:"Of --factors: output, nonbaseload, combustion, input. Default: output,nonbaseload."`
	Gas     []string `env:"-" help:"Of --factors: co2e, co2, ch4, n2o, nox, so2. Default: all."`
	Code    []string `env:"-" help:"Of --factors: codes of regions, e.g. CAMX,TX. Default: all."`
	All     bool     `env:"-" help:"Of --factors: those that did not move, too."`
}

// Help implements kong.HelpProvider.
func (c *diffCmd) Help() string {
	return `Prints the cells of one level that differ, the largest relative change first; or
what that means: --factors.

Examples:

  egrid diff --level SRL --year 2018 --from v1 --to v2
  egrid diff --from 2018-v1 --to 2018-v2 --factors --kind input --gas ch4
  egrid diff --from 2018 --to 2023 --factors --code NYCW --json
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
	if !c.Factors {
		if c.Kind != nil || c.Gas != nil || c.Code != nil || c.All {
			return fmt.Errorf("%w: --kind, --gas, --code and --all are of --factors", egrid.ErrInvalid)
		}
		if len(levels) != 1 {
			return fmt.Errorf("%w: cells are compared at one level: give --level, e.g. --level SRL, or ask for --factors", egrid.ErrInvalid)
		}
	}
	return a.withData(func(db *store.DB) error {
		if c.Factors {
			return c.factors(a, db, levels)
		}
		return c.cells(a, db, levels[0])
	})
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
	fmt.Fprintf(a.stderr, "egrid: %s to %s: %s cells differ, in %s of %s rows that both have; %s rows added, %s lost; %d columns added, %d lost\n",
		nameOf(d.From), nameOf(d.To), terminal.Thousands(int64(len(d.Changes))), terminal.Thousands(d.Changed), terminal.Thousands(d.Rows),
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

// chosenNames checks what a flag names, and fills in what it means by default.
func chosenNames[T ~string](flag string, given []string, all, fallback []T) ([]T, error) {
	if given == nil {
		return fallback, nil
	}
	var chosen []T
	for _, name := range given {
		value := T(strings.ToLower(strings.TrimSpace(name)))
		if !slices.Contains(all, value) {
			return nil, fmt.Errorf("%w: --%s %s is none of %v", egrid.ErrInvalid, flag, name, all)
		}
		chosen = append(chosen, value)
	}
	return chosen, nil
}

// factors prints what became of emission factors.
func (c *diffCmd) factors(a *app, db *store.DB, levels []egrid.Level) error {
	kinds, err := chosenNames("kind", c.Kind, calc.Kinds(), []calc.Kind{calc.Output, calc.Nonbaseload})
	if err != nil {
		return err
	}
	gases, err := chosenNames("gas", c.Gas, calc.Gases(), calc.Gases())
	if err != nil {
		return err
	}
	pair, err := db.Pair(a.ctx, store.PairQuery{Levels: calc.FactorLevels(), Year: c.Year, From: c.From, To: c.To})
	if err != nil {
		return err
	}
	d, err := calc.ReadFactorDifference(a.ctx, db, &pair)
	if err != nil {
		return err
	}
	list := []wire.FactorChange{}
	for i := range d.Changes {
		x := &d.Changes[i]
		code := func(text string) bool {
			return strings.EqualFold(text, x.Code) || x.Code == "" && strings.EqualFold(text, "US")
		}
		if (levels == nil || slices.Contains(levels, x.Level)) && (c.Code == nil || slices.ContainsFunc(c.Code, code)) &&
			slices.Contains(kinds, x.Kind) && slices.Contains(gases, x.Gas) && (c.All || x.Change != calc.Same) {
			list = append(list, wire.FactorChangeOf(x))
		}
	}
	if c.Format != formatTable {
		return printList(a, c.Format, firstOf(c.Limit, list))
	}
	return a.printFactors(wire.FactorComparisonOf(d), kinds, list, firstOf(c.Limit, list))
}

func (a *app) printFactors(c wire.Comparison, kinds []calc.Kind, all, shown []wire.FactorChange) error {
	p := terminal.NewPage(a.stdout)
	p.Heading(0, "Emission factors, "+editionText(&c.From)+" to "+editionText(&c.To))
	for _, note := range c.Notes {
		p.Text(2, note)
	}
	printSummaries(p, c.Factors, kinds)
	if len(all) == 0 {
		p.Heading(2, "None of the factors that were asked for moved.")
		return p.Err()
	}
	p.Heading(2, "Factors, the largest change first")
	t := terminal.Table{Indent: 4, Header: []string{"region", "kind", "gas", "from", "to", "change", "moved by"}, Right: []bool{false, false, false, true, true, true, false}}
	for i := range shown {
		f := &shown[i]
		from, to, change, by := f.From, f.To, percent(f.Relative), string(f.Change)
		if f.Change == calc.PublishedMoved {
			from, to, change = f.PublishedFrom, f.PublishedTo, percent(f.Published)
		}
		if f.MovedBy != nil {
			by = strings.ReplaceAll(string(*f.MovedBy), "_", " ")
		}
		if f.Change == calc.Moved && f.MovedBy == nil {
			by = ""
		}
		t.Add(strings.TrimSpace(string(f.Level)+" "+f.Code), string(f.Kind), string(f.Gas), sixDigits(from), sixDigits(to), change, by)
	}
	p.Table(t)
	if n := len(all) - len(shown); n > 0 {
		p.Text(4, "and "+count(int64(n), "more factor")+": --limit 0 shows them all")
	}
	p.Heading(2, c.Citation)
	return p.Err()
}

// printSummaries counts what moved: by gas of some kinds, and of others together.
func printSummaries(p *terminal.Page, all []wire.FactorSummary, kinds []calc.Kind) {
	p.Heading(2, "What moved by more than rounding explains, by kind and gas")
	t := terminal.Table{Indent: 4, Header: []string{"kind", "gas", "of", "moved", "published", "median", "largest"}, Right: []bool{false, false, true, true, true, true, false}}
	others, published := map[calc.Kind]int{}, false
	for _, s := range all {
		if !slices.Contains(kinds, s.Kind) {
			others[s.Kind] += s.Moved + s.Published
			continue
		}
		largest := ""
		if s.Largest != nil {
			largest = strings.TrimSpace(string(s.Largest.Level) + " " + s.Largest.Code + " " + percent(s.Largest.Relative))
		}
		published = published || s.Published > 0
		t.Add(string(s.Kind), string(s.Gas), strconv.Itoa(s.Compared), strconv.Itoa(s.Moved), strconv.Itoa(s.Published), percent(s.Median), largest)
	}
	p.Table(t)
	if published {
		p.Text(4, "published: the sums give the same factor, and the published rate is another one")
	}
	for _, kind := range calc.Kinds() {
		if n := others[kind]; n > 0 {
			p.Text(4, "and "+count(int64(n), "factor")+" of kind "+string(kind)+": --kind "+string(kind))
		}
	}
}

// editionText names an edition.
func editionText(e *wire.ComparedEdition) string {
	name := strings.TrimSpace(fmt.Sprintf("eGRID%d %s", e.Year, e.Release))
	if slices.ContainsFunc(e.Snapshots, func(s wire.ComparedSnapshot) bool { return s.Status == egrid.Held }) {
		name += " (held)"
	}
	return name
}

func percent(x *wire.Number) string {
	if x == nil {
		return ""
	}
	return calc.Percent(float64(*x))
}

func sixDigits(x *wire.Number) string {
	if x == nil {
		return ""
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(float64(*x), 'g', 6, 64), 64)
	if err != nil {
		short = float64(*x)
	}
	return figure(short)
}
