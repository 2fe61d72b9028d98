// Command api serves the REST API on a store: one of the services of a
// deployment on several machines.
//
//	api --store postgres://egrid@db/egrid --addr 127.0.0.1:3000
//
// # Guarantees
//
// It only reads, and passes orders on to the service etl, so any number of them may run on one database, or on replicas
// of it. With --redis they share what they have answered; without that server
// each goes on alone. On SIGTERM it finishes the requests at hand. Reading is open to
// everybody unless --require-auth closes it.
//
// # Errors
//
// Exit status 0: told to stop; 1: failed; 2: wrong usage.
//
// # See also
//
// Command egrid, which is all services in one process, and package httpapi.
package main

import (
	"errors"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

type cli struct {
	service.Logging
	service.Serving
	service.Access
	service.Explorer
	Store   string   `help:"Where the data are." required:"" placeholder:"URL"`
	Replica string   `help:"Replica of the store's server that answers queries. Default: the store itself." placeholder:"URL"`
	Redis   string   `help:"Redis server where replicas of this service share their cache. Default: none." placeholder:"URL"`
	ETL     string   `help:"Service etl, which makes the loads that are asked for at /runs. Its API key may be in EGRID_ETL_KEY. Default: none; then /runs only tells." name:"etl" placeholder:"URL"`
	Shapes  string   `help:"GeoJSON file with the boundaries of the eGRID subregions, for sites with coordinates: polygons in longitude and latitude with a property subregion. Default: none." type:"path" placeholder:"FILE"`
	Addr    string   `help:"Address to listen on." default:"127.0.0.1:3000" placeholder:"HOST:PORT"`
	Origins []string `help:"Origins of pages that may ask from a browser; * is any." default:"http://127.0.0.1:4000,http://localhost:4000" placeholder:"ORIGIN"`
}

func main() { service.Main("api", "The REST API of eGRID data.", &cli{}) }

func (c *cli) Run(p *service.Process) error {
	for _, origin := range c.Origins {
		if err := middleware.CheckOrigin(origin); err != nil {
			return err
		}
	}
	o := httpapi.Options{Version: service.Version().Version, Logger: p.Log, AllowedOrigins: c.Origins}
	if err := errors.Join(c.Apply(&o, p.Log), (&service.Boundaries{Shapes: c.Shapes}).Place(&o)); err != nil {
		return err
	}
	shared, closeShared, err := service.OpenSharedCache(c.Redis, p.Log)
	if err != nil {
		return err
	}
	store, err := p.OpenStore(c.Store, c.Replica)
	if err != nil {
		return errors.Join(err, closeShared())
	}
	if c.Replica != "" {
		o.Checks = append(o.Checks, service.ReplicaCheck(store.Scanner))
	}
	if err := service.PassRuns(&o, store, c.ETL, p.Log); err != nil {
		return errors.Join(err, store.Close(), closeShared())
	}
	service.LimitMemory()
	h := service.CachedAPI(p.Context, store, p.Metrics, o, shared)
	c.Mount(h)
	p.MountLevel(h, o.Authenticate)
	return errors.Join(p.Together(p.Serve(c.Addr, h, c.Serving)), store.Close(), closeShared())
}
