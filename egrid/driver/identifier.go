package driver

import (
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

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

// Term is a part of a search. A row has it that has every one of Words in one of the
// columns that the plan searches, or that lies in State.
type Term struct {
	Words []string
	State string // postal abbreviation of the state whose name Words are; empty where they are no name
}

// Terms returns the parts of the plan's search: a row has to have all of them. Words that
// stand together and are the name of a state, as new mexico, are one part, where Input has the
// states; the longest name counts, so that west virginia is not Virginia. Every other word
// is a part of its own.
func (p *Plan) Terms() []Term {
	var terms []Term
	for at := 0; at < len(p.Words); {
		t := Term{Words: p.Words[at : at+1]}
		if p.Input.Has(egrid.State) {
			for _, s := range statesByName() {
				if rest := p.Words[at:]; len(s.Words) <= len(rest) && slices.Equal(s.Words, rest[:len(s.Words)]) {
					t = s
					break
				}
			}
		}
		terms = append(terms, t)
		at += len(t.Words)
	}
	return terms
}

// statesByName are the states whose names the dictionary has, the names of most words first.
var statesByName = sync.OnceValue(func() []Term {
	var terms []Term
	for _, s := range egrid.NamedRegions(egrid.ST) {
		terms = append(terms, Term{Words: strings.Fields(lowerASCII(s.Name)), State: s.Code})
	}
	slices.SortStableFunc(terms, func(a, b Term) int { return len(b.Words) - len(a.Words) })
	return terms
})
