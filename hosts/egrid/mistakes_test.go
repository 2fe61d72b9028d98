package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakes: each wrong invocation names the mistake and the way out, makes no
// store, and prints nothing on standard output.
func TestMistakes(t *testing.T) {
	s := newShell(t)
	s.report(0, s.sample())
	s.file("site.txt", "no store\n")
	store := filepath.Join(s.dir, "mine.db")
	s.run(0, "backup", store)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	gen := s.file("GEN23.csv", generators)
	for _, test := range []struct {
		want int
		args []string
		says []string // in this order
	}{
		{2, []string{"rowz", "GEN"}, []string{"rowz is no command", "did you mean rows?"}},
		{2, []string{"query", "GEN"}, []string{"query is no command", "did you mean rows?"}},
		{2, []string{"dead-letters", "lst"}, []string{"lst is no command", "did you mean list?"}},
		{2, nil, []string{"a command is missing", "egrid --help"}},
		{2, []string{"rows", "GEN", "--stat", "TX"}, []string{"egrid rows has no flag --stat", "did you mean --state?"}},
		{2, []string{"rows", "GEN", "--where", "fuel=NG"}, []string{"no flag --where", "did you mean --filter?"}},
		{2, []string{"top", "--colums", "plant_name"}, []string{"no flag --colums", "did you mean --columns?"}},
		{2, []string{"rows", "GEN", "PLNT"}, []string{`takes no argument "PLNT"`, "egrid rows --help"}},
		{2, []string{"rows"}, []string{"name one level", "egrid rows ST"}},
		{2, []string{"rows", "GENN"}, []string{`level "GENN"`, "did you mean GEN?"}},
		{2, []string{"groups", "PLANTS2"}, []string{`level "PLANTS2"`, "UNT, GEN, PLNT"}},
		{2, []string{"rows", "GEN", "--columns", "plant_nam"}, []string{`no column "plant_nam"`, "did you mean plant_name?"}},
		{2, []string{"rows", "GEN", "--columns", "GENNTANN"}, []string{`no column "GENNTANN"`, "did you mean GENNTAN?"}},
		{2, []string{"rows", "GEN", "--sort", "-net_generation"}, []string{`no column "net_generation"`, "did you mean net_generation_mwh?"}},
		{2, []string{"rows", "GEN", "--filter", "nameplate_capacty_mw>=100"}, []string{`no column "nameplate_capacty_mw"`, "did you mean nameplate_capacity_mw?"}},
		{2, []string{"rows", "GEN", "--filter", "nameplate_capacity_mw=>100"}, []string{"has =>", "did you mean nameplate_capacity_mw>=100?"}},
		{2, []string{"rows", "GEN", "--filter", "fuel"}, []string{`filter "fuel"`, "COLUMN OPERATOR VALUE"}},
		{2, []string{"groups", "GEN", "--by", "feul"}, []string{`no column "feul"`, "did you mean fuel?"}},
		{2, []string{"groups", "GEN", "--measures", "average(net_generation_mwh)"}, []string{"average", "sum"}},
		{2, []string{"top", "--state", "Texsa"}, []string{`"Texsa" is no state`, "did you mean Texas (TX)?"}},
		{2, []string{"top", "--state", "T"}, []string{`"T" is no state`, "as TX"}},
		{2, []string{"top", "--sort", "-net_generation_mw"}, []string{`no column "net_generation_mw"`, "did you mean net_generation_mwh?"}},
		{2, []string{"top", "--fuel", "gas"}, []string{"GAS is no fuel but a category", "NG"}},
		{2, []string{"top", "--fuel", "NGG"}, []string{`"NGG" is no fuel`, "did you mean NG?"}},
		{2, []string{"top", "--fuel-category", "sollar"}, []string{`"sollar" is no fuel category`, "did you mean SOLAR?"}},
		{1, []string{"region", "SRL", "CAMZ"}, []string{`no eGRID subregion "CAMZ"`, "CAMX"}},
		{2, []string{"region", "GEN", "1"}, []string{"GEN is no level of regions", "ST, BA, SRL"}},
		{2, []string{"region", "ST"}, []string{"which state?", "TX"}},
		{1, []string{"plant", "no such plant"}, []string{`"no such plant"`, "--search"}},
		{2, []string{"rows", "GEN", "--year", "20023"}, []string{"data year 20023 is not in 1990-", "or all"}},
		{2, []string{"rows", "GEN", "--year", "newest"}, []string{`"newest" is no data year`, "or all"}},
		{1, []string{"rows", "GEN", "--year", "1999"}, []string{"1999", "data years with GEN rows: 2023"}},
		{2, []string{"rows", "GEN", "--limit", "-5"}, []string{"limit -5 is negative", "0 is all"}},
		{2, []string{"rows", "GEN", "--format", "exel"}, []string{`format "exel"`, "csv"}},
		{2, []string{"rows", "GEN", "--format", "cvs"}, []string{`format "cvs"`, "did you mean csv?"}},
		{2, []string{"rows", "GEN", "--output", filepath.Join(s.dir, "x.foo")}, []string{"the ending .foo of --output tells no format", ".csv", ".parquet", "--format FORMAT"}},
		{2, []string{"rows", "GEN", "--output", filepath.Join(s.dir, "x.cvs")}, []string{"did you mean .csv?"}},
		{2, []string{"rows", "GEN", "--output", filepath.Join(s.dir, "x.csv.gz")}, []string{"the ending .gz"}},
		{2, []string{"inventory", gen, "--output", filepath.Join(s.dir, "x.parquet")}, []string{"the ending .parquet", ".csv, .json, .xlsx"}},
		{2, []string{"rows", "GEN", "--json", "--format", "csv"}, []string{"--json and --format csv contradict"}},
		{2, []string{"rows", "GEN", "--codes", "epa"}, []string{"--codes", "--format csv or xlsx"}},
		{1, []string{"rows", "GEN", "--store", filepath.Join(s.dir, "mime.db")}, []string{"there is no store", "did you mean " + store}},
		{2, []string{"rows", "GEN", "--store", filepath.Join(s.dir, "site.txt")}, []string{"is no store", "egrid load"}},
		{2, []string{"snapshots", "--store", s.dir}, []string{"is a folder", "mine.db"}},
		{2, []string{"rows", "GEN", "--store", "postgres://u:s3cret#1@127.0.0.1/x"}, []string{"address of the store cannot be read", "%23"}},
		{2, []string{"rows", "GEN", "--store", "mysql://u:s3cret@127.0.0.1/x"}, []string{"none of mem:", "postgres://HOST/DATABASE"}},
		{2, []string{"load", gen, "--queue", "amqp://u:s3cret#1@127.0.0.1:5672/"}, []string{"invalid URL", "%23"}},
		{2, []string{"health", "--json", "amqp://u:s3cret#1@127.0.0.1:5672/"}, nil},
		{1, []string{"up", "--addr", taken.Addr().String()}, []string{"is taken", "port 0"}},
		{2, []string{"serve", "--addr", "4000"}, []string{`address "4000" is not HOST:PORT`, ":4000"}},
		{2, []string{"completion", "bsh"}, []string{`shell "bsh"`, "did you mean bash?"}},
		{2, []string{"load", gen, "--publish", "replce"}, []string{"--publish", "auto"}},
		{2, []string{"factor", "--zip", "59221"}, []string{"no flag --zip", "--subregion CODE", "egrid zip ZIP"}},
		{2, []string{"factor"}, []string{"of one place", "--subregion, --state, --ba, --nerc, --us and --plants"}},
		{2, []string{"columns", "plnt"}, []string{"did you mean --level PLNT?"}},
		{2, []string{"columns", "nothing"}, []string{`no argument "nothing" there; see`}},
		{2, []string{"load"}, []string{"egrid load needs SOURCE ..., e.g. egrid load GEN23.csv ST23.csv; see"}},
		{2, []string{"zip"}, []string{"egrid zip needs ZIP, e.g. egrid zip 97201; see"}},
		{2, []string{"backup"}, []string{"egrid backup needs FILE, e.g. egrid backup egrid-backup.db; see"}},
		{1, []string{"load", "nosuch.csv"}, []string{"egrid: nosuch.csv: no such file or directory"}},
		{2, []string{"factor", "--state", "Texsa"}, []string{`"Texsa" is no state`, "did you mean Texas (TX)?"}},
		{2, []string{"explain", "ST", "TXX", "STNGENAN"}, []string{`"TXX" is no state`, "did you mean TX (Texas)?"}},
		{2, []string{"prune", "--older-than", "3y"}, []string{`"3y" is no age`, "30d"}},
		{2, []string{"stream", "--in", s.file("scan.json", s.run(0, "scan", gen))}, []string{"is the answer of egrid scan", "egrid divide"}},
		{2, []string{"divide", "--in", s.file("other.json", "{}")}, []string{"is the answer of no stage", "egrid validate"}},
		{1, []string{"publish", "nothing"}, []string{`no snapshot or held load "nothing"`, "egrid snapshots --all"}},
		{1, []string{"map", filepath.Join(s.dir, "none.csv")}, []string{"none.csv"}},
		{2, []string{"map", filepath.Join(s.dir, "site.txt")}, []string{"egrid columns"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			var out, said strings.Builder
			if got := run(t.Context(), test.args, strings.NewReader(""), &out, &said); got != test.want {
				t.Errorf("exit status %d; want %d", got, test.want)
			}
			text := said.String()
			for _, want := range test.says {
				_, rest, ok := strings.Cut(text, want)
				if !ok {
					t.Errorf("got %q; want %q in it", said.String(), want)
				}
				text = rest
			}
			if test.says != nil && out.Len() > 0 {
				t.Errorf("on standard output: %q", out.String())
			}
			if strings.Contains(said.String()+out.String(), "s3cret") {
				t.Errorf("tells the password: %q %q", said.String(), out.String())
			}
			if lines := strings.Count(said.String(), "\n"); test.says != nil && lines > 2 {
				t.Errorf("%d lines: %q", lines, said.String())
			}
		})
	}
	if _, err := os.Stat(filepath.Join(s.dir, "mime.db")); !os.IsNotExist(err) {
		t.Errorf("a question made a store: %v", err)
	}
}

// TestReadingMakesNothing: no command that reads makes a store, named or not.
func TestReadingMakesNothing(t *testing.T) {
	s := newShell(t)
	t.Chdir(s.dir)
	for _, args := range [][]string{
		{"rows", "GEN"}, {"top"}, {"groups", "GEN"}, {"snapshots"}, {"plant", "3"}, {"region", "ST", "TX"}, {"factor", "--state", "TX"}, {"columns"}, {"health"},
		{"diff", "--level", "SRL", "--from", "v1"}, {"reconcile"}, {"prune"}, {"migrate"}, {"explain", "ST", "TX", "STNGENAN"}, {"zip", "97201"}, {"publish", "x"},
		{"rollback", "SRL", "2018"}, {"load", "--dry-run", s.file("GEN23.csv", generators)},
	} {
		for _, store := range [][]string{nil, {"--store", "typo.db"}, {"--store", "sqlite:typo.db"}} {
			var out, said strings.Builder
			run(t.Context(), append(args, store...), strings.NewReader(""), &out, &said)
		}
	}
	if made, err := filepath.Glob("*.db*"); err != nil || len(made) > 0 {
		t.Errorf("made %q, %v", made, err)
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("XDG_DATA_HOME"), "egrid", "egrid.db")); !os.IsNotExist(err) {
		t.Errorf("made the default store: %v", err)
	}
	// A load does, where the person stands.
	s.report(0, "GEN23.csv", "--store", "mine.db")
	s.report(0, "GEN23.csv", "--store", "sqlite:yours.db")
	for _, name := range []string{"mine.db", "yours.db"} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err != nil {
			t.Error(err)
		}
	}
}
