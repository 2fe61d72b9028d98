package pgstore

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// copyRows streams rows into the sheet's table. It writes PostgreSQL's binary
// format itself: the values' types are known, which pgx has to find out value
// by value.
func (s *Store) copyRows(ctx context.Context, tx pgx.Tx, sh *sheet, rows []egrid.Row) error {
	if len(rows) == 0 {
		return nil
	}
	columns := []string{`"snapshot"`, `"row_number"`, `"data_year"`, `"release"`, `"extra"`}
	schema := sh.layout.schema
	encoder := &rowEncoder{sheet: sh, fields: schema.Fields()}
	for i, c := range schema.Columns() {
		switch {
		case egrid.IsContext(c):
		case sh.layout.isTyped(c):
			columns = append(columns, quote(string(c)))
			encoder.typed = append(encoder.typed, i)
		default:
			encoder.extra = append(encoder.extra, i)
		}
	}
	stream := &copyStream{encoder: encoder, rows: rows, buffer: append(make([]byte, 0, copyBuffer), copyHeader...)}
	_, err := tx.Conn().PgConn().CopyFrom(ctx, stream, "COPY "+sh.layout.table+" ("+strings.Join(columns, ", ")+") FROM STDIN BINARY")
	return stream.close(err)
}

// copyHeader begins a stream: signature, flags, no extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

const copyBuffer = 1 << 16

// copyStream is the rows as the bytes of a COPY. The driver may still be
// reading when a copy has failed, so that both hold the lock.
type copyStream struct {
	mu      sync.Mutex
	encoder *rowEncoder
	rows    []egrid.Row // that are still to be encoded
	buffer  []byte
	read    int // of the buffer
	ended   bool
	err     error
}

// Read implements [io.Reader].
func (c *copyStream) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(p) {
		if c.read == len(c.buffer) && !c.fill() {
			break
		}
		m := copy(p[n:], c.buffer[c.read:])
		n, c.read = n+m, c.read+m
	}
	if n > 0 {
		return n, nil
	}
	return 0, c.err
}

// fill encodes a buffer of rows. It is false at the end, where err says why.
func (c *copyStream) fill() bool {
	c.buffer, c.read = c.buffer[:0], 0
	for c.err == nil && len(c.rows) > 0 && len(c.buffer) < copyBuffer/2 {
		c.buffer, c.err = c.encoder.appendRow(c.buffer, &c.rows[0])
		c.rows = c.rows[1:]
	}
	switch {
	case c.err != nil:
		c.buffer = nil // it may end within a row
	case len(c.buffer) > 0:
	case c.ended:
		c.err = io.EOF
	default:
		c.ended = true
		c.buffer = append(c.buffer, 0xff, 0xff) // the trailer
	}
	return c.err == nil
}

// close lets go of the rows. It returns why they could not be encoded, or else
// the error of the copy.
func (c *copyStream) close(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows = nil
	if c.err != nil && !errors.Is(c.err, io.EOF) {
		return c.err
	}
	c.err = io.ErrClosedPipe
	c.buffer, c.read = nil, 0
	return err
}

// rowEncoder writes rows in the format of a binary COPY.
type rowEncoder struct {
	sheet        *sheet
	fields       []egrid.Field // of the sheet's schema
	typed, extra []int         // positions in fields
}

func (e *rowEncoder) appendRow(b []byte, row *egrid.Row) ([]byte, error) {
	if len(row.Values) != len(e.fields) {
		return b, fmt.Errorf("%w: row %d has %d values where the sheet has %d columns", egrid.ErrInvalid, row.Number, len(row.Values), len(e.fields))
	}
	spec := &e.sheet.spec
	b = binary.BigEndian.AppendUint16(b, uint16(5+len(e.typed)))
	b = appendInt64(b, e.sheet.number)
	b = appendInt64(b, row.Number)
	b = binary.BigEndian.AppendUint32(appendLength(b, 4), uint32(spec.Year))
	if spec.Release == "" {
		b = appendNull(b)
	} else {
		b = appendText(b, spec.Release)
	}
	b, err := e.appendExtra(b, row)
	for i := 0; err == nil && i < len(e.typed); i++ {
		b, err = e.appendValue(b, row, e.typed[i])
	}
	return b, err
}

// appendValue writes a value as its column's type.
func (e *rowEncoder) appendValue(b []byte, row *egrid.Row, at int) ([]byte, error) {
	v := row.Values[at]
	if v.IsMissing() {
		return appendNull(b), nil
	}
	f := &e.fields[at]
	switch f.Type {
	case egrid.Integer:
		if n, ok := v.Int(); ok {
			return appendInt64(b, n), nil
		}
		if x, ok := v.Float(); ok && x == math.Trunc(x) && math.Abs(x) < 1<<63 {
			return appendInt64(b, int64(x)), nil
		}
	case egrid.Number:
		if x, ok := v.Float(); ok {
			return appendInt64(b, int64(math.Float64bits(x))), nil
		}
	case egrid.Flag:
		if yes, ok := v.Bool(); ok {
			return appendFlag(b, yes), nil
		}
	case egrid.Text:
		if v.Type() == egrid.Text {
			return appendText(b, v.String()), e.check(row, at)
		}
	}
	return b, fmt.Errorf("%w: row %d, column %s: %s is no %s", egrid.ErrInvalid, row.Number, f.Column, v, f.Type)
}

// check returns an error for text that PostgreSQL cannot hold.
func (e *rowEncoder) check(row *egrid.Row, at int) error {
	if v := row.Values[at]; v.Type() == egrid.Text && !storable(v.String()) {
		return fmt.Errorf("%w: row %d, column %s: %q is no text that PostgreSQL can hold", egrid.ErrInvalid, row.Number, e.fields[at].Column, v)
	}
	return nil
}

// appendExtra writes the values without a column of their own, as an object of
// type jsonb.
func (e *rowEncoder) appendExtra(b []byte, row *egrid.Row) ([]byte, error) {
	var object map[string]egrid.Value
	for _, at := range e.extra {
		if row.Values[at].IsMissing() {
			continue
		}
		if err := e.check(row, at); err != nil {
			return b, err
		}
		if object == nil {
			object = map[string]egrid.Value{}
		}
		object[string(e.fields[at].Column)] = row.Values[at]
	}
	if object == nil {
		return appendNull(b), nil
	}
	text, err := json.Marshal(object)
	const version = 1
	b = append(appendLength(b, len(text)+1), version)
	return append(b, text...), err
}

func appendLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func appendNull(b []byte) []byte { return appendLength(b, -1) }

func appendInt64(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(appendLength(b, 8), uint64(n))
}

func appendFlag(b []byte, yes bool) []byte {
	b = appendLength(b, 1)
	if yes {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendText(b []byte, text string) []byte { return append(appendLength(b, len(text)), text...) }

// storable reports whether PostgreSQL can hold a text.
func storable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }
