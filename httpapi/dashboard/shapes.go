package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Bounds of what the map draws: above them a browser is slow.
const (
	maxShapesBytes     = 32 << 20
	maxShapesPositions = 500_000
)

// Shapes are boundaries of eGRID subregions that the map draws. They are made by
// [ReadShapes] and do not change. The zero value holds none and is of no use.
type Shapes struct {
	name  string
	codes []string // sorted, each once
	body  []byte   // GeoJSON
}

// shapesPath is where the page finds the boundaries, when it has any.
const shapesPath = "assets/shapes.json"

func shapesAddress(s *Shapes) string {
	if s == nil {
		return ""
	}
	return shapesPath
}

// Codes returns the subregions that there are boundaries of, sorted.
func (s *Shapes) Codes() []string { return slices.Clone(s.codes) }

// shapesFile is the part of GeoJSON (RFC 7946) that is read.
type shapesFile struct {
	Type     string    `json:"type"`
	Name     string    `json:"name"`
	Features []feature `json:"features"`
}

type feature struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Geometry   *struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// codeNames are the properties that may hold the subregion's code, in lower case,
// in the order in which they are tried.
var codeNames = []string{"subregion", "subrgn", "egrid_subregion", "srl", "code", "name"}

var subregionCode = regexp.MustCompile(`^[A-Z][A-Z0-9]{3}$`)

// ReadShapes reads boundaries of eGRID subregions: a GeoJSON FeatureCollection of
// Polygons and MultiPolygons, in degrees of longitude and latitude, each with a
// property "subregion" (or SUBRGN, SRL, code, name; in any letter case) that holds
// the code of four letters, as CAMX. Its member "name" is shown as the source.
//
// At most 32 MiB and 500,000 positions are read; positions are rounded to 0.0001
// degrees, which is 11 m. The error names the feature, and what to do.
func ReadShapes(r io.Reader) (*Shapes, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxShapesBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxShapesBytes {
		return nil, fmt.Errorf("larger than %d MiB: simplify the boundaries", maxShapesBytes>>20)
	}
	var file shapesFile
	if err := json.Unmarshal(body, &file); err != nil {
		return nil, notGeoJSON(err)
	}
	if file.Type != "FeatureCollection" {
		return nil, fmt.Errorf("the type is %q: want a GeoJSON FeatureCollection", file.Type)
	}
	if len(file.Features) == 0 {
		return nil, errors.New("there is no feature in it")
	}
	s := &Shapes{name: shorten(file.Name)}
	features := make([]shape, 0, len(file.Features))
	positions := 0
	for i, f := range file.Features {
		code, err := f.code()
		if err != nil {
			return nil, fmt.Errorf("feature %d: %w", i+1, err)
		}
		polygons, n, err := f.polygons()
		if err != nil {
			return nil, fmt.Errorf("feature %d (%s): %w", i+1, code, err)
		}
		if positions += n; positions > maxShapesPositions {
			return nil, fmt.Errorf("more than %d positions, at feature %d: simplify the boundaries", maxShapesPositions, i+1)
		}
		features = append(features, newShape(code, polygons))
		s.codes = append(s.codes, code)
	}
	slices.Sort(s.codes)
	s.codes = slices.Compact(s.codes)
	s.body, err = json.Marshal(map[string]any{"type": "FeatureCollection", "name": s.name, "features": features})
	return s, err
}

func notGeoJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("no JSON, at byte %d: %w; want a GeoJSON FeatureCollection", syntax.Offset, err)
	}
	return fmt.Errorf("no GeoJSON FeatureCollection: %w", err)
}

func shorten(name string) string {
	if letters := []rune(name); len(letters) > 200 {
		return string(letters[:200])
	}
	return name
}

// shape is a feature as it is served.
type shape struct {
	Type       string            `json:"type"`
	Properties map[string]string `json:"properties"`
	Geometry   geometry          `json:"geometry"`
}

type geometry struct {
	Type        string           `json:"type"`
	Coordinates [][][][2]float64 `json:"coordinates"`
}

func newShape(code string, polygons [][][][2]float64) shape {
	return shape{"Feature", map[string]string{"subregion": code}, geometry{"MultiPolygon", polygons}}
}

// code finds the subregion's code among the properties.
func (f *feature) code() (string, error) {
	names := slices.Sorted(maps.Keys(f.Properties))
	var odd string
	for _, want := range codeNames {
		for _, name := range names {
			if !strings.EqualFold(name, want) {
				continue
			}
			text, _ := f.Properties[name].(string)
			if code := strings.ToUpper(strings.TrimSpace(text)); subregionCode.MatchString(code) {
				return code, nil
			}
			if odd == "" {
				odd = fmt.Sprintf("; %s is %.60q, which is no code like CAMX", name, fmt.Sprint(f.Properties[name]))
			}
		}
	}
	has := "it has no properties"
	if len(names) > 0 {
		has = fmt.Sprintf("it has %q", names[:min(len(names), 12)])
	}
	return "", fmt.Errorf("no property with the subregion's code: name it \"subregion\"; %s%s", has, odd)
}

// polygons reads the geometry, and counts its positions.
func (f *feature) polygons() ([][][][2]float64, int, error) {
	if f.Geometry == nil {
		return nil, 0, errors.New("it has no geometry")
	}
	var read [][][][]float64
	var err error
	switch f.Geometry.Type {
	case "MultiPolygon":
		err = json.Unmarshal(f.Geometry.Coordinates, &read)
	case "Polygon":
		read = make([][][][]float64, 1)
		err = json.Unmarshal(f.Geometry.Coordinates, &read[0])
	default:
		return nil, 0, fmt.Errorf("the geometry is a %q: want Polygon or MultiPolygon", f.Geometry.Type)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("the coordinates are not those of a %s: %w", f.Geometry.Type, err)
	}
	n := 0
	polygons := make([][][][2]float64, 0, len(read))
	for p, rings := range read {
		if len(rings) == 0 {
			return nil, 0, fmt.Errorf("polygon %d has no ring", p+1)
		}
		polygon := make([][][2]float64, 0, len(rings))
		for r, positions := range rings {
			ring, err := closedRing(positions)
			if err != nil {
				return nil, 0, fmt.Errorf("polygon %d, ring %d: %w", p+1, r+1, err)
			}
			n += len(positions)
			if len(ring) >= 4 { // what is smaller than the rounding is not seen
				polygon = append(polygon, ring)
			}
		}
		if len(polygon) > 0 {
			polygons = append(polygons, polygon)
		}
	}
	if len(polygons) == 0 {
		return nil, 0, errors.New("it has no polygon that can be seen")
	}
	return polygons, n, nil
}

// closedRing checks a ring, rounds its positions and leaves out those that fall
// together.
func closedRing(positions [][]float64) ([][2]float64, error) {
	if len(positions) < 4 {
		return nil, fmt.Errorf("%d positions: want at least 4, the last one the same as the first", len(positions))
	}
	ring := make([][2]float64, 0, len(positions))
	for i, position := range positions {
		if len(position) < 2 {
			return nil, fmt.Errorf("position %d has %d numbers: want longitude and latitude", i+1, len(position))
		}
		lon, lat := position[0], position[1]
		if math.Abs(lon) > 180 || math.Abs(lat) > 90 {
			return nil, fmt.Errorf("position %d is [%g, %g], which are no degrees: save the file in longitude and latitude (EPSG:4326)", i+1, lon, lat)
		}
		at := [2]float64{math.Round(lon*1e4) / 1e4, math.Round(lat*1e4) / 1e4}
		if len(ring) == 0 || ring[len(ring)-1] != at {
			ring = append(ring, at)
		}
	}
	first, last := positions[0], positions[len(positions)-1]
	if first[0] != last[0] || first[1] != last[1] {
		return nil, fmt.Errorf("it is not closed: it begins at [%g, %g] and ends at [%g, %g]", first[0], first[1], last[0], last[1])
	}
	return ring, nil
}
