package etl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
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
	aside   []egrid.Audit // of records that are no rows
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
	workers := stream.New().WithMaxGoroutines(p.o.Workers)
	readers := sync.Pool{New: func() any {
		return &spanReader{level: part.Sheet.Level, decoder: part.Sheet.NewDecoder()}
	}}
	var rows int64
	var fail sync.Once
	for span, open := range p.spans(ctx, part) {
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

// opener gives the bytes of one span.
type opener func() (io.ReadCloser, error)

// spans yields each span with the way to its bytes. Those of a plain file are
// read by range, by whoever decodes them; a compressed one is unpacked here,
// in order.
func (p *Pipeline) spans(ctx context.Context, part Part) iter.Seq2[sheet.Span, opener] {
	return func(yield func(sheet.Span, opener) bool) {
		packing, err := packingOf(part.Object.Name)
		if err == nil && packing == plain {
			for _, span := range part.Spans {
				if !yield(span, func() (io.ReadCloser, error) { return p.source.Open(ctx, part.Object, span.Offset, span.Length) }) {
					return
				}
			}
			return
		}
		text, err := p.openSheet(ctx, part.Object, part.Member)
		if err == nil {
			defer text.Close()
			_, err = io.CopyN(io.Discard, text, part.Sheet.DataOffset)
		}
		for _, span := range part.Spans {
			b := make([]byte, span.Length)
			if err == nil {
				_, err = io.ReadFull(text, b)
			}
			failed := err
			if !yield(span, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), failed }) || err != nil {
				return
			}
		}
	}
}

// decodeSpan decodes and audits a span. The batches keep nothing of its bytes.
func (r *spanReader) decode(span sheet.Span, open opener) (decoded, error) {
	d := decoded{index: span.Index}
	text, err := open()
	if err != nil {
		return d, err
	}
	defer text.Close()
	r.data = slices.Grow(r.data[:0], int(span.Length))[:span.Length]
	if n, err := io.ReadFull(text, r.data); err != nil {
		return d, fmt.Errorf("line %d: %d bytes where there were %d: %w", span.Line, n, span.Length, errors.Join(ErrChanged, notEOF(err)))
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

func compareText(a, b string) int { return strings.Compare(a, b) }

func union[T comparable](a, b []T) []T {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}
