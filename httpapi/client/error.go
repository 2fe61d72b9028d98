package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// Error is what a server answered in place of data.
type Error struct {
	wire.Problem
	RequestID string // by which the server's log has more

	// RetryAfter is how long the server asks to wait; 0 when it does not say.
	RetryAfter time.Duration

	understood bool // the answer was a problem of the API and not a page of something between
}

func (e *Error) Error() string {
	what := e.Detail
	if what == "" {
		what = e.Title
	}
	return fmt.Sprintf("the API answered %d: %s", e.Status, what)
}

// Is makes errors.Is tell an Error as it tells the error of any store.
func (e *Error) Is(target error) bool {
	switch target {
	case egrid.ErrUnavailable:
		return e.Status == http.StatusServiceUnavailable || e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout
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
	e := &Error{RequestID: a.header.Get("X-Request-Id")}
	e.RetryAfter, _ = retryAfter(a.header)
	e.understood = mediaType(a.header) == wire.TypeProblem && json.Unmarshal(a.body, &e.Problem) == nil
	e.Status = a.status
	if !e.understood {
		e.Problem = wire.Problem{Status: a.status, Title: http.StatusText(a.status)}
	}
	return e
}

// errForeign is an answer that no server of this API gives.
func errForeign(path, what string) error {
	return fmt.Errorf("the answer of %s is not of an eGRID API: %s", path, what)
}
