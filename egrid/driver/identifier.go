package driver

import "github.com/egrid-analytics/egrid-go/egrid"

// Identifier returns the columns that identify a row within a sheet of the
// level, nil when a sheet with these columns has none, and no columns for the US,
// which has one row. In real sheets several rows may share an identifier. Where a
// sheet has no ORIS codes, state and plant name stand in for them.
func Identifier(level egrid.Level, has func(egrid.Column) bool) []egrid.Column {
	plant := []egrid.Column{egrid.PlantCode}
	if !has(egrid.PlantCode) {
		plant = []egrid.Column{egrid.State, egrid.PlantName}
	}
	var id []egrid.Column
	switch level {
	case egrid.UNT:
		id = append(plant, egrid.Unit, egrid.PrimeMover)
	case egrid.GEN:
		id = append(plant, egrid.Generator)
	case egrid.PLNT, egrid.DEMO:
		id = plant
	case egrid.ST:
		id = []egrid.Column{egrid.State}
	case egrid.BA:
		id = []egrid.Column{egrid.BalancingAuthority}
	case egrid.SRL:
		id = []egrid.Column{egrid.Subregion}
	case egrid.NRL:
		id = []egrid.Column{egrid.NERCRegion}
	case egrid.GGL:
		id = []egrid.Column{egrid.Region}
	case egrid.US:
		return []egrid.Column{}
	}
	for _, c := range id {
		if !has(c) {
			return nil
		}
	}
	return id
}

// SearchColumns returns the text columns in which a free-text search looks.
func SearchColumns(level egrid.Level) []egrid.Column {
	switch level {
	case egrid.UNT:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.Unit}
	case egrid.GEN:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.Generator}
	case egrid.PLNT:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.Operator, "utility_name", egrid.County}
	case egrid.DEMO:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode}
	case egrid.ST:
		return []egrid.Column{egrid.State}
	case egrid.BA:
		return []egrid.Column{egrid.BalancingAuthority, egrid.BalancingAuthorityName}
	case egrid.SRL:
		return []egrid.Column{egrid.Subregion, "subregion_name"}
	case egrid.NRL:
		return []egrid.Column{egrid.NERCRegion, "nerc_region_name"}
	case egrid.GGL:
		return []egrid.Column{egrid.Region, "subregions"}
	}
	return nil
}
