package terminal_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

func threeColumns() []terminal.Column {
	return []terminal.Column{
		{Name: "plant_name", Cells: []string{"Palo Verde", "A plant whose name is longer than others"}},
		{Name: "oris_plant_code", Keep: true, Cells: []string{"6008", "3"}},
		{Name: "net_generation_mwh", Right: true, Cells: []string{"31,097,259", "-10"}},
		{Name: "share", Unit: "fraction", Right: true, Cells: []string{"0.27855", ""}},
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sheet terminal.Sheet
		shown int
		want  string
	}{
		"any width": {terminal.Sheet{}, 4, "" +
			"plant_name                                oris_plant_code  net_generation_mwh  share (fraction)\n" +
			"Palo Verde                                6008                     31,097,259           0.27855\n" +
			"A plant whose name is longer than others  3                               -10\n"},
		"headers in lines": {terminal.Sheet{Width: 80}, 4, "" +
			"                                          oris_          net_\n" +
			"                                          plant_  generation_       share\n" +
			"plant_name                                code            mwh  (fraction)\n" +
			"Palo Verde                                6008     31,097,259     0.27855\n" +
			"A plant whose name is longer than others  3               -10\n"},
		"cut text": {terminal.Sheet{Width: 56, All: true}, 4, ""}, "fewer columns": {terminal.Sheet{Width: 50}, 3, ""},
		"less": {terminal.Sheet{Width: 30}, 2, ""},
		"records": {terminal.Sheet{Width: 30, All: true}, 4, "" +
			"plant_name\n  Palo Verde\noris_plant_code\n  6008\nnet_generation_mwh\n  31,097,259\nshare\n  0.27855 fraction\n\n" +
			"plant_name\n  A plant whose name is longer\n  than others\noris_plant_code\n  3\nnet_generation_mwh\n  -10\n"},
		"asked for records": {terminal.Sheet{Width: 60, Records: true}, 4, "" +
			"plant_name          Palo Verde\noris_plant_code     6008\nnet_generation_mwh  31,097,259\nshare               0.27855 fraction\n\n" +
			"plant_name          A plant whose name is longer than others\noris_plant_code     3\nnet_generation_mwh  -10\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := test.sheet
			s.Columns = threeColumns()
			var b bytes.Buffer
			shown, err := s.Write(&b)
			if err != nil {
				t.Fatal(err)
			}
			if test.want != "" && b.String() != test.want {
				t.Errorf("got\n%s\nwant\n%s", &b, test.want)
			}
			if shown != test.shown {
				t.Errorf("%d columns shown; want %d in\n%s", shown, test.shown, &b)
			}
		})
	}
}

// Whatever the width, no line is longer, no number is cut and, where all columns are
// asked for, no cell is lost.
func TestSheetFits(t *testing.T) {
	t.Parallel()
	for width := 12; width <= 120; width++ {
		for _, all := range []bool{false, true} {
			s := terminal.Sheet{Columns: threeColumns(), Width: width, All: all}
			var b bytes.Buffer
			if _, err := s.Write(&b); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && width >= 20 { // below that a name alone may be longer
					t.Fatalf("%d: line of %d: %q in\n%s", width, n, line, &b)
				}
			}
			if all && (!strings.Contains(b.String(), "31,097,259") || !strings.Contains(b.String(), "0.27855")) {
				t.Errorf("%d: a number is missing in\n%s", width, &b)
			}
		}
	}
}

func TestSheetWraps(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := terminal.Sheet{Width: 30, Columns: []terminal.Column{
		{Name: "code", Keep: true, Cells: []string{"A", "B"}},
		{Name: "description", Wrap: true, Cells: []string{"what it is, in more words than a line has", "net_generation_ozone_season_mwh"}},
	}}
	if _, err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	const want = "code  description\n" +
		"A     what it is, in more\n      words than a line has\n" +
		"B     net_generation_ozone_\n      season_mwh\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	missing := math.NaN()
	for _, test := range []struct {
		xs   []float64
		want []string
	}{
		{nil, []string{}},
		{[]float64{900.5, -10, missing}, []string{"900.5", "-10.0", ""}},
		{[]float64{31097259.123, 0.3}, []string{"31,097,259", "0"}},
		{[]float64{4209.6, 0.04}, []string{"4,209.6", "0.0"}},
		{[]float64{1, 2, 3}, []string{"1", "2", "3"}},
		{[]float64{0.27855123, 1e-9, -0.00000001}, []string{"0.27855", "0.00000", "0.00000"}},
		{[]float64{12.34567, 1}, []string{"12.346", "1.000"}},
		{[]float64{-1234567}, []string{"-1,234,567"}},
		{[]float64{math.Inf(1)}, []string{"+Inf"}},
	} {
		if got := terminal.Numbers(test.xs); !slices.Equal(got, test.want) {
			t.Errorf("%v: got %q; want %q", test.xs, got, test.want)
		}
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		done, total int64
		elapsed     time.Duration
		want        string
	}{
		{0, 0, 0, "0 rows"},
		{0, 6000, time.Second, "0 of 6,000 rows"},
		{1200, 6000, 3 * time.Second, "1,200 of 6,000 rows, 400/s, 12 s left"},
		{1200, 0, 3 * time.Second, "1,200 rows, 400/s"},
		{6000, 6000, 3 * time.Second, "6,000 of 6,000 rows, 2,000/s"},
		{100, 100_000, time.Second, "100 of 100,000 rows, 100/s, 16:39 min left"},
		{100, 1_000_000, time.Second, "100 of 1,000,000 rows, 100/s, 2:46 h left"},
		{1, 10, time.Minute, "1 of 10 rows"},
	} {
		if got := terminal.Pace(test.done, test.total, test.elapsed, "rows"); got != test.want {
			t.Errorf("got %q; want %q", got, test.want)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Setenv("COLUMNS", "72")
	if got := terminal.Columns(&bytes.Buffer{}); got != 72 {
		t.Errorf("got %d", got)
	}
	for _, text := range []string{"", "wide", "-1", "0"} {
		t.Setenv("COLUMNS", text)
		if got := terminal.Columns(&bytes.Buffer{}); got != 0 {
			t.Errorf("COLUMNS=%q: got %d", text, got)
		}
	}
}

// What is no terminal is not paged.
func TestPager(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	for _, command := range []string{"", "cat", "no-such-program"} {
		p, err := terminal.Pager(&b, command)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(p, command, ";")
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if b.String() != ";cat;no-such-program;" {
		t.Errorf("got %q", &b)
	}
}
