package faults_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/queue"
)

// recorder is a broker that keeps what is published, and fails the orders, so
// that nobody waits for what becomes of them.
type recorder struct {
	queue.Broker
	mu             sync.Mutex // chunks are published in parallel
	chunks, orders []queue.Message
}

var errRecorded = errors.New("recorded")

func (r *recorder) Publish(_ context.Context, m queue.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.Key == queue.KeyPublish {
		r.orders = append(r.orders, m)
		return errRecorded
	}
	r.chunks = append(r.chunks, m)
	return nil
}

// record returns the messages of a load of the new edition.
func (p *platform) record() *recorder {
	p.t.Helper()
	ctx := p.t.Context()
	r := &recorder{Broker: p.broker}
	sink := etl.ToQueue(r, p.pg)
	pipeline := etl.New(etl.Local(p.editions.new.dir), sink, &etl.Options{ChunkBytes: int64(p.chunk)})
	scanned, err := pipeline.Scan(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	validated, err := pipeline.Validate(ctx, scanned)
	if err != nil {
		p.t.Fatal(err)
	}
	divided, err := pipeline.Divide(ctx, validated)
	if err != nil {
		p.t.Fatal(err)
	}
	streamed, err := pipeline.Stream(ctx, divided)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range streamed.Loads {
		load := &streamed.Loads[i]
		request := driver.PublishRequest{Policy: driver.PublishReplace, Chunks: load.Chunks, Rows: load.Rows}
		if _, err := sink.Publish(ctx, load.Spec, request); !errors.Is(err, errRecorded) {
			p.t.Fatal(err)
		}
	}
	return r
}

func (p *platform) send(messages ...queue.Message) {
	p.t.Helper()
	for _, m := range messages {
		if err := p.broker.Publish(p.t.Context(), m); err != nil {
			p.t.Fatal(err)
		}
	}
}

// published waits until the catalogue has the new edition of every level.
func (p *platform) published() {
	p.t.Helper()
	eventually(p.t, "everything is published", func() bool {
		catalog, err := p.pg.Catalog(p.t.Context())
		return err == nil && catalog.Revision >= int64(2*len(levels()))
	})
}

// TestFaultTwice delivers every message twice, to two consumers at about the
// same time.
func TestFaultTwice(t *testing.T) {
	p := newPlatform(t, large, "--retry-base", "100ms")
	p.consume(3)
	r := p.record()
	t.Logf("%d chunks, %d orders", len(r.chunks), len(r.orders))
	for _, m := range append(r.chunks, r.orders...) {
		p.send(m, m)
	}
	p.published()
	p.wantNew()
}

// TestFaultBackwards delivers the orders to publish first, then every chunk
// twice, the last one first.
func TestFaultBackwards(t *testing.T) {
	p := newPlatform(t, large, "--retry-base", "500ms")
	r := p.record()
	p.send(r.orders...)
	slices.Reverse(r.chunks)
	p.send(r.chunks...)
	p.send(r.chunks...)
	p.consume(3)
	p.published()
	p.wantNew()
}

// inbox is where a webhook delivers.
type inbox struct {
	url, secret string

	mu      sync.Mutex
	notices map[etl.NoticeKind]int
	wrong   []error
}

func newInbox(t *testing.T) *inbox {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	in := &inbox{secret: "whsec_" + base64.StdEncoding.EncodeToString(key), notices: map[etl.NoticeKind]int{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var n etl.Notice
	err = errors.Join(err, notify.Verify(in.secret, r.Header, body, time.Now()), json.Unmarshal(body, &n))
	in.mu.Lock()
	defer in.mu.Unlock()
	in.notices[n.Kind]++
	if err != nil {
		in.wrong = append(in.wrong, err)
	}
}

func (in *inbox) has(kind etl.NoticeKind) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.notices[kind]
}

// TestFaultPoison has a message in the middle of a load that nobody can
// handle, and all three kinds of consumers.
func TestFaultPoison(t *testing.T) {
	p := newPlatform(t, large)
	in := newInbox(t)
	p.consume(3)
	others := []*process{
		p.consumer("error", "--store", p.store),
		p.consumer("notification", "--webhook", in.url, "--webhook-secret", in.secret),
	}
	load := p.etl()
	p.midway(load)
	poison := queue.Message{ID: "poison", Key: queue.KeyChunk, Body: []byte("no chunk")}
	p.send(poison)
	load.ends(t)
	eventually(t, "people are told", func() bool { return in.has(etl.NoticeFailure) > 0 && in.has(etl.NoticeRunFinished) > 0 })
	for _, c := range others {
		c.stop(t)
	}
	failures, err := p.pg.Failures(t.Context())
	if err != nil || len(failures) != 1 || failures[0].Kind != etl.FailureInvalidMessage || failures[0].Count != 1 ||
		!strings.Contains(failures[0].Latest.Where, poison.ID) {
		t.Errorf("failures %+v, %v; want the poison", failures, err)
	}
	if in.has(etl.NoticeFailure) != 1 || in.has(etl.NoticeRunFinished) != 1 || len(in.notices) != 2 || len(in.wrong) > 0 {
		t.Errorf("notices %v, wrong %v; want one of the failure and one of the run", in.notices, in.wrong)
	}
	p.wantNew(poison.ID)
}

// refuse takes the right to write from the services, and returns what gives it
// back.
func (p *platform) refuse() (allow func()) {
	p.t.Helper()
	mustSQL(p.t, p.admin, "REVOKE INSERT ON ALL TABLES IN SCHEMA egrid FROM "+role)
	return func() {
		p.t.Helper()
		mustSQL(p.t, p.admin, "GRANT INSERT ON ALL TABLES IN SCHEMA egrid TO "+role)
	}
}

// letter is what the command line shows of a dead letter.
type letter struct {
	ID, Key, Reason string
	Attempts        int
}

func (p *platform) listed() []letter {
	p.t.Helper()
	var all []letter
	if err := json.Unmarshal([]byte(mustEgrid(p.t, "dead-letters", "list", "database", "--json", "--queue", p.queue)), &all); err != nil {
		p.t.Fatal(err)
	}
	return all
}

// TestFaultDeadLetters lets messages die while the database refuses them, and
// replays them by hand when it does not any more. The etl service does not
// live to help.
func TestFaultDeadLetters(t *testing.T) {
	p := newPlatform(t, large, "--max-attempts", "2", "--retry-base", "50ms")
	p.consume(3)
	load := p.etl()
	p.midway(load)
	allow := p.refuse()
	eventually(t, "the run fails", func() bool { return load.says("run failed") > 0 })
	load.kill(t)
	eventually(t, "the queue is empty", func() bool {
		d := p.depth(queue.QueueDatabase)
		return d.Ready+d.Delayed == 0 && d.Dead > 0
	})
	letters := p.listed()
	t.Logf("%d dead letters", len(letters))
	if i := slices.IndexFunc(letters, func(l letter) bool {
		return l.Attempts != 2 || l.Key == queue.KeyChunk && !strings.Contains(l.Reason, "permission denied")
	}); i >= 0 {
		t.Errorf("dead letter %+v; want two attempts, and the privilege as the reason", letters[i])
	}
	if shown := mustEgrid(t, "dead-letters", "show", "database", letters[0].ID[:12], "--queue", p.queue); !strings.Contains(shown, letters[0].Reason) {
		t.Errorf("show prints %s; want the reason", shown)
	}
	allow()
	replays := 0
	for ; len(letters) > 0; letters = p.listed() {
		if replays++; replays > 5 {
			t.Fatalf("%d dead letters are left, the first: %+v", len(letters), letters[0])
		}
		t.Log(mustEgrid(t, "dead-letters", "replay", "database", "--all", "--queue", p.queue))
		eventually(t, "the queue is empty", func() bool {
			d := p.depth(queue.QueueDatabase)
			return d.Ready+d.Delayed == 0 && p.idle()
		})
	}
	p.etl().ends(t) // for the orders that were not yet sent
	p.wantNew()
}

// idle reports whether the consumers have settled all that they took.
func (p *platform) idle() bool {
	total := func() int {
		return p.delivered(queue.Done) + p.delivered(queue.Retry) + p.delivered(queue.Dead)
	}
	before := total()
	<-time.After(50 * time.Millisecond)
	return before == total()
}

// TestFaultErrorConsumer has the error consumer replay what died: alone, when it
// must replay everything, and beside the etl service, whose next run puts back
// what it misses and may be there first.
func TestFaultErrorConsumer(t *testing.T) {
	for name, alone := range map[string]bool{"alone": true, "beside the service": false} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, large, "--max-attempts", "2", "--retry-base", "50ms")
			p.consume(3)
			curing := p.consumer("error", "--store", p.store, "--retry-base", "200ms", "--max-attempts", "1000")
			load := p.etl()
			p.midway(load)
			allow := p.refuse()
			const letters = 10
			eventually(t, "there are dead letters", func() bool { return p.depth(queue.QueueDatabase).Dead >= letters })
			if alone {
				load.kill(t)
			}
			allow()
			if !alone {
				load.ends(t)
			}
			eventually(t, "the error consumer is done", func() bool {
				failures, chunks := p.depth(queue.QueueError), p.depth(queue.QueueDatabase)
				return failures.Ready+failures.Delayed == 0 && (!alone || chunks.Ready+chunks.Delayed+chunks.Dead == 0)
			})
			replayed := curing.says("dead letter replayed")
			t.Logf("%d dead letters were replayed by the error consumer; %d runs failed", replayed, load.says("run failed"))
			if alone && replayed < letters {
				t.Errorf("the error consumer replayed %d dead letters; want %d at least", replayed, letters)
			}
			curing.stop(t)
			if alone {
				p.etl().ends(t) // for the orders that were not yet sent
			}
			p.wantNew()
		})
	}
}
