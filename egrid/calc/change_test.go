package calc_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// factorDifference compares two editions of a store.
func factorDifference(t testing.TB, db *store.DB, from, to string) *calc.FactorDifference {
	t.Helper()
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: calc.FactorLevels(), From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	d, err := calc.ReadFactorDifference(t.Context(), db, &pair)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// factorChange finds the change of one factor.
func factorChange(t testing.TB, d *calc.FactorDifference, level egrid.Level, code string, kind calc.Kind, gas calc.Gas) *calc.FactorChange {
	t.Helper()
	for i := range d.Changes {
		if c := &d.Changes[i]; c.Level == level && c.Code == code && c.Kind == kind && c.Gas == gas {
			return c
		}
	}
	t.Fatalf("no change of %s %s %s %s", level, code, kind, gas)
	return nil
}

// summary is that of a kind and gas: compared, moved, published, added, lost.
func summary(d *calc.FactorDifference, kind calc.Kind, gas calc.Gas) string {
	for _, s := range calc.SummarizeFactors(d.Changes) {
		if s.Kind == kind && s.Gas == gas {
			return fmt.Sprint(s.Compared, s.Moved, s.Published, s.Added, s.Lost)
		}
	}
	return ""
}

func TestFactorDifferenceReal(t *testing.T) {
	t.Parallel()
	db := load(t, slices.Concat(v1Of2018, v2Of2018, of2019)...)
	t.Run("2018 v1 to v2", func(t *testing.T) {
		t.Parallel()
		d := factorDifference(t, db, "2018-v1", "2018-v2")
		// Rates of CH4 and N2O per heat were published 2,000 times too high in every
		// region, and masses were right: the rate alone moved, but in nine regions, where the
		// heat input did, too.
		for gas, want := range map[calc.Gas]string{calc.CH4: "88 9 79 0 0", calc.N2O: "88 9 79 0 0", calc.CO2: "88 9 0 0 0"} {
			if got := summary(d, calc.HeatInput, gas); got != want {
				t.Errorf("input %s: %s; want %s", gas, got, want)
			}
		}
		if got := summary(d, calc.Output, calc.CO2e); got != "88 9 0 0 0" {
			t.Errorf("output co2e: %s", got)
		}
		c := factorChange(t, d, egrid.SRL, "CAMX", calc.HeatInput, calc.CH4)
		x, _ := c.PublishedRelative()
		if y, ok := c.Relative(); c.Change != calc.PublishedMoved || c.MovedBy != calc.ByPublished || math.Abs(x-(1.0/2000-1)) > 1e-9 || !ok || y != 0 {
			t.Errorf("CAMX: %s by %s, %v, %v", c.Change, c.MovedBy, x, y)
		}
		if want := "The CH4 input rate of eGRID subregion CAMX was published as 16.3288 lb/MMBtu and then as 0.00816439 lb/MMBtu (-99.95 %); the sums that it follows from give 0.00816439 lb/MMBtu in both."; c.Statement() != want {
			t.Errorf("%s\nwant %s", c.Statement(), want)
		}
		c = factorChange(t, d, egrid.US, "", calc.HeatInput, calc.CH4)
		if want := "; the published rate moved -99.9 %, from 28.9719 lb/MMBtu to 0.0145 lb/MMBtu."; c.Change != calc.Moved || !strings.HasSuffix(c.Statement(), want) {
			t.Errorf("%s %s\nwant %s", c.Change, c.Statement(), want)
		}
		c = factorChange(t, d, egrid.SRL, "ERCT", calc.Output, calc.CO2e)
		if want := "The CO2e output rate of eGRID subregion ERCT moved -0.8 %, from 943.667 lb/MWh to 936.082 lb/MWh, by its masses."; c.Statement() != want {
			t.Errorf("%s\nwant %s", c.Statement(), want)
		}
		if want := []string{"Levels that are not compared: BA (only 2018 v2 has it)."}; !slices.Equal(d.Notes, want) {
			t.Errorf("notes %q", d.Notes)
		}
	})
	t.Run("the same release in another export", func(t *testing.T) {
		t.Parallel()
		d := factorDifference(t, db, "2018-none", "2018-v2")
		for _, s := range calc.SummarizeFactors(d.Changes) {
			if s.Compared != 88 || s.Moved+s.Published+s.Added+s.Lost != 0 || s.Largest != nil || !s.Median.IsMissing() {
				t.Errorf("%s %s: %+v; nothing but rounding differs", s.Kind, s.Gas, s)
			}
		}
	})
	t.Run("2018 v2 to 2019", func(t *testing.T) {
		t.Parallel()
		d := factorDifference(t, db, "2018-v2", "2019")
		if got := summary(d, calc.Output, calc.CO2); got != "87 87 0 3 1" {
			t.Errorf("output co2: %s", got)
		}
		for code, want := range map[string]calc.Change{"PRMS": calc.Added, "CAMX": calc.Moved} {
			if c := factorChange(t, d, egrid.SRL, code, calc.Output, calc.CO2); c.Change != want {
				t.Errorf("%s: %s; want %s", code, c.Change, want)
			}
		}
		// What /factors answers in each edition.
		for _, gas := range calc.Gases() {
			c := factorChange(t, d, egrid.SRL, "NYUP", calc.Output, gas)
			for edition, side := range map[string]calc.FactorSide{"v2": c.From, "none": c.To} {
				year := 2019
				if edition == "v2" {
					year = 2018
				}
				f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.SRL, Code: "NYUP", Gas: gas, Year: year, Release: edition})
				if x, _ := side.Value.Float(); err != nil || math.Abs(x-f.Value) > 1e-12*f.Value {
					t.Errorf("%s of %d: %v; /factors answers %v, %v", gas, year, x, f.Value, err)
				}
			}
		}
		if d.FromGWP.Name != "ar4" || d.ToGWP.Name != "ar4" {
			t.Errorf("GWP %s and %s", d.FromGWP.Name, d.ToGWP.Name)
		}
	})
}

// CO2e of 2019 is by AR4 and of 2023 by AR5. What that has in the move is what the
// other weights of CH4 and N2O make of the factors of 2023, here of EPA's US row.
func TestFactorDifferenceGWPReal(t *testing.T) {
	t.Parallel()
	db := load(t, slices.Concat(of2019, rev0Of2023)...)
	d := factorDifference(t, db, "2019", "2023")
	if d.FromGWP.Name != "ar4" || d.ToGWP.Name != "ar5" || !strings.Contains(strings.Join(d.Notes, " "), "CO2e is by AR4 in the first edition (CH4 25, N2O 298) and by AR5 in the second (28, 265)") {
		t.Errorf("%+v, %+v, %q", d.FromGWP, d.ToGWP, d.Notes)
	}
	page, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.US, Year: 2023, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	cell := func(c egrid.Column) float64 {
		x, _ := page.Row(0).Float(c)
		return x
	}
	c := factorChange(t, d, egrid.US, "", calc.Output, calc.CO2e)
	from, _ := c.From.Value.Float()
	want := (3*cell(egrid.CH4) - 33*cell(egrid.N2O)) / cell(egrid.NetGeneration) / from
	if got, ok := c.ByGWP.Float(); !ok || math.Abs(got-want) > 1e-9 || got == 0 {
		t.Errorf("by the GWP %v; want %v", got, want)
	}
	if c := factorChange(t, d, egrid.US, "", calc.Output, calc.CO2); !c.ByGWP.IsMissing() {
		t.Errorf("CO2 by the GWP: %v", c.ByGWP)
	}
}

func TestFactorDifferenceOfPlantsReal(t *testing.T) {
	t.Parallel()
	db := load(t, "2014/v2_PLNT14-assembled.csv", "2016/PLNT16-assembled.csv")
	d := factorDifference(t, db, "2014", "2016")
	c := factorChange(t, d, egrid.US, "", calc.Output, calc.CO2)
	if c.From.Basis != egrid.PLNT || c.To.Basis != egrid.PLNT || c.From.Rounded {
		t.Errorf("%+v", c)
	}
	// EPA's totals of the US.
	for want, v := range map[float64]egrid.Value{4079690473.912: c.From.Whole, 4075322641.089: c.To.Whole} {
		if x, _ := v.Float(); math.Abs(x-want) > 0.01 {
			t.Errorf("net generation %v; want %v", x, want)
		}
	}
	if c := factorChange(t, d, egrid.BA, "CISO", calc.Nonbaseload, calc.CO2); c.Change != calc.Moved || c.MovedBy == "" {
		t.Errorf("non-baseload from plants: %+v", c)
	}
	if notes := strings.Join(d.Notes, " "); !strings.Contains(notes, "Not compared at level SRL, US, ST, BA, NRL: factors of kind output of CO2e; neither edition gives it.") {
		t.Errorf("nothing says that CO2e is not there: %s", notes)
	}
}

// twoEditions loads subregions of 2018 as v1 and v2.
func twoEditions(t testing.TB, v1, v2 string) *store.DB {
	t.Helper()
	backend := memstore.New()
	for release, text := range map[string]string{"v1": v1, "v2": v2} {
		put(t, backend, strings.NewReader(text), sheet.ReaderOptions{Name: "SRL18.csv", Year: 2018, Release: release})
	}
	return store.New(backend)
}

func TestFactorChangeMovers(t *testing.T) {
	t.Parallel()
	const header = "SUBRGN,SRNAME,SRNGENAN,SRHTIAN,SRCO2AN,SRCO2RTA,SRCO2RA\n"
	for _, tt := range []struct {
		name, from, to string
		change         calc.Change
		by             calc.Mover
		says           string
	}{
		{"the mass", "100.123,9,50.251,1004,0", "100.123,9,40.251,804,0", calc.Moved, calc.ByMasses, "-19.9 %, from 1003.79 lb/MWh to 804.031 lb/MWh, by its masses."},
		{"the generation", "100.123,9,50.251,1004,0", "200.123,9,50.251,502,0", calc.Moved, calc.ByGeneration, "by its generation."},
		{"both", "100.123,9,50.251,1004,0", "200.123,9,75.251,752,0", calc.Moved, calc.ByBoth, "by masses and generation."},
		{"nine tenths", "100.123,9,50.251,1004,0", "102.123,9,75.251,1474,0", calc.Moved, calc.ByMasses, "by its masses."},
		{"the published rate alone", "100.123,9,50.251,1003.791,0", "100.123,9,50.251,900.5,0", calc.PublishedMoved, calc.ByPublished, "and then as 900.5 lb/MWh (-10.3 %)"},
		{"rounding", "100.123,9,50.251,1003.791,0", "100.123,9,50.2511,1003.791,0", calc.Same, "", "is the same"},
		{"from nothing", "100.123,9,0,0,0", "100.123,9,50.251,1003.791,0", calc.Moved, calc.ByMasses, "moved from 0 lb/MWh to 1003.79 lb/MWh, by its masses."},
		{"to nothing", "100.123,9,50.251,1003.791,0", "100.123,9,0,0,0", calc.Moved, calc.ByMasses, "-100.0 %, from"},
		{"no generation before", "0,9,50.251,,0", "100.123,9,50.251,1003.791,0", calc.Added, "", "is new: 1003.79 lb/MWh."},
		{"negative generation after", "100.123,9,50.251,1003.791,0", "-5.123,9,50.251,,0", calc.Lost, "", "is no more; it was"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rest := "ERCT,Texas,7.123,9,5.251,1474,0\n"
			d := factorDifference(t, twoEditions(t, header+"CAMX,California,"+tt.from+"\n"+rest, header+"CAMX,California,"+tt.to+"\n"+rest), "v1", "v2")
			c := factorChange(t, d, egrid.SRL, "CAMX", calc.Output, calc.CO2)
			if c.Change != tt.change || c.MovedBy != tt.by || !strings.Contains(c.Statement(), tt.says) || c.Name != "California" {
				t.Errorf("%s by %s: %s", c.Change, c.MovedBy, c.Statement())
			}
			if c := factorChange(t, d, egrid.SRL, "ERCT", calc.Output, calc.CO2); c.Change != calc.Same {
				t.Errorf("ERCT %s", c.Statement())
			}
		})
	}
}

// What a rate is made of moves it: the parts add up to the change, the change follows
// from the inputs, the way back undoes it, and an edition is like itself.
func TestFactorChangeProperties(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	const header = "SUBRGN,SRNGENAN,SRHTIAN,SRCO2AN,SRCH4AN,SRCO2RTA\n"
	edition := func() string {
		text := header
		for i := range 30 {
			if random.IntN(5) > 0 {
				figure := func() string { return fmt.Sprintf("%.3f", math.Exp(random.Float64()*18)-1) }
				text += fmt.Sprintf("S%02d,%s,%s,%s,%s,%s\n", i, figure(), figure(), figure(), figure(), figure())
			}
		}
		return text
	}
	db := twoEditions(t, edition(), edition())
	there, back := factorDifference(t, db, "v1", "v2"), factorDifference(t, db, "v2", "v1")
	if len(there.Changes) != len(back.Changes) || len(there.Changes) < 60 {
		t.Fatalf("%d there and %d back", len(there.Changes), len(back.Changes))
	}
	inverse := map[calc.Change]calc.Change{calc.Added: calc.Lost, calc.Lost: calc.Added, calc.Moved: calc.Moved, calc.Same: calc.Same, calc.PublishedMoved: calc.PublishedMoved}
	for i := range there.Changes {
		c := &there.Changes[i]
		other := factorChange(t, back, c.Level, c.Code, c.Kind, c.Gas)
		if other.Change != inverse[c.Change] || other.From.Value != c.To.Value || other.To.Value != c.From.Value || other.MovedBy != c.MovedBy {
			t.Errorf("%s\nand back: %s", c.Statement(), other.Statement())
		}
		x, ok := c.Relative()
		m, haveMass := c.ByMasses.Float()
		w, haveWhole := c.ByWhole.Float()
		if !haveMass || !haveWhole || !ok {
			continue
		}
		mass, _ := c.MassChange()
		whole, _ := c.WholeChange()
		near := 1e-6 * (1 + math.Abs(x))
		if math.Abs(m+w-x) > near || math.Abs((1+mass)/(1+whole)-1-x) > near || m*mass < 0 || w*whole > 0 {
			t.Errorf("%s: %v and %v of %v; mass %v, generation %v", c.Statement(), m, w, x, mass, whole)
		}
	}
	for _, c := range factorDifference(t, db, "v1", "v1").Changes {
		if c.Change != calc.Same {
			t.Errorf("an edition is not like itself: %s", c.Statement())
		}
	}
}

func TestFactorDifferenceRefuses(t *testing.T) {
	t.Parallel()
	db := twoEditions(t, "SUBRGN,SRNAME,SRNGENAN\nCAMX,Cal,5\n", "SUBRGN,SRNAME,SRNGENAN\nCAMX,Cal,5\n")
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: calc.FactorLevels(), From: "v1", To: "v2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := calc.ReadFactorDifference(t.Context(), db, &pair); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), "2018 v1 and 2018 v2 have no factors") {
		t.Errorf("sheets without masses: %v", err)
	}
	mixed := []calc.Sheet{{Snapshot: pair.From.Snapshots[0]}, {Snapshot: pair.To.Snapshots[0]}}
	if _, err := calc.CompareFactors(mixed, nil); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("two releases on one side: %v", err)
	}
	if d, err := calc.CompareFactors(nil, nil); err != nil || len(d.Changes) != 0 {
		t.Errorf("nothing: %+v, %v", d, err)
	}
}
