package repocheck_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// TestSlowRedis starts a server that is late to become one, as on a busy machine, and
// one that ends at once: the first is waited for, the second is named with its log.
func TestSlowRedis(t *testing.T) {
	t.Parallel()
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		testenv.Missing(t, "there is no redis-server; internal/scripts/redis.sh start installs it")
	}
	for name, test := range map[string]struct {
		program string
		works   bool
		want    string
	}{
		"slow":  {"sleep 0.5; exec " + redis + ` "$@"`, true, "redis://127.0.0.1:"},
		"ended": {"echo no memory; exit 1", false, "redis has not started; its log, "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin, home := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(bin, "redis-server"), []byte("#!/bin/sh\n"+test.program+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			free, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(free.Addr().String())
			_ = free.Close()
			script := func(verb string) (string, error) {
				c := exec.CommandContext(t.Context(), "../scripts/redis.sh", verb)
				c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "EGRID_SERVICES_DIR="+home, "EGRID_REDIS_PORT="+port)
				out, err := c.CombinedOutput()
				return string(out), err
			}
			defer func() {
				if out, err := script("stop"); err != nil {
					t.Errorf("stop: %v\n%s", err, out)
				}
			}()
			out, err := script("start")
			if (err == nil) != test.works || !strings.Contains(out, test.want) || !test.works && !strings.Contains(out, "no memory") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
