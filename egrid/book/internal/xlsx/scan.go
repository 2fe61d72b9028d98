package xlsx

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// maxElement bounds a cell, a shared text or a tag: a cell of a spreadsheet holds
// 32,767 characters.
const maxElement = 8 << 20

// window is the part of a stream of XML that is at hand.
type window struct {
	r    io.Reader
	buf  []byte
	pos  int // of what is not yet read
	from int64
	eof  bool
}

func newWindow(r io.Reader) *window {
	return &window{r: r, buf: make([]byte, 0, 128<<10)}
}

// more reads on. It returns io.EOF when there is no more.
func (w *window) more() error {
	if w.eof {
		return io.EOF
	}
	if len(w.buf)-w.pos > maxElement {
		return w.damaged("an element is longer than %d MiB", maxElement>>20)
	}
	w.from += int64(w.pos)
	w.buf = w.buf[:copy(w.buf, w.buf[w.pos:])]
	w.pos = 0
	if len(w.buf) > cap(w.buf)/2 {
		w.buf = append(make([]byte, 0, 2*cap(w.buf)), w.buf...)
	}
	// Twice as much, so that a long element is searched a few times only.
	before := len(w.buf)
	n, err := io.ReadAtLeast(w.r, w.buf[before:cap(w.buf)], max(before, 1))
	w.buf = w.buf[:before+n]
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		if w.eof = true; n > 0 {
			err = nil
		}
	}
	return err
}

// errDamaged is what a workbook fails with that is not as programs write it.
var errDamaged = fmt.Errorf("%w: the workbook is damaged; fetch it again, or save it again in a spreadsheet program", egrid.ErrInvalid)

// damaged says that the XML at hand is not what it has to be.
func (w *window) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: near byte %d %s", errDamaged, w.from+int64(w.pos), fmt.Sprintf(format, args...))
}

// drain reads to the end, where the checksum is compared.
func (w *window) drain() error {
	for {
		w.pos = len(w.buf)
		if err := w.more(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// tag is <name attributes>, </name> or <name/>. It is valid as long as the bytes
// that it was cut from.
type tag struct {
	name       []byte // without its prefix; empty for comments and instructions
	attributes []byte
	closing    bool
	empty      bool
}

func (t tag) is(name string) bool { return string(t.name) == name }

// opens reports whether the tag begins an element of a name.
func (t tag) opens(name string) bool { return !t.closing && string(t.name) == name }

// short says that an element does not end within the bytes at hand.
const short = 0

// cutTag cuts a tag, a comment or an instruction off the front of b, which begins
// with <. n is short where it does not end in b, and negative where it is none.
func cutTag(b []byte) (t tag, n int) {
	if len(b) < 4 {
		return t, short
	}
	i := 1
	switch b[1] {
	case '?':
		return t, behind(b, "?>")
	case '!':
		if bytes.HasPrefix(b, []byte("<!--")) {
			return t, behind(b, "-->")
		}
		if n := min(len(b), len(cdata)); string(b[:n]) == cdata[:n] {
			return t, behind(b, "]]>") // where no text belongs
		}
		if len(b) < len("<!--") {
			return t, short
		}
		return t, -1 // a document type: entities are for attacks only
	case '/':
		t.closing = true
		i++
	}
	start := i
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == ':':
			start = i + 1
		case c == '>' || c == '/' || c <= ' ':
			t.name = b[start:i]
			return t.attributesOf(b, i)
		}
	}
	return t, short
}

const cdata = "<![CDATA["

// attributesOf completes a tag whose name ends at i.
func (t tag) attributesOf(b []byte, i int) (tag, int) {
	start := i
	for ; i < len(b); i++ {
		switch b[i] {
		case '>':
			end := i
			if b[i-1] == '/' && !t.closing {
				t.empty = true
				end--
			}
			if end < start {
				return t, -1
			}
			t.attributes = b[start:end]
			return t, i + 1
		case '"', '\'':
			j := bytes.IndexByte(b[i+1:], b[i])
			if j < 0 {
				return t, short
			}
			i += j + 1
		case '<':
			return t, -1
		}
	}
	return t, short
}

func behind(b []byte, end string) int {
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		return i + len(end)
	}
	return short
}

// attribute cuts the next attribute off the front of a. ok is false behind the
// last one.
func attribute(a []byte) (name, value, rest []byte, ok bool) {
	i := 0
	for i < len(a) && a[i] <= ' ' {
		i++
	}
	start := i
	for i < len(a) && a[i] != '=' && a[i] > ' ' {
		i++
	}
	name = a[start:i]
	for i < len(a) && a[i] != '"' && a[i] != '\'' {
		i++
	}
	if i >= len(a) {
		return nil, nil, nil, false
	}
	end := bytes.IndexByte(a[i+1:], a[i])
	if end < 0 {
		return nil, nil, nil, false
	}
	return name, a[i+1 : i+1+end], a[i+2+end:], true
}

// get returns an attribute of the given name, "" when the tag has none.
func (t tag) get(name string) string {
	for a := t.attributes; ; {
		key, value, rest, ok := attribute(a)
		if !ok {
			return ""
		}
		if string(key) == name {
			return string(value)
		}
		a = rest
	}
}

// content appends the text of an element to dst: what stands at the front of b,
// behind its tag, up to its closing tag. n is the bytes with the closing tag, short
// where b ends before, and negative where the text cannot be read.
func content(dst, b []byte) (text []byte, n int) {
	for i := 0; ; {
		j := bytes.IndexByte(b[i:], '<')
		if j < 0 {
			return dst, short
		}
		var ok bool
		if dst, ok = unescape(dst, b[i:i+j]); !ok {
			return dst, -1
		}
		i += j
		if len(b)-i < len(cdata) && bytes.HasPrefix(b[i:], []byte("<!")) {
			return dst, short
		}
		if bytes.HasPrefix(b[i:], []byte(cdata)) {
			end := bytes.Index(b[i:], []byte("]]>"))
			if end < 0 {
				return dst, short
			}
			dst = lineFeeds(dst, b[i+len(cdata):i+end])
			i += end + len("]]>")
			continue
		}
		t, size := cutTag(b[i:])
		if size <= 0 {
			return dst, size
		}
		i += size
		switch {
		case t.closing:
			return dst, i
		case len(t.name) > 0:
			return dst, -1
		}
	}
}

// unescape appends text with its entities replaced.
func unescape(dst, text []byte) ([]byte, bool) {
	for {
		i := bytes.IndexByte(text, '&')
		if i < 0 {
			return lineFeeds(dst, text), true
		}
		dst = lineFeeds(dst, text[:i])
		end := bytes.IndexByte(text[i:], ';')
		if end < 0 {
			return dst, false
		}
		name := text[i+1 : i+end]
		text = text[i+end+1:]
		switch string(name) {
		case "amp":
			dst = append(dst, '&')
		case "lt":
			dst = append(dst, '<')
		case "gt":
			dst = append(dst, '>')
		case "quot":
			dst = append(dst, '"')
		case "apos":
			dst = append(dst, '\'')
		default:
			r, ok := numbered(name)
			if !ok {
				return dst, false
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
}

// numbered is the character of an entity such as #10 or #x0A.
func numbered(name []byte) (rune, bool) {
	digits, ok := bytes.CutPrefix(name, []byte("#"))
	base := 10
	if hex, is := bytes.CutPrefix(digits, []byte("x")); is {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	return rune(n), ok && err == nil && n <= utf8.MaxRune
}

// lineFeeds appends text whose lines end in line feeds, as XML has it.
func lineFeeds(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\r')
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), '\n')
		if text = text[i+1:]; len(text) > 0 && text[0] == '\n' {
			text = text[1:]
		}
	}
}

// characters decodes the escapes such as _x000D_ by which workbooks write what
// XML cannot. It works in place.
func characters(text []byte) []byte {
	at := bytes.Index(text, []byte("_x"))
	if at < 0 {
		return text
	}
	out := text[:at]
	for rest := text[at:]; len(rest) > 0; {
		unit, ok := escaped(rest)
		if !ok {
			out, rest = append(out, rest[0]), rest[1:]
			continue
		}
		rest = rest[escapeBytes:]
		if low, ok := escaped(rest); ok && utf16.IsSurrogate(unit) {
			if both := utf16.DecodeRune(unit, low); both != utf8.RuneError {
				unit, rest = both, rest[escapeBytes:]
			}
		}
		out = utf8.AppendRune(out, unit)
	}
	return out
}

const escapeBytes = len("_x000D_")

func escaped(b []byte) (rune, bool) {
	if len(b) < escapeBytes || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// appendField appends a text as a field of CSV.
func appendField(dst, text []byte) []byte {
	quote := false
	for _, c := range text {
		if c == ',' || c == '"' || c == '\n' || c == '\r' {
			quote = true
			break
		}
	}
	if !quote {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return append(append(dst, text...), '"')
		}
		dst = append(append(dst, text[:i+1]...), '"')
		text = text[i+1:]
	}
}

// appendNumber appends a number as it is stored, but for 57053.0, which is 57053,
// and for one that has more digits than any decimal needs: that is the shortest
// text of the same number.
func appendNumber(dst, text []byte) []byte {
	if digits(text) <= 15 {
		return appendField(dst, bytes.TrimSuffix(text, []byte(".0")))
	}
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return appendField(dst, text)
	}
	format := byte('f')
	if size := max(x, -x); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, x, format, -1, 64)
}

// digits counts the significant ones of a number; 0 when the text is none.
func digits(text []byte) int {
	n, exponent := 0, false
	for _, c := range text {
		switch {
		case c >= '1' && c <= '9' || c == '0' && n > 0:
			if !exponent {
				n++
			}
		case c == 'e' || c == 'E':
			exponent = true
		case c != '0' && c != '.' && c != '-' && c != '+':
			return 0
		}
	}
	return n
}
