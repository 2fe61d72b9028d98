package faults_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

// role is who the services are at the database. It owns the tables, and is no
// superuser.
const role = "egrid_faults"

// platform is the services, on a database of its own with the old edition in
// it.
type platform struct {
	t         *testing.T
	editions  pair
	store     string // address for the services
	admin     string // the same database, for a superuser
	queue     string
	pg        *pgstore.Store
	broker    *rabbitqueue.Broker
	consumers []*process
	reader    *reader
	chunk     int      // bytes
	flags     []string // of database consumers
	env       []string
}

var databases atomic.Int64

func newPlatform(t *testing.T, editions func() (pair, error), flags ...string) *platform {
	t.Helper()
	return newPlatformOn(t, testenv.Server(t, "EGRID_TEST_POSTGRES"), testenv.Server(t, "EGRID_TEST_AMQP"), editions, flags...)
}

// newPlatformOn is newPlatform on servers of the test's own. Each may be several
// addresses.
func newPlatformOn(t *testing.T, server, queue string, editions func() (pair, error), flags ...string) *platform {
	t.Helper()
	p := &platform{t: t, chunk: 4 << 10, queue: queue, flags: flags, env: []string{"XDG_DATA_HOME=" + t.TempDir()}}
	var err error
	if p.editions, err = editions(); err != nil {
		t.Fatal(err)
	}
	template, err := templateOf(server, p.editions.old)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprint("faults_", os.Getpid(), "_", databases.Add(1))
	mustSQL(t, server, fmt.Sprint("CREATE DATABASE ", name, " TEMPLATE ", template, " OWNER ", role))
	t.Cleanup(func() { dropDatabase(t, server, name) })
	p.store, _ = database(server, role, name) // the template's address was right
	p.admin, _ = database(server, "", name)
	if p.pg, err = pgstore.Open(t.Context(), p.store, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.pg.Close() })
	if p.broker, err = rabbitqueue.Open(t.Context(), p.queue, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.broker.Close() })
	p.empty()
	p.reader = watch(t.Context(), store.New(p.pg), p.editions, true, 10*time.Millisecond)
	return p
}

// dropDatabase is for the end of a test, whose context has ended.
func dropDatabase(t *testing.T, server, name string) {
	t.Helper()
	if _, err := sql(context.WithoutCancel(t.Context()), server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		t.Error(err)
	}
}

func mustSQL(t *testing.T, address, statement string) string {
	t.Helper()
	out, err := sql(t.Context(), address, statement)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var templates sync.Map // of editions, by server and folder

// templateOf makes a database with an edition in it, once.
func templateOf(server string, e edition) (string, error) {
	once, _ := templates.LoadOrStore(server+" "+e.dir, sync.OnceValues(func() (string, error) {
		ctx := context.Background()
		name := fmt.Sprint("faults_", os.Getpid(), "_t", databases.Add(1))
		if _, err := sql(ctx, server, "DO $$ BEGIN CREATE ROLE "+role+" LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"); err != nil {
			return "", err
		}
		if _, err := sql(ctx, server, "CREATE DATABASE "+name+" OWNER "+role); err != nil {
			return "", err
		}
		address, err := database(server, role, name)
		if err != nil {
			return "", err
		}
		for _, args := range [][]string{{"migrate"}, {"load", e.dir}} {
			if _, err := egrid(ctx, append(args, "--store", address)...); err != nil {
				return "", err
			}
		}
		return name, nil
	}))
	return once.(func() (string, error))()
}

// empty takes what an earlier test may have left in the queues.
func (p *platform) empty() {
	p.t.Helper()
	for _, name := range queue.DefaultTopology().Queues() {
		p.take(name)
		ids := []string{}
		for _, l := range p.deadLetters(name) {
			ids = append(ids, l.Message.ID)
		}
		if _, err := p.broker.Drop(p.t.Context(), name, ids...); err != nil {
			p.t.Fatal(err)
		}
	}
}

// take receives every message of a queue, those that wait for a retry too.
func (p *platform) take(name string) []queue.Message {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), patience)
	defer stop()
	sub, err := p.broker.Subscribe(ctx, name, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	defer sub.Close()
	var messages []queue.Message
	for {
		next, stop := context.WithTimeout(ctx, 100*time.Millisecond)
		r, err := sub.Next(next)
		stop()
		if err == nil {
			messages = append(messages, r.Message)
			if err := r.Settle(ctx, queue.Verdict{Outcome: queue.Done}); err != nil {
				p.t.Fatal(err)
			}
			continue
		}
		if depth := p.depth(name); depth.Ready+depth.Delayed == 0 {
			return messages
		}
	}
}

// deadLetters waits for the broker, if need be.
func (p *platform) deadLetters(name string) []queue.DeadLetter {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), patience)
	defer stop()
	var letters []queue.DeadLetter
	for l, err := range p.broker.DeadLetters(ctx, name) {
		if err != nil {
			p.t.Fatal(err)
		}
		letters = append(letters, l)
	}
	return letters
}

func (p *platform) depth(name string) queue.Depth {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), patience)
	defer stop()
	d, err := p.broker.Depth(ctx, name)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// consume starts database consumers.
func (p *platform) consume(n int) {
	p.t.Helper()
	for range n {
		p.consumers = append(p.consumers, p.databaseConsumer())
	}
}

func (p *platform) databaseConsumer() *process {
	p.t.Helper()
	return p.consumer("database", append([]string{"--store", p.store}, p.flags...)...)
}

// consumer starts a consumer of any queue.
func (p *platform) consumer(kind string, args ...string) *process {
	p.t.Helper()
	return start(p.t, "consumer", p.env, append([]string{kind, "--queue", p.queue, "--log-level", "info"}, args...)...)
}

// etl starts a load, of the new edition if no source is named.
func (p *platform) etl(source ...string) *process {
	p.t.Helper()
	return start(p.t, "etl", p.env, p.etlArgs(source...)...)
}

func (p *platform) etlArgs(source ...string) []string {
	if len(source) == 0 {
		source = []string{p.editions.new.dir}
	}
	return append([]string{"--schedule", "once", "--addr", "127.0.0.1:0", "--publish", "replace", "--chunk-bytes", strconv.Itoa(p.chunk),
		"--store", p.store, "--queue", p.queue}, source...)
}

// delivered counts the deliveries that ended in a way, to consumers that live.
func (p *platform) delivered(outcome queue.Outcome) int {
	n := 0
	for _, c := range p.consumers {
		n += c.deliveries(outcome)
	}
	return n
}

// midway waits until a load is under way and far from its end.
func (p *platform) midway(load *process) {
	p.t.Helper()
	const some = 30
	n := 0
	eventually(p.t, "the load is midway", func() bool {
		if !load.running() {
			p.t.Fatal("the load ended before the fault")
		}
		n = p.delivered(queue.Done)
		return n >= some
	})
	p.unfinished()
	p.t.Logf("the fault comes behind %d messages", n)
}

// unfinished checks that there is something left to publish.
func (p *platform) unfinished() {
	p.t.Helper()
	catalog, err := p.pg.Catalog(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for i := range catalog.Snapshots {
		if catalog.Snapshots[i].Revision > int64(len(levels())) { // the old ones came first
			n++
		}
	}
	if n == len(levels()) {
		p.t.Fatal("the load was complete before the fault")
	}
}

// wantNew checks how a load ended: every row of the new edition and no other,
// nothing staged, no message left, and these dead letters.
func (p *platform) wantNew(dead ...string) {
	p.t.Helper()
	for _, level := range levels() {
		got, err := printedRows(p.t.Context(), p.store, level)
		if err != nil {
			p.t.Fatal(err)
		}
		if want := p.editions.new.sheets[level]; got != want {
			p.t.Errorf("%s: %s", level, difference(got, want))
		}
	}
	p.wantDone(dead...)
	p.reader.end(p.t)
	if n := mustSQL(p.t, p.admin, "SELECT count(*) FROM egrid.sheets WHERE status NOT IN ('published', 'superseded')"); n != "0" {
		p.t.Errorf("%s stages are left over", n)
	}
}

// wantDone waits until nothing is left to deliver, stops the consumers, and
// checks what the queue keeps.
func (p *platform) wantDone(dead ...string) {
	p.t.Helper()
	eventually(p.t, "the queue is empty", func() bool {
		d := p.depth(queue.QueueDatabase)
		return d.Ready+d.Delayed == 0
	})
	p.t.Logf("consumers that live: %d messages done, %d retried, %d dead", p.delivered(queue.Done), p.delivered(queue.Retry), p.delivered(queue.Dead))
	for _, c := range p.consumers {
		c.stop(p.t)
	}
	p.consumers = nil
	if d := p.depth(queue.QueueDatabase); d != (queue.Depth{Dead: len(dead)}) {
		p.t.Errorf("the queue holds %+v; want %d dead letters", d, len(dead))
	}
	var ids []string
	for _, l := range p.deadLetters(queue.QueueDatabase) {
		ids = append(ids, l.Message.ID)
		if !slices.Contains(dead, l.Message.ID) {
			p.t.Errorf("dead letter %s (%s): %s", l.Message.ID, l.Message.Key, l.Reason)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, dead) {
		p.t.Errorf("dead letters %v; want %v", ids, dead)
	}
	for _, name := range []string{queue.QueueError, queue.QueueNotification} {
		if letters := p.deadLetters(name); len(letters) > 0 {
			p.t.Errorf("%s has %d dead letters, the first: %s", name, len(letters), letters[0].Reason)
		}
	}
}

// difference says how two sorted texts differ.
func difference(got, want string) string {
	count := map[string]int{}
	for l := range strings.SplitSeq(got, "\n") {
		count[l]++
	}
	for l := range strings.SplitSeq(want, "\n") {
		count[l]--
	}
	more, less := 0, 0
	for _, n := range count {
		more += max(n, 0)
		less += max(-n, 0)
	}
	return fmt.Sprintf("%d rows too many and %d too few, of %d", more, less, strings.Count(want, "\n"))
}
