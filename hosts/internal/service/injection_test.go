package service_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// fragments are pieces of SQL, and of what may end a text in it.
var fragments = []string{
	`'`, `"`, `''`, `'''`, "`", `\`, `\'`, `--`, `/*`, `;`, `)`, `%`, `_`, `$1`, `?`, `:x`, `@x`, "\x00", "\xff\xfe", "\u2019", "\uff07",
	`' OR '1'='1`, `" OR ""="`, `1 OR 1=1`, `1) OR (1=1`, `TX' --`, `TX'/*`, `') UNION SELECT sql, 1 FROM sqlite_master --`, `' UNION SELECT NULL, version() --`,
	`'; DROP TABLE egrid.sheets; --`, `'; DELETE FROM snapshots; --`, `1; UPDATE snapshots SET rows = 0`, `'||(SELECT 1/0)||'`, `(SELECT pg_sleep(10))`, `' AND randomblob(1000000000) --`,
	`$$; DROP SCHEMA egrid CASCADE; $$`, `E'\\'`, `U&'\0027'`, `CASE WHEN 1=1 THEN 1 ELSE 1/0 END`, `state"; DROP TABLE x; --`, `state::text`, `count(*)`, `sum(net_generation_mwh); --`, `-1`, `1e999`, `NaN`, `0x41`, `NULL`, `true`,
}

// guarded is an API on a database whose tables can be looked at.
type guarded struct {
	store driver.Store
	h     http.Handler
	look  func(t testing.TB) string // every table, with how many rows it has
}

func guard(t testing.TB, backend driver.Store, look func(testing.TB) string) guarded {
	t.Helper()
	t.Cleanup(func() { _ = backend.Close() })
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(backend), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return guarded{backend, service.API(t.Context(), backend, telemetry.New(), httpapi.Options{}), look}
}

func guardSQLite(t testing.TB) guarded {
	t.Helper()
	path := filepath.Join(t.TempDir(), "egrid.db")
	backend, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	query := func(t testing.TB, q string) string {
		out, err := exec.CommandContext(t.Context(), "sqlite3", "-readonly", path, q).CombinedOutput()
		if err != nil {
			t.Fatalf("sqlite3: %v: %s", err, out)
		}
		return string(out)
	}
	return guard(t, backend.Driver(), func(t testing.TB) string {
		schema := query(t, "SELECT type, name, sql FROM sqlite_schema ORDER BY name")
		counts := query(t, "SELECT group_concat('SELECT '''||name||''', count(*) FROM \"'||name||'\"', ' UNION ALL ') FROM sqlite_schema WHERE type = 'table'")
		return schema + query(t, counts)
	})
}

func guardPostgres(t testing.TB) guarded {
	t.Helper()
	server := testenv.Server(t, "EGRID_TEST_POSTGRES")
	schema := fmt.Sprintf("test_sql_%d_%d", os.Getpid(), postgresSchemas.Add(1))
	psql := func(t testing.TB, q string) string {
		out, err := exec.Command("psql", "-qtAX", "-v", "ON_ERROR_STOP=1", "-d", server, "-c", q).CombinedOutput() // not ended with the test, which cleans up by it
		if err != nil {
			t.Fatalf("psql: %v: %s", err, out)
		}
		return string(out)
	}
	t.Cleanup(func() {
		psql(t, "SET client_min_messages = warning; DROP SCHEMA "+schema+" CASCADE")
	})
	backend, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	return guard(t, backend.Driver(), func(t testing.TB) string {
		return psql(t, `SELECT table_name, (SELECT string_agg(column_name||' '||data_type, ',' ORDER BY ordinal_position) FROM information_schema.columns c WHERE (c.table_schema, c.table_name) = (t.table_schema, t.table_name)),
			query_to_xml(format('SELECT count(*) FROM %I.%I', table_schema, table_name), false, true, '')
			FROM information_schema.tables t WHERE table_schema = '`+schema+`' ORDER BY 1`)
	})
}

// state is what must not change: the tables and the catalogue.
func (g guarded) state(t testing.TB) string {
	t.Helper()
	c, err := g.store.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintln(c.Revision)
	for _, s := range c.Snapshots {
		page, err := store.New(g.store).Rows(t.Context(), egrid.RowQuery{Level: s.Level, Year: s.Year, Limit: 1, Count: true})
		text += fmt.Sprintln(s.ID, s.Level, s.Year, s.Rows, page.Total, err)
	}
	return text + g.look(t)
}

// attack is one request.
type attack struct{ method, target, body string }

// send makes a request, and reports when the answer is a fault of the server's.
func (g guarded) send(t testing.TB, a attack) (status int) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), a.method, "/", strings.NewReader(a.body))
	path, query, _ := strings.Cut(a.target, "?")
	plain, err := url.PathUnescape(path)
	if err != nil {
		return 0 // no server lets it through
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.RequestURI = plain, path, query, a.target
	if a.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	if w.Code >= 500 {
		t.Errorf("%s %s %s: %d %.300s", a.method, a.target, a.body, w.Code, w.Body)
	}
	if w.Code < 400 && w.Code != http.StatusNotModified && w.Code/100 != 3 && strings.Contains(w.Body.String(), "CREATE TABLE") {
		t.Errorf("%s %s: the schema of the database: %.300s", a.method, a.target, w.Body)
	}
	return w.Code
}

// operations are those of the document, with values for what they need.
func (g guarded) operations(t testing.TB) (d document) {
	t.Helper()
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil))
	if err := json.NewDecoder(w.Body).Decode(&d); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if len(d.Paths) < 10 {
		t.Fatalf("the document has %d paths", len(d.Paths))
	}
	return d
}

// attacks puts a value into every parameter of every operation, and into every
// place where a column can be named.
func (d document) attacks(value string) []attack {
	var all []attack
	q, p := url.QueryEscape(value), url.PathEscape(value)
	for path, methods := range d.Paths {
		sound := pathParameter.ReplaceAllStringFunc(path, func(name string) string { return inPath[name] })
		if strings.HasPrefix(path, "/regions") {
			sound = "/regions/ST/TX"
		}
		for method, operation := range methods {
			method = strings.ToUpper(method)
			add := func(target string) { all = append(all, attack{method, target, ""}) }
			for _, parameter := range operation.Parameters {
				switch parameter.In {
				case "path":
					target := strings.Replace(path, "{"+parameter.Name+"}", p, 1)
					add(pathParameter.ReplaceAllStringFunc(target, func(name string) string { return inPath[name] }))
				case "query":
					add(sound + "?" + url.QueryEscape(parameter.Name) + "=" + q)
				}
			}
			if operation.takes("columns") || operation.takes("filter") { // columns are parameters, too
				for _, name := range []string{"plant_name", "min_net_generation_mwh", "max_data_year", "sequence"} {
					add(sound + "?" + name + "=" + q)
				}
			}
			add(sound + "?" + q + "=1")
			add(sound + "?min_" + q + "=1")
			for _, template := range []string{"filter=state=%s", "filter=%s=TX", "filter=%s%%3E1", "sort=-%s", "columns=state,%s", "facet=state,%s", "by=state,%s", "measures=sum(%s)", "measures=count%%20as%%20%s", "having=%s%%3E1"} {
				if name, _, _ := strings.Cut(template, "="); operation.takes(name) {
					add(sound + "?" + fmt.Sprintf(template, q))
				}
			}
			if method != http.MethodGet {
				text, err := json.Marshal(value)
				if err != nil {
					panic(err)
				}
				for _, body := range []string{value, string(text), `[{"state":` + string(text) + `}]`, `{` + string(text) + `:1}`} {
					all = append(all, attack{method, sound, body})
				}
			}
		}
	}
	return all
}

// TestNoSQLFromInput sends SQL and noise by every parameter of every operation.
// Whatever comes, the answer is no fault of the server's and the tables are as
// they were.
func TestNoSQLFromInput(t *testing.T) {
	for name, open := range map[string]func(testing.TB) guarded{"SQLite": guardSQLite, "PostgreSQL": guardPostgres} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			d := g.operations(t)
			before := g.state(t)
			random := rand.New(rand.NewPCG(1, 2))
			values := slices.Clone(fragments)
			for range 6 {
				noise := make([]byte, 1+random.IntN(40))
				for i := range noise {
					noise[i] = byte(random.Uint32())
				}
				values = append(values, string(noise), fragments[random.IntN(len(fragments))]+fragments[random.IntN(len(fragments))])
			}
			sent, answered := 0, 0
			for _, value := range values {
				for _, a := range d.attacks(value) {
					sent++
					if g.send(t, a) == http.StatusOK {
						answered++
					}
				}
			}
			t.Logf("%d requests, of which %d are answered", sent, answered)
			if answered < sent/100 {
				t.Error("hardly anything reaches the store")
			}
			if after := g.state(t); after != before {
				t.Errorf("the tables have changed:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// FuzzParameters does the same with what the fuzzer thinks of, on SQLite.
func FuzzParameters(f *testing.F) {
	for i, fragment := range fragments {
		f.Add(uint16(i*37), fragment)
	}
	g := guardSQLite(f)
	d := g.operations(f)
	before, err := g.store.Catalog(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint16, value string) {
		all := d.attacks(value)
		slices.SortFunc(all, func(a, b attack) int { return strings.Compare(a.method+a.target+a.body, b.method+b.target+b.body) })
		g.send(t, all[int(which)%len(all)])
		if after, err := g.store.Catalog(t.Context()); err != nil || after.Revision != before.Revision || len(after.Snapshots) != len(before.Snapshots) {
			t.Errorf("the catalogue has changed, %v", err)
		}
	})
}
