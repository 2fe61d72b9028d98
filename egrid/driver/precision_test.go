package driver_test

import (
	"fmt"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// A spreadsheet's general format shows ten digits. One generator in thousands is that
// large, so it takes all rows to tell.
func TestPrecision(t *testing.T) {
	t.Parallel()
	schema := generatorSchema(t, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, "net_generation_ozone_season_mwh", egrid.NameplateCapacity)
	chunk := func(values ...float64) *egrid.Batch {
		b := egrid.NewBuilder(schema, 2023)
		for i, x := range values {
			b.Text(0, fmt.Append(nil, i))
			b.Number(2, x)
			b.Number(4, 5.5)
			b.EndRow(int64(i+1), 0)
		}
		return b.Batch()
	}
	small := []float64{1.125, 20.375, 3.001, 17.999, 12.5, 0, -4.875, 450}
	cut := []float64{10244180.93, 10332148.1, 11570825.07, 10626267.93}
	for name, test := range map[string]struct {
		chunks [][]float64
		want   string
	}{
		"five that are cut":        {[][]float64{small, cut, {10271863.88}}, "[net_generation_mwh]"},
		"four":                     {[][]float64{small, cut}, "[]"},
		"one of more digits":       {[][]float64{small, cut, {10271863.884}}, "[]"},
		"no smaller ones":          {[][]float64{cut, cut}, "[]"},
		"smaller ones without":     {[][]float64{{1.5, 2.5, 3, 4.5, 5.5, 6.5}, cut, cut}, "[]"},
		"whole ones tell nothing":  {[][]float64{small, {10244181, 10332148, 11570825, 10626268, 10271864}}, "[]"},
		"negative ones":            {[][]float64{small, {-10244180.93, -10332148.1, -11570825.07, -10626267.93, -10271863.88}}, "[net_generation_mwh]"},
		"more than decimals keep":  {[][]float64{small, cut, cut, {1.0 / 3}}, "[]"},
		"seven digits are not cut": {[][]float64{small, {1024418.9, 1033214.1, 1157082.7, 1062626.9, 1027186.8}}, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tallies []driver.Tally
			var p driver.Precision
			for _, values := range test.chunks {
				b := chunk(values...)
				tallies = append(tallies, driver.TallyOf(driver.Chunk{Rows: b}))
				p = driver.PrecisionOf(b).Plus(p)
			}
			s := driver.NewSnapshot("stage", driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema})
			driver.Describe(&s, tallies)
			if got := fmt.Sprint(s.Lossy); got != test.want || fmt.Sprint(p.Rounded()) != test.want {
				t.Errorf("rounded are %s and %v; want %s", got, p.Rounded(), test.want)
			}
		})
	}
}
