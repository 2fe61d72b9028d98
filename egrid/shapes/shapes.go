package shapes

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// Point is a place, in degrees. South and west are below 0.
type Point struct{ Lon, Lat float64 }

// Ring is a closed line: its last point is its first. Longitudes go beyond 180 where
// it crosses the antimeridian.
type Ring []Point

// Polygon is an outline, and then its holes.
type Polygon []Ring

// Shape is the area of a subregion.
type Shape struct {
	Code     string
	Polygons []Polygon
}

// Set is the shapes of a file. A nil Set has none.
type Set struct {
	name, sum string
	shapes    []Shape
	areas     []area // of the shapes
}

// Shapes returns the shapes by their codes. They are the Set's own: do not change
// them.
func (s *Set) Shapes() []Shape {
	if s == nil {
		return nil
	}
	return slices.Clone(s.shapes)
}

// Name is that of the file, as in [Options].
func (s *Set) Name() string {
	if s == nil {
		return ""
	}
	return s.name
}

// SHA256 is that of the file's bytes, in hexadecimal digits.
func (s *Set) SHA256() string {
	if s == nil {
		return ""
	}
	return s.sum
}

// Find returns the codes of the shapes that a point, in decimal degrees of which west
// and south are negative, lies in or on the edge of, in the order of Shapes; nil for none.
// Degrees beyond 90 of latitude or 180 of longitude are nowhere.
func (s *Set) Find(lat, lon float64) []string {
	if s == nil || !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
		return nil
	}
	var codes []string
	for i := range s.areas {
		if s.areas[i].has(Point{lon, lat}) {
			codes = append(codes, s.shapes[i].Code)
		}
	}
	return codes
}

// AppendGeoJSON appends the shapes as a FeatureCollection with the name of the file: a
// MultiPolygon for each, with the property subregion. Degrees are rounded to so many
// decimals, 4 of which are 11 m; below 0 they have all their digits. Positions that
// fall together are written once, and rings that are nothing any more not at all.
func (s *Set) AppendGeoJSON(b []byte, decimals int) []byte {
	b = append(b, `{"type":"FeatureCollection","name":`...)
	name, _ := json.Marshal(s.Name()) // a text always can be
	b = append(append(b, name...), `,"features":[`...)
	for i, shape := range s.Shapes() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"Feature","properties":{"subregion":`...)
		b = strconv.AppendQuote(b, shape.Code) // letters and digits: as JSON has them
		b = append(b, `},"geometry":{"type":"MultiPolygon","coordinates":[`...)
		written := 0
		for _, polygon := range shape.Polygons {
			at := len(b)
			b = appendComma(b, written, '[')
			rings := 0
			for _, ring := range polygon {
				if ring = ring.rounded(decimals); len(ring) < 4 {
					if rings == 0 { // the outline itself, and so its holes
						break
					}
					continue
				}
				b = appendRing(appendComma(b, rings, '['), ring, decimals)
				rings++
			}
			if rings == 0 {
				b = b[:at]
				continue
			}
			b = append(b, ']')
			written++
		}
		b = append(b, `]}}`...)
	}
	return append(b, `]}`...)
}

// rounded is a ring of rounded positions, each of which differs from the one before.
func (r Ring) rounded(decimals int) Ring {
	if decimals < 0 {
		return r
	}
	unit := math.Pow10(decimals)
	out := make(Ring, 0, len(r))
	for _, p := range r {
		p = Point{math.Round(p.Lon*unit) / unit, math.Round(p.Lat*unit) / unit}
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

// appendRing appends positions and the end of their list.
func appendRing(b []byte, ring Ring, decimals int) []byte {
	for i, p := range ring {
		b = appendComma(b, i, '[')
		b = strconv.AppendFloat(b, p.Lon, 'f', decimals, 64)
		b = append(b, ',')
		b = strconv.AppendFloat(b, p.Lat, 'f', decimals, 64)
		b = append(b, ']')
	}
	return append(b, ']')
}

func appendComma(b []byte, i int, begin byte) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(b, begin)
}

// box bounds points. The zero value is for none.
type box struct {
	low, high Point
	some      bool
}

func (b *box) add(p Point) {
	if !b.some {
		b.low, b.high, b.some = p, p, true
		return
	}
	b.low = Point{min(b.low.Lon, p.Lon), min(b.low.Lat, p.Lat)}
	b.high = Point{max(b.high.Lon, p.Lon), max(b.high.Lat, p.Lat)}
}

func (b *box) has(p Point) bool {
	return p.Lat >= b.low.Lat && p.Lat <= b.high.Lat && p.Lon >= b.low.Lon && p.Lon <= b.high.Lon
}

// round are the longitudes that a point has, where outlines cross the antimeridian.
var round = [...]float64{0, 360, -360}

// area finds points in a shape.
type area struct {
	box      box
	polygons [][]ring
}

func newArea(shape *Shape) area {
	var a area
	for _, polygon := range shape.Polygons {
		var rings []ring
		for _, points := range polygon {
			rings = append(rings, newRing(points))
		}
		a.box.add(rings[0].box.low)
		a.box.add(rings[0].box.high)
		a.polygons = append(a.polygons, rings)
	}
	return a
}

func (a *area) has(p Point) bool {
	near := false
	for _, turn := range round {
		near = near || a.box.has(Point{p.Lon + turn, p.Lat})
	}
	return near && slices.ContainsFunc(a.polygons, func(rings []ring) bool {
		if rings[0].where(p) == outside {
			return false
		}
		for i := range rings[1:] {
			if rings[1+i].where(p) == inside {
				return false
			}
		}
		return true
	})
}

// The places of a point as to a ring.
const (
	outside = -1
	onEdge  = 0
	inside  = 1
)

// ring finds points in a ring. Its edges are listed by bands of latitude.
type ring struct {
	box    box
	points Ring
	height float64 // of a band, in degrees
	from   []int32 // of each band, and the end: its edges in list
	list   []int32 // edges, by their first points
}

const edgesPerBand = 8

func newRing(points Ring) ring {
	r := ring{points: points}
	for _, p := range points {
		r.box.add(p)
	}
	edges := len(points) - 1
	bands := max(1, min(edges/edgesPerBand, 1<<14))
	if r.height = (r.box.high.Lat - r.box.low.Lat) / float64(bands); r.height <= 0 || edges/bands >= edges {
		bands, r.height = 1, math.Inf(1)
	}
	r.from = make([]int32, bands+1)
	each := func(do func(edge, band int)) {
		for i := range edges {
			a, b := points[i].Lat, points[i+1].Lat
			for band := r.band(min(a, b)); band <= r.band(max(a, b)); band++ {
				do(i, band)
			}
		}
	}
	each(func(_, band int) { r.from[band+1]++ })
	for i := range bands {
		r.from[i+1] += r.from[i]
	}
	r.list = make([]int32, r.from[bands])
	next := slices.Clone(r.from)
	each(func(edge, band int) {
		r.list[next[band]] = int32(edge)
		next[band]++
	})
	return r
}

// band is the one that a latitude is of. It does not fall where the latitude rises,
// so an edge is in the bands of all of its latitudes.
func (r *ring) band(lat float64) int {
	return max(0, min(int((lat-r.box.low.Lat)/r.height), len(r.from)-2))
}

func (r *ring) where(p Point) int {
	for _, turn := range round {
		if at := (Point{p.Lon + turn, p.Lat}); r.box.has(at) {
			if w := r.locate(at); w != outside {
				return w
			}
		}
	}
	return outside
}

// locate counts how often the line from a point to the east meets the ring.
func (r *ring) locate(p Point) int {
	odd := false
	band := r.band(p.Lat)
	for _, i := range r.list[r.from[band]:r.from[band+1]] {
		a, b := r.points[i], r.points[i+1]
		if a.Lat == p.Lat && (a.Lon == p.Lon || b.Lat == p.Lat && (a.Lon > p.Lon) != (b.Lon > p.Lon)) {
			return onEdge // on its first point, or between the ends of a level one
		}
		if (a.Lat > p.Lat) == (b.Lat > p.Lat) || a.Lon < p.Lon && b.Lon < p.Lon {
			continue
		}
		if a.Lon > p.Lon && b.Lon > p.Lon {
			odd = !odd
			continue
		}
		switch side := sideOf(a, b, p); {
		case side == 0:
			return onEdge
		case (side > 0) == (b.Lat > a.Lat):
			odd = !odd
		}
	}
	if odd {
		return inside
	}
	return outside
}

// sideOf is above 0 for a point left of the line from a to b, below it for one to the
// right, and 0 for one on the line: exactly.
func sideOf(a, b, p Point) int {
	left := float64((b.Lon - a.Lon) * (p.Lat - a.Lat)) // not fused with the subtraction
	right := float64((b.Lat - a.Lat) * (p.Lon - a.Lon))
	// What rounding may do to the difference: Shewchuk, Adaptive Precision
	// Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997.
	const epsilon = 1.0 / (1 << 53)
	if d := left - right; math.Abs(d) > (3+16*epsilon)*epsilon*(math.Abs(left)+math.Abs(right)) {
		if d > 0 {
			return 1
		}
		return -1
	}
	minus := func(x, y float64) *big.Rat {
		d := new(big.Rat).SetFloat64(x)
		return d.Sub(d, new(big.Rat).SetFloat64(y))
	}
	l, r := minus(b.Lon, a.Lon), minus(b.Lat, a.Lat)
	return l.Mul(l, minus(p.Lat, a.Lat)).Cmp(r.Mul(r, minus(p.Lon, a.Lon)))
}
