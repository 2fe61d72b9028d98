package etl_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"log"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// archive is a source of one's own: sheets by name, as a document store has them.
type archive map[string]string

// List yields every sheet. The version tells a pipeline that watches the source
// whether the content is another than the last time.
func (a archive) List(context.Context) iter.Seq2[etl.Object, error] {
	return func(yield func(etl.Object, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(a)) {
			text := a[name]
			sum := sha256.Sum256([]byte(text))
			o := etl.Object{Name: name, Location: "archive:" + name, Size: int64(len(text)), Version: hex.EncodeToString(sum[:])}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Open reads a part of a sheet, or all of what is behind offset.
func (a archive) Open(_ context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	text := a[o.Name][offset:]
	if length >= 0 {
		text = text[:length]
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// A source and a consumer of one's own: sheets come from an archive, go through a
// broker, and are counted on their way into the store.
func Example_ownSourceAndConsumer() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	backend, broker := memstore.New(), memqueue.New(nil)
	into := etl.DatabaseHandler(backend)
	var bytes atomic.Int64
	counting := func(ctx context.Context, d queue.Delivery) error {
		bytes.Add(int64(len(d.Message.Body)))
		return into(ctx, d)
	}
	go func() {
		if err := queue.Consume(ctx, broker, queue.QueueDatabase, counting, nil); err != nil {
			log.Print(err)
		}
	}()
	sheets := archive{"GEN23.csv": "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,WY,Wyodak,6101,1,1776490\n"}
	report, err := etl.New(sheets, etl.ToQueue(broker, backend), nil).Run(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Status, report.RowsLoaded, bytes.Load() > 0)
	// Output: published 1 true
}
