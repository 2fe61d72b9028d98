package calc_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// load puts real files into a store in memory.
func load(t testing.TB, names ...string) *store.DB {
	t.Helper()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	m := memstore.New()
	for _, name := range names {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Load(t.Context(), m, f, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}})
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return store.New(m)
}

// independent evaluates a formula by Go's own grammar.
func independent(t *testing.T, formula string, inputs map[string]calc.Input) float64 {
	t.Helper()
	e, err := parser.ParseExpr(formula)
	if err != nil {
		t.Fatalf("formula %q: %v", formula, err)
	}
	var value func(ast.Expr) float64
	value = func(e ast.Expr) float64 {
		switch e := e.(type) {
		case *ast.ParenExpr:
			return value(e.X)
		case *ast.BasicLit:
			x, err := strconv.ParseFloat(e.Value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return x
		case *ast.Ident:
			in, ok := inputs[e.Name]
			if !ok {
				t.Fatalf("formula %q names %s, which is no input", formula, e.Name)
			}
			return in.Value
		case *ast.BinaryExpr:
			x, y := value(e.X), value(e.Y)
			switch e.Op {
			case token.ADD:
				return x + y
			case token.SUB:
				return x - y
			case token.MUL:
				return x * y
			case token.QUO:
				return x / y
			}
		}
		t.Fatalf("formula %q holds a %T", formula, e)
		return 0
	}
	return value(e)
}

func files2023() []string {
	return []string{"2023/SRL23-rev0.csv", "2023/ST23-rev0.csv", "2023/BA23-rev0.csv", "2023/NRL23-rev0.csv", "2023/US23-rev0.csv", "2023/GGL23-rev0.csv"}
}

func TestFactorOf(t *testing.T) {
	t.Parallel()
	db := load(t, append(files2023(), "2018/v2_PLNT-assembled.csv", "2018/v2_subregion.csv", "2018/v2_US.csv")...)
	us := func(change func(*calc.FactorQuery)) calc.FactorQuery {
		q := calc.FactorQuery{Level: egrid.US, Year: 2023}
		change(&q)
		return q
	}
	for _, tt := range []struct {
		name  string
		query calc.FactorQuery
		want  float64
		unit  string
		near  float64
	}{
		{"US, as EPA publishes it", us(func(*calc.FactorQuery) {}), 775.218, "lb/MWh", 0.0005},
		{"US in kg/MWh", us(func(q *calc.FactorQuery) { q.Unit = "kg/mwh" }), 775.218 * 0.45359237, "kg/MWh", 0.0005},
		{"US under AR5, which is the edition's own", us(func(q *calc.FactorQuery) { q.GWP = "AR5" }), 775.218, "lb/MWh", 0.0005},
		{"US CO2 per MMBtu", us(func(q *calc.FactorQuery) { q.Gas, q.Kind = calc.CO2, calc.HeatInput }), 146.892, "lb/MMBtu", 0.0005},
		{"US non-baseload CO2, from the published rate", us(func(q *calc.FactorQuery) { q.Gas, q.Kind = calc.CO2, calc.Nonbaseload }), 1393.7, "lb/MWh", 0.0005},
		{"US N2O, finer than the published 0.008", us(func(q *calc.FactorQuery) { q.Gas = calc.N2O }), 33081049.503 / 4167601391.182, "lb/MWh", 1e-12},
		{"US delivered", us(func(q *calc.FactorQuery) { q.Delivered = true }), 775.2181 / (1 - 171193461.76817334/(4212890351.172346-136774228.55720884)), "lb/MWh", 0.001},
		{"a subregion in lower case, newest year", calc.FactorQuery{Level: egrid.SRL, Code: "camx", Gas: calc.CO2, Release: "rev0"}, 428.464, "lb/MWh", 200},
		{"2018 non-baseload from plants", calc.FactorQuery{Level: egrid.SRL, Code: "AKGD", Year: 2018, Gas: calc.CO2, Kind: calc.Nonbaseload}, 1262.461, "lb/MWh", 0.0005},
		{"a region without a sheet, from its plants", calc.FactorQuery{Level: egrid.ST, Code: "DC", Year: 2018, Gas: calc.CO2}, 0, "lb/MWh", 3000},
		{"Palo Verde burns nothing", calc.FactorQuery{Plants: []string{"6008"}, Year: 2018, Gas: calc.CO2}, 0, "lb/MWh", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := calc.FactorOf(t.Context(), db, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(f.Value-tt.want) > tt.near || f.Unit != tt.unit {
				t.Errorf("%v %s by %s; want %v %s", f.Value, f.Unit, f.Formula, tt.want, tt.unit)
			}
			if again := independent(t, f.Formula, f.Inputs); again != f.Value {
				t.Errorf("%s is %v by another evaluator, and %v by ours", f.Formula, again, f.Value)
			}
			if p, ok := f.Published.Float(); ok && math.Abs(p-f.Value) > 0.0006 {
				t.Errorf("published %v; computed %v", p, f.Value)
			}
			if len(f.Snapshots) == 0 || f.Authority != "EPA" {
				t.Errorf("from %d snapshots, published by %q", len(f.Snapshots), f.Authority)
			}
		})
	}
}

// The plants of an explained factor sum up to its inputs.
func TestFactorExplained(t *testing.T) {
	t.Parallel()
	db := load(t, "2018/v2_PLNT-assembled.csv", "2018/v2_subregion.csv")
	for _, kind := range []calc.Kind{calc.Output, calc.Nonbaseload, calc.Combustion} {
		f, err := calc.FactorOf(t.Context(), db, calc.FactorQuery{Level: egrid.SRL, Code: "RFCM", Gas: calc.CO2, Kind: kind, Explain: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Plants) < 50 {
			t.Errorf("%s: %d plants", kind, len(f.Plants))
		}
		for name, in := range f.Inputs {
			sum := 0.0
			for _, p := range f.Plants {
				sum += p.Amounts[name] * p.Weight
			}
			if math.Abs(sum-in.Value) > 1e-9*math.Abs(in.Value) {
				t.Errorf("%s: plants have %v of %s; the input is %v", kind, sum, name, in.Value)
			}
		}
		if p, ok := f.Published.Float(); !ok || math.Abs(p-f.Value) > 0.0006 {
			t.Errorf("%s: %v; published %v", kind, f.Value, f.Published)
		}
	}
}

func TestFactorRefused(t *testing.T) {
	t.Parallel()
	db := load(t, files2023()...)
	for _, tt := range []struct {
		name  string
		query calc.FactorQuery
		is    error
		says  string
	}{
		{"an unknown region", calc.FactorQuery{Level: egrid.SRL, Code: "CAMY"}, egrid.ErrNotFound, "CAMX"},
		{"no region", calc.FactorQuery{Level: egrid.SRL}, egrid.ErrInvalid, "which eGRID subregion"},
		{"a level without regions", calc.FactorQuery{Level: egrid.GEN}, egrid.ErrInvalid, "SRL"},
		{"a code of the US", calc.FactorQuery{Level: egrid.US, Code: "X"}, egrid.ErrInvalid, "the US have no code"},
		{"an unknown gas", calc.FactorQuery{Level: egrid.US, Gas: "sf6"}, egrid.ErrInvalid, "co2e"},
		{"an unknown kind", calc.FactorQuery{Level: egrid.US, Kind: "marginal"}, egrid.ErrInvalid, "nonbaseload"},
		{"an unknown unit", calc.FactorQuery{Level: egrid.US, Unit: "stone"}, egrid.ErrInvalid, "kg/MWh"},
		{"an unknown GWP", calc.FactorQuery{Level: egrid.US, GWP: "ar7"}, egrid.ErrInvalid, "ar6"},
		{"a GWP of one gas", calc.FactorQuery{Level: egrid.US, Gas: calc.CO2, GWP: "ar5"}, egrid.ErrInvalid, "one gas"},
		{"delivered fuel", calc.FactorQuery{Level: egrid.US, Kind: calc.HeatInput, Delivered: true}, egrid.ErrInvalid, "delivered"},
		{"a year that is not loaded", calc.FactorQuery{Level: egrid.US, Year: 2019}, egrid.ErrNotFound, "2023"},
		{"plants without their sheet", calc.FactorQuery{Plants: []string{"6008"}}, egrid.ErrNotFound, "PLNT"},
		{"a region and plants", calc.FactorQuery{Level: egrid.US, Plants: []string{"6008"}}, egrid.ErrInvalid, "not of both"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := calc.FactorOf(context.Background(), db, tt.query)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v; want %v with %q", err, tt.is, tt.says)
			}
		})
	}
}

// A citation has the digits of the published figure, and six at least.
func TestCitationDigits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value     float64
		published egrid.Value
		unit      string
		want      string
	}{
		{1121.42744, egrid.NumberOf(1121.427), "lb/MWh", " 1121.427 lb/MWh."},
		{1121.42744, egrid.Value{}, "lb/MWh", " 1121.427 lb/MWh."},
		{508.670935, egrid.NumberOf(508.67073518), "kg/MWh", " 508.671 kg/MWh."},
		{0.05512345, egrid.NumberOf(0.055), "lb/MWh", " 0.0551234 lb/MWh."},
		{0.5, egrid.NumberOf(0.5), "lb/MWh", " 0.5 lb/MWh."},
		{-1121.42744, egrid.NumberOf(-1121.427), "lb/MWh", " -1121.427 lb/MWh."},
		{1121.42744, egrid.NumberOf(1121.42741), "lb/MWh", " 1121.42744 lb/MWh."},
		{12345678.9876, egrid.Value{}, "lb/MWh", " 12345678.988 lb/MWh."},
		{0, egrid.NumberOf(0), "lb/MWh", " 0 lb/MWh."},
	} {
		f := calc.Factor{Value: test.value, Unit: test.unit, Published: test.published, Query: calc.FactorQuery{Year: 2023, Level: egrid.SRL, Code: "CAMX", Gas: calc.CO2, Kind: calc.Output, Unit: test.unit}}
		if got := f.Citation(); !strings.Contains(got, test.want) {
			t.Errorf("%v, published %v: %q; want %q", test.value, test.published, got, test.want)
		}
	}
}
