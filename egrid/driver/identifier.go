package driver

import "github.com/egrid-analytics/egrid-go/egrid"

// SearchColumns returns the text columns in which a free-text search looks.
func SearchColumns(level egrid.Level) []egrid.Column {
	switch level {
	case egrid.UNT:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.UnitID}
	case egrid.GEN:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.GeneratorID}
	case egrid.PLNT:
		return []egrid.Column{egrid.PlantName, egrid.PlantCode, egrid.OperatorName, "utility_name", egrid.County}
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
	case egrid.ZIP:
		return []egrid.Column{egrid.ZIPCode, "utility_name"}
	}
	return nil
}
