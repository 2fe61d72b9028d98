package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

const referenceFolder = "../../docs/reference"

// TestReference holds the pages on the command and its settings to the command.
func TestReference(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/home/you/.local/share") // named in the help
	t.Setenv("COLUMNS", "80")
	var c cli
	parser, err := parserOf(&c, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	leaves := parser.Model.Leaves(true)
	reference(t, "command.md", commandPage(t, leaves))
	reference(t, "settings.md", settingsPage(parser.Model.Node, leaves))
}

func reference(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(referenceFolder, name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s is not as the command has it: make generate", path)
	}
}

// commandPage is the help of every command.
func commandPage(t *testing.T, leaves []*kong.Node) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# The command\n\n<!-- generated from the command: make generate -->\n\n" +
		"What every `egrid COMMAND --help` prints. Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but something was\n" +
		"rejected or held. Results go to standard output, logs and counts to standard error. [Settings](settings.md) says which\n" +
		"flags have an environment variable; [tasks](../tasks.md) shows the command at work.\n")
	for _, leaf := range leaves {
		words := strings.Fields(strings.TrimPrefix(leaf.FullPath(), "egrid"))
		var out, complaints bytes.Buffer
		if code := run(t.Context(), append(words, "--help"), strings.NewReader(""), &out, &complaints); code != 0 {
			t.Fatalf("%v --help: status %d: %s", words, code, complaints.String())
		}
		fmt.Fprintf(&b, "\n## egrid %s\n\n```text\n%s```\n", strings.Join(words, " "), strings.TrimRight(out.String(), "\n")+"\n")
	}
	return b.String()
}

// settingsPage lists the flags that have an environment variable.
func settingsPage(root *kong.Node, leaves []*kong.Node) string {
	type setting struct {
		help, fallback string
		commands       []string
	}
	settings := map[string]*setting{}
	add := func(command string, flags []*kong.Flag) {
		for _, f := range flags {
			if len(f.Envs) == 0 || f.Name == "help" {
				continue
			}
			key := "`" + strings.Join(f.Envs, "`, `") + "`"
			s := settings[key]
			if s == nil {
				s = &setting{help: strings.ReplaceAll(f.Help, "|", `\|`), fallback: f.Default}
				settings[key] = s
			}
			if s.fallback != f.Default {
				s.fallback = "differs"
			}
			if !slices.Contains(s.commands, command) {
				s.commands = append(s.commands, command)
			}
		}
	}
	add("all", root.Flags)
	for _, leaf := range leaves {
		add(strings.TrimSpace(strings.TrimPrefix(leaf.Path(), "egrid")), leaf.Flags)
	}
	var b strings.Builder
	b.WriteString("# Settings\n\n<!-- generated from the command: make generate -->\n\n" +
		"Environment variables of the command `egrid`. A flag of the same name goes before one: `EGRID_STORE` is `--store`. What a\n" +
		"query or a load asks for (year, level, state, format, release and the like) has none. The other services name theirs\n" +
		"in `--help`. Secrets are never flags: see [Who may ask](../operations.md#who-may-ask).\n\n" +
		"| variable | default | meaning | commands |\n|---|---|---|---|\n")
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := settings[name]
		if s.fallback != "" && s.fallback != "differs" {
			s.fallback = "`" + s.fallback + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, s.fallback, s.help, strings.Join(s.commands, ", "))
	}
	return b.String()
}
