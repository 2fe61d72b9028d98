package sqlitestore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// oldTables are those of files of version 1.
const oldTables = `
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, change INTEGER NOT NULL);
INSERT INTO state VALUES (1, 7, 12);
CREATE TABLE sheets (
	id TEXT PRIMARY KEY, level TEXT NOT NULL, year INTEGER NOT NULL, release TEXT NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('staging', 'held', 'published')),
	spec TEXT NOT NULL, snapshot TEXT, touched_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX sheets_published ON sheets (level, year, release) WHERE status = 'published';
CREATE TABLE chunks (
	sheet TEXT NOT NULL, chunk INTEGER NOT NULL, rows INTEGER NOT NULL, rejected INTEGER NOT NULL,
	lossy TEXT NOT NULL, findings TEXT NOT NULL, PRIMARY KEY (sheet, chunk)
) WITHOUT ROWID;
PRAGMA user_version = 1;`

// oldSheet is a sheet as version 1 kept it.
type oldSheet struct {
	spec   driver.SnapshotSpec
	status egrid.Status
	reason string
	rows   [][]egrid.Value // numbered 1, 3, 5 ...: records between them were rejected
}

// newOldSheet makes a sheet of the columns state, plant_name, oris_plant_code,
// generator_id, net_generation_mwh and NEW, which no dictionary knows.
func newOldSheet(t *testing.T, content string, year int, status egrid.Status, reason string, records ...string) *oldSheet {
	t.Helper()
	var fields []egrid.Field
	for _, c := range []egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, "NEW"} {
		f, ok := egrid.Lookup(egrid.GEN, string(c))
		if !ok {
			f = egrid.Field{Level: egrid.GEN, Column: c, Type: egrid.Number}
		}
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	s := &oldSheet{status: status, reason: reason, spec: driver.SnapshotSpec{
		Level: egrid.GEN, Year: year, Schema: schema, Source: egrid.Source{Object: content + ".csv", SHA256: content, Bytes: 7}, Reading: "r",
	}}
	for _, record := range records {
		var row []egrid.Value
		for i, text := range strings.Split(record, ",") {
			v, _, err := egrid.ParseValue(fields[i].Type, text)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, v)
		}
		s.rows = append(s.rows, row)
	}
	return s
}

const oldChunkRows = 2

// audits are those of every old sheet: each of its chunks found one.
func (s *oldSheet) audits() []egrid.Audit {
	n := (len(s.rows) + oldChunkRows - 1) / oldChunkRows
	return []egrid.Audit{{Rule: "negative_emissions", Severity: egrid.Warning, Count: int64(n), Examples: slices.Repeat([]string{"row 1"}, n)}}
}

// chunks are the rows as this version puts them.
func (s *oldSheet) chunks(t *testing.T) []driver.Chunk {
	t.Helper()
	var chunks []driver.Chunk
	b := egrid.NewBuilder(s.spec.Schema, s.spec.Year)
	for i, row := range s.rows {
		if err := b.Row(row); err != nil {
			t.Fatal(err)
		}
		if b.EndRow(int64(2*i+1), 0); b.Len() == oldChunkRows || i == len(s.rows)-1 {
			chunks = append(chunks, driver.Chunk{Index: len(chunks), Rows: b.Batch(), Rejected: 1, Findings: []egrid.Audit{
				{Rule: "negative_emissions", Severity: egrid.Warning, Count: 1, Examples: []string{"row 1"}}}})
		}
	}
	return chunks
}

// write writes the sheet by SQL, as version 1 did.
func (s *oldSheet) write(t *testing.T, db *sql.DB) {
	t.Helper()
	run := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	text := func(v any) string {
		t.Helper()
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	id := s.spec.ID()
	fields := s.spec.Schema.Fields() // version 1 wrote whole fields, no references
	source := s.spec.Source
	source.ID = id
	spec := map[string]any{"level": "GEN", "year": s.spec.Year, "release": "", "source": s.spec.Source, "columns": fields, "reading": "r"}
	var snapshot any
	if s.status != "staging" {
		snapshot = text(map[string]any{
			"id": id, "level": "GEN", "year": s.spec.Year, "release": "", "status": s.status, "reason": s.reason, "rows": len(s.rows), "rejected": len(s.audits()[0].Examples),
			"columns": fields, "lossy_columns": nil, "sources": []egrid.Source{source}, "audits": s.audits(), "loaded_at": "2024-05-06T07:08:09Z", "revision": 7,
		})
	}
	run("INSERT INTO sheets VALUES (?, 'GEN', ?, '', ?, ?, ?, ?)", id, s.spec.Year, s.status, text(spec), snapshot, time.Now().Unix())
	run(fmt.Sprint("CREATE TABLE sheet_", id, " (row_number INTEGER PRIMARY KEY, state TEXT, plant_name TEXT, oris_plant_code TEXT, generator_id TEXT, net_generation_mwh REAL, x5 REAL)"))
	for i, row := range s.rows {
		args := []any{2*i + 1}
		for _, v := range row {
			args = append(args, v.Any())
		}
		run(fmt.Sprint("INSERT INTO sheet_", id, " VALUES (?, ?, ?, ?, ?, ?, ?)"), args...)
	}
	if s.status == egrid.Published {
		run(fmt.Sprint("CREATE VIEW gen_", s.spec.Year, " AS SELECT row_number, state AS \"state\", x5 AS \"NEW\" FROM sheet_", id))
		return
	}
	for chunk := range s.audits()[0].Count {
		rows := min(oldChunkRows, len(s.rows)-oldChunkRows*int(chunk))
		run("INSERT INTO chunks VALUES (?, ?, ?, 1, 'null', ?)", id, chunk, rows, text([]egrid.Audit{{Rule: "negative_emissions", Severity: egrid.Warning, Count: 1, Examples: []string{"row 1"}}}))
	}
}

// TestMigration opens a file of version 1, with something in every state.
func TestMigration(t *testing.T) {
	live := newOldSheet(t, "live", 2022, egrid.Published, "", "TX,B,2,1,20.5,1", "TX,A,1,1,,", "AL,É \"x\",3,7E600,-3,0.1")
	other := newOldSheet(t, "other", 2021, egrid.Published, "", "TX,B,2,1,20.5,1")
	held := newOldSheet(t, "held", 2022, egrid.Held, "it has 1 rows", "TX,C,9,1,5,2", "TX,C,9,2,5,3", "TX,D,9,2,5,3")
	staged := newOldSheet(t, "staged", 2020, "staging", "", "TX,B,2,1,1,1", "TX,B,2,2,1,1", "TX,B,2,3,1,1")

	path := filepath.Join(t.TempDir(), "egrid.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), oldTables); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*oldSheet{live, other, held, staged} {
		s.write(t, db)
	}
	// The last chunk had not come yet.
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf("DELETE FROM chunks WHERE sheet = '%[1]s' AND chunk = 1; DELETE FROM sheet_%[1]s WHERE row_number = 5", staged.spec.ID())); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, there is nothing to do
		file, err := sqlitestore.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		checkMigrated(t, file, live, other, held)
	}
	var version, rows int
	var sum float64
	if err := db.QueryRowContext(t.Context(), `SELECT user_version, (SELECT count(*) FROM gen_2022), (SELECT total("NEW") FROM gen_2022) FROM pragma_user_version`).Scan(&version, &rows, &sum); err != nil || version != 2 || rows != 3 || sum != 1.1 {
		t.Errorf("version %d, and the view has %d rows with the sum %v, %v; want 2, 3, 1.1", version, rows, sum, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	file, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	fresh := open(t)
	// The same content as a new load has the same id, and the load that was under way goes on.
	for _, s := range []*oldSheet{live, staged, held} {
		want := loadOld(t, fresh, s, driver.PublishReplace)
		got := loadOld(t, file, s, driver.PublishReplace)
		if got.Snapshot.ID != want.Snapshot.ID || got.Snapshot.Rows != want.Snapshot.Rows || !reflect.DeepEqual(got.Snapshot.Audits, want.Snapshot.Audits) {
			t.Errorf("%s: got %+v; want the content of %+v", s.spec.Source.Object, got.Snapshot, want.Snapshot)
		}
	}
	catalog, err := file.Catalog(t.Context())
	if err != nil || catalog.Revision != 9 {
		t.Errorf("revision %d, %v; want 9", catalog.Revision, err)
	}
	if before, ok := catalog.Find(string(live.spec.ID())); !ok || before.Status != egrid.Superseded {
		t.Errorf("what was replaced is %s", before.Status)
	}
}

func checkMigrated(t *testing.T, file *sqlitestore.Store, live, other, held *oldSheet) {
	t.Helper()
	catalog, err := file.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != 3 || catalog.Revision != 7 {
		t.Fatalf("got %+v, %v", catalog, err)
	}
	for _, s := range []*oldSheet{live, other, held} {
		snap, ok := catalog.Find(string(s.spec.ID()))
		want := egrid.Snapshot{
			ID: snap.ID, Stage: s.spec.ID(), Authority: egrid.DefaultAuthority, Units: egrid.DefaultUnits, Level: egrid.GEN, Year: s.spec.Year, Status: s.status, Reason: s.reason, Rows: int64(len(s.rows)), Rejected: s.audits()[0].Count,
			Schema: snap.Schema, Sources: snap.Sources, Audits: s.audits(), LoadedAt: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Revision: 7,
		}
		if !ok || len(snap.ID) != 24 || string(snap.ID) == string(snap.Stage) || !reflect.DeepEqual(snap, want) || !slices.Equal(snap.Schema.Columns(), s.spec.Schema.Columns()) {
			t.Errorf("got %+v; want %+v", snap, want)
		}
		snap.Status = egrid.Published
		page, err := store.New(pinned{file, snap}).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Columns: s.spec.Schema.Columns()})
		if err != nil || page.Len() != len(s.rows) {
			t.Fatalf("%d rows, %v; want %d", page.Len(), err, len(s.rows))
		}
		for i, row := range s.rows {
			if got := page.Row(i); !slices.Equal(got.Values(), row) || got.Number() != int64(2*i+1) || got.Year() != s.spec.Year {
				t.Errorf("row %d: got %d, %v; want %d, %v", i, got.Number(), got.Values(), 2*i+1, row)
			}
		}
	}
}

// pinned reads one snapshot, in whatever state it is.
type pinned struct {
	driver.Scanner
	snapshot egrid.Snapshot
}

func (p pinned) Catalog(context.Context) (egrid.Catalog, error) {
	return egrid.Catalog{Snapshots: []egrid.Snapshot{p.snapshot}}, nil
}

// loadOld loads an old sheet again.
func loadOld(t *testing.T, file *sqlitestore.Store, s *oldSheet, policy driver.Policy) driver.PublishReport {
	t.Helper()
	id, err := file.Stage(t.Context(), s.spec)
	if err != nil {
		t.Fatal(err)
	}
	chunks := s.chunks(t)
	for _, c := range chunks {
		if _, err := file.Put(t.Context(), id, c); err != nil {
			t.Fatal(err)
		}
	}
	report, err := file.Publish(t.Context(), id, driver.PublishRequest{Policy: policy, Chunks: len(chunks), Rows: int64(len(s.rows))})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestMigrationFails breaks a file of version 1: it stays as it was.
func TestMigrationFails(t *testing.T) {
	live := newOldSheet(t, "live", 2022, egrid.Published, "", "TX,B,2,1,20.5,1")
	path := filepath.Join(t.TempDir(), "egrid.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), oldTables); err != nil {
		t.Fatal(err)
	}
	live.write(t, db)
	if _, err := db.ExecContext(t.Context(), "UPDATE sheets SET snapshot = '{'"); err != nil {
		t.Fatal(err)
	}
	if file, err := sqlitestore.Open(t.Context(), path, nil); err == nil {
		_ = file.Close()
		t.Fatal("it opened")
	}
	var version, change int
	if err := db.QueryRowContext(t.Context(), "SELECT user_version, (SELECT change FROM state) FROM pragma_user_version").Scan(&version, &change); err != nil || version != 1 || change != 12 {
		t.Errorf("version %d, change %d, %v; want 1 and 12", version, change, err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE sheets SET snapshot = json_object('id', id, 'level', level, 'year', year, 'status', status, 'rows', 1, 'columns', json_extract(spec, '$.columns'))"); err != nil {
		t.Fatal(err)
	}
	file, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
