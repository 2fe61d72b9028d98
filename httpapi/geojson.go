package httpapi

import (
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// features is GeoJSON, see [export.Features].
type features struct{ export.Features }

func (f *features) begin(dst []byte, s *egrid.Schema) []byte { return f.Begin(dst, s) }

func (f *features) row(dst []byte, b *egrid.Batch, i int) ([]byte, bool) { return f.Row(dst, b, i) }

func (f *features) end(dst []byte) []byte { return f.End(dst) }

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
	for _, c := range export.PlaceColumns() {
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
