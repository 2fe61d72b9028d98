// Command handler has the API and the explorer under /grid/ of a service that has
// pages and accounts of its own. The figures are for those alone whom it knows.
//
//	handler -addr 127.0.0.1:4000
//	curl -u ada:lovelace http://127.0.0.1:4000/grid/plants/top
package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "127.0.0.1:4000", "address to serve on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	backend := memstore.New()
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(backend), nil).Run(ctx); err != nil {
		return err
	}
	service := http.NewServeMux()
	service.Handle("/grid/", http.StripPrefix("/grid", grid(store.New(backend))))
	service.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "The page of the service itself. Power plants: /grid/")
	})

	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("serving on http://%s\n", l.Addr())
	server := httpapi.NewServer(addr, service, nil)
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() { ended <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// grid is the API with the page. The page has no figures in it, and is open.
func grid(db *store.DB) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", httpapi.New(db, &httpapi.Options{Authenticate: account, Challenge: `Basic realm="grid"`, RequireAuth: true}))
	page := dashboard.New(nil)
	mux.Handle("/{$}", page)
	mux.Handle("/assets/", page)
	return mux
}

// account tells who makes a request, in the way of the service: here by name and
// password, there by your cookie, token or proxy.
func account(r *http.Request) (middleware.Identity, error) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return middleware.Identity{}, nil // nobody: the answer is 401, and a browser asks
	}
	if subtle.ConstantTimeCompare([]byte(name+":"+password), []byte("ada:lovelace")) != 1 {
		return middleware.Identity{}, &middleware.CredentialError{Reason: "name or password is wrong"}
	}
	return middleware.Identity{Subject: name, Scopes: []middleware.Scope{middleware.ScopeRead}}, nil
}
