package wire

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// RowsOf makes rows of a list of structs of this package, for the formats that are
// tables: a column for each field under its JSON name, a struct within as columns
// that begin with its name. What is null in JSON is missing.
func RowsOf[T any](list []T) *egrid.Batch {
	var fields []rowField
	addFields(&fields, reflect.TypeFor[T](), "", nil)
	columns := make([]egrid.Field, len(fields))
	for i, f := range fields {
		columns[i] = egrid.Field{Column: f.column, Type: f.typ}
	}
	schema, err := egrid.NewSchema(columns...)
	if err != nil {
		panic(err) // the types of this package have each name once
	}
	b := egrid.NewBuilder(schema, 0)
	for i := range list {
		row := reflect.ValueOf(&list[i]).Elem()
		for at, f := range fields {
			f.set(b, at, row)
		}
		b.EndRow(int64(i+1), 0)
	}
	return b.Batch()
}

// rowField is a column of rows that are made of structs.
type rowField struct {
	column egrid.Column
	typ    egrid.Type
	index  [][]int // steps from the struct to the field, through pointers
}

func addFields(to *[]rowField, t reflect.Type, prefix string, before [][]int) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		steps := append(append([][]int{}, before...), f.Index)
		of := f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		typ := egrid.Text
		switch {
		case of == reflect.TypeFor[egrid.Value]():
		case of.Kind() == reflect.Struct:
			addFields(to, of, prefix+name+"_", steps)
			continue
		case of.Kind() == reflect.Float64:
			typ = egrid.Number
		case of.Kind() == reflect.Bool:
			typ = egrid.Flag
		case of.Kind() == reflect.Int, of.Kind() == reflect.Int64:
			typ = egrid.Integer
		case of.Kind() != reflect.String:
			panic(fmt.Sprintf("wire: field %s of %s is no cell", f.Name, t))
		}
		*to = append(*to, rowField{egrid.Column(prefix + name), typ, steps})
	}
}

func (f *rowField) set(b *egrid.Builder, at int, v reflect.Value) {
	for _, step := range f.index {
		if v = v.FieldByIndex(step); v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			v = v.Elem()
		}
	}
	switch x := v.Interface().(type) {
	case egrid.Value:
		if !x.IsMissing() {
			b.Text(at, []byte(x.String()))
		}
		return
	}
	switch f.typ {
	case egrid.Number:
		b.Number(at, v.Float())
	case egrid.Flag:
		b.Flag(at, v.Bool())
	case egrid.Integer:
		b.Int(at, v.Int())
	default:
		b.Text(at, []byte(v.String()))
	}
}
