package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

// TestRunsOfDeadProcess: a run of which nothing is heard any more is told so, to
// every process, by the server's clock.
func TestRunsOfDeadProcess(t *testing.T) {
	schema := newSchema(t)
	a, b := openIn(t, schema), openIn(t, schema)
	run := driver.Run{ID: "r", Status: driver.RunUnderWay, Host: "a", Started: time.Now(), Loads: []driver.RunLoad{}}
	if err := a.SaveRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	status := func(want driver.RunStatus) {
		t.Helper()
		if got, err := b.SavedRun(t.Context(), "r"); err != nil || got.Status != want {
			t.Errorf("%+v, %v; want %s", got, err, want)
		}
	}
	status(driver.RunUnderWay)
	execute(t, serverURL(t), "UPDATE "+schema+".runs SET heard_at = heard_at - interval '1 minute'")
	status(driver.RunInterrupted)
	if err := a.SaveRun(t.Context(), run); err != nil { // it was only cut off for a while
		t.Fatal(err)
	}
	status(driver.RunUnderWay)
}

// TestRunsKept: the latest stay.
func TestRunsKept(t *testing.T) {
	for keep, want := range map[int]int{2: 2, -1: 4} {
		store, err := pgstore.Open(t.Context(), serverURL(t), &pgstore.Options{Schema: newSchema(t), Migrate: true, KeepRuns: keep})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			if err := store.SaveRun(t.Context(), driver.Run{ID: fmt.Sprint(i), Started: time.Unix(int64(i), 0)}); err != nil {
				t.Error(err)
			}
		}
		runs, err := store.SavedRuns(t.Context(), 10)
		if err != nil || len(runs) != want || runs[0].ID != "3" {
			t.Errorf("keep %d: %+v, %v", keep, runs, err)
		}
		_ = store.Close()
	}
}

// gate is a way to the server that can be blocked, as a cut network does: nothing
// comes through, and nobody is told.
type gate struct {
	address string
	blocked atomic.Bool
	mu      sync.Mutex
	open    []net.Conn
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{address: listener.Addr().String()}
	keep := func(c net.Conn) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.open = append(g.open, c)
	}
	copyThrough := func(to, from net.Conn) {
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			if g.blocked.Load() {
				_, _ = io.Copy(io.Discard, from)
				return // and to stays open
			}
			if n > 0 {
				if _, err := to.Write(b[:n]); err != nil {
					return
				}
			}
			if err != nil {
				_ = to.Close()
				return
			}
		}
	}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			keep(in)
			out, err := net.Dial("tcp", server)
			if err != nil {
				_ = in.Close()
				continue
			}
			keep(out)
			go copyThrough(out, in)
			go copyThrough(in, out)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, c := range g.open {
			_ = c.Close()
		}
	})
	return g
}

// TestLeadershipLost: when the leader's connection is ended or cut off, its context
// ends first, and then another one leads.
func TestLeadershipLost(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*testing.T, *gate, string){
		"ended by the server": func(t *testing.T, _ *gate, application string) {
			execute(t, serverURL(t), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"+application+"'")
		},
		"cut off": func(_ *testing.T, g *gate, _ string) { g.blocked.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema := newSchema(t)
			application := schema + "_leader"
			address, err := url.Parse(named(t, application))
			if err != nil {
				t.Fatal(err)
			}
			g := newGate(t, address.Host)
			address.Host = g.address
			a, err := pgstore.Open(t.Context(), address.String(), &pgstore.Options{Schema: schema, Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			b := openIn(t, schema)
			leading, resign, err := a.Lead(t.Context(), "s")
			if err != nil {
				t.Fatal(err)
			}
			type led struct {
				ctx    context.Context
				resign func()
				err    error
			}
			next := make(chan led, 1)
			go func() { ctx, resign, err := b.Lead(t.Context(), "s"); next <- led{ctx, resign, err} }()
			cut(t, g, application)
			select {
			case <-leading.Done():
			case <-time.After(time.Minute):
				t.Fatal("the first one leads on")
			}
			if cause := context.Cause(leading); cause == nil || errors.Is(cause, context.Canceled) {
				t.Errorf("the cause is %v", cause)
			}
			select {
			case l := <-next:
				if l.err != nil || l.ctx.Err() != nil {
					t.Fatalf("the second one: %v", l.err)
				}
				l.resign()
			case <-time.After(time.Minute):
				t.Fatal("nobody leads")
			}
			g.blocked.Store(false)
			resign()
			g.mu.Lock()
			for _, c := range g.open {
				_ = c.Close()
			}
			g.mu.Unlock()
			_ = a.Close()
		})
	}
}
