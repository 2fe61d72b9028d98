// Package egrid has the nouns of EPA's eGRID data on US power plants: levels,
// columns and their dictionary, editions, batches of rows, and queries as data.
//
//	field, ok := egrid.Lookup(egrid.PLNT, "PLNGENAN") // net_generation_mwh, in MWh
//	query := egrid.RowQuery{Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}}
//
// Start with [Level], [Column] and [Lookup] for what the data are, with [Batch],
// [Row] and [Vector] for reading them, and with [RowQuery] and [GroupQuery] for
// asking. Files are read by package sheet, questions answered by package store.
//
// # Guarantees
//
// Missing is a state of its own: blank is not zero, NA is a code. Identifiers are
// text with their leading zeros, and negative generation is real. A [Batch] keeps
// every digit of a figure of up to 15 digits.
//
// Units are those of EPA's sheets: MWh, MW, MMBtu, short tons for NOx, SO2, CO2 and
// CO2e, pounds for CH4 and N2O, lb/MWh and lb/MMBtu for rates; shares are 0-1. The
// dictionary ([Fields], [Lookup]) gives each column's unit, description and, for
// regions, the rule by which it follows from the region's plants.
//
// The package imports the standard library alone. Values, schemas, batches and
// dictionaries are safe to share between goroutines; a [Builder] belongs to one.
//
// # Errors
//
// [ErrNotFound], [ErrInvalid], [ErrStale], [ErrIncomplete], [ErrConflict],
// [ErrUnavailable], [ErrClosed] and [ErrSchema], to be tested with errors.Is; each function of the
// other packages says which it returns.
//
// # See also
//
// Packages sheet, store and memstore to begin with; driver for those who
// implement a store.
package egrid
