package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// statuses is the one table from errors to HTTP statuses, the first that fits. The
// text of these errors is meant for the client; that of any other is not.
var statuses = []struct {
	err    error
	status int
	detail string // instead of the error's text
}{
	{egrid.ErrInvalid, http.StatusBadRequest, ""},
	{egrid.ErrNotFound, http.StatusNotFound, ""},
	{egrid.ErrStale, http.StatusGone, ""},
	{egrid.ErrConflict, http.StatusConflict, ""},
	{egrid.ErrIncomplete, http.StatusConflict, ""},
	{egrid.ErrClosed, http.StatusServiceUnavailable, "the store is shutting down"},
	{egrid.ErrSchema, http.StatusServiceUnavailable, "the store was written by another version of the software"},
	{egrid.ErrUnavailable, http.StatusServiceUnavailable, "the database does not answer at the moment: try again"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "the answer took too long"},
	{context.Canceled, http.StatusServiceUnavailable, "the request was given up"},
}

// problemOf makes the answer to an error. What is not the client's is logged.
func (a *api) problemOf(r *http.Request, err error) *wire.Problem {
	for _, s := range statuses {
		if !errors.Is(err, s.err) {
			continue
		}
		if s.err == egrid.ErrUnavailable { //nolint:errorlint // it is the element of the table
			a.o.Logger.WarnContext(r.Context(), "store unavailable", "request_id", middleware.RequestID(r.Context()), "path", r.URL.Path, "error", err)
		}
		detail := s.detail
		if detail == "" {
			detail = strings.Replace(err.Error(), s.err.Error()+": ", "", 1)
		}
		return wire.NewProblem(r, s.status, detail)
	}
	a.o.Logger.ErrorContext(r.Context(), "request failed", "request_id", middleware.RequestID(r.Context()), "path", r.URL.Path, "error", err)
	return wire.NewProblem(r, http.StatusInternalServerError, middleware.WentWrong(r))
}

// fault describes one malformed parameter.
func fault(location string, value any, message string) wire.Fault {
	return wire.Fault{Location: location, Value: value, Message: message}
}
