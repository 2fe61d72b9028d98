package faults_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// command runs the command that an environment variable holds.
func command(t *testing.T, variable string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", testenv.Server(t, variable)).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", variable, err, out)
	}
}

// TestFaultBrokerAlarm has the broker take no messages of a load, since it is short of
// memory or of disk. The etl service says so, and goes on when there is room again. The
// alarm comes ahead of the load, because the broker's own command may take as long as
// the whole of one.
func TestFaultBrokerAlarm(t *testing.T) {
	for _, test := range []struct{ reason, block, unblock string }{
		{"memory", "EGRID_TEST_AMQP_BLOCK", "EGRID_TEST_AMQP_UNBLOCK"},
		{"disk", "EGRID_TEST_AMQP_BLOCK_DISK", "EGRID_TEST_AMQP_UNBLOCK_DISK"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			testenv.Server(t, test.block)
			p := newPlatform(t, large)
			p.consume(2)
			unblock := func() { command(t, test.unblock) }
			t.Cleanup(unblock)
			command(t, test.block)
			load := p.etl()
			address := load.address(t)
			eventually(t, "the service says that the broker takes nothing", func() bool {
				status, c := check(t, address, "publishing")
				return status == http.StatusServiceUnavailable && c.Status == "unavailable" && strings.Contains(c.Reason, test.reason)
			})
			if _, metrics := get(t, address+"/metrics"); !strings.Contains(metrics, fmt.Sprintf("egrid_queue_blocked{reason=%q} 1", test.reason)) {
				t.Error("the metric does not say so")
			}
			p.unfinished()
			unblock()
			load.ends(t)
			p.wantNew()
		})
	}
}

// TestFaultSlowBrokerNode kills a node of three in the middle of a load: the one
// that the services are connected to, which leads the queues that they declared.
func TestFaultSlowBrokerNode(t *testing.T) {
	epmd := freePort(t)
	var nodes []*ownServer
	var hosts []string
	for range 3 {
		node := newOwn(t, "rabbitmq.sh", "EGRID_RABBITMQ_PORT", "EGRID_RABBITMQ_CLUSTER="+epmd)
		node.do("start")
		if len(nodes) > 0 {
			node.do("join", "egrid"+nodes[0].port+"@localhost")
		}
		nodes = append(nodes, node)
		hosts = append(hosts, "127.0.0.1:"+node.port)
	}
	p := newPlatformOn(t, testenv.Server(t, "EGRID_TEST_POSTGRES"), "amqp://guest:guest@"+strings.Join(hosts, ",")+"/", large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	nodes[0].do("crash")
	t.Log("killed the node on port", nodes[0].port, "of", len(nodes))
	load.ends(t)
	p.wantNew()
	nodes[0].do("start") // which the others take back
	if n := nodes[1].tell("running"); n != "3" {
		t.Errorf("%s nodes run in the end; want 3", n)
	}
}
