package rediscache_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/cache/cachetest"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// server is a Redis server of a test's own, to be killed.
type server struct {
	t       testing.TB
	port    string
	flags   []string
	process *exec.Cmd
}

func newServer(t testing.TB, flags ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		testenv.Missing(t, "there is no redis-server; internal/scripts/redis.sh start installs it")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	s := &server{t: t, port: port, flags: flags}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	flags := append([]string{"--bind", "127.0.0.1", "--port", s.port, "--dir", s.t.TempDir(), "--save", "", "--appendonly", "no"}, s.flags...)
	s.process = exec.Command("redis-server", flags...)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("the server does not listen", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (s *server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

func (s *server) url(user string) string { return "redis://" + user + "127.0.0.1:" + s.port + "/0" }

func (s *server) eventually(otherwise string, ok func() bool) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatal(otherwise)
		}
	}
}

// backend answers at once, so that what takes time is the cache. The row of an
// answer says what was asked for and of which snapshot it is.
type backend struct {
	revision atomic.Int64
	schema   *egrid.Schema
}

func newBackend(t testing.TB) *backend {
	t.Helper()
	field, _ := egrid.Lookup(egrid.SRL, "SUBRGN")
	schema, err := egrid.NewSchema(field)
	if err != nil {
		t.Fatal(err)
	}
	s := &backend{schema: schema}
	s.revision.Store(1)
	return s
}

func (s *backend) id() egrid.SnapshotID {
	return egrid.SnapshotID(fmt.Sprintf("%024x", s.revision.Load()))
}

func (s *backend) Catalog(context.Context) (egrid.Catalog, error) {
	snapshot := egrid.Snapshot{ID: s.id(), Level: egrid.SRL, Year: 2022, Rows: 1, Status: egrid.Published, Schema: s.schema, Revision: s.revision.Load()}
	return egrid.Catalog{Revision: snapshot.Revision, Snapshots: []egrid.Snapshot{snapshot}}, nil
}

func (s *backend) Scan(_ context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		yield(egrid.BatchOf(p.Output, 2022, []egrid.Value{egrid.TextOf(said(p.Limit-1, p.Snapshots[0].ID))}))
	}
}

// said is the row of the answer to a query with a limit. A page is read with one
// row more than it has.
func said(limit int, id egrid.SnapshotID) string { return fmt.Sprintf("%d of %s", limit, id) }

// replica is a cache that asks what was not asked before.
type replica struct {
	*cache.Cache
	t    testing.TB
	next int
	slow time.Duration // the longest query
}

func newReplica(t testing.TB, s driver.Scanner, url string) *replica {
	t.Helper()
	return &replica{t: t, Cache: cache.New(s, &cache.Options{Shared: open(t, url), MaxRows: 1e6, ColumnBytes: -1})}
}

func (r *replica) rows(limit int) (egrid.RowPage, error) {
	return store.New(r.Cache).Rows(r.t.Context(), egrid.RowQuery{Level: egrid.SRL, Columns: []egrid.Column{egrid.Subregion}, Limit: limit})
}

// ask asks the next query and checks its answer.
func (r *replica) ask() {
	r.t.Helper()
	r.next++
	began := time.Now()
	page, err := r.rows(r.next)
	r.slow = max(r.slow, time.Since(began))
	if err != nil || page.Len() != 1 || page.Row(0).Text(egrid.Subregion) != said(r.next, page.Snapshots[0].ID) {
		r.t.Errorf("query %d: %v, %v", r.next, page, err)
	}
}

// written reports whether the answer of a query never asked before arrives.
func (r *replica) written() bool {
	before := r.Stats().Written
	r.ask()
	for range 100 {
		if s := r.Stats(); s.Written > before {
			return true
		} else if s.Written+s.LeftOut >= s.Misses {
			return false
		}
		select {
		case <-time.After(time.Millisecond):
		case <-r.t.Context().Done():
		}
	}
	return false
}

// bounded is far above the 50 ms that a query waits, for machines that are
// busy, and far below the seconds that a client waits by itself.
const bounded = 2 * time.Second

func TestServerIsKilled(t *testing.T) {
	b, s := newBackend(t), newServer(t)
	heard := listen(t)
	r := newReplica(t, b, s.url(""))
	s.eventually("nothing is written", r.written)
	s.kill()
	for range 200 {
		r.ask()
	}
	if r.slow > bounded {
		t.Errorf("a query took %s while the server is away", r.slow)
	}
	s.start()
	s.eventually("nothing is written after a restart", r.written)
	other := newReplica(t, b, s.url(""))
	other.next = r.next - 1
	other.ask()
	if other.Stats().RemoteHits != 1 {
		t.Errorf("%+v: the other replica has no hit", other.Stats())
	}
	if text := heard(); text != "" {
		t.Errorf("the client says %q", text)
	}
}

func TestServerWasNeverThere(t *testing.T) {
	b, s := newBackend(t), newServer(t)
	s.kill()
	heard := listen(t)
	r := newReplica(t, b, s.url(""))
	for range 50 {
		r.ask()
	}
	if r.slow > bounded {
		t.Errorf("a query took %s", r.slow)
	}
	s.start()
	s.eventually("nothing is written once it is there", r.written)
	if text := heard(); text != "" {
		t.Errorf("the client says %q", text)
	}
}

// A server that is stopped takes connections and answers nothing.
func TestServerHangs(t *testing.T) {
	b, s := newBackend(t), newServer(t)
	r := newReplica(t, b, s.url(""))
	s.eventually("nothing is written", r.written)
	heard := listen(t)
	var others []*replica // each with connections of its own
	for i := range 10 {
		other := newReplica(t, b, s.url(""))
		other.next = 20 * i
		other.ask() // connects
		other.slow = 0
		others = append(others, other)
	}
	s.signal(syscall.SIGSTOP)
	began := time.Now()
	var all sync.WaitGroup
	for _, other := range others {
		all.Go(func() {
			for range 20 {
				other.ask()
			}
			if other.slow > bounded {
				t.Errorf("a query took %s while the server hangs", other.slow)
			}
		})
	}
	for range 200 {
		r.ask()
	}
	all.Wait()
	t.Logf("300 queries took %s, the longest of the first replica %s", time.Since(began), r.slow)
	if r.slow > bounded {
		t.Errorf("a query took %s while the server hangs", r.slow)
	}
	s.signal(syscall.SIGCONT)
	s.eventually("nothing is written after it goes on", r.written)
	if text := heard(); text != "" {
		t.Errorf("the client says %q", text)
	}
}

func TestWrongPassword(t *testing.T) {
	b, s := newBackend(t), newServer(t, "--requirepass", "right")
	for user, works := range map[string]bool{":right@": true, ":wrong-secret@": false, "": false} {
		var log bytes.Buffer
		c := cache.New(b, &cache.Options{Shared: open(t, s.url(user)), MaxRows: 1e6, ColumnBytes: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		r := &replica{t: t, Cache: c}
		if works {
			s.eventually("nothing is written with the right password", r.written)
			continue
		}
		for range 20 {
			r.ask()
		}
		if s := r.Stats(); s.RemoteHits+s.Written > 0 || s.Misses != 20 {
			t.Errorf("%q: %+v", user, s)
		}
		s.eventually("the log tells nothing", func() bool { return r.Stats().LeftOut == 20 })
		if text := log.String(); !strings.Contains(text, "level=WARN") || strings.Contains(text, "secret") {
			t.Errorf("%q: logged %q", user, text)
		}
	}
}

// A full server that forgets nothing still answers with what it has.
func TestServerIsFull(t *testing.T) {
	b, s := newBackend(t), newServer(t, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	level := open(t, s.url(""))
	r := newReplica(t, b, s.url(""))
	s.eventually("nothing is written", r.written)
	kept := r.next
	s.eventually("it never fills up", func() bool {
		return level.Set(t.Context(), fmt.Sprint("fill", time.Now().UnixNano()), make([]byte, 1<<16), time.Hour) != nil
	})
	for range 50 {
		r.ask()
	}
	other := newReplica(t, b, s.url(""))
	other.next = kept - 1
	other.ask()
	if other.Stats().RemoteHits != 1 {
		t.Errorf("%+v: a full server gives no answer", other.Stats())
	}
	if r.slow > bounded {
		t.Errorf("a query took %s", r.slow)
	}
}

// A publish while the server is away is not answered from what it had before:
// it comes back with old answers, which nobody asks for any more.
func TestPublishWhileItHangs(t *testing.T) {
	b, s := newBackend(t), newServer(t)
	r := newReplica(t, b, s.url(""))
	s.eventually("nothing is written", r.written)
	s.signal(syscall.SIGSTOP)
	r.ask()
	want := b.revision.Add(1)
	r.Refresh()
	s.signal(syscall.SIGCONT)
	for i := range 50 {
		page, err := r.rows(i + 1)
		if err != nil || page.Revision != want || page.Row(0).Text(egrid.Subregion) != said(i+1, b.id()) {
			t.Errorf("revision %d, %v, %v; want %d", page.Revision, page, err, want)
		}
	}
}

// listen returns what the client library tells its log, until the test ends.
func listen(t testing.TB) func() string {
	h := &hearer{}
	redis.SetLogger(h)
	t.Cleanup(logging.Enable)
	return func() string {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.text.String()
	}
}

type hearer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *hearer) Printf(_ context.Context, format string, v ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(&h.text, format+"\n", v...)
}

// BenchmarkLevels compares what a query costs that is kept in the first level,
// in the second, computed from columns, or not at all: a page of 100 plants with all their columns.
func BenchmarkLevels(b *testing.B) {
	backend, level := cachetest.SampleStore(b), open(b, testenv.Server(b, "EGRID_TEST_REDIS"))
	query := egrid.RowQuery{Level: egrid.PLNT, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}}
	run := func(b *testing.B, o cache.Options, result cache.Result) {
		var last cache.Result
		o.Observe = func(r cache.Result) { last = r }
		o.CatalogTTL = time.Hour
		db := store.New(cache.New(backend, &o))
		for range 2 {
			_, _ = db.Rows(b.Context(), query)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := db.Rows(b.Context(), query); err != nil {
				b.Fatal(err)
			}
		}
		if last != result {
			b.Errorf("%s; want %s", last, result)
		}
	}
	b.Run("local hit", func(b *testing.B) { run(b, cache.Options{}, cache.Hit) })
	b.Run("computed", func(b *testing.B) { run(b, cache.Options{MaxBytes: -1}, cache.Computed) })
	b.Run("remote hit", func(b *testing.B) {
		run(b, cache.Options{Shared: level, ColumnBytes: -1, MaxBytes: -1}, cache.RemoteHit)
	})
	b.Run("miss", func(b *testing.B) { run(b, cache.Options{ColumnBytes: -1, MaxBytes: -1}, cache.Miss) })
}
