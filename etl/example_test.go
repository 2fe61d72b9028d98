package etl_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"testing/fstest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/schedule"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// sheets is a folder of two sheets, the second of which is impossible.
var sheets = etl.FS(fstest.MapFS{
	"GEN23.csv": {Data: []byte("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,1,1,400\n2023,OK,Bravo,2,1,-10\n")},
	"SRL23.csv": {Data: []byte("SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\nNYCW,5,10,8\n")},
})

func Example() {
	store := memstore.New()
	report, err := etl.New(sheets, etl.ToLoader(store), nil).Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Files {
		fmt.Println(f.Object, f.Sheets[0].Level, f.Sheets[0].Loaded, f.Sheets[0].Status)
	}
	// Output:
	// GEN23.csv GEN 2 published
	// SRL23.csv SRL 0 held
}

// What can be read only once, such as standard input.
func ExampleStream() {
	input := strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,1,1,400\n") // or os.Stdin
	report, err := etl.New(etl.Stream("standard input", input), etl.ToLoader(memstore.New()), nil).Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Files[0].Object, report.RowsLoaded, report.Status)
	// Output: standard input 1 published
}

// Chunks go through a broker to a consumer, which may be anywhere.
func ExampleToQueue() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	store, broker := memstore.New(), memqueue.New(nil)
	go func() {
		if err := queue.Consume(ctx, broker, queue.QueueDatabase, etl.DatabaseHandler(store), nil); err != nil {
			log.Print(err)
		}
	}()
	report, err := etl.New(sheets, etl.ToQueue(broker, store), nil).Run(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.RowsRead, "rows read,", report.RowsLoaded, "published")
	// Output: 3 rows read, 2 published
}

func ExampleScheduler() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	backend := memstore.New()
	o := &etl.Options{Runs: etl.NewRuns(backend.Driver(), nil)} // writes the run log
	daily, err := schedule.Parse("TZ=Europe/Berlin 30 6 * * *")
	if err != nil {
		log.Fatal(err)
	}
	etl.NewScheduler(etl.New(sheets, etl.ToLoader(backend), o), daily, &etl.SchedulerOptions{
		Schedules: backend, // of several schedulers on one PostgreSQL store, one leads
		Name:      "sheets",
		Jitter:    time.Minute,
		Done: func(_ context.Context, r etl.Report, err error) {
			if err != nil {
				log.Print(err) // and it is tried again
				return
			}
			for _, n := range etl.Notices(r, time.Now()) {
				fmt.Println(n.Title)
			}
			stop() // the next one would be at half past six
		},
	}).Run(ctx)
	runs, err := backend.SavedRuns(context.Background(), 10)
	if err != nil {
		log.Fatal(err)
	}
	for _, run := range runs {
		fmt.Println(run.Status, "by", run.Trigger, run.Chunks, "chunks")
	}
	// Output:
	// Load finished: 1 published, 1 held
	// Load held: SRL 2023 from SRL23.csv
	// held by schedule 2 chunks
}
