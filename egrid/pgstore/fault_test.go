package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// parameter is a URL with another parameter.
func parameter(t testing.TB, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// openAt opens a store at a URL.
func openAt(t testing.TB, address string, o *pgstore.Options) *pgstore.Store {
	t.Helper()
	store, err := pgstore.Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// stage stages a sheet.
func stage(t testing.TB, store driver.Loader, spec driver.SnapshotSpec) egrid.StageID {
	t.Helper()
	id, err := store.Stage(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// longRound is a round of so many times as many rows.
func longRound(content string, n, times int) (driver.SnapshotSpec, []driver.Chunk, int64) {
	spec, chunks := round(content, n)
	number := int64(0)
	for i := range chunks {
		few := chunks[i].Rows
		b := egrid.NewBuilder(few.Schema(), few.Year())
		for j := range times * few.Len() {
			number++
			for c := range few.Schema().Len() {
				b.Copy(c, few.Column(c), j%few.Len())
			}
			b.EndRow(number, 0)
		}
		chunks[i].Rows = b.Batch()
	}
	return spec, chunks, number
}

// checkSum counts and adds up the published generators, all of one round.
func checkSum(t *testing.T, store driver.Scanner, n int, rows int64) {
	t.Helper()
	page, err := ask(store).Groups(t.Context(), egrid.GroupQuery{Level: egrid.GEN, Measures: []egrid.Measure{{Func: egrid.Count}, {Func: egrid.Sum, Column: egrid.NetGeneration}}})
	if err != nil {
		t.Fatal(err)
	}
	count, _ := page.Row(0).Int("rows")
	sum, _ := page.Row(0).Float(egrid.NetGeneration)
	if count != rows || sum != float64(int64(n)*rows) {
		t.Errorf("readers see %d rows with a sum of %v; want %d and %d", count, sum, rows, int64(n)*rows)
	}
}

// cutter stands between a store and its server, and cuts every connection once
// so many bytes have gone one way.
type cutter struct {
	url    string
	target string
	mu     sync.Mutex
	sent   int64       // bytes towards the server since the last set
	limit  int64       // negative: none
	mute   atomic.Bool // takes all and passes nothing on, as a network that is cut
}

func newCutter(t *testing.T) *cutter {
	t.Helper()
	u, err := url.Parse(serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{target: u.Host, limit: -1}
	u.Host = listener.Addr().String()
	c.url = u.String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { c.serve(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.set(0)
		serving.Wait()
	})
	return c
}

func (c *cutter) serve(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	var copying sync.WaitGroup
	for _, pair := range [][2]io.ReadWriteCloser{{near, limited{c, far}}, {far, near}} {
		copying.Go(func() {
			_, _ = io.Copy(struct{ io.Writer }{pair[1]}, struct{ io.Reader }{pair[0]})
			_ = near.Close()
			_ = far.Close()
		})
	}
	copying.Wait()
}

// set starts counting anew.
func (c *cutter) set(limit int64) (sent int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent, c.sent, c.limit = c.sent, 0, limit
	return sent
}

// take returns how many of n bytes may still go.
func (c *cutter) take(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit >= 0 {
		n = int(min(int64(n), max(0, c.limit-c.sent)))
	}
	c.sent += int64(n)
	return n
}

// limited writes as much as the cutter lets through.
type limited struct {
	c *cutter
	net.Conn
}

func (l limited) Write(b []byte) (int, error) {
	if l.c.mute.Load() {
		return len(b), nil
	}
	n := l.c.take(len(b))
	if _, err := l.Conn.Write(b[:n]); err != nil || n < len(b) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// TestSilentServer: a query is given up that gets no answer, and the next one goes on
// where there is one again.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	filled := openIn(t, schema)
	if _, err := load(t.Context(), filled, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	proxy := newCutter(t)
	replica := parameter(t, proxy.url, "application_name", "egrid-silent")
	store := openAt(t, serverURL(t), &pgstore.Options{Schema: schema, ReadURL: replica, QueryTimeout: 100 * time.Millisecond})
	checkWhole(t, store)
	proxy.mute.Store(true)
	_, err := store.Catalog(t.Context())
	if !errors.Is(err, egrid.ErrUnavailable) || !strings.Contains(err.Error(), "says nothing for 5.1s") {
		t.Errorf("%v; want that it is unavailable", err)
	}
	if u, _ := url.Parse(proxy.url); err != nil && !strings.Contains(err.Error(), u.Host) {
		t.Errorf("%v names another server than %s", err, u.Host)
	}
	proxy.mute.Store(false)
	checkWhole(t, store)
}

// TestCutWithinPut cuts the connection after any number of bytes of a Put, from
// its first to the commit. Putting again makes it whole.
func TestCutWithinPut(t *testing.T) {
	schema := newSchema(t)
	openIn(t, schema)
	proxy := newCutter(t)
	store := openAt(t, proxy.url, &pgstore.Options{Schema: schema, WriteConnections: 1})
	r := rand.New(rand.NewPCG(3, 4))
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	failures := 0
	for n := 1; n <= rounds; n++ {
		spec, chunks, rows := longRound("cut", n, 4)
		id := stage(t, store, spec)
		proxy.set(-1)
		if _, err := store.Put(t.Context(), id, chunks[0]); err != nil {
			t.Fatal(err)
		}
		size := proxy.set(-1)
		for _, c := range chunks[1:] {
			added := int64(0)
			for _, limit := range []int64{r.Int64N(size), size - r.Int64N(300), -1} { // within the rows, around the commit, not at all
				proxy.set(limit)
				change, err := store.Put(t.Context(), id, c)
				if err != nil {
					failures++
				}
				if errors.Is(err, egrid.ErrInvalid) || errors.Is(err, egrid.ErrNotFound) {
					t.Errorf("cut after %d bytes: %v, which says that trying again is no use", limit, err)
				}
				if limit < 0 && err != nil {
					t.Errorf("not cut: %v", err)
				}
				added += change.Rows
			}
			if added > int64(c.Rows.Len()) {
				t.Errorf("chunk %d: %d rows were added of %d", c.Index, added, c.Rows.Len())
			}
		}
		request := driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: rows}
		proxy.set(r.Int64N(2000))
		_, _ = store.Publish(t.Context(), id, request) // it may fail, and may have done it nevertheless
		proxy.set(-1)
		if _, err := store.Publish(t.Context(), id, request); err != nil {
			t.Fatal(err)
		}
		checkSum(t, store, n, rows)
	}
	if failures < rounds*(roundChunks-1) {
		t.Errorf("%d calls failed, fewer than were cut within the rows", failures)
	}
}

// TestUnavailable: while the server cannot be reached, reads and writes say that it is
// that, and when it is there again the same store goes on.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	openIn(t, schema)
	proxy := newCutter(t)
	store := openAt(t, proxy.url, &pgstore.Options{Schema: schema, WriteConnections: 1})
	spec, _, _ := longRound("away", 1, 1)
	proxy.set(0)
	if _, err := store.Catalog(t.Context()); !errors.Is(err, egrid.ErrUnavailable) {
		t.Errorf("Catalog: %v", err)
	}
	if _, err := store.Stage(t.Context(), spec); !errors.Is(err, egrid.ErrUnavailable) {
		t.Errorf("Stage: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Catalog(canceled); errors.Is(err, egrid.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
	proxy.set(-1)
	if _, err := store.Catalog(t.Context()); err != nil {
		t.Errorf("behind it: %v", err)
	}
}

// TestPutsDoNotWait puts a chunk while another put of the same stage is under
// way.
func TestPutsDoNotWait(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	spec, chunks := round("side by side", 1)
	id := stage(t, store, spec)
	other, err := connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(context.Background()) }()
	for _, statement := range []string{
		"SET LOCAL search_path TO " + schema,
		"SELECT number FROM sheets WHERE id = '" + string(id) + "' FOR KEY SHARE",
		"INSERT INTO chunks (sheet, chunk, rows, tally) SELECT number, 99, 0, '{}' FROM sheets",
		"INSERT INTO gen_2023_1 (snapshot, row_number, data_year) VALUES (1, 99999, 2023)",
	} {
		if _, err := other.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, c := range chunks {
		if _, err := store.Put(ctx, id, c); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFewConnections publishes at once on a pool that has fewer connections
// than publishers could use.
func TestFewConnections(t *testing.T) {
	for _, connections := range []int{1, 2} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			schema := newSchema(t)
			openIn(t, schema)
			store := openAt(t, serverURL(t), &pgstore.Options{Schema: schema, WriteConnections: connections})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var group sync.WaitGroup
			for publisher := range 4 {
				group.Go(func() {
					if _, err := load(ctx, store, fmt.Sprint("publisher ", publisher), 5, io.Discard); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			checkSum(t, store, 5, roundRows)
		})
	}
}

// TestWrongType puts rows that are not of the stage's columns.
func TestWrongType(t *testing.T) {
	store := open(t)
	spec, chunks := round("wrong", 1)
	id := stage(t, store, spec)
	fields := spec.Schema.Fields()
	fields[4].Type = egrid.Text
	for name, fields := range map[string][]egrid.Field{"another type": fields, "a column less": fields[:4], "another order": {fields[1], fields[0], fields[2], fields[3], spec.Schema.Field(4)}} {
		schema, err := egrid.NewSchema(fields...)
		if err != nil {
			t.Fatal(err)
		}
		b := egrid.NewBuilder(schema, 2023)
		b.EndRow(1, 0)
		if _, err := store.Put(t.Context(), id, driver.Chunk{Rows: b.Batch()}); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
	if change, err := store.Put(t.Context(), id, chunks[0]); err != nil || change.Rows != int64(chunks[0].Rows.Len()) {
		t.Errorf("got %+v, %v", change, err)
	}
}

// newRole makes a role that may log in and nothing else, and returns its URL.
func newRole(t *testing.T, schema string) (role, address string) {
	t.Helper()
	role = schema + "_role"
	execute(t, serverURL(t), "CREATE ROLE "+role+" LOGIN PASSWORD 'x'")
	t.Cleanup(func() {
		execute(t, serverURL(t), "REASSIGN OWNED BY "+role+" TO CURRENT_USER")
		execute(t, serverURL(t), "DROP OWNED BY "+role) // what it was granted
		execute(t, serverURL(t), "DROP ROLE "+role)
	})
	u, err := url.Parse(serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "x")
	return role, u.String()
}

// TestPrivileges loads and reads as roles that may not, then gives them what
// the error says.
func TestPrivileges(t *testing.T) {
	schema := newSchema(t)
	owner := openIn(t, schema)
	if _, err := load(t.Context(), owner, "before", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	server := serverURL(t)
	t.Run("reader", func(t *testing.T) {
		role, address := newRole(t, schema+"_r")
		_, err := pgstore.Open(t.Context(), address, &pgstore.Options{Schema: schema})
		if err == nil {
			t.Fatal("it opened")
		}
		for _, want := range []string{
			fmt.Sprintf(`GRANT USAGE ON SCHEMA "%s" TO "%s"`, schema, role),
			fmt.Sprintf(`GRANT SELECT ON ALL TABLES IN SCHEMA "%s" TO "%s"`, schema, role),
			fmt.Sprintf(`ALTER DEFAULT PRIVILEGES IN SCHEMA "%s" GRANT SELECT ON TABLES TO "%s"`, schema, role),
		} {
			if !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v; want that it says %s", err, want)
			}
			execute(t, server, want)
		}
		reader := openAt(t, address, &pgstore.Options{Schema: schema})
		checkWhole(t, reader)
		if _, err := load(t.Context(), owner, "next", 2, io.Discard); err != nil {
			t.Fatal(err)
		}
		if got := checkWhole(t, reader); got != 2 {
			t.Errorf("the reader sees round %d", got)
		}
		if _, err := load(t.Context(), reader, "by a reader", 3, io.Discard); err == nil || !strings.Contains(err.Error(), fmt.Sprintf(`TO "%s" if it loads`, role)) {
			t.Errorf("loading: got %v; want an error that says what to grant", err)
		}
	})
	t.Run("loader", func(t *testing.T) {
		role, address := newRole(t, schema+"_l")
		execute(t, server, "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
		execute(t, server, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "+schema+" TO "+role)
		loader := openAt(t, address, &pgstore.Options{Schema: schema})
		_, err := load(t.Context(), loader, "by a loader", 4, io.Discard)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf(`GRANT your own role TO "%s"`, role)) {
			t.Fatalf("got %v; want an error that says what to grant", err)
		}
		boss, _ := newRole(t, schema+"_o") // a plain one, whose members are no superusers
		giveTo(t, schema, boss)
		execute(t, server, "GRANT "+boss+" TO "+role)
		if _, err := load(t.Context(), loader, "by a loader", 4, io.Discard); err != nil {
			t.Fatal(err)
		}
		checkSum(t, loader, 4, roundRows)
	})
}

// giveTo makes a role the owner of a schema and of all its tables.
func giveTo(t *testing.T, schema, role string) {
	t.Helper()
	rows, err := connect(t).Query(t.Context(), "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = $1", schema)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	execute(t, serverURL(t), "ALTER SCHEMA "+schema+" OWNER TO "+role)
	for _, table := range tables {
		execute(t, serverURL(t), "ALTER TABLE "+table+" OWNER TO "+role)
	}
}

// TestRestart crashes the server again and again while consumers load; they
// try again, as they would with a queue. It runs alone, because it stops the
// server that other tests use.
func TestRestart(t *testing.T) {
	serverURL(t)
	command := testenv.Server(t, "EGRID_TEST_POSTGRES_RESTART")
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "before", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	var failures atomic.Int64
	again := func(what func() error) error {
		var err error
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
			if err = what(); err == nil {
				return nil
			}
			failures.Add(1)
		}
		return err
	}
	for n := 2; n <= 4; n++ {
		spec, chunks, rows := longRound("crash", n, 40)
		id := stage(t, store, spec)
		restarted := make(chan error, 1)
		var first sync.Once
		var group sync.WaitGroup
		var added atomic.Int64
		for consumer := range 3 {
			group.Go(func() {
				for i := consumer; i < len(chunks); i += 3 {
					first.Do(func() {
						go func() {
							out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
							if err != nil {
								err = fmt.Errorf("%w: %s", err, out)
							}
							restarted <- err
						}()
					})
					if err := again(func() error {
						change, err := store.Put(t.Context(), id, chunks[i])
						added.Add(change.Rows)
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if err := <-restarted; err != nil {
			t.Fatal(err)
		}
		if added.Load() > rows {
			t.Errorf("%d rows were added of %d", added.Load(), rows)
		}
		if err := again(func() error {
			_, err := store.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: rows})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		checkSum(t, store, n, rows)
	}
	t.Logf("%d calls failed", failures.Load())
}
