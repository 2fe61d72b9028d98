package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/etl"
)

// values are those of a column, in the order of the rows.
func (s shell) values(level, column string) []string {
	s.Helper()
	text := s.run(0, "rows", "--level", level, "--limit", "0", "--columns", column, "--format", "csv")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[min(1, len(lines)):]
}

func (s shell) folder(files ...string) string {
	s.Helper()
	dir := s.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	return dir
}

func reasonsOf(r etl.Report) string {
	var reasons []string
	for _, f := range r.Files {
		for _, x := range f.Sheets {
			reasons = append(reasons, fmt.Sprint(x.Status, ": ", x.Reason, x.Choices))
		}
	}
	return strings.Join(reasons, "\n")
}

var heldID = regexp.MustCompile(`egrid publish ([0-9a-f]{24})`)

func TestPartsOfASheet(t *testing.T) {
	s := newShell(t)
	const head = "YEAR,PSTATABB,PNAME,ORISPL,PLNGENAN\n"
	r := s.report(0, s.folder("PLNT21_1.csv", head+"2021,TX,Three,3,300\n", "PLNT21_2.csv", head+"2021,OK,One,1,100\n2021,OK,Two,2,200\n"))
	if r.Status != etl.Published || r.RowsLoaded != 3 {
		t.Errorf("%s", reasonsOf(r))
	}
	if got := s.values("PLNT", "oris_plant_code"); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("published are %q", got)
	}
}

func TestMergeWithoutCommonIdentifier(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("a_2016.csv", "ORISPL,CHPFLAG,PLNGENAN\n54452,Yes,1\n57053,No,2\n"))
	r := s.report(3, "--publish", "merge", s.file("b_2016.csv", "PSTATABB,PNAME,PLNGENAN\nAK,Plant X,10\nAK,Plant Y,20\n"))
	if !strings.Contains(reasonsOf(r), "no identifier in common: published rows have oris_plant_code, these have state, plant_name") {
		t.Errorf("%s", reasonsOf(r))
	}
	if got := s.values("PLNT", "net_generation_mwh"); !slices.Equal(got, []string{"1.0", "2.0"}) && !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("published are %q", got)
	}
	// The way that remains is the one that is named.
	id := heldID.FindStringSubmatch(reasonsOf(r))
	if len(id) == 0 || strings.Contains(reasonsOf(r), "--merge") {
		t.Fatalf("%s names no command, or one that cannot work", reasonsOf(r))
	}
	s.run(0, "publish", id[1])
	if got := s.values("PLNT", "plant_name"); !slices.Equal(got, []string{"Plant X", "Plant Y"}) {
		t.Errorf("published are %q", got)
	}
}

// Figures of California's subregion in EPA's metric edition of 2023 and in that in
// US units: one that was converted agrees with the exact one, and does not take its
// place.
func TestMetricAfterExact(t *testing.T) {
	s := newShell(t)
	const head = "Data Year,Subregion,Annual heat input (%s),Annual net generation (MWh),Annual CO2 emissions (%s),Annual CO2 rate (%s)\nYEAR,SUBRGN,SRHTIAN,SRNGENAN,SRCO2AN,SRCO2RTA\n"
	s.report(0, s.file("us_SRL23.csv", fmt.Sprintf(head, "MMBtu", "tons", "lb/MWh")+"2023,CAMX,818268630.176,216841822.331,47342486.547,436.655\n"))
	r := s.report(3, s.file("metric_SRL23.csv", fmt.Sprintf(head, "GJ", "metric tons", "kg/MWh")+"2023,CAMX,863355231.699,216841822.331,42949103.795,198.067\n"))
	if got := reasonsOf(r); !strings.Contains(got, "rounded where the published ones are not (co2_output_rate_lb_per_mwh)") || strings.Contains(got, "differ") || len(r.Audits) > 0 {
		t.Errorf("%s, %v", got, r.Audits)
	}
}

func TestMostlyRejected(t *testing.T) {
	s := newShell(t)
	text := "YEAR,PSTATABB,PNAME,ORISPL,PLNGENAN\n"
	for i := range 100 {
		value := "see note"
		if i < 2 {
			value = "5"
		}
		text += fmt.Sprintf("2021,TX,Plant,%d,%s\n", i+1, value)
	}
	r := s.report(3, s.file("PLNT21.csv", text))
	if r.Status != etl.Held || !strings.Contains(reasonsOf(r), "98 of 100 records were rejected") || r.RowsLoaded != 0 {
		t.Errorf("%s", reasonsOf(r))
	}
	if got := s.run(0, "rows", "--level", "PLNT"); strings.Contains(got, "Plant") {
		t.Errorf("readers see %s", got)
	}
	// Whoever decides on it later finds the reason in the store.
	const why = `more than 1 %: look at the reasons, the file may have been misread; most often net_generation_mwh: not a number (98 records, the first in line 4: "see note")`
	if held := s.snapshots(); len(held) != 1 || !strings.Contains(held[0].Reason, why) || held[0].RejectedFor == nil {
		t.Errorf("the store has %+v", held)
	}
}

// The last lines of a check, of a dry run and of a load name what is held, and why.
func TestHeldInTheLastLines(t *testing.T) {
	s := newShell(t)
	file := s.file("GEN.csv", "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n"+strings.Repeat("2023,TX,A,1,1,x\n", 4)+"2023,TX,A,1,5,5\n2023,TX,A,1,6,6\n2023,TX,A,1,7,6\n2022,TX,A,1,1,6\n")
	for _, args := range [][]string{{"validate", file}, {"load", "--dry-run", file}, {"load", file}} {
		got := s.run(3, args...)
		last := got[strings.LastIndex(got, "rejected in"):]
		if text := strings.Join(strings.Fields(last), " "); !strings.Contains(text, "1 held table (GEN 2023: 4 of 7 records were rejected, more than 1 %") || !strings.Contains(text, "; 4 rejected records.") {
			t.Errorf("%q ends with %s", args, last)
		}
		for _, want := range []string{"2022     1", "2023     3  held"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q has no %q in\n%s", args, want, got)
			}
		}
	}
}

// Figures of EPA's final and first releases of the US in 2019.
const (
	finalUS = "YEAR,USNAMEPCAP,USNGENAN\n2019,1215326.4,4140185857\n"
	firstUS = "YEAR,USNAMEPCAP,USNGENAN\n2019,1215326.4,4139212932\n"
)

func TestOlderValues(t *testing.T) {
	s := newShell(t)
	final, first := s.file("1_US_final.csv", finalUS), s.file("2_US_prerelease.csv", firstUS)
	s.report(0, final)
	r := s.report(3, first)
	for _, want := range []string{"1 value differs from the published ones, in 1 of 1 row that both have", "net_generation_mwh of US: 4140185857 to 4139212932 (-0.023 %)", "--release"} {
		if !strings.Contains(reasonsOf(r), want) {
			t.Errorf("%q does not tell of %q", reasonsOf(r), want)
		}
	}
	if got := s.values("US", "net_generation_mwh"); len(got) != 1 || !strings.HasPrefix(got[0], "4140185857") {
		t.Errorf("readers see %q", got)
	}
	// As another release it is published beside.
	s.report(0, "--release", "rev0", first)
	// The commands that the reason names decide.
	id := heldID.FindStringSubmatch(reasonsOf(r))[1]
	s.run(0, "discard", id)
	r = s.report(3, first)
	s.run(0, "publish", "--merge", heldID.FindStringSubmatch(reasonsOf(r))[1])
	if got := s.run(0, "rows", "--level", "US", "--release", "none", "--columns", "net_generation_mwh", "--format", "csv"); !strings.Contains(got, "4139212932") {
		t.Errorf("decided: readers see %s", got)
	}
}

func TestContradictionInOneRun(t *testing.T) {
	for _, files := range [][]string{{"1_US_final.csv", finalUS, "2_US_prerelease.csv", firstUS}, {"1.csv", firstUS, "2.csv", finalUS}} {
		s := newShell(t)
		r := s.report(3, s.folder(files...))
		if r.Status != etl.Held || r.RowsLoaded != 0 || r.RowsRead != 2 || !strings.Contains(reasonsOf(r), files[0]) || !strings.Contains(reasonsOf(r), files[2]) ||
			!strings.Contains(reasonsOf(r), "4140185857") || !strings.Contains(reasonsOf(r), "4139212932") {
			t.Errorf("%s", reasonsOf(r))
		}
		ids := heldID.FindAllStringSubmatch(reasonsOf(r), -1)
		if len(ids) != 2 || ids[0][1] == ids[1][1] {
			t.Fatalf("%q", ids)
		}
		s.run(0, "publish", ids[0][1])
		if got := s.values("US", "net_generation_mwh"); len(got) != 1 {
			t.Errorf("decided: readers see %q", got)
		}
	}
}

// A dry run tells what the load does, with its exit status, and makes nothing.
func TestDryRun(t *testing.T) {
	base := generators
	for name, files := range map[string][]string{
		"published": {"GEN23.csv", base},
		"unchanged": {"GEN23.csv", base},
		"changed":   {"GEN23.csv", strings.Replace(base, "400", "401", 1)},
		"more":      {"GEN23.csv", base + "2023,TX,Alpha,1,9,NG,5,1\n"},
		"rejected":  {"GEN23.csv", base + "2023,TX,Alpha,1,9,NG,x,1\n"},
		"together":  {"GEN23.csv", base, "b_GEN23.csv", strings.Replace(base, "400", "401", 1)},
		"refused":   {"notes.csv", "nothing\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			dir := s.folder(files...)
			if name != "published" && name != "refused" {
				s.report(0, s.file("first.csv", base))
			}
			status := map[string]int{"published": 0, "unchanged": 0, "more": 0, "changed": 3, "rejected": 3, "together": 3, "refused": 1}[name]
			before := s.run(0, "snapshots", "--all")
			dry := s.report(status, "--dry-run", dir)
			if dry.Status != etl.DryRun {
				t.Errorf("the status is %s", dry.Status)
			}
			if after := s.run(0, "snapshots", "--all"); after != before {
				t.Errorf("the store changed from\n%s\nto\n%s", before, after)
			}
			real := s.report(status, dir)
			if got, want := loadsOf(t, dry), loadsOf(t, real); got != want {
				t.Errorf("the dry run tells\n%s\nand the load\n%s", got, want)
			}
		})
	}
	s := newShell(t)
	store := filepath.Join(s.TempDir(), "none.db")
	s.run(0, "load", "--store", "sqlite:"+store, "--dry-run", s.file("GEN23.csv", base))
	if _, err := os.Stat(store); err == nil {
		t.Error("a dry run made a store")
	}
}

// loadsOf is what a report tells of files.
func loadsOf(t *testing.T, r etl.Report) string {
	t.Helper()
	for i := range r.Files {
		for j := range r.Files[i].Sheets {
			s := &r.Files[i].Sheets[j]
			s.Stage, s.Choices = "", nil // of a load that nobody keeps there are none
		}
	}
	b, err := json.Marshal(r.Files)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(r.RowsRead, r.RowsLoaded, r.RowsRejected, string(b))
}

func TestDiff(t *testing.T) {
	s := newShell(t)
	const head = "SUBRGN,SRNAME,SRNGENAN,SRCO2RTA\n"
	s.report(0, "--year", "2018", "--release", "v1", s.file("v1.csv", head+"CAMX,Cal,200,0\nNYLI,Long Island,10,1000.5\nERCT,Texas,7,5\n"))
	s.report(0, "--year", "2018", "--release", "v2", s.file("v2.csv", head+"CAMX,California,300,4\nNYLI,Long Island,10,1000.5\nRFCW,West,7,5\n"))
	const want = `[{"key":"CAMX","column":"co2_output_rate_lb_per_mwh","from":0.0,"to":4.0,"relative_change":null},` +
		`{"key":"CAMX","column":"net_generation_mwh","from":200.0,"to":300.0,"relative_change":0.5},` +
		`{"key":"CAMX","column":"subregion_name","from":"Cal","to":"California","relative_change":null}]`
	var got []json.RawMessage
	if err := json.Unmarshal([]byte(s.run(0, "diff", "--level", "SRL", "--year", "2018", "--from", "v1", "--to", "v2", "--format", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(got); string(b) != want {
		t.Errorf("got %s\nwant %s", b, want)
	}
	if text := s.run(0, "diff", "--level", "srl", "--from", "v1", "--limit", "1", "--format", "csv"); text != "key,column,from,to,relative_change\nCAMX,co2_output_rate_lb_per_mwh,0,4,\n" {
		t.Errorf("got %s", text)
	}
	if text := s.run(0, "diff", "--level", "SRL", "--from", "v1"); !strings.Contains(text, "California") {
		t.Errorf("got %s", text)
	}
	for args, says := range map[string]string{"--level SRL --from v3": "v2", "--level PLNT --from v1": "", "--level SRL --from v1 --year 1066": "1066", "--level SRL --from x": "release"} {
		if text := s.run(map[bool]int{true: 2, false: 1}[strings.Contains(args, "1066") || strings.HasSuffix(args, "x")], append([]string{"diff"}, strings.Fields(args)...)...); !strings.Contains(text, says) {
			t.Errorf("%s: %s", args, text)
		}
	}
}
