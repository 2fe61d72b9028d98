package main

import (
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

type zipCmd struct {
	ZIP     string `arg:"" name:"zip" help:"Five digits, or nine as 97201-1234."`
	Year    int    `env:"-" help:"Data year of the crosswalk. Default: the newest."`
	Release string `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	Format  string `env:"-" help:"table, json, csv or ndjson." enum:"table,json,csv,ndjson" default:"table"`
}

// Help implements kong.HelpProvider.
func (c *zipCmd) Help() string {
	return `The crosswalk is EPA's zip.csv, or the Zip-subregion sheet of its Power Profiler tool, loaded like any sheet.
Examples:

  egrid load --year 2023 zip.csv
  egrid zip 97201
  egrid zip 03850 --year 2021 --format json`
}

func (c *zipCmd) Run(a *app) error {
	return a.withData(func(db *store.DB) error {
		found, err := db.ZIP(a.ctx, c.ZIP, c.Year, c.Release)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "egrid: by the crosswalk %s\n", nameOf(found.Snapshot))
		if _, known := found.Subregion(); !known {
			fmt.Fprintln(a.stderr, "egrid: it does not tell which of these subregions serves most of the ZIP code")
		}
		b, err := candidateRows(&found)
		if err != nil {
			return err
		}
		_, err = a.print(&output{Format: c.Format}, "", &store.Answer{Schema: b.Schema(), Batches: func(yield func(*egrid.Batch, error) bool) { yield(b, nil) }})
		return err
	})
}

func candidateRows(found *store.Crosswalk) (*egrid.Batch, error) {
	schema, err := egrid.NewSchema(
		egrid.Field{Column: egrid.ZIPCode, Type: egrid.Text}, egrid.Field{Column: egrid.State, Type: egrid.Text}, egrid.Field{Column: egrid.Subregion, Type: egrid.Text},
		egrid.Field{Column: "predominant", Type: egrid.Flag}, egrid.Field{Column: "utilities", Type: egrid.Text})
	if err != nil {
		return nil, err
	}
	b := egrid.NewBuilder(schema, found.Snapshot.Year)
	for i, c := range found.Candidates {
		names := make([]string, len(c.Utilities))
		for j, u := range c.Utilities {
			names[j] = u.String()
		}
		for j, text := range map[int]string{0: found.ZIP, 1: found.State, 2: c.Subregion, 4: strings.Join(names, "; ")} {
			if text != "" {
				b.Text(j, []byte(text))
			}
		}
		b.Flag(3, c.Predominant)
		b.EndRow(int64(i+1), 0)
	}
	return b.Batch(), nil
}
