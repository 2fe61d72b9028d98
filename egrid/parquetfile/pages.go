package parquetfile

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/unpack"
)

// checkFooter checks that the description of a file lies in it, which the library
// makes room for before it reads it.
func checkFooter(r io.ReaderAt, size int64) error {
	const magic, footer = 4, 8
	if size < magic+footer {
		return fmt.Errorf("%w: it has %d bytes", errDamaged, size)
	}
	var end [footer]byte
	if _, err := r.ReadAt(end[:], size-footer); err != nil && err != io.EOF {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > size-magic-footer || n > maxFooter {
		return fmt.Errorf("%w: its description would take %d bytes of %d", errDamaged, n, size)
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, size-footer-n); err != nil && err != io.EOF {
		return err
	}
	return checkThrift(text)
}

// maxFooter bounds the description of a file, in bytes.
const maxFooter = 64 << 20

// checkPages bounds what reading a file takes before the library reads it, which
// believes the headers of pages: no page may be larger than what is left of its
// column, hold other rows than its row group, or unpack to more than it says, and all
// of them together not to more than a file of this size may.
func checkPages(file *parquet.File, r io.ReaderAt) error {
	c := pageCheck{r: r, left: unpack.Budget(file.Size()), size: file.Size()}
	defer func() {
		if c.zstd != nil {
			c.zstd.Close()
		}
	}()
	meta := file.Metadata()
	width := int64(len(file.Root().Columns()))
	for i := range meta.RowGroups {
		group := &meta.RowGroups[i]
		if int64(len(group.Columns)) != width || group.NumRows < 0 {
			return fmt.Errorf("%w: row group %d has %d columns and %d rows", errDamaged, i, len(group.Columns), group.NumRows)
		}
		if group.NumRows > c.left/max(1, width) { // a cell is at least a comma
			return unpack.ErrTooLarge()
		}
		c.left -= group.NumRows * width
		for j := range group.Columns {
			if err := c.column(&group.Columns[j].MetaData, group.NumRows); err != nil {
				return err
			}
		}
	}
	return nil
}

type pageCheck struct {
	r    io.ReaderAt
	size int64 // of the file
	left int64 // bytes that may still come out of it
	zstd *zstd.Decoder
}

// column checks the pages of a column of a row group.
func (c *pageCheck) column(m *format.ColumnMetaData, rows int64) error {
	from := m.DataPageOffset
	if m.DictionaryPageOffset != 0 {
		from = m.DictionaryPageOffset
	}
	if from < 0 || m.TotalCompressedSize < 0 || from > c.size || m.TotalCompressedSize > c.size-from {
		return fmt.Errorf("%w: a column lies outside of it", errDamaged)
	}
	section := io.NewSectionReader(c.r, from, m.TotalCompressedSize)
	buffered := bufio.NewReader(section)
	headers := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(buffered))
	for rows > 0 {
		before, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		before -= int64(buffered.Buffered())
		if err := c.header(from+before, m.TotalCompressedSize-before); err != nil {
			return err
		}
		var h format.PageHeader
		if err := headers.Decode(&h); err != nil {
			return fmt.Errorf("%w: a page: %w", errDamaged, err)
		}
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		rest := m.TotalCompressedSize - at + int64(buffered.Buffered())
		values, levels := valuesOf(&h)
		packed, unpacked := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
		most := rows
		if h.Type == format.DictionaryPage {
			most = unpacked // a text has its length in front, a number its bytes
		}
		if packed < 0 || packed > rest || values < 0 || values > most || levels < 0 || levels > packed || unpacked < levels {
			return fmt.Errorf("%w: a page of %d bytes and %d values where %d bytes and %d rows are left", errDamaged, packed, values, rest, rows)
		}
		if c.left -= unpacked; unpacked < 0 || c.left < 0 {
			return unpack.ErrTooLarge()
		}
		if h.Type != format.DictionaryPage {
			rows -= values
		}
		body := io.LimitReader(buffered, packed)
		if err := c.body(m.Codec, &h, body, levels, unpacked); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
	}
	return nil
}

// header checks the description of a page, which has a length of its own: the
// smallest and largest text of the page are in it.
func (c *pageCheck) header(at, rest int64) error {
	for size := int64(4 << 10); ; size *= 8 {
		size = min(size, rest, maxFooter)
		text := make([]byte, size)
		if _, err := c.r.ReadAt(text, at); err != nil && err != io.EOF {
			return err
		}
		if err := checkThrift(text); err == nil || size == min(rest, maxFooter) {
			return err
		}
	}
}

// valuesOf is how many values a page has, nulls too, and the bytes of levels in
// front of them that are never compressed.
func valuesOf(h *format.PageHeader) (values, levels int64) {
	switch {
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		v := &h.DataPageHeaderV2.V
		return int64(v.NumValues), int64(v.RepetitionLevelsByteLength) + int64(v.DefinitionLevelsByteLength)
	case h.Type == format.DataPage && h.DataPageHeader.Valid:
		return int64(h.DataPageHeader.V.NumValues), 0
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		return int64(h.DictionaryPageHeader.V.NumValues), 0
	}
	return -1, 0
}

// body checks that a page unpacks to as much as its header says.
func (c *pageCheck) body(codec format.CompressionCodec, h *format.PageHeader, body io.Reader, levels, unpacked int64) error {
	if h.Type == format.DataPageV2 {
		if v := h.DataPageHeaderV2.V.IsCompressed; v.Valid && !v.V {
			return nil
		}
	}
	if _, err := io.CopyN(io.Discard, body, levels); err != nil {
		return err
	}
	var text io.Reader
	var err error
	switch codec {
	case format.Uncompressed:
		return nil
	case format.Snappy:
		return checkSnappy(body, unpacked-levels)
	case format.Gzip:
		text, err = gzip.NewReader(body)
	case format.Zstd:
		if c.zstd == nil {
			c.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow))
		}
		if err == nil {
			err = c.zstd.Reset(body)
		}
		text = c.zstd
	default:
		return fmt.Errorf("%w: its columns are compressed by %s; write it with Snappy, gzip or zstd", egrid.ErrInvalid, codec)
	}
	if err != nil {
		return fmt.Errorf("%w: a page: %w", errDamaged, err)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(text, unpacked-levels+1))
	if err == nil && n != unpacked-levels {
		err = fmt.Errorf("it unpacks to other bytes than the %d that it says", unpacked-levels)
	}
	if err != nil {
		return fmt.Errorf("%w: a page: %w", errDamaged, err)
	}
	return nil
}

// maxWindow bounds how far back compressed bytes may point.
const maxWindow = 128 << 20

// checkSnappy reads how long a block of Snappy says it is.
func checkSnappy(body io.Reader, want int64) error {
	var head [binary.MaxVarintLen64]byte
	n, err := io.ReadFull(body, head[:])
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return err
	}
	if size, used := binary.Uvarint(head[:n]); n > 0 && used <= 0 || int64(size) != want {
		return fmt.Errorf("%w: a page unpacks to other bytes than the %d that it says", errDamaged, want)
	}
	return nil
}
