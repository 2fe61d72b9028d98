package sheet

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Span is a run of whole records of a sheet: what one worker decodes.
type Span struct {
	Index  int   `json:"index"`  // from 0
	Offset int64 `json:"offset"` // byte offset in the file
	Length int64 `json:"length"` // bytes
	Line   int64 `json:"line"`   // line of the file where it starts
	Row    int64 `json:"row"`    // number of its first record
	Rows   int64 `json:"rows"`   // records, blank ones left out
	Blank  int64 `json:"blank"`  // records without any value
}

// Divide cuts a sheet into spans of about size bytes, never inside a record.
// r is the whole file from its first byte. It reads ahead of the caller by one
// buffer only, and looks at quotes and line ends alone, so it is fast.
func (s *Sheet) Divide(r io.Reader, size int64) iter.Seq2[Span, error] {
	return func(yield func(Span, error) bool) {
		if _, err := io.CopyN(io.Discard, r, s.DataOffset); err != nil {
			yield(Span{}, unexpectedEnd(err))
			return
		}
		split := newSplitter(r, s.Delimiter[0], s.DataOffset, s.DataLine)
		split.grid = s.Grid
		span := Span{Offset: s.DataOffset, Line: s.DataLine, Row: 1}
		for {
			n, skipped := split.skip(size - span.Length)
			span.Rows += n
			span.Length += skipped
			var err error
			if span.Length < size {
				err = span.add(split)
			}
			if err != nil && err != io.EOF {
				yield(span, err)
				return
			}
			if err == io.EOF || span.Length >= size {
				if span.Length > 0 && !yield(span, nil) || err == io.EOF {
					return
				}
				span = Span{Index: span.Index + 1, Offset: split.offset, Line: split.line, Row: span.Row + span.Rows}
			}
		}
	}
}

// add adds the next record.
func (s *Span) add(split *splitter) error {
	rec, err := split.next()
	if err != nil {
		return err
	}
	if rec.open && rec.lines > 1 {
		return errUnclosed(rec)
	}
	s.Length += rec.size
	if rec.blank(split.delim) {
		s.Blank++
	} else {
		s.Rows++
	}
	return nil
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file is shorter than when it was inspected: %w", egrid.ErrInvalid, io.ErrUnexpectedEOF)
	}
	return err
}

func errUnclosed(rec record) error {
	return fmt.Errorf("%w: line %d: a quoted field of this record is never closed and takes in the %d lines to the end of the file; close the quote, or complete the file if it was cut", egrid.ErrInvalid, rec.line, rec.lines)
}
