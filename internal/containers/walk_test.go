//go:build containers

package containers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ours are the services that are programs of this module, and all of them run.
func ours() []string {
	return []string{"api", "web", "gateway", "etl", "consumer-database", "consumer-notification", "consumer-error"}
}

func servers() []string { return []string{"postgres", "rabbitmq", "minio", "redis"} }

// TestWalk is what the README of examples/reference says, in its order.
func TestWalk(t *testing.T) {
	t.Setenv("EGRID_SCHEDULE", "@every 1h") // what comes sooner, MinIO has told
	events := watchEvents(t)
	up(t)
	steps := []struct {
		name string
		run  func(*testing.T)
	}{
		{"StartOrder", func(t *testing.T) { startOrder(t, events()) }},
		{"Seeded", seeded},
		{"Rights", rights},
		{"MemoryLimits", memoryLimits},
		{"MoreConsumers", moreConsumers},
		{"Health", health},
		{"LoadAndQuery", loadAndQuery},
		{"Told", told},
		{"Upgrade", upgrade},
		{"Down", down},
	}
	for _, step := range steps {
		t.Run(step.name, step.run)
	}
}

// event is something that happened to a container.
type event struct {
	service, what string
	at            time.Time
}

// watchEvents returns what has happened since.
func watchEvents(t *testing.T) func() []event {
	t.Helper()
	c := exec.CommandContext(t.Context(), "docker", "events", "--filter", "type=container", "--filter", "event=start",
		"--filter", "event=die", "--filter", "event=health_status", "--format", "{{json .}}")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []event
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e struct {
				Action   string
				TimeNano int64
				Actor    struct{ Attributes map[string]string }
			}
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				continue
			}
			what := e.Action
			if what == "die" {
				what += ":" + e.Actor.Attributes["exitCode"]
			}
			mu.Lock()
			all = append(all, event{e.Actor.Attributes["com.docker.compose.service"], what, time.Unix(0, e.TimeNano)})
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		<-done
		_ = c.Wait() // it was stopped with the test
	})
	return func() []event {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// startOrder checks that nothing starts before what it depends on is healthy, or has
// ended well.
func startOrder(t *testing.T, events []event) {
	const healthy, ended = "health_status: healthy", "die:0"
	first := func(service, what string) time.Time {
		for _, e := range events {
			if e.service == service && e.what == what {
				return e.at
			}
		}
		t.Errorf("%s: never %q", service, what)
		return time.Time{}
	}
	for _, e := range events {
		if strings.HasPrefix(e.what, "die") && e.what != ended || e.what == "health_status: unhealthy" {
			t.Errorf("%s: %s", e.service, e.what)
		}
	}
	var began time.Time
	for service, after := range map[string][][2]string{
		"seed":                  {{"minio", healthy}},
		"migrate":               {{"postgres", healthy}, {"rabbitmq", healthy}, {"seed", ended}},
		"api":                   {{"migrate", ended}, {"redis", "start"}},
		"web":                   {{"migrate", ended}},
		"gateway":               {{"api", healthy}, {"web", healthy}},
		"etl":                   {{"rabbitmq", healthy}, {"gateway", healthy}},
		"consumer-database":     {{"gateway", healthy}},
		"consumer-notification": {{"gateway", healthy}},
		"consumer-error":        {{"gateway", healthy}},
		"verify":                {{"etl", healthy}, {"consumer-database", healthy}, {"consumer-notification", healthy}, {"consumer-error", healthy}},
	} {
		started := first(service, "start")
		for _, before := range after {
			if first(before[0], before[1]).After(started) {
				t.Errorf("%s started before %s: %q", service, before[0], before[1])
			}
		}
	}
	for _, e := range events {
		if began.IsZero() {
			began = e.at
		}
		t.Logf("%6.1f s  %-22s %s", e.at.Sub(began).Seconds(), e.service, e.what)
	}
}

// seeded checks that the sample is there, all of it, and the page.
func seeded(t *testing.T) {
	want := map[string]int{}
	for _, file := range mustGlob(t, filepath.Join(source, "examples/data/*.csv")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want[filepath.Base(file)] = strings.Count(string(text), "\n")
	}
	body, err := get(t.Context(), gateway+"/snapshots")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data []struct {
			Level   string
			Year    int
			Rows    int
			Sources []struct{ Object string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Data) < len(want) {
		t.Errorf("%d snapshots of %d files", len(answer.Data), len(want))
	}
	rows := 0
	for _, s := range answer.Data {
		rows += s.Rows
		if s.Rows == 0 || len(s.Sources) == 0 {
			t.Errorf("%+v", s)
		}
	}
	t.Logf("%d snapshots, %d rows", len(answer.Data), rows)
	if page, err := get(t.Context(), gateway+"/"); err != nil || !strings.Contains(page, "eGRID sample") {
		t.Errorf("the page: %v, %.100s", err, page)
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is %s: %v", pattern, err)
	}
	return files
}

// rights reads from the kernel what processes may do: our own, and the servers'.
func rights(t *testing.T) {
	for _, service := range append(ours(), servers()...) {
		program := slices.Contains(ours(), service)
		for _, id := range containersOf(t, service) {
			pid := inspect(t, id, "{{.State.Pid}}")
			status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
			if err != nil {
				t.Fatal(err)
			}
			fields := map[string][]string{}
			for line := range strings.Lines(string(status)) {
				name, value, _ := strings.Cut(line, ":")
				fields[name] = strings.Fields(value)
			}
			mounts, err := os.ReadFile(filepath.Join("/proc", pid, "mountinfo"))
			if err != nil {
				t.Fatal(err)
			}
			readOnly := false
			for line := range strings.Lines(string(mounts)) {
				if f := strings.Fields(line); f[4] == "/" {
					readOnly = slices.Contains(strings.Split(f[5], ","), "ro")
				}
			}
			uid, caps, locked := fields["Uid"][1], fields["CapEff"][0], fields["NoNewPrivs"][0] == "1"
			t.Logf("%-22s user %-5s capabilities %s no-new-privileges %-5v read-only %v", service, uid, caps, locked, readOnly)
			if program && (uid != "65532" || strings.Trim(caps, "0") != "" || !readOnly) || !locked {
				t.Errorf("%s may do more than it needs", service)
			}
			if service == "minio" {
				continue // the official image runs as root, too
			}
			if uid == "0" {
				t.Errorf("%s runs as root", service)
			}
		}
	}
}

// cgroup reads a limit of a container from the kernel, in either version of cgroups.
func cgroup(t *testing.T, id, controller, v1, v2 string) string {
	t.Helper()
	parent := os.Getenv("EGRID_CGROUP")
	for _, file := range []string{
		filepath.Join("/sys/fs/cgroup", controller, parent, id, v1),
		filepath.Join("/sys/fs/cgroup", parent, id, v2),
	} {
		if text, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	t.Fatalf("no limit of %s for %s", controller, id)
	return ""
}

// memoryLimits checks that the kernel has the limits, and that it means them.
func memoryLimits(t *testing.T) {
	t.Logf("cgroup version %s", must(t, docker, "info", "--format", "{{.CgroupVersion}}, driver {{.CgroupDriver}}"))
	for _, service := range append(ours(), servers()...) {
		for _, id := range containersOf(t, service) {
			limit := cgroup(t, id, "memory", "memory.limit_in_bytes", "memory.max")
			peak := cgroup(t, id, "memory", "memory.max_usage_in_bytes", "memory.peak")
			n, err := strconv.ParseInt(limit, 10, 64)
			if err != nil || n > 1<<30 || slices.Contains(ours(), service) && n != 256<<20 {
				t.Errorf("%s has the limit %s", service, limit)
			}
			p, _ := strconv.ParseInt(peak, 10, 64)
			t.Logf("%-22s limit %4d MiB, at most %4d MiB used", service, n>>20, p>>20)
		}
	}
	name := "egrid-walk-memory"
	// The last line of a file that has no lines is all of it.
	_, err := docker(t.Context(), "run", "--name", name, "--memory", "32m", "--entrypoint", "tail", "egrid-standin-system", "/dev/zero")
	killed := inspect(t, name, "{{.State.OOMKilled}} {{.State.ExitCode}}")
	must(t, docker, "rm", name)
	t.Logf("more than the limit of 32 MB: out of memory and exit status are %s", killed)
	if err == nil || killed != "true 137" {
		t.Errorf("a limit of memory is not enforced: %v", err)
	}
}

// moreConsumers asks for four consumers, and for two again.
func moreConsumers(t *testing.T) {
	for _, n := range []int{4, 2} {
		t.Setenv("EGRID_CONSUMERS", strconv.Itoa(n))
		up(t)
		if got := len(containersOf(t, "consumer-database")); got != n {
			t.Errorf("%d consumers; want %d", got, n)
		}
	}
}

// health checks that make health sees what is there, and what is not.
func health(t *testing.T) {
	out := must(t, makeTarget, "health")
	t.Log(out)
	for _, service := range append(ours(), "postgres", "rabbitmq") {
		if !strings.Contains(out, service) {
			t.Errorf("make health says nothing of %s", service)
		}
	}
	for _, service := range []string{"redis", "consumer-error", "postgres"} {
		must(t, compose, "stop", service)
		out, err := makeTarget(t.Context(), "health")
		if err == nil {
			t.Errorf("%s is away, and make health says\n%s", service, out)
		}
		must(t, compose, "start", service)
		eventually(t, "healthy again", func() error {
			_, err := makeTarget(t.Context(), "health")
			return err
		})
	}
}

// loadAndQuery loads another year, by the command in its container and from a
// folder of this machine.
func loadAndQuery(t *testing.T) {
	e := newEdition(t, 7, 40, 2019)
	out := must(t, compose, "run", "--rm", "-T", "-v", e.dir+":/load:ro", "egrid", "load", "/load")
	t.Log(out)
	e.wantServed(t)
}

// told puts an edition into the bucket, and leaves the rest to MinIO.
func told(t *testing.T) {
	e := newEdition(t, 8, 40, 2018)
	t.Log(must(t, deployment, "put", e.dir))
	began := time.Now()
	e.wantServed(t)
	t.Logf("served %v after the last file was in the bucket", time.Since(began).Round(time.Second))
}

// down ends everything, and leaves nothing.
func down(t *testing.T) {
	t.Log(must(t, makeTarget, "down"))
	for _, left := range [][]string{
		{"ps", "-aq"}, {"volume", "ls", "-q"}, {"network", "ls", "-q", "--filter", "type=custom"},
		{"image", "ls", "-q", "egrid-reference"},
	} {
		if out := must(t, docker, left...); out != "" {
			t.Errorf("docker %s: %s", strings.Join(left, " "), out)
		}
	}
}

// upgrade replaces one service at a time while clients ask.
func upgrade(t *testing.T) {
	total, failed := 0, 0
	for _, service := range append(ours(), "redis", "minio", "rabbitmq", "postgres") {
		ask := askers(t)
		must(t, compose, "up", "-d", "--no-deps", "--no-build", "--force-recreate", service)
		eventually(t, service+" is healthy", func() error {
			for _, id := range containersOf(t, service) {
				if state := inspect(t, id, "{{.State.Health.Status}}"); state != "healthy" {
					return fmt.Errorf("%s", state)
				}
			}
			return nil
		})
		r := ask()
		total, failed = total+r.asked, failed+r.failed
		t.Logf("%-22s replaced: %5d requests, %3d failed, the longest took %v%s", service, r.asked, r.failed, r.longest.Round(time.Millisecond), r.first)
		// There is one of each of these, and nothing in front of it that could wait: what
		// asks meanwhile fails, and is only counted.
		alone := service == "gateway" || service == "postgres"
		if r.failed > 0 && !alone {
			t.Errorf("%d requests failed while %s was replaced", r.failed, service)
		}
	}
	t.Logf("%d requests, %d failed", total, failed)
}

type asked struct {
	asked, failed int
	longest       time.Duration
	first         string // of the errors
}

// askers ask for different things again and again, until the function is called.
func askers(t *testing.T) func() asked {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var sum asked
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				address := gateway + "/"
				if i%5 > 0 {
					address = fmt.Sprintf("%s/plants/top?limit=%d", gateway, 1+(i*7+worker)%900)
				}
				began := time.Now()
				_, err := get(context.WithoutCancel(ctx), address)
				took := time.Since(began)
				mu.Lock()
				sum.asked++
				sum.longest = max(sum.longest, took)
				if err != nil {
					if sum.failed++; sum.first == "" {
						sum.first = "; the first: " + err.Error()
					}
				}
				mu.Unlock()
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond): // between requests
				}
			}
		})
	}
	return func() asked {
		stop()
		all.Wait()
		return sum
	}
}
