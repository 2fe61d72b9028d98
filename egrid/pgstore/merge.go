package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// merge makes a sheet of the published rows updated by the staged ones, the
// n-th with an identifier by the n-th, and the others appended. The staged
// sheet's columns overwrite, its blanks too; columns that it lacks are kept.
// snap becomes the merged sheet's.
func (s *Store) merge(ctx context.Context, tx pgx.Tx, live, snap *egrid.Snapshot, staged *sheet) (*sheet, error) {
	old, err := s.find(ctx, tx, live.ID, forSettle)
	if err != nil {
		return nil, err
	}
	*snap = live.MergedWith(*snap)
	spec := staged.spec
	spec.Schema = snap.Schema
	old.layout.schema = live.Schema

	typed := slices.Clone(old.layout.typed)
	for _, c := range staged.layout.typed {
		if !slices.Contains(typed, c) {
			typed = append(typed, c)
		}
	}
	merged, err := s.create(ctx, tx, snap.ID, spec, typed)
	if err != nil {
		return nil, err
	}
	if merged == nil {
		return nil, fmt.Errorf("pgstore: the merged sheet %s exists already", snap.ID)
	}
	for _, m := range mergeStatements(&old.layout, &staged.layout, merged) {
		tag, err := tx.Exec(ctx, m.text, m.args...)
		if err != nil {
			return nil, err
		}
		merged.rows += tag.RowsAffected()
	}
	snap.Rows = merged.rows
	if err := s.indexTable(ctx, tx, merged, merged.rows); err != nil {
		return nil, err
	}
	return merged, s.drop(ctx, tx, staged)
}

// statement is SQL with the values that it binds.
type statement struct {
	binder
	text string
}

// mergeStatements fill the merged table from o, the published one, and n, the
// staged one: first the updated rows, then the appended ones.
func mergeStatements(old, staged *layout, merged *sheet) []*statement {
	update, add := &statement{}, &statement{}
	release := func(m *statement) string {
		return "nullif(" + m.bind(merged.spec.Release, "text") + ", '')"
	}
	constants := func(m *statement) string {
		return fmt.Sprint(merged.number, ", ", merged.spec.Year, ", ", release(m))
	}
	into := []string{"snapshot", "data_year", "release", "row_number", "extra"}
	kept, blank := []string{}, []string{}
	for _, name := range merged.layout.typed {
		c := egrid.Column(name)
		t := merged.layout.schema.Field(merged.layout.schema.Index(c)).Type
		into = append(into, quote(name))
		blank = append(blank, staged.value("n.", c, t, &add.binder))
		switch o, n := old.value("o.", c, t, &update.binder), staged.value("n.", c, t, &update.binder); {
		case !staged.schema.Has(c):
			kept = append(kept, o)
		case !old.schema.Has(c):
			kept = append(kept, n)
		default:
			kept = append(kept, fmt.Sprintf("CASE WHEN n.row_number IS NULL THEN %s ELSE %s END", o, n))
		}
	}
	target := fmt.Sprint("INSERT INTO ", merged.layout.table, " (", strings.Join(into, ", "), ") ")

	o, n, same := matchByIdentifier(old, staged, merged.spec.Level, &update.binder)
	extra := fmt.Sprint("nullif(CASE WHEN n.row_number IS NULL THEN coalesce(o.extra, '{}') - ", update.bind(merged.layout.typed, "text[]"),
		" ELSE (coalesce(o.extra, '{}') - ", update.bind(texts(append(staged.schema.Columns(), columnsOf(merged.layout.typed)...)), "text[]"),
		") || (coalesce(n.extra, '{}') - ", update.bind(merged.layout.typed, "text[]"), ") END, '{}')")
	update.text = fmt.Sprint(target, "SELECT ", constants(update), ", o.row_number, ", extra, comma(kept), " FROM ", o, " o LEFT JOIN ", n, " n ON ", same)

	o, n, same = matchByIdentifier(old, staged, merged.spec.Level, &add.binder)
	extra = fmt.Sprint("nullif(coalesce(n.extra, '{}') - ", add.bind(merged.layout.typed, "text[]"), ", '{}')")
	add.text = fmt.Sprint(target, "SELECT ", constants(add), ", (SELECT coalesce(max(row_number), 0) FROM ", old.table, ") + row_number() OVER (ORDER BY n.row_number), ",
		extra, comma(blank), " FROM ", n, " n WHERE NOT EXISTS (SELECT 1 FROM ", o, " o WHERE ", same, ")")
	return []*statement{update, add}
}

func comma(terms []string) string {
	var b strings.Builder
	for _, term := range terms {
		b.WriteString(", ")
		b.WriteString(term)
	}
	return b.String()
}

func texts(columns []egrid.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = string(c)
	}
	return names
}

func columnsOf(names []string) []egrid.Column {
	columns := make([]egrid.Column, len(names))
	for i, name := range names {
		columns[i] = egrid.Column(name)
	}
	return columns
}

// matchByIdentifier returns the two tables as sources, and the condition under
// which a row of one is a row of the other. A missing part of an identifier
// equals a missing one; no text is empty.
func matchByIdentifier(old, staged *layout, level egrid.Level, b *binder) (o, n, same string) {
	has := func(c egrid.Column) bool { return old.schema.Has(c) && staged.schema.Has(c) }
	id := driver.Identifier(level, has)
	if id == nil {
		return old.table, staged.table, "o.row_number = n.row_number"
	}
	source := func(l *layout) string {
		keys := make([]string, len(id))
		named := make([]string, len(id))
		for i, c := range id {
			keys[i] = "coalesce(" + l.value("", c, egrid.Text, b) + ", '')"
			named[i] = fmt.Sprintf("%s AS k%d", keys[i], i)
		}
		return fmt.Sprint("(SELECT t.*, row_number() OVER (PARTITION BY ", strings.Join(numbered("k", len(id)), ", "), " ORDER BY t.row_number) AS occurrence FROM (SELECT *, ",
			strings.Join(named, ", "), " FROM ", l.table, ") t)")
	}
	terms := []string{"o.occurrence = n.occurrence"}
	for _, k := range numbered("k", len(id)) {
		terms = append(terms, fmt.Sprintf("o.%s = n.%s", k, k))
	}
	return source(old), source(staged), strings.Join(terms, " AND ")
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(prefix, i)
	}
	return names
}
