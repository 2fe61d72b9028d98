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
	"bufio"
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
		return &reader{r: bufio.NewReader(r), next: next1252}
	case UTF16LE:
		return &reader{r: bufio.NewReader(r), next: nextUTF16(binary.LittleEndian)}
	case UTF16BE:
		return &reader{r: bufio.NewReader(r), next: nextUTF16(binary.BigEndian)}
	}
	return &reader{err: fmt.Errorf("%w: no encoding is called %q", egrid.ErrInvalid, name)}
}

// reader reads a letter at a time.
type reader struct {
	r    *bufio.Reader
	next func(dst []byte, r *bufio.Reader) ([]byte, error) // appends a letter
	buf  []byte
	done int // of buf
	err  error
}

func (t *reader) Read(b []byte) (int, error) {
	for t.done == len(t.buf) {
		if t.err != nil {
			return 0, t.err
		}
		t.buf, t.done = t.buf[:0], 0
		for t.err == nil && len(t.buf) < 16<<10 {
			t.buf, t.err = t.next(t.buf, t.r)
		}
	}
	n := copy(b, t.buf[t.done:])
	t.done += n
	return n, nil
}

func next1252(dst []byte, r *bufio.Reader) ([]byte, error) {
	c, err := r.ReadByte()
	if err != nil {
		return dst, err
	}
	if l, ok := letter1252(c); ok {
		return utf8.AppendRune(dst, l), nil
	}
	return append(dst, c), nil
}

// nextUTF16 appends a byte that is no UTF-8 for half of a pair.
func nextUTF16(order binary.ByteOrder) func([]byte, *bufio.Reader) ([]byte, error) {
	first := true
	return func(dst []byte, r *bufio.Reader) ([]byte, error) {
		unit, err := readUnit(r, order)
		if err != nil {
			return dst, err
		}
		mark := first && unit == 0xFEFF
		first = false
		switch {
		case mark:
			return dst, nil
		case !utf16.IsSurrogate(unit):
			return utf8.AppendRune(dst, unit), nil
		}
		if low, err := r.Peek(2); err == nil {
			if pair := utf16.DecodeRune(unit, rune(order.Uint16(low))); pair != utf8.RuneError {
				_, err := r.Discard(2)
				return utf8.AppendRune(dst, pair), err
			}
		}
		return append(dst, 0xFF), nil
	}
}

func readUnit(r *bufio.Reader, order binary.ByteOrder) (rune, error) {
	var b [2]byte
	_, err := io.ReadFull(r, b[:])
	if err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("%w: the text ends within a letter of UTF-16; it is cut off", egrid.ErrInvalid)
	}
	return rune(order.Uint16(b[:])), err
}
