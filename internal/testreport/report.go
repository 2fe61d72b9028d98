package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is a line of go test -json (see go doc test2json).
type event struct {
	Action     string
	Package    string
	Test       string
	Output     string
	Elapsed    float64 // s
	ImportPath string  // of a build-output event
}

// name identifies a test; Test is empty for what belongs to the package.
type name struct{ Package, Test string }

// report gathers events of many packages, which arrive interleaved.
type report struct {
	w       io.Writer
	output  map[name][]string // of tests and packages that have not finished
	order   map[string][]string
	failed  map[name]bool
	skipped []skip
	long    []timed
	passes  int
	fails   int
	builds  int // packages that did not compile
}

type skip struct {
	name
	reason string
}

// timed is a test with the seconds that it took, those included in which it waited for
// tests beside it.
type timed struct {
	name
	seconds float64
}

// Tests that are worth a line because of the time that they take.
const (
	longest = 10
	long    = 10 // s
)

func newReport(w io.Writer) *report {
	return &report{
		w:      w,
		output: map[name][]string{},
		order:  map[string][]string{},
		failed: map[name]bool{},
	}
}

// read consumes the events. Lines that are not events pass through.
func (r *report) read(events io.Reader) error {
	in := bufio.NewReader(events)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprintf(r.w, "%s\n", strings.TrimRight(string(line), "\n"))
			} else {
				r.add(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the events of go test: %w", err)
		}
	}
}

func (r *report) add(e event) {
	n := name{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.w, e.Output)
	case "build-fail":
		r.builds++
	case "output":
		if _, seen := r.output[n]; !seen {
			r.order[n.Package] = append(r.order[n.Package], n.Test)
		}
		r.output[n] = append(r.output[n], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.closePackage(e)
			return
		}
		if e.Elapsed >= long && !strings.Contains(e.Test, "/") {
			r.long = append(r.long, timed{n, e.Elapsed})
		}
		switch e.Action {
		case "pass":
			r.passes++
			delete(r.output, n)
		case "fail":
			r.fails++
			r.failed[n] = true
		case "skip":
			r.skipped = append(r.skipped, skip{n, reason(r.output[n])})
			delete(r.output, n)
		}
	}
}

// closePackage prints the line of a finished package and, when it failed, the
// output of what failed in it. Output that is still held then belongs to tests
// that failed or never finished, and to the package itself.
func (r *report) closePackage(e event) {
	own := r.output[name{e.Package, ""}]
	if e.Action == "fail" {
		for _, test := range r.order[e.Package] {
			n := name{e.Package, test}
			out, held := r.output[n]
			if test == "" || !held {
				continue
			}
			if !r.failed[n] {
				r.fails++
				fmt.Fprintf(r.w, "    %s did not finish\n", test)
			}
			for _, line := range out {
				if !chatter(line) {
					fmt.Fprint(r.w, line)
				}
			}
		}
	}
	for _, line := range own {
		if e.Action == "fail" && line != "PASS\n" || packageLine(line) {
			fmt.Fprint(r.w, line)
		}
	}
	for _, test := range r.order[e.Package] {
		delete(r.output, name{e.Package, test})
	}
	delete(r.order, e.Package)
}

// close prints the skips and the counts, and says whether the run is good.
// Where strict, a skip is a failure.
func (r *report) close(strict bool) bool {
	good := r.fails == 0 && r.builds == 0
	if len(r.skipped) > 0 {
		slices.SortFunc(r.skipped, func(a, b skip) int {
			return strings.Compare(a.Package+" "+a.Test, b.Package+" "+b.Test)
		})
		fmt.Fprintln(r.w, "\nSkipped:")
		for _, s := range r.skipped {
			fmt.Fprintf(r.w, "  %s %s: %s\n", s.Package, s.Test, s.reason)
		}
		if strict {
			fmt.Fprintln(r.w, "In CI a skipped test is a failure: install or start what it asks for.")
			good = false
		}
	}
	if len(r.long) > 0 {
		slices.SortStableFunc(r.long, func(a, b timed) int { return cmp.Compare(b.seconds, a.seconds) })
		fmt.Fprintln(r.w, "\nLongest:")
		for _, t := range r.long[:min(longest, len(r.long))] {
			fmt.Fprintf(r.w, "  %4.0f s  %s %s\n", t.seconds, t.Package, t.Test)
		}
	}
	if r.builds > 0 {
		fmt.Fprintf(r.w, "packages that did not compile: %d\n", r.builds)
	}
	if r.passes+r.fails == 0 {
		fmt.Fprintln(r.w, "no test ran")
		good = false
	}
	fmt.Fprintf(r.w, "%d passed, %d failed, %d skipped\n", r.passes, r.fails, len(r.skipped))
	return good
}

// reason is what a skipped test logged, without the position that testing
// puts before it.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if chatter(line) || line == "" {
			continue
		}
		if _, text, ok := strings.Cut(line, ": "); ok && strings.Contains(line[:len(line)-len(text)], ".go:") {
			line = text
		}
		said = append(said, line)
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

// chatter reports whether a line of output only marks the course of a test.
func chatter(line string) bool {
	line = strings.TrimSpace(line)
	for _, mark := range []string{"=== ", "--- SKIP", "--- PASS"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

// packageLine reports whether a line is the one that go test prints of a
// package: ok, FAIL, or ? for one without tests.
func packageLine(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "FAIL\t") || strings.HasPrefix(line, "?   \t")
}
