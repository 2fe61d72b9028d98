package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

type snapshotsCmd struct {
	All  bool `short:"a" help:"What was published before, too."`
	Wide bool `help:"All columns, however wide the table is."`
	JSON bool `short:"j" help:"Print JSON."`
}

func (c *snapshotsCmd) Run(a *app) error {
	return a.withExisting(func(store driver.Store) error {
		catalog, err := store.Catalog(a.ctx)
		if err != nil {
			return err
		}
		if !c.All {
			catalog.Snapshots = slices.DeleteFunc(slices.Clone(catalog.Snapshots), func(s egrid.Snapshot) bool { return s.Status == egrid.Superseded })
		}
		if c.JSON {
			if catalog.Snapshots == nil {
				catalog.Snapshots = []egrid.Snapshot{}
			}
			return printJSON(a, catalog)
		}
		if len(catalog.Snapshots) == 0 {
			a.tellNone("nothing is published")
			return nil
		}
		return a.sheet(snapshotColumns(catalog.Snapshots), c.Wide)
	})
}

// snapshotColumns are a table of snapshots, what matters most first.
func snapshotColumns(all []egrid.Snapshot) []terminal.Column {
	c := []terminal.Column{
		{Name: "id", Keep: true}, {Name: "level", Keep: true}, {Name: "year", Keep: true}, {Name: "release", Keep: true}, {Name: "status", Keep: true}, {Name: "rows", Right: true},
		{Name: "sources"}, {Name: "loaded", Keep: true}, {Name: "authority"}, {Name: "units", Keep: true}, {Name: "revision", Right: true}, {Name: "sha256"},
	}
	for i := range all {
		s := &all[i]
		var objects, sums []string
		for _, source := range s.Sources {
			objects = append(objects, strings.TrimSpace(source.Object+" "+source.Sheet))
			sums = append(sums, source.SHA256[:min(12, len(source.SHA256))])
		}
		for j, cell := range []string{
			string(s.ID), string(s.Level), fmt.Sprint(s.Year), cmp.Or(s.Release, egrid.NoRelease), string(s.Status), terminal.Thousands(s.Rows), strings.Join(objects, ", "),
			s.LoadedAt.Format("2006-01-02 15:04"), s.Authority, s.Units, fmt.Sprint(s.Revision), strings.Join(sums, "+"),
		} {
			c[j].Cells = append(c[j].Cells, cell)
		}
	}
	return c
}

type columnsCmd struct {
	Level   string `short:"l" help:"Of one level only."`
	History string `help:"Where a code appeared, was renamed, went: EPA's code, our name, or a header that an edition had." placeholder:"CODE"`
	JSON    bool   `help:"Print JSON."`
}

func (c *columnsCmd) Run(a *app) error {
	levels := egrid.Levels()
	if c.Level != "" {
		level, err := parseLevel(c.Level)
		if err != nil {
			return err
		}
		levels = []egrid.Level{level}
	}
	if c.History != "" {
		return c.history(a)
	}
	fields := []egrid.Field{}
	for _, level := range levels {
		fields = append(fields, egrid.Fields(level)...)
	}
	if c.JSON {
		return printJSON(a, fields)
	}
	const roomy = 140 // columns of a terminal
	if width := terminal.Columns(a.stdout); width > 0 && width < roomy {
		return a.describeColumns(fields, c.Level == "")
	}
	columns := []terminal.Column{
		{Name: "level", Keep: true}, {Name: "column", Wrap: true}, {Name: "code", Keep: true}, {Name: "unit", Keep: true}, {Name: "type", Keep: true}, {Name: "description", Wrap: true},
	}
	for _, f := range fields {
		for i, cell := range []string{string(f.Level), string(f.Column), f.Code, f.Unit, string(f.Type), f.Description} {
			columns[i].Cells = append(columns[i].Cells, cell)
		}
	}
	if c.Level != "" { // which all of them have
		columns = columns[1:]
	}
	return a.sheet(columns, false)
}

// describeColumns writes each column with its description below.
func (a *app) describeColumns(fields []egrid.Field, ofAll bool) error {
	paged, err := terminal.Pager(a.stdout, a.cli.Pager)
	if err != nil {
		return err
	}
	p := terminal.NewPage(paged)
	for _, f := range fields {
		about := []string{f.Code, f.Unit, string(f.Type)}
		if ofAll {
			about = append([]string{string(f.Level)}, about...)
		}
		p.Text(0, string(f.Column)+"  "+strings.Join(slices.DeleteFunc(about, func(s string) bool { return s == "" }), ", "))
		p.Text(4, f.Description)
	}
	return errors.Join(p.Err(), paged.Close())
}

// history prints where a column occurs, edition by edition.
func (c *columnsCmd) history(a *app) error {
	level, err := egrid.Level(""), error(nil)
	if c.Level != "" {
		if level, err = parseLevel(c.Level); err != nil {
			return err
		}
	}
	all, err := egrid.History(c.History, level)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, wire.ColumnHistoryOf(all, nil))
	}
	p := terminal.NewPage(a.stdout)
	for i := range all {
		h := &all[i]
		title := string(h.Level) + " " + h.Code
		if h.Column != "" {
			title += " (" + string(h.Column) + ")"
		}
		p.Heading(0, title)
		t := terminal.Table{Indent: 2, Header: []string{"edition", "what", "header", "evidence"}}
		for _, e := range h.Entries {
			t.Add(e.Edition, string(e.Event), e.Header, e.Evidence)
		}
		p.Table(t)
	}
	return p.Err()
}

type backupCmd struct {
	File string `arg:"" help:"New file." type:"path"`
}

func (c *backupCmd) Run(a *app) error {
	return a.withExisting(func(store driver.Store) error {
		b, ok := store.Scanner.(interface {
			Backup(ctx context.Context, path string) error
		})
		if !ok {
			return fmt.Errorf("%w: only a sqlite: store can be backed up", egrid.ErrInvalid)
		}
		if err := b.Backup(a.ctx, c.File); err != nil {
			return err
		}
		info, err := os.Stat(c.File)
		if err != nil {
			return err
		}
		a.tell("%s is copied to %s (%s)", shown(a.cli.Store), c.File, count(info.Size(), "byte"))
		return nil
	})
}

type migrateCmd struct{}

func (c *migrateCmd) Run(a *app) error {
	if scheme, _, _ := strings.Cut(a.cli.Store, ":"); scheme == "postgres" || scheme == "postgresql" {
		return pgstore.Migrate(a.ctx, a.cli.Store, nil)
	}
	return a.withExisting(func(driver.Store) error { return nil }) // the others have one version
}

type versionCmd struct {
	JSON bool `help:"Print JSON."`
}

func (c *versionCmd) Run(a *app) error {
	b := service.Version()
	if c.JSON {
		return printJSON(a, b)
	}
	_, err := fmt.Fprintf(a.stdout, "egrid %s %s %s\n", b.Version, b.Commit, b.Go)
	return err
}
