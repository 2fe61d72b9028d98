package egrid_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// table is what a batch should hold, kept in the plainest way.
type table struct {
	schema  *egrid.Schema
	year    int
	rows    [][]egrid.Value
	numbers []int64
	lines   []int64
	lossy   map[int]bool
	foreign bool // no Builder made the bytes: a dictionary may have a text twice
}

func schemaOf(t testing.TB, types ...egrid.Type) *egrid.Schema {
	t.Helper()
	fields := make([]egrid.Field, len(types))
	for i, typ := range types {
		fields[i] = egrid.Field{Level: egrid.GEN, Column: egrid.Column(fmt.Sprintf("c%d_%s", i, typ)), Type: typ}
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check compares every cell of a batch, by all ways of reading it.
func (w *table) check(t testing.TB, what string, b *egrid.Batch) {
	t.Helper()
	if b.Len() != len(w.rows) || b.Year() != w.year || b.Schema().Len() != w.schema.Len() {
		t.Fatalf("%s: %d rows of %d in %d columns; want %d of %d in %d", what, b.Len(), b.Year(), b.Schema().Len(), len(w.rows), w.year, w.schema.Len())
	}
	var lossy []egrid.Column
	for j := range w.schema.Len() {
		if w.lossy[j] {
			lossy = append(lossy, w.schema.Field(j).Column)
		}
	}
	if !slices.Equal(b.Lossy(), lossy) {
		t.Fatalf("%s: rounded columns %v; want %v", what, b.Lossy(), lossy)
	}
	for i, want := range w.rows {
		row := b.Row(i)
		if row.Number() != w.numbers[i] || row.Line() != w.lines[i] {
			t.Fatalf("%s: row %d has number %d and line %d; want %d and %d", what, i, row.Number(), row.Line(), w.numbers[i], w.lines[i])
		}
		if !slices.Equal(row.Values(), want) {
			t.Fatalf("%s: row %d is %v; want %v", what, i, row.Values(), want)
		}
	}
	for j := range w.schema.Len() {
		w.checkColumn(t, what, b.Column(j), j)
	}
}

func (w *table) checkColumn(t testing.TB, what string, v *egrid.Vector, j int) {
	t.Helper()
	missing := 0
	codes := map[string]int{}
	floats := v.Floats(nil)
	places, exact := v.Decimals()
	for i := range w.rows {
		want := w.rows[i][j]
		if want.IsMissing() {
			missing++
		}
		x, isNumber := want.Float()
		f, ok := v.Float(i)
		n, isInt := v.Int(i)
		yes, isFlag := v.Bool(i)
		wantInt, wantIsInt := want.Int()
		wantFlag, wantIsFlag := want.Bool()
		if v.IsMissing(i) != want.IsMissing() || v.Text(i) != want.String() || ok != isNumber || f != x || math.IsNaN(floats[i]) == isNumber ||
			isInt != wantIsInt || isInt && n != wantInt || isFlag != wantIsFlag || yes != wantFlag && isFlag {
			t.Fatalf("%s: cell %d of column %d is %q; want %q", what, i, j, v.Text(i), want)
		}
		if m, ok := v.Mantissa(i); ok != (exact && isNumber) || ok && float64(m)/cell.Powers[places] != x {
			t.Fatalf("%s: cell %d of column %d is %d of %d places; want %v", what, i, j, m, places, x)
		}
		code := v.Code(i)
		if was, met := codes[want.String()]; met && was != code && !w.foreign || code >= 0 && v.Entry(code) != want.String() || (code >= 0) != (want.Type() == egrid.Text) {
			t.Fatalf("%s: cell %d of column %d has code %d for %q", what, i, j, code, want)
		}
		codes[want.String()] = code
	}
	if v.Missing() != missing || v.Len() != len(w.rows) {
		t.Fatalf("%s: column %d has %d cells, %d of them missing; want %d and %d", what, j, v.Len(), v.Missing(), len(w.rows), missing)
	}
}

// checkAll checks a batch, and what is made of it.
func (w *table) checkAll(t testing.TB, b *egrid.Batch, choose func(int) int) {
	t.Helper()
	w.check(t, "built", b)
	encoded := b.AppendBinary([]byte("in front"))[len("in front"):]
	parsed, err := egrid.ParseBatch(encoded, w.schema)
	if err != nil {
		t.Fatalf("parsing what was encoded: %v", err)
	}
	w.check(t, "parsed", parsed)
	if again := parsed.AppendBinary(nil); !bytes.Equal(again, encoded) {
		t.Fatalf("encoding again makes other bytes:\n%x\n%x", again, encoded)
	}

	var places []int
	for range choose(6) {
		if len(w.rows) > 0 {
			places = append(places, choose(len(w.rows)))
		}
	}
	w.take(places).check(t, "selected", parsed.Select(places))
	from := choose(len(w.rows) + 1)
	to := from + choose(len(w.rows)-from+1)
	var slice []int
	for i := from; i < to; i++ {
		slice = append(slice, i)
	}
	for _, whole := range []*egrid.Batch{b, parsed} {
		sliced := whole.Slice(from, to)
		w.take(slice).check(t, "sliced", sliced)
		again, err := egrid.ParseBatch(sliced.AppendBinary(nil), w.schema)
		if err != nil {
			t.Fatalf("parsing a slice that was encoded: %v", err)
		}
		w.take(slice).check(t, "sliced and parsed", again)
	}
	joined := egrid.Concat(w.schema, b.Slice(0, from), parsed.Slice(from, len(w.rows)))
	w.check(t, "joined", joined)
	w.project(t, b, choose)
	// The columns of another batch, beside none of its own.
	none := egrid.NewBuilder(w.schema, w.year)
	for i := range w.rows {
		none.EndRow(w.numbers[i], w.lines[i])
	}
	w.check(t, "beside another", none.Batch().Project(w.schema, behind(w.schema.Len()), b))
}

// behind is n places behind n others.
func behind(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = n + i
	}
	return places
}

// sharedTexts are columns of texts, whose dictionaries builders may share: of few
// and of most entries.
var sharedTexts = sync.OnceValue(func() []*egrid.Vector {
	schema, err := egrid.NewSchema(egrid.Field{Column: "text", Type: egrid.Text})
	if err != nil {
		panic(err)
	}
	var columns []*egrid.Vector
	for _, n := range []int{2, len(someTexts)} {
		b := egrid.NewBuilder(schema, 0)
		for i := range n {
			b.Text(0, []byte(someTexts[len(someTexts)-1-i]))
			b.EndRow(0, 0)
		}
		columns = append(columns, b.Batch().Column(0))
	}
	return columns
})

// take is some of the rows.
func (w *table) take(places []int) *table {
	out := &table{schema: w.schema, year: w.year, lossy: w.lossy}
	for _, i := range places {
		out.rows = append(out.rows, w.rows[i])
		out.numbers = append(out.numbers, w.numbers[i])
		out.lines = append(out.lines, w.lines[i])
	}
	return out
}

func (w *table) project(t testing.TB, b *egrid.Batch, choose func(int) int) {
	t.Helper()
	var from []int
	var fields []egrid.Field
	lossy := map[int]bool{}
	for range choose(4) {
		at := choose(w.schema.Len()+1) - 1
		f := egrid.Field{Level: egrid.GEN, Column: egrid.Column(fmt.Sprint("p", len(fields))), Type: egrid.Text}
		if at >= 0 {
			f.Type = w.schema.Field(at).Type
			lossy[len(fields)] = w.lossy[at]
		}
		from, fields = append(from, at), append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	out := &table{schema: schema, year: w.year, lossy: lossy, numbers: w.numbers, lines: w.lines}
	for _, row := range w.rows {
		values := make([]egrid.Value, len(from))
		for j, at := range from {
			if at >= 0 {
				values[j] = row[at]
			}
		}
		out.rows = append(out.rows, values)
	}
	out.check(t, "projected", b.Project(schema, from))
}

var (
	someTexts = []string{"a", "A", "TX", "0005", "12345678", "123456789", "the same beginning 1", "the same beginning 2", "é", "日本", "a\x00", "a\x00b", "\x00", " x ", "line\nbreak", `"q"`, "🙂🙂🙂"}
	someInts  = []int64{0, 1, -1, 7, 2023, 1 << 53, 1<<53 + 1, -(1 << 53) - 1, math.MaxInt64, math.MinInt64, 1 << 56, 1 << 57}
	// Numbers that a column of decimals cannot hold are among them.
	someFloats = []float64{
		0, 1, -1, 0.1, 0.5, 2.5, -346000.5, 4188971343.358, 1e-9, 1.0 / 3, 1 << 53, 1<<53 + 2, 1<<53 - 1, -(1 << 53), 1e15, 1e15 + 0.5, 999999999999999,
		1e300, 5e-324, math.MaxFloat64, 123456.123456, 0.1 + 0.2, 9007199254740.993,
	}
)

// cellOf chooses a cell and sets it by one of the ways that there are.
func cellOf(t testing.TB, b *egrid.Builder, i int, typ egrid.Type, wild bool, choose func(int) int) egrid.Value {
	t.Helper()
	if choose(5) == 0 {
		return egrid.Value{}
	}
	var v egrid.Value
	switch typ {
	case egrid.Text:
		v = egrid.TextOf(someTexts[choose(len(someTexts))])
		switch choose(6) {
		case 0:
			b.Text(i, []byte(v.String()))
			return v
		case 1, 2, 3: // mostly of one dictionary
			from := sharedTexts()[min(choose(8), 1)]
			row := choose(from.Len())
			b.Copy(i, from, row)
			return from.Value(row)
		}
	case egrid.Integer:
		x := int64(choose(40)) - 20
		if wild {
			x = someInts[choose(len(someInts))]
		}
		v = egrid.IntegerOf(x)
	case egrid.Flag:
		v = egrid.FlagOf(choose(2) == 1)
	default:
		if choose(2) == 0 { // a decimal of many digits
			m, places := int64(choose(1<<20))-1<<19, choose(4)
			if wild {
				m, places = m*int64(1+choose(1<<30)), choose(cell.MaxPlaces+3)
			}
			b.Decimal(i, m, places)
			x, err := strconv.ParseFloat(fmt.Sprintf("%de-%d", m, places), 64)
			if err != nil {
				t.Fatal(err)
			}
			return egrid.NumberOf(x)
		}
		x := float64(choose(100)) / 8
		if wild {
			x = someFloats[choose(len(someFloats))]
		}
		v = egrid.NumberOf(x)
	}
	if err := b.Value(i, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// build makes a batch, with dropped rows and cleared cells, and says what it
// should hold.
func build(t testing.TB, b *egrid.Builder, choose func(int) int) *table {
	t.Helper()
	w := &table{schema: b.Schema(), year: 2023, lossy: map[int]bool{}}
	wild := choose(2) == 1
	number, line := int64(choose(3)), int64(choose(5))
	rows := choose(40)
	if choose(20) == 1 {
		rows += 600
	}
	for range rows {
		values := make([]egrid.Value, b.Schema().Len())
		var marked []int
		for j := range values {
			values[j] = cellOf(t, b, j, b.Schema().Field(j).Type, wild, choose)
			if choose(60) == 1 {
				marked = append(marked, j)
				b.Lossy(j)
			}
			if choose(30) == 1 {
				b.Clear(j)
				values[j] = egrid.Value{}
			}
		}
		number += 1 + int64(choose(10))/9
		line += 1 + int64(choose(10))/8
		if choose(12) == 1 {
			b.DropRow()
			continue
		}
		b.EndRow(number, line)
		w.rows, w.numbers, w.lines = append(w.rows, values), append(w.numbers, number), append(w.lines, line)
		for _, j := range marked {
			w.lossy[j] = true
		}
	}
	return w
}

func batchesOf(t *testing.T, choose func(int) int) {
	kinds := []egrid.Type{egrid.Text, egrid.Integer, egrid.Number, egrid.Flag}
	types := []egrid.Type{kinds[choose(4)]}
	for range choose(6) {
		types = append(types, kinds[choose(4)])
	}
	b := egrid.NewBuilder(schemaOf(t, types...), 2023)
	for range 1 + choose(3) { // a builder is used again
		if choose(3) == 0 { // with rows that are forgotten, of another schema
			build(t, b, choose)
			types = types[choose(len(types)):]
			b.Reset(schemaOf(t, types...), 2023)
		}
		w := build(t, b, choose)
		w.checkAll(t, b.Batch(), choose)
	}
}

func TestBatches(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			batchesOf(t, rand.New(rand.NewPCG(seed, 0)).IntN)
		})
	}
}

// chosenBy makes choices of the bytes that a fuzzer found; when they are used
// up, every choice is the first.
func chosenBy(data []byte) func(int) int {
	return func(n int) int {
		x := 0
		for limit := 1; limit < n && len(data) > 0; limit <<= 8 {
			x, data = x<<8|int(data[0]), data[1:]
		}
		return x % n
	}
}

func FuzzBatches(f *testing.F) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { batchesOf(t, chosenBy(data)) })
}

// TestDecimals writes decimals as a file has them and wants the floats nearest
// to the texts, whatever else is in the column.
func TestDecimals(t *testing.T) {
	schema := schemaOf(t, egrid.Number)
	columns := map[string][]string{
		"three places":     {"4188971343.358", "0.001", "-2443", "0", "30820509.999"},
		"fifteen places":   {"0.123456789012345", "0.000000000000001", "-0.999999999999999", "1"},
		"fifteen digits":   {"999999999999999", "-999999999999999", "99999999999.9999", "1.5"},
		"too far apart":    {"999999999999999", "0.000000000000001", "0.1", "-7.25"},
		"floats midway":    {"1", "2.5", "1e300", "0.1", "0.3", "123456789.987"},
		"floats first":     {"1e-300", "0.1", "4188971343.358"},
		"rescaled midway":  {"900719925474", "1.25", "0.0001", "3"},
		"a digit too many": {"90071992547409", "90071992547409.93", "0.001"},
		"missing between":  {"", "0.1", "", "7", ""},
	}
	for name, texts := range columns {
		t.Run(name, func(t *testing.T) {
			b := egrid.NewBuilder(schema, 2023)
			want := &table{schema: schema, year: 2023}
			for i, text := range texts {
				v := egrid.Value{}
				if m, places, n := cell.Scan([]byte(text)); text != "" {
					x, err := strconv.ParseFloat(text, 64)
					if err != nil {
						t.Fatal(err)
					}
					if v = egrid.NumberOf(x); n == len(text) {
						b.Decimal(0, m, places)
					} else {
						b.Number(0, x)
					}
				}
				b.EndRow(int64(i+1), 0)
				want.rows, want.numbers, want.lines = append(want.rows, []egrid.Value{v}), append(want.numbers, int64(i+1)), append(want.lines, 0)
			}
			want.checkAll(t, b.Batch(), rand.New(rand.NewPCG(0, 0)).IntN)
		})
	}
}

func TestDecimalsAreKeptAsTheyAre(t *testing.T) {
	b := egrid.NewBuilder(schemaOf(t, egrid.Number), 2023)
	b.Decimal(0, 1<<53, 0)
	b.EndRow(1, 0)
	b.Decimal(0, -(1 << 53), 0)
	b.EndRow(2, 0)
	all := b.Batch()
	if _, err := egrid.ParseBatch(all.AppendBinary(nil), all.Schema()); err != nil {
		t.Errorf("the widest column: %v", err)
	}
	v := all.Column(0)
	if places, ok := v.Decimals(); !ok || places != 0 || v.Text(0) != "9007199254740992" || v.Text(1) != "-9007199254740992" {
		t.Errorf("%d places (%v): %s, %s", places, ok, v.Text(0), v.Text(1))
	}
	b.Decimal(0, 1<<53, 0)
	b.EndRow(1, 0)
	b.Decimal(0, 5, 1)
	b.EndRow(2, 0)
	v = b.Batch().Column(0)
	if _, ok := v.Decimals(); ok || v.Text(0) != "9007199254740992" || v.Text(1) != "0.5" {
		t.Errorf("decimals %v: %s, %s", ok, v.Text(0), v.Text(1))
	}
}

// A builder whose last column became floats keeps the next ones as they are.
func TestDecimalsAfterFloats(t *testing.T) {
	b := egrid.NewBuilder(schemaOf(t, egrid.Number), 2023)
	b.Number(0, 1e300)
	b.EndRow(1, 0)
	if _, exact := b.Batch().Column(0).Decimals(); exact {
		t.Fatal("1e300 is kept as a decimal")
	}
	b.Decimal(0, 4188971343358, 3)
	b.EndRow(1, 0)
	v := b.Batch().Column(0)
	m, ok := v.Mantissa(0)
	if places, exact := v.Decimals(); !exact || places != 3 || !ok || m != 4188971343358 {
		t.Errorf("%d of %d places, exact: %v", m, places, exact)
	}
}

// A number of type decimal has at most 53 bits, however it is written.
func TestParseBatchOfWideNumbers(t *testing.T) {
	schema := schemaOf(t, egrid.Number)
	for _, test := range []struct {
		base  int64
		more  uint64
		valid bool
	}{
		{0, 1 << 53, true}, {-(1 << 53), 1 << 54, true}, {1 << 53, 0, true}, {-(1 << 53), 0, true},
		{0, 1<<53 + 1, false}, {1, 1 << 53, false}, {1<<53 + 1, 0, false}, {-(1 << 53) - 1, 1, false},
		{0, 1 << 63, false}, {-1, 1<<63 + 1, false}, {0, math.MaxUint64, false}, {1 << 53, math.MaxUint64, false},
	} {
		data := []byte("eGB\x01\x01\x01\x00" + "\x02\x00" + "\x00\x00") // a row, a column, no year; number 1, line 1
		data = binary.AppendVarint(append(data, 2, 0, 0), test.base)    // decimal, no flags, no places
		data = binary.LittleEndian.AppendUint64(append(data, 64), test.more)
		b, err := egrid.ParseBatch(append(data, make([]byte, 7)...), schema)
		if (err == nil) != test.valid || err != nil && !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%d and %d: %v, %v", test.base, test.more, b, err)
		} else if err == nil && b.Row(0).At(0) != egrid.NumberOf(float64(test.base+int64(test.more))) {
			t.Errorf("%d and %d make %v", test.base, test.more, b.Row(0).At(0))
		}
	}
}

func TestBatchOfRefuses(t *testing.T) {
	schema := schemaOf(t, egrid.Integer, egrid.Text)
	for name, row := range map[string][]egrid.Value{
		"too few":    {egrid.IntegerOf(1)},
		"too many":   {egrid.IntegerOf(1), egrid.TextOf("a"), egrid.TextOf("b")},
		"a number":   {egrid.NumberOf(1), egrid.TextOf("a")},
		"an integer": {egrid.IntegerOf(1), egrid.IntegerOf(1)},
	} {
		if b, err := egrid.BatchOf(schema, 2023, row); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v, %v; want ErrInvalid", name, b, err)
		}
	}
	b := egrid.NewBuilder(schema, 2023)
	if err := b.Row([]egrid.Value{egrid.IntegerOf(1), egrid.FlagOf(true)}); err == nil {
		t.Fatal("a flag is no text")
	}
	b.EndRow(1, 0)
	if got := b.Batch().Row(0).Values(); !got[0].IsMissing() {
		t.Errorf("a refused row leaves %v", got)
	}
}

// One word that is turned over in an encoded batch makes another batch or an
// error, at any place.
func TestParseBatchOfDamage(t *testing.T) {
	schema := schemaOf(t, egrid.Text, egrid.Integer, egrid.Number, egrid.Number, egrid.Flag)
	b := egrid.NewBuilder(schema, 2023)
	build(t, b, rand.New(rand.NewPCG(3, 3)).IntN)
	for i, x := range []float64{0.5, 1e300, -2} {
		b.Number(3, x)
		b.EndRow(int64(i), 0)
	}
	data := b.Batch().AppendBinary(nil)
	for n := range data {
		if _, err := egrid.ParseBatch(data[:n:n], schema); !errors.Is(err, egrid.ErrInvalid) {
			t.Fatalf("the first %d of %d bytes: got %v; want ErrInvalid", n, len(data), err)
		}
		for _, flip := range []byte{1, 0x80, 0xff} {
			damaged := bytes.Clone(data)
			damaged[n] ^= flip
			parseAndRead(t, damaged, schema)
		}
	}
	if _, err := egrid.ParseBatch(append(bytes.Clone(data), 0), schema); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("a byte more: got %v; want ErrInvalid", err)
	}
	for name, other := range map[string]*egrid.Schema{
		"fewer columns": schemaOf(t, egrid.Text), "other types": schemaOf(t, egrid.Integer, egrid.Integer, egrid.Number, egrid.Number, egrid.Flag),
	} {
		if _, err := egrid.ParseBatch(data, other); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
}

// parseAndRead parses any bytes. What comes back without an error can be read,
// and encoded and built again without a change.
func parseAndRead(t testing.TB, data []byte, schema *egrid.Schema) {
	t.Helper()
	b, err := egrid.ParseBatch(data, schema)
	if err != nil {
		if !errors.Is(err, egrid.ErrInvalid) {
			t.Fatalf("%v is not ErrInvalid", err)
		}
		return
	}
	const most = 300
	head := b
	if b.Len() > most {
		head = b.Slice(0, most)
	}
	w := &table{schema: schema, year: b.Year(), lossy: map[int]bool{}, foreign: true}
	for j := range schema.Len() {
		w.lossy[j] = b.Column(j).Lossy()
	}
	for row := range head.Rows() {
		w.rows, w.numbers, w.lines = append(w.rows, row.Values()), append(w.numbers, row.Number()), append(w.lines, row.Line())
	}
	w.check(t, "parsed", head)
	if last := b.Len() - 1; last >= 0 {
		_ = b.AppendCSV(b.AppendJSON(nil, last), last)
	}
	again, err := egrid.ParseBatch(b.AppendBinary(nil), schema)
	if err != nil || again.Len() != b.Len() {
		t.Fatalf("parsing what was parsed and encoded: %v", err)
	}
	if b.Len() > most {
		again = again.Slice(0, most)
	}
	w.check(t, "encoded again", again)
}

func FuzzParseBatch(f *testing.F) {
	schema := schemaOf(f, egrid.Text, egrid.Integer, egrid.Number, egrid.Number, egrid.Flag)
	for seed := range uint64(6) {
		b := egrid.NewBuilder(schema, 2023)
		build(f, b, rand.New(rand.NewPCG(seed, 2)).IntN)
		f.Add(b.Batch().AppendBinary(nil))
	}
	f.Add([]byte("eGB\x01\xff\xff\x3f\x05\x00" + strings.Repeat("\x00", 40)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := egrid.ParseBatch(data, schema)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<16+4*uint64(len(data)) {
			t.Fatalf("parsing %d bytes took %d (%v)", len(data), took, err)
		}
		if err == nil && b.Bytes() > 1<<13+4*int64(len(data)) {
			t.Fatalf("%d bytes became %d", len(data), b.Bytes())
		}
		parseAndRead(t, data, schema)
	})
}
