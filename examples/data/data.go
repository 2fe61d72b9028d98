// Package data holds a small set of eGRID sheets for examples, demonstrations
// and first steps. The figures are generated, not EPA's: no plant in them
// exists. Only the layout is EPA's.
//
//	sheets := data.Files()
//	f, err := sheets.Open("GEN23.csv")
//	r, err := sheet.NewReader(f, &sheet.ReaderOptions{Name: "GEN23.csv"})
//
// # Guarantees
//
// The files are those that the Sample of package egridtest writes for the options that the
// package's test names; the test fails when they are not. They agree with each
// other: generators add up to plants, plants to every kind of region.
//
// # Errors
//
// Those of package io/fs.
//
// # See also
//
// Package egridtest, which writes such sheets at any size, and README.md.
package data

import (
	"embed"
	"io/fs"
)

// Authority is who published these sheets, for [github.com/egrid-analytics/egrid-go/etl.Options]:
// nobody. A store that keeps it with the sheets tells everyone who asks that their figures
// are no measurements; the page of package dashboard says so at its head wherever an
// authority begins with the word generated.
const Authority = "generated sample, no measurement"

//go:embed *.csv
var files embed.FS

// Files returns the sheets, named as EPA names them, e.g. PLNT23.csv, all in
// the root of the file system. It is read-only and safe for concurrent use.
func Files() fs.FS { return files }
