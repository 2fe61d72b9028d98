package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

const located = `YEAR,PSTATABB,PNAME,ORISPL,SUBRGN,PLPRMFL,PLFUELCT,LAT,LON,NAMEPCAP,PLNGENAN
2021,TX,Alpha,1,ERCT,NG,GAS,30.5,-97.25,200,800
2021,OK,Bravo,2,SPSO,SUN,SOLAR,35.25,-98,5,9.5
2021,OK,Nowhere,3,SPSO,WND,WIND,,,7,12
`

// TestQuestions: what people write is understood, and answers are complete.
func TestQuestions(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("GEN23.csv", generators), s.file("PLNT21.csv", located))
	for _, test := range []struct{ args, want string }{
		{"rows generators --format csv --columns generator_id --state texas", "generator_id\n1\n2\n"},
		{"rows GEN -f csv -c GENID -s tx,Oklahoma -w fuel!=ng", "generator_id\n1\nNA\n"},
		{"rows GEN -f csv -c generator_id --fuel-category gas", "generator_id\n1\n2\n"},
		{"rows PLNT -f csv -c plant_name --fuel-category SOLAR,wind", "plant_name\nBravo\nNowhere\n"},
		{"rows GEN --json -c generator_id --year all", `[{"generator_id":"1"},{"generator_id":"2"},{"generator_id":"1"},{"generator_id":"NA"}]` + "\n"},
		{"groups GEN --by state --measures count,sum(net_generation_mwh) -f csv", "state,rows,net_generation_mwh\nOK,2,-10\nTX,2,900.5\n"},
		{"groups GEN --by fuel --having rows>=2 -f ndjson", `{"fuel":"NG","rows":2}` + "\n"},
		{"groups GEN -f csv", "rows\n4\n"},
		{"rows GEN --facet fuel -f csv", "fuel,rows\nNG,2\nSUN,1\nWND,1\n"},
		{"top --year all -f csv -c net_generation_mwh -n 1", "id,data_year,release,net_generation_mwh\n1,2023,,900.5\n1,2021,,800\n"},
		{"plant 1 -f csv -c plant_name,PLNGENAN -y 2021", "plant_name,net_generation_mwh\nAlpha,800\n"},
		{"plant bravo -f csv -c plant_name -y 2021", "plant_name\nBravo\n"},
		{"plant 1 --history -f csv -c net_generation_mwh", "data_year,basis,release,net_generation_mwh\n2021,PLNT,,800\n2023,GEN,,900.5\n"},
		{"plant 1 --generators -f csv -c generator_id", "generator_id\n1\n2\n"},
	} {
		if got := s.run(0, strings.Fields(test.args)...); got != test.want {
			t.Errorf("egrid %s:\n%q; want\n%q", test.args, got, test.want)
		}
	}
	var places struct {
		Features []struct {
			ID       string
			Geometry struct{ Coordinates [2]float64 }
		}
		Without int `json:"without_coordinates"`
	}
	text := s.run(0, "rows", "PLNT", "--format", "geojson")
	if err := json.Unmarshal([]byte(text), &places); err != nil || len(places.Features) != 2 || places.Features[0].ID != "1" || places.Features[0].Geometry.Coordinates != [2]float64{-97.25, 30.5} || places.Without != 1 {
		t.Errorf("%v, %+v of %s", err, places, text)
	}
}

// TestTellings: what an answer is of, and why it has no rows, is said on stderr.
func TestTellings(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("GEN23.csv", generators), s.file("PLNT21.csv", located))
	for _, test := range []struct {
		args string
		says []string
	}{
		{"rows GEN --limit 2", []string{"GEN 2023 (release none, EPA): 2 of 4 rows; --limit 0 shows all"}},
		{"rows GEN --limit 4", []string{"GEN 2023 (release none, EPA): 4 rows\n"}},
		{"rows GEN --state TX --fuel SUN", []string{"no rows of GEN match state=TX and fuel=SUN", "state=TX alone: 2 rows", "fuel=SUN alone: 1 row\n"}},
		{"rows GEN --filter nameplate_capacity_mw>1000", []string{"no rows of GEN match", "nameplate_capacity_mw>1000: none; it is from 5 to 100"}},
		{"rows GEN --search nobody", []string{`match words "nobody"`, "alone: 0 rows"}},
		{"rows GEN --filter plant_name=Alfa", []string{"plant_name=Alfa: none; there are Alpha, Bravo, Silent"}},
		{"rows UNT", []string{"no rows of UNT are published"}},
		{"rows PLNT --subregion ERCTT", []string{"no row has subregion ERCTT; did you mean ERCT?", "there are ERCT, SPSO"}},
		{"top --fuel ng", []string{"plants of 2023 by sheet GEN", "sum of its generators with fuel=NG: where it has others, this is a part of the plant"}},
		{"top --fuel ng --year 2021", []string{"fuel=NG is the primary fuel of the plant, whose figures are of all its fuels"}},
		{"plant alpha", []string{"Alpha is plant 1 (TX)"}},
	} {
		_, said := s.told(strings.Fields(test.args)...)
		rest := said
		for _, want := range test.says {
			_, behind, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("egrid %s says\n%s\nwant %q", test.args, said, want)
				break
			}
			rest = behind
		}
	}
	out := filepath.Join(s.dir, "all.parquet")
	if _, said := s.told("rows", "GEN", "--output", out); !strings.Contains(said, "4 rows written to "+out) {
		t.Errorf("an export says %s", said)
	}
	// What is piped says nothing beside its rows.
	if _, said := s.told("rows", "GEN", "--format", "csv"); said != "" {
		t.Errorf("csv says %s", said)
	}
}

// TestMap proposes mappings that load.
func TestMap(t *testing.T) {
	for name, test := range map[string]struct {
		file  func(s shell) string
		level string
		knows int // columns of the mapping
	}{
		"own headers": {func(s shell) string {
			return s.file("stations 2021.csv", "Report\nFacility ID;State;Power Plant Name;Generator ID;Nameplate Capacity (MW);Annual Net Generation (MWh);Fuel Code\n"+
				"3;AL;Barry;1;153,1;1000;NG\n3;AL;Barry;2;153,1;2000,5;NG\n7;AL;Gadsden;1;69;n.a.;NG\n")
		}, "GEN", 6},
		"plants of 2021": {func(s shell) string { return testenv.File(s.T, "2021/PLNT21-renamed-subset.csv") }, "PLNT", 41},
		"plants of 2018": {func(s shell) string { return testenv.File(s.T, "2018/PLNT18-renamed-subset.csv") }, "PLNT", 25},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			file := test.file(s)
			mapping := filepath.Join(s.dir, "etl.json")
			var out, said strings.Builder
			args := []string{"map", file, "--output", mapping}
			if got := run(t.Context(), args, strings.NewReader(""), &out, &said); got != 0 && got != 3 {
				t.Fatalf("exit status %d\n%s", got, said.String())
			}
			text, err := os.ReadFile(mapping)
			if err != nil {
				t.Fatal(err)
			}
			var config struct {
				Inputs []struct {
					Level   string
					Columns map[string]string
				}
			}
			if err := json.Unmarshal(text, &config); err != nil || len(config.Inputs) != 1 || config.Inputs[0].Level != test.level || len(config.Inputs[0].Columns) < test.knows {
				t.Fatalf("%v in %s", err, text)
			}
			if !strings.Contains(said.String(), "taken for level "+test.level) || !strings.Contains(said.String(), "egrid load --mapping") {
				t.Errorf("says %s", said.String())
			}
			if r := s.report(0, "--mapping", mapping, file); r.RowsLoaded == 0 || r.RowsRejected != 0 {
				t.Errorf("loaded %d rows, rejected %d: %s", r.RowsLoaded, r.RowsRejected, reasonsOf(r))
			}
		})
	}
}
