package httpapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// columnSchema describes a column's values in JSON.
func columnSchema(f egrid.Field) *huma.Schema {
	s := &huma.Schema{Description: f.Description, Nullable: true}
	if f.Unit != "" {
		s.Description += " Unit: " + f.Unit + "."
		s.Extensions = map[string]any{"x-unit": f.Unit}
	}
	switch f.Type {
	case egrid.Number:
		s.Type = huma.TypeNumber
	case egrid.Integer:
		s.Type = huma.TypeInteger
	case egrid.Flag:
		s.Type = huma.TypeBoolean
	default:
		s.Type = huma.TypeString
	}
	return s
}

// rowSchema describes a row that has these columns, and maybe others.
func rowSchema(fields ...egrid.Field) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{}}
	for _, f := range fields {
		s.Properties[string(f.Column)] = columnSchema(f)
	}
	s.PrecomputeMessages()
	return s
}

func listOf(item *huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: item}
}

// schemaOf describes a Go type.
func (a *api) schemaOf(t reflect.Type) *huma.Schema {
	return huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, t)
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// derivedFields are the columns of a plant answer that are made of others.
func derivedFields() []egrid.Field {
	return []egrid.Field{
		{Level: egrid.PLNT, Column: store.PlantID, Type: egrid.Text, Description: "Identifies the plant: its ORIS code or, where the loaded sheets have none, state~name."},
		{Level: egrid.PLNT, Column: store.ShareOfState, Type: egrid.Number, Unit: "fraction", Description: "Share of the state's net generation; missing when the state is."},
	}
}

// plantFields are the columns of a plant answer that names none.
func plantFields() []egrid.Field {
	fields := derivedFields()
	for _, c := range store.PlantColumns() {
		if f, ok := egrid.Lookup(egrid.PLNT, string(c)); ok {
			fields = append(fields, f)
		}
	}
	return fields
}

// totalFields are the columns of totals by another column.
func totalFields(by egrid.Column) []egrid.Field {
	fields := store.TotalFields(by)
	for i := range fields {
		if fields[i].Column == egrid.Year {
			fields[i].Column = "year"
		}
	}
	return fields
}
