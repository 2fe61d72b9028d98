package main

import (
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

// chosenNames checks what a flag names, and fills in what it means by default.
func chosenNames[T ~string](flag string, given []string, all, fallback []T) ([]T, error) {
	if given == nil {
		return fallback, nil
	}
	var chosen []T
	for _, name := range given {
		value := T(strings.ToLower(strings.TrimSpace(name)))
		if !slices.Contains(all, value) {
			var names []string
			for _, x := range all {
				names = append(names, string(x))
			}
			hint := ""
			if best := egrid.Nearest(name, names); best != "" {
				hint = ", did you mean " + best + "?"
			}
			return nil, fmt.Errorf("%w: --%s %s is none of %s%s", egrid.ErrInvalid, flag, name, strings.Join(names, ", "), hint)
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
	pair, err := c.pair(a, db, calc.FactorLevels())
	if err != nil {
		return err
	}
	d, err := calc.ReadFactorDifference(a.ctx, db, pair)
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
	return egrid.Percent(float64(*x))
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
