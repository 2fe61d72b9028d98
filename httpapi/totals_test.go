package httpapi_test

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// total is a row of /plants/states and /plants/years, or a point of a chart.
type total struct {
	State, Basis, Release string
	Year                  int
	X                     any
	Y                     *float64
	Generation            *float64 `json:"net_generation_mwh"`
	Plants                *int64
}

func (r *total) mwh() float64 {
	for _, x := range []*float64{r.Generation, r.Y} {
		if x != nil {
			return *x
		}
	}
	return math.NaN()
}

// totalsAt asks for totals and their meta data.
func totalsAt(t *testing.T, h http.Handler, target string) ([]total, wire.Meta) {
	t.Helper()
	var data json.RawMessage
	meta := answerAt(t, h, target, &data)
	var rows []total
	var chart struct {
		Series []struct{ Points []total }
	}
	if json.Unmarshal(data, &rows) != nil {
		if err := json.Unmarshal(data, &chart); err != nil || len(chart.Series) != 1 {
			t.Fatalf("%s: %v in %s", target, err, data)
		}
		rows = chart.Series[0].Points
	}
	return rows, meta
}

func answerAt(t *testing.T, h http.Handler, target string, data any) wire.Meta {
	t.Helper()
	w := get(t, h, target)
	var answer struct {
		Data json.RawMessage
		Meta wire.Meta
	}
	err := json.Unmarshal(w.Body.Bytes(), &answer)
	if err == nil && w.Code == 200 {
		err = json.Unmarshal(answer.Data, data)
	}
	if err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %v %s", target, w.Code, err, w.Body)
	}
	return answer.Meta
}

// everyTotal are the answers with totals, by the level that they are of where all
// regions are loaded.
var everyTotal = map[string]string{
	"/plants/states": "ST", "/plants/years": "US", "/plants/chart/by-state": "ST", "/plants/chart/by-year": "US", "/plants/chart/by-fuel": "US", "/plants/chart/by-subregion": "SRL",
}

// On the bundled sample all sheets are of one release and agree: every answer has the
// same total, and nothing differs.
func TestTotalsOfTheSample(t *testing.T) {
	t.Parallel()
	h := newAPI(bundledStore(t), nil)
	var statistics wire.Statistics
	meta := answerAt(t, h, "/plants/statistics", &statistics)
	if meta.Basis != "US" || statistics.Plants == nil || *statistics.Plants != 150 || statistics.PlantsBasis != egrid.PLNT || len(meta.Differences) > 0 {
		t.Errorf("statistics %+v, %+v", statistics, meta)
	}
	for target, level := range everyTotal {
		rows, meta := totalsAt(t, h, target)
		sum := 0.0
		for i := range rows {
			if rows[i].Basis != level {
				t.Errorf("%s: %+v is not of %s", target, rows[i], level)
			}
			sum += rows[i].mwh()
		}
		if math.Abs(sum-float64(*statistics.NetGeneration)) > 0.01 || len(meta.Differences) > 0 {
			t.Errorf("%s adds up to %f; want %f, and no differences: %+v", target, sum, *statistics.NetGeneration, meta.Differences)
		}
	}
	var plants []struct {
		State string
		Share float64
	}
	meta = answerAt(t, h, "/plants/top?state=CA&limit=1000", &plants)
	sum := 0.0
	for _, plant := range plants {
		sum += plant.Share
	}
	if meta.Basis != "PLNT" || meta.ShareBasis != "ST" || len(meta.Differences) > 0 || math.Abs(sum-1) > 1e-9 {
		t.Errorf("the plants of California have %f of it, by %s %s", sum, meta.Basis, meta.ShareBasis)
	}
}

// The same with plants of a newer release of which a fuel was doubled: every answer
// that is by another sheet says so, and none adds the two.
func TestTotalsThatDisagree(t *testing.T) {
	t.Parallel()
	s := bundledStore(t)
	publish(t, s, "GEN23_rev1.csv", strings.NewReader(generators23))
	h := newAPI(s, nil)
	for target := range everyTotal {
		rows, meta := totalsAt(t, h, target)
		of := slices.IndexFunc(meta.Differences, func(d wire.TotalDifference) bool { return d.OtherBasis == egrid.GEN })
		if told := strings.HasSuffix(target, "by-subregion"); told == (of >= 0) {
			t.Errorf("%s: differences %+v", target, meta.Differences)
		}
		for i := range rows {
			if rows[i].Release != "" || rows[i].Basis == "GEN" {
				t.Errorf("%s: %+v", target, rows[i])
			}
		}
		if of < 0 {
			continue
		}
		d := meta.Differences[of]
		if d.OtherRelease != "rev1" || d.OtherTotal != 991 || math.Abs(float64(d.Total+d.DifferenceTotal-991)) > 0.01 || d.Year != 2023 {
			t.Errorf("%s: difference %+v", target, d)
		}
	}
}

// With nothing but regions loaded, all that is about regions works.
func TestRegionsAlone(t *testing.T) {
	t.Parallel()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	publish(t, s, "SRL23-rev0.csv", strings.NewReader(subregions23))
	publish(t, s, "ST23-rev0.csv", strings.NewReader("YEAR,PSTATABB,STNAMEPCAP,STNGENAN,STGENACL,STGENAGS\n2023,TX,600,1001,501,500\n2023,OK,210,-10,0,-10\n"))
	h := newAPI(s, nil)
	for target, want := range map[string]int{
		"/plants/states": 2, "/plants/years": 1, "/plants/chart/by-state": 2, "/plants/chart/by-year": 1, "/plants/chart/by-fuel": 2, "/plants/chart/by-subregion": 2,
		"/plants/states?year=2023&release=rev0": 2, "/plants/chart/by-fuel?state=TX": 2, "/plants/years?state=OK": 1,
	} {
		rows, meta := totalsAt(t, h, target)
		if len(rows) != want || len(meta.Differences) > 0 || rows[0].Plants != nil || rows[0].Release != "rev0" || math.IsNaN(rows[0].mwh()) {
			t.Errorf("%s: %+v, %+v", target, rows, meta)
		}
	}
	for target, status := range map[string]int{
		"/regions/ST/TX": 200, "/regions/SRL/ERCT": 200, "/plants/top": 200, "/plants/search": 200, "/plants/top?year=2023": 404, "/plants/states?year=2022": 404, "/plants/states?release=v9": 404,
	} {
		if w := get(t, h, target); w.Code != status {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	var statistics wire.Statistics
	if meta := answerAt(t, h, "/plants/statistics", &statistics); meta.Basis != "ST" || statistics.Plants != nil || statistics.NetGeneration == nil || *statistics.NetGeneration != 991 {
		t.Errorf("statistics %+v, %+v", statistics, meta)
	}
}

// Answers of several sheets have permanent addresses that give them again.
func TestPermanentTotals(t *testing.T) {
	t.Parallel()
	s := bundledStore(t)
	publish(t, s, "GEN23_rev1.csv", strings.NewReader(generators23))
	h := newAPI(s, nil)
	targets := []string{"/plants/top?limit=3", "/plants/900133", "/plants/search?state=CA&limit=2"}
	for target := range everyTotal {
		targets = append(targets, target)
	}
	type answer struct {
		Data  json.RawMessage
		Meta  struct{ Differences, Basis json.RawMessage }
		Links wire.Links
	}
	at := func(target string) (a answer) {
		t.Helper()
		w := get(t, h, target)
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 200 || a.Links.Permanent == "" {
			t.Fatalf("%s: %d %v %s", target, w.Code, err, w.Body)
		}
		return a
	}
	before := map[string]answer{}
	for _, target := range targets {
		before[target] = at(target)
	}
	publish(t, s, "US23_rev2.csv", strings.NewReader("YEAR,USNAMEPCAP,USNGENAN\n2023,1,2\n"))
	publish(t, s, "ST23_rev2.csv", strings.NewReader("YEAR,PSTATABB,STNAMEPCAP,STNGENAN\n2023,CA,1,2\n"))
	publish(t, s, "SRL23_rev2.csv", strings.NewReader(subregions23))
	publish(t, s, "PLNT23_rev2.csv", strings.NewReader(strings.ReplaceAll(plants21, "2021,", "2023,")))
	for target, want := range before {
		got := at(want.Links.Permanent)
		if !bytes.Equal(got.Data, want.Data) || !bytes.Equal(got.Meta.Differences, want.Meta.Differences) || !bytes.Equal(got.Meta.Basis, want.Meta.Basis) {
			t.Errorf("%s was\n%s %s\nand is at its permanent address\n%s %s", target, want.Data, want.Meta, got.Data, got.Meta)
		}
		if w := get(t, h, target); w.Code == 200 && bytes.Contains(w.Body.Bytes(), want.Data) {
			t.Errorf("%s does not see what was published", target)
		}
	}
}

// A sheet of plants without names and states has them from generators, and says so.
func TestFilledAnswers(t *testing.T) {
	t.Parallel()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	publish(t, s, "GEN23.csv", strings.NewReader(generators23))
	publish(t, s, "PLNT23_rev1.csv", strings.NewReader("YEAR,ORISPL,PLPRMFL,PLFUELCT,PLNGENAN\n2023,1,BIT,COAL,1100\n2023,3,WAT,HYDRO,-10\n"))
	h := newAPI(s, nil)
	for target, want := range map[string]string{
		"/plants/top": "Alpha", "/plants/top?state=OK": "Pumped & Co", "/plants/search?q=pumped&year=2023": "Pumped & Co", "/plants/search?plant_name=Alpha": "Alpha", "/plants/search?sort=-state": "Alpha",
	} {
		var plants []struct {
			Name string `json:"plant_name"`
		}
		meta := answerAt(t, h, target, &plants)
		if len(plants) == 0 || plants[0].Name != want || meta.Basis != "PLNT" || meta.Filled == nil || meta.Filled.Basis != "GEN" || meta.Filled.Release != "" || !slices.Equal(meta.Filled.Columns, []egrid.Column{"plant_name", "state"}) {
			t.Errorf("%s: %+v, %+v", target, plants, meta)
		}
	}
	states, _ := totalsAt(t, h, "/plants/states")
	if len(states) != 2 || states[0].State != "OK" || states[0].mwh() != -10 || states[0].Basis != "PLNT" {
		t.Errorf("states %+v", states)
	}
	if csv := get(t, h, "/plants/top?format=csv&state=TX").Body.String(); !strings.Contains(csv, "Alpha") {
		t.Errorf("CSV %s", csv)
	}
}

// eGRID2023 as it is loaded from its files: generators of rev1, in a file without a
// mark, and the regions of rev0.
func TestTotalsOfRealSheets(t *testing.T) {
	t.Parallel()
	s := realStore(t)
	h := newAPI(s, nil)
	const whole, arizona = 4167601391.182, 102908709.515
	for target := range everyTotal {
		rows, meta := totalsAt(t, h, target)
		sum := 0.0
		for i := range rows {
			sum += rows[i].mwh()
			if rows[i].Release != "rev0" {
				t.Errorf("%s: %+v", target, rows[i])
			}
			if (rows[i].State == "AZ" || rows[i].X == "AZ") && math.Abs(rows[i].mwh()-arizona) > 0.001 {
				t.Errorf("%s: Arizona has %f", target, rows[i].mwh())
			}
		}
		if math.Abs(sum-whole) > 7 { // EPA's fuels exceed EPA's total by 6.84 MWh
			t.Errorf("%s adds up to %f; want %f", target, sum, whole)
		}
		if target == "/plants/chart/by-subregion" {
			continue // generators do not know subregions
		}
		if len(meta.Differences) != 1 || meta.Differences[0].OtherBasis != egrid.GEN || math.Abs(float64(meta.Differences[0].DifferenceTotal)-21369952.176) > 0.01 {
			t.Errorf("%s: differences %+v; want generators with 21.4 TWh more", target, meta.Differences)
		}
	}
	var plants []struct {
		Name  string `json:"plant_name"`
		Share float64
	}
	for target, gap := range map[string]float64{"/plants/top?limit=1": 21369952.176, "/plants/top?limit=1&state=AZ": 8912235.999} {
		meta := answerAt(t, h, target, &plants)
		if plants[0].Name != "Palo Verde" || math.Abs(plants[0].Share-0.306316) > 1e-6 || meta.Basis != "GEN" || meta.ShareBasis != "ST" || meta.ShareRelease == nil || *meta.ShareRelease != "rev0" {
			t.Errorf("%s: %+v, %+v", target, plants, meta)
		}
		if len(meta.Differences) != 1 || math.Abs(float64(meta.Differences[0].DifferenceTotal)-gap) > 0.01 {
			t.Errorf("%s: differences %+v; want %f MWh", target, meta.Differences, gap)
		}
	}
}

// realStore holds EPA's sheets of 2023.
func realStore(t *testing.T) driver.Store {
	t.Helper()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	for _, name := range []string{"GEN23.csv", "ST23-rev0.csv", "BA23-rev0.csv", "SRL23-rev0.csv", "NRL23-rev0.csv", "US23-rev0.csv"} {
		publish(t, s, name, testenv.Open(t, "2023/"+name))
	}
	return s
}

// The client asks what a store is asked, and the figures are the same: the shares and
// totals of several sheets, and what is filled in.
func TestTotalsOfTheClient(t *testing.T) {
	t.Parallel()
	s := bundledStore(t)
	publish(t, s, "GEN23_rev1.csv", strings.NewReader(generators23))
	publish(t, s, "PLNT23_rev2.csv", strings.NewReader("YEAR,ORISPL,PLPRMFL,PLFUELCT,PLNGENAN\n2023,1,BIT,COAL,1100\n2023,3,WAT,HYDRO,-10\n"))
	server := httptest.NewServer(newAPI(s, nil))
	defer server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	here, there := store.New(s), store.New(c)
	for _, by := range []egrid.Column{"", egrid.Year, egrid.State, egrid.FuelCategoryColumn, egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion} {
		for _, release := range []string{"", egrid.NoRelease, "rev1"} {
			want, absent := here.Totals(t.Context(), by, store.PlantQuery{Release: release})
			got, err := there.Totals(t.Context(), by, store.PlantQuery{Release: release})
			if err != nil || absent != nil || got.String() != want.String() || !reflect.DeepEqual(got.Differences, want.Differences) {
				t.Errorf("by %s of %q: %v, %v\n%v %+v\nwant\n%v %+v", by, release, err, absent, got.Batch, got.Differences, want.Batch, want.Differences)
			}
		}
	}
	query := store.PlantQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}}
	want, absent := here.Plants(t.Context(), query)
	got, err := there.Plants(t.Context(), query)
	if err != nil || absent != nil || got.Len() != 1 || got.String() != want.String() || !reflect.DeepEqual(got.PlantSource, want.PlantSource) {
		t.Errorf("plants %v, %v\n%v %+v\nwant\n%v %+v", err, absent, got.Batch, got.PlantSource, want.Batch, want.PlantSource)
	}
}
