package egrid

import (
	_ "embed" // for the names
	"encoding/csv"
	"strings"
	"sync"
)

// Names of states are those of the US Postal Service; of subregions and NERC regions
// those of EPA's region sheets of 2018 (v2) and 2023 (columns SRNAME and NERCNAME);
// SPP is of the sheets until 2016. Balancing authorities come and go with each edition,
// so their names are in the sheets alone (balancing_authority_name).
//
//go:embed regions.csv
var regionsCSV string

// NamedRegion is a region with the name that people know it by.
type NamedRegion struct {
	Level Level  `json:"level"` // ST, SRL, NRL or US
	Code  string `json:"code"`  // e.g. TX, CAMX, WECC
	Name  string `json:"name"`  // e.g. Texas, WECC California
}

var loadRegions = sync.OnceValue(func() map[Level][]NamedRegion {
	rows, err := csv.NewReader(strings.NewReader(regionsCSV)).ReadAll()
	if err != nil {
		panic("egrid: regions.csv: " + err.Error())
	}
	regions := map[Level][]NamedRegion{}
	for _, row := range rows[1:] {
		r := NamedRegion{Level: Level(row[0]), Code: row[1], Name: row[2]}
		regions[r.Level] = append(regions[r.Level], r)
	}
	return regions
})

// NamedRegions returns the states, subregions or NERC regions whose names the dictionary
// knows, by code; none for another level. Data may have others: regions change with the
// editions.
func NamedRegions(level Level) []NamedRegion {
	return append([]NamedRegion(nil), loadRegions()[level]...)
}

// RegionName returns the name of a state, subregion or NERC region by its code in either
// letter case, e.g. Texas for TX at level [ST]. It is false for a code that the dictionary
// does not know.
func RegionName(level Level, code string) (string, bool) {
	for _, r := range loadRegions()[level] {
		if strings.EqualFold(r.Code, code) {
			return r.Name, true
		}
	}
	return "", false
}

// RegionCode reads a region as people write it, by code or by name in any letter case,
// and returns its code: TX for tx and for Texas. It is false for what is neither.
func RegionCode(level Level, text string) (string, bool) {
	text = strings.TrimSpace(text)
	for _, r := range loadRegions()[level] {
		if strings.EqualFold(r.Code, text) || strings.EqualFold(r.Name, text) {
			return r.Code, true
		}
	}
	return "", false
}
