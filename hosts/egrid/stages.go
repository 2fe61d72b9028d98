package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

// input is where a stage reads the answer of the one before it.
type input struct {
	In string `help:"Answer of the stage before, as JSON; - for standard input." required:"" placeholder:"FILE"`
}

// read decodes it. The error wraps egrid.ErrInvalid when it is no such answer.
func (in input) read(a *app, v any) error {
	r := a.stdin
	if in.In != "-" {
		f, err := os.Open(in.In)
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := in.ofStage(b, v); err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %s is not the answer of the stage before: %w", egrid.ErrInvalid, in.In, err)
	}
	return nil
}

// ofStage refuses the answer of another stage than the one that is read.
func (in input) ofStage(b []byte, v any) error {
	stages := []struct {
		name, holds string
		is          bool
	}{
		{"scan", "objects", is[*etl.Scanned](v)}, {"validate", "files", is[*etl.Validated](v)}, {"divide", "parts", is[*etl.Divided](v)}, {"stream", "loads", is[*etl.Streamed](v)},
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("%w: %s is not the answer of the stage before: %w", egrid.ErrInvalid, in.In, err)
	}
	wanted, found := "", "of no stage"
	for _, s := range stages {
		_, has := doc[s.holds]
		switch {
		case s.is && has:
			return nil
		case s.is:
			wanted = s.name
		case has:
			found = "of egrid " + s.name
		}
	}
	return fmt.Errorf("%w: %s is the answer %s, and not of the stage before, which is egrid %s", egrid.ErrInvalid, in.In, found, wanted)
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

type scanCmd struct {
	Source []string `arg:"" help:"Files and folders."`
}

func (c *scanCmd) Run(a *app) error {
	source, err := service.OpenSource(c.Source, nil) // the next stage could not read it again
	if err != nil {
		return err
	}
	scanned, err := etl.New(source, nil, nil).Scan(a.ctx)
	if err != nil {
		return err
	}
	return printJSON(a, scanned)
}

type validateCmd struct {
	Source  []string `arg:"" optional:"" help:"Files, folders or - for standard input, unless --in is given."`
	In      string   `help:"Answer of scan, as JSON; - for standard input." placeholder:"FILE"`
	JSON    bool     `help:"Print the answer as JSON, for the stage divide."`
	Explain bool     `env:"-" help:"Tell of each sheet what it is taken for, from which evidence, and what becomes of each column."`
	reading
}

// Help implements kong.HelpProvider.
func (c *validateCmd) Help() string {
	return `Examples:

  egrid validate downloads/
  egrid validate --explain PLNT23.csv
  egrid scan downloads/ | egrid validate --in - | egrid divide --in -`
}

func (c *validateCmd) Run(a *app) error {
	if (c.In == "") == (len(c.Source) == 0) {
		return fmt.Errorf("%w: give either sources or --in", egrid.ErrInvalid)
	}
	source, err := service.OpenSource(c.Source, a.stdin)
	if err != nil {
		return err
	}
	o, err := c.options(a)
	if err != nil {
		return err
	}
	bar := a.progress(&o)
	defer bar.Clear()
	p := etl.New(source, nil, &o)
	var scanned etl.Scanned
	if c.In != "" {
		err = input{c.In}.read(a, &scanned)
	} else {
		scanned, err = p.Scan(a.ctx)
	}
	if err != nil {
		return err
	}
	v, err := p.Validate(a.ctx, scanned)
	bar.Clear()
	if err != nil {
		return err
	}
	r := v.Report()
	switch {
	case c.JSON || c.In != "":
		err = printJSON(a, v)
	case c.Explain:
		err = a.explain(v)
	default:
		err = a.describe(&r)
	}
	switch {
	case err != nil:
		return err
	case r.Failed():
		return failed
	case !v.OK():
		return incomplete
	}
	return nil
}

type divideCmd struct{ input }

func (c *divideCmd) Run(a *app) error {
	var v etl.Validated
	if err := c.read(a, &v); err != nil {
		return err
	}
	source, err := service.OpenSource(nil, nil)
	if err != nil {
		return err
	}
	divided, err := etl.New(source, nil, &etl.Options{Formats: service.Inputs()}).Divide(a.ctx, v)
	if err != nil {
		return err
	}
	return printJSON(a, divided)
}

type streamCmd struct {
	input
	publishing
	Workers int `help:"Chunks decoded at once. Default: the processors."`
}

func (c *streamCmd) Run(a *app) error {
	var divided etl.Divided
	if err := c.read(a, &divided); err != nil {
		return err
	}
	o := etl.Options{Workers: c.Workers, Formats: service.Inputs(), Logger: a.log}
	c.apply(&o)
	source, err := service.OpenSource(nil, nil)
	if err != nil {
		return err
	}
	bar := a.progress(&o)
	defer bar.Clear()
	return a.withStore(func(store driver.Store) error {
		var streamed etl.Streamed
		err := a.withSink(store, func(ctx context.Context, sink etl.Sink) (err error) {
			streamed, err = etl.New(source, sink, &o).Stream(ctx, divided)
			return err
		})
		bar.Clear()
		if err != nil {
			return err
		}
		return printJSON(a, streamed)
	})
}

type reportCmd struct {
	input
	publishing
}

func (c *reportCmd) Run(a *app) error {
	var streamed etl.Streamed
	if err := c.read(a, &streamed); err != nil {
		return err
	}
	o := etl.Options{Logger: a.log}
	c.apply(&o)
	return a.withStore(func(store driver.Store) error {
		o.Runs = a.runs(store)
		var report etl.Report
		err := a.withSink(store, func(ctx context.Context, sink etl.Sink) (err error) {
			report, err = etl.New(nil, sink, &o).Report(ctx, streamed)
			return err
		})
		if err != nil {
			return err
		}
		return printReport(a, report, true)
	})
}

func (a *app) withSink(store driver.Store, f func(context.Context, etl.Sink) error) error {
	broker, err := service.OpenQueue(a.ctx, a.cli.Queue)
	if err != nil {
		return err
	}
	err = service.WithSink(a.ctx, store, broker, a.log, f)
	if broker != nil {
		err = errors.Join(err, broker.Close())
	}
	return err
}
