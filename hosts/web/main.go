// Command web serves the dashboard: static files that ask the API from the
// browser.
//
//	web --api http://localhost:3000/ --addr 127.0.0.1:4000
//
// # Guarantees
//
// It has no state and asks nothing of any other service. On SIGTERM it finishes
// the requests at hand.
//
// # Errors
//
// Exit status 0: told to stop; 1: failed; 2: wrong usage.
//
// # See also
//
// Command api, and package dashboard, which is the page.
package main

import (
	"time"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

type cli struct {
	service.Logging
	service.Serving
	service.Boundaries
	service.Keys
	API     string        `help:"Address of the API as browsers reach it, absolute or relative to the page." default:"http://localhost:3000/" placeholder:"URL"`
	Addr    string        `help:"Address to listen on." default:"127.0.0.1:4000" placeholder:"HOST:PORT"`
	Title   string        `help:"What stands at the head of the page." placeholder:"TEXT"`
	Source  string        `help:"Whose figures the page shows." placeholder:"TEXT"`
	Refresh time.Duration `help:"How often the page asks whether something new is published." default:"30s"`
}

func main() { service.Main("web", "The dashboard of eGRID data.", &cli{}) }

func (c *cli) Run(p *service.Process) error {
	page := dashboard.Options{API: c.API, Title: c.Title, Source: c.Source, Refresh: c.Refresh}
	if err := c.Draw(&page); err != nil {
		return err
	}
	mux := p.Probes()
	service.Page(mux, &page)
	if err := c.MountLevel(p, mux); err != nil {
		return err
	}
	return p.Together(p.Serve(c.Addr, p.Observe(mux), c.Serving))
}
