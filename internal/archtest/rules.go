package archtest

// Rule says what the packages that it names may import. The standard library
// and, in tests, the package itself are always allowed.
type Rule struct {
	// Packages are folders of the module; "." is the root package, and
	// "hosts/..." is hosts and everything below it.
	Packages []string
	// Own are the packages of this module that may be imported, written as
	// in Packages.
	Own []string
	// Modules are the third-party modules that may be imported.
	Modules []string
	// TestOwn are further packages of this module that only the tests may
	// import. There is no such list for modules: tests that need a module
	// which the package does not need belong to another package, because a
	// consumer's go mod tidy loads the tests of what it imports.
	TestOwn []string
	// Why is the sentence that a violation prints.
	Why string
}

// Rules is the authoritative table of import budgets. A package that no rule
// names is a violation: a new package, like a new dependency, starts with a
// line here. The depguard section of .golangci.yml repeats the modules, so that
// editors tell sooner.
func Rules() []Rule {
	const (
		kong   = "github.com/alecthomas/kong"
		huma   = "github.com/danielgtaylor/huma/v2"
		mux    = "github.com/gorilla/mux"
		lru    = "github.com/hashicorp/golang-lru/v2"
		amqp   = "github.com/rabbitmq/amqp091-go"
		conc   = "github.com/sourcegraph/conc"
		cors   = "github.com/rs/cors"
		jwt    = "github.com/golang-jwt/jwt/v5"
		pgx    = "github.com/jackc/pgx/v5"
		sqlite = "modernc.org/sqlite"
		minio  = "github.com/minio/minio-go/v7"
		cron   = "github.com/netresearch/go-cron"
		prom   = "github.com/prometheus/client_golang"
		swgui  = "github.com/swaggest/swgui"
		redis  = "github.com/redis/go-redis/v9"
		mscfb  = "github.com/richardlehane/mscfb"
		pq     = "github.com/parquet-go/parquet-go"
		zstd   = "github.com/klauspost/compress"
		mcpsdk = "github.com/modelcontextprotocol/go-sdk"
		sys    = "golang.org/x/sys"

		otel     = "go.opentelemetry.io/otel"
		otelSDK  = "go.opentelemetry.io/otel/sdk"
		otelOTLP = "go.opentelemetry.io/otel/exporters/otlp/otlptrace"
		otelAPI  = "go.opentelemetry.io/otel/trace"
		otlp     = "go.opentelemetry.io/proto/otlp"
		protobuf = "google.golang.org/protobuf"
	)
	return []Rule{
		{
			Packages: []string{"."},
			TestOwn:  []string{"egrid/...", "etl/...", "queue/...", "cache", "httpapi/...", "examples/..."},
			Why:      "the root package is documentation and one Example",
		},
		{
			Packages: []string{"internal/trace"},
			Why:      "internal/trace is what queue, etl, httpapi and the SQL stores agree on without knowing each other: below all of them, standard library only",
		},
		{
			Packages: []string{"egrid/internal/cell"},
			Why:      "how cells are written is below the domain: standard library only",
		},
		{
			Packages: []string{"egrid"},
			Own:      []string{"egrid/internal/cell"},
			TestOwn:  []string{"egrid/memstore", "egrid/egridtest"},
			Why:      "egrid is the nouns: standard library only, and unaware of queue and of every other package",
		},
		{
			Packages: []string{"egrid/sheet"},
			Own:      []string{"egrid", "egrid/internal/cell"},
			TestOwn:  []string{"egrid/egridtest"},
			Why:      "sheet makes batches of bytes: whoever reads files needs no store",
		},
		{
			Packages: []string{"internal/spool"},
			Why:      "what is kept of a stream is below all that unpacks: standard library only",
		},
		{
			Packages: []string{"internal/unpack"},
			Own:      []string{"egrid"},
			Why:      "the bounds of what unpacks are those of every kind of file",
		},
		{
			Packages: []string{"egrid/book/internal/xlsx"},
			Own:      []string{"egrid", "internal/unpack"},
			TestOwn:  []string{"egrid/sheet"},
			Why:      "a reader of one kind of workbook knows no other kind, and no levels",
		},
		{
			Packages: []string{"egrid/book"},
			Own:      []string{"egrid", "egrid/book/internal/...", "internal/spool", "internal/unpack"},
			TestOwn:  []string{"egrid/sheet", "egrid/egridtest"},
			Why:      "book makes text of any file: what the text says is for sheet",
		},
		{
			Packages: []string{"egrid/book/internal/xls"},
			Own:      []string{"egrid"},
			Modules:  []string{mscfb},
			Why:      "a reader of .xls files makes text of them: it knows the file format and one library of compound files",
		},
		{
			Packages: []string{"egrid/export"},
			Own:      []string{"egrid"},
			TestOwn:  []string{"egrid/book"},
			Why:      "files of rows are written from batches: the nouns and the standard library, so every server and command can afford it",
		},
		{
			Packages: []string{"egrid/parquetfile"},
			Own:      []string{"egrid", "egrid/book", "egrid/export", "internal/unpack"},
			Modules:  []string{pq, zstd},
			Why:      "Parquet brings a library: only who plugs it into book, etl or httpapi has it in the binary",
		},
		{
			Packages: []string{"egrid/book/internal/charset"},
			Own:      []string{"egrid"},
			Why:      "encodings are bytes and letters: standard library only",
		},
		{
			Packages: []string{"egrid/calc/inventory"},
			Own:      []string{"egrid", "egrid/calc", "egrid/export", "egrid/shapes", "egrid/store"},
			TestOwn:  []string{"egrid/book", "egrid/sheet", "egrid/memstore"},
			Why:      "an inventory asks a DB for factors, and writes what people open",
		},
		{
			Packages: []string{"egrid/shapes"},
			Own:      []string{"egrid"},
			Why:      "outlines are read by whoever draws them and by whoever places sites: standard library only",
		},
		{
			Packages: []string{"egrid/calc"},
			Own:      []string{"egrid", "egrid/driver", "egrid/store"},
			TestOwn:  []string{"egrid/sheet", "egrid/memstore", "egrid/egridtest", "egrid/book"},
			Why:      "calc computes over batches, and asks a DB for them: it knows no store by name",
		},
		{
			Packages: []string{"egrid/book/internal/jsonrows"},
			Own:      []string{"egrid"},
			Why:      "JSON is in the standard library, and a scanner of flat objects needs less than that",
		},
		{
			Packages: []string{"egrid/driver"},
			Own:      []string{"egrid"},
			TestOwn:  []string{"egrid/memstore", "egrid/egridtest"},
			Why:      "driver is what stores implement: it knows no store, and no DB",
		},
		{
			Packages: []string{"internal/engine"},
			Own:      []string{"egrid", "egrid/driver"},
			Why:      "the engine executes plans over columns: nothing but the plan and the nouns",
		},
		{
			Packages: []string{"egrid/store"},
			Own:      []string{"egrid", "egrid/driver", "egrid/sheet", "internal/engine"},
			TestOwn:  []string{"egrid/memstore", "egrid/egridtest", "egrid/book"},
			Why:      "store is what users call: it asks a driver, and knows none by name",
		},
		{
			Packages: []string{"egrid/egridtest"},
			Own:      []string{"egrid", "egrid/sheet", "egrid/calc", "egrid/driver", "egrid/store", "egrid/memstore"},
			Why:      "suites need the standard library, their contract and its oracle only; the sample generator computes its regions as calc does",
		},
		{
			Packages: []string{"egrid/memstore"},
			Own:      []string{"egrid", "egrid/driver", "internal/engine", "internal/lead"},
			TestOwn:  []string{"egrid/store", "egrid/egridtest"},
			Why:      "memstore is the reference store and test double: nothing but its contract",
		},
		{
			Packages: []string{"internal/lead"},
			Why:      "who leads in a process is below all stores: standard library only",
		},
		{
			Packages: []string{"internal/sqlstore"},
			Own:      []string{"egrid", "egrid/driver"},
			Why:      "what the SQL stores share knows neither of them, and no library of a database",
		},
		{
			Packages: []string{"egrid/sqlitestore"},
			Own:      []string{"egrid", "egrid/driver", "internal/lead", "internal/sqlstore", "internal/trace"},
			Modules:  []string{sqlite},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "egrid/store", "egrid/sheet"},
			Why:      "an adapter imports its contract and one driver, never another adapter",
		},
		{
			Packages: []string{"egrid/pgstore"},
			Own:      []string{"egrid", "egrid/driver", "internal/sqlstore", "internal/trace"},
			Modules:  []string{pgx},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "egrid/store", "egrid/sheet"},
			Why:      "an adapter imports its contract and one driver, never another adapter",
		},
		{
			Packages: []string{"egrid/storeurl"},
			Own:      []string{"egrid", "egrid/driver", "egrid/memstore", "egrid/sqlitestore", "egrid/pgstore"},
			TestOwn:  []string{"egrid/store"},
			Why:      "storeurl is the one package that knows all stores, for programs whose users choose",
		},
		{
			Packages: []string{"queue"},
			Own:      []string{"internal/trace"},
			TestOwn:  []string{"queue/memqueue", "queue/queuetest"},
			Why:      "queue moves bytes, and what they belong to: standard library only, and unaware of egrid",
		},
		{
			Packages: []string{"queue/queuetest"},
			Own:      []string{"queue", "internal/trace"},
			Why:      "suites need the standard library and their contract only",
		},
		{
			Packages: []string{"queue/memqueue"},
			Own:      []string{"queue"},
			TestOwn:  []string{"queue/queuetest"},
			Why:      "an adapter imports its contract and nothing else",
		},
		{
			Packages: []string{"queue/rabbitqueue"},
			Own:      []string{"queue"},
			Modules:  []string{amqp},
			TestOwn:  []string{"queue/queuetest"},
			Why:      "an adapter imports its contract and one driver, never another adapter",
		},
		{
			Packages: []string{"etl"},
			Own:      []string{"egrid", "egrid/book", "egrid/sheet", "egrid/driver", "egrid/store", "queue", "internal/spool", "internal/trace", "internal/unpack"},
			Modules:  []string{conc},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "queue/memqueue", "etl/etltest", "etl/schedule"},
			Why:      "etl alone knows egrid and queue, and meets stores and brokers only as interfaces",
		},
		{
			Packages: []string{"etl/schedule"},
			Own:      []string{"egrid"},
			Modules:  []string{cron},
			TestOwn:  []string{"etl"},
			Why:      "a schedule is read without knowing what it is for, so that only who needs cron expressions compiles their library",
		},
		{
			Packages: []string{"etl/etltest"},
			Own:      []string{"egrid", "queue", "etl"},
			Why:      "suites need the standard library and their contract only",
		},
		{
			Packages: []string{"etl/notify"},
			Own:      []string{"egrid", "egrid/driver", "queue", "etl", "internal/trace"},
			TestOwn:  []string{"queue/memqueue"},
			Why:      "channels to people need the standard library and the notice's form only",
		},
		{
			Packages: []string{"etl/fetch"},
			Own:      []string{"egrid"},
			Why:      "where editions are and how they are downloaded needs the nouns and the standard library only",
		},
		{
			Packages: []string{"etl/s3source"},
			Own:      []string{"egrid", "etl"},
			Modules:  []string{minio},
			TestOwn:  []string{"egrid/memstore", "egrid/driver", "etl/etltest"},
			Why:      "an adapter imports its contract and one driver, never another adapter",
		},
		{
			Packages: []string{"cache"},
			Own:      []string{"egrid", "egrid/driver", "internal/engine"},
			Modules:  []string{lru},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "egrid/store", "cache/cachetest"},
			Why:      "cache is a Scanner over a Scanner: it knows the contract and the engine",
		},
		{
			Packages: []string{"cache/cachetest"},
			Own:      []string{"egrid", "egrid/sheet", "egrid/driver", "egrid/store", "egrid/egridtest", "egrid/memstore", "cache"},
			Why:      "suites need the standard library, their contract and what it is about",
		},
		{
			Packages: []string{"cache/rediscache"},
			Own:      []string{"egrid", "cache"},
			Modules:  []string{redis},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "egrid/driver", "egrid/store", "cache/cachetest"},
			Why:      "an adapter imports its contract and one driver, never another adapter",
		},
		{
			Packages: []string{"httpapi"},
			Own:      []string{"egrid", "egrid/calc/...", "egrid/driver", "egrid/export", "egrid/shapes", "egrid/store", "httpapi/certificate", "httpapi/comparison", "httpapi/wire", "httpapi/middleware", "internal/trace"},
			Modules:  []string{huma, mux, cors},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "egrid/sheet", "httpapi/client"},
			Why:      "httpapi knows only egrid, and what a request belongs to; hosts put stores, cache and dashboard together",
		},
		{
			Packages: []string{"httpapi/wire"},
			Own:      []string{"egrid", "egrid/calc", "egrid/driver"},
			Why:      "the JSON types of the API are the server's and the client's: they bring no library",
		},
		{
			Packages: []string{"httpapi/certificate"},
			Own:      []string{"egrid", "egrid/calc", "httpapi/wire"},
			Why:      "a page is made of the JSON of a certificate, anywhere",
		},
		{
			Packages: []string{"httpapi/comparison"},
			Own:      []string{"egrid", "egrid/calc", "httpapi/certificate", "httpapi/wire"},
			Why:      "a page is made of the JSON of a comparison, anywhere, and looks like a certificate",
		},
		{
			Packages: []string{"httpapi/middleware"},
			Own:      []string{"egrid", "httpapi/wire", "internal/trace"},
			Modules:  []string{cors},
			Why:      "each middleware serves any handler: it does not know the API",
		},
		{
			Packages: []string{"httpapi/auth"},
			Own:      []string{"egrid", "httpapi", "httpapi/middleware"},
			Modules:  []string{jwt},
			TestOwn:  []string{"egrid/memstore", "egrid/store"},
			Why:      "auth is the one package that reads tokens: httpapi takes any function that tells who asks",
		},
		{
			Packages: []string{"httpapi/client"},
			Own:      []string{"egrid", "egrid/driver", "egrid/store", "httpapi/wire", "internal/trace"},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore"},
			Why:      "the client must not bring the server's libraries: the tests of httpapi run the suite on it",
		},
		{
			Packages: []string{"httpapi/mcp"},
			Own:      []string{"egrid", "egrid/calc", "httpapi/wire"},
			Modules:  []string{mcpsdk},
			TestOwn:  []string{"egrid/egridtest", "egrid/memstore", "egrid/sheet", "egrid/store", "httpapi", "httpapi/middleware"},
			Why:      "tools of language models ask any handler that answers as the API does: only who mounts them has the protocol in the binary",
		},
		{
			Packages: []string{"httpapi/swaggerui"},
			Modules:  []string{swgui},
			Why:      "Swagger UI weighs more than the API: only who mounts the page has it in the binary",
		},
		{
			Packages: []string{"httpapi/dashboard"},
			Why:      "the dashboard is static files and a handler, which talk to the API from the browser only",
		},
		{
			Packages: []string{"hosts/internal/telemetry"},
			Own:      []string{"egrid/...", "etl", "queue/...", "internal/trace", "cache", "httpapi/middleware", "examples/data"},
			Modules:  []string{prom, sys, otel, otelSDK, otelOTLP, otelAPI, otlp, protobuf},
			TestOwn:  []string{"egrid/...", "etl/...", "queue/...", "cache/...", "httpapi/...", "hosts/internal/service"},
			Why:      "metrics and spans leave the hosts here alone: no other package knows who collects them",
		},
		{
			Packages: []string{"hosts/..."},
			Own:      []string{"egrid/...", "etl/...", "queue/...", "internal/trace", "cache/...", "httpapi/...", "hosts/internal/...", "examples/data"},
			Modules:  []string{kong, prom, sys},
			TestOwn:  []string{"hosts/..."},
			Why:      "hosts only assemble our packages: command line and metrics are their own",
		},
		{
			Packages: []string{"examples/..."},
			Own:      []string{"egrid/...", "etl/...", "queue/...", "cache", "httpapi/...", "examples/..."},
			Why:      "examples show what a user of the packages writes",
		},
		{
			Packages: []string{"internal/postman"},
			TestOwn:  []string{"egrid", "egrid/driver", "egrid/memstore", "egrid/store", "httpapi", "httpapi/middleware"},
			Why:      "a collection is made of the document alone; the test fetches it from the API",
		},
		{
			Packages: []string{"internal/doccheck"},
			TestOwn:  []string{"egrid", "egrid/egridtest"},
			Why:      "the documents are tried with the command, and with generated files",
		},
		{
			Packages: []string{"internal/speed"},
			Modules:  []string{pgx},
			TestOwn:  []string{"egrid", "egrid/calc", "egrid/driver", "egrid/store", "egrid/sheet", "egrid/egridtest", "egrid/pgstore", "egrid/sqlitestore", "etl", "cache", "httpapi"},
			Why:      "what is compared with the driver alone needs the driver, and nobody imports it",
		},
		{
			Packages: []string{"internal/bench"},
			Own:      []string{"egrid", "egrid/driver", "egrid/memstore", "egrid/sheet", "egrid/sqlitestore", "etl", "queue", "queue/memqueue"},
			TestOwn:  []string{"egrid/egridtest"},
			Why:      "what is measured inside of a process is called there; the rest runs as programs",
		},
		{
			Packages: []string{"internal/containers"},
			TestOwn:  []string{"egrid", "egrid/egridtest", "egrid/memstore", "egrid/store", "etl", "httpapi"},
			Why:      "the containers are tried from outside, against a store in memory that had the same files",
		},
		{
			Packages: []string{"internal/archtest", "internal/consumer", "internal/newcomer", "internal/release", "internal/repocheck", "internal/weights", "internal/testreport", TestEnv},
			Why:      "the project's own checks need the standard library only",
		},
	}
}

// TopLevel are the only folders allowed at the root, beside those whose names
// begin with a dot.
func TopLevel() []string {
	return []string{"egrid", "etl", "queue", "cache", "httpapi", "examples", "hosts", "docs", "findings", "internal"}
}

// TestEnv is the one package that every test may import: it finds files and
// servers, and needs the standard library only.
const TestEnv = "internal/testenv"

// MaxMainLines is the length that no main.go of a host exceeds.
const MaxMainLines = 150
