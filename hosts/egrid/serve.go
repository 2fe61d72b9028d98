package main

import (
	"fmt"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

type serveCmd struct {
	exposing
	Addr string `help:"Address to listen on." default:"127.0.0.1:4000" placeholder:"HOST:PORT"`
}

func (c *serveCmd) Run(a *app) error {
	o, err := c.api(a)
	if err != nil {
		return err
	}
	return a.withStore(func(store service.Store) error { return a.serve(store, c.Addr, o, c.exposing, nil) })
}

// exposing are the flags of how the service is reached, and by whom.
type exposing struct {
	service.Serving
	service.Access
	service.Explorer
}

func (e *exposing) api(a *app) (httpapi.Options, error) {
	o := httpapi.Options{Version: service.Version().Version, Logger: a.log}
	return o, e.Apply(&o, a.log)
}

func (a *app) serve(store service.Store, addr string, o httpapi.Options, e exposing, page *dashboard.Options) error {
	m := telemetry.New()
	m.WatchStore(store)
	h := service.API(store, m, o)
	service.Page(h, page)
	e.Mount(h)
	return service.Serve(a.ctx, addr, h, &service.ServeOptions{Serving: e.Serving, Logger: a.log, Ready: func(url string) {
		fmt.Fprintf(a.stdout, "\ndashboard and API: %s\n", url)
	}})
}

type upCmd struct {
	Source []string `arg:"" optional:"" help:"Files and folders. Default: the bundled sample, in a store of its own."`
	Addr   string   `help:"Address to listen on." default:"127.0.0.1:4000" placeholder:"HOST:PORT"`
	exposing
	reading
	publishing
}

// defaultStore is that of the flag; sampleStore keeps generated figures apart
// from real ones.
const (
	defaultStore = "sqlite:egrid.db"
	sampleStore  = "sqlite:sample.db"
)

func (c *upCmd) Run(a *app) error {
	o, err := c.options(a)
	if err != nil {
		return err
	}
	c.apply(&o)
	api, err := c.api(a)
	if err != nil {
		return err
	}
	source := etl.FS(data.Files())
	var page *dashboard.Options
	if len(c.Source) > 0 {
		if source, err = service.OpenSource(c.Source); err != nil {
			return err
		}
	} else {
		page = &dashboard.Options{Title: "eGRID sample", Source: "a generator: no plant here exists"}
		if a.cli.Store == defaultStore {
			a.cli.Store = sampleStore
		}
		fmt.Fprintln(a.stdout, "No source given: loading the bundled sample, whose figures are generated. For your own files: egrid up PATH")
		fmt.Fprintln(a.stdout)
	}
	return a.withStore(func(store service.Store) error {
		report, err := a.load(store, source, &o)
		if err != nil {
			return err
		}
		if err := describeReport(a, report); err != nil {
			return err
		}
		if report.Status == etl.Failed {
			return failed
		}
		return a.serve(store, c.Addr, api, c.exposing, page)
	})
}
