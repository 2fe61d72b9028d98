package service

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

// etlKeyVariable holds the API key of the service etl.
const etlKeyVariable = "EGRID_ETL_KEY"

// PassRuns has an API tell of the runs that the log of the store has, and passes
// orders and decisions on to the service etl at a URL, if there is one. The API is
// ready without it.
func PassRuns(o *httpapi.Options, store driver.Store, url string, log *slog.Logger) error {
	logged := etl.NewRuns(store, &etl.RunsOptions{Logger: log})
	if url == "" {
		if store.RunLog != nil {
			o.Runs = loggedRuns{logged}
		}
		return nil
	}
	key, err := secretOf("the key of the service etl", "", etlKeyVariable)
	if err != nil {
		return err
	}
	service, err := client.New(url, &client.Options{APIKey: key})
	if err != nil {
		return err
	}
	o.Runs = service
	if store.RunLog != nil {
		o.Runs = passedRuns{loggedRuns{logged}, service}
	}
	o.Checks = append(o.Checks, httpapi.ReadinessCheck{Name: "etl", Optional: true, Check: func(ctx context.Context) error {
		_, err := service.Runs(ctx)
		return err
	}})
	return nil
}

// loggedRuns are those of the log, for a service that only reads: it decides on
// nothing.
type loggedRuns struct{ driver.Runner }

// StartRun implements [driver.Runner].
func (loggedRuns) StartRun(context.Context, driver.RunRequest) (driver.Run, error) {
	return driver.Run{}, fmt.Errorf("%w: this service takes no orders: it has no --etl (EGRID_ETL), which names the service that makes the loads", egrid.ErrConflict)
}

// passedRuns are those of the log, with orders and decisions for the service etl,
// which also knows best how far a run of its own is.
type passedRuns struct {
	loggedRuns
	service *client.Client
}

func (p passedRuns) StartRun(ctx context.Context, r driver.RunRequest) (driver.Run, error) {
	return p.service.StartRun(ctx, r)
}

func (p passedRuns) PublishRun(ctx context.Context, id string, policy driver.Policy) (driver.Run, error) {
	return p.service.PublishRun(ctx, id, policy)
}

func (p passedRuns) DiscardRun(ctx context.Context, id string) (driver.Run, error) {
	return p.service.DiscardRun(ctx, id)
}

// FollowRun asks the service, and goes on by the log where that is away.
func (p passedRuns) FollowRun(ctx context.Context, id string) iter.Seq2[driver.Run, error] {
	return func(yield func(driver.Run, error) bool) {
		for run, err := range p.service.FollowRun(ctx, id) {
			if err != nil && ctx.Err() == nil {
				p.loggedRuns.FollowRun(ctx, id)(yield)
				return
			}
			if !yield(run, err) {
				return
			}
		}
	}
}

// MountRuns serves the part of the API that is about loads, and the level of the log. It
// needs no columns. It is no method of Process: kong would link the API into every service.
func MountRuns(p *Process, mux *http.ServeMux, store driver.Store, o httpapi.Options) {
	p.MountLevel(mux, o.Authenticate)
	h := CachedAPI(p.Context, store, p.Metrics, o, cache.Options{ColumnBytes: -1})
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
