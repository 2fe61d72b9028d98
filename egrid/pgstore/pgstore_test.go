package pgstore_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// serverURL is the server that tests use.
func serverURL(t testing.TB) string {
	t.Helper()
	return testenv.Server(t, "EGRID_TEST_POSTGRES")
}

// named is the server's URL for connections with an application name.
func named(t testing.TB, name string) string {
	t.Helper()
	address, err := url.Parse(serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	q := address.Query()
	q.Set("application_name", name)
	address.RawQuery = q.Encode()
	return address.String()
}

var schemas atomic.Int64

// newSchema names a schema that the test has for itself.
func newSchema(t testing.TB) string {
	t.Helper()
	url := serverURL(t)
	name := fmt.Sprintf("test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), schemas.Add(1))
	t.Cleanup(func() { execute(t, url, "DROP SCHEMA IF EXISTS "+name+" CASCADE") })
	return name
}

// connect opens a connection beside the store's.
func connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// execute runs a statement; the test's context has ended when it tidies up.
func execute(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

func openIn(t testing.TB, schema string) *pgstore.Store {
	t.Helper()
	store, err := pgstore.Open(t.Context(), serverURL(t), &pgstore.Options{Schema: schema, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func open(t testing.TB) *pgstore.Store {
	t.Helper()
	return openIn(t, newSchema(t))
}

// ask makes the users' door of a store.
func ask(s driver.Scanner) *store.DB { return store.New(s) }

// changed is a batch with another value in one cell.
func changed(t testing.TB, b *egrid.Batch, row, column int, v egrid.Value) *egrid.Batch {
	t.Helper()
	builder := egrid.NewBuilder(b.Schema(), b.Year())
	for i := range b.Len() {
		values := b.Row(i).Values()
		if i == row {
			values[column] = v
		}
		if err := builder.Row(values); err != nil {
			t.Fatal(err)
		}
		builder.EndRow(b.Number(i), 0)
	}
	return builder.Batch()
}
