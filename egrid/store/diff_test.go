package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// regions loads subregions of 2018 and returns the id of the snapshot.
func regions(t *testing.T, l driver.Loader, release, rows string) egrid.SnapshotID {
	t.Helper()
	o := &store.LoadOptions{Publish: driver.PublishReplace}
	o.Name, o.Year, o.Release = "SRL18.csv", 2018, release
	loaded, err := store.Load(t.Context(), l, strings.NewReader("SUBRGN,SRNGENAN,SRCO2AN\n"+rows), o)
	if err != nil {
		t.Fatal(err)
	}
	return loaded.Reports[0].Snapshot.ID
}

func TestDiff(t *testing.T) {
	t.Parallel()
	backend := memstore.New()
	defer backend.Close()
	first := regions(t, backend, "v1", "CAMX,100,50\nNYLI,10,0\nERCT,7,5\n")
	second := regions(t, backend, "v1", "CAMX,100,50\nNYLI,10,2\n")
	regions(t, backend, "v2", "NYLI,10,1.2\nCAMX,150,50\nRFCW,7,5\n")
	db := store.New(backend)
	for _, test := range []struct {
		q    store.DiffQuery
		want string // rows, changed, added, lost: changes
	}{
		{store.DiffQuery{Level: egrid.SRL, From: "v1", To: "v2"}, "2 2 1 0: CAMX net_generation_mwh 100 150 NYLI co2_short_tons 2 1.2"},
		{store.DiffQuery{Level: egrid.SRL, Year: 2018, From: "v1"}, "2 2 1 0: CAMX net_generation_mwh 100 150 NYLI co2_short_tons 2 1.2"},
		{store.DiffQuery{Level: egrid.SRL, From: string(first), To: string(second)}, "2 1 0 1: NYLI co2_short_tons 0 2"},
		{store.DiffQuery{Level: egrid.SRL, From: "V2", To: string(first)}, "2 2 1 1: NYLI co2_short_tons 1.2 0 CAMX net_generation_mwh 150 100"},
		{store.DiffQuery{Level: egrid.SRL, From: "v2", To: "v2"}, "3 0 0 0:"},
	} {
		d, err := db.Diff(t.Context(), test.q)
		got := fmt.Sprintf("%d %d %d %d:", d.Rows, d.Changed, d.Added, d.Lost)
		for _, c := range d.Changes {
			got += fmt.Sprintf(" %s %s %s %s", c.Key, c.Column, c.From, c.To)
		}
		if err != nil || got != test.want || len(d.Changes) > 0 && *d.Largest != d.Changes[0] {
			t.Errorf("%+v: %v\n got %s, the largest %v\nwant %s", test.q, err, got, d.Largest, test.want)
		}
	}
	for _, test := range []struct {
		q    store.DiffQuery
		want error
		says string
	}{
		{store.DiffQuery{Level: egrid.SRL}, egrid.ErrInvalid, "compare with"},
		{store.DiffQuery{Level: egrid.SRL, From: "v3"}, egrid.ErrNotFound, "2018 v1, 2018 v2"},
		{store.DiffQuery{Level: egrid.SRL, From: "v1", Year: 2019}, egrid.ErrNotFound, "2018"},
		{store.DiffQuery{Level: egrid.PLNT, From: "v1"}, egrid.ErrNotFound, "PLNT"},
		{store.DiffQuery{Level: egrid.SRL, From: "latest"}, egrid.ErrInvalid, "latest"},
		{store.DiffQuery{Level: egrid.SRL, From: "0123456789abcdef01234567"}, egrid.ErrNotFound, "0123456789abcdef01234567"},
		{store.DiffQuery{Level: egrid.ST, From: string(first), To: string(second)}, egrid.ErrInvalid, "level SRL"},
	} {
		if _, err := db.Diff(t.Context(), test.q); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v; want %v that tells of %q", test.q, err, test.want, test.says)
		}
	}
	if _, err := backend.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Diff(t.Context(), store.DiffQuery{Level: egrid.SRL, From: string(first)}); !errors.Is(err, egrid.ErrStale) {
		t.Errorf("a pruned snapshot: %v; want ErrStale", err)
	}
}
