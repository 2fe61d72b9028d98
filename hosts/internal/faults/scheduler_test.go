package faults_test

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl/schedule"
)

// takeOver is how soon another process leads when the leader is gone: the server
// notices a killed process at once, and who waits asks it every second. It is
// generous, since the machine may be busy.
const takeOver = 30 * time.Second

// TestFaultTwoSchedulers runs two etl services with one schedule on one database,
// and kills the one that leads in the middle of a run. The other one makes the run of
// that due time, which ends exact; of all due times each has one run that ended, or
// was told as missed.
func TestFaultTwoSchedulers(t *testing.T) {
	p := newPlatform(t, large)
	p.consume(2)
	const when = "@every 2s"
	inbox := t.TempDir()
	begin := func() *process {
		return start(t, "etl", p.env, "--schedule", when, "--schedule-name", "faults", "--addr", "127.0.0.1:0", "--publish", "replace",
			"--chunk-bytes", strconv.Itoa(p.chunk), "--store", p.store, "--queue", p.queue, inbox)
	}
	const leading = "leading the schedule"
	a, b := begin(), begin()
	eventually(t, "one of them leads", func() bool { return a.says(leading)+b.says(leading) > 0 })
	leader, other := a, b
	if b.says(leading) > 0 {
		leader, other = b, a
	}
	other.address(t)
	state := func() driver.ScheduleState {
		t.Helper()
		s, err := p.pg.Schedule(t.Context(), "faults")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// It attends to due times that find nothing, which are no runs.
	eventually(t, "the schedule is attended to", func() bool { return !state().Due.IsZero() })
	if other.says(leading) > 0 {
		t.Fatal("both lead")
	}
	if err := os.CopyFS(inbox, os.DirFS(p.editions.new.dir)); err != nil {
		t.Fatal(err)
	}
	p.midway(leader)
	attended := state().Due
	leader.kill(t)
	killed := time.Now()
	eventually(t, "the other one leads", func() bool { return other.says(leading) > 0 })
	if took := time.Since(killed); took > takeOver {
		t.Errorf("it leads after %v; the bound is %v", took, takeOver)
	} else {
		t.Logf("it leads after %v", took.Round(time.Millisecond))
	}
	eventually(t, "the run is made", func() bool { return other.status() != "" })
	// The log tells both runs, and that the first one's process is gone.
	var runs []driver.Run
	eventually(t, "the first run is told as interrupted", func() bool {
		var err error
		if runs, err = p.pg.SavedRuns(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(runs, func(r driver.Run) bool { return r.Status == driver.RunInterrupted })
	})
	other.stop(t)
	p.wantNew()

	// Each due time after the last that was attended to before the fault, up to the
	// last that was attended to at the end, is of a run that ended, was told as missed,
	// or found nothing new and so needed none.
	s, err := schedule.Parse(when)
	if err != nil {
		t.Fatal(err)
	}
	ended := map[int64]int{}
	var interrupted, published *driver.Run
	for i := range runs {
		r := &runs[i]
		if r.Trigger != driver.BySchedule {
			continue // the load of the old edition
		}
		switch {
		case r.Status == driver.RunInterrupted && r.Due != nil:
			interrupted = r
		case r.Status == driver.RunPublished && r.Due != nil:
			published = r
			ended[r.Due.UnixMicro()]++
		case r.Due != nil && r.Status != driver.RunMissed:
			ended[r.Due.UnixMicro()]++
		}
	}
	if interrupted == nil || published == nil {
		t.Fatalf("of runs the log has %+v", runs)
	}
	for due, n := range ended {
		if n > 1 {
			t.Errorf("%d runs of %v", n, time.UnixMicro(due).UTC())
		}
	}
	between := 0
	for due := s.Next(attended); due.Before(*published.Due); due = s.Next(due) {
		between++
	}
	told := mustSQL(t, p.admin, "SELECT count(*) FROM egrid.runs WHERE status = 'missed'")
	t.Logf("between %v and %v: %d due times without a run, %s entries of missed ones in the log", attended, published.Due, between, told)
	if between > 0 && told == "0" {
		t.Errorf("%d due times were missed, and nothing tells", between)
	}
	if interrupted.Due.Before(attended) || published.Due.Before(*interrupted.Due) {
		t.Errorf("interrupted %v, then published %v", interrupted.Due, published.Due)
	}
}
