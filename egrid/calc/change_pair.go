package calc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// pairing holds two editions against each other, and remembers what could not be.
type pairing struct {
	from, to *factorSide
	absent   []string // levels that one edition alone has
	silent   []silence
	mixed    []egrid.Level // of which one edition has the sheet and the other plants
}

// What a silence names in place of an edition.
const (
	inOtherWays = "the editions do not give it in the same way"
	neither     = "neither edition gives it"
)

// silence is a factor that one edition does not give anywhere at a level.
type silence struct {
	edition string
	kind    Kind
	gas     Gas
	levels  []egrid.Level
}

// level compares the factors of a level.
func (p *pairing) level(level egrid.Level) []*FactorChange {
	switch a, b := p.from.has(level), p.to.has(level); {
	case !a && !b:
		return nil
	case !a || !b:
		only := p.from
		if b {
			only = p.to
		}
		p.absent = append(p.absent, fmt.Sprintf("%s (only %s has it)", level, only.name))
		return nil
	}
	codes := append(p.from.codes(level), p.to.codes(level)...)
	slices.Sort(codes)
	codes = slices.Compact(codes)
	var changes []*FactorChange
	for _, kind := range Kinds() {
		for _, gas := range Gases() {
			changes = append(changes, p.factor(level, codes, kind, gas)...)
		}
	}
	return changes
}

// ways are the sources of the two sides, the best ones first.
func ways(kind Kind) [][2]source {
	if kind == Nonbaseload {
		return [][2]source{{ofPlants, ofPlants}, {ofRates, ofRates}}
	}
	return [][2]source{{ofSheet, ofSheet}, {ofPlants, ofPlants}, {ofSheet, ofPlants}, {ofPlants, ofSheet}, {ofRates, ofRates}}
}

// factor compares a factor over all regions of a level: from the first pair of sources
// from which both editions give it for some region.
func (p *pairing) factor(level egrid.Level, codes []string, kind Kind, gas Gas) []*FactorChange {
	var a, b bool // whether the edition gives it at all
	for _, way := range ways(kind) {
		changes := make([]*FactorChange, 0, len(codes))
		var known, also bool
		for _, code := range codes {
			c := &FactorChange{Level: level, Code: code, Kind: kind, Gas: gas}
			var x, y bool
			c.From, x = p.from.figures(level, code, kind, gas, way[0])
			c.To, y = p.to.figures(level, code, kind, gas, way[1])
			known, also = known || x, also || y
			if !x && !y {
				continue
			}
			if c.Name = p.to.regionName(level, code); c.Name == "" {
				c.Name = p.from.regionName(level, code)
			}
			c.settle()
			changes = append(changes, c)
		}
		a, b = a || known, b || also
		if known && also {
			if way[0] != way[1] && !slices.Contains(p.mixed, level) {
				p.mixed = append(p.mixed, level)
			}
			return changes
		}
	}
	switch {
	case a && !b:
		p.say(p.to.name, kind, gas, level)
	case b && !a:
		p.say(p.from.name, kind, gas, level)
	case a && b:
		p.say(inOtherWays, kind, gas, level)
	default:
		p.say(neither, kind, gas, level)
	}
	return nil
}

func (p *pairing) say(edition string, kind Kind, gas Gas, level egrid.Level) {
	for i := range p.silent {
		if s := &p.silent[i]; s.edition == edition && s.kind == kind && s.gas == gas {
			s.levels = append(s.levels, level)
			return
		}
	}
	p.silent = append(p.silent, silence{edition, kind, gas, []egrid.Level{level}})
}

// notes say what could not be compared.
func (p *pairing) notes() []string {
	var notes []string
	if p.absent != nil {
		notes = append(notes, "Levels that are not compared: "+strings.Join(p.absent, ", ")+".")
	}
	for _, level := range p.mixed {
		notes = append(notes, fmt.Sprintf("Level %s: one edition has its sheet, the other plants. Where plants are missing from the PLNT sheet, or counted in one alone, that is a part of the change.", level))
	}
	type group struct{ edition, kind, levels string }
	gases := map[group][]string{}
	var order []group
	for _, s := range p.silent {
		g := group{s.edition, string(s.kind), list(s.levels)}
		if gases[g] == nil {
			order = append(order, g)
		}
		gases[g] = append(gases[g], gasName(s.gas))
	}
	for _, g := range order {
		who := g.edition
		if who != inOtherWays && who != neither {
			who += " does not give it"
		}
		notes = append(notes, fmt.Sprintf("Not compared at level %s: factors of kind %s of %s; %s.", g.levels, g.kind, strings.Join(gases[g], ", "), who))
	}
	return notes
}
