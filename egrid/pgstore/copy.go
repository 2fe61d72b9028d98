package pgstore

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// copyRows streams a batch into the sheet's table. It writes PostgreSQL's
// binary format itself, cell by cell from the vectors: their types are known,
// which pgx has to find out value by value.
func (s *Store) copyRows(ctx context.Context, tx pgx.Tx, sh *sheet, rows *egrid.Batch) error {
	if rows.Len() == 0 {
		return nil
	}
	columns := []string{`"snapshot"`, `"row_number"`, `"data_year"`, `"release"`, `"extra"`}
	encoder := &rowEncoder{number: sh.number, year: sh.spec.Year, release: sh.spec.Release, rows: rows}
	for i, c := range rows.Schema().Columns() {
		switch {
		case egrid.IsContext(c):
		case sh.layout.isTyped(c):
			columns = append(columns, quote(string(c)))
			encoder.typed = append(encoder.typed, cellsOf(rows.Column(i)))
		default:
			key, err := json.Marshal(string(c))
			if err != nil {
				return err
			}
			encoder.extra = append(encoder.extra, extraColumn{key, rows.Column(i)})
		}
	}
	stream := &copyStream{encoder: encoder, buffer: append(make([]byte, 0, copyBuffer), copyHeader...)}
	statement := "COPY " + sh.layout.table + " (" + strings.Join(columns, ", ") + ") FROM STDIN BINARY"
	ctx, end := sqlStep(ctx, statement)
	_, err := tx.Conn().PgConn().CopyFrom(ctx, stream, statement)
	end(err)
	stream.close()
	return err
}

// copyHeader begins a stream: signature, flags, no extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

const copyBuffer = 1 << 16

// copyStream is a batch as the bytes of a COPY. When a copy has failed, the
// driver may still be reading while the stream is closed: both hold the lock.
type copyStream struct {
	mu      sync.Mutex
	encoder *rowEncoder
	buffer  []byte
	read    int // of the buffer
	next    int // row to encode
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

// fill encodes a buffer of rows, and the trailer behind the last. It is false
// at the end.
func (c *copyStream) fill() bool {
	if c.err != nil {
		return false
	}
	c.buffer, c.read = c.buffer[:0], 0
	all := c.encoder.rows.Len()
	for c.next < all && len(c.buffer) < copyBuffer/2 {
		c.buffer = c.encoder.appendRow(c.buffer, c.next)
		c.next++
	}
	if c.next == all {
		c.buffer = append(c.buffer, 0xff, 0xff)
		c.err = io.EOF
	}
	return true
}

func (c *copyStream) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.buffer, c.read = io.ErrClosedPipe, nil, 0
}

// rowEncoder writes the rows of a batch in the format of a binary COPY.
type rowEncoder struct {
	number  int64
	year    int
	release string
	rows    *egrid.Batch
	typed   []cells
	extra   []extraColumn // kept in one object
	object  []byte
}

type extraColumn struct {
	key    []byte // as it stands in JSON
	values *egrid.Vector
}

// cells appends the i-th cell of a column.
type cells func(b []byte, i int) []byte

func cellsOf(v *egrid.Vector) cells {
	switch v.Type() {
	case egrid.Text:
		return func(b []byte, i int) []byte {
			if code := v.Code(i); code >= 0 {
				return appendText(b, v.Entry(code))
			}
			return appendNull(b)
		}
	case egrid.Number:
		return func(b []byte, i int) []byte {
			if x, ok := v.Float(i); ok {
				return appendInt64(b, int64(math.Float64bits(x)))
			}
			return appendNull(b)
		}
	case egrid.Integer:
		return func(b []byte, i int) []byte {
			if n, ok := v.Int(i); ok {
				return appendInt64(b, n)
			}
			return appendNull(b)
		}
	case egrid.Flag:
		return func(b []byte, i int) []byte {
			if yes, ok := v.Bool(i); ok {
				return appendFlag(b, yes)
			}
			return appendNull(b)
		}
	}
	return func(b []byte, _ int) []byte { return appendNull(b) } // all are missing
}

func (e *rowEncoder) appendRow(b []byte, row int) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(5+len(e.typed)))
	b = appendInt64(b, e.number)
	b = appendInt64(b, e.rows.Number(row))
	b = binary.BigEndian.AppendUint32(appendLength(b, 4), uint32(e.year))
	if e.release == "" {
		b = appendNull(b)
	} else {
		b = appendText(b, e.release)
	}
	b = e.appendExtra(b, row)
	for _, cell := range e.typed {
		b = cell(b, row)
	}
	return b
}

// appendExtra writes the cells without a column of their own, as an object of
// type jsonb. Missing ones are left out.
func (e *rowEncoder) appendExtra(b []byte, row int) []byte {
	const version = 1
	object := append(e.object[:0], version, '{')
	for i := range e.extra {
		x := &e.extra[i]
		if x.values.IsMissing(row) {
			continue
		}
		if len(object) > 2 {
			object = append(object, ',')
		}
		object = append(append(object, x.key...), ':')
		object = x.values.AppendJSON(object, row)
	}
	e.object = object
	if len(object) == 2 {
		return appendNull(b)
	}
	e.object = append(object, '}')
	return append(appendLength(b, len(e.object)), e.object...)
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

// checkTexts returns ErrInvalid for text that PostgreSQL cannot hold.
func checkTexts(rows *egrid.Batch) error {
	for at := range rows.Schema().Len() {
		v := rows.Column(at)
		for code := range v.Entries() {
			if storable(v.Entry(code)) {
				continue
			}
			for i := range rows.Len() { // an entry may be of no row
				if v.Code(i) == code {
					return fmt.Errorf("%w: row %d, column %s: %q is no text that PostgreSQL can hold; mend it in the file",
						egrid.ErrInvalid, rows.Number(i), rows.Schema().Field(at).Column, v.Entry(code))
				}
			}
		}
	}
	return nil
}
