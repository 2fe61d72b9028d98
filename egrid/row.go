package egrid

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
)

// Schema is an ordered list of fields with distinct column names. It is
// immutable and safe to share between goroutines; rows point to it.
type Schema struct {
	fields []Field
	index  map[Column]int

	input atomic.Pointer[inputOf] // see inputSchema
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

// MarshalJSON writes the fields as an array.
func (s *Schema) MarshalJSON() ([]byte, error) { return json.Marshal(s.fields) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Schema) UnmarshalJSON(b []byte) error {
	var fields []Field
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	t, err := NewSchema(fields...)
	if err != nil {
		return err
	}
	s.fields, s.index = t.fields, t.index
	return nil
}

// Row is one record of a sheet: a schema and a value for each of its fields.
type Row struct {
	Schema *Schema
	Values []Value // one for each field of Schema, in its order
	Year   int     // data year that the row is for
	Number int64   // position among the sheet's records, from 1; the row's identity within its snapshot
	Line   int64   // line of the file where the record starts, from 1; 0 for a row that comes from a store
}

// Value returns the value of a column; missing when the row has no such
// column. The data year is there even when the schema has no column for it.
func (r Row) Value(c Column) Value {
	if i := r.Schema.Index(c); i >= 0 {
		return r.Values[i]
	}
	if c == Year && r.Year != 0 {
		return IntegerOf(int64(r.Year))
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

// MarshalJSON writes an object with the columns in schema order and null for
// missing values.
func (r Row) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 32*len(r.Values))
	b = append(b, '{')
	for i, v := range r.Values {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(string(r.Schema.fields[i].Column))
		if err != nil {
			return nil, err
		}
		value, err := v.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}
