package jsonrows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
)

const (
	blanks        = " \t\r\n"
	byteOrderMark = "\ufeff"
)

// maxObject bounds one object, so that its record is one that package sheet reads.
const maxObject = 8 << 20

// scanner reads objects one after the other.
type scanner struct {
	from io.Reader
	buf  []byte
	at   int   // buf[at:] is not read yet
	here int64 // the line of buf[at]
	eof  bool

	begun, array bool

	line    int64    // in which the object begins
	members []member // of the object; valid until the next call
}

// member is a member of an object. Its name is what stands between its quotes.
type member struct {
	name  []byte
	value value
}

// value is a value of JSON. The zero value is null.
type value struct {
	text   []byte // of a number, true or false; of a string what stands between its quotes
	quoted bool   // it is a string
}

func newScanner(from io.Reader) *scanner {
	return &scanner{from: from, here: 1, buf: make([]byte, 0, 64<<10)}
}

// errShort says that the buffer ends in what is being read.
var errShort = errors.New("there is more to read")

// fault is what is wrong at a place.
type fault struct {
	at     int // counted from the end of the object before it
	name   []byte
	reason string
}

func (f *fault) Error() string { return f.reason }

// next reads an object. It returns io.EOF behind the last one.
func (s *scanner) next() error {
	for {
		n, err := s.object(s.buf[s.at:])
		if err == nil {
			s.line = s.lineOf(s.begin())
			s.here = s.lineOf(n)
			s.at += n
			s.begun = true
			return nil
		}
		if !errors.Is(err, errShort) {
			return s.placed(err)
		}
		if err := s.more(); err != nil {
			return s.placed(err)
		}
	}
}

// begin is where the object begins in what is not read yet: no brace is in front
// of it.
func (s *scanner) begin() int { return max(bytes.IndexByte(s.buf[s.at:], '{'), 0) }

// placed makes an error of a fault; others come as they are.
func (s *scanner) placed(err error) error {
	if wrong := new(fault); errors.As(err, &wrong) {
		return refusal(s.lineOf(wrong.at), wrong.name, wrong.reason)
	}
	return err
}

// more reads on where the buffer ends within an object.
func (s *scanner) more() error {
	switch {
	case s.eof:
		return &fault{at: len(s.buf) - s.at, reason: "the file ends within its JSON text: was the file cut?"}
	case len(s.buf)-s.at > maxObject:
		return &fault{at: s.begin(), reason: fmt.Sprintf("the object that begins here is longer than %d MiB; write one row an object", maxObject>>20)}
	}
	return s.fill()
}

// fill reads on. It fills the buffer whole, so that a long object is begun again a
// few times only.
func (s *scanner) fill() error {
	if s.at > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.at:])]
		s.at = 0
	}
	if len(s.buf) == cap(s.buf) {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	n, err := io.ReadFull(s.from, s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		s.eof = true
		return nil
	}
	return err
}

// lineOf is the line of the n-th byte that is not read yet.
func (s *scanner) lineOf(n int) int64 {
	return s.here + int64(bytes.Count(s.buf[s.at:s.at+n], []byte{'\n'}))
}

// refuse makes the error about a member of the object that was read last.
func (s *scanner) refuse(m member, reason string) error {
	return refusal(s.line, m.name, reason)
}

func refusal(line int64, name []byte, reason string) error {
	if name == nil {
		return fmt.Errorf("%w: line %d: %s", egrid.ErrInvalid, line, reason)
	}
	const longest = 60
	shown := string(unescaped(name))
	if len(shown) > longest {
		shown = strings.ToValidUTF8(shown[:longest], "") + "..."
	}
	return fmt.Errorf("%w: line %d, member %q: %s", egrid.ErrInvalid, line, shown, reason)
}

// object reads what is between two objects, and the second one. It returns where
// that ends.
func (s *scanner) object(b []byte) (int, error) {
	i, array, err := s.separator(b)
	if err != nil {
		return 0, err
	}
	if b[i] != '{' {
		return 0, &fault{at: i, reason: "there is no object where a row begins; write each row as one object, as in {\"oris_plant_code\":\"3\"}"}
	}
	s.members = s.members[:0]
	i = skip(b, i+1)
	if i < len(b) && b[i] == '}' {
		s.array = array
		return i + 1, nil
	}
	for {
		var m member
		if m.name, i, err = quoted(b, i, "the name of a member"); err != nil {
			return 0, err
		}
		if i = skip(b, i); i < len(b) && b[i] != ':' {
			return 0, &fault{at: i, name: m.name, reason: "there is no colon behind the name; the line is broken"}
		}
		if m.value, i, err = valueOf(b, skip(b, i+1), m.name); err != nil {
			return 0, err
		}
		s.members = append(s.members, m)
		i = skip(b, i)
		switch {
		case i >= len(b):
			return 0, errShort
		case b[i] == '}':
			s.array = array
			return i + 1, nil
		case b[i] != ',':
			return 0, &fault{at: i, name: m.name, reason: "there is neither a comma nor the end of the object behind the value; the line is broken"}
		}
		i = skip(b, i+1)
	}
}

// separator finds where the next object begins, which is io.EOF where none does.
func (s *scanner) separator(b []byte) (i int, array bool, err error) {
	array = s.array
	if !s.begun {
		if len(b) < len(byteOrderMark) && !s.eof {
			return 0, false, errShort
		}
		i = skip(b, len(b)-len(bytes.TrimPrefix(b, []byte(byteOrderMark))))
		if array = i < len(b) && b[i] == '['; array {
			i = skip(b, i+1)
		}
	} else {
		i = skip(b, 0)
	}
	switch {
	case i == len(b) && s.eof && !array:
		return 0, false, io.EOF
	case i == len(b):
		return 0, false, errShort
	case !s.begun:
	case array && b[i] == ']':
		return 0, false, s.finish(b, i)
	case array && b[i] == ',':
		i = skip(b, i+1)
	case array:
		return 0, false, &fault{at: i, reason: "there is neither a comma nor the end of the array behind an object"}
	case bytes.IndexByte(b[:i], '\n') < 0:
		return 0, false, &fault{at: i, reason: "there is something behind the object; write one object a line"}
	}
	if i == len(b) {
		return 0, false, errShort
	}
	return i, array, nil
}

// finish checks that nothing stands behind the array that ends at b[i].
func (s *scanner) finish(b []byte, i int) error {
	i = skip(b, i+1)
	switch {
	case i < len(b):
		return &fault{at: i, reason: "there is something behind the end of the array"}
	case !s.eof:
		return errShort
	}
	return io.EOF
}

// skip returns the place behind the blanks at b[i:].
func skip(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// valueOf reads a value that fits a cell, and returns where it ends.
func valueOf(b []byte, i int, name []byte) (v value, end int, err error) {
	if i >= len(b) {
		return v, 0, errShort
	}
	switch c := b[i]; {
	case c == '"':
		v.quoted = true
		v.text, end, err = quoted(b, i, "a string")
		return v, end, named(err, name)
	case c == '{', c == '[':
		what := map[byte]string{'{': "an object", '[': "an array"}[c]
		return v, 0, &fault{at: i, name: name, reason: "its value is " + what + ", and a cell has one value; write each row as an object of plain values, one a line, as egrid rows --format ndjson and format=ndjson over HTTP do"}
	}
	end = i
	for end < len(b) && b[end] > ' ' && b[end] != ',' && b[end] != '}' && b[end] != ']' && b[end] != '"' {
		end++
	}
	if end == len(b) {
		return v, 0, errShort
	}
	switch word := b[i:end]; {
	case string(word) == "null":
		return v, end, nil
	case string(word) == "true", string(word) == "false", isNumber(word):
		v.text = word
		return v, end, nil
	case slices.Contains([]string{"NaN", "Infinity", "-Infinity", "None", "NA"}, string(word)):
		return v, 0, &fault{at: i, name: name, reason: string(word) + " is no value of JSON; write null where a value is missing"}
	default:
		return v, 0, &fault{at: i, name: name, reason: fmt.Sprintf("%.20q is no value of JSON: neither a number, a string in quotes, true, false nor null", word)}
	}
}

// named adds to a fault the member that it is in.
func named(err error, name []byte) error {
	if wrong, ok := err.(*fault); ok { //nolint:errorlint // faults are not wrapped
		wrong.name = name
	}
	return err
}

// isNumber reports whether b is a number as JSON has it.
func isNumber(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte{'-'})
	whole := digits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	if b = b[whole:]; len(b) > 0 && b[0] == '.' {
		n := digits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		if b = b[1:]; len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		return len(b) > 0 && digits(b) == len(b)
	}
	return len(b) == 0
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	return n
}

// quoted reads a string at b[i], and returns what is between its quotes and where
// it ends.
func quoted(b []byte, i int, what string) (inner []byte, end int, err error) {
	if i >= len(b) {
		return nil, 0, errShort
	}
	if b[i] != '"' {
		return nil, 0, &fault{at: i, reason: "there is no quote where " + what + " begins; the line is broken"}
	}
	i++
	from, beyond := i, byte(0)
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			if inner = b[from:i]; beyond >= utf8.RuneSelf && !utf8.Valid(inner) {
				return nil, 0, &fault{at: from, reason: what + " is not UTF-8 text; save the file as UTF-8"}
			}
			return inner, i + 1, nil
		case c == '\\':
			_, n, reason := escape(b[i:])
			switch {
			case n == 0 && reason == "":
				return nil, 0, errShort
			case n == 0:
				return nil, 0, &fault{at: i, reason: what + reason}
			}
			i += n - 1
		case c < ' ':
			return nil, 0, &fault{at: i, reason: fmt.Sprintf("%s has a line end or another control character (%#x) in it, which JSON writes as \\n or \\u%04x: it is not closed, or the line is broken", what, c, c)}
		default:
			beyond |= c
		}
	}
	return nil, 0, errShort
}
