package egridtest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// source makes choices, from a seed or from the bytes that a fuzzer found.
// When the bytes are used up every choice is the first.
type source struct {
	random random
	bytes  []byte
	fuzzed bool
}

func seeded(seed uint64) *source { return &source{random: random{state: seed}} }

// intn chooses from n possibilities.
func (s *source) intn(n int) int {
	if !s.fuzzed {
		return s.random.intn(n)
	}
	x := 0
	for limit := 1; limit < n; limit <<= 8 {
		if len(s.bytes) > 0 {
			x, s.bytes = x<<8|int(s.bytes[0]), s.bytes[1:]
		}
	}
	return x % n
}

// oneIn is true once in n times.
func (s *source) oneIn(n int) bool { return s.intn(n) == n-1 }

func pick[T any](s *source, from []T) T { return from[s.intn(len(from))] }

// world is what a differential test loads and asks for: a level, columns of
// it, and the kinds of values.
type world struct {
	*source
	level   egrid.Level
	fields  []egrid.Field  // that the world's sheets choose from
	columns []egrid.Column // that queries choose from: some are in no sheet, few exist nowhere
	wild    bool           // numbers whose sums depend on the order of adding
	largest float64        // absolute value of a number
}

func newWorld(s *source) *world {
	w := &world{source: s, wild: s.oneIn(3), largest: 1}
	w.level = pick(s, []egrid.Level{egrid.GEN, egrid.PLNT, egrid.GEN, egrid.UNT, egrid.SRL, egrid.US, egrid.ZIP})
	all := slices.DeleteFunc(egrid.Fields(w.level), func(f egrid.Field) bool { return egrid.IsContext(f.Column) })
	identifier := egrid.Identifier(w.level, func(egrid.Column) bool { return true })
	for _, c := range append(identifier, egrid.State, egrid.PlantName, egrid.NetGeneration) {
		if f, ok := egrid.Lookup(w.level, string(c)); ok {
			w.addField(f)
		}
	}
	for range 2 + s.intn(8) {
		w.addField(pick(s, all))
	}
	for _, c := range []egrid.Column{"NEWCODE", "newcode", `x"; DROP TABLE sheets; --`, "été", "row_number"} {
		if s.oneIn(3) {
			w.addField(egrid.Field{Level: w.level, Column: c, Type: egrid.Text})
		}
	}
	for i := range w.fields {
		w.columns = append(w.columns, w.fields[i].Column)
	}
	w.columns = append(w.columns, w.columns...) // twice as likely as the rest
	for range 3 {
		w.columns = append(w.columns, pick(s, all).Column, egrid.Column(pick(s, all).Code))
	}
	w.columns = append(w.columns, egrid.Year, egrid.ReleaseColumn, egrid.LevelColumn)
	return w
}

func (w *world) addField(f egrid.Field) {
	if !slices.ContainsFunc(w.fields, func(g egrid.Field) bool { return g.Column == f.Column }) {
		w.fields = append(w.fields, f)
	}
}

var texts = []string{
	"a", "A", "b", "TX", "NA", "0005", "5", "7E600", "10-94", "é", "É", "İ", "Ω", "日本", "🙂", "a b", "a/b", "/", "b/", "x, y", `"q"`, "it's",
	"%", "_", `\`, "line\nbreak", " x ", "null", "true", "-1", "1.0", "aa", "Peñuelas", strings.Repeat("long ", 60), "--x", "\u00a0",
}

var integers = []int64{
	0, 1, 2, 3, -1, 2023, 1 << 53, 1<<53 + 1, 1<<53 - 1, -(1<<53 + 1), math.MaxInt64, math.MinInt64, math.MaxInt64 - 1,
}

// integerBounds are numbers that integers are compared with.
var integerBounds = []float64{0.5, -0.5, 2, 1 << 53, 1<<53 + 2, -(1 << 53), 1 << 63, -(1 << 63), 1e30, -1e30}

var wildNumbers = []float64{
	math.Copysign(0, -1), 0.1, -0.1, 0.3, 1.0 / 3, 5e-324, -5e-324, 1e-300, 1e150, -1e150, 1 << 53, 1<<53 + 2, 4188971343.358, -346000.5, 1e15 + 0.5, 9.007199254740993e15,
}

// value makes a value of a type, missing now and then.
func (w *world) value(t egrid.Type) egrid.Value {
	if w.oneIn(6) {
		return egrid.Value{}
	}
	return w.present(t)
}

func (w *world) present(t egrid.Type) egrid.Value {
	switch t {
	case egrid.Integer:
		if w.oneIn(2) {
			return egrid.IntegerOf(int64(w.intn(9)) - 3)
		}
		i := pick(w.source, integers)
		w.largest = max(w.largest, math.Abs(float64(i)))
		return egrid.IntegerOf(i)
	case egrid.Number:
		x := float64(w.intn(64)-20) / 8
		if w.wild && w.oneIn(2) {
			x = pick(w.source, wildNumbers)
		} else if w.oneIn(4) {
			x *= 1 << 20
		}
		w.largest = max(w.largest, math.Abs(x))
		return egrid.NumberOf(x)
	case egrid.Flag:
		return egrid.FlagOf(w.oneIn(2))
	}
	return egrid.TextOf(pick(w.source, texts))
}

// sheet is a snapshot to load, cut into chunks.
type sheet struct {
	spec   driver.SnapshotSpec
	chunks []driver.Chunk
	rows   int64
}

func (w *world) sheet(name string) sheet {
	var fields []egrid.Field
	whole, identified := w.oneIn(3), w.oneIn(2)
	identifier := egrid.Identifier(w.level, func(egrid.Column) bool { return true })
	for i := range w.fields {
		if whole || !w.oneIn(4) || identified && slices.Contains(identifier, w.fields[i].Column) {
			fields = append(fields, w.fields[i])
		}
	}
	if len(fields) == 0 {
		fields = w.fields[:1]
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // addField keeps them distinct
	}
	s := sheet{spec: driver.SnapshotSpec{
		Level: w.level, Year: pick(w.source, []int{2018, 2021, 2023}), Release: pick(w.source, []string{"", "", "v1", "v2", "rev1"}), Schema: schema,
		Source: egrid.Source{Object: name + ".csv", SHA256: name, Bytes: int64(len(name))},
	}}
	n := w.intn(40)
	if !w.fuzzed && w.oneIn(16) {
		n = 1100 // enough for a store to index
	}
	number := int64(0)
	builder := egrid.NewBuilder(schema, s.spec.Year)
	for len(s.chunks) == 0 || n > 0 {
		c := driver.Chunk{Index: len(s.chunks)}
		lossy := -1
		if w.oneIn(4) {
			lossy = w.intn(len(fields))
		}
		for range min(n, 1+w.intn(1+n)) {
			number += 1 + int64(w.intn(8)/7) // with gaps
			values := make([]egrid.Value, len(fields))
			for j := range fields {
				if values[j] = w.value(fields[j].Type); identified && slices.Contains(identifier, fields[j].Column) {
					values[j] = w.present(fields[j].Type)
				}
			}
			if err := builder.Row(values); err != nil {
				panic(err) // values are of the fields' types
			}
			if lossy >= 0 {
				builder.Lossy(lossy)
			}
			builder.EndRow(number, 0)
			n--
		}
		c.Rows = builder.Batch()
		if w.oneIn(4) {
			c.Rejected = int64(w.intn(3))
			c.Findings = []egrid.Audit{{
				Rule: fmt.Sprintf("rule_%d", w.intn(2)), Severity: pick(w.source, []egrid.Severity{egrid.Info, egrid.Warning, egrid.Warning, egrid.Hard}),
				Count: 1, Examples: []string{fmt.Sprint("row ", number)},
			}}
		}
		s.rows += int64(c.Rows.Len())
		s.chunks = append(s.chunks, c)
	}
	return s
}

// column names a column, now and then one that there is not.
func (w *world) column() egrid.Column {
	if w.oneIn(100) {
		return "nonsense"
	}
	return pick(w.source, w.columns)
}

func (w *world) some(n int, make func()) {
	for range w.intn(n + 1) {
		make()
	}
}

func (w *world) year() int {
	return pick(w.source, []int{0, egrid.AllYears, egrid.AllYears, 2023, 2021, 2018, 2016})
}

func (w *world) release() string {
	return pick(w.source, []string{"", "", "", "", egrid.NoRelease, "v1", "REV1"})
}

func (w *world) search() string {
	if !w.oneIn(4) {
		return ""
	}
	words := []string{"a", "A", "e6", "É", "é", "%", "_", `\`, "'", `"`, "日", "i", "  ", "0 5", "/", "tx\t", "Texas", "west virginia", "west"}
	return pick(w.source, words) + " " + pick(w.source, append(words, "", "", ""))
}

var operators = []egrid.Op{egrid.Eq, egrid.Ne, egrid.Lt, egrid.Le, egrid.Gt, egrid.Ge, egrid.Missing, egrid.Present}

// filter makes a filter on a column, its values of the column's type, of
// another one, or as text.
func (w *world) filter(c egrid.Column, t egrid.Type) egrid.Filter {
	f := egrid.Filter{Column: c, Op: pick(w.source, operators)}
	switch f.Op {
	case egrid.Missing, egrid.Present:
		return f
	}
	if t == "" {
		t = egrid.Text
		if field, ok := egrid.Lookup(w.level, string(c)); ok {
			t = field.Type
		}
	}
	n := 1
	if f.Op == egrid.Eq || f.Op == egrid.Ne {
		n += w.intn(3)
	}
	for range n {
		if c == egrid.Year {
			f.Values = append(f.Values, egrid.IntegerOf(int64(pick(w.source, []int{2018, 2021, 2023}))))
			continue
		}
		v := w.present(t)
		switch w.intn(8) {
		case 6:
			v = egrid.TextOf(v.String())
		case 7:
			v = w.present(pick(w.source, []egrid.Type{egrid.Number, egrid.Integer, egrid.Text}))
			if t == egrid.Integer {
				v = egrid.NumberOf(pick(w.source, integerBounds))
			}
		}
		f.Values = append(f.Values, v)
	}
	return f
}

func (w *world) rowQuery() egrid.RowQuery {
	q := egrid.RowQuery{
		Level: w.level, Year: w.year(), Release: w.release(), Search: w.search(),
		Limit: pick(w.source, []int{0, 1, 2, 3, 7, 50}), Count: w.oneIn(2),
	}
	w.some(2, func() { q.Filters = append(q.Filters, w.filter(w.column(), "")) })
	w.some(3, func() { q.Sort = append(q.Sort, egrid.Sort{Column: w.column(), Desc: w.oneIn(2)}) })
	if w.oneIn(2) {
		w.some(4, func() {
			if c := w.column(); !slices.Contains(q.Columns, c) {
				q.Columns = append(q.Columns, c)
			}
		})
	}
	return q
}

func (w *world) groupQuery() egrid.GroupQuery {
	q := egrid.GroupQuery{
		Level: w.level, Year: w.year(), Release: w.release(), Search: w.search(),
		Limit: pick(w.source, []int{0, 1, 2, 5, 50}), Count: w.oneIn(2),
	}
	w.some(1, func() { q.Filters = append(q.Filters, w.filter(w.column(), "")) })
	w.some(2, func() { q.By = append(q.By, w.column()) })
	type output struct {
		name egrid.Column
		typ  egrid.Type
	}
	var outputs []output
	for _, c := range q.By {
		outputs = append(outputs, output{c, ""})
	}
	for i := range 1 + w.intn(3) {
		m := egrid.Measure{Func: pick(w.source, []egrid.Func{egrid.Count, egrid.Sum, egrid.Min, egrid.Max}), As: egrid.Column(fmt.Sprintf("m%d", i))}
		o := output{m.As, egrid.Integer}
		if m.Func != egrid.Count {
			m.Column = w.column()
			if m.Func == egrid.Sum {
				m.Column = w.numeric()
			}
			f, _ := egrid.Lookup(w.level, string(m.Column))
			o.typ = f.Type
		}
		q.Measures = append(q.Measures, m)
		if m.Func != egrid.Sum || !w.wild && o.typ == egrid.Number {
			outputs = append(outputs, o) // a sum with rounding is no firm ground for order and comparison
		}
	}
	if len(outputs) > 0 {
		w.some(2, func() {
			o := pick(w.source, outputs)
			q.Sort = append(q.Sort, egrid.Sort{Column: o.name, Desc: w.oneIn(2)})
		})
		w.some(1, func() {
			o := pick(w.source, outputs)
			q.Having = append(q.Having, w.filter(o.name, o.typ))
		})
	}
	return q
}

// numeric names a column that can be summed, if the world has one.
func (w *world) numeric() egrid.Column {
	c := w.column()
	for i := range w.fields {
		if t := w.fields[i].Type; (t == egrid.Number || t == egrid.Integer) && !w.oneIn(3) {
			c = w.fields[i].Column
		}
	}
	return c
}
