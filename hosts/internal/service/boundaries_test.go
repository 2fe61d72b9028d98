package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

func TestBoundaries(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := write("whole.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"subregion":"CAMX"},
		"geometry":{"type":"Polygon","coordinates":[[[-120,35],[-119,35],[-119,36],[-120,35]]]}}]}`)
	for name, test := range map[string]struct {
		shapes string
		drawn  string
		want   string
	}{
		"none":    {},
		"a file":  {shapes: whole, drawn: `"subregion":"CAMX"`},
		"no file": {shapes: filepath.Join(folder, "nothing.geojson"), want: "--shapes: open"},
		"folder":  {shapes: folder, want: "--shapes: read " + folder},
		"no json": {shapes: write("no.json", "subregion,geometry\n"), want: "no.json: it is no GeoJSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o dashboard.Options
			err := (&service.Boundaries{Shapes: test.shapes}).Draw(&o)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("error %v; want %q", err, test.want)
			}
			if (o.Shapes != nil) != (test.drawn != "") || !strings.Contains(string(o.Shapes), test.drawn) {
				t.Errorf("shapes are %s; want %q", o.Shapes, test.drawn)
			}
		})
	}
}
