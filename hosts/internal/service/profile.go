package service

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof" // what it registers by itself is on a mux that nothing here serves

	"github.com/egrid-analytics/egrid-go/egrid"
)

// listenForProfiles listens where profiles are asked for: on this machine alone,
// because they tell what is in memory.
func listenForProfiles(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return nil, fmt.Errorf("%w: --pprof-addr %q is not on the loopback interface, as 127.0.0.1:6060", egrid.ErrInvalid, addr)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() { // localhost may be anything
		_ = listener.Close() // nothing came of it
		return nil, fmt.Errorf("%w: --pprof-addr %q is not on the loopback interface", egrid.ErrInvalid, addr)
	}
	return listener, nil
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
