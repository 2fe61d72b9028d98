package sheet

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Reader decodes a CSV sheet in constant memory.
type Reader struct {
	sheet *Sheet
	src   io.Reader
}

// NewReader reads the head of a CSV file and prepares to decode its rows. It
// accepts what EPA and people's exports have: a description row above the code
// row or none, blank rows and titles above, an empty first column, a byte
// order mark, CRLF, no final newline, quoted newlines, display formats.
//
// Errors as [Inspect]. The reader does not close r.
func NewReader(r io.Reader, o *ReaderOptions) (*Reader, error) {
	if o == nil {
		o = &ReaderOptions{}
	}
	sheet, head, err := inspect(r, o)
	if err != nil {
		return nil, err
	}
	return &Reader{sheet: sheet, src: io.MultiReader(bytes.NewReader(head[sheet.DataOffset:]), r)}, nil
}

// Sheet returns what the head told.
func (r *Reader) Sheet() *Sheet { return r.sheet }

// readerSpan is about how many bytes a Reader decodes at once.
const readerSpan = 256 << 10

// Batches iterates over the file, once, in runs of records. The rejects of a
// run come with it; an error ends the sequence. Batches may be kept.
func (r *Reader) Batches() iter.Seq2[Decoded, error] {
	return func(yield func(Decoded, error) bool) {
		s := r.sheet
		d := s.NewDecoder()
		split := newSplitter(r.src, d.delim, s.DataOffset, s.DataLine)
		split.grid = s.Grid
		span := Span{Line: s.DataLine, Row: 1}
		var data []byte
		for {
			rec, err := split.next()
			if err == nil && rec.open && rec.lines > 1 {
				err = errUnclosed(rec)
			}
			if err == nil {
				if data = append(data, rec.raw...); int(rec.size) > len(rec.raw) {
					data = append(data, '\n')
				}
			}
			if err == nil && len(data) < readerSpan {
				continue
			}
			decoded, failed := d.Decode(data, span)
			if failed != nil {
				err = failed
			} else if len(data) > 0 && !yield(decoded, nil) {
				return
			}
			if err != nil {
				if err != io.EOF {
					yield(Decoded{}, err)
				}
				return
			}
			span = Span{Line: split.line, Row: span.Row + decoded.Records}
			data = data[:0]
		}
	}
}

// Rows iterates over the rows, once. A [*RowError] stands for a record that
// could not be read, and the loop may go on behind it; any other error ends
// the sequence. Rows may be kept.
func (r *Reader) Rows() iter.Seq2[egrid.Row, error] {
	return func(yield func(egrid.Row, error) bool) {
		for decoded, err := range r.Batches() {
			if err != nil {
				yield(egrid.Row{}, err)
				return
			}
			if !decoded.each(yield) {
				return
			}
		}
	}
}

// each yields rows and rejects in the order of the file.
func (d Decoded) each(yield func(egrid.Row, error) bool) bool {
	at := make([]int, len(d.Batches))
	rejects := d.Rejects
	for range d.Records - int64(len(d.LeftOut)) {
		next := -1
		for i, b := range d.Batches {
			if at[i] < b.Len() && (next < 0 || b.Number(at[i]) < d.Batches[next].Number(at[next])) {
				next = i
			}
		}
		if len(rejects) > 0 && (next < 0 || rejects[0].Number < d.Batches[next].Number(at[next])) {
			if !yield(egrid.Row{}, rejects[0]) {
				return false
			}
			rejects = rejects[1:]
			continue
		}
		if !yield(d.Batches[next].Row(at[next]), nil) {
			return false
		}
		at[next]++
	}
	return true
}

// reasonOf is an error's text without the sentinel in front.
func reasonOf(err error) string {
	return strings.TrimPrefix(err.Error(), egrid.ErrInvalid.Error()+": ")
}

// IsRowError reports whether err is a [*RowError], behind which a loop over
// rows may go on.
func IsRowError(err error) bool {
	var rowError *RowError
	return errors.As(err, &rowError)
}
