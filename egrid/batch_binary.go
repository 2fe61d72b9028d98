package egrid

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// An encoded batch, all numbers little-endian, varints as of encoding/binary:
//
//	"eGB" version            4 bytes
//	rows, columns, year      uvarints
//	numbers, lines           base (varint), width (byte), packed array
//	for each column:
//	  encoding, flags        bytes; flags: 1 lossy, 2 some cells are missing
//	  [validity]             packed array of width 1, where some are missing
//	  integer, decimal       [scale (byte)] base (varint), width (byte), packed array
//	  float, flag            packed array of width 64 and 1
//	  text                   entries, bytes of text (uvarints), width (byte) and packed array of ends,
//	                         width (byte) and packed array of codes, the text
//	padding                  7 bytes, so that every packed array can be read by 8-byte loads
const (
	batchMagic   = "eGB"
	batchVersion = 1

	flagLossy = 1
	flagSome  = 2
)

// AppendBinary appends the encoded batch to dst. Equal batches that were built
// in the same way have equal encodings.
func (b *Batch) AppendBinary(dst []byte) []byte {
	dst = append(dst, batchMagic...)
	dst = append(dst, batchVersion)
	dst = binary.AppendUvarint(dst, uint64(b.n))
	dst = binary.AppendUvarint(dst, uint64(len(b.columns)))
	dst = binary.AppendUvarint(dst, uint64(b.year))
	for _, o := range []offsets{b.numbers, b.lines} {
		dst = binary.AppendVarint(dst, o.base)
		dst = o.values.append(dst, b.n)
	}
	for i := range b.columns {
		dst = b.columns[i].append(dst)
	}
	return append(dst, make([]byte, packedPad)...)
}

// append writes the width and the array without its padding.
func (p packed) append(dst []byte, n int) []byte {
	return p.appendData(append(dst, byte(p.width)), n)
}

func (p packed) appendData(dst []byte, n int) []byte {
	return append(dst, p.data[:(n*int(p.width)+7)/8]...)
}

func (v *Vector) append(dst []byte) []byte {
	flags := byte(0)
	if v.lossy {
		flags |= flagLossy
	}
	if v.valid.data != nil {
		flags |= flagSome
	}
	dst = append(dst, byte(v.encoding), flags)
	if v.valid.data != nil {
		dst = v.valid.appendData(dst, v.n)
	}
	switch v.encoding {
	case encInteger, encDecimal:
		if v.encoding == encDecimal {
			dst = append(dst, v.scale)
		}
		dst = binary.AppendVarint(dst, v.base)
		return v.values.append(dst, v.n)
	case encFloat, encFlag:
		return v.values.appendData(dst, v.n)
	case encText:
		d := v.texts
		dst = binary.AppendUvarint(dst, uint64(d.entries))
		dst = binary.AppendUvarint(dst, uint64(len(d.text)))
		dst = d.ends.append(dst, d.entries)
		dst = v.values.append(dst, v.n)
		return append(dst, d.text...)
	}
	return dst
}

// ParseBatch reads an encoded batch of rows of a schema. The batch keeps data,
// which must not change any more. Everything is checked once, here: a batch
// that comes back without an error can be read without one. The error wraps
// [ErrInvalid].
func ParseBatch(data []byte, schema *Schema) (*Batch, error) {
	p := batchParser{data: data}
	b, err := p.batch(schema)
	if err != nil {
		return nil, fmt.Errorf("%w: encoded batch: %w", ErrInvalid, err)
	}
	return b, nil
}

type batchParser struct {
	data []byte
	at   int
	n    int
}

// errCut says that an encoded batch is shorter than it has to be.
var errCut = fmt.Errorf("it is cut short")

func (p *batchParser) batch(schema *Schema) (*Batch, error) {
	if !bytes.HasPrefix(p.data, []byte(batchMagic)) || len(p.data) < len(batchMagic)+1 {
		return nil, fmt.Errorf("it does not begin with %s", batchMagic)
	}
	if v := p.data[len(batchMagic)]; v != batchVersion {
		return nil, fmt.Errorf("it is of version %d where this program reads %d", v, batchVersion)
	}
	p.at = len(batchMagic) + 1
	var head [3]uint64
	for i := range head {
		var err error
		if head[i], err = p.uvarint(); err != nil {
			return nil, err
		}
	}
	switch {
	case head[0] > MaxBatchRows:
		return nil, fmt.Errorf("it has %d rows, more than %d", head[0], MaxBatchRows)
	case head[1] != uint64(schema.Len()):
		return nil, fmt.Errorf("it has %d columns where the schema has %d", head[1], schema.Len())
	case head[2] > math.MaxInt16:
		return nil, fmt.Errorf("its data year is %d", head[2])
	}
	p.n = int(head[0])
	b := &Batch{schema: schema, n: p.n, year: int(head[2]), columns: make([]Vector, schema.Len())}
	for _, o := range []*offsets{&b.numbers, &b.lines} {
		var err error
		if o.base, err = p.varint(); err != nil {
			return nil, err
		}
		if o.values, err = p.packed(p.n); err != nil {
			return nil, err
		}
	}
	for i := range b.columns {
		f := schema.fields[i]
		if err := p.vector(&b.columns[i], f.Type); err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Column, err)
		}
	}
	if rest := len(p.data) - p.at; rest != packedPad {
		return nil, fmt.Errorf("%d bytes are left behind its columns where %d belong", rest, packedPad)
	}
	return b, nil
}

func (p *batchParser) vector(v *Vector, t Type) error {
	head, err := p.bytes(2)
	if err != nil {
		return err
	}
	v.n, v.encoding, v.lossy = p.n, encoding(head[0]), head[1]&flagLossy != 0
	if v.encoding >= encodings || head[1]&^(flagLossy|flagSome) != 0 {
		return fmt.Errorf("encoding %d with flags %d is not known", head[0], head[1])
	}
	if of := v.Type(); of != "" && of != t {
		return fmt.Errorf("it is of type %s where the schema has %s", of, t)
	}
	if head[1]&flagSome != 0 {
		if v.valid, err = p.array(p.n, 1); err != nil {
			return err
		}
		if v.valid.data == nil {
			return fmt.Errorf("no row can be missing in an empty batch")
		}
		if rest := p.n & 7; rest != 0 && v.valid.data[p.n>>3]>>rest != 0 {
			return fmt.Errorf("its validity has bits behind the last row")
		}
	}
	switch v.encoding {
	case encInteger, encDecimal:
		return p.whole(v)
	case encFloat:
		return p.floats(v)
	case encFlag:
		v.values, err = p.array(p.n, 1)
		return err
	case encText:
		return p.texts(v)
	}
	return nil
}

func (p *batchParser) whole(v *Vector) (err error) {
	if v.encoding == encDecimal {
		scale, err := p.bytes(1)
		if err != nil {
			return err
		}
		if v.scale = scale[0]; int(v.scale) > cell.MaxPlaces {
			return fmt.Errorf("it has %d decimal places, more than %d", v.scale, cell.MaxPlaces)
		}
	}
	if v.base, err = p.varint(); err != nil {
		return err
	}
	if v.values, err = p.packed(p.n); err != nil || v.encoding == encInteger {
		return err
	}
	most := uint64(0)
	for i := range p.n {
		most = max(most, v.values.get(i))
	}
	if v.base < -cell.MaxMantissa || v.base > cell.MaxMantissa || most > 2*cell.MaxMantissa || v.base+int64(most) > cell.MaxMantissa {
		return fmt.Errorf("it has a number of more than 53 bits")
	}
	return nil
}

func (p *batchParser) floats(v *Vector) (err error) {
	if v.values, err = p.array(p.n, 64); err != nil {
		return err
	}
	for i := range p.n {
		if f := math.Float64frombits(v.values.get(i)); math.IsNaN(f) || math.IsInf(f, 0) || f == 0 && math.Signbit(f) {
			return fmt.Errorf("cell %d is %v, which no batch holds", i, f)
		}
	}
	return nil
}

func (p *batchParser) texts(v *Vector) error {
	var size [2]uint64
	for i := range size {
		var err error
		if size[i], err = p.uvarint(); err != nil {
			return err
		}
		if size[i] > uint64(len(p.data)) {
			return errCut
		}
	}
	d := &textTable{entries: int(size[0])}
	v.texts = d
	var err error
	if d.ends, err = p.packed(d.entries); err != nil {
		return err
	}
	if v.values, err = p.packed(p.n); err != nil {
		return err
	}
	text, err := p.bytes(int(size[1]))
	if err != nil {
		return err
	}
	d.text = unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // G103: the batch keeps data, which does not change
	last := uint64(0)
	for i := range d.entries {
		end := d.ends.get(i)
		if end <= last || end > uint64(len(text)) || !utf8.ValidString(d.text[last:end]) {
			return fmt.Errorf("text %d of its dictionary ends at %d, behind %d, of %d bytes; texts are UTF-8 and not empty", i, end, last, len(text))
		}
		last = end
	}
	for i := range p.n {
		if code := v.values.get(i); code >= uint64(d.entries) {
			return fmt.Errorf("cell %d is text %d of %d", i, code, d.entries)
		}
	}
	return nil
}

func (p *batchParser) bytes(n int) ([]byte, error) {
	if n < 0 || n > len(p.data)-p.at {
		return nil, errCut
	}
	p.at += n
	return p.data[p.at-n : p.at], nil
}

// array takes a packed array of n values. Its slice takes in the bytes behind
// it, which 8-byte loads read and mask away.
func (p *batchParser) array(n int, width uint) (packed, error) {
	size := packedBytes(n, width)
	if size < 0 {
		return packed{}, fmt.Errorf("%d values of %d bits are too many", n, width)
	}
	if size == 0 || n == 0 {
		return packed{width: width}, nil
	}
	if size > len(p.data)-p.at {
		return packed{}, errCut
	}
	from := p.at
	p.at += size - packedPad
	return packed{p.data[from : from+size], width}, nil
}

func (p *batchParser) packed(n int) (packed, error) {
	width, err := p.bytes(1)
	if err != nil {
		return packed{}, err
	}
	return p.array(n, uint(width[0]))
}

func (p *batchParser) uvarint() (uint64, error) {
	x, n := binary.Uvarint(p.data[p.at:])
	if n <= 0 {
		return 0, errCut
	}
	p.at += n
	return x, nil
}

func (p *batchParser) varint() (int64, error) {
	x, n := binary.Varint(p.data[p.at:])
	if n <= 0 {
		return 0, errCut
	}
	p.at += n
	return x, nil
}
