package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// command runs egrid, and returns its exit status and what it wrote.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &complaints)
	return code, out.String(), complaints.String()
}

// editionsStore has subregions and plants of 2018 as v1 and v2.
func editionsStore(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"SRL18_v1.csv":  "SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2RTA\nCAMX,California,200.5,50.25,501.247\nNYLI,Long Island,10.5,5.25,1000\n",
		"SRL18_v2.csv":  "SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2RTA\nCAMX,California,300.5,50.25,334.443\nNYLI,Long Island,10.5,5.25,900\n",
		"PLNT18_v1.csv": "PSTATABB,PNAME,ORISPL,SUBRGN,PLNGENAN\nTX,Stays,1,ERCT,100\nTX,A plant with a name that is longer than a column of a table,2,ERCT,50000000\nTX,Goes,3,ERCT,10\n",
		"PLNT18_v2.csv": "PSTATABB,PNAME,ORISPL,SUBRGN,PLNGENAN\nTX,Stays,1,ERCT,100\nTX,A plant with a name that is longer than a column of a table,2,SPSO,60000000\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := "sqlite:" + filepath.Join(t.TempDir(), "e.db")
	if code, _, stderr := command(t, "load", "--store", at, folder); code != 0 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	return at
}

func TestDiffCommand(t *testing.T) {
	t.Parallel()
	at := editionsStore(t)
	for _, tt := range []struct {
		args []string
		code int
		want []string // in what is printed, or complained of
	}{
		{[]string{"--level", "SRL", "--from", "v1", "--to", "v2"}, 0, []string{"CAMX  net_generation_mwh", "+49.9 %"}},
		{[]string{"--level", "SRL", "--from", "2018-v1", "--to", "2018"}, 0, []string{"CAMX  net_generation_mwh"}},
		{[]string{"--from", "v1", "--to", "v2", "--factors"}, 0, []string{"Emission factors, eGRID2018 v1 to eGRID2018 v2", "SRL CAMX", "generation", "SRL NYLI", "published", "SRL18_v2.csv"}},
		{[]string{"--from", "v1", "--factors", "--code", "nyli"}, 0, []string{"-10.0 %"}},
		{[]string{"--from", "v1", "--factors", "--gas", "so2"}, 0, []string{"None of the factors that were asked for moved."}},
		{[]string{"--from", "v1", "--columns", "--level", "SRL,PLNT"}, 0, []string{"SRNGENAN", "PLNGENAN", "By sheet"}},
		{[]string{"--from", "v1", "--plants"}, 0, []string{"2 plants in both editions, 1 of them with another region", "subregion  ERCT  SPSO", "lost"}},
		{[]string{"--from", "v1", "--to", "v2"}, 2, []string{"at one level"}},
		{[]string{"--from", "v1", "--factors", "--columns"}, 2, []string{"together"}},
		{[]string{"--from", "v1", "--factors", "--gas", "ch5"}, 2, []string{"did you mean ch4?"}},
		{[]string{"--from", "v1", "--kind", "output", "--level", "SRL"}, 2, []string{"--factors"}},
		{[]string{"--from", "v1", "--plants", "--level", "SRL"}, 2, []string{"leave --level out"}},
		{[]string{"--from", "v3", "--factors"}, 1, []string{"2018 v1, 2018 v2"}},
		{[]string{"--from", "latest", "--factors"}, 2, []string{"2018-v1"}},
		{[]string{"--factors"}, 2, []string{"--from"}},
	} {
		code, stdout, stderr := command(t, append([]string{"diff", "--store", at}, tt.args...)...)
		if code != tt.code {
			t.Errorf("%v: status %d, %s %s; want %d", tt.args, code, stdout, stderr, tt.code)
		}
		for _, text := range tt.want {
			if !strings.Contains(stdout+stderr, text) {
				t.Errorf("%v: %q is not in\n%s%s", tt.args, text, stdout, stderr)
			}
		}
		for line := range strings.Lines(stdout) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%v: a line of %d letters: %s", tt.args, n, line)
			}
		}
	}
	rounded := filepath.Join(t.TempDir(), "SRL18_v3.csv")
	if err := os.WriteFile(rounded, []byte("SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2RTA\nCAMX,California,301,50.3,334.443\nNYLI,Long Island,11,5.3,950\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, "load", "--store", at, rounded); code != 0 && code != 3 {
		t.Fatalf("status %d: %s", code, stderr)
	}
	if _, _, stderr := command(t, "diff", "--store", at, "--level", "SRL", "--year", "2018", "--from", "v2", "--to", "v3"); !strings.Contains(stderr, "): 1 cell differs, 4 only have more or fewer digits, in 2 of 2 rows") {
		t.Errorf("of a rounded release: %s", stderr)
	}
	code, stdout, _ := command(t, "diff", "--store", at, "--from", "v1", "--factors", "--json")
	var list []wire.FactorChange
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != 0 || len(list) != 2 || strings.Count(stdout, "\n") != 1 {
		t.Errorf("%d, %v: %s", code, err, stdout)
	}
	if code, stdout, _ := command(t, "diff", "--store", at, "--from", "v1", "--plants", "--format", "csv"); code != 0 || !strings.HasPrefix(stdout, "id,name,change,column,") || strings.Count(stdout, "\n") != 3 {
		t.Errorf("%d: %s", code, stdout)
	}
}

func TestColumnsHistoryCommand(t *testing.T) {
	t.Parallel()
	code, stdout, _ := command(t, "columns", "--history", "pstateabb", "--level", "gen")
	if code != 0 || !strings.Contains(stdout, "GEN PSTATABB (state)") || !strings.Contains(stdout, "2023-rev0  renamed  PSTATEABB  code row") {
		t.Errorf("%d: %s", code, stdout)
	}
	code, stdout, _ = command(t, "columns", "--history", "boilcap", "--json")
	var list []wire.ColumnHistory
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != 0 || list[0].Event != "first" || list[0].Name != nil {
		t.Errorf("%d, %v: %s", code, err, stdout)
	}
	if code, _, stderr := command(t, "columns", "--history", "BOILCAPP"); code != 1 || !strings.Contains(stderr, "did you mean BOILCAP?") {
		t.Errorf("%d: %s", code, stderr)
	}
}
