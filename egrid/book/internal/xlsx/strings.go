package xlsx

import (
	"bytes"
	"fmt"
	"io"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// maxTexts bounds the shared texts of a workbook, which are kept in memory.
const maxTexts = 256 << 20

// texts are the shared texts of a workbook as fields of CSV, in one block.
type texts struct {
	block []byte
	ends  []uint32
}

// field returns a text.
func (t *texts) field(i int) ([]byte, bool) {
	if t == nil || i < 0 || i >= len(t.ends) {
		return nil, false
	}
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.block[start:t.ends[i]], true
}

// readTexts reads the part that holds the shared texts.
func readTexts(r io.Reader) (*texts, error) {
	w := newWindow(r)
	t := &texts{}
	var scratch []byte
	for {
		b := w.buf[w.pos:]
		at := bytes.IndexByte(b, '<')
		if at < 0 {
			at = len(b)
		}
		w.pos += at
		found, n := cutTag(b[at:])
		if n > 0 && found.opens("si") {
			if found.empty {
				t.ends = append(t.ends, uint32(len(t.block)))
			} else {
				var size int
				if scratch, size = runs(scratch[:0], b[at+n:], "si"); size > 0 {
					t.block = appendField(t.block, characters(scratch))
					t.ends = append(t.ends, uint32(len(t.block)))
					n += size
				} else {
					n = size
				}
			}
			if len(t.block) > maxTexts || len(t.ends) > maxTexts/8 {
				return nil, fmt.Errorf("%w: its texts take more than %d MiB; save the sheets as CSV", egrid.ErrInvalid, maxTexts>>20)
			}
		}
		switch {
		case n < 0:
			return nil, w.damaged("this is no text of a workbook")
		case n > 0:
			w.pos += n
			if found.closing && found.is("sst") || found.opens("sst") && found.empty {
				return t, w.drain()
			}
			continue
		}
		if err := w.more(); err == io.EOF {
			return nil, w.damaged("it ends in the middle")
		} else if err != nil {
			return nil, err
		}
	}
}

// runs appends the text of an element made of formatted runs, with the
// pronunciation left out. b begins behind the element's tag; n as of content.
func runs(dst, b []byte, element string) (text []byte, n int) {
	spoken := false
	for i := 0; ; {
		at := bytes.IndexByte(b[i:], '<')
		if at < 0 {
			return dst, short
		}
		i += at
		t, size := cutTag(b[i:])
		if size <= 0 {
			return dst, size
		}
		i += size
		switch {
		case t.closing && t.is(element):
			return dst, i
		case t.is("rPh"):
			spoken = !t.closing && !t.empty
		case t.opens("t") && !t.empty:
			before := len(dst)
			if dst, size = content(dst, b[i:]); size <= 0 {
				return dst, size
			}
			i += size
			if spoken {
				dst = dst[:before]
			}
		}
	}
}
