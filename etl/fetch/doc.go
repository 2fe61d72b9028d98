// Package fetch knows where the workbooks of eGRID's editions are, and
// downloads them.
//
//	edition, err := fetch.Editions().Find(fetch.Want{Year: 2023})
//	file, err := fetch.Get(ctx, edition, "data", nil)
//	fmt.Println(file.SHA256, file.Load)
//
// [Editions] is a table in this package: data year, release, date, authority,
// units, GWP, address, size and SHA-256, each only where a public source has
// it, which the table names. Nobody checks it against EPA's pages by machine, so
// a [Catalogue] of your own ([ReadCatalogue]) can replace and add editions.
//
// Start with [Editions] and [Catalogue.Find], and with [Get] for a download that goes on where
// it was broken off.
//
// # Guarantees
//
// A file has its name only when it is whole: it is downloaded under another one,
// checked, and renamed. Size and SHA-256 must be those of the catalogue where it
// has them. The SHA-256 is written beside the file in any case, in the form that
// sha256sum -c reads. A web page in place of a workbook, and a workbook that was
// cut short, are refused.
//
// A transfer that breaks is continued, by a later call too, if the server vouches
// that the file is still the same (ETag or Last-Modified); otherwise it starts
// anew. A redirect never leads from https to http. User name, password and query
// of an address are in no error.
//
// # Errors
//
// ErrNotFound: no such edition, no known address, or nothing there any more.
// ErrConflict: another file of that name is there already. ErrInvalid: a
// catalogue that cannot be read. [MismatchError]: the file is not the one that the
// catalogue describes.
//
// # See also
//
// Package etl, which loads what was downloaded.
package fetch
