package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func TestOpenRefuses(t *testing.T) {
	server := serverURL(t)
	changed := func(statements ...string) string {
		t.Helper()
		schema := newSchema(t)
		if err := openIn(t, schema).Close(); err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			execute(t, server, strings.ReplaceAll(statement, "@", schema))
		}
		return schema
	}
	foreign := newSchema(t)
	execute(t, server, "CREATE SCHEMA "+foreign)
	tests := []struct {
		name, schema, want string
	}{
		{"no schema", "nowhere", "egrid migrate"},
		{"another program's schema", foreign, "egrid migrate"},
		{"behind", changed("DELETE FROM @.migrations"), "egrid migrate"},
		{"ahead", changed("INSERT INTO @.migrations (version) VALUES (99)"), "newer program"},
		{"a column behind", changed("ALTER TABLE @.plnt DROP COLUMN net_generation_mwh"), "egrid migrate"},
		{"a column of another type", changed("ALTER TABLE @.plnt ALTER COLUMN net_generation_mwh TYPE text"), "net_generation_mwh"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: test.schema})
			if err == nil {
				_ = store.Close()
				t.Fatal("it opened")
			}
			if !errors.Is(err, egrid.ErrSchema) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want ErrSchema, and %s", err, test.want)
			}
		})
	}
	t.Run("migrating what is ahead", func(t *testing.T) {
		if err := pgstore.Migrate(t.Context(), server, &pgstore.Options{Schema: tests[3].schema}); !errors.Is(err, egrid.ErrSchema) {
			t.Errorf("got %v; want ErrSchema", err)
		}
	})
}

// TestUnreachable names hosts and never passwords.
func TestUnreachable(t *testing.T) {
	const secret = "s3cret"
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for address, want := range map[string]string{
		"postgres://egrid:" + secret + "@127.0.0.1:1/egrid":           "127.0.0.1:1",
		"postgres://egrid:" + secret + "@127.0.0.1:notaport/egrid":    "127.0.0.1",
		"postgres://egrid:" + secret + "@nohost.invalid:5432/egrid":   "nohost.invalid",
		"host=127.0.0.1 port=1 user=egrid password=" + secret:         "127.0.0.1:1",
		"postgres://egrid:" + secret + "@127.0.0.1:1/egrid?sslmode=x": "",
	} {
		_, err := pgstore.Open(ctx, address, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v; want an error with %q and without the password", address, err, want)
		}
		if text := fmt.Sprint(err); strings.ContainsAny(text, "\n\t") || strings.Count(text, "refused") > 1 {
			t.Errorf("%s: a line for each attempt: %q", address, text)
		}
	}
}

// TestMigrateGrows adds a column of the dictionary that tables lack, under
// what is published, held and staged.
func TestMigrateGrows(t *testing.T) {
	schema, server := newSchema(t), serverURL(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "published", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	spec, chunks := round("staged", 2)
	id, err := store.Stage(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	conn := connect(t)
	var staged string
	if err := conn.QueryRow(t.Context(), "SELECT 'gen_2023_' || number FROM "+schema+".sheets WHERE status = 'staging'").Scan(&staged); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"gen", staged} { // as an older dictionary made them
		execute(t, server, fmt.Sprintf("ALTER TABLE %s.%s DROP COLUMN prime_mover", schema, table))
	}
	if _, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema}); !errors.Is(err, egrid.ErrSchema) {
		t.Fatalf("got %v; want ErrSchema", err)
	}
	var group sync.WaitGroup
	for range 4 { // at once, as replicas of a service do
		group.Go(func() {
			if err := pgstore.Migrate(t.Context(), server, &pgstore.Options{Schema: schema}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	store, err = pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	checkWhole(t, store)
	for _, c := range chunks {
		if _, err := store.Put(t.Context(), id, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishReplace, Chunks: len(chunks), Rows: roundRows}); err != nil {
		t.Fatal(err)
	}
	if got := checkWhole(t, store); got != 2 {
		t.Errorf("readers see round %d", got)
	}
}

// TestComments looks at what a tool shows of the tables.
func TestComments(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	conn := connect(t)
	var without int
	var generation string
	err := conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE col_description(c.oid, a.attnum) IS NULL),
			max(col_description(c.oid, a.attnum)) FILTER (WHERE c.relname = 'plnt' AND a.attname = 'net_generation_mwh')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'p' AND a.attnum > 0`, schema).Scan(&without, &generation)
	if err != nil || without != 0 || !strings.Contains(generation, "Unit: MWh") || !strings.Contains(generation, "PLNGENAN") {
		t.Errorf("%d columns have no comment, %v; net generation says %q", without, err, generation)
	}
	var rows int64
	if err := conn.QueryRow(t.Context(), "SELECT rows FROM "+schema+".snapshots WHERE level = 'GEN'").Scan(&rows); err != nil || rows != roundRows {
		t.Errorf("the view of snapshots says %d rows, %v", rows, err)
	}
	// A question for another year reads no partition.
	plan, err := conn.Query(t.Context(), "EXPLAIN SELECT * FROM "+schema+".gen WHERE data_year = 2021")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for plan.Next() {
		var line string
		if err := plan.Scan(&line); err != nil {
			t.Fatal(err)
		}
		text.WriteString(line + "\n")
	}
	if plan.Err() != nil || strings.Contains(text.String(), "Scan") {
		t.Errorf("%v:\n%s", plan.Err(), &text)
	}
}

// TestIndexesServe asks what the API asks most and looks at the plans' costs:
// reading the whole table would show.
func TestIndexesServe(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	conn := connect(t)
	rows, err := conn.Query(t.Context(), "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename LIKE 'gen\\_%' ORDER BY 1", schema)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for rows.Next() {
		var definition string
		if err := rows.Scan(&definition); err != nil {
			t.Fatal(err)
		}
		all.WriteString(definition + "\n")
	}
	for _, want := range []string{"(net_generation_mwh DESC NULLS LAST)", "(state, data_year, net_generation_mwh DESC NULLS LAST)", "(plant_name)", "(oris_plant_code, generator_id)"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no index on %s:\n%s", want, &all)
		}
	}
}

// TestBorrowedPool leaves the caller's pool open, and works on it.
func TestBorrowedPool(t *testing.T) {
	schema := newSchema(t)
	config, err := pgxpool.ParseConfig(serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // as behind a pooling proxy
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, err := pgstore.New(t.Context(), pool, &pgstore.Options{Schema: schema, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Catalog(t.Context()); !errors.Is(err, egrid.ErrClosed) {
		t.Errorf("got %v; want ErrClosed", err)
	}
	if err := pool.Ping(t.Context()); err != nil {
		t.Errorf("the pool was closed too: %v", err)
	}
}

// TestReadURL sends queries elsewhere, with a limit on their time.
func TestReadURL(t *testing.T) {
	schema, server := newSchema(t), serverURL(t)
	store, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema, Migrate: true, ReadURL: named(t, "egrid-reader"), QueryTimeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, store)
	conn := connect(t)
	var readers int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'egrid-reader'").Scan(&readers); err != nil || readers == 0 {
		t.Errorf("%d connections read, %v", readers, err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE "+schema+".state IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Catalog(t.Context()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "took too long") {
		t.Errorf("got %v; want that it took too long", err)
	}
}

// TestLag: one server is never behind itself, and a database that replays nothing is
// no replica. How a replica lags is tried on real ones, in hosts/internal/faults.
func TestLag(t *testing.T) {
	schema, server := newSchema(t), serverURL(t)
	first := openIn(t, schema)
	if _, err := load(t.Context(), first, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	for reading, want := range map[string]error{"": nil, server: nil, "another": egrid.ErrConflict} {
		if reading == "another" {
			name := schema + "_other"
			execute(t, server, "CREATE DATABASE "+name)
			t.Cleanup(func() { execute(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
			u, err := url.Parse(server)
			if err != nil {
				t.Fatal(err)
			}
			u.Path = "/" + name
			reading = u.String()
			if err := pgstore.Migrate(t.Context(), reading, &pgstore.Options{Schema: schema}); err != nil {
				t.Fatal(err)
			}
		}
		store, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema, ReadURL: reading})
		if err != nil {
			t.Fatal(err)
		}
		if lag, err := store.Lag(t.Context()); lag != 0 || !errors.Is(err, want) {
			t.Errorf("queries at %q: lag %v, %v; want 0, %v", reading, lag, err, want)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Lag(t.Context()); !errors.Is(err, egrid.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}

func ExampleOpen() {
	ctx := context.Background()
	s, err := pgstore.Open(ctx, os.Getenv("DATABASE_URL"), &pgstore.Options{Migrate: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()
	page, err := store.New(s).Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "palo verde", Columns: []egrid.Column{egrid.PlantName, egrid.CO2Rate}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row := range page.Rows() {
		fmt.Println(row.Text(egrid.PlantName), row.Text(egrid.CO2Rate), "lb/MWh")
	}
}
