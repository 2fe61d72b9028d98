package driver

import (
	"github.com/egrid-analytics/egrid-go/egrid"
)

// PlaceColumns are what a plant is called and where it is: what a sheet of plants may
// get from generators of the same plants.
func PlaceColumns() []egrid.Column {
	return []egrid.Column{egrid.PlantName, egrid.State, egrid.County, egrid.Latitude, egrid.Longitude}
}

// gapsIn are how many rows lack a value in such columns.
func gapsIn(b *egrid.Batch) map[egrid.Column]int64 {
	var gaps map[egrid.Column]int64
	for _, c := range PlaceColumns() {
		at := b.Schema().Index(c)
		if at < 0 || b.Column(at).Missing() == 0 {
			continue
		}
		if gaps == nil {
			gaps = map[egrid.Column]int64{}
		}
		gaps[c] = int64(b.Column(at).Missing())
	}
	return gaps
}

// addGaps adds those of more rows.
func addGaps(gaps, more map[egrid.Column]int64) map[egrid.Column]int64 {
	for c, n := range more {
		if gaps == nil {
			gaps = map[egrid.Column]int64{}
		}
		gaps[c] += n
	}
	return gaps
}
