package service

import (
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// Boundaries is the flag of the boundaries that the map draws, and that the sites of
// an inventory are placed by.
type Boundaries struct {
	Shapes string `help:"GeoJSON file with the boundaries of the eGRID subregions, for the map and for sites with coordinates: polygons in longitude and latitude with a property subregion. Default: none." type:"path" placeholder:"FILE"`

	set *shapes.Set // of the file, once it is read
}

// read reads the file, where one is named.
func (b *Boundaries) read() (err error) {
	if b.Shapes == "" || b.set != nil {
		return nil
	}
	if b.set, err = shapes.Open(b.Shapes, nil); err != nil {
		return fmt.Errorf("--shapes: %w", err)
	}
	return nil
}

// Place gives the boundaries to the API's options, where a file is named.
func (b *Boundaries) Place(o *httpapi.Options) error {
	err := b.read()
	o.Shapes = b.set
	return err
}

// Draw gives the boundaries to the page's options, where a file is named: rounded to
// 11 m, which no map of a country shows.
func (b *Boundaries) Draw(o *dashboard.Options) error {
	if err := b.read(); err != nil || b.set == nil {
		return err
	}
	const decimals, most = 4, 32 << 20
	o.Shapes = b.set.AppendGeoJSON(nil, decimals)
	if len(o.Shapes) > most {
		return fmt.Errorf("--shapes: %s is %d MiB on the map, and browsers are slow beyond %d: simplify the boundaries", b.set.Name(), len(o.Shapes)>>20, most>>20)
	}
	return nil
}
