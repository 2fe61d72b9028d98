// Package repocheck_test holds to each other what is written in several places of this
// repository: hooks and CI, the settings of deployments, tables of documents that name
// files and tests.
package repocheck_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// inCI is what make test runs of a step of the hooks.
var inCI = map[string]string{
	"secrets": "check-secrets", "environment": "check-environment", "format": "check-format", "vet": "lint", "lint": "lint", "unit": "with-services",
	"page": "page", "compose": "check-compose", "fresh": "generate-check", "message": "check-messages", "messages": "check-messages",
	"pipeline": "check-pipeline", "api": "check-api", "openapi": "check-openapi", "race": "with-services", "health": "check-health",
	"integration": "with-services", "e2e": "nested", "vulnerabilities": "vuln-if-reachable",
}

var (
	jobs    = regexp.MustCompile(`(?m)^    - \{name: (\w+),.* (?:run: "?internal/scripts/check\.sh (\w+))`)
	targets = regexp.MustCompile(`(?m)^([a-z0-9-]+):([^#\n=]*)`)
	lists   = regexp.MustCompile(`(?m)^\t@internal/scripts/together\.sh (.*)$`) // what the target together makes
)

// TestHooks wants each step of the hooks in CI, and a fault planted for it.
func TestHooks(t *testing.T) {
	t.Parallel()
	refusing, _, _ := strings.Cut(read(t, "lefthook.yml"), "# Notes, which refuse nothing.")
	faults := read(t, "internal/scripts/hooks-check.sh")
	ran := prerequisites(read(t, "Makefile"), "test")
	found := jobs.FindAllStringSubmatch(refusing, -1)
	if want := strings.Count(refusing, "- {name:"); len(found) != want || want == 0 {
		t.Fatalf("%d of %d steps could be read", len(found), want)
	}
	for _, job := range found {
		name, step := job[1], job[2]
		if name != step {
			t.Errorf("step %s runs check.sh %s: one name for both", name, step)
		}
		if target := inCI[step]; !slices.Contains(ran, target) {
			t.Errorf("step %s: make test does not run %q", step, target)
		}
		if !regexp.MustCompile(`(?m)(^|\s)(commit|push) ` + step + `\b`).MatchString(faults) {
			t.Errorf("step %s: hooks-check.sh plants no fault for it", step)
		}
	}
	if !slices.Contains(ran, "hooks-check") {
		t.Error("make test does not run hooks-check")
	}
}

// TestPipeline wants the build server to run what contributors run.
func TestPipeline(t *testing.T) {
	t.Parallel()
	if text := read(t, ".ci/run"); !strings.Contains(text, "CI=true") || !regexp.MustCompile(`(?m)^make test\b`).MatchString(text) {
		t.Error(".ci/run does not run make test with CI=true")
	}
	makefile := read(t, "Makefile")
	all := prerequisites(makefile, "test")
	for _, name := range all {
		if !strings.ContainsAny(name, "$/") && !strings.HasPrefix(name, "check-") && !strings.Contains(makefile, "\n"+name+":") {
			t.Errorf("make test needs %s, which is no target", name)
		}
	}
	for _, needed := range []string{"lint", "page", "generate-check", "with-services", "faults", "fuzz-with-database", "nested", "checks", "together", "airflow", "newcomer", "vuln-if-reachable"} {
		if !slices.Contains(all, needed) {
			t.Errorf("make test does not run %s", needed)
		}
	}
}

// prerequisites are the targets that a target needs, and those that these need.
func prerequisites(makefile, target string) []string {
	needs := map[string][]string{}
	for _, m := range targets.FindAllStringSubmatch(makefile, -1) {
		needs[m[1]] = append(needs[m[1]], strings.Fields(m[2])...)
	}
	for _, m := range lists.FindAllStringSubmatch(makefile, -1) {
		needs["together"] = append(needs["together"], strings.Fields(strings.ReplaceAll(m[1], `"`, ""))...)
	}
	var all []string
	for queue := []string{target}; len(queue) > 0; queue = queue[1:] {
		for _, n := range needs[queue[0]] {
			if !slices.Contains(all, n) {
				all, queue = append(all, n), append(queue, n)
			}
		}
	}
	return all
}
