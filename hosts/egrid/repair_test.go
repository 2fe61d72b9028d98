package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/queue"
)

// kill makes dead letters of messages in the database queue.
func kill(s shell, address string, bodies ...string) {
	s.Helper()
	b, err := service.OpenQueue(s.Context(), address)
	if err != nil {
		s.Fatal(err)
	}
	defer b.Close()
	sub, err := b.Subscribe(s.Context(), queue.QueueDatabase, 1)
	if err != nil {
		s.Fatal(err)
	}
	defer sub.Close()
	for _, body := range bodies {
		if err := b.Publish(s.Context(), queue.Message{Key: queue.KeyChunk, Body: []byte(body)}); err != nil {
			s.Fatal(err)
		}
		m, err := sub.Next(s.Context())
		if err == nil {
			err = m.Settle(s.Context(), queue.Verdict{Outcome: queue.Dead, Headers: map[string]string{queue.HeaderError: "because", queue.HeaderAttempts: "3"}})
		}
		if err != nil {
			s.Fatal(err)
		}
	}
}

func TestDeadLetters(t *testing.T) {
	s := newShell(t)
	_, address := services(t)
	s.Setenv("EGRID_QUEUE", address)
	list := func() []deadLetter {
		t.Helper()
		var letters []deadLetter
		if err := json.Unmarshal([]byte(s.run(0, "dead-letters", "list", "--json", "database")), &letters); err != nil {
			t.Fatal(err)
		}
		return letters
	}
	if len(list()) > 0 { // of a run that was broken off
		s.run(0, "dead-letters", "drop", "database", "--all")
	}
	kill(s, address, "one", "two", "three")
	letters := list()
	if len(letters) != 3 || letters[0].Reason != "because" || letters[0].Attempts != 3 || letters[0].Bytes != 3 || letters[0].ID != queue.MessageID([]byte("one")) {
		t.Fatalf("got %+v", letters)
	}
	one := letters[0].ID
	if text := s.run(0, "dead-letters", "list"); !strings.Contains(text, one[:12]) || !strings.Contains(text, "because") {
		t.Errorf("list: %s", text)
	}
	if text := s.run(0, "dead-letters", "show", "egrid.database", one[:10]); !strings.Contains(text, one) || !strings.Contains(text, "because") {
		t.Errorf("show: %s", text)
	}
	if text := s.run(0, "dead-letters", "replay", "database", one[:10]); !strings.Contains(text, "1 put back") || len(list()) != 2 {
		t.Errorf("replay: %s", text)
	}
	drain(s, address)
	if text := s.run(0, "dead-letters", "drop", "database", "--all"); !strings.Contains(text, "2 dropped") || len(list()) != 0 {
		t.Errorf("drop: %s", text)
	}
	for want, args := range map[string][]string{
		"no dead letter": {"show", "database", one},
		"several ids":    {"show", "database", ""},
	} {
		kill(s, address, "four", "five")
		if text := s.run(map[string]int{"no dead letter": 1, "several ids": 2}[want], append([]string{"dead-letters"}, args...)...); !strings.Contains(text, want) {
			t.Errorf("%q: %s", args, text)
		}
		s.run(0, "dead-letters", "drop", "database", "--all")
	}
	for _, args := range [][]string{{"replay", "database"}, {"replay", "database", one, "--all"}, {"list", "other"}, {"list", "--queue", "mem:"}} {
		s.run(2, append([]string{"dead-letters"}, args...)...)
	}
}

// drain takes what a replay put into the queue.
func drain(s shell, address string) {
	s.Helper()
	b, err := service.OpenQueue(s.Context(), address)
	if err != nil {
		s.Fatal(err)
	}
	defer b.Close()
	sub, err := b.Subscribe(s.Context(), queue.QueueDatabase, 1)
	if err != nil {
		s.Fatal(err)
	}
	defer sub.Close()
	m, err := sub.Next(s.Context())
	if err == nil {
		err = m.Settle(s.Context(), queue.Verdict{Outcome: queue.Done})
	}
	if err != nil || string(m.Message.Body) != "one" {
		s.Errorf("in the queue: %q, %v; want what was replayed", m.Message.Body, err)
	}
}

func TestHealth(t *testing.T) {
	s := newShell(t)
	broken := false
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", httpapi.Liveness)
	mux.HandleFunc("/degraded", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"ok","checks":[{"name":"redis","status":"degraded","latency_seconds":0.5}]}`))
	})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		status := map[bool]string{true: "unavailable", false: "ok"}[broken]
		if broken {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(`{"status":"` + status + `","checks":[{"name":"disk","status":"` + status + `","latency_seconds":0.5}]}`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	away := httptest.NewServer(nil)
	away.Close()

	if text := s.run(0, "health", server.URL, "mem:"); !strings.Contains(text, server.URL+" disk") || !strings.Contains(text, "mem:") {
		t.Errorf("got %s", text)
	}
	if text := s.run(1, "health"); !strings.Contains(text, "egrid.db") || !strings.Contains(strings.Join(strings.Fields(text), " "), "there is no store yet; egrid load FILE makes it") {
		t.Errorf("got %s", text)
	}
	if text := s.run(1, "health", filepath.Join(s.dir, "nowhere.db")); !strings.Contains(text, "there is no store") {
		t.Errorf("got %s", text)
	}
	if text := s.run(1, "health", server.URL, away.URL, "postgres://user:secret@127.0.0.1:1/none"); !strings.Contains(text, "refused") || strings.Contains(text, "secret") {
		t.Errorf("got %s", text)
	}
	if text := s.run(0, "health", server.URL+"/degraded"); !strings.Contains(text, "redis  degraded") {
		t.Errorf("got %s", text)
	}
	broken = true
	var states []state
	if err := json.Unmarshal([]byte(strings.SplitAfter(s.run(1, "health", "--json", server.URL), "]\n")[0]), &states); err != nil || len(states) != 2 || states[0].Status != "unavailable" || states[1].Name != server.URL+" disk" {
		t.Errorf("got %+v, %v", states, err)
	}
	s.run(0, "health", server.URL+"/healthz")
}
