package etl

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"unsafe"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/queue"
)

// Media types of the messages.
const (
	chunkType   = "application/vnd.egrid.chunk"
	publishType = "application/vnd.egrid.publish+json"
)

// HeaderStage names the stage that a message belongs to.
const HeaderStage = "x-egrid-stage"

// chunkHeader stands in front of a chunk's rows, as JSON.
type chunkHeader struct {
	Spec     driver.SnapshotSpec `json:"spec"`
	Index    int                 `json:"index"`
	Rows     int                 `json:"rows"`
	Rejected int64               `json:"rejected"`
	Lossy    []egrid.Column      `json:"lossy,omitempty"`
	Findings []egrid.Audit       `json:"findings,omitempty"`
}

// A row is its number, then for each column a tag and what the tag calls for:
// a text's length and bytes, a whole number in zigzag form, or the eight bytes
// of a number, low byte first. All lengths are varints.
const (
	tagMissing = iota
	tagText
	tagInteger
	tagNumber
	tagNo
	tagYes
)

// Describe says what a message is about, for people: the chunk and the sheet
// that it is of, the notice's title, or why it cannot be read.
func Describe(m queue.Message) string {
	switch m.ContentType {
	case chunkType:
		spec, c, err := DecodeChunk(m)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("chunk %d of %s, %d rows", c.Index, nameOfLoad(spec), len(c.Rows))
	case publishType:
		order, err := decodePublish(m)
		if err != nil {
			return err.Error()
		}
		return "order to publish " + nameOfLoad(order.Spec)
	case noticeType:
		n, err := DecodeNotice(m)
		if err != nil {
			return err.Error()
		}
		return "notice: " + n.Title
	case incidentType:
		in, err := DecodeIncident(m)
		if err != nil {
			return err.Error()
		}
		return "failure: " + in.Kind + " in " + in.Where
	}
	return fmt.Sprintf("%d bytes of the type %q", len(m.Body), m.ContentType)
}

func nameOfLoad(spec driver.SnapshotSpec) string {
	return nameOf(spec.Source.Object, &SheetReport{Sheet: spec.Source.Sheet, Level: spec.Level, Year: spec.Year, Release: spec.Release})
}

// EncodeChunk makes the message that carries a chunk, with the spec of its
// snapshot, so that a consumer needs nothing else. Equal chunks make equal
// messages.
func EncodeChunk(spec driver.SnapshotSpec, c driver.Chunk) (queue.Message, error) {
	header, err := json.Marshal(chunkHeader{spec, c.Index, len(c.Rows), c.Rejected, c.Lossy, c.Findings})
	if err != nil {
		return queue.Message{}, err
	}
	b := make([]byte, 0, len(header)+128*len(c.Rows)+16)
	b = binary.AppendUvarint(b, uint64(len(header)))
	b = append(b, header...)
	width := spec.Schema.Len()
	for _, row := range c.Rows {
		if len(row.Values) != width {
			return queue.Message{}, fmt.Errorf("%w: row %d has %d values where the schema has %d columns", egrid.ErrInvalid, row.Number, len(row.Values), width)
		}
		b = binary.AppendUvarint(b, uint64(row.Number))
		for _, v := range row.Values {
			b = appendValue(b, v)
		}
	}
	return queue.Message{
		Key: queue.KeyChunk, Body: b, ContentType: chunkType,
		Headers: map[string]string{HeaderStage: string(spec.ID())},
	}, nil
}

func appendValue(b []byte, v egrid.Value) []byte {
	switch v.Type() {
	case egrid.Text:
		s := v.String()
		b = binary.AppendUvarint(append(b, tagText), uint64(len(s)))
		return append(b, s...)
	case egrid.Integer:
		i, _ := v.Int()
		return binary.AppendVarint(append(b, tagInteger), i)
	case egrid.Number:
		f, _ := v.Float()
		return binary.LittleEndian.AppendUint64(append(b, tagNumber), math.Float64bits(f))
	case egrid.Flag:
		if yes, _ := v.Bool(); yes {
			return append(b, tagYes)
		}
		return append(b, tagNo)
	}
	return append(b, tagMissing)
}

// DecodeChunk reads what EncodeChunk wrote. The rows share the memory of the
// body. The error wraps [egrid.ErrInvalid].
func DecodeChunk(m queue.Message) (driver.SnapshotSpec, driver.Chunk, error) {
	var h chunkHeader
	fail := func(what string) (driver.SnapshotSpec, driver.Chunk, error) {
		return driver.SnapshotSpec{}, driver.Chunk{}, fmt.Errorf("%w: message %s: %s", egrid.ErrInvalid, m.ID, what)
	}
	if m.ContentType != chunkType || m.ContentEncoding != "" {
		return fail(fmt.Sprintf("content type %q with encoding %q; want %s as it is", m.ContentType, m.ContentEncoding, chunkType))
	}
	if v := m.Headers[queue.HeaderVersion]; v != "" && v != queue.Version {
		return fail(fmt.Sprintf("version %q; this program reads %s", v, queue.Version))
	}
	d := chunkDecoder{rest: unsafe.String(unsafe.SliceData(m.Body), len(m.Body))} //nolint:gosec // G103: bodies never change
	if err := json.Unmarshal([]byte(d.bytes(d.uvarint())), &h); d.broken || err != nil {
		return fail("the header is broken")
	}
	if err := h.Spec.Check(); err != nil {
		return fail(err.Error())
	}
	width := h.Spec.Schema.Len()
	if h.Index < 0 || h.Rows < 0 || h.Rejected < 0 || h.Rows > len(d.rest) { // a row takes a byte at least
		return fail("the header's counts cannot be")
	}
	c := driver.Chunk{Index: h.Index, Rejected: h.Rejected, Lossy: h.Lossy, Findings: h.Findings, Rows: make([]egrid.Row, h.Rows)}
	if h.Rows*width > len(d.rest) { // as does a value
		return fail("it is cut short")
	}
	values := make([]egrid.Value, h.Rows*width)
	for i := range c.Rows {
		number := d.uvarint()
		row := values[i*width : (i+1)*width : (i+1)*width]
		for j := range row {
			row[j] = d.value()
		}
		if d.broken || number > math.MaxInt64 {
			return fail(fmt.Sprintf("row %d of %d is broken", i+1, h.Rows))
		}
		c.Rows[i] = egrid.Row{Schema: h.Spec.Schema, Values: row, Year: h.Spec.Year, Number: int64(number)}
	}
	if d.rest != "" {
		return fail(fmt.Sprintf("%d bytes are left behind its %d rows", len(d.rest), h.Rows))
	}
	return h.Spec, c, nil
}

// chunkDecoder takes values off the front of a body until one is broken.
type chunkDecoder struct {
	rest   string
	broken bool
}

func (d *chunkDecoder) uvarint() uint64 {
	var x uint64
	for i, shift := 0, 0; i < len(d.rest) && i < binary.MaxVarintLen64; i, shift = i+1, shift+7 {
		c := d.rest[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			d.rest = d.rest[i+1:]
			return x | uint64(c)<<shift
		}
		x |= uint64(c&0x7f) << shift
	}
	d.broken = true
	return 0
}

func (d *chunkDecoder) bytes(n uint64) string {
	if d.broken || n > uint64(len(d.rest)) {
		d.broken = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *chunkDecoder) value() egrid.Value {
	tag := d.bytes(1)
	if d.broken {
		return egrid.Value{}
	}
	switch tag[0] {
	case tagMissing:
		return egrid.Value{}
	case tagText:
		return egrid.TextOf(d.bytes(d.uvarint()))
	case tagInteger:
		u := d.uvarint()
		return egrid.IntegerOf(int64(u>>1) ^ -int64(u&1))
	case tagNumber:
		if b := d.bytes(8); !d.broken {
			return egrid.NumberOf(math.Float64frombits(binary.LittleEndian.Uint64([]byte(b))))
		}
		return egrid.Value{}
	case tagNo, tagYes:
		return egrid.FlagOf(tag[0] == tagYes)
	}
	d.broken = true
	return egrid.Value{}
}

// publishOrder is the body of a message that completes a snapshot.
type publishOrder struct {
	Spec    driver.SnapshotSpec   `json:"spec"`
	Request driver.PublishRequest `json:"request"`
	Run     string                `json:"run"` // tells orders of different runs apart
}

func encodePublish(o publishOrder) (queue.Message, error) {
	b, err := json.Marshal(o)
	return queue.Message{
		Key: queue.KeyPublish, Body: b, ContentType: publishType,
		Headers: map[string]string{HeaderStage: string(o.Spec.ID())},
	}, err
}

func decodePublish(m queue.Message) (publishOrder, error) {
	var o publishOrder
	if m.ContentType != publishType || m.ContentEncoding != "" {
		return o, fmt.Errorf("%w: message %s: content type %q; want %s", egrid.ErrInvalid, m.ID, m.ContentType, publishType)
	}
	if err := json.Unmarshal(m.Body, &o); err != nil {
		return o, fmt.Errorf("%w: message %s: %w", egrid.ErrInvalid, m.ID, err)
	}
	return o, o.Spec.Check()
}
