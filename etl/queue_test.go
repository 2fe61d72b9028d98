package etl_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// consume runs consumers of the broker's chunks until the test ends.
func consume(t *testing.T, b queue.Broker, handle queue.Handler) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- queue.Consume(ctx, b, queue.QueueDatabase, handle, &queue.ConsumeOptions{Workers: 3, Retry: queue.RetryPolicy{MaxAttempts: 6, Base: time.Millisecond}})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.Close()
	})
}

// Through a queue that delivers everything twice to several consumers, a load
// ends as it does without one.
func TestThroughAQueue(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"GEN.csv":   generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 300),
		"SRL23.csv": "SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\nNYCW,5,10,8\n", // held: CO2e below CO2
	})
	o := &etl.Options{ChunkBytes: 200}
	want, _ := run(t, etl.Local(dir), o)

	store := memstore.New()
	broker := memqueue.New(&memqueue.Options{MaxMessages: 8})
	handle := etl.DatabaseHandler(store)
	consume(t, broker, func(ctx context.Context, d queue.Delivery) error {
		if err := handle(ctx, d); err != nil {
			return err
		}
		return handle(ctx, d)
	})
	p := etl.New(etl.Local(dir), etl.ToQueue(broker, store), o)
	got, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sheetsOf(got), sheetsOf(want)) || !slices.ContainsFunc(sheetsOf(got), func(s string) bool { return strings.HasSuffix(s, "held") }) {
		t.Errorf("got %q; want %q", sheetsOf(got), sheetsOf(want))
	}
	again, err := p.Run(t.Context())
	if err != nil || again.RowsLoaded != 0 || again.Files[0].Sheets[0].Status != etl.Unchanged {
		t.Errorf("again: %q, %v", sheetsOf(again), err)
	}
	forced, err := etl.New(etl.Local(dir), etl.ToQueue(broker, store), &etl.Options{ChunkBytes: 200, Publish: driver.PublishReplace}).Run(t.Context())
	if err != nil || forced.Status != etl.Published {
		t.Errorf("replacing: %q, %v", sheetsOf(forced), err)
	}
}

// brokenStore fails until it is mended.
type brokenStore struct {
	*memstore.Store
	err error
}

func (s *brokenStore) Put(ctx context.Context, id egrid.StageID, c driver.Chunk) (driver.Change, error) {
	if s.err != nil {
		return driver.Change{}, s.err
	}
	return s.Store.Put(ctx, id, c)
}

func TestDeadLettersEndTheLoad(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	store := &brokenStore{memstore.New(), errors.New("disk full")}
	broker := memqueue.New(nil)
	consume(t, broker, etl.DatabaseHandler(store))
	_, err := etl.New(etl.Local(dir), etl.ToQueue(broker, store), nil).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
}

// A load whose cause of death is mended is simply run again: what died of the
// first run is no failure of the second, and is not left behind.
func TestLoadAgainBehindDeadLetters(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	store := &brokenStore{memstore.New(), errors.New("disk full")}
	broker := memqueue.New(nil)
	mended := atomic.Bool{}
	broken, whole := etl.DatabaseHandler(store), etl.DatabaseHandler(store.Store)
	consume(t, broker, func(ctx context.Context, d queue.Delivery) error {
		if mended.Load() {
			return whole(ctx, d)
		}
		return broken(ctx, d)
	})
	pipeline := etl.New(etl.Local(dir), etl.ToQueue(broker, store), nil)
	if _, err := pipeline.Run(t.Context()); err == nil {
		t.Fatal("loaded into a full disk")
	}
	eventually(t, "nothing dies", func() bool { return deadLetters(t, broker) > 0 })
	mended.Store(true)
	report, err := pipeline.Run(t.Context())
	if err != nil || report.Status != etl.Published {
		t.Errorf("got %s, %v", report.Status, err)
	}
	if n := deadLetters(t, broker); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	good := func() queue.Message {
		m, err := etl.EncodeChunk(specOf(t))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	handle := etl.DatabaseHandler(memstore.New())
	for name, change := range map[string]func(*queue.Message){
		"empty":    func(m *queue.Message) { m.Body = nil },
		"cut":      func(m *queue.Message) { m.Body = m.Body[:len(m.Body)-3] },
		"longer":   func(m *queue.Message) { m.Body = append(slices.Clone(m.Body), 0) },
		"type":     func(m *queue.Message) { m.ContentType = "text/plain" },
		"encoding": func(m *queue.Message) { m.ContentEncoding = "gzip" },
		"version":  func(m *queue.Message) { m.Headers[queue.HeaderVersion] = "2" },
		"order":    func(m *queue.Message) { m.Key = queue.KeyPublish },
		"key":      func(m *queue.Message) { m.Key = "database.other" },
	} {
		m := good()
		change(&m)
		if err := handle(ctx, queue.Delivery{Message: m}); !queue.IsPermanent(err) {
			t.Errorf("%s: got %v; want a permanent failure", name, err)
		}
	}
	if err := handle(ctx, queue.Delivery{Message: good()}); err != nil {
		t.Error(err)
	}
}

// specOf makes a chunk with every type of value.
func specOf(t testing.TB) (driver.SnapshotSpec, driver.Chunk) {
	t.Helper()
	var fields []egrid.Field
	for _, name := range []string{"sequence", "PNAME", "GENNTAN"} {
		f, _ := egrid.Lookup(egrid.GEN, name)
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(append(fields, egrid.Field{Level: egrid.GEN, Column: "yes", Type: egrid.Flag})...)
	if err != nil {
		t.Fatal(err)
	}
	spec := driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "a.csv", SHA256: "00"}}
	b := egrid.NewBuilder(schema, 2023)
	rows := map[int64][]egrid.Value{
		1:       {egrid.IntegerOf(-9007199254740993), egrid.TextOf("Ω\n\""), egrid.NumberOf(-0.1), egrid.FlagOf(true)},
		1 << 40: {{}, {}, egrid.NumberOf(1e300), egrid.FlagOf(false)},
	}
	for _, number := range []int64{1, 1 << 40} {
		if err := b.Row(rows[number]); err != nil {
			t.Fatal(err)
		}
		if number == 1 {
			b.Lossy(2)
		}
		b.EndRow(number, 0)
	}
	return spec, driver.Chunk{Index: 7, Rows: b.Batch(), Rejected: 3, Findings: []egrid.Audit{{Rule: "r", Severity: egrid.Hard, Count: 1, Examples: []string{"x"}}}}
}

func TestCodec(t *testing.T) {
	t.Parallel()
	spec, chunk := specOf(t)
	m, err := etl.EncodeChunk(spec, chunk)
	if err != nil {
		t.Fatal(err)
	}
	gotSpec, got, err := etl.DecodeChunk(m)
	if err != nil || gotSpec.ID() != spec.ID() || got.Index != 7 || got.Rejected != 3 || got.Rows.Len() != 2 || !slices.Equal(got.Rows.Lossy(), []egrid.Column{egrid.NetGeneration}) || got.Findings[0].Examples[0] != "x" {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i := range chunk.Rows.Len() {
		row, want := got.Rows.Row(i), chunk.Rows.Row(i)
		if !slices.Equal(row.Values(), want.Values()) || row.Number() != want.Number() || row.Year() != 2023 {
			t.Errorf("row %d: %v of number %d; want %v of number %d", i, row.Values(), row.Number(), want.Values(), want.Number())
		}
	}
	again, err := etl.EncodeChunk(gotSpec, got)
	if err != nil || string(again.Body) != string(m.Body) {
		t.Errorf("encoding what was decoded gives other bytes, %v", err)
	}
}

func FuzzDecodeChunk(f *testing.F) {
	m, err := etl.EncodeChunk(specOf(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Body)
	f.Add(m.Body[:len(m.Body)/2])
	f.Fuzz(func(t *testing.T, body []byte) {
		spec, c, err := etl.DecodeChunk(queue.Message{Body: body, ContentType: m.ContentType})
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Errorf("%v is not an ErrInvalid", err)
			}
			return
		}
		// The header may be written in other ways, the rows in one.
		again, err := etl.EncodeChunk(spec, c)
		if err != nil {
			t.Fatal(err)
		}
		_, back, err := etl.DecodeChunk(again)
		if err != nil {
			t.Fatal(err)
		}
		if driver.DigestOf(back.Rows) != driver.DigestOf(c.Rows) || back.Index != c.Index || back.Rejected != c.Rejected || !slices.Equal(back.Rows.Lossy(), c.Rows.Lossy()) {
			t.Errorf("what was decoded encodes as %v; want %v", back, c)
		}
		if rows := c.Rows.AppendBinary(nil); !bytes.HasSuffix(again.Body, rows) {
			t.Error("the message does not end with the encoded batch")
		}
	})
}
