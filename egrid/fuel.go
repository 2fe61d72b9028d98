package egrid

import "slices"

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

// FuelShares are the columns of the resource mix: shares of a region's or a
// plant's net generation that make up a whole.
func FuelShares() []Column {
	return []Column{
		CoalShare, OilShare, GasShare, NuclearShare, HydroShare, BiomassShare,
		WindShare, SolarShare, GeothermalShare, OtherFossilShare, OtherUnknownShare,
	}
}
