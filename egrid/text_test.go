package egrid_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// encodeAndRead writes a row as JSON and CSV, and wants what encoding/json and
// encoding/csv read of it to be the row.
func encodeAndRead(t *testing.T, names []string, values []egrid.Value) {
	t.Helper()
	fields := make([]egrid.Field, len(names))
	for i, name := range names {
		fields[i] = egrid.Field{Level: egrid.GEN, Column: egrid.Column(name), Type: values[i].Type()}
		if values[i].IsMissing() {
			fields[i].Type = egrid.Text
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := egrid.BatchOf(schema, 2023, values)
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, b, names, values)
	checkCSV(t, b, names, values)
}

// jsonOf is a text as encoding/json writes it without HTML's escapes.
func jsonOf(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func checkJSON(t *testing.T, b *egrid.Batch, names []string, values []egrid.Value) {
	t.Helper()
	line := b.AppendJSON([]byte("> "), 0)[2:]
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	got := map[string]any{}
	if err := dec.Decode(&got); err != nil || len(got) != len(names) || dec.More() {
		t.Fatalf("%s: %v, %d names; want %d", line, err, len(got), len(names))
	}
	at := -1
	for i, name := range names {
		key, _ := json.Marshal(name)
		if j := bytes.Index(line, append(key, ':')); !bytes.ContainsAny(key, `<>&\`) && j < at {
			t.Errorf("%s: %s is not in the order of the schema", line, key)
		} else {
			at = max(at, j)
		}
		v := values[i]
		one, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if want := jsonOf(t, v.String()); v.Type() == egrid.Text && !bytes.Equal(one, want) {
			t.Errorf("%q is %s; want %s", v.String(), one, want)
		}
		if cell := b.Column(i).AppendJSON(nil, 0); !bytes.Equal(cell, one) || !bytes.Contains(line, append([]byte{':'}, one...)) {
			t.Errorf("%s: the cell is %s and the value %s", line, cell, one)
		}
		switch x := got[name].(type) {
		case nil:
			if !v.IsMissing() {
				t.Errorf("%s is null; want %q", name, v)
			}
		case string:
			if v.Type() != egrid.Text || x != v.String() {
				t.Errorf("%s is %q; want %q", name, x, v)
			}
		case bool:
			if yes, ok := v.Bool(); !ok || yes != x {
				t.Errorf("%s is %v; want %q", name, x, v)
			}
		case json.Number:
			f, err := x.Float64()
			want, ok := v.Float()
			if err != nil || !ok || f != want || strings.Contains(x.String(), ".") != (v.Type() == egrid.Number) {
				t.Errorf("%s is %s; want %s %q", name, x, v.Type(), v)
			}
			if n, ok := v.Int(); ok {
				if m, err := x.Int64(); err != nil || m != n {
					t.Errorf("%s is %s; want %d", name, x, n)
				}
			}
		}
	}
}

func checkCSV(t *testing.T, b *egrid.Batch, names []string, values []egrid.Value) {
	t.Helper()
	text := b.AppendCSV(b.Schema().AppendCSVHeader(nil, false), 0)
	if !bytes.HasSuffix(text, []byte("\r\n")) {
		t.Errorf("%q does not end its line", text)
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(all) != 2 {
		t.Fatalf("%q: %d records, %v", text, len(all), err)
	}
	want := [][]string{slices.Clone(names), make([]string, len(values))}
	for i, v := range values {
		want[1][i] = v.String()
	}
	for _, record := range want {
		for i := range record {
			record[i] = strings.ReplaceAll(record[i], "\r\n", "\n") // as encoding/csv reads it
		}
	}
	if !slices.EqualFunc(all, want, slices.Equal[[]string]) {
		t.Errorf("%q: read %q; want %q", text, all, want)
	}
}

func TestEncoders(t *testing.T) {
	for _, test := range [][]egrid.Value{
		{{}},
		{egrid.TextOf("\ufeffmark")},
		{egrid.TextOf("a"), {}, egrid.IntegerOf(math.MinInt64), egrid.NumberOf(21), egrid.FlagOf(false)},
		{egrid.TextOf("\"q\", <b>&'\u2028\x01"), egrid.TextOf("line\r\nbreak"), egrid.TextOf(" x "), egrid.NumberOf(-1e300), egrid.NumberOf(5e-324)},
		{egrid.NumberOf(0.1), egrid.NumberOf(-346000.5), egrid.NumberOf(1e15), egrid.NumberOf(123456789012345.6), egrid.NumberOf(math.Copysign(0, -1))},
	} {
		var names []string
		for i := range test {
			names = append(names, []string{"state", "x, \"y\"", "é<&>", " z ", "\\"}[i])
		}
		encodeAndRead(t, names, test)
	}
}

// Whatever stands in a cell, encoding/json and encoding/csv read it back.
func FuzzEncoders(f *testing.F) {
	f.Add("state", "TX", int64(5), 0.5, true)
	f.Add("x\r\n\"", "\"q\", <b>", int64(math.MinInt64), 1e300, false)
	f.Add("x", "\b\f\t\x00\x1f\x7f\\ \u2028\u2029\ufffd\u00e9\U0001f642", int64(1), 2.5, true)
	f.Add("\ufeff", "\ufeff", int64(0), 4188971343.358, false)
	f.Fuzz(func(t *testing.T, name, text string, i int64, x float64, yes bool) {
		name, text = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(text, "?")
		if name == "" {
			return
		}
		values := []egrid.Value{egrid.TextOf(text), egrid.IntegerOf(i), egrid.NumberOf(x), egrid.FlagOf(yes), {}, egrid.NumberOf(float64(i) / 1000)}
		names := []string{name, name + "1", name + "2", name + "3", name + "4", name + "5"}
		encodeAndRead(t, names, values)
		for k := range values {
			encodeAndRead(t, names[:1], values[k:k+1])
		}
	})
}

func TestAppendCSVHeaderOfCodes(t *testing.T) {
	plant, _ := egrid.Lookup(egrid.GEN, "PNAME")
	schema, err := egrid.NewSchema(plant, egrid.Field{Level: egrid.GEN, Column: "OWN", Type: egrid.Text})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(schema.AppendCSVHeader(nil, true)); got != "PNAME,OWN\r\n" {
		t.Errorf("codes %q", got)
	}
	if got := string(schema.AppendCSVHeader(nil, false)); got != "plant_name,OWN\r\n" {
		t.Errorf("names %q", got)
	}
}

// Writing rows allocates nothing but the text.
func TestEncodersAllocateNothing(t *testing.T) {
	schema := schemaOf(t, egrid.Text, egrid.Integer, egrid.Number, egrid.Flag)
	b, err := egrid.BatchOf(schema, 2023, []egrid.Value{egrid.TextOf("Peña \"Nr. 1\"\n"), egrid.IntegerOf(1), egrid.NumberOf(2.5), egrid.FlagOf(true)})
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 0, 1000)
	n := testing.AllocsPerRun(100, func() {
		buffer = b.AppendCSV(b.AppendJSON(buffer[:0], 0), 0)
		_, _ = io.Discard.Write(buffer)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The unmarked release is an empty text in JSON, and no null.
func TestJSONOfReleases(t *testing.T) {
	t.Parallel()
	schema, err := egrid.NewSchema(egrid.Field{Column: egrid.ReleaseColumn, Type: egrid.Text}, egrid.Field{Column: "plants_release", Type: egrid.Text}, egrid.Field{Column: "state", Type: egrid.Text})
	if err != nil {
		t.Fatal(err)
	}
	b, err := egrid.BatchOf(schema, 2023, []egrid.Value{{}, {}, {}}, []egrid.Value{egrid.TextOf("rev0"), {}, {}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`{"release":"","plants_release":"","state":null}`, `{"release":"rev0","plants_release":"","state":null}`} {
		if got := string(b.AppendJSON(nil, i)); got != want {
			t.Errorf("got %s; want %s", got, want)
		}
	}
}
