package egridtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// RunFailureLog runs the conformance suite of failure logs. open makes an empty
// log; what it opened is open's to close when the test ends.
func RunFailureLog(t *testing.T, open func(t *testing.T) driver.FailureLog) {
	tests := []struct {
		name string
		run  func(*failureFixture)
	}{
		{"Empty", testNoFailures},
		{"SameIDIsOnce", testFailureTwiceIsOnce},
		{"Order", testFailureOrder},
		{"ArrivalOrder", testFailureArrival},
		{"Times", testFailureTimes},
		{"Texts", testFailureTexts},
		{"Invalid", testFailureInvalid},
		{"RecentIDs", testFailureRecentIDs},
		{"Concurrent", testFailureConcurrent},
		{"StoreUnchanged", testFailureStoreUnchanged},
		{"Closed", testFailureClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(&failureFixture{T: t, log: open(t)}) })
	}
}

// failureFixture is a failure log under test.
type failureFixture struct {
	*testing.T
	log driver.FailureLog
}

// failedAt makes a failure at a second of one day.
func failedAt(kind, id string, second int) driver.Failure {
	return driver.Failure{
		ID: id, Kind: kind, Where: "egrid.database " + id, Message: "message of " + id,
		Time: time.Date(2026, 1, 2, 3, 0, second, 0, time.UTC),
	}
}

// record records a failure and checks whether it was new.
func (f *failureFixture) record(failure driver.Failure, want bool) {
	f.Helper()
	added, err := f.log.RecordFailure(f.Context(), failure)
	if err != nil || added != want {
		f.Errorf("%s %.80s: new %t, %v; want %t", failure.Kind, failure.ID, added, err, want)
	}
}

// want compares the log, written out, with what it should be.
func (f *failureFixture) want(want ...driver.FailureCount) {
	f.Helper()
	got, err := f.log.Failures(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	if a, b := inLines(f.T, got), inLines(f.T, want); a != b {
		f.Errorf("got\n%swant\n%s", a, b)
	}
}

func inLines(t *testing.T, counts []driver.FailureCount) string {
	t.Helper()
	var b strings.Builder
	for _, c := range counts {
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// countOf makes the count of failures of one kind, the first, the last, and as
// many as there are.
func countOf(n int64, first, last driver.Failure) driver.FailureCount {
	return driver.FailureCount{Kind: last.Kind, Count: n, First: first.Time, Last: last.Time, Latest: last}
}

func testNoFailures(f *failureFixture) { f.want() }

func testFailureTwiceIsOnce(f *failureFixture) {
	first := failedAt("invalid_message", "a", 1)
	f.record(first, true)
	f.record(first, false)
	again := failedAt("invalid_message", "a", 9)
	again.Message = "told otherwise"
	f.record(again, false)
	f.want(countOf(1, first, first))

	// Another kind counts for itself, and letter case and blanks make another ID.
	other := failedAt("store_unavailable", "a", 0)
	f.record(other, true)
	f.record(failedAt("invalid_message", "A", 2), true)
	last := failedAt("invalid_message", "a ", 3)
	f.record(last, true)
	f.want(countOf(3, first, last), countOf(1, other, other))
}

func testFailureOrder(f *failureFixture) {
	middle, latest, oldest := failedAt("b", "1", 5), failedAt("c", "1", 6), failedAt("a", "1", 4)
	for _, failure := range []driver.Failure{middle, latest, oldest} {
		f.record(failure, true)
	}
	f.want(countOf(1, latest, latest), countOf(1, middle, middle), countOf(1, oldest, oldest))

	// A kind comes to the front with its latest failure; of equal times the
	// alphabet decides, by bytes.
	newest := failedAt("a", "2", 7)
	f.record(newest, true)
	twin, sibling := failedAt("a_b", "1", 7), failedAt("a1", "1", 7)
	f.record(twin, true)
	f.record(sibling, true)
	f.want(countOf(2, oldest, newest), countOf(1, sibling, sibling), countOf(1, twin, twin), countOf(1, latest, latest), countOf(1, middle, middle))
}

// testFailureArrival records the later before the earlier, and several at once.
func testFailureArrival(f *failureFixture) {
	early, late, lateToo := failedAt("x", "z", 1), failedAt("x", "m", 5), failedAt("x", "n", 5)
	f.record(late, true)
	f.record(lateToo, true)
	f.record(failedAt("x", "a", 5), true)
	f.record(failedAt("x", "k", 3), true)
	f.record(early, true)
	f.want(countOf(5, early, lateToo))
}

func testFailureTimes(f *failureFixture) {
	at := time.Date(2026, 1, 1, 23, 30, 0, 123_456_789, time.UTC)
	tests := map[string]time.Time{
		"tokyo":    at.In(time.FixedZone("JST", 9*3600)),
		"honolulu": at.In(time.FixedZone("HST", -10*3600)),
		"utc":      at,
		"local":    at.Local(),
		"old":      time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		"before":   time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		"future":   time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	var want []driver.FailureCount
	for kind, when := range tests {
		failure := driver.Failure{ID: "1", Kind: kind, Time: when}
		f.record(failure, true)
		failure.Time = when.UTC().Truncate(time.Microsecond)
		want = append(want, countOf(1, failure, failure))
	}
	driver.SortFailures(want)
	f.want(want...)

	f.record(driver.Failure{ID: "1", Kind: "now"}, true)
	counts, err := f.log.Failures(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range counts {
		if c.First.Location() != time.UTC || c.Last.Location() != time.UTC || c.Latest.Time.Location() != time.UTC {
			f.Errorf("%s is not told in UTC: %v", c.Kind, c)
		}
		if c.Kind == "now" && (time.Since(c.Last) > time.Hour || time.Until(c.Last) > time.Hour) {
			f.Errorf("a failure without a time is of %v", c.Last)
		}
	}
}

func testFailureTexts(f *failureFixture) {
	texts := []string{
		"", "'); DROP TABLE failures; --", `\ \0 \x00 $1 ? %s`, "Größe: 漢字 🙂 e\u0301", "two\nlines\r\n\ttab",
		"NUL \x00 within", "\x00", "\xff\xfe not UTF-8", strings.Repeat("x", 3000), strings.Repeat("漢", 3000), "\u202eright to left", "\x01\x1b[31m",
	}
	var want []driver.FailureCount
	for i, text := range texts {
		failure := driver.Failure{ID: "id " + text, Kind: fmt.Sprintf("kind_%d", i), Where: text, Message: text, Time: failedAt("", "", i).Time}
		f.record(failure, true)
		f.record(failure, false)
		kept, err := failure.Normalize()
		if err != nil {
			f.Fatal(err)
		}
		want = append(want, countOf(1, kept, kept))
	}
	driver.SortFailures(want)
	f.want(want...)
}

func testFailureInvalid(f *failureFixture) {
	for _, failure := range []driver.Failure{{Kind: "x"}, {ID: "1"}, {}, {ID: "1", Kind: "No Snake"}, {ID: "1", Kind: strings.Repeat("x", driver.MaxFailureKind+1)}} {
		added, err := f.log.RecordFailure(f.Context(), failure)
		if added || !errors.Is(err, egrid.ErrInvalid) {
			f.Errorf("%+v: new %t, %v; want ErrInvalid", failure, added, err)
		}
	}
	f.want()
}

// testFailureRecentIDs records one failure more than a log knows again.
func testFailureRecentIDs(f *failureFixture) {
	id := func(i int) string { return fmt.Sprint("m-", i) }
	for i := range driver.RecentFailures + 1 {
		f.record(failedAt("x", id(i), 1), true)
	}
	f.record(failedAt("y", id(0), 0), true)
	for _, i := range []int{1, driver.RecentFailures / 2, driver.RecentFailures} {
		f.record(failedAt("x", id(i), 2), false)
	}
	last := failedAt("x", id(0), 3) // forgotten, and so counted again
	f.record(last, true)
	f.record(last, false)
	f.record(failedAt("x", id(1), 4), true) // the next to be forgotten
	f.record(failedAt("y", id(0), 5), false)
	f.want(countOf(driver.RecentFailures+3, failedAt("x", "", 1), failedAt("x", id(1), 4)), countOf(1, failedAt("y", id(0), 0), failedAt("y", id(0), 0)))
}

// testFailureConcurrent records every failure twice, from many goroutines and
// while others read.
func testFailureConcurrent(f *failureFixture) {
	const recorders, failures = 8, 40
	kinds := []string{"even", "odd"}
	var added atomic.Int64
	var group sync.WaitGroup
	for r := range recorders {
		group.Go(func() {
			for i := range failures {
				n := i
				if r%2 == 1 {
					n = failures - 1 - i
				}
				id := fmt.Sprintf("%d-%02d", r/2, n)
				isNew, err := f.log.RecordFailure(f.Context(), failedAt(kinds[n%2], id, n))
				if err != nil {
					f.Error(err)
					return
				}
				if isNew {
					added.Add(1)
				}
			}
		})
	}
	group.Go(func() {
		for range failures {
			counts, err := f.log.Failures(f.Context())
			if err != nil {
				f.Error(err)
				return
			}
			for _, c := range counts {
				if c.Count < 1 || c.Last.Before(c.First) || !c.Latest.Time.Equal(c.Last) {
					f.Errorf("half a record was read: %+v", c)
				}
			}
		}
	})
	group.Wait()
	const distinct = recorders / 2 * failures
	if added.Load() != distinct {
		f.Errorf("%d were new; want %d", added.Load(), distinct)
	}
	last := fmt.Sprintf("%d-", recorders/2-1)
	f.want(countOf(distinct/2, failedAt("odd", "", 1), failedAt("odd", last+"39", 39)), countOf(distinct/2, failedAt("even", "", 0), failedAt("even", last+"38", 38)))
}

// testFailureStoreUnchanged: recording is no publish.
func testFailureStoreUnchanged(f *failureFixture) {
	store, ok := f.log.(driver.Scanner)
	if !ok {
		f.Skip("the log is no store")
	}
	f.record(failedAt("x", "1", 1), true)
	c, err := store.Catalog(f.Context())
	if err != nil || c.Revision != 0 || len(c.Snapshots) != 0 {
		f.Errorf("the catalogue of an empty store is %+v, %v", c, err)
	}
}

func testFailureClosed(f *failureFixture) {
	closer, ok := f.log.(io.Closer)
	if !ok {
		f.Skip("the log cannot be closed")
	}
	if err := closer.Close(); err != nil {
		f.Fatal(err)
	}
	if _, err := f.log.RecordFailure(f.Context(), failedAt("x", "1", 1)); !errors.Is(err, egrid.ErrClosed) {
		f.Errorf("recording: got %v; want ErrClosed", err)
	}
	if _, err := f.log.Failures(f.Context()); !errors.Is(err, egrid.ErrClosed) {
		f.Errorf("reading: got %v; want ErrClosed", err)
	}
}
