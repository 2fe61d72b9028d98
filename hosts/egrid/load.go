package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// reading are the flags that say how files are read.
type reading struct {
	Level     string `env:"-" help:"Level of every sheet (UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO, ZIP), where its columns do not tell."`
	Year      int    `env:"-" help:"Data year, where the files do not tell. Files that say otherwise are refused."`
	Release   string `env:"-" help:"Release, e.g. v2 or rev1; none for the unmarked one. Default: from the file name."`
	Units     string `env:"-" help:"Units of the figures, us or metric, where the files do not tell. Metric ones are converted." placeholder:"us|metric"`
	Authority string `env:"-" help:"Who published the files, where they do not tell. Default: EPA." placeholder:"TEXT"`
	Mapping   string `env:"-" help:"File that maps headers which are nobody's codes to columns (etl.json)." type:"path" placeholder:"FILE"`
	Workers   int    `help:"Chunks decoded at once. Default: the processors."`
	service.Limits
}

// options checks the flags and makes the pipeline's options of them.
func (r reading) options(a *app) (etl.Options, error) {
	o := etl.Options{Workers: r.Workers, Release: r.Release, Year: r.Year, Units: r.Units, Authority: r.Authority, Formats: service.Inputs(), Limits: r.Limits.Of(), Logger: a.log}
	if _, err := egrid.ParseRelease(r.Release); err != nil {
		return o, err
	}
	if err := sheet.CheckUnits(r.Units); err != nil {
		return o, err
	}
	if r.Year != 0 {
		if err := egrid.CheckYear(r.Year); err != nil {
			return o, err
		}
	}
	if r.Level != "" {
		level, err := parseLevel(r.Level)
		if err != nil {
			return o, err
		}
		o.Level = level
	}
	if r.Mapping == "" {
		return o, nil
	}
	f, err := os.Open(r.Mapping)
	if err != nil {
		return o, err
	}
	defer f.Close()
	o.Config, err = etl.ReadConfig(f)
	return o, err
}

// publishing are the flags of commands that write into the store.
type publishing struct {
	Publish string `env:"-" help:"What to do where other data are published already: auto, replace, merge or hold." enum:"auto,replace,merge,hold" default:"auto"`
	Rejects string `help:"Where records that cannot be read are kept. Default: a file of its own for each run, in ${data_dir}/rejects." type:"path" placeholder:"FILE"`
}

func (p publishing) apply(o *etl.Options) {
	o.Publish = driver.Policy(p.Publish)
	if o.RejectsFile = p.Rejects; o.RejectsFile == "" {
		o.RejectsFile = service.RejectsFile("")
	}
}

type loadCmd struct {
	Source []string `arg:"" help:"Files, folders, s3://BUCKET/PREFIX or - for standard input: .xlsx, .xls, .csv, .tsv, .ndjson, .parquet, any of these as .gz or in a .zip."`
	DryRun bool     `env:"-" help:"Tell what would be published, held and rejected, with the exit status of the load, and load nothing."`
	JSON   bool     `help:"Print the report as JSON."`
	reading
	publishing
}

// Help implements kong.HelpProvider.
func (c *loadCmd) Help() string {
	return `Examples:

  egrid load GEN23.csv ST23.csv
  egrid load --dry-run downloads/
  egrid load --publish merge corrections.csv
  egrid rows GEN --limit 0 --format ndjson | egrid load - --store sqlite:copy.db
  egrid load --level GEN --year 2021 --mapping etl.json generators.csv

What is no eGRID sheet is left out: all such tables beside the sheets of a
file, and all such files of a folder, unless their names say GEN23 or the like. The exit status is 3 where a record was
rejected or a sheet is held or failed, and 1 where no sheet could be read.`
}

func (c *loadCmd) Run(a *app) error {
	source, err := service.OpenSource(c.Source, a.stdin)
	if err != nil {
		return err
	}
	o, err := c.options(a)
	if err != nil {
		return err
	}
	c.apply(&o)
	bar := a.progress(&o)
	if c.DryRun {
		o.RejectsFile = c.Rejects
		report, err := a.dryRun(source, &o)
		bar.Clear()
		if err != nil {
			return err
		}
		outcome := exitOf(&report)
		report.Status = etl.DryRun
		if err := a.writeReport(&report, c.JSON); err != nil {
			return err
		}
		return outcome
	}
	return a.withStore(func(store driver.Store) error {
		report, err := a.load(a.ctx, store, source, &o)
		bar.Clear()
		if err != nil {
			return err
		}
		return printReport(a, report, c.JSON)
	})
}

// progress draws how far a run has come, on a terminal.
func (a *app) progress(o *etl.Options) *terminal.Bar {
	bar := terminal.NewBar(a.stderr)
	o.Progress = func(p etl.Progress) {
		bar.Draw(strings.TrimSpace(strings.Join([]string{p.Stage, p.Object, p.Sheet}, " ")), p.Rows, p.Total)
	}
	return bar
}

// dryRun loads into a copy of what is published, in memory.
func (a *app) dryRun(source etl.Source, o *etl.Options) (etl.Report, error) {
	published, err := service.OpenOrEmpty(a.ctx, a.cli.Store)
	if err != nil {
		return etl.Report{}, err
	}
	trial, err := memstore.Over(a.ctx, published)
	if err != nil {
		return etl.Report{}, errors.Join(err, published.Close())
	}
	report, err := etl.New(source, etl.ToLoader(trial), o).Run(a.ctx)
	for i := range report.Files {
		for j := range report.Files[i].Sheets {
			s := &report.Files[i].Sheets[j]
			s.Stage, s.Choices = "", nil // the trial's loads go with it
		}
	}
	return report, errors.Join(err, trial.Close(), published.Close())
}

// load runs all stages, by way of the queue that the flags name.
func (a *app) load(ctx context.Context, store driver.Store, source etl.Source, o *etl.Options) (etl.Report, error) {
	if o.Runs == nil { // which StartRun has
		o.Runs = a.runs(store)
	}
	broker, err := service.OpenQueue(ctx, a.cli.Queue)
	if err != nil {
		return etl.Report{}, err
	}
	report, err := service.Load(ctx, store, broker, source, o)
	if broker != nil {
		err = errors.Join(err, broker.Close())
	}
	return report, err
}

// runs writes down what is loaded.
func (a *app) runs(store driver.Store) *etl.Runs {
	return etl.NewRuns(store, &etl.RunsOptions{Logger: a.log})
}

// printReport prints a report and turns it into the exit status.
func printReport(a *app, r etl.Report, asJSON bool) error {
	if err := a.writeReport(&r, asJSON); err != nil {
		return err
	}
	return exitOf(&r)
}

func (a *app) writeReport(r *etl.Report, asJSON bool) error {
	if asJSON {
		return printJSON(a, r)
	}
	return a.describe(r)
}

// exitOf is the exit status of a load; nil where all of it was done.
func exitOf(r *etl.Report) error {
	switch {
	case r.Failed():
		return failed
	case !r.Complete():
		return incomplete
	}
	return nil
}

// printJSON prints one document, on one line where a program may read it.
func printJSON(a *app, v any) error {
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false)
	if terminal.Is(a.stdout) {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := a.stdout.Write(terminal.EscapeJSON(doc.Bytes()))
	return err
}
