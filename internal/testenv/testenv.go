// Package testenv finds what some tests need and a clone does not bring: EPA's
// own files, real servers, programs.
//
//	f := testenv.Open(t, "2023/GEN23.csv")
//	url := testenv.Server(t, "EGRID_TEST_POSTGRES")
//
// # Guarantees
//
// What is not there skips the test and says how to get it. Where CI=true it fails
// the test: what is skipped there runs nowhere.
//
// # Errors
//
// A setting that cannot be right, as a folder that does not exist, fails the test
// everywhere.
package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Data returns the folder of EPA's files: what EGRID_DATA names, else the folder
// shared/data beside the checkout, where there is one.
func Data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EGRID_DATA")
	if dir == "" {
		dir = beside()
	}
	if dir == "" {
		Missing(t, "EGRID_DATA is not set: it names the folder of EPA's files, by year, as in 2023/GEN23.csv")
	}
	if !filepath.IsAbs(dir) {
		t.Fatalf("EGRID_DATA=%s is a relative path, and each test runs in the folder of its package: give the whole path, or use make", dir)
	}
	if _, err := os.Stat(dir); err != nil { //nolint:gosec // G703: who runs the tests names the folder
		t.Fatalf("EGRID_DATA names no folder: %v", err)
	}
	return dir
}

// beside returns the folder shared/data beside the module that the test is of;
// empty when there is none.
func beside() string {
	root, err := os.Getwd()
	if err != nil {
		return ""
	}
	for root != filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "CHANGELOG.md")); err == nil {
			break
		}
		root = filepath.Dir(root)
	}
	dir := filepath.Join(filepath.Dir(root), "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// File returns the path of one of EPA's files, which is named relative to the
// folder and with slashes.
func File(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Data(t), filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		Missing(t, "the folder EGRID_DATA lacks a file: %v", err)
	}
	return path
}

// Open opens one of EPA's files, and closes it after the test.
func Open(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(File(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Server returns what an environment variable says of a server: its address, or
// the command that restarts it.
func Server(t testing.TB, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		Missing(t, "%s is not set: internal/scripts/with-services.sh COMMAND starts servers for a command, as go test, and sets it", variable)
	}
	return value
}

// ClearSettings removes the settings of our programs from the environment, as
// EGRID_STORE and EGRID_ADDR. Tests that run them call it from TestMain, so that
// they never load into a store, or ask a service, that the contributor works
// with. What tests are told stays: EGRID_DATA, EGRID_TEST_* and EGRID_BENCH_*.
func ClearSettings() {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "EGRID_") || name == "EGRID_DATA" || strings.HasPrefix(name, "EGRID_TEST_") || strings.HasPrefix(name, "EGRID_BENCH_") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
}

// Missing ends a test that lacks something, and says what: skipped, or failed
// where CI=true.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
