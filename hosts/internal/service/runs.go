package service

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

// etlKeyVariable holds the API key of the service etl.
const etlKeyVariable = "EGRID_ETL_KEY"

// PassRuns passes what an API is asked about loads on to the service etl at a
// URL, if there is one. The API is ready without it.
func PassRuns(o *httpapi.Options, url string) error {
	if url == "" {
		return nil
	}
	key, err := secretOf("the key of the service etl", "", etlKeyVariable)
	if err != nil {
		return err
	}
	etl, err := client.New(url, &client.Options{APIKey: key})
	if err != nil {
		return err
	}
	o.Runs = etl
	o.Checks = append(o.Checks, httpapi.ReadinessCheck{Name: "etl", Optional: true, Check: func(ctx context.Context) error {
		_, err := etl.Runs(ctx)
		return err
	}})
	return nil
}

// MountRuns serves the part of the API that is about loads. It needs no columns.
func MountRuns(ctx context.Context, mux *http.ServeMux, store driver.Store, m *telemetry.Metrics, o httpapi.Options) {
	h := CachedAPI(ctx, store, m, o, cache.Options{ColumnBytes: -1})
	mux.Handle("/runs", h)
	mux.Handle("/runs/", h)
}

// freshRunner is a runner behind whose answers readers see what was published.
type freshRunner struct {
	driver.Runner
	refresh func()
}

// fresh makes a runner fresh, and a decider where it is one.
func fresh(r driver.Runner, refresh func()) driver.Runner {
	f := freshRunner{Runner: r, refresh: refresh}
	if d, ok := r.(driver.Decider); ok {
		return freshDecider{f, d}
	}
	return f
}

// freshDecider is a fresh runner that decides, too.
type freshDecider struct {
	freshRunner
	decider driver.Decider
}

// recently is how long a run is over when readers see it in any case.
const recently = 5 * time.Second

func (f freshRunner) saw(run *driver.Run) {
	if run.Ended != nil && time.Since(*run.Ended) < recently {
		f.refresh()
	}
}

func (f freshRunner) Runs(ctx context.Context) ([]driver.Run, error) {
	runs, err := f.Runner.Runs(ctx)
	for i := range runs {
		f.saw(&runs[i])
	}
	return runs, err
}

func (f freshRunner) Run(ctx context.Context, id string) (driver.Run, error) {
	run, err := f.Runner.Run(ctx, id)
	f.saw(&run)
	return run, err
}

func (f freshRunner) FollowRun(ctx context.Context, id string) iter.Seq2[driver.Run, error] {
	return func(yield func(driver.Run, error) bool) {
		for run, err := range f.Runner.FollowRun(ctx, id) {
			f.saw(&run)
			if !yield(run, err) {
				return
			}
		}
	}
}

func (f freshDecider) PublishRun(ctx context.Context, id string, p driver.Policy) (driver.Run, error) {
	defer f.refresh()
	return f.decider.PublishRun(ctx, id, p)
}

func (f freshDecider) DiscardRun(ctx context.Context, id string) (driver.Run, error) {
	defer f.refresh()
	return f.decider.DiscardRun(ctx, id)
}

// freshHistory is a history behind whose answers readers see what was restored.
type freshHistory struct {
	driver.History
	refresh func()
}

func (f freshHistory) Restore(ctx context.Context, id egrid.SnapshotID) (egrid.Snapshot, error) {
	defer f.refresh()
	return f.History.Restore(ctx, id)
}
