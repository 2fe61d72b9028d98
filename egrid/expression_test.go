package egrid_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]egrid.Filter{
		"nameplate_capacity_mw>=100":    egrid.Where("nameplate_capacity_mw", egrid.Ge, "100"),
		" state = TX , OK ":             egrid.Where("state", egrid.Eq, "TX", "OK"),
		"fuel!=NG":                      egrid.Where("fuel", egrid.Ne, "NG"),
		"x<-1":                          egrid.Where("x", egrid.Lt, "-1"),
		"x<=1,000":                      egrid.Where("x", egrid.Le, "1,000"),
		"x>1":                           egrid.Where("x", egrid.Gt, "1"),
		"co2_short_tons missing":        egrid.Where("co2_short_tons", egrid.Missing),
		"latitude  present":             egrid.Where("latitude", egrid.Present),
		`plant_name="Smith, Inc",Other`: egrid.Where("plant_name", egrid.Eq, "Smith, Inc", "Other"),
		`plant_name="a ""b"" "`:         egrid.Where("plant_name", egrid.Eq, `a "b" `),
		`plant_name=a "b"`:              egrid.Where("plant_name", egrid.Eq, `a "b"`),
		`plant_name=went missing`:       egrid.Where("plant_name", egrid.Eq, "went missing"),
		`plant_name>"1, 2"`:             egrid.Where("plant_name", egrid.Gt, "1, 2"),
		`"a>b"=c`:                       egrid.Where("a>b", egrid.Eq, "c"),
		`"a>b" missing`:                 egrid.Where("a>b", egrid.Missing),
		"state=":                        egrid.Where("state", egrid.Eq, ""),
	} {
		if got, err := egrid.ParseFilter(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "state", "=TX", " missing", `state="TX`, `state="TX" and more`, `"a>b" missing too`, "state!TX", `x>"1" 2`, `"state=TX`, "state~TX"} {
		if got, err := egrid.ParseFilter(text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: got %+v, %v; want ErrInvalid", text, got, err)
		}
	}
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]egrid.Sort{
		"":                                nil,
		",,":                              nil,
		"-net_generation_mwh, plant_name": {{Column: "net_generation_mwh", Desc: true}, {Column: "plant_name"}},
		`-"a, b","-c"`:                    {{Column: "a, b", Desc: true}, {Column: "-c"}},
	} {
		if got, err := egrid.ParseSort(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"-", "a,-", `"a`, `"a" b`, `""`} {
		if got, err := egrid.ParseSort(text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: got %+v, %v; want ErrInvalid", text, got, err)
		}
	}
}

func TestParseMeasures(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]egrid.Measure{
		"count": {{Func: egrid.Count}},
		"count as n, sum(net_generation_mwh),max( plant_name ) as  last": {
			{Func: egrid.Count, As: "n"}, {Func: egrid.Sum, Column: "net_generation_mwh"}, {Func: egrid.Max, Column: "plant_name", As: "last"},
		},
		`min("a)b") as "c, d"`: {{Func: egrid.Min, Column: "a)b", As: "c, d"}},
		"median(x)":            {{Func: "median", Column: "x"}}, // planning refuses it
	} {
		if got, err := egrid.ParseMeasures(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", ",", "count,", "sum()", "sum(x", `sum("x)`, "sum(x) as", "sum(x) as ", "sum(x) total", "1"} {
		if got, err := egrid.ParseMeasures(text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: got %+v, %v; want ErrInvalid", text, got, err)
		}
	}
}

// What is written is read back as it was.
func FuzzExpressions(f *testing.F) {
	f.Add("state", "TX", "OK")
	f.Add(`x"; DROP TABLE sheets; --`, " x", `"q"`)
	f.Add("a missing", ",", "-1")
	f.Add("-a=b<c>d!) as e", "", "\u00a0")
	f.Fuzz(func(t *testing.T, name, one, two string) {
		check := func(text string, got any, err error, want any) {
			t.Helper()
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
			}
		}
		list := egrid.JoinList([]string{one, two})
		values, err := egrid.SplitList(list)
		check(list, values, err, []string{one, two})
		if name == "" {
			return
		}
		column := egrid.Column(name)
		for _, want := range []egrid.Filter{
			egrid.Where(column, egrid.Eq, one, two), egrid.Where(column, egrid.Ne, two), egrid.Where(column, egrid.Lt, one), egrid.Where(column, egrid.Ge, two),
			egrid.Where(column, egrid.Missing), egrid.Where(column, egrid.Present),
		} {
			got, err := egrid.ParseFilter(want.String())
			check(want.String(), got, err, want)
		}
		keys := []egrid.Sort{{Column: column, Desc: true}, {Column: column}}
		sorts, err := egrid.ParseSort(keys[0].String() + "," + keys[1].String())
		check("sort", sorts, err, keys)
		for _, want := range []egrid.Measure{{Func: egrid.Sum, Column: column, As: column}, {Func: egrid.Min, Column: column}, {Func: egrid.Count, As: column}} {
			got, err := egrid.ParseMeasures(want.String() + ",count")
			check(want.String(), got, err, []egrid.Measure{want, {Func: egrid.Count}})
		}
	})
}
