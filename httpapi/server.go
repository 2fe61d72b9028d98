package httpapi

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// ServerOptions bounds what a client may cost. The zero value of every field
// means its default; a negative duration means no bound.
type ServerOptions struct {
	ReadHeaderTimeout time.Duration // default 5 seconds
	ReadTimeout       time.Duration // of a whole request; default 30 seconds
	IdleTimeout       time.Duration // between two requests; default 2 minutes
	// WriteTimeout bounds a whole answer; default 30 minutes, because an
	// export of everything over a slow line takes long.
	WriteTimeout time.Duration
	// StallTimeout breaks off an answer of which the client takes nothing for
	// that long; default 1 minute.
	StallTimeout   time.Duration
	MaxHeaderBytes int          // default 32 KiB, the URL included
	Logger         *slog.Logger // takes the server's own complaints; default none
}

// NewServer returns a server with bounds that protect it from slow and greedy
// clients and still let long exports through. The caller starts it and shuts
// it down, which breaks streams of events off.
func NewServer(addr string, h http.Handler, o *ServerOptions) *http.Server {
	if o == nil {
		o = &ServerOptions{}
	}
	s := &http.Server{
		Addr:              addr,
		ReadHeaderTimeout: bound(o.ReadHeaderTimeout, 5*time.Second),
		ReadTimeout:       bound(o.ReadTimeout, 30*time.Second),
		WriteTimeout:      bound(o.WriteTimeout, 30*time.Minute),
		IdleTimeout:       bound(o.IdleTimeout, 2*time.Minute),
		MaxHeaderBytes:    o.MaxHeaderBytes,
	}
	if h == nil {
		h = http.DefaultServeMux
	}
	s.Handler = middleware.LimitStalls(h, bound(o.StallTimeout, time.Minute), s.WriteTimeout)
	if s.MaxHeaderBytes == 0 {
		s.MaxHeaderBytes = 32 << 10
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	stopping, stop := context.WithCancel(context.Background())
	s.RegisterOnShutdown(stop)
	s.BaseContext = func(net.Listener) context.Context {
		return context.WithValue(context.Background(), stoppingKey{}, stopping.Done())
	}
	return s
}

type stoppingKey struct{}

// stoppingOf returns what is closed when the server of a request is told to shut
// down: for answers that would go on and on. It is nil on servers that
// [NewServer] has not made.
func stoppingOf(ctx context.Context) <-chan struct{} {
	stopping, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	return stopping
}

func bound(d, fallback time.Duration) time.Duration {
	switch {
	case d < 0:
		return 0
	case d == 0:
		return fallback
	}
	return d
}
