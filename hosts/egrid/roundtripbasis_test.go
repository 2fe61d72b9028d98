package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// bases are sheets whose figures are exact, rounded for display, converted from
// metric units, and not EPA's.
var bases = map[string]struct {
	file, text string
	options    etl.Options
	rounded    []egrid.Column // some of them
	authority  string
}{
	"exact": {file: "GEN23.csv", text: "YEAR,ORISPL,GENID,NAMEPCAP,GENNTAN\n2023,3,0290,153.1,20961.5\n2023,3,7E600,12.5,-450\n2023,55077,NA,,\n"},
	"rounded for display": {
		file: "GEN23_rev1.csv", text: "YEAR,ORISPL,GENID,NAMEPCAP,GENNTAN\n2023,3,0290,153.1,\"20,961\"\n2023,3,7E600,12.5, (450)\n2023,55077,NA,, -   \n",
		rounded: []egrid.Column{egrid.NetGeneration}, authority: egrid.DefaultAuthority,
	},
	"metric": {
		file: "metric_SRL23.csv", text: "Data Year,Subregion,Annual heat input (GJ),Annual net generation (MWh),Annual CO2 emissions (metric tons),Annual CO2 rate (kg/MWh)\n" +
			"YEAR,SUBRGN,SRHTIAN,SRNGENAN,SRCO2AN,SRCO2RTA\n2023,CAMX,863355231.699,216841822.331,42949103.795,198.067\n2023,AZNM,1.5,2.25,3,0\n",
		rounded: []egrid.Column{"co2_short_tons", "co2_output_rate_lb_per_mwh"},
	},
	"Cornerstone Data": {
		file: "SRL24.csv", text: "YEAR,SUBRGN,SRNGENAN\n2024,CAMX,216841822.331\n2024,\"AZNM\",2.25\n",
		options: etl.Options{Authority: "Cornerstone Data"}, authority: "Cornerstone Data",
	},
	"rounded and not EPA's": {
		file: "SRL24.csv", text: "YEAR,SUBRGN,SRNAMEPCAP,SRNGENAN\n2024,CAMX,92607.5,\"216,841,822\"\n2024,AZNM,,\" (2)\"\n",
		options: etl.Options{Authority: "The \"best\", Ltd."}, authority: "The \"best\", Ltd.", rounded: []egrid.Column{egrid.NetGeneration},
	},
}

// Whatever the figures are based on, they come back so: as the same snapshot.
func TestRoundTripOfEachBasis(t *testing.T) {
	t.Parallel()
	for name, basis := range bases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := loadedWith(t, fstest.MapFS{basis.file: {Data: []byte(basis.text)}}, basis.options)
			catalog, err := store.New(backend.Driver()).Catalog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s := catalog.Snapshots[0]
			for _, c := range basis.rounded {
				if !slices.Contains(s.Lossy, c) {
					t.Errorf("rounded are %v; want %s among them", s.Lossy, c)
				}
			}
			if want := basis.authority; want != "" && want != s.Authority || basis.rounded == nil && s.Lossy != nil {
				t.Errorf("authority %s, rounded %v", s.Authority, s.Lossy)
			}
			comeBack(t, backend, 1)
		})
	}
}

func loadedWith(t *testing.T, files fstest.MapFS, o etl.Options) *memstore.Store {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	o.Formats = service.Inputs()
	r, err := etl.New(etl.FS(files), etl.ToLoader(backend), &o).Run(t.Context())
	if err != nil || r.Status != etl.Published || r.RowsRejected > 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	return backend
}

// Columns are added only where there is something to say, and each row says what is
// true of its own data year.
func TestMarksOfAllYears(t *testing.T) {
	t.Parallel()
	backend := loadedWith(t, fstest.MapFS{
		"GEN23.csv": {Data: []byte(bases["exact"].text)},
		"GEN19.csv": {Data: []byte("YEAR,ORISPL,GENID,NAMEPCAP,GENNTAN\n2019,3,0290,153.1,\"20,961\"\n")},
	}, etl.Options{})
	api := httpapi.New(store.New(backend.Driver()), &httpapi.Options{Exports: service.Exports()})
	get := func(query string) string {
		t.Helper()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/levels/GEN/rows?"+query, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		return w.Body.String()
	}
	header, lines := "level,data_year,release,oris_plant_code,generator_id,nameplate_capacity_mw,net_generation_mwh", "GEN,2019,,3,0290,153.1,20961,net_generation_mwh\r\n"
	for query, want := range map[string]string{
		"year=2023&format=csv": header + "\r\nGEN,2023,,3,0290,153.1,20961.5\r\nGEN,2023,,3,7E600,12.5,-450\r\nGEN,2023,,55077,NA,,\r\n",
		"year=2019&format=csv": header + ",rounded_columns\r\n" + lines,
		"year=all&format=csv":  header + ",rounded_columns\r\n" + lines + "GEN,2023,,3,0290,153.1,20961.5,\r\nGEN,2023,,3,7E600,12.5,-450,\r\nGEN,2023,,55077,NA,,,\r\n",
		"year=2019&format=csv&codes=epa": "LEVEL,YEAR,RELEASE,ORISPL,GENID,NAMEPCAP,GENNTAN,ROUNDED_COLUMNS\r\n" +
			"GEN,2019,,3,0290,153.1,20961,GENNTAN\r\n",
		"year=2019&format=csv&columns=generator_id,net_generation_mwh": "generator_id,net_generation_mwh\r\n0290,20961\r\n",
		"year=2019&format=ndjson":                                      `{"level":"GEN","data_year":2019,"release":"","oris_plant_code":"3","generator_id":"0290","nameplate_capacity_mw":153.1,"net_generation_mwh":20961.0,"rounded_columns":"net_generation_mwh"}` + "\n",
	} {
		if got := get(query); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", query, got, want)
		}
	}
	if text := get("year=2019&format=datapackage"); !strings.Contains(text, `"name": "rounded_columns"`) {
		t.Errorf("the description lacks the column: %s", text)
	}
	for _, format := range roundTrips {
		again := loadedFrom(t, exported(t, api, "/levels/GEN/rows?year=all&"+format.query, format.file))
		want, err := backend.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Catalog(t.Context())
		if err != nil || len(got.Snapshots) != 2 {
			t.Fatalf("%s: %d snapshots, %v", format.name, len(got.Snapshots), err)
		}
		for i := range want.Snapshots {
			if g, w := got.Snapshots[i], want.Snapshots[i]; fmt.Sprint(g.Lossy) != fmt.Sprint(w.Lossy) {
				t.Errorf("%s: of %d are rounded %v; want %v", format.name, w.Year, g.Lossy, w.Lossy)
			}
		}
	}
}

// In the shell, too, through each format that loads again, JSON among them.
func TestRoundTripOfEachBasisInTheShell(t *testing.T) {
	for name, basis := range bases {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			arguments := []string{s.file(basis.file, basis.text)}
			if a := basis.options.Authority; a != "" {
				arguments = append(arguments, "--authority", a)
			}
			s.report(0, arguments...)
			want := s.snapshots()[0]
			for i, format := range []string{"rows.csv", "rows.ndjson", "rows.json", "rows.xlsx", "rows.parquet", "codes.csv", "codes.xlsx"} {
				file := s.dir + "/" + format
				export := []string{"rows", string(want.Level), "--output", file}
				if strings.HasPrefix(format, "codes") {
					export = append(export, "--codes", "epa")
				}
				s.run(0, export...)
				if r := s.report(0, file); r.Status != etl.Unchanged {
					t.Errorf("%s: beside its original it is %s", format, r.Status)
				}
				other := fmt.Sprintf("--store=sqlite:%s/%d.db", s.dir, i)
				s.run(0, "load", file, other)
				if text := s.run(0, "snapshots", "--json", other); !strings.Contains(text, string(want.ID)) {
					t.Errorf("%s: came back as %s; want the id %s", format, text, want.ID)
				}
			}
		})
	}
}
