package shapes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Options say what a file does not. The zero value of every field means its default.
type Options struct {
	// Property of the features holds the code of their subregion. Default: the one
	// that is called subregion, subrgn, egrid_subregion or srl or, where none is, the
	// only one that is four letters in every feature, as CAMX.
	Property string
	Name     string // of the file, in errors and sources; default for [Open]: its own
}

// maxBytes is above the size of every honest file of outlines.
const maxBytes = 1 << 30

// Open reads a file. Errors as [Read], and those of opening it.
func Open(path string, o *Options) (*Set, error) {
	f, err := os.Open(path) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, err
	}
	of := Options{}
	if o != nil {
		of = *o
	}
	if of.Name == "" {
		of.Name = filepath.Base(path)
	}
	s, err := Read(f, &of)
	return s, errors.Join(err, f.Close())
}

// Read reads GeoJSON. It returns [egrid.ErrInvalid] for what the package does not
// read, and the errors of r.
func Read(r io.Reader, o *Options) (*Set, error) {
	if o == nil {
		o = &Options{}
	}
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	s, err := read(text, o)
	if err != nil {
		name := o.Name
		if name == "" {
			name = "the outlines"
		}
		return nil, fmt.Errorf("%w: %s: %w", egrid.ErrInvalid, name, err)
	}
	sum := sha256.Sum256(text)
	s.name, s.sum = o.Name, hex.EncodeToString(sum[:])
	return s, nil
}

// The parts of a document.
type (
	document struct {
		Type     string
		Features []feature
		CRS      *struct {
			Properties struct{ Name string }
		}
	}
	feature struct {
		Properties map[string]any
		Geometry   *geometry
	}
	geometry struct {
		Type        string
		Coordinates json.RawMessage
		Geometries  []geometry
	}
)

const convert = "ogr2ogr -f GeoJSON -t_srs EPSG:4326 OUT.geojson IN makes one of other formats and projections"

func read(text []byte, o *Options) (*Set, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("it has more than %d bytes; simplify the outlines", maxBytes)
	}
	var d document
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &d); err != nil {
		return nil, fmt.Errorf("it is no GeoJSON (%w); %s", err, convert)
	}
	switch {
	case d.Type != "FeatureCollection":
		return nil, fmt.Errorf("it is a GeoJSON FeatureCollection that is read, and this is of type %q; %s", d.Type, convert)
	case len(d.Features) == 0:
		return nil, errors.New("it has no features")
	case d.CRS != nil && !isGeographic(d.CRS.Properties.Name):
		return nil, fmt.Errorf("its coordinates are of %q, and longitude and latitude of WGS84 are read; %s", d.CRS.Properties.Name, convert)
	}
	property, err := codeProperty(d.Features, o.Property)
	if err != nil {
		return nil, err
	}
	byCode := map[string]*Shape{}
	for i, f := range d.Features {
		code, err := codeOf(f.Properties[property])
		if err != nil {
			return nil, fmt.Errorf("feature %d: the property %q %w", i+1, property, err)
		}
		var polygons []Polygon
		if f.Geometry == nil {
			err = errors.New("it has no geometry")
		} else {
			polygons, err = f.Geometry.polygons()
		}
		if err != nil {
			return nil, fmt.Errorf("feature %d (%s): %w", i+1, code, err)
		}
		if byCode[code] == nil {
			byCode[code] = &Shape{Code: code}
		}
		byCode[code].Polygons = append(byCode[code].Polygons, polygons...)
	}
	s := &Set{}
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		s.shapes = append(s.shapes, *byCode[code])
		s.areas = append(s.areas, newArea(byCode[code]))
	}
	return s, nil
}

// isGeographic reports whether a coordinate reference system, as the GeoJSON of 2008
// names it, is longitude and latitude of WGS84 or NAD83.
func isGeographic(name string) bool {
	for _, end := range []string{"CRS84", ":4326", ":4269", "CRS83"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// codeProperty finds the property that holds the codes.
func codeProperty(features []feature, wanted string) (string, error) {
	names := map[string]bool{}
	for _, f := range features {
		for name := range f.Properties {
			names[name] = true
		}
	}
	all := slices.Sorted(maps.Keys(names))
	if wanted != "" {
		if !names[wanted] {
			return "", fmt.Errorf("no feature has a property %q; there are %s", wanted, quoted(all))
		}
		return wanted, nil
	}
	for _, known := range []string{"subregion", "subrgn", "egrid_subregion", "srl"} {
		for _, name := range all {
			if strings.EqualFold(name, known) {
				return name, nil
			}
		}
	}
	fit := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return slices.ContainsFunc(features, func(f feature) bool { return !fourLetters(f.Properties[name]) })
	})
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return "", fmt.Errorf("no property has the code of a subregion, four letters as CAMX, in every feature: call the one that has them subregion. There are %s", quoted(all))
	}
	return "", fmt.Errorf("the properties %s have four letters in every feature: call the one with the codes of subregions subregion", quoted(fit))
}

func quoted(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "none"
	}
	text := fmt.Sprintf("%q", names[:min(len(names), most)])
	if len(names) > most {
		text += " and more"
	}
	return text
}

func fourLetters(v any) bool {
	text, ok := v.(string)
	text = strings.TrimSpace(text)
	return ok && len(text) == 4 && !strings.ContainsFunc(text, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' })
}

// codeOf is the code in a property's value.
func codeOf(v any) (string, error) {
	text, ok := v.(string)
	code := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case !ok || code == "":
		return "", errors.New("has no text")
	case len(code) > 20 || strings.ContainsFunc(code, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }):
		return "", fmt.Errorf("is %.40q, and a code is letters and digits, as CAMX", text)
	}
	return code, nil
}

// polygons are those of a geometry.
func (g *geometry) polygons() ([]Polygon, error) {
	var all [][][][]float64
	switch g.Type {
	case "Polygon":
		all = make([][][][]float64, 1)
		if err := json.Unmarshal(g.Coordinates, &all[0]); err != nil {
			return nil, fmt.Errorf("its coordinates are no polygon's: %w", err)
		}
	case "MultiPolygon":
		if err := json.Unmarshal(g.Coordinates, &all); err != nil {
			return nil, fmt.Errorf("its coordinates are no polygons': %w", err)
		}
	case "GeometryCollection":
		var polygons []Polygon
		for i := range g.Geometries {
			some, err := g.Geometries[i].polygons()
			if err != nil {
				return nil, err
			}
			polygons = append(polygons, some...)
		}
		if polygons == nil {
			return nil, errors.New("it has no polygon")
		}
		return polygons, nil
	default:
		return nil, fmt.Errorf("it is a %.20q, and outlines are polygons", g.Type)
	}
	var polygons []Polygon
	for i, rings := range all {
		if len(rings) == 0 {
			return nil, fmt.Errorf("polygon %d has no ring", i+1)
		}
		var polygon Polygon
		for k, positions := range rings {
			ring, err := newOutline(positions)
			if err != nil {
				return nil, fmt.Errorf("polygon %d, ring %d: %w", i+1, k+1, err)
			}
			polygon = append(polygon, ring)
		}
		polygons = append(polygons, polygon)
	}
	if polygons == nil {
		return nil, errors.New("it has no polygon")
	}
	return polygons, nil
}

// newOutline makes a ring of positions.
func newOutline(positions [][]float64) (Ring, error) {
	var ring Ring
	turn := 0.0
	for i, p := range positions {
		if len(p) < 2 {
			return nil, fmt.Errorf("position %d has %d numbers; it is longitude and latitude", i+1, len(p))
		}
		lon, lat := p[0], p[1]
		switch {
		case math.Abs(lat) > 90 && math.Abs(lat) <= 180 && math.Abs(lon) <= 90:
			return nil, fmt.Errorf("position %d is %v, %v: the first is longitude and the second latitude, which goes to 90; are they the other way round?", i+1, lon, lat)
		case math.Abs(lat) > 90 || math.Abs(lon) > 360:
			return nil, fmt.Errorf("position %d is %v, %v, which is no longitude and latitude; is it projected? %s", i+1, lon, lat, convert)
		}
		if i > 0 {
			switch d := lon - positions[i-1][0]; {
			case d > 180 && d < 360:
				turn -= 360
			case d < -180 && d > -360:
				turn += 360
			}
		}
		ring = append(ring, Point{lon + turn, lat})
	}
	switch {
	case len(ring) < 4:
		return nil, fmt.Errorf("it has %d positions; a closed ring has four at least", len(ring))
	case turn != 0:
		return nil, errors.New("it goes round a pole: cut it at the antimeridian")
	case ring[0] != ring[len(ring)-1]:
		return nil, errors.New("it is not closed: its last position is not its first")
	}
	return ring, nil
}
