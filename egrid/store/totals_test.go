package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// Sheets of regions that say more than the generators of generators23 do, which add
// up to 1001 MWh in Texas, -10 MWh in Oklahoma and 991 MWh in all.
const (
	states23 = `YEAR,PSTATABB,STNAMEPCAP,STNGENAN,STGENACL,STGENAGS,STGENAHY,STGENASO,STGENAWI
2023,TX,620,1200,600,450,0,150,0
2023,OK,210,50,0,0,-10,0,60
`
	whole23 = `YEAR,USNAMEPCAP,USNGENAN,USGENACL,USGENAGS,USGENAHY,USGENASO,USGENAWI
2023,830,1250,600,450,-10,150,60
`
	subregions23 = `YEAR,SUBRGN,SRNAME,SRNAMEPCAP,SRNGENAN
2023,ERCT,ERCOT All,620,1200
2023,SPSO,SPP South,210,50
`
	plants23 = `YEAR,PSTATABB,PNAME,ORISPL,SUBRGN,PLPRMFL,PLFUELCT,NAMEPCAP,PLNGENAN
2023,TX,Alpha,1,ERCT,BIT,COAL,550,1100
2023,TX,Bravo,02,ERCT,SUN,SOLAR,50,150
2023,OK,Pumped,3,SPSO,WAT,HYDRO,200,-10
`
)

// sheetsOf publishes sheets by their file names.
func sheetsOf(t testing.TB, sheets map[string]string) (*memstore.Store, *store.DB) {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	for name, text := range sheets {
		publishCSV(t, s, name, text)
	}
	return s, store.New(s)
}

func differences(t *store.Totals) []string {
	var texts []string
	for _, d := range t.Differences {
		text := fmt.Sprintf("%d %s%s %g, %s%s %g", d.Year, d.Of.Level, d.Of.Release, d.Total, d.Other.Level, d.Other.Release, d.OtherTotal)
		if d.LargestGap != 0 {
			text += fmt.Sprintf(", most %s %+g", d.Largest, d.LargestGap)
		}
		texts = append(texts, text)
	}
	return texts
}

var totalColumns = []egrid.Column{
	store.PlantCount, egrid.NetGeneration, egrid.NameplateCapacity, store.BasisColumn, egrid.ReleaseColumn, store.PlantsBasis, store.PlantsRelease,
}

func TestTotals(t *testing.T) {
	t.Parallel()
	in := func(column egrid.Column, values ...string) store.PlantQuery {
		return store.PlantQuery{Filters: []egrid.Filter{egrid.Where(column, egrid.Eq, values...)}}
	}
	regions := map[string]string{"ST23-rev0.csv": states23, "US23-rev0.csv": whole23, "SRL23-rev0.csv": subregions23}
	with := func(more ...string) map[string]string {
		all := map[string]string{}
		for name, text := range regions {
			all[name] = text
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	tests := []struct {
		name    string
		sheets  map[string]string
		by      egrid.Column
		query   store.PlantQuery
		want    []string
		differs []string
	}{
		{"states by their sheet, whatever the generators say", with("GEN23.csv", generators23), egrid.State, store.PlantQuery{},
			[]string{"OK 2 50 210 ST rev0 GEN ", "TX 2 1200 620 ST rev0 GEN "}, []string{"2023 STrev0 1250, GEN 991, most TX -199"}},
		{"generators of a newer release are no total", with("GEN23_rev1.csv", generators23), "", store.PlantQuery{},
			[]string{" 4 1250 830 US rev0 GEN rev1"}, []string{"2023 USrev0 1250, GENrev1 991"}},
		{"nor are plants, which may be some of all", with("PLNT23_rev1.csv", plants23), "", store.PlantQuery{},
			[]string{" 3 1250 830 US rev0 PLNT rev1"}, []string{"2023 USrev0 1250, PLNTrev1 1240"}},
		{"but where their release is asked for", with("PLNT23_rev1.csv", plants23), "", store.PlantQuery{Release: "rev1"},
			[]string{" 3 1240 800 PLNT rev1 PLNT rev1"}, nil},
		{"plants before generators", map[string]string{"PLNT23.csv": plants23, "GEN23_rev1.csv": generators23}, egrid.State, store.PlantQuery{},
			[]string{"OK 1 -10 200 PLNT  PLNT ", "TX 2 1250 600 PLNT  PLNT "}, []string{"2023 PLNT 1240, GENrev1 991, most TX -249"}},
		{"plants of the same release", with("PLNT23_rev0.csv", plants23), "", store.PlantQuery{},
			[]string{" 3 1250 830 US rev0 PLNT rev0"}, []string{"2023 USrev0 1250, PLNTrev0 1240"}},
		{"the release that is asked for", with("GEN23.csv", generators23), egrid.State, store.PlantQuery{Release: egrid.NoRelease},
			[]string{"OK 2 -10 210 GEN  GEN ", "TX 2 1001 600 GEN  GEN "}, nil},
		{"by EPA's codes", with("GEN23.csv", generators23), "PSTATABB", in("PSTATABB", "TX"), []string{"TX 2 1200 620 ST rev0 GEN "}, []string{"2023 STrev0 1200, GEN 1001, most TX -199"}},
		{"regions alone", regions, egrid.State, store.PlantQuery{}, []string{"OK  50 210 ST rev0  ", "TX  1200 620 ST rev0  "}, nil},
		{"the newest release of regions", with("ST23-rev1.csv", strings.Replace(states23, "620,1200", "620,1300", 1)), egrid.State, in(egrid.State, "TX"),
			[]string{"TX  1300 620 ST rev1  "}, nil},
		{"one total by states where the US is not loaded", map[string]string{"ST23.csv": states23, "GEN23.csv": generators23}, "", store.PlantQuery{},
			[]string{" 4 1250 830 ST  GEN "}, []string{"2023 ST 1250, GEN 991"}},
		{"subregions stand in for the US where nothing else is loaded", map[string]string{"SRL23.csv": subregions23}, "", store.PlantQuery{}, []string{"  1250 830 SRL   "}, nil},
		{"and else do not", map[string]string{"SRL23.csv": subregions23, "GEN23.csv": generators23}, "", store.PlantQuery{}, []string{" 4 991 810 GEN  GEN "}, nil},
		{"years", with("GEN23.csv", generators23, "PLNT21.csv", plants21, "ST19.csv", strings.ReplaceAll(states23, "2023", "2019")), egrid.Year, store.PlantQuery{},
			[]string{"2019  1250 830 ST   ", "2021 3 990 800 PLNT  PLNT ", "2023 4 1250 830 US rev0 GEN "}, []string{"2023 USrev0 1250, GEN 991"}},
		{"years of a state", with("GEN23.csv", generators23), egrid.Year, in(egrid.State, "OK"), []string{"2023 2 50 210 ST rev0 GEN "}, []string{"2023 STrev0 50, GEN -10"}},
		{"subregions by their sheet", with("GEN23.csv", generators23), egrid.Subregion, store.PlantQuery{},
			[]string{"ERCT  1200 620 SRL rev0  ", "SPSO  50 210 SRL rev0  "}, nil},
		{"subregions by plants", map[string]string{"PLNT23.csv": plants23}, egrid.Subregion, in(egrid.State, "TX"), []string{"ERCT 2 1250 600 PLNT  PLNT "}, nil},
		{"years of a subregion that generators do not know", with("GEN23.csv", generators23), egrid.Year, in(egrid.Subregion, "ERCT"), []string{"2023  1200 620 SRL rev0  "}, nil},
		{"nobody knows subregions", map[string]string{"GEN23.csv": generators23}, egrid.Subregion, store.PlantQuery{}, nil, nil},
		{"fuels of the US", with("GEN23.csv", generators23), egrid.FuelCategoryColumn, store.PlantQuery{},
			[]string{"COAL 1 600  US rev0 GEN ", "GAS 1 450  US rev0 GEN ", "HYDRO 1 -10  US rev0 GEN ", "SOLAR 1 150  US rev0 GEN ", "WIND 1 60  US rev0 GEN "},
			[]string{"2023 USrev0 1250, GEN 991"}},
		{"fuels of a state", with("GEN23.csv", generators23), egrid.FuelCategoryColumn, in(egrid.State, "OK"),
			[]string{"HYDRO 1 -10  ST rev0 GEN ", "WIND 1 60  ST rev0 GEN "}, []string{"2023 STrev0 50, GEN -10"}},
		{"states of a fuel", with("GEN23.csv", generators23), egrid.State, in(egrid.FuelCategoryColumn, "COAL", "SOLAR"),
			[]string{"TX 2 750  ST rev0 GEN "}, nil},
		{"years of a subregion that only some know", map[string]string{"SRL23.csv": subregions23, "GEN21.csv": strings.ReplaceAll(generators23, "2023,", "2021,")}, egrid.Year, in(egrid.Subregion, "ERCT"),
			[]string{"2021       ", "2023  1200 620 SRL   "}, nil},
		{"states of a fuel that the sheet does not tell", with("GEN23.csv", generators23), egrid.State, in(egrid.FuelCategoryColumn, "COAL", "OTHF"),
			[]string{"TX 1 500 300 GEN  GEN "}, nil},
		{"what only plants know", with("GEN23.csv", generators23), egrid.State, in(egrid.Fuel, "NG"), []string{"TX 1 400.5 250 GEN  GEN "}, nil},
		{"a state that the sheet of states lacks", map[string]string{"ST23.csv": strings.Replace(states23, "2023,OK,210,50,0,0,-10,0,60\n", "", 1), "GEN23.csv": generators23}, egrid.State, store.PlantQuery{},
			[]string{"OK 2   ST  GEN ", "TX 2 1200 620 ST  GEN "}, []string{"2023 ST 1200, GEN 991, most TX -199"}},
		{"a state of nobody", with(), egrid.State, in(egrid.State, "ZZ"), nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, db := sheetsOf(t, test.sheets)
			page, err := db.Totals(t.Context(), test.by, test.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(page.Batch, append([]egrid.Column{cmp.Or(map[egrid.Column]egrid.Column{"PSTATABB": egrid.State}[test.by], test.by)}, totalColumns...)...); !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
			if got := differences(&page); !slices.Equal(got, test.differs) {
				t.Errorf("differences %q\nwant %q", got, test.differs)
			}
			// The same again from the snapshots that it names, whatever else is published.
			var ids []egrid.SnapshotID
			for _, s := range page.Snapshots {
				ids = append(ids, s.ID)
			}
			again, err := db.At(ids...).Totals(t.Context(), test.by, test.query)
			if err != nil || again.String() != page.String() || !slices.Equal(differences(&again), differences(&page)) {
				t.Errorf("of its own snapshots: %v\n%v\nwant\n%v", err, again, page)
			}
		})
	}
}

// A fuel category that is named twice counts once.
func TestTotalsOfRepeatedFuels(t *testing.T) {
	t.Parallel()
	_, db := sheetsOf(t, map[string]string{"ST23.csv": states23, "US23.csv": whole23})
	for _, by := range []egrid.Column{"", egrid.State, egrid.Year, egrid.FuelCategoryColumn} {
		var pages []string
		for _, fuels := range [][]string{{"COAL", "SOLAR"}, {"COAL", "SOLAR", "COAL"}} {
			page, err := db.Totals(t.Context(), by, store.PlantQuery{Filters: []egrid.Filter{egrid.Where(egrid.FuelCategoryColumn, egrid.Eq, fuels...)}})
			if err != nil {
				t.Fatalf("by %q of %q: %v", by, fuels, err)
			}
			pages = append(pages, page.String())
		}
		if pages[0] != pages[1] || !strings.Contains(pages[0], "ST") && !strings.Contains(pages[0], "US") {
			t.Errorf("by %q:\n%s\nwith one named twice\n%s", by, pages[0], pages[1])
		}
	}
}

func TestTotalsErrors(t *testing.T) {
	t.Parallel()
	_, db := sheetsOf(t, map[string]string{"GEN23.csv": generators23, "ST23-rev0.csv": states23})
	tests := []struct {
		name  string
		by    egrid.Column
		query store.PlantQuery
		want  error
		say   string
	}{
		{"absent year", egrid.State, store.PlantQuery{Year: 2019}, egrid.ErrNotFound, "data years with plants or regions: 2023"},
		{"absent release", egrid.State, store.PlantQuery{Release: "v3"}, egrid.ErrNotFound, "release v3"},
		{"no release", egrid.State, store.PlantQuery{Release: "final"}, egrid.ErrInvalid, "final"},
		{"several years", egrid.State, store.PlantQuery{Year: egrid.AllYears}, egrid.ErrInvalid, "one data year"},
		{"no data year", egrid.State, store.PlantQuery{Year: 1900}, egrid.ErrInvalid, "1990"},
		{"by a sum", egrid.NetGeneration, store.PlantQuery{}, egrid.ErrInvalid, "every total has"},
		{"by what nobody has", "nonsense", store.PlantQuery{}, egrid.ErrInvalid, "no column"},
		{"subregions of a state", egrid.Subregion, store.PlantQuery{Filters: []egrid.Filter{egrid.Where("state", egrid.Eq, "TX")}}, egrid.ErrInvalid, "only a PLNT sheet says which plants are in which subregion"},
		{"years of a subregion", egrid.Year, store.PlantQuery{Filters: []egrid.Filter{egrid.Where("subregion", egrid.Eq, "ERCT")}}, egrid.ErrInvalid, "subregion"},
		{"states of a subregion", egrid.State, store.PlantQuery{Filters: []egrid.Filter{egrid.Where("subregion", egrid.Eq, "ERCT")}}, egrid.ErrInvalid, "subregion"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := db.Totals(t.Context(), test.by, test.query); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.say) {
				t.Errorf("got %v; want %v with %q", err, test.want, test.say)
			}
		})
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	nowhere := generators23 + "2023,,Adrift,5,1,NG,1,7,\n"
	tests := []struct {
		name   string
		sheets map[string]string
		query  store.PlantQuery
		sheet  store.Sheet
		want   []string // id and share
		told   []string // what the plants' own sheet says otherwise
	}{
		{"of the states' sheet of the same release", map[string]string{"GEN23_rev0.csv": generators23, "ST23-rev0.csv": states23, "ST23-rev1.csv": states23}, store.PlantQuery{},
			store.Sheet{Level: egrid.ST, Release: "rev0"}, []string{"02 0.08375", "1 0.7504166666666666", "3 -0.2", "4 "}, nil},
		{"of that of another where there is no such", map[string]string{"GEN23.csv": generators23, "ST23-rev0.csv": states23}, store.PlantQuery{},
			store.Sheet{Level: egrid.ST, Release: "rev0"}, []string{"02 0.08375", "1 0.7504166666666666", "3 -0.2", "4 "}, []string{"2023 STrev0 1250, GEN 991, most TX -199"}},
		{"of the plants where their release is asked for", map[string]string{"GEN23.csv": generators23, "ST23-rev0.csv": states23}, store.PlantQuery{Release: egrid.NoRelease},
			store.Sheet{Level: egrid.GEN}, []string{"02 0.1003996003996004", "1 0.8996003996003996", "3 ", "4 "}, nil},
		{"of plants, where they are newer", map[string]string{"PLNT23_rev1.csv": plants23, "ST23-rev0.csv": states23}, store.PlantQuery{},
			store.Sheet{Level: egrid.ST, Release: "rev0"}, []string{"1 0.9166666666666666", "02 0.125", "3 -0.2"}, []string{"2023 STrev0 1250, PLNTrev1 1240, most OK -60"}},
		{"of the plants where no states are loaded", map[string]string{"PLNT23_rev1.csv": plants23, "GEN23.csv": generators23}, store.PlantQuery{},
			store.Sheet{Level: egrid.PLNT, Release: "rev1"}, []string{"1 0.88", "02 0.12", "3 "}, nil},
		{"none of no state", map[string]string{"GEN23.csv": nowhere}, store.PlantQuery{Filters: []egrid.Filter{egrid.Where("state", egrid.Missing)}},
			store.Sheet{Level: egrid.GEN}, []string{"5 "}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, db := sheetsOf(t, test.sheets)
			page, err := db.Plants(t.Context(), test.query)
			if err != nil || page.Shares != test.sheet {
				t.Fatalf("%+v, %v; want %+v", page.Shares, err, test.sheet)
			}
			if got := lines(page.Batch, store.PlantID, store.ShareOfState); !slices.Equal(got, test.want) {
				t.Errorf("got %q; want %q", got, test.want)
			}
			told, err := db.ShareDifferences(t.Context(), page.PlantSource, test.query)
			if got := differences(&store.Totals{Differences: told}); err != nil || !slices.Equal(got, test.told) {
				t.Errorf("told %q, %v; want %q", got, err, test.told)
			}
		})
	}
}

// Pages that follow have the shares of the first, whatever is published meanwhile.
func TestSharesOfPages(t *testing.T) {
	t.Parallel()
	s, db := sheetsOf(t, map[string]string{"GEN23.csv": generators23, "ST23-rev0.csv": states23})
	first, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	publishCSV(t, s, "ST23-rev1.csv", strings.Replace(states23, "620,1200", "620,1300", 1))
	second, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1, Cursor: first.Next})
	if err != nil || line(second.Row(0), store.PlantID, store.ShareOfState) != "1 0.7504166666666666" || second.Shares.Release != "rev0" {
		t.Errorf("%s of %+v, %v", second.Batch, second.Shares, err)
	}
	publishCSV(t, s, "ST23-rev0.csv", strings.Replace(states23, "620,1200", "620,1300", 1))
	if _, err := s.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Plants(t.Context(), store.PlantQuery{Limit: 1, Cursor: first.Next}); !errors.Is(err, egrid.ErrStale) {
		t.Errorf("after the states were pruned: %v", err)
	}
}

// A sheet of plants that names neither plants nor states.
const poorPlants23 = `YEAR,ORISPL,PLPRMFL,PLFUELCT,PLNGENAN
2023,1,BIT,COAL,1100
2023,02,SUN,SOLAR,150
2023,3,WAT,HYDRO,-10
2023,77,NG,GAS,5
`

// Cells that the sheet of plants lacks are filled in, and no others.
func TestFilledGaps(t *testing.T) {
	t.Parallel()
	const plants = `YEAR,PSTATABB,PNAME,ORISPL,PLPRMFL,PLNGENAN
2023,,Alpha of the plants,1,BIT,1100
2023,TX,,02,SUN,150
2023,,,3,WAT,-10
2023,,,77,NG,5
2023,LA,Own,88,NG,6
`
	for name, test := range map[string]struct {
		plants, filled string
		want           []string
	}{
		"gaps": {plants, "[plant_name state] {GEN }", []string{"02 Bravo TX 150", "1 Alpha of the plants TX 1100", "3 Pumped OK -10", "77   5", "88 Own LA 6"}},
		"none": {"YEAR,PSTATABB,PNAME,ORISPL,PLPRMFL,PLNGENAN\n2023,LA,A,1,BIT,1100\n2023,LA,B,2,SUN,150\n", "[] { }", []string{"1 A LA 1100", "2 B LA 150"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, db := sheetsOf(t, map[string]string{"PLNT23.csv": test.plants, "GEN23.csv": generators23})
			page, err := db.Plants(t.Context(), store.PlantQuery{Sort: []egrid.Sort{{Column: egrid.PlantCode}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(page.Batch, store.PlantID, egrid.PlantName, egrid.State, egrid.NetGeneration); !slices.Equal(got, test.want) {
				t.Errorf("got %q; want %q", got, test.want)
			}
			if got := fmt.Sprint(page.Filled, page.FilledFrom); got != test.filled {
				t.Errorf("filled in %s; want %s", got, test.filled)
			}
			if name != "gaps" {
				return
			}
			of, err := db.Plants(t.Context(), store.PlantQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}, Sort: []egrid.Sort{{Column: egrid.PlantName}}})
			if got := lines(of.Batch, egrid.PlantName); err != nil || !slices.Equal(got, []string{"Alpha of the plants", "Bravo"}) {
				t.Errorf("of Texas: %q, %v", got, err)
			}
		})
	}
}

func TestFilledPlants(t *testing.T) {
	t.Parallel()
	s, db := sheetsOf(t, map[string]string{"PLNT23_rev1.csv": poorPlants23, "GEN23.csv": generators23})
	byGeneration := []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}, {Column: egrid.PlantName}}
	columns := []egrid.Column{store.PlantID, egrid.PlantName, egrid.State, egrid.NetGeneration, store.ShareOfState}
	tests := []struct {
		name  string
		query store.PlantQuery
		want  []string
	}{
		{"all", store.PlantQuery{Sort: byGeneration}, []string{"1 Alpha TX 1100 0.88", "02 Bravo TX 150 0.12", "77   5 ", "3 Pumped OK -10 "}},
		{"of a state", store.PlantQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}, Sort: byGeneration}, []string{"1 Alpha TX 1100 0.88", "02 Bravo TX 150 0.12"}},
		{"of no state", store.PlantQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Missing)}}, []string{"77   5 "}},
		{"by name", store.PlantQuery{Search: "pump"}, []string{"3 Pumped OK -10 "}},
		{"sorted by name", store.PlantQuery{Sort: []egrid.Sort{{Column: egrid.PlantName, Desc: true}}, Limit: 1}, []string{"3 Pumped OK -10 "}},
	}
	for _, test := range tests {
		page, err := db.Plants(t.Context(), test.query)
		if err != nil || page.Basis != egrid.PLNT || page.Release != "rev1" {
			t.Fatalf("%s: %+v, %v", test.name, page.PlantSource, err)
		}
		if got := lines(page.Batch, columns...); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q; want %q", test.name, got, test.want)
		}
		if fmt.Sprint(page.Filled, page.FilledFrom) != "[plant_name state] {GEN }" {
			t.Errorf("%s: filled in %v from %v", test.name, page.Filled, page.FilledFrom)
		}
	}

	totals, err := db.Totals(t.Context(), egrid.State, store.PlantQuery{})
	want := []string{"OK 1 -10 PLNT rev1", "TX 2 1250 PLNT rev1", " 1 5 PLNT rev1"}
	if got := lines(totals.Batch, egrid.State, store.PlantCount, egrid.NetGeneration, store.BasisColumn, egrid.ReleaseColumn); err != nil || !slices.Equal(got, want) {
		t.Errorf("states %q, %v; want %q", got, err, want)
	}
	one, err := db.Plant(t.Context(), "3", 2023, "")
	if err != nil || one.Row(0).Text(egrid.State) != "OK" || one.Row(0).Text(egrid.FuelCategoryColumn) != "HYDRO" {
		t.Errorf("%v, %v", one, err)
	}
	plain, err := db.Plants(t.Context(), store.PlantQuery{Columns: []egrid.Column{egrid.NetGeneration}})
	if err != nil || plain.Filled != nil {
		t.Errorf("nothing is filled in that is not asked for: %v, %v", plain.Filled, err)
	}

	// A walk reads the generators that it began with; the names of a stream are the same.
	first, err := db.Plants(t.Context(), store.PlantQuery{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	publishCSV(t, s, "GEN23.csv", strings.ReplaceAll(generators23, "Pumped", "Renamed"))
	second, err := db.Plants(t.Context(), store.PlantQuery{Limit: 2, Cursor: first.Next})
	if got := lines(second.Batch, egrid.PlantName); err != nil || !slices.Equal(got, []string{"Pumped", ""}) {
		t.Errorf("the second page has %q, %v", got, err)
	}
	answer, err := db.StreamPlants(t.Context(), store.PlantQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "OK")}})
	if err != nil || len(answer.Filled) != 2 {
		t.Fatalf("%+v, %v", answer.PlantSource, err)
	}
	for b, err := range answer.Batches {
		if got := lines(b, store.PlantID, egrid.PlantName); err != nil || !slices.Equal(got, []string{"3 Renamed"}) {
			t.Errorf("the stream has %q, %v", got, err)
		}
	}
}

// eGRID2023 as it is loaded from its files: generators of rev1 in a file without a
// mark, regions of rev0. The figures are EPA's, and sums of EPA's made by hand.
func TestTotalsOfRealSheets(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	for _, name := range []string{"GEN23.csv", "ST23-rev0.csv", "BA23-rev0.csv", "SRL23-rev0.csv", "NRL23-rev0.csv", "US23-rev0.csv"} {
		publishFrom(t, s, name, testenv.Open(t, "2023/"+name))
	}
	db := store.New(s)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.002 {
			t.Errorf("%s: %.3f; want %.3f", what, got, want)
		}
	}
	for by, level := range map[egrid.Column]egrid.Level{
		"": egrid.US, egrid.Year: egrid.US, egrid.FuelCategoryColumn: egrid.US, egrid.State: egrid.ST, egrid.Subregion: egrid.SRL, egrid.BalancingAuthority: egrid.BA, egrid.NERCRegion: egrid.NRL,
	} {
		page, err := db.Totals(t.Context(), by, store.PlantQuery{})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for row := range page.Rows() {
			x, _ := row.Float(egrid.NetGeneration)
			sum += x
			if row.Text(store.BasisColumn) != string(level) || row.Text(egrid.ReleaseColumn) != "rev0" {
				t.Errorf("%s: %s", by, line(row, by, store.BasisColumn, egrid.ReleaseColumn))
			}
			if by == egrid.State && row.Text(egrid.State) == "AZ" {
				near("Arizona", x, 102908709.515)
			}
		}
		if by == egrid.FuelCategoryColumn {
			sum -= 6.84 // by which EPA's fuels exceed EPA's total
		}
		near("all by "+string(by), sum, 4167601391.182)
		if by == egrid.Subregion || by == egrid.BalancingAuthority || by == egrid.NERCRegion {
			continue // generators do not tell
		}
		if len(page.Differences) != 1 || page.Differences[0].Other != (store.Sheet{Level: egrid.GEN}) {
			t.Fatalf("by %s: differences %+v", by, page.Differences)
		}
		near("the generators' gap by "+string(by), page.Differences[0].Gap(), 21369952.176)
		if by == egrid.State && (page.Differences[0].Largest.String() != "AZ" || math.Abs(page.Differences[0].LargestGap-8912235.999) > 0.002) {
			t.Errorf("most differs %s, by %f", page.Differences[0].Largest, page.Differences[0].LargestGap)
		}
	}
	top, err := db.Plants(t.Context(), store.PlantQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	share, _ := top.Row(0).Float(store.ShareOfState)
	if top.Shares != (store.Sheet{Level: egrid.ST, Release: "rev0"}) || top.Row(0).Text(egrid.PlantName) != "Palo Verde" || math.Abs(share-0.306316) > 1e-6 {
		t.Errorf("%s has %f of its state by %+v; want Palo Verde, 30.6 %%", top.Row(0).Text(egrid.PlantName), share, top.Shares)
	}
}
