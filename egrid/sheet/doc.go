// Package sheet reads eGRID sheets: it finds out what a CSV file is, and turns
// its records into batches of typed rows.
//
//	r, err := sheet.NewReader(file, &sheet.ReaderOptions{Name: "GEN23.csv"})
//	for row, err := range r.Rows() {
//		mwh, ok := row.Float(egrid.NetGeneration)
//	}
//
// Start with [NewReader] for a stream, whose [Reader.Rows] gives rows and
// [Reader.Batches] whole batches; [Inspect] tells what a file is without reading
// all of it. Programs that read one file in parallel use [Sheet.Divide] and a
// [Decoder] for each goroutine. [Propose] recognises headers that are nobody's codes.
//
// # Guarantees
//
// It accepts what EPA and people's exports have: a description row above the
// code row or none, titles and blank rows, an empty first column, a byte order
// mark, CRLF, no final newline, quoted newlines, numbers in display formats, and
// what other tools write: row names, their marks of missing cells, decimal commas,
// rows without their empty cells at the end, notes and totals around the table.
// Nothing a file says is lost: blank is not zero, NA is a code, identifiers keep
// their leading zeros, a column that the dictionary does not know is kept under
// its own header, and a record that cannot be read comes back as a [*RowError]
// with its line, column and raw text. Memory does not grow with the file.
//
// Units are those of the dictionary: metric editions and rates per GWh or BBtu
// are converted, and [Sheet].Cells say from what. Converted metric figures are
// marked lossy, since those editions are rounded. Shares are brought to one scale,
// 0-1; [Sheet].ShareScale says what the file had.
//
// A column is lossy, too, where its numbers show that a tool rounded them before it
// wrote them: display formats, a fixed number of decimals (0.052 and 0.400), or the
// ten digits of a spreadsheet's general format.
//
// [Sheet].Evidence tells what each conclusion was drawn from. What stands in the
// file comes before the names of files and folders, and two places in a file
// that contradict each other are refused.
//
// The package needs the standard library only. A Sheet is safe to share; a Reader
// and a Decoder belong to one goroutine.
//
// # Errors
//
// [egrid.ErrInvalid] for a file that cannot be read, which [ErrNotSheet] wraps for
// one that is no eGRID sheet; the text says what is missing and how to give it.
// [NotKeptError] wraps that, too, for a table that is known and kept by no level.
//
// # See also
//
// Package book, which makes such text of workbooks, archives and JSON; package store,
// whose Load puts a sheet into a store; and package etl for folders and buckets.
package sheet
