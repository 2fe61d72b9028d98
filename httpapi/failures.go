package httpapi

import (
	"context"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// FailureInfo is what went wrong of one kind on the way of data into the store.
type FailureInfo struct {
	Kind      string        `json:"kind"`
	Count     int64         `json:"count"`
	FirstSeen time.Time     `json:"first_seen"`
	LastSeen  time.Time     `json:"last_seen"`
	Latest    LatestFailure `json:"latest"`
}

// LatestFailure is the failure that was seen last.
type LatestFailure struct {
	ID      string    `json:"id" doc:"Names the occurrence."`
	Where   string    `json:"where" doc:"Queue and message, object, or program."`
	Message string    `json:"message" doc:"What went wrong, shortened."`
	Time    time.Time `json:"time"`
}

// failureOperations shows the failure log, where there is one to show.
func (a *api) failureOperations() {
	if a.o.Failures == nil {
		return
	}
	a.register(operation{
		id: "errors", path: "/errors", tag: "store", summary: "What went wrong on the way of data into the store, by kind",
		details: "The kind that was seen last comes first. The answer has no ETag and is not to be kept; meta.revision is 0, because errors belong to no revision. CSV and NDJSON have the latest failure in the columns latest_id, latest_where and latest_message; its time is last_seen.",
		data:    a.schemaOf(typeOf[[]FailureInfo]()), unkept: true,
		answer: a.failuresAnswer,
	})
}

func (a *api) failuresAnswer(ctx context.Context, _ *request) (*answer, error) {
	counts, err := a.o.Failures.Failures(ctx)
	if err != nil {
		return nil, err
	}
	page, err := failurePage(counts)
	if err != nil {
		return nil, err
	}
	list := []FailureInfo{}
	for i := range counts {
		c := &counts[i]
		list = append(list, FailureInfo{
			Kind: c.Kind, Count: c.Count, FirstSeen: c.First, LastSeen: c.Last,
			Latest: LatestFailure{ID: c.Latest.ID, Where: c.Latest.Where, Message: c.Latest.Message, Time: c.Latest.Time},
		})
	}
	meta := Meta{Count: len(list), Total: new(int64(len(list)))}
	return &answer{value: list, meta: meta, rows: whole(page, meta)}, nil
}

// failurePage makes rows of the list, for exports.
func failurePage(counts []driver.FailureCount) (egrid.RowPage, error) {
	var fields []egrid.Field
	for _, c := range []egrid.Column{"kind", "count", "first_seen", "last_seen", "latest_id", "latest_where", "latest_message"} {
		f := egrid.Field{Column: c, Type: egrid.Text}
		if c == "count" {
			f.Type = egrid.Integer
		}
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	page := egrid.RowPage{Schema: schema}
	for i := range counts {
		c := &counts[i]
		page.Rows = append(page.Rows, egrid.Row{Schema: schema, Values: []egrid.Value{
			egrid.TextOf(c.Kind), egrid.IntegerOf(c.Count), timeOf(c.First), timeOf(c.Last),
			egrid.TextOf(c.Latest.ID), egrid.TextOf(c.Latest.Where), egrid.TextOf(c.Latest.Message),
		}})
	}
	return page, err
}

func timeOf(t time.Time) egrid.Value { return egrid.TextOf(t.Format(time.RFC3339Nano)) }
