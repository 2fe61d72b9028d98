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

	"github.com/egrid-analytics/egrid-go/egrid"
)

// StartRun implements [egrid.Runner]. It needs credentials with scope write, as
// PublishRun and DiscardRun do.
func (c *Client) StartRun(ctx context.Context, r egrid.RunRequest) (egrid.Run, error) {
	return c.order(ctx, []string{"runs"}, r)
}

// PublishRun implements [egrid.Runner].
func (c *Client) PublishRun(ctx context.Context, id string, p egrid.Policy) (egrid.Run, error) {
	if _, err := egrid.DecidingPolicy(p); err != nil {
		return egrid.Run{}, err
	}
	return c.order(ctx, []string{"runs", id, "publish"}, struct {
		Policy egrid.Policy `json:"policy,omitempty"`
	}{p})
}

// DiscardRun implements [egrid.Runner].
func (c *Client) DiscardRun(ctx context.Context, id string) (egrid.Run, error) {
	return c.order(ctx, []string{"runs", id, "discard"}, nil)
}

func (c *Client) order(ctx context.Context, path []string, order any) (egrid.Run, error) {
	a, err := c.post(ctx, join(path), order)
	if err != nil {
		return egrid.Run{}, err
	}
	return runOf(a)
}

func runOf(a *answer) (egrid.Run, error) {
	var answer struct{ Data *egrid.Run }
	if err := a.decode(&answer); err != nil {
		return egrid.Run{}, err
	}
	if answer.Data == nil {
		return egrid.Run{}, errForeign(a.path, "no run in it")
	}
	return *answer.Data, nil
}

// Runs implements [egrid.Runner].
func (c *Client) Runs(ctx context.Context) ([]egrid.Run, error) {
	a, err := c.get(ctx, "runs", nil, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return nil, err
	}
	var answer struct{ Data []egrid.Run }
	return answer.Data, a.decode(&answer)
}

// Run implements [egrid.Runner].
func (c *Client) Run(ctx context.Context, id string) (egrid.Run, error) {
	a, err := c.get(ctx, join([]string{"runs", id}), nil, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return egrid.Run{}, err
	}
	return runOf(a)
}

const eventsType = "text/event-stream"

// silence is how long a stream of events may be without a word: servers say
// every 15 seconds that they are there.
const silence = time.Minute

// FollowRun implements [egrid.Runner]. A stream that breaks is opened again, up
// to Options.Retries times without an event in between.
func (c *Client) FollowRun(ctx context.Context, id string) iter.Seq2[egrid.Run, error] {
	return func(yield func(egrid.Run, error) bool) {
		for attempt := 0; ; attempt++ {
			a, ended, err := c.follow(ctx, id, func(run egrid.Run) bool {
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
				yield(egrid.Run{}, failure(a, err))
				return
			}
		}
	}
}

// follow reads one stream of events. It has ended when the run has, or yield
// wants no more; otherwise there is an answer that is no stream, or an error.
func (c *Client) follow(ctx context.Context, id string, yield func(egrid.Run) bool) (a *answer, ended bool, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := time.AfterFunc(silence, func() { stop(fmt.Errorf("the server said nothing for %s", silence)) })
	defer watch.Stop()
	target := c.base.JoinPath(join([]string{"runs", id, "events"}))
	response, err := c.send(ctx, question{http.MethodGet, target.String(), http.Header{"Accept": {eventsType}}, nil})
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		a, err := c.read(response)
		return a, false, err
	}
	if got := mediaType(response.Header); got != eventsType {
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
		var run egrid.Run
		if err := json.Unmarshal(data, &run); err != nil {
			return nil, false, permanent{errForeign(target.Path, err.Error())}
		}
		if !yield(run) || run.Status != egrid.RunUnderWay {
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
