package egrid_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// run is rows that are set column by column. What stands in the place of a
// missing cell is anything.
type run struct {
	ints     []int64
	flags    []int64
	numbers  []int64
	places   []uint8
	text     []byte
	from, to []uint32
	codes    []int64 // of texts of sharedTexts, instead
	shared   []uint64
	of       *egrid.Vector
	present  []uint64
}

func someRun(choose func(int) int, n int) (r run, rows [][]egrid.Value) {
	r.present, r.shared = make([]uint64, (n+63)/64), make([]uint64, (n+63)/64)
	if choose(3) > 0 {
		r.of = sharedTexts()[min(choose(6), 1)]
	}
	for k := range n {
		row := make([]egrid.Value, 4)
		there := choose(4) > 0
		if there {
			r.present[k>>6] |= 1 << (k & 63)
		}
		i, flag := int64(choose(1<<20))-5, int64(choose(2))
		m, places := int64(choose(1<<30))-100, uint8(choose(4))
		if choose(40) == 1 {
			m, places = m*100_000, 15 // beyond what a column of decimals holds
		}
		if there {
			x, err := strconv.ParseFloat(fmt.Sprintf("%de-%d", m, places), 64)
			if err != nil {
				panic(err) // it is a number
			}
			row[0], row[1], row[2] = egrid.IntegerOf(i), egrid.FlagOf(flag == 1), egrid.NumberOf(x)
		} else {
			flag = int64(choose(1 << 20))
		}
		r.ints, r.flags, r.numbers, r.places = append(r.ints, i), append(r.flags, flag), append(r.numbers, m), append(r.places, places)
		r.from = append(r.from, uint32(len(r.text)))
		if r.of != nil {
			code := choose(r.of.Entries())
			r.codes = append(r.codes, int64(code))
			if choose(3) > 0 {
				r.shared[k>>6] |= 1 << (k & 63)
				row[3] = egrid.TextOf(r.of.Entry(code))
			}
		} else if text := someTexts[choose(len(someTexts))]; choose(3) > 0 {
			r.text = append(r.text, text...)
			row[3] = egrid.TextOf(text)
		}
		r.to = append(r.to, uint32(len(r.text)))
		r.text = append(r.text, ',')
		rows = append(rows, row)
	}
	return r, rows
}

func (r *run) set(b *egrid.Builder) {
	b.Ints(0, r.ints, r.present)
	b.Ints(1, r.flags, r.present)
	b.Decimals(2, r.numbers, r.places, r.present)
	if r.of != nil {
		b.Codes(3, r.of, r.codes, r.shared)
	} else {
		b.Texts(3, r.text, r.from, r.to)
	}
}

func bulkBatches(t *testing.T, choose func(int) int) {
	schema := schemaOf(t, egrid.Integer, egrid.Flag, egrid.Number, egrid.Text)
	b := egrid.NewBuilder(schema, 2023)
	for range 2 {
		want := &table{schema: schema, year: 2023}
		number, line := int64(1), int64(3)
		for range 1 + choose(5) {
			n := 1 + choose(150)
			r, rows := someRun(choose, n)
			r.set(b)
			switch choose(4) {
			case 0:
				b.DropRows(n)
				rows = nil
			case 1: // one row, as the others are set cell by cell
				b.DropRows(n)
				if err := b.Row(rows[0]); err != nil {
					t.Fatal(err)
				}
				b.EndRow(number, line)
				rows = rows[:1]
			default:
				b.EndRows(n, number, line)
			}
			for _, row := range rows {
				want.rows, want.numbers, want.lines = append(want.rows, row), append(want.numbers, number), append(want.lines, line)
				number, line = number+1, line+1
			}
		}
		want.checkAll(t, b.Batch(), choose)
	}
}

func TestBulkBatches(t *testing.T) {
	for seed := range uint64(100) {
		bulkBatches(t, rand.New(rand.NewPCG(seed, 5)).IntN)
	}
}

func FuzzBulkBatches(f *testing.F) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 6))
		data := make([]byte, 900)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { bulkBatches(t, chosenBy(data)) })
}

// What was made room for is added without allocating, and what comes behind it is
// added as ever.
func TestGrow(t *testing.T) {
	fields := []egrid.Field{{Level: egrid.GEN, Column: "x", Type: egrid.Integer}, {Level: egrid.GEN, Column: "y", Type: egrid.Text}}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 3000
	b := egrid.NewBuilder(schema, 2023)
	b.Grow(rows + 2)
	text := []byte("NG")
	add := func() {
		b.Int(0, 7)
		b.Text(1, text)
		b.EndRow(int64(b.Len()+1), 0)
	}
	add() // the text enters the dictionary
	if n := testing.AllocsPerRun(rows, add); n > 0 {
		t.Errorf("%v allocations for a row that there was room for", n)
	}
	b.Grow(0)
	for b.Len() < 2*rows {
		add()
	}
	batch := b.Batch()
	if batch.Len() != 2*rows || batch.Column(0).Missing() != 0 || batch.Row(2*rows-1).Text("y") != "NG" {
		t.Errorf("%d rows, the last %s", batch.Len(), batch.Row(batch.Len()-1).Text("y"))
	}
}
