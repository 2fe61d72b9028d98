package etl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/sourcegraph/conc/stream"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// decoded is one span of a sheet: a chunk for each data year in it.
type decoded struct {
	index   int // of the span
	years   []driver.Chunk
	rejects []*sheet.RowError
	aside   []egrid.Audit // of records that are no rows, and of texts that were restored
}

// spanReader is what a worker decodes spans with. It keeps its buffers from one
// span to the next.
type spanReader struct {
	level   egrid.Level
	decoder *sheet.Decoder
	data    []byte
}

// decode reads the chunks of a part on a bounded number of workers, and hands
// them to visit in order, one at a time. It ends with the first error.
func (p *Pipeline) decode(ctx context.Context, stage string, part Part, visit func(decoded) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	open, err := p.opener(ctx, part)
	if err != nil {
		return err
	}
	workers := stream.New().WithMaxGoroutines(p.o.Workers)
	readers := sync.Pool{New: func() any {
		return &spanReader{level: part.Sheet.Level, decoder: part.Sheet.NewDecoder()}
	}}
	var rows int64
	var fail sync.Once
	for _, span := range part.Spans {
		if ctx.Err() != nil {
			break
		}
		workers.Go(func() stream.Callback {
			r, _ := readers.Get().(*spanReader)
			d, err := r.decode(span, open)
			readers.Put(r)
			return func() {
				if ctx.Err() != nil {
					return
				}
				if err == nil {
					err = visit(d)
				}
				if err != nil {
					fail.Do(func() { stop(err) })
					return
				}
				rows += span.Rows
				if p.o.Progress != nil {
					p.o.Progress(Progress{Stage: stage, Object: part.Object.Name, Sheet: part.Member, Rows: rows, Total: part.Rows})
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// opener returns the way to the bytes of a span. Those of a plain file are read
// from the source by whoever decodes them, those of a packed one from where it
// was unpacked.
func (p *Pipeline) opener(ctx context.Context, part Part) (func(sheet.Span) (io.ReadCloser, error), error) {
	if part.Plain {
		return func(span sheet.Span) (io.ReadCloser, error) {
			return p.source.Open(ctx, part.Object, span.Offset, span.Length)
		}, nil
	}
	text, err := p.text(ctx, part.Object, part.Member, part.Charset)
	return func(span sheet.Span) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(text, span.Offset, span.Length)), nil
	}, err
}

// decode decodes and audits a span. The batches keep nothing of its bytes.
func (r *spanReader) decode(span sheet.Span, open func(sheet.Span) (io.ReadCloser, error)) (decoded, error) {
	d := decoded{index: span.Index}
	text, err := open(span)
	if err != nil {
		return d, err
	}
	defer text.Close()
	r.data = slices.Grow(r.data[:0], int(span.Length))[:span.Length]
	if n, err := io.ReadFull(text, r.data); err != nil {
		return d, fmt.Errorf("line %d: %d bytes where there were %d: %w", span.Line, n, span.Length, errors.Join(ErrChanged, notEOF(err)))
	}
	if n, _ := text.Read(make([]byte, 1)); n > 0 { // any error ends it, as it should end
		return d, fmt.Errorf("%w: line %d: the source answered with more than the %d bytes at %d that it was asked for; Open of a source has to honour offset and length", egrid.ErrInvalid, span.Line, span.Length, span.Offset)
	}
	out, err := r.decoder.Decode(r.data, span)
	if err != nil {
		return d, err
	}
	if out.Records != span.Rows {
		return d, fmt.Errorf("line %d: %d records where there were %d: %w", span.Line, out.Records, span.Rows, ErrChanged)
	}
	d.rejects = out.Rejects
	if a, ok := out.Aside(); ok {
		d.aside = append(d.aside, a)
	}
	if out.Restored.Count > 0 {
		d.aside = append(d.aside, out.Restored)
	}
	for _, b := range out.Batches {
		d.years = append(d.years, driver.Chunk{Index: span.Index, Rows: b, Findings: driver.AuditRows(r.level, b)})
	}
	return d, nil
}

// notEOF leaves out the error of an input that ended, which is told in words.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func union[T comparable](a, b []T) []T {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}
