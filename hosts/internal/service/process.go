package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

// Logging are the flags of logs.
type Logging struct {
	LogLevel  string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"${log_level}"`
	LogFormat string `help:"text or json." enum:"text,json" default:"${log_format}"`
	telemetry.Tracing
}

// Logger returns the log that the flags ask for. What is logged with a ctx has its
// trace_id and span_id.
func (l Logging) Logger(w io.Writer) *slog.Logger { return l.LoggerAt(w, new(slog.LevelVar)) }

// LoggerAt is Logger with a level that may be changed later.
func (l Logging) LoggerAt(w io.Writer, level *slog.LevelVar) *slog.Logger {
	_ = level.UnmarshalText([]byte(l.LogLevel)) // one of the four
	o := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "json" {
		return trace.Logger(slog.New(slog.NewJSONHandler(w, o)))
	}
	return trace.Logger(slog.New(slog.NewTextHandler(w, o)))
}

// Recording returns a ctx whose spans go to the collector that the flags name, and what to
// call at the end. Where there is none, that is ctx itself.
func (l Logging) Recording(ctx context.Context, program string, log *slog.Logger) (context.Context, func(), error) {
	traces, err := l.Open(ctx, program, Version().Version, log)
	if traces == nil || err != nil {
		return ctx, func() {}, err
	}
	return trace.WithRecorder(ctx, traces), traces.Close, nil
}

// Process is what a service has: one of the host programs that run until they
// are told to stop.
type Process struct {
	Context context.Context // ends with SIGINT and SIGTERM
	Log     *slog.Logger
	Level   *Level // of Log
	Metrics *telemetry.Metrics
}

// Main runs a service. Its flags are the fields of cli, which embeds [Logging]
// and has a method Run(*Process) error, or commands that have it; each flag has
// an environment variable EGRID_<FLAG>, and those that are secrets may be in a file that
// EGRID_<FLAG>_FILE names; --settings prints them all. The exit status is 0 when it was told
// to stop, 1 when it failed and 2 for wrong usage.
func Main(name, description string, cli interface {
	LoggerAt(io.Writer, *slog.LevelVar) *slog.Logger
	Recording(context.Context, string, *slog.Logger) (context.Context, func(), error)
}) {
	command := kong.Parse(cli, kong.Name(name), kong.Description(description), kong.DefaultEnvars("EGRID"),
		SecretFiles(), kong.Embed(&settingsFlag{}), kong.Vars{"log_level": "info", "log_format": "json"}, kong.UsageOnError(), kong.Exit(func(code int) {
			if code != 0 {
				code = 2
			}
			os.Exit(code)
		}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &Process{Level: NewLevel(), Metrics: telemetry.New()}
	p.Log = cli.LoggerAt(os.Stderr, p.Level.Var()).With("service", name)
	var flush func()
	var err error
	if p.Context, flush, err = cli.Recording(ctx, "egrid-"+name, p.Log); err == nil {
		err = command.Run(p, cli)
		flush()
	}
	stop()
	if err != nil {
		p.Log.Error("stopped", "error", err)
		if errors.Is(err, egrid.ErrInvalid) {
			os.Exit(2)
		}
		os.Exit(1)
	}
	p.Log.Info("stopped")
}

// How long a service waits at its start for what it depends on.
const (
	startTimeout = 2 * time.Minute
	startPause   = 500 * time.Millisecond
)

// await opens what a service depends on, and tries again while that is not
// there yet.
func await[T any](p *Process, what string, open func(context.Context) (T, error)) (T, error) {
	ctx, stop := context.WithTimeout(p.Context, startTimeout)
	defer stop()
	for {
		opened, err := open(ctx)
		if err == nil || errors.Is(err, egrid.ErrInvalid) {
			return opened, err
		}
		p.Log.Warn("waiting for the "+what, "error", err)
		select {
		case <-ctx.Done():
			return opened, fmt.Errorf("the %s is not there: %w", what, err)
		case <-time.After(startPause):
		}
	}
}

// OpenStore opens a store, and waits for it. Queries go to the replica if there
// is one.
func (p *Process) OpenStore(url, replica string) (driver.Store, error) {
	store, err := await(p, "store", func(ctx context.Context) (driver.Store, error) { return openStore(ctx, url, replica) })
	if err != nil {
		return store, err
	}
	p.Metrics.WatchStore(store.Scanner)
	WatchStoreDisk(p.Metrics, url)
	return store, nil
}

// WatchLoads measures what loads depend on: the broker, and the disks of what they write here.
func (p *Process) WatchLoads(b queue.Inspector, rejectsFile string) {
	p.Metrics.WatchBlocked(b)
	p.Metrics.WatchDisk("temporary", os.TempDir())
	p.Metrics.WatchDisk("rejects", filepath.Dir(rejectsFile))
}

// WatchStoreDisk measures the disk of a store that is a file.
func WatchStoreDisk(m *telemetry.Metrics, url string) {
	if path, ok := storeurl.Path(url); ok {
		m.WatchDisk("store", filepath.Dir(path))
	}
}

// OpenQueue opens a broker, and waits for it.
func (p *Process) OpenQueue(url string) (queue.Broker, error) {
	return await(p, "queue", func(ctx context.Context) (queue.Broker, error) { return openQueue(ctx, url, p.Log) })
}

// Together runs the parts of a service until one of them returns or the service
// is told to stop. Then the others are told, too.
func (p *Process) Together(parts ...func(context.Context) error) error {
	ctx, stop := context.WithCancel(p.Context)
	defer stop()
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() {
			defer stop()
			ended <- part(ctx)
		}()
	}
	var errs []error
	for range parts {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

// Serve is a part of a service: it serves h until ctx ends.
func (p *Process) Serve(addr string, h http.Handler, s Serving) func(context.Context) error {
	o := &ServeOptions{Serving: s, Logger: p.Log, Ready: func(url string) { p.Log.Info("listening", "url", url) }}
	return func(ctx context.Context) error { return Serve(ctx, addr, h, o) }
}

// Observe logs and counts the requests of a service beside the API.
func (p *Process) Observe(h http.Handler) http.Handler {
	return middleware.Traces(middleware.RequestIDs(middleware.Observe(middleware.Recover(h, p.Log), p.Log, p.Metrics.Request)))
}

// Probes is a handler of health and metrics alone.
func (p *Process) Probes(checks ...httpapi.ReadinessCheck) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", httpapi.Liveness)
	mux.Handle("GET /readyz", httpapi.Readiness(p.Log, checks...))
	mux.Handle("GET /metrics", p.Metrics.Handler())
	return mux
}

// StoreCheck is whether a store answers.
func StoreCheck(s driver.Scanner) httpapi.ReadinessCheck {
	return httpapi.ReadinessCheck{Name: "store", Check: func(ctx context.Context) error {
		_, err := s.Catalog(ctx)
		return err
	}}
}

// lagTold is from when on the lag of a replica is told. Every publish has some.
const lagTold = time.Second

// ReplicaCheck is whether the replica that answers queries has what was published.
// The service works while it has not, and tells how old its answers may be.
func ReplicaCheck(s driver.Scanner) httpapi.ReadinessCheck {
	return httpapi.ReadinessCheck{Name: "replica", Optional: true, Check: func(ctx context.Context) error {
		replica, ok := s.(interface {
			Lag(context.Context) (time.Duration, error)
		})
		if !ok {
			return nil
		}
		lag, err := replica.Lag(ctx)
		switch {
		case errors.Is(err, egrid.ErrConflict):
			return httpapi.Reason("the server for queries is no replica of the store's")
		case err != nil:
			return httpapi.Reason("how far it lags is not known: it or the store's server does not answer")
		case lag >= lagTold:
			return httpapi.Reason(fmt.Sprintf("it lacks what was published in the last %v, and answers from what was before", lag.Round(100*time.Millisecond)))
		}
		return nil
	}}
}

// QueueCheck is whether a broker answers.
func QueueCheck(b queue.Inspector, name string) httpapi.ReadinessCheck {
	return httpapi.ReadinessCheck{Name: "queue", Check: func(ctx context.Context) error {
		_, err := b.Depth(ctx, name)
		return err
	}}
}

// PublishCheck is whether a broker takes messages. Why it does not is told to
// whoever asks.
func PublishCheck(b queue.Inspector) httpapi.ReadinessCheck {
	return httpapi.ReadinessCheck{Name: "publishing", Check: func(ctx context.Context) error {
		err := b.Blocked(ctx)
		var blocked *queue.BlockedError
		if errors.As(err, &blocked) {
			return httpapi.Reason(blocked.Error())
		}
		return err
	}}
}
