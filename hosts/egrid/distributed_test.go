package main

import (
	"flag"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// seedFlag makes other data for each run; a run that failed logs it.
var seedFlag = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the sample that TestDistributed loads")

// services names the real servers, or skips.
func services(t *testing.T) (store, broker string) {
	t.Helper()
	store = testenv.Server(t, "EGRID_TEST_POSTGRES")
	u, err := url.Parse(testenv.Server(t, "EGRID_TEST_AMQP"))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/hosts" // the tests of package rabbitqueue have the other one
	return store, u.String()
}

// TestDistributed loads a sample through RabbitMQ into PostgreSQL, kills the
// load a few times on the way, and compares every row with what the embedded
// form has.
func TestDistributed(t *testing.T) {
	s := newShell(t)
	store, broker := services(t)
	t.Logf("-seed %d", *seedFlag)
	const year = "1991" // of no other test
	sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: *seedFlag, Plants: 2000, Year: 1991})
	if _, err := sample.WriteFolder(s.dir); err != nil {
		t.Fatal(err)
	}
	far := []string{"--store", store, "--queue", broker}
	s.run(0, append([]string{"migrate"}, far...)...)
	load := append([]string{"load", "--publish", "replace", s.dir}, far...)

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		command := exec.CommandContext(t.Context(), self, load...)
		command.Env = append(os.Environ(), "EGRID_TEST_COMMAND=1")
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(200+300*i)*time.Millisecond, func() { _ = command.Process.Kill() })
		_ = command.Wait() // killed, or done already
		timer.Stop()
	}
	s.run(0, load...)
	s.run(0, "load", s.dir)
	for _, level := range egridtest.SampleLevels() {
		ask := []string{"rows", "--level", string(level), "--year", year, "--format", "csv", "--limit", "0"}
		want := s.run(0, ask...)
		if got := s.run(0, append(ask, "--store", store)...); got != want || len(got) < 100 {
			t.Errorf("%s: %d bytes of rows through the queue, %d without", level, len(got), len(want))
		}
	}
}
