package egrid

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AppendJSON appends the i-th row as a JSON object, its columns in the order of
// the schema and null for missing cells. Cells of type number always have a
// decimal point (21.0), so that a reader that guesses types from the first rows
// does not take the column for whole numbers. The unmarked release is "", as it is
// wherever JSON names a release. It allocates nothing else.
func (b *Batch) AppendJSON(dst []byte, i int) []byte {
	dst = append(dst, '{')
	for j, name := range b.schema.jsonNames() {
		dst = b.AppendJSONCell(append(dst, name...), j, i)
	}
	return append(dst, '}')
}

// AppendJSONCell appends the j-th cell of the i-th row as a JSON value, as
// [Batch.AppendJSON] does.
func (b *Batch) AppendJSONCell(dst []byte, j, i int) []byte {
	v := &b.columns[j]
	if v.IsMissing(i) && b.schema.fields[j].namesRelease() {
		return append(dst, `""`...)
	}
	return v.AppendJSON(dst, i)
}

// namesRelease reports whether a column holds releases of editions.
func (f *Field) namesRelease() bool {
	return f.Column == ReleaseColumn || strings.HasSuffix(string(f.Column), "_release")
}

// AppendJSON appends the i-th cell as a JSON value, as [Batch.AppendJSON] does but
// for releases: a vector does not know what it is of.
func (v *Vector) AppendJSON(dst []byte, i int) []byte {
	if v.IsMissing(i) {
		return append(dst, "null"...)
	}
	switch v.encoding {
	case encDecimal, encFloat:
		from := len(dst)
		return withPoint(v.appendNumber(dst, i), from)
	case encText:
		return appendJSONText(dst, v.Entry(int(v.values.get(i))))
	case encFlag:
		return strconv.AppendBool(dst, v.values.get(i) != 0)
	}
	return v.appendNumber(dst, i)
}

// withPoint adds ".0" to the number at dst[from:] when it has no point.
func withPoint(dst []byte, from int) []byte {
	if bytes.IndexByte(dst[from:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendJSON is the form of a single value.
func (v Value) appendJSON(dst []byte) []byte {
	switch v.typ {
	case missing:
		return append(dst, "null"...)
	case number:
		from := len(dst)
		return withPoint(append(dst, v.String()...), from)
	case text:
		return appendJSONText(dst, v.text)
	}
	return append(dst, v.String()...)
}

// jsonNames returns the columns' names as they stand in an object: quoted,
// with the comma in front of all but the first, and the colon behind.
func (s *Schema) jsonNames() [][]byte {
	if made := s.names.Load(); made != nil {
		return *made
	}
	names := make([][]byte, len(s.fields))
	for i, f := range s.fields {
		if i > 0 {
			names[i] = append(names[i], ',')
		}
		names[i] = append(appendJSONText(names[i], string(f.Column)), ':')
	}
	s.names.Store(&names)
	return names
}

// appendJSONText quotes text without HTML's escapes, as package encoding/json
// does.
func appendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(appendEscaped(dst, s), '"')
		}
	}
	return append(append(dst, s...), '"')
}

func appendEscaped(dst []byte, s string) []byte {
	const short, letters, hex = "\b\t\n\f\r\"\\", `btnfr"\`, "0123456789abcdef"
	for len(s) > 0 {
		c, size := utf8.DecodeRuneInString(s)
		switch at := strings.IndexRune(short, c); {
		case at >= 0:
			dst = append(dst, '\\', letters[at])
		case c < ' ', c == '\u2028', c == '\u2029', c == utf8.RuneError && size == 1:
			dst = append(dst, '\\', 'u', hex[c>>12], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		default:
			dst = append(dst, s[:size]...)
		}
		s = s[size:]
	}
	return dst
}

// AppendCSV appends the i-th row as a record of CSV as in RFC 4180: cells as
// [Value.String] writes them, missing ones empty, the line ended by CRLF. Unlike
// package encoding/csv it leaves the text of cells as it is, line ends included.
func (b *Batch) AppendCSV(dst []byte, i int) []byte {
	alone := len(b.columns) == 1
	for j := range b.columns {
		if j > 0 {
			dst = append(dst, ',')
		}
		switch v := &b.columns[j]; {
		case v.IsMissing(i):
			if alone {
				dst = append(dst, `""`...)
			}
		case v.encoding == encText:
			dst = AppendCSVCell(dst, v.Entry(int(v.values.get(i))), alone)
		case v.encoding == encFlag:
			dst = strconv.AppendBool(dst, v.values.get(i) != 0)
		default:
			dst = v.appendNumber(dst, i)
		}
	}
	return append(dst, "\r\n"...)
}

// AppendCSVHeader appends the header record of [Batch.AppendCSV]: the columns'
// names or, with codes, EPA's codes where the dictionary has one.
func (s *Schema) AppendCSVHeader(dst []byte, codes bool) []byte {
	for i, f := range s.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		name := string(f.Column)
		if codes && f.Code != "" {
			name = f.Code
		}
		dst = AppendCSVCell(dst, name, len(s.fields) == 1)
	}
	return append(dst, "\r\n"...)
}

// AppendCSVCell appends a cell, quoted where it has to be. A cell that is alone
// in its record is quoted when it is empty, because readers leave out blank
// lines; one that begins with a byte order mark, because they leave that out at
// the beginning of a file.
func AppendCSVCell(dst []byte, s string, alone bool) []byte {
	if s == "" {
		if alone {
			return append(dst, `""`...)
		}
		return dst
	}
	if !strings.ContainsAny(s, "\",\r\n") && !spaceAround(s) && !strings.HasPrefix(s, "\ufeff") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		before, after, found := strings.Cut(s, `"`)
		dst = append(dst, before...)
		if !found {
			return append(dst, '"')
		}
		dst = append(dst, `""`...)
		s = after
	}
}

func spaceAround(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsSpace(first) || unicode.IsSpace(last)
}

// String returns the first rows as CSV, for messages of tests and logs.
func (b *Batch) String() string {
	const most = 20
	text := b.schema.AppendCSVHeader(nil, false)
	for i := range min(b.n, most) {
		text = b.AppendCSV(text, i)
	}
	if b.n > most {
		text = append(text, "... "+strconv.Itoa(b.n)+" rows\n"...)
	}
	return string(text)
}
