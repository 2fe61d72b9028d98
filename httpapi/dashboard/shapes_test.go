package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

func TestShapes(t *testing.T) {
	t.Parallel()
	const boundaries = `{"type":"FeatureCollection","name":"Two","features":[]}`
	h := dashboard.New(&dashboard.Options{Shapes: []byte(boundaries)})
	w := get(h, "/assets/shapes.json")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/geo+json" || w.Header().Get("Etag") == "" || w.Body.String() != boundaries {
		t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
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
