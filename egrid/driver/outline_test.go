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
	read         int
}

func (s *shelf) Open(_ context.Context, snap *egrid.Snapshot) (driver.Sheet, error) {
	b := s.sheets[snap.Stage]
	some := func(wanted func(int64) bool) iter.Seq2[*egrid.Batch, error] {
		return func(yield func(*egrid.Batch, error) bool) {
			var places []int
			for i := range b.Len() {
				if wanted(b.Number(i)) {
					places = append(places, i)
				}
			}
			s.read += len(places)
			yield(b.Select(places), nil)
		}
	}
	sheet := driver.Sheet{
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
	}
	if s.outlines {
		tally, ok := s.tallies[snap.Stage]
		if !ok {
			tally = driver.TallyOf(driver.Chunk{Rows: b})
		}
		sheet.Outline = driver.OutlineOf([]driver.Tally{tally})
	}
	return sheet, nil
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
		b := egrid.NewBuilder(generatorSchema(t, egrid.PlantCode, egrid.Generator, first, second), 2023)
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
	before.Order = ""
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
	to = to.Project(generatorSchema(t, egrid.NetGeneration, egrid.Generator, egrid.PlantCode), []int{2, 1, 0})
	live, staged := snapshotOf(t, from), snapshotOf(t, to)
	live.Stage, live.Status, staged.Stage = "live", egrid.Published, "staged"
	s := &shelf{sheets: map[egrid.StageID]*egrid.Batch{"live": from, "staged": to}, outlines: true}
	r, err := driver.Settle(t.Context(), s, egrid.Catalog{Snapshots: []egrid.Snapshot{live}}, []egrid.Snapshot{staged}, driver.PublishAuto)
	if err != nil || r.Status != egrid.Held || s.read > 16 {
		t.Errorf("%s, %v, %d rows read; want it held, and 16 rows at most", r.Status, err, s.read)
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
