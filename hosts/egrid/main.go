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
// is printed. Settings, as --store, have an environment variable EGRID_<FLAG>; what a
// query or a load asks for has none. Reading makes no store.
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
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

type cli struct {
	Store       string           `help:"Where the data are: a file (PATH or sqlite:PATH), postgres://USER:PASSWORD@HOST/DATABASE or mem:. Default: ${default_store}" default:"${default_store}" placeholder:"URL"`
	Queue       string           `help:"What carries chunks to the store: amqp://HOST/VHOST. Default: none; the store is written directly." placeholder:"URL"`
	ShowVersion kong.VersionFlag `name:"version" short:"V" env:"-" help:"Print version, commit and Go version."`
	Pager       string           `help:"Program that shows tables on a terminal page by page; cat for none. Default: less." placeholder:"COMMAND" env:"EGRID_PAGER,PAGER"`
	service.Logging

	Up         upCmd          `cmd:"" group:"start" help:"Load the sources, or the bundled sample, and serve API and dashboard."`
	Fetch      fetchCmd       `cmd:"" group:"start" help:"Download EPA's workbook of a data year."`
	Load       loadCmd        `cmd:"" group:"start" help:"Load files and folders into the store."`
	Serve      serveCmd       `cmd:"" group:"start" help:"Serve API and dashboard on an existing store."`
	Map        mapCmd         `cmd:"" group:"start" help:"Propose an etl.json for a file whose headers are not EPA's."`
	Top        topCmd         `cmd:"" group:"ask" help:"Plants by net generation."`
	Rows       rowsCmd        `cmd:"" group:"ask" help:"Rows of any level."`
	Groups     groupsCmd      `cmd:"" group:"ask" help:"Counts and sums of the rows of any level."`
	Plant      plantCmd       `cmd:"" group:"ask" help:"One plant: all columns, its history, generators and units."`
	Region     regionCmd      `cmd:"" group:"ask" help:"Totals, rates and resource mix of a state, subregion or other region."`
	Factor     factorCmd      `cmd:"" group:"ask" help:"An emission factor, with formula, inputs and sources."`
	Inventory  inventoryCmd   `cmd:"" group:"ask" help:"Emissions of a table of sites, with the factor and source of each."`
	Explain    explainCmd     `cmd:"" group:"ask" help:"One published number: formula, inputs, plants and source."`
	ZIP        zipCmd         `cmd:"" group:"ask" name:"zip" help:"Subregions that serve a ZIP code."`
	Reconcile  reconcileCmd   `cmd:"" group:"ask" help:"Published figures of regions against recomputed ones."`
	Diff       diffCmd        `cmd:"" group:"ask" help:"What changed between two releases, the largest change first."`
	Columns    columnsCmd     `cmd:"" group:"ask" help:"The dictionary of columns."`
	MCP        mcpCmd         `cmd:"" group:"ask" name:"mcp" help:"Answer a language model's tools (Model Context Protocol) on stdin and stdout."`
	Snapshots  snapshotsCmd   `cmd:"" group:"decide" help:"What is published, and what is held."`
	Publish    publishCmd     `cmd:"" group:"decide" help:"Publish a held load, or again what was published before."`
	Discard    discardCmd     `cmd:"" group:"decide" help:"Drop a held load."`
	Rollback   rollbackCmd    `cmd:"" group:"decide" help:"Publish again what the last publish of a level and data year replaced."`
	Prune      pruneCmd       `cmd:"" group:"decide" help:"Drop snapshots that were published before and are not any more."`
	Validate   validateCmd    `cmd:"" group:"stages" help:"Check files and folders without loading; stage 2 of 5."`
	Scan       scanCmd        `cmd:"" group:"stages" help:"Stage 1 of 5: list what there is to load."`
	Divide     divideCmd      `cmd:"" group:"stages" help:"Stage 3 of 5: find where files can be cut into chunks."`
	Stream     streamCmd      `cmd:"" group:"stages" help:"Stage 4 of 5: decode chunks and put them into the store, unpublished."`
	Report     reportCmd      `cmd:"" group:"stages" help:"Stage 5 of 5: publish what was streamed, and report."`
	Health     healthCmd      `cmd:"" group:"operate" help:"Whether services, store and queue work; exit status 1 when one does not."`
	Notify     notifyCmd      `cmd:"" group:"operate" help:"Send a notice to the consumer of notifications."`
	Runs       runsCmd        `cmd:"" group:"operate" help:"Loads of every process, by command, schedule, order or notification: list and show them."`
	Doctor     doctorCmd      `cmd:"" group:"operate" help:"Whether this set-up, or a deployment, is as it should be, and what to do where it is not."`
	Dead       deadLettersCmd `cmd:"" group:"operate" name:"dead-letters" help:"Messages that were given up: list, show, replay and drop them."`
	Backup     backupCmd      `cmd:"" group:"operate" help:"A consistent copy of an embedded store."`
	Migrate    migrateCmd     `cmd:"" group:"operate" help:"Bring the tables of a PostgreSQL store to this version."`
	Completion completionCmd  `cmd:"" group:"operate" help:"A completion script for bash, zsh or fish."`
	Version    versionCmd     `cmd:"" group:"operate" help:"Version, commit and Go version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == completeCommand {
		return exitStatus(stderr, complete(stdout, args[1:]))
	}
	var c cli
	exited, code := false, 0
	parser, err := parserOf(&c, stdout, stderr, func(n int) { exited, code = true, n })
	if err != nil {
		complain(stderr, err)
		return int(failed)
	}
	command, err := parser.Parse(args)
	if exited { // by --help
		return code
	}
	if err != nil {
		complain(stderr, parser.mistake(args, err))
		return int(wrongUsage)
	}
	c.settle()
	a := &app{cli: &c, stdin: stdin, stdout: stdout, stderr: stderr, level: service.NewLevel()}
	a.log = c.LoggerAt(stderr, a.level.Var())
	var flush func()
	if a.ctx, flush, err = c.Recording(ctx, "egrid", a.log); err == nil {
		defer flush()
		err = command.Run(a)
	}
	return exitStatus(stderr, err)
}
