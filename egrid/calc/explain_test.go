package calc_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// Every figure of a region can be computed again from what its explanation shows,
// and its plants sum up to the inputs.
func TestExplain(t *testing.T) {
	t.Parallel()
	db := load(t, append(files2023(), "2018/v2_PLNT-assembled.csv", "2018/v2_subregion.csv", "2018/v2_state.csv")...)
	for _, tt := range []struct {
		level             egrid.Level
		code              string
		year              int
		formulas, matches int
		plants            bool
	}{
		{egrid.SRL, "RFCM", 2018, 107, 107, true},
		{egrid.SRL, "AKGD", 2018, 107, 107, true},
		{egrid.ST, "NY", 2018, 107, 107, true},
		{egrid.SRL, "CAMX", 2023, 58, 58, false},
		{egrid.US, "", 2023, 58, 56, false},
		{egrid.GGL, "Western", 2023, 1, 1, false},
	} {
		formulas, matches, withPlants := 0, 0, false
		for _, f := range egrid.Fields(tt.level) {
			x, err := calc.Explain(t.Context(), db, calc.ExplainQuery{Level: tt.level, Code: tt.code, Column: f.Code, Year: tt.year})
			if err != nil {
				t.Fatalf("%s of %s: %v", f.Column, tt.code, err)
			}
			if x.Formula == "" || !x.Snapshots[0].Schema.Has(f.Column) {
				continue
			}
			formulas++
			if x.Matches {
				matches++
			}
			withPlants = withPlants || len(x.Plants) > 0
			v, _ := x.Recomputed.Float()
			if again := independent(t, x.Formula, x.Inputs); again != v {
				t.Errorf("%s: %s is %v by another evaluator, and %v by ours", f.Column, x.Formula, again, v)
			}
			for name, in := range x.Inputs {
				sum, weighted := 0.0, strings.Contains(in.Of, "non-baseload")
				for _, p := range x.Plants {
					if !weighted {
						p.Weight = 1
					}
					sum += p.Amounts[name] * p.Weight
				}
				if in.Level == egrid.PLNT && math.Abs(sum-in.Value) > 1e-9*math.Abs(in.Value) {
					t.Errorf("%s: plants have %v of %s; the input is %v", f.Column, sum, name, in.Value)
				}
			}
		}
		if formulas != tt.formulas || matches != tt.matches || withPlants != tt.plants {
			t.Errorf("%s %s %d: %d of %d figures match, with plants: %v; want %d of %d, %v",
				tt.level, tt.code, tt.year, matches, formulas, withPlants, tt.matches, tt.formulas, tt.plants)
		}
	}
}

func TestExplainRefused(t *testing.T) {
	t.Parallel()
	db := load(t, files2023()...)
	for _, tt := range []struct {
		query calc.ExplainQuery
		is    error
		says  string
	}{
		{calc.ExplainQuery{Level: egrid.SRL, Code: "CAMY", Column: "SRCO2RTA"}, egrid.ErrNotFound, "CAMX"},
		{calc.ExplainQuery{Level: egrid.SRL, Code: "CAMX", Column: "SRCO2"}, egrid.ErrInvalid, "SRCO2"},
		{calc.ExplainQuery{Level: egrid.GEN, Code: "6008", Column: "GENNTAN"}, egrid.ErrInvalid, "PLNT"},
		{calc.ExplainQuery{Level: egrid.SRL, Code: "CAMX", Column: "SRCO2RTA", Year: 2018}, egrid.ErrNotFound, "2018"},
	} {
		if _, err := calc.Explain(t.Context(), db, tt.query); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%+v: got %v; want %v with %q", tt.query, err, tt.is, tt.says)
		}
	}
}

// An input that is of no plants and no sum is the cell that it names.
func TestExplainInputsAreCells(t *testing.T) {
	t.Parallel()
	db := load(t, files2023()...)
	page, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.ST, Year: 2023, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	for row := range page.Rows() {
		for _, f := range egrid.Fields(egrid.ST) {
			if !strings.Contains(string(f.Column), "nonbaseload") || f.Rule.IsZero() {
				continue
			}
			x, err := calc.Explain(t.Context(), db, calc.ExplainQuery{Level: egrid.ST, Code: row.Text(egrid.State), Column: f.Code, Year: 2023})
			if err != nil {
				t.Fatal(err)
			}
			for name, in := range x.Inputs {
				if in.Of != "" || in.Level != egrid.ST {
					continue
				}
				cells++
				if cell, _ := row.Float(in.Column); cell != in.Value {
					t.Errorf("%s of %s: the input %s is %v; the cell has %v", f.Column, x.Query.Code, name, in.Value, cell)
				}
			}
		}
	}
	if cells < 700 {
		t.Errorf("%d inputs were compared", cells)
	}
}
