// Package store answers questions about eGRID data: rows of any level, sums and
// counts by any column, plants. It stands on any [driver.Scanner]: a store, a cache
// in front of one, or the client of the HTTP API.
//
//	backend, err := sqlitestore.Open(ctx, "egrid.db", nil)
//	db := store.New(backend)
//	page, err := db.Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "palo verde"})
//
// Start with [New] and [DB]: [DB.Rows] for a page, [DB.All] and [DB.Stream] for
// every row, [DB.Groups] for sums, [DB.Plants] for plants whichever sheet they come
// from, [DB.Totals] for states, years and the country, [DB.ZIP] for the subregions
// of a ZIP code, [DB.At] for what a permanent address names. [Load] reads a file
// into a store.
//
// # Guarantees
//
// Every call answers from one state of the data, whatever is published meanwhile,
// and so does a walk by cursors. A DB is safe for concurrent use and costs nothing
// to make. A figure says which sheet and release it is from: [PlantSource] of
// plants, the columns basis and release of [Totals], which also tells where loaded
// sheets disagree.
//
// # Errors
//
// [egrid.ErrInvalid], [egrid.ErrNotFound] and [egrid.ErrStale], to be tested with
// errors.Is; each method says which it returns.
//
// # See also
//
// Package storeurl opens a store by URL; memstore is one for unit tests.
package store
