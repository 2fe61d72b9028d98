package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

const referenceFolder = "../../docs/reference"

// TestReference holds the pages on the command and the settings, and .env.example, to
// the programs.
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
	settings := settingsOf(t, parser.Model)
	reference(t, "settings.md", settingsPage(settings))
	reference(t, "../../.env.example", environmentFile(settings))
	reference(t, "../../hosts/egrid/settings.txt", namesOf(settings))
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

// programSetting is a setting, with the programs that read it and their defaults.
type programSetting struct {
	service.Setting
	programs []string
	defaults map[string][]string // programs by default
}

// settingsOf asks the programs for their settings.
func settingsOf(t *testing.T, egrid *kong.Application) []*programSetting {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../api", "../consumer", "../etl", "../gateway", "../web").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := map[string]*programSetting{}
	add := func(program string, settings []service.Setting) {
		for _, s := range settings {
			p := found[s.Variable]
			if p == nil {
				p = &programSetting{Setting: s, defaults: map[string][]string{}}
				found[s.Variable] = p
			}
			p.programs = append(p.programs, program)
			p.defaults[s.Default] = append(p.defaults[s.Default], program)
		}
	}
	add("egrid", service.Settings("egrid", egrid))
	for _, program := range []string{"api", "consumer", "etl", "gateway", "web"} {
		out, err := exec.Command(filepath.Join(dir, program), "--settings").Output()
		if err != nil {
			t.Fatal(err)
		}
		var settings []service.Setting
		if err := json.Unmarshal(out, &settings); err != nil {
			t.Fatalf("%s --settings: %v: %s", program, err, out)
		}
		add(program, settings)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *programSetting) int { return strings.Compare(a.Variable, b.Variable) })
}

// fallback is the default, or those of each program where they differ.
func (p *programSetting) fallback(mark string) string {
	if len(p.defaults) == 1 {
		if p.Default == "" {
			return ""
		}
		return mark + p.Default + mark
	}
	var parts []string
	for _, text := range slices.Sorted(maps.Keys(p.defaults)) {
		shown := mark + text + mark
		if text == "" {
			shown = "none"
		}
		parts = append(parts, shown+" ("+strings.Join(p.defaults[text], ", ")+")")
	}
	return strings.Join(parts, ", ")
}

// settingsPage lists the settings.
func settingsPage(settings []*programSetting) string {
	var b strings.Builder
	b.WriteString("# Settings\n\n<!-- generated from the programs: make generate -->\n\n" +
		"Environment variables of the programs, each once. A flag of the same name goes before one: `EGRID_STORE` is `--store`. What\n" +
		"a query or a load asks for (year, level, state, format, release and the like) has none.\n\n" +
		"A **secret** is empty unless it is set, is never printed or logged, and may be in a file: `EGRID_STORE_FILE=/run/secrets/store`\n" +
		"stands for `EGRID_STORE`. Both at once are refused. A secret of tokens and API keys is never a flag: see\n" +
		"[Who may ask](../operations.md#who-may-ask). [.env.example](../../.env.example) has the same settings as a file to fill in.\n\n" +
		"| variable | default | kind | meaning | programs |\n|---|---|---|---|---|\n")
	for _, s := range settings {
		name := "`" + s.Variable + "`"
		if s.Secret {
			name += ", secret"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, s.fallback("`"), s.Kind, strings.ReplaceAll(s.Meaning, "|", `\|`), strings.Join(s.programs, ", "))
	}
	b.WriteString("\n## The whole deployment\n\nWhat `make up` reads beside these, from the environment or from a file `.env` at the root of the repository.\n\n" +
		"| variable | default | meaning |\n|---|---|---|\n")
	for _, s := range deployment {
		if s.Default != "" {
			s.Default = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Variable, s.Default, s.Meaning)
	}
	return b.String()
}

// deployment are the settings of examples/reference.
var deployment = []service.Setting{
	{Variable: "EGRID_FORM", Kind: "docker, processes", Meaning: "How make up runs the services. Default: docker where it answers, else processes."},
	{Variable: "EGRID_SEED", Kind: "folder", Default: "examples/data", Meaning: "Files that are uploaded into the bucket."},
	{Variable: "EGRID_BUCKET", Kind: "text", Default: "egrid", Meaning: "The bucket."},
	{Variable: "EGRID_CONSUMERS", Kind: "number", Default: "2", Meaning: "Database consumers."},
	{Variable: "EGRID_DEADLINE", Kind: "seconds", Default: "300", Meaning: "How long make up waits for data."},
	{Variable: "EGRID_PROJECT", Kind: "text", Default: "egrid", Meaning: "Name of the containers."},
	{Variable: "EGRID_IMAGE", Kind: "text", Default: "egrid-reference:local", Meaning: "Image of the programs."},
	{Variable: "EGRID_GO_IMAGE", Kind: "text", Default: "golang:1.26.8", Meaning: "Image that the programs are built in; containers only."},
	{Variable: "EGRID_BROKERS", Kind: "list, by commas", Default: "rabbitmq:5672", Meaning: "The nodes of a cluster of RabbitMQ; containers only."},
	{Variable: "EGRID_DEPLOYMENT_DIR", Kind: "folder", Meaning: "Where processes keep data, logs and binaries. Default: /var/lib/egrid-reference for root, else ~/.local/state/egrid-reference."},
	{Variable: "EGRID_POSTGRES_PASSWORD", Kind: "text", Secret: true, Meaning: "Password of PostgreSQL in containers, before the first start; letters and digits. Empty: that of the trial."},
	{Variable: "EGRID_RABBITMQ_PASSWORD", Kind: "text", Secret: true, Meaning: "Likewise of RabbitMQ."},
	{Variable: "EGRID_PORT_OFFSET", Kind: "number", Default: "0", Meaning: "Moves all ports."},
	{Variable: "EGRID_GATEWAY_PORT", Kind: "number", Default: "8000", Meaning: "Dashboard and API."},
	{Variable: "EGRID_WEB_PORT", Kind: "number", Default: "4000", Meaning: "Dashboard alone."},
	{Variable: "EGRID_API_PORT", Kind: "number", Default: "3000", Meaning: "API."},
	{Variable: "EGRID_MINIO_PORT", Kind: "number", Default: "9000", Meaning: "MinIO."},
	{Variable: "EGRID_MINIO_CONSOLE_PORT", Kind: "number", Default: "9001", Meaning: "MinIO's pages."},
	{Variable: "EGRID_POSTGRES_PORT", Kind: "number", Default: "15432", Meaning: "PostgreSQL; processes only, as those that follow."},
	{Variable: "EGRID_REDIS_PORT", Kind: "number", Default: "16379", Meaning: "Redis."},
	{Variable: "EGRID_RABBITMQ_PORT", Kind: "number", Default: "15680", Meaning: "RabbitMQ, and the two ports behind it."},
	{Variable: "EGRID_ETL_PORT", Kind: "number", Default: "3001", Meaning: "Health and metrics of etl."},
	{Variable: "EGRID_NOTIFICATION_PORT", Kind: "number", Default: "3002", Meaning: "Of the notification consumer."},
	{Variable: "EGRID_ERROR_PORT", Kind: "number", Default: "3003", Meaning: "Of the error consumer."},
	{Variable: "EGRID_DATABASE_PORT", Kind: "number", Default: "3011", Meaning: "Of the first database consumer; the others follow."},
	{Variable: "EGRID_SCRAPE_INTERVAL", Kind: "duration, as 30s", Default: "15s", Meaning: "How often the Prometheus of deployment.sh monitoring asks, and evaluates the rules."},
	{Variable: "EGRID_ALERT_FOR", Kind: "duration, as 30s", Meaning: "How long a condition holds before its alert fires, for all rules of deployment.sh monitoring: for trials. Default: what rules.yml has for each."},
}

// namesOf are the names of all settings, for egrid doctor.
func namesOf(settings []*programSetting) string {
	var names []string
	for _, s := range settings {
		names = append(names, s.Variable)
	}
	for _, s := range deployment {
		names = append(names, s.Variable)
	}
	return strings.Join(names, "\n") + "\n"
}

// environmentFile is .env.example.
func environmentFile(settings []*programSetting) string {
	var b strings.Builder
	b.WriteString("# Every setting, with its default, kind and meaning. Made from the programs by make generate.\n" +
		"# Copy it to .env, and take the # away from what you set. A secret may be in a file:\n" +
		"# NAME_FILE=/run/secrets/name instead of NAME=.\n")
	write := func(s service.Setting, fallback, programs string) {
		fmt.Fprintf(&b, "\n# %s (%s%s)\n", s.Meaning, s.Kind, programs)
		if fallback != "" {
			fmt.Fprintf(&b, "# Default: %s\n", fallback)
		}
		if s.Secret {
			s.Default = ""
		}
		fmt.Fprintf(&b, "#%s=%s\n", s.Variable, s.Default)
	}
	b.WriteString("\n# ---- The programs\n")
	for _, s := range settings {
		fallback := ""
		if len(s.defaults) > 1 {
			fallback = s.fallback("")
			s.Default = ""
		}
		write(s.Setting, fallback, "; "+strings.Join(s.programs, ", "))
	}
	b.WriteString("\n# ---- The whole deployment (make up)\n")
	for _, s := range deployment {
		write(s, "", "")
	}
	return b.String()
}

// Every setting that is a secret, or an address that may hold one, has a form by file,
// and no other looks like a secret.
func TestSecretsByFile(t *testing.T) {
	var c cli
	parser, err := parserOf(&c, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	looks := regexp.MustCompile(`PASSWORD|SECRET|_KEYS?$|TOKEN`)
	secrets := 0
	for _, s := range settingsOf(t, parser.Model) {
		file := strings.HasSuffix(s.Variable, "_FILE")
		if looks.MatchString(strings.TrimSuffix(s.Variable, "_FILE")) && !s.Secret && !file && s.Variable != "EGRID_TLS_KEY" { // which names a file
			t.Errorf("%s looks like a secret, and has no form by file", s.Variable)
		}
		if strings.Contains(s.Meaning, "PASSWORD") && !s.Secret {
			t.Errorf("%s may hold a password, and has no form by file", s.Variable)
		}
		if s.Secret {
			secrets++
		}
	}
	if secrets != 13 {
		t.Errorf("%d settings are secrets; want 13", secrets)
	}
}
