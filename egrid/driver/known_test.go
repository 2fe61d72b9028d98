package driver_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// TestFigures: what is known of numbers does not depend on their order or on how they are
// divided, and tells numbers from others.
func TestFigures(t *testing.T) {
	t.Parallel()
	schema := generatorSchema(t, egrid.PlantCode, egrid.NetGeneration, egrid.CapacityFactor, egrid.GeneratorID)
	of := func(values ...float64) driver.Figures {
		b := egrid.NewBuilder(schema, 2023)
		for i, x := range values {
			b.Text(0, []byte("7"))
			b.Text(3, strconv.AppendInt(nil, int64(i), 10))
			b.Number(1, x)
			if i%2 == 0 {
				b.Number(2, x/8)
			}
			b.EndRow(int64(i+1), 0)
		}
		return driver.FiguresOf(b.Batch())
	}
	const c = egrid.NetGeneration
	whole := of(5.25, -2443.4, 0, 20961, 1e-7)
	if f := whole[c]; f.Values != 5 || f.Places != 2+1+7 || f.By != [8]int64{2, 1, 1, 0, 0, 0, 0, 1} {
		t.Errorf("figures %+v", f)
	}
	if f := whole[egrid.CapacityFactor]; f.Values != 3 {
		t.Errorf("of three numbers and two blanks: %+v", f)
	}
	if f, g := whole[c], of(5.25, -2443.4, 0, 20961, 1e-7)[c]; f.Identified != 5 || f.Placed != g.Placed {
		t.Errorf("%+v; want the same of the same: %+v", f, g)
	}
	if f := of(-2443.4, 5.25, 0, 20961, 1e-7)[c]; f.Digest != whole[c].Digest || f.Placed == whole[c].Placed {
		t.Errorf("values in other rows: %+v", f)
	}
	if _, is := whole[egrid.PlantCode]; is {
		t.Error("an identifier is no figure")
	}
	for name, other := range map[string]driver.Figures{
		"in another order": of(1e-7, 0, 20961, 5.25, -2443.4), "in two parts": of(0, 1e-7, -2443.4).Plus(of(20961, 5.25)), "in a part and none": driver.Figures(nil).Plus(whole),
	} {
		if f := other[c]; f.Values != 5 || f.Digest != whole[c].Digest || f.Places != whole[c].Places || f.By != whole[c].By {
			t.Errorf("%s: %+v; want %+v", name, f, whole[c])
		}
	}
	for _, f := range []driver.Figures{of(1.7e308, 1.7e308), of(-1.7e308, -1.7e308), of(1.7e308, 1.7e308, -1.7e308, -1.7e308, -1.7e308), of(1.7e308).Plus(of(1.7e308)).Plus(of(-1.7e308))} {
		if _, err := json.Marshal(driver.Tally{Figures: f}); err != nil {
			t.Error(err) // stores keep tallies as JSON
		}
	}
	for name, other := range map[string]driver.Figures{
		"one digit": of(5.25, -2443.4, 0, 20962, 1e-7), "a sign": of(5.25, 2443.4, 0, 20961, 1e-7), "two that add up alike": of(6.25, -2443.4, 0, 20960, 1e-7),
		"one more zero": of(5.25, -2443.4, 0, 20961, 1e-7, 0), "twice the one for the other": of(5.25, 5.25, 0, 20961, 1e-7),
	} {
		if other[c].Digest == whole[c].Digest {
			t.Errorf("%s makes no difference", name)
		}
	}
}

// TestJudgeNobody: figures of no known sheet, of none at all, and of another number of rows
// say nothing and mark nothing.
func TestJudgeNobody(t *testing.T) {
	t.Parallel()
	b := egrid.NewBuilder(generatorSchema(t, egrid.PlantCode, egrid.NetGeneration), 2023)
	b.Number(1, 5)
	b.EndRow(1, 0)
	f := driver.FiguresOf(b.Batch())
	for _, s := range []egrid.Snapshot{
		{Level: egrid.GEN, Year: 2023, Rows: 26601}, {Level: egrid.GEN, Year: 2023, Rows: 1}, {Level: egrid.GEN, Year: 1995, Rows: 1}, {Level: egrid.US, Year: 2023, Rows: 1}, {},
	} {
		for _, figures := range []driver.Figures{f, nil, {}} {
			if figures.Judge(&s); len(s.Audits) > 0 || len(s.Lossy) > 0 {
				t.Errorf("%s %d of %d rows: %+v, %v", s.Level, s.Year, s.Rows, s.Audits, s.Lossy)
			}
		}
	}
}

// TestKnownCSV: the table names sheets and columns that there are, once each.
func TestKnownCSV(t *testing.T) {
	t.Parallel()
	for _, at := range []struct {
		level egrid.Level
		year  int
		want  bool
	}{{egrid.GEN, 2023, true}, {egrid.GGL, 2023, true}, {egrid.PLNT, 2016, true}, {egrid.PLNT, 2023, false}, {egrid.SRL, 2018, false}} {
		if got := driver.HasKnown(at.level, at.year); got != at.want {
			t.Errorf("a sheet of %s %d is known: %t; want %t", at.level, at.year, got, at.want)
		}
	}
}
