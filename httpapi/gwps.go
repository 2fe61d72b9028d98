package httpapi

import (
	"context"
	"errors"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// gwps remembers with which global warming potentials the CO2e of sheets was computed,
// by snapshot: what a snapshot holds never changes. The zero value is ready.
type gwps struct {
	mu    sync.Mutex
	found map[egrid.SnapshotID]string // empty where none fits
}

// maxGWPs bounds what is remembered.
const maxGWPs = 10_000

// of names the set of a data year and release, found on the US sheet or on that of
// the states; empty where neither is published or no set fits.
func (g *gwps) of(ctx context.Context, d data, year int, release string) (string, error) {
	for _, level := range []egrid.Level{egrid.US, egrid.ST} {
		for i := range d.catalog.Snapshots {
			if s := &d.catalog.Snapshots[i]; s.Status == egrid.Published && s.Level == level && s.Year == year && s.Release == release {
				return g.get(ctx, d, s)
			}
		}
	}
	return "", nil
}

func (g *gwps) get(ctx context.Context, d data, s *egrid.Snapshot) (string, error) {
	g.mu.Lock()
	name, known := g.found[s.ID]
	g.mu.Unlock()
	if known {
		return name, nil
	}
	fit, err := calc.GWPOf(ctx, d.db, *s)
	if errors.Is(err, egrid.ErrStale) { // pruned since the catalogue was read
		return "", nil
	}
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.found == nil || len(g.found) >= maxGWPs {
		g.found = map[egrid.SnapshotID]string{}
	}
	g.found[s.ID] = fit.Name
	return fit.Name, nil
}
