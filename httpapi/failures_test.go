package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// failedStore is a store with a few failures.
func failedStore(t testing.TB) (driver.Store, driver.FailureLog) {
	t.Helper()
	store := sampleStore(t)
	log := store.FailureLog
	for i, f := range []driver.Failure{
		{ID: "m-1", Kind: "invalid_message", Where: "egrid.database, message m-1", Message: "the chunk is cut off"},
		{ID: "m-2", Kind: "invalid_message", Where: "egrid.database, message m-2", Message: "level \"<X>\" is unknown,\nsee the list"},
		{ID: "o-1", Kind: "object_refused", Where: "s3://egrid/Größe.csv", Message: ""},
	} {
		f.Time = time.Date(2026, 1, 2, 3, 4, i, 500_000_000, time.UTC)
		if _, err := log.RecordFailure(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	return store, log
}

func TestErrors(t *testing.T) {
	t.Parallel()
	store, log := failedStore(t)
	h := newAPI(store, &httpapi.Options{Failures: log})
	check := newSchemaCheck(t, h)
	for name, target := range map[string]string{"errors": "/errors", "errors_bad_parameter": "/errors?kind=x"} {
		w := get(t, h, target)
		check(t, target, w)
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, w.Body.Bytes(), "", "  "); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		golden(t, name, pretty.Bytes())
	}
}

func TestErrorsExports(t *testing.T) {
	t.Parallel()
	store, log := failedStore(t)
	h := newAPI(store, &httpapi.Options{Failures: log})
	got := records(t, get(t, h, "/errors?format=csv").Body.String())
	want := [][]string{
		{"kind", "count", "first_seen", "last_seen", "latest_id", "latest_where", "latest_message"},
		{"object_refused", "1", "2026-01-02T03:04:02.5Z", "2026-01-02T03:04:02.5Z", "o-1", "s3://egrid/Größe.csv", ""},
		{"invalid_message", "2", "2026-01-02T03:04:00.5Z", "2026-01-02T03:04:01.5Z", "m-2", "egrid.database, message m-2", "level \"<X>\" is unknown,\nsee the list"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	w := get(t, h, "/errors", "Accept", "application/x-ndjson")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if w.Code != 200 || len(lines) != 2 || !strings.Contains(lines[0], `"count":1,`) || !strings.Contains(lines[0], `"latest":{"id":"o-1",`) {
		t.Errorf("%d %q", w.Code, lines)
	}
	if got := w.Result().Trailer.Get("X-Row-Count"); got != "2" {
		t.Errorf("the trailer says %q rows; want 2", got)
	}
}

// TestErrorsAreNotKept: neither the handler nor a client may keep the list,
// which changes without a publish.
func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	store, log := failedStore(t)
	h := newAPI(store, &httpapi.Options{Failures: log})
	for _, target := range []string{"/errors", "/errors?format=csv", "/errors?format=ndjson"} {
		for _, tag := range []string{"", `""`, "*", `"x"`} {
			w := get(t, h, target, "If-None-Match", tag)
			if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" || len(w.Header()["Etag"]) != 0 {
				t.Errorf("%s with %q: status %d, headers %v", target, tag, w.Code, w.Header())
			}
		}
		before := get(t, h, target).Body.String()
		if _, err := log.RecordFailure(t.Context(), driver.Failure{ID: target, Kind: "invalid_message"}); err != nil {
			t.Fatal(err)
		}
		if after := get(t, h, target).Body.String(); after == before {
			t.Errorf("%s does not show the latest failure", target)
		}
	}
	// Before the first publish, when the revision is as that of the answer.
	empty := memstore.New().Driver()
	h = newAPI(empty, &httpapi.Options{Failures: empty})
	get(t, h, "/errors")
	if _, err := empty.RecordFailure(t.Context(), driver.Failure{ID: "1", Kind: "invalid_message"}); err != nil {
		t.Fatal(err)
	}
	if w := get(t, h, "/errors"); !strings.Contains(w.Body.String(), "invalid_message") {
		t.Errorf("an empty store's list was kept: %s", w.Body)
	}
	document := get(t, h, "/openapi.json").Body.String()
	for _, want := range []string{`"/errors"`, "FailureInfo", "first_seen"} {
		if !strings.Contains(document, want) {
			t.Errorf("the OpenAPI document has no %s", want)
		}
	}
}

func TestNoErrorsYet(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := newAPI(store, &httpapi.Options{Failures: store.FailureLog})
	if w := get(t, h, "/errors"); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"data":[],"meta":{"count":0,"total":0,`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := get(t, h, "/errors?format=csv").Body.String(); got != "kind,count,first_seen,last_seen,latest_id,latest_where,latest_message\r\n" {
		t.Errorf("CSV: %q", got)
	}
}

// Without the option there is no such path, and the document does not say so.
func TestErrorsAreOptional(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	if w := get(t, h, "/errors"); w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
	if strings.Contains(get(t, h, "/openapi.json").Body.String(), `"/errors"`) {
		t.Error("the document has the path")
	}
}

// brokenLog is a failure log that cannot be read.
type brokenLog struct {
	driver.FailureLog
	err error
}

func (l brokenLog) Failures(context.Context) ([]driver.FailureCount, error) { return nil, l.err }

// TestErrorsOfTheLog: the list does not depend on the store, and the log's
// own trouble is answered like a store's.
func TestErrorsOfTheLog(t *testing.T) {
	t.Parallel()
	_, log := failedStore(t)
	if w := get(t, newAPI(memstoreClosed(), &httpapi.Options{Failures: log}), "/errors"); w.Code != 200 {
		t.Errorf("beside a closed store: %d", w.Code)
	}
	for err, status := range map[error]int{egrid.ErrClosed: 503, errors.New("secret address"): 500} {
		h := newAPI(sampleStore(t), &httpapi.Options{Failures: brokenLog{err: err}})
		for _, target := range []string{"/errors", "/errors?format=csv"} {
			w := get(t, h, target)
			if w.Code != status || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
		}
	}
}
