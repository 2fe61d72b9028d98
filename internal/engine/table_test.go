package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
)

// plants makes a snapshot of batches of plant names and generation, numbered as
// given.
func plants(t *testing.T, numbers [][]int64, name func(number int64) string, mwh func(number int64) egrid.Value) *world {
	t.Helper()
	var fields []egrid.Field
	for _, c := range []egrid.Column{egrid.PlantName, egrid.NetGeneration} {
		f, ok := egrid.Lookup(level, string(c))
		if !ok {
			t.Fatalf("%s is no column", c)
		}
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{batches: map[egrid.SnapshotID][]*egrid.Batch{}}
	w.catalog.Snapshots = []egrid.Snapshot{{ID: "s", Level: level, Year: 2023, Status: egrid.Published, Schema: schema}}
	b := egrid.NewBuilder(schema, 2023)
	for _, run := range numbers {
		for _, number := range run {
			b.Text(0, []byte(name(number)))
			if err := b.Value(1, mwh(number)); err != nil {
				t.Fatal(err)
			}
			b.EndRow(number, 0)
		}
		w.batches["s"] = append(w.batches["s"], b.Batch())
	}
	return w
}

func (w *world) table(p *driver.Plan) func(egrid.Snapshot) *engine.Table {
	t := engine.NewTable(w.batches["s"], engine.Needed(p))
	return func(egrid.Snapshot) *engine.Table { return t }
}

func TestSumsHaveFifteenDigits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		addends []float64
		want    string
	}{
		{[]float64{0.1, 0.2}, "0.3"},
		{[]float64{1e12, 0.001, -1e12}, "0.001"},
		{[]float64{999999999999.999, 0.001}, "1000000000000"},
		{[]float64{900000000000000, 100000000000005}, "1000000000000000"}, // halves to even
		{[]float64{900000000000000, 100000000000015}, "1000000000000020"},
		{[]float64{900000000000000, 100000000000025}, "1000000000000020"},
		{[]float64{-900000000000000, -100000000000015}, "-1000000000000020"},
		{[]float64{900000000000000, 100000000000006}, "1000000000000010"},
		{[]float64{4000000000000.123, 4000000000000.123, 4000000000000.123}, "12000000000000.4"},
		{[]float64{1.0 / 3, 1.0 / 3}, "0.666666666666667"},
		{[]float64{1e300, 1e300}, "2" + fmt.Sprintf("%0300d", 0)},
	} {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			numbers := make([]int64, len(test.addends))
			for i := range numbers {
				numbers[i] = int64(i)
			}
			w := plants(t, [][]int64{numbers}, func(int64) string { return "a" }, func(n int64) egrid.Value { return egrid.NumberOf(test.addends[n]) })
			p, err := driver.PlanGroups(w.catalog, egrid.GroupQuery{Level: level, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(t, p, engine.Scan(t.Context(), p, w.table(p))); len(got) != 1 || got[0].values[0].String() != test.want || got[0].values[0].Type() != egrid.Number {
				t.Errorf("%v add up to %v, want %s", test.addends, got, test.want)
			}
		})
	}
}

func TestSearchStaysInsideTexts(t *testing.T) {
	t.Parallel()
	names := []string{"aab", "aaba", "b", "ba", "caa", "AaB x", "a", "aa"}
	numbers := []int64{0, 1, 2, 3, 4, 5, 6, 7}
	w := plants(t, [][]int64{numbers}, func(n int64) string { return names[n] }, func(int64) egrid.Value { return egrid.Value{} })
	for word, want := range map[string][]int64{
		"aab": {0, 1, 5}, "aa": {0, 1, 4, 5, 7}, "bb": nil, "baa": nil, "abab": nil, "ac": nil, "B": {0, 1, 2, 3, 5}, "aab x": {5}, "caa": {4}, "aaa": nil,
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			p, err := driver.PlanRows(w.catalog, egrid.RowQuery{Level: level, Search: word})
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, l := range lines(t, p, engine.Scan(t.Context(), p, w.table(p))) {
				got = append(got, l.at.Number)
			}
			if !slices.Equal(got, want) {
				t.Errorf("rows %v, want %v", got, want)
			}
		})
	}
}

func TestTableOrdersRows(t *testing.T) {
	t.Parallel()
	w := plants(t, [][]int64{{7, 3, 9}, {8, 1}, {}, {12}}, func(n int64) string { return fmt.Sprint("plant ", n) }, func(n int64) egrid.Value { return egrid.NumberOf(float64(n)) })
	p, err := driver.PlanRows(w.catalog, egrid.RowQuery{Level: level, Columns: []egrid.Column{egrid.PlantName, egrid.NetGeneration}})
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, l := range lines(t, p, engine.Scan(t.Context(), p, w.table(p))) {
		got = append(got, l.at.Number)
		if want := fmt.Sprint("plant ", l.at.Number); l.values[0].String() != want || l.values[1].String() != fmt.Sprint(l.at.Number) {
			t.Errorf("row %d is %v", l.at.Number, l.values)
		}
	}
	if want := []int64{1, 3, 7, 8, 9, 12}; !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}

func TestTableCountsItsColumns(t *testing.T) {
	t.Parallel()
	numbers := make([]int64, 5000)
	for i := range numbers {
		numbers[i] = int64(i + 1)
	}
	w := plants(t, [][]int64{numbers}, func(n int64) string { return fmt.Sprint("plant ", n%50) }, func(n int64) egrid.Value { return egrid.NumberOf(float64(n)) })
	names := engine.NewTable(w.batches["s"], []egrid.Column{egrid.PlantName})
	both := names.With(engine.NewTable(w.batches["s"], []egrid.Column{egrid.NetGeneration}))
	if names.Columns() != 1 || both.Columns() != 2 || both.Len() != 5000 {
		t.Errorf("%d and %d columns of %d rows, want 1 and 2 of 5000", names.Columns(), both.Columns(), both.Len())
	}
	if rest := both.Without(egrid.PlantName); rest.Columns() != 1 || rest.Column(egrid.PlantName) != nil || both.Column(egrid.PlantName) == nil {
		t.Error("Without has to leave out the column in the new table alone")
	}
	for _, c := range []egrid.Column{egrid.PlantName, egrid.NetGeneration} { // 4 bytes a row, and the packed batch
		if n := both.Column(c).Bytes(); n < 4*5000 || n > 8*5000 {
			t.Errorf("%s takes %d bytes", c, n)
		}
	}
}
