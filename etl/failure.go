package etl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

// The kinds of failures that this package knows.
const (
	FailureInvalidMessage = "invalid_message" // a message that no consumer can handle
	FailureIncompleteLoad = "incomplete_load" // an order to publish whose chunks did not come
	FailurePanic          = "panic"           // a fault of ours
	FailureSchema         = "schema"          // the store's tables are of another version
	FailureTimeout        = "timeout"         // something took too long
	FailureHandler        = "handler_failed"  // a message that was given up after all attempts
	FailureObject         = "object_refused"  // an object that is not loaded, or not whole
	FailureSource         = "source_failed"   // a source that cannot be read
	FailureRun            = "run_failed"      // a run that came to no end
)

// FailureKinds lists the kinds of failures that this package knows, for metrics that show those
// that have not occurred.
func FailureKinds() []string {
	return []string{FailureInvalidMessage, FailureIncompleteLoad, FailurePanic, FailureSchema, FailureTimeout, FailureHandler,
		FailureObject, FailureSource, FailureRun}
}

// Incident is a failure on its way to those who run the platform.
type Incident struct {
	driver.Failure
	// Queue and MessageID name the dead letter; empty when the failure is not
	// of a message.
	Queue     string `json:"queue,omitempty"`
	MessageID string `json:"message_id,omitempty"`
	// Curable says that the same work may succeed later.
	Curable bool `json:"curable"`
}

// DeadLetterIncident tells of a delivery whose message became a dead letter.
func DeadLetterIncident(e queue.Event) Incident {
	kind := kindOf(e.Err, FailureHandler)
	return Incident{
		Failure: driver.Failure{
			ID: e.Queue + "/" + e.ID, Kind: kind, Time: time.Now(),
			Where: fmt.Sprintf("%s, message %s (%s)", e.Queue, e.ID, e.Key), Message: e.Err.Error(),
		},
		Queue: e.Queue, MessageID: e.ID,
		Curable: kind != FailureInvalidMessage && kind != FailurePanic,
	}
}

// RunIncident tells of a run that ended with an error.
func RunIncident(r Report, err error) Incident {
	now := time.Now()
	id := r.RunID
	if id == "" { // it did not come so far as to have one
		id = now.UTC().Format(time.RFC3339Nano)
	}
	return Incident{
		Failure: driver.Failure{ID: "run/" + id, Kind: kindOf(err, FailureRun), Where: "run " + id, Message: err.Error(), Time: now},
		Curable: true,
	}
}

// ObjectIncidents tells of the objects that a run did not load, or not whole.
// The same content fails once, however often it is tried.
func ObjectIncidents(r Report) []Incident {
	var all []Incident
	add := func(f FileReport, sheet, reason string) {
		all = append(all, Incident{Failure: driver.Failure{
			ID:   strings.Join([]string{"object", f.Object, sheet, f.SHA256}, "/"),
			Kind: FailureObject, Where: oneLine(f.Object + " " + sheet), Message: reason, Time: time.Now(),
		}})
	}
	for _, f := range r.Files {
		for i := range f.Sheets {
			if s := &f.Sheets[i]; s.Status == Failed {
				add(f, s.Sheet, s.Reason)
			}
		}
	}
	return all
}

func kindOf(err error, other string) string {
	var panicked *queue.PanicError
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &panicked):
		return FailurePanic
	case errors.Is(err, egrid.ErrIncomplete):
		return FailureIncompleteLoad
	case errors.Is(err, egrid.ErrSchema):
		return FailureSchema
	case queue.IsPermanent(err):
		return FailureInvalidMessage
	case errors.Is(err, context.DeadlineExceeded):
		return FailureTimeout
	case errors.As(err, &unreadable):
		return FailureSource
	}
	return other
}

const incidentType = "application/vnd.egrid.incident+json"

// EncodeIncident makes the message that carries an incident: its key is
// "error." and the kind. The error wraps [egrid.ErrInvalid].
func EncodeIncident(in Incident) (queue.Message, error) {
	failure, err := in.Normalize()
	if err != nil {
		return queue.Message{}, err
	}
	in.Failure = failure
	body, err := json.Marshal(in)
	if err != nil {
		return queue.Message{}, fmt.Errorf("%w incident: %w", egrid.ErrInvalid, err)
	}
	return queue.Message{Key: "error." + in.Kind, Body: body, ContentType: incidentType}, nil
}

// DecodeIncident reads what [EncodeIncident] wrote. The error wraps
// [egrid.ErrInvalid].
func DecodeIncident(m queue.Message) (Incident, error) {
	var in Incident
	if m.ContentType != incidentType || m.ContentEncoding != "" {
		return in, fmt.Errorf("%w: message %s has the content type %q and the encoding %q; want %s as it is", egrid.ErrInvalid, m.ID, m.ContentType, m.ContentEncoding, incidentType)
	}
	if err := json.Unmarshal(m.Body, &in); err != nil {
		return in, fmt.Errorf("%w: message %s: %w", egrid.ErrInvalid, m.ID, err)
	}
	failure, err := in.Normalize()
	if err != nil {
		return in, fmt.Errorf("message %s: %w", m.ID, err)
	}
	in.Failure = failure
	return in, nil
}

// ErrorOptions tune an [ErrorHandler]. The zero value of every field means its
// default.
type ErrorOptions struct {
	// Quiet is how long nobody is told again of failures of the same kind, as
	// far as this process knows; default 10 minutes, negative is not at all.
	Quiet time.Duration
	// Observe is called with every failure that was new: for metrics. Default
	// none.
	Observe func(driver.Failure)
	Logger  *slog.Logger // default none
}

// ErrorHandler handles the messages of incidents. It records each failure in
// the log. A dead letter that may yet be cured is replayed, once; whatever else
// failed, people are told by a notice that it sends through the broker. A
// failure to notify is recorded and nobody is told, by the same way.
//
// Since the log usually is the store that the dead letter was meant for, it is
// replayed when the store is there again. A dead letter that is not in sight is
// looked for again in later attempts.
func ErrorHandler(log driver.FailureLog, b queue.Broker, o *ErrorOptions) queue.Handler {
	h := &errorHandler{log: log, broker: b, told: map[string]time.Time{}}
	if o != nil {
		h.o = *o
	}
	if h.o.Quiet == 0 {
		h.o.Quiet = 10 * time.Minute
	}
	h.o.Logger = trace.Logger(h.o.Logger)
	return h.handle
}

// replayAttempts is how often a dead letter is looked for that is not there:
// while others look at dead letters, these are out of sight.
const replayAttempts = 3

type errorHandler struct {
	log    driver.FailureLog
	broker queue.Broker
	o      ErrorOptions

	mu   sync.Mutex
	told map[string]time.Time // when people were told last, by kind
}

func (h *errorHandler) handle(ctx context.Context, d queue.Delivery) error {
	in, err := DecodeIncident(d.Message)
	if err != nil {
		return permanentIfInvalid(err)
	}
	first, err := h.log.RecordFailure(ctx, in.Failure)
	if err != nil {
		return permanentIfInvalid(err)
	}
	if first && h.o.Observe != nil {
		h.o.Observe(in.Failure)
	}
	// What was recorded by an attempt that got no further is not first any more.
	if (first || d.Attempt > 1) && in.Curable && in.MessageID != "" {
		n, err := h.broker.Replay(ctx, in.Queue, in.MessageID)
		switch {
		case err != nil:
			return err
		case n > 0:
			h.o.Logger.InfoContext(ctx, "dead letter replayed", "queue", in.Queue, "message", in.MessageID, "kind", in.Kind)
			return nil
		case first || d.Attempt < replayAttempts:
			return fmt.Errorf("%w: no dead letter %s of %s in sight; another program may be reading them", egrid.ErrNotFound, in.MessageID, in.Queue)
		}
	}
	if in.Queue == queue.QueueNotification || !h.mayTell(in.Kind) {
		return nil
	}
	m, err := EncodeNotice(in.notice())
	if err != nil {
		return queue.Permanent(err)
	}
	err = h.broker.Publish(ctx, m)
	if err != nil {
		h.untold(in.Kind)
	}
	return err
}

// mayTell reports whether people were left alone with this kind for long
// enough, and takes it that they are told now.
func (h *errorHandler) mayTell(kind string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if at, ok := h.told[kind]; ok && now.Sub(at) < h.o.Quiet {
		return false
	}
	h.told[kind] = now
	return true
}

func (h *errorHandler) untold(kind string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.told, kind)
}

// notice says what happened and what mends it.
func (in Incident) notice() Notice {
	n := Notice{Kind: NoticeFailure, Time: in.Time, Title: "Failure: " + strings.ReplaceAll(in.Kind, "_", " ") + ": " + in.Where, Text: in.Message}
	if in.MessageID != "" {
		n.Text += fmt.Sprintf(`

The message is kept as a dead letter. Look at it:
    egrid dead-letters show %[1]s %[2]s
When the cause is mended, put it back:
    egrid dead-letters replay %[1]s %[2]s`, in.Queue, in.MessageID)
	}
	return n
}
