// Package driver is for those who implement a store, or stand in front of one.
// Who asks questions uses package store.
//
// A store is a [Scanner] for reading, a [Loader] for writing and a [History] of
// what was published before; [Store] puts the roles together. The HTTP client and
// the cache are scanners, too. What all stores decide alike is written here once:
//
//	PlanRows, PlanGroups   resolve a query against a catalogue into a Plan
//	Pin                    makes a catalogue of chosen snapshots
//	Plan.Key, ParsePlan    the text form of a plan: cache key, and way to another process
//	TallyOf, Describe      what is kept of chunks, and the snapshot that they make
//	Settle                 publishes stages or holds them, over a store's Shelf
//	Compare, Decide        what a snapshot changes, and whether it may
//	Combine, Merge         one sheet of several
//	Confirm, Expired, Seal the rest of a store's bookkeeping
//	AuditRows              checks of rows, each by itself
//
// # Guarantees
//
// A plan names snapshots, and snapshots never change: whoever executes a plan
// reads one state of the data. Ids of snapshots are made of content, so equal ids
// mean equal rows, in whatever store.
//
// # Errors
//
// Those of package egrid; each method of the contracts says which.
//
// # See also
//
// Package egridtest, whose suites a store passes; package memstore, which is
// short enough to read.
package driver
