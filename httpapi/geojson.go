package httpapi

import (
	"slices"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// features is GeoJSON as in RFC 7946: a collection of points, one for each plant
// whose place is known. How many are left out because it is not known stands
// behind the last.
type features struct {
	unasked []egrid.Column // read for the feature itself, and no properties

	names     [][]byte // of the properties; nil for what is no property
	lon, lat  int
	id        int // -1 where rows have no id of their own
	code      int
	state     int
	name      int
	written   int
	placeless int
}

// geoColumns are what features are made of besides their properties.
func geoColumns() []egrid.Column {
	return []egrid.Column{egrid.Latitude, egrid.Longitude, egrid.PlantCode, egrid.State, egrid.PlantName}
}

func (f *features) begin(dst []byte, s *egrid.Schema) []byte {
	f.lon, f.lat, f.id = s.Index(egrid.Longitude), s.Index(egrid.Latitude), s.Index(store.PlantID)
	f.code, f.state, f.name = s.Index(egrid.PlantCode), s.Index(egrid.State), s.Index(egrid.PlantName)
	f.names = make([][]byte, s.Len())
	for i, c := range s.Columns() {
		if i != f.lon && i != f.lat && i != f.id && !slices.Contains(f.unasked, c) {
			f.names[i] = append(appendText(nil, string(c)), ':')
		}
	}
	return append(dst, `{"type":"FeatureCollection","features":[`...)
}

func (f *features) row(dst []byte, b *egrid.Batch, i int) ([]byte, bool) {
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

func (f *features) end(dst []byte) []byte {
	dst = append(dst, "\n],\"without_coordinates\":"...)
	return append(strconv.AppendInt(dst, int64(f.placeless), 10), "}\n"...)
}

// placed tells whether it is known where a plant is: on the earth.
func (f *features) placed(b *egrid.Batch, i int) bool {
	if f.lon < 0 || f.lat < 0 {
		return false
	}
	lon, hasLon := b.Column(f.lon).Float(i)
	lat, hasLat := b.Column(f.lat).Float(i)
	return hasLon && hasLat && lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90
}

// appendID writes the plant's id, as in any plant answer.
func (f *features) appendID(dst []byte, b *egrid.Batch, i int) []byte {
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
	return appendText(dst, text(f.state)+"~"+text(f.name))
}

// appendText quotes text.
func appendText(dst []byte, s string) []byte {
	quoted, err := marshal(s)
	if err != nil {
		panic(err) // every string can be encoded
	}
	return append(dst, quoted...)
}

// geoRead adds the columns that features are made of to those that are asked
// for, and tells which they are.
func (in *request) geoRead(columns []egrid.Column) (all, unasked []egrid.Column) {
	if in.format.name != formatGeoJSON || len(columns) == 0 {
		return columns, nil
	}
	asked := make([]egrid.Column, len(columns))
	for i, c := range columns {
		if f, ok := egrid.Lookup(egrid.PLNT, string(c)); ok {
			c = f.Column // asked for by its code or an alias
		}
		asked[i] = c
	}
	for _, c := range geoColumns() {
		if !slices.Contains(asked, c) {
			unasked = append(unasked, c)
		}
	}
	return slices.Concat(columns, unasked), unasked
}

// featureCollection, placeFeature and placePoint describe GeoJSON in the document.
type featureCollection struct {
	Type               string         `json:"type" enum:"FeatureCollection"`
	Features           []placeFeature `json:"features"`
	WithoutCoordinates int64          `json:"without_coordinates" doc:"Plants left out because nobody knows where they are."`
}

type placeFeature struct {
	Type       string         `json:"type" enum:"Feature"`
	ID         string         `json:"id" doc:"The plant's id."`
	Geometry   placePoint     `json:"geometry"`
	Properties map[string]any `json:"properties" doc:"The other columns of the row, as in JSON."`
}

type placePoint struct {
	Type        string        `json:"type" enum:"Point"`
	Coordinates []wire.Number `json:"coordinates" minItems:"2" maxItems:"2" doc:"Longitude and latitude, in degrees."`
}
