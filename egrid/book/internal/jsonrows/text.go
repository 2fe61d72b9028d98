package jsonrows

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// append writes the value as a cell of CSV, which is alone in its record or not.
func (v value) append(dst []byte, alone bool) []byte {
	switch {
	case v.quoted:
		dst = append(dst, '"')
		if bytes.IndexByte(v.text, '\\') < 0 {
			dst = append(dst, v.text...) // it has no quotes
		} else {
			dst = append(dst, bytes.ReplaceAll(unescaped(v.text), []byte(`"`), []byte(`""`))...)
		}
		return append(dst, '"')
	case v.text == nil && alone:
		return append(dst, `""`...)
	}
	return append(dst, v.text...)
}

// unescaped is what a string of JSON stands for. It was read without a fault.
func unescaped(inner []byte) []byte {
	at := bytes.IndexByte(inner, '\\')
	if at < 0 {
		return inner
	}
	var out []byte
	for ; at >= 0; at = bytes.IndexByte(inner, '\\') {
		r, n, _ := escape(inner[at:])
		out = utf8.AppendRune(append(out, inner[:at]...), r)
		inner = inner[at+n:]
	}
	return append(out, inner...)
}

// escape reads the escape at the front of b, of n bytes. Where n is 0, there is
// either a reason why it cannot be read, or more of it to come.
func escape(b []byte) (r rune, n int, reason string) {
	if len(b) < 2 {
		return 0, 0, ""
	}
	const letters, chars = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if at := bytes.IndexByte([]byte(letters), b[1]); at >= 0 {
		return rune(chars[at]), 2, ""
	}
	if b[1] != 'u' {
		return 0, 0, " has an escape that JSON does not have: a backslash in a text is written as two"
	}
	r, n, reason = escapedUnit(b)
	if n == 0 || !utf16.IsSurrogate(r) {
		return r, n, reason
	}
	const half = " has half of a character (\\ud800 to \\udfff without its other half)"
	rest := b[n:]
	if len(rest) > 0 && rest[0] != '\\' || len(rest) > 1 && rest[1] != 'u' {
		return 0, 0, half
	}
	low, m, reason := escapedUnit(rest)
	if m == 0 {
		return 0, 0, reason
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0, half
	}
	return r, n + m, ""
}

// escapedUnit reads \u and four hexadecimal digits.
func escapedUnit(b []byte) (r rune, n int, reason string) {
	const size = len(`\u0000`)
	for i := 2; i < min(size, len(b)); i++ {
		switch c := b[i]; {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, 0, ` has a \u without four hexadecimal digits`
		}
	}
	if len(b) < size {
		return 0, 0, ""
	}
	if r == 0 {
		return 0, 0, ` has a NUL character (\u0000), which no text has`
	}
	return r, size, ""
}
