package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

const generators23 = `YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN,GENNTOZ
2023,TX,Alpha,1,1,NG,100,400,200
2023,TX,Alpha,1,2,BIT,300,500,250
2023,TX,Alpha,1,3,NG,150,0.5,
2023,TX,"Bravo, East ""2""",02,1,SUN,50,100.5,60
2023,OK,Pumped & Co,3,1,WAT,200,-10,-5
2023,OK,Silent,4,1,WND,10,,
`

const plants21 = `YEAR,PSTATABB,PNAME,ORISPL,OPRNAME,SUBRGN,BACODE,NERC,PLPRMFL,PLFUELCT,NAMEPCAP,CAPFAC,PLNGENAN,PLCO2EQA,OWNCOL
2021,TX,Alpha,1,Big Power,ERCT,ERCO,TRE,BIT,COAL,550,0.1,900,40.5,x
2021,TX,Bravo,02,Small Power,ERCT,ERCO,TRE,SUN,SOLAR,50,0.2,100,0,y
2021,OK,Pumped,3,Big Power,SPSO,NA,SPP,WAT,HYDRO,200,,-10,0,
`

const generators16 = `YEAR,PSTATABB,PNAME,GENID,GENNTAN
2016,TX,Alpha,1,7
2016,OK,Alpha,1,8
2016,OK,"Beta ~ 1/2, East",1,9
2016,OK,"Beta ~ 1/2, East",2,10
`

const subregions23 = `YEAR,SUBRGN,SRNAME,NAMEPCAP,SRNGENAN,SRCO2AN,SRCO2RTA,SRCLPR,SRGSPR
2023,ERCT,ERCOT All,600,1001,55.5,750.25,0.25,0.5
2023,SPSO,SPP South,210,-10,,900.5,0,0
`

// newAPI serves a scanner.
func newAPI(s driver.Scanner, o *httpapi.Options) http.Handler { return httpapi.New(store.New(s), o) }

// publish reads a sheet and makes it the answer.
func publish(t testing.TB, s driver.Store, name string, src io.Reader) {
	t.Helper()
	if err := load(s, name, src); err != nil {
		t.Fatal(err)
	}
}

func load(s driver.Store, name string, src io.Reader) error {
	return loadAs(s, name, src, driver.PublishReplace)
}

func loadAs(s driver.Store, name string, src io.Reader, policy driver.Policy) error {
	ctx := context.Background()
	text, err := io.ReadAll(src)
	if err != nil {
		return err
	}
	r, err := sheet.NewReader(bytes.NewReader(text), &sheet.ReaderOptions{Name: name})
	if err != nil {
		return err
	}
	var parts []*egrid.Batch
	for decoded, err := range r.Batches() {
		if err != nil {
			return err
		}
		parts = append(parts, decoded.Batches...)
	}
	about := r.Sheet()
	rows := egrid.Concat(about.Schema, parts...)
	id, err := s.Stage(ctx, driver.SnapshotSpec{
		Level: about.Level, Year: rows.Year(), Release: about.Release, Schema: about.Schema,
		Source: egrid.Source{Object: name, SHA256: fmt.Sprintf("sha of %s, %x", name, sha256.Sum256(text)), Bytes: 1},
	})
	if err != nil {
		return err
	}
	if _, err := s.Put(ctx, id, driver.Chunk{Rows: rows}); err != nil {
		return err
	}
	_, err = s.Publish(ctx, id, driver.PublishRequest{Policy: policy, Chunks: 1, Rows: int64(rows.Len())})
	return err
}

func sampleStore(t testing.TB) driver.Store {
	t.Helper()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	publish(t, s, "GEN23.csv", strings.NewReader(generators23))
	publish(t, s, "PLNT21.csv", strings.NewReader(plants21))
	publish(t, s, "GEN16.csv", strings.NewReader(generators16))
	publish(t, s, "SRL23.csv", strings.NewReader(subregions23))
	return s
}

// get asks a handler without a network.
func get(t testing.TB, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("X-Request-ID", "test")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answers is every documented path, and what can be wrong with it. The golden
// file of a case is testdata/<name>.golden.
var answers = []struct {
	name, target string
	status       int
}{
	{"top", "/plants/top", 200},
	{"top_limit", "/plants/top?limit=2", 200},
	{"top_page_2", "/plants/top?limit=2&cursor=@next", 200},
	{"top_state", "/plants/top?state=tx", 200},
	{"top_two_states", "/plants/top?state=TX,OK&order=asc", 200},
	{"top_state_of_nobody", "/plants/top?state=ZZ", 200},
	{"top_fuel", "/plants/top?fuel=NG", 200},
	{"top_fuel_category", "/plants/top?fuel_category=coal,SOLAR", 200},
	{"top_2021", "/plants/top?year=2021", 200},
	{"top_region", "/plants/top?year=2021&subregion=ERCT&balancing_authority=ERCO&nerc_region=TRE", 200},
	{"top_year_of_nothing", "/plants/top?year=2019", 404},
	{"top_bad_state", "/plants/top?state=XXX", 400},
	{"top_bad_limit", "/plants/top?limit=0", 400},
	{"top_large_limit", "/plants/top?limit=1001", 400},
	{"top_bad_year", "/plants/top?year=abc", 400},
	{"top_year_out_of_range", "/plants/top?year=2200", 400},
	{"top_unknown_parameter", "/plants/top?stat=TX", 400},
	{"top_many_faults", "/plants/top?state=XXX&limit=x&fuel_category=STEAM&order=up", 400},
	{"top_twice", "/plants/top?state=TX&state=OK", 400},
	{"top_empty", "/plants/top?state=&limit=1", 200},
	{"top_empty_in_list", "/plants/top?state=TX,,OK", 400},
	{"top_bad_cursor", "/plants/top?cursor=nonsense", 400},
	{"top_bad_release", "/plants/top?release=final", 400},
	{"top_absent_release", "/plants/top?release=v9", 404},
	{"top_region_of_generators", "/plants/top?subregion=ERCT", 400},
	{"top_bad_format", "/plants/top?format=xml", 400},
	{"top_bad_query", "/plants/top?state=%zz", 400},
	{"search", "/plants/search?q=alpha&year=2021", 200},
	{"search_operator", "/plants/search?q=big+power&year=2021&columns=plant_name,operator_name", 200},
	{"search_bounds", "/plants/search?min_nameplate_capacity_mw=50&max_net_generation_mwh=100.5&sort=-net_generation_mwh", 200},
	{"search_column", `/plants/search?plant_name=%22Bravo,+East+%22%222%22%22%22,Silent&columns=plant_name,share`, 200},
	{"search_own_column", "/plants/search?year=2021&OWNCOL=x&columns=OWNCOL", 200},
	{"search_code", "/plants/search?year=2021&min_PLNGENAN=0&columns=PLNGENAN", 200},
	{"search_bad_bound", "/plants/search?min_net_generation_mwh=much", 400},
	{"search_bound_on_text", "/plants/search?min_plant_name=A", 400},
	{"search_bad_columns", "/plants/search?columns=plant_nam&sort=-net_generation", 400},
	{"search_unsortable", "/plants/search?sort=share", 400},
	{"states", "/plants/states", 200},
	{"states_2021", "/plants/states?year=2021", 200},
	{"years", "/plants/years", 200},
	{"years_of_state", "/plants/years?state=OK", 200},
	{"chart_state", "/plants/chart/by-state", 200},
	{"chart_year", "/plants/chart/by-year", 200},
	{"chart_fuel", "/plants/chart/by-fuel", 200},
	{"chart_subregion", "/plants/chart/by-subregion", 200},
	{"chart_subregion_2021", "/plants/chart/by-subregion?year=2021", 200},
	{"chart_unknown", "/plants/chart/by-colour", 400},
	{"chart_year_of_year", "/plants/chart/by-year?year=2021", 400},
	{"statistics", "/plants/statistics", 200},
	{"plant", "/plants/1", 200},
	{"plant_2021", "/plants/02?year=2021", 200},
	{"plant_by_name", "/plants/OK~Beta%20~%201%2F2,%20East?year=2016", 200},
	{"plant_absent", "/plants/99999", 404},
	{"plant_absent_year", "/plants/1?year=2019", 404},
	{"plant_leading_zero", "/plants/2", 404},
	{"history", "/plants/1/history", 200},
	{"history_absent", "/plants/99999/history", 404},
	{"generators", "/plants/1/generators", 200},
	{"generators_by_name", "/plants/OK~Beta%20~%201%2F2,%20East/generators?year=2016", 200},
	{"generators_absent", "/plants/99999/generators", 404},
	{"units_none", "/plants/1/units", 200},
	{"rows", "/levels/gen/rows?limit=2&sort=-net_generation_mwh&columns=plant_name,net_generation_mwh", 200},
	{"rows_filter", "/levels/GEN/rows?state=OK&generator_id=1", 200},
	{"rows_of_nothing", "/levels/UNT/rows", 200},
	{"rows_year_of_nothing", "/levels/GEN/rows?year=2020", 404},
	{"rows_bad_level", "/levels/GENERATOR/rows", 400},
	{"rows_unknown_parameter", "/levels/GEN/rows?stat=TX", 400},
	{"rows_unknown_column", "/levels/GEN/rows?columns=nonsense", 400},
	{"rows_all_years", "/levels/GEN/rows?year=all&columns=data_year,plant_name,fuel&sort=-plant_name,data_year&limit=3", 200},
	{"rows_bad_years", "/levels/GEN/rows?year=some", 400},
	{"rows_conditions", "/levels/GEN/rows?filter=net_generation_mwh%3E=100&filter=FUELG1!=BIT,WAT&filter=prime_mover%20missing&columns=plant_name,fuel&count=false", 200},
	{"rows_quotes", "/levels/GEN/rows?filter=plant_name=%22Bravo,%20East%20%22%222%22%22%22&columns=plant_name", 200},
	{"rows_bad_conditions", "/levels/GEN/rows?filter=nonsense&filter=state=%22TX&filter==1", 400},
	{"rows_condition_on_unknown", "/levels/GEN/rows?filter=plant_nam=x&sort=-plant_nam", 400},
	{"rows_condition_of_wrong_type", "/levels/GEN/rows?filter=net_generation_mwh%3Emuch", 400},
	{"rows_facets", "/levels/GEN/rows?facet=fuel,state,prime_mover&columns=plant_name&limit=1&max_net_generation_mwh=450", 200},
	{"rows_facets_of_nothing", "/levels/GEN/rows?facet=fuel&year=2020", 404},
	{"rows_bad_facet", "/levels/GEN/rows?facet=fuell", 400},
	{"rows_facet_of_export", "/levels/GEN/rows?facet=fuel&format=csv", 400},
	{"search_facets", "/plants/search?facet=fuel,state,fuel_category&columns=plant_name&limit=1", 200},
	{"search_facets_2021", "/plants/search?year=2021&facet=PLPRMFL,subregion,OWNCOL&columns=plant_name&limit=1&filter=state=TX", 200},
	{"search_facets_of_nothing", "/plants/search?year=2020&facet=fuel", 404},
	{"search_facet_of_sum", "/plants/search?facet=net_generation_mwh", 400},
	{"search_facet_of_generators", "/plants/search?facet=subregion", 400},
	{"groups", "/levels/GEN/groups?by=state&measures=count,sum(net_generation_mwh)%20as%20total,max(plant_name)&sort=-total", 200},
	{"groups_of_all", "/levels/gen/groups", 200},
	{"groups_having", "/levels/GEN/groups?year=all&by=data_year,state&measures=count%20as%20n&having=n%3E1&filter=generator_id!=3&sort=data_year,-n&limit=2", 200},
	{"groups_page_2", "/levels/GEN/groups?by=plant_name&measures=count&limit=2&cursor=@next", 200},
	{"groups_year_of_nothing", "/levels/GEN/groups?year=2020&by=fuel&measures=count,sum(net_generation_mwh)", 404},
	{"groups_absent_release", "/levels/GEN/groups?release=v9", 404},
	{"groups_bad_measures", "/levels/GEN/groups?measures=median(net_generation_mwh)", 400},
	{"groups_bad_syntax", "/levels/GEN/groups?measures=sum&by=fuell&having=x", 400},
	{"groups_bad_sort", "/levels/GEN/groups?by=state&sort=fuel", 400},
	{"region", "/regions/SRL/ERCT", 200},
	{"region_absent", "/regions/SRL/CAMX", 404},
	{"region_us", "/regions/US/US", 404},
	{"factor", "/factors?subregion=erct&gas=co2&unit=kg/MWh", 200},
	{"factor_of_rate", "/factors?subregion=SPSO&gas=co2", 200},
	{"factor_of_plants", "/factors?plants=1,02&explain=true", 200},
	{"factor_of_region_plants", "/factors?nerc=TRE&year=2021&explain=true", 200},
	{"factor_absent", "/factors?subregion=CAMX", 404},
	{"factor_absent_plant", "/factors?plants=1,9", 404},
	{"factor_absent_column", "/factors?plants=1&gas=nox", 404},
	{"factor_absent_year", "/factors?subregion=ERCT&year=2019", 404},
	{"factor_of_no_generation", "/factors?plants=3&kind=combustion", 404},
	{"factor_delivered", "/factors?subregion=ERCT&gas=co2&delivered=true", 404},
	{"factor_two_places", "/factors?subregion=ERCT&us=true", 400},
	{"factor_no_place", "/factors", 400},
	{"factor_bad_words", "/factors?us=yes&gas=sf6&kind=marginal&gwp=ar7&unit=stone", 400},
	{"factor_bad_unit", "/factors?subregion=ERCT&unit=kg/GJ", 400},
	{"explain", "/explain/SRL/ERCT/SRCO2RTA", 200},
	{"explain_input", "/explain/PLNT/1/net_generation_mwh", 200},
	{"explain_lowercase", "/explain/srl/erct/srnamepcap", 200},
	{"explain_absent", "/explain/SRL/CAMX/SRCO2RTA", 404},
	{"explain_unknown_column", "/explain/SRL/ERCT/SRCO3RTA", 400},
	{"explain_bad_level", "/explain/GEN/1/GENNTAN", 400},
	{"zip_without_crosswalk", "/crosswalk/zip/97201", 404},
	{"reconciliation", "/reconciliation/2023", 200},
	{"reconciliation_all", "/reconciliation/2023?cells=all", 200},
	{"reconciliation_absent", "/reconciliation/2019", 404},
	{"reconciliation_absent_release", "/reconciliation/2023?release=rev9", 404},
	{"reconciliation_bad_parameters", "/reconciliation/last?cells=some&release=new", 400},
	{"plant_paths", "/plants", 200},
	{"levels", "/levels", 200},
	{"region_levels", "/regions", 200},
	{"regions", "/regions/SRL", 200},
	{"regions_by_sheet", "/regions/NRL?year=2021", 404},
	{"regions_bad_level", "/regions/STATE", 400},
	{"column_share", "/columns/share", 200},
	{"column_misspelt", "/columns/net_generatoin_mwh", 404},
	{"catalog_in_full", "/catalog?all=true&schemas=true", 200},
	{"near_path", "/plant/tpo", 404},
	{"columns", "/columns?level=GGL", 200},
	{"column", "/columns/CO2EQA", 404},
	{"column_by_name", "/columns/grid_gross_loss", 200},
	{"column_absent", "/columns/nonsense", 404},
	{"snapshots", "/snapshots", 200},
	{"snapshots_all", "/snapshots?all=true", 200},
	{"snapshot", "/snapshots/@GEN", 200},
	{"snapshot_absent", "/snapshots/0123", 404},
	{"catalog", "/catalog", 200},
	{"healthz", "/healthz", 200},
	{"readyz", "/readyz", 200},
	{"no_such_path", "/nothing/here", 404},
}

// idOf finds the snapshot that is published for a level and data year.
func idOf(t *testing.T, s driver.Scanner, level egrid.Level, year int) string {
	t.Helper()
	catalog, err := s.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, ok := catalog.Published(level, year, "")
	if !ok {
		t.Fatalf("no %s of %d", level, year)
	}
	return string(found.ID)
}

// nextOf finds what @next stands for: the cursor behind the same request
// without one.
func nextOf(t *testing.T, h http.Handler, target string) string {
	t.Helper()
	first := strings.TrimSuffix(target, "&cursor=@next")
	if first == target {
		return target
	}
	var page struct{ Links struct{ Next string } }
	if err := json.Unmarshal(get(t, h, first).Body.Bytes(), &page); err != nil || page.Links.Next == "" {
		t.Fatalf("%s has no next page: %v", first, err)
	}
	return page.Links.Next
}

// What differs from run to run, and cursors and ids, which are nobody's business.
var (
	changing = regexp.MustCompile(`"(loaded_at|last_load|latency_seconds)":("[^"]*"|[0-9.e-]+)`)
	cursors  = regexp.MustCompile(`cursor=[A-Za-z0-9._-]{20,}`)
	ids      = regexp.MustCompile(`\b[0-9a-f]{24}\b`)
	lastYear = regexp.MustCompile(`1990-20\d\d`)
)

func TestAnswers(t *testing.T) {
	s := sampleStore(t)
	h := newAPI(s, nil)
	check := newSchemaCheck(t, h)
	for _, test := range answers {
		t.Run(test.name, func(t *testing.T) {
			target := strings.Replace(nextOf(t, h, test.target), "@GEN", idOf(t, s, egrid.GEN, 2023), 1)
			w := get(t, h, target)
			if w.Code != test.status {
				t.Errorf("status %d; want %d", w.Code, test.status)
			}
			want := "application/json"
			if test.status >= 400 {
				want = "application/problem+json"
			}
			if got := w.Header().Get("Content-Type"); got != want {
				t.Errorf("content type %q; want %q", got, want)
			}
			check(t, target, w)
			body := changing.ReplaceAll(w.Body.Bytes(), []byte(`"$1":"..."`))
			body = ids.ReplaceAll(body, []byte("..."))
			body = lastYear.ReplaceAll(cursors.ReplaceAll(body, []byte("cursor=...")), []byte("1990-..."))
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, body, "", "  "); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			golden(t, test.name, pretty.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	goldenFile(t, filepath.Join("testdata", name+".golden"), got)
}

func goldenFile(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not as in %s (when the change is meant, run make generate):\n%s", path, got)
	}
}

// records reads a CSV body.
func records(t testing.TB, body string) [][]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}
