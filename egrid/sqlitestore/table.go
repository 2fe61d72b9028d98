package sqlitestore

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// tableOf names the table of a sheet. Ids are hexadecimal.
func tableOf(id egrid.StageID) string { return "sheet_" + string(id) }

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// columnOf names the table's column for the i-th field of a schema. Columns
// that only a file knows may be called anything, so they go by position.
func columnOf(schema *egrid.Schema, i int) string {
	f := schema.Field(i)
	if f.Known() && plainName.MatchString(string(f.Column)) {
		return string(f.Column)
	}
	return fmt.Sprintf("x%d", i)
}

// columnFor names the table's column for a column of the schema.
func columnFor(schema *egrid.Schema, c egrid.Column) string { return columnOf(schema, schema.Index(c)) }

// place is where a snapshot keeps its rows.
type place struct {
	table  string
	schema *egrid.Schema
}

func placeOf(snap *egrid.Snapshot) place { return place{tableOf(snap.Stage), snap.Schema} }

// From implements [sqlstore.Table].
func (p place) From() string { return p.table }

// Value implements [sqlstore.Table]. What has no form of the type is missing.
func (p place) Value(c egrid.Column, t egrid.Type, _ func(string) string) string {
	i := p.schema.Index(c)
	if i < 0 || egrid.IsContext(c) {
		return "NULL"
	}
	name := columnOf(p.schema, i)
	switch from := p.schema.Field(i).Type; {
	case from == t:
		return name
	case t == egrid.Text && from == egrid.Flag:
		return "iif(" + name + ", 'true', 'false')"
	case t == egrid.Text:
		return "CAST(" + name + " AS TEXT)"
	case t == egrid.Number && from == egrid.Integer:
		return "CAST(" + name + " AS REAL)"
	}
	return "NULL"
}

func sqlType(t egrid.Type) string {
	switch t {
	case egrid.Integer, egrid.Flag:
		return "INTEGER"
	case egrid.Number:
		return "REAL"
	}
	return "TEXT"
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func createTable(id egrid.StageID, schema *egrid.Schema) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (row_number INTEGER PRIMARY KEY", tableOf(id))
	for i := range schema.Len() {
		fmt.Fprintf(&b, ", %s %s", columnOf(schema, i), sqlType(schema.Field(i).Type))
	}
	b.WriteString(")")
	return b.String()
}

// indexedRows is the size from which a table is worth indexing.
const indexedRows = 1000

// createIndexes returns the statements for what the API asks most: the largest
// of all and of a state, plants by name, and rows by identifier.
func createIndexes(id egrid.StageID, level egrid.Level, schema *egrid.Schema) []string {
	var statements []string
	add := func(name string, columns ...egrid.Column) {
		terms := make([]string, len(columns))
		for i, c := range columns {
			if !schema.Has(c) {
				return
			}
			terms[i] = columnFor(schema, c)
			if c == egrid.NetGeneration {
				terms[i] += " DESC"
			}
		}
		if len(terms) > 0 {
			statements = append(statements, fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s_%s ON %s (%s)", tableOf(id), name, tableOf(id), strings.Join(terms, ", ")))
		}
	}
	add("largest", egrid.NetGeneration)
	add("state", egrid.State, egrid.NetGeneration)
	add("name", egrid.PlantName)
	add("identifier", egrid.Identifier(level, schema.Has)...)
	return statements
}

// viewOf names the view of a published snapshot.
func viewOf(s egrid.Snapshot) string {
	name := fmt.Sprintf("%s_%d", strings.ToLower(string(s.Level)), s.Year)
	if s.Release != "" {
		name += "_" + s.Release
	}
	return name
}

// createView returns the statement for a view with readable column names.
func createView(s egrid.Snapshot) string {
	terms := []string{"row_number"}
	used := map[string]bool{"row_number": true}
	for i := range s.Schema.Len() {
		column := columnOf(s.Schema, i)
		name := string(s.Schema.Field(i).Column)
		if key := strings.ToLower(name); used[key] { // SQLite does not tell letter cases apart
			name = column
		}
		used[strings.ToLower(name)] = true
		terms = append(terms, column+" AS "+quote(name))
	}
	return fmt.Sprintf("CREATE VIEW %s AS SELECT %s FROM %s", viewOf(s), strings.Join(terms, ", "), tableOf(s.Stage))
}
