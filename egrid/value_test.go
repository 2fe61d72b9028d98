package egrid_test

import (
	"errors"
	"math"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func TestParseValueNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text    string
		want    float64
		rounded bool
	}{
		{"0", 0, false},
		{"-346000.5", -346000.5, false},
		{"1.79E-03", 0.00179, true},
		{" 12 ", 12, false},
		{"20,961", 20961, true},
		{"4,188,971,343.358", 4188971343.358, true},
		{" (2,443)", -2443, true},
		{"(12)", -12, true},
		{"-2,392", -2392, true},
		{"5.25%", 0.0525, true},
		{"(1.5%)", -0.015, true},
		{"5.25 %", 0.0525, true},
		{" -   ", 0, true},
		{"450-", -450, true},
		{"\u2212450", -450, true},
		{"20'961", 20961, true},
		{"20\u202f961", 20961, true},
		{"20\u00a0961", 20961, true},
		{"4.5E+02", 450, false},
		{"1.0244180931E7", 10244180.931, false},
	} {
		v, rounded, err := egrid.ParseValue(egrid.Number, test.text)
		got, ok := v.Float()
		if err != nil || !ok || math.Abs(got-test.want) > 1e-12 || rounded != test.rounded {
			t.Errorf("%q: got %v (rounded %v), %v; want %v (rounded %v)", test.text, got, rounded, err, test.want, test.rounded)
		}
	}
	for _, text := range []string{"abc", "1,23", "12,3456", "1.2.3", "--1", "(-5)", "Inf", "0x10", "1_000", "1e999", ",123", "()", "%", "+", "1e", "0,368", "####", "False", "#DIV/0!", "-5-"} {
		if v, _, err := egrid.ParseValue(egrid.Number, text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: got %v, %v; want ErrInvalid", text, v, err)
		}
	}
}

func TestParseValueMissing(t *testing.T) {
	t.Parallel()
	for _, typ := range []egrid.Type{egrid.Text, egrid.Integer, egrid.Number, egrid.Flag} {
		for _, text := range []string{"", "  ", "--", " -- ", "N/A"} {
			if v, _, err := egrid.ParseValue(typ, text); err != nil || !v.IsMissing() {
				t.Errorf("%s %q: got %v, %v; want missing", typ, text, v, err)
			}
		}
	}
	for _, text := range []string{"NA", "NaN", "nan", "NULL", "None", "#N/A", ".", `\N`, "-", " NA "} {
		for _, typ := range []egrid.Type{egrid.Integer, egrid.Number, egrid.Flag} {
			if v, _, err := egrid.ParseValue(typ, text); err != nil || !v.IsMissing() {
				t.Errorf("%s %q: got %v, %v; want missing", typ, text, v, err)
			}
		}
		if v, _, _ := egrid.ParseValue(egrid.Text, text); v.IsMissing() {
			t.Errorf("the text %q became missing", text)
		}
	}
	if v, _, _ := egrid.ParseValue(egrid.Text, "NA"); v.String() != "NA" {
		t.Errorf("the code NA became %q", v)
	}
	if v, _, _ := egrid.ParseValue(egrid.Number, "0"); v.IsMissing() {
		t.Error("0 became missing")
	}
}

func TestParseValueIdentifiers(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"7E600", "0290", "10-94", "5.1", "00123"} {
		if v, _, err := egrid.ParseValue(egrid.Text, id); err != nil || v.String() != id {
			t.Errorf("%q: got %q, %v", id, v, err)
		}
	}
}

func TestParseValueInteger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"2013": 2013, "1,234": 1234, "2013.0": 2013, "-5": -5, "9007199254740993": 9007199254740993} {
		v, _, err := egrid.ParseValue(egrid.Integer, text)
		if got, ok := v.Int(); err != nil || !ok || got != want {
			t.Errorf("%q: got %v, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"1.5", "x", "1e300"} {
		if _, _, err := egrid.ParseValue(egrid.Integer, text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: got %v; want ErrInvalid", text, err)
		}
	}
}

func TestValueCompare(t *testing.T) {
	t.Parallel()
	ascending := []egrid.Value{
		egrid.NumberOf(-1.5), egrid.IntegerOf(0), egrid.NumberOf(0.5), egrid.IntegerOf(math.MaxInt64 - 1), egrid.IntegerOf(math.MaxInt64),
		egrid.FlagOf(false), egrid.FlagOf(true),
		egrid.TextOf("007"), egrid.TextOf("Z"), egrid.TextOf("a"), egrid.TextOf("é"), {},
	}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("Compare(%v, %v) = %d; want %d", a, b, got, want)
			}
		}
	}
}

func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"", "--", "20,961", " (2,443)", "5.25%", "7E600", "1e308", "(,)", "-0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range []egrid.Type{egrid.Text, egrid.Integer, egrid.Number, egrid.Flag} {
			v, _, err := egrid.ParseValue(typ, s)
			if err != nil {
				if !errors.Is(err, egrid.ErrInvalid) {
					t.Fatalf("%s %q: %v is not ErrInvalid", typ, s, err)
				}
				continue
			}
			// What is written reads back as the same value.
			again, _, err := egrid.ParseValue(typ, v.String())
			if err != nil || again.Compare(v) != 0 {
				t.Fatalf("%s %q: %v reads back as %v, %v", typ, s, v, again, err)
			}
		}
	})
}
