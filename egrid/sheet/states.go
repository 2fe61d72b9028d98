package sheet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// stateName is the transformation of a column of full names into postal
// abbreviations.
const stateName = "state_name"

// postal has the abbreviations of states by their names in capitals.
var postal = map[string]string{
	"ALABAMA": "AL", "ALASKA": "AK", "ARIZONA": "AZ", "ARKANSAS": "AR", "CALIFORNIA": "CA", "COLORADO": "CO", "CONNECTICUT": "CT", "DELAWARE": "DE",
	"DISTRICT OF COLUMBIA": "DC", "WASHINGTON DC": "DC", "FLORIDA": "FL", "GEORGIA": "GA", "HAWAII": "HI", "IDAHO": "ID", "ILLINOIS": "IL", "INDIANA": "IN", "IOWA": "IA",
	"KANSAS": "KS", "KENTUCKY": "KY", "LOUISIANA": "LA", "MAINE": "ME", "MARYLAND": "MD", "MASSACHUSETTS": "MA", "MICHIGAN": "MI", "MINNESOTA": "MN",
	"MISSISSIPPI": "MS", "MISSOURI": "MO", "MONTANA": "MT", "NEBRASKA": "NE", "NEVADA": "NV", "NEW HAMPSHIRE": "NH", "NEW JERSEY": "NJ", "NEW MEXICO": "NM",
	"NEW YORK": "NY", "NORTH CAROLINA": "NC", "NORTH DAKOTA": "ND", "OHIO": "OH", "OKLAHOMA": "OK", "OREGON": "OR", "PENNSYLVANIA": "PA", "RHODE ISLAND": "RI",
	"SOUTH CAROLINA": "SC", "SOUTH DAKOTA": "SD", "TENNESSEE": "TN", "TEXAS": "TX", "UTAH": "UT", "VERMONT": "VT", "VIRGINIA": "VA", "WASHINGTON": "WA",
	"WEST VIRGINIA": "WV", "WISCONSIN": "WI", "WYOMING": "WY",
	"AMERICAN SAMOA": "AS", "GUAM": "GU", "NORTHERN MARIANA ISLANDS": "MP", "PUERTO RICO": "PR", "VIRGIN ISLANDS": "VI", "U S VIRGIN ISLANDS": "VI",
}

// postalOf is the abbreviation of a state; false for a text that is neither one nor
// the name of a state.
func postalOf(text string) (string, bool) {
	words := strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool { return r == ' ' || r == '.' || r == ',' || r == '_' || r == '\u00a0' })
	name := strings.Join(words, " ")
	if code, ok := postal[strings.Replace(name, " D C", " DC", 1)]; ok {
		return code, true
	}
	if code := strings.TrimSpace(text); len(code) == 2 {
		return strings.ToUpper(code), true
	}
	return "", false
}

var errNoState = errors.New("neither a postal abbreviation nor the name of a state; write the abbreviation")

// byName reports whether a column has the names of states, but for a few labels, and
// which comes first.
func byName(rows [][]string, at int) (first string, yes bool) {
	names, others := 0, 0
	for _, row := range rows {
		if at >= len(row) || cell.Missing(row[at]) || filledCells(row) < 2 {
			continue
		}
		if _, known := postalOf(row[at]); !known {
			others++
			continue
		}
		if names++; first == "" && len(strings.TrimSpace(row[at])) > 2 {
			first = row[at]
		}
	}
	const most = 10 // of names for a label, as of a total
	return first, first != "" && names >= most*others || first != "" && others <= 1 && names > others
}

// namesStates decides whether a column that claims to hold states, and holds no
// abbreviations, has their names and is the only one that tells the states. Then they
// are translated.
func (s *Sheet) namesStates(cells []headerCell, sample func() [][]string, at int, m *Mapping) bool {
	for i, c := range cells {
		if f, known := lookupHeader(s.Level, c, m); known && f.Column == egrid.State && i != at && anyValue(sample(), i) && abbreviations(sample, i) {
			return false
		}
	}
	first, yes := byName(sample(), at)
	if yes {
		s.found("state", "translated", fmt.Sprintf("full names in column %s, as %s", cells[at].code, strconv.Quote(shorten(strings.TrimSpace(first), 40))))
	}
	return yes
}
