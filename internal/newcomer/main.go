//go:build linux

// Command newcomer goes through what somebody does who meets the project: it clones
// it into a temporary folder, starts the deployment, loads, asks, breaks a consumer
// and a webhook, sees the alerts fire in Prometheus, repairs, replays what was given
// up, ends the deployment, and looks whether anything is left.
//
//	go run ./internal/newcomer
//
// It takes the commit that is checked out, not what is changed and not committed. It
// needs what make up needs without Docker, and Prometheus (Debian's package prometheus).
//
// # Guarantees
//
// Everything listens on loopback, on ports that were free. What it started it ends, and
// what it wrote it removes, also when a step failed or it was told to stop.
//
// # Errors
//
// Exit status 0: every step came about, and nothing is left; 1: the step that did not
// stands in the last line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	began := time.Now()
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "newcomer:", err)
		os.Exit(1)
	}
	fmt.Printf("the newcomer's walk took %s\n", time.Since(began).Round(time.Second))
}

// patience is how long anything may take that should happen, on a machine with other work.
const patience = 5 * time.Minute

// portNames are the settings of the deployment's ports, in their order from the first.
// RabbitMQ takes three.
var portNames = []string{
	"GATEWAY", "WEB", "API", "MINIO", "MINIO_CONSOLE", "ETL", "NOTIFICATION", "ERROR", "DATABASE", "POSTGRES", "REDIS", "PROMETHEUS", "WEBHOOK", "RABBITMQ",
}

const allPorts = 16

type walk struct {
	root    string // of the repository
	dir     string // temporary
	clone   string
	base    int // the first port
	env     []string
	hook    *http.Server
	noticed atomic.Int64 // what the webhook took

	prometheus *exec.Cmd
}

func run(ctx context.Context) (err error) {
	root, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("this is no clone of the project: %w", err)
	}
	w := &walk{root: strings.TrimSpace(string(root))}
	if w.base, err = freePorts(ctx); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "egrid-newcomer-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.clean()) }()
	if err := os.Chmod(w.dir, 0o755); err != nil { //nolint:gosec // G302: the owner of PostgreSQL's files has to reach it
		return err
	}
	w.settings()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"clone", w.makeClone},
		{"make up", w.up},
		{"Prometheus", w.startPrometheus},
		{"dashboard", w.dashboard},
		{"webhook breaks, load", w.load},
		{"consumer breaks", w.breakConsumer},
		{"repair", w.repair},
		{"replay", w.replay},
		{"make down", w.down},
	} {
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("%-22s %5.1f s\n", step.name, time.Since(began).Seconds())
	}
	return nil
}

// freePorts finds as many in a row as are needed.
func freePorts(ctx context.Context) (int, error) {
next:
	for base := 21000; base < 32000; base += allPorts {
		for port := base; port < base+allPorts; port++ {
			l, err := listen(ctx, port)
			if err != nil {
				continue next
			}
			_ = l.Close() // it was free
		}
		return base, nil
	}
	return 0, errors.New("no free ports")
}

func listen(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address(port))
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

func (w *walk) port(name string) int {
	for i, n := range portNames {
		if n == name {
			return w.base + i
		}
	}
	panic(name)
}

func (w *walk) url(name, path string) string { return "http://" + address(w.port(name)) + path }

func (w *walk) deployment() string { return filepath.Join(w.dir, "deployment") }

func (w *walk) settings() {
	w.clone = filepath.Join(w.dir, "egrid-go")
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "EGRID_") && !strings.HasPrefix(pair, "MAKE") {
			w.env = append(w.env, pair)
		}
	}
	for _, name := range portNames {
		w.env = append(w.env, fmt.Sprintf("EGRID_%s_PORT=%d", name, w.port(name)))
	}
	w.env = append(w.env,
		"EGRID_FORM=processes", "EGRID_DEPLOYMENT_DIR="+w.deployment(), "EGRID_SEED="+filepath.Join(w.dir, "seed"), "EGRID_CONSUMERS=1",
		"EGRID_SCHEDULE=@every 1h", "EGRID_WEBHOOK="+w.url("WEBHOOK", "/"), "EGRID_MAX_ATTEMPTS=2", "EGRID_RETRY_BASE=100ms",
		"EGRID_SCRAPE_INTERVAL=1s", "EGRID_ALERT_FOR=3s",
		"EGRID_QUEUE=amqp://guest:guest@"+address(w.port("RABBITMQ"))+"/",
	)
}

// command runs a program in the clone, and returns what it prints.
func (w *walk) command(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: of this program's own steps
	c.Dir, c.Env = w.clone, w.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for us, who end it
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = time.Minute
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// until asks until something is so.
func until(ctx context.Context, what string, ok func() (bool, string)) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for {
		done, state := ok()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: that does not come about; last seen: %s", what, state)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func fetch(ctx context.Context, address string) (int, []byte, error) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, b, err
}

// --- steps

func (w *walk) makeClone(ctx context.Context) error {
	c := exec.CommandContext(ctx, "git", "clone", "--quiet", w.root, w.clone) //nolint:gosec // G204: our own folders
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("git clone: %w\n%s", err, out)
	}
	return w.seed("GEN23.csv", "PLNT23.csv")
}

// seed puts files of the sample into the folder that is uploaded.
func (w *walk) seed(names ...string) error {
	folder := filepath.Join(w.dir, "seed")
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // G301: as a user's folder is
		return err
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(w.clone, "examples", "data", name)) //nolint:gosec // G304: below a folder of our own
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil { //nolint:gosec // G306: likewise
			return err
		}
	}
	return nil
}

// upload sends what is new in the folder into the bucket.
func (w *walk) upload(ctx context.Context, names ...string) error {
	if err := w.seed(names...); err != nil {
		return err
	}
	_, err := w.command(ctx, "env", "EGRID_S3_ENDPOINT="+w.url("MINIO", ""), "EGRID_S3_ACCESS_KEY=egrid-test", "EGRID_S3_SECRET_KEY=egrid-test-secret",
		"examples/reference/seed.sh", filepath.Join(w.dir, "seed"))
	return err
}

// shows waits until the API shows rows, through the gateway.
func (w *walk) shows(ctx context.Context, path string) error {
	return until(ctx, "the API shows "+path, func() (bool, string) {
		status, b, err := fetch(ctx, w.url("GATEWAY", path))
		var answer struct{ Data []json.RawMessage }
		_ = json.Unmarshal(b, &answer) // an error shows nothing
		return err == nil && status == http.StatusOK && len(answer.Data) > 0, fmt.Sprint(status, " ", err)
	})
}

func (w *walk) up(ctx context.Context) error {
	if err := w.startHook(ctx); err != nil {
		return err
	}
	if _, err := w.command(ctx, "make", "up"); err != nil {
		return err
	}
	if _, err := w.command(ctx, "make", "health"); err != nil {
		return err
	}
	if err := w.shows(ctx, "/plants/top?limit=3"); err != nil {
		return err
	}
	return until(ctx, "a notice of the load", func() (bool, string) { return w.noticed.Load() > 0, "none" })
}

// startHook takes notices, as somebody's chat does.
func (w *walk) startHook(ctx context.Context) error {
	l, err := listen(ctx, w.port("WEBHOOK"))
	if err != nil {
		return err
	}
	w.hook = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.noticed.Add(1)
	})}
	go func(s *http.Server) { _ = s.Serve(l) }(w.hook) // until it is closed
	return nil
}

func (w *walk) startPrometheus(ctx context.Context) error {
	if out, err := w.command(ctx, "env", "RUNLEVEL=1", "internal/scripts/install.sh", "prometheus"); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	folder := filepath.Join(w.dir, "prometheus")
	if _, err := w.command(ctx, "examples/reference/deployment.sh", "monitoring", folder); err != nil {
		return err
	}
	if _, err := w.command(ctx, "promtool", "check", "config", filepath.Join(folder, "prometheus.yml")); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(folder, "log")) //nolint:gosec // G304: below a folder of our own
	if err != nil {
		return err
	}
	defer log.Close()
	w.prometheus = exec.CommandContext(context.WithoutCancel(ctx), "prometheus", "--config.file="+filepath.Join(folder, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(folder, "data"), //nolint:gosec // G204: our own folder
		"--web.listen-address="+address(w.port("PROMETHEUS")))
	w.prometheus.Stdout, w.prometheus.Stderr = log, log
	w.prometheus.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := w.prometheus.Start(); err != nil {
		w.prometheus = nil
		return fmt.Errorf("prometheus: %w; install Debian's package prometheus", err)
	}
	return until(ctx, "Prometheus reaches all seven services", func() (bool, string) {
		n, err := w.ask(ctx, "count(up == 1) == 7")
		return n == 1, fmt.Sprint(err)
	})
}

// ask returns how many series Prometheus answers a query with.
func (w *walk) ask(ctx context.Context, query string) (int, error) {
	_, b, err := fetch(ctx, w.url("PROMETHEUS", "/api/v1/query?query="+url.QueryEscape(query)))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s: %s", query, answer.Error)
	}
	return len(answer.Data.Result), nil
}

// alert waits until an alert fires, or does not.
func (w *walk) alert(ctx context.Context, name string, fires bool) error {
	what := name + " fires"
	if !fires {
		what = name + " fires no more"
	}
	return until(ctx, what, func() (bool, string) {
		n, err := w.ask(ctx, `ALERTS{alertstate="firing", alertname="`+name+`"}`)
		return err == nil && (n > 0) == fires, fmt.Sprint(n, " series, ", err)
	})
}

// dashboard asks Prometheus what the dashboard asks.
func (w *walk) dashboard(ctx context.Context) error {
	b, err := os.ReadFile(filepath.Join(w.clone, "examples", "reference", "monitoring", "dashboard.json"))
	if err != nil {
		return err
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		return err
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			query := strings.ReplaceAll(target.Expr, "$__rate_interval", "10s")
			if err := until(ctx, "the panel "+p.Title+" shows something", func() (bool, string) {
				n, err := w.ask(ctx, query)
				return n > 0, fmt.Sprint(err)
			}); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"EgridServiceDown", "EgridDeadLetters"} {
		if err := w.alert(ctx, name, false); err != nil {
			return err
		}
	}
	return nil
}

// load uploads a file while the webhook is away: the rows come, and the notice of them is
// given up.
func (w *walk) load(ctx context.Context) error {
	if err := w.hook.Close(); err != nil {
		return err
	}
	if err := w.upload(ctx, "ST23.csv"); err != nil {
		return err
	}
	if err := w.shows(ctx, "/levels/ST/rows?limit=1"); err != nil {
		return err
	}
	return w.alert(ctx, "EgridDeadLetters", true)
}

// breakConsumer kills the only consumer of the database, and what would start it again.
func (w *walk) breakConsumer(ctx context.Context) error {
	for _, file := range []string{"database-1.keeper", "database-1.pid"} {
		b, err := os.ReadFile(filepath.Join(w.deployment(), "run", file)) //nolint:gosec // G304: below a folder of our own
		if err != nil {
			return err
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
	}
	if err := w.upload(ctx, "UNT23.csv"); err != nil {
		return err
	}
	if err := w.alert(ctx, "EgridServiceDown", true); err != nil {
		return err
	}
	out, err := w.command(ctx, "make", "health")
	if err == nil || !strings.Contains(out, "database-1") {
		return fmt.Errorf("make health finds nothing:\n%s", out)
	}
	return nil
}

func (w *walk) repair(ctx context.Context) error {
	if err := w.startHook(ctx); err != nil {
		return err
	}
	if _, err := w.command(ctx, "make", "up"); err != nil {
		return err
	}
	if err := w.shows(ctx, "/levels/UNT/rows?limit=1"); err != nil { // which waited in the queue
		return err
	}
	return w.alert(ctx, "EgridServiceDown", false)
}

func (w *walk) replay(ctx context.Context) error {
	before := w.noticed.Load()
	egrid := filepath.Join(w.deployment(), "bin", "egrid")
	out, err := w.command(ctx, egrid, "dead-letters", "list")
	if err != nil || !strings.Contains(out, "notification") {
		return fmt.Errorf("no dead letter of notification is listed: %w\n%s", err, out)
	}
	if _, err := w.command(ctx, egrid, "dead-letters", "replay", "notification", "--all"); err != nil {
		return err
	}
	if err := until(ctx, "the notice comes", func() (bool, string) { return w.noticed.Load() > before, "none" }); err != nil {
		return err
	}
	return w.alert(ctx, "EgridDeadLetters", false)
}

func (w *walk) down(ctx context.Context) error {
	if _, err := w.command(ctx, "make", "down"); err != nil {
		return err
	}
	return w.stopPrometheus()
}

// --- the end

func (w *walk) stopPrometheus() error {
	if w.prometheus == nil {
		return nil
	}
	p := w.prometheus
	w.prometheus = nil
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Wait()
}

// clean ends and removes what is left, and says what was.
func (w *walk) clean() error {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	var errs []error
	if w.hook != nil {
		_ = w.hook.Close() // it may be closed already
	}
	errs = append(errs, w.stopPrometheus())
	if _, err := os.Stat(w.deployment()); err == nil {
		_, err := w.command(ctx, "make", "down")
		errs = append(errs, err)
	}
	if _, err := os.Stat(w.deployment()); err == nil {
		errs = append(errs, fmt.Errorf("%s is left", w.deployment()))
	}
	errs = append(errs, w.processes()...)
	errs = append(errs, os.RemoveAll(w.dir))
	for port := w.base; port < w.base+allPorts; port++ {
		l, err := listen(ctx, port)
		if err != nil {
			errs = append(errs, fmt.Errorf("port %d is still taken", port))
			continue
		}
		_ = l.Close() // it is free
	}
	return errors.Join(errs...)
}

// processes finds those that work in the folder or were started for it.
func (w *walk) processes() (left []error) {
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return []error{err}
	}
	for _, proc := range found {
		if filepath.Base(proc) == strconv.Itoa(os.Getpid()) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(proc, "cmdline"))     //nolint:gosec // G304: one that has ended has none
		environment, _ := os.ReadFile(filepath.Join(proc, "environ")) //nolint:gosec // G304: likewise
		if strings.Contains(string(command), w.dir) || strings.Contains(string(environment), w.dir) {
			left = append(left, fmt.Errorf("process %s is left: %s", filepath.Base(proc), strings.ReplaceAll(string(command), "\x00", " ")))
		}
	}
	return left
}
