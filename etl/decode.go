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
	years   []yearChunk
	rejects []*sheet.RowError
}

type yearChunk struct {
	year  int
	chunk driver.Chunk
}

// decode reads the chunks of a part on a bounded number of workers, and hands
// them to visit in order, one at a time. It ends with the first error.
func (p *Pipeline) decode(ctx context.Context, stage string, part Part, visit func(decoded) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	workers := stream.New().WithMaxGoroutines(p.o.Workers)
	var rows int64
	var fail sync.Once
	for span, open := range p.spans(ctx, part) {
		if ctx.Err() != nil {
			break
		}
		workers.Go(func() stream.Callback {
			d, err := decodeSpan(part.Sheet, span, open)
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

func decodeSpan(sheet *sheet.Sheet, span sheet.Span, open opener) (decoded, error) {
	d := decoded{index: span.Index}
	text, err := open()
	if err != nil {
		return d, err
	}
	defer text.Close()
	auditors := map[int]*egrid.Auditor{}
	lossy := make([]bool, sheet.Schema.Len())
	read := int64(0)
	for row, err := range sheet.Decode(text, span) {
		read++
		var rowError *sheet.RowError
		if errors.As(err, &rowError) {
			d.rejects = append(d.rejects, rowError)
			continue
		}
		if err != nil {
			return d, err
		}
		i := slices.IndexFunc(d.years, func(y yearChunk) bool { return y.year == row.Year })
		if i < 0 {
			i = len(d.years)
			d.years = append(d.years, yearChunk{row.Year, driver.Chunk{Index: span.Index, Rows: make([]egrid.Row, 0, span.Rows)}})
			auditors[row.Year] = egrid.NewAuditor(sheet.Level, sheet.Schema)
		}
		d.years[i].chunk.Rows = append(d.years[i].chunk.Rows, row)
		auditors[row.Year].Check(row)
		for j, v := range row.Values {
			if v.Lossy() {
				lossy[j] = true
			}
		}
	}
	if read != span.Rows {
		return d, fmt.Errorf("line %d: %d records where there were %d: %w", span.Line, read, span.Rows, ErrChanged)
	}
	for i := range d.years {
		c := &d.years[i].chunk
		c.Findings = auditors[d.years[i].year].Findings()
		for j, yes := range lossy {
			if yes {
				c.Lossy = append(c.Lossy, sheet.Schema.Field(j).Column)
			}
		}
	}
	return d, nil
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
