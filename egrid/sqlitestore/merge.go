package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// merge makes a table of the published rows updated by the staged ones, the
// n-th with an identifier by the n-th, and the others appended. The staged
// sheet's columns overwrite, its blanks too; columns that it lacks are kept.
func merge(ctx context.Context, tx *sql.Tx, live, staged egrid.Snapshot, spec egrid.SnapshotSpec) (egrid.Snapshot, error) {
	merged := live.MergedWith(staged)
	schema := merged.Schema
	spec.Schema = schema
	text, err := json.Marshal(spec)
	if err != nil {
		return merged, err
	}
	statements := append([]string{createTable(merged.ID, schema)}, mergeStatements(live, staged, merged)...)
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return merged, err
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO sheets (id, level, year, release, status, spec, touched_at) VALUES (?, ?, ?, ?, 'staging', ?, unixepoch())",
		merged.ID, merged.Level, merged.Year, merged.Release, string(text)); err != nil {
		return merged, err
	}
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+tableOf(merged.ID)).Scan(&merged.Rows); err != nil {
		return merged, err
	}
	if merged.Rows >= indexedRows {
		for _, statement := range createIndexes(merged.ID, merged.Level, schema) {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return merged, err
			}
		}
		if err := analyze(ctx, tx, merged.ID); err != nil {
			return merged, err
		}
	}
	return merged, drop(ctx, tx, staged.ID)
}

func mergeStatements(live, staged, merged egrid.Snapshot) []string {
	var kept, taken, blank []string // what a column of the merged table is made of: for updated rows, and for appended ones
	for i, f := range merged.Schema.Fields() {
		old, added := live.Schema.Index(f.Column), staged.Schema.Index(f.Column)
		switch {
		case added < 0:
			kept = append(kept, "o."+columnOf(live.Schema, old))
			blank = append(blank, "NULL")
		case old < 0:
			kept = append(kept, "n."+columnOf(staged.Schema, added))
			blank = append(blank, "n."+columnOf(staged.Schema, added))
		default:
			n := "n." + columnOf(staged.Schema, added)
			kept = append(kept, fmt.Sprintf("CASE WHEN n.row_number IS NULL THEN o.%s ELSE %s END", columnOf(live.Schema, old), n))
			blank = append(blank, n)
		}
		taken = append(taken, columnOf(merged.Schema, i))
	}
	o, n, same := matchByIdentifier(live, staged)
	into := fmt.Sprintf("INSERT INTO %s (row_number, %s) ", tableOf(merged.ID), strings.Join(taken, ", "))
	return []string{
		into + fmt.Sprintf("SELECT o.row_number, %s FROM %s o LEFT JOIN %s n ON %s", strings.Join(kept, ", "), o, n, same),
		into + fmt.Sprintf("SELECT (SELECT coalesce(max(row_number), 0) FROM %s) + row_number() OVER (ORDER BY n.row_number), %s FROM %s n WHERE NOT EXISTS (SELECT 1 FROM %s o WHERE %s)",
			tableOf(live.ID), strings.Join(blank, ", "), n, o, same),
	}
}

// matchByIdentifier returns the two tables as sources, and the condition under
// which a row of one is a row of the other.
func matchByIdentifier(live, staged egrid.Snapshot) (o, n, same string) {
	has := func(c egrid.Column) bool { return live.Schema.Has(c) && staged.Schema.Has(c) }
	id := egrid.Identifier(live.Level, has)
	if id == nil {
		return tableOf(live.ID), tableOf(staged.ID), "o.row_number = n.row_number"
	}
	source := func(s egrid.Snapshot) string {
		terms := make([]string, len(id))
		for i, c := range id {
			terms[i] = columnFor(s.Schema, c)
		}
		return fmt.Sprintf("(SELECT *, row_number() OVER (PARTITION BY %s ORDER BY row_number) AS occurrence FROM %s)", strings.Join(terms, ", "), tableOf(s.ID))
	}
	terms := []string{"o.occurrence = n.occurrence"}
	for _, c := range id {
		terms = append(terms, fmt.Sprintf("o.%s IS n.%s", columnFor(live.Schema, c), columnFor(staged.Schema, c)))
	}
	return source(live), source(staged), strings.Join(terms, " AND ")
}
