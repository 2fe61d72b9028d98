package pgstore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// name qualifies and quotes the name of one of our tables.
func (s *Store) name(table string) string { return pgx.Identifier{s.options.Schema, table}.Sanitize() }

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// parentOf names the table of a level, of which published sheets are
// partitions.
func parentOf(level egrid.Level) string { return strings.ToLower(string(level)) }

// tableOf names the table of a sheet. A number is never used twice, so a name
// always means the same rows.
func tableOf(level egrid.Level, year int, number int64) string {
	return fmt.Sprintf("%s_%d_%d", parentOf(level), year, number)
}

func sqlType(t egrid.Type) string {
	switch t {
	case egrid.Integer:
		return "bigint"
	case egrid.Number:
		return "double precision"
	case egrid.Flag:
		return "boolean"
	}
	return `text COLLATE "C"`
}

// castType is sqlType without the collation.
func castType(t egrid.Type) string {
	name, _, _ := strings.Cut(sqlType(t), " COLLATE")
	return name
}

// baseColumns are those that every table has before the dictionary's.
const baseColumns = `"snapshot" bigint NOT NULL, "row_number" bigint NOT NULL, "data_year" integer NOT NULL, "release" text COLLATE "C", "extra" jsonb`

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// typedFields are the dictionary's columns that have a column of the table.
func typedFields(level egrid.Level) []egrid.Field {
	return slices.DeleteFunc(egrid.Fields(level), func(f egrid.Field) bool {
		return egrid.IsContext(f.Column) || !plainName.MatchString(string(f.Column)) ||
			slices.Contains([]egrid.Column{"snapshot", "row_number", "extra"}, f.Column)
	})
}

// typedColumns picks the columns of a sheet's schema that have a column of the
// level's table.
func typedColumns(level egrid.Level, schema *egrid.Schema) []string {
	typed := []string{}
	for _, f := range typedFields(level) {
		if i := schema.Index(f.Column); i >= 0 && schema.Field(i).Type == f.Type {
			typed = append(typed, string(f.Column))
		}
	}
	return typed
}

// layout is where a sheet keeps its values. It is a [sqlstore.Table].
type layout struct {
	table  string // qualified and quoted
	year   int
	schema *egrid.Schema
	typed  []string
}

func (l *layout) isTyped(c egrid.Column) bool { return slices.Contains(l.typed, string(c)) }

// From implements [sqlstore.Table]. The year lets the index of states serve its
// order.
func (l *layout) From() string { return fmt.Sprint(l.table, " WHERE data_year = ", l.year) }

// Value implements [sqlstore.Table].
func (l *layout) Value(c egrid.Column, t egrid.Type, bind func(string) string) string {
	i := l.schema.Index(c)
	if i < 0 || egrid.IsContext(c) {
		return null(t)
	}
	if l.isTyped(c) {
		return cast(quote(string(c)), l.schema.Field(i).Type, t)
	}
	key := bind(string(c))
	if t == egrid.Text {
		return fmt.Sprintf(`((extra ->> %s) COLLATE "C")`, key)
	}
	kind := "number"
	if t == egrid.Flag {
		kind = "boolean"
	}
	return fmt.Sprintf("(CASE jsonb_typeof(extra -> %s) WHEN '%s' THEN (extra ->> %s)::%s END)", key, kind, key, castType(t))
}

// cast turns an expression of one type into another; what has no such form
// becomes missing.
func cast(term string, from, to egrid.Type) string {
	switch {
	case from == to:
		return term
	case to == egrid.Text:
		return "(" + term + `::text COLLATE "C")`
	case to == egrid.Number && from == egrid.Integer:
		return "(" + term + "::double precision)"
	}
	return null(to)
}

func null(t egrid.Type) string {
	if t == egrid.Text {
		return `(NULL::text COLLATE "C")`
	}
	return "NULL::" + castType(t)
}
