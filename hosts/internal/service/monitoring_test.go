package service_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

// monitoring is the folder of what Prometheus and Grafana are given.
var monitoring = filepath.Join("..", "..", "..", "examples", "reference", "monitoring")

func monitoringFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(monitoring, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// promtool runs Prometheus' own checks in a folder.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		testenv.Missing(t, "promtool is not installed: it is in Debian's package prometheus")
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("promtool %q: %v\n%s", args, err, out)
	}
}

// TestAlertRules has promtool check the rules and what they fire on. Each rule has a
// case that fires it and one that does not, and its page in the runbook.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	cases := monitoringFile(t, "rules_test.yml") + monitoringFile(t, "rules_stale_test.yml")
	runbook, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operations", "monitoring.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range alertRules(t) {
		_, after, _ := strings.Cut(cases, "alertname: "+rule.name)
		if after == "" || !strings.Contains(cases, "alertname: "+rule.name+"\n        exp_alerts:\n") || !strings.Contains(cases, "alertname: "+rule.name+", exp_alerts: []") {
			t.Errorf("%s: a case that fires it or one that does not is missing", rule.name)
		}
		if !strings.Contains(string(runbook), "\n### "+rule.name+"\n") || !strings.HasSuffix(rule.runbook, "/docs/operations/monitoring.md#"+strings.ToLower(rule.name)) {
			t.Errorf("%s: docs/operations/monitoring.md has no such heading, or %q does not lead there", rule.name, rule.runbook)
		}
	}
	promtool(t, monitoring, "check", "rules", "rules.yml")
	promtool(t, monitoring, "check", "config", "prometheus.yml")
	promtool(t, monitoring, "test", "rules", "rules_test.yml", "rules_stale_test.yml")
}

type alertRule struct{ name, expr, runbook string }

// alertRules reads the rules, which are written in one form.
func alertRules(t *testing.T) []alertRule {
	t.Helper()
	var rules []alertRule
	inExpr := false
	for line := range strings.Lines(monitoringFile(t, "rules.yml")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case key == "- alert":
			rules = append(rules, alertRule{name: value})
		case key == "expr":
			inExpr = value == "|"
			if !inExpr {
				rules[len(rules)-1].expr = value
			}
		case inExpr && strings.HasPrefix(line, "          "):
			rules[len(rules)-1].expr += " " + strings.TrimSpace(line)
		case key == "runbook_url":
			rules[len(rules)-1].runbook = value
			fallthrough
		default:
			inExpr = false
		}
	}
	if len(rules) < 10 {
		t.Fatalf("%d rules were read", len(rules))
	}
	return rules
}

// dashboardQueries reads the queries of the dashboard, by the title of their panels.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(monitoringFile(t, "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, p := range dashboard.Panels {
		for i, target := range p.Targets {
			queries[fmt.Sprint("panel ", p.Title, " ", i)] = strings.ReplaceAll(target.Expr, "$__rate_interval", "1m")
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %s has no query", p.Title)
		}
	}
	return queries
}

// series are the metrics that were scraped: their labels, and the values of each.
type series map[string]map[string][]string

var (
	sample   = regexp.MustCompile(`(?m)^([a-z_:]+)(?:\{(.*)\})? \S+$`)
	labelled = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

func (s series) add(job, scraped string) {
	for _, m := range sample.FindAllStringSubmatch(scraped, -1) {
		labels := s[m[1]]
		if labels == nil {
			labels = map[string][]string{"job": nil, "instance": nil}
			s[m[1]] = labels
		}
		for _, l := range append(labelled.FindAllStringSubmatch(m[2], -1), []string{"", "job", job}) {
			if !slices.Contains(labels[l[1]], l[2]) {
				labels[l[1]] = append(labels[l[1]], l[2])
			}
		}
	}
}

// possible are the values of labels that a test does not bring about.
func possible(label string) []string {
	var values []string
	switch label {
	case "status":
		for status := 100; status < 600; status++ {
			values = append(values, strconv.Itoa(status))
		}
		for _, s := range []egrid.Status{egrid.Published, egrid.Held, egrid.Superseded} {
			values = append(values, string(s))
		}
	case "queue":
		values = []string{queue.QueueDatabase, queue.QueueNotification, queue.QueueError}
	case "reason":
		for _, r := range queue.BlockReasons() {
			values = append(values, string(r))
		}
	case "kind":
		values = etl.FailureKinds()
	case "result":
		for _, r := range []cache.Result{cache.Hit, cache.Computed, cache.RemoteHit, cache.Miss, cache.Joined, cache.Failed} {
			values = append(values, string(r))
		}
	}
	return values
}

var (
	selector = regexp.MustCompile(`\b((?:egrid|process|go)_[a-z0-9_]+|up)\b(?:\{((?:[^}"]|"[^"]*")*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
)

// check tells what a query names that there is not.
func (s series) check(expr string) (missing []string) {
	known := map[string]bool{"le": strings.Contains(expr, "_bucket")}
	found := selector.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		return []string{"any metric"}
	}
	for _, m := range found {
		labels, ok := s[m[1]]
		if !ok {
			missing = append(missing, "metric "+m[1])
			continue
		}
		for name := range labels {
			known[name] = true
		}
		for _, cond := range matcher.FindAllStringSubmatch(m[2], -1) {
			values, ok := labels[cond[1]]
			if !ok {
				missing = append(missing, "label "+cond[1]+" of "+m[1])
				continue
			}
			values = append(slices.Clone(values), possible(cond[1])...)
			alternatives := []string{regexp.QuoteMeta(cond[3])}
			if strings.HasSuffix(cond[2], "~") {
				alternatives = strings.Split(cond[3], "|")
			}
			for _, a := range alternatives {
				if !slices.ContainsFunc(values, regexp.MustCompile("^(?:"+a+")$").MatchString) {
					missing = append(missing, fmt.Sprintf("value %s of %s of %s", a, cond[1], m[1]))
				}
			}
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for name := range strings.SplitSeq(m[1], ",") {
			if !known[strings.TrimSpace(name)] {
				missing = append(missing, "label "+name)
			}
		}
	}
	return missing
}

// TestCheckOfQueries: what is not there is found.
func TestCheckOfQueries(t *testing.T) {
	t.Parallel()
	s := series{}
	s.add("api", `egrid_http_requests_total{route="/a/{id}",status="200"} 1
egrid_held_loads 0
`)
	for expr, want := range map[string]string{
		`rate(egrid_http_requests_total{status=~"5..", job="api"}[5m])`: "",
		`egrid_http_requests_total{route="/a/{id}"}`:                    "",
		`sum by (route) (egrid_http_requests_total)`:                    "",
		`egrid_http_request_total`:                                      "metric egrid_http_request_total",
		`egrid_http_requests_total{code="200"}`:                         "label code of egrid_http_requests_total",
		`egrid_http_requests_total{route="/b"}`:                         "value /b of route of egrid_http_requests_total",
		`egrid_http_requests_total{status=~"5..|9.."}`:                  "value 9.. of status of egrid_http_requests_total",
		`egrid_http_requests_total{job=~"api|apy"}`:                     "value apy of job of egrid_http_requests_total",
		`sum by (path) (egrid_held_loads)`:                              "label path",
		`vector(1)`:                                                     "any metric",
	} {
		if got := strings.Join(s.check(expr), ", "); got != want {
			t.Errorf("%s: %q; want %q", expr, got, want)
		}
	}
}

// TestQueriesNameWhatServicesShow starts every service, makes a load through RabbitMQ,
// scrapes all, and holds the rules and the dashboard to that.
func TestQueriesNameWhatServicesShow(t *testing.T) {
	queries := dashboardQueries(t)
	var recorded strings.Builder
	recorded.WriteString("groups: [{name: dashboard, rules: [\n")
	for _, expr := range queries {
		text, _ := json.Marshal(expr)
		fmt.Fprintf(&recorded, "{record: a, expr: %s},\n", text)
	}
	recorded.WriteString("]}]\n")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dashboard.yml"), []byte(recorded.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "check", "rules", "--lint=none", "dashboard.yml")
	for _, rule := range alertRules(t) {
		queries["alert "+rule.name] = rule.expr
	}
	shown := series{}
	for job, text := range scrapeAll(t) {
		shown.add(job, text)
		shown["up"] = map[string][]string{"job": append(shown["up"]["job"], job), "instance": nil}
	}
	for name, expr := range queries {
		for _, what := range shown.check(expr) {
			t.Errorf("%s: no service shows the %s\n%s", name, what, expr)
		}
	}
}

// scrapeAll runs the services and returns what each shows, by its job.
func scrapeAll(t *testing.T) map[string]string {
	t.Helper()
	const any = "--addr=127.0.0.1:0"
	u, err := url.Parse(testenv.Server(t, "EGRID_TEST_AMQP"))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/service"
	dir := build(t)
	store, broker := "--store=sqlite:"+filepath.Join(t.TempDir(), "egrid.db"), "--queue="+u.String()
	consumer := filepath.Join(dir, "consumer")
	services := map[string]*program{
		"database":     start(t, consumer, "database", broker, store, any),
		"error":        start(t, consumer, "error", broker, store, any),
		"notification": start(t, consumer, "notification", broker, any),
		"etl":          start(t, filepath.Join(dir, "etl"), broker, store, any, "--rejects="+t.TempDir(), loadFolder(t)),
		"web":          start(t, filepath.Join(dir, "web"), any),
		"api":          start(t, filepath.Join(dir, "api"), store, any),
	}
	services["gateway"] = start(t, filepath.Join(dir, "gateway"), "--api="+services["api"].url, "--web="+services["web"].url, "--probe=20ms", any)
	for _, page := range []string{"/", "/plants/years", "/levels/GEN/rows", "/levels/GEN/rows?limit=1"} {
		fetchUntil(t, services["gateway"].url+page, http.StatusOK)
	}
	fetchUntil(t, services["etl"].url+"/runs/none/events", http.StatusNotFound) // its route is counted all the same
	shown := map[string]string{}
	for job, p := range services {
		for wait := newPatience(t); ; wait(shown[job]) {
			shown[job] = page(t, p.url+"/metrics")
			if job != "etl" || strings.Contains(shown[job], `egrid_etl_runs_total{result="finished"} 1`) {
				break
			}
		}
	}
	// A database has connections, which a file has not.
	m, pg := telemetry.New(), openPostgres(t)
	m.WatchStore(pg.Scanner)
	server := httptest.NewServer(service.API(t.Context(), pg, m, httpapi.Options{}))
	defer server.Close()
	shown["api"] += page(t, server.URL+"/metrics")
	return shown
}

func page(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get(address) //nolint:gosec // G107: of a service that the test started
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(b)
}

// newPatience returns what waits a moment, and fails the test after half a minute.
func newPatience(t *testing.T) func(state string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	return func(state string) {
		t.Helper()
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about:\n%s", state)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
