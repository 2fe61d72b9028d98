package etl

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits bound what one run takes on, so that a folder that is not what somebody
// thought, or a source that others write to, does not fill a store. A field that is zero
// bounds nothing.
type Limits struct {
	Files  int           // to load, whatever is left out
	Bytes  int64         // of all of them, as they are listed: packed
	Sheets int           // of all of them
	Time   time.Duration // of a run; a stage that is called by itself has its caller's ctx
}

// LimitError is a run that would take on more than its [Limits] allow. Nothing of the run
// is published.
type LimitError struct {
	Of    string // files, bytes, sheets or time
	Limit string
	Found string // so far: what is beyond the limit is not counted to its end
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the run has %s, and its limit is %s: name fewer files, or allow more %s", e.Found, e.Limit, e.Of)
}

// listed is nil for objects that a run may take on.
func (l Limits) listed(objects []Object) error {
	var bytes int64
	files := 0
	for _, o := range objects {
		if !o.toLoad() {
			continue
		}
		files++
		bytes += o.Size
		if l.Files > 0 && files > l.Files {
			return &LimitError{Of: "files", Limit: fmt.Sprintf("%d files", l.Files), Found: fmt.Sprintf("more than %d files", l.Files)}
		}
		if l.Bytes > 0 && bytes > l.Bytes {
			return &LimitError{Of: "bytes", Limit: fmt.Sprintf("%d bytes", l.Bytes), Found: fmt.Sprintf("at least %d bytes, with %s", bytes, o.Name)}
		}
	}
	return nil
}

// found is nil for so many sheets, the last of them in a file.
func (l Limits) found(sheets int, file string) error {
	if l.Sheets > 0 && sheets > l.Sheets {
		return &LimitError{Of: "sheets", Limit: fmt.Sprintf("%d sheets", l.Sheets), Found: fmt.Sprintf("at least %d sheets, with %s", sheets, file)}
	}
	return nil
}

// within returns a ctx that ends when the time of a run is over, and a function that
// tells so in place of the error that came of it.
func (l Limits) within(ctx context.Context) (context.Context, context.CancelFunc, func(error) error) {
	if l.Time <= 0 {
		return ctx, func() {}, func(err error) error { return err }
	}
	over := &LimitError{Of: "time", Limit: l.Time.String(), Found: "taken longer"}
	ctx, stop := context.WithTimeoutCause(ctx, l.Time, over)
	return ctx, stop, func(err error) error {
		if err != nil && errors.Is(context.Cause(ctx), over) {
			return over
		}
		return err
	}
}
