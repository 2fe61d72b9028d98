package egrid

// Identifier returns the columns that identify a row within a sheet of the
// level, nil when a sheet with these columns has none, and no columns for the US,
// which has one row. In real sheets several rows may share an identifier. Where a
// sheet has no ORIS codes, state and plant name stand in for them; a crosswalk of
// ZIP codes has a row for each utility where it names them.
func Identifier(level Level, has func(Column) bool) []Column {
	plant := []Column{PlantCode}
	if !has(PlantCode) {
		plant = []Column{State, PlantName}
	}
	var id []Column
	switch level {
	case UNT:
		id = append(plant, UnitID, PrimeMover)
	case GEN:
		id = append(plant, GeneratorID)
	case PLNT, DEMO:
		id = plant
	case ST:
		id = []Column{State}
	case BA:
		id = []Column{BalancingAuthority}
	case SRL:
		id = []Column{Subregion}
	case NRL:
		id = []Column{NERCRegion}
	case GGL:
		id = []Column{Region}
	case ZIP:
		id = []Column{ZIPCode}
		for _, utility := range []Column{"utility_id", "utility_name"} {
			if has(utility) {
				id = append(id, utility)
				break
			}
		}
	case US:
		return []Column{}
	}
	for _, c := range id {
		if !has(c) {
			return nil
		}
	}
	return id
}
