//go:build containers

package containers_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	cutFlag    = flag.Duration("cut", time.Minute, "how long a network is cut")
	plantsFlag = flag.Int("plants", 700, "in an edition that is loaded meanwhile")
)

// The editions of the cuts differ, so that each is loaded from its beginning; all are
// of one year, so that each replaces the one before.
const cutYear = 2020

// TestCuts cuts the network without a word to either end, while an edition is loaded,
// and compares what the API answers in the end with a store that had no network.
func TestCuts(t *testing.T) {
	up(t)
	t.Run("None", func(t *testing.T) { loadAcross(t, 100, nil) })
	t.Run("EtlBroker", func(t *testing.T) {
		loadAcross(t, 101, func(t *testing.T, load string) func() {
			return cut(t, []string{load}, addressOf(t, containersOf(t, "rabbitmq")[0]))
		})
	})
	t.Run("ConsumersDatabase", func(t *testing.T) {
		loadAcross(t, 102, func(t *testing.T, _ string) func() {
			return cut(t, containersOf(t, "consumer-database"), addressOf(t, containersOf(t, "postgres")[0]))
		})
	})
	t.Run("APIDatabase", apiDatabase)
	must(t, makeTarget, "down")
}

// cut drops every packet between some containers and an address, and returns what
// heals it.
func cut(t *testing.T, ids []string, addresses ...string) func() {
	t.Helper()
	rules := func(verb string) {
		for _, id := range ids {
			for _, address := range addresses {
				for _, rule := range [][]string{{"INPUT", "-s"}, {"OUTPUT", "-d"}} {
					must(t, iptables, id, verb, rule[0], rule[1], address, "-j", "DROP")
				}
			}
		}
	}
	rules("-A")
	t.Logf("%v: cut", ids)
	return func() {
		dropped := 0
		for _, id := range ids {
			for line := range strings.Lines(must(t, iptables, id, "-L", "-v", "-x", "-n")) {
				if f := strings.Fields(line); len(f) > 2 && f[2] == "DROP" {
					n, _ := strconv.Atoi(f[0])
					dropped += n
				}
			}
		}
		rules("-D")
		t.Logf("healed: %d packets were dropped", dropped)
		if dropped == 0 {
			t.Error("nothing was cut")
		}
	}
}

// iptables runs in the network of a container.
func iptables(ctx context.Context, args ...string) (string, error) {
	pid, err := docker(ctx, "inspect", "--format", "{{.State.Pid}}", args[0])
	if err != nil {
		return "", err
	}
	return command(ctx, "nsenter", append([]string{"--net=/proc/" + pid + "/ns/net", "iptables", "-w"}, args[1:]...)...)
}

// done counts the messages that the database consumers have finished.
func done(t *testing.T) int {
	t.Helper()
	sum := 0
	for _, id := range containersOf(t, "consumer-database") {
		text, err := get(t.Context(), "http://"+addressOf(t, id)+":3001/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, `egrid_queue_messages_total{queue="egrid.database",result="done"}`) {
				n, _ := strconv.ParseFloat(strings.Fields(line)[1], 64)
				sum += int(n)
			}
		}
	}
	return sum
}

// loadAcross loads an edition, and has something happen in its midst.
func loadAcross(t *testing.T, seed uint64, breaks func(t *testing.T, load string) (heal func())) {
	e := newEdition(t, seed, *plantsFlag, cutYear)
	before := done(t)
	began := time.Now()
	load := must(t, compose, "run", "-d", "--no-deps", "-v", e.dir+":/load:ro", "--entrypoint", "etl", "etl",
		"--addr=0.0.0.0:3001", "--schedule=once", "--publish=replace", "--chunk-bytes=4096", "/load")
	load = load[strings.LastIndex(load, "\n")+1:]
	if breaks != nil {
		eventually(t, "the load is midway", func() error {
			if n := done(t) - before; n < 20 {
				return fmt.Errorf("%d messages", n)
			}
			return nil
		})
		if inspect(t, load, "{{.State.Running}}") != "true" {
			t.Fatal("the load ended before the cut")
		}
		heal := breaks(t, load)
		atCut := done(t)
		time.Sleep(*cutFlag) // the cut itself
		t.Logf("%d messages before the cut, %d during it; the load runs: %s", atCut-before, done(t)-atCut, inspect(t, load, "{{.State.Running}}"))
		heal()
	}
	healed := time.Now()
	status := must(t, docker, "wait", load)
	logs, err := docker(t.Context(), "logs", "--tail", "5", load)
	if err != nil || status != "0" {
		t.Errorf("the load ended with %s: %v\n%s", status, err, logs)
	}
	t.Logf("loaded in %v, %v after the cut, by %d messages", time.Since(began).Round(time.Second), time.Since(healed).Round(time.Second), done(t)-before)
	must(t, docker, "rm", load)
	e.wantServed(t)
	wantQuiet(t)
}

// wantQuiet checks that no message is left, and none was given up.
func wantQuiet(t *testing.T) {
	t.Helper()
	eventually(t, "no message is left", func() error {
		out, err := compose(t.Context(), "exec", "-T", "rabbitmq", "rabbitmqctl", "-q", "list_queues", "name", "messages")
		if err != nil {
			return err
		}
		for line := range strings.Lines(out) {
			if f := strings.Fields(line); len(f) == 2 && f[1] != "0" && f[0] != "name" {
				return fmt.Errorf("%s", out)
			}
		}
		return nil
	})
	if out := must(t, compose, "exec", "-T", "postgres", "psql", "-qtA", "-U", "egrid", "-d", "egrid", "-c",
		"SELECT level, status, count(*) FROM egrid.sheets WHERE status NOT IN ('published', 'superseded') AND level <> 'ZIP' GROUP BY 1, 2"); out != "" {
		t.Errorf("stages are left over: %s", out)
	}
}

// apiDatabase cuts the API from its database while clients ask.
func apiDatabase(t *testing.T) {
	e := newEdition(t, 102, *plantsFlag, cutYear) // what ConsumersDatabase has loaded
	e.wantServed(t)
	api := containersOf(t, "api")[0]
	heal := cut(t, []string{api}, addressOf(t, containersOf(t, "postgres")[0]))
	answers := map[string]int{}
	var longest time.Duration
	for began := time.Now(); time.Since(began) < *cutFlag; time.Sleep(100 * time.Millisecond) {
		asked := time.Now()
		what := "right"
		if err := e.differs(t.Context()); err != nil {
			what = err.Error()
			if strings.Contains(what, "rows with the sums") {
				t.Error(what)
			}
			what, _, _ = strings.Cut(what, "{")
		}
		answers[what]++
		longest = max(longest, time.Since(asked))
	}
	ready := time.Now()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addressOf(t, api)+":3000/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Errorf("the API says nothing of its readiness: %v", err)
	} else {
		_ = answer.Body.Close()
		t.Logf("the API's readiness, while it is cut: %s within %v", answer.Status, time.Since(ready).Round(time.Millisecond))
		if answer.StatusCode == http.StatusOK {
			t.Error("the API calls itself ready without a database")
		}
	}
	heal()
	healed := time.Now()
	eventually(t, "right answers", func() error { return e.differs(t.Context()) })
	t.Logf("while it was cut: %v, the longest took %v; right again %v after it", answers, longest.Round(time.Millisecond), time.Since(healed).Round(100*time.Millisecond))
	e.wantServed(t)
}

// TestBrokerNodes cuts one of three brokers from the others: the one that every service
// is connected to, and that leads the queues.
func TestBrokerNodes(t *testing.T) {
	t.Setenv("EGRID_BROKERS", "rabbitmq:5672,rabbitmq-2:5672,rabbitmq-3:5672")
	t.Setenv("EGRID_SEED", source+"/examples/data")
	cluster := func(ctx context.Context, args ...string) (string, error) {
		return compose(ctx, append([]string{"-f", "internal/containers/cluster.yaml"}, args...)...)
	}
	must(t, cluster, "build", "migrate")
	must(t, cluster, "up", "-d", "--no-build")
	t.Cleanup(func() {
		if _, err := cluster(context.WithoutCancel(t.Context()), "--profile", "tools", "down", "--volumes", "--remove-orphans"); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the sample is served", func() error {
		_, err := get(t.Context(), gateway+"/plants/top?limit=1")
		return err
	})
	node := func(name string) string { return strings.Fields(must(t, cluster, "ps", "-q", name))[0] }
	queues := func() string {
		return must(t, docker, "exec", node("rabbitmq-2"), "rabbitmqctl", "-q", "list_queues", "name", "leader", "members", "online")
	}
	t.Log(queues())
	loadAcross(t, 103, func(t *testing.T, _ string) func() {
		heal := cut(t, []string{node("rabbitmq")}, addressOf(t, node("rabbitmq-2")), addressOf(t, node("rabbitmq-3")))
		return func() {
			t.Log(queues())
			heal()
			join(t, node)
		}
	})
	eventually(t, "all three nodes are one cluster again", func() error { return oneCluster(t, node) })
	t.Log(queues())
}

// join has three brokers be one cluster behind a cut. Queues go on by themselves. What the
// nodes know of each other may not: where the cut ends before they miss each other
// (net_ticktime, a minute), none of them pauses, and the minority has to be started again.
func join(t *testing.T, node func(name string) string) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(time.Second) {
		if err = oneCluster(t, node); err == nil {
			return
		}
	}
	t.Logf("30 s after the cut: %v; the node that was cut off is started again", err)
	must(t, docker, "restart", node("rabbitmq"))
}

// oneCluster asks each of three brokers whether it sees the others.
func oneCluster(t *testing.T, node func(name string) string) error {
	for _, name := range []string{"rabbitmq", "rabbitmq-2", "rabbitmq-3"} {
		out, err := docker(t.Context(), "exec", node(name), "rabbitmqctl", "-q", "cluster_status", "--formatter", "json")
		if err != nil {
			return err
		}
		var status struct {
			Running    []string            `json:"running_nodes"`
			Partitions map[string][]string `json:"partitions"`
		}
		if err := json.Unmarshal([]byte(out), &status); err != nil {
			return err
		}
		if len(status.Running) != 3 || len(status.Partitions) > 0 {
			return fmt.Errorf("%s sees %v, partitions %v", name, status.Running, status.Partitions)
		}
	}
	return nil
}
