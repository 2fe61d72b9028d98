package pgstore

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is a numbered step of the tables' history.
type migration struct {
	version int
	sql     string
}

// migrations lists the steps in order. A file that a release contained is
// never changed.
func migrations() ([]migration, error) {
	files, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var steps []migration
	for _, f := range files {
		text, err := migrationFiles.ReadFile("migrations/" + f.Name())
		if err != nil {
			return nil, err
		}
		m := migration{sql: string(text)}
		if _, err := fmt.Sscanf(f.Name(), "%04d_", &m.version); err != nil {
			return nil, fmt.Errorf("pgstore: migration %s: %w", f.Name(), err)
		}
		steps = append(steps, m)
	}
	slices.SortFunc(steps, func(a, b migration) int { return cmp.Compare(a.version, b.version) })
	return steps, nil
}

// Migrate brings the tables of a database to this version, making them if need
// be. It may run in several processes at once, and again at any time; data
// stay as they are. Errors: ErrSchema when a newer version made the tables.
func Migrate(ctx context.Context, url string, o *Options) error {
	options := o.withDefaults()
	options.Migrate = true
	pool, err := dial(ctx, url, 1, nil)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = open(ctx, pool, pool, options)
	return err
}

// migrate runs the steps that are missing, each in a transaction of its own,
// then brings the levels' tables up to the dictionary.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	err = s.update(ctx, func(tx pgx.Tx) error {
		if err := s.lock(ctx, tx, 0); err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.name("migrations")).Scan(&exists); err != nil || exists {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprint("CREATE SCHEMA IF NOT EXISTS ", quote(s.options.Schema), "; CREATE TABLE ", s.name("migrations"),
			" (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"))
		return err
	})
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := s.update(ctx, func(tx pgx.Tx) error { return s.apply(ctx, tx, step) }); err != nil {
			return err
		}
	}
	return s.update(ctx, func(tx pgx.Tx) error {
		if err := s.lock(ctx, tx, 0); err != nil {
			return err
		}
		if _, err := s.checkVersion(ctx, tx); err != nil {
			return err
		}
		return s.growTables(ctx, tx)
	})
}

func (s *Store) apply(ctx context.Context, tx pgx.Tx, step migration) error {
	if err := s.lock(ctx, tx, 0); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, "INSERT INTO "+s.name("migrations")+" (version) VALUES ($1) ON CONFLICT DO NOTHING", step.version)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT set_config('search_path', $1, true)", quote(s.options.Schema)); err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, step.sql); err != nil || step.version != contentVersion {
		return err
	}
	return s.identify(ctx, tx)
}

// contentVersion is the step since which snapshots have ids made of their
// content.
const contentVersion = 3

// identify gives snapshots that an earlier version loaded the ids of their
// content, and their stages' chunks a digest. It reads every row once.
func (s *Store) identify(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "SELECT id FROM "+s.name("sheets")+" ORDER BY number")
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[egrid.StageID])
	if err != nil {
		return err
	}
	for _, id := range ids {
		sh, err := s.find(ctx, tx, id, forSettle)
		if err != nil {
			return err
		}
		if err := s.identifySheet(ctx, tx, sh); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) identifySheet(ctx context.Context, tx pgx.Tx, sh *sheet) error {
	snap := driver.NewSnapshot(sh.id, sh.spec)
	var digest driver.Digest
	for b, err := range readSheet(ctx, tx, snap, &sh.layout, nil, 0, 0) {
		if err != nil {
			return err
		}
		digest = digest.Plus(driver.DigestOf(b))
	}
	if sh.settled() {
		var text string
		if err := tx.QueryRow(ctx, "SELECT snapshot FROM "+s.name("sheets")+" WHERE number = $1", sh.number).Scan(&text); err != nil {
			return err
		}
		snap = egrid.Snapshot{}
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			return err
		}
		snap.Stage = sh.id
		snap.ID = driver.IdentityOf(&snap, digest)
		if err := s.record(ctx, tx, &snap); err != nil {
			return err
		}
	}
	// Digests add up, so that of the whole sheet may stand with any chunk.
	sum, err := json.Marshal(digest)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE "+s.name("chunks")+" SET tally = tally::jsonb || jsonb_build_object('digest', $2::jsonb, 'order', $3::text) WHERE sheet = $1 AND chunk = (SELECT min(chunk) FROM "+
		s.name("chunks")+" WHERE sheet = $1)", sh.number, string(sum), driver.Order(sh.spec.Schema))
	return err
}

// growTables makes the tables that are missing, and adds the columns that the
// dictionary has gained, to sheets that are not published too: they will
// become partitions.
func (s *Store) growTables(ctx context.Context, tx pgx.Tx) error {
	have, err := s.tableColumns(ctx, tx)
	if err != nil {
		return err
	}
	waiting, err := s.unpublishedTables(ctx, tx)
	if err != nil {
		return err
	}
	var statements []string
	for _, level := range egrid.Levels() {
		parent := s.name(parentOf(level))
		if have[parentOf(level)] == nil {
			statements = append(statements, fmt.Sprint("CREATE TABLE ", parent, " (", baseColumns, ") PARTITION BY LIST (snapshot)"))
			statements = append(statements, s.describeTable(level)...)
		}
		for _, f := range typedFields(level) {
			if have[parentOf(level)][string(f.Column)] != "" {
				continue
			}
			for _, table := range append([]string{parent}, waiting[level]...) {
				statements = append(statements, fmt.Sprint("ALTER TABLE ", table, " ADD COLUMN IF NOT EXISTS ", quote(string(f.Column)), " ", sqlType(f.Type)))
			}
			statements = append(statements, comment("COLUMN "+parent+"."+quote(string(f.Column)), describe(&f)))
		}
	}
	if len(statements) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, strings.Join(mergeAdds(statements), ";\n"))
	return err
}

// mergeAdds joins additions to one table into one statement.
func mergeAdds(statements []string) []string {
	const add = " ADD COLUMN IF NOT EXISTS "
	at := map[string]int{}
	var merged, rest []string
	for _, statement := range statements {
		table, column, ok := strings.Cut(statement, add)
		switch i, met := at[table]; {
		case !ok && strings.HasPrefix(statement, "CREATE"):
			merged = append(merged, statement)
		case !ok:
			rest = append(rest, statement)
		case met:
			merged[i] += "," + add + column
		default:
			at[table] = len(merged)
			merged = append(merged, statement)
		}
	}
	return append(merged, rest...)
}

func (s *Store) describeTable(level egrid.Level) []string {
	parent := s.name(parentOf(level))
	return []string{
		comment("TABLE "+parent, fmt.Sprintf("eGRID level %s (%s): every published snapshot, one partition each.", level, level.Title())),
		comment("COLUMN "+parent+".snapshot", "Snapshot that the row belongs to; see the view snapshots."),
		comment("COLUMN "+parent+".row_number", "Position of the row in its sheet, from 1."),
		comment("COLUMN "+parent+".data_year", "Year that the data are for."),
		comment("COLUMN "+parent+".release", "Release of the edition; missing for the unmarked one."),
		comment("COLUMN "+parent+".extra", "Columns that only the file knows, by their headers."),
	}
}

// describe says what a column holds, with its unit and EPA's code.
func describe(f *egrid.Field) string {
	text := f.Description
	if f.Unit != "" {
		text += " Unit: " + f.Unit + "."
	}
	return text + " EPA code: " + f.Code + "."
}

func comment(what, text string) string {
	return "COMMENT ON " + what + " IS E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'" // the dictionary's own text
}

// tableColumns returns the types of the columns of the levels' tables.
func (s *Store) tableColumns(ctx context.Context, tx pgx.Tx) (map[string]map[string]string, error) {
	rows, err := tx.Query(ctx, `SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a
		JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind = 'p' AND a.attnum > 0 AND NOT a.attisdropped`, s.options.Schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := map[string]map[string]string{}
	for rows.Next() {
		var table, column, typ string
		if err := rows.Scan(&table, &column, &typ); err != nil {
			return nil, err
		}
		if tables[table] == nil {
			tables[table] = map[string]string{}
		}
		tables[table][column] = typ
	}
	return tables, rows.Err()
}

// unpublishedTables returns the tables that are no partitions yet.
func (s *Store) unpublishedTables(ctx context.Context, tx pgx.Tx) (map[egrid.Level][]string, error) {
	rows, err := tx.Query(ctx, "SELECT level, data_year, number FROM "+s.name("sheets")+" WHERE status <> 'published' FOR UPDATE")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := map[egrid.Level][]string{}
	for rows.Next() {
		var level egrid.Level
		var year int
		var number int64
		if err := rows.Scan(&level, &year, &number); err != nil {
			return nil, err
		}
		tables[level] = append(tables[level], s.name(tableOf(level, year, number)))
	}
	return tables, rows.Err()
}

// checkVersion compares the tables' version with ours.
func (s *Store) checkVersion(ctx context.Context, tx pgx.Tx) (int, error) {
	const remedy = "run egrid migrate"
	steps, err := migrations()
	if err != nil {
		return 0, err
	}
	want := steps[len(steps)-1].version
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.name("migrations")).Scan(&exists); err != nil {
		return 0, err
	}
	if !exists {
		return 0, fmt.Errorf("%w: %s has no eGRID tables in the schema %s; %s", egrid.ErrSchema, s.server, s.options.Schema, remedy)
	}
	var version int
	if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+s.name("migrations")).Scan(&version); err != nil {
		return 0, err
	}
	switch {
	case version < want:
		return version, fmt.Errorf("%w: the tables on %s have version %d where this program needs %d; %s", egrid.ErrSchema, s.server, version, want, remedy)
	case version > want:
		return version, fmt.Errorf("%w: the tables on %s have version %d, made by a newer program; this one knows %d: update it", egrid.ErrSchema, s.server, version, want)
	}
	return version, nil
}

// checkSchema checks the version, and that every column of the dictionary has
// its place.
func (s *Store) checkSchema(ctx context.Context, tx pgx.Tx) error {
	if _, err := s.checkVersion(ctx, tx); err != nil {
		return err
	}
	have, err := s.tableColumns(ctx, tx)
	if err != nil {
		return err
	}
	for _, level := range egrid.Levels() {
		for _, f := range typedFields(level) {
			switch typ := have[parentOf(level)][string(f.Column)]; typ {
			case castType(f.Type):
			case "":
				return fmt.Errorf("%w: the table %s on %s lacks the column %s; run egrid migrate", egrid.ErrSchema, s.name(parentOf(level)), s.server, f.Column)
			default:
				return fmt.Errorf("%w: the column %s of %s on %s is %s where this program needs %s; use the program that made it",
					egrid.ErrSchema, f.Column, s.name(parentOf(level)), s.server, typ, castType(f.Type))
			}
		}
	}
	return nil
}

// lock makes the transaction wait for others that changed the same: the
// catalogue (0) or a sheet.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, number int64) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", "egrid "+s.options.Schema, number)
	return err
}
