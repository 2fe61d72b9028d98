package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		words string // the last one is completed; _ is an empty one
		has   string // words of the answer, in this order
		not   string
	}{
		{"_", "up load top rows groups plant region completion", "__complete"},
		{"r", "rows region reconcile rollback report", "top"},
		{"rows _", "UNT GEN PLNT ST", ""},
		{"rows g", "GEN GGL", "PLNT"},
		{"rows GEN --st", "--state --store", "--sort"},
		{"rows GEN --state _", "AK TX WY", ""},
		{"rows GEN --state tx,o", "tx,OH tx,OK tx,OR", "TX"},
		{"rows GEN --state=o", "OH OK OR", ""},
		{"rows GEN --state = o", "OH OK OR", ""}, // as bash splits it
		{"rows GEN -s T", "TN TX", ""},
		{"rows GEN --columns plant_name,net_gen", "plant_name,net_generation_mwh", "PLNGENAN"},
		{"rows SRL --columns subr", "subregion subregion_name", ""},
		{"rows --level SRL --sort -net_gen", "-net_generation_mwh", ""},
		{"groups GEN --by fu", "fuel", "fuel_category"},
		{"groups GEN --measures count,sum(net_generation_m", "count,sum(net_generation_mwh)", ""},
		{"top --fuel-category s", "SOLAR", "WIND"},
		{"top --fuel w", "WC WO WAT WDL WDS WND WH", "NG"},
		{"rows GEN --format _", "table json csv ndjson xlsx geojson parquet", ""},
		{"rows GEN --output _", ":files", ""},
		{"load _", ":files", ""},
		{"region srl c", "CAMX", "TX"},
		{"region ST te", "", "TX"},
		{"load x.csv --publish _", "auto replace merge hold", ""},
		{"completion _", "bash zsh fish", ""},
		{"dead-letters _", "list show replay drop", ""},
		{"fetch _", "2023", ""},
		{"factor --gwp ar", "ar4 ar5 ar6", "published"},
		{"--log-level _", "debug info warn error", ""},
	} {
		t.Run(test.words, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(test.words)
			if last := len(words) - 1; words[last] == "_" {
				words[last] = ""
			}
			var out strings.Builder
			if got := run(t.Context(), append([]string{completeCommand}, words...), nil, &out, &out); got != 0 {
				t.Fatalf("exit status %d: %s", got, &out)
			}
			var candidates []string
			for line := range strings.Lines(out.String()) {
				word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
				candidates = append(candidates, word)
			}
			rest := " " + strings.Join(candidates, " ") + " "
			for word := range strings.FieldsSeq(test.has) {
				_, behind, ok := strings.Cut(rest, " "+word+" ")
				if !ok {
					t.Fatalf("%s is not in %q", word, candidates)
				}
				rest = " " + behind
			}
			if test.not != "" && strings.Contains(" "+strings.Join(candidates, " ")+" ", " "+test.not+" ") {
				t.Errorf("%s is in %q", test.not, candidates)
			}
		})
	}
}

// TestCompletionScripts: the shells take the scripts, and complete with them.
func TestCompletionScripts(t *testing.T) {
	s := newShell(t)
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	command := filepath.Join(bin, "egrid")
	if err := os.WriteFile(command, []byte("#!/bin/sh\nEGRID_TEST_COMMAND=1 exec "+binary+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for shell, script := range map[string]string{
		"bash": `source "$1"; COMP_WORDS=(egrid rows GEN --state T); COMP_CWORD=4; _egrid; printf '%s\n' "${COMPREPLY[@]}"`,
		// Neither completes without a terminal: what their functions ask for is what is tried.
		"zsh":  `compdef() { :; }; _describe() { print -l -- "${described[@]}"; }; compset() { :; }; source "$1"; words=(egrid rows GEN --state T); CURRENT=5; _egrid`,
		"fish": `source $argv[1]; complete -C 'egrid rows GEN --state T'`,
	} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				testenv.Missing(t, "%s is not installed: %v", shell, err)
			}
			file := s.file("egrid."+shell, s.run(0, "completion", shell))
			args := []string{"-c", script, shell, file}
			if shell == "fish" {
				args = []string{"-c", script, file}
			}
			run := exec.CommandContext(t.Context(), path, args...)
			run.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir())
			out, err := run.CombinedOutput()
			if text := string(out); err != nil || !strings.Contains(text, "TN") || !strings.Contains(text, "TX") || strings.Contains(text, "OK") {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}
