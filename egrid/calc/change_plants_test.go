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

func plantDifference(t testing.TB, db *store.DB, from, to string) *calc.PlantDifference {
	t.Helper()
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: calc.PlantLevels(), From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	d, err := calc.ReadPlantDifference(t.Context(), db, &pair)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// successors are the plants that went and were found under another code.
func successors(d *calc.PlantDifference) string {
	var found []string
	for i := range d.Changes {
		if c := &d.Changes[i]; c.Successor != "" {
			found = append(found, fmt.Sprintf("%s=%s by %s", c.ID, c.Successor, c.SuccessorBy))
		}
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// What was counted with another program over the same files: plants of both, with
// another subregion, balancing authority, NERC region or state, added and lost.
func TestPlantDifferenceReal(t *testing.T) {
	t.Parallel()
	db := load(t, "2014/v2_PLNT14-assembled.csv", "2014/v2_GEN14-subset.csv", "2016/PLNT16-assembled.csv", "2016/GEN16.csv", "2018/v2_PLNT-assembled.csv", "2018/v2_GEN-subset.csv", "2023/GEN23.csv")
	for _, tt := range []struct {
		from, to                string
		level                   egrid.Level
		moves                   map[egrid.Column]int
		both, added, lost       int
		largest                 calc.PlantFlow
		successors, unknownNote string
	}{
		{
			"2014", "2016", egrid.PLNT, map[egrid.Column]int{egrid.Subregion: 249, egrid.BalancingAuthority: 99, egrid.State: 2}, 8343, 1366, 160,
			calc.PlantFlow{Column: egrid.Subregion, From: "NWPP", To: "AZNM", Plants: 18, Generation: 31618546.999},
			"10789=55120 by generators, 58916=58914 by generators, 59210=61292 by name, 7512=3612 by generators", "",
		},
		{
			"2016", "2018", egrid.PLNT, map[egrid.Column]int{egrid.Subregion: 14, egrid.NERCRegion: 485, egrid.BalancingAuthority: 75}, 9539, 1425, 170,
			calc.PlantFlow{Column: egrid.NERCRegion, From: "SPP", To: "MRO", Plants: 401, Generation: 210897600.928},
			"58712=10109 by generators", "",
		},
		{
			"2018", "2023", egrid.GEN, map[egrid.Column]int{egrid.State: 1}, 9475, 3136, 1490,
			calc.PlantFlow{Column: egrid.State, From: "NM", To: "UT", Plants: 1, Generation: 15760},
			"2518=7146 by generators, 55248=2847 by generators, 7538=2709 by generators", "Moves by subregion are not known",
		},
	} {
		d := plantDifference(t, db, tt.from, tt.to)
		moves := map[egrid.Column]int{}
		for i := range d.Changes {
			if c := &d.Changes[i]; c.Change == calc.Moved {
				moves[c.Column]++
			}
		}
		for column, want := range tt.moves {
			if moves[column] != want {
				t.Errorf("%s to %s: %d moved by %s; want %d", tt.from, tt.to, moves[column], column, want)
			}
		}
		if d.Level != tt.level || d.Both != tt.both || d.Added != tt.added || d.Lost != tt.lost || d.Unidentified != 0 {
			t.Errorf("%s to %s: %s, %d in both, %d added, %d lost, %d unidentified", tt.from, tt.to, d.Level, d.Both, d.Added, d.Lost, d.Unidentified)
		}
		f := d.Flows[0]
		if math.Abs(f.Generation-tt.largest.Generation) > 0.001 {
			t.Errorf("%s to %s: %+v; want %+v", tt.from, tt.to, f, tt.largest)
		}
		if f.Generation = tt.largest.Generation; f != tt.largest {
			t.Errorf("%s to %s: %+v; want %+v", tt.from, tt.to, f, tt.largest)
		}
		if got := successors(d); got != tt.successors {
			t.Errorf("%s to %s: %s; want %s", tt.from, tt.to, got, tt.successors)
		}
		if notes := strings.Join(d.Notes, " "); tt.unknownNote == "" && notes != "" || !strings.Contains(notes, tt.unknownNote) {
			t.Errorf("notes %s", notes)
		}
	}
}

// twoPlants loads plants, and generators where they are given, as v1 and v2 of 2018.
func twoPlants(t testing.TB, level string, texts ...string) *store.DB {
	t.Helper()
	backend := memstore.New()
	for i, text := range texts {
		put(t, backend, strings.NewReader(text), sheet.ReaderOptions{Name: level + "18.csv", Year: 2018, Release: []string{"v1", "v2"}[i%2]})
	}
	return store.New(backend)
}

func TestComparePlants(t *testing.T) {
	t.Parallel()
	const header = "PSTATABB,PNAME,ORISPL,BACODE,NERC,SUBRGN,PLNGENAN\n"
	db := twoPlants(t, "PLNT", header+
		"TX,Same,1,ERCO,TRE,ERCT,100\nTX,Moves,2,ERCO,TRE,ERCT,50\nTX,Twice,3,ERCO,TRE,ERCT,10\nTX,Twice,3,ERCO,TRE,ERCT,5\nTX,No code,,ERCO,TRE,ERCT,7\nOK,Goes,4,SWPP,SPP,SPSO,\nOK,Unknown,5,,SPP,SPSO,1\nAK,None,6,NA,NA,AKGD,2\nOK,Renumbered,7,SWPP,SPP,SPSO,3\n", header+
		"TX,Same,1,ERCO,TRE,ERCT,100\nOK,Moves here,2,SWPP,MRO,SPSO,60\nTX,Twice,3,ERCO,TRE,ERCT,15\nOK,Unknown,5,SWPP,SPP,SPSO,1\nAK,None,6,NA,NA,AKGD,2\nOK,RENUMBERED,70,SWPP,SPP,SPSO,3\nOK,Comes,8,SWPP,SPP,SPSO,400\n")
	d := plantDifference(t, db, "v1", "v2")
	var got []string
	for i := range d.Changes {
		c := &d.Changes[i]
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(c.ID, " ", c.Change, " ", c.Column, " ", c.From, " ", c.To, " ", c.FromGeneration, " ", c.ToGeneration, " ", c.Successor)), " "))
	}
	want := []string{
		"8 added 400", "2 moved subregion ERCT SPSO 50 60", "2 moved balancing_authority ERCO SWPP 50 60", "2 moved nerc_region TRE MRO 50 60", "2 moved state TX OK 50 60",
		"7 lost 3 70", "70 added 3", "4 lost",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d.Both != 5 || d.Moved != 1 || d.Added != 2 || d.Lost != 2 || d.Unidentified != 1 || d.Repeated != 1 || len(d.Flows) != 4 {
		t.Errorf("%+v", d)
	}
	if d.Changes[1].Name != "Moves here" {
		t.Errorf("named %s; want the name of the second edition", d.Changes[1].Name)
	}
}

// Plants are found under another code when all of their generators are there and
// nowhere else.
func TestPlantSuccessors(t *testing.T) {
	t.Parallel()
	const header = "PSTATEABB,PNAME,ORISPL,GENID,PRMVR,FUELG1,NAMEPCAP,GENNTAN,GENYRONL\n"
	const old = "TX,Goes,1,1,CT,NG,175,10,2000\nTX,Goes,1,2,CA,NG,200,10,2000\nTX,Stays,2,1,ST,NG,225,5,1966\n"
	for _, tt := range []struct{ name, now, want string }{
		{"all of them", "TX,Stays,2,1,ST,NG,225,5,1966\nTX,Stays,2,01,CT,NG,187.5,10,2000\nTX,Stays,2,02,CA,NG,200,10,2000\n", "1=2 by generators"},
		{"one of two", "TX,Stays,2,1,ST,NG,225,5,1966\nTX,Stays,2,1,CT,NG,175,10,2000\n", ""},
		{"another year", "TX,Stays,2,1,CT,NG,175,10,2001\nTX,Stays,2,2,CA,NG,200,10,2000\n", ""},
		{"another capacity", "TX,Stays,2,1,CT,NG,100,10,2000\nTX,Stays,2,2,CA,NG,200,10,2000\n", ""},
		{"another state", "OK,Stays,2,1,CT,NG,175,10,2000\nOK,Stays,2,2,CA,NG,200,10,2000\n", ""},
		{"two plants that may be it", "TX,A,8,1,CT,NG,175,10,2000\nTX,A,8,2,CA,NG,200,10,2000\nTX,B,9,1,CT,NG,175,10,2000\nTX,B,9,2,CA,NG,200,10,2000\n", ""},
	} {
		if got := successors(plantDifference(t, twoPlants(t, "GEN", header+old, header+tt.now), "v1", "v2")); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

func TestComparePlantsRefuses(t *testing.T) {
	t.Parallel()
	db := twoPlants(t, "PLNT", "PSTATABB,PNAME,PLNGENAN\nTX,A,1\n", "PSTATABB,PNAME,ORISPL,PLNGENAN\nTX,A,1,1\n")
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: calc.PlantLevels(), From: "v1", To: "v2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := calc.ReadPlantDifference(t.Context(), db, &pair); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), "2018 v1 has no ORIS codes") {
		t.Errorf("%v", err)
	}
	if _, err := calc.ComparePlants(nil, nil); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// Every plant is in both, came or went; the way back undoes the moves; flows count them.
func TestComparePlantsProperties(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	edition := func() string {
		text := "PSTATABB,PNAME,ORISPL,SUBRGN,PLNGENAN\n"
		for i := range 60 {
			if random.IntN(4) > 0 {
				text += fmt.Sprintf("TX,P%d,%d,%s,%d\n", i, i+1, []string{"ERCT", "SPSO", "SRMV"}[random.IntN(3)], random.IntN(1000)-100)
			}
		}
		return text
	}
	one, two := edition(), edition()
	db := twoPlants(t, "PLNT", one, two)
	there, back := plantDifference(t, db, "v1", "v2"), plantDifference(t, db, "v2", "v1")
	rows := func(text string) int { return strings.Count(text, "\n") - 1 }
	if there.Both+there.Lost != rows(one) || there.Both+there.Added != rows(two) || there.Added != back.Lost || there.Lost != back.Added || there.Moved != back.Moved {
		t.Errorf("%+v\nand back %+v", there, back)
	}
	plants, generation := 0, 0.0
	for _, f := range there.Flows {
		plants, generation = plants+f.Plants, generation+f.Generation
	}
	sum := 0.0
	for i := range there.Changes {
		if c := &there.Changes[i]; c.Change == calc.Moved {
			x, _ := c.ToGeneration.Float()
			sum += x
		}
	}
	if plants != there.Moved || math.Abs(generation-sum) > 1e-9 {
		t.Errorf("flows have %d plants and %v MWh; want %d and %v", plants, generation, there.Moved, sum)
	}
	if same := plantDifference(t, db, "v1", "v1"); len(same.Changes) != 0 {
		t.Errorf("an edition is not like itself: %+v", same.Changes)
	}
}
