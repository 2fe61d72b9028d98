package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// publishCSV reads a sheet and publishes it, replacing what is there.
func publishCSV(t testing.TB, l driver.Loader, name, text string) {
	t.Helper()
	publishFrom(t, l, name, strings.NewReader(text))
}

func publishFrom(t testing.TB, l driver.Loader, name string, r io.Reader) {
	t.Helper()
	loaded, err := store.Load(t.Context(), l, r, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}, Publish: driver.PublishReplace})
	if err != nil || loaded.Rejected > 0 || len(loaded.Reports) != 1 || loaded.Reports[0].Status != egrid.Published {
		t.Fatalf("%s: %+v, %v", name, loaded, err)
	}
}

// A plant with two fuels (1), one with a leading zero (02), one that pumps (3),
// one without any generation given (4).
const generators23 = `YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN,GENNTOZ
2023,TX,Alpha,1,1,NG,100,400,200
2023,TX,Alpha,1,2,BIT,300,500,250
2023,TX,Alpha,1,3,NG,150,0.5,
2023,TX,Bravo,02,1,SUN,50,100.5,60
2023,OK,Pumped,3,1,WAT,200,-10,-5
2023,OK,Silent,4,1,WND,10,,
`

const plants21 = `YEAR,PSTATABB,PNAME,ORISPL,OPRNAME,SUBRGN,BACODE,NERC,PLPRMFL,PLFUELCT,NAMEPCAP,CAPFAC,PLNGENAN,PLCO2EQA,OWNCOL
2021,TX,Alpha,1,Big Power,ERCT,ERCO,TRE,BIT,COAL,550,0.1,900,40.5,x
2021,TX,Bravo,02,Small Power,ERCT,ERCO,TRE,SUN,SOLAR,50,0.2,100,0,y
2021,OK,Pumped,3,Big Power,SPSO,NA,SPP,WAT,HYDRO,200,,-10,0,
`

const namelessPlants16 = `YEAR,PSTATABB,PNAME,GENID,GENNTAN
2016,TX,Alpha,1,7
2016,OK,Alpha,1,8
2016,OK,"Beta ~ 1/2, East",1,9
2016,OK,"Beta ~ 1/2, East",2,10
`

func plantStore(t testing.TB) (*memstore.Store, *store.DB) {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	publishCSV(t, s, "GEN23.csv", generators23)
	publishCSV(t, s, "PLNT21.csv", plants21)
	publishCSV(t, s, "GEN16.csv", namelessPlants16)
	return s, store.New(s)
}

// line writes columns of a row for comparison.
func line(row egrid.Row, columns ...egrid.Column) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = row.Text(c)
	}
	return strings.Join(texts, " ")
}

func lines(b *egrid.Batch, columns ...egrid.Column) []string {
	var texts []string
	for row := range b.Rows() {
		texts = append(texts, line(row, columns...))
	}
	return texts
}

func TestPlants(t *testing.T) {
	_, db := plantStore(t)
	byGeneration := []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}
	tests := []struct {
		name    string
		query   store.PlantQuery
		basis   egrid.Level
		columns []egrid.Column
		want    []string
	}{
		{"newest year, summed from generators", store.PlantQuery{Sort: byGeneration}, egrid.GEN,
			[]egrid.Column{"id", "state", "plant_name", "fuel", "fuel_category", "net_generation_mwh", "nameplate_capacity_mw", "generator_count"},
			[]string{"1 TX Alpha BIT COAL 900.5 550 3", "02 TX Bravo SUN SOLAR 100.5 50 1", "3 OK Pumped WAT HYDRO -10 200 1", "4 OK Silent WND WIND  10 1"}},
		{"share of the state", store.PlantQuery{Sort: byGeneration, Limit: 2}, egrid.GEN,
			[]egrid.Column{"id", "share"}, []string{"1 0.8996003996003996", "02 0.1003996003996004"}},
		{"no share of nothing", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("state", egrid.Eq, "OK")}}, egrid.GEN,
			[]egrid.Column{"id", "share"}, []string{"3 ", "4 "}},
		{"fuel chooses generators", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("fuel", egrid.Eq, "NG")}}, egrid.GEN,
			[]egrid.Column{"id", "fuel", "net_generation_mwh", "generator_count"}, []string{"1 NG 400.5 2"}},
		{"fuel category on generators", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("fuel_category", egrid.Eq, "COAL", "WIND")}}, egrid.GEN,
			[]egrid.Column{"id", "net_generation_mwh"}, []string{"1 500", "4 "}},
		{"bounds hold for the plant", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("nameplate_capacity_mw", egrid.Ge, "400")}}, egrid.GEN,
			[]egrid.Column{"id", "nameplate_capacity_mw"}, []string{"1 550"}},
		{"search", store.PlantQuery{Search: "brav"}, egrid.GEN, []egrid.Column{"id"}, []string{"02"}},
		{"count of generators", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("generator_count", egrid.Gt, "1")}}, egrid.GEN, []egrid.Column{"id"}, []string{"1"}},
		{"plant sheet", store.PlantQuery{Year: 2021, Sort: byGeneration}, egrid.PLNT,
			[]egrid.Column{"id", "operator_name", "subregion", "fuel_category", "net_generation_mwh", "share", "co2e_short_tons"},
			[]string{"1 Big Power ERCT COAL 900 0.9 40.5", "02 Small Power ERCT SOLAR 100 0.1 0", "3 Big Power SPSO HYDRO -10  0"}},
		{"plant sheet by region", store.PlantQuery{Year: 2021, Filters: []egrid.Filter{egrid.Where("balancing_authority", egrid.Eq, "NA")}}, egrid.PLNT,
			[]egrid.Column{"id"}, []string{"3"}},
		{"columns", store.PlantQuery{Year: 2021, Columns: []egrid.Column{"OWNCOL", "PLNGENAN"}, Limit: 1}, egrid.PLNT,
			[]egrid.Column{"id", "OWNCOL", "net_generation_mwh", "state"}, []string{"1 x 900 "}},
		{"no ORIS codes", store.PlantQuery{Year: 2016}, egrid.GEN,
			[]egrid.Column{"id", "net_generation_mwh"}, []string{"OK~Alpha 8", "OK~Beta ~ 1/2, East 19", "TX~Alpha 7"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, err := db.Plants(t.Context(), test.query)
			if err != nil {
				t.Fatal(err)
			}
			if page.Basis != test.basis {
				t.Errorf("basis %s; want %s", page.Basis, test.basis)
			}
			if got := lines(page.Batch, test.columns...); !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestPlantsPages(t *testing.T) {
	_, db := plantStore(t)
	for _, year := range []int{0, 2016, 2021} {
		query := store.PlantQuery{Year: year, Limit: 1, Count: true}
		var ids []string
		for {
			page, err := db.Plants(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[int]int64{0: 4, 2016: 3, 2021: 3}[year]; page.Total != want {
				t.Fatalf("%d: total %d; want %d", year, page.Total, want)
			}
			ids = append(ids, lines(page.Batch, store.PlantID)...)
			if query.Cursor = page.Next; query.Cursor == "" {
				break
			}
		}
		slices.Sort(ids)
		if n := len(slices.Compact(ids)); n != map[int]int{0: 4, 2016: 3, 2021: 3}[year] {
			t.Errorf("%d: %q", year, ids)
		}
	}
}

func TestPlantsCursors(t *testing.T) {
	s, db := plantStore(t)
	first, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, cursor := range []string{"x", "GEN2023.", "GEN2023.x", "ST2023.x", "GEN1.x", first.Next[:len(first.Next)-3], "PLNT9999999999999999999.x"} {
		if _, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1, Cursor: cursor}); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
	if _, err := db.Plants(t.Context(), store.PlantQuery{Year: 2021, Cursor: first.Next}); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("cursor of another year: %v", err)
	}
	publishCSV(t, s, "GEN24.csv", strings.ReplaceAll(generators23, "2023,", "2024,"))
	second, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1, Cursor: first.Next})
	if err != nil || second.Year != 2023 {
		t.Errorf("a newer year changed the pages of an older: %d, %v", second.Year, err)
	}
	publishCSV(t, s, "PLNT23.csv", strings.ReplaceAll(plants21, "2021,", "2023,"))
	third, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1, Cursor: first.Next})
	if err != nil || third.Basis != egrid.GEN || line(third.Row(0), store.PlantID) != line(second.Row(0), store.PlantID) {
		t.Errorf("a cursor of the generators after plants came: %s, %v", third.Basis, err)
	}
	publishCSV(t, s, "GEN23.csv", strings.ReplaceAll(generators23, "2023,TX", "2023,CA"))
	if _, err := s.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1, Cursor: first.Next}); !errors.Is(err, egrid.ErrStale) {
		t.Errorf("a cursor whose snapshot was pruned: %v", err)
	}
}

func TestPlantsErrors(t *testing.T) {
	_, db := plantStore(t)
	tests := []struct {
		name  string
		query store.PlantQuery
		want  error
		say   string
	}{
		{"absent year", store.PlantQuery{Year: 2019}, egrid.ErrNotFound, "2016 2021 2023"},
		{"absent release", store.PlantQuery{Release: "v3"}, egrid.ErrNotFound, "release v3"},
		{"all years", store.PlantQuery{Year: egrid.AllYears}, egrid.ErrInvalid, "one data year"},
		{"year out of range", store.PlantQuery{Year: 1900}, egrid.ErrInvalid, "1990"},
		{"region of generators", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("subregion", egrid.Eq, "ERCT")}}, egrid.ErrInvalid, "no PLNT sheet"},
		{"sort by one of several", store.PlantQuery{Sort: []egrid.Sort{{Column: "fuel"}}}, egrid.ErrInvalid, "several"},
		{"unknown column", store.PlantQuery{Columns: []egrid.Column{"nonsense"}}, egrid.ErrInvalid, "nonsense"},
		{"unknown category", store.PlantQuery{Filters: []egrid.Filter{egrid.Where("fuel_category", egrid.Eq, "STEAM")}}, egrid.ErrInvalid, "NUCLEAR"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := db.Plants(t.Context(), test.query)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.say) {
				t.Errorf("got %v; want %v with %q", err, test.want, test.say)
			}
		})
	}
}

func TestPlantsOfNothing(t *testing.T) {
	db := store.New(memstore.New())
	page, err := db.Plants(t.Context(), store.PlantQuery{})
	if err != nil || page.Basis != "" || page.Len() != 0 || page.Schema() == nil {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := db.Plant(t.Context(), "1", 0, ""); !errors.Is(err, egrid.ErrNotFound) {
		t.Error(err)
	}
	sums, err := db.SumPlants(t.Context(), egrid.State, store.PlantQuery{})
	if err != nil || sums.Len() != 0 {
		t.Error(sums, err)
	}
	years, err := db.Totals(t.Context(), egrid.Year, store.PlantQuery{})
	if err != nil || years.Len() != 0 || years.Schema() == nil {
		t.Error(years, err)
	}
}

func TestFindPlant(t *testing.T) {
	_, db := plantStore(t)
	for _, year := range []int{2016, 2021, 2023} {
		all, err := db.Plants(t.Context(), store.PlantQuery{Year: year})
		if err != nil {
			t.Fatal(err)
		}
		for row := range all.Rows() {
			id := row.Text(store.PlantID)
			one, err := db.Plant(t.Context(), id, year, "")
			if err != nil {
				t.Errorf("%d %s: %v", year, id, err)
				continue
			}
			columns := []egrid.Column{store.PlantID, egrid.PlantName, egrid.NetGeneration, store.ShareOfState}
			if got, want := line(one.Row(0), columns...), line(row, columns...); got != want {
				t.Errorf("got %s; want %s", got, want)
			}
			members, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Filters: store.PlantFilters(id), Year: all.Year})
			if all.Basis == egrid.GEN && (err != nil || members.Len() == 0) {
				t.Errorf("generators of %s: %v, %v", id, members, err)
			}
		}
	}
	own, err := db.Plant(t.Context(), "1", 2021, "")
	if err != nil || own.Row(0).Text("OWNCOL") != "x" {
		t.Error("a column without a name of ours is lost", err)
	}
	for _, id := range []string{"2", "99", "TX~Nobody", "~"} {
		if _, err := db.Plant(t.Context(), id, 2023, ""); err == nil {
			t.Errorf("plant %q exists", id)
		}
	}
}

func TestPlantHistory(t *testing.T) {
	_, db := plantStore(t)
	page, err := db.PlantHistory(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 2021 PLNT 900", "1 2023 GEN 900.5"}
	if got := lines(page.Batch, store.PlantID, egrid.Year, store.BasisColumn, egrid.NetGeneration); !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
	if _, err := db.PlantHistory(t.Context(), "77"); !errors.Is(err, egrid.ErrNotFound) {
		t.Error(err)
	}
}

func TestSumPlants(t *testing.T) {
	_, db := plantStore(t)
	tests := []struct {
		by   egrid.Column
		year int
		want []string
	}{
		{egrid.State, 2023, []string{"OK 2 -10 210", "TX 2 1001 600"}},
		{egrid.State, 2021, []string{"OK 1 -10 200", "TX 2 1000 600"}},
		{egrid.FuelCategoryColumn, 2023, []string{"COAL 1 500 300", "GAS 1 400.5 250", "HYDRO 1 -10 200", "SOLAR 1 100.5 50", "WIND 1  10"}},
		{egrid.FuelCategoryColumn, 2021, []string{"COAL 1 900 550", "HYDRO 1 -10 200", "SOLAR 1 100 50"}},
		{egrid.Subregion, 2021, []string{"ERCT 2 1000 600", "SPSO 1 -10 200"}},
		{"", 2023, []string{" 4 991 810"}},
		{egrid.State, 2016, []string{"OK 2 27 ", "TX 1 7 "}},
	}
	for _, test := range tests {
		page, err := db.SumPlants(t.Context(), test.by, store.PlantQuery{Year: test.year})
		if err != nil {
			t.Errorf("%s %d: %v", test.by, test.year, err)
			continue
		}
		if got := lines(page.Batch, test.by, store.PlantCount, egrid.NetGeneration, egrid.NameplateCapacity); !slices.Equal(got, test.want) {
			t.Errorf("%s %d: got %q; want %q", test.by, test.year, got, test.want)
		}
	}
	years, err := db.Totals(t.Context(), egrid.Year, store.PlantQuery{})
	want := []string{"2016 GEN 3 34", "2021 PLNT 3 990", "2023 GEN 4 991"}
	if got := lines(years.Batch, egrid.Year, store.BasisColumn, store.PlantCount, egrid.NetGeneration); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// publishing is a scanner during whose scans somebody publishes.
type publishing struct {
	driver.Scanner
	publish func()
}

func (p publishing) Scan(ctx context.Context, plan *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	p.publish()
	return p.Scanner.Scan(ctx, plan)
}

// TestPlantsSeeOneState publishes a newer release and other figures during
// every scan of a call: the call answers from what was published when it began.
func TestPlantsSeeOneState(t *testing.T) {
	for _, year := range []int{2021, 2023} {
		s, before := plantStore(t)
		query := store.PlantQuery{Year: year, Count: true, Limit: 2}
		want, err := before.Plants(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		db := store.New(publishing{s, func() {
			n++
			publishCSV(t, s, fmt.Sprintf("PLNT21_v%d.csv", n), plants21)
			publishCSV(t, s, "PLNT21.csv", strings.ReplaceAll(plants21, ",TX,", fmt.Sprintf(",T%d,", n)))
			publishCSV(t, s, "GEN23.csv", strings.ReplaceAll(generators23, ",TX,", fmt.Sprintf(",T%d,", n)))
		}})
		got, err := db.Plants(t.Context(), query)
		if err != nil || n == 0 || got.Release != want.Release || got.Total != want.Total || got.String() != want.String() {
			t.Errorf("%d, after %d publishes: release %q, %v\n%swant\n%s", year, n, got.Release, err, got, want)
		}
		later, err := db.Plants(t.Context(), query)
		if err != nil || later.String() == want.String() && later.Release == want.Release {
			t.Errorf("%d: the next call sees nothing of it: %v", year, err)
		}
	}
}

// The figures are those of EPA's GEN23 sheet, summed by hand.
func TestPlantsOfRealGenerators(t *testing.T) {
	s := memstore.New()
	publishFrom(t, s, "2023/GEN23.csv", testenv.Open(t, "2023/GEN23.csv"))
	db := store.New(s)
	page, err := db.Plants(t.Context(), store.PlantQuery{
		Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Limit: 3, Count: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name, fuel string
		generation float64
	}{{"Palo Verde", "NUC", 31522590}, {"Browns Ferry", "NUC", 30820509.999}, {"Vogtle", "NUC", 23036612}}
	for i, w := range want {
		row := page.Row(i)
		got, _ := row.Float(egrid.NetGeneration)
		if row.Text(egrid.PlantName) != w.name || row.Text(egrid.Fuel) != w.fuel || math.Abs(got-w.generation) > 0.0005 {
			t.Errorf("%d: got %s; want %v", i+1, line(row, egrid.PlantName, egrid.Fuel, egrid.NetGeneration), w)
		}
	}
	if page.Total != 12611 {
		t.Errorf("%d plants; want 12611", page.Total)
	}
}
