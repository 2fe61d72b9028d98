package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/queue"
)

func topologyOf(patterns ...string) queue.Topology {
	t := queue.Topology{Exchange: "test"}
	for i, pattern := range patterns {
		t.Bindings = append(t.Bindings, queue.Binding{Pattern: pattern, Queue: fmt.Sprint("q", i)})
	}
	return t
}

func TestTopologyRoute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern       string
		matches, fail []string
	}{
		{"a", []string{"a"}, []string{"b", "A", "a.a", "a."}},
		{"a.b", []string{"a.b"}, []string{"a", "b", "a.b.c", "ab"}},
		{"*", []string{"a", "longer"}, []string{"a.b"}},
		{"*.*", []string{"a.b", "b.a"}, []string{"a", "a.b.c"}},
		{"a.*", []string{"a.a", "a.b"}, []string{"a", "b.a", "a.b.c"}},
		{"*.b", []string{"a.b", "b.b"}, []string{"b", "a.a", "a.b.b"}},
		{"#", []string{"a", "a.b", "a.b.c.d"}, nil},
		{"#.#", []string{"a", "a.b"}, nil},
		{"a.#", []string{"a", "a.b", "a.b.c"}, []string{"b", "b.a", "aa"}},
		{"#.a", []string{"a", "b.a", "a.a", "c.b.a"}, []string{"b", "a.b"}},
		{"a.#.b", []string{"a.b", "a.x.b", "a.b.b", "a.b.x.b"}, []string{"a", "b", "a.x", "a.b.x"}},
		{"#.a.#", []string{"a", "x.a", "a.x", "x.a.x", "x.y.a.a.z"}, []string{"x", "x.y.z"}},
		{"#.a.#.b.#", []string{"a.b", "x.a.y.b.z", "b.a.b"}, []string{"b.a", "a", "b"}},
		{"*.#", []string{"a", "a.b", "a.b.c"}, nil},
		{"#.*.*", []string{"a.b", "a.b.c"}, []string{"a"}},
		{"#.*.a", []string{"b.a", "a.a", "c.b.a"}, []string{"a", "b"}},
		{"a*", nil, []string{"a", "ab", "a.b"}}, // no key may have such a word
		{"a#.b", nil, []string{"a.b", "ab.b"}},
	} {
		topology := topologyOf(test.pattern)
		for _, key := range test.matches {
			if got := topology.Route(key); !slices.Equal(got, []string{"q0"}) {
				t.Errorf("pattern %s does not match %s", test.pattern, key)
			}
		}
		for _, key := range test.fail {
			if got := topology.Route(key); got != nil {
				t.Errorf("pattern %s matches %s", test.pattern, key)
			}
		}
	}
}

func TestTopologyQueues(t *testing.T) {
	t.Parallel()
	topology := queue.Topology{Exchange: "test", Bindings: []queue.Binding{
		{Pattern: "a.*", Queue: "second"}, {Pattern: "#", Queue: "first"}, {Pattern: "*.b", Queue: "second"}, {Pattern: "c", Queue: "third"},
	}}
	if got := topology.Queues(); !slices.Equal(got, []string{"second", "first", "third"}) {
		t.Errorf("queues %q", got)
	}
	for key, want := range map[string][]string{
		"a.b": {"second", "first"}, "b.b": {"first", "second"}, "c": {"first", "third"}, "d": {"first"},
	} {
		if got := topology.Route(key); !slices.Equal(got, want) {
			t.Errorf("route of %s: got %q; want %q", key, got, want)
		}
	}
	if err := (queue.Topology{}).Validate(); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("zero topology: got error %v; want ErrInvalid", err)
	}
	if got := (queue.Topology{}).Route("a"); got != nil {
		t.Errorf("zero topology routes to %q", got)
	}
}

func TestDefaultTopology(t *testing.T) {
	t.Parallel()
	topology := queue.DefaultTopology()
	if err := topology.Validate(); err != nil {
		t.Error(err)
	}
	if got := topology.Queues(); !slices.Equal(got, []string{"egrid.database", "egrid.notification", "egrid.error"}) {
		t.Errorf("queues %q", got)
	}
	topology.Bindings[0].Queue = "changed"
	if got := queue.DefaultTopology().Bindings[0].Queue; got != queue.QueueDatabase {
		t.Errorf("callers share the default topology: %q", got)
	}
	if queue.RetryQueue("a") != "a.retry" || queue.DeadQueue("a") != "a.dead" {
		t.Errorf("names %s and %s", queue.RetryQueue("a"), queue.DeadQueue("a"))
	}
}

func TestTopologyValidate(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	bindings := topologyOf("a").Bindings
	for name, test := range map[string]struct {
		topology queue.Topology
		ok       bool
	}{
		"one binding":      {topologyOf("a"), true},
		"patterns":         {topologyOf("a.*.b", "#", "*", "a.#.b"), true},
		"longest exchange": {queue.Topology{Exchange: long[:255], Bindings: bindings}, true},
		"longest pattern":  {topologyOf(long[:255]), true},
		"longest queue":    {queue.Topology{Exchange: "test", Bindings: []queue.Binding{{Pattern: "a", Queue: long[:249]}}}, true},
		"same twice":       {queue.Topology{Exchange: "test", Bindings: append(bindings, bindings...)}, true},
		"no exchange":      {queue.Topology{Bindings: bindings}, false},
		"long exchange":    {queue.Topology{Exchange: long, Bindings: bindings}, false},
		"no bindings":      {queue.Topology{Exchange: "test"}, false},
		"no pattern":       {topologyOf("a", ""), false},
		"long pattern":     {topologyOf(long), false},
		"empty word":       {topologyOf("a..b"), false},
		"empty first word": {topologyOf(".a"), false},
		"empty last word":  {topologyOf("a."), false},
		"no queue":         {queue.Topology{Exchange: "test", Bindings: []queue.Binding{{Pattern: "a"}}}, false},
		"long queue":       {queue.Topology{Exchange: "test", Bindings: []queue.Binding{{Pattern: "a", Queue: long[:250]}}}, false},
		"retries' name":    {queue.Topology{Exchange: "test", Bindings: []queue.Binding{{Pattern: "a", Queue: "q.retry"}, {Pattern: "b", Queue: "q"}}}, false},
		"dead ones' name":  {queue.Topology{Exchange: "test", Bindings: []queue.Binding{{Pattern: "a", Queue: "q"}, {Pattern: "b", Queue: "q.dead"}}}, false},
		"name of no other": {queue.Topology{Exchange: "test", Bindings: []queue.Binding{{Pattern: "a", Queue: "q"}, {Pattern: "b", Queue: "p.dead"}}}, true},
	} {
		err := test.topology.Validate()
		if test.ok && err != nil || !test.ok && !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

// matchesNaively is the definition of a pattern, word by word.
func matchesNaively(pattern, key []string) bool {
	if len(pattern) == 0 {
		return len(key) == 0
	}
	if pattern[0] == "#" {
		return matchesNaively(pattern[1:], key) || len(key) > 0 && matchesNaively(pattern, key[1:])
	}
	return len(key) > 0 && (pattern[0] == "*" || pattern[0] == key[0]) && matchesNaively(pattern[1:], key[1:])
}

func FuzzRoute(f *testing.F) {
	for _, seed := range [][2]string{
		{"a.b", "a.b"}, {"a.*", "a.b"}, {"#", "a"}, {"#.a.#.b.#", "x.a.a.b.c"}, {"*.#.*", "a.b"}, {"#.a.*.#.a", "a.a.a.a.a"}, {"a*.#", "a*.b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, key string) {
		p, k := strings.Split(pattern, "."), strings.Split(key, ".")
		if len(p) > 12 || len(k) > 16 {
			return // the naive matcher would take too long
		}
		want := matchesNaively(p, k)
		if got := topologyOf(pattern).Route(key) != nil; got != want {
			t.Errorf("pattern %q, key %q: got %t; want %t", pattern, key, got, want)
		}
	})
}
