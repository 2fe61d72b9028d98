package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/certificate"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

type reconcileCmd struct {
	Year    int    `env:"-" help:"Data year. Default: the newest with region sheets."`
	Release string `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	Cells   string `env:"-" help:"Figures in JSON and HTML: differing or all." enum:"differing,all" default:"differing"`
	Format  string `env:"-" help:"table, json, html or csv. The CSV has every figure, and the certificate's hash is its SHA-256." enum:"table,json,csv,html" default:"table"`
	JSON    bool   `env:"-" help:"Print JSON." name:"json"`
}

// Help implements kong.HelpProvider.
func (c *reconcileCmd) Help() string {
	return `Computes every figure of the region sheets of one release anew: from the sums of
its own row, for the US from the sums of the other levels, and from the plants
where the PLNT sheet of the same release is loaded. Exit status 3 when a figure
differs by more than rounding explains.

Examples:

  egrid reconcile --year 2023
  egrid reconcile --year 2018 --release v1 --json
  egrid reconcile --year 2023 --format csv | sha256sum
  egrid reconcile --year 2023 --format html > certificate.html`
}

func (c *reconcileCmd) Run(a *app) error {
	return a.withData(func(db *store.DB) error {
		found, err := calc.Reconcile(a.ctx, db, c.Year, &calc.ReconcileOptions{Release: c.Release})
		if err != nil {
			return err
		}
		switch {
		case c.JSON || c.Format == "json":
			err = printJSON(a, wire.CertificateOf(found, c.Cells == "all"))
		case c.Format == "csv":
			_, err = a.stdout.Write(found.AppendCSV(nil, true))
		case c.Format == "html":
			page := wire.CertificateOf(found, c.Cells == "all")
			err = certificate.Write(a.stdout, &page)
		default:
			err = a.printCertificate(found)
		}
		if err == nil && found.Matched() != found.Checked() {
			return incomplete
		}
		return err
	})
}

func (a *app) printCertificate(c *calc.Certificate) error {
	p := terminal.NewPage(a.stdout)
	edition := strings.TrimSpace(fmt.Sprintf("eGRID%d %s", c.Year, c.Release))
	if n := c.Checked() - c.Matched(); n > 0 {
		p.Heading(0, fmt.Sprintf("%s: %s of %s differ by more than rounding explains", edition, terminal.Thousands(int64(n)), count(int64(c.Checked()), "comparison")))
	} else {
		p.Heading(0, fmt.Sprintf("%s: %s match, but for rounding", edition, count(int64(c.Checked()), "comparison")))
	}
	for _, note := range c.Notes() {
		p.Text(2, note)
	}
	printChecks(p, c)
	printDiffering(p, c)
	printVariants(p, c)
	p.Heading(2, "Global warming potentials of CO2e")
	if c.GWP.Name == "" {
		p.Text(4, "none that are known fit, or CO2e is not published")
	} else {
		p.Text(4, fmt.Sprintf("%s: CH4 %v, N2O %v; CO2e is %v lb/MWh off", strings.ToUpper(c.GWP.Name), c.GWP.CH4, c.GWP.N2O, c.GWP.Error))
	}
	sources(p, wire.CertificateOf(c, false).Sources)
	p.Heading(2, "SHA-256 of --format csv")
	p.Line(4, c.Hash())
	return p.Err()
}

func printChecks(p *terminal.Page, c *calc.Certificate) {
	p.Heading(2, "What was compared")
	t := terminal.Table{Indent: 4, Header: []string{"sheet", "with", "figures", "match", "deviation"}, Right: []bool{false, false, true, true, true}}
	for _, check := range c.Checks() {
		worst := check.Worst.Deviation()
		t.Add(string(check.Level), basis(&check.Worst), terminal.Thousands(int64(check.Checked)), terminal.Thousands(int64(check.Matched)), strconv.FormatFloat(worst, 'g', 3, 64))
	}
	p.Table(t)
	p.Text(4, "deviation: the largest, over what rounding allows")
}

// basis says in words what a figure was held against.
func basis(c *calc.Cell) string {
	switch {
	case c.From == egrid.PLNT:
		return "its plants"
	case c.From != c.Level:
		return "sums of " + string(c.From)
	case c.Relation == calc.AtMost:
		return "what its masses allow"
	}
	return "its own sums"
}

// printDiffering shows what differs, by column and with the worst cell of each.
func printDiffering(p *terminal.Page, c *calc.Certificate) {
	type group struct {
		worst calc.Cell
		cells int
	}
	var groups []group
	for _, cell := range c.Differing() {
		at := slices.IndexFunc(groups, func(g group) bool {
			return g.worst.Level == cell.Level && g.worst.From == cell.From && g.worst.Relation == cell.Relation && g.worst.Column == cell.Column
		})
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{worst: cell})
		}
		groups[at].cells++
		if cell.Deviation() > groups[at].worst.Deviation() {
			groups[at].worst = cell
		}
	}
	if len(groups) == 0 {
		return
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(b.worst.Deviation(), a.worst.Deviation()) })
	p.Heading(2, "What differs, the largest deviation of each column")
	t := terminal.Table{Indent: 4, Header: []string{"cells", "column", "worst", "published", "computed"}, Right: []bool{true, false, false, true, true}}
	for i := range groups[:min(mostGroups, len(groups))] {
		w := &groups[i].worst
		relation := ""
		if w.Relation != calc.Equal {
			relation = string(w.Relation) + " "
		}
		t.Add(terminal.Thousands(int64(groups[i].cells)), string(w.Column), strings.TrimSpace(string(w.Level)+" "+w.Code), figure(w.Published), relation+figure(w.Recomputed))
	}
	p.Table(t)
	if n := len(groups) - mostGroups; n > 0 {
		p.Text(4, "and "+count(int64(n), "column")+" more: --json has every cell that differs")
	}
}

// mostGroups is how many columns a terminal shows.
const mostGroups = 20

// printVariants shows what the edition does where editions differ, and what the other
// ways would match.
func printVariants(p *terminal.Page, c *calc.Certificate) {
	if !slices.ContainsFunc(c.Variants, func(v calc.VariantFit) bool { return v.Checked > 0 }) {
		return
	}
	p.Heading(2, "Where editions differ: what this one does, and how many figures say so")
	var silent []string
	t := terminal.Table{Indent: 4, Header: []string{"rule", "choice", "match", "of"}, Right: []bool{false, false, true, true}}
	for _, v := range c.Variants {
		if v.Checked == 0 {
			if v.Used {
				silent = append(silent, v.Rule)
			}
			continue
		}
		choice := "  " + string(v.Choice)
		if v.Used {
			choice = "* " + string(v.Choice)
		}
		t.Add(v.Rule, choice, terminal.Thousands(int64(v.Matched)), terminal.Thousands(int64(v.Checked)))
	}
	p.Table(t)
	if len(silent) > 0 {
		p.Text(4, "no figure here tells of "+strings.Join(silent, ", "))
	}
}
