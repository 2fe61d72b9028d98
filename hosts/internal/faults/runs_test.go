package faults_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	domain "github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

// TestFaultOrderedRun asks the API for a load, which it passes on to the service
// etl, and kills a consumer and the API while it is under way.
func TestFaultOrderedRun(t *testing.T) {
	p := newPlatform(t, large)
	p.consume(2)
	const key = "correct horse battery staple"
	env := append(p.env, fmt.Sprintf("EGRID_API_KEYS=loader write %x", sha256.Sum256([]byte(key))), "EGRID_ETL_KEY="+key)
	inbox := t.TempDir()
	loader := start(t, "etl", env, "--schedule", "@every 24h", "--addr", "127.0.0.1:0", "--publish", "replace", "--chunk-bytes", strconv.Itoa(p.chunk),
		"--store", p.store, "--queue", p.queue, inbox)
	api := func() (*process, *client.Client) {
		s := start(t, "api", env, "--store", p.store, "--etl", loader.address(t), "--addr", "127.0.0.1:0")
		c, err := client.New(s.address(t), &client.Options{APIKey: key, Retries: -1})
		if err != nil {
			t.Fatal(err)
		}
		return s, c
	}
	server, c := api()
	if err := os.CopyFS(inbox, os.DirFS(p.editions.new.dir)); err != nil {
		t.Fatal(err)
	}
	run, err := c.StartRun(t.Context(), driver.RunRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.StartRun(t.Context(), driver.RunRequest{}); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("one more: %v", err)
	}
	for seen, err := range c.FollowRun(t.Context(), run.ID) {
		if err != nil {
			if run.Status != driver.RunUnderWay {
				t.Errorf("the events ended with %v", err)
			}
			break
		}
		if run = seen; run.Progress != nil && server.running() {
			p.consumers[0].kill(t)
			p.consumers = p.consumers[1:]
			server.kill(t)
		}
	}
	if server.running() {
		t.Fatal("the load ended before the fault")
	}
	_, c = api()
	for seen, err := range c.FollowRun(t.Context(), run.ID) {
		if err != nil {
			t.Fatal(err)
		}
		run = seen
	}
	if run.Status != driver.RunPublished || run.Error != "" || len(run.Loads) == 0 {
		t.Errorf("it ended as %+v", run)
	}
	loader.stop(t)
	p.wantNew()
}
