package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	database := func(name string, statements ...string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	folder := filepath.Join(dir, "folder.db")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	type test struct {
		name string
		path string
		want error // nil: any
	}
	tests := []test{
		{"newer version", database("newer.db", "CREATE TABLE sheets (x)", "PRAGMA user_version = 99"), egrid.ErrSchema},
		{"other program's", database("other.db", "CREATE TABLE songs (x)"), egrid.ErrSchema},
		{"text file", write("text.db", strings.Repeat("no database\n", 100)), egrid.ErrInvalid},
		{"sheet", write("GEN23.csv", strings.Repeat("SEQGEN23,YEAR\n1,2023\n", 100)), egrid.ErrInvalid},
		{"folder", folder, nil},
		{"below a file", filepath.Join(write("file", "x"), "egrid.db"), nil},
	}
	if os.Geteuid() != 0 { // who may do anything
		closed := filepath.Join(dir, "closed")
		if err := os.Mkdir(closed, 0o500); err != nil {
			t.Fatal(err)
		}
		tests = append(tests, test{"read-only folder", filepath.Join(closed, "egrid.db"), nil})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store, err := sqlitestore.Open(t.Context(), test.path, nil)
			if err == nil {
				_ = store.Close()
				t.Fatal("it opened")
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v; want %v", err, test.want)
			}
			if test.name != "below a file" && !strings.Contains(err.Error(), test.path) {
				t.Errorf("the error does not name %s: %v", test.path, err)
			}
		})
	}
}

// TestEmptyFile makes a store of a file of no length, as mktemp leaves one.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// smallDisk is the name of a store whose file has at most so many pages of 4 KiB.
const smallDisk = "small disk.db"

var smallDiskPages atomic.Int64

// limitSmallDisk has connections to that store know its limit. The driver takes hooks
// before the first connection alone.
func limitSmallDisk() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		if !strings.Contains(dsn, strings.ReplaceAll(smallDisk, " ", "%20")) {
			return nil
		}
		_, err := conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", smallDiskPages.Load()), nil)
		return err
	})
}

// TestDiskFull limits the size of the file, which is what a full disk looks
// like to SQLite.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	smallDiskPages.Store(100)
	path := filepath.Join(t.TempDir(), smallDisk)
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(t.Context(), store, "first", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	var full error
	rounds := 0
	for n := 1; full == nil && n < 10; n++ {
		spec, chunks := round("large", n)
		var id egrid.StageID
		if id, full = store.Stage(t.Context(), spec); full != nil {
			break
		}
		for _, c := range chunks {
			if _, full = store.Put(t.Context(), id, c); full != nil {
				break
			}
		}
		rounds = n
	}
	if full == nil || !strings.Contains(full.Error(), "no space left") || !strings.Contains(full.Error(), path) {
		t.Fatalf("got %v; want no space left, and the path", full)
	}
	if got := checkWhole(t, store); got != 1 {
		t.Errorf("readers see round %d", got)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}

	// With room again, the same load goes on.
	smallDiskPages.Store(10000)
	if store, err = sqlitestore.Open(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if _, err := load(t.Context(), store, "large", rounds, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := checkWhole(t, store); got != rounds {
		t.Errorf("readers see round %d; want %d", got, rounds)
	}
}

func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "egrid")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file, err := sqlitestore.Open(ctx, filepath.Join(dir, "egrid.db"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = file.Close() }()

	// A sheet of three invented plants; package etl does this for real files.
	pipe, out := io.Pipe()
	sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: 3})
	go func() { out.CloseWithError(sample.Write(out, egrid.PLNT)) }()
	reader, err := sheet.NewReader(pipe, &sheet.ReaderOptions{Name: sample.Name(egrid.PLNT)})
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := file.Stage(ctx, driver.SnapshotSpec{
		Level: egrid.PLNT, Year: 2023, Schema: reader.Sheet().Schema, Source: egrid.Source{Object: sample.Name(egrid.PLNT), SHA256: "invented"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	chunk := driver.Chunk{}
	for decoded, err := range reader.Batches() {
		if err != nil {
			fmt.Println(err)
			return
		}
		chunk.Rows = decoded.Batches[0]
	}
	if _, err := file.Put(ctx, id, chunk); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := file.Publish(ctx, id, driver.PublishRequest{Chunks: 1, Rows: int64(chunk.Rows.Len())}); err != nil {
		fmt.Println(err)
		return
	}

	page, err := store.New(file).Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "coal", Columns: []egrid.Column{egrid.PlantName, egrid.CO2Rate}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row := range page.Rows() {
		fmt.Println(row.Text(egrid.PlantName), row.Text(egrid.CO2Rate), "lb/MWh")
	}
	// Output: Sample Plant 000002 Coal 2097.12 lb/MWh
}

// TestOpenWaits opens a new file while another holds it: SQLite itself would not
// wait for the lock that the change to a write-ahead log needs.
func TestOpenWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	short := &sqlitestore.Options{BusyTimeout: 50 * time.Millisecond}
	if store, err := sqlitestore.Open(t.Context(), path, short); err == nil {
		_ = store.Close()
		t.Fatal("it opened while another held the file")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if store, err := sqlitestore.Open(gone, path, nil); !errors.Is(err, context.Canceled) {
		_ = store.Close()
		t.Errorf("got %v; want %v", err, context.Canceled)
	}
	opened := make(chan error)
	go func() {
		store, err := sqlitestore.Open(t.Context(), path, nil)
		if err == nil {
			err = store.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
