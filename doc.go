// Package egridgo is the documentation of github.com/egrid-analytics/egrid-go,
// which reads, validates, stores and serves EPA's eGRID data on US power
// plants. It has no code: import the packages below it.
//
//	import "github.com/egrid-analytics/egrid-go/egrid"
//
// # One way through
//
//	file -> sheet -> rows -> chunk -> queue -> stage -> snapshot -> page of rows -> JSON, CSV -> dashboard
//
// Package egrid has the nouns: levels, columns, editions, rows, queries, and
// the two contracts of every store, Querier and Loader. It reads CSV sheets and
// needs the standard library only. Below it memstore keeps data in memory,
// sqlitestore in one file, and egridtest has the suite that both pass.
//
// Package etl takes files into a store in five stages. Package queue carries
// the chunks of rows from those who decode them to those who write them;
// memqueue does so within a process.
//
// Package cache answers repeated queries from memory. Package httpapi serves
// any Querier over HTTP, and httpapi/dashboard is a page over that API.
//
// # Guarantees
//
// Readers see a published snapshot whole, never half a load. The same bytes
// loaded twice are loaded once. Nothing that a file says is lost in silence.
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
