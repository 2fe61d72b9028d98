package driver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// shelf holds the rows of two snapshots, and counts those that are read.
type shelf struct {
	driver.Shelf // of what is not needed here
	sheets       map[egrid.StageID]*egrid.Batch
	outlines     bool
	tallies      map[egrid.StageID]driver.Tally // in place of what is made of the rows
	read         int                            // rows
	cells        int
}

func (s *shelf) Open(_ context.Context, snap *egrid.Snapshot) (driver.Sheet, error) {
	tally, ok := s.tallies[snap.Stage]
	if !ok {
		tally = driver.TallyOf(driver.Chunk{Rows: s.sheets[snap.Stage]})
	}
	sheet := s.sheet(s.sheets[snap.Stage])
	if s.outlines {
		sheet.Outline = driver.OutlineOf([]driver.Tally{tally})
	}
	return sheet, nil
}

func (s *shelf) sheet(b *egrid.Batch) driver.Sheet {
	some := func(wanted func(int64) bool) iter.Seq2[*egrid.Batch, error] {
		return func(yield func(*egrid.Batch, error) bool) {
			var places []int
			for i := range b.Len() {
				if wanted(b.Number(i)) {
					places = append(places, i)
				}
			}
			s.read += len(places)
			s.cells += len(places) * b.Schema().Len()
			yield(b.Select(places), nil)
		}
	}
	return driver.Sheet{
		Rows: func(after, last int64) iter.Seq2[*egrid.Batch, error] {
			return some(func(n int64) bool { return n > after && (last == 0 || n <= last) })
		},
		Some: func(numbers []int64) iter.Seq2[*egrid.Batch, error] {
			if !slices.IsSorted(numbers) {
				return func(yield func(*egrid.Batch, error) bool) { yield(nil, fmt.Errorf("%v do not ascend", numbers)) }
			}
			numbers = slices.Clone(numbers)
			return some(func(n int64) bool { return slices.Contains(numbers, n) })
		},
		Only: func(columns []egrid.Column) driver.Sheet {
			var fields []egrid.Field
			var from []int
			for i, f := range b.Schema().Fields() {
				if slices.Contains(columns, f.Column) {
					fields, from = append(fields, f), append(from, i)
				}
			}
			schema, err := egrid.NewSchema(fields...)
			if err != nil {
				panic(err)
			}
			return s.sheet(b.Project(schema, from))
		},
	}
}

func (s *shelf) Record(context.Context, *egrid.Snapshot) error { return nil }

// figures are rows with an identifier of their own each.
func figures(t *testing.T, of func(i int) (float64, bool), rows int) *egrid.Batch {
	t.Helper()
	b := egrid.NewBuilder(generatorSchema(t, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration), 2023)
	for i := range rows {
		x, ok := of(i)
		if !ok {
			continue
		}
		b.Text(0, fmt.Append(nil, i))
		b.Text(1, []byte("A"))
		b.Number(2, x)
		b.EndRow(int64(b.Len()+1), 0)
	}
	return b.Batch()
}

// The outlines of two sheets do not change what the gate says, but how much it
// reads for it.
func TestSettleReadsWhatDiffers(t *testing.T) {
	t.Parallel()
	const rows = 3000
	was := func(i int) (float64, bool) { return float64(i) + 0.25, true }
	for name, test := range map[string]struct {
		now  func(i int) (float64, bool)
		most int // rows that are read of the two
	}{
		"one value": {func(i int) (float64, bool) {
			if i == 1234 {
				return 1234.3, true
			}
			return was(i)
		}, 2 * 8},
		"every 100th": {func(i int) (float64, bool) {
			if i%100 == 0 {
				return float64(i) + 1.5, true
			}
			return was(i)
		}, 2 * 8 * rows / 100},
		"the last is missing":  {func(i int) (float64, bool) { x, _ := was(i); return x, i < rows-1 }, 2 * 8},
		"the first is missing": {func(i int) (float64, bool) { x, _ := was(i); return x, i > 0 }, 2 * rows},
		"every value":          {func(i int) (float64, bool) { return float64(i) + 0.75, true }, 2 * rows},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := figures(t, was, rows), figures(t, test.now, rows)
			live, staged := snapshotOf(t, from), snapshotOf(t, to)
			live.Stage, live.Status, staged.Stage = "live", egrid.Published, "staged"
			reasons := map[bool]string{}
			for _, outlines := range []bool{true, false} {
				s := &shelf{sheets: map[egrid.StageID]*egrid.Batch{"live": from, "staged": to}, outlines: outlines}
				r, err := driver.Settle(t.Context(), s, egrid.Catalog{Snapshots: []egrid.Snapshot{live}}, []egrid.Snapshot{staged}, driver.PublishAuto)
				if err != nil || r.Status != egrid.Held {
					t.Fatalf("%+v, %v", r, err)
				}
				if reasons[outlines] = r.Reason; outlines && s.read > test.most {
					t.Errorf("%d rows were read; want at most %d", s.read, test.most)
				}
			}
			if reasons[true] != reasons[false] {
				t.Errorf("with outlines: %s\nwithout: %s", reasons[true], reasons[false])
			}
		})
	}
}

// Earlier versions hashed columns in the order of the file. Where two values changed
// places, their outline of the one is the present one of the other, and must not
// pass for it.
func TestSettleBesideEarlierVersions(t *testing.T) {
	t.Parallel()
	const rows = 100
	of := func(first, second egrid.Column, x, y float64) *egrid.Batch {
		b := egrid.NewBuilder(generatorSchema(t, egrid.PlantCode, egrid.GeneratorID, first, second), 2023)
		for i := range rows {
			b.Text(0, fmt.Append(nil, i))
			b.Text(1, []byte("A"))
			b.Number(2, x+float64(i))
			b.Number(3, y+float64(i))
			b.EndRow(int64(i+1), 0)
		}
		return b.Batch()
	}
	from, to := of(egrid.NetGeneration, egrid.NameplateCapacity, 1.5, 1000.25), of(egrid.NetGeneration, egrid.NameplateCapacity, 1000.25, 1.5)
	before := driver.TallyOf(driver.Chunk{Rows: of(egrid.NameplateCapacity, egrid.NetGeneration, 1.5, 1000.25)}) // in the dictionary's order
	before.Order, before.Outline.Sums = "", nil
	live, staged := snapshotOf(t, from), snapshotOf(t, to)
	live.Stage, live.Status, staged.Stage = "live", egrid.Published, "staged"
	if now := driver.TallyOf(driver.Chunk{Rows: to}); now.Digest != before.Digest || now.Outline.Blocks[3] != before.Outline.Blocks[3] {
		t.Fatal("the test has no sheets that look alike")
	}
	s := &shelf{sheets: map[egrid.StageID]*egrid.Batch{"live": from, "staged": to}, outlines: true, tallies: map[egrid.StageID]driver.Tally{"live": before}}
	r, err := driver.Settle(t.Context(), s, egrid.Catalog{Snapshots: []egrid.Snapshot{live}}, []egrid.Snapshot{staged}, driver.PublishAuto)
	if err != nil || r.Status != egrid.Held {
		t.Errorf("%s, %v; want it held", r.Status, err)
	}
}

// Sheets whose columns come in two orders are compared by their outlines, too.
func TestSettleReadsNothingOfColumnsInAnotherOrder(t *testing.T) {
	t.Parallel()
	was := func(i int) (float64, bool) { return float64(i) + 0.25, true }
	from := figures(t, was, 3000)
	to := figures(t, func(i int) (float64, bool) { x, _ := was(i); return x, i < 2999 }, 3000)
	to = to.Project(generatorSchema(t, egrid.NetGeneration, egrid.GeneratorID, egrid.PlantCode), []int{2, 1, 0})
	live, staged := snapshotOf(t, from), snapshotOf(t, to)
	live.Stage, live.Status, staged.Stage = "live", egrid.Published, "staged"
	s := &shelf{sheets: map[egrid.StageID]*egrid.Batch{"live": from, "staged": to}, outlines: true}
	r, err := driver.Settle(t.Context(), s, egrid.Catalog{Snapshots: []egrid.Snapshot{live}}, []egrid.Snapshot{staged}, driver.PublishAuto)
	if err != nil || r.Status != egrid.Held || s.read > 16 {
		t.Errorf("%s, %v, %d rows read; want it held, and 16 rows at most", r.Status, err, s.read)
	}
}

// The columns of two sheets tell which of them have to be read. What is said of them is
// the same as when all are.
func TestSettleReadsColumnsThatDiffer(t *testing.T) {
	t.Parallel()
	columns := []egrid.Column{egrid.PlantCode, egrid.GeneratorID, egrid.State, egrid.NameplateCapacity, egrid.NetGeneration, egrid.Sequence}
	const rows = 800
	of := func(change func(i int, row []egrid.Value) []egrid.Value, columns ...egrid.Column) *egrid.Batch {
		var all [][]egrid.Value
		for i := range rows {
			row := []egrid.Value{egrid.TextOf(fmt.Sprint(i / 2)), egrid.TextOf(fmt.Sprint(i % 2)), egrid.TextOf("TX"), egrid.NumberOf(float64(i)), egrid.NumberOf(float64(i) + 0.25), egrid.IntegerOf(int64(1900 + i%100))}
			all = append(all, change(i, row)[:len(columns)])
		}
		b, err := egrid.BatchOf(generatorSchema(t, columns...), 2023, all...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	same := func(_ int, row []egrid.Value) []egrid.Value { return row }
	set := func(at int, v egrid.Value) func(int, []egrid.Value) []egrid.Value {
		return func(_ int, row []egrid.Value) []egrid.Value { row[at] = v; return row }
	}
	for name, test := range map[string]struct {
		from, to func(i int, row []egrid.Value) []egrid.Value
		columns  []egrid.Column // of the new one
		most     int            // cells of a row that are read
	}{
		"a number":            {same, set(4, egrid.NumberOf(7)), columns, 3},
		"a text":              {same, set(2, egrid.TextOf("OK")), columns, 3},
		"an integer":          {same, set(5, egrid.IntegerOf(7)), columns, 3},
		"missing ones":        {same, set(4, egrid.Value{}), columns, 3},
		"two":                 {same, func(i int, row []egrid.Value) []egrid.Value { row[3], row[4] = row[4], row[3]; return row }, columns, 4},
		"a column less":       {set(4, egrid.NumberOf(7)), same, columns[:5], 4},
		"an identifier":       {same, set(0, egrid.TextOf("1")), columns, 6},
		"identifiers in turn": {same, func(i int, row []egrid.Value) []egrid.Value { row[1] = egrid.TextOf(fmt.Sprint(1 - i%2)); return row }, columns, 6},
		"without identifiers": {set(0, egrid.Value{}), func(_ int, row []egrid.Value) []egrid.Value {
			row[0], row[4] = egrid.Value{}, egrid.NumberOf(7)
			return row
		}, columns, 6},
		"identifiers that are twice": {set(1, egrid.TextOf("A")), func(_ int, row []egrid.Value) []egrid.Value {
			row[1], row[4] = egrid.TextOf("A"), egrid.NumberOf(7)
			return row
		}, columns, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := of(test.from, columns...), of(test.to, test.columns...)
			live, staged := snapshotOf(t, from), snapshotOf(t, to)
			live.Stage, live.Status, staged.Stage = "live", egrid.Published, "staged"
			reasons := map[bool]string{}
			for _, outlines := range []bool{true, false} {
				s := &shelf{sheets: map[egrid.StageID]*egrid.Batch{"live": from, "staged": to}, outlines: outlines}
				r, err := driver.Settle(t.Context(), s, egrid.Catalog{Snapshots: []egrid.Snapshot{live}}, []egrid.Snapshot{staged}, driver.PublishAuto)
				if err != nil || r.Status != egrid.Held {
					t.Fatalf("%+v, %v", r, err)
				}
				if reasons[outlines] = r.Reason; outlines && s.cells > 2*rows*test.most {
					t.Errorf("%d cells were read; want at most %d", s.cells, 2*rows*test.most)
				}
			}
			if reasons[true] != reasons[false] {
				t.Errorf("with outlines: %s\nwithout: %s", reasons[true], reasons[false])
			}
		})
	}
}

func TestOutlineOf(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	rows := someRows(t, r, generatorSchema(t, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, egrid.CapacityFactor), 500)
	of := func(cuts ...int) *driver.Outline {
		var tallies []driver.Tally
		from := 0
		for _, to := range append(cuts, rows.Len()) {
			text, err := json.Marshal(driver.TallyOf(driver.Chunk{Rows: rows.Slice(from, to)}))
			if err != nil {
				t.Fatal(err)
			}
			var tally driver.Tally
			if err := json.Unmarshal(text, &tally); err != nil {
				t.Fatal(err)
			}
			tallies, from = append(tallies, tally), to
		}
		r.Shuffle(len(tallies), func(i, j int) { tallies[i], tallies[j] = tallies[j], tallies[i] })
		return driver.OutlineOf(tallies)
	}
	whole := of()
	if len(whole.Blocks) < 500/8 || whole.Places[egrid.NetGeneration] != 3 {
		t.Fatalf("%d blocks, places %v", len(whole.Blocks), whole.Places)
	}
	for range 20 {
		cuts := []int{r.IntN(500), r.IntN(500), r.IntN(500)}
		slices.Sort(cuts)
		if got := of(cuts...); fmt.Sprint(got) != fmt.Sprint(whole) {
			t.Fatalf("cut at %v: %v; want %v", cuts, got, whole)
		}
	}
	old := driver.TallyOf(driver.Chunk{Rows: rows})
	old.Outline = nil
	if got := driver.OutlineOf([]driver.Tally{driver.TallyOf(driver.Chunk{Rows: rows}), old}); got != nil {
		t.Errorf("of a chunk without an outline: %v; want none", got)
	}
}

func TestBlocksThatAreDamaged(t *testing.T) {
	t.Parallel()
	text, err := driver.Blocks{{Number: 1, Rows: 8, Digest: 1 << 60}, {Number: 400, Rows: 3, Digest: 7}}.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{"no base64": "?", "cut": string(text[:len(text)-4]), "nothing but a number": "gA=="} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b driver.Blocks
			if err := b.UnmarshalText([]byte(damaged)); err == nil {
				t.Errorf("%q is %v; want an error", damaged, b)
			}
		})
	}
}
