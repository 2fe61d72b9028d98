// Package egridgo is the documentation of github.com/egrid-analytics/egrid-go,
// which reads, validates, stores and serves EPA's eGRID data on US power
// plants. It has no code: import the packages below it.
//
//	import (
//		"github.com/egrid-analytics/egrid-go/egrid"
//		"github.com/egrid-analytics/egrid-go/egrid/sheet"
//	)
//
// # Which package
//
//	to read a file                    egrid/sheet; egrid/book for workbooks and archives
//	to keep data and ask for them     egrid/store, over egrid/sqlitestore, egrid/pgstore or egrid/memstore
//	to open a store by its URL        egrid/storeurl
//	to answer from memory             cache; cache/rediscache for what replicas share
//	to serve or to ask over HTTP      httpapi, httpapi/auth, httpapi/dashboard; httpapi/client
//	to load folders and buckets       etl, etl/fetch, etl/s3source, etl/notify; etl/etltest for a source of your own
//	to move chunks between processes  queue, over queue/memqueue or queue/rabbitqueue
//	to implement a store              egrid/driver, and egrid/egridtest for its tests
//
// Package egrid has the nouns that all of them speak in. It, egrid/sheet,
// egrid/driver, egrid/store and egrid/memstore need the standard library only.
//
// docs/packages.md says what each brings, measured. Whole programs are in examples:
// embed, handler, factors, inventory, custom-source, custom-consumer and unit-test.
//
// # Ten symbols
//
//	etl.New, etl.Local, etl.ToLoader   files into a store
//	sqlitestore.Open                   a store in one file
//	store.New, DB.Plants, DB.Rows      questions
//	calc.FactorOf, inventory.CSV       emission factors, Scope 2
//	httpapi.New                        the API as an http.Handler
//
// # One way through
//
//	file -> sheet -> batches -> stage -> snapshot -> batches -> JSON, CSV -> dashboard
//
// A batch, rows of one sheet column by column, is the one form in which data move.
//
// # Guarantees
//
// Readers see a published snapshot whole, never half a load, and what it replaced
// stays readable until it is pruned. The same content loaded twice is there once.
// Nothing that a file says is lost in silence.
//
// # Errors
//
// A few sentinels per package, to be tested with errors.Is; each method says
// which it returns.
//
// # See also
//
// The command hosts/egrid, which is the whole platform in one program, and
// docs/architecture.md.
package egridgo
