package service_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

func TestNotificationHandler(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	const put = `{"Records":[{"eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"egrid"},"object":{"key":"2023/GEN+23.csv"}}}]}`
	asked := 0
	var away error
	p := &service.Process{Context: t.Context(), Log: slog.New(slog.DiscardHandler), Metrics: telemetry.New()}
	ask := func(context.Context) error { asked++; return away }
	mux := http.NewServeMux()
	p.MountNotifications(mux, ask, []string{"files", "s3://egrid/2023/"}, token)
	none := http.NewServeMux()
	p.MountNotifications(none, ask, []string{"s3://egrid/"}, "")
	for _, test := range []struct {
		name, method, authorization, body string
		mux                               http.Handler
		away                              error
		status, asks                      int
	}{
		{"ours", "POST", "Bearer " + token, put, mux, nil, 202, 1},
		{"small letters", "POST", "bearer " + token, put, mux, nil, 202, 1},
		{"another folder", "POST", "Bearer " + token, strings.ReplaceAll(put, "2023/", "2022/"), mux, nil, 202, 0},
		{"another bucket", "POST", "Bearer " + token, strings.ReplaceAll(put, `"egrid"`, `"other"`), mux, nil, 202, 0},
		{"removed", "POST", "Bearer " + token, strings.ReplaceAll(put, "Created", "Removed"), mux, nil, 202, 0},
		{"no token", "POST", "", put, mux, nil, 401, 0},
		{"another token", "POST", "Bearer " + token[1:], put, mux, nil, 401, 0},
		{"a longer one", "POST", "Bearer " + token + "0", put, mux, nil, 401, 0},
		{"no scheme", "POST", token, put, mux, nil, 401, 0},
		{"nonsense", "POST", "Bearer " + token, "{", mux, nil, 400, 0},
		{"too large", "POST", "Bearer " + token, strings.Repeat(" ", 2<<20), mux, nil, 413, 0},
		{"store away", "POST", "Bearer " + token, put, mux, errors.New("away"), 503, 1},
		{"read", "GET", "Bearer " + token, "", mux, nil, 405, 0},
		{"none is set up", "POST", "Bearer ", put, none, nil, 404, 0},
	} {
		asked, away = 0, test.away
		r := httptest.NewRequestWithContext(t.Context(), test.method, "/notifications", strings.NewReader(test.body))
		if test.authorization != "" {
			r.Header.Set("Authorization", test.authorization)
		}
		w := httptest.NewRecorder()
		test.mux.ServeHTTP(w, r)
		if w.Code != test.status || asked != test.asks || strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: %d, asked %d times, %q; want %d and %d", test.name, w.Code, asked, w.Body, test.status, test.asks)
		}
	}
}

func TestSchedulingFlags(t *testing.T) {
	t.Setenv("EGRID_NOTIFY_TOKEN", "")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, test := range []struct {
		s       service.Scheduling
		sources []string
		want    string
	}{
		{service.Scheduling{}, []string{"s3://a/", "s3://b/2023/"}, "s3://a/ s3://b/2023/"},
		{service.Scheduling{}, []string{folder}, folder + " on " + host},
		{service.Scheduling{ScheduleName: "nightly"}, []string{folder}, "nightly"},
	} {
		if got := test.s.Name(test.sources); got != test.want {
			t.Errorf("%q: %q; want %q", test.sources, got, test.want)
		}
	}
	for text, ok := range map[string]bool{"once": true, "@every 1m": true, "TZ=UTC 0 6 * * *": true, "TZ=": false, "daily": false} {
		if s, err := (&service.Scheduling{Schedule: text}).Parse(); (err == nil) != ok || !ok && !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	if token, err := (&service.Scheduling{}).Token(); err != nil || token != "" {
		t.Errorf("no token: %q, %v", token, err)
	}
	t.Setenv("EGRID_NOTIFY_TOKEN", "short")
	if _, err := (&service.Scheduling{}).Token(); !errors.Is(err, egrid.ErrInvalid) || strings.Contains(err.Error(), "short\"") {
		t.Errorf("a short token: %v", err)
	}
}

// TestRunsOfReplica: a service that only reads tells of runs, with the service etl or
// without it, and takes no orders by itself.
func TestRunsOfReplica(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	if err := store.SaveRun(t.Context(), driver.Run{ID: "r", Status: driver.RunPublished, Trigger: driver.BySchedule, Loads: []driver.RunLoad{}}); err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	address := gone.URL
	gone.Close()
	for name, url := range map[string]string{"alone": "", "with the service away": address} {
		var o httpapi.Options
		if err := service.PassRuns(&o, store.Driver(), url, nil); err != nil {
			t.Fatal(err)
		}
		if runs, err := o.Runs.Runs(t.Context()); err != nil || len(runs) != 1 || runs[0].Trigger != driver.BySchedule {
			t.Errorf("%s: %+v, %v", name, runs, err)
		}
		if run, err := o.Runs.Run(t.Context(), "r"); err != nil || run.Status != driver.RunPublished {
			t.Errorf("%s: %+v, %v", name, run, err)
		}
		_, decides := o.Runs.(driver.Decider)
		_, err := o.Runs.StartRun(t.Context(), driver.RunRequest{})
		if err == nil || decides != (url != "") || url == "" && !errors.Is(err, egrid.ErrConflict) {
			t.Errorf("%s: decides %t; an order: %v", name, decides, err)
		}
	}
	if o := (httpapi.Options{}); service.PassRuns(&o, driver.Store{Scanner: store}, "", nil) != nil || o.Runs != nil {
		t.Error("a store without a log tells of runs")
	}
}
