package faults_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

var (
	seedFlag  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is left to chance")
	killsFlag = flag.Int("kills", 200, "loads in which TestFaultRandomKills kills something")
)

// folder is for what all tests share: the programs and the files to load.
var folder string

func TestMain(m *testing.M) {
	flag.Parse()
	testenv.ClearSettings()
	var err error
	if folder, err = os.MkdirTemp("", "egrid-faults"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// build makes the programs, once.
var build = sync.OnceValue(func() error {
	for _, program := range []string{"egrid", "etl", "consumer", "api"} {
		command := exec.Command("go", "build", "-o", filepath.Join(folder, program), "./hosts/"+program)
		command.Dir = filepath.Join("..", "..", "..")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", program, err, out)
		}
	}
	return nil
})

// egrid runs the command line to its end, and returns what it prints.
func egrid(ctx context.Context, args ...string) (string, error) {
	var stderr strings.Builder
	command := exec.CommandContext(ctx, filepath.Join(folder, "egrid"), args...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("egrid %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}

// mustEgrid is egrid in a test.
func mustEgrid(t *testing.T, args ...string) string {
	t.Helper()
	out, err := egrid(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sql runs a statement, and returns what it answers, by the program psql.
func sql(ctx context.Context, database, statement string) (string, error) {
	out, err := exec.CommandContext(ctx, "psql", "-qtAX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", statement, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// database is the address of another database of the server, for a role.
func database(server, role, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	if role != "" {
		u.User = url.User(role)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// restart runs the command that an environment variable holds.
func restart(t *testing.T, variable string) {
	t.Helper()
	began := time.Now()
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", testenv.Server(t, variable)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("restarted after %v", time.Since(began).Round(time.Millisecond))
}

// patience is how long anything may take that should happen.
const patience = 2 * time.Minute

// eventually waits until ok reports true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never came true: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
