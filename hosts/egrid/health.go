package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/queue"
)

type healthCmd struct {
	URL     []string      `arg:"" optional:"" help:"Services, as http://HOST:PORT, and stores and queues as in --store and --queue. Default: the store and the queue of the flags."`
	Timeout time.Duration `help:"How long one may take." default:"5s"`
	JSON    bool          `help:"Print JSON."`
}

// state is a service, or something that a service depends on.
type state struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"` // ok, degraded or unavailable
	Latency float64 `json:"latency_seconds"`
	Error   string  `json:"error,omitempty"`
}

// A service that is degraded works without something that it depends on.
const ok, degraded, unavailable = "ok", "degraded", "unavailable"

func (c *healthCmd) Run(a *app) error {
	urls := c.URL
	if len(urls) == 0 {
		urls = []string{a.cli.Store}
		if a.cli.Queue != "" && !strings.HasPrefix(a.cli.Queue, "mem:") {
			urls = append(urls, a.cli.Queue)
		}
	}
	found := make([][]state, len(urls))
	var wg sync.WaitGroup
	for i, address := range urls {
		wg.Go(func() {
			ctx, stop := context.WithTimeout(a.ctx, c.Timeout)
			defer stop()
			found[i] = examine(ctx, address)
		})
	}
	wg.Wait()
	states, err := []state{}, error(nil)
	t := terminal.Table{Header: []string{"service", "status", "seconds", "error"}, Right: []bool{false, false, true}}
	for _, s := range found {
		for _, s := range s {
			states = append(states, s)
			t.Add(s.Name, s.Status, fmt.Sprintf("%.3f", s.Latency), s.Error)
			if s.Status != ok && s.Status != degraded {
				err = failed
			}
		}
	}
	if c.JSON {
		if err := printJSON(a, states); err != nil {
			return err
		}
	} else if err := t.Write(a.stdout); err != nil {
		return err
	}
	return err
}

// examine tells the state of what is at an address, and of what that depends
// on.
func examine(ctx context.Context, address string) []state {
	began := time.Now()
	name := withoutPassword(address)
	var checks []wire.CheckResult
	var err error
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "http", "https":
		checks, err = askService(ctx, address)
	case "amqp", "amqps":
		err = askQueue(ctx, address)
	default:
		err = askStore(ctx, address)
	}
	s := state{Name: name, Status: ok, Latency: time.Since(began).Seconds()}
	if err != nil {
		s.Status, s.Error = unavailable, oneLine(err.Error(), 200)
	}
	states := []state{s}
	for _, check := range checks {
		states = append(states, state{Name: name + " " + check.Name, Status: check.Status, Latency: float64(check.Latency), Error: oneLine(check.Reason, 200)})
	}
	return states
}

func askStore(ctx context.Context, address string) error {
	store, err := service.OpenStore(ctx, address)
	if err != nil {
		return err
	}
	_, err = store.Catalog(ctx)
	return errors.Join(err, store.Close())
}

func askQueue(ctx context.Context, address string) error {
	broker, err := service.OpenQueue(ctx, address)
	if err != nil {
		return err
	}
	_, err = broker.Depth(ctx, queue.QueueDatabase)
	if err == nil {
		err = broker.Blocked(ctx)
	}
	return errors.Join(err, broker.Close())
}

// askService asks a service's readiness, unless the address is of another probe.
func askService(ctx context.Context, address string) ([]wire.CheckResult, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/readyz"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var health wire.Health
	if err := json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 1<<20)).Decode(&health); err != nil {
		return nil, fmt.Errorf("%s, and what it answers is no health: %w", answer.Status, err)
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers %s", answer.Status)
	}
	return health.Checks, err
}

// withoutPassword is an address as it may be shown, also one that cannot be read
// as it has several hosts.
func withoutPassword(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	at := strings.LastIndex(rest, "@")
	if !ok || at < 0 {
		return address
	}
	return scheme + "://" + rest[at+1:]
}
