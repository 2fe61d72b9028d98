package trace

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// The names of the headers, of messages as well as of HTTP.
const (
	HeaderParent = "traceparent"
	HeaderState  = "tracestate"
)

// MaxState is how many bytes of a tracestate are passed on.
const MaxState = 512

// TraceID names a trace. The zero TraceID names none.
type TraceID [16]byte

// String returns 32 hexadecimal digits in small letters.
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }

// SpanID names a span within its trace. The zero SpanID names none.
type SpanID [8]byte

// String returns 16 hexadecimal digits in small letters.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// Span is a piece of work within a trace. The zero Span is none.
type Span struct {
	TraceID TraceID
	ID      SpanID
	// Sampled says that somebody may have recorded what led here, and is passed
	// on. Traces that begin here have it: all of their spans are in the logs.
	Sampled bool
	// State is the tracestate: what other systems keep about the trace. It is
	// passed on as it is, if it is valid.
	State string
}

// IsValid reports whether the span names a trace and itself.
func (s Span) IsValid() bool { return s.TraceID != TraceID{} && s.ID != SpanID{} }

// Child returns a new span of the same trace, or the first one of a new trace
// when s is not valid.
func (s Span) Child() Span {
	if !s.IsValid() {
		s = Span{Sampled: true}
		random(s.TraceID[:8])
		random(s.TraceID[8:])
	}
	random(s.ID[:])
	return s
}

// random fills in eight random bytes that are not all zero. They need not be hard
// to guess.
func random(b []byte) {
	binary.LittleEndian.PutUint64(b, max(rand.Uint64(), 1)) //nolint:gosec // G404: see above
}

// Headers returns the values of [HeaderParent] and [HeaderState], each empty
// when it is not to be sent.
func (s Span) Headers() (parent, state string) {
	if !s.IsValid() {
		return "", ""
	}
	flags := "-00"
	if s.Sampled {
		flags = "-01"
	}
	return "00-" + s.TraceID.String() + "-" + s.ID.String() + flags, cleanState(s.State)
}

// Parse reads what [Span.Headers] wrote, or another system. The span is that of
// the sender; ok is false, and the span zero, when parent is not valid. Of
// versions to come it reads what the present one has.
func Parse(parent, state string) (s Span, ok bool) {
	const length = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-00")
	var version, flags [1]byte
	switch {
	case len(parent) < length, parent[2] != '-', parent[35] != '-', parent[52] != '-':
		return Span{}, false
	case !unhex(version[:], parent[:2]), !unhex(s.TraceID[:], parent[3:35]), !unhex(s.ID[:], parent[36:52]), !unhex(flags[:], parent[53:55]):
		return Span{}, false
	case version[0] == 0xff, version[0] == 0 && len(parent) > length, len(parent) > length && parent[length] != '-', !s.IsValid():
		return Span{}, false
	}
	s.Sampled = flags[0]&1 != 0
	s.State = cleanState(state)
	return s, true
}

// unhex reads digits in small letters, the only ones that the format has.
func unhex(into []byte, digits string) bool {
	if strings.ContainsAny(digits, "ABCDEF") {
		return false
	}
	_, err := hex.Decode(into, []byte(digits))
	return err == nil
}

// cleanState returns the members of a tracestate with commas between, or
// nothing when it is too long or one of them is not as it should be.
func cleanState(state string) string {
	const most = 32
	var members []string
	keys := map[string]bool{}
	for member := range strings.SplitSeq(state, ",") {
		member = strings.Trim(member, " \t")
		if member == "" { // which the format allows
			continue
		}
		key, value, _ := strings.Cut(member, "=")
		if !stateKey(key) || !stateValue(value) || keys[key] || len(members) == most {
			return ""
		}
		keys[key] = true
		members = append(members, member)
	}
	clean := strings.Join(members, ",")
	if len(clean) > MaxState {
		return ""
	}
	return clean
}

// stateKey reports whether a key is one: a name, or a tenant and a system.
func stateKey(key string) bool {
	name, system, tenant := strings.Cut(key, "@")
	if tenant {
		return len(name) <= 241 && len(system) <= 14 && stateName(name, true) && stateName(system, false)
	}
	return len(name) <= 256 && stateName(name, false)
}

func stateName(name string, digitFirst bool) bool {
	for i, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z':
		case c >= '0' && c <= '9' && (i > 0 || digitFirst):
		case i > 0 && strings.IndexByte("_-*/", c) >= 0:
		default:
			return false
		}
	}
	return name != ""
}

func stateValue(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' || c == '=' {
			return false
		}
	}
	return value != "" && len(value) <= 256
}

// SetHeader puts the span into the header of a request that is sent, an
// http.Header, and takes out what another span left there. One that is not
// valid leaves the header as it is.
func (s Span) SetHeader(h map[string][]string) {
	parent, state := s.Headers()
	if parent == "" {
		return
	}
	h["Traceparent"] = []string{parent}
	delete(h, "Tracestate")
	if state != "" {
		h["Tracestate"] = []string{state}
	}
}

// FromHeader reads the span that a request was sent in from its header, an
// http.Header, as [Parse] does. A traceparent that comes twice is not valid.
func FromHeader(h map[string][]string) (Span, bool) {
	parent := h["Traceparent"]
	if len(parent) != 1 {
		return Span{}, false
	}
	return Parse(parent[0], strings.Join(h["Tracestate"], ","))
}

type contextKey struct{}

// NewContext returns a ctx of the span's work. With a span that is not valid it
// is outside of any trace.
func NewContext(ctx context.Context, s Span) context.Context {
	return context.WithValue(ctx, contextKey{}, current{Span: s})
}

// FromContext returns the span that ctx belongs to, the zero Span when there is
// none.
func FromContext(ctx context.Context) Span {
	if c, _ := ctx.Value(contextKey{}).(current); c.IsValid() {
		return c.Span
	}
	return Span{}
}

// Start returns a ctx of a new span: one of ctx's trace, or the first of a new
// trace when ctx has none.
func Start(ctx context.Context) context.Context {
	return NewContext(ctx, FromContext(ctx).Child())
}
