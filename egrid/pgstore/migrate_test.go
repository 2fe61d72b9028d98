package pgstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

// oldTables are the tables of schema version 2 beside those of the migrations'
// files: a level's, with the columns of a smaller dictionary.
const oldTables = `
CREATE TABLE gen (snapshot bigint NOT NULL, row_number bigint NOT NULL, data_year integer NOT NULL, release text COLLATE "C", extra jsonb,
	state text COLLATE "C", plant_name text COLLATE "C", oris_plant_code text COLLATE "C", generator_id text COLLATE "C", net_generation_mwh double precision
) PARTITION BY LIST (snapshot);
CREATE TABLE migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());`

// oldSheet is a sheet as version 2 kept it.
type oldSheet struct {
	spec   driver.SnapshotSpec
	status egrid.Status
	reason string
	chunks []*egrid.Batch
}

// oldColumns have a column of their own; NEW is kept in extra.
var oldColumns = []egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, "NEW"}

func newOldSheet(t *testing.T, content string, year int, status egrid.Status, reason string, records ...string) *oldSheet {
	t.Helper()
	var fields []egrid.Field
	for _, c := range oldColumns {
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
	b := egrid.NewBuilder(schema, year)
	for i, record := range records {
		for j, text := range strings.Split(record, ",") {
			v, _, err := egrid.ParseValue(fields[j].Type, text)
			if err == nil {
				err = b.Value(j, v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		b.EndRow(int64(2*i+1), 0) // records between them were rejected
		if b.Len() == 2 || i == len(records)-1 {
			s.chunks = append(s.chunks, b.Batch())
		}
	}
	return s
}

// oldAudits are those of every old sheet; each of its chunks found one.
func (s *oldSheet) audits() []egrid.Audit {
	return []egrid.Audit{{Rule: "negative_emissions", Severity: egrid.Warning, Count: int64(len(s.chunks)), Examples: slices.Repeat([]string{"row 1"}, len(s.chunks))}}
}

func (s *oldSheet) rows() (n int64) {
	for _, b := range s.chunks {
		n += int64(b.Len())
	}
	return n
}

// write writes the sheet by SQL, as version 2 did.
func (s *oldSheet) write(t *testing.T, conn *pgx.Conn, number int) {
	t.Helper()
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
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
	columns := s.spec.Schema.Fields() // version 2 wrote whole fields, no references
	source := s.spec.Source
	source.ID = id
	snapshot := new(string)
	if s.status == "staging" {
		snapshot = nil
	} else {
		*snapshot = text(map[string]any{
			"id": id, "level": "GEN", "year": s.spec.Year, "release": "", "status": s.status, "reason": s.reason, "rows": s.rows(), "rejected": len(s.chunks),
			"columns": columns, "lossy_columns": []string{"net_generation_mwh"}, "sources": []egrid.Source{source}, "audits": s.audits(),
			"loaded_at": time.Date(2025, 2, 3, 4, 5, 6, 7000, time.UTC), "revision": number,
		})
	}
	run(`INSERT INTO sheets (id, level, data_year, release, status, typed, spec, snapshot) VALUES ($1, 'GEN', $2, '', $3, $4, $5, $6)`,
		string(id), s.spec.Year, string(s.status), []string{"state", "plant_name", "oris_plant_code", "generator_id", "net_generation_mwh"},
		text(map[string]any{"level": "GEN", "year": s.spec.Year, "release": "", "source": s.spec.Source, "columns": columns, "reading": s.spec.Reading}), snapshot)
	table := fmt.Sprintf("gen_%d_%d", s.spec.Year, number)
	run(fmt.Sprintf("CREATE TABLE %s (LIKE gen, CHECK (snapshot = %d), CHECK (data_year = %d))", table, number, s.spec.Year))
	for i, b := range s.chunks {
		for row := range b.Rows() {
			values := []any{number, row.Number(), s.spec.Year}
			for c := range 5 {
				values = append(values, row.At(c).Any())
			}
			var extra any
			if v := row.At(5); !v.IsMissing() {
				extra = text(map[string]egrid.Value{"NEW": v})
			}
			run("INSERT INTO "+table+" (snapshot, row_number, data_year, state, plant_name, oris_plant_code, generator_id, net_generation_mwh, extra) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", append(values, extra)...)
		}
		if s.status != egrid.Published {
			run(`INSERT INTO chunks (sheet, chunk, rows, rejected, lossy, findings) VALUES ($1, $2, $3, 1, '["net_generation_mwh"]', $4)`, number, i, b.Len(),
				text([]egrid.Audit{{Rule: "negative_emissions", Severity: egrid.Warning, Count: 1, Examples: []string{"row 1"}}}))
		}
	}
	if s.status == egrid.Published {
		run(fmt.Sprintf("ALTER TABLE gen ATTACH PARTITION %s FOR VALUES IN (%d)", table, number))
		run("UPDATE state SET revision = revision + 1")
	}
	run("UPDATE state SET change = change + 1")
}

// load loads the sheet with this version.
func (s *oldSheet) load(t *testing.T, store *pgstore.Store, policy driver.Policy) egrid.Snapshot {
	t.Helper()
	id := stage(t, store, s.spec)
	for i, b := range s.chunks {
		s.put(t, store, id, i, b)
	}
	report, err := store.Publish(t.Context(), id, driver.PublishRequest{Policy: policy, Chunks: len(s.chunks), Rows: s.rows()})
	if err != nil {
		t.Fatal(err)
	}
	return report.Snapshot
}

// put puts a chunk with the marks and findings of every old one.
func (s *oldSheet) put(t *testing.T, store *pgstore.Store, id egrid.StageID, index int, b *egrid.Batch) {
	t.Helper()
	marked := egrid.NewBuilder(b.Schema(), b.Year())
	for i := range b.Len() {
		marked.Lossy(4)
		marked.Append(b, i)
	}
	chunk := driver.Chunk{Index: index, Rows: marked.Batch(), Rejected: 1, Findings: []egrid.Audit{{Rule: "negative_emissions", Severity: egrid.Warning, Count: 1, Examples: []string{"row 1"}}}}
	if _, err := store.Put(t.Context(), id, chunk); err != nil {
		t.Fatal(err)
	}
}

// makeOld makes the tables of an earlier version in a schema and writes sheets.
func makeOld(t *testing.T, schema string, version int, sheets ...*oldSheet) {
	t.Helper()
	steps := "CREATE SCHEMA " + schema + "; SET search_path TO " + schema + ";" + oldTables
	for i, file := range []string{"0001_catalogue.sql", "0002_failures.sql"}[:version] {
		text, err := os.ReadFile("migrations/" + file)
		if err != nil {
			t.Fatal(err)
		}
		steps += string(text) + fmt.Sprintf("; INSERT INTO migrations VALUES (%d);", i+1)
	}
	conn := connect(t)
	if _, err := conn.Exec(t.Context(), steps); err != nil {
		t.Fatal(err)
	}
	for i, s := range sheets {
		s.write(t, conn, i+1)
	}
}

// TestMigrateFromBefore opens tables of the versions before with all that they
// hold, and compares with what this version makes of the same rows.
func TestMigrateFromBefore(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprint(version), func(t *testing.T) { migrateFrom(t, version) })
	}
}

func migrateFrom(t *testing.T, version int) {
	published := newOldSheet(t, "p", 2022, egrid.Published, "", "TX,A,1,1,5.25,0.5", "TX,B,2,1,,1", "AK,,3,1,-7.125,", "AK,Ünï,3,2,1e-9,12345678.25")
	held := newOldSheet(t, "h", 2022, egrid.Held, "it has 3 rows where 4 are published", "TX,A,1,1,5.5,", "TX,B,2,1,1,", "AK,C,3,1,2,3")
	other := newOldSheet(t, "o", 2023, egrid.Published, "", "TX,A,1,1,9,")
	unfinished := newOldSheet(t, "s", 2023, "staging", "", "TX,A,1,1,10,", "TX,B,2,1,20,")
	schema, server := newSchema(t), serverURL(t)
	makeOld(t, schema, version, published, held, other, unfinished)
	if _, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema}); !errors.Is(err, egrid.ErrSchema) {
		t.Fatalf("before migrating: got %v; want ErrSchema", err)
	}
	if err := pgstore.Migrate(t.Context(), server, &pgstore.Options{Schema: schema}); err != nil {
		t.Fatal(err)
	}
	store, fresh := openIn(t, schema), open(t)

	want := map[egrid.StageID]egrid.Snapshot{}
	for _, s := range []*oldSheet{published, other} {
		want[s.spec.ID()] = s.load(t, fresh, driver.PublishReplace)
	}
	want[held.spec.ID()] = held.load(t, fresh, driver.PublishHold)
	catalog, err := store.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != len(want) || catalog.Revision != 2 || catalog.ID == "" {
		t.Fatalf("got %d snapshots at revision %d, %v; want %d at 2", len(catalog.Snapshots), catalog.Revision, err, len(want))
	}
	for i := range catalog.Snapshots {
		got := &catalog.Snapshots[i]
		w := want[got.Stage]
		if got.ID == "" || got.ID != w.ID || got.Status != w.Status || got.Rows != w.Rows || got.Rejected != w.Rejected || got.Year != w.Year {
			t.Errorf("got %+v; want %+v", *got, w)
		}
		if fmt.Sprint(got.Audits) != fmt.Sprint(w.Audits) || fmt.Sprint(got.Lossy) != fmt.Sprint(w.Lossy) || fmt.Sprint(got.Sources) != fmt.Sprint(w.Sources) {
			t.Errorf("%s: got %v %v %v; want %v %v %v", got.Stage, got.Audits, got.Lossy, got.Sources, w.Audits, w.Lossy, w.Sources)
		}
		if got.LoadedAt.Year() != 2025 || got.Status == egrid.Held && got.Reason != held.reason {
			t.Errorf("%s: loaded at %v, %q", got.Stage, got.LoadedAt, got.Reason)
		}
	}
	compare := func(year int) {
		t.Helper()
		q := egrid.RowQuery{Level: egrid.GEN, Year: year, Limit: 100}
		got, err := ask(store).Rows(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		w, err := ask(fresh).Rows(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if driver.DigestOf(got.Batch) != driver.DigestOf(w.Batch) || got.Len() != w.Len() {
			t.Errorf("%d: got %d rows %v; want %d rows %v", year, got.Len(), got.Row(0).Values(), w.Len(), w.Row(0).Values())
		}
	}
	compare(2022)
	compare(2023)

	// What is held can be decided on, and what was under way goes on.
	for _, s := range []*pgstore.Store{store, fresh} {
		report, err := s.Publish(t.Context(), held.spec.ID(), driver.PublishRequest{Policy: driver.PublishReplace})
		if err != nil || report.Status != egrid.Published || report.Snapshot.ID != want[held.spec.ID()].ID {
			t.Fatalf("got %+v, %v; want %s published", report, err, want[held.spec.ID()].ID)
		}
	}
	compare(2022)
	more := newOldSheet(t, "s", 2023, "staging", "", "TX,A,1,1,10,", "TX,B,2,1,20,", "TX,C,3,1,30,5")
	if got, w := more.load(t, store, driver.PublishReplace), more.load(t, fresh, driver.PublishReplace); got.ID != w.ID || got.Rejected != w.Rejected {
		t.Errorf("an unfinished load became %+v; want %+v", got, w)
	}
	compare(2023)
	if restored, err := store.Restore(t.Context(), want[published.spec.ID()].ID); err != nil || restored.Stage != published.spec.ID() {
		t.Errorf("got %+v, %v; want the snapshot of before", restored, err)
	}
	for i, want := range []bool{true, false} { // version 1 had no log
		if added, err := store.RecordFailure(t.Context(), driver.Failure{ID: "1", Kind: "x"}); err != nil || added != want {
			t.Errorf("%d: new %t, %v; want %t", i, added, err, want)
		}
	}
	if runs, err := store.SavedRuns(t.Context(), 10); err != nil || len(runs) != 0 { // nor one of runs
		t.Errorf("runs %+v, %v", runs, err)
	}
	if err := store.SaveRun(t.Context(), driver.Run{ID: "r", Started: time.Now()}); err != nil {
		t.Error(err)
	}
}
