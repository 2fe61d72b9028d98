package service_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// folder holds the host programs, once a test has made them.
var folder string

func TestMain(m *testing.M) {
	testenv.ClearSettings()
	var err error
	if folder, err = os.MkdirTemp("", "egrid-hosts-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// buildOnce makes the host programs.
var buildOnce = sync.OnceValue(func() error {
	out, err := exec.Command("go", "build", "-o", folder+string(filepath.Separator), "github.com/egrid-analytics/egrid-go/hosts/...").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// build makes the host programs, unless another test has, and returns their
// folder.
func build(t testing.TB) string {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// program is a host that runs.
type program struct {
	*exec.Cmd
	url string
	log lockedBuffer // what was read before and after the URL
	end chan struct{}
}

// start runs a host and waits until its log says where it listens.
func start(t testing.TB, path string, args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(path, args...), end: make(chan struct{})}
	logs, err := p.StderrPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // unless it has ended
	lines := bufio.NewScanner(logs)
	for lines.Scan() {
		var line struct{ Msg, URL string }
		fmt.Fprintln(&p.log, lines.Text())
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("a log that is no JSON: %s", lines.Text())
		}
		if line.Msg == "listening" {
			p.url = line.URL
			break
		}
	}
	if p.url == "" {
		t.Fatalf("%s %q does not listen: %v\n%s", path, args, p.Wait(), &p.log)
	}
	go func() {
		defer close(p.end)
		for lines.Scan() {
			fmt.Fprintln(&p.log, lines.Text())
		}
	}()
	return p
}

// TestHosts starts every service without any other, looks at its probes, and
// tells it to stop.
func TestHosts(t *testing.T) {
	t.Parallel()
	dir := build(t)
	const any = "--addr=127.0.0.1:0"
	// Nothing listens on port 1; on the gateway's default ports a deployment may.
	nobody := []string{"--api=http://127.0.0.1:1", "--web=http://127.0.0.1:1"}
	mem := []string{"--queue=mem:", any}
	for name, test := range map[string]struct {
		args []string
		page string // of the service, where it has one
	}{
		"api":          {[]string{"api", "--store=mem:", any}, "/plants/years"},
		"web":          {[]string{"web", any}, "/"},
		"gateway":      {append([]string{"gateway", any}, nobody...), ""},
		"etl":          {append([]string{"etl", "--store=mem:", t.TempDir()}, mem...), ""},
		"database":     {append([]string{"consumer", "database", "--store=mem:"}, mem...), ""},
		"notification": {append([]string{"consumer", "notification"}, mem...), ""},
		"error":        {append([]string{"consumer", "error", "--store=mem:"}, mem...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, filepath.Join(dir, test.args[0]), test.args[1:]...)
			pages := map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK}
			if name == "gateway" { // nothing is behind it
				pages["/readyz"] = http.StatusServiceUnavailable
				pages["/plants/years"] = http.StatusServiceUnavailable
			}
			if test.page != "" {
				pages[test.page] = http.StatusOK
			}
			for page, want := range pages {
				if got := fetchUntil(t, p.url+page, want); got != want {
					t.Errorf("%s: %d; want %d", page, got, want)
				}
			}
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-p.end
			if err := p.Wait(); err != nil || !strings.Contains(p.log.String(), `"msg":"stopped"`) {
				t.Errorf("told to stop: %v\n%s", err, &p.log)
			}
		})
	}
	for name, args := range map[string][]string{
		"no store":        {"api"},
		"unknown flag":    {"web", "--colour"},
		"no command":      {"consumer", "--queue=mem:"},
		"wrong log level": {"web", "--log-level=loud"},
	} {
		command := exec.CommandContext(t.Context(), filepath.Join(dir, args[0]), args[1:]...)
		out, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != 2 {
			t.Errorf("%s: exit status %d\n%s", name, code, out)
		}
	}
	for name, args := range map[string][]string{
		"store":    {"api", "--store=mysql:x"},
		"origin":   {"api", "--store=mem:", "--origins=http://a/"},
		"schedule": {"etl", "--store=mem:", "--queue=mem:", "--schedule=sometimes", "."},
		"address":  {"gateway", "--api=localhost"},
		"webhook":  {"consumer", "notification", "--queue=mem:", "--webhook=ftp://a"},
	} {
		command := exec.CommandContext(t.Context(), filepath.Join(dir, args[0]), args[1:]...)
		out, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), "invalid") {
			t.Errorf("%s: exit status %d\n%s", name, code, out)
		}
	}
}

// fetchUntil asks until the status is the wanted one, or for a few seconds.
func fetchUntil(t *testing.T, url string, want int) (status int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if status = answer.StatusCode; status == want {
			break
		}
	}
	return status
}
