// Package parquetfile writes rows as Parquet files, and reads tables from Parquet
// files.
//
//	file := parquetfile.Export().New(w, answer.Schema, &export.About{Level: egrid.GEN, Snapshots: answer.Snapshots})
//	b, err := book.Open(r, size, &book.Options{Formats: []book.Format{parquetfile.Input()}})
//
// Start with [Export] and [Input]. It is a package of its own because it brings a
// library: programs that do without Parquet do without that.
//
// # Guarantees
//
// What was written comes back: identifiers are text (0290, 7E600, NA), numbers have
// every bit, and what is missing is null, which 0 is not. Both directions work on a
// part of a file at a time: writing holds a row group of about a million cells,
// reading a page of each column.
//
// # Errors
//
// Writing gives those of the writer below. Reading gives [egrid.ErrInvalid] with the
// column and what to do for a file that is damaged, made to fill memory, or of types
// that are no cells; those of the reader below come as they are.
package parquetfile

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
)

// Export is Parquet as a format of exports: texts as strings with a dictionary,
// numbers as doubles, whole numbers as 64-bit integers, flags as booleans, missing
// values as nulls, compressed by Snappy. The metadata of the file have what
// [export.About.Facts] tells under egrid.level, egrid.year and so on, and under
// egrid.columns, as JSON, what [export.About.Columns] tells.
func Export() export.Format {
	return export.Format{
		Name: "parquet", Extension: ".parquet", MediaType: "application/vnd.apache.parquet", Packed: true,
		New: func(w io.Writer, s *egrid.Schema, about *export.About) export.Writer { return newWriter(w, s, about) },
	}
}

// groupCells is about how many cells a row group has: what is held in memory.
const groupCells = 1 << 20

// prefix is that of the names of our metadata.
const prefix = "egrid."

type writer struct {
	file   *parquet.GenericWriter[any]
	width  int
	rows   int // of the row group at hand
	most   int // of a row group
	values []parquet.Value
	text   []byte // that values point into
	err    error
}

func newWriter(w io.Writer, s *egrid.Schema, about *export.About) *writer {
	plain := *about
	plain.Codes = false // the metadata have them
	columns := plain.Columns(s)
	described, err := json.Marshal(columns)
	options := []parquet.WriterOption{
		parquet.NewSchema("egrid", newRoot(s)), parquet.Compression(&parquet.Snappy), parquet.KeyValueMetadata(prefix+"columns", string(described)),
	}
	for _, f := range about.Facts() {
		options = append(options, parquet.KeyValueMetadata(prefix+f.Name, f.Value))
	}
	return &writer{file: parquet.NewGenericWriter[any](w, options...), width: s.Len(), most: max(1, groupCells/max(1, s.Len())), err: err}
}

// root is the schema of a file: a group whose columns are in our order, where the
// library's own sorts them.
type root struct {
	parquet.Group
	fields []parquet.Field
}

func (r root) Fields() []parquet.Field { return r.fields }

func newRoot(s *egrid.Schema) root {
	r := root{Group: parquet.Group{}}
	for _, f := range s.Fields() {
		node := parquet.Leaf(parquet.DoubleType)
		switch f.Type {
		case egrid.Text:
			node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		case egrid.Integer:
			node = parquet.Int(64)
		case egrid.Flag:
			node = parquet.Leaf(parquet.BooleanType)
		}
		r.Group[string(f.Column)] = parquet.Optional(node)
	}
	sorted := r.Group.Fields()
	at := make(map[string]parquet.Field, len(sorted))
	for _, f := range sorted {
		at[f.Name()] = f
	}
	for _, c := range s.Columns() {
		r.fields = append(r.fields, at[string(c)])
	}
	return r
}

// Write implements export.Writer.
func (w *writer) Write(b *egrid.Batch) error {
	for from := 0; from < b.Len() && w.err == nil; {
		to := min(b.Len(), from+w.most-w.rows)
		for j := range w.width {
			w.column(b.Column(j), j, from, to)
		}
		w.rows += to - from
		from = to
		if w.rows == w.most && w.err == nil {
			w.rows, w.err = 0, w.file.Flush()
		}
	}
	return w.err
}

// column writes some cells of a column. They go as values with levels of
// definition: of Go's own types the library takes a zero for a null.
func (w *writer) column(v *egrid.Vector, j, from, to int) {
	if w.err != nil {
		return
	}
	w.values, w.text = w.values[:0], w.text[:0]
	typ := v.Type()
	for i := from; i < to; i++ {
		if v.IsMissing(i) {
			w.values = append(w.values, parquet.NullValue().Level(0, 0, j))
			continue
		}
		var x parquet.Value
		switch typ {
		case egrid.Text:
			start := len(w.text)
			w.text = append(w.text, v.Entry(v.Code(i))...)
			x = parquet.ByteArrayValue(w.text[start:])
		case egrid.Integer:
			n, _ := v.Int(i)
			x = parquet.Int64Value(n)
		case egrid.Flag:
			yes, _ := v.Value(i).Bool()
			x = parquet.BooleanValue(yes)
		default:
			f, _ := v.Float(i)
			x = parquet.DoubleValue(f)
		}
		w.values = append(w.values, x.Level(0, 1, j))
	}
	_, w.err = w.file.ColumnWriters()[j].WriteRowValues(w.values)
}

// Close implements export.Writer.
func (w *writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = errClosed
	return w.file.Close()
}

var errClosed = errors.New("parquetfile: the file is closed")
