package sqlitestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// childMode makes the test binary a loader: see loadRounds and loadOnce.
const childMode = "EGRID_SQLITESTORE_CHILD"

func TestMain(m *testing.M) {
	run := map[string]func(ctx context.Context, path string, content string, log io.Writer) error{"rounds": loadRounds, "once": loadOnce}[os.Getenv(childMode)]
	if run == nil {
		limitSmallDisk()
		os.Exit(m.Run())
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child starts the test binary as a loader of a store.
func child(t *testing.T, mode, path, content string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], path, content)
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

const (
	roundRows   = 1200 // enough to be indexed
	roundChunks = 6
)

// round makes a sheet all of whose rows have the round's number as net
// generation, so that a sum tells whether a reader saw one sheet whole.
func round(content string, n int) (driver.SnapshotSpec, []driver.Chunk) {
	var fields []egrid.Field
	for _, c := range []egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration} {
		f, _ := egrid.Lookup(egrid.GEN, string(c))
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // distinct columns
	}
	name := fmt.Sprintf("%s %d", content, n)
	spec := driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: name + ".csv", SHA256: name}}
	chunks := make([]driver.Chunk, roundChunks)
	builder := egrid.NewBuilder(schema, 2023)
	for i := range roundRows {
		c := &chunks[i*roundChunks/roundRows]
		c.Index = i * roundChunks / roundRows
		if err := builder.Row([]egrid.Value{
			egrid.TextOf("TX"), egrid.TextOf(fmt.Sprint("Plant ", i%97)), egrid.TextOf(fmt.Sprint(i / 2)), egrid.TextOf(fmt.Sprint(i % 2)), egrid.NumberOf(float64(n)),
		}); err != nil {
			panic(err) // values of the columns' types
		}
		if builder.EndRow(int64(i+1), 0); builder.Len() == roundRows/roundChunks {
			c.Rows = builder.Batch()
		}
	}
	return spec, chunks
}

// load loads a round and tells log what it is about to do.
func load(ctx context.Context, store driver.Loader, content string, n int, log io.Writer) (driver.PublishReport, error) {
	spec, chunks := round(content, n)
	fmt.Fprintln(log, n)
	id, err := store.Stage(ctx, spec)
	if err != nil {
		return driver.PublishReport{}, err
	}
	for _, c := range chunks {
		fmt.Fprintln(log, n)
		if _, err := store.Put(ctx, id, c); err != nil {
			return driver.PublishReport{}, err
		}
	}
	fmt.Fprintln(log, n)
	return store.Publish(ctx, id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: roundRows})
}

func loadRounds(ctx context.Context, path, content string, log io.Writer) error {
	store, err := sqlitestore.Open(ctx, path, nil)
	for n := 1; err == nil; n++ {
		_, err = load(ctx, store, content, n, log)
	}
	return err
}

func loadOnce(ctx context.Context, path, content string, log io.Writer) error {
	store, err := sqlitestore.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	_, err = load(ctx, store, content, 1, log)
	return errors.Join(err, store.Close())
}

// checkWhole reads every row of the published sheet and returns its round.
func checkWhole(t *testing.T, scanner driver.Scanner) int {
	t.Helper()
	page, err := store.New(scanner).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 2 * roundRows, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	if page.Len() != roundRows || page.Total != roundRows || page.Snapshots[0].Rows != roundRows {
		t.Fatalf("readers see %d rows, count %d, and are told %d; want %d", page.Len(), page.Total, page.Snapshots[0].Rows, roundRows)
	}
	first, _ := page.Row(0).Float(egrid.NetGeneration)
	for i := range page.Len() {
		if x, _ := page.Row(i).Float(egrid.NetGeneration); x != first || page.Number(i) != int64(i+1) {
			t.Fatalf("row %d of round %v is row %d of round %v", i+1, first, page.Number(i), x)
		}
	}
	return int(first)
}

// TestKilled kills a loading process again and again, without warning and at
// any moment, and looks at what it leaves behind.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if _, err := load(t.Context(), store, "first", 0, io.Discard); err != nil {
		t.Fatal(err)
	}
	kills := 25
	if testing.Short() || raceDetector {
		kills = 4 // SQLite in Go is ten times slower under the race detector
	}
	r := rand.New(rand.NewPCG(1, 2))
	for kill := range kills {
		content := fmt.Sprint("kill ", kill)
		cmd, lines := child(t, "rounds", path, content)
		last := 0
		for range 1 + r.IntN(3*(roundChunks+2)) {
			if !lines.Scan() {
				t.Fatalf("the child ended by itself: %v", lines.Err())
			}
			if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
				t.Fatal(err)
			}
		}
		for range r.IntN(1 << 18) { // not always at the start of a step
			_ = r.Uint64()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		checkWhole(t, store)

		// A fresh process finds the file in order, and the killed load goes on.
		again, err := sqlitestore.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkWhole(t, again)
		report, err := load(t.Context(), again, content, last, io.Discard)
		if err != nil || report.Snapshot.Rows != roundRows {
			t.Fatalf("loading on: %+v, %v", report, err)
		}
		if got := checkWhole(t, again); got != last {
			t.Fatalf("readers see round %d; want %d", got, last)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	catalog, err := store.Catalog(t.Context())
	published := slices.DeleteFunc(catalog.Snapshots, func(s egrid.Snapshot) bool { return s.Status == egrid.Superseded })
	if err != nil || len(published) != 1 || published[0].Status != egrid.Published {
		t.Errorf("%d snapshots are left beside the superseded ones, %v; want 1", len(published), err)
	}
}

// TestSameSheetAtOnce loads one sheet through two handles and another process.
func TestSameSheetAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	cmd, lines := child(t, "once", path, "same")
	var loaders sync.WaitGroup
	statuses := make([]egrid.Status, 2)
	for i := range statuses {
		loaders.Go(func() {
			store, err := sqlitestore.Open(t.Context(), path, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = store.Close() }()
			report, err := load(t.Context(), store, "same", 1, io.Discard)
			if err != nil {
				t.Error(err)
			}
			statuses[i] = report.Status
		})
	}
	loaders.Wait()
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	published := slices.DeleteFunc(statuses, func(s egrid.Status) bool { return s == egrid.Unchanged })
	if len(published) > 1 || len(published) == 1 && published[0] != egrid.Published {
		t.Errorf("the loads ended as %q; at most one publishes", published)
	}
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	catalog, err := store.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != 1 || catalog.Revision != 1 {
		t.Errorf("got %d snapshots at revision %d, %v; want 1 at 1", len(catalog.Snapshots), catalog.Revision, err)
	}
	checkWhole(t, store)
}

// TestBackup copies a store that is being loaded.
func TestBackup(t *testing.T) {
	t.Parallel()
	store := open(t)
	if _, err := load(t.Context(), store, "a", 0, io.Discard); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var loader sync.WaitGroup
	loader.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			if _, err := load(t.Context(), store, "a", n, io.Discard); err != nil {
				t.Error(err)
				return
			}
		}
	})
	last := -1
	for i := range 3 {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("copy %d.db", i))
		if err := store.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if err := store.Backup(t.Context(), path); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), path) {
			t.Errorf("onto an existing file: got %v; want ErrInvalid with its path", err)
		}
		backup, err := sqlitestore.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := checkWhole(t, backup)
		if n < last {
			t.Errorf("backup %d holds round %d, the one before round %d", i, n, last)
		}
		last = n
		if _, err := load(t.Context(), backup, "b", 1, io.Discard); err != nil {
			t.Errorf("loading into the backup: %v", err)
		}
		if err := backup.Close(); err != nil {
			t.Error(err)
		}
	}
	stop()
	loader.Wait()
}
