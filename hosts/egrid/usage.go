package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

// parser reads the command line.
type parser struct{ *kong.Kong }

// parserOf makes the parser; exit is called by --help and --version.
func parserOf(c *cli, stdout, stderr io.Writer, exit func(int)) (parser, error) {
	k, err := kong.New(c, kong.Name("egrid"), kong.Description("EPA eGRID data: load, query and serve."), kong.DefaultEnvars("EGRID"), service.SecretFiles(), kong.PostBuild(onlySettings), kong.PostBuild(addExamples), kong.WithHyphenPrefixedParameters(true),
		kong.Vars{
			"data_dir": service.DataDir(), "default_store": service.DefaultStore(), "log_level": "warn", "log_format": "text", "version": versionLine(),
		},
		kong.Writers(stdout, stderr), kong.UsageOnError(), kong.Exit(exit),
		kong.ExplicitGroups([]kong.Group{
			{Key: "start", Title: "Files into a store, and a store onto the screen:"}, {Key: "ask", Title: "Questions:"}, {Key: "decide", Title: "What is published:"},
			{Key: "stages", Title: "Loading stage by stage:"}, {Key: "operate", Title: "Operation:"},
		}),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, Compact: true}))
	return parser{k}, err
}

// onlySettings leaves environment variables to settings: the flags of all commands and
// of what serves, and a few others. What a query or a load asks for has none, since it
// would be asked for again by whoever comes later.
func onlySettings(k *kong.Kong) error {
	settings := []string{"catalogue", "chunk-bytes", "keep", "max-bytes", "max-files", "max-sheets", "max-time", "rejects", "timeout", "workers"}
	return kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
		node, ok := n.(*kong.Node)
		if app, is := n.(*kong.Application); is {
			node, ok = app.Node, true
		}
		if ok && node.Parent != nil && node.Name != "serve" && node.Name != "up" {
			for _, f := range node.Flags {
				if !slices.Contains(settings, f.Name) {
					f.Envs, f.Tag.Envs = nil, nil
				}
			}
		}
		return next(nil)
	})
}

// examples are those of commands whose Help has none, by the command behind egrid.
func examples() map[string][]string {
	return map[string][]string{
		"up":                  {"egrid up", "egrid up downloads/ --addr :8080", "egrid up eGRID2023_data.xlsx --store egrid.db"},
		"serve":               {"egrid serve", "egrid serve --store egrid.db --addr :8080", "egrid serve --sources s3://bucket/egrid --rate-limit 100"},
		"scan":                {"egrid scan downloads/", "egrid scan s3://bucket/egrid | egrid validate --in -"},
		"divide":              {"egrid scan downloads/ | egrid validate --in - | egrid divide --in - > plan.json", "egrid divide --in checked.json --out s3://bucket/run/plan.json"},
		"stream":              {"egrid stream --in plan.json > streamed.json", "egrid stream --in s3://bucket/run/plan.json --part 3/8"},
		"report":              {"egrid report --in streamed.json --publish merge", "egrid report --in s3://bucket/run/plan.json"},
		"notify":              {"egrid notify 'Load of 2023 failed' --text 'The bucket cannot be read.'", "egrid notify 'Disk is nearly full' --kind disk --text - < df.txt"},
		"snapshots":           {"egrid snapshots", "egrid snapshots --all --wide", "egrid snapshots --json"},
		"publish":             {"egrid publish 1f6a0c9e44b2d7305f18c6aa", "egrid publish --merge 1f6a0c9e44b2d7305f18c6aa"},
		"discard":             {"egrid discard 1f6a0c9e44b2d7305f18c6aa"},
		"rollback":            {"egrid rollback SRL 2018", "egrid rollback GEN 2023 --release rev1"},
		"prune":               {"egrid prune --keep 2", "egrid prune --older-than 30d"},
		"columns":             {"egrid columns --level PLNT", "egrid columns --history NAMEPCAP --level ST", "egrid columns --history STGENNB --json"},
		"health":              {"egrid health", "egrid health http://127.0.0.1:4000 postgres://egrid@db/egrid", "egrid health --json --timeout 2s"},
		"doctor":              {"egrid doctor", "egrid doctor --deployment --env .env --gateway https://grid.example.org --json"},
		"backup":              {"egrid backup egrid-backup.db", "egrid backup --store egrid.db /backups/egrid.db"},
		"migrate":             {"egrid migrate --store postgres://egrid@db/egrid"},
		"version":             {"egrid version", "egrid version --json"},
		"mcp":                 {"egrid mcp", "egrid mcp --store /data/egrid.db"},
		"dead-letters":        {"egrid dead-letters list --queue amqp://broker/"},
		"dead-letters list":   {"egrid dead-letters list", "egrid dead-letters list database --json"},
		"dead-letters show":   {"egrid dead-letters show database 3f2b"},
		"dead-letters replay": {"egrid dead-letters replay database --all"},
		"dead-letters drop":   {"egrid dead-letters drop database 3f2b"},
	}
}

// addExamples puts the examples into the help of the commands.
func addExamples(k *kong.Kong) error {
	all := examples()
	return kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
		if node, ok := n.(*kong.Node); ok && node.Parent != nil && !strings.Contains(node.Detail, "Examples:") {
			if lines := all[strings.TrimPrefix(commandOf(node), "egrid ")]; lines != nil {
				node.Detail = strings.TrimSpace(node.Detail + "\n\nExamples:\n\n  " + strings.Join(lines, "\n  "))
			}
		}
		return next(nil)
	})
}

// settle gives settings that are set and empty their defaults.
func (c *cli) settle() {
	c.Store = cmp.Or(c.Store, service.DefaultStore())
}

func versionLine() string {
	b := service.Version()
	return fmt.Sprintf("egrid %s %s %s", b.Version, b.Commit, b.Go)
}

// mistake says in one line what is wrong with the arguments, and the way out.
func (p parser) mistake(args []string, err error) error {
	node := p.Model.Node
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if selected := parse.Context.Selected(); selected != nil {
			node = selected
		}
	}
	text, _, _ := strings.Cut(err.Error(), ", did you mean")
	text = strings.Replace(text, egrid.ErrInvalid.Error()+": ", "", 1) // which the exit status says
	help := "see " + strings.TrimSpace(commandOf(node)) + " --help"
	switch {
	case strings.HasPrefix(text, "unknown flag "):
		name := strings.TrimPrefix(text, "unknown flag ")
		return fmt.Errorf("%s has no flag %s%s; %s", strings.TrimSpace(commandOf(node)), name, hint(flagMeant(node, name)), help)
	case strings.HasPrefix(text, "unexpected argument "):
		name := strings.TrimPrefix(text, "unexpected argument ")
		if len(node.Children) > 0 {
			return fmt.Errorf("%s is no command%s; %s", name, hint(commandMeant(node, name)), help)
		}
		return fmt.Errorf("%s takes no argument %q there%s; %s", strings.TrimSpace(commandOf(node)), name, hint(argumentMeant(node, name)), help)
	case strings.HasPrefix(text, "expected one of "):
		return fmt.Errorf("a command is missing: %s; %s", strings.TrimPrefix(text, "expected "), help)
	case strings.HasPrefix(text, `expected "<`):
		what := strings.NewReplacer("<", "", ">", "").Replace(strings.Trim(strings.TrimPrefix(text, "expected "), `"`))
		return fmt.Errorf("%s needs %s%s; %s", strings.TrimSpace(commandOf(node)), strings.ToUpper(what), exampleOf(node), help)
	}
	return fmt.Errorf("%s; %s", text, help)
}

// exampleOf is the first example of a command itself; others may come before it.
func exampleOf(node *kong.Node) string {
	for line := range strings.Lines(node.Detail) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, strings.TrimSpace(commandOf(node))+" ") {
			return ", e.g. " + line
		}
	}
	return ""
}

// argumentMeant is the flag that an argument was probably meant for.
func argumentMeant(node *kong.Node, name string) string {
	level, err := egrid.ParseLevel(name)
	if err != nil || !slices.ContainsFunc(node.Flags, func(f *kong.Flag) bool { return f.Name == "level" }) {
		return ""
	}
	return "--level " + string(level)
}

func hint(meant string) string {
	if meant == "" {
		return ""
	}
	return "; did you mean " + meant + "?"
}

// commandOf is a command as it is typed.
func commandOf(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return commandOf(n.Parent) + " " + n.Name
}

// otherNames are commands and flags as people know them from elsewhere.
func otherNames() map[string]string {
	return map[string]string{
		"query": "rows", "select": "rows", "list": "rows", "ls": "snapshots", "show": "plant", "import": "load", "insert": "load", "ingest": "load", "download": "fetch",
		"start": "serve", "server": "serve", "run": "up", "aggregate": "groups", "group": "groups", "count": "groups", "states": "region", "state": "region", "schema": "columns",
		"undo": "rollback", "remove": "discard", "delete": "discard", "check": "validate", "emissions": "factor", "status": "health", "dump": "backup", "export": "rows",
		"--order": "--sort", "--order-by": "--sort", "--where": "--filter", "--col": "--columns", "--cols": "--columns", "--column": "--columns", "--fields": "--columns", "--out": "--output",
		"--file": "--output", "--max": "--limit", "--top": "--limit", "--rows": "--limit", "--grep": "--search", "--find": "--search", "--db": "--store", "--database": "--store",
		"--port": "--addr", "--listen": "--addr", "--host": "--addr", "--csv": "--format csv", "--parquet": "--format parquet", "--xlsx": "--format xlsx", "--ndjson": "--format ndjson",
		"--verbose": "--log-level debug", "--quiet": "--log-level error", "--region": "--subregion",
		"--zip": "--subregion CODE, which egrid zip ZIP tells", "--zipcode": "--subregion CODE, which egrid zip ZIP tells",
	}
}

func commandMeant(node *kong.Node, name string) string {
	var names []string
	for _, child := range node.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	if other := otherNames()[strings.ToLower(name)]; slices.Contains(names, other) {
		return other
	}
	return egrid.Nearest(name, names)
}

func flagMeant(node *kong.Node, name string) string {
	var names []string
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		}
	}
	if other := otherNames()[strings.ToLower(name)]; other != "" && slices.Contains(names, strings.Fields(other)[0]) {
		return other
	}
	return egrid.Nearest(name, names)
}
