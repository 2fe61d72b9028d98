package telemetry

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

// askTimeout bounds what a scrape asks of a store or a broker.
const askTimeout = 3 * time.Second

// collector measures when it is asked to.
type collector struct {
	metrics []*prometheus.Desc
	collect func(context.Context, chan<- prometheus.Metric)
}

func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.metrics {
		out <- d
	}
}

func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	c.collect(ctx, out)
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// WatchStore shows what is published and held, the connections of a store that has
// any, and how far behind its server for queries is.
func (m *Metrics) WatchStore(store driver.Scanner) {
	rows := describe("egrid_snapshot_rows", "Rows of a snapshot.", "level", "year", "release", "status")
	held := describe("egrid_held_loads", "Loads that wait for a decision.")
	last := describe("egrid_last_load_timestamp_seconds", "When a level was published last.", "level")
	m.registry.MustRegister(collector{[]*prometheus.Desc{rows, held, last}, func(ctx context.Context, out chan<- prometheus.Metric) {
		catalog, err := store.Catalog(ctx)
		if err != nil {
			return
		}
		heldLoads, lastLoads := 0, map[egrid.Level]time.Time{}
		type key struct {
			level         egrid.Level
			year, release string
			status        egrid.Status
		}
		sums := map[key]int64{} // several loads of one edition may be held
		for i := range catalog.Snapshots {
			s := &catalog.Snapshots[i]
			sums[key{s.Level, strconv.Itoa(s.Year), s.Release, s.Status}] += s.Rows
			switch {
			case s.Status == egrid.Held:
				heldLoads++
			case s.LoadedAt.After(lastLoads[s.Level]):
				lastLoads[s.Level] = s.LoadedAt
			}
		}
		for k, n := range sums {
			out <- gauge(rows, float64(n), string(k.level), k.year, k.release, string(k.status))
		}
		out <- gauge(held, float64(heldLoads))
		for level, at := range lastLoads {
			out <- gauge(last, float64(at.UnixMilli())/1000, string(level))
		}
	}})
	if replicated, ok := store.(interface {
		Lag(context.Context) (time.Duration, error)
	}); ok {
		lag := describe("egrid_replica_lag_seconds", "For how long the server that answers queries has lacked what was published; 0 where there is no replica.")
		m.registry.MustRegister(collector{[]*prometheus.Desc{lag}, func(ctx context.Context, out chan<- prometheus.Metric) {
			if behind, err := replicated.Lag(ctx); err == nil {
				out <- gauge(lag, behind.Seconds())
			}
		}})
	}
	pool, ok := store.(interface{ Connections() (inUse, idle int) })
	if !ok {
		return
	}
	connections := describe("egrid_store_connections", "Connections to the database.", "state")
	m.registry.MustRegister(collector{[]*prometheus.Desc{connections}, func(_ context.Context, out chan<- prometheus.Metric) {
		inUse, idle := pool.Connections()
		out <- gauge(connections, float64(inUse), "in_use")
		out <- gauge(connections, float64(idle), "idle")
	}})
}

// WatchQueues shows what a broker holds. While somebody reads the dead letters of
// a queue, their number is the one from before.
func (m *Metrics) WatchQueues(b queue.Inspector, queues ...string) {
	depth := describe("egrid_queue_depth", "Messages that wait, those that wait for a retry included.", "queue")
	dead := describe("egrid_dead_letters", "Messages that were given up.", "queue")
	var mu sync.Mutex
	counted := map[string]int{}
	m.registry.MustRegister(collector{[]*prometheus.Desc{depth, dead}, func(ctx context.Context, out chan<- prometheus.Metric) {
		mu.Lock()
		defer mu.Unlock()
		for _, name := range queues {
			d, err := b.Depth(ctx, name)
			if err != nil {
				continue
			}
			if _, known := counted[name]; !d.Reading || !known {
				counted[name] = d.Dead
			}
			out <- gauge(depth, float64(d.Ready+d.Delayed), name)
			out <- gauge(dead, float64(counted[name]), name)
		}
	}})
}

// WatchBlocked shows why a broker takes no messages: 1 while so, for each reason.
func (m *Metrics) WatchBlocked(b queue.Inspector) {
	blocked := describe("egrid_queue_blocked", "Whether the broker takes no messages for this reason.", "reason")
	m.registry.MustRegister(collector{[]*prometheus.Desc{blocked}, func(ctx context.Context, out chan<- prometheus.Metric) {
		why := &queue.BlockedError{}
		if err := b.Blocked(ctx); err != nil && !errors.As(err, &why) {
			return
		}
		for _, reason := range queue.BlockReasons() {
			value := 0.0
			if why.Has(reason) {
				value = 1
			}
			out <- gauge(blocked, value, string(reason))
		}
	}})
}

// WatchSchedule shows whether this process leads its schedule, and when that is
// due next.
func (m *Metrics) WatchSchedule(state func() etl.SchedulerState) {
	leading := describe("egrid_schedule_leading", "Whether this process makes the runs of its schedule.")
	next := describe("egrid_schedule_next_timestamp_seconds", "When the schedule that this process leads is due next.")
	m.registry.MustRegister(collector{[]*prometheus.Desc{leading, next}, func(_ context.Context, out chan<- prometheus.Metric) {
		s, value := state(), 0.0
		if s.Leading {
			value = 1
		}
		out <- gauge(leading, value)
		if !s.Next.IsZero() {
			out <- gauge(next, float64(s.Next.UnixMilli())/1000)
		}
	}})
}
