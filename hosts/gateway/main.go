// Command gateway stands in front of the API and the dashboard, so that there is
// one address for both.
//
//	gateway --api http://api-1:3000,http://api-2:3000 --web http://web:4000 --addr 127.0.0.1:8000
//
// # Guarantees
//
// Requests go round among the services that are ready, and a GET that cannot
// reach one goes to the next. While none is ready, requests wait for --wait, so that a
// service is replaced without a failed request. An answer that breaks off behind the
// gateway breaks off in front of it, too. On SIGTERM it finishes the requests at hand.
//
// # Errors
//
// Exit status 0: told to stop; 1: failed; 2: wrong usage. While nothing behind
// it is ready, for longer than that, it answers 503, and 502 when what is behind it fails.
//
// # See also
//
// Commands api and web.
package main

import (
	"context"
	"time"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

type cli struct {
	service.Logging
	service.Serving
	service.Clients
	service.Keys
	API     []string      `help:"Addresses of the API." default:"http://127.0.0.1:3000" placeholder:"URL"`
	Web     []string      `help:"Addresses of the dashboard." default:"http://127.0.0.1:4000" placeholder:"URL"`
	Addr    string        `help:"Address to listen on." default:"127.0.0.1:8000" placeholder:"HOST:PORT"`
	Timeout time.Duration `help:"How long an answer may take to begin." default:"1m"`
	Wait    time.Duration `help:"How long a request waits while none of the services behind is ready; 0: not at all." default:"10s"`
	Probe   time.Duration `help:"How often services are asked whether they are ready." default:"2s"`
}

func main() { service.Main("gateway", "One address for API and dashboard.", &cli{}) }

func (c *cli) Run(p *service.Process) error {
	proxies, err := c.Proxies()
	if err != nil {
		return err
	}
	api, err := newPool("api", c.API, c.Timeout, c.Wait)
	if err != nil {
		return err
	}
	web, err := newPool("web", c.Web, c.Timeout, c.Wait)
	if err != nil {
		return err
	}
	mux := p.Probes(api.check(), web.check())
	if err := c.MountLevel(p, mux); err != nil {
		return err
	}
	mux.Handle("/", newProxy(api, p.Log))
	page := newProxy(web, p.Log)
	mux.Handle("/{$}", page)
	mux.Handle("/assets/", page)
	return p.Together(
		p.Serve(c.Addr, middleware.TrustProxies(p.Observe(c.Limit(mux)), proxies), c.Serving),
		func(ctx context.Context) error { api.probe(ctx, c.Probe); return nil },
		func(ctx context.Context) error { web.probe(ctx, c.Probe); return nil },
	)
}
