package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// layout says which columns of a table hold what of a site; -1: none does.
type layout struct {
	subregion, latitude, longitude, zip, ba, state, year, quantity int
	perMWh                                                         float64
}

// names are headers without letter case, blanks and signs.
var names = map[string][]string{
	"subregion": {"subregion", "egridsubregion", "egridsubregioncode", "subregioncode", "subrgn"},
	"latitude":  {"lat", "latitude", "latitudedegrees", "sitelatitude", "sitelat"},
	"longitude": {"lon", "lng", "long", "longitude", "longitudedegrees", "sitelongitude", "sitelon"},
	"zip":       {"zip", "zipcode", "zip5", "postalcode", "postcode", "sitezip"},
	"ba":        {"ba", "balancingauthority", "balancingauthoritycode", "bacode"},
	"state":     {"state", "stateabbreviation", "statecode", "sitestate", "pstatabb"},
	"year":      {"year", "datayear", "reportingyear"},
}

func plainHeader(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// newLayout finds the columns of a header.
func newLayout(header []string) (layout, error) {
	l := layout{-1, -1, -1, -1, -1, -1, -1, -1, 0}
	at := map[string]*int{"subregion": &l.subregion, "latitude": &l.latitude, "longitude": &l.longitude, "zip": &l.zip, "ba": &l.ba, "state": &l.state, "year": &l.year}
	for i, h := range header {
		plain := plainHeader(h)
		for what, column := range at {
			for _, name := range names[what] {
				if plain != name {
					continue
				}
				if *column >= 0 {
					return l, fmt.Errorf("%w: the columns %q and %q both name the %s of a site", egrid.ErrInvalid, header[*column], h, what)
				}
				*column = i
			}
		}
		for unit, perMWh := range map[string]float64{"kwh": 0.001, "mwh": 1} {
			if !strings.Contains(plain, unit) || isRate(h, unit) {
				continue
			}
			if l.quantity >= 0 {
				return l, fmt.Errorf("%w: the columns %q and %q both may be the electricity used; keep one", egrid.ErrInvalid, header[l.quantity], h)
			}
			l.quantity, l.perMWh = i, perMWh
		}
	}
	if l.quantity < 0 {
		return l, fmt.Errorf("%w: no column holds the electricity used: give it a header such as kwh or mwh. There are: %s", egrid.ErrInvalid, strings.Join(header, ", "))
	}
	if (l.latitude < 0) != (l.longitude < 0) {
		return l, fmt.Errorf("%w: coordinates are a latitude and a longitude, and the table has one of them: give both columns, or rename the one. There are: %s", egrid.ErrInvalid, strings.Join(header, ", "))
	}
	if l.subregion < 0 && l.latitude < 0 && l.zip < 0 && l.ba < 0 && l.state < 0 {
		return l, fmt.Errorf("%w: no column says where the sites are: give one the header subregion, zip, ba or state, or two latitude and longitude. There are: %s", egrid.ErrInvalid, strings.Join(header, ", "))
	}
	return l, nil
}

// isRate reports whether a header names something per unit of electricity, as
// $/kWh or price per MWh, or electricity per something that is not time.
func isRate(header, unit string) bool {
	before, behind, _ := strings.Cut(strings.ToLower(header), unit)
	before = strings.TrimRight(before, " _-.([")
	if strings.HasSuffix(before, "/") || strings.HasSuffix(before, "per") {
		return true
	}
	behind = strings.TrimLeft(behind, " _-.)]")
	whole, ok := strings.CutPrefix(behind, "/")
	if !ok {
		if whole, ok = strings.CutPrefix(behind, "per"); !ok || strings.HasPrefix(whole, "iod") {
			return false
		}
	}
	whole = strings.TrimLeft(whole, " _-.")
	return !slices.ContainsFunc([]string{"y", "a", "annum", "month", "quarter"}, func(time string) bool {
		rest, ok := strings.CutPrefix(whole, time)
		return ok && (time == "y" || strings.Trim(rest, " _-.)]") == "")
	})
}

// site takes a record's cells. Short records lack their last cells.
func (l *layout) site(record []string, s *Site) {
	cell := func(i int) string {
		if i < 0 || i >= len(record) {
			return ""
		}
		return strings.TrimSpace(record[i])
	}
	s.Latitude, s.Longitude = cell(l.latitude), cell(l.longitude)
	s.Subregion, s.ZIP, s.BA, s.State = cell(l.subregion), cell(l.zip), cell(l.ba), cell(l.state)
	s.Year, s.Quantity, s.PerMWh, s.Fault = cell(l.year), cell(l.quantity), l.perMWh, ""
}
