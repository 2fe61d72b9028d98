package pgstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

// childMode makes the test binary a loader of the schema that its argument
// names: see loadRounds and loadOnce.
const childMode = "EGRID_PGSTORE_CHILD"

func TestMain(m *testing.M) {
	run := map[string]func(ctx context.Context, schema, content string) error{"rounds": loadRounds, "once": loadOnce}[os.Getenv(childMode)]
	if run == nil {
		os.Exit(m.Run())
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child starts the test binary as a loader.
func child(t *testing.T, mode, schema, content string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], schema, content)
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

func loadRounds(ctx context.Context, schema, content string) error {
	store, err := pgstore.Open(ctx, os.Getenv("EGRID_TEST_POSTGRES"), &pgstore.Options{Schema: schema})
	for n := 1; err == nil; n++ {
		_, err = load(ctx, store, content, n, os.Stdout)
	}
	return err
}

func loadOnce(ctx context.Context, schema, content string) error {
	store, err := pgstore.Open(ctx, os.Getenv("EGRID_TEST_POSTGRES"), &pgstore.Options{Schema: schema})
	if err != nil {
		return err
	}
	_, err = load(ctx, store, content, 1, io.Discard)
	return errors.Join(err, store.Close())
}

const (
	roundRows   = 3000 // enough to be indexed
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
	b := egrid.NewBuilder(schema, 2023)
	for i := range roundRows {
		err := b.Row([]egrid.Value{
			egrid.TextOf("TX"), egrid.TextOf(fmt.Sprint("Plant ", i%97)), egrid.TextOf(fmt.Sprint(i / 2)), egrid.TextOf(fmt.Sprint(i % 2)), egrid.NumberOf(float64(n)),
		})
		if err != nil {
			panic(err) // values of the columns' types
		}
		b.EndRow(int64(i+1), 0)
		if at := i * roundChunks / roundRows; (i+1)*roundChunks/roundRows > at {
			chunks[at] = driver.Chunk{Index: at, Rows: b.Batch()}
		}
	}
	return spec, chunks
}

// load loads a round and tells log what it is about to do.
func load(ctx context.Context, store driver.Loader, content string, n int, log io.Writer) (driver.PublishReport, error) {
	spec, chunks := round(content, n)
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
	return store.Publish(ctx, id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: roundRows})
}

// checkWhole reads every row of the published sheet and returns its round.
func checkWhole(t *testing.T, store driver.Scanner) int {
	t.Helper()
	page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 2 * roundRows, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	if page.Len() != roundRows || page.Total != roundRows || page.Snapshots[0].Rows != roundRows {
		t.Fatalf("readers see %d rows, count %d, and are told %d; want %d", page.Len(), page.Total, page.Snapshots[0].Rows, roundRows)
	}
	first, _ := page.Row(0).Float(egrid.NetGeneration)
	for i := range page.Len() {
		row := page.Row(i)
		if x, _ := row.Float(egrid.NetGeneration); x != first || row.Number() != int64(i+1) {
			t.Fatalf("row %d of round %v is row %d of round %v", i+1, first, row.Number(), x)
		}
	}
	return int(first)
}

// TestSameChunksAtOnce puts every chunk from many goroutines through several
// stores, all at once, and publishes in the same way.
func TestSameChunksAtOnce(t *testing.T) {
	schema := newSchema(t)
	stores := make([]*pgstore.Store, 4)
	for i := range stores {
		stores[i] = openIn(t, schema)
	}
	spec, chunks := round("same", 1)
	ids := make([]egrid.StageID, len(stores))
	var rows, publishes atomic.Int64
	var group sync.WaitGroup
	for i := range stores {
		group.Go(func() { ids[i] = stage(t, stores[i], spec) })
	}
	group.Wait()
	for consumer := range 2 * len(stores) {
		group.Go(func() {
			for i := range chunks {
				at := consumer % len(stores)
				change, err := stores[at].Put(t.Context(), ids[at], chunks[(i+consumer/4)%len(chunks)])
				if err != nil {
					t.Error(err)
				}
				rows.Add(change.Rows)
			}
		})
	}
	group.Wait()
	if rows.Load() != roundRows {
		t.Errorf("%d rows were added; want %d", rows.Load(), roundRows)
	}
	for i := range stores {
		group.Go(func() {
			report, err := stores[i].Publish(t.Context(), ids[i], driver.PublishRequest{Chunks: len(chunks), Rows: roundRows})
			switch {
			case err != nil || report.Snapshot.Rows != roundRows || report.Snapshot.Revision != 1:
				t.Errorf("got %+v, %v", report, err)
			case report.Status == egrid.Published:
				publishes.Add(1)
			case report.Status != egrid.Unchanged:
				t.Errorf("got the status %s", report.Status)
			}
		})
	}
	group.Wait()
	if publishes.Load() != 1 {
		t.Errorf("%d publishers say that they published; want 1", publishes.Load())
	}
	checkWhole(t, stores[0])
	checkSum(t, stores[1], 1, roundRows)
}

// TestProcessesAtOnce loads one sheet in two stores and two other processes.
func TestProcessesAtOnce(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	var children []*exec.Cmd
	for range 2 {
		cmd, _ := child(t, "once", schema, "same")
		children = append(children, cmd)
	}
	var group sync.WaitGroup
	var publishes atomic.Int64
	for range 2 {
		group.Go(func() {
			report, err := load(t.Context(), openIn(t, schema), "same", 1, io.Discard)
			if err != nil {
				t.Error(err)
			}
			if report.Status == egrid.Published {
				publishes.Add(1)
			}
		})
	}
	group.Wait()
	for _, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if publishes.Load() > 1 {
		t.Errorf("%d loads say that they published", publishes.Load())
	}
	catalog, err := store.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != 1 || catalog.Revision != 1 {
		t.Errorf("got %d snapshots at revision %d, %v; want 1 at 1", len(catalog.Snapshots), catalog.Revision, err)
	}
	checkWhole(t, store)
}

// TestKilled kills a loading process again and again, without warning and at
// any moment, and looks at what it leaves behind.
func TestKilled(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "first", 0, io.Discard); err != nil {
		t.Fatal(err)
	}
	kills := 8
	if testing.Short() {
		kills = 2
	}
	r := rand.New(rand.NewPCG(1, 2))
	for kill := range kills {
		content := fmt.Sprint("kill ", kill)
		cmd, lines := child(t, "rounds", schema, content)
		last := 0
		for range 1 + r.IntN(2*roundChunks) {
			if !lines.Scan() {
				t.Fatalf("the child ended by itself: %v", lines.Err())
			}
			if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
				t.Fatal(err)
			}
		}
		for range r.IntN(1 << 22) { // not always at the start of a step
			_ = r.Uint64()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		checkWhole(t, store)
		report, err := load(t.Context(), store, content, last, io.Discard) // goes on where it stopped
		if err != nil || report.Snapshot.Rows != roundRows {
			t.Fatalf("loading on: %+v, %v", report, err)
		}
		if got := checkWhole(t, store); got < last {
			t.Fatalf("readers see round %d; want %d", got, last)
		}
	}
}

// TestConnectionsCut ends the server's side of the loader's connections again
// and again while it copies; the loader tries again, as a consumer would.
func TestConnectionsCut(t *testing.T) {
	name := newSchema(t)
	store, err := pgstore.Open(t.Context(), named(t, name), &pgstore.Options{Schema: name, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	killer := connect(t)
	done := make(chan struct{})
	cuts := 0
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
			var n int
			err := killer.QueryRow(context.Background(), "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ILIKE 'copy%' AND state = 'active' AND application_name = $1 AND random() < 0.05", name).Scan(&n)
			if err != nil {
				t.Error(err)
				return
			}
			cuts += n
		}
	})
	failures := 0
	for n := 1; n <= 5 || failures < 3 && n <= 50; n++ {
		spec, chunks, rows := longRound("cut", n, 10) // longer copies are easier to hit
		again := func(what func() error) {
			t.Helper()
			var err error
			for range 200 {
				if err = what(); err == nil {
					return
				}
				failures++
			}
			t.Fatal(err)
		}
		var id egrid.StageID
		again(func() (err error) { id, err = store.Stage(t.Context(), spec); return err })
		for i := range chunks {
			again(func() error { _, err := store.Put(t.Context(), id, chunks[i]); return err })
		}
		again(func() error {
			_, err := store.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: rows})
			return err
		})
		page, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 1, Count: true})
		if err != nil || page.Total != rows {
			t.Fatalf("round %d has %d rows, %v; want %d", n, page.Total, err, rows)
		}
	}
	close(done)
	group.Wait()
	t.Logf("%d connections were cut, %d calls failed", cuts, failures)
	if failures == 0 {
		t.Error("no call failed: the test cut nothing")
	}
}

// TestPublishersAtOnce publishes other content for one snapshot from several
// stores, while readers look and somebody reads the level's table itself.
func TestPublishersAtOnce(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "first", 0, io.Discard); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers, publishers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				checkWhole(t, store)
			}
		})
	}
	tool := connect(t)
	readers.Go(func() {
		for ctx.Err() == nil {
			var rows, rounds int
			err := tool.QueryRow(context.Background(), "SELECT count(*), count(DISTINCT net_generation_mwh) FROM "+schema+".gen WHERE data_year = 2023").Scan(&rows, &rounds)
			if err != nil || rows != roundRows || rounds != 1 {
				t.Errorf("the table holds %d rows of %d rounds, %v", rows, rounds, err)
				return
			}
		}
	})
	for publisher := range 3 {
		publishers.Go(func() {
			other := openIn(t, schema)
			for n := range 5 {
				if _, err := load(t.Context(), other, fmt.Sprint("publisher ", publisher), 1+5*publisher+n, io.Discard); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishers.Wait()
	stop()
	readers.Wait()
	catalog, err := store.Catalog(t.Context())
	// The published snapshot, and as many superseded ones as are kept.
	if err != nil || catalog.Revision != 16 || len(catalog.Snapshots) != 1+10 || len(catalog.Pruned) != 5 {
		t.Errorf("got %d snapshots at revision %d, %d pruned, %v; want 11 at 16, and 5", len(catalog.Snapshots), catalog.Revision, len(catalog.Pruned), err)
	}
	if _, err := store.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Error(err)
	}
	var tables int
	if err := tool.QueryRow(context.Background(), "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 'gen\\_%'", schema).Scan(&tables); err != nil || tables != 1 {
		t.Errorf("%d tables of sheets are left, %v; want 1", tables, err)
	}
}

// TestSlowReader keeps the level's table busy: publishing waits, readers of
// the store do not.
func TestSlowReader(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "a", 0, io.Discard); err != nil {
		t.Fatal(err)
	}
	tool := connect(t)
	tx, err := tool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(context.Background(), "SELECT count(*) FROM "+schema+".gen"); err != nil {
		t.Fatal(err)
	}
	published := make(chan error, 1)
	go func() {
		_, err := load(t.Context(), store, "a", 1, io.Discard)
		published <- err
	}()
	for deadline := time.Now().Add(2500 * time.Millisecond); time.Now().Before(deadline); {
		start := time.Now()
		checkWhole(t, store)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("a reader waited %v", d)
		}
	}
	select {
	case err := <-published:
		t.Errorf("published under a reader: %v", err)
	default:
	}
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	if got := checkWhole(t, store); got != 1 {
		t.Errorf("readers see round %d", got)
	}
}

// TestAbandoned drops stages that nobody has touched, and no others.
func TestAbandoned(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	stage := func(store driver.Loader, n int) egrid.StageID {
		t.Helper()
		spec, chunks := round("abandoned", n)
		id, err := store.Stage(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Put(t.Context(), id, chunks[0]); err != nil {
			t.Fatal(err)
		}
		return id
	}
	abandoned, alive := stage(store, 1), stage(store, 2)
	execute(t, serverURL(t), "UPDATE "+schema+".sheets SET touched_at = now() - interval '2 days'")
	execute(t, serverURL(t), fmt.Sprintf("UPDATE %s.chunks SET put_at = now() - interval '2 days' WHERE sheet = (SELECT number FROM %s.sheets WHERE id = '%s')", schema, schema, abandoned))
	stage(store, 3)
	if err := store.Discard(t.Context(), abandoned); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("the abandoned stage: got %v; want ErrNotFound", err)
	}
	if err := store.Discard(t.Context(), alive); err != nil {
		t.Errorf("a stage with a fresh chunk: %v", err)
	}
}

// TestUnstorable puts text that PostgreSQL cannot hold.
func TestUnstorable(t *testing.T) {
	store := open(t)
	spec, chunks := round("nul", 1)
	id, err := store.Stage(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	chunks[0].Rows = changed(t, chunks[0].Rows, 7, 1, egrid.TextOf("a\x00b"))
	if _, err := store.Put(t.Context(), id, chunks[0]); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "row 8, column plant_name") {
		t.Errorf("got %v; want ErrInvalid with row and column", err)
	}
	if _, err := ask(store).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Search: "a\x00b"}); err != nil {
		t.Errorf("on an empty store: %v", err)
	}
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, q := range []egrid.RowQuery{
		{Level: egrid.GEN, Search: "a\x00b"},
		{Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.PlantName, egrid.Eq, "\x00")}},
	} {
		if _, err := ask(store).Rows(t.Context(), q); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%+q: got %v; want ErrInvalid", q.Search, err)
		}
	}
}
