package service

import (
	"fmt"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// Boundaries is the flag of the boundaries that the map draws, and that the sites of
// an inventory are placed by.
type Boundaries struct {
	Shapes string `help:"GeoJSON file with the boundaries of the eGRID subregions, for the map and for sites with coordinates: polygons in longitude and latitude with a property subregion. Default: none." type:"path" placeholder:"FILE"`
}

// Place reads the boundaries for the API's options, where a file is named.
func (b *Boundaries) Place(o *httpapi.Options) (err error) {
	if b.Shapes == "" {
		return nil
	}
	if o.Shapes, err = shapes.Open(b.Shapes, nil); err != nil {
		return fmt.Errorf("--shapes: %w", err)
	}
	return nil
}

// Draw puts the boundaries into the page's options, where a file is named.
func (b *Boundaries) Draw(o *dashboard.Options) error {
	if b.Shapes == "" {
		return nil
	}
	f, err := os.Open(b.Shapes)
	if err != nil {
		return fmt.Errorf("--shapes: %w", err)
	}
	defer f.Close()
	if o.Shapes, err = dashboard.ReadShapes(f); err != nil {
		return fmt.Errorf("--shapes %s: %w", b.Shapes, err)
	}
	return nil
}
