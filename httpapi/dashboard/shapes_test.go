package dashboard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

const square = `[[-120,35],[-119,35],[-119,36],[-120,36],[-120,35]]`

// collection is a GeoJSON file with one feature of the given parts.
func collection(properties, geometry string) string {
	return fmt.Sprintf(`{"type":"FeatureCollection","name":"Boundaries 2023","features":[{"type":"Feature","properties":%s,"geometry":%s}]}`, properties, geometry)
}

func polygon(rings string) string {
	return fmt.Sprintf(`{"type":"Polygon","coordinates":[%s]}`, rings)
}

func TestReadShapes(t *testing.T) {
	t.Parallel()
	file := `{"type":"FeatureCollection","name":"Boundaries 2023","crs":{"type":"name"},"features":[
		{"type":"Feature","properties":{"OBJECTID":1,"Subregion":" camx "},"geometry":` + polygon(square) + `},
		{"type":"Feature","id":7,"properties":{"SUBRGN":"AKGD"},"geometry":{"type":"MultiPolygon","coordinates":[[` + square + `,[[-119.6,35.2,9],[-119.4,35.2,9],[-119.4,35.4,9],[-119.6,35.2,9]]],[[[-150.123456,61],[-150.123451,61],[-149,61],[-149,62],[-150.123456,61]]]]}},
		{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":` + polygon(square) + `}]}`
	s, err := dashboard.ReadShapes(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Codes(); !slices.Equal(got, []string{"AKGD", "CAMX"}) {
		t.Errorf("codes are %q", got)
	}
	h := dashboard.New(&dashboard.Options{Shapes: s})
	w := get(h, "/assets/shapes.json")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/geo+json" || w.Header().Get("Etag") == "" {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
	var served struct {
		Type, Name string
		Features   []struct {
			Properties map[string]string
			Geometry   struct {
				Type        string
				Coordinates [][][][]float64
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &served); err != nil {
		t.Fatal(err)
	}
	if served.Type != "FeatureCollection" || served.Name != "Boundaries 2023" || len(served.Features) != 3 {
		t.Errorf("served %s %q with %d features", served.Type, served.Name, len(served.Features))
	}
	second := served.Features[1]
	if second.Properties["subregion"] != "AKGD" || second.Geometry.Type != "MultiPolygon" || len(second.Geometry.Coordinates) != 2 || len(second.Geometry.Coordinates[0]) != 2 {
		t.Errorf("the second feature is %v", second)
	}
	// Rounded to 0.0001 degrees, two positions fall together.
	if ring := second.Geometry.Coordinates[1][0]; len(ring) != 4 || ring[0][0] != -150.1235 || len(ring[0]) != 2 {
		t.Errorf("the ring is %v", ring)
	}
	if page := get(h, "/").Body.String(); !strings.Contains(page, `<meta name="egrid-shapes" content="assets/shapes.json">`) {
		t.Error("the page does not say where the boundaries are")
	}
}

func TestNoShapes(t *testing.T) {
	t.Parallel()
	h := dashboard.New(nil)
	if w := get(h, "/assets/shapes.json"); w.Code != http.StatusNotFound {
		t.Errorf("without boundaries status %d", w.Code)
	}
	if page := get(h, "/").Body.String(); strings.Contains(page, "egrid-shapes") {
		t.Error("the page names boundaries that are not there")
	}
}

func TestReadShapesErrors(t *testing.T) {
	t.Parallel()
	camx := `{"subregion":"CAMX"}`
	for name, test := range map[string]struct{ file, want string }{
		"empty":          {"", "no JSON, at byte 0"},
		"no JSON":        {"PK\x03\x04", "no JSON, at byte 1"},
		"list":           {"[1]", "no GeoJSON FeatureCollection"},
		"other type":     {`{"type":"Topology","features":[]}`, `the type is "Topology": want a GeoJSON FeatureCollection`},
		"no features":    {`{"type":"FeatureCollection","features":[]}`, "no feature"},
		"no properties":  {collection(`null`, polygon(square)), `feature 1: no property with the subregion's code: name it "subregion"; it has no properties`},
		"other property": {collection(`{"OBJECTID":3,"NAME":"California"}`, polygon(square)), `it has ["NAME" "OBJECTID"]; NAME is "California", which is no code like CAMX`},
		"number as code": {collection(`{"subregion":12}`, polygon(square)), `subregion is "12", which is no code`},
		"no geometry":    {collection(camx, `null`), "feature 1 (CAMX): it has no geometry"},
		"point":          {collection(camx, `{"type":"Point","coordinates":[1,2]}`), `the geometry is a "Point": want Polygon or MultiPolygon`},
		"wrong depth":    {collection(camx, `{"type":"Polygon","coordinates":[[1,2],[3,4]]}`), "the coordinates are not those of a Polygon"},
		"text":           {collection(camx, `{"type":"Polygon","coordinates":"x"}`), "the coordinates are not those of a Polygon"},
		"no coordinates": {collection(camx, `{"type":"Polygon"}`), "the coordinates are not those of a Polygon"},
		"no ring":        {collection(camx, `{"type":"Polygon","coordinates":[]}`), "polygon 1 has no ring"},
		"no polygon":     {collection(camx, `{"type":"MultiPolygon","coordinates":[]}`), "no polygon that can be seen"},
		"short ring":     {collection(camx, polygon(`[[1,2],[3,4],[1,2]]`)), "polygon 1, ring 1: 3 positions: want at least 4"},
		"open ring":      {collection(camx, polygon(`[[-120,35],[-119,35],[-119,36],[-120,36]]`)), "it is not closed: it begins at [-120, 35] and ends at [-120, 36]"},
		"one number":     {collection(camx, polygon(`[[-120,35],[-119],[-119,36],[-120,35]]`)), "position 2 has 1 numbers"},
		"metres":         {collection(camx, polygon(`[[-13358338,4163881],[-13247019,4163881],[-13247019,4300621],[-13358338,4163881]]`)), "position 1 is [-1.3358338e+07, 4.163881e+06], which are no degrees: save the file in longitude and latitude (EPSG:4326)"},
		"a speck":        {collection(camx, polygon(`[[-120,35],[-120.00001,35],[-120.00001,35.00001],[-120,35]]`)), "no polygon that can be seen"},
		"many":           {collection(camx, polygon("["+strings.Repeat("[-120,35],[-119,36],", 250_001)+"[-120,35]]")), "more than 500000 positions, at feature 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := dashboard.ReadShapes(strings.NewReader(test.file))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want %q", err, test.want)
			}
			if s != nil {
				t.Error("shapes beside an error")
			}
		})
	}
}

func TestReadShapesLarge(t *testing.T) {
	t.Parallel()
	if _, err := dashboard.ReadShapes(bytes.NewReader(make([]byte, 32<<20+1))); err == nil || !strings.Contains(err.Error(), "larger than 32 MiB") {
		t.Errorf("error %v", err)
	}
	broken := errors.New("the disk fell out")
	if _, err := dashboard.ReadShapes(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v; want that of the reader", err)
	}
}

func FuzzReadShapes(f *testing.F) {
	f.Add([]byte(collection(`{"subregion":"CAMX"}`, polygon(square))))
	f.Add([]byte(collection(`{"name":"AKGD"}`, `{"type":"MultiPolygon","coordinates":[[`+square+`]]}`)))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := dashboard.ReadShapes(bytes.NewReader(file))
		if err != nil {
			return
		}
		// What is served is read again as the same.
		served := get(dashboard.New(&dashboard.Options{Shapes: s}), "/assets/shapes.json").Body.Bytes()
		again, err := dashboard.ReadShapes(bytes.NewReader(served))
		if err != nil {
			t.Fatalf("%v in %s", err, served)
		}
		if !slices.Equal(s.Codes(), again.Codes()) {
			t.Errorf("codes %q, then %q", s.Codes(), again.Codes())
		}
	})
}
