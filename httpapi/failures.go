package httpapi

import (
	"context"
	"fmt"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// failureOperations shows the failure log, where there is one to show.
func (a *api) failureOperations() {
	if a.o.Failures == nil {
		return
	}
	a.register(operation{
		id: "errors", path: "/errors", tag: "store", summary: "What went wrong on the way of data into the store, by kind",
		details: "The kind that was seen last comes first. The answer has no ETag and is not to be kept; meta.revision is 0, because errors belong to no revision. CSV and NDJSON have the latest failure in the columns latest_id, latest_where and latest_message; its time is last_seen.",
		schema:  a.schemaOf(typeOf[[]wire.FailureInfo]()), unkept: true,
		answer: a.failuresAnswer,
	})
}

func (a *api) failuresAnswer(ctx context.Context, _ *request) (*answer, error) {
	counts, err := a.o.Failures.Failures(ctx)
	if err != nil {
		return nil, err
	}
	list := []wire.FailureInfo{}
	t := newTable("kind", "count", "first_seen", "last_seen", "latest_id", "latest_where", "latest_message")
	for i := range counts {
		c := &counts[i]
		list = append(list, wire.FailureInfo{
			Kind: c.Kind, Count: c.Count, FirstSeen: c.First, LastSeen: c.Last,
			Latest: wire.LatestFailure{ID: c.Latest.ID, Where: c.Latest.Where, Message: c.Latest.Message, Time: c.Latest.Time},
		})
		t.add(c.Kind, fmt.Sprint(c.Count), c.First.Format(time.RFC3339Nano), c.Last.Format(time.RFC3339Nano), c.Latest.ID, c.Latest.Where, c.Latest.Message)
	}
	return t.answer(list, meta{}), nil
}
