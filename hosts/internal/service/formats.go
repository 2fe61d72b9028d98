package service

import (
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
)

// Exports are the formats of files that rows are written in, beside those that are
// text.
func Exports() []export.Format {
	return []export.Format{export.XLSX(), export.GeoJSON(), export.DataPackage(), export.CSVT(), parquetfile.Export()}
}

// Inputs are the formats of files that are loaded beside those that package book
// knows.
func Inputs() []book.Format { return []book.Format{parquetfile.Input()} }
