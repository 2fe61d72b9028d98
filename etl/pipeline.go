package etl

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Options tune a pipeline. The zero value of every field means its default.
type Options struct {
	Config    Config        // field mappings; default none
	Level     egrid.Level   // of every sheet; default recognised by the columns
	Year      int           // of every sheet; default inferred. Sheets that say otherwise are refused
	Release   string        // of every sheet; default inferred, egrid.NoRelease for the unmarked one
	Units     string        // of every sheet, sheet.US or sheet.Metric; default inferred. Sheets that say otherwise are refused
	Authority string        // who published the sheets; default inferred, else egrid.DefaultAuthority
	Formats   []book.Format // of files that are read besides those that package book knows; default none
	Publish   driver.Policy // default driver.PublishAuto

	Workers    int    // chunks decoded at once; default GOMAXPROCS
	ChunkBytes int64  // size of a chunk, about; default 1 MiB. It is part of a load's identity
	Limits     Limits // of a run; default none

	// RejectsFile is where records that cannot be read are kept, as CSV:
	// object,sheet,line,column,value,reason,row. It is made with the first
	// one. {run} stands for the id of the run: a file that exists is written
	// anew. Default nowhere; they are counted all the same.
	RejectsFile string
	Runs        *Runs             // remembers the runs; default none
	Trigger     driver.RunTrigger // what the runs are told to be started by; default driver.ByCommand
	Progress    func(Progress)    // called behind every chunk, one call at a time; default none
	Observe     func(Event)       // called behind every stage: for metrics; default none
	Logger      *slog.Logger      // default none
}

// Event is a stage that came to its end.
type Event struct {
	Stage   string // scan, validate, divide, stream or report
	Elapsed time.Duration
	Err     error // why it did not succeed
}

// Progress is how far a run has come with one sheet.
type Progress struct {
	Stage  string // validate or stream
	Object string
	Sheet  string
	Rows   int64 // so far
	Total  int64 // rows of the sheet
}

// Pipeline takes the objects of a source into a sink. It is safe for
// concurrent use, and holds no state between calls.
type Pipeline struct {
	source Source
	sink   Sink
	o      Options
	log    *slog.Logger
	shelf  *shelf     // of the call at hand; nil between calls
	due    *time.Time // of the run at hand, when a schedule had it due
}

// New returns a pipeline. Only Stream and Report need a sink.
func New(source Source, sink Sink, o *Options) *Pipeline {
	p := &Pipeline{source: source, sink: sink}
	if o != nil {
		p.o = *o
	}
	if p.o.Workers <= 0 {
		p.o.Workers = runtime.GOMAXPROCS(0)
	}
	if p.o.ChunkBytes <= 0 {
		p.o.ChunkBytes = 1 << 20
	}
	p.log = trace.Logger(p.o.Logger)
	return p
}

// RunInfo names a run in every stage's answer.
type RunInfo struct {
	ID      string    `json:"run_id"`
	Started time.Time `json:"started_at"`
	// Traceparent and Tracestate are the trace of the run, for
	// stages whose ctx is of none: so it is one in all processes.
	Traceparent string `json:"traceparent,omitempty"`
	Tracestate  string `json:"tracestate,omitempty"`
}

// stage begins the work of a stage, which belongs to the span of ctx where there is one, and
// else is a span of the run's trace. The function ends it.
func (i RunInfo) stage(ctx context.Context, name string) (context.Context, func(error)) {
	if trace.FromContext(ctx).IsValid() {
		return trace.Step(ctx, name, trace.Internal)
	}
	run, _ := trace.Parse(i.Traceparent, i.Tracestate)
	ctx = trace.Begin(ctx, run, name, trace.Internal)
	return ctx, func(err error) { trace.End(ctx, err) }
}

func newRunInfo() RunInfo {
	now := time.Now().UTC()
	return RunInfo{ID: now.Format("20060102T150405Z-") + strings.ToLower(rand.Text()[:6]), Started: now}
}

// Scanned is the answer of the first stage.
type Scanned struct {
	RunInfo
	Objects []Object `json:"objects"`
}

// Run goes through all stages. It checks content as the rows stream by instead
// of reading every file once more; call Validate for a check without a load.
//
// A run is a span of ctx's trace, or of a new one when ctx has none.
func (p *Pipeline) Run(ctx context.Context) (_ Report, err error) {
	ctx = beginRun(ctx)
	defer func() { trace.End(ctx, err) }()
	scanned, err := p.Scan(ctx)
	if err != nil {
		p.recordFailure(ctx, scanned.RunInfo, err)
		return Report{}, err
	}
	return p.load(ctx, scanned)
}

// beginRun begins the span of a run.
func beginRun(ctx context.Context) context.Context {
	return trace.Begin(ctx, trace.FromContext(ctx), "load", trace.Internal)
}

// load goes through the stages behind the first.
func (p *Pipeline) load(ctx context.Context, scanned Scanned) (report Report, err error) {
	p, ctx, finish := p.recorded(ctx, scanned.RunInfo, cmp.Or(p.o.Trigger, driver.ByCommand))
	defer func() { finish(report, err) }()
	if err := p.o.Limits.listed(scanned.Objects); err != nil {
		return Report{}, err
	}
	ctx, stop, inTime := p.o.Limits.within(ctx)
	defer stop()
	defer func() { err = inTime(err) }()
	p, closeAll := p.shelved(ctx)
	defer closeAll()
	began := time.Now()
	trace.Describe(ctx, "", slog.String("egrid.run_id", scanned.ID), slog.Int("egrid.objects", len(scanned.Objects)))
	checking, end := trace.Step(ctx, "validate", trace.Internal)
	inspected, err := p.inspect(checking, scanned)
	end(err)
	p.observe("validate", began, &err)
	if err != nil {
		return Report{}, err
	}
	divided, err := p.Divide(ctx, inspected)
	if err != nil {
		return Report{}, err
	}
	streamed, err := p.Stream(ctx, divided)
	if err != nil {
		return Report{}, err
	}
	return p.Report(ctx, streamed)
}

// recordFailure remembers a run that came to nothing.
func (p *Pipeline) recordFailure(ctx context.Context, info RunInfo, err error) {
	_, _, finish := p.recorded(ctx, info, cmp.Or(p.o.Trigger, driver.ByCommand))
	finish(Report{}, err)
}

// observe tells of a stage that began at a time and ends now. It takes a
// pointer because a deferred call has its arguments in advance.
func (p *Pipeline) observe(stage string, began time.Time, err *error) {
	if p.o.Observe != nil {
		p.o.Observe(Event{Stage: stage, Elapsed: time.Since(began), Err: *err})
	}
}

// ErrNothingToLoad says that a source lists no object that is to be loaded.
var ErrNothingToLoad = fmt.Errorf("%w: there is nothing to load", egrid.ErrNotFound)

// Scan lists what there is to load. The error wraps [ErrNothingToLoad] where that is
// nothing; the answer then has what was left out.
func (p *Pipeline) Scan(ctx context.Context) (Scanned, error) {
	scanned, err := p.list(ctx)
	if err == nil && !slices.ContainsFunc(scanned.Objects, Object.toLoad) {
		err = fmt.Errorf("%w: no file", ErrNothingToLoad)
		if len(scanned.Objects) > 0 {
			err = fmt.Errorf("%w but %d that are left out, such as %s: %s", err, len(scanned.Objects), scanned.Objects[0].Name, scanned.Objects[0].LeftOut)
		}
	}
	if err == nil {
		err = p.o.Limits.listed(scanned.Objects)
	}
	return scanned, err
}

func (p *Pipeline) list(ctx context.Context) (scanned Scanned, err error) {
	defer p.observe("scan", time.Now(), &err)
	scanned = Scanned{RunInfo: newRunInfo(), Objects: []Object{}}
	if rec := recordOf(ctx); rec != nil {
		scanned.RunInfo = rec.info
	}
	run := ctx
	ctx, end := scanned.stage(ctx, "scan")
	defer func() { end(err) }()
	if !trace.FromContext(run).IsValid() {
		run = ctx
	}
	scanned.Traceparent, scanned.Tracestate = trace.FromContext(run).Headers()
	for o, err := range p.source.List(ctx) {
		if err != nil {
			return scanned, err
		}
		scanned.Objects = append(scanned.Objects, o)
	}
	return scanned, nil
}

// ofOneFile says whether an error concerns one file alone, so that the run can go
// on with the others.
func (p *Pipeline) ofOneFile(ctx context.Context, err error) bool {
	return ctx.Err() == nil && (errors.Is(err, egrid.ErrInvalid) || errors.Is(err, egrid.ErrNotFound) || errors.Is(err, ErrChanged) || isReadError(err))
}

// reason is an error's text for people: without the sentinel in front.
func reason(err error) string {
	return strings.TrimPrefix(err.Error(), egrid.ErrInvalid.Error()+": ")
}

// readerOptions says how to read a sheet of an object.
func (p *Pipeline) readerOptions(o Object, member string) *sheet.ReaderOptions {
	options := &sheet.ReaderOptions{Name: o.Location, Sheet: member, Level: p.o.Level, Year: p.o.Year, Release: p.o.Release,
		Units: p.o.Units, Authority: p.o.Authority}
	in, ok := p.o.Config.For(o.Name)
	if !ok {
		in, ok = p.o.Config.For(member)
	}
	if !ok {
		return options
	}
	mapping := in.Mapping
	options.Mapping = &mapping
	if options.Level == "" {
		options.Level = in.Level
	}
	if options.Year == 0 {
		options.Year = in.Year
	}
	if options.Release == "" {
		options.Release = in.Release
	}
	return options
}

// reading says how the bytes of a sheet become chunks of rows: loads that
// differ in it are not the same load.
func (p *Pipeline) reading(part Part) (string, error) {
	s := part.Sheet
	b, err := json.Marshal(struct {
		Chunk     int64
		Cells     []sheet.SheetColumn
		Columns   []egrid.Column
		Delimiter string
		Offset    int64
		Scale     float64
		Charset   string `json:",omitempty"`
		Dialect   sheet.Dialect
	}{p.o.ChunkBytes, s.Cells, s.Schema.Columns(), s.Delimiter, s.DataOffset, s.ShareScale, part.Charset, s.Dialect})
	return string(b), err
}
