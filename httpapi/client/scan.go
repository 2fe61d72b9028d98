package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// Scan implements [driver.Scanner]. A scan that breaks off is asked for again, up
// to Options.Retries times without a row in between, and goes on behind the rows
// that came: snapshots do not change.
func (c *Client) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		plan := url.Values{"plan": {base64.RawURLEncoding.EncodeToString(p.Key())}}
		q, err := c.question("scan", plan, http.Header{"Accept": {wire.TypeBatches}})
		if err != nil {
			yield(nil, err)
			return
		}
		rows := 0
		for attempt := 0; ; attempt++ {
			a, ended, err := c.scan(ctx, q, p.Output, rows, func(b *egrid.Batch) bool {
				attempt = 0
				rows += b.Len()
				return yield(b, nil)
			})
			if ended {
				return
			}
			wait, again := c.next(attempt, a, err)
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
				again = false
			}
			if !again || ctx.Err() != nil {
				yield(nil, failure(ctx, a, err))
				return
			}
			if err := pause(ctx, wait); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// scan reads one answer and leaves out the rows that came before. It has ended
// when the answer has, or yield wants no more; otherwise there is an answer that
// is no scan, or an error.
func (c *Client) scan(ctx context.Context, q question, schema *egrid.Schema, skip int, yield func(*egrid.Batch) bool) (a *answer, ended bool, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := c.watch(stop)
	defer watch.stop()
	response, err := c.send(ctx, q)
	if err != nil {
		return nil, false, causeOf(ctx, err)
	}
	defer response.Body.Close()
	path := response.Request.URL.Path
	if response.StatusCode != http.StatusOK {
		a, err := c.read(response)
		return a, false, err
	}
	if got := mediaType(response.Header); got != wire.TypeBatches {
		return nil, false, permanent{errForeign(path, fmt.Sprintf("the content type %q", got))}
	}
	for b, err := range wire.Batches(response.Body, schema) {
		switch {
		case errors.Is(err, egrid.ErrInvalid):
			return nil, false, permanent{errForeign(path, err.Error())}
		case err != nil:
			return nil, false, fmt.Errorf("the scan broke off: %w", causeOf(ctx, err))
		case skip >= b.Len():
			skip -= b.Len()
		default:
			watch.stop() // whoever takes the rows may take time
			if !yield(b.Slice(skip, b.Len())) {
				return nil, true, nil
			}
			skip = 0
		}
		watch.start()
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1)) // so that the connection is used again
	return nil, true, nil
}

// causeOf is why a request ended: an error, or what ended its context.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// watch ends a request when nothing came of it for Options.Timeout.
type watch struct {
	timer   *time.Timer
	timeout time.Duration
}

func (c *Client) watch(stop context.CancelCauseFunc) watch {
	if c.o.Timeout < 0 {
		return watch{}
	}
	return watch{time.AfterFunc(c.o.Timeout, func() { stop(fmt.Errorf("nothing came for %s: %w", c.o.Timeout, context.DeadlineExceeded)) }), c.o.Timeout}
}

func (w watch) start() {
	if w.timer != nil {
		w.timer.Reset(w.timeout)
	}
}

func (w watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}
