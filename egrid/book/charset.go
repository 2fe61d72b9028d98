package book

import (
	"bytes"
	"math/bits"
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
}

// Name is the encoding, as in [Table].Charset. Text that has letters of UTF-8 is
// UTF-8, whatever else is in it.
func (c *Charset) Name() string {
	if (c.other || len(c.rest) > 0) && !c.utf8 {
		return charset.Windows1252
	}
	return ""
}

// Write takes the next part of the text. It returns no error.
func (c *Charset) Write(p []byte) (int, error) {
	n := len(p)
	if len(c.rest) > 0 {
		p = append(c.rest, p...)
		c.rest = nil
	}
	for {
		if p = p[ascii(p):]; len(p) == 0 {
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
	const word = bits.UintSize / 8
	i := 0
	for ; i+word <= len(p); i += word {
		var all byte
		for _, b := range p[i : i+word] {
			all |= b
		}
		if all >= utf8.RuneSelf {
			break
		}
	}
	for i < len(p) && p[i] < utf8.RuneSelf {
		i++
	}
	return i
}
