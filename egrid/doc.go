// Package egrid is the domain of EPA's eGRID data: levels, columns, editions
// and rows, a reader of CSV sheets, and the contracts by which data are loaded
// ([Loader]) and asked for ([Querier]), and what went wrong is kept
// ([FailureLog]).
//
//	r, err := sheet.NewReader(file, &sheet.ReaderOptions{Name: "GEN23.csv"})
//	for row, err := range r.Rows() {
//		mwh, ok := row.Float(egrid.NetGeneration)
//	}
//
// # Guarantees
//
// Nothing a file says is lost: blank is not zero, NA is a code, identifiers
// keep their leading zeros, negative generation is real, a column that the
// dictionary does not know is kept under its own header, and a record that
// cannot be read comes back as a [*RowError] with its line, column and raw
// text. Readers stream: memory does not grow with the file.
//
// Units are those of EPA's sheets, converted nowhere: MWh, MW, MMBtu, short
// tons for NOx, SO2, CO2 and CO2e, pounds for CH4 and N2O, lb/MWh and lb/MMBtu
// for rates. Only shares are brought to one scale, 0-1; [Sheet].ShareScale
// says what the file had. The dictionary ([Fields], [Lookup]) gives each
// column's unit, description and, for regions, the rule by which it follows
// from the region's plants.
//
// The package imports the standard library alone. Values, schemas and
// dictionaries are safe to share between goroutines; a Reader belongs to one.
//
// # Errors
//
// [ErrInvalid], [ErrNotFound], [ErrHeld], [ErrStale], [ErrIncomplete],
// [ErrClosed] and [ErrSchema], to be tested with errors.Is; each method says
// which it returns.
//
// # See also
//
// Packages memstore and sqlitestore keep data, etl loads them, cache and
// httpapi serve them, egridtest tests what implements the contracts.
package egrid
