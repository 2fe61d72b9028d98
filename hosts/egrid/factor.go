package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

type factorCmd struct {
	Subregion string   `env:"-" help:"eGRID subregion, e.g. CAMX."`
	State     string   `env:"-" help:"Postal abbreviation, e.g. TX."`
	BA        string   `env:"-" help:"Code of a balancing authority, e.g. CISO."`
	Nerc      string   `env:"-" help:"NERC region, e.g. WECC."`
	US        bool     `env:"-" help:"The United States."`
	Plants    []string `env:"-" help:"ORIS codes, e.g. 6008,3: a factor of these plants together."`
	Year      int      `env:"-" help:"Data year. Default: the newest."`
	Release   string   `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	Gas       string   `env:"-" help:"co2e, co2, ch4, n2o, nox or so2." default:"co2e"`
	Kind      string   `env:"-" help:"output, nonbaseload, combustion or input." default:"output"`
	GWP       string   `env:"-" help:"Of co2e: published, sar, ar4, ar5 or ar6. Default: published." name:"gwp"`

	Adjustment string `env:"-" help:"What of the plants' emissions is left out: published (for biomass and CHP), unadjusted, biomass or chp; others than published are summed from plants. Default: published."`

	Delivered bool   `env:"-" help:"Per MWh at the customer: with grid gross loss."`
	Unit      string `env:"-" help:"lb/MWh, kg/MWh, kg/kWh, g/kWh, t/MWh, lb/kWh; of kind input lb/MMBtu, kg/MMBtu, kg/GJ. Default: lb/MWh or lb/MMBtu."`
	Explain   bool   `env:"-" help:"List the plants, where their sheet is loaded."`
	JSON      bool   `env:"-" help:"Print JSON." name:"json"`
}

// Help implements kong.HelpProvider.
func (c *factorCmd) Help() string {
	return `Examples:

  egrid factor --subregion CAMX --year 2023
  egrid factor --state TX --gas co2 --unit kg/MWh --delivered
  egrid factor --subregion RFCM --kind nonbaseload --explain
  egrid factor --plants 6008,3 --gwp ar6 --json`
}

func (c *factorCmd) Run(a *app) error {
	for _, place := range []struct {
		level egrid.Level
		code  *string
	}{{egrid.ST, &c.State}, {egrid.SRL, &c.Subregion}, {egrid.NRL, &c.Nerc}} {
		var err error
		if *place.code, err = placeCode(place.level, *place.code); err != nil {
			return err
		}
	}
	q, err := wire.FactorQuery{
		Subregion: c.Subregion, State: c.State, BA: c.BA, NERC: c.Nerc, US: c.US, Plants: c.Plants, Year: wire.Whole(c.Year), Release: c.Release,
		Gas: c.Gas, Kind: c.Kind, GWP: c.GWP, Adjustment: c.Adjustment, Unit: c.Unit, Delivered: c.Delivered,
	}.Query()
	if err != nil {
		return fmt.Errorf("%w; give one of --subregion, --state, --ba, --nerc, --us and --plants", err)
	}
	q.Explain = c.Explain
	return a.withData(func(db *store.DB) error {
		f, err := calc.FactorOf(a.ctx, db, q)
		if err != nil {
			return err
		}
		w := wire.FactorOf(&f)
		if c.JSON {
			return printJSON(a, w)
		}
		return a.printFactor(&w)
	})
}

func (a *app) printFactor(f *wire.Factor) error {
	p := terminal.NewPage(a.stdout)
	p.Heading(0, figure(float64(f.Value))+" "+f.Unit)
	cited, _, _ := strings.Cut(f.Citation, ". Computed from")
	p.Text(2, cited)
	if f.Published != nil {
		p.Text(2, "published: "+figure(float64(*f.Published))+" "+f.Unit)
	}
	derivation(p, f.Formula, f.Inputs, f.Plants)
	sources(p, f.Sources)
	addNotes(p, f.Notes)
	return p.Err()
}

type explainCmd struct {
	Level   string `arg:"" help:"PLNT, ST, BA, SRL, NRL, US or GGL."`
	Code    string `arg:"" help:"ORIS code, code of the region, or interconnect; US for the United States."`
	Column  string `arg:"" help:"Name or EPA's code, e.g. SRCO2RTA."`
	Year    int    `env:"-" help:"Data year. Default: the newest."`
	Release string `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	JSON    bool   `env:"-" help:"Print JSON." name:"json"`
}

// Help implements kong.HelpProvider.
func (c *explainCmd) Help() string {
	return `Examples:

  egrid explain SRL CAMX SRCO2RTA --year 2023
  egrid explain ST TX wind_generation_share
  egrid explain US US USNGENAN --json`
}

func (c *explainCmd) Run(a *app) error {
	level, err := parseLevel(c.Level)
	if err != nil {
		return err
	}
	if c.Code, err = placeCode(level, c.Code); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		x, err := calc.Explain(a.ctx, db, calc.ExplainQuery{Level: level, Code: c.Code, Column: c.Column, Year: c.Year, Release: c.Release})
		if err != nil {
			return err
		}
		w := wire.ExplanationOf(&x)
		if c.JSON {
			return printJSON(a, w)
		}
		return a.printExplanation(&w)
	})
}

func (a *app) printExplanation(x *wire.Explanation) error {
	p := terminal.NewPage(a.stdout)
	p.Heading(0, strings.TrimSpace(string(x.Level)+" "+x.Code)+" "+string(x.Column)+" ("+x.EPACode+")")
	edition := strings.TrimSpace(fmt.Sprintf("eGRID%d %s", x.Year, x.Release))
	p.Text(2, x.Description+" "+x.Authority+", "+edition+", record "+strconv.FormatInt(x.Row, 10)+" of the sheet.")
	published := "none"
	if !x.Published.IsMissing() {
		published = strings.TrimSpace(x.Published.String() + " " + x.Unit)
	}
	p.Text(2, "published: "+published)
	if x.Recomputed != nil {
		verdict := "they differ by more than rounding explains"
		if x.Matches {
			verdict = "the same, but for rounding"
		}
		if x.Published.IsMissing() && !x.Matches {
			verdict = "not published"
		}
		p.Text(2, "computed:  "+strings.TrimSpace(figure(float64(*x.Recomputed))+" "+x.Unit)+" ("+verdict+")")
	}
	derivation(p, x.Formula, x.Inputs, x.Plants)
	sources(p, x.Sources)
	addNotes(p, x.Notes)
	return p.Err()
}

// mostPlants is how many plants a terminal shows.
const mostPlants = 20

// derivation shows a formula, its inputs, and the plants that have most of them.
func derivation(p *terminal.Page, formula string, inputs map[string]wire.FactorInput, plants []wire.PlantShare) {
	if formula == "" {
		return
	}
	p.Heading(2, "Formula")
	p.Text(4, formula)
	names := slices.Sorted(maps.Keys(inputs))
	for _, name := range names {
		in := inputs[name]
		from := strings.TrimSpace(string(in.Level) + " " + in.Code)
		if in.Of != "" {
			from = in.Of
		}
		p.Text(4, strings.TrimSpace(name+" = "+figure(float64(in.Value))+" "+in.Unit)+", "+from)
	}
	if len(plants) > 0 {
		plantTable(p, names, plants)
	}
}

func plantTable(p *terminal.Page, names []string, plants []wire.PlantShare) {
	p.Heading(2, fmt.Sprintf("Plants (%s, the largest first)", terminal.Thousands(int64(len(plants)))))
	t := terminal.Table{Indent: 4, Header: []string{"ORIS", "plant", "weight"}, Right: []bool{false, false, true}}
	for _, name := range names {
		t.Header, t.Right = append(t.Header, strings.TrimPrefix(name, "nonbaseload_")), append(t.Right, true)
	}
	for _, plant := range plants[:min(mostPlants, len(plants))] {
		cells := []string{plant.ID, plant.Name, strconv.FormatFloat(float64(plant.Weight), 'f', 4, 64)}
		for _, name := range names {
			text := ""
			if x, ok := plant.Amounts[name]; ok {
				text = terminal.Thousands(int64(math.Round(float64(x))))
			}
			cells = append(cells, text)
		}
		t.Add(cells...)
	}
	p.Table(t)
	if n := len(plants) - mostPlants; n > 0 {
		p.Text(4, "and "+count(int64(n), "more plant")+": --json has them all")
	}
}

func sources(p *terminal.Page, from []wire.FactorSource) {
	p.Heading(2, "Sources")
	t := terminal.Table{Indent: 4, Header: []string{"level", "file", "SHA-256", "snapshot"}}
	for _, s := range from {
		t.Add(string(s.Level), strings.TrimSpace(s.Object+" "+s.Sheet), s.SHA256[:min(12, len(s.SHA256))], string(s.Snapshot))
	}
	p.Table(t)
}

func addNotes(p *terminal.Page, all []string) {
	for _, note := range all {
		p.Text(2, "Note: "+note)
	}
}

// figure writes a number with at most nine digits, thousands apart.
func figure(x float64) string {
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if rounded := strconv.FormatFloat(x, 'g', 9, 64); len(rounded) < len(text) {
		if f, err := strconv.ParseFloat(rounded, 64); err == nil && !strings.Contains(rounded, "e") {
			text = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	whole, fraction, point := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return text
	}
	grouped := cmp.Or(terminal.Thousands(n), whole)
	if n == 0 && strings.HasPrefix(whole, "-") {
		grouped = "-0"
	}
	if point {
		return grouped + "." + fraction
	}
	return grouped
}

// round rounds to some decimals.
func round(x float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(x*scale) / scale
}
