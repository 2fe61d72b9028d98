package faults_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	domain "github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

// ownServer is a server that a test starts by a script of the repository, and may
// take away.
type ownServer struct {
	t      *testing.T
	script string
	port   string
	env    []string
}

// newOwn chooses a port, with some free ones behind it, and a folder.
func newOwn(t *testing.T, script, variable string, env ...string) *ownServer {
	t.Helper()
	testenv.Server(t, "EGRID_TEST_POSTGRES") // where the scripts can install servers
	dir, err := os.MkdirTemp("", "egrid-faults-server")
	if err != nil {
		t.Fatal(err)
	}
	script, err = filepath.Abs(filepath.Join("..", "..", "..", "internal", "scripts", script))
	if err != nil {
		t.Fatal(err)
	}
	s := &ownServer{t: t, script: script, port: freePort(t)}
	s.env = append(os.Environ(), append(env, "EGRID_SERVICES_DIR="+dir, variable+"="+s.port)...)
	t.Cleanup(func() {
		if out, err := s.command("stop").CombinedOutput(); err != nil {
			t.Errorf("stop: %v: %s", err, out)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (s *ownServer) command(args ...string) *exec.Cmd {
	command := exec.Command(s.script, args...)
	command.Env = s.env
	return command
}

// tell returns what a verb prints.
func (s *ownServer) tell(verb string) string {
	s.t.Helper()
	out, err := s.command(verb).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v: %s", verb, err, out)
	}
	return strings.TrimSpace(string(out))
}

// do runs a verb of the script. What it starts may keep the output open, so that
// goes into a file.
func (s *ownServer) do(args ...string) {
	s.t.Helper()
	out, err := os.CreateTemp(s.t.TempDir(), "out")
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	command := s.command(args...)
	command.Stdout, command.Stderr = out, out
	if err := command.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		s.t.Fatalf("%s %s: %v: %s", filepath.Base(s.script), strings.Join(args, " "), err, text)
	}
}

// newPostgres starts a server, or a replica of another one.
func newPostgres(t *testing.T, follows *ownServer) *ownServer {
	t.Helper()
	s := newOwn(t, "postgres.sh", "EGRID_POSTGRES_PORT")
	if follows == nil {
		s.do("start")
	} else {
		s.do("follow", follows.port)
	}
	return s
}

// postgres is the address of servers, as one.
func postgres(settings string, servers ...*ownServer) string {
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, "127.0.0.1:"+s.port)
	}
	return "postgres://postgres@" + strings.Join(hosts, ",") + "/egrid?sslmode=disable" + settings
}

// TestFaultFailover has a replica: first it lags, which the API says that reads
// from it. Then it misses a publish, and takes over when the server is lost that
// has it: nobody is answered what is gone, and the load that is run again publishes
// it.
func TestFaultFailover(t *testing.T) {
	primary := newPostgres(t, nil)
	replica := newPostgres(t, primary)
	p := newPlatformOn(t, postgres("&target_session_attrs=read-write", primary, replica), testenv.Server(t, "EGRID_TEST_AMQP"), small, "--retry-base", "50ms")
	p.reader.halt() // there is more than one edition to see here
	behind := strings.NewReplacer("127.0.0.1:"+primary.port+",", "", "read-write", "any").Replace(p.store)
	third, err := newEdition("small-third", 3, 30)
	if err != nil {
		t.Fatal(err)
	}
	reading, direct := p.api("--store", p.store, "--replica", behind), p.api("--store", p.store)
	p.consume(2)

	reading.answers(t, p.editions.old)
	if status, c := check(t, reading.url, "replica"); status != http.StatusOK || c.Status != "ok" {
		t.Errorf("in step: %d, %+v", status, c)
	}
	server := postgres("", replica)
	mustSQL(t, server, "SELECT pg_wal_replay_pause()")
	p.etl().ends(t)
	direct.answers(t, p.editions.new)
	eventually(t, "the API says that its replica lags", func() bool {
		status, c := check(t, reading.url, "replica")
		if status != http.StatusOK {
			t.Fatalf("a replica that lags made it %d", status)
		}
		return c.Status == "degraded" && strings.Contains(c.Reason, "it lacks what was published in the last ")
	})
	_, c := check(t, reading.url, "replica")
	t.Log(c.Reason)
	reading.answers(t, p.editions.old)
	mustSQL(t, server, "SELECT pg_wal_replay_resume()")
	reading.answers(t, p.editions.new)
	eventually(t, "the replica is in step", func() bool {
		_, c := check(t, reading.url, "replica")
		return c.Status == "ok"
	})
	reading.stop(t)

	replica.do("stop")
	p.etl(third.dir).ends(t)
	direct.answers(t, third)
	catalog, err := p.pg.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lost, _ := catalog.Published(domain.PLNT, year, "")
	permanent := direct.url + "/levels/PLNT/rows?limit=1&snapshot=" + string(lost.ID)
	if status, body := get(t, permanent); status != http.StatusOK {
		t.Errorf("what is published: %d %s", status, body)
	}
	primary.do("crash")
	eventually(t, "the API is not ready without a store", func() bool {
		status, _ := check(t, direct.url, "store")
		return status == http.StatusServiceUnavailable
	})
	replica.do("start")
	replica.do("promote")
	// A publish that is gone is gone everywhere from the first answer on.
	direct.answers(t, p.editions.new)
	seen := watch(t.Context(), direct.db, pair{p.editions.new, third}, true, 0)
	if status, body := get(t, permanent); status != http.StatusNotFound {
		t.Errorf("the lost snapshot answers %d %.200s; want 404", status, body)
	}
	if now, err := p.pg.Catalog(t.Context()); err != nil || len(now.Snapshots) != len(catalog.Snapshots)-len(levels()) {
		t.Errorf("the catalogue has %d snapshots, %v; before it had %d", len(now.Snapshots), err, len(catalog.Snapshots))
	}
	p.etl(third.dir).ends(t)
	direct.answers(t, third)
	seen.end(t)
	if status, body := get(t, permanent); status != http.StatusOK {
		t.Errorf("published again: %d %s", status, body)
	}
	p.wantEdition(third)
	mustIdentities(t, p.store)
	p.wantDone()
	direct.stop(t)
}

// TestFaultRestore dumps the database in the middle of a load, and restores it
// twice while everything runs: beside the database that is there, which it then
// takes the place of; and into it, in the middle of another load.
func TestFaultRestore(t *testing.T) {
	p := newPlatform(t, large, "--retry-base", "100ms", "--max-attempts", "4")
	p.reader.halt()
	p.reader = watch(t.Context(), store.New(p.pg), p.editions, false, 10*time.Millisecond)
	server := p.api("--store", p.store)
	asking := watch(t.Context(), server.db, p.editions, false, 10*time.Millisecond)
	p.consume(3)
	before, err := p.pg.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "egrid.dump")
	load := p.etl()
	p.midway(load)
	run(t, "pg_dump", "--format=custom", "--schema=egrid", "--file="+dump, p.admin)
	load.ends(t)
	server.answers(t, p.editions.new)

	for _, r := range []*reader{p.reader, asking} {
		r.harmless.Store(true) // connections are cut
	}
	u, err := url.Parse(p.admin)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	other := func(name string) string {
		address, _ := database(p.admin, "", name)
		return address
	}
	mustSQL(t, other("postgres"), fmt.Sprintf("CREATE DATABASE %s_restored OWNER %s", name, role))
	t.Cleanup(func() { dropDatabase(t, other("postgres"), name+"_replaced") })
	run(t, "pg_restore", "--exit-on-error", "--dbname="+other(name+"_restored"), dump)
	for _, statement := range []string{
		"ALTER DATABASE @ ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '@'",
		"ALTER DATABASE @ RENAME TO @_replaced",
		"ALTER DATABASE @_restored RENAME TO @",
	} {
		mustSQL(t, other("postgres"), strings.ReplaceAll(statement, "@", name))
	}
	server.answers(t, p.editions.old)
	restored, err := p.pg.Catalog(t.Context())
	if err != nil || restored.ID != before.ID {
		t.Errorf("the catalogue is %s, %v; want %s, as it was dumped", restored.ID, err, before.ID)
	}
	p.wantEdition(p.editions.old)
	mustIdentities(t, p.store)

	load = p.etl()
	from := p.delivered(queue.Done)
	// Far behind the dump: what it lacks is done already, as the queue has it.
	eventually(t, "another load is behind the dump", func() bool { return p.delivered(queue.Done) >= from+150 })
	staged := func() string {
		return mustSQL(t, p.admin, "SELECT count(*) FROM egrid.chunks JOIN egrid.sheets ON sheet = number WHERE status = 'staging'")
	}
	p.unfinished()
	had := staged()
	restoreInto(t, dump, p.admin)
	t.Logf("of %s chunks the restore left %s", had, staged())
	load.ends(t)
	server.answers(t, p.editions.new)
	asking.end(t)
	server.stop(t)
	p.wantNew()
}

// restoreInto restores a dump in the place of what is there, in one transaction. The
// locks come in the order in which the services take them, or one of both may be
// ended as a deadlock.
func restoreInto(t *testing.T, dump, address string) {
	t.Helper()
	run(t, "sh", "-c", `pg_restore --file=- "$0" | psql --quiet --single-transaction --set=ON_ERROR_STOP=1 \
		--command='LOCK TABLE egrid.state, egrid.sheets, egrid.chunks, egrid.failures IN ACCESS EXCLUSIVE MODE' \
		--command='DROP SCHEMA egrid CASCADE' --file=- "$1"`, dump, address)
}

// run runs a program to its end.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}
