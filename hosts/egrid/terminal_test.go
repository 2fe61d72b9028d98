package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// inTerminal runs commands on a terminal of 80 columns, with tmux, and returns the
// lines that each put there. A line that is longer than the terminal comes as one.
func (s shell) inTerminal(setting string, commands [][]string) [][]string {
	s.Helper()
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		testenv.Missing(s.T, "tmux is not installed: %v", err)
	}
	binary, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	socket := filepath.Join(s.TempDir(), "tmux")
	var script strings.Builder
	fmt.Fprintf(&script, "export EGRID_TEST_COMMAND=1 %s\nunset COLUMNS\n", setting)
	for i, args := range commands {
		fmt.Fprintf(&script, "echo '### %d'\n%s", i, terminal.ShellWord(binary))
		for _, arg := range args {
			script.WriteString(" " + terminal.ShellWord(arg))
		}
		script.WriteString(" < /dev/null\n")
	}
	fmt.Fprintf(&script, "echo '### end'\n%s -S %s wait-for -S done\nexec cat\n", tmux, socket)
	do := func(args ...string) string {
		out, err := exec.CommandContext(s.Context(), tmux, append([]string{"-S", socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil {
			s.Fatalf("tmux %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	file := s.file("commands.sh", script.String())
	do("set-option", "-g", "history-limit", "100000", ";", "new-session", "-d", "-x", "80", "-y", "40", "sh "+file)
	defer do("kill-server")
	do("wait-for", "done")
	screen := do("capture-pane", "-p", "-J", "-S", "-", "-E", "-")
	parts := make([][]string, len(commands))
	rest := screen
	for i := range commands {
		_, rest, _ = strings.Cut(rest, fmt.Sprintf("### %d\n", i))
		part, _, ok := strings.Cut(rest, "### ")
		if !ok {
			s.Fatalf("command %d is not on the screen:\n%s", i, screen)
		}
		parts[i] = strings.Split(strings.TrimRight(part, "\n"), "\n")
	}
	return parts
}

// TestTerminal: on a terminal of 80 columns every table is whole: no line is longer,
// and what is asked for is there.
func TestTerminal(t *testing.T) {
	s := newShell(t)
	sample := s.sample()
	s.report(0, sample)
	tests := []struct{ args, has string }{
		{"rows UNT", "unit_"}, {"rows GEN", "net_"}, {"rows PLNT", "plant_name"}, {"rows ST", "state"}, {"rows BA", "balancing_authority"}, {"rows SRL", "subregion_name"},
		{"rows NRL", "nerc_region"}, {"rows US", "net_generation_mwh"}, {"rows GGL", "region"}, {"rows PLNT --year all", "2023"},
		{"rows ST --state TX", "net_generation_mwh"},
		{"rows PLNT -n 2 -c plant_name,operator_name,utility_name,balancing_authority_name,subregion_name,county,latitude,longitude,net_generation_mwh,co2e_output_rate_lb_per_mwh", "co2e_output_rate_lb_per_mwh"},
		{"groups PLNT --by state,fuel_category --measures count,sum(net_generation_mwh),sum(nameplate_capacity_mw),max(plant_name)", "COAL"},
		{"rows GEN --facet fuel,status", "status"}, {"top", "share"}, {"top --year all", "data_"}, {"region ST TX", "coal_generation_share"}, {"region US", "net_generation_mwh"},
		{"snapshots", "published"}, {"snapshots --all", "rows"}, {"columns", "net_generation_mwh"}, {"columns --level SRL", "SRNGENAN"}, {"health", "egrid.db"},
		{"fetch --list", "2023"}, {"factor --us", "CO2e"}, {"factor --state TX --explain", "Plants"}, {"explain ST TX STNGENAN", "STNGENAN"}, {"reconcile", "SHA-256"},
		{"load --dry-run " + sample, "GEN23.csv"}, {"validate --explain " + sample, "Evidence"}, {"map " + filepath.Join(sample, "GEN23.csv"), "becomes"}, {"--help", "Questions"},
		{"rows --help", "--columns"},
	}
	commands := make([][]string, len(tests))
	for i, test := range tests {
		commands[i] = strings.Fields(test.args)
	}
	for i, lines := range s.inTerminal("EGRID_PAGER=cat", commands) {
		name := tests[i].args
		if !strings.Contains(strings.Join(lines, "\n"), tests[i].has) || len(lines) < 2 {
			t.Errorf("egrid %s: no %q in\n%s", name, tests[i].has, strings.Join(lines, "\n"))
		}
		for _, line := range lines {
			if strings.HasPrefix(line, "egrid: ") || strings.Contains(line, sample) || strings.Contains(line, `"`) {
				continue // a sentence, which wraps; a path or JSON, which people copy
			}
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("egrid %s: line of %d: %q", name, n, line)
			}
		}
	}
	// A table goes through the pager, an answer in JSON does not.
	paged := s.inTerminal("EGRID_PAGER='head -n 3'", [][]string{{"rows", "GEN"}, {"rows", "GEN", "--format", "ndjson", "--limit", "20"}})
	if table := slicesOf(paged[0], "egrid: "); len(table) != 3 {
		t.Errorf("through head: %q", paged[0])
	}
	if len(paged[1]) != 20 {
		t.Errorf("%d lines of JSON; want 20", len(paged[1]))
	}
}

// slicesOf are the lines without those that begin with a prefix.
func slicesOf(lines []string, without string) (others []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, without) {
			others = append(others, line)
		}
	}
	return others
}
