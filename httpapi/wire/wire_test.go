package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{21: "21.0", 0: "0.0", -10: "-10.0", 0.1: "0.1", 1e21: "1000000000000000000000.0", 1e-7: "0.0000001", math.Inf(1): "null", math.Copysign(0, -1): "0.0"} {
		got, err := json.Marshal(map[string]*wire.Number{"x": wire.NumberOf(egrid.NumberOf(x)), "n": nil})
		if math.IsInf(x, 0) {
			got, err = json.Marshal(map[string]any{"n": nil, "x": wire.Number(x)})
		}
		if err != nil || string(got) != `{"n":null,"x":`+want+`}` {
			t.Errorf("%v: %s, %v; want %s", x, got, err, want)
		}
		var back struct{ X wire.Number }
		if err := json.Unmarshal(got, &back); err != nil || !math.IsInf(x, 0) && float64(back.X) != x {
			t.Errorf("%s reads back as %v, %v", got, back.X, err)
		}
	}
	for _, v := range []egrid.Value{{}, egrid.TextOf("1"), egrid.FlagOf(true)} {
		if n := wire.NumberOf(v); n != nil {
			t.Errorf("%v is the number %v", v, *n)
		}
	}
}

func schemaOf(t testing.TB) *egrid.Schema {
	t.Helper()
	s, err := egrid.NewSchema(
		egrid.Field{Column: "a", Type: egrid.Text}, egrid.Field{Column: "b", Type: egrid.Integer},
		egrid.Field{Column: "c", Type: egrid.Number}, egrid.Field{Column: "d", Type: egrid.Flag})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read gives the rows of a scan as text.
func read(r io.Reader, s *egrid.Schema) (string, error) {
	var rows []byte
	for b, err := range wire.Batches(r, s) {
		if err != nil {
			return string(rows), err
		}
		for i := range b.Len() {
			rows = b.AppendCSV(rows, i)
		}
	}
	return string(rows), nil
}

func TestBatches(t *testing.T) {
	s := schemaOf(t)
	var body []byte
	want := ""
	for n := range 4 { // the first has no rows
		b := egrid.NewBuilder(s, 2023)
		for i := range n {
			b.Text(0, fmt.Append(nil, "text ", i))
			b.Int(1, int64(i))
			b.Number(2, 0.5)
			b.Flag(3, true)
			b.EndRow(int64(i+1), 0)
			want += fmt.Sprintf("text %d,%d,0.5,true\r\n", i, i)
		}
		body = wire.AppendBatch(body, b.Batch())
	}
	body = wire.AppendEnd(body)
	if got, err := read(bytes.NewReader(append(body, "behind"...)), s); err != nil || got != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	for n := range body {
		if _, err := read(bytes.NewReader(body[:n]), s); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("the first %d bytes: %v; want ErrUnexpectedEOF", n, err)
		}
	}
	for name, text := range map[string]string{"no batch": "\x05hello\x00", "too large": "\x81\x80\x80\x80\x04", "larger": "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"} {
		if _, err := read(strings.NewReader(text), s); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: %v; want ErrInvalid", name, err)
		}
	}
	if _, err := read(strings.NewReader(strings.Repeat("\xff", 11)), s); err == nil {
		t.Error("a length that never ends is taken")
	}
	broken := errors.New("the network is away")
	if _, err := read(io.MultiReader(bytes.NewReader(body[:20]), errorReader{broken}), s); !errors.Is(err, broken) {
		t.Errorf("%v; want the reader's own error", err)
	}
}

type errorReader struct{ error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.error }

// Whatever comes is refused or read, and what is read can be written again.
func FuzzBatches(f *testing.F) {
	s := schemaOf(f)
	b := egrid.NewBuilder(s, 2023)
	b.Text(0, []byte("x"))
	b.EndRow(1, 0)
	f.Add(wire.AppendEnd(wire.AppendBatch(nil, b.Batch())))
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		rows, err := read(bytes.NewReader(data), s)
		if err != nil {
			return
		}
		for b, err := range wire.Batches(bytes.NewReader(data), s) {
			if err != nil {
				t.Fatalf("refused the second time: %v", err)
			}
			again = wire.AppendBatch(again, b)
		}
		if got, err := read(bytes.NewReader(wire.AppendEnd(again)), s); err != nil || got != rows {
			t.Errorf("%v, %q; want %q", err, got, rows)
		}
	})
}
