package pgstore_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

// smallDisk makes a tablespace on a disk of its own, and returns its name and a
// function that gives the disk another size.
func smallDisk(t *testing.T) (string, func(bytes int64)) {
	t.Helper()
	var data string
	if err := connect(t).QueryRow(t.Context(), "SHOW data_directory").Scan(&data); err != nil {
		t.Skipf("only a superuser makes a tablespace: %v", err)
	}
	info, err := os.Stat(data)
	if err != nil {
		t.Skip("the server's disk is elsewhere, or not ours to see")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root mounts a disk")
	}
	dir, err := os.MkdirTemp("", "egrid-disk-") // whose path the server may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	owner := info.Sys().(*syscall.Stat_t)
	files := filepath.Join(dir, "files")
	if err := errors.Join(os.Mkdir(files, 0o700), os.Chown(files, int(owner.Uid), int(owner.Gid))); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("disk_%d_%d", os.Getpid(), time.Now().UnixNano())
	execute(t, serverURL(t), "CREATE TABLESPACE "+name+" LOCATION '"+files+"'")
	t.Cleanup(func() { execute(t, serverURL(t), "DROP TABLESPACE "+name) })
	return name, func(bytes int64) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("size=", bytes)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFull fills the store's disk while rows are put, and again while they
// are indexed. With more space the same load goes on.
func TestDiskFull(t *testing.T) {
	disk, resize := smallDisk(t)
	schema := newSchema(t)
	const megabyte = 1 << 20
	resize(64 * megabyte)
	store := openAt(t, parameter(t, serverURL(t), "default_tablespace", disk), &pgstore.Options{Schema: schema, Migrate: true})
	if _, err := load(t.Context(), store, "before", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	var used int64
	measure := func() int64 {
		t.Helper()
		if err := connect(t).QueryRow(t.Context(), "SELECT pg_tablespace_size($1)", disk).Scan(&used); err != nil {
			t.Fatal(err)
		}
		return used
	}
	clear := func(what string, err error) {
		t.Helper()
		if err == nil || errors.Is(err, egrid.ErrInvalid) || errors.Is(err, egrid.ErrNotFound) || errors.Is(err, egrid.ErrSchema) ||
			!strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "do it again") {
			t.Errorf("%s on a full disk: got %v; want an error that says what to do", what, err)
		}
		checkWhole(t, store)
	}
	spec, chunks, rows := longRound("after", 2, 20)
	id := stage(t, store, spec)
	resize(measure() + megabyte)
	var full error
	for _, c := range chunks {
		if _, full = store.Put(t.Context(), id, c); full != nil {
			break
		}
	}
	clear("Put", full)
	request := driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: rows}
	if _, err := store.Publish(t.Context(), id, request); !errors.Is(err, egrid.ErrIncomplete) {
		t.Errorf("publishing half a load: got %v; want ErrIncomplete", err)
	}
	resize(64 * megabyte)
	added := int64(0)
	for _, c := range chunks {
		change, err := store.Put(t.Context(), id, c)
		if err != nil {
			t.Fatal(err)
		}
		added += change.Rows
	}
	if added == 0 || added > rows {
		t.Errorf("%d rows were added of %d", added, rows)
	}
	resize(measure() + megabyte)
	_, full = store.Publish(t.Context(), id, request)
	clear("Publish", full)
	resize(64 * megabyte)
	if _, err := store.Publish(t.Context(), id, request); err != nil {
		t.Fatal(err)
	}
	checkSum(t, store, 2, rows)
}
