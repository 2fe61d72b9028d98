package egrid

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// Schema is an ordered list of fields with distinct column names. It is
// immutable and safe to share between goroutines; rows point to it.
type Schema struct {
	fields []Field
	index  map[Column]int

	input atomic.Pointer[derived]  // see Derived
	names atomic.Pointer[[][]byte] // see jsonNames
}

// NewSchema makes a schema of fields. It returns [ErrInvalid] when two have
// the same column name or one has none.
func NewSchema(fields ...Field) (*Schema, error) {
	s := &Schema{fields: slices.Clone(fields), index: make(map[Column]int, len(fields))}
	for i, f := range fields {
		if f.Column == "" {
			return nil, fmt.Errorf("%w: field %d of a schema has no column name", ErrInvalid, i+1)
		}
		if j, twice := s.index[f.Column]; twice {
			return nil, fmt.Errorf("%w: fields %d and %d of a schema are both %s", ErrInvalid, j+1, i+1, f.Column)
		}
		s.index[f.Column] = i
	}
	return s, nil
}

// Len returns the number of fields.
func (s *Schema) Len() int { return len(s.fields) }

// Field returns the i-th field.
func (s *Schema) Field(i int) Field { return s.fields[i] }

// Fields returns a copy of the fields in order.
func (s *Schema) Fields() []Field { return slices.Clone(s.fields) }

// Columns returns the column names in order.
func (s *Schema) Columns() []Column {
	columns := make([]Column, len(s.fields))
	for i, f := range s.fields {
		columns[i] = f.Column
	}
	return columns
}

// Index returns the position of a column, or -1.
func (s *Schema) Index(c Column) int {
	if i, ok := s.index[c]; ok {
		return i
	}
	return -1
}

// Has reports whether the schema has the column.
func (s *Schema) Has(c Column) bool { return s.Index(c) >= 0 }

// MarshalJSON writes an array with the fields in order. One that is in the
// dictionary is a reference to it ("GEN/net_generation_mwh"), because whoever
// reads it has the dictionary, too; any other is an object.
func (s *Schema) MarshalJSON() ([]byte, error) {
	fields := make([]any, len(s.fields))
	for i, f := range s.fields {
		if known, ok := Lookup(f.Level, string(f.Column)); ok && sameField(known, f) {
			fields[i] = f.reference()
		} else {
			fields[i] = f
		}
	}
	return json.Marshal(fields)
}

func (f Field) reference() string { return string(f.Level) + "/" + string(f.Column) }

func sameField(a, b Field) bool {
	return a.Column == b.Column && a.Code == b.Code && a.Type == b.Type && a.Unit == b.Unit && a.Description == b.Description
}

// UnmarshalJSON reads what MarshalJSON wrote. It returns [ErrSchema] for a
// column that this program's dictionary does not have.
func (s *Schema) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	fields := make([]Field, len(raw))
	for i, r := range raw {
		if len(r) > 0 && r[0] != '"' {
			if err := json.Unmarshal(r, &fields[i]); err != nil {
				return err
			}
			continue
		}
		var reference string
		if err := json.Unmarshal(r, &reference); err != nil {
			return err
		}
		level, column, _ := strings.Cut(reference, "/")
		f, ok := Lookup(Level(level), column)
		if !ok || string(f.Column) != column {
			return fmt.Errorf("%w: the dictionary has no column %s; a newer version of the software wrote it", ErrSchema, reference)
		}
		fields[i] = f
	}
	t, err := NewSchema(fields...)
	if err != nil {
		return err
	}
	s.fields, s.index = t.fields, t.index
	return nil
}

// derived is a schema that was made of another one.
type derived struct {
	key    string
	schema *Schema
}

// Derived returns a schema that make makes of this one, and keeps the latest: so
// that one that many queries need is made once. Equal keys must mean equal
// schemas.
func (s *Schema) Derived(key string, make func() *Schema) *Schema {
	if made := s.input.Load(); made != nil && made.key == key {
		return made.schema
	}
	made := &derived{key, make()}
	s.input.Store(made)
	return made.schema
}

// Row is one row of a [Batch]. It is a view: it costs nothing to make, and
// keeps the batch alive. The zero Row has no columns.
type Row struct {
	batch *Batch
	i     int
}

// Schema returns the row's columns; nil for the zero Row.
func (r Row) Schema() *Schema {
	if r.batch == nil {
		return nil
	}
	return r.batch.schema
}

// Batch returns the batch of the row, and its place in it.
func (r Row) Batch() (*Batch, int) { return r.batch, r.i }

// Len returns the number of cells.
func (r Row) Len() int {
	if r.batch == nil {
		return 0
	}
	return len(r.batch.columns)
}

// At returns the cell of the i-th column.
func (r Row) At(i int) Value { return r.batch.columns[i].Value(r.i) }

// Values returns a copy of the cells, in the order of the schema.
func (r Row) Values() []Value {
	values := make([]Value, r.Len())
	for i := range values {
		values[i] = r.At(i)
	}
	return values
}

// Number returns the row's position among its sheet's records, from 1: its
// identity within its snapshot. Rows that are no sheet's have 0.
func (r Row) Number() int64 {
	if r.batch == nil {
		return 0
	}
	return r.batch.Number(r.i)
}

// Line returns where the record starts in its file, from 1; 0 for a row that
// comes from a store.
func (r Row) Line() int64 {
	if r.batch == nil {
		return 0
	}
	return r.batch.Line(r.i)
}

// Year returns the data year that the row is for, 0 when it is of none.
func (r Row) Year() int {
	year, _ := r.Value(Year).Int()
	return int(year)
}

// Value returns the cell of a column; missing when the row has no such column.
// The data year is there even when the schema has no column for it.
func (r Row) Value(c Column) Value {
	if r.batch == nil {
		return Value{}
	}
	if i := r.batch.schema.Index(c); i >= 0 {
		return r.batch.columns[i].Value(r.i)
	}
	if c == Year && r.batch.year != 0 {
		return IntegerOf(int64(r.batch.year))
	}
	return Value{}
}

// Float returns a numeric column, in the column's unit. It is false when the
// value is missing, never 0 in its stead.
func (r Row) Float(c Column) (float64, bool) { return r.Value(c).Float() }

// Int returns an integer column.
func (r Row) Int(c Column) (int64, bool) { return r.Value(c).Int() }

// Bool returns a flag column.
func (r Row) Bool(c Column) (yes, ok bool) { return r.Value(c).Bool() }

// Text returns the column as text, empty when it is missing.
func (r Row) Text(c Column) string { return r.Value(c).String() }

// MarshalJSON writes an object, see [Batch.AppendJSON].
func (r Row) MarshalJSON() ([]byte, error) {
	if r.batch == nil {
		return []byte("{}"), nil
	}
	return r.batch.AppendJSON(nil, r.i), nil
}
