package testenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// recorder is a test that notes how it ended.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Helper() {}

func (r *recorder) end(outcome, format string, args []any) {
	r.outcome = outcome + ": " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) { r.end("failed", format, args) }
func (r *recorder) Skipf(format string, args ...any)  { r.end("skipped", format, args) }

// outcome runs a function as a test does, and returns how it ended.
func outcome(t *testing.T, f func(t testing.TB) string) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.outcome = f(r)
	}()
	<-done
	return r.outcome
}

func TestClearSettings(t *testing.T) {
	const kept, gone = "EGRID_DATA EGRID_TEST_AMQP EGRID_BENCH_ROWS", "EGRID_STORE EGRID_QUEUE EGRID_DATABASE_PORT EGRID_S3_SECRET_KEY"
	for _, name := range strings.Fields(kept + " " + gone) {
		t.Setenv(name, "x") // and puts back what was there
	}
	testenv.ClearSettings()
	for _, name := range strings.Fields(kept) {
		if os.Getenv(name) != "x" {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range strings.Fields(gone) {
		if value, ok := os.LookupEnv(name); ok {
			t.Errorf("%s=%s is still there", name, value)
		}
	}
}

func TestOutcomes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := func(name string) func(testing.TB) string {
		return func(t testing.TB) string { return testenv.File(t, name) }
	}
	server := func(t testing.TB) string { return testenv.Server(t, "EGRID_TEST_NONE") }
	for _, test := range []struct {
		name, data, server, ci string
		f                      func(testing.TB) string
		want                   string
	}{
		{"file", dir, "", "", file("a.csv"), filepath.Join(dir, "a.csv")},
		{"opened", dir, "", "", func(t testing.TB) string { return testenv.Open(t, "a.csv").Name() }, filepath.Join(dir, "a.csv")},
		{"no folder", "", "", "", file("a.csv"), "skipped: EGRID_DATA is not set"},
		{"no folder in CI", "", "", "true", file("a.csv"), "failed: EGRID_DATA is not set"},
		{"no file", dir, "", "", file("b.csv"), "skipped: the folder EGRID_DATA lacks a file"},
		{"no file in CI", dir, "", "true", file("b.csv"), "failed: the folder EGRID_DATA lacks a file"},
		{"wrong folder", filepath.Join(dir, "none"), "", "", file("a.csv"), "failed: EGRID_DATA names no folder"},
		{"relative folder", "data", "", "", file("a.csv"), "failed: EGRID_DATA=data is a relative path"},
		{"server", "", "http://a", "", server, "http://a"},
		{"no server", "", "", "", server, "skipped: EGRID_TEST_NONE is not set"},
		{"no server in CI", "", "", "true", server, "failed: EGRID_TEST_NONE is not set"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(dir) // so that no folder is beside the checkout
			t.Setenv("EGRID_DATA", test.data)
			t.Setenv("EGRID_TEST_NONE", test.server)
			t.Setenv("CI", test.ci)
			if got := outcome(t, test.f); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q; want %q", got, test.want)
			}
		})
	}
}
