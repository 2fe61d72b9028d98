// Command embed is a service of one's own that keeps eGRID data in one file, serves
// them with the explorer, and loads what it is given when it starts.
//
//	embed -addr 127.0.0.1:4000 -store egrid.db eGRID2023_data.xlsx
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "127.0.0.1:4000", "address to serve on")
	file := flag.String("store", "egrid.db", "file of the store")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *file, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, file string, sources []string) (err error) {
	backend, err := sqlitestore.Open(ctx, file, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()

	source := etl.FS(data.Files()) // generated figures, until you name files of EPA's
	if len(sources) > 0 {
		source = etl.Local(sources...)
	}
	report, err := etl.New(source, etl.ToLoader(backend), nil).Run(ctx)
	if err != nil {
		return err
	}
	fmt.Println(report.RowsLoaded, "rows are", report.Status)

	mux := http.NewServeMux()
	mux.Handle("/", httpapi.New(store.New(cache.New(backend, nil)), nil))
	page := dashboard.New(nil)
	mux.Handle("/{$}", page)
	mux.Handle("/assets/", page)
	return serve(ctx, addr, mux)
}

// serve serves until it is told to stop, and then finishes what it has begun.
func serve(ctx context.Context, addr string, h http.Handler) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("serving on http://%s\n", l.Addr())
	server := httpapi.NewServer(addr, h, nil)
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return err
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
