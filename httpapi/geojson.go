package httpapi

import (
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// features is GeoJSON as in RFC 7946: a collection of points, one for each plant
// whose place is known. How many are left out because it is not known stands
// behind the last.
type features struct {
	schema    *egrid.Schema
	names     [][]byte // of the properties; nil for what is no property
	lon, lat  int
	id        int // -1 where rows have no id of their own
	written   int
	placeless int
}

// geoColumns are what features are made of besides their properties.
func geoColumns() []egrid.Column {
	return []egrid.Column{egrid.Latitude, egrid.Longitude, egrid.PlantCode, egrid.State, egrid.PlantName}
}

// newFeatures makes features of rows. What is unasked is read for the feature
// itself, and no property.
func newFeatures(s *egrid.Schema, unasked []egrid.Column) *features {
	f := &features{schema: s, lon: s.Index(egrid.Longitude), lat: s.Index(egrid.Latitude), id: s.Index(store.PlantID), names: make([][]byte, s.Len())}
	for i, c := range s.Columns() {
		if i != f.lon && i != f.lat && i != f.id && !slices.Contains(unasked, c) {
			f.names[i] = append(appendText(nil, string(c)), ':')
		}
	}
	return f
}

func (f *features) begin(b []byte) []byte {
	return append(b, `{"type":"FeatureCollection","features":[`...)
}

func (f *features) row(b []byte, row egrid.Row) ([]byte, bool) {
	lon, lat, ok := f.place(row)
	if !ok {
		f.placeless++
		return b, false
	}
	if f.written++; f.written > 1 {
		b = append(b, ',')
	}
	b = append(b, "\n{\"type\":\"Feature\",\"id\":"...)
	b = appendText(b, f.idOf(row))
	b = appendNumber(append(b, `,"geometry":{"type":"Point","coordinates":[`...), lon)
	b = appendNumber(append(b, ','), lat)
	b = append(b, `]},"properties":{`...)
	first := true
	for i, name := range f.names {
		if name == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendValue(append(b, name...), row.Values[i])
	}
	return append(b, "}}"...), true
}

func (f *features) end(b []byte) []byte {
	b = append(b, "\n],\"without_coordinates\":"...)
	return append(strconv.AppendInt(b, int64(f.placeless), 10), "}\n"...)
}

// place tells where a plant is: on the earth, or nowhere that is known.
func (f *features) place(row egrid.Row) (lon, lat float64, ok bool) {
	if f.lon < 0 || f.lat < 0 {
		return 0, 0, false
	}
	lon, hasLon := row.Values[f.lon].Float()
	lat, hasLat := row.Values[f.lat].Float()
	return lon, lat, hasLon && hasLat && lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90
}

func (f *features) idOf(row egrid.Row) string {
	if f.id >= 0 {
		return row.Values[f.id].String()
	}
	if code := row.Text(egrid.PlantCode); code != "" {
		return code
	}
	return row.Text(egrid.State) + "~" + row.Text(egrid.PlantName)
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

// hasPlaces reports whether the rows are plants.
func (in *request) hasPlaces() bool {
	level := in.text("level")
	return level == "" || level == string(egrid.PLNT)
}

// checkPlaces refuses GeoJSON of rows that are no plants.
func (in *request) checkPlaces() []*huma.ErrorDetail {
	if in.format.name != formatGeoJSON || in.hasPlaces() {
		return nil
	}
	return []*huma.ErrorDetail{fault("query.format", formatGeoJSON, "GeoJSON is of plants: at level PLNT, and not at "+in.text("level"))}
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
	Type        string    `json:"type" enum:"Point"`
	Coordinates []float64 `json:"coordinates" minItems:"2" maxItems:"2" doc:"Longitude and latitude, in degrees."`
}
