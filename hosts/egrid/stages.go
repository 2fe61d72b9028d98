package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

type scanCmd struct {
	Source     []string `arg:"" help:"Files, folders and s3://BUCKET/PREFIX."`
	AllowEmpty bool     `help:"Answer with an empty list where there is nothing to load, instead of failing."`
	keeping
}

func (c *scanCmd) Run(a *app) error {
	source, err := service.OpenSource(c.Source, nil) // the next stage could not read it again
	if err != nil {
		return err
	}
	scanned, err := etl.New(source, nil, nil).Scan(a.ctx)
	if err != nil && !(c.AllowEmpty && errors.Is(err, etl.ErrNothingToLoad)) {
		return err
	}
	return c.print(a, scanned)
}

type validateCmd struct {
	Source  []string `arg:"" optional:"" help:"Files, folders or - for standard input, unless --in is given."`
	In      string   `help:"Answer of scan, as JSON: a file, s3://BUCKET/KEY, - for standard input, or what --out printed." placeholder:"ANSWER"`
	SHA256  string   `name:"sha256" help:"SHA-256 of the answer of scan, in hex: another one is refused." placeholder:"HEX"`
	JSON    bool     `help:"Print the answer as JSON, for the stage divide."`
	Explain bool     `env:"-" help:"Tell of each sheet what it is taken for, from which evidence, and what becomes of each column."`
	keeping
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
		_, err = input{c.In, c.SHA256}.read(a, &scanned)
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
	case c.JSON || c.In != "" || c.Out != "":
		err = c.print(a, v)
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

type divideCmd struct {
	input
	keeping
	ChunkBytes int64 `help:"Bytes of a chunk, about. It is part of a load's identity." default:"1048576"`
}

func (c *divideCmd) Run(a *app) error {
	if c.ChunkBytes < 1 {
		return fmt.Errorf("%w: --chunk-bytes %d; want 1 or more", egrid.ErrInvalid, c.ChunkBytes)
	}
	var v etl.Validated
	if _, err := c.read(a, &v); err != nil {
		return err
	}
	source, err := service.OpenSource(nil, nil)
	if err != nil {
		return err
	}
	divided, err := etl.New(source, nil, &etl.Options{Formats: service.Inputs(), ChunkBytes: c.ChunkBytes}).Divide(a.ctx, v)
	if err != nil {
		return err
	}
	return c.print(a, divided)
}

type streamCmd struct {
	input
	keeping
	publishing
	Part    string `help:"Stream the I-th of N shares of the plan alone; report takes the answers for all of them. Of a plan that is an object the answer is kept beside it, unless --out says where." placeholder:"I/N"`
	Workers int    `help:"Chunks decoded at once. Default: the processors."`
}

func (c *streamCmd) Run(a *app) error {
	var plan etl.Divided
	from, err := c.read(a, &plan)
	if err != nil {
		return err
	}
	if plan, err = c.share(plan, from); err != nil {
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
			streamed, err = etl.New(source, sink, &o).Stream(ctx, plan)
			return err
		})
		bar.Clear()
		if err != nil {
			return err
		}
		return c.print(a, streamed)
	})
}

// share takes the share that the flags ask for, and says where its answer is kept.
func (c *streamCmd) share(plan etl.Divided, from etl.Ref) (etl.Divided, error) {
	if c.Part == "" {
		return plan, nil
	}
	number, of, err := etl.ParseShare(c.Part)
	if err != nil {
		return plan, err
	}
	if c.Out == "" && service.IsObject(from.Address) {
		c.Out = fmt.Sprintf("%s%d-of-%d.json", service.PartsOf(from.Address), number, of)
	}
	return plan.Share(number, of)
}

type reportCmd struct {
	In     []string `help:"Answer of stream, or those for all shares of a plan, as JSON: files, s3://BUCKET/KEY, - for standard input, or what --out printed; or the address of the plan, beside which they are kept." required:"" sep:"none" placeholder:"ANSWER"`
	Notify bool     `help:"Send how the run ended to --queue, for the consumers of notifications and errors."`
	Remove []string `help:"Remove this answer, and what is kept beside it, when the report is made: an address, or what --out printed." sep:"none" placeholder:"ANSWER"`
	keeping
	publishing
}

func (c *reportCmd) Run(a *app) error {
	streamed, err := a.streamed(c.In)
	if err != nil {
		return err
	}
	o := etl.Options{Logger: a.log}
	c.apply(&o)
	var report etl.Report
	err = a.withStore(func(store driver.Store) error {
		o.Runs = a.runs(store)
		return a.withSink(store, func(ctx context.Context, sink etl.Sink) (err error) {
			report, err = etl.New(nil, sink, &o).Report(ctx, streamed)
			return err
		})
	})
	if err != nil {
		return err
	}
	if c.Notify {
		if err := a.notify(&report); err != nil {
			return err
		}
	}
	if err := c.print(a, report); err != nil {
		return err
	}
	if !report.Failed() {
		a.removeAnswers(c.Remove)
	}
	return exitOf(&report)
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
