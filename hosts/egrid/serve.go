package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

type serveCmd struct {
	exposing
	Addr    string   `help:"Address to listen on." default:"127.0.0.1:4000" placeholder:"HOST:PORT"`
	Sources []string `help:"Files, folders or s3://BUCKET/PREFIX that POST /runs loads. Default: none." placeholder:"SOURCE"`
	reading
	publishing
}

func (c *serveCmd) Run(a *app) error {
	api, err := c.api(a)
	if err != nil {
		return err
	}
	o, err := c.options(a)
	if err != nil {
		return err
	}
	c.apply(&o)
	var page dashboard.Options
	if err := c.Draw(&page); err != nil {
		return err
	}
	var source etl.Source
	if len(c.Sources) > 0 {
		if source, err = service.OpenSource(c.Sources, nil); err != nil {
			return err
		}
	}
	listener, err := service.Listen(a.ctx, c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // in case that it does not come to serving
	service.LimitMemory()
	open := a.withExisting
	if source != nil || a.cli.Store == service.DefaultStore() { // which a later load writes into
		open = a.withStore
	}
	return open(func(store driver.Store) error {
		return a.serve(store, &serving{exposing: c.exposing, listener: listener, api: api, page: page, source: source, load: o})
	})
}

// exposing are the flags of how the service is reached, and by whom.
type exposing struct {
	service.Serving
	service.Access
	service.Explorer
	service.Boundaries
}

func (e *exposing) api(a *app) (httpapi.Options, error) {
	o := httpapi.Options{Version: service.Version().Version, Logger: a.log}
	return o, errors.Join(e.Apply(&o, a.log), e.Place(&o))
}

// serving is what is served, and from where more is loaded when somebody with
// the scope asks for it.
type serving struct {
	exposing
	listener net.Listener
	api      httpapi.Options
	page     dashboard.Options
	source   etl.Source // nil for none
	load     etl.Options
}

func (a *app) serve(store driver.Store, s *serving) error {
	if !s.page.Generated && a.allGenerated(store.Scanner) {
		s.page = samplePage(s.page)
		fmt.Fprintln(a.stdout, "The figures of this store are generated: no plant in it exists, and no number may be cited.")
	}
	m := telemetry.New()
	m.WatchStore(store.Scanner)
	m.WatchDisk("temporary", os.TempDir())
	service.WatchStoreDisk(m, a.cli.Store)
	s.load.Observe = m.Stage
	o := etl.RunsOptions{Options: s.load, Logger: a.log}
	if s.source != nil {
		o.Load = func(ctx context.Context, o etl.Options) (etl.Report, error) {
			report, err := a.load(ctx, store, s.source, &o)
			m.Run(&report, err)
			return report, err
		}
	}
	runs := etl.NewRuns(store, &o)
	s.api.Runs = runs
	h := service.API(a.ctx, store, m, s.api)
	service.Page(h, &s.page)
	s.Mount(h)
	a.level.Mount(h, s.api.Authenticate, a.log)
	err := service.Serve(a.ctx, s.listener.Addr().String(), h, &service.ServeOptions{Serving: s.Serving, Listener: s.listener, Logger: a.log, Ready: func(url string) {
		fmt.Fprintf(a.stdout, "\ndashboard and API: %s\n", url)
	}})
	return errors.Join(err, runs.Close())
}

// samplePage is the page over figures that are nobody's.
func samplePage(o dashboard.Options) dashboard.Options {
	return dashboard.Options{Shapes: o.Shapes, Title: "eGRID sample", Source: "a generator: no plant here exists", Generated: true}
}

// allGenerated reports that a store holds the bundled sample and nothing else, so that
// no figure in it is anybody's. A store that cannot be read now says nothing: the page
// asks again.
func (a *app) allGenerated(s driver.Scanner) bool {
	c, err := s.Catalog(a.ctx)
	if err != nil {
		return false
	}
	published := 0
	for _, snapshot := range c.Snapshots {
		if snapshot.Status != egrid.Published {
			continue
		}
		if snapshot.Authority != data.Authority {
			return false
		}
		published++
	}
	return published > 0
}

type upCmd struct {
	Source []string `arg:"" optional:"" help:"Files and folders. Default: the bundled sample, in a store of its own."`
	Addr   string   `help:"Address to listen on." default:"127.0.0.1:4000" placeholder:"HOST:PORT"`
	exposing
	reading
	publishing
}

// sampleStore keeps generated figures apart from real ones.
func sampleStore() string { return filepath.Join(service.DataDir(), "sample.db") }

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
	listener, err := service.Listen(a.ctx, c.Addr) // before a load that may take long
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // in case that it does not come to serving
	var page dashboard.Options
	if err := c.Draw(&page); err != nil {
		return err
	}
	source := etl.FS(data.Files())
	if len(c.Source) > 0 {
		if source, err = service.OpenSource(c.Source, a.stdin); err != nil {
			return err
		}
	} else {
		page = samplePage(page)
		o.Authority = cmp.Or(o.Authority, data.Authority)
		if a.cli.Store == service.DefaultStore() {
			a.cli.Store = sampleStore()
			if o.Publish == driver.PublishAuto { // nothing else is in there: the sample of another version gives way
				o.Publish = driver.PublishReplace
			}
		}
		fmt.Fprintln(a.stdout, "No source given: loading the bundled sample, whose figures are generated. For your own files: egrid up PATH")
		fmt.Fprintln(a.stdout)
	}
	return a.withStore(func(store driver.Store) error {
		loading := o
		bar := a.progress(&loading)
		report, err := a.load(a.ctx, store, source, &loading)
		bar.Clear()
		if err != nil {
			return err
		}
		if err := a.describe(&report); err != nil {
			return err
		}
		if report.Failed() {
			return failed
		}
		return a.serve(store, &serving{exposing: c.exposing, listener: listener, api: api, page: page, source: source, load: o})
	})
}
