package egrid

import (
	"errors"
)

// Errors that callers may test for with [errors.Is]. Every method's comment
// says which it returns.
var (
	// ErrNotFound: no such row, column, snapshot or release.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the request or the input is malformed; the text says how to mend it.
	ErrInvalid = errors.New("invalid")
	// ErrStale: a snapshot that a cursor or an address names was pruned.
	ErrStale = errors.New("stale")
	// ErrIncomplete: a stage does not hold every chunk yet.
	ErrIncomplete = errors.New("incomplete")
	// ErrConflict: it cannot be done in the state that things are in, as a
	// second run while one is under way.
	ErrConflict = errors.New("conflict")
	// ErrUnavailable: the server that holds the data does not answer at the moment.
	// The same may succeed later.
	ErrUnavailable = errors.New("unavailable")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("closed")
	// ErrSchema: the database was written by another version of the software.
	ErrSchema = errors.New("schema version")
)
