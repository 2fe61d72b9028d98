package etl_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/schedule"
)

// minutes is the schedule of every so many minutes by the clock.
type minutes int

func (m minutes) Next(t time.Time) time.Time {
	d := time.Duration(m) * time.Minute
	return t.Truncate(d).Add(d)
}

// changing is a source that has another object whenever a run has ended, so that
// every due time has one. The object is no sheet, so that runs fail, which is of no
// interest here; and no chunks are streamed, by a library whose channels synctest
// does not take.
type changing struct {
	shelf
	open func(context.Context) error // nil for nothing
}

func (s *changing) next(i int) {
	s.change(func() { s.texts = map[string]string{"notes.csv": fmt.Sprintf("not,egrid\n1,%d\n", i)} })
}

func (s *changing) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	if s.open != nil {
		if err := s.open(ctx); err != nil {
			return nil, err
		}
	}
	return s.shelf.Open(ctx, o, offset, length)
}

// trial is a scheduler under test on a store that others share.
type trial struct {
	*testing.T
	store *memstore.Store

	mu     sync.Mutex
	made   []string // "trigger due" of each run that ended
	missed []etl.Missed
}

// begin runs a scheduler until the returned function is called, which waits for its end.
func (x *trial) begin(host string, s etl.Schedule, o etl.SchedulerOptions, open func(context.Context) error) (*etl.Scheduler, func()) {
	source := &changing{open: open}
	i := 0
	runs := etl.NewRuns(x.store.Driver(), &etl.RunsOptions{Host: host})
	o.Schedules, o.Name, o.Quiet = x.store, "trial", time.Second
	source.next(i)
	o.Done = func(ctx context.Context, r etl.Report, err error) {
		i++
		source.next(i)
		x.mu.Lock()
		defer x.mu.Unlock()
		what := host
		if err != nil {
			what += " failed"
		}
		x.made = append(x.made, what)
	}
	o.Missed = func(_ context.Context, m etl.Missed) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.missed = append(x.missed, m)
	}
	c := etl.NewScheduler(etl.New(source, etl.ToLoader(x.store), &etl.Options{Runs: runs}), s, &o)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	return c, func() { stop(); <-ended }
}

// log is the run log, the oldest first, without what differs from run to run.
func (x *trial) log() (lines []string) {
	x.Helper()
	runs, err := x.store.SavedRuns(context.Background(), 100)
	if err != nil {
		x.Fatal(err)
	}
	slices.SortFunc(runs, func(a, b driver.Run) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Status, b.Status))
	})
	for _, r := range runs {
		due := "-"
		if r.Due != nil {
			due = r.Due.UTC().Format("15:04:05")
		}
		lines = append(lines, fmt.Sprint(r.Host, " ", r.Trigger, " ", r.Status, " due ", due, " began ", r.Started.UTC().Format("15:04:05")))
	}
	return lines
}

func (x *trial) wantLog(want ...string) {
	x.Helper()
	if got := x.log(); !slices.Equal(got, want) {
		x.Errorf("the log has\n%s\nwant\n%s", lines(got), lines(want))
	}
}

func lines(texts []string) (all string) {
	for _, text := range texts {
		all += "  " + text + "\n"
	}
	return all
}

// The clock of synctest begins at midnight UTC of 2000-01-01.

func TestSchedulerDueTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		c, stop := x.begin("a", minutes(15), etl.SchedulerOptions{}, nil)
		time.Sleep(31 * time.Minute)
		if s := c.State(); !s.Leading || !s.Next.Equal(time.Date(2000, 1, 1, 0, 45, 0, 0, time.UTC)) {
			t.Errorf("state %+v", s)
		}
		stop()
		if s := c.State(); s.Leading || !s.Next.IsZero() {
			t.Errorf("state at the end %+v", s)
		}
		// Begun again in between, it waits for the next due time.
		time.Sleep(4 * time.Minute)
		_, stop = x.begin("b", minutes(15), etl.SchedulerOptions{}, nil)
		time.Sleep(5 * time.Minute)
		x.wantLog("a schedule failed due 00:00:00 began 00:00:00", "a schedule failed due 00:15:00 began 00:15:00", "a schedule failed due 00:30:00 began 00:30:00")
		time.Sleep(6 * time.Minute) // 00:46
		stop()
		// Nobody is there for an hour and a half: one run makes up, the rest is told.
		time.Sleep(90 * time.Minute) // 02:16
		_, stop = x.begin("c", minutes(15), etl.SchedulerOptions{}, nil)
		time.Sleep(time.Second)
		stop()
		x.wantLog("a schedule failed due 00:00:00 began 00:00:00", "a schedule failed due 00:15:00 began 00:15:00", "a schedule failed due 00:30:00 began 00:30:00",
			"b schedule failed due 00:45:00 began 00:45:00",
			"c schedule failed due 02:15:00 began 02:16:00", "c schedule missed due 01:00:00 began 02:16:00")
		if len(x.missed) != 1 || x.missed[0].Count != 5 || x.missed[0].Busy || x.missed[0].Last != time.Date(2000, 1, 1, 2, 0, 0, 0, time.UTC) {
			t.Errorf("missed %+v", x.missed)
		}
	})
}

// A run that takes longer than the schedule leaves it time: runs do not overlap, and
// what passed meanwhile is told, but nobody is alarmed.
func TestSchedulerOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		_, stop := x.begin("a", minutes(1), etl.SchedulerOptions{}, func(ctx context.Context) error {
			time.Sleep(210 * time.Second)
			return nil
		})
		time.Sleep(8 * time.Minute)
		stop()
		x.wantLog("a schedule failed due 00:00:00 began 00:00:00", "a schedule failed due 00:03:00 began 00:03:30", "a schedule interrupted due 00:07:00 began 00:07:00")
		if len(x.missed) != 2 || x.missed[0].Count != 2 || !x.missed[0].Busy || x.missed[1].Count != 3 {
			t.Errorf("missed %+v", x.missed)
		}
	})
}

// What failed is tried again, until it is due again.
func TestSchedulerRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		tries := 0
		_, stop := x.begin("a", minutes(15), etl.SchedulerOptions{}, func(ctx context.Context) error {
			if tries++; tries < 4 {
				return errors.New("the store is away")
			}
			return nil
		})
		time.Sleep(16 * time.Minute)
		stop()
		x.wantLog("a schedule failed due 00:00:00 began 00:00:00", "a schedule failed due 00:00:00 began 00:00:01", "a schedule failed due 00:00:00 began 00:00:03",
			"a schedule failed due 00:00:00 began 00:00:07", "a schedule failed due 00:15:00 began 00:15:00")
	})
}

// One of two leads. When it loses leadership in the middle of a run, that is stopped,
// and the other one makes it.
func TestSchedulerTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		slow := func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Second):
				return nil
			}
		}
		a, stopA := x.begin("a", minutes(15), etl.SchedulerOptions{}, slow)
		synctest.Wait()
		b, stopB := x.begin("b", minutes(15), etl.SchedulerOptions{}, slow)
		time.Sleep(15*time.Minute + 5*time.Second)
		if !a.State().Leading || b.State().Leading {
			t.Errorf("a: %+v, b: %+v", a.State(), b.State())
		}
		stopA()
		time.Sleep(time.Minute)
		if a.State().Leading || !b.State().Leading {
			t.Errorf("then a: %+v, b: %+v", a.State(), b.State())
		}
		stopB()
		x.wantLog("a schedule failed due 00:00:00 began 00:00:00", "a schedule interrupted due 00:15:00 began 00:15:00", "b schedule failed due 00:15:00 began 00:15:05")
		if len(x.missed) != 0 {
			t.Errorf("missed %+v", x.missed)
		}
	})
}

// Many notifications are one run, and one that comes while a run goes on is another.
func TestSchedulerAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		leader, stop := x.begin("a", minutes(60), etl.SchedulerOptions{}, func(context.Context) error { time.Sleep(5 * time.Second); return nil })
		synctest.Wait()
		other, stopOther := x.begin("b", minutes(60), etl.SchedulerOptions{}, nil)
		ask := func(c *etl.Scheduler) {
			if err := c.Ask(t.Context()); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		for range 20 {
			ask(other)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Second) // it is running
		ask(leader)
		time.Sleep(time.Minute)
		stop()
		ask(other) // which nobody leads for a moment
		time.Sleep(time.Minute)
		stopOther()
		got := x.log()
		if len(got) != 4 || got[0] != "a schedule failed due 00:00:00 began 00:00:00" {
			t.Fatalf("%q", got)
		}
		for i, want := range []string{"a notification failed due -", "a notification failed due -", "b notification failed due -"} {
			if len(got[i+1]) < len(want) || got[i+1][:len(want)] != want {
				t.Errorf("%q; want %q", got[i+1], want)
			}
		}
	})
}

// Jitter delays the runs of due times, and never beyond the next one.
func TestSchedulerJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		_, stop := x.begin("a", minutes(1), etl.SchedulerOptions{Jitter: time.Hour}, nil)
		time.Sleep(20*time.Minute + 31*time.Second)
		stop()
		runs, err := x.store.SavedRuns(t.Context(), 100)
		if err != nil || len(runs) != 21 || len(x.missed) > 0 {
			t.Fatalf("%d runs, missed %+v, %v", len(runs), x.missed, err)
		}
		late := map[time.Duration]bool{}
		for _, r := range runs {
			d := r.Started.Sub(*r.Due)
			if d < 0 || d > 31*time.Second {
				t.Errorf("due %v, began %v", r.Due, r.Started)
			}
			late[d.Truncate(time.Second)] = true
		}
		if len(late) < 3 {
			t.Errorf("delays %v", late)
		}
	})
}

// A clock that was a day ahead has attended to due times of tomorrow.
func TestSchedulerClockAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		if err := x.store.Attend(t.Context(), "trial", driver.ScheduleState{Due: time.Now().Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		_, stop := x.begin("a", minutes(15), etl.SchedulerOptions{}, nil)
		time.Sleep(31 * time.Minute)
		stop()
		x.wantLog("a schedule failed due 00:15:00 began 00:15:00", "a schedule failed due 00:30:00 began 00:30:00")
	})
}

// A schedule of seconds that nobody attended to for a year is not counted one by one.
func TestSchedulerLongAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &trial{T: t, store: memstore.New()}
		if err := x.store.Attend(t.Context(), "trial", driver.ScheduleState{Due: time.Now().Add(-365 * 24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		s, err := schedule.Parse("@every 1s")
		if err != nil {
			t.Fatal(err)
		}
		_, stop := x.begin("a", s, etl.SchedulerOptions{Jitter: time.Hour}, nil)
		time.Sleep(3500 * time.Millisecond)
		stop()
		if len(x.missed) != 1 || x.missed[0].Count != 10_000 || len(x.made) < 3 || len(x.made) > 5 {
			t.Errorf("missed %+v, made %q", x.missed, x.made)
		}
	})
}
