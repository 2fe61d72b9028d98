package store

import (
	"github.com/egrid-analytics/egrid-go/egrid"
)

// PlantMove is a plant that an edition places in another region than the one before did.
type PlantMove struct {
	Column      egrid.Column // of the region: subregion, balancing_authority, nerc_region or state
	From, To    string       // codes of the regions
	FromYear    int          // last data year with the one
	ToYear      int          // first data year with the other
	FromRelease string
	ToRelease   string
}

// PlantMoves says when a plant moved between regions, from its [DB.PlantHistory]: the
// oldest move first. A year that does not name the region is passed over. Editions that
// are not loaded may lie between the two years, and regions be drawn anew: a plant that
// moved need not have changed.
func PlantMoves(history egrid.RowPage) []PlantMove {
	type place struct {
		code, release string
		year          int
	}
	var moves []PlantMove
	last := map[egrid.Column]place{}
	for row := range history.Rows() {
		year, _ := row.Int(egrid.Year)
		for _, column := range []egrid.Column{egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion, egrid.State} {
			now := place{row.Text(column), row.Text(egrid.ReleaseColumn), int(year)}
			if now.code == "" {
				continue
			}
			if before := last[column]; before.code != "" && before.code != now.code {
				moves = append(moves, PlantMove{column, before.code, now.code, before.year, now.year, before.release, now.release})
			}
			last[column] = now
		}
	}
	return moves
}
