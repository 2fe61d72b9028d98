package egridtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// RunLog is a [driver.RunLog] and [driver.Schedules] under test.
type RunLog interface {
	driver.RunLog
	driver.Schedules
	Close() error
}

// RunRunLog runs the conformance suite of run logs and schedules. open makes an
// empty store; what it opened is open's to close when the test ends. How many runs
// are kept is for the store's own tests.
func RunRunLog(t *testing.T, open func(t *testing.T) RunLog) {
	for name, run := range map[string]func(*testing.T, RunLog){
		"Runs": testRunsKept, "Order": testRunOrder, "Texts": testRunTexts, "Concurrent": testRunsConcurrent,
		"Schedules": testSchedules, "Lead": testLead, "Closed": testRunLogClosed,
	} {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

func runAt(id string, second int) driver.Run {
	return driver.Run{ID: id, Status: driver.RunUnderWay, Trigger: driver.ByOrder, Host: "host", TraceID: "t", Loads: []driver.RunLoad{},
		Started: time.Date(2026, 1, 2, 3, 0, second, 123456000, time.UTC)}
}

func saveRun(t *testing.T, log RunLog, r driver.Run) {
	t.Helper()
	if err := log.SaveRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func wantRun(t *testing.T, log RunLog, want driver.Run) {
	t.Helper()
	got, err := log.SavedRun(t.Context(), want.ID)
	if a, b := jsonOf(t, got), jsonOf(t, want); err != nil || a != b {
		t.Errorf("got %s, %v; want %s", a, err, b)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func testRunsKept(t *testing.T, log RunLog) {
	if runs, err := log.SavedRuns(t.Context(), 10); err != nil || len(runs) != 0 {
		t.Errorf("at first: %v, %v", runs, err)
	}
	if _, err := log.SavedRun(t.Context(), "none"); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	if err := log.SaveRun(t.Context(), driver.Run{}); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("without an id: %v", err)
	}
	r := runAt("a", 1)
	saveRun(t, log, r)
	wantRun(t, log, r)
	r.Progress = &driver.RunProgress{Stage: "stream", Object: "GEN23.csv", Rows: 5, Total: 10}
	saveRun(t, log, r)
	wantRun(t, log, r)
	ended, due := r.Started.Add(time.Minute), r.Started.Add(-time.Second)
	r.Status, r.Ended, r.Due, r.Progress, r.Read, r.Chunks = driver.RunHeld, &ended, &due, nil, 10, 2
	r.Loads = []driver.RunLoad{{ID: "s", Object: "GEN23.csv", Level: egrid.GEN, Year: 2023, Read: 10, Status: driver.RunHeld, Reason: "why", Before: 7,
		Rejects: []driver.RunReject{{Reason: "not a number", Column: egrid.NetGeneration, Count: 2, Line: 17, Value: "12 apples", Remedy: "mend it"}}}}
	saveRun(t, log, r)
	wantRun(t, log, r)
}

func testRunOrder(t *testing.T, log RunLog) {
	for _, r := range []driver.Run{runAt("b", 5), runAt("c", 9), runAt("a", 1), runAt("d", 5)} {
		saveRun(t, log, r)
	}
	for limit, want := range map[int]string{10: "[c d b a]", 2: "[c d]", 0: "[]", -1: "[]"} {
		runs, err := log.SavedRuns(t.Context(), limit)
		ids := []string{}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		if got := fmt.Sprint(ids); err != nil || got != want {
			t.Errorf("limit %d: %s, %v; want %s", limit, got, err, want)
		}
	}
}

// What files and errors say may be any bytes.
func testRunTexts(t *testing.T, log RunLog) {
	r := runAt("x", 1)
	r.Error = "nul \x00, not UTF-8 \xff, quotes ' \" \\, a letter é 電 and \U0001F4A1"
	r.Loads = []driver.RunLoad{{Object: "a\x00b", Status: driver.RunFailed, Reason: "\u2028"}}
	saveRun(t, log, r)
	want := r
	want.Error = "nul \x00, not UTF-8 \uFFFD, quotes ' \" \\, a letter é 電 and \U0001F4A1"
	wantRun(t, log, want)
	for _, id := range []string{"", "\x00", "\xff", "'; DROP TABLE runs; --"} {
		if _, err := log.SavedRun(t.Context(), id); !errors.Is(err, egrid.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func testRunsConcurrent(t *testing.T, log RunLog) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for second := range 10 {
				if err := log.SaveRun(t.Context(), runAt(fmt.Sprint(i), second)); err != nil {
					t.Error(err)
				}
				if err := log.AskRun(t.Context(), "s"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	runs, err := log.SavedRuns(t.Context(), 100)
	if err != nil || len(runs) != 8 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	if s, err := log.Schedule(t.Context(), "s"); err != nil || s.Asked != 80 {
		t.Errorf("%+v, %v", s, err)
	}
}

func testSchedules(t *testing.T, log RunLog) {
	want := func(name string, want driver.ScheduleState) {
		t.Helper()
		if got, err := log.Schedule(t.Context(), name); err != nil || !got.Due.Equal(want.Due) || got.Asked != want.Asked || got.Answered != want.Answered {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	attend := func(name string, s driver.ScheduleState) {
		t.Helper()
		if err := log.Attend(t.Context(), name, s); err != nil {
			t.Error(err)
		}
	}
	want("a", driver.ScheduleState{})
	due := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	attend("a", driver.ScheduleState{}) // of nothing at all
	want("a", driver.ScheduleState{})
	attend("a", driver.ScheduleState{Due: due, Asked: 99})
	want("a", driver.ScheduleState{Due: due})
	for range 3 {
		if err := log.AskRun(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
	attend("a", driver.ScheduleState{Answered: 2})
	want("a", driver.ScheduleState{Due: due, Asked: 3, Answered: 2})
	attend("a", driver.ScheduleState{Due: due.Add(-time.Hour), Answered: 1}) // by one who is late
	want("a", driver.ScheduleState{Due: due, Asked: 3, Answered: 2})
	attend("a", driver.ScheduleState{Due: due.Add(time.Hour), Answered: 3})
	want("a", driver.ScheduleState{Due: due.Add(time.Hour), Asked: 3, Answered: 3})
	want("b", driver.ScheduleState{})
	if err := log.AskRun(t.Context(), "b"); err != nil {
		t.Error(err)
	}
	want("b", driver.ScheduleState{Asked: 1})
}

// testLead has several lead in turn, and never two at once.
func testLead(t *testing.T, log RunLog) {
	var mu sync.Mutex
	at, turns := map[string]int{}, 0
	var group sync.WaitGroup
	for i := range 6 {
		name := fmt.Sprint("s", i%2)
		group.Go(func() {
			leading, resign, err := log.Lead(t.Context(), name)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			if at[name]++; at[name] > 1 {
				t.Errorf("%d lead %s", at[name], name)
			}
			turns++
			mu.Unlock()
			if err := leading.Err(); err != nil {
				t.Errorf("leading, and %v", err)
			}
			mu.Lock()
			at[name]--
			mu.Unlock()
			resign()
			resign() // which changes nothing
			if leading.Err() == nil {
				t.Error("resigned, and still leading")
			}
		})
	}
	group.Wait()
	if turns != 6 {
		t.Errorf("%d of 6 had their turn", turns)
	}
	// Who waits can be told to stop.
	_, resign, err := log.Lead(t.Context(), "s0")
	if err != nil {
		t.Fatal(err)
	}
	defer resign()
	ctx, stop := context.WithCancel(t.Context())
	waited := make(chan error)
	go func() { _, _, err := log.Lead(ctx, "s0"); waited <- err }()
	stop()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("told to stop: %v", err)
	}
}

func testRunLogClosed(t *testing.T, log RunLog) {
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, runErr := log.SavedRun(t.Context(), "a")
	_, runsErr := log.SavedRuns(t.Context(), 1)
	_, scheduleErr := log.Schedule(t.Context(), "a")
	_, _, leadErr := log.Lead(t.Context(), "a")
	for name, err := range map[string]error{
		"SaveRun": log.SaveRun(t.Context(), runAt("a", 1)), "SavedRun": runErr, "SavedRuns": runsErr, "Schedule": scheduleErr, "Lead": leadErr,
		"AskRun": log.AskRun(t.Context(), "a"), "Attend": log.Attend(t.Context(), "a", driver.ScheduleState{}),
	} {
		if !errors.Is(err, egrid.ErrClosed) {
			t.Errorf("%s: %v; want ErrClosed", name, err)
		}
	}
}
