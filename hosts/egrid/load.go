package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// reading are the flags that say how files are read.
type reading struct {
	Level   string `help:"Level of every sheet (UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO), where its columns do not tell."`
	Year    int    `help:"Data year, where the files do not tell."`
	Release string `help:"Release, e.g. v2 or rev1; none for the unmarked one. Default: from the file name."`
	Mapping string `help:"File that maps headers which are nobody's codes to columns (etl.json)." type:"path" placeholder:"FILE"`
	Workers int    `help:"Chunks decoded at once. Default: the processors."`
}

// options checks the flags and makes the pipeline's options of them.
func (r reading) options(a *app) (etl.Options, error) {
	o := etl.Options{Workers: r.Workers, Release: r.Release, Year: r.Year, Logger: a.log}
	if _, err := egrid.ParseRelease(r.Release); err != nil {
		return o, err
	}
	if r.Year != 0 {
		if err := egrid.CheckYear(r.Year); err != nil {
			return o, err
		}
	}
	if r.Level != "" {
		level, err := egrid.ParseLevel(r.Level)
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
	Publish string `help:"What to do where other data are published already: auto, replace, merge or hold." enum:"auto,replace,merge,hold" default:"auto"`
	Rejects string `help:"Where records that cannot be read are kept. Default: a file of its own for each run, in ${data_dir}/rejects." type:"path" placeholder:"FILE"`
}

func (p publishing) apply(o *etl.Options) {
	o.Publish = driver.Policy(p.Publish)
	if o.RejectsFile = p.Rejects; o.RejectsFile == "" {
		o.RejectsFile = service.RejectsFile("")
	}
}

type loadCmd struct {
	Source []string `arg:"" help:"Files, folders, s3://BUCKET/PREFIX or - for standard input: .csv, .csv.gz, .zip, .xlsx, .xls."`
	DryRun bool     `help:"Check everything and load nothing."`
	JSON   bool     `help:"Print the report as JSON."`
	reading
	publishing
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
	bar := terminal.NewBar(a.stderr)
	if !c.JSON {
		o.Progress = func(p etl.Progress) { bar.Draw(strings.TrimSpace(p.Object+" "+p.Sheet), p.Rows, p.Total) }
	}
	if c.DryRun {
		report, err := dryRun(a, source, &o)
		bar.Clear()
		if err != nil {
			return err
		}
		return printReport(a, report, c.JSON)
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

func dryRun(a *app, source etl.Source, o *etl.Options) (etl.Report, error) {
	p := etl.New(source, nil, o)
	scanned, err := p.Scan(a.ctx)
	if err != nil {
		return etl.Report{}, err
	}
	v, err := p.Validate(a.ctx, scanned)
	return v.Report(), err
}

// load runs all stages, by way of the queue that the flags name.
func (a *app) load(ctx context.Context, store driver.Store, source etl.Source, o *etl.Options) (etl.Report, error) {
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

// printReport prints a report and turns it into the exit status.
func printReport(a *app, r etl.Report, asJSON bool) error {
	var err error
	if asJSON {
		err = printJSON(a, r)
	} else {
		err = describeReport(a, r)
	}
	switch {
	case err != nil:
		return err
	case r.Status == etl.Failed:
		return failed
	case !r.Complete():
		return incomplete
	}
	return nil
}

func printJSON(a *app, v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func describeReport(a *app, r etl.Report) error {
	t := terminal.Table{Header: []string{"file", "sheet", "level", "year", "release", "rows", "rejected", "status"}, Right: []bool{false, false, false, false, false, true, true}}
	var notes []string
	note := func(where, format string, args ...any) {
		notes = append(notes, where+": "+fmt.Sprintf(format, args...))
	}
	for _, f := range r.Files {
		if f.Error != "" {
			t.Add(f.Object, "", "", "", "", "", "", "refused")
			note(f.Object, "%s", f.Error)
		}
		for _, s := range f.Sheets {
			year := ""
			if s.Year != 0 {
				year = fmt.Sprint(s.Year)
			}
			where := strings.TrimSpace(fmt.Sprint(f.Object, " ", s.Sheet, " ", s.Level, " ", year))
			t.Add(f.Object, s.Sheet, string(s.Level), year, s.Release, terminal.Thousands(s.Read), terminal.Thousands(s.Rejected), string(s.Status))
			if s.Reason != "" {
				note(where, "%s: %s", s.Status, s.Reason)
			}
			if len(s.Unknown) > 0 {
				note(where, "columns that the dictionary does not know, kept under their own names: %s", strings.Join(s.Unknown, ", "))
			}
			if len(s.Lossy) > 0 {
				note(where, "rounded for display: %s", strings.Join(s.Lossy, ", "))
			}
			for _, audit := range s.Audits {
				if audit.Severity != egrid.Info {
					note(where, "%s %s: %s (%s)", audit.Severity, audit.Rule, terminal.Thousands(audit.Count), strings.Join(audit.Examples, ", "))
				}
			}
		}
	}
	if err := t.Write(a.stdout); err != nil {
		return err
	}
	if len(notes) > 0 {
		fmt.Fprintf(a.stdout, "\n%s\n", strings.Join(notes, "\n"))
	}
	if r.RejectsFile != nil {
		fmt.Fprintf(a.stdout, "\nrejected rows are kept in %s\n", *r.RejectsFile)
	}
	_, err := fmt.Fprintf(a.stdout, "\n%s: %s rows read, %s loaded, %s rejected in %.1f s\n", strings.ReplaceAll(string(r.Status), "_", " "),
		terminal.Thousands(r.RowsRead), terminal.Thousands(r.RowsLoaded), terminal.Thousands(r.RowsRejected), r.Seconds)
	return err
}
