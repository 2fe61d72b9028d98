package egrid_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Fields of the dictionary go by reference, with all that it says of them; others
// go as they are.
func TestSchemaJSON(t *testing.T) {
	for _, level := range egrid.Levels() {
		fields := egrid.Fields(level)
		own := egrid.Field{Level: level, Column: `own / "column" <é>`, Type: egrid.Number, Unit: "MWh"}
		foreign := egrid.Field{Column: fields[0].Column, Type: egrid.Text} // of no level
		other := fields[1]                                                 // as another version's dictionary might have it
		other.Unit = "furlongs"
		want := append([]egrid.Field{own, foreign, other}, fields[2:]...)
		schema, err := egrid.NewSchema(want...)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), `"`+string(level)+`/`); n != len(fields)-2 {
			t.Errorf("%s: %d fields are references; want %d:\n%s", level, n, len(fields)-2, text)
		}
		var got egrid.Schema
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", level, err)
		}
		if !reflect.DeepEqual(got.Fields()[3:], fields[2:]) {
			t.Errorf("%s: got %+v; want %+v", level, got.Fields()[3:], fields[2:])
		}
		for i, f := range want {
			g, w := got.Field(i), f
			for _, field := range []*egrid.Field{&g, &w} {
				if len(field.Editions) == 0 {
					field.Editions = nil // JSON has null and [] for it
				}
			}
			if got.Index(f.Column) != i || !reflect.DeepEqual(g, w) {
				t.Errorf("%s: field %d is %+v; want %+v", level, i, g, w)
			}
		}
	}
	field, _ := egrid.Lookup(egrid.GEN, "GENNTAN")
	schema, _ := egrid.NewSchema(field)
	if text, err := json.Marshal(schema); err != nil || string(text) != `["GEN/net_generation_mwh"]` {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestSchemaJSONRefuses(t *testing.T) {
	for text, want := range map[string]error{
		`["GEN/of_a_newer_version"]`:     egrid.ErrSchema,
		`["GEN/GENNTAN"]`:                egrid.ErrSchema, // a code is no reference
		`["NOWHERE/net_generation_mwh"]`: egrid.ErrSchema,
		`["net_generation_mwh"]`:         egrid.ErrSchema,
		`[""]`:                           egrid.ErrSchema,
		`["GEN/state","GEN/state"]`:      egrid.ErrInvalid,
		`["GEN/state",{"level":"GEN","name":"state","type":"x"}]`: egrid.ErrInvalid,
		`[{"level":"GEN","name":"","type":"text"}]`:               egrid.ErrInvalid,
		`{}`: nil, `"GEN/state"`: nil, `[1]`: nil, `[[]]`: nil, // the error of package json
	} {
		schema, err := egrid.NewSchema(egrid.Field{Column: "before", Type: egrid.Text})
		if err != nil {
			t.Fatal(err)
		}
		err = json.Unmarshal([]byte(text), schema)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: got %v; want %v", text, err, want)
		}
		if schema.Len() != 1 || !schema.Has("before") {
			t.Errorf("%s: a schema that cannot be read has changed: %v", text, schema.Columns())
		}
	}
}

func TestRow(t *testing.T) {
	schema := schemaOf(t, egrid.Text, egrid.Number)
	b, err := egrid.BatchOf(schema, 2023, []egrid.Value{egrid.TextOf("a"), egrid.NumberOf(2)}, []egrid.Value{{}, {}})
	if err != nil {
		t.Fatal(err)
	}
	row := b.Row(1)
	if of, i := row.Batch(); of != b || i != 1 || row.Schema() != schema || row.Len() != 2 || row.Number() != 2 || row.Line() != 0 {
		t.Errorf("row %d, line %d of %d columns", row.Number(), row.Line(), row.Len())
	}
	// The data year is of every row, with a column for it or without.
	if row.Year() != 2023 || row.Value(egrid.Year) != egrid.IntegerOf(2023) || !row.Value("nowhere").IsMissing() {
		t.Errorf("data year %d, %v", row.Year(), row.Value(egrid.Year))
	}
	years, err := egrid.NewSchema(egrid.Field{Column: egrid.Year, Type: egrid.Integer})
	if err != nil {
		t.Fatal(err)
	}
	several, err := egrid.BatchOf(years, 0, []egrid.Value{egrid.IntegerOf(2019)}, []egrid.Value{{}})
	if err != nil || several.Row(0).Year() != 2019 || several.Row(1).Year() != 0 {
		t.Errorf("%v, %v", several, err)
	}
	values := row.Values()
	values[0] = egrid.TextOf("changed")
	if !row.At(0).IsMissing() {
		t.Error("a row changes with the copy of its values")
	}
}

// The zero Row can be asked whatever a row can be asked by name.
func TestZeroRow(t *testing.T) {
	var row egrid.Row
	text, err := json.Marshal(row)
	if row.Schema() != nil || row.Len() != 0 || len(row.Values()) != 0 || row.Number() != 0 || row.Line() != 0 || row.Year() != 0 ||
		!row.Value(egrid.State).IsMissing() || row.Text(egrid.State) != "" || string(text) != "{}" || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

// What is derived of a schema is made once for each run of equal keys.
func TestDerived(t *testing.T) {
	schema, made := schemaOf(t, egrid.Text), 0
	derive := func(key string) *egrid.Schema {
		return schema.Derived(key, func() *egrid.Schema { made++; return schemaOf(t, egrid.Number) })
	}
	first := derive("a")
	if derive("a") != first || made != 1 || derive("b") == first || derive("a") == first || made != 3 {
		t.Errorf("made %d times", made)
	}
}
