package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
	parent  = "00-" + traceID + "-" + spanID + "-01"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parent, want string // what is sent on, empty when it is refused
	}{
		"sampled":             {parent, parent},
		"not sampled":         {"00-" + traceID + "-" + spanID + "-00", "00-" + traceID + "-" + spanID + "-00"},
		"other flags":         {"00-" + traceID + "-" + spanID + "-ff", parent},
		"later version":       {"cc-" + traceID + "-" + spanID + "-01", parent},
		"later and longer":    {"cc-" + traceID + "-" + spanID + "-01-what-the-future-holds", parent},
		"empty":               {"", ""},
		"short":               {parent[:54], ""},
		"long":                {parent + "-", ""},
		"space behind":        {parent + " ", ""},
		"space before":        {" " + parent, ""},
		"two":                 {parent + "," + parent, ""},
		"later, and no dash":  {"cc-" + traceID + "-" + spanID + "-01.what", ""},
		"version ff":          {"ff" + parent[2:], ""},
		"version no hex":      {"0x" + parent[2:], ""},
		"version upper case":  {"CC" + parent[2:], ""},
		"trace upper case":    {strings.ToUpper(parent), ""},
		"trace no hex":        {"00-" + strings.Repeat("g", 32) + "-" + spanID + "-01", ""},
		"trace zero":          {"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01", ""},
		"span zero":           {"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01", ""},
		"span upper case":     {"00-" + traceID + "-" + strings.ToUpper(spanID) + "-01", ""},
		"flags no hex":        {parent[:53] + "0.", ""},
		"flags upper case":    {parent[:53] + "0A", ""},
		"other dashes":        {strings.ReplaceAll(parent, "-", "_"), ""},
		"line in it":          {parent[:40] + "\r\n" + parent[42:], ""},
		"not ASCII":           {"00-" + strings.Repeat("é", 16) + "-" + spanID + "-01", ""},
		"trace a digit short": {"00-" + traceID[1:] + "-" + spanID + "-01-", ""},
	} {
		s, ok := trace.Parse(test.parent, "")
		got, _ := s.Headers()
		if ok != (test.want != "") || got != test.want || ok != s.IsValid() || !ok && s != (trace.Span{}) {
			t.Errorf("%s: %q is %+v, %v, and is sent on as %q; want %q", name, test.parent, s, ok, got, test.want)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 32 {
		many = append(many, fmt.Sprintf("k%d=v", i))
	}
	long := "a=" + strings.Repeat("x", 253) + ",b=" + strings.Repeat("y", 254) // 512 bytes
	for name, test := range map[string]struct{ state, want string }{
		"none":              {"", ""},
		"one":               {"congo=t61rcWkgMzE", "congo=t61rcWkgMzE"},
		"several":           {"rojo=00f067aa0ba902b7,congo=t61 rcW", "rojo=00f067aa0ba902b7,congo=t61 rcW"},
		"spaces around":     {" a=1 ,\tb=2\t, ,c=3", "a=1,b=2,c=3"},
		"tenant":            {"0tenant@sys-tem=1,a_-*/9=~", "0tenant@sys-tem=1,a_-*/9=~"},
		"most members":      {strings.Join(many, ","), strings.Join(many, ",")},
		"too many members":  {strings.Join(many, ",") + ",z=1", ""},
		"longest":           {long, long},
		"too long":          {long + "y", ""},
		"key twice":         {"a=1,b=2,a=3", ""},
		"no value":          {"a=", ""},
		"no key":            {"=1", ""},
		"neither":           {"a", ""},
		"two =":             {"a=b=c", ""},
		"key in capitals":   {"Ab=1", ""},
		"key from a digit":  {"1b=1", ""},
		"no system":         {"a@=1", ""},
		"system from digit": {"a@1=1", ""},
		"two tenants":       {"a@b@c=1", ""},
		"long tenant":       {strings.Repeat("a", 242) + "@b=1", ""},
		"long system":       {"a@" + strings.Repeat("b", 15) + "=1", ""},
		"long key":          {strings.Repeat("a", 257) + "=1", ""},
		"long value":        {"a=" + strings.Repeat("x", 257), ""},
		"line in it":        {"a=1\r\nEvil: 1", ""},
		"tab in it":         {"a=1\t2", ""},
		"not ASCII":         {"a=é", ""},
	} {
		s, ok := trace.Parse(parent, test.state)
		if !ok || s.State != test.want {
			t.Errorf("%s: %q is %q, %v; want %q", name, test.state, s.State, ok, test.want)
		}
		// Whoever makes a span by hand can send no more than that either.
		s.State = test.state
		if _, got := s.Headers(); got != test.want {
			t.Errorf("%s: %q is sent as %q; want %q", name, test.state, got, test.want)
		}
	}
	if s, ok := trace.Parse("", "a=1"); ok || s != (trace.Span{}) {
		t.Errorf("a state without a parent is %+v", s)
	}
	if p, s := (trace.Span{State: "a=1"}).Headers(); p+s != "" {
		t.Errorf("a span that is none is sent as %q, %q", p, s)
	}
}

// FuzzParse feeds both headers: what is accepted is sent on in the one form that
// there is, and reads the same there.
func FuzzParse(f *testing.F) {
	f.Add(parent, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
	f.Add("cc"+parent[2:]+"-more", " a@b=1 ,, c=2")
	f.Add("ff"+parent[2:], "a=1\r\nb: 2")
	f.Add(strings.ToUpper(parent), strings.Repeat("a=1,", 40))
	f.Fuzz(func(t *testing.T, parent, state string) {
		s, ok := trace.Parse(parent, state)
		if !ok {
			if s != (trace.Span{}) {
				t.Fatalf("refused, but %+v", s)
			}
			return
		}
		p, st := s.Headers()
		if len(p) != 55 || strings.Trim(p, "0123456789abcdef-") != "" || p[3:52] != parent[3:52] || st != s.State || len(st) > trace.MaxState {
			t.Fatalf("%q, %q is sent on as %q, %q", parent, state, p, st)
		}
		for _, c := range []byte(st) {
			if c < ' ' || c > '~' {
				t.Fatalf("byte %d in the state %q", c, st)
			}
		}
		if again, ok := trace.Parse(p, st); !ok || again != s {
			t.Fatalf("%q, %q is %+v; want %+v", p, st, again, s)
		}
	})
}

func TestChild(t *testing.T) {
	t.Parallel()
	s, _ := trace.Parse("00-"+traceID+"-"+spanID+"-00", "a=1")
	c := s.Child()
	if c.TraceID != s.TraceID || c.ID == s.ID || !c.IsValid() || c.Sampled || c.State != "a=1" {
		t.Errorf("child %+v of %+v", c, s)
	}
	seen := map[trace.TraceID]bool{}
	for range 100 {
		first := trace.Span{State: "a=1"}.Child()
		if !first.IsValid() || !first.Sampled || first.State != "" || seen[first.TraceID] {
			t.Fatalf("a new trace begins with %+v", first)
		}
		seen[first.TraceID] = true
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if s := trace.FromContext(ctx); s != (trace.Span{}) {
		t.Errorf("%+v of nothing", s)
	}
	begun := trace.Start(ctx)
	first, second := trace.FromContext(begun), trace.FromContext(trace.Start(begun))
	if !first.IsValid() || first.TraceID != second.TraceID || first.ID == second.ID {
		t.Errorf("%+v, and within it %+v", first, second)
	}
	if s := trace.FromContext(trace.NewContext(begun, trace.Span{})); s != (trace.Span{}) {
		t.Errorf("%+v outside of any trace", s)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	sent, _ := trace.Parse(parent, "a=1")
	h := http.Header{}
	h.Set("TraceParent", "x")
	h.Add("traceparent", "y")
	h.Set("tracestate", "old=1")
	trace.Span{}.SetHeader(h)
	if len(h.Values("traceparent")) != 2 || h.Get("tracestate") != "old=1" {
		t.Errorf("a span that is none leaves %v", h)
	}
	sent.SetHeader(h)
	if got, ok := trace.FromHeader(h); !ok || got != sent || len(h) != 2 {
		t.Errorf("%+v comes as %+v by %v", sent, got, h)
	}
	h.Add("tracestate", "b=2") // in two lines
	if got, ok := trace.FromHeader(h); !ok || got.State != "a=1,b=2" {
		t.Errorf("got %+v", got)
	}
	h.Add("traceparent", parent)
	if got, ok := trace.FromHeader(h); ok || got != (trace.Span{}) {
		t.Errorf("two parents are %+v", got)
	}
	if got, ok := trace.FromHeader(nil); ok {
		t.Errorf("nothing is %+v", got)
	}
	sent.State = ""
	sent.SetHeader(h)
	if _, ok := h["Tracestate"]; ok {
		t.Errorf("the state of another span is left: %v", h)
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := trace.Logger(slog.New(slog.NewJSONHandler(&out, nil)))
	s, _ := trace.Parse(parent, "")
	ctx := trace.NewContext(t.Context(), s)
	for name, test := range map[string]struct {
		log   *slog.Logger
		ctx   context.Context
		group string
		want  bool
	}{
		"span":              {log, ctx, "", true},
		"no span":           {log, t.Context(), "", false},
		"with attributes":   {log.With("service", "x"), ctx, "", true},
		"within a group":    {log.WithGroup("g"), ctx, "g", true},
		"twice":             {trace.Logger(log.With("service", "x")), ctx, "", true},
		"handler, twice":    {slog.New(trace.Handler(log.Handler())), ctx, "", true},
		"without a context": {log, context.Background(), "", false},
	} {
		out.Reset()
		test.log.InfoContext(test.ctx, "hello", "a", 1)
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if inner, ok := line[test.group].(map[string]any); ok {
			line = inner
		}
		got := line["trace_id"] == traceID && line["span_id"] == spanID
		if got != test.want || strings.Count(out.String(), "trace_id") > 1 || !test.want && strings.Contains(out.String(), "_id") {
			t.Errorf("%s: %s", name, out.String())
		}
	}
	quiet := trace.Logger(nil)
	if quiet.Enabled(ctx, slog.LevelError) {
		t.Error("no logger at all takes errors")
	}
	quiet.Error("nobody hears")
}

// A record that others hold too is not changed: it may be handled again.
func TestHandlerLeavesTheRecord(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := trace.Handler(slog.NewTextHandler(&out, nil))
	var r slog.Record
	for i := range 20 { // a record has room for some in itself, and lets the rest grow
		r.Add(slog.Int(fmt.Sprint(i), i))
		for range 2 {
			out.Reset()
			ctx := trace.Start(t.Context())
			if err := h.Handle(ctx, r); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); strings.Contains(got, "BUG") || !strings.Contains(got, "trace_id="+trace.FromContext(ctx).TraceID.String()) || r.NumAttrs() != i+1 {
				t.Errorf("%d attributes: %s", i+1, got)
			}
		}
	}
}
