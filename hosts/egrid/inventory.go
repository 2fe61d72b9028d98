package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/calc/inventory"
	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type inventoryCmd struct {
	File    string `arg:"" help:"Table of sites: CSV, .xlsx or another kind that egrid load reads, or - for CSV on standard input."`
	Year    int    `env:"-" help:"Data year of the factors, for sites that name none. Default: the newest."`
	Release string `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	GWP     string `env:"-" help:"Of CO2e: published, sar, ar4, ar5 or ar6. Default: published." name:"gwp"`
	Shapes  string `help:"GeoJSON with the outlines of subregions, for sites that have coordinates." placeholder:"FILE.geojson" type:"path"`
	Format  string `env:"-" help:"csv, json or xlsx; json and xlsx have totals, formulas and sources, too. Default: by the ending of --output, else csv." enum:",csv,json,xlsx" default:""`
	Output  string `env:"-" help:"File to write. It takes its name when it is complete. Default: standard output." type:"path" placeholder:"FILE"`
}

// Help implements kong.HelpProvider.
func (c *inventoryCmd) Help() string {
	return `Location-based Scope 2 emissions of a table of sites. The header names the
columns: subregion, latitude and longitude, zip, ba or state; kwh or mwh; year
where sites differ in it. Coordinates need --shapes.
Every site comes back, with its emissions and the factor that they rest on, or
with the reason why there are none (exit status 3).

Examples:

  egrid inventory sites.csv > emissions.csv
  egrid inventory sites.xlsx --year 2023 --output emissions.xlsx
  egrid inventory sites.csv --gwp ar6 --format json
  egrid inventory sites.csv --shapes subregions.geojson`
}

func (c *inventoryCmd) Run(a *app) error {
	if c.Format == "" {
		switch ending := strings.ToLower(filepath.Ext(c.Output)); ending {
		case "", ".":
			c.Format = "csv"
		case ".csv", ".json", ".xlsx":
			c.Format = ending[1:]
		default:
			return unknownEnding(c.Output, []string{".csv", ".json", ".xlsx"})
		}
	}
	if c.Format == "xlsx" && c.Output == "" && terminal.Is(a.stdout) {
		return fmt.Errorf("%w: xlsx is not for a terminal; give --output FILE.xlsx", egrid.ErrInvalid)
	}
	write := map[string]func(context.Context, *store.DB, io.Reader, io.Writer, *inventory.Options) (inventory.Totals, error){
		"csv": inventory.CSV, "json": inventory.JSON, "xlsx": inventory.XLSX,
	}[c.Format]
	o := &inventory.Options{Year: c.Year, Release: c.Release, GWP: c.GWP}
	var err error
	if c.Shapes != "" {
		if o.Shapes, err = shapes.Open(c.Shapes, nil); err != nil {
			return err
		}
	}
	var totals inventory.Totals
	err = a.withData(func(db *store.DB) error {
		return a.withTable(c.File, func(sites io.Reader) error {
			return a.to(c.Output, func(w io.Writer) (err error) {
				totals, err = write(a.ctx, db, sites, w, o)
				return err
			})
		})
	})
	if err != nil {
		return err
	}
	a.tellTotals(&totals)
	if totals.Answered < totals.Sites {
		return incomplete
	}
	return nil
}

// tellTotals says on stderr what an inventory comes to, and what it lacks.
func (a *app) tellTotals(t *inventory.Totals) {
	const tonne = 1000 // kg
	fmt.Fprintf(a.stderr, "egrid: %s, %s with emissions: %s MWh, %s t of CO2e", count(t.Sites, "site"), terminal.Thousands(t.Answered),
		figure(round(t.MWh, 3)), figure(round(t.Kilograms[inventory.CO2e]/tonne, 3)))
	if t.Losses > 0 {
		fmt.Fprintf(a.stderr, ", and %s t of losses on the way to them", figure(round(t.Losses/tonne, 3)))
	}
	fmt.Fprintln(a.stderr)
	for _, column := range slices.Sorted(maps.Keys(t.Incomplete)) {
		fmt.Fprintf(a.stderr, "egrid: %s of them lack %s, and are not in its sum\n", terminal.Thousands(t.Incomplete[column]), column)
	}
	for _, reason := range t.MostReasons(mostReasons) {
		fmt.Fprintf(a.stderr, "egrid: %s without: %s\n", terminal.Thousands(t.Reasons[reason]), terminal.Escape(reason))
	}
	if more := len(t.Reasons) - mostReasons; more > 0 {
		fmt.Fprintf(a.stderr, "egrid: and %s more; each site has its own in the column reason\n", count(int64(more), "reason"))
	}
}

// mostReasons is how many reasons a terminal shows.
const mostReasons = 5

// withTable opens the only table of a file.
func (a *app) withTable(path string, f func(io.Reader) error) (err error) {
	if path == "-" {
		return f(a.stdin)
	}
	file, err := os.Open(path) //nolint:gosec // the person names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return f(file)
	}
	b, err := book.Open(file, info.Size(), &book.Options{Formats: service.Inputs()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	var names []string
	for _, t := range b.Tables() {
		names = append(names, t.Name)
	}
	if len(names) != 1 {
		return fmt.Errorf("%w: %s has %d tables (%s); give a file with the table of sites alone", egrid.ErrInvalid, path, len(names), strings.Join(names, ", "))
	}
	text, err := b.Tables()[0].Open()
	if err != nil {
		return err
	}
	return errors.Join(f(text), text.Close())
}
