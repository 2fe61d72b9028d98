package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	plants = `SEQPLT23,PSTATABB,PNAME,ORISPL,PLNGENAN,PLCO2AN,OWNNOTE
1,TX,Alpha,1,900.5,410.25,ours
2,OK,Bravo,2,-10,0,
`
	states = `YEAR,PSTATABB,STNGENAN,STCLPR
2023,TX,900.5,12%
2023,OK,-10,0%
`
	somePlants = `SEQPLT23,PSTATABB,PNAME,ORISPL,PLNGENAN
1,TX,Alpha,1,900.5
`
	unreadable = `2023,TX,Alpha,1,9,NG,100,12 apples
2023,TX,Alpha,1,10,NG,hundred,1
2023,TX,Alpha,1,11,NG,100,13 pears
2023,TX,Alpha,1,12,NG,100,1,2,3
`
	regions = "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCO2RTA\n2023,CAMX,WECC California,1000,250.5,501\n2023,ERCT,ERCOT All,500,100,9999\n"
	notes   = "name,remark\nAlpha,to be asked\n"
)

// varying is what differs from run to run.
var varying = regexp.MustCompile(`\d+\.\d s|"(?:run_id|trace_id)":"[^"]*"|"duration_seconds":[0-9.e-]+`)

// printed is what a command prints, without what differs from run to run.
func (s shell) printed(want int, args ...string) string {
	s.Helper()
	text := varying.ReplaceAllStringFunc(s.run(want, args...), func(found string) string {
		name, _, isJSON := strings.Cut(found, ":")
		if !isJSON {
			return "0.0 s"
		}
		return name + `:0`
	})
	return strings.ReplaceAll(text, s.dir, "DIR")
}

func TestReports(t *testing.T) {
	var workbook strings.Builder
	if err := egridtest.WriteWorkbook(&workbook, egridtest.Sheet{Name: "Contents", CSV: "Contents\n"}, egridtest.Sheet{Name: "GEN23", CSV: generators}, egridtest.Sheet{Name: "ST23", CSV: states, Hidden: true}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		files  map[string]string
		before string // loaded first
		status int
		args   []string
	}{
		"everything is there": {
			files: map[string]string{"GEN23.csv": generators, "ST23.csv": states},
			args:  []string{"load", "DIR/GEN23.csv", "DIR/ST23.csv"},
		},
		"again": {
			files:  map[string]string{"GEN23.csv": generators, "ST23.csv": states},
			before: "GEN23.csv",
			args:   []string{"load", "DIR"},
		},
		"a folder of everything": {
			files: map[string]string{
				"2023/GEN23.csv": generators + unreadable, "2023/PLNT23.csv": plants, "2023/ST23.csv": states,
				"README.csv": notes, "old/notes.csv": notes, "old/todo.csv": "todo\nask\n", "damaged.zip": "PK\x03\x04 cut off",
			},
			status: 3,
			args:   []string{"load", "--rejects", "DIR/rejects.csv", "DIR"},
		},
		"a folder with notes": {
			files: map[string]string{"GEN23.csv": generators, "README.csv": notes},
			args:  []string{"load", "DIR"},
		},
		"held": {
			files:  map[string]string{"PLNT23.csv": plants, "less.csv": somePlants},
			before: "PLNT23.csv", status: 3,
			args: []string{"load", "DIR/less.csv"},
		},
		"no sheet": {
			files: map[string]string{"README.csv": notes}, status: 1,
			args: []string{"load", "DIR/README.csv"},
		},
		"no record": {
			files: map[string]string{"GEN23.csv": strings.SplitAfter(generators, "\n")[0] + unreadable}, status: 1,
			args: []string{"load", "--rejects", "DIR/rejects.csv", "DIR/GEN23.csv"},
		},
		"dry run": {
			files: map[string]string{"GEN23.csv": generators + unreadable}, status: 3,
			args: []string{"load", "--dry-run", "DIR"},
		},
		"json": {
			files: map[string]string{"GEN23.csv": generators + unreadable, "README.csv": notes}, status: 3,
			args: []string{"load", "--json", "--rejects", "DIR/rejects.csv", "DIR"},
		},
		"reconcile": {
			files:  map[string]string{"SRL23.csv": regions, "US23.csv": "YEAR,USNGENAN,USCO2AN,USCO2RTA,USCLPR\n2023,1500,350.5,467.333,0.25\n"},
			before: ".", status: 3,
			args: []string{"reconcile", "--year", "2023"},
		},
		"explain": {
			files: map[string]string{"GEN23.csv": generators + unreadable, "PLNT23.csv": plants, "ST23.csv": states, "README.csv": notes}, status: 3,
			args: []string{"validate", "--explain", "DIR"},
		},
		"explain a workbook": {
			files: map[string]string{"egrid2023.xlsx": workbook.String()},
			args:  []string{"validate", "--explain", "DIR"},
		},
		"a workbook": {
			files: map[string]string{"egrid2023.xlsx": workbook.String()},
			args:  []string{"load", "DIR"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			for file, text := range test.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, file)), 0o700); err != nil {
					t.Fatal(err)
				}
				s.file(file, text)
			}
			if test.before != "" {
				s.run(0, "load", filepath.Join(s.dir, test.before))
			}
			for i, arg := range test.args {
				test.args[i] = strings.ReplaceAll(arg, "DIR", s.dir)
			}
			got := s.printed(test.status, test.args...)
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got != string(want) {
				t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
			}
			for line := range strings.Lines(got) {
				if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 80 && name != "json" && !strings.Contains(line, `{"inputs"`) {
					t.Errorf("%d characters: %s", width, line)
				}
			}
		})
	}
}

// TestRemedyWorks does what the report says of a rejected value.
func TestRemedyWorks(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators+"2023,TX,Alpha,1,9,NG,100,\"12 \"\"big\"\" apples\"\n")
	text := s.run(3, "load", gen)
	mapping := regexp.MustCompile(`(?m)^ *(\{"inputs".*\})$`).FindStringSubmatch(text)
	if mapping == nil {
		t.Fatalf("no etl.json in\n%s", text)
	}
	if r := s.report(0, "--mapping", s.file("etl.json", mapping[1]), "--publish", "replace", gen); r.RowsLoaded != 5 {
		t.Errorf("with %s: %+v", mapping[1], r)
	}
}

// TestRejectsFile compares the file of rejected records with the groups of the report.
func TestRejectsFile(t *testing.T) {
	s := newShell(t)
	rejects := filepath.Join(s.dir, "rejects.csv")
	r := s.report(3, "--rejects", rejects, s.file("GEN23.csv", generators+unreadable))
	f, err := os.Open(rejects)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil || len(records) != 5 || strings.Join(records[0], ",") != "object,sheet,line,column,value,reason,row" {
		t.Fatalf("%v: %q", err, records)
	}
	counts := map[string]int64{}
	for _, record := range records[1:] {
		counts[record[3]+": "+record[5]]++
	}
	groups := r.Files[0].Sheets[0].Rejects
	if len(groups) != 3 || len(counts) != 3 {
		t.Errorf("%d groups, %d in the file", len(groups), len(counts))
	}
	for _, g := range groups {
		if key := string(g.Column) + ": " + g.Reason; counts[key] != g.Count {
			t.Errorf("%s: %d in the file, %d in the report", key, counts[key], g.Count)
		}
	}
	if want := []string{"GEN23.csv", "", "6", "net_generation_mwh", "12 apples", "not a number", "2023,TX,Alpha,1,9,NG,100,12 apples"}; strings.Join(records[1], "|") != strings.Join(want, "|") {
		t.Errorf("got %q", records[1])
	}
}

// TestDescribe prints reports that no small file makes.
func TestDescribe(t *testing.T) {
	t.Parallel()
	sheets := func(s ...etl.SheetReport) []etl.FileReport {
		return []etl.FileReport{{Object: "egrid2023_data.xlsx", Sheets: s}}
	}
	gen := etl.SheetReport{Sheet: "GEN23", Level: egrid.GEN, Year: 2023, Read: 5, Status: etl.Published}
	held := etl.SheetReport{Sheet: "ST23", Level: egrid.ST, Year: 2023, Release: "v2", Units: "metric", Read: 2, Status: etl.Held, Stage: "0123456789abcdef01234567",
		Choices: []egrid.Choice{{Command: "egrid publish --merge 0123456789abcdef01234567", Does: "updates and adds rows by identifier, and removes none"}}}
	long := held
	long.Reason = strings.Repeat("a_column, ", 100) + "and what to do"
	overruled := gen
	overruled.Evidence = []sheet.Evidence{{Of: "year", Value: "2023", From: "column YEAR"}, {Of: "year", Value: "2018", From: "folder 2018, overruled"}, {Of: "units", Value: "us", From: "default"}}
	var many etl.Report
	for i := range 40 {
		many.Files = append(many.Files, etl.FileReport{Object: fmt.Sprintf("%d.csv", i), Sheets: []etl.SheetReport{{Status: etl.LeftOut, Reason: "not an eGRID sheet"}}})
	}
	for _, test := range []struct {
		name    string
		report  etl.Report
		store   string
		has     []string
		without []string
	}{
		{"a dry run that decides", etl.Report{Status: etl.DryRun, Files: sheets(gen, held)}, "", []string{"A load would publish, or find there: GEN 2023.", "It would leave out: 1 held table (ST 2023 v2: "}, []string{"In the store now"}},
		{"commands", etl.Report{Files: sheets(held)}, "sqlite:my data.db", []string{"\n    egrid publish --merge 0123456789abcdef01234567 --store 'sqlite:my data.db'\n", "metric"}, nil},
		{"no password", etl.Report{Files: sheets(held)}, "postgres://u:s3cret@h/d", []string{" --store URL\n"}, []string{"s3cret"}},
		{"a long reason", etl.Report{Files: sheets(long)}, "", []string{"and what to do", "--json"}, []string{strings.Repeat("a_column, ", 40)}},
		{"overruled evidence", etl.Report{Files: sheets(overruled)}, "", []string{"year by column YEAR\n", "year 2018: folder 2018, overruled"}, []string{"default"}},
		{"many left out", many, "", []string{"40 tables: not an eGRID sheet\n", "0.csv, 1.csv, 2.csv, 3.csv and 36 more (--json lists them)", "40 tables left out"}, []string{"4.csv"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			a := &app{cli: &cli{Store: cmp.Or(test.store, service.DefaultStore())}, stdout: &b}
			if err := a.describe(&test.report); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.has {
				if !strings.Contains(b.String(), want) {
					t.Errorf("no %q in\n%s", want, &b)
				}
			}
			for _, no := range test.without {
				if strings.Contains(b.String(), no) {
					t.Errorf("%q in\n%s", no, &b)
				}
			}
		})
	}
}

// TestAllRejected: who has lost all rows is told why, and a script finds them.
func TestAllRejected(t *testing.T) {
	s := newShell(t)
	zeros := s.file("zeros.csv", "YEAR,PSTATABB,FIPSST,STNGENAN,STNBGNNC\n2023,TX,48,1,False\n2023,OK,40,2,False\n")
	for _, args := range [][]string{{zeros}, {"--dry-run", zeros}} {
		r := s.report(1, args...)
		sheet := r.Files[0].Sheets[0]
		if r.RowsRead != 2 || r.RowsRejected != 2 || sheet.Status != etl.Failed || sheet.Rejects[0].Count != 2 || sheet.Rejects[0].Value != "False" ||
			!strings.Contains(sheet.Reason, "nonbaseload_nuclear_generation_mwh: not a number") {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

// TestControlCharacters: what stands in names, headers and values moves no cursor.
func TestControlCharacters(t *testing.T) {
	s := newShell(t)
	const evil = "\x1b[2J\x07\u202e\u009b31m"
	gen := s.file("GEN23 "+evil+".csv", strings.Replace(generators, "FUELG1", "FUELG1,OWN"+evil, 1)[:len("YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,OWN"+evil+",NAMEPCAP,GENNTAN\n")]+
		"2023,TX,Al"+evil+"pha,1,1,NG,x,100,400\n2023,TX,Alpha,1,2,NG,x,100,4"+evil+"\n")
	other := s.file(evil+".csv", evil+",b\n1,2\n")
	for _, test := range []struct {
		status int
		args   []string
	}{
		{3, []string{"load", gen, other}},
		{3, []string{"validate", gen, other}},
		{3, []string{"validate", "--explain", gen, other}},
		{3, []string{"load", "--dry-run", gen}},
		{1, []string{"load", other}},
		{1, []string{"load", filepath.Join(s.dir, "nowhere"+evil)}},
		{3, []string{"load", "--publish", "replace", gen}},
		{0, []string{"rows", "GEN"}},
		{0, []string{"top"}},
		{0, []string{"plant", "1"}},
		{0, []string{"groups", "GEN", "--by", "plant_name"}},
		{0, []string{"snapshots"}},
		{3, []string{"load", "--json", "--dry-run", gen, other}},
		{0, []string{"snapshots", "--json"}},
	} {
		text := s.run(test.status, test.args...)
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }); i >= 0 {
			t.Errorf("egrid %q: %q", test.args, text[i:min(len(text), i+20)])
		}
		if len(text) == 0 {
			t.Errorf("egrid %q prints nothing", test.args)
		}
	}
}

// TestJSONOnOneLine: the answer of every stage is the last line.
func TestJSONOnOneLine(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	text := s.run(0, "scan", gen)
	for _, stage := range []string{"validate", "divide", "stream", "report"} {
		if strings.Count(text, "\n") != 1 || !json.Valid([]byte(text)) {
			t.Errorf("before %s: %s", stage, text)
		}
		text = s.runWith(text, 0, stage, "--in", "-")
	}
	for _, args := range [][]string{{"load", "--json", gen}, {"validate", "--json", gen}, {"snapshots", "--json"}} {
		if text := s.run(0, args...); strings.Count(text, "\n") != 1 || !json.Valid([]byte(text)) {
			t.Errorf("egrid %q: %s", args, text)
		}
	}
}

// TestTopWithoutNetGeneration: what has no net generation is no ranking.
func TestTopWithoutNetGeneration(t *testing.T) {
	for name, text := range map[string]string{
		"no column":       "YEAR,PSTATABB,PNAME,ORISPL,PLGENACL\n2010,TX,Alpha,1,5\n",
		"an empty column": "YEAR,PSTATABB,PNAME,ORISPL,PLNGENAN,PLGENACL\n2010,TX,Alpha,1,,5\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			r := s.report(0, s.file("PLNT10.csv", text))
			if warned := len(r.Audits) > 0 && r.Audits[0].Rule == "no_net_generation"; !warned {
				t.Errorf("load does not say so: %+v", r.Audits)
			}
			if text := s.run(1, "top"); !strings.Contains(text, "PLNT 2010 has no net generation (PLNGENAN)") {
				t.Errorf("top says %s", text)
			}
			if text := s.run(0, "top", "--sort", "plant_name"); !strings.Contains(text, "Alpha") {
				t.Errorf("sorted by name: %s", text)
			}
		})
	}
}
