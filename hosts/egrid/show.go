package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type snapshotsCmd struct {
	All  bool `help:"What was published before, too."`
	JSON bool `help:"Print JSON."`
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
		t := terminal.Table{Header: []string{"id", "level", "year", "release", "authority", "units", "rows", "status", "revision", "loaded", "sha256", "sources"}, Right: []bool{false, false, false, false, false, false, true, false, true}}
		for _, s := range catalog.Snapshots {
			var objects, sums []string
			for _, source := range s.Sources {
				objects = append(objects, strings.TrimSpace(source.Object+" "+source.Sheet))
				sums = append(sums, source.SHA256[:min(12, len(source.SHA256))])
			}
			t.Add(string(s.ID), string(s.Level), fmt.Sprint(s.Year), s.Release, s.Authority, s.Units, terminal.Thousands(s.Rows), string(s.Status), fmt.Sprint(s.Revision),
				s.LoadedAt.Format("2006-01-02 15:04"), strings.Join(sums, "+"), strings.Join(objects, ", "))
		}
		return t.Write(a.stdout)
	})
}

type columnsCmd struct {
	Level string `help:"Of one level only."`
	JSON  bool   `help:"Print JSON."`
}

func (c *columnsCmd) Run(a *app) error {
	levels := egrid.Levels()
	if c.Level != "" {
		level, err := egrid.ParseLevel(c.Level)
		if err != nil {
			return err
		}
		levels = []egrid.Level{level}
	}
	fields := []egrid.Field{}
	for _, level := range levels {
		fields = append(fields, egrid.Fields(level)...)
	}
	if c.JSON {
		return printJSON(a, fields)
	}
	t := terminal.Table{Header: []string{"level", "column", "code", "unit", "type", "description"}}
	for _, f := range fields {
		t.Add(string(f.Level), string(f.Column), f.Code, f.Unit, string(f.Type), f.Description)
	}
	return t.Write(a.stdout)
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
		return b.Backup(a.ctx, c.File)
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
