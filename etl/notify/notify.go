// Package notify tells people what happened: it delivers the notices of
// package etl by log, webhook and mail.
//
//	hook, err := notify.Webhook("https://hooks.example.org/egrid", &notify.WebhookOptions{Secret: secret})
//	handle := notify.Handler(notify.Log(logger), hook)
//	err = queue.Consume(ctx, broker, queue.QueueNotification, handle, nil)
//
// Start with [Handler] and the channels [Log], [Webhook] and [SMTP]; a [Notifier] of your own is
// one method. Whoever receives a webhook checks it with [Verify].
//
// # Guarantees
//
// Delivery is at least once by every channel. A channel that fails keeps none of
// the others from delivering: the message is retried, and then goes to those
// alone that have not delivered it. That is remembered of the last 1,024
// messages, and by this process; a channel may repeat a notice that is forgotten,
// under the same id.
//
// A notice is data and never more: no title and no text can add a header, a
// recipient or a command to a mail or a request.
//
// Secrets and passwords, and of a webhook's address all but the host, are in no
// name and in no error. The password of a mail server goes over TLS only.
//
// # Errors
//
// Constructors return an error that wraps egrid.ErrInvalid. What no retry can
// cure, such as a mailbox that does not exist, is marked by queue.Permanent;
// any other failure is one to retry.
//
// # See also
//
// Functions etl.Notices and etl.EncodeNotice make what is delivered here.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

// Notifier delivers notices to people by one channel. Its methods are safe for
// concurrent use.
type Notifier interface {
	// Name says which channel this is, in logs and errors. It tells no secret.
	Name() string
	// Notify returns nil when the notice is delivered. The id is that of the
	// message: the same for the same notice. An error marked by
	// [queue.Permanent] is one that no retry can cure.
	Notify(ctx context.Context, id string, n etl.Notice) error
}

// Log is the channel that writes to a logger: what finished as information,
// what is held as a warning, all else as an error. What the logger's handler
// fails to write is not delivered. Records have the trace_id and span_id of ctx.
// A nil logger drops notices.
func Log(l *slog.Logger) Notifier {
	return logNotifier{trace.Logger(l).Handler()}
}

type logNotifier struct{ out slog.Handler }

func (logNotifier) Name() string { return "log" }

// Notify goes past the logger's methods, because they do not return errors.
func (l logNotifier) Notify(ctx context.Context, id string, n etl.Notice) error {
	level := levelOf(n.Kind)
	if !l.out.Enabled(ctx, level) {
		return nil
	}
	r := slog.NewRecord(time.Now(), level, n.Title, 0)
	r.AddAttrs(slog.String("kind", string(n.Kind)), slog.String("id", id))
	if n.RunID != "" {
		r.AddAttrs(slog.String("run_id", n.RunID))
	}
	if n.Text != "" {
		r.AddAttrs(slog.String("text", n.Text))
	}
	return l.out.Handle(ctx, r)
}

func levelOf(kind etl.NoticeKind) slog.Level {
	switch kind {
	case etl.NoticeRunFinished:
		return slog.LevelInfo
	case etl.NoticeLoadHeld:
		return slog.LevelWarn
	}
	return slog.LevelError
}

// Handler delivers the notices of etl.EncodeNotice by every channel, one after
// the other. It fails when one of them fails, with the errors of all that did:
// permanently when nothing is left that a retry could cure. A channel that
// failed for good is not asked again in the retries for others, but is when the
// dead letter is replayed.
//
// A message that is no notice, or that no channel is there to deliver, is a
// permanent failure. A panic of a channel is an error of it, and harms no
// other. Copies of a message that come at once are delivered once.
func Handler(channels ...Notifier) queue.Handler {
	h := handler{channels: channels, known: map[string]*progress{}}
	return h.handle
}

type handler struct {
	channels []Notifier

	mu    sync.Mutex
	known map[string]*progress // by message id
	order []string             // of the ids, oldest first
}

const maxKnown = 1024

// progress is how far a message has come. It belongs to whoever holds turn.
type progress struct {
	turn      chan struct{}
	delivered []bool  // by channel
	gaveUp    []error // by channel: what no retry can cure
}

func (h *handler) handle(ctx context.Context, d queue.Delivery) error {
	n, err := etl.DecodeNotice(d.Message)
	if err != nil {
		return queue.Permanent(err)
	}
	if len(h.channels) == 0 {
		return queue.Permanent(errors.New("there is no channel to deliver notices by"))
	}
	id := d.Message.ID
	if id == "" {
		id = queue.MessageID(d.Message.Body)
	}
	p := h.progressOf(id)
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.Attempt <= 1 { // new, or replayed when the cause was mended
		clear(p.gaveUp)
	}
	return h.deliver(ctx, p, id, n)
}

func (h *handler) progressOf(id string) *progress {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.known[id]; p != nil {
		return p
	}
	if len(h.order) == maxKnown {
		delete(h.known, h.order[0])
		h.order = h.order[1:]
	}
	p := &progress{turn: make(chan struct{}, 1), delivered: make([]bool, len(h.channels)), gaveUp: make([]error, len(h.channels))}
	h.known[id] = p
	h.order = append(h.order, id)
	return p
}

// deliver asks every channel that has neither delivered nor given up.
func (h *handler) deliver(ctx context.Context, p *progress, id string, n etl.Notice) error {
	var failed failures
	for i, channel := range h.channels {
		if p.delivered[i] {
			continue
		}
		err := p.gaveUp[i]
		if err == nil {
			err = notify(ctx, channel, id, n)
		}
		switch {
		case err == nil:
			p.delivered[i] = true
			continue
		case queue.IsPermanent(err):
			p.gaveUp[i] = err
		}
		failed = append(failed, fmt.Errorf("%s: %w", channel.Name(), err))
	}
	return failed.join()
}

func notify(ctx context.Context, channel Notifier, id string, n etl.Notice) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &queue.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return channel.Notify(ctx, id, n)
}

// failures are the errors of channels.
type failures []error

// join makes one error of all. It is permanent when each of them is, and not
// when only some are: these it keeps as text, since a mark would shine through.
func (f failures) join() error {
	if !slices.ContainsFunc(f, curable) {
		return errors.Join(f...)
	}
	all := slices.Clone(f)
	for i, err := range all {
		if !curable(err) {
			all[i] = errors.New(err.Error())
		}
	}
	return errors.Join(all...)
}

func curable(err error) bool { return !queue.IsPermanent(err) }

// plainID returns an id that is safe in headers: the message's own, or one
// derived from it.
func plainID(id string) string {
	odd := func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if id == "" || strings.ContainsFunc(id, odd) {
		return queue.MessageID([]byte(id))
	}
	return id
}
