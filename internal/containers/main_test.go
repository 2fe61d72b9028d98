//go:build containers

package containers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where internal/scripts/containers.sh has put things.
const (
	source  = "/src"
	system  = "/system" // with the servers, for the stand-ins
	folder  = "/work"   // for what tests write and containers read
	gateway = "http://127.0.0.1:8000"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for name, value := range map[string]string{
		"EGRID_FORM": "docker", "EGRID_GO_IMAGE": "egrid-standin-golang", "COMPOSE_PROGRESS": "plain", "EGRID_DEADLINE": "600",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	daemon, err := startDocker(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait() // its containers end with it
	}()
	if err := leftovers(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := images(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func startDocker(ctx context.Context) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(folder, "dockerd.log"))
	if err != nil {
		return nil, err
	}
	daemon := exec.CommandContext(context.WithoutCancel(ctx), "dockerd", "--cgroup-parent=/"+os.Getenv("EGRID_CGROUP"))
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); ; {
		if _, err = docker(ctx, "version", "--format", "{{.Server.Version}}"); err == nil {
			return daemon, nil
		}
		if time.Since(began) > 2*time.Minute {
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("docker does not start: %w: %s", err, text)
		}
		time.Sleep(200 * time.Millisecond) // between questions
	}
}

// command runs a program to its end in the folder of the source, and returns what it
// prints.
func command(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stdout, c.Stderr = source, &stdout, &stderr
	if err := c.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	return strings.TrimSpace(stdout.String()), nil
}

func docker(ctx context.Context, args ...string) (string, error) {
	return command(ctx, "docker", args...)
}

func compose(ctx context.Context, args ...string) (string, error) {
	return docker(ctx, append([]string{"compose", "-f", "examples/reference/compose.yaml"}, args...)...)
}

// must is the answer of a command that has to succeed.
func must(t *testing.T, f func(context.Context, ...string) (string, error), args ...string) string {
	t.Helper()
	out, err := f(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func makeTarget(ctx context.Context, args ...string) (string, error) {
	return command(ctx, "make", append([]string{"--no-print-directory"}, args...)...)
}

func deployment(ctx context.Context, args ...string) (string, error) {
	return command(ctx, "examples/reference/deployment.sh", args...)
}

// leftovers removes what a run has left that was ended by force, where the folder of
// Docker's data is kept between runs.
func leftovers(ctx context.Context) error {
	_, err := command(ctx, "sh", "-c", `docker ps -aq | xargs -r docker rm -fv && docker volume prune -af && docker network prune -f`)
	return err
}

// images makes stand-ins under the names in compose.yaml, unless they are there.
func images(ctx context.Context) error {
	names, err := compose(ctx, "config", "--images")
	if err != nil {
		return err
	}
	const base = "egrid-standin-system"
	if _, err := docker(ctx, "image", "inspect", base); err != nil {
		if _, err := command(ctx, "sh", "-c", "tar -C "+system+" --one-file-system -c . | docker import - "+base); err != nil {
			return err
		}
	}
	wanted := map[string]string{"egrid-standin-golang": "golang"}
	for name := range strings.FieldsSeq(names) {
		short, _, _ := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
		if short != "egrid-reference" {
			wanted[name] = short
		}
	}
	for name, target := range wanted {
		if _, err := docker(ctx, "build", "-q", "-t", name, "--target", target,
			"--build-context", "minio-program=/minio", "--build-context", "go-toolchain=/go", "--build-context", "go-modules=/modules", "internal/containers/images"); err != nil {
			return err
		}
		fmt.Println("stand-in for", name)
	}
	return nil
}

// patience is how long anything may take that should happen.
const patience = 5 * time.Minute

// eventually waits until ok returns nil.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	began := time.Now()
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("never came true: %s: %v", what, err)
		}
		time.Sleep(200 * time.Millisecond) // between questions
	}
}

var client = &http.Client{Timeout: time.Minute}

// get asks the deployment, and expects 200.
func get(ctx context.Context, address string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s: %.200s", address, answer.Status, body)
	}
	return string(body), nil
}

// containersOf are the ids of a service's containers that run.
func containersOf(t *testing.T, service string) []string {
	t.Helper()
	ids := strings.Fields(must(t, compose, "ps", "-q", service))
	if len(ids) == 0 {
		t.Fatalf("%s does not run", service)
	}
	return ids
}

func inspect(t *testing.T, id, format string) string {
	t.Helper()
	return must(t, docker, "inspect", "--format", format, id)
}

// addressOf is the address of a container in the network of the deployment.
func addressOf(t *testing.T, id string) string {
	t.Helper()
	return inspect(t, id, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
}

// up starts the deployment, if it does not run.
func up(t *testing.T) {
	t.Helper()
	began := time.Now()
	out, err := makeTarget(t.Context(), "up")
	if err != nil {
		logs, _ := compose(t.Context(), "logs", "--tail", "20")
		t.Fatalf("%v\n%s", err, logs)
	}
	_, last, _ := strings.Cut(out, "every service is ready")
	t.Logf("make up took %v: every service is ready%s", time.Since(began).Round(time.Second), last)
}
