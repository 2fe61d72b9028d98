// Package export writes rows as files that other tools open: an XLSX workbook,
// GeoJSON, and the description of a CSV as a data package. Package parquetfile adds
// Parquet.
//
//	file := export.XLSX().New(w, answer.Schema, &export.About{Level: egrid.GEN, Snapshots: answer.Snapshots})
//	for batch, err := range answer.Batches {
//		err = file.Write(batch)
//	}
//	err := file.Close()
//
// Start with [XLSX], [GeoJSON], [Format] and [About].
//
// # Guarantees
//
// Text is text, also where it looks like a number (0290, 7E600), a date (12/2) or a
// formula (=A1). A number has every digit. What is missing is not there, and differs
// from 0. Writers keep some rows in memory, never all of them.
//
// A Writer is for one goroutine. Formats are values, safe to share.
//
// # Errors
//
// Those of the writer below come as they are. What a format cannot hold is an
// [egrid.ErrInvalid] that names the place and another format. Behind an error the
// file is not complete, and of no use.
package export

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Format is a kind of file.
type Format struct {
	Name      string // by which people choose it: "xlsx"
	Extension string // of files, with its dots: ".xlsx"
	MediaType string
	Codes     bool // About.Codes changes how the columns are named
	Packed    bool // it is compressed: to compress it again only takes time
	Head      bool // it tells of the columns alone, and has no place for rows

	// New begins a file of rows of a schema. Nothing of it is sure to be written
	// before the Writer is closed.
	New func(w io.Writer, s *egrid.Schema, about *About) Writer
}

// Writer writes a file.
type Writer interface {
	// Write adds the rows of a batch, whose schema is that of the file.
	Write(b *egrid.Batch) error
	// Close completes the file. It does not close the writer below.
	Close() error
}

// About says what the rows are, and how the file names the columns. The zero About
// says nothing.
type About struct {
	Level     egrid.Level      // whose rows they are; empty for groups and for plants made of generators
	Name      string           // of the file, without its extension. Default "egrid"
	Snapshots []egrid.Snapshot // that the rows are from
	Address   string           // at which the API answers the same for ever; empty where there is none
	Codes     bool             // columns are named by EPA's codes, where they have one
	More      []Fact           // what else there is to tell; read when the file is closed
}

// Facts tells of the file in words: what there is of level, data year, release,
// authority, snapshots, address, and which columns have figures that were rounded in
// the files that they come from.
func (a *About) Facts() []Fact {
	var years, releases, authorities, ids, rounded []string
	for i := range a.Snapshots {
		s := &a.Snapshots[i]
		release := s.Release
		if release == "" {
			release = egrid.NoRelease
		}
		years, releases = with(years, strconv.Itoa(s.Year)), with(releases, release)
		authorities, ids = with(authorities, s.Authority), with(ids, string(s.ID))
		for _, c := range s.Lossy {
			rounded = with(rounded, string(c))
		}
	}
	facts := []Fact{
		{"level", string(a.Level)}, {"year", strings.Join(years, ", ")}, {"release", strings.Join(releases, ", ")},
		{"authority", strings.Join(authorities, ", ")}, {"snapshots", strings.Join(ids, ", ")}, {"address", a.Address}, {"rounded", strings.Join(rounded, ", ")},
	}
	return slices.DeleteFunc(append(facts, a.More...), func(f Fact) bool { return f.Value == "" })
}

// Fact is something that a file says of itself.
type Fact struct{ Name, Value string }

func with(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// ColumnName is how the file names a column.
func (a *About) ColumnName(f *egrid.Field) string {
	if a.Codes && f.Code != "" {
		return f.Code
	}
	return string(f.Column)
}

// name is the default of About.Name.
func (a *About) name() string {
	if a.Name == "" {
		return "egrid"
	}
	return a.Name
}

// Column describes a column of a file, in the words of a Table Schema.
type Column struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // string, integer, number or boolean
	Description string `json:"description,omitempty"`
	Unit        string `json:"unit,omitempty"`
	Code        string `json:"code,omitempty"` // EPA's
}

// Columns describes the columns of a file in order.
func (a *About) Columns(s *egrid.Schema) []Column {
	columns := make([]Column, s.Len())
	for i, f := range s.Fields() {
		columns[i] = Column{Name: a.ColumnName(&f), Type: "string", Description: f.Description, Unit: f.Unit, Code: f.Code}
		switch f.Type {
		case egrid.Integer:
			columns[i].Type = "integer"
		case egrid.Number:
			columns[i].Type = "number"
		case egrid.Flag:
			columns[i].Type = "boolean"
		}
	}
	return columns
}
