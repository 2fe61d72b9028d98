package etl

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

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
	Spec     driver.SnapshotSpec  `json:"spec"`
	Index    int                  `json:"index"`
	Rejected int64                `json:"rejected"`
	Faults   []egrid.RejectReason `json:"faults,omitempty"`
	Findings []egrid.Audit        `json:"findings,omitempty"`
}

// Describe says what a message is about, for people: the chunk and the sheet
// that it is of, the notice's title, or why it cannot be read.
func Describe(m queue.Message) string {
	switch m.ContentType {
	case chunkType:
		spec, c, err := DecodeChunk(m)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("chunk %d of %s, %d rows", c.Index, nameOfLoad(spec), c.Rows.Len())
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

// EncodeChunk makes the message that carries a chunk: the length of a header as
// a varint, the header as JSON, and the encoded batch. The header has the spec
// of the snapshot, its columns by reference to the dictionary, so that a consumer
// needs nothing else. Equal chunks make equal messages.
func EncodeChunk(spec driver.SnapshotSpec, c driver.Chunk) (queue.Message, error) {
	if n := c.Rows.Len(); n > egrid.MaxBatchRows {
		return queue.Message{}, fmt.Errorf("%w: chunk %d has %d rows, more than %d; make chunks smaller", egrid.ErrInvalid, c.Index, n, egrid.MaxBatchRows)
	}
	header, err := json.Marshal(chunkHeader{spec, c.Index, c.Rejected, c.Faults, c.Findings})
	if err != nil {
		return queue.Message{}, err
	}
	b := binary.AppendUvarint(nil, uint64(len(header)))
	b = c.Rows.AppendBinary(append(b, header...))
	return queue.Message{
		Key: queue.KeyChunk, Body: b, ContentType: chunkType,
		Headers: map[string]string{HeaderStage: string(spec.ID())},
	}, nil
}

// DecodeChunk reads what EncodeChunk wrote. The rows share the memory of the
// body. The error wraps [egrid.ErrInvalid].
func DecodeChunk(m queue.Message) (driver.SnapshotSpec, driver.Chunk, error) {
	fail := func(err error) (driver.SnapshotSpec, driver.Chunk, error) {
		return driver.SnapshotSpec{}, driver.Chunk{}, fmt.Errorf("%w: message %s: %w", egrid.ErrInvalid, m.ID, err)
	}
	if m.ContentType != chunkType || m.ContentEncoding != "" {
		return fail(fmt.Errorf("content type %q with encoding %q; want %s as it is", m.ContentType, m.ContentEncoding, chunkType))
	}
	if v := m.Headers[queue.HeaderVersion]; v != "" && v != queue.Version {
		return fail(fmt.Errorf("version %q; this program reads %s", v, queue.Version))
	}
	size, n := binary.Uvarint(m.Body)
	if n <= 0 || size > uint64(len(m.Body)-n) {
		return fail(errors.New("its header is cut short"))
	}
	text, rows := m.Body[n:n+int(size)], m.Body[n+int(size):]
	var h chunkHeader
	if err := json.Unmarshal(text, &h); err != nil {
		return fail(fmt.Errorf("its header is broken: %w", err))
	}
	if err := h.Spec.Check(); err != nil {
		return fail(err)
	}
	if h.Index < 0 || h.Rejected < 0 {
		return fail(errors.New("its header has a negative count"))
	}
	c := driver.Chunk{Index: h.Index, Rejected: h.Rejected, Faults: h.Faults, Findings: h.Findings}
	var err error
	if c.Rows, err = egrid.ParseBatch(rows, h.Spec.Schema); err != nil {
		return fail(err)
	}
	return h.Spec, c, nil
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
