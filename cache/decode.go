package cache

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// readPage reads a body that may be anything. What it makes is at most a
// hundred times as large.
func readPage(body []byte, known []egrid.Snapshot) (egrid.RowPage, bool) {
	d := &decoder{body: body, text: string(body)}
	page := egrid.RowPage{Revision: d.varint(), Total: d.varint(), Next: d.string()}
	page.Snapshots = d.snapshots(known)
	page.Schema = d.schema(page.Snapshots)
	page.Rows = d.rows(page.Schema)
	if d.broken || d.at != len(body) {
		return egrid.RowPage{}, false
	}
	return page, true
}

// decoder takes parts off a body until one is broken; then all are zero.
type decoder struct {
	body   []byte
	text   string // the body, which the texts of the page are parts of
	at     int
	broken bool
}

func (d *decoder) rest() int { return len(d.body) - d.at }

// skip passes over what a function of package binary read, n bytes.
func (d *decoder) skip(n int) bool {
	if n <= 0 || n > d.rest() {
		d.broken, d.at = true, len(d.body)
		return false
	}
	d.at += n
	return true
}

func (d *decoder) varint() int64 {
	x, n := binary.Varint(d.body[d.at:])
	if !d.skip(n) {
		return 0
	}
	return x
}

func (d *decoder) uvarint() uint64 {
	x, n := binary.Uvarint(d.body[d.at:])
	if !d.skip(n) {
		return 0
	}
	return x
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n == 0 || n > uint64(d.rest()) {
		d.broken = d.broken || n != 0
		return ""
	}
	from := d.at
	d.at += int(n)
	return d.text[from:d.at]
}

// count reads a count of things that take a byte at least. There is false for
// nil.
func (d *decoder) count() (n int, there bool) {
	x := d.uvarint()
	if x == 0 {
		return 0, false
	}
	if x-1 > uint64(d.rest()) {
		d.broken = true
		return 0, false
	}
	return int(x - 1), true
}

// place reads a place among n things.
func (d *decoder) place(n int) int {
	x := d.uvarint()
	if x >= uint64(n) {
		d.broken = true
		return -1
	}
	return int(x)
}

func (d *decoder) snapshots(known []egrid.Snapshot) []egrid.Snapshot {
	n, there := d.count()
	if !there || n > len(known) {
		d.broken = d.broken || there
		return nil
	}
	snapshots := make([]egrid.Snapshot, 0, n)
	for range n {
		place := d.place(len(known))
		if d.broken {
			return nil
		}
		snapshots = append(snapshots, known[place])
	}
	return snapshots
}

func (d *decoder) schema(snapshots []egrid.Snapshot) *egrid.Schema {
	n, there := d.count()
	if !there || n > maxColumns {
		d.broken = d.broken || there
		return nil
	}
	fields := make([]egrid.Field, 0, n)
	for range n {
		f := d.field(snapshots)
		if d.broken {
			return nil
		}
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		d.broken = true
		return nil
	}
	return schema
}

func (d *decoder) field(snapshots []egrid.Snapshot) (f egrid.Field) {
	place := d.place(len(snapshots) + 1)
	switch {
	case d.broken:
	case place == 0:
		d.broken = json.Unmarshal([]byte(d.string()), &f) != nil || d.broken
	case snapshots[place-1].Schema == nil:
		d.broken = true
	default:
		columns := snapshots[place-1].Schema
		if i := d.place(columns.Len()); !d.broken {
			f = columns.Field(i)
		}
	}
	return f
}

func (d *decoder) rows(schema *egrid.Schema) []egrid.Row {
	n, there := d.count()
	if !there {
		return nil
	}
	width := 0
	if schema != nil {
		width = schema.Len()
	}
	if n > 0 && schema == nil || int64(n)*int64(width+3) > int64(d.rest()) { // numbers and values take a byte at least
		d.broken = true
		return nil
	}
	rows := make([]egrid.Row, n)
	values := make([]egrid.Value, n*width)
	for i := range rows {
		number, year, line := d.varint(), d.varint(), d.varint()
		row := values[i*width : (i+1)*width : (i+1)*width]
		for j := range row {
			row[j] = d.value()
		}
		if d.broken || year != int64(int(year)) {
			d.broken = true
			return nil
		}
		rows[i] = egrid.Row{Schema: schema, Values: row, Number: number, Year: int(year), Line: line}
	}
	return rows
}

// value takes only what a value of its kind is written as: a text is not
// empty, a number is finite and no negative zero.
func (d *decoder) value() egrid.Value {
	if d.rest() == 0 {
		d.broken = true
		return egrid.Value{}
	}
	tag := d.body[d.at]
	d.at++
	switch tag {
	case tagMissing:
		return egrid.Value{}
	case tagText:
		v := egrid.TextOf(d.string())
		d.broken = d.broken || v.IsMissing()
		return v
	case tagInteger:
		return egrid.IntegerOf(d.varint())
	case tagNumber:
		return d.number()
	case tagNo, tagYes:
		return egrid.FlagOf(tag == tagYes)
	}
	d.broken = true
	return egrid.Value{}
}

func (d *decoder) number() egrid.Value {
	if d.rest() < 8 {
		d.broken = true
		return egrid.Value{}
	}
	bits := binary.LittleEndian.Uint64(d.body[d.at:])
	d.at += 8
	v := egrid.NumberOf(math.Float64frombits(bits))
	f, ok := v.Float()
	d.broken = d.broken || !ok || math.Float64bits(f) != bits
	return v
}
