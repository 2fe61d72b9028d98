package sheet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Texts that a tool has escaped or whose quotes it has doubled come back as they were,
// and those that EPA has so stay.
func TestTextsThatToolsChange(t *testing.T) {
	t.Parallel()
	names := []string{"Pratt & Whitney", "L & D", "Dow & Co", "Smith & Sons", "Gas & Power", "A <B>", "O'Brien & Son"}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	file := func(delim string, name func(string) string, more ...string) string {
		text := strings.ReplaceAll("YEAR,PNAME,ORISPL,GENID,GENNTAN\n", ",", delim)
		for i, n := range names {
			text += strings.Join([]string{"2023", name(n), fmt.Sprint(i + 1), "A&B", "5.25"}, delim) + "\n"
		}
		for i, n := range more {
			text += strings.Join([]string{"2023", n, fmt.Sprint(i + 100), "1", "5.25"}, delim) + "\n"
		}
		return text
	}
	operators := func(n int) string {
		text := "YEAR,PNAME,ORISPL,OPRNAME,PLNGENAN\n"
		for i := range n {
			text += fmt.Sprintf("2023,Plant %d,%d,Gas &amp; Electric Co %d,5\n", i+1, i+1, i)
		}
		return text
	}
	same := func(s string) string { return s }
	for name, test := range map[string]struct {
		text     string
		want     []string // of the names, the last ones
		restored int64
		tells    string // evidence of texts
	}{
		"as they are":    {file(",", same), names, 0, ""},
		"as EPA has one": {file(",", same, "Pacific Gas &amp; Electric Co"), []string{"Pacific Gas &amp; Electric Co"}, 0, ""},
		"openxlsx": {strings.ReplaceAll(file(",", escape.Replace, "Pacific Gas &amp;amp; Electric Co"), "A&B", "A&amp;B"),
			append(names, "Pacific Gas &amp; Electric Co"), 15, "without escapes"},
		"openxlsx, in quotes": {strings.ReplaceAll(file(",", func(s string) string { return `"` + escape.Replace(s) + `"` }), "A&B", `"A&amp;B"`), names, 14, "without escapes"},
		"openxlsx, blanks around": {strings.ReplaceAll(file(",", escape.Replace, `"xml:space=""preserve""> Odd "`, `xml:space="preserve">Odd`), "A&B", "A&amp;B"),
			[]string{"Odd", "Odd"}, 16, "without escapes"},
		"one text tells":            {"YEAR,PNAME,ORISPL,GENID,GENNTAN\n2023,L&amp;D,1,A,5\n", []string{"L&D"}, 1, "without escapes"},
		"operators as EPA has them": {operators(11), []string{"Plant 11"}, 0, "as written"},
		"more than EPA has":         {operators(12), []string{"Plant 12"}, 12, "without escapes"},
		"operators and one plant":   {operators(1) + "2023,L&amp;D,99,An operator,5\n", []string{"L&D"}, 2, "without escapes"},
		"operators and & alone":     {operators(30) + "2023,L&D,99,An operator,5\n", []string{"L&D"}, 0, ""},
		"our own export":            {strings.ReplaceAll(strings.ReplaceAll(file(",", escape.Replace), "YEAR,", "RELEASE,YEAR,"), "2023,", "v2,2023,"), []string{"O'Brien &amp; Son"}, 0, ""},
		"many rows":                 {"YEAR,PNAME,ORISPL,GENID,GENNTAN\n" + strings.Repeat(strings.ReplaceAll(strings.SplitAfterN(file(",", escape.Replace), "\n", 2)[1], "A&B", "A&amp;B"), 200), []string{"O'Brien & Son"}, 2800, "without escapes"},
		"& alone behind the first":  {file(",", escape.Replace) + strings.Repeat("2023,Plain,9,A,5\n", 6000) + "2023,B & C,9,A,5\n", []string{"B & C"}, 0, ""},

		"readr": {file("\t", same, `O'Brien ""Power""`, `""Power"" plant`, `12"" pipe`, `""All""`),
			[]string{`O'Brien "Power"`, `"Power" plant`, `12" pipe`, `"All"`}, 4, ""},
		"readr, with commas":  {file(",", same, `O'Brien ""Power""`), []string{`O'Brien "Power"`}, 1, ""},
		"quotes as they are":  {file("\t", same, `O'Brien "Power"`, `12" pipe`), []string{`O'Brien "Power"`, `12" pipe`}, 0, ""},
		"quotes in quotes":    {file("\t", same, `"O'Brien ""Power"""`, `"12"" pipe"`, `"""All"""`, `"a """" b"`), []string{`O'Brien "Power"`, `12" pipe`, `"All"`, `a "" b`}, 0, ""},
		"one quote of a pair": {file("\t", same, `""Power" plant`), nil, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := sheet.NewReader(strings.NewReader(test.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var restored int64
			rejects := 0
			for d, err := range r.Batches() {
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range d.Batches {
					for row := range b.Rows() {
						got = append(got, row.Text(egrid.PlantName))
					}
				}
				restored += d.Restored.Count
				rejects += len(d.Rejects)
			}
			if want := test.want; fmt.Sprint(got[max(0, len(got)-len(want)):]) != fmt.Sprint(want) || restored != test.restored || (rejects > 0) != (want == nil) {
				t.Errorf("got %q, %d restored, %d rejected; want %q, %d", got[max(0, len(got)-len(want)-1):], restored, rejects, want, test.restored)
			}
			tells := ""
			for _, e := range r.Sheet().Evidence {
				if e.Of == "texts" {
					tells = e.Value
				}
			}
			if tells != test.tells {
				t.Errorf("evidence of texts: %q; want %q", tells, test.tells)
			}
		})
	}
}
