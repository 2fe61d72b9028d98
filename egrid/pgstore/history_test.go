package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

// loadRound loads a round and returns its snapshot.
func loadRound(t *testing.T, store driver.Loader, n int) egrid.Snapshot {
	t.Helper()
	report, err := load(t.Context(), store, "round", n, io.Discard)
	if err != nil || report.Status != egrid.Published {
		t.Fatalf("round %d: %s, %v", n, report.Status, err)
	}
	return report.Snapshot
}

// planOf reads a snapshot whole.
func planOf(t *testing.T, s *egrid.Snapshot) *driver.Plan {
	t.Helper()
	p, err := driver.PlanRows(egrid.Catalog{Snapshots: []egrid.Snapshot{*s}}, egrid.RowQuery{Level: egrid.GEN})
	if err != nil {
		t.Fatal(err)
	}
	p.Limit = 0
	return p
}

// scanned counts the rows of a plan, all of which are of one round.
func scanned(t *testing.T, store driver.Scanner, p *driver.Plan) (rows, round int, err error) {
	t.Helper()
	for b, err := range store.Scan(t.Context(), p) {
		if err != nil {
			return rows, round, err
		}
		for row := range b.Rows() {
			x, _ := row.Float(egrid.NetGeneration)
			if rows > 0 && int(x) != round || row.Number() != int64(rows+1) {
				t.Fatalf("row %d of round %d is row %d of round %v", rows+1, round, row.Number(), x)
			}
			round = int(x)
			rows++
		}
	}
	return rows, round, nil
}

// TestSupersededStay looks at what readers of the store and users of other tools
// see while snapshots are replaced, restored and pruned.
func TestSupersededStay(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	snapshots := map[int]*egrid.Snapshot{}
	for n := 1; n <= 3; n++ {
		snap := loadRound(t, store, n)
		snapshots[n] = &snap
	}
	tool := connect(t)
	expect := func(published int, there ...int) {
		t.Helper()
		if got := checkWhole(t, store); got != published {
			t.Errorf("readers see round %d; want %d", got, published)
		}
		var rows, round, listed int
		err := tool.QueryRow(t.Context(), fmt.Sprintf("SELECT count(*), min(net_generation_mwh), (SELECT count(*) FROM %[1]s.snapshots WHERE id = '%s') FROM %[1]s.gen", schema, snapshots[published].ID)).Scan(&rows, &round, &listed)
		if err != nil || rows != roundRows || round != published || listed != 1 {
			t.Errorf("tools see %d rows of round %d, listed %d times, %v; want %d of %d", rows, round, listed, err, roundRows, published)
		}
		for _, n := range there {
			if rows, round, err := scanned(t, store, planOf(t, snapshots[n])); err != nil || rows != roundRows || round != n {
				t.Errorf("a scan of round %d has %d rows of round %d, %v", n, rows, round, err)
			}
		}
	}
	expect(3, 1, 2, 3)
	restored, err := store.Restore(t.Context(), snapshots[1].ID)
	if err != nil || restored.ID != snapshots[1].ID || restored.Status != egrid.Published || restored.Revision != 4 {
		t.Fatalf("got %+v, %v; want round 1 at revision 4", restored, err)
	}
	expect(1, 1, 2, 3)
	// The same file again: it is still here.
	report, err := store.Publish(t.Context(), snapshots[2].Stage, driver.PublishRequest{Policy: driver.PublishReplace})
	if err != nil || report.Status != egrid.Published || report.Snapshot.ID != snapshots[2].ID || report.Snapshot.Revision != 5 {
		t.Fatalf("got %+v, %v; want round 2 at revision 5", report, err)
	}
	expect(2, 1, 2, 3)
	// The same content in another file.
	again, err := load(t.Context(), store, "another file", 3, io.Discard)
	if err != nil || again.Status != egrid.Published || again.Snapshot.Stage != snapshots[3].Stage || !again.Snapshot.Has(stage(t, store, specOf("another file", 3))) {
		t.Fatalf("got %+v, %v; want the snapshot of round 3, and that it knows the file", again, err)
	}
	expect(3, 1, 2, 3)
	pruned, err := store.Prune(t.Context(), driver.PruneRequest{Keep: 1})
	if err != nil || len(pruned) != 1 || pruned[0].ID != snapshots[1].ID {
		t.Fatalf("pruned %+v, %v; want round 1", pruned, err)
	}
	expect(3, 2, 3)
	if _, _, err := scanned(t, store, planOf(t, snapshots[1])); !errors.Is(err, egrid.ErrStale) {
		t.Errorf("a scan of what was pruned: got %v; want ErrStale", err)
	}
	if _, err := store.Restore(t.Context(), snapshots[1].ID); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("restoring what was pruned: got %v; want ErrNotFound", err)
	}
	if got := loadRound(t, store, 1); got.ID != snapshots[1].ID {
		t.Errorf("round 1 has the id %s; want %s", got.ID, snapshots[1].ID)
	}
	expect(1, 1, 2, 3)
}

func specOf(content string, n int) driver.SnapshotSpec {
	spec, _ := round(content, n)
	return spec
}

// TestKeep prunes while publishing, as far as the options say.
func TestKeep(t *testing.T) {
	for keep, want := range map[int]int{0: 10, 2: 2, -1: 12} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			store := openAt(t, serverURL(t), &pgstore.Options{Schema: newSchema(t), Migrate: true, Keep: keep})
			for n := range 13 {
				loadRound(t, store, n)
			}
			catalog, err := store.Catalog(t.Context())
			if err != nil || len(catalog.Snapshots) != want+1 || len(catalog.Pruned) != 12-want {
				t.Errorf("%d snapshots are there and %d were pruned, %v; want %d superseded", len(catalog.Snapshots), len(catalog.Pruned), err, want)
			}
		})
	}
}

// TestSlowScan publishes and prunes under a reader that takes its time, and
// under a tool that holds a lock on a superseded table: neither waits.
func TestSlowScan(t *testing.T) {
	schema := newSchema(t)
	store := openAt(t, serverURL(t), &pgstore.Options{Schema: schema, Migrate: true, ReadConnections: 1})
	first := loadRound(t, store, 1)
	seen := 0
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for b, err := range store.Scan(ctx, planOf(t, &first)) {
		if err != nil {
			t.Fatal(err)
		}
		if seen == 0 {
			loadRound(t, store, 2)
			if got := checkWhole(t, store); got != 2 { // on the only connection for reading
				t.Errorf("readers see round %d", got)
			}
		}
		for row := range b.Rows() {
			if x, _ := row.Float(egrid.NetGeneration); x != 1 {
				t.Fatalf("row %d is of round %v", row.Number(), x)
			}
		}
		seen += b.Len()
	}
	if seen != roundRows {
		t.Errorf("the reader has seen %d rows of %d", seen, roundRows)
	}

	tool, err := connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tool.Exec(t.Context(), "SELECT count(*) FROM "+schema+".gen_2023_1"); err != nil {
		t.Fatal(err)
	}
	var stale error
	for b, err := range store.Scan(ctx, planOf(t, &first)) {
		if stale = err; err != nil {
			break
		}
		if b.Number(0) == 1 {
			pruned, err := store.Prune(ctx, driver.PruneRequest{})
			if err != nil || len(pruned) != 1 {
				t.Fatalf("pruned %d snapshots, %v; want 1", len(pruned), err)
			}
		}
	}
	if !errors.Is(stale, egrid.ErrStale) {
		t.Errorf("a scan of what is pruned meanwhile ends with %v; want ErrStale", stale)
	}
	there := func() bool {
		t.Helper()
		var there bool
		if err := connect(t).QueryRow(t.Context(), "SELECT to_regclass('"+schema+".gen_2023_1') IS NOT NULL").Scan(&there); err != nil {
			t.Fatal(err)
		}
		return there
	}
	if !there() {
		t.Error("a table was dropped under its reader")
	}
	if err := tool.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Prune(ctx, driver.PruneRequest{}); err != nil || there() {
		t.Errorf("the table of a pruned snapshot is still there, %v", err)
	}
}

// database makes a database, as a copy of another one where that is named, and
// returns its URL.
func database(t *testing.T, name, template string) string {
	t.Helper()
	sql := "CREATE DATABASE " + name
	if template != "" {
		sql += " TEMPLATE " + template
	}
	execute(t, serverURL(t), sql)
	t.Cleanup(func() { execute(t, serverURL(t), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u, err := url.Parse(serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// TestRestoredUnderneath restores the database from a backup under a running
// store, and loads other content: revision and everything else that counts comes
// again, the figures must not.
func TestRestoredUnderneath(t *testing.T) {
	name := newSchema(t)
	address := database(t, name, "")
	loading := func(n int) egrid.Snapshot {
		t.Helper()
		other := openAt(t, address, &pgstore.Options{Migrate: true})
		defer func() { _ = other.Close() }()
		return loadRound(t, other, n)
	}
	loading(1)
	database(t, name+"_backup", name)
	store := openAt(t, address, nil)
	expect := func(round int, revision int64) {
		t.Helper()
		if got := checkWhole(t, store); got != round {
			t.Errorf("readers see round %d; want %d", got, round)
		}
		catalog, err := store.Catalog(t.Context())
		if err != nil || catalog.Revision != revision {
			t.Errorf("got revision %d, %v; want %d", catalog.Revision, err, revision)
		}
	}
	expect(1, 1)
	lost := loading(2)
	expect(2, 2)
	execute(t, serverURL(t), "DROP DATABASE "+name+" WITH (FORCE)")
	execute(t, serverURL(t), "CREATE DATABASE "+name+" TEMPLATE "+name+"_backup")
	if _, _, err := scanned(t, store, planOf(t, &lost)); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("a scan of what the backup does not have: got %v; want ErrNotFound", err)
	}
	expect(1, 1)
	loading(3)
	expect(3, 2)
}

// TestRestoredWithinAMoment is the same without a moment in which the store could
// look: it has not asked between the loss and the next load, which brings every
// counter and every name of a table back to what it knows.
func TestRestoredWithinAMoment(t *testing.T) {
	name := newSchema(t)
	address := database(t, name, "")
	before := openAt(t, address, &pgstore.Options{Migrate: true})
	loadRound(t, before, 1)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	database(t, name+"_backup", name)
	store := openAt(t, address, nil)
	loadRound(t, store, 2)
	if got := checkWhole(t, store); got != 2 {
		t.Fatalf("readers see round %d; want 2", got)
	}
	execute(t, serverURL(t), "DROP DATABASE "+name+" WITH (FORCE)")
	execute(t, serverURL(t), "CREATE DATABASE "+name+" TEMPLATE "+name+"_backup")
	now := loadRound(t, openAt(t, address, nil), 3)
	catalog, err := store.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != 2 || catalog.Snapshots[0].ID != now.ID || catalog.Revision != 2 {
		t.Errorf("the catalogue lists %v, %v; want %s at revision 2", catalog.Snapshots, err, now.ID)
	}
	if got := checkWhole(t, store); got != 3 {
		t.Errorf("readers see round %d; want 3", got)
	}
}

// TestLaggingReplica reads from a server that is behind. It answers from what it
// has, and nothing of the other shows.
func TestLaggingReplica(t *testing.T) {
	name := newSchema(t)
	address := database(t, name, "")
	before := openAt(t, address, &pgstore.Options{Migrate: true})
	loadRound(t, before, 1)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	replica := database(t, name+"_replica", name)
	store := openAt(t, address, &pgstore.Options{ReadURL: replica})
	fresh := loadRound(t, store, 2)
	for range 2 { // publishing reads the other catalogue in between
		catalog, err := store.Catalog(t.Context())
		if err != nil || catalog.Revision != 1 || len(catalog.Snapshots) != 1 {
			t.Errorf("got %d snapshots at revision %d, %v; want 1 at 1", len(catalog.Snapshots), catalog.Revision, err)
		}
		if got := checkWhole(t, store); got != 1 {
			t.Errorf("readers see round %d; want 1", got)
		}
		if _, _, err := scanned(t, store, planOf(t, &fresh)); !errors.Is(err, egrid.ErrNotFound) {
			t.Errorf("a scan of what is not here yet: got %v; want ErrNotFound", err)
		}
		loadRound(t, store, 3)
		if _, err := store.Restore(t.Context(), fresh.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Prune(t.Context(), driver.PruneRequest{}); err != nil {
			t.Fatal(err)
		}
	}
}
