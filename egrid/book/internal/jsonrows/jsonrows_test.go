package jsonrows_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/jsonrows"
)

// read returns the text of a file, which is read in pieces of the given kind.
func read(content string, pieces func(io.Reader) io.Reader) (string, error) {
	text, err := jsonrows.Open(func() (io.ReadCloser, error) {
		return io.NopCloser(pieces(strings.NewReader(content))), nil
	})
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(text)
	return string(all), errors.Join(err, text.Close())
}

func whole(r io.Reader) io.Reader { return r }

func TestText(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, want string }{
		"numbers keep their digits": {
			`{"a":21.0,"b":-0.10,"c":1e-7,"d":12345678901234567890,"e":1E+22,"f":-0}`,
			"a,b,c,d,e,f\n21.0,-0.10,1e-7,12345678901234567890,1E+22,-0\n",
		},
		"texts that look like others": {
			`{"a":"0290","b":"7E600","c":"NA","d":"null","e":"true","f":"5"}`,
			"a,b,c,d,e,f\n\"0290\",\"7E600\",\"NA\",\"null\",\"true\",\"5\"\n",
		},
		"flags, null, empty text": {`{"a":true,"b":false,"c":null,"d":""}`, "a,b,c,d\ntrue,false,,\"\"\n"},
		"one column":              {"{\"a\":null}\n{\"a\":\"\"}\n{}\n", "a\n\"\"\n\"\"\n\"\"\n"},
		"escapes": {
			`{"a":"x\"y\\z\/","b":"\u00e9\ud83d\ude00é😀","c":"1\n2\t3\r\n4\b\f","d":"a,b"}`,
			"a,b,c,d\n\"x\"\"y\\z/\",\"é😀é😀\",\"1\n2\t3\r\n4\b\f\",\"a,b\"\n",
		},
		"names": {
			`{"a,b":1,"c\"d":2," e":3,"":4,"\u0066":5}`,
			"\"a,b\",\"c\"\"d\",\" e\",,f\n1,2,3,4,5\n",
		},
		"members in another order": {"{\"a\":1,\"b\":2}\n{\"b\":3,\"a\":4}\n{\"\\u0061\":5}\n", "a,b\n1,2\n4,3\n5,\n"},
		"members that come later":  {"{\"a\":1,\"d\":2}\n{}\n{\"a\":3,\"b\":4,\"c\":5,\"d\":6}\n{\"z\":7,\"d\":8,\"e\":9}", "z,a,b,c,d,e\n,1,,,2,\n,,,,,\n,3,4,5,6,\n7,,,,8,9\n"},
		"a line for each line":     {"\ufeff\r\n\n{\"a\":1}\r\n\r\n {\"a\":2}\n\n\n", "a\n\n\n1\n\n2\n"},
		"array":                    {"[{\"a\":1},{\"a\":2} , {\"a\":3}]\n", "a\n1\n2\n3\n"},
		"array of lines":           {"[{\"a\":1},\n{\"a\":2}\n,\n{\"a\":3}]", "a\n1\n2\n\n3\n"},
		"array, laid out":          {"[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n", "a\n\n1\n\n\n2\n"},
		"object over lines":        {"{\"a\":\n1}\n{\"a\":2}", "a\n1\n\n2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !jsonrows.Are([]byte(test.content)) {
				t.Error("not taken for objects")
			}
			for _, pieces := range []func(io.Reader) io.Reader{whole, iotest.OneByteReader, iotest.DataErrReader} {
				if got, err := read(test.content, pieces); err != nil || got != test.want {
					t.Errorf("got %q, %v; want %q", got, err, test.want)
				}
			}
		})
	}
}

func TestAre(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]bool{
		`{"a":1}`: true, "\ufeff\r\n{ \"a\"": true, "{}\n{\"a\":1}": true, "[{": true, " [ \n{": true,
		"": false, "{": false, "{\\rtf1": false, "{a:1}": false, "[]": false, "[1,2]": false, "YEAR,ORISPL\n": false, `"{"`: false,
	} {
		if got := jsonrows.Are([]byte(content)); got != want {
			t.Errorf("%q: got %t", content, got)
		}
	}
}

// TestRefused: what has no cell, or cannot be read, is refused with its line.
func TestRefused(t *testing.T) {
	t.Parallel()
	many := strings.Builder{}
	for i := range 17000 {
		fmt.Fprintf(&many, "{\"c%d\":1}\n", i)
	}
	for name, test := range map[string]struct{ content, want string }{
		"nested object":        {"{\"a\":1}\n{\"a\":{\"b\":1}}\n", `line 2, member "a": its value is an object`},
		"envelope":             {`{"meta":null,"data":[{"a":1}]}`, `line 1, member "data": its value is an array, and a cell has one value; write each row as an object of plain values, one a line, as egrid rows --format ndjson`},
		"member twice":         {"{\"a\":1}\n{\"a\":1,\"\\u0061\":2}\n", `line 2, member "a": the object has the member twice`},
		"NaN":                  {`{"a":NaN}`, `line 1, member "a": NaN is no value of JSON; write null`},
		"single quotes":        {"{\"a\":1}\n{'a':2}\n", "line 2: there is no quote where the name of a member begins"},
		"word":                 {`{"a":yes}`, `member "a": "yes" is no value of JSON`},
		"zero in front":        {`{"a":0290}`, `member "a": "0290" is no value of JSON`},
		"point at the end":     {`{"a":1.}`, `"1." is no value`},
		"plus":                 {`{"a":+1}`, `"+1" is no value`},
		"nothing":              {`{"a":}`, `"" is no value`},
		"no colon":             {`{"a" 1}`, "no colon behind the name"},
		"no comma":             {`{"a":1 "b":2}`, "neither a comma nor the end of the object"},
		"comma at the end":     {`{"a":1,}`, "there is no quote where the name of a member begins"},
		"cut in a line":        {"{\"a\":1}\n{\"a\":12", "line 2: the file ends within its JSON text: was the file cut?"},
		"cut in a string":      {"{\"a\":\"1", "was the file cut?"},
		"cut in an escape":     {"{\"a\":\"\\ud83d", "was the file cut?"},
		"array that was cut":   {"[{\"a\":1},\n", "was the file cut?"},
		"line end in a string": {"{\"a\":1}\n{\"a\":\"x\ny\"}", "line 2, member \"a\": a string has a line end or another control character (0xa)"},
		"escape":               {`{"a":"C:\dir"}`, "a backslash in a text is written as two"},
		"half of a character":  {`{"a":"\ud83dx"}`, "half of a character"},
		"other half":           {`{"a":"\ude00\ud83d"}`, "half of a character"},
		"hexadecimal":          {`{"a":"\u00g0"}`, "without four hexadecimal digits"},
		"NUL":                  {`{"a":"\u0000"}`, "NUL"},
		"other encoding":       {"{\"a\":\"Ca\xf1on\"}", "line 1, member \"a\": a string is not UTF-8 text; save the file as UTF-8"},
		"text between":         {"{\"a\":1}\n# note\n", "line 2: there is no object where a row begins"},
		"CSV below":            {"{\"a\":1}\na,b\n", "line 2: there is no object"},
		"two on a line":        {"{\"a\":1}\n{\"a\":1} {\"a\":2}\n", "line 2: there is something behind the object; write one object a line"},
		"behind the array":     {"[{\"a\":1}]\n{\"a\":2}", "line 2: there is something behind the end of the array"},
		"number in the array":  {"[{\"a\":1},\n2]", "line 2: there is no object where a row begins"},
		"no comma in array":    {"[{\"a\":1}\n{\"a\":2}]", "line 2: there is neither a comma nor the end of the array"},
		"no members":           {"{}\n{}\n", "its objects have no members"},
		"too many names":       {many.String(), "line 16385, member \"c16384\": the objects have more than 16384 different members"},
		"long names":           {`{"` + strings.Repeat("x", 600<<10) + `":1}`, "names of more than 512 KiB"},
		"long object":          {"{\"a\":1}\n{\"a\":\"" + strings.Repeat("x", 17<<20) + "\"}", "line 2: the object that begins here is longer than 8 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := read(test.content, whole); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("got %.100q, %.300v; want %q", got, err, test.want)
			}
		})
	}
}

// TestReaderFails: what the reader below says is no fault of the file.
func TestReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	opened, closed := 0, 0
	open := func(fails int) func() (io.ReadCloser, error) {
		opened, closed = 0, 0
		return func() (io.ReadCloser, error) {
			if opened++; opened == fails {
				return nil, broken
			}
			return closing{strings.NewReader("{\"a\":1}\n"), &closed}, nil
		}
	}
	for fails := 1; fails <= 2; fails++ {
		if _, err := jsonrows.Open(open(fails)); !errors.Is(err, broken) || errors.Is(err, egrid.ErrInvalid) || closed != opened-1 {
			t.Errorf("got %v, %d opened and %d closed", err, opened, closed)
		}
	}
	_, err := jsonrows.Open(func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("{\"a\":1}\n"), iotest.ErrReader(broken))), nil
	})
	if !errors.Is(err, broken) || errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	contents := []string{"{\"a\":1}\n", "{\"b\":1}\n"}
	text, err := jsonrows.Open(func() (io.ReadCloser, error) {
		r := strings.NewReader(contents[0])
		contents = contents[1:]
		return io.NopCloser(r), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(text); err == nil || !strings.Contains(err.Error(), "line 1: the file changed while it was being read") {
		t.Errorf("got %v", err)
	}
}

type closing struct {
	io.Reader
	n *int
}

func (c closing) Close() error { *c.n++; return nil }

// TestConstantMemory reads 16 MiB of objects that are made as they are read.
func TestConstantMemory(t *testing.T) {
	const row, size = `{"data_year":2023,"oris_plant_code":"57053","generator_id":"0290","net_generation_mwh":4425.187,"sector":null}` + "\n", 16 << 20
	text, err := jsonrows.Open(func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(&repeated{text: row}, size/int64(len(row))*int64(len(row)))), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, text)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err != nil || n < size/4 || grown > 1<<20 {
		t.Errorf("%d bytes, %v, %d bytes allocated", n, err, grown)
	}
}

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

func BenchmarkText(b *testing.B) {
	const row = `{"level":"GEN","data_year":2023,"release":null,"sequence":1,"state":"AL","plant_name":"Sample Plant 000001 Wind","oris_plant_code":"900001","generator_id":"WT1","boiler_count":null,"status":"OP","nameplate_capacity_mw":1.7,"capacity_factor":0.29715,"net_generation_mwh":4425.187,"year_retired":null}` + "\n"
	content := strings.Repeat(row, 4<<20/len(row))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		text, err := jsonrows.Open(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil })
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, text); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzText compares with package encoding/json: what both read is the same, and
// what only the other one reads is what has no cell.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"{\"a\":21.0,\"b\":\"x\\\"y\"}\n{\"b\":null,\"c\":true}\n", "[{\"a\":-1e-7},\n{\"\\u0061\":\"\\ud83d\\ude00\"}]", "\ufeff\n{\"a\":\"1\\r\\n2\"}\r\n",
		"{\"a\":{}}", "{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":1}{\"a\":2}", "[{\"a\":1}", "{\"a\":\"\\u0000\"}", "{}\n{\"\":\"\"}", "{\"a\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if !jsonrows.Are([]byte(content)) {
			return
		}
		got, err := read(content, whole)
		if again, failed := read(content, iotest.OneByteReader); again != got || fmt.Sprint(failed) != fmt.Sprint(err) {
			t.Fatalf("in one piece %q, %v; byte by byte %q, %v", got, err, again, failed)
		}
		want, other := decoded(content)
		switch {
		case err != nil && !errors.Is(err, egrid.ErrInvalid):
			t.Fatalf("%v is no ErrInvalid", err)
		case err != nil && other == nil && !strings.Contains(err.Error(), "write one object a line"):
			t.Fatalf("refused: %v; the other reads %q", err, want)
		case err == nil && other != nil:
			t.Fatalf("read as %q; the other says %v", got, other)
		case err == nil:
			for i, row := range want {
				for j := range row {
					want[i][j] = strings.ReplaceAll(row[j], "\r\n", "\n") // as package encoding/csv does
				}
			}
			if table := tableOf(t, got); !slices.EqualFunc(table, want, slices.Equal) {
				t.Fatalf("got %q; want %q", table, want)
			}
		}
	})
}

// decoded reads rows with package encoding/json. The error says why they are none.
func decoded(content string) ([][]string, error) {
	if !utf8.ValidString(content) {
		return nil, errors.New("not UTF-8")
	}
	var objects []json.RawMessage
	content = strings.TrimPrefix(content, "\ufeff")
	if strings.HasPrefix(strings.TrimLeft(content, " \t\r\n"), "[") {
		if err := json.Unmarshal([]byte(content), &objects); err != nil {
			return nil, err
		}
	} else {
		for d := json.NewDecoder(strings.NewReader(content)); ; {
			var object json.RawMessage
			if err := d.Decode(&object); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
			objects = append(objects, object)
		}
	}
	var names []string
	var rows []map[string]string
	for _, object := range objects {
		row, err := members(object, &names)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	if len(names) == 0 {
		return nil, errors.New("no members")
	}
	table := [][]string{names}
	for _, row := range rows {
		cells := make([]string, len(names))
		for i, name := range names {
			cells[i] = row[name]
		}
		table = append(table, cells)
	}
	return table, nil
}

// members reads an object of plain values, and adds the new ones of its names.
func members(object []byte, names *[]string) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("no object: %v, %w", open, err)
	}
	row := map[string]string{}
	before := "no name \x00"
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		text := fmt.Sprint(value)
		if value == nil {
			text = ""
		}
		_, nested := value.(json.Delim)
		_, twice := row[key]
		if nested || twice || strings.ContainsAny(key+text, "\x00\ufffd") { // U+FFFD may stand for half of a character
			return nil, fmt.Errorf("no cell for %s: %s", key, text)
		}
		if row[key] = text; !slices.Contains(*names, key) {
			*names = slices.Insert(*names, slices.Index(*names, before)+1, key)
		}
		before = key
	}
	return row, nil
}

// tableOf reads the text with package encoding/csv, without the blank records.
func tableOf(t *testing.T, text string) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	table, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return table
}
