package sqlitestore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// loadRound loads a round and returns its snapshot.
func loadRound(t *testing.T, file driver.Loader, n int) egrid.Snapshot {
	t.Helper()
	report, err := load(t.Context(), file, "round", n, io.Discard)
	if err != nil || report.Status != egrid.Published {
		t.Fatalf("round %d: %s, %v", n, report.Status, err)
	}
	return report.Snapshot
}

// planOf reads a snapshot whole.
func planOf(t *testing.T, s egrid.Snapshot) *driver.Plan {
	t.Helper()
	s.Status = egrid.Published
	p, err := driver.PlanRows(egrid.Catalog{Snapshots: []egrid.Snapshot{s}}, egrid.RowQuery{Level: egrid.GEN})
	if err != nil {
		t.Fatal(err)
	}
	p.Limit = 0
	return p
}

// scanned counts the rows of a plan, all of which are of one round.
func scanned(t *testing.T, file driver.Scanner, p *driver.Plan) (rows, round int, err error) {
	t.Helper()
	for b, err := range file.Scan(t.Context(), p) {
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
	path := filepath.Join(t.TempDir(), "egrid.db")
	file, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	tool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tool.Close() }()
	snapshots := map[int]egrid.Snapshot{}
	for n := 1; n <= 3; n++ {
		snapshots[n] = loadRound(t, file, n)
	}
	expect := func(published int, there ...int) {
		t.Helper()
		if got := checkWhole(t, file); got != published {
			t.Errorf("readers see round %d; want %d", got, published)
		}
		var rows, views, tables int
		var round float64
		if err := tool.QueryRowContext(t.Context(), `SELECT count(*), min(net_generation_mwh), (SELECT count(*) FROM sqlite_schema WHERE type = 'view'),
			(SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB 'sheet_*') FROM gen_2023`).Scan(&rows, &round, &views, &tables); err != nil {
			t.Fatal(err)
		}
		if rows != roundRows || int(round) != published || views != 1 || tables != len(there) {
			t.Errorf("tools see %d rows of round %v in %d views over %d tables; want %d of %d in 1 over %d", rows, round, views, tables, roundRows, published, len(there))
		}
		for _, n := range there {
			if rows, round, err := scanned(t, file, planOf(t, snapshots[n])); err != nil || rows != roundRows || round != n {
				t.Errorf("a scan of round %d has %d rows of round %d, %v", n, rows, round, err)
			}
		}
	}
	expect(3, 1, 2, 3)
	restored, err := file.Restore(t.Context(), snapshots[1].ID)
	if err != nil || restored.ID != snapshots[1].ID || restored.Status != egrid.Published || restored.Revision != 4 {
		t.Fatalf("got %+v, %v; want round 1 at revision 4", restored, err)
	}
	expect(1, 1, 2, 3)
	// The same file again: it is still here.
	report, err := file.Publish(t.Context(), snapshots[2].Stage, driver.PublishRequest{Policy: driver.PublishReplace})
	if err != nil || report.Status != egrid.Published || report.Snapshot.ID != snapshots[2].ID || report.Snapshot.Revision != 5 {
		t.Fatalf("got %+v, %v; want round 2 at revision 5", report, err)
	}
	expect(2, 1, 2, 3)
	// The same content in another file.
	another, _ := round("another file", 3)
	again, err := load(t.Context(), file, "another file", 3, io.Discard)
	if err != nil || again.Status != egrid.Published || again.Snapshot.Stage != snapshots[3].Stage || !again.Snapshot.Has(another.ID()) {
		t.Fatalf("got %+v, %v; want the snapshot of round 3, and that it knows the file", again, err)
	}
	expect(3, 1, 2, 3)
	pruned, err := file.Prune(t.Context(), driver.PruneRequest{Keep: 1})
	if err != nil || len(pruned) != 1 || pruned[0].ID != snapshots[1].ID {
		t.Fatalf("pruned %+v, %v; want round 1", pruned, err)
	}
	expect(3, 2, 3)
	if _, _, err := scanned(t, file, planOf(t, snapshots[1])); !errors.Is(err, egrid.ErrStale) {
		t.Errorf("a scan of what was pruned: got %v; want ErrStale", err)
	}
	if _, err := file.Restore(t.Context(), snapshots[1].ID); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("restoring what was pruned: got %v; want ErrNotFound", err)
	}
	if got := loadRound(t, file, 1); got.ID != snapshots[1].ID {
		t.Errorf("round 1 has the id %s; want %s", got.ID, snapshots[1].ID)
	}
	expect(1, 1, 2, 3)
}

// TestKeep prunes while publishing, as far as the options say.
func TestKeep(t *testing.T) {
	for keep, want := range map[int]int{0: 10, 2: 2, -1: 12} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			file, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "egrid.db"), &sqlitestore.Options{Keep: keep})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = file.Close() }()
			for n := range 13 {
				loadRound(t, file, n)
			}
			catalog, err := file.Catalog(t.Context())
			if err != nil || len(catalog.Snapshots) != want+1 || len(catalog.Pruned) != 12-want {
				t.Errorf("%d snapshots are there and %d were pruned, %v; want %d superseded", len(catalog.Snapshots), len(catalog.Pruned), err, want)
			}
		})
	}
}

// TestSlowScan publishes, reads and prunes under a reader that takes its time:
// nobody waits for it, and it ends when its snapshot goes.
func TestSlowScan(t *testing.T) {
	file, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "egrid.db"), &sqlitestore.Options{ReadConnections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	schema, rows := long(t)
	id, err := file.Stage(t.Context(), driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "long.csv", SHA256: "long"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Put(t.Context(), id, driver.Chunk{Rows: rows}); err != nil {
		t.Fatal(err)
	}
	first, err := file.Publish(t.Context(), id, driver.PublishRequest{Chunks: 1, Rows: longRows})
	if err != nil {
		t.Fatal(err)
	}
	sorted := planOf(t, first.Snapshot)
	sorted.Sort = []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}
	for _, p := range []*driver.Plan{planOf(t, first.Snapshot), sorted} {
		seen := 0
		for b, err := range file.Scan(t.Context(), p) {
			if err != nil {
				t.Fatal(err)
			}
			if seen == 0 {
				if _, err := load(t.Context(), file, fmt.Sprint("round ", len(p.Sort)), len(p.Sort), io.Discard); err != nil {
					t.Fatal(err)
				}
				if got := checkWhole(t, file); got != len(p.Sort) { // on the only connection for reading
					t.Errorf("readers see round %d", got)
				}
			}
			for row := range b.Rows() {
				if seen++; row.Number() != int64(seen) {
					t.Fatalf("row %d is row %d", seen, row.Number())
				}
			}
		}
		if seen != longRows {
			t.Errorf("the reader has seen %d rows of %d", seen, longRows)
		}
	}
	var stale error
	for _, err := range file.Scan(t.Context(), sorted) {
		if stale = err; err != nil {
			break
		}
		if _, err := file.Prune(t.Context(), driver.PruneRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(stale, egrid.ErrStale) {
		t.Errorf("a scan of what is pruned meanwhile ends with %v; want ErrStale", stale)
	}
}

const longRows = 100_001 // more than a page of a scan

// long is a sheet whose net generation falls in steps of seven rows, and is missing in the last.
func long(t *testing.T) (*egrid.Schema, *egrid.Batch) {
	t.Helper()
	spec, _ := round("", 0)
	b := egrid.NewBuilder(spec.Schema, 2023)
	at := spec.Schema.Index(egrid.NetGeneration)
	for i := range longRows {
		if i < longRows-5 {
			b.Number(at, float64(longRows-i/7))
		}
		b.EndRow(int64(i+1), 0)
	}
	return spec.Schema, b.Batch()
}

// TestRestoredUnderneath restores the file from a backup under a running store,
// and loads other content before that has looked: revision and everything else
// that counts comes again, the figures must not.
func TestRestoredUnderneath(t *testing.T) {
	path, backup := filepath.Join(t.TempDir(), "egrid.db"), filepath.Join(t.TempDir(), "backup.db")
	file, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	loadRound(t, file, 1)
	if err := file.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	lost := loadRound(t, file, 2)
	if got := checkWhole(t, file); got != 2 {
		t.Fatalf("readers see round %d; want 2", got)
	}

	restore(t, path, backup)
	other, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	loadRound(t, other, 3)
	catalog, err := file.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != 2 || catalog.Revision != 2 {
		t.Errorf("%d snapshots at revision %d, %v; want 2 at 2", len(catalog.Snapshots), catalog.Revision, err)
	}
	if got := checkWhole(t, file); got != 3 {
		t.Errorf("readers see round %d; want 3", got)
	}
	if _, _, err := scanned(t, file, planOf(t, lost)); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("a scan of what the backup does not have: got %v; want ErrNotFound", err)
	}
}

// restore copies a backup over a file that others have open, as the sqlite3
// shell's .restore does.
func restore(t *testing.T, path, backup string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(c any) error {
		b, err := c.(interface {
			NewRestore(string) (*sqlite.Backup, error)
		}).NewRestore(backup)
		if err != nil {
			return err
		}
		if _, err := b.Step(-1); err != nil {
			return errors.Join(err, b.Finish())
		}
		return b.Finish()
	})
	if err != nil {
		t.Fatal(err)
	}
}
