package egrid_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// story writes a history down: edition=event:header.
func story(h *egrid.ColumnHistory) string {
	var words []string
	for _, e := range h.Entries {
		word := e.Edition + "=" + string(e.Event)
		if e.Header != "" {
			word += ":" + e.Header
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		level egrid.Level
		want  string
	}{
		{"srnbc2e", egrid.SRL, "1998=absent 1999=absent 2000=absent 2018=appeared:SRNBC2E 2018-v1=present:SRNBC2E 2018-v2=present:SRNBC2E 2019=present:SRNBC2E 2021=present:SRNBC2E 2023-rev0=present:SRNBC2E 2018-2021=alias:SRNBC2ER"},
		{"SRNBC2ER", "", "1998=absent 1999=absent 2000=absent 2018=appeared:SRNBC2E 2018-v1=present:SRNBC2E 2018-v2=present:SRNBC2E 2019=present:SRNBC2E 2021=present:SRNBC2E 2023-rev0=present:SRNBC2E 2018-2021=alias:SRNBC2ER"},
		{"STNAMEPCAP", egrid.ST, "1996=first:NAMEPCAP 1997=present:NAMEPCAP 1998=present:NAMEPCAP 1999=present:NAMEPCAP 2000=present:NAMEPCAP 2018=renamed:STNAMEPCAP 2018-v1=renamed:NAMEPCAP 2018-v2=renamed:STNAMEPCAP 2019=present:STNAMEPCAP 2021=present:STNAMEPCAP 2023-rev0=present:STNAMEPCAP"},
		{"state", egrid.GEN, "2016=first:PSTATABB 2021=present:PSTATABB 2023-rev0=renamed:PSTATEABB"},
		{"STNGENNB", egrid.ST, "1996=absent 1997=absent 1998=absent 1999=absent 2000=absent 2018=absent 2018-v1=absent 2018-v2=absent 2019=absent 2021=absent 2023-rev0=appeared:STNGENNB 2021=alias:STGENNB"},
		{"boilcap", "", "1996=first:BOILCAP 1997=present:BOILCAP 1998=present:BOILCAP 1999=present:BOILCAP 2000=present:BOILCAP 2018=gone 2018-v1=absent 2018-v2=absent 2019=absent 2021=absent 2023-rev0=absent"},
		{"GGRLOSS", egrid.GGL, "2018=first:Grid Gross Loss Rate (%) 2019=present:Grid Gross Loss Rate (%) 2021=renamed:GGRSLOSS 2023-rev0=present:GGRSLOSS 2010-2018=alias:GGRLOSS"},
		{"SEQGEN", egrid.GEN, "2016=first:SEQGEN16 2021=gone 2023-rev0=returned:SEQGEN"},
		{"LAT", egrid.PLNT, "2000=first:LAT 2016=present:LAT 2021=present:LAT 2023-rev0=present:LAT"},
	} {
		found, err := egrid.History(tt.name, tt.level)
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := story(&found[0]); got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.level, tt.name, got, tt.want)
		}
	}
	if all, err := egrid.History("co2_output_rate_lb_per_mwh", ""); err != nil || len(all) != 6 {
		t.Errorf("a name of several levels: %d, %v", len(all), err)
	}
	for name, want := range map[string]string{"SRNBC2EQ": "did you mean SRNBC2E", "BOILCAPP": "did you mean BOILCAP?", "qqqqqqqqqq": "the dictionary lists them"} {
		if _, err := egrid.History(name, ""); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := egrid.History("", ""); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("no name: %v", err)
	}
	if _, err := egrid.History("state", "XXX"); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("no level: %v", err)
	}
}

// Every column of the dictionary has a history of events that follow from each other.
func TestHistoryOfEveryColumn(t *testing.T) {
	t.Parallel()
	for _, level := range egrid.Levels() {
		for _, f := range egrid.Fields(level) {
			name := f.Code
			if name == "" {
				name = string(f.Column)
			}
			all, err := egrid.History(name, level)
			if err != nil || len(all) != 1 || all[0].Column != f.Column {
				t.Errorf("%s %s: %+v, %v", level, name, all, err)
				continue
			}
			present := false
			for _, e := range all[0].Entries {
				if e.Event == egrid.ColumnAlias {
					continue
				}
				there := e.Header != ""
				if there && slices.Contains([]egrid.ColumnEvent{egrid.ColumnPresent, egrid.ColumnRenamed}, e.Event) != present || !there && (e.Event == egrid.ColumnGone) != present {
					t.Errorf("%s %s: %s", level, name, story(&all[0]))
				}
				present = there
			}
		}
	}
}

// The table is what the code rows of EPA's files say.
func TestHistoryReal(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	text, err := os.ReadFile(filepath.Join(folder, "reference", "columns_by_edition.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows map[string]map[string][]string
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{
		"1996": {"1996"}, "1997": {"1997"}, "1998": {"1998"}, "1999": {"1999"}, "2000": {"2000"}, "2016": {"2016"}, "2018v1": {"2018-v1"}, "2018v2": {"2018-v2"},
		"2018+2019": {"2018", "2019"}, "2021": {"2021"}, "2023rev0": {"2023-rev0"},
	}
	checked := 0
	note := regexp.MustCompile(`\s.*`)
	for file, editions := range names {
		for sheet, codes := range rows[file] {
			level, err := egrid.ParseLevel(sheet)
			if err != nil {
				continue // another kind of sheet
			}
			for _, code := range codes {
				code = note.ReplaceAllString(code, "")
				all, err := egrid.History(code, level)
				if err != nil || len(all) != 1 {
					t.Errorf("%s %s %s: %v", file, sheet, code, err)
					continue
				}
				for _, edition := range editions {
					checked++
					if !slices.ContainsFunc(all[0].Entries, func(e egrid.ColumnEntry) bool {
						return e.Edition == edition && e.Header != "" && e.Evidence == egrid.FromCodeRow
					}) {
						t.Errorf("%s %s %s: not in %s", file, sheet, code, story(&all[0]))
					}
				}
			}
		}
	}
	if checked < 5000 {
		t.Errorf("only %d codes were checked", checked)
	}
	t.Logf("%d codes", checked)
}
