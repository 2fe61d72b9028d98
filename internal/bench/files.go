package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// do is a task that needs a process of its own. It prints one number.
func do(ctx context.Context, task string, args []string) error {
	tasks := map[string]func(ctx context.Context, arg string) (float64, error){
		"decode": doDecode, "readcsv": doReadCSV, "chunk": doChunk, "alloc": doAlloc, "bare": doBare,
		"change": doChange,
	}
	if tasks[task] == nil || len(args) != 1 {
		return fmt.Errorf("no task %q of %d arguments", task, len(args))
	}
	x, err := tasks[task](ctx, args[0])
	if err == nil {
		fmt.Println(x)
	}
	return err
}

// repeat reads a file again and again, and returns MB per second of CPU time.
func repeat(path string, read func(data []byte) error) (float64, error) {
	data, err := os.ReadFile(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return 0, err
	}
	const enough = 2 * time.Second
	began, bytes, used := cpuTime(), 0, time.Duration(0)
	for ; used < enough; used = cpuTime() - began {
		if err := read(data); err != nil {
			return 0, err
		}
		bytes += len(data)
	}
	return float64(bytes) / 1e6 / used.Seconds(), nil
}

// cpuTime is what the process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // there is no other reason than a wrong argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func doDecode(_ context.Context, path string) (float64, error) {
	return repeat(path, func(data []byte) error {
		_, err := decoded(data, func(*sheet.Sheet, driver.Chunk) error { return nil })
		return err
	})
}

// decoded decodes a sheet chunk by chunk, as package etl does, and returns its
// rows.
func decoded(data []byte, use func(*sheet.Sheet, driver.Chunk) error) (rows int, err error) {
	r, err := sheet.NewReader(bytes.NewReader(data), &sheet.ReaderOptions{Name: "GEN23.csv"})
	if err != nil {
		return 0, err
	}
	decoder := r.Sheet().NewDecoder()
	for span, err := range r.Sheet().Divide(bytes.NewReader(data), 1<<20) {
		if err != nil {
			return 0, err
		}
		part, err := decoder.Decode(data[span.Offset:span.Offset+span.Length], span)
		if err != nil {
			return 0, err
		}
		for _, b := range part.Batches {
			rows += b.Len()
			if err := use(r.Sheet(), driver.Chunk{Index: span.Index, Rows: b}); err != nil {
				return 0, err
			}
		}
	}
	return rows, nil
}

// doReadCSV reads records and does nothing with them. A file that is long is read
// once.
func doReadCSV(_ context.Context, path string) (float64, error) {
	info, err := os.Stat(path) //nolint:gosec // G703: the path is the caller's own
	if err != nil {
		return 0, err
	}
	read := func(from io.Reader) error {
		r := csv.NewReader(from)
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	if info.Size() < 10<<20 {
		return repeat(path, func(data []byte) error { return read(bytes.NewReader(data)) })
	}
	f, err := os.Open(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return 1, read(f)
}

func openDecode(_ context.Context, b *bench) (ours, theirs side, err error) {
	task := func(name string) side {
		return func(ctx context.Context) (figure, error) { return b.self(ctx, []string{"GOMAXPROCS=1"}, name, b.data) }
	}
	return task("decode"), task("readcsv"), nil
}

// countingBroker counts what is published, and drops it.
type countingBroker struct {
	queue.Broker
	bytes int
}

func (c *countingBroker) Publish(_ context.Context, m queue.Message) error {
	c.bytes += len(m.Body)
	return nil
}

func doChunk(ctx context.Context, path string) (float64, error) {
	data, err := os.ReadFile(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return 0, err
	}
	broker := &countingBroker{Broker: memqueue.New(nil)}
	sink := etl.ToQueue(broker, memstore.New().Driver())
	_, err = decoded(data, func(s *sheet.Sheet, c driver.Chunk) error {
		return sink.Put(ctx, driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: s.Schema, Source: egrid.Source{Object: "GEN23.csv", SHA256: strings.Repeat("0", 64)}}, c)
	})
	return float64(broker.bytes), err
}

func openChunk(_ context.Context, b *bench) (ours, theirs side, err error) {
	info, err := os.Stat(b.data)
	ours = func(ctx context.Context) (figure, error) { return b.self(ctx, nil, "chunk", b.data) }
	theirs = func(context.Context) (figure, error) { return figure{value: float64(info.Size())}, nil }
	return ours, theirs, err
}

func doAlloc(ctx context.Context, path string) (float64, error) {
	info, err := os.Stat(path) //nolint:gosec // G703: the path is the caller's own
	if err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "egrid-bench-load")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is one of the system's
	name := filepath.Base(path)
	data, err := os.ReadFile(path) //nolint:gosec // G304: the path is the caller's own
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), data, 0o600) //nolint:gosec // G703: the path is the caller's own
	}
	if err != nil {
		return 0, err
	}
	store, err := sqlitestore.Open(ctx, filepath.Join(folder, "store.db"), nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = store.Close() }() // it is removed
	files, err := os.OpenRoot(folder)
	if err != nil {
		return 0, err
	}
	defer func() { _ = files.Close() }() // it was read
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	report, err := etl.New(etl.FS(files.FS()), etl.ToLoader(store), nil).Run(ctx)
	if err == nil && report.RowsLoaded == 0 {
		err = errors.New("nothing was loaded")
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(info.Size()), err
}

func openAlloc(_ context.Context, b *bench) (ours, theirs side, err error) {
	return func(ctx context.Context) (figure, error) { return b.self(ctx, nil, "alloc", b.data) }, nil, nil
}

// copies is how many times the long sheet has the rows of GEN23, each time with
// other ORIS codes and numbered on.
const copies = 38

// long writes the long sheet once, under one row of codes, and returns its rows.
func (b *bench) long(most int) (path string, rows int, err error) {
	path = filepath.Join(b.folder, fmt.Sprint("GEN23-", most, ".csv"))
	from, err := os.Open(b.data) //nolint:gosec // G703: the path is the caller's own
	if err != nil {
		return "", 0, err
	}
	defer from.Close()
	records, err := csv.NewReader(from).ReadAll()
	if err != nil {
		return "", 0, err
	}
	at := slices.IndexFunc(records[1], func(s string) bool { return s == "ORISPL" })
	if at < 0 {
		return "", 0, errors.New("GEN23.csv has no column ORISPL in its second row")
	}
	out, err := os.Create(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return "", 0, err
	}
	w := csv.NewWriter(bufio.NewWriterSize(out, 1<<20))
	err = w.Write(records[1])
	for k := range copies {
		for _, r := range records[2:] {
			if rows == most || err != nil {
				break
			}
			id, notNumber := strconv.Atoi(r[at])
			r = slices.Clone(r)
			r[at] = strconv.Itoa(id + k*100_000)
			rows++
			r[0] = strconv.Itoa(rows) // the sequence
			err = errors.Join(notNumber, w.Write(r))
		}
	}
	w.Flush()
	return path, rows, errors.Join(err, w.Error(), out.Close())
}

// longRows is how many rows the longest sheet has.
const longRows = copies * 26_601

// complete returns an error when a report of a load does not tell of all rows.
func complete(report string, rows int) error {
	if strings.Contains(strings.ReplaceAll(report, " ", ""), fmt.Sprintf(`"rows_loaded":%d`, rows)) {
		return nil
	}
	return fmt.Errorf("not all rows were loaded: %.2000s", report)
}

// perSecond turns a figure of wall time into one of rows per second.
func perSecond(rows int, f figure, err error) (figure, error) {
	f.value = float64(rows) / f.value
	return f, err
}

func openLoad(ctx context.Context, b *bench) (ours, theirs side, err error) {
	if err := b.installed(ctx, "sqlite3"); err != nil {
		return nil, nil, err
	}
	path, rows, err := b.long(longRows)
	n := 0
	fresh := func() string {
		n++
		return filepath.Join(b.folder, fmt.Sprint("load", n, ".db"))
	}
	ours = func(ctx context.Context) (figure, error) {
		db := fresh()
		defer func() { _ = os.Remove(db) }() // the folder is removed, too
		f, out, err := b.command(ctx, nil, filepath.Join(b.tools, "egrid"), "load", "--json", "--store", "sqlite:"+db, path)
		if err == nil {
			err = complete(out, rows)
		}
		return perSecond(rows, f, err)
	}
	theirs = func(ctx context.Context) (figure, error) {
		db := fresh()
		defer func() { _ = os.Remove(db) }() // the folder is removed, too
		f, out, err := b.command(ctx, nil, "sqlite3", db, "-cmd", "PRAGMA journal_mode = WAL", "-cmd", "PRAGMA synchronous = FULL", "-cmd", "PRAGMA cache_size = -16000",
			"-cmd", "CREATE TABLE gen ("+genColumns+")", "-cmd", `.import --csv --skip 1 "`+path+`" gen`, genIndexes+"SELECT count(*) FROM gen;")
		if err == nil && !strings.HasSuffix(strings.TrimSpace(out), strconv.Itoa(rows)) {
			err = fmt.Errorf("not all rows were loaded: %.1000s", out)
		}
		return perSecond(rows, f, err)
	}
	return ours, theirs, err
}

// The table and the indexes that the store has of the same rows, apart from those
// of its own catalogue.
const (
	genColumns = `sequence INTEGER, data_year INTEGER, state TEXT, plant_name TEXT, oris_plant_code TEXT, generator_id TEXT,
		boiler_count INTEGER, status TEXT, prime_mover TEXT, fuel TEXT, nameplate_capacity_mw REAL, capacity_factor REAL,
		net_generation_mwh REAL, net_generation_ozone_season_mwh REAL, net_generation_source TEXT, year_online INTEGER, year_retired INTEGER`
	genIndexes = `CREATE INDEX largest ON gen (net_generation_mwh DESC); CREATE INDEX state ON gen (state, net_generation_mwh DESC);
		CREATE INDEX name ON gen (plant_name); CREATE INDEX identifier ON gen (oris_plant_code, generator_id);
		PRAGMA analysis_limit = 1000; ANALYZE gen; `
)

func openValidate(_ context.Context, b *bench) (ours, theirs side, err error) {
	path, rows, err := b.long(longRows)
	perCPU := func(f figure, err error) (figure, error) {
		f.value = float64(rows) / f.cpu.Seconds()
		return f, err
	}
	ours = func(ctx context.Context) (figure, error) {
		f, out, err := b.command(ctx, nil, filepath.Join(b.tools, "egrid"), "validate", "--json", path)
		if err == nil && !strings.Contains(out, strconv.Itoa(rows)) {
			err = fmt.Errorf("not all rows were read: %.1000s", out)
		}
		return perCPU(f, err)
	}
	theirs = func(ctx context.Context) (figure, error) { return perCPU(b.self(ctx, nil, "readcsv", path)) }
	return ours, theirs, err
}

// doBare serves the answer of an address, byte for byte, with net/http alone. It
// ends with its standard input.
func doBare(ctx context.Context, address string) (float64, error) {
	resp, err := get(ctx, http.DefaultClient, address)
	if err != nil {
		return 0, err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, values := range resp.header {
			h[name] = values
		}
		_, _ = w.Write(resp.body) //nolint:gosec // G705: the client is a benchmark
	})}
	listener, err := listen(ctx)
	if err != nil {
		return 0, err
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	err = server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return 0, err
}
