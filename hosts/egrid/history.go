package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type publishCmd struct {
	ID    string `arg:"" help:"Of a held load, or of a snapshot that was published before, as egrid snapshots --all prints it."`
	Merge bool   `help:"Update and add rows by identifier, and remove none, instead of replacing what is published."`
}

func (c *publishCmd) Run(a *app) error {
	return a.withSnapshot(c.ID, func(s driver.Store, found egrid.Snapshot) error {
		switch found.Status {
		case egrid.Published:
			_, err := fmt.Fprintf(a.stdout, "%s is published already\n", nameOf(found))
			return err
		case egrid.Superseded:
			if c.Merge {
				return fmt.Errorf("%w: %s was published before, and is made the answer again as it is; leave out --merge", egrid.ErrInvalid, found.ID)
			}
			return a.restore(s, found)
		}
		policy := driver.PublishReplace
		if c.Merge {
			policy = driver.PublishMerge
		}
		report, err := s.Publish(a.ctx, found.Stage, driver.PublishRequest{Policy: policy})
		if err != nil {
			return err
		}
		if report.Status == egrid.Held {
			if _, err = fmt.Fprintf(a.stdout, "%s: still held: %s\n", nameOf(report.Snapshot), report.Reason); err == nil {
				err = incomplete
			}
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %s, %s rows\n", nameOf(report.Snapshot), report.Status, terminal.Thousands(report.Snapshot.Rows))
		return err
	})
}

type discardCmd struct {
	ID string `arg:"" help:"Of a held load, as egrid snapshots prints it."`
}

func (c *discardCmd) Run(a *app) error {
	return a.withSnapshot(c.ID, func(s driver.Store, found egrid.Snapshot) error {
		if found.Status != egrid.Held {
			return fmt.Errorf("%w: %s is %s, and only held loads are discarded; egrid prune drops what was published before", egrid.ErrInvalid, found.ID, found.Status)
		}
		if err := s.Discard(a.ctx, found.Stage); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.stdout, "%s: discarded\n", nameOf(found))
		return err
	})
}

type rollbackCmd struct {
	Level   string `arg:"" help:"UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO or ZIP."`
	Year    int    `arg:"" help:"Data year."`
	Release string `help:"Release, e.g. v2; none for the unmarked one. Default: the newest that is published."`
}

func (c *rollbackCmd) Run(a *app) error {
	level, err := parseLevel(c.Level)
	if err != nil {
		return err
	}
	return a.withExisting(func(s driver.Store) error {
		catalog, err := s.Catalog(a.ctx)
		if err != nil {
			return err
		}
		published, err := driver.SelectSnapshots(catalog, level, c.Year, c.Release)
		if err != nil {
			return err
		}
		if len(published) == 0 {
			return fmt.Errorf("%w: no %s sheet is published", egrid.ErrNotFound, level)
		}
		live := published[0]
		// The catalogue lists the latest of an edition first.
		i := slices.IndexFunc(catalog.Snapshots, func(x egrid.Snapshot) bool {
			return x.Status == egrid.Superseded && x.Level == live.Level && x.Year == live.Year && x.Release == live.Release
		})
		if i < 0 {
			return fmt.Errorf("%w: nothing was published before %s, or it was pruned", egrid.ErrNotFound, nameOf(live))
		}
		return a.restore(s, catalog.Snapshots[i])
	})
}

func (a *app) restore(s driver.Store, before egrid.Snapshot) error {
	now, err := s.Restore(a.ctx, before.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s is published again: %s rows, loaded %s\n", nameOf(now), terminal.Thousands(now.Rows), now.LoadedAt.Format("2006-01-02 15:04"))
	return err
}

type pruneCmd struct {
	Keep      int `help:"How many superseded snapshots of each level, data year and release stay." default:"10"`
	OlderThan age `help:"Drop only those that were loaded longer ago, e.g. 30d, 2w or 720h." placeholder:"AGE"`
}

// age is a duration that may be given in days and weeks.
type age time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (g *age) UnmarshalText(text []byte) error {
	const day = 24 * time.Hour
	s := string(text)
	for ending, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if n, err := strconv.Atoi(strings.TrimSuffix(s, ending)); err == nil && strings.HasSuffix(s, ending) {
			*g = age(time.Duration(n) * unit)
			return nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no age; give days, weeks or hours, as 30d, 2w or 720h", s)
	}
	*g = age(d)
	return nil
}

func (c *pruneCmd) Run(a *app) error {
	if c.Keep < 0 || c.OlderThan < 0 {
		return fmt.Errorf("%w: --keep and --older-than are not negative", egrid.ErrInvalid)
	}
	return a.withExisting(func(s driver.Store) error {
		dropped, err := s.Prune(a.ctx, driver.PruneRequest{Keep: c.Keep, OlderThan: time.Duration(c.OlderThan)})
		if err != nil {
			return err
		}
		for _, x := range dropped {
			fmt.Fprintf(a.stdout, "dropped %s, %s rows\n", nameOf(x), terminal.Thousands(x.Rows))
		}
		_, err = fmt.Fprintf(a.stdout, "%d snapshots dropped\n", len(dropped))
		return err
	})
}

// withSnapshot finds a snapshot by its id, or by that of its load. Where a held
// load has the content, and so the id, of what is or was published, it is the
// load that is found: that is what waits for a decision.
func (a *app) withSnapshot(id string, f func(driver.Store, egrid.Snapshot) error) error {
	return a.withExisting(func(s driver.Store) error {
		catalog, err := s.Catalog(a.ctx)
		if err != nil {
			return err
		}
		found, ok := catalog.Find(id)
		if i := slices.IndexFunc(catalog.Snapshots, func(x egrid.Snapshot) bool { return x.Status == egrid.Held && string(x.ID) == id }); i >= 0 {
			found = catalog.Snapshots[i]
		}
		if !ok {
			return fmt.Errorf("%w: no snapshot or held load %q; egrid snapshots --all lists them", egrid.ErrNotFound, id)
		}
		return f(s, found)
	})
}

// nameOf names a snapshot for people, e.g. "SRL 2018 v2 (1f6a...)".
func nameOf(s egrid.Snapshot) string {
	name := fmt.Sprintf("%s %d", s.Level, s.Year)
	if s.Release != "" {
		name += " " + s.Release
	}
	return fmt.Sprintf("%s (%s)", name, s.ID)
}
