package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Error is what a server answered in place of data (RFC 9457).
type Error struct {
	Status    int    // of HTTP
	Type      string // URI of the kind of problem; about:blank for the status's own
	Title     string
	Detail    string  // what is wrong, and what to do
	Instance  string  // what was asked
	Faults    []Fault // the parameters at fault
	RequestID string  // by which the server's log has more

	// RetryAfter is how long the server asks to wait; 0 when it does not say.
	RetryAfter time.Duration

	understood bool // the answer was a problem of the API and not a page of something between
}

// Fault is a parameter that the server refuses.
type Fault struct {
	Location string `json:"location"` // as query.limit
	Message  string `json:"message"`
	Value    any    `json:"value"`
}

func (e *Error) Error() string {
	what := e.Detail
	if what == "" {
		what = e.Title
	}
	return fmt.Sprintf("the API answered %d: %s", e.Status, what)
}

// Is makes errors.Is tell an Error as it tells the error of any
// [egrid.Querier].
func (e *Error) Is(target error) bool {
	switch target {
	case egrid.ErrClosed:
		return e.Status == http.StatusServiceUnavailable
	case egrid.ErrInvalid:
		return e.understood && e.Status == http.StatusBadRequest
	case egrid.ErrNotFound:
		return e.understood && e.Status == http.StatusNotFound
	case egrid.ErrConflict:
		return e.understood && e.Status == http.StatusConflict
	case egrid.ErrStale:
		return e.understood && e.Status == http.StatusGone
	}
	return false
}

// errorOf reads the answer to a request that failed.
func errorOf(a *answer) *Error {
	e := &Error{Status: a.status, Title: http.StatusText(a.status), RequestID: a.header.Get("X-Request-Id")}
	e.RetryAfter, _ = retryAfter(a.header)
	var problem struct {
		Type, Title, Detail, Instance string
		Errors                        []Fault
	}
	if mediaType(a.header) == "application/problem+json" && json.Unmarshal(a.body, &problem) == nil {
		e.understood = true
		e.Type, e.Title, e.Detail, e.Instance, e.Faults = problem.Type, problem.Title, problem.Detail, problem.Instance, problem.Errors
	}
	return e
}

// errForeign is an answer that no server of this API gives.
func errForeign(path, what string) error {
	return fmt.Errorf("the answer of %s is not of an eGRID API: %s", path, what)
}
