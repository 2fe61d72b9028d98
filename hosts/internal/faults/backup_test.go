package faults_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	domain "github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
)

// identities reads every row of every snapshot, and checks that they are what the
// snapshot's id was made of. It returns the ids of what is published, in the
// catalogue's order.
func identities(ctx context.Context, s driver.Scanner) ([]string, error) {
	catalog, err := s.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	var published []string
	for _, snap := range catalog.Snapshots {
		var digest driver.Digest
		rows := int64(0)
		for b, err := range driver.ReadSnapshot(ctx, s, snap) {
			if err != nil {
				return nil, err
			}
			digest = digest.Plus(driver.DigestOf(b))
			rows += int64(b.Len())
		}
		if id := driver.IdentityOf(&snap, digest); id != snap.ID || rows != snap.Rows {
			return nil, fmt.Errorf("%s %d has %d of %d rows, which make the id %s and not %s", snap.Level, snap.Year, rows, snap.Rows, id, snap.ID)
		}
		if snap.Status == domain.Published {
			published = append(published, fmt.Sprint(snap.Level, snap.Year, snap.Release, " ", snap.ID))
		}
	}
	return published, nil
}

// mustIdentities is identities of a store by its address.
func mustIdentities(t *testing.T, address string) string {
	t.Helper()
	s, err := storeurl.Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	published, err := identities(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(published, "\n")
}

// TestFaultBackup copies an embedded store again and again while processes load
// into it. Each copy opens, and its snapshots are whole.
func TestFaultBackup(t *testing.T) {
	if err := build(); err != nil {
		t.Fatal(err)
	}
	editions, err := small()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "egrid.db")
	mustEgrid(t, "load", "--store", file, editions.old.dir)
	ctx, stop := context.WithCancel(t.Context())
	loads, ended := 0, make(chan error, 1)
	go func() {
		for {
			for _, e := range []edition{editions.new, editions.old} {
				if _, err := egrid(ctx, "load", "--publish", "replace", "--store", file, e.dir); err != nil {
					if ctx.Err() != nil {
						err = nil
					}
					ended <- err
					return
				}
				loads++
			}
		}
	}()
	const copies = 8 // and more, until one has another state
	states := map[string]int{}
	for i, first := 0, time.Now(); i < copies || len(states) < 2 && time.Since(first) < patience; i++ {
		name := filepath.Join(dir, fmt.Sprint("copy", i, ".db"))
		began := time.Now()
		mustEgrid(t, "backup", "--store", file, name)
		if i == 0 {
			t.Logf("a copy takes %v", time.Since(began).Round(time.Millisecond))
		}
		s, err := sqlitestore.Open(t.Context(), name, nil)
		if err != nil {
			t.Fatalf("copy %d: %v", i, err)
		}
		published, err := identities(t.Context(), s)
		if err != nil {
			t.Errorf("copy %d: %v", i, err)
		}
		states[strings.Join(published, "\n")]++
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		// It is a store as any other: a load goes on with it.
		if i == copies-1 {
			mustEgrid(t, "load", "--publish", "replace", "--store", name, editions.new.dir)
			for _, level := range levels() {
				if got, err := printedRows(t.Context(), name, level); err != nil || got != editions.new.sheets[level] {
					t.Errorf("%s: %v, %s", level, err, difference(got, editions.new.sheets[level]))
				}
			}
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	t.Logf("copies of %d states during %d loads", len(states), loads)
	if len(states) < 2 {
		t.Error("every copy has the same state: nothing was written meanwhile")
	}
}

// TestFaultRebuild loses the database, and makes it anew of the bucket alone: by
// services whose chunks are of another size, and by one process into a file. Both
// have the same snapshots, by their ids.
func TestFaultRebuild(t *testing.T) {
	p := newPlatform(t, small)
	b := newBucket(t)
	b.putFolder(t, p.editions.new.dir)
	p.env = append(p.env, b.env("")...)
	p.consume(2)
	p.etl(b.address()).ends(t)
	want := mustIdentities(t, p.store)
	p.wantNew()

	mustSQL(t, p.admin, "DROP SCHEMA egrid CASCADE")
	mustEgrid(t, "migrate", "--store", p.store)
	p.chunk = 64 << 10
	p.consume(2)
	p.etl(b.address()).ends(t)
	if got := mustIdentities(t, p.store); got != want {
		t.Errorf("rebuilt:\n%s\nwant\n%s", got, want)
	}
	p.wantDone()

	file := filepath.Join(t.TempDir(), "egrid.db")
	for _, pair := range b.env("") {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	mustEgrid(t, "load", "--store", file, b.address())
	if got := mustIdentities(t, file); got != want {
		t.Errorf("rebuilt as a file:\n%s\nwant\n%s", got, want)
	}
}
