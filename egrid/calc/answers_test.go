package calc_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// askedOf makes questions of every kind about the places of a DB.
func askedOf(t testing.TB, db *store.DB, n int) []calc.FactorQuery {
	t.Helper()
	var ids []string
	codes := map[egrid.Level][]string{}
	for row, err := range db.All(t.Context(), egrid.RowQuery{Level: egrid.PLNT}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, row.Text(egrid.PlantCode))
		for level, key := range keys {
			if row.Schema().Has(key) {
				codes[level] = append(codes[level], row.Text(key))
			}
		}
	}
	random := rand.New(rand.NewPCG(3, 3))
	var queries []calc.FactorQuery
	for range n {
		q := calc.FactorQuery{
			Gas: calc.Gases()[random.IntN(6)], Kind: calc.Kinds()[random.IntN(4)], Explain: random.IntN(2) == 0,
			Adjustment: calc.Adjustments()[max(0, random.IntN(7)-3)],
		}
		q.Delivered = q.Kind != calc.HeatInput && random.IntN(2) == 0
		level := calc.RegionLevels()[random.IntN(5)]
		switch {
		case random.IntN(4) == 0:
			for range 1 + random.IntN(9) {
				q.Plants = append(q.Plants, ids[random.IntN(len(ids))])
			}
			if random.IntN(9) == 0 {
				q.Plants = append(q.Plants, "99999999")
			}
		case level == egrid.US || codes[level] == nil:
			q.Level = egrid.US
		default:
			q.Level, q.Code = level, codes[level][random.IntN(len(codes[level]))]
		}
		queries = append(queries, q)
	}
	return queries
}

// withLosses is a sample edition with plants, grid losses and some levels of regions.
func withLosses(t *testing.T, levels ...egrid.Level) *store.DB {
	t.Helper()
	s := newSample(t)
	s[egrid.GGL] = sheetText(t, egridtest.NewSample(&egridtest.SampleOptions{Plants: 80}), egrid.GGL)
	return store.New(s.db(t, "rev2", append(levels, egrid.PLNT, egrid.GGL)...))
}

// What Answers keep changes no answer, and no refusal.
func TestAnswersAreFactorsOf(t *testing.T) {
	t.Parallel()
	databases := map[string]func(t *testing.T) *store.DB{
		"sample":      func(t *testing.T) *store.DB { return withLosses(t, calc.RegionLevels()...) },
		"plants only": func(t *testing.T) *store.DB { return withLosses(t) },
		"few":         func(t *testing.T) *store.DB { return written(t, map[string]string{"PLNT23.csv": fewPlants}) },
		"2018": func(t *testing.T) *store.DB {
			return load(t, "2018/v2_PLNT-assembled.csv", "2018/v2_subregion.csv", "2018/v2_state.csv", "2018/v2_NERC.csv", "2018/v2_US.csv")
		},
	}
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			kept := calc.NewAnswers(nil)
			answered := 0
			for _, q := range askedOf(t, db, 150) {
				want, problem := calc.FactorOf(t.Context(), db, q)
				got, err := kept.Factor(t.Context(), db, q)
				if !reflect.DeepEqual(got, want) || (err == nil) != (problem == nil) || err != nil && err.Error() != problem.Error() {
					t.Fatalf("%+v:\nkept %+v, %v\nread %+v, %v", q, got, err, want, problem)
				}
				if err == nil {
					answered++
				}
			}
			if answered < 3 || name != "few" && answered < 30 {
				t.Errorf("only %d questions have an answer", answered)
			}
		})
	}
}

// Explanations are the same, too, and another snapshot is another answer.
func TestAnswersFollowTheData(t *testing.T) {
	t.Parallel()
	s := newSample(t)
	backend := s.db(t, "rev2")
	db, kept := store.New(backend), calc.NewAnswers(nil)
	q := calc.ExplainQuery{Level: egrid.SRL, Code: "ERCT", Column: "gas_co2_output_rate_lb_per_mwh"}
	before, err := kept.Explain(t.Context(), db, q)
	if err != nil {
		t.Fatal(err)
	}
	want, err := calc.Explain(t.Context(), db, q)
	if err != nil || !reflect.DeepEqual(before, want) || len(before.Plants) == 0 {
		t.Fatalf("kept %+v; want %+v, %v", before, want, err)
	}
	code := before.Plants[0].ID
	s.change(t, egrid.PLNT, "PLCO2AN", code, func(string) string { return "7" })
	s.put(t, backend, "rev2", egrid.PLNT)
	after, err := kept.Explain(t.Context(), db, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Plants) == 0 || after.Recomputed.String() == before.Recomputed.String() {
		t.Errorf("plant %s was changed, and the figure is still %s", code, after.Recomputed)
	}
}

// Many ask at once, of more sheets than there is room for.
func TestAnswersConcurrently(t *testing.T) {
	t.Parallel()
	s := newSample(t)
	backend := s.db(t, "rev1", egrid.PLNT)
	s.put(t, backend, "rev2", egrid.PLNT)
	db, kept := store.New(backend), calc.NewAnswers(&calc.AnswersOptions{PlantBytes: 1})
	queries := askedOf(t, db, 40)
	var all sync.WaitGroup
	for _, release := range []string{"rev1", "rev2", "rev1", "rev2"} {
		all.Go(func() {
			for _, q := range queries {
				q.Release = release
				want, problem := calc.FactorOf(t.Context(), db, q)
				got, err := kept.Factor(t.Context(), db, q)
				if !reflect.DeepEqual(got, want) || (err == nil) != (problem == nil) {
					t.Errorf("%+v: kept %v, %v; read %v, %v", q, got.Value, err, want.Value, problem)
				}
				if err != nil && strings.Contains(err.Error(), "panic") {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
