package speed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// BenchmarkUncachedTop asks the API for the largest plants, over a connection
// and with no answer kept, and asks PostgreSQL for the same by pgx alone: the
// statements that read rows for this answer, one after the other on the same
// pool, every value decoded. The two take turns. The ratio is of their medians.
//
// Of plants is a data year with a sheet of plants, of generators one in which
// plants are summed from generators. Without a cache every query asks for the
// catalogue, too; missed is as deployed, with a cache that has no answer but
// knows the catalogue for a second.
func BenchmarkUncachedTop(b *testing.B) {
	record := &recorder{}
	pool, backend := openPostgres(b, record)
	missing := cache.New(backend, &cache.Options{TTL: time.Nanosecond})
	for _, test := range []struct{ name, path string }{
		{"plants", "/plants/top?year=2023&limit=%d"},
		{"plants-of-state", "/plants/top?year=2023&state=TX&limit=%d"},
		{"generators", "/plants/top?year=2022&limit=%d"},
		{"generators-of-state", "/plants/top?year=2022&state=TX&limit=%d"},
	} {
		for _, limit := range []int{10, 100} {
			for name, q := range map[string]driver.Scanner{"uncached": backend, "missed": missing} {
				b.Run(fmt.Sprintf("%s/%d/%s", test.name, limit, name), func(b *testing.B) {
					url := serve(b, q) + fmt.Sprintf(test.path, limit)
					statements := record.during(func() { ask(b, url) })
					var whole, alone []time.Duration
					for b.Loop() {
						began := time.Now()
						ask(b, url)
						between := time.Now()
						rows := 0
						for _, s := range statements {
							rows += s.run(b, pool)
						}
						whole, alone = append(whole, between.Sub(began)), append(alone, time.Since(between))
						if rows == 0 {
							b.Fatal("no rows")
						}
					}
					b.ReportMetric(float64(len(statements)), "statements")
					b.ReportMetric(median(whole), "http-us")
					b.ReportMetric(median(alone), "pgx-us")
					b.ReportMetric(median(whole)/median(alone), "ratio")
					b.ReportMetric(0, "ns/op") // of both together means nothing
				})
			}
		}
	}
}

// median is in microseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Nanoseconds()) / 1000
}

// openPostgres makes a store on a pool with the settings that pgstore gives its
// own, and loads a sample of 12,000 plants.
func openPostgres(b *testing.B, record *recorder) (*pgxpool.Pool, *pgstore.Store) {
	b.Helper()
	server := testenv.Server(b, "EGRID_TEST_POSTGRES")
	config, err := pgxpool.ParseConfig(server)
	if err != nil {
		b.Fatal(err)
	}
	config.ConnConfig.Tracer = record
	config.ConnConfig.RuntimeParams["jit"] = "off"
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	schema := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	b.Cleanup(func() {
		if _, err := pool.Exec(context.Background(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			b.Error(err)
		}
	})
	backend, err := pgstore.New(b.Context(), pool, &pgstore.Options{Schema: schema, Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	for year, levels := range map[int][]egrid.Level{2023: {egrid.PLNT, egrid.GEN}, 2022: {egrid.GEN}} {
		sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: 12000, Year: year})
		for _, level := range levels {
			f, err := os.Create(filepath.Join(folder, sample.Name(level)))
			if err == nil {
				err = errors.Join(sample.Write(f, level), f.Close())
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	report, err := etl.New(etl.FS(os.DirFS(folder)), etl.ToLoader(backend), nil).Run(b.Context())
	if err != nil || report.Status != "published" {
		b.Fatalf("%s, %v", report.Status, err)
	}
	return pool, backend
}

// serve serves the API over s, no answer kept.
func serve(b *testing.B, s driver.Scanner) (url string) {
	b.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := httpapi.NewServer("", httpapi.New(store.New(s), &httpapi.Options{MaxCachedBytes: -1}), nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

func ask(b *testing.B, url string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK || n < 1000 {
		b.Fatalf("%s: %s, %d bytes, %v", url, resp.Status, n, err)
	}
}

// statement is SQL that was sent.
type statement struct {
	text string
	args []any
}

// run asks by pgx alone, and returns the number of rows.
func (s *statement) run(b *testing.B, pool *pgxpool.Pool) (n int) {
	b.Helper()
	rows, err := pool.Query(b.Context(), s.text, s.args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		if _, err := rows.Values(); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

// recorder notes the statements of a pool that read rows: no transactions, and
// not the catalogue's.
type recorder struct {
	mu   sync.Mutex
	on   bool
	sent []statement
}

func (r *recorder) during(f func()) []statement {
	r.mu.Lock()
	r.on, r.sent = true, nil
	r.mu.Unlock()
	f()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	return r.sent
}

// TraceQueryStart implements [pgx.QueryTracer].
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on && strings.Contains(data.SQL, "data_year = ") {
		r.sent = append(r.sent, statement{data.SQL, data.Args})
	}
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
