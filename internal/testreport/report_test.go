package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const pass = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: chatty\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`
	const skipped = `{"Action":"output","Package":"q","Test":"TestS","Output":"    s_test.go:7: no data: set EGRID_DATA\n"}
{"Action":"output","Package":"q","Test":"TestS","Output":"--- SKIP: TestS (0.00s)\n"}
{"Action":"skip","Package":"q","Test":"TestS"}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.1s\n"}
{"Action":"pass","Package":"q"}
`
	const slow = `{"Action":"pass","Package":"s","Test":"TestShort","Elapsed":9.9}
{"Action":"pass","Package":"s","Test":"TestLong","Elapsed":10.4}
{"Action":"pass","Package":"s","Test":"TestLonger/a","Elapsed":60}
{"Action":"fail","Package":"s","Test":"TestLonger","Elapsed":61}
`
	const noFiles = `{"Action":"output","Package":"n","Output":"?   \tn\t[no test files]\n"}
{"Action":"skip","Package":"n"}
`
	const failed = `{"Action":"output","Package":"f","Test":"TestF","Output":"=== RUN   TestF\n"}
{"Action":"output","Package":"f","Test":"TestF","Output":"    f_test.go:9: got 1, want 2\n"}
{"Action":"output","Package":"f","Test":"TestF","Output":"--- FAIL: TestF (0.00s)\n"}
{"Action":"fail","Package":"f","Test":"TestF"}
{"Action":"output","Package":"f","Output":"FAIL\n"}
{"Action":"output","Package":"f","Output":"FAIL\tf\t0.1s\n"}
{"Action":"fail","Package":"f"}
`
	const crashed = `{"Action":"output","Package":"c","Test":"TestC","Output":"panic: boom\n"}
{"Action":"output","Package":"c","Output":"FAIL\tc\t0.1s\n"}
{"Action":"fail","Package":"c"}
`
	const uncompiled = `{"ImportPath":"u","Action":"build-output","Output":"u.go:1: undefined: x\n"}
{"ImportPath":"u","Action":"build-fail"}
{"Action":"output","Package":"u","Output":"FAIL\tu [build failed]\n"}
{"Action":"fail","Package":"u","FailedBuild":"u"}
`
	tests := []struct {
		name   string
		events string
		strict bool
		good   bool
		want   []string
		hidden []string
	}{
		{"pass", pass, true, true, []string{"ok  \tp\t0.1s\n", "1 passed, 0 failed, 0 skipped\n"}, []string{"chatty", "PASS", "Longest"}},
		{"skip", pass + skipped, false, true, []string{"q TestS: no data: set EGRID_DATA\n", "1 passed, 0 failed, 1 skipped\n"}, []string{"In CI"}},
		{"skip in CI", pass + skipped, true, false, []string{"q TestS: no data: set EGRID_DATA\n", "In CI a skipped test is a failure"}, nil},
		{"package without tests is no skip", pass + noFiles, true, true, []string{"?   \tn\t[no test files]\n", ", 0 skipped\n"}, nil},
		{"long", slow, true, false, []string{"Longest:\n    61 s  s TestLonger\n    10 s  s TestLong\n"}, []string{"TestShort", "TestLonger/a"}},
		{"fail", pass + failed, false, false, []string{"f_test.go:9: got 1, want 2\n", "FAIL\tf\t0.1s\n", "1 passed, 1 failed"}, []string{"=== RUN"}},
		{"crash", pass + crashed, false, false, []string{"TestC did not finish\n", "panic: boom\n", "1 failed"}, nil},
		{"does not compile", pass + uncompiled, false, false, []string{"undefined: x\n", "FAIL\tu [build failed]\n", "packages that did not compile: 1\n"}, nil},
		{"only skips", skipped, false, false, []string{"no test ran\n"}, nil},
		{"nothing", "", false, false, []string{"no test ran\n"}, nil},
		{"not an event", "go: downloading\n" + pass, false, true, []string{"go: downloading\n"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(test.events)); err != nil {
				t.Fatal(err)
			}
			if good := r.close(test.strict); good != test.good {
				t.Errorf("good = %v, want %v\n%s", good, test.good, out.String())
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("missing %q in:\n%s", want, out.String())
				}
			}
			for _, hidden := range test.hidden {
				if strings.Contains(out.String(), hidden) {
					t.Errorf("unwanted %q in:\n%s", hidden, out.String())
				}
			}
		})
	}
}
