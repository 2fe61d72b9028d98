package faults_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// process is a service that runs.
type process struct {
	name   string
	cmd    *exec.Cmd
	exited chan struct{}

	mu  sync.Mutex
	url string // of its metrics, once it listens
	log []line
}

// line is one of a service's log.
type line struct {
	Msg, URL, Status string
	Time             time.Time
	text             string
}

// start starts a service, which ends with the test at the latest.
func start(t *testing.T, name string, environment []string, args ...string) *process {
	t.Helper()
	return startWith(t, name, environment, args, func(p *process) error { return p.cmd.Start() })
}

func startWith(t *testing.T, name string, environment, args []string, begin func(*process) error) *process {
	t.Helper()
	p := &process{name: name, exited: make(chan struct{})}
	p.cmd = exec.CommandContext(t.Context(), filepath.Join(folder, name), args...)
	p.cmd.Env = append(os.Environ(), environment...)
	stderr, err := p.cmd.StderrPipe()
	if err == nil {
		err = begin(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		p.read(stderr)
		_ = p.cmd.Wait() // the state tells how
		close(p.exited)
	}()
	t.Cleanup(func() {
		<-p.exited
		if t.Failed() {
			t.Log(p.tail())
		}
	})
	return p
}

func (p *process) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		l := line{text: lines.Text()}
		_ = json.Unmarshal(lines.Bytes(), &l) // what is no JSON is kept as text
		p.mu.Lock()
		if l.Msg == "listening" {
			p.url = l.URL
		}
		p.log = append(p.log, l)
		p.mu.Unlock()
	}
}

// tail is the end of the log.
func (p *process) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d, %v, ended its log of %d lines with", p.name, p.cmd.Process.Pid, p.cmd.ProcessState, len(p.log))
	for _, l := range p.log[max(0, len(p.log)-12):] {
		b.WriteString("\n    " + l.text[:min(600, len(l.text))])
	}
	return b.String()
}

// says counts the lines of the log with a message.
func (p *process) says(message string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.log {
		if l.Msg == message {
			n++
		}
	}
	return n
}

// status is that of the last run which an etl service has finished.
func (p *process) status() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range slices.Backward(p.log) {
		if l.Msg == "run finished" {
			return l.Status
		}
	}
	return ""
}

// address waits until the service listens.
func (p *process) address(t *testing.T) string {
	t.Helper()
	url := ""
	eventually(t, p.name+" listens", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		url = p.url
		return url != ""
	})
	return url
}

// clock is the time of the first line of the log.
func (p *process) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.log) == 0 {
		return time.Time{}
	}
	return p.log[0].Time
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill ends the process as a crash would, and waits until it is gone.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill %s: %v", p.name, err)
	}
	<-p.exited
}

// stop tells the process to end, which it does without an error and soon.
func (p *process) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stop %s: %v", p.name, err)
	}
	p.ends(t)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("%s took %v to stop", p.name, took)
	}
}

// ends waits until the process ends by itself, without an error.
func (p *process) ends(t *testing.T) {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Fatalf("%s does not end", p.name)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("%s ended with status %d", p.name, code)
	}
}

// deliveries counts what a consumer has done so far, as its metrics have it.
// It is 0 while the service is away.
func (p *process) deliveries(outcome queue.Outcome) int {
	p.mu.Lock()
	address := p.url
	p.mu.Unlock()
	if address == "" {
		return 0
	}
	resp, err := http.Get(address + "/metrics")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	prefix := fmt.Sprintf("egrid_queue_messages_total{queue=%q,result=%q} ", queue.QueueDatabase, outcome)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			var n int
			_, _ = fmt.Sscan(value, &n)
			return n
		}
	}
	return 0
}
