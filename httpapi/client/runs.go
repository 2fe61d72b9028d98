package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// StartRun implements [driver.Runner]. It needs credentials with scope write, as
// PublishRun and DiscardRun do.
func (c *Client) StartRun(ctx context.Context, r driver.RunRequest) (driver.Run, error) {
	return c.order(ctx, "runs", r)
}

// PublishRun implements [driver.Decider].
func (c *Client) PublishRun(ctx context.Context, id string, p driver.Policy) (driver.Run, error) {
	if _, err := driver.DecidingPolicy(p); err != nil {
		return driver.Run{}, err
	}
	return c.order(ctx, join("runs", id, "publish"), wire.PublishOrder{Policy: p})
}

// DiscardRun implements [driver.Decider].
func (c *Client) DiscardRun(ctx context.Context, id string) (driver.Run, error) {
	return c.order(ctx, join("runs", id, "discard"), nil)
}

// order gives an order. path is escaped.
func (c *Client) order(ctx context.Context, path string, order any) (driver.Run, error) {
	a, err := c.post(ctx, path, order)
	if err != nil {
		return driver.Run{}, err
	}
	return runOf(a)
}

func runOf(a *answer) (driver.Run, error) {
	var answer struct{ Data *driver.Run }
	if err := a.decode(&answer); err != nil {
		return driver.Run{}, err
	}
	if answer.Data == nil {
		return driver.Run{}, errForeign(a.path, "no run in it")
	}
	return *answer.Data, nil
}

// Runs implements [driver.Runner].
func (c *Client) Runs(ctx context.Context) ([]driver.Run, error) {
	a, err := c.get(ctx, "runs", nil, http.Header{"Accept": {wire.TypeJSON}})
	if err != nil {
		return nil, err
	}
	var answer struct{ Data []driver.Run }
	return answer.Data, a.decode(&answer)
}

// Run implements [driver.Runner].
func (c *Client) Run(ctx context.Context, id string) (driver.Run, error) {
	a, err := c.get(ctx, join("runs", id), nil, http.Header{"Accept": {wire.TypeJSON}})
	if err != nil {
		return driver.Run{}, err
	}
	return runOf(a)
}

// silence is how long a stream of events may be without a word: servers say
// every 15 seconds that they are there.
const silence = time.Minute

// FollowRun implements [driver.Runner]. A stream that breaks is opened again, up
// to Options.Retries times without an event in between.
func (c *Client) FollowRun(ctx context.Context, id string) iter.Seq2[driver.Run, error] {
	return func(yield func(driver.Run, error) bool) {
		for attempt := 0; ; attempt++ {
			a, ended, err := c.follow(ctx, id, func(run driver.Run) bool {
				attempt = 0
				return yield(run, nil)
			})
			if ended {
				return
			}
			wait, again := c.next(attempt, a, err)
			if again && ctx.Err() == nil {
				again = pause(ctx, wait) == nil
			}
			if !again || ctx.Err() != nil {
				yield(driver.Run{}, failure(ctx, a, err))
				return
			}
		}
	}
}

// follow reads one stream of events. It has ended when the run has, or yield
// wants no more; otherwise there is an answer that is no stream, or an error.
func (c *Client) follow(ctx context.Context, id string, yield func(driver.Run) bool) (a *answer, ended bool, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := time.AfterFunc(silence, func() { stop(fmt.Errorf("the server said nothing for %s", silence)) })
	defer watch.Stop()
	target := c.base.JoinPath(join("runs", id, "events"))
	response, err := c.send(ctx, question{http.MethodGet, target.String(), http.Header{"Accept": {wire.TypeEvents}}, nil})
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		a, err := c.read(response)
		return a, false, err
	}
	if got := mediaType(response.Header); got != wire.TypeEvents {
		return nil, false, permanent{errForeign(target.Path, fmt.Sprintf("the content type %q", got))}
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, int(min(c.o.MaxResponseBytes, 1<<30)))
	for lines.Scan() {
		watch.Reset(silence)
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")) // each event has one line of data
		if !ok {
			continue
		}
		var run driver.Run
		if err := json.Unmarshal(data, &run); err != nil {
			return nil, false, permanent{errForeign(target.Path, err.Error())}
		}
		if !yield(run) || run.Status != driver.RunUnderWay {
			return nil, true, nil
		}
	}
	if err = lines.Err(); err == nil {
		err = io.ErrUnexpectedEOF
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return nil, false, fmt.Errorf("the events of %s broke off: %w", target.Path, err)
}
