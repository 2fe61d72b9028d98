package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// maxBatchBytes bounds an encoded batch.
const maxBatchBytes = 1 << 30

// AppendBatch appends a batch as [Batches] reads it: its length as a varint, then
// its encoded form.
func AppendBatch(dst []byte, b *egrid.Batch) []byte {
	encoded := b.AppendBinary(nil)
	return append(binary.AppendUvarint(dst, uint64(len(encoded))), encoded...)
}

// AppendEnd appends what stands behind the last batch: a length of zero, so that
// a part is not taken for the whole.
func AppendEnd(dst []byte) []byte { return append(dst, 0) }

// Batches reads the batches of a scan, up to its end. The error, which is the
// last that it yields, is [io.ErrUnexpectedEOF] where the end is missing, and
// wraps [egrid.ErrInvalid] for what are no batches of the schema.
func Batches(r io.Reader, schema *egrid.Schema) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		in := bufio.NewReader(r)
		for {
			b, err := readBatch(in, schema)
			if b == nil && err == nil || !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// readBatch returns neither a batch nor an error at the end.
func readBatch(in *bufio.Reader, schema *egrid.Schema) (*egrid.Batch, error) {
	n, err := binary.ReadUvarint(in)
	switch {
	case err == io.EOF:
		return nil, io.ErrUnexpectedEOF
	case err != nil || n == 0:
		return nil, err
	case n > maxBatchBytes:
		return nil, fmt.Errorf("%w: a batch of %d bytes; there are at most %d", egrid.ErrInvalid, n, maxBatchBytes)
	}
	var data bytes.Buffer // grows with what comes, and not with what is promised
	if _, err := io.CopyN(&data, in, int64(n)); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return egrid.ParseBatch(data.Bytes(), schema)
}
