package export

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// GeoJSON is a collection of points as of RFC 7946, one for each row whose place on
// the earth is known: rows need latitude and longitude, as plants have. Its member
// without_coordinates says how many rows have none and are left out. The other
// columns are properties.
func GeoJSON() Format {
	return Format{
		Name: "geojson", Extension: ".geojson", MediaType: "application/geo+json",
		New: func(w io.Writer, s *egrid.Schema, _ *About) Writer {
			f := &geoJSON{w: w}
			f.text = f.Begin(nil, s)
			return f
		},
	}
}

type geoJSON struct {
	Features
	w    io.Writer
	text []byte
}

func (f *geoJSON) Write(b *egrid.Batch) error {
	for i := range b.Len() {
		f.text, _ = f.Row(f.text, b, i)
	}
	return f.flush()
}

func (f *geoJSON) Close() error {
	f.text = f.End(f.text)
	return f.flush()
}

func (f *geoJSON) flush() error {
	_, err := f.w.Write(f.text)
	f.text = f.text[:0]
	return err
}

// Features appends the parts of a GeoJSON document to a buffer: Begin, Row for every
// row, End. The zero value is ready.
type Features struct {
	Unasked []egrid.Column // read for the feature itself, and no properties

	names     [][]byte // of the properties; nil for what is no property
	lon, lat  int
	id        int // -1 where rows have no id of their own
	code      int
	state     int
	name      int
	written   int
	placeless int
}

// PlaceColumns are what features are made of besides their properties.
func PlaceColumns() []egrid.Column {
	return []egrid.Column{egrid.Latitude, egrid.Longitude, egrid.PlantCode, egrid.State, egrid.PlantName}
}

// plantID is the column that plant answers begin with.
const plantID egrid.Column = "id"

// Begin appends what stands before the rows.
func (f *Features) Begin(dst []byte, s *egrid.Schema) []byte {
	f.lon, f.lat, f.id = s.Index(egrid.Longitude), s.Index(egrid.Latitude), s.Index(plantID)
	f.code, f.state, f.name = s.Index(egrid.PlantCode), s.Index(egrid.State), s.Index(egrid.PlantName)
	f.names = make([][]byte, s.Len())
	for i, c := range s.Columns() {
		if i != f.lon && i != f.lat && i != f.id && !slices.Contains(f.Unasked, c) {
			f.names[i] = append(appendQuoted(nil, string(c)), ':')
		}
	}
	return append(dst, `{"type":"FeatureCollection","features":[`...)
}

// Row appends the i-th row of a batch. It is false for a row without a place, of which
// nothing is appended.
func (f *Features) Row(dst []byte, b *egrid.Batch, i int) ([]byte, bool) {
	if !f.placed(b, i) {
		f.placeless++
		return dst, false
	}
	if f.written++; f.written > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, "\n{\"type\":\"Feature\",\"id\":"...)
	dst = f.appendID(dst, b, i)
	dst = append(dst, `,"geometry":{"type":"Point","coordinates":[`...)
	dst = append(b.Column(f.lon).AppendJSON(dst, i), ',')
	dst = b.Column(f.lat).AppendJSON(dst, i)
	dst = append(dst, `]},"properties":{`...)
	first := true
	for j, name := range f.names {
		if name == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = b.AppendJSONCell(append(dst, name...), j, i)
	}
	return append(dst, "}}"...), true
}

// End appends what stands behind the rows.
func (f *Features) End(dst []byte) []byte {
	dst = append(dst, "\n],\"without_coordinates\":"...)
	return append(strconv.AppendInt(dst, int64(f.placeless), 10), "}\n"...)
}

// Placeless is how many rows have been left out because their place is not known.
func (f *Features) Placeless() int { return f.placeless }

// placed tells whether it is known where a plant is: on the earth, and where there are
// plants of the United States. East of Greenwich these are the outermost Aleutians
// alone; eGRID2000 has all longitudes without their sign.
func (f *Features) placed(b *egrid.Batch, i int) bool {
	if f.lon < 0 || f.lat < 0 {
		return false
	}
	lon, hasLon := b.Column(f.lon).Float(i)
	lat, hasLat := b.Column(f.lat).Float(i)
	const aleutians = 170
	return hasLon && hasLat && lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90 && (lon < 0 || lon >= aleutians)
}

// appendID writes the plant's id, as in any plant answer.
func (f *Features) appendID(dst []byte, b *egrid.Batch, i int) []byte {
	for _, column := range []int{f.id, f.code} {
		if column >= 0 && !b.Column(column).IsMissing(i) {
			return b.Column(column).AppendJSON(dst, i)
		}
	}
	text := func(column int) string {
		if column < 0 {
			return ""
		}
		return b.Column(column).Text(i)
	}
	return appendQuoted(dst, text(f.state)+"~"+text(f.name))
}

// appendQuoted writes text as JSON.
func appendQuoted(dst []byte, s string) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // every string can be encoded
	}
	return append(dst, strings.TrimSuffix(b.String(), "\n")...)
}
