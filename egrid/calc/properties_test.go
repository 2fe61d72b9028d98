package calc_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// generated is an invented edition by the rules of a real one.
type generated struct {
	year    int
	release string
	method  calc.Method
	sample  *egridtest.Sample
}

// editions are of every combination of variants that editions follow.
func editions() []generated {
	var all []generated
	for i, e := range []generated{{year: 2014}, {year: 2016}, {year: 2018, release: "v2"}, {year: 2019}, {year: 2021}, {year: 2023, release: "rev0"}, {year: 2023, release: "rev2"}} {
		e.method = calc.MethodOf(e.year, e.release)
		e.sample = egridtest.NewSample(&egridtest.SampleOptions{Seed: uint64(i), Plants: 400, Year: e.year, Release: e.release, Method: e.method})
		all = append(all, e)
	}
	return all
}

func (e *generated) String() string { return fmt.Sprintf("%d %s", e.year, e.release) }

// batch reads a sheet as it was written, with the figures' rounding.
func (e *generated) batch(t testing.TB, level egrid.Level) *egrid.Batch {
	t.Helper()
	var file bytes.Buffer
	if err := e.sample.Write(&file, level); err != nil {
		t.Fatal(err)
	}
	r, err := sheet.NewReader(&file, &sheet.ReaderOptions{Name: e.sample.Name(level)})
	if err != nil {
		t.Fatal(err)
	}
	var all []*egrid.Batch
	for d, err := range r.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Batches...)
	}
	return egrid.Concat(all[0].Schema(), all...)
}

func plantsOf(t testing.TB, batches ...*egrid.Batch) *calc.Plants {
	t.Helper()
	p, err := calc.ReadPlants(each(batches))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// figures are the numbers of some rows, by code and column.
func figures(b *egrid.Batch, key egrid.Column) map[string]map[egrid.Column]float64 {
	all := map[string]map[egrid.Column]float64{}
	for row := range b.Rows() {
		of := map[egrid.Column]float64{}
		for i, f := range b.Schema().Fields() {
			if x, ok := row.At(i).Float(); ok && !f.Rule.IsZero() {
				of[f.Column] = x
			}
		}
		all[row.Text(key)] = of
	}
	return all
}

// same reports that two sums differ by no more than the last digits of a float64.
func same(a, b float64) bool {
	return math.Abs(a-b) <= 1e-13*math.Max(math.Abs(a), math.Abs(b))
}

func isSum(f egrid.Field) bool { return len(f.Rule.Denominator) == 0 }

var keys = map[egrid.Level]egrid.Column{
	egrid.ST: egrid.State, egrid.BA: egrid.BalancingAuthority, egrid.SRL: egrid.Subregion, egrid.NRL: egrid.NERCRegion, egrid.US: "",
}

// The order of the plants, and in how many parts they come, change no figure.
func TestRegionsInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, e := range editions() {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(e.year), 1))
			plants := e.batch(t, egrid.PLNT)
			whole := plantsOf(t, plants)
			order := random.Perm(plants.Len())
			shuffled := plants.Select(order)
			parts := calc.NewSums(e.method)
			for from := 0; from < shuffled.Len(); {
				n := 1 + random.IntN(90)
				parts.Add(plantsOf(t, shuffled.Slice(from, min(from+n, shuffled.Len()))))
				from += n
			}
			for _, level := range calc.RegionLevels() {
				want := figures(whole.Regions(level, e.method), keys[level])
				for name, got := range map[string]*egrid.Batch{
					"shuffled": plantsOf(t, shuffled).Regions(level, e.method), "in parts": parts.Regions(level),
				} {
					checkSame(t, fmt.Sprint(level, " ", name), figures(got, keys[level]), want)
				}
			}
		})
	}
}

func checkSame(t *testing.T, name string, got, want map[string]map[egrid.Column]float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d regions; want %d", name, len(got), len(want))
	}
	for code, columns := range want {
		if len(columns) != len(got[code]) || len(columns) < 100 {
			t.Errorf("%s: %s has %d figures; want %d", name, code, len(got[code]), len(columns))
		}
		for c, x := range columns {
			if !same(got[code][c], x) {
				t.Errorf("%s: %s of %s is %v; want %v", name, c, code, got[code][c], x)
			}
		}
	}
}

// The US is all plants, and the sum of every kind of region that all plants belong to.
func TestUSIsAllPlants(t *testing.T) {
	t.Parallel()
	for _, e := range editions() {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			batch := e.batch(t, egrid.PLNT)
			plants := plantsOf(t, batch)
			us := figures(plants.Regions(egrid.US, e.method), "")[""]
			for at, f := range batch.Schema().Fields() {
				of, measure := egrid.Lookup(egrid.US, string(f.Column))
				if !measure || !isSum(of) || len(of.Rule.Numerator) > 0 || of.Rule.IsZero() || of.Column == "hg_lb" {
					continue
				}
				sum := 0.0
				for i := range batch.Len() {
					x, _ := batch.Column(at).Float(i)
					sum += x
				}
				if !same(us[f.Column], sum) && math.Abs(us[f.Column]-sum) > 1e-9*math.Abs(sum) {
					t.Errorf("%s is %v; all plants have %v", f.Column, us[f.Column], sum)
				}
			}
			for level, key := range keys {
				regions := figures(plants.Regions(level, e.method), key)
				for c, x := range us {
					f, _ := egrid.Lookup(egrid.US, string(c))
					if !isSum(f) {
						continue
					}
					sum := 0.0
					for _, of := range regions {
						sum += of[c]
					}
					if math.Abs(sum-x) > 1e-9*math.Max(1, math.Abs(x)) {
						t.Errorf("%s: %s sums up to %v; the US has %v", level, c, sum, x)
					}
				}
			}
		})
	}
}

// Two regions that become one have the sum of their sums, rates between theirs, and
// nothing of others; a region that is divided gives the same from the other end.
func TestMergeAndSplitRegions(t *testing.T) {
	t.Parallel()
	for _, e := range editions() {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(e.year), 2))
			batch := e.batch(t, egrid.PLNT)
			apart := figures(plantsOf(t, batch).Regions(egrid.SRL, e.method), egrid.Subregion)
			for range 5 {
				codes := slices.Sorted(maps.Keys(apart))
				random.Shuffle(len(codes), func(i, j int) { codes[i], codes[j] = codes[j], codes[i] })
				a, b := codes[0], codes[1]
				merged := figures(plantsOf(t, renamed(t, batch, b, a)).Regions(egrid.SRL, e.method), egrid.Subregion)
				if len(merged) != len(apart)-1 || merged[b] != nil {
					t.Fatalf("%s in %s leaves %d of %d regions", b, a, len(merged), len(apart))
				}
				for _, other := range codes[2:] {
					checkSame(t, other, map[string]map[egrid.Column]float64{other: merged[other]}, map[string]map[egrid.Column]float64{other: apart[other]})
				}
				checkMerged(t, e.method, a+" and "+b, merged[a], apart[a], apart[b])
			}
		})
	}
}

// renamed gives the plants of a subregion another one.
func renamed(t *testing.T, b *egrid.Batch, from, to string) *egrid.Batch {
	t.Helper()
	builder, at := egrid.NewBuilder(b.Schema(), b.Year()), b.Schema().Index(egrid.Subregion)
	for i := range b.Len() {
		for c := range b.Schema().Len() {
			if c == at && b.Column(at).Text(i) == from {
				builder.Text(c, []byte(to))
				continue
			}
			builder.Copy(c, b.Column(c), i)
		}
		builder.EndRow(int64(i+1), 0)
	}
	return builder.Batch()
}

func checkMerged(t *testing.T, m calc.Method, name string, merged, a, b map[egrid.Column]float64) {
	t.Helper()
	between := 0
	for c, x := range merged {
		f, _ := egrid.Lookup(egrid.SRL, string(c))
		switch {
		case isSum(f):
			if !same(x, a[c]+b[c]) && math.Abs(x-a[c]-b[c]) > 1e-6 {
				t.Errorf("%s: %s is %v of %v and %v", name, c, x, a[c], b[c])
			}
		case f.Unit == "fraction", len(f.Rule.Categories) > 0, f.Rule.Weight != "", len(f.Rule.Denominator) > 1:
			// What they are over is no column of the sheet, or their whole depends on the signs of fuels.
		case a[f.Rule.Denominator[0]] > 0 && b[f.Rule.Denominator[0]] > 0:
			between++
			low, high := min(a[c], b[c]), max(a[c], b[c])
			if x < low-1e-9*math.Abs(low) || x > high+1e-9*math.Abs(high) {
				t.Errorf("%s: the rate %s is %v of %v and %v", name, c, x, a[c], b[c])
			}
		}
	}
	if between == 0 && a[egrid.NetGeneration] > 0 && b[egrid.NetGeneration] > 0 {
		t.Errorf("%s: no rate was checked, by %s", name, m)
	}
}

// What the generator writes of an edition is what reconciliation finds of it: every
// figure matches by the edition's rules, and the rules that it finds are the edition's.
func TestReconcileGeneratedEditions(t *testing.T) {
	t.Parallel()
	for _, e := range editions() {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			s := sample{}
			for _, level := range append([]egrid.Level{egrid.PLNT}, calc.RegionLevels()...) {
				var text bytes.Buffer
				if err := e.sample.Write(&text, level); err != nil {
					t.Fatal(err)
				}
				s[level] = text.String()
			}
			c := reconcile(t, store.New(s.db(t, e.release)), e.year, nil)
			if c.Matched() != c.Checked() || c.Checked() < 15000 {
				t.Errorf("%d of %d match", c.Matched(), c.Checked())
				for _, check := range c.Checks() {
					if !check.Worst.Matches() {
						t.Logf("%+v", check)
					}
				}
			}
			for _, v := range c.Variants {
				if v.Used != (e.method.Choice(v.Rule) == v.Choice) {
					t.Errorf("%s of %s: matched %d of %d, used %v", v.Choice, v.Rule, v.Matched, v.Checked, v.Used)
				}
			}
		})
	}
}

// A plant's rates, shares and weights in the sheet that the generator writes are what
// explaining each of them gives.
func TestPlantFiguresExplained(t *testing.T) {
	t.Parallel()
	e := editions()[6]
	db := store.New(sample{egrid.PLNT: sheetText(t, e.sample, egrid.PLNT)}.db(t, e.release, egrid.PLNT))
	plants := e.batch(t, egrid.PLNT)
	derived := calc.PlantFigures(plants, e.method)
	rates := 0
	for _, i := range []int{0, 7, 31, 99, 250} {
		for at, f := range derived.Schema().Fields() {
			if len(f.Rule.Denominator) == 0 {
				continue
			}
			x, err := calc.Explain(t.Context(), db, calc.ExplainQuery{Level: egrid.PLNT, Code: plants.Row(i).Text(egrid.PlantCode), Column: string(f.Column)})
			if err != nil {
				t.Fatal(err)
			}
			got, ok := derived.Column(at).Float(i)
			want, explained := x.Recomputed.Float()
			if ok != explained || !same(got, want) && f.Unit != "fraction" {
				t.Errorf("%s of plant %d is %v; explained as %v (%v)", f.Column, i, got, want, x.Notes)
			}
			if explained && !x.Matches && x.Field.Unit != "fraction" {
				t.Errorf("%s of plant %d: %v published, %v explained", f.Column, i, x.Published, want)
			}
			if explained {
				rates++
			}
		}
	}
	if rates < 50 {
		t.Errorf("%d rates were compared", rates)
	}
}

func sheetText(t testing.TB, s *egridtest.Sample, level egrid.Level) string {
	t.Helper()
	var text bytes.Buffer
	if err := s.Write(&text, level); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// Every unit of every kind leads back to the first, for every gas.
func TestFactorUnitsRoundTrip(t *testing.T) {
	t.Parallel()
	db := store.New(newSample(t).db(t, "rev2"))
	const pound, mmbtu = 0.45359237, 1.05505585262 // kg, GJ
	back := map[string]float64{
		"lb/MWh": 1, "kg/MWh": pound, "kg/kWh": pound / 1000, "g/kWh": pound, "t/MWh": pound / 1000, "lb/kWh": 1.0 / 1000,
		"lb/MMBtu": 1, "kg/MMBtu": pound, "kg/GJ": pound / mmbtu,
	}
	for _, kind := range calc.Kinds() {
		for _, gas := range calc.Gases() {
			var first float64
			for _, unit := range calc.FactorUnits(kind) {
				f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.US, Kind: kind, Gas: gas, Unit: unit})
				if err != nil {
					t.Fatal(err)
				}
				first = cmp.Or(first, f.Value)
				if x := f.Value / back[unit]; math.Abs(x-first) > 4e-16*first || x == 0 {
					t.Errorf("%s %s: %v %s is %v in the first unit; want %v", kind, gas, f.Value, unit, x, first)
				}
			}
		}
	}
}
