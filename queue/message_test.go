package queue_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

func TestMessageID(t *testing.T) {
	t.Parallel()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := queue.MessageID(nil); got != empty {
		t.Errorf("id of no bytes: %s", got)
	}
	if queue.MessageID([]byte{}) != empty || queue.MessageID([]byte("a")) == empty {
		t.Error("ids do not follow the bytes")
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	version := map[string]string{queue.HeaderVersion: queue.Version}
	for name, test := range map[string]struct{ message, want queue.Message }{
		"least":       {queue.Message{Key: "a"}, queue.Message{ID: queue.MessageID(nil), Key: "a", Headers: version}},
		"id of body":  {queue.Message{Key: "a.b", Body: []byte("x")}, queue.Message{ID: queue.MessageID([]byte("x")), Key: "a.b", Body: []byte("x"), Headers: version}},
		"own id":      {queue.Message{ID: "1", Key: "a"}, queue.Message{ID: "1", Key: "a", Headers: version}},
		"own version": {queue.Message{ID: "1", Key: "a", Headers: map[string]string{queue.HeaderVersion: "2"}}, queue.Message{ID: "1", Key: "a", Headers: map[string]string{queue.HeaderVersion: "2"}}},
		"types": {queue.Message{ID: "1", Key: "a", ContentType: "text/csv", ContentEncoding: "gzip"},
			queue.Message{ID: "1", Key: "a", ContentType: "text/csv", ContentEncoding: "gzip", Headers: version}},
	} {
		before := maps.Clone(test.message.Headers)
		got, err := test.message.Normalize(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !sameMessage(got, test.want) {
			t.Errorf("%s: got %+v; want %+v", name, got, test.want)
		}
		got.Headers["added"] = "x"
		if !maps.Equal(test.message.Headers, before) {
			t.Errorf("%s: the result shares its headers", name)
		}
	}
}

func sameMessage(a, b queue.Message) bool {
	return a.ID == b.ID && a.Key == b.Key && bytes.Equal(a.Body, b.Body) &&
		a.ContentType == b.ContentType && a.ContentEncoding == b.ContentEncoding && maps.Equal(a.Headers, b.Headers)
}

// TestNormalizeLimits looks at both sides of each limit.
func TestNormalizeLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	headers := func(name string, size int) map[string]string {
		return map[string]string{name: strings.Repeat("v", size-len(name))}
	}
	const version = len(queue.HeaderVersion) + len(queue.Version)
	for name, test := range map[string]struct {
		message queue.Message
		says    string // empty is valid
	}{
		"longest body":             {queue.Message{Key: "a", Body: make([]byte, queue.MaxBody)}, ""},
		"long body":                {queue.Message{Key: "a", Body: make([]byte, queue.MaxBody+1)}, "body"},
		"longest key":              {queue.Message{Key: long[:255]}, ""},
		"long key":                 {queue.Message{Key: long}, "key"},
		"longest id":               {queue.Message{Key: "a", ID: long[:255]}, ""},
		"long id":                  {queue.Message{Key: "a", ID: long}, "id"},
		"longest content type":     {queue.Message{Key: "a", ContentType: long[:255]}, ""},
		"long content type":        {queue.Message{Key: "a", ContentType: long}, "content type"},
		"longest content encoding": {queue.Message{Key: "a", ContentEncoding: long[:255]}, ""},
		"long content encoding":    {queue.Message{Key: "a", ContentEncoding: long}, "content encoding"},
		"longest header name":      {queue.Message{Key: "a", Headers: map[string]string{long[:255]: ""}}, ""},
		"long header name":         {queue.Message{Key: "a", Headers: map[string]string{long: ""}}, "header name"},
		"empty header name":        {queue.Message{Key: "a", Headers: map[string]string{"": ""}}, "header name"},
		"most headers":             {queue.Message{Key: "a", Headers: headers("h", queue.MaxHeaders-version)}, ""},
		"too many headers":         {queue.Message{Key: "a", Headers: headers("h", queue.MaxHeaders-version+1)}, "headers"},
		"longest version":          {queue.Message{Key: "a", Headers: headers(queue.HeaderVersion, queue.MaxHeaders)}, ""},
		"long version":             {queue.Message{Key: "a", Headers: headers(queue.HeaderVersion, queue.MaxHeaders+1)}, "headers"},
		"story":                    {queue.Message{Key: "a", Headers: map[string]string{queue.HeaderDied: ""}}, queue.HeaderDied},
		"no key":                   {queue.Message{}, "key"},
		"empty word":               {queue.Message{Key: "a..b"}, "key"},
		"wildcard":                 {queue.Message{Key: "a.*"}, "key"},
		"part of a wildcard":       {queue.Message{Key: "a#b"}, "key"},
	} {
		m, err := test.message.Normalize(t.Context())
		if test.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if again, err := m.Normalize(t.Context()); err != nil || !sameMessage(again, m) {
				t.Errorf("%s: the result cannot be published again: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, queue.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got error %v; want ErrInvalid and %q", name, err, test.says)
		}
	}
}

// TestNormalizeSpan fills the headers of a trace from a ctx, as far as there is
// room and the message says nothing itself.
func TestNormalizeSpan(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	s, _ := trace.Parse(parent, "a=1")
	ctx := trace.NewContext(t.Context(), s)
	headers := func(h ...string) map[string]string {
		m := map[string]string{queue.HeaderVersion: queue.Version}
		for i := 0; i < len(h); i += 2 {
			m[h[i]] = h[i+1]
		}
		return m
	}
	const version = len(queue.HeaderVersion) + len(queue.Version)
	const whole = len(trace.HeaderParent+parent) + len(trace.HeaderState+"a=1")
	filled := func(free int) string { return strings.Repeat("v", queue.MaxHeaders-version-1-free) }
	for name, test := range map[string]struct {
		ctx         context.Context
		given, want map[string]string
	}{
		"no trace":       {t.Context(), nil, headers()},
		"trace":          {ctx, nil, headers(trace.HeaderParent, parent, trace.HeaderState, "a=1")},
		"own parent":     {ctx, headers(trace.HeaderParent, "x"), headers(trace.HeaderParent, "x")},
		"own state":      {ctx, headers(trace.HeaderState, "x=1"), headers(trace.HeaderState, "x=1")},
		"just room":      {ctx, headers("h", filled(whole)), headers("h", filled(whole), trace.HeaderParent, parent, trace.HeaderState, "a=1")},
		"room for one":   {ctx, headers("h", filled(whole-1)), headers("h", filled(whole-1), trace.HeaderParent, parent)},
		"room for none":  {ctx, headers("h", filled(len(trace.HeaderParent+parent)-1)), headers("h", filled(len(trace.HeaderParent+parent)-1))},
		"no room at all": {ctx, headers("h", filled(0)), headers("h", filled(0))},
	} {
		before := maps.Clone(test.given)
		got, err := queue.Message{Key: "a", Body: []byte("x"), Headers: test.given}.Normalize(test.ctx)
		if err != nil || !maps.Equal(got.Headers, test.want) || !maps.Equal(test.given, before) {
			t.Errorf("%s: got %.300v, %v; want %.300v", name, got.Headers, err, test.want)
		}
		if got.ID != queue.MessageID([]byte("x")) {
			t.Errorf("%s: the trace is part of the id %s", name, got.ID)
		}
		if again, err := got.Normalize(trace.Start(t.Context())); err != nil || again.Headers[trace.HeaderParent] != got.Headers[trace.HeaderParent] && test.want[trace.HeaderParent] != "" {
			t.Errorf("%s: published again it is %.300v, %v", name, again.Headers, err)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("", "database.chunk", []byte("x"), "text/csv", "gzip", "level", "GEN", 1)
	f.Add("id", "a", []byte(nil), "", "", queue.HeaderVersion, "2", 1)
	f.Add("id", "a.b", []byte(nil), "", "", queue.HeaderError, "", 1)
	f.Add("", "a", []byte(nil), "", "", "h", "v", queue.MaxHeaders-1)
	f.Add("", "a", []byte(nil), "", "", "\xff", "\x00", queue.MaxHeaders-17)
	f.Fuzz(func(t *testing.T, id, key string, body []byte, contentType, encoding, name, value string, repeat int) {
		if len(value) > 0 {
			value = strings.Repeat(value, max(0, min(repeat, queue.MaxHeaders/len(value)+1)))
		}
		m := queue.Message{ID: id, Key: key, Body: body, ContentType: contentType, ContentEncoding: encoding,
			Headers: map[string]string{name: value}}
		got, err := m.Normalize(t.Context())
		if err != nil {
			if !errors.Is(err, queue.ErrInvalid) {
				t.Errorf("error %v; want ErrInvalid", err)
			}
			return
		}
		if got.ID == "" || got.Headers[queue.HeaderVersion] == "" && name != queue.HeaderVersion {
			t.Errorf("id %q, version %q", got.ID, got.Headers[queue.HeaderVersion])
		}
		if got.Key != key || !bytes.Equal(got.Body, body) || got.Headers[name] != value || len(got.Headers) > 2 {
			t.Errorf("got %.300q; want the fields of %.300q", []any{got}, []any{m})
		}
		if again, err := got.Normalize(t.Context()); err != nil || !sameMessage(again, got) {
			t.Errorf("normalized twice: got %.300q and error %v; want %.300q", []any{again}, err, []any{got})
		}
	})
}
