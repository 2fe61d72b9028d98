package faults_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

// Earlier versions, by their commits. They are built from the repository's history.
const (
	// versionBefore has the same tables and dictionary, and messages of the same form.
	versionBefore = "05d0319"
	// versionOld has the tables of version 2 and another form of chunks.
	versionOld = "5c49ad3"
)

var versions sync.Map // built, by commit

// buildVersion builds the programs of a version into a folder, once. Where
// EGRID_TEST_VERSIONS names a folder, they stay there for the next time.
func buildVersion(t *testing.T, commit string) string {
	t.Helper()
	return buildChanged(t, commit, commit, "")
}

// buildChanged builds a version under a name, after a command of the shell has changed
// its source.
func buildChanged(t *testing.T, name, commit, change string) string {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	if err := exec.CommandContext(t.Context(), "git", "-C", root, "cat-file", "-e", commit+"^{commit}").Run(); err != nil {
		testenv.Missing(t, "the history of the repository lacks %s: fetch it with git fetch --unshallow", commit)
	}
	once, _ := versions.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		ctx, kept := context.Background(), folder
		if change == "" {
			kept = cmp.Or(os.Getenv("EGRID_TEST_VERSIONS"), folder)
		}
		source, bin := filepath.Join(folder, "source-"+name), filepath.Join(kept, name)
		if _, err := os.Stat(filepath.Join(bin, "etl")); err == nil {
			return bin, nil
		}
		unpack := exec.CommandContext(ctx, "sh", "-c", `mkdir -p "$1" && git -C "$0" archive "$2" | tar -x -C "$1" && cd "$1" && eval "$3"`, root, source, commit, change)
		if out, err := unpack.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		command := exec.CommandContext(ctx, "go", "build", "-o", bin+"/", "./hosts/egrid", "./hosts/etl", "./hosts/consumer")
		command.Dir = source
		command.Env = append(os.Environ(), "GOWORK=off")
		out, err := command.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return bin, err
	}))
	bin, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// of is the path of a program of a version, as start takes it.
func of(t *testing.T, bin, program string) string {
	t.Helper()
	path, err := filepath.Rel(folder, filepath.Join(bin, program))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFaultSlowVersions has services of the version before work beside services of
// this one, on one queue and one database.
func TestFaultSlowVersions(t *testing.T) {
	for _, test := range []struct {
		name         string
		etl          bool // is of the version before
		before, this int  // consumers
	}{
		{"etl of the version before", true, 0, 2},
		{"consumers of the version before", false, 2, 0},
		{"consumers of both", false, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlatform(t, large, "--retry-base", "100ms")
			bin := buildVersion(t, versionBefore)
			p.consume(test.this)
			for range test.before {
				c := start(t, of(t, bin, "consumer"), p.env, append([]string{"database", "--queue", p.queue, "--log-level", "info", "--store", p.store}, p.flags...)...)
				p.consumers = append(p.consumers, c)
			}
			program := "etl"
			if test.etl {
				program = of(t, bin, "etl")
			}
			load := start(t, program, p.env, p.etlArgs()...)
			p.midway(load)
			load.ends(t)
			p.wantNew()
		})
	}
}

// TestFaultSlowColumns has an etl service whose dictionary lacks columns that are
// published: it says so, changes nothing, and one of this version does the work.
func TestFaultSlowColumns(t *testing.T) {
	p := newPlatform(t, large)
	bin := buildChanged(t, "fewer-columns", "HEAD", "sed -i '/,GENYRRET,/d' egrid/columns.csv")
	p.consume(2)
	load := start(t, of(t, bin, "etl"), p.env, p.etlArgs()...)
	eventually(t, "the run fails", func() bool { return load.says("run failed") > 0 })
	if told := load.tail(); !strings.Contains(told, "the dictionary has no column") || !strings.Contains(told, "a newer version of the software wrote it") {
		t.Errorf("it says\n%s", told)
	}
	load.kill(t)
	p.etl().ends(t)
	for _, level := range levels() {
		if got, err := printedRows(t.Context(), p.store, level); err != nil || got != p.editions.new.sheets[level] {
			t.Errorf("%s: %v, %s", level, err, difference(got, p.editions.new.sheets[level]))
		}
	}
	p.wantDone()
}

// TestFaultSlowUpgrade brings the tables of an old version to this one, and goes back
// by restoring a dump: what operations/recovery.md says. Each program refuses the
// other one's tables, and consumers the other one's chunks.
func TestFaultSlowUpgrade(t *testing.T) {
	server := testenv.Server(t, "EGRID_TEST_POSTGRES")
	bin := buildVersion(t, versionOld)
	editions, err := small()
	if err != nil {
		t.Fatal(err)
	}
	old := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "egrid"), args...).CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := old(args...)
		if err != nil {
			t.Fatalf("the old egrid %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return out
	}
	name := fmt.Sprint("faults_", os.Getpid(), "_old")
	mustSQL(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { dropDatabase(t, server, name) })
	address, err := database(server, "", name)
	if err != nil {
		t.Fatal(err)
	}
	must("migrate", "--store", address)
	if out, err := old("load", "--store", address, editions.old.dir); !strings.Contains(out, "published: ") { // it does not know crosswalks, and ends with 3
		t.Fatalf("the old egrid load: %v: %s", err, out)
	}
	rows := func() string {
		return must("rows", "--store", address, "--level", "PLNT", "--limit", "0", "--format", "csv")
	}
	before := rows()
	if n := strings.Count(before, "\n"); n < 30 {
		t.Fatalf("the old program shows %d lines", n)
	}

	// Up: dump, migrate, go on.
	if _, err := egrid(t.Context(), "snapshots", "--store", address); err == nil || !strings.Contains(err.Error(), "run egrid migrate") {
		t.Errorf("this version on tables of an old one: %v; want the remedy", err)
	}
	dump := filepath.Join(t.TempDir(), "egrid.dump")
	run(t, "pg_dump", "--format=custom", "--schema=egrid", "--file="+dump, address)
	mustEgrid(t, "migrate", "--store", address)
	mustIdentities(t, address)
	for _, level := range levels() {
		got, err := printedRows(t.Context(), address, level)
		if want := editions.old.sheets[level]; err != nil || got != want {
			t.Errorf("%s behind the upgrade: %v, %s", level, err, difference(got, want))
		}
	}
	mustEgrid(t, "load", "--store", address, "--publish", "replace", editions.new.dir)

	// Down: the old program refuses what it does not know, and the dump is its way back.
	if out, err := old("snapshots", "--store", address); err == nil || !strings.Contains(out, "newer program") {
		t.Errorf("the old version on tables of this one: %v: %s; want that a newer program made them", err, out)
	}
	restoreInto(t, dump, address)
	if rows() != before {
		t.Error("behind the downgrade the old program shows other rows")
	}

	// Chunks of the old version that are still on the queue are dead letters which say
	// why; nothing of them is stored.
	p := newPlatform(t, small)
	load := start(t, of(t, bin, "etl"), p.env, "--schedule", "once", "--addr", "127.0.0.1:0", "--store", address, "--queue", p.queue, "--publish", "replace", editions.new.dir)
	eventually(t, "the old service sends chunks", func() bool { return p.depth(queue.QueueDatabase).Ready > 0 || !load.running() })
	p.consume(1)
	eventually(t, "they are given up", func() bool {
		d := p.depth(queue.QueueDatabase)
		return d.Dead > 0 && d.Ready+d.Delayed == 0
	})
	load.kill(t)
	for _, l := range p.deadLetters(queue.QueueDatabase) {
		t.Logf("%s: %s", l.Message.Key, l.Reason)
	}
	if n := mustSQL(t, p.admin, "SELECT count(*) FROM egrid.sheets WHERE status = 'staging'"); n != "0" {
		t.Errorf("%s stages were made of the old version's chunks", n)
	}
	for _, c := range p.consumers {
		c.stop(t)
	}
	p.empty()
	p.consumers = nil
}
