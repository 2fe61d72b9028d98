package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/cache/rediscache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/queue"
)

type healthCmd struct {
	URL        []string      `arg:"" optional:"" help:"Services, as http://HOST:PORT, stores and queues as in --store and --queue, redis://HOST:PORT and s3://BUCKET, each with a NAME= before it if you like. Default: the store and the queue of the flags."`
	Deployment string        `help:"File with a NAME=ADDRESS in each line, which are asked as well. Lines that begin with # are passed over." env:"-" type:"path" placeholder:"FILE"`
	Timeout    time.Duration `help:"How long one may take." default:"5s"`
	JSON       bool          `help:"Print JSON."`
}

// addresses returns what is to be asked.
func (c *healthCmd) addresses(a *app) ([]string, error) {
	addresses := c.URL
	if c.Deployment != "" {
		b, err := os.ReadFile(c.Deployment)
		if err != nil {
			return nil, fmt.Errorf("%w: the file of the deployment: %w", egrid.ErrInvalid, err)
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				addresses = append(addresses, line)
			}
		}
		if len(addresses) == 0 {
			return nil, fmt.Errorf("%w: %s names nothing; give a NAME=ADDRESS in each line", egrid.ErrInvalid, c.Deployment)
		}
	}
	if len(addresses) > 0 {
		return addresses, nil
	}
	addresses = []string{a.cli.Store}
	if a.cli.Queue != "" && !strings.HasPrefix(a.cli.Queue, "mem:") {
		addresses = append(addresses, a.cli.Queue)
	}
	return addresses, nil
}

// named is an address that has a name before it.
var named = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)$`)

// state is a service, or something that a service depends on.
type state struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"` // ok, degraded or unavailable
	Latency float64 `json:"latency_seconds"`
	Error   string  `json:"error,omitempty"`

	wrong bool // the address cannot be read
}

// A service that is degraded works without something that it depends on.
const ok, degraded, unavailable = "ok", "degraded", "unavailable"

func (c *healthCmd) Run(a *app) error {
	urls, err := c.addresses(a)
	if err != nil {
		return err
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
	states := []state{}
	for _, s := range found {
		for _, s := range s {
			states = append(states, s)
			if s.Status != ok && s.Status != degraded && err == nil {
				err = failed
			}
			if s.wrong {
				err = wrongUsage // no outage: the address has to be written otherwise
			}
		}
	}
	if c.JSON {
		if err := printJSON(a, states); err != nil {
			return err
		}
	} else if err := a.printStates(states); err != nil {
		return err
	}
	return err
}

// printStates prints a line for each, and below what is wrong.
func (a *app) printStates(states []state) error {
	if err := a.sheet(stateColumns(states), false); err != nil {
		return err
	}
	p := terminal.NewPage(a.stdout)
	for _, s := range states {
		if s.Error != "" {
			p.Text(0, s.Name+": "+s.Error)
		}
	}
	return p.Err()
}

func stateColumns(states []state) []terminal.Column {
	c := []terminal.Column{{Name: "service", Wrap: true}, {Name: "status", Keep: true}, {Name: "seconds", Right: true}}
	for _, s := range states {
		for i, cell := range []string{s.Name, s.Status, fmt.Sprintf("%.3f", s.Latency)} {
			c[i].Cells = append(c[i].Cells, cell)
		}
	}
	return c
}

// examine tells the state of what is at an address, and of what that depends
// on.
func examine(ctx context.Context, address string) []state {
	began := time.Now()
	name := ""
	if m := named.FindStringSubmatch(address); m != nil {
		name, address = m[1], m[2]
	} else {
		name = shown(address)
	}
	var checks []wire.CheckResult
	var err error
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "http", "https":
		checks, err = askService(ctx, address)
	case "amqp", "amqps":
		err = askQueue(ctx, address)
	case "redis", "rediss":
		err = askRedis(ctx, address)
	case "s3":
		err = askBucket(ctx, address)
	default:
		err = askStore(ctx, address)
	}
	s := state{Name: name, Status: ok, Latency: time.Since(began).Seconds(), wrong: errors.Is(err, egrid.ErrInvalid) || errors.Is(err, queue.ErrInvalid)}
	if err != nil {
		s.Status, s.Error = unavailable, withoutKind(err.Error())
	}
	states := []state{s}
	for _, check := range checks {
		states = append(states, state{Name: name + " " + check.Name, Status: check.Status, Latency: float64(check.Latency), Error: oneLine(check.Reason, 200)})
	}
	return states
}

func askStore(ctx context.Context, address string) error {
	store, err := service.OpenExisting(ctx, address)
	if err != nil {
		return err
	}
	_, err = store.Catalog(ctx)
	if path, file := storeurl.Path(address); file { // the default one is read as if it were there
		if _, missing := os.Stat(path); errors.Is(missing, fs.ErrNotExist) {
			err = fmt.Errorf("%w: there is no store yet; egrid load FILE makes it", egrid.ErrNotFound)
		}
	}
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

func askRedis(ctx context.Context, address string) error {
	level, err := rediscache.Open(address, nil)
	if err != nil {
		return err
	}
	return errors.Join(level.Ping(ctx), level.Close())
}

// askBucket lists the first object of a bucket, which may be empty.
func askBucket(ctx context.Context, address string) error {
	source, err := service.OpenSource([]string{address}, nil)
	if err != nil {
		return err
	}
	for _, err := range source.List(ctx) {
		return err
	}
	return nil
}

// askService asks a service's readiness, unless the address is of another probe.
func askService(ctx context.Context, address string) ([]wire.CheckResult, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the service cannot be read; give http://HOST:PORT", egrid.ErrInvalid)
	}
	if u.User == nil && strings.Contains(address, "@") || u.Host == "" {
		return nil, fmt.Errorf("%w: the address of the service has no host, or an @ behind it; give http://HOST:PORT", egrid.ErrInvalid)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/readyz"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	var quoting *url.Error
	if errors.As(err, &quoting) {
		err = quoting.Err // without the address, which may hold a token
	}
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

// shown is what may be printed of an address: of a file all, of others no more than
// the scheme and the host. Of one that cannot be read nothing is sure to be no secret.
func shown(address string) string {
	if path, ok := storeurl.Path(address); ok && storeurl.Check(address) == nil {
		return path
	}
	scheme, _, _ := strings.Cut(address, ":")
	switch scheme {
	case "mem":
		return "mem:"
	case "s3", "redis", "rediss", "http", "https", "amqp", "amqps", "postgres", "postgresql":
	default:
		return "(an address that cannot be read)"
	}
	u, err := url.Parse(address)
	// An @ behind the host says that the host is a part of a password with #, ? or / in it.
	if err != nil || u.Host == "" && u.Path == "" || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") || u.User == nil && strings.Contains(address, "@") {
		return scheme + "://(an address that cannot be read)"
	}
	return scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/")
}
