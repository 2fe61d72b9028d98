package faults_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// service is an API that runs, and whoever asks it.
type service struct {
	*process
	url string
	db  *store.DB // through its own client
}

// api starts an API, which keeps what it answers in itself and in Redis.
func (p *platform) api(args ...string) *service {
	p.t.Helper()
	return p.apiBy(start, args...)
}

func (p *platform) apiBy(start func(*testing.T, string, []string, ...string) *process, args ...string) *service {
	p.t.Helper()
	args = append([]string{"--addr", "127.0.0.1:0", "--redis", testenv.Server(p.t, "EGRID_TEST_REDIS")}, args...)
	s := &service{process: start(p.t, "api", p.env, args...)}
	s.url = s.address(p.t)
	c, err := client.New(s.url, &client.Options{Retries: -1})
	if err != nil {
		p.t.Fatal(err)
	}
	s.db = store.New(c)
	return s
}

// answers waits until the API has an edition at every level.
func (s *service) answers(t *testing.T, e edition) {
	t.Helper()
	var last string
	defer func() {
		if t.Failed() {
			t.Log("the last answer:", last)
		}
	}()
	eventually(t, "the API answers "+e.dir, func() bool {
		for _, level := range levels() {
			got, err := ask(t.Context(), s.db, e.asks[level])
			if last = fmt.Sprint(level, got, err); err != nil || !got.same(e.facts[level]) {
				return false
			}
		}
		return true
	})
}

// get asks by HTTP.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url) //nolint:gosec // G107: a service of the test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// check is what /readyz says of one dependency.
func check(t *testing.T, address, name string) (status int, found wire.CheckResult) {
	t.Helper()
	status, body := get(t, address+"/readyz")
	var health wire.Health
	if err := json.Unmarshal([]byte(body), &health); err != nil {
		t.Fatal(err)
	}
	for _, c := range health.Checks {
		if c.Name == name {
			return status, c
		}
	}
	t.Fatalf("%s has no check %s: %s", address, name, strings.TrimSpace(body))
	return 0, wire.CheckResult{}
}
