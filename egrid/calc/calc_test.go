package calc_test

import (
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// open reads a real file, and skips where there is none.
func open(t testing.TB, name string) []*egrid.Batch {
	t.Helper()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r, err := sheet.NewReader(f, &sheet.ReaderOptions{Name: name})
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
	return all
}

func each(batches []*egrid.Batch) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		for _, b := range batches {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func readPlants(t testing.TB, name string) *calc.Plants {
	t.Helper()
	p, err := calc.ReadPlants(each(open(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sheets2018 are the region sheets of 2018 by level.
func sheets2018(release string) map[egrid.Level]string {
	return map[egrid.Level]string{
		egrid.ST: "2018/" + release + "_state.csv", egrid.SRL: "2018/" + release + "_subregion.csv",
		egrid.NRL: "2018/" + release + "_NERC.csv", egrid.US: "2018/" + release + "_US.csv",
	}
}

// tally counts cells that were compared, and those that match.
func tally(cells []calc.Cell) (checked, matched int) {
	for i := range cells {
		if cells[i].Matches() {
			matched++
		}
	}
	return len(cells), matched
}

// Every value of the region sheets of 2018 v2 that its plants allow comes out, and
// with the rules of 2023 they do not.
func TestRegionsOfPlants2018(t *testing.T) {
	t.Parallel()
	plants := readPlants(t, "2018/v2_PLNT-assembled.csv")
	for _, tt := range []struct {
		name             string
		method           calc.Method
		checked, matched int
	}{
		{"its own rules", calc.MethodOf(2018, "v2"), 8536, 8536},
		{"those of 2023", calc.MethodOf(2023, "rev0"), 8536, 6758},
	} {
		checked, matched := 0, 0
		for level, name := range sheets2018("v2") {
			n, m := tally(calc.Compare(level, egrid.PLNT, open(t, name), plants.Regions(level, tt.method)))
			checked, matched = checked+n, matched+m
		}
		if checked != tt.checked || matched != tt.matched {
			t.Errorf("%s: %d of %d values match; want %d of %d", tt.name, matched, checked, tt.matched, tt.checked)
		}
	}
}

func TestFromSums(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		year             int
		release          string
		sheets           map[egrid.Level]string
		checked, matched int
	}{
		{"2018 v1, whose input rates of CH4 and N2O are wrong", 2018, "v1", sheets2018("v1"), 4576, 4400},
		{"2018 v2", 2018, "v2", sheets2018("v2"), 4576, 4576},
		{"2019", 2019, "", map[egrid.Level]string{
			egrid.ST: "2019/2018+2019_state.csv", egrid.SRL: "2019/2018+2019_subregion.csv",
			egrid.NRL: "2019/2018+2019_NERC.csv", egrid.US: "2019/2018+2019_US.csv",
		}, 4770, 4770},
		{"2023 rev0, whose US combustion rates of CH4 and N2O are the output rates", 2023, "rev0", map[egrid.Level]string{
			egrid.ST: "2023/ST23-rev0.csv", egrid.SRL: "2023/SRL23-rev0.csv", egrid.NRL: "2023/NRL23-rev0.csv",
			egrid.BA: "2023/BA23-rev0.csv", egrid.US: "2023/US23-rev0.csv",
		}, 9222, 9220},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checked, matched := 0, 0
			for level, name := range tt.sheets {
				for _, b := range open(t, name) {
					if b.Year() != 0 && b.Year() != tt.year {
						continue
					}
					anew := calc.FromSums(level, b, calc.MethodOf(tt.year, tt.release))
					n, m := tally(calc.Compare(level, level, []*egrid.Batch{b}, anew))
					checked, matched = checked+n, matched+m
				}
			}
			if checked != tt.checked || matched != tt.matched {
				t.Errorf("%d of %d values match; want %d of %d", matched, checked, tt.matched, tt.checked)
			}
		})
	}
}

// Totals of editions whose region sheets are not at hand, as EPA prints them.
func TestTotals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file     string
		year     int
		mwh, co2 float64
	}{
		{"2014/v2_PLNT14-assembled.csv", 2014, 4079690473.912, 0},
		{"2016/PLNT16-assembled.csv", 2016, 4075322641.089, 0},
		{"2018/v2_PLNT-assembled.csv", 2018, 4168370117.666, 1974101893.6},
	} {
		us := readPlants(t, tt.file).Regions(egrid.US, calc.MethodOf(tt.year, ""))
		if us.Len() != 1 {
			t.Fatalf("%s: %d rows; want one", tt.file, us.Len())
		}
		if mwh, _ := us.Row(0).Float(egrid.NetGeneration); math.Abs(mwh-tt.mwh) > 0.01 {
			t.Errorf("%s: %.3f MWh; want %.3f", tt.file, mwh, tt.mwh)
		}
		if co2, _ := us.Row(0).Float(egrid.CO2); tt.co2 != 0 && math.Abs(co2-tt.co2) > 1 {
			t.Errorf("%s: %.1f short tons of CO2; want %.1f", tt.file, co2, tt.co2)
		}
	}
}

func BenchmarkRegions(b *testing.B) {
	plants := readPlants(b, "2018/v2_PLNT-assembled.csv")
	m := calc.MethodOf(2018, "v2")
	b.ReportAllocs()
	for b.Loop() {
		for _, level := range []egrid.Level{egrid.ST, egrid.SRL, egrid.NRL, egrid.US} {
			if plants.Regions(level, m).Len() == 0 {
				b.Fatal("no regions")
			}
		}
	}
}

func BenchmarkScan(b *testing.B) {
	batches := open(b, "2018/v2_PLNT-assembled.csv")
	var x []float64
	b.ReportAllocs()
	for b.Loop() {
		sum := 0.0
		for _, batch := range batches {
			for at, f := range batch.Schema().Fields() {
				if f.Type != egrid.Number {
					continue
				}
				x = batch.Column(at).Floats(x[:0])
				for _, v := range x {
					if v == v {
						sum += v
					}
				}
			}
		}
		if sum == 0 {
			b.Fatal("nothing was read")
		}
	}
}
