// Package charset reads text that is not in UTF-8: what spreadsheets save as
// Unicode text (UTF-16) and as CSV (Windows-1252).
//
//	name := charset.Detect(head)
//	text := charset.Reader(name, file)
//
// # Guarantees
//
// Bytes that are no letter in their encoding come out as bytes that are no UTF-8.
// So a reader of UTF-8 finds them where they stand, and nothing is replaced in
// silence.
//
// # Errors
//
// [egrid.ErrInvalid] for an encoding of another name, and for UTF-16 that ends
// within a letter.
//
// # See also
//
// Package book opens any file of tables.
package charset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// The encodings beside UTF-8, whose name is empty.
const (
	UTF16LE     = "UTF-16LE"
	UTF16BE     = "UTF-16BE"
	Windows1252 = "Windows-1252"
)

// Detect tells the encoding of a text by its first bytes, the more the better. It
// is empty for UTF-8, and for what is no text.
//
// UTF-16 is told by its mark or by its zeros. Windows-1252 has bytes that are no
// UTF-8, none that are UTF-8 beyond ASCII, and only letters: a text with both kinds
// was put together of several, and one that has its first such letter behind the
// head is told only with all of it.
func Detect(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		return UTF16LE
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return UTF16BE
	case isUTF16(head, binary.LittleEndian):
		return UTF16LE
	case isUTF16(head, binary.BigEndian):
		return UTF16BE
	case isWindows1252(head):
		return Windows1252
	}
	return ""
}

// isUTF16 reports whether text without a mark is in UTF-16: most letters of a
// table are ASCII, so every second byte is zero, and none is a control character.
func isUTF16(head []byte, order binary.ByteOrder) bool {
	ascii, units := 0, len(head)/2
	for i := range units {
		switch u := order.Uint16(head[2*i:]); {
		case control(rune(u)):
			return false
		case u < utf8.RuneSelf:
			ascii++
		}
	}
	return units > 0 && 2*ascii > units
}

func isWindows1252(head []byte) bool {
	found := false
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		switch {
		case size > 1 || control(r):
			return false
		case r == utf8.RuneError && !utf8.FullRune(head):
			return found // a letter of UTF-8 may go on behind the head
		case r == utf8.RuneError:
			if _, ok := letter1252(head[0]); !ok {
				return false
			}
			found = true
		}
		head = head[size:]
	}
	return found
}

// control reports whether a letter is one that no text has. 0x1A is the end of a
// file of DOS.
func control(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1A || r == 0x7F || r == 0xFFFE || r == 0xFFFF
}

// upper1252 is what Windows-1252 has in place of the control characters 0x80 to
// 0x9F of Latin-1; 0 where it has nothing.
var upper1252 = [32]rune{
	0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
	0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
}

func letter1252(c byte) (r rune, ok bool) {
	if c < 0x80 || c >= 0xA0 {
		return rune(c), true
	}
	r = upper1252[c-0x80]
	return r, r != 0
}

// Reader returns the text in UTF-8, without a mark of UTF-16. The name is one that
// [Detect] returns; for the empty one it is r itself.
func Reader(name string, r io.Reader) io.Reader {
	switch name {
	case "":
		return r
	case Windows1252:
		return &reader{r: r, decode: decode1252}
	case UTF16LE:
		return &reader{r: r, decode: decodeUTF16(binary.LittleEndian)}
	case UTF16BE:
		return &reader{r: r, decode: decodeUTF16(binary.BigEndian)}
	}
	return &reader{err: fmt.Errorf("%w: no encoding is called %q", egrid.ErrInvalid, name)}
}

// reader decodes a block at a time.
type reader struct {
	r io.Reader
	// decode appends the text of src, and returns what is left of it: a letter
	// that may go on in the next block, unless this is the last one.
	decode func(dst, src []byte, last bool) (text, left []byte)
	block  [16 << 10]byte
	left   int // bytes at the front of block
	buf    []byte
	done   int // of buf
	err    error
}

func (t *reader) Read(b []byte) (int, error) {
	for t.done == len(t.buf) {
		if t.err != nil {
			return 0, t.err
		}
		var n int
		n, t.err = t.r.Read(t.block[t.left:])
		text, left := t.decode(t.buf[:0], t.block[:t.left+n], t.err == io.EOF)
		t.buf, t.done, t.left = text, 0, copy(t.block[:], left)
		if t.err == io.EOF && t.left > 0 {
			t.err = fmt.Errorf("%w: the text ends within a letter; it is cut off", egrid.ErrInvalid)
		}
	}
	n := copy(b, t.buf[t.done:])
	t.done += n
	return n, nil
}

func decode1252(dst, src []byte, _ bool) (text, left []byte) {
	for _, c := range src {
		if r, ok := letter1252(c); c >= utf8.RuneSelf && ok {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = append(dst, c)
		}
	}
	return dst, nil
}

// decodeUTF16 has a byte that is no UTF-8 for half of a pair.
func decodeUTF16(order binary.ByteOrder) func(dst, src []byte, last bool) (text, left []byte) {
	begun := false
	return func(dst, src []byte, last bool) (text, left []byte) {
		for ; len(src) >= 2; src = src[2:] {
			r := rune(order.Uint16(src))
			switch {
			case r == mark && !begun:
			case !utf16.IsSurrogate(r):
				dst = utf8.AppendRune(dst, r)
			case len(src) < 4 && !last:
				return dst, src
			default:
				pair := rune(utf8.RuneError)
				if len(src) >= 4 {
					pair = utf16.DecodeRune(r, rune(order.Uint16(src[2:])))
				}
				if pair == utf8.RuneError {
					dst = append(dst, 0xFF)
				} else {
					dst, src = utf8.AppendRune(dst, pair), src[2:]
				}
			}
			begun = true
		}
		return dst, src
	}
}

// mark is how text in UTF-16 may begin.
const mark = 0xFEFF
