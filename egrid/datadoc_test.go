package egrid_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var update = flag.Bool("update", false, "write docs/data.md anew")

// docs/data.md is the dictionary for readers.
func TestDataDoc(t *testing.T) {
	t.Parallel()
	const path = "../docs/data.md"
	want := dataDoc()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the dictionary says; run make generate (%v)", path, err)
	}
}

func dataDoc() string {
	var b strings.Builder
	b.WriteString(`# Data dictionary

Every column: first the measures, which plants and the five kinds of region share, then what is of one level. The name
is that of answers, queries and stores, and the same at every level; the code is EPA's. Units: short tons for CO2,
CO2e, NOx and SO2; pounds for CH4 and N2O; shares are 0-1 whatever scale the file had. A rule says how a region's
figure follows from its plants; what editions do otherwise is in [methods.md](methods.md). This page is written from
the dictionary by ` + "`make generate`" + `; the command ` + "`egrid columns`" + ` and the path ` + "`/columns`" + ` tell the
same, level by level.

Every row also has ` + "`level`, `data_year` and `release`" + `.

## Measures

The code of a measure begins with that of its level, where * stands:

| level | PLNT | ST | BA | SRL | NRL | US |
|---|---|---|---|---|---|---|
| * is | PL | ST | BA | SR | NR | US |
`)
	all := measures()
	for _, topic := range topics {
		fmt.Fprintf(&b, "\n### %s\n\n| name | code | unit | levels | description | rule |\n|---|---|---|---|---|---|\n", topic.title)
		for _, m := range all {
			if topicOf(m.field) == topic.title {
				fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", m.field.Column, m.code(), m.field.Unit, m.where(), escaped(m.field.Description), quoted(m.field.Rule.String()))
			}
		}
	}
	b.WriteString("\n## Columns of one level\n")
	for _, level := range egrid.Levels() {
		fmt.Fprintf(&b, "\n### %s: %s\n\n", level, level.Title())
		if prefix, ok := prefixes[level]; ok {
			fmt.Fprintf(&b, "Beside the measures, whose codes begin with %s:\n\n", prefix)
		}
		b.WriteString("| name | code | unit | type | description |\n|---|---|---|---|---|\n")
		for _, f := range egrid.Fields(level) {
			if !slices.ContainsFunc(all, func(m measure) bool { return m.holds(f) }) {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Column, f.Code, f.Unit, f.Type, escaped(f.Description))
			}
		}
	}
	return b.String()
}

// quoted keeps Markdown from taking asterisks for emphasis.
func quoted(rule string) string {
	if rule == "" {
		return ""
	}
	return "`" + rule + "`"
}

func escaped(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// prefixes are what codes of measures begin with.
var prefixes = map[egrid.Level]string{egrid.PLNT: "PL", egrid.ST: "ST", egrid.BA: "BA", egrid.SRL: "SR", egrid.NRL: "NR", egrid.US: "US"}

// measure is a column that several levels have with one meaning.
type measure struct {
	field egrid.Field // of the first of them
	at    []egrid.Field
}

// measures are the numbers that the US has, and those of its other levels that are the
// same but for the code.
func measures() []measure {
	var all []measure
	for _, us := range egrid.Fields(egrid.US) {
		if us.Type != egrid.Number {
			continue
		}
		m := measure{field: us}
		for _, level := range egrid.Levels() {
			f, ok := egrid.Lookup(level, string(us.Column))
			if _, known := prefixes[level]; ok && known && f.Unit == us.Unit && f.Description == us.Description && f.Rule.String() == us.Rule.String() {
				m.at = append(m.at, f)
			}
		}
		all = append(all, m)
	}
	return all
}

func (m *measure) holds(f egrid.Field) bool {
	return slices.ContainsFunc(m.at, func(g egrid.Field) bool { return g.Level == f.Level && g.Column == f.Column })
}

// code is the code with * for the level's letters, and the codes that differ from it.
func (m *measure) code() string {
	suffix, _ := strings.CutPrefix(m.field.Code, prefixes[egrid.US])
	words := []string{"*" + suffix}
	for _, f := range m.at {
		if f.Code != prefixes[f.Level]+suffix {
			words = append(words, fmt.Sprintf("%s: %s", f.Level, f.Code))
		}
	}
	return strings.Join(words, "; ")
}

// where names the levels, where they are not all six.
func (m *measure) where() string {
	var levels []string
	for _, f := range m.at {
		levels = append(levels, string(f.Level))
	}
	switch {
	case len(levels) == len(prefixes):
		return "all"
	case len(levels) == len(prefixes)-1 && !slices.Contains(levels, string(egrid.PLNT)):
		return "regions"
	}
	return strings.Join(levels, " ")
}

var topics = []struct{ title string }{
	{"Capacity, heat input and generation"}, {"Emissions"}, {"Emission rates"}, {"Emission rates by fuel category"},
	{"Generation by fuel"}, {"Resource mix"}, {"Non-baseload"},
}

func topicOf(f egrid.Field) string {
	name := string(f.Column)
	switch {
	case strings.HasPrefix(name, "nonbaseload_"):
		return "Non-baseload"
	case strings.HasSuffix(name, "_share"):
		return "Resource mix"
	case strings.HasSuffix(name, "_net_generation_mwh"):
		return "Generation by fuel"
	case len(f.Rule.Categories) > 0 || strings.Contains(f.Unit, "/") && hasFuel(name):
		return "Emission rates by fuel category"
	case strings.Contains(f.Unit, "/"):
		return "Emission rates"
	case f.Unit == "short tons" || f.Unit == "lb":
		return "Emissions"
	}
	return "Capacity, heat input and generation"
}

// hasFuel reports whether a rate without a rule, as those of mercury, is of a fuel.
func hasFuel(name string) bool {
	return slices.ContainsFunc([]string{"coal_", "oil_", "gas_", "fossil_"}, func(fuel string) bool { return strings.HasPrefix(name, fuel) })
}

// Every column of every level is on the page: a measure once for all levels, and
// everything else at its level.
func TestDataDocIsComplete(t *testing.T) {
	t.Parallel()
	page := dataDoc()
	_, own, _ := strings.Cut(page, "## Columns of one level")
	all := measures()
	for _, level := range egrid.Levels() {
		_, section, _ := strings.Cut(own, "\n### "+string(level)+": ")
		section, _, _ = strings.Cut(section, "\n### ")
		for _, f := range egrid.Fields(level) {
			at := slices.IndexFunc(all, func(m measure) bool { return m.holds(f) })
			row := fmt.Sprintf("| `%s` | %s |", f.Column, f.Code)
			if at < 0 && strings.Count(section, row) != 1 {
				t.Errorf("%s is not once in the section of its level", row)
			}
			if at >= 0 && strings.Count(page, fmt.Sprintf("| `%s` | `%s` |", f.Column, all[at].code())) != 1 {
				t.Errorf("measure %s of %s is not once on the page", f.Column, level)
			}
			if suffix := prefixes[level]; at >= 0 && !strings.Contains(all[at].code(), f.Code) && !strings.HasPrefix(f.Code, suffix) {
				t.Errorf("code %s of %s does not show", f.Code, level)
			}
		}
	}
	if n := strings.Count(page, "\n"); n > 600 {
		t.Errorf("the page has %d lines", n)
	}
}
