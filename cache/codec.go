package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"reflect"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// A value of the second level is the version of this format, a sum of the key
// and the body, and the body:
//
//	revision, total                      whole numbers
//	next                                 text
//	snapshots                            counted; each a place in the catalogue
//	schema                               counted; see appendField
//	rows                                 counted; each number, year, line, then
//	                                     a tag and content for every column
//
// Whole numbers are varints in zigzag form, lengths and places plain ones. A
// count is one more than what it counts, and 0 where there is nil. Snapshots
// and most fields are long, and known to whoever has the same catalogue: the
// key is made of it, so both sides do.
const (
	formatVersion = 1
	sumBytes      = 16
	prefixBytes   = 1 + sumBytes
	maxColumns    = 4096 // EPA's widest sheet has less than 200
)

const (
	tagMissing = iota
	tagText
	tagInteger
	tagNumber
	tagNo
	tagYes
)

// encodePage is false for a page that could not be read back exactly.
func encodePage(key string, page *egrid.RowPage, known []egrid.Snapshot) ([]byte, bool) {
	b := make([]byte, prefixBytes, 4096)
	b, ok := appendPage(b, page, known)
	if !ok {
		return nil, false
	}
	b[0] = formatVersion
	sum := checksum(key, b[prefixBytes:])
	copy(b[1:], sum[:])
	return b, true
}

// decodePage reads what encodePage wrote for the same key and catalogue. It is
// false for anything else.
func decodePage(key string, value []byte, known []egrid.Snapshot) (egrid.RowPage, bool) {
	if len(value) < prefixBytes || value[0] != formatVersion {
		return egrid.RowPage{}, false
	}
	body := value[prefixBytes:]
	if sum := checksum(key, body); !bytes.Equal(sum[:], value[1:prefixBytes]) {
		return egrid.RowPage{}, false
	}
	return readPage(body, known)
}

// checksum finds damage, and values that belong to another key.
func checksum(key string, body []byte) [sumBytes]byte {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(key))))
	h.Write([]byte(key))
	h.Write(body)
	return [sumBytes]byte(h.Sum(nil))
}

func appendPage(b []byte, page *egrid.RowPage, known []egrid.Snapshot) ([]byte, bool) {
	b = binary.AppendVarint(b, page.Revision)
	b = binary.AppendVarint(b, page.Total)
	b = appendText(b, page.Next)
	b, ok := appendSnapshots(b, page.Snapshots, known)
	if !ok {
		return nil, false
	}
	if b, ok = appendSchema(b, page.Schema, page.Snapshots); !ok {
		return nil, false
	}
	return appendRows(b, page.Rows, page.Schema)
}

func appendSnapshots(b []byte, snapshots, known []egrid.Snapshot) ([]byte, bool) {
	b = appendCount(b, len(snapshots), snapshots == nil)
	for i := range snapshots {
		place := placeOf(&snapshots[i], known)
		if place < 0 {
			return nil, false
		}
		b = binary.AppendUvarint(b, uint64(place))
	}
	return b, true
}

func placeOf(s *egrid.Snapshot, known []egrid.Snapshot) int {
	for i := range known {
		if known[i].ID == s.ID && known[i].Revision == s.Revision && reflect.DeepEqual(&known[i], s) {
			return i
		}
	}
	return -1
}

func appendSchema(b []byte, schema *egrid.Schema, snapshots []egrid.Snapshot) ([]byte, bool) {
	if schema == nil {
		return appendCount(b, 0, true), true
	}
	b = appendCount(b, schema.Len(), false)
	ok := schema.Len() <= maxColumns
	for i := 0; i < schema.Len() && ok; i++ {
		b, ok = appendField(b, schema.Field(i), snapshots)
	}
	return b, ok
}

// appendField writes the place of a field in the columns of the page's
// snapshots, counted from 1: that of the snapshot, then that of the column. A
// field that none of them has is 0 and its JSON.
func appendField(b []byte, f egrid.Field, snapshots []egrid.Snapshot) ([]byte, bool) {
	for i := range snapshots {
		columns := snapshots[i].Schema
		if columns == nil {
			continue
		}
		if j := columns.Index(f.Column); j >= 0 && reflect.DeepEqual(columns.Field(j), f) {
			b = binary.AppendUvarint(b, uint64(i)+1)
			return binary.AppendUvarint(b, uint64(j)), true
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, false
	}
	// JSON has no invalid UTF-8, which headers of real files have.
	var read egrid.Field
	if json.Unmarshal(text, &read) != nil || !reflect.DeepEqual(read, f) {
		return nil, false
	}
	return appendText(append(b, 0), string(text)), true
}

func appendRows(b []byte, rows []egrid.Row, schema *egrid.Schema) ([]byte, bool) {
	if schema == nil && len(rows) > 0 {
		return nil, false
	}
	b = appendCount(b, len(rows), rows == nil)
	for i := range rows {
		row := &rows[i]
		if row.Schema != schema || len(row.Values) != schema.Len() {
			return nil, false
		}
		b = binary.AppendVarint(b, row.Number)
		b = binary.AppendVarint(b, int64(row.Year))
		b = binary.AppendVarint(b, row.Line)
		for _, v := range row.Values {
			if v.Lossy() {
				return nil, false // no constructor makes it again
			}
			b = appendValue(b, v)
		}
	}
	return b, true
}

func appendValue(b []byte, v egrid.Value) []byte {
	switch v.Type() {
	case egrid.Text:
		return appendText(append(b, tagText), v.String())
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

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendCount(b []byte, n int, isNil bool) []byte {
	if isNil {
		return append(b, 0)
	}
	return binary.AppendUvarint(b, uint64(n)+1)
}
