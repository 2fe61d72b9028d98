package calc_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func levelDifferences(t testing.TB, db *store.DB, from, to string, levels ...egrid.Level) []calc.LevelDifference {
	t.Helper()
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: levels, From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	all, err := calc.ReadLevelDifferences(t.Context(), db, &pair, levels...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func columnChange(t testing.TB, d *calc.LevelDifference, column egrid.Column) *calc.ColumnChange {
	t.Helper()
	for i := range d.Changes {
		if d.Changes[i].Column == column {
			return &d.Changes[i]
		}
	}
	t.Fatalf("no column %s", column)
	return nil
}

func TestCompareColumns(t *testing.T) {
	t.Parallel()
	db := twoEditions(t,
		"SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRSO2AN,SRNOXAN,SRHTIAN\nCAMX,Cal,100.125,50,1.23456,0,8\nNYLI,Long,200.25,60,2.34567,5,8\nERCT,Tex,300.5,,3.45678,4,8\n",
		"SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRSO2AN,SRNOXAN,SRCH4AN\nCAMX,California,100.125,75,1.2346,7,1\nNYLI,Long,400.5,,2.3457,10,1\nERCT,Tex,150.25,70,3.4568,4,1\n")
	all := levelDifferences(t, db, "v1", "v2", egrid.SRL, egrid.ST)
	if len(all) != 1 || all[0].Rows != 3 || all[0].From.Release != "v1" {
		t.Fatalf("%+v", all)
	}
	d := &all[0]
	for column, want := range map[egrid.Column]string{
		"subregion_name":     "moved 3: 1 0 0 0 0; CAMX Cal to California; median ",
		"net_generation_mwh": "moved 3: 2 0 0 0 0; NYLI 200.25 to 400.5; median 0.25",
		"co2_short_tons":     "moved 3: 1 0 0 1 1; CAMX 50 to 75; median 0.5",
		"so2_short_tons":     "moved 3: 0 3 0 0 0; none; median ",
		"nox_short_tons":     "moved 3: 2 0 0 0 0; NYLI 5 to 10; median 1", // and not from 0
		"ch4_lb":             "added 0: 0 0 0 0 0; none; median ",
		"heat_input_mmbtu":   "lost 0: 0 0 0 0 0; none; median ",
	} {
		c := columnChange(t, d, column)
		largest := "none"
		if l := c.Largest; l != nil {
			largest = l.Key + " " + l.From.String() + " to " + l.To.String()
		}
		if got := fmt.Sprintf("%s %d: %d %d %d %d %d; %s; median %s", c.Change, c.Rows, c.Changed, c.Rounder, c.Finer, c.Filled, c.Blanked, largest, c.Median); got != want {
			t.Errorf("%s: %s; want %s", column, got, want)
		}
	}
	if first, last := d.Changes[0], d.Changes[len(d.Changes)-1]; first.Changed != 2 || last.Change != calc.Lost {
		t.Errorf("the order begins with %s and ends with %s", first.Column, last.Column)
	}
	for _, c := range levelDifferences(t, db, "v1", "v1", egrid.SRL)[0].Changes {
		if c.Change != calc.Same || c.Cells() != 0 {
			t.Errorf("an edition is not like itself: %+v", c)
		}
	}
	pair, err := db.Pair(t.Context(), store.PairQuery{Levels: []egrid.Level{egrid.SRL}, From: "v1", To: "v2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := calc.ReadLevelDifferences(t.Context(), db, &pair, egrid.US); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("no level in common: %v", err)
	}
}

// Rates of CH4 and N2O per heat are 2,000 times lower in v2 of 2018, in every row.
func TestCompareColumnsReal(t *testing.T) {
	t.Parallel()
	db := load(t, append(v1Of2018, v2Of2018...)...)
	rows := map[egrid.Level]int64{egrid.ST: 51, egrid.SRL: 26, egrid.NRL: 10, egrid.US: 1}
	for _, d := range levelDifferences(t, db, "2018-v1", "2018-v2", egrid.ST, egrid.SRL, egrid.NRL, egrid.US) {
		for _, column := range []egrid.Column{"ch4_input_rate_lb_per_mmbtu", "n2o_input_rate_lb_per_mmbtu"} {
			c := columnChange(t, &d, column)
			if x, _ := c.Median.Float(); c.Changed != rows[d.To.Level] || c.Rows != c.Changed || math.Abs(x+0.9995) > 0.0001 {
				t.Errorf("%s %s: %d of %d, median %v", d.To.Level, column, c.Changed, c.Rows, x)
			}
		}
		if c := columnChange(t, &d, "net_generation_mwh"); c.Changed > 2 {
			t.Errorf("%s: net generation changed in %d rows", d.To.Level, c.Changed)
		}
	}
}
