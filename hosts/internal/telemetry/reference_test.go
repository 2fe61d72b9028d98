package telemetry_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the page on metrics anew")

var labelNames = regexp.MustCompile(`([a-z_]+)="`)

// holdReference holds the page on metrics to a scrape that has all of them.
func holdReference(t *testing.T, scraped string) {
	t.Helper()
	page := metricsPage(scraped)
	path := filepath.Join("..", "..", "..", "docs", "reference", "metrics.md")
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != page {
		t.Errorf("%s is not as the metrics are: make generate", path)
	}
}

func metricsPage(scraped string) string {
	var b strings.Builder
	b.WriteString("# Metrics\n\n<!-- generated from the metrics: make generate -->\n\n" +
		"`GET /metrics` of every service, for Prometheus. Those of Go and of the process stand beside them. What to alert on is in\n" +
		"[Monitoring](../operations/monitoring.md#alerting).\n\n| metric | type | labels | what it measures |\n|---|---|---|---|\n")
	for line := range strings.Lines(scraped) {
		rest, ok := strings.CutPrefix(line, "# HELP egrid_")
		if !ok {
			continue
		}
		name, help, _ := strings.Cut(strings.TrimSpace(rest), " ")
		name = "egrid_" + name
		_, kind, _ := strings.Cut(scraped, "# TYPE "+name+" ")
		kind, _, _ = strings.Cut(kind, "\n")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, kind, strings.Join(labelsOf(scraped, name), ", "), help)
	}
	return b.String()
}

func labelsOf(scraped, name string) []string {
	var labels []string
	for line := range strings.Lines(scraped) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || strings.HasPrefix(rest, "_total") {
			continue
		}
		for _, found := range labelNames.FindAllStringSubmatch(rest, -1) {
			if label := found[1]; label != "le" && !slices.Contains(labels, label) {
				labels = append(labels, label)
			}
		}
	}
	return labels
}
