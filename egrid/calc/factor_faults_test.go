package calc_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// written puts sheets of a few rows into a store in memory.
func written(t testing.TB, sheets map[string]string) *store.DB {
	t.Helper()
	m := memstore.New()
	for name, text := range sheets {
		if _, err := store.Load(t.Context(), m, strings.NewReader(text), &store.LoadOptions{Publish: driver.PublishReplace, ReaderOptions: sheet.ReaderOptions{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	return store.New(m)
}

const fewPlants = "YEAR,ORISPL,PNAME,PSTATABB,BACODE,SUBRGN,PLFUELCT,NAMEPCAP,PLNGENAN,PLCO2AN,PLCO2EQA\n" +
	"2023,1,Coal One,TX,ERCO,ERCT,COAL,100,1000,900,905\n" +
	"2023,2,Gas Two,TX,ERCO,ERCT,GAS,100,2000,800,804\n" +
	"2023,3,Pumps,TX,PUMP,ERCT,HYDRO,50,-100,0,0\n" +
	"2023,4,Standby,CA,IDLE,CAMX,OIL,5,-10,7,7.1\n" +
	"2023,5,No figure,NV,NOCO,NWPP,GAS,5,50,,\n" +
	"2023,6,No weight,ID,NOWT,NWPP,GAS,5,50,20,\n"

// A factor that would say something false is refused, with what is the matter.
func TestFactorOfNothing(t *testing.T) {
	t.Parallel()
	db := written(t, map[string]string{"PLNT23.csv": fewPlants})
	for _, tt := range []struct {
		name  string
		query calc.FactorQuery
		is    error
		says  string
	}{
		{"negative generation of a region", calc.FactorQuery{Level: egrid.BA, Code: "IDLE"}, egrid.ErrNotFound, "net_generation_mwh is -10"},
		{"negative generation of a plant", calc.FactorQuery{Plants: []string{"4"}, Gas: calc.CO2}, egrid.ErrNotFound, "net_generation_mwh is -10"},
		{"CO2 without CO2e", calc.FactorQuery{Level: egrid.BA, Code: "NOWT"}, egrid.ErrNotFound, "CO2 of 1 of the 1 plants, and no CO2e"},
		{"no plants at all", calc.FactorQuery{Plants: []string{"", " "}}, egrid.ErrInvalid, "which plants"},
		{"an unknown plant", calc.FactorQuery{Plants: []string{"1", "99"}}, egrid.ErrNotFound, "ORIS code 99"},
		{"a mass that the sheet lacks", calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.NOx}, egrid.ErrNotFound, "has no nox_short_tons"},
		{"a whole that the sheet lacks", calc.FactorQuery{Level: egrid.ST, Code: "TX", Kind: calc.HeatInput}, egrid.ErrNotFound, "has no heat_input_mmbtu"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if f, err := calc.FactorOf(t.Context(), db, tt.query); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, %v; want %q", f.Value, err, tt.says)
			}
		})
	}
}

// ORIS codes are found as spreadsheets and people write them, and the query of the
// caller stays as it was.
func TestFactorOfPlantsAsWritten(t *testing.T) {
	t.Parallel()
	db := written(t, map[string]string{"PLNT23.csv": fewPlants})
	ids := []string{"2.0", " 1 ", "2", "", "1"}
	f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Plants: ids, Gas: calc.CO2})
	if err != nil || math.Abs(f.Value-2000*1700.0/3000) > 1e-9 || !slices.Equal(f.Query.Plants, []string{"1", "2"}) {
		t.Errorf("got %v of %q, %v", f.Value, f.Query.Plants, err)
	}
	if !slices.Equal(ids, []string{"2.0", " 1 ", "2", "", "1"}) {
		t.Errorf("the caller's list became %q", ids)
	}
}

// Who gets the sum over some plants as the factor of a region is told so.
func TestFactorOfSomePlants(t *testing.T) {
	t.Parallel()
	alone := map[string]string{"PLNT23.csv": fewPlants}
	full := map[string]string{"PLNT23.csv": fewPlants, "ST23.csv": "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2RTA\n2023,TX,2900,1700,1172.414\n"}
	more := map[string]string{"PLNT23.csv": fewPlants, "ST23.csv": "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2RTA\n2023,TX,5800,3400,1172.414\n"}
	tx := calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.CO2, Explain: true}
	for _, tt := range []struct {
		name   string
		sheets map[string]string
		query  calc.FactorQuery
		note   string // empty: none
	}{
		{"plants alone", alone, tx, "No ST sheet of eGRID 2023 is loaded"},
		{"plants that sum up to their region", full, tx, ""},
		{"plants that do not", more, tx, "generate 2900 MWh, and 5800 MWh by the ST sheet"},
		{"a sheet that gives another factor", map[string]string{"PLNT23.csv": fewPlants, "ST23.csv": "YEAR,PSTATABB,STNGENAN,STCO2AN\n2023,TX,2900,1708\n"}, tx, "The ST sheet alone gives 1177.93"},
		{"a plant that burns and says nothing", alone, calc.FactorQuery{Plants: []string{"5"}, Gas: calc.CO2}, "1 of the 1 plants generate from coal, oil or gas, and have no co2_short_tons"},
		{"metric figures", map[string]string{"ST23.csv": "Year,State,State net generation (MWh),State CO2 emissions (metric tons),State CO2 rate (kg/MWh)\nYEAR,PSTATABB,STNGENAN,STCO2AN,STCO2RTA\n2023,TX,2900,1542.24,531.806\n"},
			calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.CO2}, "published in metric units"},
		{"a plant twice", map[string]string{"PLNT23.csv": fewPlants + "2023,1,Coal One,TX,ERCO,ERCT,COAL,100,1000,900,905\n"},
			calc.FactorQuery{Plants: []string{"1", "2"}, Gas: calc.CO2}, "1 of the 3 rows have the ORIS code of another"},
		{"plants that cannot weigh", map[string]string{"PLNT23.csv": fewPlants, "ST23.csv": "YEAR,PSTATABB,STNGENAN,STCO2AN,STNBC2E\n2023,ID,50,20,1172.414\n"},
			calc.FactorQuery{Level: egrid.ST, Code: "ID", Kind: calc.Nonbaseload}, "has CO2 of 1 of the 1 plants, and no CO2e"},
		{"a plant that burns nothing", alone, calc.FactorQuery{Plants: []string{"1", "3"}, Gas: calc.CO2}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := calc.FactorOf(t.Context(), written(t, tt.sheets), tt.query)
			notes := strings.Join(f.Notes, "; ")
			if err != nil || !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes are %q, %v; want %q", notes, err, tt.note)
			}
		})
	}
}

// A permanent address must name every sheet that the answer was read from.
func TestFactorNamesItsSnapshots(t *testing.T) {
	t.Parallel()
	db := written(t, map[string]string{
		"PLNT23.csv": fewPlants,
		"ST23.csv":   "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2RTA\n2023,TX,2900,1700,1172.414\n",
		"GGL23.csv":  "YEAR,REGION,ESTLOSS,TOTDISP,DIRCTUSE,GGRSLOSS\n2023,U.S.,4,105,5,0.04\n2023,ERCOT,6,130,10,0.05\n",
	})
	for _, tt := range []struct {
		query calc.FactorQuery
		want  []egrid.Level
	}{
		{calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.CO2}, []egrid.Level{egrid.ST}},
		{calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.CO2, Explain: true}, []egrid.Level{egrid.PLNT, egrid.ST}},
		{calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.CO2, Delivered: true}, []egrid.Level{egrid.ST, egrid.PLNT, egrid.GGL}},
		{calc.FactorQuery{Plants: []string{"1"}, Gas: calc.CO2, Delivered: true}, []egrid.Level{egrid.PLNT, egrid.GGL}},
	} {
		f, err := calc.FactorOf(t.Context(), db, tt.query)
		var got []egrid.Level
		for _, s := range f.Snapshots {
			got = append(got, s.Level)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%+v: from %v, %v; want %v", tt.query, got, err, tt.want)
		}
	}
}

// A published figure that is far off is told in every unit.
func TestFactorContradicted(t *testing.T) {
	t.Parallel()
	db := written(t, map[string]string{"ST23.csv": "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2RTA\n2023,TX,2900,1.7,1.9\n2023,DC,10,0,5\n"})
	for _, code := range []string{"TX", "DC"} {
		for _, unit := range calc.FactorUnits(calc.Output) {
			f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.ST, Code: code, Gas: calc.CO2, Unit: unit})
			notes := strings.Join(f.Notes, "; ")
			if err != nil || !strings.Contains(notes, "is not what the sums") || strings.Contains(notes, "Inf") {
				t.Errorf("%s in %s: notes are %q, %v", code, unit, notes, err)
			}
		}
	}
}

// Parts of a set of plants sum up to the whole, whatever the order of its rows, and
// every unit leads back to the first.
func TestFactorProperties(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	header, _, _ := strings.Cut(fewPlants, "\n")
	var rows, ids []string
	for i := range 200 {
		ids = append(ids, strconv.Itoa(i+1))
		fuel := []string{"COAL", "GAS", "WIND", "HYDRO"}[random.IntN(4)]
		generation, co2 := math.Round(1e6*random.NormFloat64())/1000, math.Round(1e6*random.Float64())/1000
		rows = append(rows, strings.Join([]string{"2023", ids[i], "Plant", "TX", "ERCO", "ERCT", fuel, "100",
			strconv.FormatFloat(generation+3000, 'f', -1, 64), strconv.FormatFloat(co2, 'f', -1, 64), strconv.FormatFloat(co2+1, 'f', -1, 64)}, ","))
	}
	ask := func(rows, ids []string) calc.Factor {
		t.Helper()
		q := calc.FactorQuery{Plants: ids}
		if ids == nil {
			q = calc.FactorQuery{Level: egrid.US}
		}
		f, err := calc.FactorOf(t.Context(), written(t, map[string]string{"PLNT23.csv": header + "\n" + strings.Join(rows, "\n") + "\n"}), q)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	whole := ask(rows, nil)
	if all := ask(rows, ids); all.Value != whole.Value {
		t.Errorf("all plants have %v; the US %v", all.Value, whole.Value)
	}
	shuffled := slices.Clone(rows)
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if other := ask(shuffled, nil); other.Value != whole.Value {
		t.Errorf("in another order %v; want %v", other.Value, whole.Value)
	}
	cut := 1 + random.IntN(len(ids)-1)
	a, b := ask(rows, ids[:cut]), ask(rows, ids[cut:])
	for name, in := range whole.Inputs {
		if sum := a.Inputs[name].Value + b.Inputs[name].Value; math.Abs(sum-in.Value) > 1e-9*math.Abs(in.Value) {
			t.Errorf("%s: parts have %v, the whole %v", name, sum, in.Value)
		}
	}
	db := written(t, map[string]string{"PLNT23.csv": header + "\n" + strings.Join(rows, "\n") + "\n"})
	back := map[string]float64{"lb/MWh": 1, "kg/MWh": 0.45359237, "kg/kWh": 0.00045359237, "g/kWh": 0.45359237, "t/MWh": 0.00045359237, "lb/kWh": 0.001}
	for _, unit := range calc.FactorUnits(calc.Output) {
		f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.US, Unit: unit})
		if err != nil || math.Abs(f.Value/back[unit]-whole.Value) > 1e-12*whole.Value {
			t.Errorf("%v %s is not %v lb/MWh (%v)", f.Value, unit, whole.Value, err)
		}
	}
}

// Every factor converts as the one of CO2 alone does, whatever it is computed from.
func TestFactorUnits(t *testing.T) {
	t.Parallel()
	t.Run("published rates and nothing else", func(t *testing.T) {
		t.Parallel()
		compareUnits(t, written(t, map[string]string{"SRL23.csv": "YEAR,SUBRGN,SRCO2RTA,SRCH4RTA,SRN2ORTA,SRC2ERTA,SRNBCO2,SRNBCH4,SRNBN2O,SRNBC2E,SRCO2RA,SRCH4RA,SRN2ORA,SRC2ERA,SRCO2CRT,SRCH4CRT,SRN2OCRT,SRC2ECRT\n" +
			"2023,CAMX,436.651,0.024,0.003,438.211,924.2,0.05,0.006,927.1,117.2,0.006,0.001,117.6,900.1,0.05,0.006,903.2\n"}))
	})
	t.Run("sums of a sheet", func(t *testing.T) {
		t.Parallel()
		compareUnits(t, load(t, files2023()...))
	})
}

func compareUnits(t *testing.T, db *store.DB) {
	t.Helper()
	ask := func(kind calc.Kind, gas calc.Gas, gwp, unit string) float64 {
		f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.SRL, Code: "CAMX", Kind: kind, Gas: gas, GWP: gwp, Unit: unit})
		if err != nil {
			t.Errorf("%s %s %s: %v", kind, gas, unit, err)
		}
		return f.Value
	}
	for _, kind := range calc.Kinds() {
		units := calc.FactorUnits(kind)
		for _, unit := range units[1:] {
			times := ask(kind, calc.CO2, "", unit) / ask(kind, calc.CO2, "", units[0])
			for _, gwp := range []string{"", "ar4", "ar5", "ar6"} {
				base, value := ask(kind, calc.CO2e, gwp, units[0]), ask(kind, calc.CO2e, gwp, unit)
				if math.Abs(value/base-times) > 1e-12*times {
					t.Errorf("%s by %q: %v %s are %v %s, which is %v for 1; it is %v of CO2", kind, gwp, base, units[0], value, unit, value/base, times)
				}
			}
		}
	}
}

// A sheet that was published with two rows of a place answers with neither.
func TestFactorOfSeveralRows(t *testing.T) {
	t.Parallel()
	db := written(t, map[string]string{
		"ST23.csv":  "YEAR,PSTATABB,STNGENAN,STCO2AN\n2023,TX,100,50\n2023,TX,300,10\n2023,OK,5,6\n",
		"US23.csv":  "YEAR,USNAMEPCAP,USNGENAN,USCO2AN\n2023,10,100,50\n2023,10,300,10\n",
		"GGL23.csv": "YEAR,REGION,ESTLOSS,TOTDISP,DIRCTUSE,GGRSLOSS\n2023,U.S.,4,105,5,0.04\n2023,U.S.,8,105,5,0.08\n",
	})
	tx := calc.FactorQuery{Level: egrid.ST, Code: "TX", Gas: calc.CO2}
	ok := calc.FactorQuery{Level: egrid.ST, Code: "OK", Gas: calc.CO2}
	delivered := ok
	delivered.Delivered = true
	for says, q := range map[string]calc.FactorQuery{
		"the ST sheet of eGRID 2023 has several rows for state TX": tx, "the US sheet of eGRID 2023 has several rows for United States": {Level: egrid.US, Gas: calc.CO2},
		"the GGL sheet of eGRID 2023 has several rows": delivered,
	} {
		if f, err := calc.FactorOf(t.Context(), db, q); !errors.Is(err, egrid.ErrConflict) || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, %v; want %q", f.Value, err, says)
		}
	}
	if f, err := calc.FactorOf(t.Context(), db, ok); err != nil || f.Value != 2400 {
		t.Errorf("a state with one row: %v, %v", f.Value, err)
	}
	for _, q := range []calc.ExplainQuery{{Level: egrid.ST, Code: "TX", Column: "STNGENAN"}, {Level: egrid.GGL, Code: "U.S.", Column: "GGRSLOSS"}} {
		if _, err := calc.Explain(t.Context(), db, q); !errors.Is(err, egrid.ErrConflict) {
			t.Errorf("explain %s %s: %v", q.Level, q.Code, err)
		}
	}
}
