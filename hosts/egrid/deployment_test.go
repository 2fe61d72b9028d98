package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHealthOfADeployment: one line for each service and dependency of a file, by their
// names; status 1 when one is down, 2 for a file that is none, and no password anywhere.
func TestHealthOfADeployment(t *testing.T) {
	sh := newShell(t)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"ok","checks":[{"name":"store","status":"ok","latency_seconds":0.001}]}`))
	}))
	defer service.Close()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "deployment")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"all well":     {[]string{"health", "--deployment", file("# ours\n\n api=" + service.URL + "\nstore=mem:\n")}, 0, []string{"api ", "api store", "store ", "ok"}},
		"one down":     {[]string{"health", "--deployment", file("api=" + service.URL + "\nweb=http://127.0.0.1:1\n")}, 1, []string{"web ", "unavailable", "web: "}},
		"redis down":   {[]string{"health", "cache=redis://:secret@127.0.0.1:1/0"}, 1, []string{"cache ", "unavailable"}},
		"queue down":   {[]string{"health", "amqp://u:secret@127.0.0.1:1/"}, 1, []string{"amqp://127.0.0.1:1", "unavailable"}},
		"both":         {[]string{"health", "--deployment", file("api=" + service.URL), "here=mem:"}, 0, []string{"api ", "here "}},
		"empty":        {[]string{"health", "--deployment", file("# nothing\n")}, 2, []string{"names nothing"}},
		"no file":      {[]string{"health", "--deployment", filepath.Join(t.TempDir(), "none")}, 2, []string{"the file of the deployment"}},
		"wrong scheme": {[]string{"health", "api=ftp://secret@a"}, 2, []string{"api"}},
	} {
		all := sh.run(test.code, test.args...)
		if strings.Contains(all, "secret") {
			t.Errorf("%s: a password\n%s", name, all)
		}
		for _, want := range test.want {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no %q in\n%s", name, want, all)
			}
		}
	}
}
