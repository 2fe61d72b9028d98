package service

import (
	"fmt"
	"os"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// Boundaries is the flag of the boundaries that the map draws.
type Boundaries struct {
	Shapes string `help:"GeoJSON file with the boundaries of the eGRID subregions, for the map: polygons in longitude and latitude with a property subregion. Default: none." type:"path" placeholder:"FILE"`
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
