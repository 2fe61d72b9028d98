package inventory

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// locate finds the subregion that a site's coordinates lie in.
func (v *Inventory) locate(s *Site) (code, reason string) {
	if s.Latitude == "" || s.Longitude == "" {
		return "", "of the coordinates only one is given"
	}
	if v.o.Shapes == nil {
		return "", "coordinates need the outlines of subregions, and none are loaded (--shapes FILE.geojson)"
	}
	lat, okLat := degrees(s.Latitude, 90)
	lon, okLon := degrees(s.Longitude, 180)
	if !okLat || !okLon {
		return "", fmt.Sprintf("the coordinates %.20q, %.20q are no latitude and longitude in decimal degrees", s.Latitude, s.Longitude)
	}
	switch codes := v.o.Shapes.Find(lat, lon); len(codes) {
	case 0:
		return "", fmt.Sprintf("the coordinates %s, %s lie in no subregion of the outlines%s", s.Latitude, s.Longitude, v.meant(lat, lon))
	case 1:
		return codes[0], ""
	default:
		return "", fmt.Sprintf("the coordinates %s, %s lie on the border of %s", s.Latitude, s.Longitude, strings.Join(codes, " and "))
	}
}

// meant is what somebody may have meant by coordinates that lie nowhere.
func (v *Inventory) meant(lat, lon float64) string {
	if codes := v.o.Shapes.Find(lat, -lon); lon > 0 && codes != nil {
		return fmt.Sprintf("; with a longitude below 0, which is west, they would lie in %s", codes[0])
	}
	if codes := v.o.Shapes.Find(lon, lat); codes != nil {
		return fmt.Sprintf("; the other way round they would lie in %s", codes[0])
	}
	return ""
}

// degrees reads decimal degrees, up to a number of them.
func degrees(text string, most float64) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && plainDigits(text) && math.Abs(x) <= most
}
