package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// told runs a command and returns what it printed, and what it said about that.
func (s shell) told(args ...string) (out, said string) {
	s.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(s.Context(), args, strings.NewReader(""), &stdout, &stderr); got != 0 {
		s.Fatalf("egrid %q: exit status %d\n%s", args, got, &stderr)
	}
	return stdout.String(), stderr.String()
}

// On the bundled sample, all sheets of which agree, top names them and is done.
func TestTopNamesItsSheets(t *testing.T) {
	s := newShell(t)
	for _, name := range []string{"GEN23.csv", "ST23.csv", "US23.csv"} {
		text, err := data.Files().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(text); err != nil {
			t.Fatal(err)
		}
		s.file(name, b.String())
	}
	s.report(0, s.dir)
	_, said := s.told("top", "--limit", "1", "--state", "TX")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "; --limit 0 shows all") || lines[1] != "egrid: plants of 2023 by sheet GEN (release none); shares of their states by sheet ST (release none)" ||
		!strings.HasPrefix(lines[2], "egrid: net generation of TX: ") || !strings.HasSuffix(lines[2], "Wh by sheet ST (release none)") {
		t.Errorf("top says\n%s", said)
	}

	s.file("GEN23_rev1.csv", generators)
	s.report(0, s.dir+"/GEN23_rev1.csv")
	_, said = s.told("top", "--limit", "1", "--state", "TX", "--format", "csv")
	if !strings.Contains(said, "shares of their states by sheet ST (release none)") || !strings.Contains(said, "sheet GEN (release rev1) makes it 0.9 GWh") ||
		!strings.Contains(said, "less; figures of different releases do not add up") {
		t.Errorf("beside another release top says\n%s", said)
	}
}

// A sheet of plants without names has those of the generators.
func TestTopOfPoorPlants(t *testing.T) {
	s := newShell(t)
	s.file("GEN23.csv", generators)
	s.file("PLNT23_rev1.csv", "YEAR,ORISPL,PLNGENAN\n2023,1,1000\n2023,4,7\n")
	s.report(0, s.dir)
	out, said := s.told("top", "--columns", "plant_name,state,net_generation_mwh", "--format", "csv")
	if want := "id,plant_name,state,net_generation_mwh\n1,Alpha,TX,1000\n4,Silent,OK,7\n"; out != want {
		t.Errorf("got %q; want %q", out, want)
	}
	if !strings.Contains(said, "plants of 2023 by sheet PLNT (release rev1)\n") || !strings.Contains(said, "lacks plant_name, state: filled in by ORIS code from sheet GEN (release none)") {
		t.Errorf("top says\n%s", said)
	}
}

// EPA's sheets of 2023 as people have them: generators of rev1 in a file without a
// mark, regions of rev0.
func TestTopOfRealSheets(t *testing.T) {
	s := newShell(t)
	var files []string
	for _, name := range []string{"GEN23.csv", "ST23-rev0.csv", "US23-rev0.csv", "SRL23-rev0.csv"} {
		files = append(files, testenv.File(t, "2023/"+name))
	}
	s.report(0, files...)
	for place, want := range map[string][]string{
		"":   {"plants of 2023 by sheet GEN (release none); shares of their states by sheet ST (release rev0)", "the United States: 4,167.6 TWh by sheet US (release rev0)", "sheet GEN (release none) makes it 4,189.0 TWh, 21.4 TWh more; figures of different releases"},
		"AZ": {"net generation of AZ: 102.9 TWh by sheet ST (release rev0)", "sheet GEN (release none) makes it 111.8 TWh, 8.9 TWh more; figures of different releases"},
	} {
		out, said := s.told("top", "--limit", "1", "--columns", "plant_name,share", "--format", "csv", "--state", place)
		if !strings.Contains(out, "6008,Palo Verde,0.30631") {
			t.Errorf("the largest plant is %s", out)
		}
		for _, part := range want {
			if !strings.Contains(said, part) {
				t.Errorf("top --state %q lacks %q:\n%s", place, part, said)
			}
		}
	}
}
