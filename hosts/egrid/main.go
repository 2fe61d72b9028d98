// Command egrid is the whole platform in one program: it loads eGRID files,
// answers queries from the shell, and serves the API and the dashboard.
//
//	egrid up
//	egrid load data/2023/GEN23.csv
//	egrid top --state TX --limit 5
//
// # Guarantees
//
// Results go to stdout, logs to stderr. With --json exactly one JSON document
// is printed. Every flag has an environment variable EGRID_<FLAG>.
//
// # Errors
//
// Exit status 0: done; 1: failed; 2: wrong usage; 3: done, but something was
// rejected or held.
//
// # See also
//
// Packages etl, httpapi and egrid do the work, for programs of your own.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

type cli struct {
	Store string `help:"Where the data are: sqlite:PATH, postgres://HOST/DATABASE or mem:. A bare file name is in ${data_dir}." default:"sqlite:egrid.db" placeholder:"URL"`
	Queue string `help:"What carries chunks to the store: amqp://HOST/VHOST. Default: none; the store is written directly." placeholder:"URL"`
	Pager string `help:"Program that shows tables on a terminal page by page; cat for none. Default: less." placeholder:"COMMAND" env:"EGRID_PAGER,PAGER"`
	service.Logging

	Up        upCmd          `cmd:"" help:"Load the sources, or the bundled sample, and serve API and dashboard."`
	Fetch     fetchCmd       `cmd:"" help:"Download EPA's workbook of a data year."`
	Load      loadCmd        `cmd:"" help:"Load files and folders into the store."`
	Validate  validateCmd    `cmd:"" help:"Check files and folders without loading."`
	Scan      scanCmd        `cmd:"" help:"Stage 1 of 5: list what there is to load."`
	Divide    divideCmd      `cmd:"" help:"Stage 3 of 5: find where files can be cut into chunks."`
	Stream    streamCmd      `cmd:"" help:"Stage 4 of 5: decode chunks and put them into the store, unpublished."`
	Report    reportCmd      `cmd:"" help:"Stage 5 of 5: publish what was streamed, and report."`
	Serve     serveCmd       `cmd:"" help:"Serve API and dashboard on an existing store."`
	MCP       mcpCmd         `cmd:"" name:"mcp" help:"Answer a language model's tools (Model Context Protocol) on stdin and stdout."`
	Top       topCmd         `cmd:"" help:"Plants by net generation."`
	Rows      rowsCmd        `cmd:"" help:"Rows of any level."`
	Groups    groupsCmd      `cmd:"" help:"Counts and sums of the rows of any level."`
	Plant     plantCmd       `cmd:"" help:"One plant: all columns, its history, generators and units."`
	Region    regionCmd      `cmd:"" help:"Totals, rates and resource mix of a state, subregion or other region."`
	Factor    factorCmd      `cmd:"" help:"An emission factor, with formula, inputs and sources."`
	Explain   explainCmd     `cmd:"" help:"One published number: formula, inputs, plants and source."`
	Inventory inventoryCmd   `cmd:"" help:"Emissions of a table of sites, with the factor and source of each."`
	ZIP       zipCmd         `cmd:"" name:"zip" help:"Subregions that serve a ZIP code."`
	Reconcile reconcileCmd   `cmd:"" help:"Published figures of regions against recomputed ones."`
	Diff      diffCmd        `cmd:"" help:"What changed between two releases, the largest change first."`
	Snapshots snapshotsCmd   `cmd:"" help:"What is published, and what is held."`
	Publish   publishCmd     `cmd:"" help:"Publish a held load, or again what was published before."`
	Discard   discardCmd     `cmd:"" help:"Drop a held load."`
	Rollback  rollbackCmd    `cmd:"" help:"Publish again what the last publish of a level and data year replaced."`
	Prune     pruneCmd       `cmd:"" help:"Drop snapshots that were published before and are not any more."`
	Columns   columnsCmd     `cmd:"" help:"The dictionary of columns."`
	Dead      deadLettersCmd `cmd:"" name:"dead-letters" help:"Messages that were given up: list, show, replay and drop them."`
	Health    healthCmd      `cmd:"" help:"Whether services, store and queue work; exit status 1 when one does not."`
	Backup    backupCmd      `cmd:"" help:"A consistent copy of an embedded store."`
	Migrate   migrateCmd     `cmd:"" help:"Bring the tables of a PostgreSQL store to this version."`
	Version   versionCmd     `cmd:"" help:"Version, commit and Go version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	exited, code := false, 0
	parser, err := kong.New(&c, kong.Name("egrid"), kong.Description("EPA eGRID data: load, query and serve."), kong.DefaultEnvars("EGRID"), kong.WithHyphenPrefixedParameters(true),
		kong.Vars{"data_dir": service.DataDir(), "log_level": "warn", "log_format": "text"}, kong.Writers(stdout, stderr), kong.UsageOnError(),
		kong.Exit(func(n int) { exited, code = true, n }))
	if err != nil {
		complain(stderr, err)
		return int(failed)
	}
	command, err := parser.Parse(args)
	if exited { // by --help
		return code
	}
	if err != nil {
		complain(stderr, fmt.Errorf("%w; see egrid --help", err))
		return int(wrongUsage)
	}
	a := &app{ctx: ctx, cli: &c, stdin: stdin, stdout: stdout, stderr: stderr, log: c.Logger(stderr)}
	return exitStatus(stderr, command.Run(a))
}
