package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// statuses is the one table from errors to HTTP statuses. The text of these
// errors is meant for the client; that of any other is not.
var statuses = []struct {
	err    error
	status int
	detail string // instead of the error's text
}{
	{egrid.ErrInvalid, http.StatusBadRequest, ""},
	{egrid.ErrNotFound, http.StatusNotFound, ""},
	{egrid.ErrStale, http.StatusGone, ""},
	{egrid.ErrHeld, http.StatusConflict, ""},
	{egrid.ErrConflict, http.StatusConflict, ""},
	{egrid.ErrIncomplete, http.StatusConflict, ""},
	{egrid.ErrClosed, http.StatusServiceUnavailable, "the store is shutting down"},
	{egrid.ErrSchema, http.StatusServiceUnavailable, "the store was written by another version of the software"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "the answer took too long"},
	{context.Canceled, http.StatusServiceUnavailable, "the request was given up"},
}

// problemOf makes the answer to an error.
func problemOf(r *http.Request, err error) *huma.ErrorModel {
	for _, s := range statuses {
		if !errors.Is(err, s.err) {
			continue
		}
		detail := s.detail
		if detail == "" {
			detail = strings.TrimPrefix(err.Error(), s.err.Error()+": ")
		}
		return problem(r, s.status, detail)
	}
	return problem(r, http.StatusInternalServerError, "something went wrong here; the log has more under this request id: "+RequestID(r.Context()))
}

func problem(r *http.Request, status int, detail string) *huma.ErrorModel {
	return &huma.ErrorModel{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Instance: requestURI(r)}
}

// fault describes one malformed parameter.
func fault(location string, value any, message string) *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: location, Value: value, Message: message}
}

// faulty makes the answer to malformed parameters.
func faulty(r *http.Request, faults ...*huma.ErrorDetail) *huma.ErrorModel {
	detail := make([]string, len(faults))
	for i, f := range faults {
		detail[i] = f.Message
		if _, name, ok := strings.Cut(f.Location, "."); ok {
			detail[i] = name + ": " + f.Message
		}
	}
	p := problem(r, http.StatusBadRequest, strings.Join(detail, "; "))
	p.Errors = faults
	return p
}

func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and numbers only
	}
	h := w.Header()
	for _, name := range []string{"Etag", "Content-Encoding", "Content-Disposition", "Trailer"} {
		h.Del(name)
	}
	b = append(b, '\n')
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the client may be gone
}
