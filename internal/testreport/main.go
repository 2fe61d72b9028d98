// Command testreport runs go test and prints what a person, or a build server,
// needs to know of it.
//
//	go run ./internal/testreport -race ./...
//
// Its arguments are those of go test. While the tests run it prints the line of
// each finished package as go test does, preceded by the whole output of the
// tests that failed. At the end it lists every skipped test with the reason
// that the test gave, the ten longest tests of ten seconds or more, and counts.
//
// # Guarantees
//
// The exit status is 0 when at least one test ran and none failed. With CI=true
// in the environment a skipped test counts as a failure: what was not run there
// is run nowhere.
//
// # Errors
//
// The exit status is 1 when a test failed, did not finish, did not compile, or,
// in CI, was skipped.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, os.Args[1:]...)...) //nolint:gosec // G204: it hands its arguments on
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	r := newReport(os.Stdout)
	readErr := r.read(events)
	runErr := cmd.Wait()
	ok := r.close(os.Getenv("CI") == "true")
	if readErr != nil || runErr != nil || !ok {
		if readErr != nil {
			fmt.Fprintln(os.Stderr, "testreport:", readErr)
		}
		os.Exit(1)
	}
}
