package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// pooled is a store that has connections, and a replica.
type pooled struct{ driver.Scanner }

func (pooled) Lag(context.Context) (time.Duration, error) { return 1500 * time.Millisecond, nil }

func (pooled) Connections() (inUse, idle int) { return 2, 3 }

func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	return w.Body.String()
}

// TestMetrics lets everything happen once and looks for every metric that
// users rely on.
func TestMetrics(t *testing.T) {
	ctx := t.Context()
	backend, broker := memstore.New(), memqueue.New(nil)
	defer backend.Close()
	defer broker.Close()
	m := telemetry.New()
	report, err := etl.New(etl.FS(data.Files()), etl.ToLoader(backend), &etl.Options{Observe: m.Stage}).Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.Run(&report, nil)
	m.Run(&etl.Report{}, errors.New("no"))
	m.WatchDisk("temporary", filepath.Join(t.TempDir(), "not", "there", "yet"))
	m.WatchStore(pooled{backend})
	m.WatchQueues(broker, queue.QueueDatabase)
	m.WatchBlocked(broker)
	if err := broker.Publish(ctx, queue.Message{Key: queue.KeyChunk}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.New(m.Scanner(backend)).Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	m.Request(middleware.Observation{Route: "/plants/{id}", Method: "GET", Status: 200, Duration: time.Millisecond})
	m.Request(middleware.Observation{Method: "BREW", Status: 404})
	m.Cached(cache.Hit)
	m.Delivered(queue.Event{Queue: queue.QueueDatabase, Outcome: queue.Dead})
	m.Failed("panic")
	m.Missed(etl.Missed{Count: 3})
	m.Missed(etl.Missed{Count: 2, Busy: true})
	m.WatchSchedule(func() etl.SchedulerState { return etl.SchedulerState{Leading: true, Next: time.Unix(1_800_000_000, 0)} })

	text := scrape(t, m)
	for _, line := range []string{
		`egrid_http_requests_total{method="GET",route="/plants/{id}",status="200"} 1`,
		`egrid_http_requests_total{method="other",route="none",status="404"} 1`,
		`egrid_http_request_duration_seconds_count{route="/plants/{id}"} 1`,
		`egrid_cache_requests_total{result="hit"} 1`,
		`egrid_schedule_missed_total{reason="absent"} 3`,
		`egrid_schedule_missed_total{reason="busy"} 2`,
		`egrid_schedule_leading 1`,
		`egrid_schedule_next_timestamp_seconds 1.8e+09`,
		`egrid_store_query_duration_seconds_count{query="catalog"} 1`,
		`egrid_store_query_duration_seconds_count{query="rows"} 1`,
		`egrid_replica_lag_seconds 1.5`,
		`egrid_store_connections{state="idle"} 3`,
		`egrid_store_connections{state="in_use"} 2`,
		`egrid_etl_runs_total{result="finished"} 1`,
		`egrid_etl_runs_total{result="failed"} 1`,
		`egrid_disk_size_bytes{folder="temporary"} `,
		`egrid_disk_free_bytes{folder="temporary"} `,
		`egrid_errors_total{kind="run_failed"} 0`,
		`egrid_etl_rows_total{level="GEN",result="loaded"} 311`,
		`egrid_etl_rows_total{level="GEN",result="rejected"} 0`,
		`egrid_etl_stage_duration_seconds_count{stage="stream"} 1`,
		`egrid_queue_messages_total{queue="egrid.database",result="dead"} 1`,
		`egrid_queue_depth{queue="egrid.database"} 1`,
		`egrid_dead_letters{queue="egrid.database"} 0`,
		`egrid_queue_blocked{reason="memory"} 0`,
		`egrid_queue_blocked{reason="queue_full"} 0`,
		`egrid_errors_total{kind="panic"} 1`,
		`egrid_snapshot_rows{level="GEN",release="",status="published",year="2023"} 311`,
		`egrid_held_loads 0`,
		`egrid_last_load_timestamp_seconds{level="GEN"} `,
	} {
		if !strings.Contains(text, "\n"+line) {
			lines := strings.Split(text, "\n")
			name, _, _ := strings.Cut(line, "{")
			t.Errorf("no %s; there is %q", line, slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, name) }))
		}
	}
	holdReference(t, text)
}

// away is a store and a broker that do not answer.
type away struct {
	driver.Scanner
	queue.Inspector
}

func (away) Catalog(context.Context) (egrid.Catalog, error) {
	return egrid.Catalog{}, errors.New("away")
}

func (away) Blocked(context.Context) error { return errors.New("away") }

func (away) Depth(context.Context, string) (queue.Depth, error) {
	return queue.Depth{}, errors.New("away")
}

func TestWhatIsAwayIsMissing(t *testing.T) {
	m := telemetry.New()
	m.WatchStore(away{})
	m.WatchQueues(away{}, queue.QueueDatabase)
	m.WatchBlocked(away{})
	m.Failed("store_away")
	text := scrape(t, m)
	if strings.Contains(text, "egrid_queue_depth") || strings.Contains(text, "egrid_queue_blocked") || strings.Contains(text, "egrid_held_loads") || !strings.Contains(text, "egrid_errors_total") {
		t.Errorf("got %s", text)
	}
}

// readers is a broker whose dead letters are read, and that takes nothing.
type readers struct {
	queue.Inspector
	depth   queue.Depth
	blocked error
}

func (r *readers) Depth(context.Context, string) (queue.Depth, error) { return r.depth, nil }

func (r *readers) Blocked(context.Context) error { return r.blocked }

func TestBlockedAndRead(t *testing.T) {
	m, b := telemetry.New(), &readers{depth: queue.Depth{Dead: 7}}
	m.WatchQueues(b, queue.QueueDatabase)
	m.WatchBlocked(b)
	want := func(lines ...string) {
		t.Helper()
		text := scrape(t, m)
		for _, line := range lines {
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("no %s in %s", line, text)
			}
		}
	}
	want(`egrid_dead_letters{queue="egrid.database"} 7`, `egrid_queue_blocked{reason="disk"} 0`)
	b.depth = queue.Depth{Dead: 2, Reading: true}
	b.blocked = &queue.BlockedError{Reasons: []queue.BlockReason{queue.BlockedByDisk}, Detail: "low on disk"}
	want(`egrid_dead_letters{queue="egrid.database"} 7`, `egrid_queue_blocked{reason="disk"} 1`, `egrid_queue_blocked{reason="memory"} 0`)
	b.depth, b.blocked = queue.Depth{Dead: 3}, nil
	want(`egrid_dead_letters{queue="egrid.database"} 3`, `egrid_queue_blocked{reason="disk"} 0`)
}
