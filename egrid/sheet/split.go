package sheet

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// maxRecord bounds one CSV record. A longer one is almost surely a quote that
// is never closed, which would otherwise take the rest of the file into one
// field. It leaves room for a chunk within the largest message of a broker.
const maxRecord = 12 << 20

// record is one CSV record as it stands in the file.
type record struct {
	raw    []byte // without its line end; valid until the next call
	line   int64  // where it starts, from 1
	lines  int64  // how many lines it spans
	offset int64  // where it starts in the file
	size   int64  // bytes, line end included
	open   bool   // the input ended inside a quoted field
	cut    bool   // the input ended without a line end
}

// splitter cuts a stream into records without looking into them: newlines
// inside quoted fields do not end a record. A quote is special only at the
// start of a field, as RFC 4180 has it.
type splitter struct {
	r      io.Reader
	delim  byte
	grid   bool // lines count records
	buf    []byte
	start  int // of the unread part of buf
	quote  int // there are no quotes in between start and here
	eof    bool
	offset int64
	line   int64
}

// How many bytes a splitter reads at once. Thousands of files are small.
const (
	smallBytes = 8 << 10
	splitBytes = 64 << 10
)

func newSplitter(r io.Reader, delim byte, offset, line int64) *splitter {
	return &splitter{r: r, delim: delim, offset: offset, line: line, buf: make([]byte, 0, smallBytes)}
}

// splitterOf splits what is in memory.
func splitterOf(data []byte, delim byte, offset, line int64) *splitter {
	return &splitter{delim: delim, offset: offset, line: line, buf: data, eof: true}
}

// skip skips records of one line that begin with a value and have no quotes, until
// it meets another record, the end of what is read, or has skipped so many bytes. It
// returns how many they are.
func (s *splitter) skip(size int64) (records, skipped int64) {
	if s.quote <= s.start {
		s.quote = len(s.buf)
		if at := bytes.IndexByte(s.buf[s.start:], '"'); at >= 0 {
			s.quote = s.start + at
		}
	}
	rest := s.buf[s.start:s.quote]
	for skipped < size && len(rest) > 0 && rest[0] > ' ' && rest[0] != s.delim {
		n := int64(bytes.IndexByte(rest, '\n') + 1)
		if n == 0 || n > maxRecord {
			break
		}
		rest = rest[n:]
		skipped += n
		records++
	}
	s.start += int(skipped)
	s.offset += skipped
	s.line += records
	return records, skipped
}

// next returns io.EOF behind the last record.
func (s *splitter) next() (record, error) {
	scanned := 0
	for {
		rest := s.buf[s.start:]
		n, lines, found := recordEnd(rest, s.delim, scanned)
		if !found && s.eof {
			if len(rest) == 0 {
				return record{}, io.EOF
			}
			n, lines = len(rest), linesOf(rest)
		}
		if n > maxRecord || !found && !s.eof && len(rest) > maxRecord {
			return record{}, errTooLong(s.line)
		}
		if found || s.eof {
			if s.grid {
				lines = 1
			}
			rec := record{raw: rest[:n], line: s.line, lines: max(lines, 1), offset: s.offset, size: int64(n), open: !found && insideQuotes(rest, s.delim)}
			rec.raw = bytes.TrimSuffix(rec.raw, []byte{'\n'})
			rec.raw = bytes.TrimSuffix(rec.raw, []byte{'\r'})
			s.start += n
			s.offset += int64(n)
			s.line += max(lines, 1)
			return rec, nil
		}
		if n == scanAgain {
			scanned = 0
		} else {
			scanned = len(rest)
		}
		if err := s.fill(); err != nil {
			return record{}, err
		}
	}
}

func (s *splitter) fill() error {
	again := len(s.buf) > 0 // the first bytes did not reach
	if s.start > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.quote = max(s.quote-s.start, 0)
		s.start = 0
	}
	if len(s.buf) == cap(s.buf) || again && cap(s.buf) < splitBytes {
		grown := make([]byte, len(s.buf), max(2*cap(s.buf), splitBytes))
		copy(grown, s.buf)
		s.buf = grown
	}
	// Filling the buffer whole keeps the number of searches of a long record
	// logarithmic.
	n, err := io.ReadFull(s.r, s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		s.eof = true
		return nil
	}
	return err
}

// scanAgain says that the search has to start over once there is more input,
// because a quote was met.
const scanAgain = -1

// recordEnd returns the length of the first record of b, line end included,
// and the lines it spans. Without one it returns whether bytes before the end
// of b need not be searched again. from is where an earlier search of the same
// record ended.
func recordEnd(b []byte, delim byte, from int) (n int, lines int64, found bool) {
	end := bytes.IndexByte(b[from:], '\n')
	if end >= 0 {
		end += from
	}
	head := b
	if end >= 0 {
		head = b[:end]
	}
	if bytes.IndexByte(head, '"') < 0 {
		return end + 1, 1, end >= 0
	}
	for i := 0; i < len(b); {
		if b[i] == '"' { // field starts with a quote: run to the closing one
			i++
			for {
				j := bytes.IndexByte(b[i:], '"')
				if j < 0 {
					return scanAgain, 0, false
				}
				lines += int64(bytes.Count(b[i:i+j], []byte{'\n'}))
				i += j + 1
				if i == len(b) {
					return scanAgain, 0, false // the next byte decides whether it was doubled
				}
				if b[i] != '"' {
					break
				}
				i++
			}
		}
		for i < len(b) && b[i] != delim && b[i] != '\n' {
			i++
		}
		if i == len(b) {
			break
		}
		i++
		if b[i-1] == '\n' {
			return i, lines + 1, true
		}
	}
	return scanAgain, 0, false
}

// linesOf counts the lines of the rest of a file, whose last one may lack its
// end.
func linesOf(rest []byte) int64 {
	n := int64(bytes.Count(rest, []byte{'\n'}))
	if !bytes.HasSuffix(rest, []byte{'\n'}) {
		n++
	}
	return n
}

// insideQuotes reports whether b, which holds no whole record, ends within a
// quoted field.
func insideQuotes(b []byte, delim byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			i++
			for {
				j := bytes.IndexByte(b[i:], '"')
				if j < 0 {
					return true
				}
				i += j + 1
				if i >= len(b) || b[i] != '"' {
					break
				}
				i++
			}
		}
		for i < len(b) && b[i] != delim {
			i++
		}
	}
	return false
}

// blank reports whether a record holds no value at all, such as the ",,,,"
// that spreadsheets append.
func (r record) blank(delim byte) bool {
	for _, c := range r.raw {
		if c != delim && c != ' ' && c != '\t' {
			return false
		}
	}
	return true
}

// splitFields appends the fields of a record to dst. Fields are substrings of
// the record wherever they hold no doubled quote.
func splitFields(dst []string, rec string, delim byte) ([]string, error) {
	for {
		if rec == "" || rec[0] != '"' {
			field, rest, more := cutByte(rec, delim)
			dst = append(dst, field)
			if !more {
				return dst, nil
			}
			rec = rest
			continue
		}
		field, rest, err := cutQuoted(rec)
		if err != nil {
			return dst, err
		}
		dst = append(dst, field)
		switch {
		case rest == "":
			return dst, nil
		case rest[0] == delim:
			rec = rest[1:]
		default:
			if strings.HasSuffix(field, `\`) {
				return dst, fmt.Errorf("%w: field %d has a backslash in front of a quote; write a quote within a field twice (\"\")", egrid.ErrInvalid, len(dst))
			}
			return dst, fmt.Errorf("%w: field %d has text behind its closing quote", egrid.ErrInvalid, len(dst))
		}
	}
}

func cutByte(s string, b byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, b); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// cutQuoted takes a quoted field off the front of rec.
func cutQuoted(rec string) (field, rest string, err error) {
	body := rec[1:]
	i := strings.IndexByte(body, '"')
	if i < 0 {
		return "", "", fmt.Errorf("%w: a quoted field is not closed", egrid.ErrInvalid)
	}
	if i+1 == len(body) || body[i+1] != '"' {
		return body[:i], body[i+1:], nil
	}
	var b strings.Builder
	for {
		b.WriteString(body[:i])
		body = body[i+1:]
		if body == "" || body[0] != '"' {
			return b.String(), body, nil
		}
		b.WriteByte('"')
		body = body[1:]
		if i = strings.IndexByte(body, '"'); i < 0 {
			return "", "", fmt.Errorf("%w: a quoted field is not closed", egrid.ErrInvalid)
		}
	}
}

func errTooLong(line int64) error {
	return fmt.Errorf("%w: line %d: the record is longer than %d MiB; a quote opened in it is probably never closed", egrid.ErrInvalid, line, maxRecord>>20)
}
