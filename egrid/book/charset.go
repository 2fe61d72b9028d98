package book

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid/book/internal/charset"
)

// Charset tells the encoding of a text that is written to it whole: its first
// letter beyond ASCII may be far behind what [Open] looks at. The zero Charset is
// ready for use.
type Charset struct {
	rest  []byte // of a letter that was cut
	utf8  bool   // letters beyond ASCII
	other bool   // bytes that are none
	ascii int64  // bytes in front of the first that is not ASCII
}

// Name is the encoding, as in [Table].Charset. Text that has letters of UTF-8 is
// UTF-8, whatever else is in it.
func (c *Charset) Name() string {
	if (c.other || len(c.rest) > 0) && !c.utf8 {
		return charset.Windows1252
	}
	return ""
}

// ASCII is how many bytes stand in front of the first that is not ASCII: they are
// the same in UTF-8 and Windows-1252.
func (c *Charset) ASCII() int64 { return c.ascii }

// Write takes the next part of the text. It returns no error.
func (c *Charset) Write(p []byte) (int, error) {
	n := len(p)
	if len(c.rest) > 0 {
		p = append(c.rest, p...)
		c.rest = nil
	}
	for {
		plain := ascii(p)
		if !c.utf8 && !c.other && len(c.rest) == 0 {
			c.ascii += int64(plain)
		}
		if p = p[plain:]; len(p) == 0 {
			return n, nil
		}
		if !utf8.FullRune(p) {
			c.rest = bytes.Clone(p)
			return n, nil
		}
		_, size := utf8.DecodeRune(p)
		if size > 1 {
			c.utf8 = true
		} else {
			c.other = true
		}
		p = p[size:]
	}
}

// ascii is how many bytes at the front of p are ASCII.
func ascii(p []byte) int {
	i := 0
	for ; i+32 <= len(p); i += 32 {
		b := p[i : i+32]
		w := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) | binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if w&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(p) && p[i] < utf8.RuneSelf {
		i++
	}
	return i
}
