package egrid

import (
	"fmt"
	"slices"
	"strings"
)

// fuelCategory is one of EPA's groups of energy sources.
type fuelCategory struct {
	name    string
	sources []string // EIA energy source codes
}

// The groups are those of EPA's production code of eGRID2023
// (fuel_type_categories.csv in github.com/USEPA/egrid), with the codes that
// its biomass adjustment and other editions add.
var fuelCategories = []fuelCategory{
	{"COAL", []string{"ANT", "BIT", "COG", "LIG", "RC", "SGC", "SUB", "WC"}},
	{"OIL", []string{"DFO", "JF", "KER", "PC", "RFO", "SGP", "WO"}},
	{"GAS", []string{"BU", "NG", "PG"}},
	{"OFSL", []string{"BFG", "MSN", "OG", "TDF"}},
	{"NUCLEAR", []string{"NUC"}},
	{"HYDRO", []string{"WAT"}},
	{"BIOMASS", []string{"AB", "BG", "BLQ", "DG", "LFG", "MSB", "MSW", "OBG", "OBL", "OBS", "SLW", "WDL", "WDS"}},
	{"WIND", []string{"WND"}},
	{"SOLAR", []string{"SUN"}},
	{"GEOTHERMAL", []string{"GEO"}},
	{"OTHF", []string{"H", "MWH", "OTH", "PRG", "PUR", "WH"}},
}

// FuelCategories returns EPA's fuel categories, e.g. COAL.
func FuelCategories() []string {
	names := make([]string, len(fuelCategories))
	for i, c := range fuelCategories {
		names[i] = c.name
	}
	return names
}

// FuelCategory returns the category of an EIA energy source code, e.g. GAS for
// NG. It is false for a code that EPA has in none.
func FuelCategory(source string) (string, bool) {
	for _, c := range fuelCategories {
		if slices.Contains(c.sources, source) {
			return c.name, true
		}
	}
	return "", false
}

// FuelsOf returns the EIA energy source codes of a category, nil for an
// unknown one.
func FuelsOf(category string) []string {
	for _, c := range fuelCategories {
		if c.name == category {
			return slices.Clone(c.sources)
		}
	}
	return nil
}

// ParseFuel reads an EIA energy source code in any letter case. The error wraps
// [ErrInvalid]; it names the category of fuels that is called so, or the nearest code.
func ParseFuel(s string) (string, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	if _, ok := FuelCategory(text); ok {
		return text, nil
	}
	var all []string
	for _, c := range fuelCategories {
		if c.name == text {
			return "", fmt.Errorf("%w: %s is no fuel but a category of fuels; ask for that, or for one of its fuels: %s", ErrInvalid, text, strings.Join(c.sources, ", "))
		}
		all = append(all, c.sources...)
	}
	hint := "; give an EIA energy source code, as NG"
	if meant := Nearest(text, all); meant != "" {
		hint = "; did you mean " + meant + "?"
	} else if meant := Nearest(text, FuelCategories()); meant != "" {
		hint = "; did you mean the category " + meant + "?"
	}
	return "", fmt.Errorf("%w: %q is no fuel%s", ErrInvalid, s, hint)
}

// ParseFuelCategory reads a fuel category in any letter case. The error wraps
// [ErrInvalid], lists the categories and names the nearest one.
func ParseFuelCategory(s string) (string, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	if FuelsOf(text) != nil {
		return text, nil
	}
	hint := ""
	if meant := Nearest(text, FuelCategories()); meant != "" {
		hint = "; did you mean " + meant + "?"
	} else if category, ok := FuelCategory(text); ok {
		hint = "; " + text + " is a fuel of the category " + category
	}
	return "", fmt.Errorf("%w: %q is no fuel category; those are %s%s", ErrInvalid, s, strings.Join(FuelCategories(), ", "), hint)
}

// FuelShares are the columns of the resource mix: shares of a region's or a
// plant's net generation that make up a whole.
func FuelShares() []Column {
	return []Column{
		CoalShare, OilShare, GasShare, NuclearShare, HydroShare, BiomassShare,
		WindShare, SolarShare, GeothermalShare, OtherFossilShare, OtherUnknownShare,
	}
}
