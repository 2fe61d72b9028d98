package egrid

import (
	"errors"
	"fmt"
)

// Errors that callers may test for with [errors.Is]. Every method's comment
// says which it returns.
var (
	// ErrNotFound: no such row, column, snapshot or release.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the request or the input is malformed; the text says how to mend it.
	ErrInvalid = errors.New("invalid")
	// ErrHeld: a load is complete but was not published.
	ErrHeld = errors.New("held")
	// ErrStale: a cursor's snapshots have been replaced since; start again without it.
	ErrStale = errors.New("stale")
	// ErrIncomplete: a stage does not hold every chunk yet.
	ErrIncomplete = errors.New("incomplete")
	// ErrConflict: it cannot be done in the state that things are in, as a
	// second run while one is under way.
	ErrConflict = errors.New("conflict")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("closed")
	// ErrSchema: the database was written by another version of the software.
	ErrSchema = errors.New("schema version")
)

// RowError is one record that could not be read. It does not end the
// iteration: the next record follows.
type RowError struct {
	Line   int64  // line of the file where the record starts, from 1
	Number int64  // position among the sheet's records, from 1
	Column Column // the offending column; empty when the record as a whole is at fault
	Value  string // the offending text, shortened
	Reason string // what is wrong and what is expected
	Record string // the raw record as it stands in the file
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d, column %s, value %q: %s", e.Line, e.Column, e.Value, e.Reason)
}

// Unwrap makes a RowError an [ErrInvalid].
func (e *RowError) Unwrap() error { return ErrInvalid }
