// Command etl takes the objects of a source through the five stages and sends
// them to the consumers: once, on a schedule, and when a bucket tells of a new one.
//
//	etl --store postgres://egrid@db/egrid --queue amqp://egrid@broker/egrid s3://egrid/
//
// # Guarantees
//
// Nothing is lost when it is killed: the next run goes on. Of several of them on
// one source and one PostgreSQL store, one makes the runs; when it dies, another one
// does. Each due time has a run or is told as missed. What is unchanged since
// the run before is not read again.
//
// # Errors
//
// Exit status 0: told to stop, or --schedule once and the run ended well; 1: failed;
// 2: wrong usage. A run that fails is told to the error consumer, and tried again.
//
// # See also
//
// Command consumer, and package etl.
package main

import (
	"context"
	"errors"
	"os"
	"time"
	_ "time/tzdata" // for TZ= where the system has none, as a container

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/queue"
)

type cli struct {
	service.Logging
	service.Serving
	service.Access
	service.Scheduling
	service.Limits
	Source  []string `arg:"" help:"Files, folders or s3://BUCKET/PREFIX."`
	Store   string   `help:"Where the consumers write to." required:"" placeholder:"URL"`
	Queue   string   `help:"What carries chunks to the consumers." required:"" placeholder:"URL"`
	Addr    string   `help:"Address of health, metrics, runs and notifications." default:"127.0.0.1:3001" placeholder:"HOST:PORT"`
	Publish string   `help:"What to do where other data are published already: auto, replace, merge or hold." enum:"auto,replace,merge,hold" default:"auto"`
	Mapping string   `help:"File that maps headers which are nobody's codes to columns (etl.json)." type:"path" placeholder:"FILE"`
	Rejects string   `help:"Folder of files with the records that cannot be read, one for each run. Default: rejects in the data folder of the user." type:"path" placeholder:"FOLDER"`
	Workers int      `help:"Chunks decoded at once. Default: the processors."`
	Chunk   int64    `help:"Bytes of a chunk, about. It is part of a load's identity." default:"1048576" name:"chunk-bytes"`
}

func main() { service.Main("etl", "From files to the queue, on a schedule.", &cli{}) }

func (c *cli) Run(p *service.Process) error {
	schedule, err := c.Parse()
	if err != nil {
		return err
	}
	token, err := c.Token()
	if err != nil {
		return err
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	api := httpapi.Options{Version: service.Version().Version, Logger: p.Log}
	if err := c.Apply(&api, p.Log); err != nil {
		return err
	}
	source, err := service.OpenSource(c.Source, nil)
	if err != nil {
		return err
	}
	broker, err := p.OpenQueue(c.Queue)
	if err != nil {
		return err
	}
	store, err := p.OpenStore(c.Store, "")
	if err != nil {
		return errors.Join(err, broker.Close())
	}
	o.Observe, o.Logger = p.Metrics.Stage, p.Log
	sink := etl.ToQueue(broker, store)
	runs := etl.NewRuns(store, &etl.RunsOptions{Options: o, Logger: p.Log, Load: func(ctx context.Context, o etl.Options) (etl.Report, error) {
		r, err := etl.New(source, sink, &o).Run(ctx)
		tell(ctx, p, broker, r, err)
		return r, err
	}})
	o.Runs, api.Runs = runs, runs
	when := etl.SchedulerOptions{
		Name: c.Name(c.Source), Jitter: c.Jitter, Logger: p.Log, Schedules: store.Schedules,
		Done: func(run context.Context, r etl.Report, err error) { tell(run, p, broker, r, err) },
		Missed: func(ctx context.Context, m etl.Missed) {
			p.Metrics.Missed(m)
			if !m.Busy {
				p.Notify(ctx, broker, etl.MissedNotice(m, time.Now()))
			}
		},
	}
	if c.Schedule == service.Once {
		when.Schedules = nil // whoever asks for a run gets it
	}
	scheduler := etl.NewScheduler(etl.New(source, sink, &o), schedule, &when)
	p.WatchLoads(broker, o.RejectsFile)
	p.Metrics.WatchSchedule(scheduler.State)
	mux := p.Probes(service.StoreCheck(store.Scanner), service.QueueCheck(broker, queue.QueueDatabase), service.PublishCheck(broker))
	service.MountRuns(p, mux, store, api)
	p.MountNotifications(mux, scheduler.Ask, c.Source, token)
	err = p.Together(
		p.Serve(c.Addr, mux, c.Serving),
		func(ctx context.Context) error { scheduler.Run(ctx); return nil },
	)
	return errors.Join(err, runs.Close(), store.Close(), broker.Close())
}

func (c *cli) options() (etl.Options, error) {
	o := etl.Options{Workers: c.Workers, ChunkBytes: c.Chunk, Publish: driver.Policy(c.Publish), RejectsFile: service.RejectsFile(c.Rejects), Formats: service.Inputs(), Limits: c.Limits.Of()}
	if c.Mapping == "" {
		return o, nil
	}
	f, err := os.Open(c.Mapping)
	if err != nil {
		return o, err
	}
	defer f.Close()
	o.Config, err = etl.ReadConfig(f)
	return o, err
}

// tell says how a run ended: to the log, to metrics, and to the other consumers.
// ctx is that of the run.
func tell(ctx context.Context, p *service.Process, b queue.Publisher, r etl.Report, err error) {
	p.Metrics.Run(&r, err)
	if err != nil {
		p.Log.ErrorContext(ctx, "run failed", "run_id", r.RunID, "error", err)
		p.Tell(ctx, b, etl.RunIncident(r, err))
		return
	}
	p.Log.InfoContext(ctx, "run finished", "run_id", r.RunID, "status", r.Status, "files", len(r.Files), "rows_read", r.RowsRead,
		"rows_loaded", r.RowsLoaded, "rows_rejected", r.RowsRejected, "duration_seconds", r.Seconds)
	for _, in := range etl.ObjectIncidents(r) {
		p.Log.WarnContext(ctx, "not loaded", "run_id", r.RunID, "what", in.Where, "reason", in.Message)
		p.Tell(ctx, b, in)
	}
	p.Notify(ctx, b, etl.Notices(r, time.Now())...)
}
