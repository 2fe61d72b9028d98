package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strconv"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// marshal writes JSON without HTML's escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// rowEncoder writes rows as JSON objects, the names encoded once.
type rowEncoder struct{ names [][]byte }

func newRowEncoder(s *egrid.Schema) *rowEncoder {
	e := &rowEncoder{}
	for i, c := range s.Columns() {
		name := appendText(nil, string(c))
		if i > 0 {
			name = append([]byte(","), name...)
		}
		e.names = append(e.names, append(name, ':'))
	}
	return e
}

func (e *rowEncoder) append(b []byte, row egrid.Row) []byte {
	b = append(b, '{')
	for i, v := range row.Values {
		b = appendValue(append(b, e.names[i]...), v)
	}
	return append(b, '}')
}

func appendValue(b []byte, v egrid.Value) []byte {
	switch v.Type() {
	case "":
		return append(b, "null"...)
	case egrid.Text:
		return appendText(b, v.String())
	case egrid.Number:
		x, _ := v.Float()
		return appendNumber(b, x)
	}
	return append(b, v.String()...)
}

// appendNumber writes a finite number the shortest way that reads back equal,
// with an exponent where it is very large or small, as JavaScript does.
func appendNumber(b []byte, x float64) []byte {
	if abs := max(x, -x); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, x, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, x, 'f', -1, 64)
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := marshal(s)
			if err != nil {
				panic(err) // every string can be encoded
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// gzips are writers to use again: a new one takes most of a megabyte, and to
// make it as long as to compress an answer.
var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func newGzip(w io.Writer) *gzip.Writer {
	z, _ := gzips.Get().(*gzip.Writer)
	z.Reset(w)
	return z
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	z := newGzip(&out)
	defer gzips.Put(z)
	_, _ = z.Write(b) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}
