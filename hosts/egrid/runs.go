package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
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
			a.tell("there was no run in this store; load files with egrid load%s FILE", a.storeFlag())
			return nil
		}
		return a.sheet(runColumns(runs), c.Wide)
	})
}

// runColumns are a table of runs, what matters most first.
func runColumns(runs []driver.Run) []terminal.Column {
	c := []terminal.Column{
		{Name: "run", Keep: true}, {Name: "status", Keep: true}, {Name: "by", Keep: true}, {Name: "started", Keep: true}, {Name: "seconds", Right: true},
		{Name: "read", Right: true}, {Name: "loaded", Right: true}, {Name: "rejected", Right: true}, {Name: "chunks", Right: true}, {Name: "host"}, {Name: "error"},
	}
	for i := range runs {
		r := &runs[i]
		seconds := ""
		if r.Ended != nil {
			seconds = fmt.Sprintf("%.1f", max(r.Ended.Sub(r.Started), 0).Seconds())
		}
		for j, cell := range []string{
			r.ID, string(r.Status), string(r.Trigger), r.Started.UTC().Format("2006-01-02 15:04:05"), seconds, terminal.Thousands(r.Read), terminal.Thousands(r.Loaded),
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

func (a *app) showRun(r *driver.Run) error {
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	var b strings.Builder
	for _, line := range [][2]string{
		{"run", r.ID}, {"status", string(r.Status)}, {"started by", string(r.Trigger)}, {"host", r.Host}, {"due", when(r.Due)}, {"started", when(&r.Started)}, {"ended", when(r.Ended)},
		{"rows", fmt.Sprintf("%s read, %s loaded, %s rejected", terminal.Thousands(r.Read), terminal.Thousands(r.Loaded), terminal.Thousands(r.Rejected))},
		{"chunks", terminal.Thousands(r.Chunks)}, {"trace", r.TraceID}, {"error", r.Error},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-10s  %s\n", line[0], line[1])
		}
	}
	for i := range r.Loads {
		l := &r.Loads[i]
		name := strings.TrimSpace(l.Object + " " + l.Sheet)
		if l.Level != "" {
			name += fmt.Sprintf(": %s %d %s", l.Level, l.Year, cmp.Or(l.Release, egrid.NoRelease))
		}
		fmt.Fprintf(&b, "\n%s\n    %s, %s rows read, %s loaded\n", name, l.Status, terminal.Thousands(l.Read), terminal.Thousands(l.Loaded))
		if l.Reason != "" {
			fmt.Fprintf(&b, "    %s\n", l.Reason)
		}
	}
	_, err := fmt.Fprint(a.stdout, terminal.EscapeLines(b.String()))
	return err
}
