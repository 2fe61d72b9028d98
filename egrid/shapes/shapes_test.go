package shapes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/shapes"
)

// feature writes a feature of some polygons.
func feature(property, code string, polygons ...[][][2]float64) string {
	coordinates, _ := json.Marshal(polygons)
	return fmt.Sprintf(`{"type":"Feature","properties":{%q:%q,"id":7},"geometry":{"type":"MultiPolygon","coordinates":%s}}`, property, code, coordinates)
}

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func read(t testing.TB, text string) *shapes.Set {
	t.Helper()
	s, err := shapes.Read(strings.NewReader(text), &shapes.Options{Name: "few.geojson"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// square is a ring round a middle.
func square(lon, lat, half float64) [][2]float64 {
	return [][2]float64{{lon - half, lat - half}, {lon + half, lat - half}, {lon + half, lat + half}, {lon - half, lat + half}, {lon - half, lat - half}}
}

func TestFind(t *testing.T) {
	t.Parallel()
	s := read(t, collection(
		feature("SUBRGN", "west", [][][2]float64{square(-110, 40, 10), square(-110, 40, 2)}),              // with a hole
		feature("SUBRGN", "EAST", [][][2]float64{square(-90, 40, 10)}, [][][2]float64{square(-60, 0, 1)}), // with an island
		feature("SUBRGN", "HOLE", [][][2]float64{square(-110, 40, 1)}),
		feature("SUBRGN", "DATE", [][][2]float64{square(-179, 60, 3), square(180, 60, 1)}), // its longitudes go to -182
		feature("SUBRGN", "JUMP", [][][2]float64{{{178, -10}, {-178, -10}, {-178, -5}, {178, -5}, {178, -10}}}),
		feature("SUBRGN", "CUTS", [][][2]float64{{{178, 10}, {180, 10}, {180, 15}, {178, 15}, {178, 10}}}, [][][2]float64{{{-180, 10}, {-178, 10}, {-178, 15}, {-180, 15}, {-180, 10}}}),
	))
	for _, test := range []struct {
		name     string
		lat, lon float64
		want     string
	}{
		{"inside", 45, -115, "WEST"},
		{"other side", 45, -85, "EAST"},
		{"common border", 45, -100, "EAST WEST"},
		{"corner of both", 50, -100, "EAST WEST"},
		{"outer border", 50, -110, "WEST"},
		{"corner", 30, -120, "WEST"},
		{"in the hole", 41.5, -110, ""},
		{"shape in the hole", 40, -110, "HOLE"},
		{"edge of the hole", 42, -110, "WEST"},
		{"corner of the hole", 42, -112, "WEST"},
		{"island", 0.5, -60.5, "EAST"},
		{"level with a corner", 50, -130, ""},
		{"level with an edge", 30, -75, ""},
		{"just off", math.Nextafter(50, 51), -110, ""},
		{"just in", math.Nextafter(50, 49), -110, "WEST"},
		{"beyond 180, from the west", 58, 179, "DATE"},
		{"beyond 180, from the east", 58, -177, "DATE"},
		{"hole beyond 180, from the west", 60.5, 179.5, ""},
		{"hole beyond 180, from the east", 60.5, -179.5, ""},
		{"across the antimeridian, west", -7, 179, "JUMP"},
		{"across the antimeridian, east", -7, -179, "JUMP"},
		{"on the antimeridian", -7, 180, "JUMP"},
		{"on it, from the other side", -7, -180, "JUMP"},
		{"not the way round", -7, 0, ""},
		{"cut there", 12, 180, "CUTS"},
		{"cut there, west", 12, 179, "CUTS"},
		{"cut there, east", 12, -179, "CUTS"},
		{"no latitude", 91, 0, ""},
		{"no number", math.NaN(), -110, ""},
	} {
		if got := strings.Join(s.Find(test.lat, test.lon), " "); got != test.want {
			t.Errorf("%s: %v, %v lies in %q; want %q", test.name, test.lat, test.lon, got, test.want)
		}
	}
	if got := (*shapes.Set)(nil).Find(40, -110); got != nil {
		t.Errorf("no shapes have %v", got)
	}
}

// oracle finds a point in a ring by rational numbers and each edge alone.
func oracle(ring [][2]float64, lon, lat float64) (in, edge bool) {
	r := func(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
	for i := range len(ring) - 1 {
		a, b := ring[i], ring[i+1]
		if lat < min(a[1], b[1]) || lat > max(a[1], b[1]) {
			continue // the edge has no point of that latitude
		}
		dx, dy := new(big.Rat).Sub(r(b[0]), r(a[0])), new(big.Rat).Sub(r(b[1]), r(a[1]))
		px, py := new(big.Rat).Sub(r(lon), r(a[0])), new(big.Rat).Sub(r(lat), r(a[1]))
		cross := new(big.Rat).Sub(new(big.Rat).Mul(dx, py), new(big.Rat).Mul(dy, px)).Sign()
		between := lon >= min(a[0], b[0]) && lon <= max(a[0], b[0]) && lat >= min(a[1], b[1]) && lat <= max(a[1], b[1])
		if cross == 0 && between {
			return false, true
		}
		if up := b[1] > a[1]; (a[1] <= lat) != (b[1] <= lat) && (cross > 0) == up {
			in = !in
		}
	}
	return in, false
}

// Rings of any form, with many points on their edges and corners, are as an
// evaluation by rational numbers has them.
func TestFindIsExact(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	edges, within := 0, 0
	for range 60 {
		n := 3 + random.IntN(400) // with bands and without
		var ring [][2]float64
		for i := range n { // a star, whose edges do not cross much
			angle, reach := 2*math.Pi*float64(i)/float64(n), 5+random.Float64()*20
			ring = append(ring, [2]float64{math.Round(8*reach*math.Cos(angle))/8 - 100, math.Round(8*reach*math.Sin(angle))/8 + 40})
		}
		ring = append(ring, ring[0])
		s := read(t, collection(feature("subregion", "STAR", [][][2]float64{ring})))
		for range 300 {
			i, share := random.IntN(n), float64(random.IntN(5))/4
			a, b := ring[i], ring[i+1]
			lon, lat := a[0]+share*(b[0]-a[0]), a[1]+share*(b[1]-a[1]) // on the edge, but for rounding
			switch random.IntN(4) {
			case 0:
				lon = math.Nextafter(lon, 0)
			case 1:
				lat = math.Nextafter(lat, 90)
			case 2:
				lon, lat = math.Round(random.Float64()*400)/8-125, math.Round(random.Float64()*400)/8+15
			}
			in, edge := oracle(ring, lon, lat)
			if got := s.Find(lat, lon) != nil; got != (in || edge) {
				t.Fatalf("%v, %v in %v: %v; want %v, on its edge %v", lon, lat, ring, got, in, edge)
			}
			if edge {
				edges++
			}
			if in {
				within++
			}
		}
	}
	if edges < 2000 || within < 2000 {
		t.Errorf("only %d points on edges and %d inside", edges, within)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	s := read(t, "\ufeff"+`{"type":"FeatureCollection","name":"x","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4269"}},"features":[
		{"type":"Feature","properties":{"OBJECTID":1,"Code":"camx ","Shape":"poly"},"geometry":{"type":"Polygon","coordinates":[[[1,1,50],[2,1,50],[2,2,50],[1,1,50]]]}},
		{"type":"Feature","properties":{"OBJECTID":2,"Code":"ERCT","Shape":"multi"},"geometry":{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":[[[5,5],[6,5],[6,6],[5,5]]]}]}},
		{"type":"Feature","properties":{"OBJECTID":3,"Code":"CAMX","Shape":"poly"},"geometry":{"type":"Polygon","coordinates":[[[8,8],[9,8],[9,9],[8,8]]]}}]}`)
	var codes []string
	for _, shape := range s.Shapes() {
		codes = append(codes, fmt.Sprint(shape.Code, len(shape.Polygons)))
	}
	if !slices.Equal(codes, []string{"CAMX2", "ERCT1"}) || s.Name() != "few.geojson" || len(s.SHA256()) != 64 {
		t.Errorf("%v of %s, %s", codes, s.Name(), s.SHA256())
	}
	again := read(t, string(s.AppendGeoJSON(nil, -1)))
	if fmt.Sprint(again.Shapes()) != fmt.Sprint(s.Shapes()) {
		t.Errorf("written and read again: %v; want %v", again.Shapes(), s.Shapes())
	}
}

// Rounded to four decimals two positions fall together, and a speck is nothing any more.
func TestAppendRounded(t *testing.T) {
	t.Parallel()
	s := read(t, `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"AKGD"},"geometry":{"type":"MultiPolygon","coordinates":[
		[[[-150.123456,61],[-150.123451,61],[-149,61],[-149,62],[-150.123456,61]]],
		[[[-120,35],[-120.00001,35],[-120.00001,35.00001],[-120,35]],[[-119.6,35.2],[-119.4,35.2],[-119.4,35.4],[-119.6,35.2]]],
		[[[5,5],[6,5],[6,6],[5,5]],[[5.5,5.1],[5.50001,5.1],[5.50001,5.10001],[5.5,5.1]]]]}}]}`)
	const want = `{"type":"FeatureCollection","name":"few.geojson","features":[{"type":"Feature","properties":{"subregion":"AKGD"},"geometry":{"type":"MultiPolygon","coordinates":[` +
		`[[[-150.1235,61.0000],[-149.0000,61.0000],[-149.0000,62.0000],[-150.1235,61.0000]]],[[[5.0000,5.0000],[6.0000,5.0000],[6.0000,6.0000],[5.0000,5.0000]]]]}}]}`
	if got := string(s.AppendGeoJSON(nil, 4)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	ok := feature("subregion", "CAMX", [][][2]float64{square(-110, 40, 1)})
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"no JSON":       {"PK\x03\x04", []string{"no GeoJSON", "ogr2ogr"}},
		"TopoJSON":      {`{"type":"Topology"}`, []string{`type "Topology"`, "ogr2ogr"}},
		"nothing":       {collection(), []string{"no features"}},
		"projected":     {`{"type":"FeatureCollection","crs":{"properties":{"name":"urn:ogc:def:crs:EPSG::3857"}},"features":[` + ok + `]}`, []string{"EPSG::3857", "EPSG:4326"}},
		"metres":        {collection(feature("subregion", "CAMX", [][][2]float64{square(-13358338, 4865942, 9)})), []string{"feature 1 (CAMX)", "polygon 1, ring 1", "position 1", "projected"}},
		"turned":        {collection(feature("subregion", "CAMX", [][][2]float64{square(40, -110, 1)})), []string{"other way round"}},
		"a point":       {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":{"type":"Point","coordinates":[1,2]}}]}`, []string{"feature 1 (CAMX)", `"Point"`, "polygons"}},
		"no geometry":   {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":null}]}`, []string{"feature 1 (CAMX)", "no geometry"}},
		"no code":       {collection(feature("name", "California", [][][2]float64{square(-110, 40, 1)})), []string{"call the one that has them subregion", `"name"`}},
		"two codes":     {strings.ReplaceAll(collection(ok), `"subregion":"CAMX"`, `"a":"CAMX","b":"ERCT"`), []string{`"a" "b"`, "subregion"}},
		"blank code":    {collection(ok, feature("subregion", " ", [][][2]float64{square(-110, 40, 1)})), []string{"feature 2", "no text"}},
		"odd code":      {collection(feature("subregion", "<script>", [][][2]float64{square(-110, 40, 1)})), []string{"feature 1", "letters and digits"}},
		"open":          {collection(feature("subregion", "CAMX", [][][2]float64{square(-110, 40, 1)[:4]})), []string{"not closed"}},
		"two points":    {collection(feature("subregion", "CAMX", [][][2]float64{square(-110, 40, 1)[:2]})), []string{"2 positions"}},
		"round a pole":  {collection(feature("subregion", "CAMX", [][][2]float64{{{-120, 80}, {0, 80}, {120, 80}, {-120, 80}}})), []string{"pole", "antimeridian"}},
		"one number":    {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":{"type":"Polygon","coordinates":[[[1],[2],[3],[1]]]}}]}`, []string{"position 1 has 1 numbers"}},
		"text":          {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":{"type":"Polygon","coordinates":"1,2"}}]}`, []string{"no polygon's"}},
		"empty polygon": {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":{"type":"Polygon","coordinates":[]}}]}`, []string{"no ring"}},
	} {
		_, err := shapes.Read(strings.NewReader(test.text), &shapes.Options{Name: "few.geojson"})
		if !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range append(test.want, "few.geojson") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
	}
	if _, err := shapes.Read(strings.NewReader(collection(ok)), &shapes.Options{Property: "SRL"}); err == nil || !strings.Contains(err.Error(), `"SRL"`) || !strings.Contains(err.Error(), `"subregion"`) {
		t.Errorf("a property that there is not: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(collection(feature("subregion", "CAMX", [][][2]float64{square(-110, 40, 1)})), 40.0, -110.0)
	f.Add(collection(feature("subregion", "JUMP", [][][2]float64{{{178, -10}, {-178, -10}, {-178, -5}, {178, -10}}})), -7.0, 179.0)
	f.Fuzz(func(t *testing.T, text string, lat, lon float64) {
		s, err := shapes.Read(strings.NewReader(text), nil)
		if err != nil {
			return
		}
		found := s.Find(lat, lon)
		again, err := shapes.Read(strings.NewReader(string(s.AppendGeoJSON(nil, -1))), nil)
		if err != nil || !slices.Equal(again.Find(lat, lon), found) {
			t.Errorf("%v, %v lies in %v; written and read again %v, %v", lat, lon, found, again.Find(lat, lon), err)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	var features []string
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 27 {
		var ring [][2]float64
		const n = 4000
		for k := range n {
			angle, reach := 2*math.Pi*float64(k)/n, 3+random.Float64()*0.1
			ring = append(ring, [2]float64{-120 + 6*float64(i%9) + reach*math.Cos(angle), 30 + 6*float64(i/9) + reach*math.Sin(angle)})
		}
		features = append(features, feature("subregion", fmt.Sprintf("S%03d", i), [][][2]float64{append(ring, ring[0])}))
	}
	s := read(b, collection(features...))
	for b.Loop() {
		s.Find(28+18*random.Float64(), -123+54*random.Float64())
	}
}

func ExampleSet_Find() {
	const file = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},
		"geometry":{"type":"Polygon","coordinates":[[[-124,33],[-115,33],[-115,42],[-124,42],[-124,33]]]}}]}`
	set, err := shapes.Read(strings.NewReader(file), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Find(36.7, -119.8), set.Find(40.7, -74))
	// Output: [CAMX] []
}
