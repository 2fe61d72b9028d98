package faults_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// TestFaultSlowStop ends the reference deployment as processes, and starts it
// again: it goes on with its data.
func TestFaultSlowStop(t *testing.T) {
	testenv.Server(t, "EGRID_TEST_POSTGRES")                // where the scripts can install servers
	dir, err := os.MkdirTemp("", "egrid-faults-deployment") // whose owner of PostgreSQL's files can reach it
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(dir, "deployment")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	offset := freeOffset(t)
	deployment := func(ctx context.Context, verb string) (string, error) {
		command := exec.CommandContext(ctx, filepath.Join("..", "..", "..", "examples", "reference", "deployment.sh"), verb)
		command.Env = append(os.Environ(), "EGRID_FORM=processes", "EGRID_DEPLOYMENT_DIR="+place, fmt.Sprint("EGRID_PORT_OFFSET=", offset), "EGRID_SCHEDULE=@every 24h")
		out, err := os.CreateTemp(t.TempDir(), "out") // services may keep a pipe open
		if err != nil {
			return "", err
		}
		defer out.Close()
		command.Stdout, command.Stderr = out, out
		err = command.Run()
		text, _ := os.ReadFile(out.Name())
		return string(text), err
	}
	must := func(verb string) string {
		t.Helper()
		out, err := deployment(t.Context(), verb)
		if err != nil {
			t.Fatalf("make %s: %v: %s", verb, err, out)
		}
		return out
	}
	t.Cleanup(func() {
		if out, err := deployment(context.WithoutCancel(t.Context()), "down"); err != nil {
			t.Errorf("make down: %v: %s", err, out)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	address := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/egrid?sslmode=disable", 15432+offset)
	api := fmt.Sprintf("http://127.0.0.1:%d", 3000+offset)

	must("up") // which returns with the first sheet
	eventually(t, "all sheets are published", func() bool {
		return mustSQL(t, address, "SELECT count(*) FROM egrid.sheets WHERE status = 'published'") == "10"
	})
	before := mustIdentities(t, address)
	revision := mustSQL(t, address, "SELECT revision FROM egrid.state")
	if !strings.Contains(before, "PLNT2023") {
		t.Fatalf("published: %s", before)
	}
	var answer string
	eventually(t, "the API knows of all that is published", func() bool {
		_, answer = get(t, api+"/plants/top?limit=3")
		return strings.Contains(answer, `"revision":`+revision+`,`)
	})

	must("stop")
	for name, port := range map[string]int{"gateway": 8000, "web": 4000, "api": 3000, "etl": 3001, "postgres": 15432, "rabbitmq": 15680, "minio": 9000, "redis": 16379} {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port+offset)); err == nil {
			_ = conn.Close()
			t.Errorf("%s still listens", name)
		}
	}
	if out, err := deployment(t.Context(), "health"); err == nil {
		t.Errorf("make health of what was stopped: %s", out)
	}
	must("stop") // changes nothing

	must("up")
	if after := mustIdentities(t, address); after != before {
		t.Errorf("it goes on with\n%s\nwant\n%s", after, before)
	}
	if now := mustSQL(t, address, "SELECT revision FROM egrid.state"); now != revision {
		t.Errorf("revision %s; want %s: what was there was published again", now, revision)
	}
	if _, again := get(t, api+"/plants/top?limit=3"); again != answer {
		t.Errorf("it answers %s; want %s", again, answer)
	}
	must("health")
}

// freeOffset finds one for the ports of a deployment.
func freeOffset(t *testing.T) int {
	t.Helper()
	for offset := 20000; offset < 45000; offset += 100 {
		free := true
		for _, port := range []int{8000, 4000, 3000, 3001, 3002, 3003, 3011, 3012, 9000, 9001, 15432, 15680, 15681, 15682, 16379} {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+offset))
			if err != nil {
				free = false
				break
			}
			_ = l.Close()
		}
		if free {
			return offset
		}
	}
	t.Fatal("no ports are free")
	return 0
}
