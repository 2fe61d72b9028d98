package inventory_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/calc/inventory"
	"github.com/egrid-analytics/egrid-go/egrid/shapes"
)

const outlines = `{"type":"FeatureCollection","features":[
	{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":{"type":"Polygon","coordinates":[[[-124,33],[-114,33],[-114,42],[-124,42],[-124,33]],[[-120,35],[-119,35],[-119,36],[-120,36],[-120,35]]]}},
	{"type":"Feature","properties":{"subregion":"ERCT"},"geometry":{"type":"Polygon","coordinates":[[[-114,26],[-94,26],[-94,37],[-114,37],[-114,26]]]}},
	{"type":"Feature","properties":{"subregion":"AKGD"},"geometry":{"type":"Polygon","coordinates":[[[-155,58],[-145,58],[-145,65],[-155,65],[-155,58]]]}}]}`

func outlined(t testing.TB) *shapes.Set {
	t.Helper()
	s, err := shapes.Read(strings.NewReader(outlines), &shapes.Options{Name: "few.geojson"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Sites with coordinates are placed by the outlines, or come back with the reason; the
// finest that a site names counts.
func TestCoordinates(t *testing.T) {
	t.Parallel()
	const table = `site,Latitude,Longitude,subregion,zip,state,kwh
inside,36.7,-119.8,,,,1000
subregion goes before,36.7,-119.8,ERCT,,,1000
goes before the ZIP,30,-100,,94105,,1000
hole,35.5,-119.5,,,,1000
hole with a state,35.5,-119.5,,,CA,1000
border,35,-114,,,,1000
edge,42,-120,,,,1000
no sign,36.7,119.8,,,,1000
turned,-119.8,36.7,,94105,,1000
turned within 90,-90,30,,,,1000
text,36°42'N,119°48'W,,,CA,1000
half,36.7,,,,CA,1000
none,,,,94105,,1000
nothing,,,,,,1000
no factor,60,-150,,,,1000
`
	want := []struct{ region, precision, note, reason string }{
		{"CAMX", "coordinates", "", ""},
		{"ERCT", "subregion", "", ""},
		{"ERCT", "coordinates", "", ""},
		{"", "", "", "lie in no subregion of the outlines"},
		{"CA", "state", "lie in no subregion of the outlines; the factor is that of the state", ""},
		{"", "", "", "the coordinates 35, -114 lie on the border of CAMX and ERCT"},
		{"CAMX", "coordinates", "", ""},
		{"", "", "", "with a longitude below 0, which is west, they would lie in CAMX"},
		{"CAMX", "zip", `the coordinates "-119.8", "36.7" are no latitude and longitude`, ""},
		{"", "", "", "lie in no subregion of the outlines"},
		{"CA", "state", "no latitude and longitude in decimal degrees", ""},
		{"CA", "state", "only one is given", ""},
		{"CAMX", "zip", "", ""},
		{"", "", "", "names no subregion, coordinates, ZIP code"},
		{"", "", "", "no eGRID subregion AKGD in the eGRID of 2023"},
	}
	rows, totals := answered(t, sample(t), table, &inventory.Options{Shapes: outlined(t)})
	for i, row := range rows {
		w := want[i]
		if row["egrid_region"] != w.region || row["precision"] != w.precision || !strings.Contains(row["note"], w.note) || w.note == "" && row["note"] != "" ||
			!strings.Contains(row["reason"], w.reason) || w.reason == "" && row["reason"] != "" {
			t.Errorf("%s: %s by %s, note %q, reason %q; want %+v", row["site"], row["egrid_region"], row["precision"], row["note"], row["reason"], w)
		}
	}
	if totals.Sites != int64(len(want)) {
		t.Errorf("%d of %d sites", totals.Sites, len(want))
	}
	cites := 0
	for _, p := range totals.Places {
		notes := strings.Join(p.Factor.Notes, " ")
		if by := p.Precision == inventory.ByCoordinates; by != strings.Contains(notes, "few.geojson (SHA-256 "+outlined(t).SHA256()) {
			t.Errorf("%s by %s: %s", p.Code, p.Precision, notes)
		} else if by {
			cites++
		}
	}
	if cites != 2 {
		t.Errorf("%d places are of outlines", cites)
	}
}

// Without outlines coordinates place no site, and it is said what would.
func TestCoordinatesWithoutShapes(t *testing.T) {
	t.Parallel()
	rows, _ := answered(t, sample(t), "lat,lng,zip,mwh\n36.7,-119.8,,1\n36.7,-119.8,94105,1\n", nil)
	const missing = "coordinates need the outlines of subregions, and none are loaded (--shapes FILE.geojson)"
	if rows[0]["reason"] != missing || rows[1]["note"] != missing+"; the factor is that of the zip" || rows[1]["egrid_region"] != "CAMX" {
		t.Errorf("%v", rows)
	}
	for _, table := range []string{"latitude,mwh\n1,1\n", "lon,state,mwh\n1,CA,1\n"} {
		_, err := inventory.CSV(t.Context(), sample(t), strings.NewReader(table), &bytes.Buffer{}, nil)
		if err == nil || !strings.Contains(err.Error(), "a latitude and a longitude") {
			t.Errorf("%q: %v", table, err)
		}
	}
}
