package service_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// TestReplicasShareTheirCache has two replicas of the API, each with its own
// connections to one database, share a Redis server.
func TestReplicasShareTheirCache(t *testing.T) {
	url := testenv.Server(t, "EGRID_TEST_REDIS")
	for name, open := range twoOnOne {
		t.Run(name, func(t *testing.T) {
			a, b := open(t)
			if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(a), nil).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := body(t, sharedReplica(t, a, url), "/plants/top")
			deadline := time.Now().Add(10 * time.Second)
			for tries := 1; ; tries++ { // it is written behind the answer
				second := sharedReplica(t, b, url)
				if got := body(t, second, "/plants/top"); got != want {
					t.Fatalf("the replicas differ:\n%s\n%s", got, want)
				}
				if regexp.MustCompile(`egrid_cache_requests_total\{result="remote_hit"\} [1-9]`).MatchString(body(t, second, "/metrics")) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("no remote hit in %d tries", tries)
				}
			}
		})
	}
}

// TestReplicasFollowARollback has two replicas of the API, each with its own
// connections to one database, and their caches warm. Both answer by what was
// rolled back to within a second, and by what is published again after that.
func TestReplicasFollowARollback(t *testing.T) {
	for name, open := range twoOnOne {
		t.Run(name, func(t *testing.T) {
			a, b := open(t)
			replicas := []*httptest.Server{replica(t, a), replica(t, b)}
			const list = "/levels/GEN/rows?sort=sequence&limit=1&columns=net_generation_mwh"
			var addresses []string // permanent ones, of both rounds
			follow := func(round string) {
				t.Helper()
				changed := time.Now()
				for i, server := range replicas {
					for {
						asked := time.Since(changed)
						answer := body(t, server, list)
						if strings.Contains(answer, `"net_generation_mwh":`+round+`.0}`) {
							break
						}
						if asked > time.Second { // the catalogue of this answer is newer than the change
							t.Fatalf("a second behind the change replica %d answers %s; want round %s", i, answer, round)
						}
						time.Sleep(10 * time.Millisecond)
					}
				}
				// From here on nobody answers by the other one.
				for _, server := range replicas {
					if answer := body(t, server, list); !strings.Contains(answer, `"net_generation_mwh":`+round+`.0}`) {
						t.Errorf("after both replicas had round %s: %s", round, answer)
					}
				}
			}
			for _, n := range []int{1, 2} {
				round(2023, n).publish(t, a, driver.PublishReplace)
				follow(strconv.Itoa(n))
				var p struct{ Links struct{ Permanent string } }
				if err := json.Unmarshal([]byte(body(t, replicas[n-1], list)), &p); err != nil || p.Links.Permanent == "" {
					t.Fatalf("no permanent address: %v", err)
				}
				addresses = append(addresses, p.Links.Permanent)
			}
			catalog, err := b.Catalog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			before := catalog.Snapshots[1]
			if _, err := b.Restore(t.Context(), before.ID); err != nil || before.Status != egrid.Superseded {
				t.Fatal(before.Status, err)
			}
			follow("1")
			for i, server := range replicas {
				for n, address := range addresses {
					if answer := body(t, server, address); !strings.Contains(answer, fmt.Sprintf(`"net_generation_mwh":%d.0}`, n+1)) {
						t.Errorf("replica %d answers %s at the permanent address of round %d", i, answer, n+1)
					}
				}
			}
			round(2023, 2).publish(t, a, driver.PublishReplace)
			follow("2")
		})
	}
}

func replica(t *testing.T, store driver.Store) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(service.API(t.Context(), store, telemetry.New(), httpapi.Options{}))
	t.Cleanup(server.Close)
	return server
}

// The API is ready without the server that it shares its cache on, and says so.
func TestReadyWithoutSharedCache(t *testing.T) {
	away := httptest.NewServer(nil)
	away.Close()
	store := memstore.New()
	if _, err := etl.New(etl.FS(data.Files()), etl.ToLoader(store), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := sharedReplica(t, store.Driver(), "redis://"+strings.TrimPrefix(away.URL, "http://"))
	if got := body(t, server, "/readyz"); !strings.HasPrefix(got, `{"status":"ok"`) || !strings.Contains(got, `{"name":"redis","status":"degraded"`) {
		t.Errorf("without the server: %s", got)
	}
	body(t, server, "/plants/top")
	if url := os.Getenv("EGRID_TEST_REDIS"); url != "" {
		if got := body(t, sharedReplica(t, store.Driver(), url), "/readyz"); !strings.Contains(got, `{"name":"redis","status":"ok"`) {
			t.Errorf("with it: %s", got)
		}
	}
}

func TestSharedCacheURL(t *testing.T) {
	if _, _, err := service.OpenSharedCache("localhost", nil); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("%v; want ErrInvalid", err)
	}
}

// twoOnOne opens two stores on one new database.
var twoOnOne = map[string]func(t *testing.T) (a, b driver.Store){
	"SQLite": func(t *testing.T) (a, b driver.Store) {
		path := filepath.Join(t.TempDir(), "egrid.db")
		open := func() driver.Store {
			store, err := sqlitestore.Open(t.Context(), path, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			return store.Driver()
		}
		return open(), open()
	},
	"PostgreSQL": func(t *testing.T) (a, b driver.Store) {
		server := os.Getenv("EGRID_TEST_POSTGRES")
		a = openPostgres(t) // skips where there is no server
		schema := fmt.Sprintf("test_http_%d_%d", os.Getpid(), postgresSchemas.Load())
		other, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Close() })
		return a, other.Driver()
	},
}

func sharedReplica(t *testing.T, store driver.Store, url string) *httptest.Server {
	t.Helper()
	o, closing, err := service.OpenSharedCache(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.ColumnBytes = -1 // else it answers from columns that it has read ahead
	server := httptest.NewServer(service.CachedAPI(t.Context(), store, telemetry.New(), httpapi.Options{}, o))
	t.Cleanup(func() {
		server.Close()
		if err := closing(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func body(t *testing.T, server *httptest.Server, path string) string {
	t.Helper()
	answer, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(b)
}
