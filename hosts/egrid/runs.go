package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type runsCmd struct {
	List listRunsCmd `cmd:"" default:"withargs" help:"List the latest ones, the newest first."`
	Show showRunCmd  `cmd:"" help:"Show one: what became of each sheet, who started it, and where."`
}

type listRunsCmd struct {
	Limit int  `env:"-" help:"How many." default:"20" placeholder:"N"`
	Wide  bool `help:"All columns, however wide the table is."`
	JSON  bool `short:"j" help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (c *listRunsCmd) Help() string {
	return `Examples:

  egrid runs
  egrid runs --limit 100 --json
  egrid runs show 20260102T030405Z-abcdef

The log is in the store: it has the runs of every process that loads there, by
command, schedule, order or notification.`
}

func (c *listRunsCmd) Run(a *app) error {
	if c.Limit < 1 || c.Limit > driver.KeepRuns {
		return fmt.Errorf("%w: --limit is a number from 1 to %d", egrid.ErrInvalid, driver.KeepRuns)
	}
	return a.withExisting(func(store driver.Store) error {
		runs, err := etl.NewRuns(store, &etl.RunsOptions{Keep: c.Limit, Logger: a.log}).Runs(a.ctx)
		if err != nil {
			return err
		}
		runs = runs[:min(len(runs), c.Limit)]
		if c.JSON {
			return printJSON(a, runs)
		}
		if len(runs) == 0 {
			a.tellNone("there was no run")
			return nil
		}
		return a.sheet(runColumns(runs), c.Wide)
	})
}

// runColumns are a table of runs, what matters most first.
func runColumns(runs []driver.Run) []terminal.Column {
	c := []terminal.Column{
		{Name: "run", Keep: true}, {Name: "status", Keep: true}, {Name: "failed", Right: true}, {Name: "by", Keep: true}, {Name: "started", Keep: true}, {Name: "seconds", Right: true},
		{Name: "read", Right: true}, {Name: "loaded", Right: true}, {Name: "rejected", Right: true}, {Name: "chunks", Right: true}, {Name: "host"}, {Name: "error"},
	}
	for i := range runs {
		r := &runs[i]
		seconds := ""
		if r.Ended != nil {
			seconds = fmt.Sprintf("%.1f", max(r.Ended.Sub(r.Started), 0).Seconds())
		}
		for j, cell := range []string{
			r.ID, strings.ReplaceAll(string(r.Status), "_", " "), terminal.Thousands(r.Failures), string(r.Trigger), r.Started.UTC().Format("2006-01-02 15:04"), seconds, terminal.Thousands(r.Read), terminal.Thousands(r.Loaded),
			terminal.Thousands(r.Rejected), terminal.Thousands(r.Chunks), r.Host, r.Error,
		} {
			c[j].Cells = append(c[j].Cells, cell)
		}
	}
	return c
}

type showRunCmd struct {
	ID   string `arg:"" help:"Of the run, as egrid runs prints it."`
	JSON bool   `short:"j" help:"Print JSON."`
}

func (c *showRunCmd) Run(a *app) error {
	return a.withExisting(func(store driver.Store) error {
		run, err := etl.NewRuns(store, &etl.RunsOptions{Logger: a.log}).Run(a.ctx, c.ID)
		if errors.Is(err, egrid.ErrNotFound) {
			return fmt.Errorf("%w; egrid runs%s lists them", err, a.storeFlag())
		}
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, run)
		}
		return a.showRun(&run)
	})
}

// showRun prints what a run was, and of each load what egrid load prints.
func (a *app) showRun(r *driver.Run) error {
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	head := terminal.Sheet{Records: true, Width: terminal.Width}
	for _, line := range [][2]string{
		{"run", r.ID}, {"status", strings.ReplaceAll(string(r.Status), "_", " ")}, {"started by", string(r.Trigger)}, {"host", r.Host}, {"due", when(r.Due)}, {"started", when(&r.Started)}, {"ended", when(r.Ended)},
		{"rows", fmt.Sprintf("%s read, %s loaded, %s rejected", terminal.Thousands(r.Read), terminal.Thousands(r.Loaded), terminal.Thousands(r.Rejected))},
		{"chunks", terminal.Thousands(r.Chunks)}, {"trace", r.TraceID}, {"error", r.Error},
	} {
		head.Columns = append(head.Columns, terminal.Column{Name: line[0], Cells: []string{line[1]}})
	}
	if _, err := head.Write(a.stdout); err != nil || len(r.Loads) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return err
	}
	report := reportOf(r)
	d := a.describing(&report)
	d.body()
	return d.Err()
}

// reportOf is the report of a run, as far as the log has it.
func reportOf(r *driver.Run) etl.Report {
	report := etl.Report{RunID: r.ID, TraceID: r.TraceID, Status: etl.Status(r.Status), RowsRead: r.Read, RowsLoaded: r.Loaded, RowsRejected: r.Rejected}
	if r.Rejects != "" {
		report.RejectsFile = &r.Rejects
	}
	for i := range r.Loads {
		l := &r.Loads[i]
		s := etl.SheetReport{
			Sheet: l.Sheet, Level: l.Level, Year: l.Year, Release: l.Release, Units: l.Units, Read: l.Read, Loaded: l.Loaded, Rejected: l.Rejected, Unknown: l.Unknown, Lossy: l.Lossy,
			Status: etl.Status(l.Status), Reason: l.Reason, Stage: l.ID, Choices: l.Choices, Audits: l.Audits,
		}
		for _, e := range l.Evidence {
			s.Evidence = append(s.Evidence, sheet.Evidence(e))
		}
		for _, g := range l.Rejects {
			s.Rejects = append(s.Rejects, etl.RejectGroup(g))
		}
		report.Files = append(report.Files, etl.FileReport{Object: l.Object, Sheets: []etl.SheetReport{s}})
	}
	return report
}
