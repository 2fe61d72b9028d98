package httpapi

import (
	"reflect"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// rowWriter appends the parts of a document that is written row by row. row
// reports whether the row has a place in the document.
type rowWriter interface {
	begin(dst []byte, s *egrid.Schema) []byte
	row(dst []byte, b *egrid.Batch, i int) ([]byte, bool)
	end(dst []byte) []byte
}

// csvRows is CSV, see [egrid.Batch.AppendCSV].
type csvRows struct{ codes bool }

func (f csvRows) begin(dst []byte, s *egrid.Schema) []byte { return s.AppendCSVHeader(dst, f.codes) }

func (csvRows) row(dst []byte, b *egrid.Batch, i int) ([]byte, bool) {
	return b.AppendCSV(dst, i), true
}

func (csvRows) end(dst []byte) []byte { return dst }

// jsonLines is NDJSON.
type jsonLines struct{}

func (jsonLines) begin(dst []byte, _ *egrid.Schema) []byte { return dst }

func (jsonLines) row(dst []byte, b *egrid.Batch, i int) ([]byte, bool) {
	return append(b.AppendJSON(dst, i), '\n'), true
}

func (jsonLines) end(dst []byte) []byte { return dst }

// valueLines is NDJSON of a list that is no rows: its elements as in JSON, one
// for each row of the table that stands for them elsewhere.
type valueLines struct {
	values reflect.Value
	next   int
}

func newValueLines(list any) *valueLines { return &valueLines{values: reflect.ValueOf(list)} }

func (*valueLines) begin(dst []byte, _ *egrid.Schema) []byte { return dst }

func (l *valueLines) row(dst []byte, _ *egrid.Batch, _ int) ([]byte, bool) {
	text, err := marshal(l.values.Index(l.next).Interface())
	if err != nil {
		panic(err) // plain structs only
	}
	l.next++
	return append(append(dst, text...), '\n'), true
}

func (*valueLines) end(dst []byte) []byte { return dst }
