package service

import (
	"context"
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

// tellTimeout bounds what is sent about a message or a run when that is over.
const tellTimeout = 30 * time.Second

// Consume is a part of a service: it handles the messages of a queue until ctx
// ends. Dead letters are told to the error consumer, except its own.
func (p *Process) Consume(b queue.Broker, name string, handle queue.Handler, o queue.ConsumeOptions) func(context.Context) error {
	o.Logger = p.Log
	o.Observe = func(ctx context.Context, e queue.Event) {
		p.Metrics.Delivered(e)
		if e.Outcome == queue.Dead && name != queue.QueueError {
			p.Tell(ctx, b, etl.DeadLetterIncident(e))
		}
	}
	return func(ctx context.Context) error { return queue.Consume(ctx, b, name, handle, &o) }
}

// Tell sends incidents to the error consumer, also when ctx has ended: it only
// says which trace they belong to. One that cannot be sent is logged alone.
func (p *Process) Tell(ctx context.Context, b queue.Publisher, incidents ...etl.Incident) {
	for _, in := range incidents {
		p.Metrics.Failed(in.Kind)
		m, err := etl.EncodeIncident(in)
		p.send(ctx, b, m, err, "failure", in.Failure)
	}
}

// Notify sends notices to the notification consumer, likewise.
func (p *Process) Notify(ctx context.Context, b queue.Publisher, notices ...etl.Notice) {
	for _, n := range notices {
		m, err := etl.EncodeNotice(n)
		p.send(ctx, b, m, err, "notice", n.Title)
	}
}

func (p *Process) send(ctx context.Context, b queue.Publisher, m queue.Message, err error, what string, content any) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer stop()
	if err == nil {
		err = b.Publish(ctx, m)
	}
	if err != nil {
		p.Log.ErrorContext(ctx, "could not send a "+what, "error", err, what, content)
	}
}
