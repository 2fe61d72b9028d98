package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Problem is what an API answers in place of data (RFC 9457).
type Problem struct {
	Type     string  `json:"type,omitempty" format:"uri-reference" doc:"Kind of the problem; about:blank for the status's own."`
	Title    string  `json:"title,omitempty" doc:"The status in words."`
	Status   int     `json:"status,omitempty" doc:"HTTP status code."`
	Detail   string  `json:"detail,omitempty" doc:"What is wrong, and what to do."`
	Instance string  `json:"instance,omitempty" format:"uri-reference" doc:"What was asked."`
	Errors   []Fault `json:"errors,omitempty" doc:"The parameters at fault."`
}

// Fault is a parameter that is refused.
type Fault struct {
	Location string `json:"location,omitempty" doc:"The parameter at fault, as query.limit or path.id."`
	Message  string `json:"message,omitempty"`
	Value    any    `json:"value,omitempty" doc:"What was given."`
}

// NewProblem makes the answer to a request that fails.
func NewProblem(r *http.Request, status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Instance: RequestURI(r)}
}

// Faulty makes the answer to malformed parameters.
func Faulty(r *http.Request, faults ...Fault) *Problem {
	detail := make([]string, len(faults))
	for i, f := range faults {
		detail[i] = f.Message
		if _, name, ok := strings.Cut(f.Location, "."); ok {
			detail[i] = name + ": " + f.Message
		}
	}
	p := NewProblem(r, http.StatusBadRequest, strings.Join(detail, "; "))
	p.Errors = faults
	return p
}

// Write answers with the problem, and takes back the headers of what was to be
// answered instead.
func (p *Problem) Write(w http.ResponseWriter) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		panic(err) // texts and numbers only
	}
	h := w.Header()
	for _, name := range []string{"Etag", "Content-Encoding", "Content-Disposition", "Trailer"} {
		h.Del(name)
	}
	h.Set("Content-Type", TypeProblem)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// Prefix is the path that the handler of a request is mounted under, as "/grid"; empty
// for none.
func Prefix(r *http.Request) string {
	asked, _, _ := strings.Cut(RequestURI(r), "?")
	prefix, ok := strings.CutSuffix(asked, r.URL.EscapedPath())
	if !ok {
		return "" // changed on the way here by something else than a prefix
	}
	return prefix
}

// RequestURI is what the client asked for, the prefix of a mount included.
func RequestURI(r *http.Request) string {
	if r.RequestURI != "" && r.RequestURI[0] == '/' {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}
